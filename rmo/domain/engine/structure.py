"""The structural grid: what levels, slopes and seasons a series may have, weighed by how well each explains it.

Every covariance of the grid is factorised once for a width and a horizon, V = L L'. A series
that begins at the first place and ends after n needs only the leading n rows of the inverse of
L, and its future the n+1st and later rows of L, so one factorisation serves all lengths. Missing
readings are further unknowns of the regression, not another factorisation. Series are worked on
in blocks of a fixed width, so that the same series gives the same bytes in any batch.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from itertools import product
from threading import Lock
from typing import ParamSpec, TypeVar

import numpy as np

from rmo.domain.values import Floats, Ints

P = ParamSpec("P")
T = TypeVar("T")

LEVELS = (0.0, 0.02, 0.1, 0.3, 1.0, 3.0, 10.0)
SLOPES = (0.0, 0.02, 0.06, 0.2)
SEASONS = (0.0, 0.5, 1.5, 4.0, 12.0)
CURVED_LEVELS = (0.0, 0.1, 1.0)
CURVED_SEASONS = (0.0, 0.5, 1.5, 4.0)
CURVES = (0.001, 0.01)
CORRELATIONS = (0.4, 0.7, 0.9)
SIZES = (0.5, 2.0)

STEP = 16  # widths are multiples of it
AHEAD = 12  # horizons are multiples of it
HISTORY = 180  # the newest so many periods are looked at
BLOCKS = (64, 16)  # series in a block
ROOM = 256 * 2**20  # bytes of what is kept for the next time, for each kind of thing
FLOOR = 1e-20  # of a sum of squares, for a series that never moves


def kept(prepare: Callable[P, T]) -> Callable[P, T]:
    """Keep what a function prepares for the next time, as long as it takes no more room than 256 MiB.

    What was not asked for the longest time is put away first.
    """
    shelf: OrderedDict[Hashable, T] = OrderedDict()
    lock = Lock()

    @wraps(prepare)
    def prepared(*asked: P.args, **named: P.kwargs) -> T:
        key = (asked, tuple(named.items()))
        with lock:
            if key in shelf:
                shelf.move_to_end(key)
                return shelf[key]
        made = prepare(*asked, **named)
        with lock:
            shelf[key] = made
            while len(shelf) > 1 and sum(map(_room, shelf.values())) > ROOM:
                shelf.popitem(last=False)
        return made

    return prepared


def _room(prepared: object) -> int:
    """Return how many bytes the arrays of a dataclass take."""
    return sum(part.nbytes for part in vars(prepared).values() if isinstance(part, np.ndarray))


@dataclass(frozen=True, eq=False)  # each is itself alone: grids are looked up often
class Structure:
    """One point of the grid, in units of the variance of the noise."""

    level: float  # variance of the steps of a wandering level
    slope: float  # standard deviation of a straight slope, per period
    season: float  # standard deviation of a season's places
    curve: float = 0.0  # variance of the steps of a wandering slope
    correlation: float = 0.0  # of neighbouring periods, for a part of this standard deviation:
    size: float = 0.0


@lru_cache
def grid(*, seasonal: bool, correlated: bool = False) -> tuple[Structure, ...]:
    """Return the points of the grid: 164 with seasons, 34 without, 6 more with correlated noise."""
    seasons = SEASONS if seasonal else (0.0,)
    curved = CURVED_SEASONS if seasonal else (0.0,)
    points = [Structure(level, slope, season) for level, slope, season in product(LEVELS, SLOPES, seasons)]
    points += [
        Structure(level, 0.0, season, curve)
        for level, season, curve in product(CURVED_LEVELS, curved, CURVES)
    ]
    if correlated:
        points += [Structure(0.0, 0.0, 0.0, 0.0, rho, size) for rho, size in product(CORRELATIONS, SIZES)]
    return tuple(points)


def covariances(structures: Sequence[Structure], size: int, season: int) -> Floats:
    """Return the covariance of the first periods under each structure, shape (structures, size, size)."""
    t = np.arange(size)
    same_place = (t[:, None] - t) % season == 0
    parts = (
        (1.0 + np.minimum(t[:, None], t), [point.level for point in structures]),
        (1.0 * t[:, None] * t, [point.slope**2 for point in structures]),
        (same_place - 1.0 / season, [point.season**2 for point in structures]),
        (_double_walk(size), [point.curve for point in structures]),
    )
    total = np.broadcast_to(np.eye(size), (len(structures), size, size)).copy()
    for part, weights in parts:
        total += np.array(weights)[:, None, None] * part
    for row, point in enumerate(structures):
        if point.size:
            total[row] += point.size**2 * point.correlation ** np.abs(t[:, None] - t)
    return total


def _double_walk(size: int) -> Floats:
    """Return the covariance of a slope that wanders: steps added up twice."""
    once = np.tril(np.ones((size, size)))
    twice = once @ once
    walk: Floats = twice @ twice.T
    return walk


@dataclass(frozen=True)
class Factors:
    """A grid factorised for series of up to a width and futures of up to a horizon."""

    structures: tuple[Structure, ...]
    season: int
    width: int
    inverse: Floats  # of the lower factors, stacked, shape (structures * width, width)
    lower: Floats  # shape (structures, width + horizon, width + horizon)
    constant: Floats  # what a flat intercept becomes, shape (structures, width)
    log_size: Floats  # log determinant of the first 1, 2, ... periods, shape (structures, width)

    def whiten(self, columns: Floats) -> Floats:
        """Return columns as each structure sees them, uncorrelated: from (width, b) to (structures, width, b)."""
        return (self.inverse @ columns).reshape(len(self.structures), self.width, -1)


@kept
def factors(structures: tuple[Structure, ...], season: int, width: int, horizon: int) -> Factors:
    """Factorise a grid, once for each width and horizon."""
    lower = np.linalg.cholesky(covariances(structures, width + horizon, season)).astype(np.float64)
    inverse = np.tril(np.linalg.inv(lower[:, :width, :width]))
    diagonal = np.diagonal(lower[:, :width, :width], axis1=1, axis2=2)
    return Factors(
        structures=structures,
        season=season,
        width=width,
        inverse=np.ascontiguousarray(inverse.reshape(-1, width)),
        lower=lower,
        constant=inverse.sum(axis=2),
        log_size=2 * np.cumsum(np.log(diagonal), axis=1),
    )


def round_up(number: int, step: int = STEP) -> int:
    """Return the next multiple of a step."""
    return -(-number // step) * step


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


def blocks(values: Floats, aligned: Aligned, *, least: int, extra: Ints | None = None) -> Iterator[Block]:
    """Yield blocks of the series with at least so many readings.

    Args:
        values: Shape (series, periods).
        aligned: Where each series begins and ends.
        least: Series with fewer readings are left out.
        extra: A number per series that is the same within a block.
    """
    other = np.zeros_like(aligned.length) if extra is None else extra
    keys = np.stack([aligned.length, aligned.length - aligned.count, other])
    rows = np.flatnonzero(aligned.count >= least)
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


@dataclass(frozen=True)
class Past:
    """What a grid makes of series of one length."""

    structures: tuple[Structure, ...]
    inverse: Floats  # of the covariances, shape (structures, length, length)
    of_ones: Floats  # the same times a flat intercept, shape (structures, length)
    log_size: Floats  # log determinants of the covariances, shape (structures,)

    def times(self, columns: Floats) -> Floats:
        """Return the inverses times columns, from (length, b) to (structures, length, b)."""
        length, width = columns.shape
        return (self.inverse.reshape(-1, length) @ columns).reshape(-1, length, width)


@kept
def past(structures: tuple[Structure, ...], season: int, length: int) -> Past:
    """Prepare a grid for series of one length."""
    known = factors(structures, season, round_up(length), AHEAD)
    root = known.inverse.reshape(len(structures), known.width, known.width)[:, :length, :length]
    inverse = np.matmul(root.transpose(0, 2, 1), root)
    return Past(structures, inverse, inverse.sum(axis=2), known.log_size[:, length - 1])


@dataclass(frozen=True)
class Future:
    """What a grid expects after series of one length."""

    pull: Floats  # of each past period on each future one, shape (structures, periods, length)
    free: Floats  # what is left to the intercept, shape (structures, periods)
    noise: Floats  # lower root of the covariances of what is new, shape (structures, periods, periods)


@kept
def future(structures: tuple[Structure, ...], season: int, length: int, periods: int) -> Future:
    """Prepare a grid for the periods after series of one length."""
    known = factors(structures, season, round_up(length), round_up(periods, AHEAD))
    root = known.inverse.reshape(len(structures), known.width, known.width)[:, :length, :length]
    new = slice(length, length + periods)
    pull = np.matmul(known.lower[:, new, :length], root)
    return Future(pull, 1.0 - pull.sum(axis=2), np.ascontiguousarray(known.lower[:, new, new]))


@dataclass(frozen=True)
class Fit:
    """A regression of a block under every structure, on an intercept, on columns, and on a place for each hole."""

    log_weight: Floats  # shape (structures, b), up to a constant of the series
    coefficients: list[Floats]  # one per regressor, each (structures, b)
    root: list[list[Floats]]  # lower factor of the regressors' products
    pulled: Floats  # the inverses times the readings, shape (structures, length, b)
    spread: Floats  # the noise's variance, shape (structures, b)

    def solve(self, sides: Sequence[Floats]) -> list[Floats]:
        """Return the sides, one per regressor, divided by the root: their squares add up to a variance.

        Sides have the shape (structures, periods, b), or 1 for b.
        """
        root = [[pivot[:, None, :] for pivot in line] for line in self.root]
        return _forward(root, sides)


def fit(known: Past, block: Block, readings: Floats, columns: Sequence[Floats] = ()) -> Fit:
    """Regress a block under every structure.

    Args:
        known: The grid for the block's length.
        block: Which series, and where their holes are.
        readings: Shape (length, b), about their mean, 0 in the holes.
        columns: What else they are regressed on, each of that shape, 0 in the holes.
    """
    every, holes = np.arange(block.rows.size), block.holes
    pulled = known.times(readings)
    pulled_columns = [known.times(column) for column in columns]
    ones = known.of_ones
    sides = [
        ones @ readings,
        *(_dot(pulled, column) for column in columns),
        *(pulled[:, hole, every] for hole in holes),
    ]
    products = [[ones.sum(axis=1, keepdims=True)]]
    for row, column in enumerate(columns):
        products.append([ones @ column, *(_dot(pulled_columns[row], other) for other in columns[: row + 1])])
    for row, hole in enumerate(holes):
        beside = [each[:, hole, every] for each in pulled_columns]
        products.append(
            [ones[:, hole], *beside, *(known.inverse[:, hole, other] for other in holes[: row + 1])]
        )
    root = _root(products)
    half = _forward(root, sides)
    squares = _dot(pulled, readings)
    for part in half:
        squares = squares - part**2
    squares = np.maximum(squares, FLOOR)
    df = block.present - 1 - len(columns)
    log_product = sum((2 * np.log(line[-1]) for line in root), np.zeros(1))
    log_weight = -0.5 * (known.log_size[:, None] + log_product + df * np.log(squares))
    return Fit(log_weight, _back(root, half), root, pulled, squares / df)


def _dot(pulled: Floats, column: Floats) -> Floats:
    """Return products added up over the length: (structures, length, b) with (length, b)."""
    product_: Floats = np.einsum("gnb,nb->gb", pulled, column)
    return product_


def _root(products: list[list[Floats]]) -> list[list[Floats]]:
    """Return the lower factor of a matrix given by its lower half."""
    root: list[list[Floats]] = []
    for row, wanted in enumerate(products):
        line: list[Floats] = []
        for column, rest in enumerate(wanted):
            for inner in range(column):
                rest = rest - line[inner] * (root[column][inner] if column < row else line[inner])
            line.append(rest / root[column][column] if column < row else np.sqrt(rest))
        root.append(line)
    return root


def _forward(root: list[list[Floats]], sides: Sequence[Floats]) -> list[Floats]:
    """Solve the lower triangle."""
    solved: list[Floats] = []
    for row, rest in enumerate(sides):
        for column in range(row):
            rest = rest - root[row][column] * solved[column]
        solved.append(rest / root[row][row])
    return solved


def _back(root: list[list[Floats]], half: list[Floats]) -> list[Floats]:
    """Solve the upper triangle."""
    solved: list[Floats] = [np.zeros(0)] * len(half)
    for row in reversed(range(len(half))):
        rest = half[row]
        for later in range(row + 1, len(half)):
            rest = rest - root[later][row] * solved[later]
        solved[row] = rest / root[row][row]
    return solved


def caution(structures: Sequence[Structure]) -> Floats:
    """Return what is taken off log weights where the future is told, shape (structures, 1).

    Steep slopes, and slopes that wander, seldom go on. Found on the odd series of the M1
    competition. Effects do without: there a slope must be believed that explains the change.
    """
    steep = [2.0 * (point.slope >= SLOPES[2]) + 2.0 * (point.slope >= SLOPES[3]) for point in structures]
    return np.array([[taken + (point.curve > 0)] for taken, point in zip(steep, structures, strict=True)])


def add_up(numbers: Floats) -> Floats:
    """Add up over the first axis, always in its order, however many series stand beside each other."""
    rows = np.ascontiguousarray(numbers)
    if rows[0].size == 1:  # numpy would add up a single column in pairs
        rows = np.cumsum(rows, axis=0)[-1:]
    sums: Floats = rows.sum(axis=0)
    return sums


def shares(log_weight: Floats) -> Floats:
    """Return weights that add up to 1 over the first axis."""
    weight = np.exp(log_weight - log_weight.max(axis=0))
    total: Floats = weight / add_up(weight)
    return total


def readings_of(block: Block) -> tuple[Floats, Floats, Floats]:
    """Return a block's readings about their mean and in units of their size, the means and the sizes."""
    with np.errstate(invalid="ignore"):
        size = np.nanmean(np.abs(block.readings), axis=0)
    size[size == 0] = 1.0
    mean = np.nanmean(block.readings, axis=0)
    return np.nan_to_num((block.readings - mean) / size), mean, size
