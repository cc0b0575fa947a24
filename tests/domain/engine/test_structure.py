"""The grid is the one that is written, its factors serve every length, and blocks lose and change nothing."""

from dataclasses import astuple, dataclass
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmo.domain.engine import structure
from rmo.domain.engine.structure import (
    HISTORY,
    Structure,
    align,
    blocks,
    covariances,
    factors,
    future,
    grid,
    kept,
    past,
    shares,
)
from rmo.domain.values import Floats


@pytest.mark.parametrize(
    ("seasonal", "correlated", "points"),
    [(True, False, 164), (True, True, 170), (False, False, 34), (False, True, 40)],
)
def test_the_grid_has_its_points(seasonal, correlated, points):
    found = grid(seasonal=seasonal, correlated=correlated)
    assert len({astuple(point) for point in found}) == len(found) == points


def test_a_covariance_is_the_one_that_is_written():
    point = Structure(level=0.3, slope=0.2, season=1.5, curve=0.01)
    (found,) = covariances([point], 8, 4)
    for s in range(8):
        for t in range(8):
            curve = sum((s - k + 1) * (t - k + 1) for k in range(min(s, t) + 1))
            wanted = (
                (s == t)
                + 0.3 * (min(s, t) + 1)
                + 0.04 * s * t
                + 1.5**2 * ((s % 4 == t % 4) - 0.25)
                + 0.01 * curve
            )
            assert found[s, t] == pytest.approx(wanted)


def test_correlated_noise_dies_away():
    (found,) = covariances([Structure(0, 0, 0, 0, correlation=0.7, size=2.0)], 5, 1)
    np.testing.assert_allclose(found[0], [5, 4 * 0.7, 4 * 0.49, 4 * 0.343, 4 * 0.2401])


@pytest.mark.parametrize("length", [6, 17, 40])
def test_one_factorisation_serves_every_length(length):
    structures = grid(seasonal=True)[::20]
    v = covariances(structures, length + 6, 12)
    inverse = np.linalg.inv(v[:, :length, :length])
    known, ahead = past(structures, 12, length), future(structures, 12, length, 6)
    np.testing.assert_allclose(known.inverse, inverse, atol=1e-9)
    np.testing.assert_allclose(known.log_size, np.linalg.slogdet(v[:, :length, :length])[1])
    pull = v[:, length:, :length] @ inverse
    np.testing.assert_allclose(ahead.pull, pull, atol=1e-9)
    left = v[:, length:, length:] - pull @ v[:, :length, length:]
    np.testing.assert_allclose(ahead.noise @ ahead.noise.transpose(0, 2, 1), left, atol=1e-8)


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
        assert block.readings.shape[1] in structure.BLOCKS
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


def test_shares_add_up_to_one():
    weights = shares(np.array([[-1e4, 3.0], [-1e4, 2.0]]))
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    assert weights[0, 0] == 0.5


def test_what_is_kept_stays_within_its_room(monkeypatch):
    @dataclass(frozen=True)
    class Made:
        numbers: Floats

    made = []

    @kept
    def prepare(size: int) -> Made:
        made.append(size)
        return Made(np.zeros(size))

    monkeypatch.setattr(structure, "ROOM", 8 * 100)
    first = prepare(40)
    assert prepare(40) is first
    prepare(50)
    prepare(40)
    prepare(45)  # puts 50 away, which was not asked for the longest time
    prepare(40)
    prepare(50)
    assert made == [40, 50, 45, 50]


def test_factors_are_made_once():
    structures = grid(seasonal=False)
    assert factors(structures, 1, 16, 12) is factors(structures, 1, 16, 12)
