"""States and what the data behind them are worth, period by period, for a batch of benefits.

The rules: off track and on track follow from the chance that the promise is kept, and from whether the change
since the start is smaller than was promised. Where there are too few readings for a chance, off track is a
shortfall to date beyond the tolerance in two readings running with the newest outside the process limits
around the plan; at risk is a shortfall beyond the tolerance; else on track.
A verdict about a period uses only readings about that period and earlier ones.
"""

from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from rmo.domain.trajectory import EARLY_SHARE
from rmo.domain.values import DataState, Flags, Floats, Frequency, Ints, State

RULES: Final = "2026-11"
LIMIT_FACTOR: Final = 2.66  # mean +/- 2.66 x mean moving range
SCREEN_FACTOR: Final = 3.267  # larger moving ranges are left out, once
CELLS: Final = 32_768  # that are worked on at once, so that they stay in the cache
STALE_AFTER: Final = 3  # a missing reading and two further periods without one
ENOUGH: Final = {
    Frequency.DAY: 20,
    Frequency.WEEK: 8,
    Frequency.MONTH: 6,
    Frequency.QUARTER: 3,
    Frequency.YEAR: 2,
}
OFF_AT, ON_AT = 0.2, 0.8  # the chance of a promise that is off track at most, and on track at least
BACK_FROM_OFF, BACK_FROM_ON = 0.25, 0.75  # a state is left only past a wider line, so that mails do not flap
SURELY_SHORT: Final = 0.95  # the chance that the change is smaller than promised, in two readings running
FEW: Final = 12  # with fewer readings in all a state needs a chance beyond these
FEW_OFF_AT, FEW_ON_AT = 0.05, 0.95
NOISE: Final = 1e-9  # of float64, as a share of the plan: what is exactly on the line is not beyond it
STATES: Final = (None, *State)
DATA: Final = tuple(DataState)


@dataclass(frozen=True)
class Promises:
    """A batch of promises against their readings. Arrays are (benefits, periods) unless said otherwise.

    Rows are aligned to their own first column, which may lie before the promise starts, so that the
    KPI's history is there. NaN is missing.
    """

    actual: Floats  # the KPI's level
    planned: Floats  # the level promised by the version in force; NaN outside the promise
    planned_change: Floats
    realised_change: Floats
    elapsed: Floats  # share of the ramp that has passed
    adds_up: Flags  # (benefits, 1): flows add up over time, levels do not
    last: Ints  # (benefits, 1): the column of the promise's last period
    due: Flags  # the period is over and its reading due
    enough: Ints  # (benefits, 1): readings since the start before a verdict is given
    a_year: Ints  # (benefits, 1): periods in a year
    tolerance: Floats  # share of the planned change, by the version in force


@dataclass(frozen=True)
class Chances:
    """What the engine expects at each period, (benefits, periods); NaN where it says nothing."""

    chance: Floats  # that the promise is kept, within its tolerance
    short_since: Floats  # that the change since the start is smaller than was promised
    concern: Flags  # the reading is a surprise for the worse
    alarm: Flags  # the reading looks like a slip in the feed: it changes no state


@dataclass(frozen=True)
class Verdicts:
    """What is said about each period, (benefits, periods).

    Once a feed is stale, the periods after that say nothing more until there is a reading again.
    """

    said: Flags  # whether there is a verdict about the period at all
    state: Ints  # index into STATES
    data: Ints  # index into DATA
    planned_to_date: Floats  # change, in the KPI's unit
    realised_to_date: Floats
    outside: Flags  # the reading is worse than the plan by more than its own history explains
    readings: Ints  # since the start


Batch = TypeVar("Batch", Promises, Chances)


