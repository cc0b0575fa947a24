"""The path from a baseline to a target: the shape of each ramp, and what is planned on a season."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.domain.trajectory import SHAPES, elapsed, planned_level
from rmo.domain.values import Ramp

RAMPS = st.sampled_from(sorted(SHAPES))
LEVELS = st.floats(-1e6, 1e6, allow_nan=False)


def level(ramp: Ramp, passed: float, baseline: float = 0.0, target: float = 1.0) -> float:
    """Return the planned level after some share of the ramp."""
    planned = planned_level(np.array([[baseline]]), np.array([[target]]), np.array([[passed]]), ramp)
    return float(planned[0, 0])


@pytest.mark.parametrize(
    ("ramp", "shares"),
    [
        pytest.param(Ramp.STEP, [1, 1, 1, 1, 1, 1], id="step"),
        pytest.param(Ramp.LINEAR, [0, 0.25, 0.5, 0.75, 1, 1], id="linear"),
        pytest.param(Ramp.S_CURVE, [0, 0.15625, 0.5, 0.84375, 1, 1], id="s curve"),
        pytest.param(Ramp.FRONT_LOADED, [0, 0.4375, 0.75, 0.9375, 1, 1], id="front-loaded"),
        pytest.param(Ramp.BACK_LOADED, [0, 0.0625, 0.25, 0.5625, 1, 1], id="back-loaded"),
    ],
)
def test_each_ramp_has_its_shape_at_the_quarters_and_beyond(ramp: Ramp, shares: list[float]):
    passed = np.array([[0, 0.25, 0.5, 0.75, 1, 7.0]])

    planned = planned_level(np.zeros((1, 6)), np.ones((1, 1)), passed, ramp)

    assert planned.tolist() == [shares]


def test_every_ramp_that_is_worked_out_has_a_shape():
    assert set(SHAPES) == set(Ramp) - {Ramp.POINTS}


@given(RAMPS, LEVELS, LEVELS, st.floats(1, 1e3))
def test_from_the_end_of_the_ramp_on_the_target_is_planned(
    ramp: Ramp, base: float, target: float, passed: float
):
    assert level(ramp, passed, base, target) == pytest.approx(target, rel=1e-12, abs=1e-9)


@given(RAMPS.filter(lambda ramp: ramp is not Ramp.STEP), LEVELS, LEVELS, st.floats(-10, 0))
def test_before_the_ramp_the_baseline_is_planned(ramp: Ramp, base: float, target: float, passed: float):
    assert level(ramp, passed, base, target) == base


@given(RAMPS, st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted))
def test_a_ramp_never_goes_back_and_stays_between_baseline_and_target(ramp: Ramp, passed: list[float]):
    early, late = (level(ramp, share) for share in passed)

    assert 0 <= early <= late + 1e-12
    assert late <= 1 + 1e-12


@given(st.floats(0, 1))
def test_front_and_back_loaded_mirror_each_other_and_the_s_curve_itself(passed: float):
    assert level(Ramp.FRONT_LOADED, passed) == pytest.approx(1 - level(Ramp.BACK_LOADED, 1 - passed))
    assert level(Ramp.S_CURVE, passed) == pytest.approx(1 - level(Ramp.S_CURVE, 1 - passed))


def test_a_seasonal_baseline_keeps_its_season_under_the_planned_change():
    season = np.array([[100.0, 140.0, 90.0, 70.0]])

    planned = planned_level(season, season - 20, np.array([[0.25, 0.5, 0.75, 1.0]]), Ramp.LINEAR)

    assert planned.tolist() == [[95.0, 130.0, 75.0, 50.0]]


@pytest.mark.parametrize(
    ("periods", "ramp_periods", "shares"),
    [
        pytest.param(5, 4, [0.25, 0.5, 0.75, 1, 1], id="at the end of each period, capped"),
        pytest.param(3, 1, [1, 1, 1], id="over one period"),
        pytest.param(3, 0, [1, 1, 1], id="over none"),
        pytest.param(2, 12, [1 / 12, 2 / 12], id="the promise ends before its ramp"),
        pytest.param(0, 12, [], id="no period"),
    ],
)
def test_so_much_of_the_ramp_has_passed(periods: int, ramp_periods: int, shares: list[float]):
    assert elapsed(periods, ramp_periods).tolist() == shares


def test_a_batch_is_planned_row_by_row():
    baseline, target = np.array([[10.0, 10.0], [4.0, 6.0]]), np.array([[20.0], [8.0]])
    passed = np.array([[0.5, 1.0], [0.0, 0.5]])

    assert planned_level(baseline, target, passed, Ramp.LINEAR).tolist() == [[15.0, 20.0], [4.0, 7.0]]
