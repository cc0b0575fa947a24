"""Blocks lose nothing, change nothing, and look at the newest periods."""

from math import nan

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rmo.domain.engine.blocks import BLOCKS, HISTORY, align, blocks
from rmo.domain.values import Floats


def ragged(rng, count, periods) -> Floats:
    values: Floats = rng.normal(size=(count, periods))
    values[rng.random((count, periods)) < rng.choice([0, 0.05, 0.5, 1], (count, 1))] = nan
    return values


@given(st.integers(0, 10_000), st.integers(1, 120), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_every_series_with_enough_readings_is_in_one_block(seed, count, periods):
    values = ragged(np.random.default_rng(seed), count, periods)
    aligned = align(values)
    seen = []
    for block in blocks(values, aligned, least=4):
        seen += block.own.tolist()
        assert block.readings.shape[1] in BLOCKS
        for column, row in enumerate(block.own):
            present = np.flatnonzero(~np.isnan(values[row]))
            np.testing.assert_array_equal(
                block.readings[:, column], values[row, present[0] : present[-1] + 1]
            )
            np.testing.assert_array_equal(
                block.holes[:, column], np.flatnonzero(np.isnan(block.readings[:, column]))
            )
    assert sorted(seen) == np.flatnonzero((~np.isnan(values)).sum(axis=1) >= 4).tolist()


def test_only_the_newest_periods_are_looked_at():
    values = np.ones((1, HISTORY + 50))
    values[0, -3:] = nan
    found = align(values)
    assert (found.length[0], found.count[0], found.first[0], found.lag[0]) == (HISTORY, HISTORY, 47, 3)


def test_a_series_without_readings_has_no_length():
    found = align(np.full((2, 5), nan))
    assert found.length.tolist() == found.count.tolist() == [0, 0]