def judge(p: Promises, chances: Chances | None = None) -> Verdicts:
    """Return the verdicts of a batch of promises, for every period that has a reading or owes one.

    Source:
        Handbook, "How the numbers are worked out", section Verdict.
    """
    shape = p.actual.shape
    verdicts = Verdicts(*(np.empty(shape, dtype) for dtype in (bool, int, int, float, float, bool, int)))
    rows = max(1, CELLS // max(1, shape[1]))
    for first in range(0, shape[0], rows):
        block = slice(first, first + rows)
        judged = _judge(_block_of(p, block), None if chances is None else _block_of(chances, block))
        for field in fields(Verdicts):
            getattr(verdicts, field.name)[block] = getattr(judged, field.name)
    return verdicts


T = TypeVar("T", Promises, Chances)


def _block_of(batch: T, block: slice) -> T:
    """Return some benefits of a batch."""
    return type(batch)(*(getattr(batch, field.name)[block] for field in fields(batch)))


def _judge(p: Promises, chances: Chances | None) -> Verdicts:
    given = ~np.isnan(p.realised_change) & ~np.isnan(p.planned_change)
    planned, realised = _to_date(p, given)
    shortfall = planned - realised
    beyond = given & (shortfall > (p.tolerance + NOISE) * np.abs(planned)) & (planned != 0)
    outside = given & (p.planned_change - p.realised_change > half_width(p.actual))
    readings = np.cumsum(given, axis=1, dtype=np.int64)
    state = np.full(p.actual.shape, STATES.index(State.ON_TRACK))
    state[beyond] = STATES.index(State.AT_RISK)
    state[beyond & outside & _at_previous(beyond, given)] = STATES.index(State.OFF_TRACK)
    early = (p.elapsed < EARLY_SHARE) | (readings < p.enough)
    if chances is not None:
        state = _by_chance(p, chances, given & ~early, state)
    state[early] = STATES.index(State.TOO_EARLY)
    state = _settle_the_end(p, given, state)
    sound = given if chances is None else given & ~chances.alarm
    inside = ~np.isnan(p.planned_change)
    missing = _missing_running(given, inside)
    data = _data(p.actual, given, missing)
    silent = np.isin(data, [DATA.index(DataState.STALE), DATA.index(DataState.NONE)])
    return Verdicts(
        said=inside & (given | (p.due & (missing <= STALE_AFTER))),
        state=np.where(silent, 0, _carried(state, sound, 0)),
        data=data,
        planned_to_date=planned,
        realised_to_date=realised,
        outside=outside,
        readings=readings,
    )


def _by_chance(p: Promises, c: Chances, given: Flags, otherwise: Ints) -> Ints:
    """Return the states that follow from chances, and the other ones where there is no chance."""
    state = otherwise.copy()
    readings = np.cumsum(~np.isnan(p.actual), axis=1)
    was_off, was_on, was_short = (np.zeros(len(state), dtype=bool) for _ in range(3))
    with np.errstate(invalid="ignore"):
        for column in np.flatnonzero((given & ~np.isnan(c.chance)).any(axis=0)):
            here = given[:, column] & ~np.isnan(c.chance[:, column])
            few = readings[:, column] < FEW
            short = c.short_since[:, column] >= SURELY_SHORT
            off_at = np.where(few, FEW_OFF_AT, np.where(was_off, BACK_FROM_OFF, OFF_AT))
            on_at = np.where(few, FEW_ON_AT, np.where(was_on, BACK_FROM_ON, ON_AT))
            off = (c.chance[:, column] <= off_at) | (short & was_short)
            on = (c.chance[:, column] >= on_at) & ~c.concern[:, column] & ~off
            judged = np.where(
                off,
                STATES.index(State.OFF_TRACK),
                np.where(on, STATES.index(State.ON_TRACK), STATES.index(State.AT_RISK)),
            )
            state[:, column] = np.where(here, judged, state[:, column])
            was_off, was_on, was_short = (
                np.where(here, now, before)
                for now, before in ((off, was_off), (on, was_on), (short, was_short))
            )
    return state


def half_width(actual: Floats) -> Floats:
    """Return how far the process limits lie from their middle, judged at each period on what was known by then.

    Args:
        actual: Shape (series, periods), NaN where there is no reading.

    Returns:
        Shape (series, periods): 2.66 x the mean moving range of the readings so far, those ranges left out
        that are 3.267 times the mean or more; NaN with fewer than two readings running.

    Source:
        Handbook, "How the numbers are worked out", section Verdict.
    """
    ranges = np.abs(np.diff(actual, axis=1, prepend=np.nan))
    there = ~np.isnan(ranges)
    ranges[~there] = 0.0
    mean = _divided(np.cumsum(ranges, axis=1), np.cumsum(there, axis=1, dtype=np.int64))
    screened = _screened(ranges, there, SCREEN_FACTOR * mean)
    return LIMIT_FACTOR * np.where(screened > 0, screened, mean)


def _screened(ranges: Floats, there: Flags, limit: Floats) -> Floats:
    """Return the mean of the ranges up to each period that are below the limit of that period.

    Most ranges are below every later limit, so running sums do for them; only the few others are
    held against each limit. Nothing is ever subtracted: a huge outlier would take the others' digits along.
    """
    lowest_ahead = np.fmin.accumulate(limit[:, ::-1], axis=1)[:, ::-1]
    doubtful = there & (ranges >= lowest_ahead)
    sums = np.cumsum(np.where(doubtful, 0.0, ranges), axis=1)
    count = np.cumsum(there & ~doubtful, axis=1, dtype=np.int64)
    rows, columns = np.nonzero(doubtful)
    if rows.size:
        size = ranges[rows, columns][:, None]
        kept = (columns[:, None] <= np.arange(ranges.shape[1])) & (size < limit[rows])
        first = np.flatnonzero(np.diff(rows, prepend=-1))
        sums[rows[first]] += np.add.reduceat(np.where(kept, size, 0.0), first, axis=0)
        count[rows[first]] += np.add.reduceat(kept.astype(np.int64), first, axis=0)
    return _divided(sums, count)


def _divided(sums: Floats, count: Ints) -> Floats:
    """Return means; NaN where there is nothing."""
    means: Floats = np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count > 0)
    return means


