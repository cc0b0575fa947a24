"""Process limits as they were known at each period, the states on and beside their lines, and what is said of holes."""

from collections.abc import Sequence
from dataclasses import fields
from math import nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.domain import verdict
from rmo.domain.values import DataState, Floats, State
from rmo.domain.verdict import (
    DATA,
    LIMIT_FACTOR,
    SCREEN_FACTOR,
    STATES,
    Chances,
    Promises,
    Verdicts,
    half_width,
    judge,
)

READINGS = st.one_of(
    st.just(nan),
    st.integers(-5, 5).map(float),
    st.floats(-1e9, 1e9, allow_nan=False, width=32),
    st.floats(-0.5, 0.5, allow_nan=False, width=32),
)


def by_definition(series: list[float]) -> list[float]:
    """Return the half width at each period, one period after the other."""
    ranges = [abs(b - a) for a, b in zip([nan, *series], series, strict=False)]
    widths = []
    for until in range(1, len(series) + 1):
        so_far = [size for size in ranges[:until] if size == size]
        mean = sum(so_far) / len(so_far) if so_far else nan
        kept = [size for size in so_far if size < SCREEN_FACTOR * mean]
        screened = sum(kept) / len(kept) if kept else nan
        widths.append(LIMIT_FACTOR * (screened if screened > 0 else mean))
    return widths


def same(ours: Floats, wanted: list[list[float]]) -> None:
    np.testing.assert_allclose(ours, np.array(wanted).reshape(ours.shape), rtol=1e-12)


@given(st.integers(0, 24).flatmap(lambda n: st.lists(st.lists(READINGS, min_size=n, max_size=n), max_size=5)))
def test_limits_at_each_period_are_those_of_the_readings_known_by_then(batch: list[list[float]]):
    width = len(batch[0]) if batch else 0

    same(half_width(np.array(batch).reshape(len(batch), width)), [by_definition(series) for series in batch])


@pytest.mark.parametrize(
    "series",
    [
        pytest.param([1.0, 2.0, 1.0, 2.0, 1e12, 1.0, 2.0, 1.5, 1.25], id="an outlier takes no digits along"),
        pytest.param([5.0] * 6, id="nothing ever moves"),
        pytest.param([1.0, nan, 2.0, nan, 3.0], id="never two running"),
        pytest.param([nan, 4.0, 4.5, nan, nan, 4.0, 9.0, 4.0], id="holes"),
        pytest.param([0.0, 1000.0] + [0.1 * (i % 2) for i in range(30)], id="left out only later"),
    ],
)
def test_limits_of_awkward_series(series: list[float]):
    same(half_width(np.array([series])), [by_definition(series)])


def batch_of(random: np.random.Generator, benefits: int, periods: int) -> Promises:
    actual = random.normal(10, 1, (benefits, periods))
    actual[random.random(actual.shape) < 0.1] = nan
    elapsed = np.tile(np.minimum((np.arange(periods) + 1) / 6, 1), (benefits, 1))
    column = np.ones((benefits, 1))
    return Promises(
        actual=actual,
        planned=10 - elapsed,
        planned_change=elapsed,
        realised_change=10 - actual,
        elapsed=elapsed,
        adds_up=random.random((benefits, 1)) < 0.5,
        last=(column * (periods - 1)).astype(np.int64),
        due=random.random(actual.shape) < 0.9,
        enough=(column * 3).astype(np.int64),
        a_year=(column * 12).astype(np.int64),
        tolerance=np.full(actual.shape, 0.1),
    )


def test_a_verdict_does_not_depend_on_its_neighbours_in_the_batch(monkeypatch: pytest.MonkeyPatch):
    batch = batch_of(np.random.default_rng(3), 50, 24)
    whole = judge(batch)

    monkeypatch.setattr(verdict, "CELLS", 7 * 24)

    for field in fields(Verdicts):
        np.testing.assert_array_equal(
            getattr(judge(batch), field.name), getattr(whole, field.name), field.name
        )


ON, RISK, OFF, EARLY = State.ON_TRACK, State.AT_RISK, State.OFF_TRACK, State.TOO_EARLY


