"""Forecasts agree with the formulas written out for one series, and hold what they promise of batches."""

from math import log, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmo.domain.engine import forecast as forecast_module
from rmo.domain.engine.blocks import align, blocks
from rmo.domain.engine.forecast import (
    LEAST,
    Forecast,
    chance_kept,
    forecast,
    readings_to_tell,
    required_run_rate,
    widening,
)
from rmo.domain.engine.mixture import Spread, shares
from rmo.domain.engine.regression import fit
from rmo.domain.engine.structure import caution, covariances, grid, past
from rmo.domain.engine.student_t import cdf, quantile
from rmo.domain.values import Floats


def wandering(rng, count, periods) -> Floats:
    """Make series with a level that wanders, a season and noise."""
    level = np.cumsum(rng.normal(0, 0.5, (count, periods)), axis=1)
    season = 3 * np.sin(2 * np.pi * np.arange(periods) / 12 + rng.uniform(0, 6, (count, 1)))
    values: Floats = 100 + level + season + rng.normal(0, 1, (count, periods))
    return values


class Written:
    """The grid as the handbook writes it, for one series: matrices, no tricks."""

    def __init__(self, values: Floats, horizon: int, season: int, *, jacobian: float = 0.0) -> None:
        here = ~np.isnan(values)
        y, n = values[here], int(here.sum())
        ones, ahead = np.ones(n), np.arange(horizon) + values.size
        covariance = covariances(grid(seasonal=season > 1), values.size + horizon, season)
        at = np.flatnonzero(here)
        self.df, self.log_weight, self.mean, self.covariance = n - 1, [], [], []
        structures = grid(seasonal=season > 1)
        for v, taken in zip(covariance, caution(structures)[:, 0], strict=True):
            inside, across = v[np.ix_(at, at)], v[np.ix_(ahead, at)]
            inverse = np.linalg.inv(inside)
            a = ones @ inverse @ ones
            beta = ones @ inverse @ y / a
            rest = y - beta
            squares = rest @ inverse @ rest
            r = 1 - across @ inverse @ ones
            self.log_weight.append(
                -0.5 * np.linalg.slogdet(inside)[1]
                - 0.5 * log(a)
                - self.df / 2 * log(squares)
                - jacobian
                - taken
            )
            self.mean.append(beta + across @ inverse @ rest)
            new = v[np.ix_(ahead, ahead)] - across @ inverse @ across.T + np.outer(r, r) / a
            self.covariance.append(squares / self.df * new)

    def quantile(self, p: float, weights: Floats) -> float:
        """Halve an interval until the mixture's distribution is met."""
        share = shares(np.array(self.log_weight))
        location = np.array(self.mean) @ weights
        scale = np.sqrt(np.einsum("h,ghk,k->g", weights, np.array(self.covariance), weights))
        low, high = -1e4, 1e4
        for _ in range(60):
            middle = (low + high) / 2
            below = float(share @ cdf((middle - location) / scale, self.df))
            low, high = (middle, high) if below < p else (low, middle)
        return low


@pytest.mark.parametrize("holes", [[], [3, 17, 18]], ids=["complete", "with holes"])
def test_the_grid_is_the_one_that_is_written(holes):
    values = wandering(np.random.default_rng(1), 1, 30)[0] - 100  # both signs: no logs
    values[holes] = nan
    written = Written(values, 12, 12)
    found = forecast(values[None], horizon=12, season=12)
    month = Spread(found.months.x[:, 5], found.months.z[:, 5])
    wider = widening(30 - len(holes))
    for weights, spread in ((np.eye(12)[5], month), (np.ones(12), found.total)):
        middle = written.quantile(0.5, weights)
        for p in (0.025, 0.1, 0.5, 0.9, 0.975):
            exact = middle + wider * (written.quantile(p, weights) - middle)
            size = written.quantile(0.84, weights) - middle
            assert spread.quantile(p)[0] == pytest.approx(exact, abs=0.02 * size)


def test_weights_and_estimates_are_those_of_the_formulas():
    values = wandering(np.random.default_rng(5), 1, 24)[0] - 100
    written = Written(values, 6, 12)
    (block,) = blocks(values[None], align(values[None]), least=6)
    fitted = fit(past(grid(seasonal=True), 12, 24), block, block.readings)
    np.testing.assert_allclose(
        (fitted.log_weight - caution(grid(seasonal=True)))[:, 0], written.log_weight, rtol=1e-9
    )


