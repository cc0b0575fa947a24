"""What has changed, and what it is worth: the arithmetic between readings and money, in atoms.

An atom is one benefit in one period, in whole pennies. In every atom, and so in every sum of atoms,
promised = realised + still forecast + unproven + shortfall so far + shortfall expected.
"""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final

import numpy as np

from rmo.domain.values import Flags, Floats, Pennies

MOST_PENNIES: Final = 9e15
CELLS: Final = 32_768  # that are worked on at once, so that they stay in the cache


class Kind(IntEnum):
    """What a period is, for the money in it."""

    OUTSIDE = 0  # before the start or after the end of the promise
    OPEN = 1
    PROVEN = 2
    UNPROVEN = 3
    ENDED = 4  # by a decision


@dataclass(frozen=True)
class Atoms:
    """Money in pennies, int64, each of one shape: (benefits, periods), or (periods,) for one benefit."""

    first_promise: Pennies  # of the first approved version, before anything is taken out
    rebaselined: Pennies  # what later versions added or took away
    removed: Pennies  # counted twice, taken out
    promised: Pennies  # first promise + rebaselined - removed
    realised: Pennies
    still_forecast: Pennies
    unproven: Pennies
    shortfall_so_far: Pennies
    shortfall_expected: Pennies
    provisional: Pennies  # of which realised on provisional readings
    kind: Pennies

    def pack(self) -> bytes:
        """Return one benefit's atoms as bytes, the same for the same atoms."""
        return np.stack([getattr(self, field.name) for field in fields(self)]).astype("<i8").tobytes()

    @staticmethod
    def unpack(packed: bytes) -> "Atoms":
        """Return what `pack` packed."""
        rows = np.frombuffer(packed, dtype="<i8").reshape(len(fields(Atoms)), -1)
        return Atoms(*rows)

    def row(self, benefit: int, periods: slice) -> "Atoms":
        """Return one benefit's atoms of a run of periods."""
        return Atoms(*(getattr(self, field.name)[benefit, periods] for field in fields(self)))


@dataclass(frozen=True)
class Money:
    """A sum of atoms, in pennies: the bars of the bridge."""

    first_promise: int = 0
    rebaselined: int = 0
    removed: int = 0
    promised: int = 0
    realised: int = 0
    still_forecast: int = 0
    unproven: int = 0
    shortfall_so_far: int = 0
    shortfall_expected: int = 0
    provisional: int = 0

    @property
    def shortfall(self) -> int:
        """So far and expected; negative when there is a surplus."""
        return self.shortfall_so_far + self.shortfall_expected

    @property
    def at_stake(self) -> int:
        """The value at stake: the shortfall, where there is one."""
        return max(0, self.shortfall)

    def __add__(self, other: "Money") -> "Money":
        """Return the sum of two sums."""
        return Money(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: "Money") -> "Money":
        """Return what changed between two sums."""
        return Money(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))


def total(atoms: Atoms, chosen: Flags | slice = slice(None)) -> Money:
    """Return the sum of one benefit's atoms over the chosen periods."""
    return Money(*(int(getattr(atoms, field.name)[chosen].sum()) for field in fields(Money)))


def change(level: Floats, baseline: Floats, *, sign: Floats, low: Floats, high: Floats) -> Floats:
    """Return how far a level is better than the baseline, in the KPI's unit.

    Args:
        level: Shape (benefits, periods); NaN where there is none.
        baseline: The same shape: the level without the change.
        sign: Shape (benefits, 1): 1 where up is good, -1 where down is, 0 for keep in range.
        low: Shape (benefits, 1): the range's ends; NaN where there is no range.
        high: The same.

    Returns:
        Shape (benefits, periods), float64: sign x (level - baseline), and for a range the distance
        outside it at the baseline less that of the level.

    Source:
        Handbook, "How the numbers are worked out", section Change, value and atoms.
    """
    kept = _outside(baseline, low, high) - _outside(level, low, high)
    return np.where(sign == 0, kept, sign * (level - baseline))