def one(
    actual: Sequence[float],
    planned: Sequence[float],
    *,
    start: int = 0,
    adds_up: bool = False,
    tolerance: float = 0.1,
    enough: int = 1,
    a_year: int = 12,
    elapsed: float | Sequence[float] = 1.0,
) -> Promises:
    """Return one promise to raise a level from 0, with its history before the start; it may end after its readings."""
    periods = len(actual)
    wanted = np.full((1, periods), nan)
    wanted[0, start : start + len(planned)] = planned[: periods - start]
    readings = np.array([list(actual)], dtype=np.float64)
    return Promises(
        actual=readings,
        planned=wanted,
        planned_change=wanted,
        realised_change=np.where(np.isnan(wanted), nan, readings),
        elapsed=np.broadcast_to(np.array(elapsed, dtype=np.float64), (1, periods)).copy(),
        adds_up=np.array([[adds_up]]),
        last=np.array([[start + len(planned) - 1]]),
        due=np.ones((1, periods), dtype=bool),
        enough=np.array([[enough]]),
        a_year=np.array([[a_year]]),
        tolerance=np.full((1, periods), tolerance),
    )


def expecting(
    chance: Sequence[float],
    *,
    short: Sequence[float] | None = None,
    concern: Sequence[bool] | None = None,
    alarm: Sequence[bool] | None = None,
) -> Chances:
    """Return what the engine expects of one promise."""
    none = [False] * len(chance)
    return Chances(
        chance=np.array([chance]),
        short_since=np.array([short if short is not None else [nan] * len(chance)]),
        concern=np.array([concern if concern is not None else none]),
        alarm=np.array([alarm if alarm is not None else none]),
    )


def states(verdicts: Verdicts) -> list[State | None]:
    return [STATES[number] for number in verdicts.state[0]]


def data(verdicts: Verdicts) -> list[DataState]:
    return [DATA[number] for number in verdicts.data[0]]


def by_chance(chances: Sequence[float], history: int = 12, **given_: Any) -> list[State | None]:
    """Return the states that follow from chances, after so many readings before the start."""
    actual = [0.0] * history + [1.0] * len(chances)
    expected = {name: [type(values[0])(0)] * history + values for name, values in given_.items()}
    promise = one(actual, [1.0] * (len(chances) + 1), start=history)
    return states(judge(promise, expecting([nan] * history + list(chances), **expected)))[history:]


@pytest.mark.parametrize(
    ("chance", "state"),
    [
        pytest.param(0.2, OFF, id="exactly a fifth is off track"),
        pytest.param(0.2000001, RISK, id="a little more is at risk"),
        pytest.param(0.7999999, RISK, id="a little less than four fifths is at risk"),
        pytest.param(0.8, ON, id="exactly four fifths is on track"),
        pytest.param(0.0, OFF, id="no chance"),
        pytest.param(1.0, ON, id="certain"),
    ],
)
def test_the_chance_decides_the_state(chance: float, state: State):
    assert by_chance([chance]) == [state]


@pytest.mark.parametrize(
    ("chances", "expected"),
    [
        pytest.param([0.1, 0.25], [OFF, OFF], id="off track stays up to exactly a quarter"),
        pytest.param([0.1, 0.2500001], [OFF, RISK], id="and is left past it"),
        pytest.param([0.1, 0.2500001, 0.22], [OFF, RISK, RISK], id="and not come back to at that line"),
        pytest.param([0.9, 0.75], [ON, ON], id="on track stays down to exactly three quarters"),
        pytest.param([0.9, 0.7499999], [ON, RISK], id="and is left past it"),
        pytest.param([0.9, 0.74, 0.78], [ON, RISK, RISK], id="and not come back to at that line"),
        pytest.param([0.1, 0.9, 0.76, 0.24], [OFF, ON, ON, RISK], id="from one end to the other"),
        pytest.param([0.22, 0.78], [RISK, RISK], id="between the lines without a past"),
    ],
)
def test_a_state_is_left_only_past_a_wider_line(chances: list[float], expected: list[State]):
    assert by_chance(chances) == expected


