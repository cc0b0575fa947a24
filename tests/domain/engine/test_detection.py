"""Early signs come as often by chance as they should, and as quickly as the published run lengths say."""

from math import nan

import numpy as np
import pytest

from rmo.domain.engine import detection
from rmo.domain.engine.detection import ALARM, believed, innovations, newest_innovation, slips, surprise
from rmo.domain.engine.mixture import shares
from rmo.domain.engine.structure import caution, covariances, grid
from rmo.domain.engine.student_t import cdf, probit
from rmo.domain.values import Floats


def seasonal(rng, count, periods) -> Floats:
    season = 2 * np.sin(2 * np.pi * np.arange(periods) / 12)
    values: Floats = 50 + season + rng.normal(size=(count, periods))
    return values


def written_innovation(values: Floats, at: int, season: int) -> float:
    """Predict one reading from those before it, with whole matrices."""
    here = np.flatnonzero(~np.isnan(values[:at]))
    y, ones, df = values[here], np.ones(here.size), here.size - 1
    weights, below = [], []
    structures = grid(seasonal=True)
    for v, taken in zip(covariances(structures, at + 1, season), caution(structures)[:, 0], strict=True):
        inverse, across = np.linalg.inv(v[np.ix_(here, here)]), v[at, here]
        a = ones @ inverse @ ones
        beta = ones @ inverse @ y / a
        rest = y - beta
        squares = rest @ inverse @ rest
        r = 1 - across @ inverse @ ones
        variance = squares / df * (v[at, at] - across @ inverse @ across + r * r / a)
        weights.append(
            0.5 * np.linalg.slogdet(inverse)[1] - 0.5 * np.log(a) - df / 2 * np.log(squares) - taken
        )
        below.append((values[at] - beta - across @ inverse @ rest) / np.sqrt(variance))
    return float(probit(shares(np.array(weights)) @ cdf(np.array(below), df)))


@pytest.mark.parametrize("holes", [[], [5, 13, 14]], ids=["complete", "with holes"])
def test_innovations_are_those_that_are_written(holes):
    values = seasonal(np.random.default_rng(1), 1, 30)[0] - 50  # both signs: no logs
    values[holes] = nan
    found = innovations(values[None], season=12)[0]
    assert np.isnan(found[:6]).all() and np.isnan(found[holes]).all()
    for at in (10, 15, 22, 29):
        assert found[at] == pytest.approx(written_innovation(values, at, 12), abs=2e-4)


def test_the_newest_innovation_is_the_last_of_all():
    values = seasonal(np.random.default_rng(2), 6, 40)
    values[1, 30:] = nan
    values[2, :10] = nan
    values[3, [12, 20]] = nan
    values[4, :36] = nan
    newest, every = newest_innovation(values, season=12), innovations(values, season=12)
    last = [row[~np.isnan(row)][-1] if (~np.isnan(row)).any() else nan for row in every]
    np.testing.assert_allclose(newest, last, atol=0.02)
    assert np.isnan(newest[4])


def test_a_healthy_series_is_surprising_once_in_a_hundred():
    steps = newest_innovation(seasonal(np.random.default_rng(3), 800, 36), season=12)
    assert (surprise(steps) < 0.01).mean() <= 0.02
    assert 0.02 < (surprise(steps) < 0.05).mean() < 0.07


def test_a_jump_is_a_surprise():
    values = seasonal(np.random.default_rng(4), 50, 36)
    values[:, -1] += 6
    assert (surprise(newest_innovation(values, season=12)) < 0.01).mean() > 0.8


def test_innovations_do_not_depend_on_the_unit():
    values = seasonal(np.random.default_rng(5), 20, 30)
    plain = innovations(values, season=12)
    np.testing.assert_allclose(innovations(values * 1e3, season=12), plain, atol=1e-6)


def test_innovations_have_the_same_bytes_in_any_batch(monkeypatch):
    monkeypatch.setattr(detection, "rounded", lambda numbers: numbers)  # also before they are rounded
    values = seasonal(np.random.default_rng(9), 40, 30)
    values[np.random.default_rng(10).random(values.shape) < 0.03] = nan
    plain = innovations(values, season=12)
    np.testing.assert_array_equal(innovations(values[::-1], season=12), plain[::-1])
    np.testing.assert_array_equal(innovations(values[[3]], season=12), plain[[3]])


@pytest.mark.parametrize(
    ("shift", "length"),
    [
        # Montgomery, table 9.3, and Lucas & Saccucci 1990: two-sided, k = 0.5, h = 4.7749
        (0.5, 35.3),
        (1.0, 9.93),
        (1.5, 5.52),
        (2.0, 3.86),
        (3.0, 2.49),
    ],
)
def test_run_lengths_are_the_published_ones(shift, length):
    steps = np.random.default_rng(6).normal(shift, 1, (4000, 600))
    over = np.maximum(slips(steps), slips(-steps)) > 4.7749
    assert over.any(axis=1).all()
    assert (over.argmax(axis=1) + 1).mean() == pytest.approx(length, rel=0.04)


def test_a_healthy_series_alarms_once_in_741_periods():
    steps = np.random.default_rng(7).normal(0, 1, (1500, 741))
    alarmed = (slips(steps) > ALARM).any(axis=1).mean()
    assert alarmed == pytest.approx(1 - np.exp(-1), abs=0.03)  # run lengths are nearly exponential


def test_a_missing_reading_leaves_the_sum_as_it_is():
    np.testing.assert_allclose(slips(np.array([[2.0, nan, 1.0, -9.0]])), [[1.5, 1.5, 2.0, 0.0]])


def test_which_flags_to_believe_is_the_published_example():
    # Benjamini and Hochberg 1995, section 3.1: fifteen chances, four believed at 5%
    chances = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    chances += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    order = np.random.default_rng(8).permutation(15)
    flags = believed(np.array([*np.array(chances)[order], nan]), rate=0.05)
    assert sorted(order[flags[:15]]) == [0, 1, 2, 3]
    assert not flags[15]


def test_nothing_is_believed_where_nothing_was_tested():
    assert not believed(np.array([nan, nan])).any()
    assert not believed(np.array([0.9, 0.5])).any()
