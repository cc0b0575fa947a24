"""Effects agree with the regressions written out, cover the truth, and cry wolf seldom."""

from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmo.domain.engine import effect as effect_module
from rmo.domain.engine.effect import effect, ramp
from rmo.domain.engine.mixture import shares
from rmo.domain.engine.structure import covariances, grid
from rmo.domain.engine.student_t import cdf
from rmo.domain.values import Floats, Ramp


def step(count, periods, start) -> Floats:
    return np.broadcast_to((np.arange(periods) >= start).astype(np.float64), (count, periods)).copy()


def correlated(rng, count, periods, rho) -> Floats:
    noise = rng.normal(size=(count, periods))
    for t in range(1, periods):
        noise[:, t] = rho * noise[:, t - 1] + np.sqrt(1 - rho**2) * noise[:, t]
    values: Floats = noise + 50
    return values


def written_quantile(y, regressors, season, p) -> float:
    """Regress under each structure with whole matrices, and halve an interval for the mixture's quantile."""
    here = ~np.isnan(y)
    x, y = np.column_stack([column[here] for column in regressors]), y[here]
    df = len(y) - x.shape[1]
    weights, location, scale = [], [], []
    for v in covariances(grid(seasonal=True, correlated=True), here.size, season):
        inverse = np.linalg.inv(v[np.ix_(here, here)])
        a = np.linalg.inv(x.T @ inverse @ x)
        beta = a @ x.T @ inverse @ y
        rest = y - x @ beta
        squares = rest @ inverse @ rest
        sizes = np.linalg.slogdet(inverse)[1] + np.linalg.slogdet(a)[1]
        weights.append(0.5 * sizes - df / 2 * np.log(squares))
        location.append(beta[-1])
        scale.append(np.sqrt(squares / df * a[-1, -1]))
    share = shares(np.array(weights))
    low, high = -1e4, 1e4
    for _ in range(60):
        middle = (low + high) / 2
        below = float(share @ cdf((middle - np.array(location)) / np.array(scale), df))
        low, high = (middle, high) if below < p else (low, middle)
    return low


@pytest.mark.parametrize("holes", [[], [4, 15, 25]], ids=["complete", "with holes"])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with a control"])
def test_an_effect_is_the_one_that_is_written(holes, beside):
    rng = np.random.default_rng(1)
    other = np.cumsum(rng.normal(size=30)) + 20
    values = correlated(rng, 1, 30, 0.5)[0] + 0.5 * other
    values[holes] = nan
    profile = ramp(np.arange(30) - 18, Ramp.LINEAR, 6)
    found = effect(values[None], profile[None], season=12, controls=other[None, None] if beside else None)
    regressors = [np.ones(30), *([other] if beside else []), profile]
    for p in (0.025, 0.5, 0.975):
        expected = written_quantile(values, regressors, 12, p)
        assert found.spread.quantile(p)[0] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize("size", [0.0, 2.0])
def test_the_interval_covers_the_truth(rho, size):
    profile = step(300, 36, 24)
    values = correlated(np.random.default_rng(2), 300, 36, rho) + size * profile
    low, high = effect(values, profile, season=12).interval()
    assert ((low <= size) & (size <= high)).mean() >= 0.93


def test_a_plain_step_is_found_and_its_counterfactual_runs_on():
    rng = np.random.default_rng(3)
    profile = step(1, 36, 24)
    values = 50 + rng.normal(0, 1, (1, 36)) - 10 * profile
    found = effect(values, profile, season=12)
    assert found.estimate[0] == pytest.approx(-10, abs=1.5)
    assert found.chance_of_none[0] < 0.001
    middle, lower, upper = found.anyway(values)
    np.testing.assert_array_equal(middle[:, :24], values[:, :24])
    np.testing.assert_allclose(middle[0, 24:], values[0, 24:] - found.estimate[0])
    assert (lower <= middle).all() and (middle <= upper).all()
    assert abs(middle[0, 24:].mean() - 50) < 1.5