@pytest.mark.parametrize(
    ("readings", "chance", "state"),
    [
        pytest.param(11, 0.2, RISK, id="eleven readings: a fifth says nothing"),
        pytest.param(11, 0.05, OFF, id="eleven readings: exactly a twentieth"),
        pytest.param(11, 0.0500001, RISK, id="eleven readings: a little more"),
        pytest.param(11, 0.95, ON, id="eleven readings: exactly nineteen in twenty"),
        pytest.param(11, 0.9499999, RISK, id="eleven readings: a little less"),
        pytest.param(12, 0.2, OFF, id="a dozen readings are enough for a fifth"),
        pytest.param(12, 0.8, ON, id="and for four fifths"),
    ],
)
def test_with_fewer_than_a_dozen_readings_a_state_needs_more(readings: int, chance: float, state: State):
    assert by_chance([chance], history=readings - 1) == [state]


@pytest.mark.parametrize(
    ("short", "expected"),
    [
        pytest.param([0.95, 0.95], [ON, OFF], id="exactly on the line, two running"),
        pytest.param([0.95, 0.9499999, 0.95], [ON, ON, ON], id="never two running"),
        pytest.param([0.96, 0.96, 0.5], [ON, OFF, ON], id="until it is over"),
        pytest.param([nan, 0.99, nan, 0.99], [ON, ON, ON, ON], id="unknown is not short"),
    ],
)
def test_a_change_surely_smaller_than_promised_is_off_track_at_the_second_reading(short, expected):
    assert by_chance([0.9] * len(short), short=short) == expected


def test_a_surprise_for_the_worse_is_not_on_track():
    assert by_chance([0.9, 0.9], concern=[True, False]) == [RISK, ON]


def test_what_was_too_early_to_say_is_nothing_to_come_back_from():
    promise = one([0.0] * 12 + [1.0] * 3, [1.0] * 4, start=12, enough=3)

    judged = states(judge(promise, expecting([nan] * 12 + [0.1, 0.1, 0.22])))

    assert judged[12:] == [State.TOO_EARLY, State.TOO_EARLY, RISK]


def test_a_slip_in_the_feed_changes_no_state():
    assert by_chance([0.9, 0.0, 0.9], alarm=[False, True, False]) == [ON, ON, ON]


@pytest.mark.parametrize(
    ("readings", "tolerance", "expected"),
    [
        pytest.param([9.0], 0.1, ON, id="short by exactly the tolerance"),
        pytest.param([8.999999], 0.1, RISK, id="short by more"),
        pytest.param([10.0], 0.0, ON, id="exactly as promised without a tolerance"),
        pytest.param([11.0], 0.0, ON, id="more than promised"),
        pytest.param([5.0], 0.5, ON, id="exactly a wide tolerance"),
    ],
)
def test_without_a_chance_a_shortfall_counts_beyond_the_tolerance(readings, tolerance, expected):
    promise = one(readings, [10.0, 10.0], tolerance=tolerance)

    assert states(judge(promise)) == [expected]


@pytest.mark.parametrize(
    ("elapsed", "readings", "enough", "state"),
    [
        pytest.param(0.25, 6, 6, ON, id="exactly a quarter of the way, exactly enough readings"),
        pytest.param(0.2499999, 6, 6, EARLY, id="not a quarter of the way"),
        pytest.param(0.25, 5, 6, EARLY, id="one reading too few"),
        pytest.param(1.0, 6, 6, ON, id="all of the way"),
        pytest.param(0.0, 60, 6, EARLY, id="before the ramp"),
    ],
)
def test_it_is_too_early_before_a_quarter_of_the_way_or_too_few_readings(elapsed, readings, enough, state):
    promise = one([1.0] * readings, [1.0] * (readings + 1), elapsed=elapsed, enough=enough)
    chances = expecting([0.9] * readings) if readings >= 12 else None

    assert states(judge(promise, chances))[-1] == state


