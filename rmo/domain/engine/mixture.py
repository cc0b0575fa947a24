"""Mixtures of Student t distributions: their quantiles, and the chances of reaching something."""

from dataclasses import dataclass

import numpy as np

from rmo.domain.engine.student_t import fast_cdf, normal_cdf, normal_quantile, probit, quantile
from rmo.domain.values import Floats

LOWER_NODES = (0.0005, 0.004, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.35)
NODES = (
    *LOWER_NODES,
    0.5,
    *(1 - p for p in reversed(LOWER_NODES)),
)  # about where a distribution is worked out
NEGLIGIBLE = 1e-4  # weight of a structure that is left out of a mixture
DIGITS = 9  # significant ones that are kept


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


@dataclass(frozen=True)
class Spread:
    """What numbers may turn out to be: points of their distributions, between which it is normal.

    The last axis of both arrays runs over the points, upwards. NaN where nothing is known.
    """

    x: Floats  # values
    z: Floats  # the standard normal quantiles of the chances of staying at or under them

    def quantile(self, p: float) -> Floats:
        """Return the values that are stayed at or under with a chance of p."""
        return _interpolate(np.full(self.x.shape[:-1], normal_quantile(p)), self.z, self.x)

    def chance_of_at_least(self, value: Floats) -> Floats:
        """Return the chances of reaching values, broadcast to the shape of the numbers."""
        return normal_cdf(-self.steps_to(value))

    def steps_to(self, value: Floats) -> Floats:
        """Return how far values lie from the medians, in standard deviations of a normal with the same chances."""
        return _interpolate(np.broadcast_to(value, self.x.shape[:-1]), self.x, self.z)

    @property
    def median(self) -> Floats:
        """Return the values that are as likely passed as not."""
        return self.quantile(0.5)


def _interpolate(at: Floats, known: Floats, wanted: Floats) -> Floats:
    """Return what belongs to values, by straight lines through the points on either side, or the last two."""
    after = np.clip((known < at[..., None]).sum(axis=-1), 1, known.shape[-1] - 1)[..., None]
    x0, x1 = np.take_along_axis(known, after - 1, -1)[..., 0], np.take_along_axis(known, after, -1)[..., 0]
    y0, y1 = np.take_along_axis(wanted, after - 1, -1)[..., 0], np.take_along_axis(wanted, after, -1)[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(x1 > x0, (at - x0) / (x1 - x0), 0.5)
    found: Floats = y0 + share * (y1 - y0)
    return found


def rounded(numbers: Floats) -> Floats:
    """Return numbers to 9 significant digits, so that the last bits of sums do not show."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = DIGITS - 1 - np.floor(np.log10(np.abs(numbers)))
        scale = 10.0 ** np.clip(np.nan_to_num(power, posinf=0, neginf=0), -300, 300)
        result: Floats = np.round(numbers * scale) / scale
    return result


@dataclass(frozen=True)
class Components:
    """Student t distributions of some numbers of b series, one per structure: shape (structures, numbers, b)."""

    location: Floats
    scale: Floats


def points(
    parts: list[Components], weight: Floats, df: int, wider: Floats | float = 1.0
) -> tuple[Floats, Floats]:
    """Return points of the mixtures, x and z of a Spread, each of shape (numbers, b, points).

    Args:
        parts: Components on the plain scale, and after them perhaps some of logs.
        weight: Of all components, shape (structures of all parts, b); adds up to 1 per series.
        df: Degrees of freedom of all of them.
        wider: A factor by which the distributions are widened about their medians.
    """
    shares_ = np.split(weight, len(parts))
    logged = add_up(shares_[-1]) > 0.5 if len(parts) > 1 else np.zeros(weight.shape[1], dtype=np.bool_)
    plain_at = _nodes(parts[0], shares_[0], df)
    log_at = _nodes(parts[-1], shares_[-1], df) if len(parts) > 1 else plain_at
    with np.errstate(over="ignore"):
        x = np.where(logged[:, None], np.exp(np.clip(log_at, -300, 300)), plain_at)
    below = _mixture(parts, weight, df, x)
    z = np.maximum.accumulate(probit(np.clip(below, 1e-9, 1 - 1e-9)), axis=-1)
    stretched = np.where(logged[:, None], log_at, x)
    middle = _interpolate(np.zeros(z.shape[:-1]), z, stretched)[..., None]
    stretched = middle + wider * (stretched - middle)
    return np.where(logged[:, None], np.exp(np.clip(stretched, -300, 300)), stretched), z


def _mixture(parts: list[Components], weight: Floats, df: int, x: Floats) -> Floats:
    """Return the chances of staying at or under values of shape (numbers, b, points).

    Structures of next to no weight are left out. Those that are left stand in one row each,
    series after series.
    """
    counts = np.where(weight > NEGLIGIBLE, weight, 0.0)
    counts = counts / add_up(counts)
    series, component = np.nonzero(counts.T)
    firsts = np.flatnonzero(np.diff(series, prepend=-1))
    location = np.concatenate([part.location for part in parts])[component, :, series]
    scale = 1.0 / np.concatenate([part.scale for part in parts])[component, :, series]
    share = counts[component, series][:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.where(x > 0, np.log(x), -1e6) if len(parts) > 1 else x
    both = np.concatenate([x.transpose(1, 2, 0), logs.transpose(1, 2, 0)])  # series twice, points, numbers
    row = series + x.shape[1] * (component >= len(parts[0].location))
    below = np.empty((x.shape[1], x.shape[0], x.shape[2]))
    for node in range(x.shape[2]):
        steps = both[row, node]
        steps -= location
        steps *= scale
        chance = fast_cdf(steps, df)
        chance *= share
        below[:, :, node] = np.add.reduceat(chance, firsts, axis=0)
    return below.transpose(1, 0, 2)


def _nodes(part: Components, weight: Floats, df: int) -> Floats:
    """Return values at about the wanted probabilities of a mixture, shape (numbers, b, points)."""
    weight = weight / np.maximum(add_up(weight), 1e-300)
    mean = add_up(part.location * weight[:, None, :])
    variance = add_up((part.scale**2 + (part.location - mean) ** 2) * weight[:, None, :])
    t = np.array([quantile(p, df) for p in NODES])
    nodes: Floats = mean[..., None] + np.sqrt(variance)[..., None] * t
    return nodes
