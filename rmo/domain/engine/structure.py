"""The structural grid: what levels, slopes and seasons a series may have, prepared for every length.

Every covariance of the grid is factorised once for a width and a horizon, V = L L'. A series
that begins at the first place and ends after n needs only the leading n rows of the inverse of
L, and its future the n+1st and later rows of L, so one factorisation serves all lengths. Missing
readings are further unknowns of the regression, not another factorisation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from rmo.domain.engine.kept import kept
from rmo.domain.values import Floats

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
class Past:
    """What a grid makes of series of one length."""

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
    return Past(inverse, inverse.sum(axis=2), known.log_size[:, length - 1])


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


def caution(structures: Sequence[Structure]) -> Floats:
    """Return what is taken off log weights where the future is told, shape (structures, 1).

    Steep slopes, and slopes that wander, seldom go on. Found on the odd series of the M1
    competition. Effects do without: there a slope must be believed that explains the change.
    """
    steep = [2.0 * (point.slope >= SLOPES[2]) + 2.0 * (point.slope >= SLOPES[3]) for point in structures]
    return np.array([[taken + (point.curve > 0)] for taken, point in zip(steep, structures, strict=True)])