def test_readings_before_the_start_are_not_readings_since_it():
    promise = one([1.0] * 24 + [1.0] * 5, [1.0] * 6, start=24, enough=6)

    verdicts = judge(promise)

    assert verdicts.readings[0, 23:].tolist() == [0, 1, 2, 3, 4, 5]
    assert states(verdicts)[-1] is EARLY


@pytest.mark.parametrize(
    ("actual", "expected", "said"),
    [
        pytest.param([1, nan], (DataState.LATE, ON), True, id="one missing is late and keeps its state"),
        pytest.param([1, nan, nan], (DataState.LATE, ON), True, id="two missing are late"),
        pytest.param(
            [1, nan, nan, nan], (DataState.STALE, None), True, id="a third is stale, without a state"
        ),
        pytest.param(
            [1, nan, nan, nan, nan], (DataState.STALE, None), False, id="after that nothing is said"
        ),
        pytest.param([nan], (DataState.NONE, None), True, id="never a reading"),
        pytest.param([nan, nan, nan, nan], (DataState.NONE, None), False, id="still never"),
        pytest.param([1, nan, nan, nan, 1], (DataState.CURRENT, ON), True, id="and back again"),
    ],
)
def test_missing_readings_make_late_then_stale_and_never_a_state(actual, expected, said):
    width = len(actual)
    promise = one(actual, [1.0] * (width + 1))

    verdicts = judge(promise)

    assert (data(verdicts)[-1], states(verdicts)[-1]) == expected
    assert bool(verdicts.said[0, -1]) is said


def test_history_before_the_start_that_stopped_is_stale_not_none():
    promise = one([1.0, 1.0, nan, nan, nan], [1.0] * 4, start=2)

    assert data(judge(promise))[2:] == [DataState.LATE, DataState.LATE, DataState.STALE]


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.floats(0, 1), st.booleans())
def test_no_state_is_ever_made_of_missing_data(there: list[bool], chance: float, adds_up: bool):
    width = len(there)
    actual = [0.5 if given_ else nan for given_ in there]
    promise = one(actual, [1.0] * (width + 1), adds_up=adds_up)

    verdicts = judge(promise, expecting([chance] * width))

    for column, (state, worth) in enumerate(zip(states(verdicts), data(verdicts), strict=True)):
        run = there[max(0, column - 2) : column + 1]
        assert (worth is DataState.CURRENT) == there[column]
        if not any(there[: column + 1]):
            assert (state, worth) == (None, DataState.NONE)
        elif len(run) == 3 and not any(run):
            assert (state, worth) == (None, DataState.STALE)
        elif not there[column]:
            assert (state, worth) == (states(verdicts)[column - 1], DataState.LATE)


@pytest.mark.parametrize(
    ("actual", "planned", "adds_up", "end"),
    [
        pytest.param([9.0, 11.0], [10, 10], True, State.KEPT, id="a flow's sum is exactly as promised"),
        pytest.param([2.0, 16.0], [10, 10], True, State.KEPT, id="short by exactly the tolerance"),
        pytest.param([2.0, 15.9], [10, 10], True, State.BROKEN, id="short by more"),
        pytest.param([0.0] * 12 + [10.0] * 12, [10] * 24, False, State.KEPT, id="a level's last year counts"),
        pytest.param(
            [0.0] * 12 + [9.0] * 12, [10] * 24, False, State.KEPT, id="its mean is exactly on the line"
        ),
        pytest.param([0.0] * 12 + [9.0] * 11 + [8.9], [10] * 24, False, State.BROKEN, id="its mean is below"),
        pytest.param(
            [10.0] * 12 + [0.0] * 12, [10] * 24, False, State.BROKEN, id="an earlier year does not count"
        ),
        pytest.param([10.0] * 12 + [0.0] * 12, [10] * 24, True, State.BROKEN, id="half a flow"),
        pytest.param([nan] * 11 + [9.5], [10] * 12, False, State.KEPT, id="holes count on neither side"),
        pytest.param([nan] * 11 + [9.5], [10] * 12, True, State.KEPT, id="nor in a flow"),
        pytest.param([-10.0] * 12, [-10] * 12, False, State.KEPT, id="a disbenefit as planned"),
        pytest.param([-12.0] * 12, [-10] * 12, False, State.BROKEN, id="a disbenefit worse than planned"),
    ],
)
def test_at_its_end_a_promise_is_kept_or_broken(actual, planned, adds_up, end):
    promise = one(actual, planned, adds_up=adds_up)

    assert states(judge(promise, expecting([0.5] * len(actual))))[-1] is end


