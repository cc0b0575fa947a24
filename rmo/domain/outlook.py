"""What promises will come to: the chance that each is kept, and the forecast of its open periods."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rmo.domain.engine.alarms import Alarms, alarms
from rmo.domain.engine.detection import SURPRISING, newest_innovation, surprise
from rmo.domain.engine.effect import effect
from rmo.domain.engine.forecast import FURTHEST, forecast
from rmo.domain.values import Flags, Floats, Ints
from rmo.domain.verdict import Promises

LONG, LONGEST, DOZEN = 60, 120, 12  # periods of history


@dataclass(frozen=True)
class Path:
    """The forecast of the periods that follow one, in the KPI's unit: shape (periods,) each."""

    median: Floats
    low: Floats
    high: Floats

    def pack(self) -> bytes:
        """Return it as bytes."""
        return np.stack([self.median, self.low, self.high]).astype("<f8").tobytes()

    @staticmethod
    def unpack(packed: bytes) -> "Path":
        """Return what `pack` packed."""
        return Path(*np.frombuffer(packed, dtype="<f8").reshape(3, -1))


@dataclass(frozen=True)
class Outlook:
    """What is expected of some promises, each judged at one of its periods. NaN where nothing can be said."""

    chance: Floats  # (cases,): that the promise is kept, within its tolerance
    short_since: Floats  # (cases,): that the change since the start is smaller than was promised
    surprise: Floats  # (cases,): the chance of a reading so far from what the earlier ones let expect
    concern: Flags  # (cases,): the newest reading is a surprise for the worse
    effect: (
        Floats  # (3, cases): what moved with the start, in the KPI's unit, and the ends of its 95 % interval
    )
    alarms: Alarms  # of the newest reading of each case
    median: Floats  # (cases, horizon): the KPI's level in the periods that follow
    low: Floats  # ends of the 80 % interval of each period
    high: Floats

    def path(self, case: int) -> Path | None:
        """Return one case's forecast, or nothing where there is none."""
        there = ~np.isnan(self.median[case])
        if not there.any():
            return None
        return Path(self.median[case, there], self.low[case, there], self.high[case, there])


def outlook(
    p: Promises, *, baseline: Floats, sign: Floats, season: int, rows: Ints, columns: Ints
) -> Outlook:
    """Return what is expected of promises that stand at some period, from the readings up to it alone.

    Args:
        p: The batch of promises.
        baseline: Shape (benefits, periods), the level without the change.
        sign: Shape (benefits, 1): 1 where up is good, -1 where down is. Ranges have no outlook.
        season: Periods of a season, 1 for none.
        rows: Shape (cases,): which benefit.
        columns: Shape (cases,): at which period; it must have a reading.

    Source:
        Handbook, "How the numbers are worked out", section Verdict.
    """
    last, s = p.last[rows, 0], sign[rows, 0]
    left = last - columns
    seen = _newest_of(_up_to(p.actual, rows, columns))
    horizon = int(np.clip(left.max(initial=1), 1, FURTHEST))
    ahead = columns[:, None] + 1 + np.arange(horizon)
    open_ = ahead <= last[:, None]
    counted = open_ & (p.adds_up[rows] | (ahead > last[:, None] - p.a_year[rows]))
    weights = np.where(counted.any(axis=1, keepdims=True), counted, True).astype(np.float64)
    expected = forecast(seen, horizon=horizon, season=season, weights=weights)
    need = _need(p, rows, columns, ahead, counted)
    base = np.where(counted, _at(baseline, rows, ahead), 0.0).sum(axis=1)
    at_least = expected.total.chance_of_at_least(base + s * need)
    chance = np.where(s > 0, at_least, 1.0 - at_least)
    moved, short_since = _since_the_start(p, seen, rows, columns, s, season)
    steps = newest_innovation(seen, season=season)
    surprising = surprise(steps)
    with np.errstate(invalid="ignore"):
        concern = (surprising < SURPRISING) & (s * steps < 0)
    told = (left > 0) & (left <= FURTHEST) & (s != 0)
    return Outlook(
        chance=np.where(told, chance, np.nan),
        short_since=np.where(s != 0, short_since, np.nan),
        surprise=surprising,
        concern=concern & (s != 0),
        effect=np.where(s != 0, moved, np.nan),
        alarms=alarms(seen),
        median=np.where(open_, expected.months.median, np.nan),
        low=np.where(open_, expected.months.quantile(0.1), np.nan),
        high=np.where(open_, expected.months.quantile(0.9), np.nan),
    )


def _up_to(values: Floats, rows: Ints, columns: Ints) -> Floats:
    """Return what was there up to each case's period, newest last: shape (cases, periods)."""
    at = columns[:, None] - np.arange(values.shape[1])[::-1]
    return np.where(at >= 0, values[rows[:, None], np.maximum(at, 0)], np.nan)


def _newest_of(seen: Floats) -> Floats:
    """Return long histories cut to whole dozens of periods, so that a day more is not another matrix each day."""
    periods = seen.shape[1]
    first = np.argmax(~np.isnan(seen), axis=1)
    length = periods - first
    whole = np.where(length > LONG, np.minimum(length // DOZEN * DOZEN, LONGEST), length)
    return np.where(np.arange(periods) >= (periods - whole)[:, None], seen, np.nan)


def _at(values: npt.NDArray[np.float64], rows: Ints, columns: Ints) -> Floats:
    """Return what stands in some columns of each case's row, NaN beyond the last one."""
    inside = columns < values.shape[1]
    return np.where(inside, values[rows[:, None], np.minimum(columns, values.shape[1] - 1)], np.nan)


def _need(p: Promises, rows: Ints, columns: Ints, ahead: Ints, counted: Flags) -> Floats:
    """Return the change that the open periods must bring for the promise to be kept, within its tolerance.

    Past periods without a reading count on neither side.
    """
    every = np.arange(p.actual.shape[1])[None, :]
    planned, realised = p.planned_change[rows], p.realised_change[rows]
    past = (every <= columns[:, None]) & ~np.isnan(planned) & ~np.isnan(realised)
    past &= p.adds_up[rows] | (every > p.last[rows] - p.a_year[rows])
    open_planned = np.where(counted, _at(p.planned_change, rows, ahead), 0.0).sum(axis=1)
    promised = np.where(past, planned, 0.0).sum(axis=1) + open_planned
    tolerated = p.tolerance[rows, columns] * np.abs(promised)
    need: Floats = promised - tolerated - np.where(past, realised, 0.0).sum(axis=1)
    return need


def _since_the_start(
    p: Promises, seen: Floats, rows: Ints, columns: Ints, s: Floats, season: int
) -> tuple[Floats, Floats]:
    """Return what moved with the start, and the chance that it is smaller than was promised, within the tolerance."""
    full = p.planned_change[rows, p.last[rows, 0]]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.nan_to_num(_up_to(p.planned_change, rows, columns) / full[:, None])
    moved = effect(seen, np.clip(share, 0.0, 1.0), season=season)
    promised = full - p.tolerance[rows, columns] * np.abs(full)
    at_least = moved.spread.chance_of_at_least(s * promised)
    size = np.stack([moved.estimate, *moved.interval()])
    return size, np.where(s > 0, 1.0 - at_least, at_least)
