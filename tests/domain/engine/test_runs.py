"""Runs about the median are judged by the published limits."""

from math import nan

import numpy as np
import pytest

from rmo.domain.engine.runs import fewest_usual, longest_usual, runs


@pytest.mark.parametrize(
    ("readings", "longest", "fewest"),
    # Anhøj and Olesen 2014, critical values: useful observations, longest run, fewest crossings
    [(10, 6, 2), (12, 7, 3), (16, 7, 4), (20, 7, 6), (24, 8, 8), (30, 8, 10), (40, 8, 14), (60, 9, 23)],
)
def test_limits_are_those_of_the_published_table(readings, longest, fewest):
    assert longest_usual(readings) == longest
    assert fewest_usual(readings) == fewest


def test_a_shift_is_a_long_run_with_few_crossings():
    found = runs(np.array([[*[1.0, 2, 1.5] * 4, *[5.0, 6, 5.5] * 4], [1.0, 5] * 12]))
    assert found.longest.tolist() == [12, 1]
    assert found.crossings.tolist() == [1, 23]
    assert found.signal.tolist() == [True, False]


def test_readings_on_the_median_and_missing_ones_are_left_out():
    found = runs(np.array([[1, 3, nan, 2, 2, 1, 3, 3.0]]))
    assert (found.longest[0], found.crossings[0]) == (2, 3)


def test_nothing_is_said_of_nothing():
    found = runs(np.array([[nan, nan], [4.0, 4.0], [nan, 1.0]]))
    assert not found.signal.any()


def test_a_series_at_rest_signals_seldom():
    values = np.random.default_rng(1).normal(size=(1000, 24))
    assert runs(values).signal.mean() < 0.1
