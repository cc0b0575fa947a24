"""A season is taken away where there is one, and only there."""

from math import nan

import numpy as np
import pytest

from rmo.domain.engine.chart import process_charts
from rmo.domain.engine.mixture import shares
from rmo.domain.engine.seasons import season_adjusted
from rmo.domain.engine.structure import covariances, grid
from rmo.domain.values import Floats


def seasonal(rng, count, periods, size) -> Floats:
    season = size * np.sin(2 * np.pi * (np.arange(periods) / 12 + rng.random((count, 1))))
    values: Floats = 50 + season + rng.normal(size=(count, periods))
    return values


@pytest.mark.parametrize("holes", [[], [5, 16, 17]], ids=["complete", "with holes"])
def test_the_season_is_the_one_that_is_written(holes):
    values = seasonal(np.random.default_rng(1), 1, 36, 4)[0]
    values[holes] = nan
    here = np.flatnonzero(~np.isnan(values))
    y, ones, df = values[here], np.ones(here.size), here.size - 1
    same_place = ((np.arange(36)[:, None] - np.arange(36)) % 12 == 0) - 1 / 12
    weights, seasons = [], []
    for point, v in zip(grid(seasonal=True), covariances(grid(seasonal=True), 36, 12), strict=True):
        inverse = np.linalg.inv(v[np.ix_(here, here)])
        a = ones @ inverse @ ones
        rest = y - ones @ inverse @ y / a
        weights.append(
            0.5 * np.linalg.slogdet(inverse)[1] - 0.5 * np.log(a) - df / 2 * np.log(rest @ inverse @ rest)
        )
        seasons.append(point.season**2 * same_place[:, here] @ inverse @ rest)
    found = season_adjusted(values[None], season=12)
    assert found.done[0]
    np.testing.assert_allclose(
        (values - found.values[0])[here], (shares(np.array(weights)) @ seasons)[here], atol=1e-6
    )


def test_only_a_sure_season_is_taken_away():
    rng = np.random.default_rng(2)
    values = np.vstack([seasonal(rng, 20, 48, 5), seasonal(rng, 20, 48, 0)])
    found = season_adjusted(values, season=12)
    assert found.done[:20].all()
    assert found.done[20:].mean() <= 0.1
    np.testing.assert_array_equal(found.values[~found.done], values[~found.done])


@pytest.mark.parametrize(("periods", "season"), [(23, 12), (48, 1)])
def test_nothing_is_taken_away_from_few_readings_or_without_a_season(periods, season):
    values = seasonal(np.random.default_rng(3), 3, periods, 8)
    found = season_adjusted(values, season=season)
    assert not found.done.any()
    np.testing.assert_array_equal(found.values, values)


def test_a_chart_of_adjusted_readings_flags_fewer_by_chance():
    values = seasonal(np.random.default_rng(4), 200, 48, 3)
    raw, adjusted = (
        process_charts(each).flags > 0 for each in (values, season_adjusted(values, season=12).values)
    )
    assert adjusted.mean() < 0.4 * raw.mean()


def test_a_season_does_not_depend_on_the_batch():
    values = seasonal(np.random.default_rng(5), 30, 40, 3)
    together = season_adjusted(values, season=12).values
    np.testing.assert_array_equal(season_adjusted(values[::-1], season=12).values, together[::-1])
    np.testing.assert_array_equal(season_adjusted(values[[7]], season=12).values, together[[7]])
