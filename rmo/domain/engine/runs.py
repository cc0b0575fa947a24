"""The Anhøj rules: a shift told from runs about the median alone, with no limits."""

from dataclasses import dataclass
from functools import lru_cache
from math import comb, log2

import numpy as np

from rmo.domain.values import Flags, Floats, Ints

CHANCE = 0.05  # of so few crossings in a series at rest


@dataclass(frozen=True)
class Runs:
    """The runs of a batch about each series' median, one number per series."""

    longest: Ints  # readings of the longest run
    crossings: Ints  # of the median
    signal: Flags  # one of them is unusual


def runs(values: Floats) -> Runs:
    """Tell unusually long runs, and unusually few crossings, about the median of each series.

    Readings on the median are left out, as are missing ones.

    Args:
        values: Shape (series, periods), NaN for a missing reading.

    Source:
        Handbook, "How the numbers are worked out", section Process-behaviour chart.
        Anhøj and Olesen, Run charts revisited, PLoS ONE 9(11), 2014.
    """
    longest, crossings, signal = [], [], []
    for row in values:
        here = row[~np.isnan(row)]
        side = np.sign(here - np.median(here)) if here.size else here
        side = side[side != 0]
        changes = np.flatnonzero(np.diff(side)) + 1
        length = int(np.diff(np.concatenate([[0], changes, [side.size]])).max()) if side.size else 0
        longest.append(length)
        crossings.append(changes.size)
        signal.append(
            side.size > 1 and (length > longest_usual(side.size) or changes.size < fewest_usual(side.size))
        )
    return Runs(np.array(longest, np.int64), np.array(crossings, np.int64), np.array(signal, np.bool_))


def longest_usual(readings: int) -> int:
    """Return the length that a run may have without being unusual."""
    return round(log2(readings)) + 3


@lru_cache
def fewest_usual(readings: int) -> int:
    """Return the crossings below which there are unusually few: the 5% quantile of fair coins."""
    trials, below = readings - 1, 0.0
    for crossings in range(trials + 1):
        below += comb(trials, crossings) / 2**trials
        if below >= CHANCE:
            return crossings
    return trials
