"""The process-behaviour chart: limits, flags, variation and assurance by the Making Data Count rules."""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rmo.domain.values import Direction, Flags, Floats, Ints

Codes: TypeAlias = npt.NDArray[np.int8]

LIMIT = 2.66  # mean moving ranges from the mean to a limit
NEAR = 2 * (LIMIT / 3)  # and to a near limit
OUTLYING = 3.267  # a moving range beyond so many mean moving ranges is screened out
RUN = 7  # points of a shift or of a trend
FULL = 13  # points below which limits are on trial
CELLS = 65_536  # worked on at a time, so that they stay in the cache


class Flag(IntEnum):
    """What a point says, the first that applies in the order outside, trend, two in three, shift."""

    COMMON = 0
    ABOVE_LIMIT = 1
    BELOW_LIMIT = 2
    RISING = 3
    FALLING = 4
    NEAR_UPPER = 5
    NEAR_LOWER = 6
    HIGH_SIDE = 7
    LOW_SIDE = 8

    @property
    def word(self) -> str:
        """Return the flag as files and pages write it."""
        return self.name.lower()


class PointType(IntEnum):
    """Whether a point is good news; of a series, that of its last point: the variation icon."""

    COMMON = 0
    IMPROVEMENT = 1
    CONCERN = 2
    NEUTRAL_HIGH = 3
    NEUTRAL_LOW = 4

    @property
    def word(self) -> str:
        """Return the type as files and pages write it."""
        return self.name.lower()


class Assurance(IntEnum):
    """Whether a process left alone can be counted on to meet its target."""

    NONE = 0
    CONSISTENTLY_PASSES = 1
    CONSISTENTLY_FAILS = 2
    HIT_AND_MISS = 3

    @property
    def word(self) -> str | None:
        """Return the assurance as files and pages write it, None where there is none to give."""
        return self.name.lower() if self else None


SIGNS = {Direction.UP: 1, Direction.DOWN: -1, Direction.RANGE: 0}
_HIGH = np.array([flag in (Flag.ABOVE_LIMIT, Flag.RISING, Flag.NEAR_UPPER, Flag.HIGH_SIDE) for flag in Flag])
_LOW = np.array([flag in (Flag.BELOW_LIMIT, Flag.FALLING, Flag.NEAR_LOWER, Flag.LOW_SIDE) for flag in Flag])
_TYPES = np.zeros((3, len(Flag)), dtype=np.int8)  # by sign + 1, then by flag
_TYPES[0] = np.where(_HIGH, PointType.CONCERN, np.where(_LOW, PointType.IMPROVEMENT, PointType.COMMON))
_TYPES[1] = np.where(_HIGH, PointType.NEUTRAL_HIGH, np.where(_LOW, PointType.NEUTRAL_LOW, PointType.COMMON))
_TYPES[2] = np.where(_HIGH, PointType.IMPROVEMENT, np.where(_LOW, PointType.CONCERN, PointType.COMMON))


@dataclass(frozen=True)
class Charts:
    """The charts of a batch. Shapes are (series, periods) unless said; missing numbers are NaN.

    Limits stand on every period of a segment, also where the reading is missing, so that
    lines can be drawn through. A missing reading has the flag and the type common.
    """

    mean: Floats
    lower: Floats
    upper: Floats
    flags: Codes  # of Flag
    types: Codes  # of PointType
    segment: npt.NDArray[np.int32]  # its number within the series, from 0
    trial: Flags  # the period's segment has fewer than 13 points
    no_variation: (
        Flags  # the period's segment never moved: its limits are its mean and only a change is flagged
    )
    variation: Codes  # of PointType, shape (series,)
    assurance: Codes  # of Assurance, shape (series,)

    @property
    def near_lower(self) -> Floats:
        """Return the lower near limits: two thirds of the way from the mean."""
        return self.mean - (self.upper - self.mean) * (2 / 3)

    @property
    def near_upper(self) -> Floats:
        """Return the upper near limits."""
        return self.mean + (self.upper - self.mean) * (2 / 3)


@dataclass(frozen=True)
class Segment:
    """A stretch of one series with its own limits; `first` and `last` are columns."""

    first: int
    last: int
    mean: float
    lower: float
    upper: float
    trial: bool
    no_variation: bool