def test_totals_with_logs_mixed_in_are_close_to_those_of_paths():
    rng = np.random.default_rng(3)
    values = np.exp(4 + 0.02 * np.arange(36) + rng.normal(0, 0.25, 36))
    logs = np.log(values)
    sides = [Written(values, 12, 1), Written(logs, 12, 1, jacobian=35 / 36 * logs.sum())]
    weight = shares(np.concatenate([side.log_weight for side in sides]))
    chosen = rng.choice(weight.size, 40_000, p=weight)
    noise, chi = rng.normal(size=(chosen.size, 12)), np.sqrt(35 / rng.chisquare(35, chosen.size))
    mean = np.concatenate([side.mean for side in sides])
    roots = np.linalg.cholesky(np.concatenate([side.covariance for side in sides]))
    paths = mean[chosen] + chi[:, None] * np.einsum("phk,pk->ph", roots[chosen], noise)
    is_log = chosen >= len(sides[0].mean)
    totals = np.where(is_log, np.exp(np.where(is_log[:, None], paths, 0)).sum(axis=1), paths.sum(axis=1))
    assert is_log.mean() > 0.9
    found = forecast(values[None], horizon=12, season=1).total
    for p in (0.025, 0.1, 0.5, 0.9, 0.975):
        drawn = np.median(totals) * (np.quantile(totals, p) / np.median(totals)) ** 1.1  # widened in logs
        assert found.quantile(p)[0] == pytest.approx(drawn, rel=0.025)


def test_the_lower_end_of_what_only_grows_by_factors_stays_positive():
    rng = np.random.default_rng(4)
    values = np.exp(np.cumsum(rng.normal(0, 0.4, (5, 40)), axis=1))
    found = forecast(values, horizon=12, season=1)
    assert (found.months.quantile(0.025) > 0).all()


def test_months_and_totals_that_were_held_back_are_covered():
    values = wandering(np.random.default_rng(6), 400, 60)
    found = forecast(values[:, :48], horizon=12, season=12)
    months, total = values[:, 48:], values[:, 48:].sum(axis=1)
    for low, high, least, most in ((0.1, 0.9, 0.76, 0.88), (0.025, 0.975, 0.92, 0.985)):
        inside = (found.months.quantile(low) <= months) & (months <= found.months.quantile(high))
        assert least < inside.mean() < most
        whole = (found.total.quantile(low) <= total) & (total <= found.total.quantile(high))
        assert least - 0.03 < whole.mean() < most + 0.03


def test_a_season_is_found_where_there_is_one():
    rng = np.random.default_rng(7)
    values = 50 + rng.normal(0, 1, (2, 48))
    values[0] += 6 * np.sin(2 * np.pi * np.arange(48) / 12)
    found = forecast(values, horizon=12, season=12)
    assert found.season_weight[0] > 0.99
    assert found.season_weight[1] < 0.9
    assert np.ptp(found.months.median[0]) > 8


@pytest.mark.parametrize("readings", range(8))
def test_short_histories_are_forecast_from_six_readings_on(readings):
    values = np.full((1, 10), nan)
    values[0, 10 - readings :] = np.arange(readings) % 3 + 5
    found = forecast(values, horizon=3, season=12)
    assert np.isfinite(found.months.median).all() == (readings >= LEAST)
    assert found.readings[0] == readings


def test_intervals_are_wider_the_shorter_the_history():
    assert [round(float(widening(n)), 2) for n in (6, 12, 18, 60)] == [1.46, 1.28, 1.1, 1.1]


def test_what_never_moved_is_expected_to_stay():
    for level in (5.0, 0.0, -3.0):
        found = forecast(np.full((1, 24), level), horizon=12, season=12)
        assert found.months.median[0] == pytest.approx(level, abs=1e-6)
        assert found.total.quantile(0.975)[0] == pytest.approx(12 * level, abs=1e-5)


def test_chances_and_quantiles_are_each_others_inverse():
    found = forecast(wandering(np.random.default_rng(8), 5, 40), horizon=6, season=12)
    for p in (0.025, 0.1, 0.5, 0.9, 0.975):
        np.testing.assert_allclose(found.total.chance_of_at_least(found.total.quantile(p)), 1 - p, atol=1e-6)
        np.testing.assert_allclose(
            found.months.chance_of_at_least(found.months.quantile(p)), 1 - p, atol=1e-6
        )


def test_a_total_is_of_the_weighted_months():
    values = wandering(np.random.default_rng(9), 3, 36)
    plain = forecast(values, horizon=12, season=12)
    one = forecast(values, horizon=12, season=12, weights=np.eye(12)[4])
    np.testing.assert_allclose(one.total.quantile(0.1), plain.months.quantile(0.1)[:, 4], rtol=1e-6)
    half = forecast(values, horizon=12, season=12, weights=np.full((3, 12), 0.5))
    np.testing.assert_allclose(half.total.quantile(0.9), plain.total.quantile(0.9) / 2, rtol=1e-6)


def test_the_target_is_reached_when_the_chance_is_even():
    values = np.arange(40.0)[None] + np.random.default_rng(10).normal(0, 0.1, (1, 40))
    found = forecast(values, horizon=12, season=1)
    assert found.reaches(np.array([44.5]))[0] == 5
    assert found.reaches(np.array([90.0]))[0] == -1
    assert found.reaches(np.array([44.5]), at_least=False)[0] == 0


