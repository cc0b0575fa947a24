"""Data alarms: a newest reading that looks like a slip in the feed, told before anything is made of it."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from rmo.domain.values import Floats

EARLIER = 24  # readings that a newest one is compared with
LEAST = 6  # and how many of them there must be
POWERS = (-3, -2, -1, 1, 2, 3)  # of ten, by which units are mistaken
CLOSE = 0.2  # in powers of ten: how near to one of them a jump must be
STEADY = 0.5  # in powers of ten: readings that differ by more among themselves raise no unit alarm
FROZEN = 6  # equal readings in a row
LIVELY = 0.8  # share of the earlier readings that differed from the one before


class Alarm(IntEnum):
    """What may be wrong with a feed."""

    NONE = 0
    UNIT_JUMP = 1
    SIGN_FLIP = 2
    FROZEN = 3


@dataclass(frozen=True)
class Alarms:
    """The alarms of a batch, one per series."""

    kind: npt.NDArray[np.int8]  # of Alarm, shape (series,)
    factor: Floats  # of a unit jump, as 1000 or 0.01; NaN otherwise


def alarms(values: Floats) -> Alarms:
    """Look at the newest reading of each series.

    A unit jump is a reading about 10, 100 or 1000 times the middle of the earlier ones, or
    the same part of it, where those stay within a factor of about three. A sign flip is one
    of the other sign and of usual size. A feed is frozen when it gave six equal readings in
    a row, and before them nearly every reading differed from the one before.

    Args:
        values: Shape (series, periods), NaN for a missing reading.

    Source:
        Handbook, "How the numbers are worked out", section Data alarms.
    """
    recent = _recent(values, EARLIER + FROZEN)
    newest, earlier = recent[:, -1], recent[:, -1 - EARLIER : -1]
    enough = (~np.isnan(earlier)).sum(axis=1) >= LEAST
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = np.log10(np.abs(earlier))
        sizes[np.isneginf(sizes)] = np.nan
        middle = _middle(sizes)
        steady = enough & ~(np.abs(sizes - middle[:, None]) > STEADY).any(axis=1)
        jump = np.log10(np.abs(newest)) - middle
        power = np.where(np.isfinite(jump), np.round(jump), 0.0)
        jumped = steady & np.isin(power, POWERS) & (np.abs(jump - power) <= CLOSE)
        one_sign = (np.nanmin(earlier, axis=1, initial=np.inf) > 0) | (
            np.nanmax(earlier, axis=1, initial=-np.inf) < 0
        )
        flipped = steady & one_sign & (np.sign(newest) == -np.sign(earlier[:, -1])) & (np.abs(jump) <= STEADY)
    kind = np.select(
        [jumped, flipped, _frozen(recent)], [Alarm.UNIT_JUMP, Alarm.SIGN_FLIP, Alarm.FROZEN], Alarm.NONE
    )
    return Alarms(kind=kind.astype(np.int8), factor=np.where(jumped, 10.0**power, np.nan))


def _recent(values: Floats, count: int) -> Floats:
    """Return the newest readings of each series, without gaps, at the end of rows of one length."""
    packed = np.full((len(values), count), np.nan)
    rank = np.cumsum(~np.isnan(values[:, ::-1]), axis=1)[:, ::-1]  # 1 for the newest
    row, column = np.nonzero(~np.isnan(values) & (rank <= count))
    packed[row, count - rank[row, column]] = values[row, column]
    return packed


def _middle(sizes: Floats) -> Floats:
    """Return the median of each row, NaN for one without numbers."""
    ordered = np.sort(sizes, axis=1)
    count = (~np.isnan(sizes)).sum(axis=1)
    row = np.arange(len(sizes))
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    middle: Floats = (ordered[row, low] + ordered[row, np.minimum(high, sizes.shape[1] - 1)]) / 2
    return middle


def _frozen(recent: Floats) -> npt.NDArray[np.bool_]:
    """Tell which feeds stand still although they used not to."""
    moved = np.diff(recent, axis=1)
    still = (moved[:, 1 - FROZEN :] == 0).all(axis=1)
    before = moved[:, : 1 - FROZEN]
    known = (~np.isnan(before)).sum(axis=1)
    lively = (before != 0).sum(axis=1) - np.isnan(before).sum(axis=1) >= LIVELY * known
    frozen: npt.NDArray[np.bool_] = still & lively & (known >= LEAST)
    return frozen