def process_charts(
    values: Floats,
    *,
    rebase: Flags | None = None,
    direction: Ints | int = 0,
    target: Floats | float = np.nan,
    screen: bool = True,
    fix_after: int | None = None,
) -> Charts:
    """Chart each series of a batch.

    Moving ranges are not taken across a missing reading or into a new segment. Runs are
    neither broken nor lengthened by a missing reading. A segment with fewer than two
    neighbouring readings has a mean and no limits, hence no flags that need them.

    Args:
        values: Shape (series, periods), in order of time, NaN for a missing reading.
        rebase: Same shape, true on the first period of a new segment.
        direction: 1 where up is good, -1 where down is good, 0 where neither; one or per series.
        target: The level to reach, one or per series; NaN for none.
        screen: Whether outlying moving ranges are left out of the limits.
        fix_after: Limits come from the first so many readings of each segment.

    Source:
        Handbook, "How the numbers are worked out", section Process-behaviour chart.
        NHSRplotthedots 0.2.2; Nelson 1982; Provost & Murray 2011.
    """
    series, periods = values.shape
    signs = np.broadcast_to(np.asarray(direction, dtype=np.int64), (series,))
    targets = np.broadcast_to(np.asarray(target, dtype=np.float64), (series,))
    starts = np.zeros(values.shape, dtype=np.bool_) if rebase is None else rebase.astype(np.bool_)
    if periods:
        starts[:, 0] = True
    charts = _empty(series, periods)
    rows = max(1, CELLS // max(1, periods))
    for first in range(0, series if periods else 0, rows):
        block = slice(first, first + rows)
        _fill(charts, block, values[block], starts[block], screen=screen, fix_after=fix_after)
    charts.types[:] = _TYPES[(signs + 1)[:, None], charts.flags]
    if periods:
        last = _last_reading(values)
        every = np.arange(series)
        charts.variation[:] = charts.types[every, last]
        charts.assurance[:] = _assurance(charts.lower[every, last], charts.upper[every, last], targets, signs)
    return charts


def segments(charts: Charts, row: int) -> list[Segment]:
    """Return the segments of one series."""
    numbers = charts.segment[row]
    firsts = np.flatnonzero(np.diff(numbers, prepend=-1))
    lasts = np.append(firsts[1:], numbers.size) - 1
    return [
        Segment(
            first=int(first),
            last=int(last),
            mean=float(charts.mean[row, first]),
            lower=float(charts.lower[row, first]),
            upper=float(charts.upper[row, first]),
            trial=bool(charts.trial[row, first]),
            no_variation=bool(charts.no_variation[row, first]),
        )
        for first, last in zip(firsts, lasts, strict=True)
    ]


def _empty(series: int, periods: int) -> Charts:
    """Return charts to be filled in."""
    shape = (series, periods)
    return Charts(
        mean=np.zeros(shape),
        lower=np.zeros(shape),
        upper=np.zeros(shape),
        flags=np.zeros(shape, np.int8),
        types=np.zeros(shape, np.int8),
        segment=np.zeros(shape, np.int32),
        trial=np.zeros(shape, np.bool_),
        no_variation=np.zeros(shape, np.bool_),
        variation=np.zeros(series, np.int8),
        assurance=np.zeros(series, np.int8),
    )


def _fill(
    charts: Charts, block: slice, values: Floats, starts: Flags, *, screen: bool, fix_after: int | None
) -> None:
    """Work out a block of series as one row of cells after another."""
    cells = values.ravel()
    present = ~np.isnan(cells)
    begins = starts.ravel()
    firsts = np.flatnonzero(begins)
    group = np.cumsum(begins) - 1
    used = present if fix_after is None else present & (_rank(present, firsts, group) < fix_after)
    readings = np.where(present, cells, 0.0)
    mean = _mean(readings, used, firsts, group)
    average, flat = _average_range(readings, used, begins, firsts, group, screen=screen)
    lower, upper = mean - LIMIT * average, mean + LIMIT * average
    near_lower, near_upper = mean - NEAR * average, mean + NEAR * average

    shape, lengths = values.shape, np.diff(firsts, append=cells.size)
    for name, per_group in (
        ("mean", mean),
        ("lower", lower),
        ("upper", upper),
        ("trial", np.add.reduceat(present, firsts, dtype=np.int64) < FULL),
        ("no_variation", flat),
    ):
        getattr(charts, name)[block] = np.repeat(per_group, lengths).reshape(shape)
    charts.segment[block] = np.cumsum(starts, axis=1) - 1

    at = np.flatnonzero(present)
    y, of = (cells, group) if at.size == cells.size else (cells[at], group[at])
    flags = np.zeros(cells.size, dtype=np.int8)
    flags[at] = _flags(y, of, mean[of], lower[of], upper[of], near_lower[of], near_upper[of])
    if flat.any():
        flags[at] = np.where(flat[of], _changes(y, of), flags[at])
    charts.flags[block] = flags.reshape(shape)


def _rank(present: Flags, firsts: Ints, group: Ints) -> Ints:
    """Number the readings of each group from 0."""
    seen = np.cumsum(present)
    before: Ints = seen[firsts] - present[firsts]
    ranks: Ints = seen - 1 - before[group]
    return ranks


def _mean(readings: Floats, used: Flags, firsts: Ints, group: Ints) -> Floats:
    """Return each group's mean, in two passes so that it is rounded as if summed exactly."""
    with np.errstate(invalid="ignore"):
        count = np.add.reduceat(used, firsts, dtype=np.float64)
        rough = np.add.reduceat(np.where(used, readings, 0.0), firsts) / count
        rest = np.add.reduceat(np.where(used, readings - rough[group], 0.0), firsts) / count
    mean: Floats = rough + rest
    return mean


def _average_range(
    readings: Floats, used: Flags, begins: Flags, firsts: Ints, group: Ints, *, screen: bool
) -> tuple[Floats, Flags]:
    """Return the mean moving range per group, NaN without any, and which groups never moved."""
    ranges = np.zeros_like(readings)
    ranges[1:] = np.abs(readings[1:] - readings[:-1])
    kept = used & ~begins
    kept[1:] &= used[:-1]
    ranges[~kept] = 0.0
    plain = _mean(ranges, kept, firsts, group)
    flat: Flags = plain == 0.0
    average = plain
    if screen:
        inlying = kept & (ranges < (OUTLYING * plain)[group])
        screened = _mean(ranges, inlying, firsts, group)
        average = np.where(
            screened > 0.0, screened, plain
        )  # all but outliers are 0: the limits would collapse
    return average, flat


def _flags(
    y: Floats, of: Ints, mean: Floats, lower: Floats, upper: Floats, near_lower: Floats, near_upper: Floats
) -> Codes:
    """Label the readings of all groups, those of a group standing together."""
    flags = np.zeros(y.size, dtype=np.int8)
    high, low = y > mean, y < mean
    flags[_in_run(high, of, RUN)] = Flag.HIGH_SIDE
    flags[_in_run(low, of, RUN)] = Flag.LOW_SIDE
    above, below = y > upper, y < lower
    flags[_two_in_three((y > near_upper) & ~above, high, of)] = Flag.NEAR_UPPER
    flags[_two_in_three((y < near_lower) & ~below, low, of)] = Flag.NEAR_LOWER
    up, down = np.zeros_like(high), np.zeros_like(high)  # the step that ends here
    up[1:], down[1:] = y[1:] > y[:-1], y[1:] < y[:-1]
    rising, falling = _in_trend(up, of), _in_trend(down, of)
    flags[rising] = Flag.RISING
    flags[falling] = Flag.FALLING
    turn = rising & falling
    turn[:-1] &= up[1:]  # the later of the two trends has its name
    flags[turn] = Flag.RISING
    flags[above] = Flag.ABOVE_LIMIT
    flags[below] = Flag.BELOW_LIMIT
    return flags


def _in_run(true: Flags, of: Ints, length: int) -> Flags:
    """Tell which readings lie in a window of so many of one group that are all true."""
    within = np.zeros_like(true)
    windows = true.size - length + 1
    if windows <= 0:
        return within
    whole = of[length - 1 :] == of[:windows]
    for offset in range(length):
        whole &= true[offset : offset + windows]
    for offset in range(length):
        within[offset : offset + windows] |= whole
    return within


def _in_trend(step: Flags, of: Ints) -> Flags:
    """Tell which readings lie in a window whose steps all go one way; the step into the window does not count."""
    within = np.zeros_like(step)
    windows = step.size - RUN + 1
    if windows <= 0:
        return within
    whole = of[RUN - 1 :] == of[:windows]
    for offset in range(1, RUN):
        whole &= step[offset : offset + windows]
    for offset in range(RUN):
        within[offset : offset + windows] |= whole
    return within


def _two_in_three(near: Flags, side: Flags, of: Ints) -> Flags:
    """Tell which near readings lie in three of one group and one side, at least two of them near."""
    within = np.zeros_like(near)
    if near.size < 3:
        return within
    whole = (of[2:] == of[:-2]) & side[2:] & side[1:-1] & side[:-2]
    whole &= (near[2:] & near[1:-1]) | (near[2:] & near[:-2]) | (near[1:-1] & near[:-2])
    for offset in range(3):
        within[offset : offset + whole.size] |= whole
    return within & near


def _changes(y: Floats, of: Ints) -> Codes:
    """Label the readings that differ from the one before them in their group."""
    flags = np.zeros(y.size, dtype=np.int8)
    same = of[1:] == of[:-1]
    flags[1:][same & (y[1:] > y[:-1])] = Flag.ABOVE_LIMIT
    flags[1:][same & (y[1:] < y[:-1])] = Flag.BELOW_LIMIT
    return flags


def _last_reading(values: Floats) -> Ints:
    """Return the column of each series' last reading; the last column where there is none."""
    present = ~np.isnan(values[:, ::-1])
    last: Ints = values.shape[1] - 1 - np.argmax(present, axis=1)
    return last


def _assurance(lower: Floats, upper: Floats, target: Floats, sign: Ints) -> Codes:
    """Compare targets with the limits of the last segments."""
    passes = np.where(sign > 0, target < lower, target > upper)
    fails = np.where(sign > 0, target > upper, target < lower)
    known = (sign != 0) & ~np.isnan(target) & ~np.isnan(lower)
    found = np.select(
        [~known, passes, fails],
        [Assurance.NONE, Assurance.CONSISTENTLY_PASSES, Assurance.CONSISTENTLY_FAILS],
        Assurance.HIT_AND_MISS,
    )
    return found.astype(np.int8)