def test_the_required_run_rate_is_what_is_missing_over_the_periods_left():
    rate = required_run_rate(np.array([120.0, 120.0]), np.array([50.0, 50.0]), np.array([7.0, 0.0]))
    np.testing.assert_array_equal(rate, [10.0, nan])


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["up is good", "down is good"])
def test_a_promise_is_kept_with_the_chance_of_what_is_still_needed(sign):
    values = 100 + sign * wandering(np.random.default_rng(12), 1, 40)
    total = forecast(values, horizon=12, season=12).total
    baseline = np.array([12 * 150.0])
    middle = sign * (total.median - baseline)
    chances = [
        chance_kept(total, need=middle + away, baseline=baseline, sign=np.array([sign]))[0]
        for away in (-1e4, 0, 1e4)
    ]
    assert chances == pytest.approx([1.0, 0.5, 0.0], abs=1e-6)


def test_a_gap_is_told_by_so_many_readings():
    found = readings_to_tell(np.array([1.0, 2.0, -2.0, 0.0]), np.full(4, 5.0))
    assert found.tolist() == [42, 11, 11, np.inf]  # 1.2816 x 5 / sqrt(n) under the gap


def everything(found: Forecast) -> list[Floats]:
    return [found.months.x, found.months.z, found.total.x, found.total.z, found.season_weight]


def mixed(rng, count) -> Floats:
    """Make series of several lengths, some with holes, some that end early."""
    values = wandering(rng, count, 40)
    for row in range(count):
        values[row, : rng.choice([0, 0, 5, 20])] = nan
        values[row, 40 - rng.choice([0, 0, 0, 2]) :] = nan
        values[row, rng.integers(20, 38, rng.choice([0, 0, 3]))] = nan
    return values


def test_the_same_series_gives_the_same_bytes_in_any_batch(monkeypatch):
    monkeypatch.setattr(forecast_module, "rounded", lambda numbers: numbers)  # also before they are rounded
    rng = np.random.default_rng(11)
    values = mixed(rng, 150)
    together = everything(forecast(values, horizon=12, season=12))
    order = rng.permutation(150)
    turned = everything(forecast(values[order], horizon=12, season=12))
    few = everything(forecast(values[:7], horizon=12, season=12))
    for whole, other, part in zip(together, turned, few, strict=True):
        np.testing.assert_array_equal(whole[order], other)
        np.testing.assert_array_equal(whole[:7], part)
    for row in (0, 33, 149):
        for whole, one in zip(
            together, everything(forecast(values[[row]], horizon=12, season=12)), strict=True
        ):
            np.testing.assert_array_equal(whole[[row]], one)


@given(st.integers(0, 10_000), st.sampled_from([1e-3, 0.5, 7.0, 1e6]))
@settings(max_examples=10, deadline=None)
def test_a_forecast_scales_with_its_unit(seed, factor):
    values = wandering(np.random.default_rng(seed), 2, 20)
    plain, scaled = (forecast(each, horizon=6, season=4) for each in (values, values * factor))
    np.testing.assert_allclose(scaled.months.x, plain.months.x * factor, rtol=1e-6)
    np.testing.assert_allclose(scaled.total.z, plain.total.z, atol=1e-6)


@given(st.integers(0, 10_000), st.floats(-50, 50))
@settings(max_examples=10, deadline=None)
def test_a_forecast_of_what_may_be_negative_shifts_with_it(seed, shift):
    values = wandering(np.random.default_rng(seed), 2, 20) - 100
    values[:, 3] = -80.0
    plain, shifted = (forecast(each, horizon=6, season=4) for each in (values, values + shift))
    np.testing.assert_allclose(shifted.months.x, plain.months.x + shift, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(shifted.total.x, plain.total.x + 6 * shift, rtol=1e-6, atol=1e-4)


@given(st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=10, deadline=None)
def test_missing_months_at_either_end_move_nothing(seed, months):
    values = mixed(np.random.default_rng(seed), 3)
    missing = np.full((3, months), nan)
    plain = forecast(values, horizon=8, season=12)
    before = forecast(np.hstack([missing, values]), horizon=8, season=12)
    after = forecast(np.hstack([values, missing]), horizon=8 - months, season=12)
    np.testing.assert_array_equal(before.months.x, plain.months.x)
    np.testing.assert_allclose(after.months.x, plain.months.x[:, months:], rtol=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_a_correction_moves_only_its_own_series(seed):
    values = mixed(np.random.default_rng(seed), 4)
    corrected = values.copy()
    corrected[2, 30] = 105.0
    plain, other = (forecast(each, horizon=6, season=12) for each in (values, corrected))
    np.testing.assert_array_equal(other.months.x[[0, 1, 3]], plain.months.x[[0, 1, 3]])
    assert not np.array_equal(other.months.x[2], plain.months.x[2])


def test_one_structure_alone_is_a_student_t():
    values = np.array([3.0, 5.0, 4.0, 6.0, 2.0, 5.0, 3.0])
    (block,) = blocks(values[None], align(values[None]), least=6)
    fitted = fit(past((grid(seasonal=False)[0],), 1, 7), block, block.readings - values.mean())
    half = quantile(0.975, 6) * np.sqrt(fitted.spread[0, 0])
    assert half == pytest.approx(
        2.447 * values.std(ddof=1), rel=1e-3
    )  # the level's own noise alone: white, level 0