def test_on_logs_an_effect_is_a_factor():
    rng = np.random.default_rng(4)
    profile = step(1, 48, 30)
    values = np.exp(rng.normal(4, 0.05, (1, 48))) * np.where(profile > 0, 0.8, 1.0)
    found = effect(values, profile, season=12, logged=True)
    assert np.exp(found.estimate[0]) == pytest.approx(0.8, abs=0.04)
    middle, _, _ = found.anyway(values)
    np.testing.assert_allclose(middle[0, 30:] * np.exp(found.estimate[0]), values[0, 30:])
    assert np.isnan(effect(-values, profile, season=12, logged=True).estimate[0])
    controls = np.exp(rng.normal(2, 0.1, (1, 1, 48)))
    by_hand = effect(np.log(values), profile, season=12, controls=np.log(controls))
    both = effect(values, profile, season=12, controls=controls, logged=True)
    np.testing.assert_array_equal(both.estimate, by_hand.estimate)


@pytest.mark.parametrize(
    ("readings", "start"),
    [
        pytest.param(5, 3, id="too few readings"),
        pytest.param(20, 2, id="too few before"),
        pytest.param(20, 20, id="none after"),
        pytest.param(20, 0, id="none before"),
    ],
)
def test_nothing_is_said_of_what_cannot_be_told_apart(readings, start):
    values = np.random.default_rng(5).normal(size=(1, readings))
    assert np.isnan(effect(values, step(1, readings, start), season=12).estimate).all()


def test_a_control_takes_away_what_is_common():
    rng = np.random.default_rng(6)
    common = np.cumsum(rng.normal(0, 3, (20, 40)), axis=1)
    profile = step(20, 40, 30)
    values = common + rng.normal(0, 1, (20, 40)) + 5 * profile
    alone = effect(values, profile, season=1)
    beside = effect(values, profile, season=1, controls=common[None] + rng.normal(0, 0.3, (1, 20, 40)))
    widths = [np.subtract(*found.interval()[::-1]).mean() for found in (alone, beside)]
    assert widths[1] < 0.4 * widths[0]


def test_the_same_series_gives_the_same_bytes_in_any_batch(monkeypatch):
    monkeypatch.setattr(effect_module, "rounded", lambda numbers: numbers)  # also before they are rounded
    rng = np.random.default_rng(7)
    values = correlated(rng, 90, 40, 0.4)
    values[rng.random(values.shape) < 0.01] = nan
    profile = np.stack([step(1, 40, start)[0] for start in rng.integers(10, 35, 90)])
    together = effect(values, profile, season=12).spread
    order = rng.permutation(90)
    turned = effect(values[order], profile[order], season=12).spread
    np.testing.assert_array_equal(together.x[order], turned.x)
    np.testing.assert_array_equal(together.z[order], turned.z)
    np.testing.assert_array_equal(effect(values[:1], profile[:1], season=12).spread.x, together.x[:1])


@given(st.integers(0, 10_000), st.sampled_from([1e-3, 3.0, 1e6]), st.floats(-1000, 1000))
@settings(max_examples=10, deadline=None)
def test_an_effect_scales_with_the_unit_and_does_not_shift(seed, factor, shift):
    values = correlated(np.random.default_rng(seed), 2, 24, 0.3)
    profile = step(2, 24, 16)
    plain = effect(values, profile, season=4)
    other = effect(values * factor + shift, profile, season=4)
    np.testing.assert_allclose(other.estimate, plain.estimate * factor, rtol=1e-4, atol=1e-6 * factor)
    np.testing.assert_allclose(other.chance_of_none, plain.chance_of_none, atol=1e-4)


@given(st.integers(0, 10_000), st.integers(1, 4))
@settings(max_examples=5, deadline=None)
def test_a_missing_month_at_the_end_changes_nothing(seed, months):
    values = correlated(np.random.default_rng(seed), 2, 24, 0.3)
    longer = np.hstack([values, np.full((2, months), nan)])
    plain, other = (
        effect(values, step(2, 24, 16), season=4),
        effect(longer, step(2, 24 + months, 16), season=4),
    )
    np.testing.assert_array_equal(other.spread.x, plain.spread.x)


@pytest.mark.parametrize(
    ("shape", "arrived"),
    [
        (Ramp.STEP, [0, 0, 1, 1, 1, 1]),
        (Ramp.LINEAR, [0, 0, 0.25, 0.5, 0.75, 1]),
        (Ramp.S_CURVE, [0, 0, 0.15625, 0.5, 0.84375, 1]),
    ],
)
def test_a_ramp_has_arrived_after_its_periods(shape, arrived):
    np.testing.assert_allclose(ramp(np.arange(6) - 2, shape, 4), arrived)