def _to_date(p: Promises, given: Flags) -> tuple[Floats, Floats]:
    """Return planned and realised change to date: sums for flows, the newest proven period for levels.

    Both sides cover only periods that have a reading, so that a hole in the data is never a shortfall.
    """

    def to_date(change: Floats) -> Floats:
        sums = np.cumsum(np.where(given, change, 0.0), axis=1)
        return np.where(p.adds_up, sums, _carried(change, given, np.nan))

    return to_date(p.planned_change), to_date(p.realised_change)


def _newest(given: Flags) -> Ints:
    """Return for each period the column of the newest given one up to it; -1 before the first."""
    columns = np.where(given, np.arange(given.shape[1]), -1)
    return np.maximum.accumulate(columns, axis=1)


def _carried(values: npt.NDArray[Any], given: Flags, missing: float) -> npt.NDArray[Any]:
    """Return the newest given value up to each period."""
    newest = _newest(given)
    return np.where(newest >= 0, np.take_along_axis(values, np.maximum(newest, 0), axis=1), missing)


def _at_previous(flags: Flags, given: Flags) -> Flags:
    """Return what held at the reading before each period's own."""
    before = np.roll(_newest(given), 1, axis=1)
    before[:, 0] = -1
    return (before >= 0) & np.take_along_axis(flags, np.maximum(before, 0), axis=1)


def _settle_the_end(p: Promises, given: Flags, state: Ints) -> Ints:
    """Return the states with kept or broken in the last period: the sum of a flow, a level's mean over the last year."""
    columns = np.arange(p.actual.shape[1])[None, :]
    counted = given & (columns <= p.last) & (p.adds_up | (columns > p.last - p.a_year))
    planned = np.where(counted, p.planned_change, 0.0).sum(axis=1, keepdims=True)
    realised = np.where(counted, p.realised_change, 0.0).sum(axis=1, keepdims=True)
    kept = realised >= planned - (p.tolerance + NOISE) * np.abs(planned)
    end = np.where(kept, STATES.index(State.KEPT), STATES.index(State.BROKEN))
    return np.where(given & (columns == p.last), end, state)


def _missing_running(given: Flags, inside: Flags) -> Ints:
    """Return for each period how many have gone without a reading in a row, since the start of the promise."""
    columns = np.arange(given.shape[1])[None, :]
    first = np.argmax(inside, axis=1)[:, None]
    missing: Ints = columns - np.maximum(_newest(given), first - 1)
    return missing


def _data(actual: Floats, given: Flags, missing: Ints) -> Ints:
    """Return what the data of each period are worth, as indexes into DATA."""
    ever = np.maximum.accumulate(~np.isnan(actual), axis=1)
    data = np.full(given.shape, DATA.index(DataState.LATE))
    data[missing >= STALE_AFTER] = DATA.index(DataState.STALE)
    data[~ever] = DATA.index(DataState.NONE)
    data[given] = DATA.index(DataState.CURRENT)
    return data
