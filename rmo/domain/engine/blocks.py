"""Batches cut into blocks of one width, each of series that can be worked on as one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rmo.domain.values import Flags, Floats, Ints

HISTORY = 180  # the newest so many periods are looked at
BLOCKS = (64, 16)  # series in a block


@dataclass(frozen=True)
class Aligned:
    """Series moved to the left, so that each begins with a reading, and cut behind the last one."""

    first: Ints  # the column of the first reading, shape (series,)
    length: Ints  # from the first to the last reading
    count: Ints  # readings
    lag: Ints  # periods of the batch after the last reading


def align(values: Floats) -> Aligned:
    """Tell where each series begins and ends; at most its newest 180 periods are looked at."""
    present = ~np.isnan(values)
    periods = values.shape[1]
    some = present.any(axis=1)
    last = np.where(some, periods - 1 - np.argmax(present[:, ::-1], axis=1), -1)
    present &= np.arange(periods) > (last - HISTORY)[:, None]
    first = np.argmax(present, axis=1)
    return Aligned(
        first=first,
        length=np.where(some, last - first + 1, 0),
        count=present.sum(axis=1),
        lag=periods - 1 - last,
    )


@dataclass(frozen=True)
class Block:
    """Series of one length, of one number of holes and, if told apart, of one kind: columns of one block.

    A block always has its full width: the columns behind its own series repeat the first one.
    """

    rows: Ints  # of the batch, shape (b,)
    count: int  # how many of them are its own
    columns: Ints  # of the batch, shape (length, b)
    readings: Floats  # shape (length, b), NaN in the holes
    holes: Ints  # places of the missing readings, shape (holes, b)

    @property
    def length(self) -> int:
        """Return how many periods the series have."""
        return len(self.readings)

    @property
    def present(self) -> int:
        """Return how many readings each series has."""
        return len(self.readings) - len(self.holes)

    @property
    def own(self) -> Ints:
        """Return the rows of its own series."""
        return self.rows[: self.count]

    def of(self, values: Floats) -> Floats:
        """Return the block's part of an array that is shaped like the batch, (length, b)."""
        part: Floats = values[self.rows, self.columns]
        return part


def blocks(
    values: Floats, aligned: Aligned, *, least: int, among: Flags | None = None, extra: Ints | None = None
) -> Iterator[Block]:
    """Yield blocks of the series with at least so many readings.

    Args:
        values: Shape (series, periods).
        aligned: Where each series begins and ends.
        least: Series with fewer readings are left out.
        among: Which series are wanted, all if not said.
        extra: A number per series that is the same within a block.
    """
    other = np.zeros_like(aligned.length) if extra is None else extra
    keys = np.stack([aligned.length, aligned.length - aligned.count, other])
    wanted = aligned.count >= least
    rows = np.flatnonzero(wanted if among is None else wanted & among)
    rows = rows[np.lexsort(keys[:, rows])]
    edges = np.flatnonzero((np.diff(keys[:, rows], axis=1) != 0).any(axis=0)) + 1
    for group in np.split(rows, edges):
        at = 0
        while at < group.size:
            width = BLOCKS[0] if group.size - at > BLOCKS[0] // 2 else BLOCKS[1]
            yield _block(values, aligned, group[at : at + width], width)
            at += width


def _block(values: Floats, aligned: Aligned, own: Ints, width: int) -> Block:
    rows = np.concatenate([own, np.full(width - own.size, own[0])])
    columns = aligned.first[rows] + np.arange(aligned.length[own[0]])[:, None]
    readings = values[rows, columns]
    holes = np.nonzero(np.isnan(readings.T))[1].reshape(width, -1).T
    return Block(rows=rows, count=own.size, columns=columns, readings=readings, holes=holes)


def readings_of(block: Block) -> tuple[Floats, Floats, Floats]:
    """Return a block's readings about their mean and in units of their size, the means and the sizes."""
    with np.errstate(invalid="ignore"):
        size = np.nanmean(np.abs(block.readings), axis=0)
    size[size == 0] = 1.0
    mean = np.nanmean(block.readings, axis=0)
    return np.nan_to_num((block.readings - mean) / size), mean, size