@given(st.integers(1, 10_000), st.integers(1, 2_000), st.integers(1, 24), st.booleans())
def test_a_reading_exactly_on_the_line_is_on_it_whatever_floats_make_of_it(base, fall, periods, adds_up):
    planned = base / 100 - (base - fall) / 100
    realised = base / 100 - (base * 10 - fall * 9) / 1000

    verdicts = judge(one([realised] * periods, [planned] * periods, adds_up=adds_up))

    assert set(states(verdicts)[:-1]) <= {ON}
    assert states(verdicts)[-1] is State.KEPT


def test_no_end_is_settled_without_its_last_reading():
    assert states(judge(one([10.0] * 11 + [nan], [10.0] * 12)))[-1] is ON


def test_what_is_read_after_the_end_settles_nothing():
    longer = one([10.0] * 12 + [0.0] * 6, [10.0] * 12)

    verdicts = judge(longer)

    assert states(verdicts)[11] is State.KEPT
    assert not verdicts.said[0, 12:].any()


BATCHES = st.integers(0, 10_000).map(lambda seed: batch_of(np.random.default_rng(seed), 6, 20))


@given(BATCHES, st.integers(0, 18), st.integers(0, 10_000))
def test_a_verdict_about_a_period_uses_no_later_reading(batch: Promises, until: int, seed: int):
    random = np.random.default_rng(seed)
    chances = chances_of(random, batch)
    later = np.arange(20)[None, :] > until
    other = {
        name: np.where(later, random.normal(10, 5, later.shape), getattr(batch, name))
        for name in ("actual", "realised_change")
    }
    rewritten = Promises(**{f.name: getattr(batch, f.name) for f in fields(Promises)} | other)

    before, after = judge(batch, chances), judge(rewritten, chances)

    for field in fields(Verdicts):
        np.testing.assert_array_equal(
            getattr(before, field.name)[:, : until + 1],
            getattr(after, field.name)[:, : until + 1],
            field.name,
        )


@given(BATCHES, st.permutations(range(6)))
def test_the_order_of_a_batch_changes_nothing(batch: Promises, order: list[int]):
    chances = chances_of(np.random.default_rng(1), batch)
    shuffled = Promises(**{f.name: getattr(batch, f.name)[order] for f in fields(Promises)})
    moved = Chances(**{f.name: getattr(chances, f.name)[order] for f in fields(Chances)})

    straight, turned = judge(batch, chances), judge(shuffled, moved)

    for field in fields(Verdicts):
        np.testing.assert_array_equal(getattr(turned, field.name), getattr(straight, field.name)[order])


def chances_of(random: np.random.Generator, batch: Promises) -> Chances:
    """Return some chances, where there is a reading."""
    missing = np.isnan(batch.actual) | (random.random(batch.actual.shape) < 0.3)
    return Chances(
        chance=np.where(missing, nan, random.random(batch.actual.shape)),
        short_since=np.where(missing, nan, random.random(batch.actual.shape)),
        concern=random.random(batch.actual.shape) < 0.1,
        alarm=random.random(batch.actual.shape) < 0.05,
    )


def test_to_date_is_a_sum_for_flows_and_the_newest_for_levels_over_periods_with_a_reading():
    actual = [1.0, nan, 2.0, nan]

    flow, level = (judge(one(actual, [3.0, 3.0, 4.0, 4.0, 4.0], adds_up=up)) for up in (True, False))

    assert flow.planned_to_date.tolist() == [[3, 3, 7, 7]]
    assert flow.realised_to_date.tolist() == [[1, 1, 3, 3]]
    assert level.planned_to_date.tolist() == [[3, 3, 4, 4]]
    assert level.realised_to_date.tolist() == [[1, 1, 2, 2]]