def _outside(level: Floats, low: Floats, high: Floats) -> Floats:
    below = np.where(np.isnan(low), 0.0, np.maximum(low - level, 0.0))
    above = np.where(np.isnan(high), 0.0, np.maximum(level - high, 0.0))
    return np.where(np.isnan(level), np.nan, below + above)


def split_share(share_sum: Floats) -> Floats:
    """Return k, the part of each claim that stays when the claims on a KPI in a period exceed the whole.

    Source:
        Handbook, "How the numbers are worked out", section Claims and what is taken out.
    """
    return 1.0 / np.maximum(share_sum, 1.0)


def pennies(amount: Floats) -> Pennies:
    """Return amounts of money in whole pennies, rounded half to even; nothing where there is no amount.

    An amount beyond ninety trillion is a slip in a reading, and is cut there: up to it floats hold every penny.
    """
    hundredths = np.clip(amount * 100.0, -MOST_PENNIES, MOST_PENNIES)
    hundredths[np.isnan(hundredths)] = 0.0
    return np.rint(hundredths, out=hundredths).astype(np.int64)


def atoms(
    *,
    first_change: Floats,
    first_worth: Floats,
    planned_change: Floats,
    realised_change: Floats,
    forecast_change: Floats,
    worth: Floats,
    keep: Floats,
    kind: Pennies,
    provisional: Flags,
) -> Atoms:
    """Return the atoms of a batch of benefits.

    Args:
        first_change: Shape (benefits, periods): planned by the first approved version, in the KPI's unit.
        first_worth: Shape (benefits, 1): claim share x value of a unit in a period by that version.
        planned_change: By the version in force; NaN outside it.
        realised_change: From readings; NaN where there is none.
        forecast_change: Expected in open periods.
        worth: The same of the version in force, period by period, in money; 0 without money.
        keep: k of each period, see `split_share`.
        kind: What each period is, see `Kind`.
        provisional: Where the reading is provisional.

    Returns:
        Atoms of shape (benefits, periods). Each term is rounded once; differences are taken in pennies.

    Source:
        Handbook, "How the numbers are worked out", section Change, value and atoms.
    """
    made = Atoms(*(np.empty(kind.shape, dtype=np.int64) for _ in fields(Atoms)))
    rows = max(1, CELLS // max(1, kind.shape[1]))
    for first in range(0, kind.shape[0], rows):
        block = slice(first, first + rows)
        part = _atoms(
            first_change[block],
            first_worth[block],
            planned_change[block],
            realised_change[block],
            forecast_change[block],
            worth[block],
            keep[block],
            kind[block],
            provisional[block],
        )
        for field in fields(Atoms):
            getattr(made, field.name)[block] = getattr(part, field.name)
    return made


def _atoms(
    first_change: Floats,
    first_worth: Floats,
    planned_change: Floats,
    realised_change: Floats,
    forecast_change: Floats,
    worth: Floats,
    keep: Floats,
    kind: Pennies,
    provisional: Flags,
) -> Atoms:
    inside = kind != Kind.OUTSIDE
    first = pennies(first_change * first_worth)
    in_force = pennies(planned_change * worth)
    promised = pennies(planned_change * worth * keep)
    realised = np.where(kind == Kind.PROVEN, pennies(realised_change * worth * keep), 0)
    forecast = np.where(kind == Kind.OPEN, pennies(forecast_change * worth * keep), 0)
    promised = np.where(inside, promised, 0)
    return Atoms(
        first_promise=first,
        rebaselined=in_force - first,
        removed=in_force - promised,
        promised=promised,
        realised=realised,
        still_forecast=forecast,
        unproven=np.where(kind == Kind.UNPROVEN, promised, 0),
        shortfall_so_far=np.where(kind == Kind.PROVEN, promised - realised, 0)
        + np.where(kind == Kind.ENDED, promised, 0),
        shortfall_expected=np.where(kind == Kind.OPEN, promised - forecast, 0),
        provisional=np.where(provisional, realised, 0),
        kind=kind,
    )
