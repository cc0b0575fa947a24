"""What is to come: months, totals and chances, from the structural grid on the plain and on the log scale."""

from dataclasses import dataclass

import numpy as np

from rmo.domain.engine.structure import (
    Block,
    Factors,
    Fit,
    align,
    blocks,
    factors,
    fit,
    grid,
    hole_regressors,
    padded,
    readings_of,
    round_up,
    shares,
)
from rmo.domain.engine.student_t import fast_cdf, normal_cdf, normal_quantile, probit, quantile
from rmo.domain.values import Floats, Ints

LEAST = 6  # readings below which nothing is forecast
SEASONAL = 12  # readings below which no season is looked for
FURTHEST = 120  # periods ahead of the last reading
LOWER_NODES = (0.0005, 0.004, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.35)
NODES = (
    *LOWER_NODES,
    0.5,
    *(1 - p for p in reversed(LOWER_NODES)),
)  # about where a distribution is worked out
NEGLIGIBLE = 1e-4  # weight of a structure that is left out of a mixture
DIGITS = 9  # significant ones that are kept


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
        z = _interpolate(np.broadcast_to(value, self.x.shape[:-1]), self.x, self.z)
        return 1.0 - normal_cdf(z)

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


@dataclass(frozen=True)
class Forecast:
    """The forecast of a batch: the next periods after its last column, and a total of them."""

    months: Spread  # shape (series, horizon, points)
    total: Spread  # shape (series, points)
    season_weight: Floats  # how much the data speak for a season, 0 to 1, shape (series,)
    readings: Ints  # shape (series,)

    def reaches(self, target: Floats, *, at_least: bool = True, chance: float = 0.5) -> Ints:
        """Return the first future period, from 0, in which a target is met with so high a chance; -1 for none."""
        over = self.months.chance_of_at_least(np.asarray(target)[:, None])
        met = (over if at_least else 1.0 - over) >= chance
        return np.where(met.any(axis=1), met.argmax(axis=1), -1)


def required_run_rate(promise: Floats, realised: Floats, periods_left: Floats) -> Floats:
    """Return what each period left must bring for the promise to be met; NaN where none is left."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rate: Floats = np.where(periods_left > 0, (promise - realised) / periods_left, np.nan)
    return rate


def widening(readings: Ints | int) -> Floats:
    """Return by how much intervals are widened, for what the grid does not know; found on competition series."""
    wider: Floats = 1.1 + 0.03 * np.maximum(0, 18 - np.asarray(readings))
    return wider


def forecast(values: Floats, *, horizon: int, season: int, weights: Floats | None = None) -> Forecast:
    """Forecast each series of a batch.

    Args:
        values: Shape (series, periods), NaN for a missing reading. The first future period
            follows the last column, whether or not it has a reading.
        horizon: How many periods ahead.
        season: Periods of a season, 1 for none.
        weights: What each future period counts for in the total, not negative, shape
            (horizon,) or (series, horizon); 1 if not said.

    Returns:
        NaN for series with fewer than 6 readings, and for those that ended long ago. Below
        12 readings no season is looked for.

    Source:
        Handbook, "How the numbers are worked out", section Forecast.
    """
    count = values.shape[0]
    weighing = np.broadcast_to(np.ones(horizon) if weights is None else weights, (count, horizon))
    months = np.full((2, count, horizon, len(NODES)), np.nan)
    total = np.full((2, count, len(NODES)), np.nan)
    season_weight = np.full(count, np.nan)
    aligned = align(values)
    with np.errstate(invalid="ignore"):
        positive = np.nanmin(values, axis=1, initial=np.inf) > 0
    aligned.count[aligned.lag > FURTHEST - horizon] = 0
    for block in blocks(values, aligned, least=LEAST, extra=aligned.lag * 2 + positive):
        rows, lag = block.rows, int(aligned.lag[block.rows[0]])
        ahead = np.zeros((lag + horizon, rows.size))
        ahead[lag:] = weighing[rows].T
        x, z, season_weight[rows] = _block(block, season, ahead, positive=bool(positive[rows[0]]))
        months[0, rows], months[1, rows] = x[lag:-1].transpose(1, 0, 2), z[lag:-1].transpose(1, 0, 2)
        total[0, rows], total[1, rows] = x[-1], z[-1]
    return Forecast(
        months=Spread(*rounded(months)),
        total=Spread(*rounded(total)),
        season_weight=rounded(season_weight),
        readings=align(values).count,
    )


def rounded(numbers: Floats) -> Floats:
    """Return numbers to 9 significant digits, so that the last bits of sums do not show."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = DIGITS - 1 - np.floor(np.log10(np.abs(numbers)))
        scale = 10.0 ** np.clip(np.nan_to_num(power, posinf=0, neginf=0), -300, 300)
        result: Floats = np.round(numbers * scale) / scale
    return result


@dataclass(frozen=True)
class _Components:
    """Student t distributions, one per structure: shape (structures, periods + 1, b), the total last."""

    location: Floats
    scale: Floats


def _block(block: Block, season: int, ahead: Floats, *, positive: bool) -> tuple[Floats, Floats, Floats]:
    """Return the points of a block's months and total, (periods + 1, b, points) each, and its season weights."""
    count = block.length - len(block.holes)
    structures = grid(seasonal=season > 1 and count >= SEASONAL)
    known = factors(structures, season, round_up(block.length), round_up(len(ahead), 12))
    df = count - 1
    scaled, mean, size = readings_of(block)
    plain = _fit(known, block, scaled, df)
    parts = [_plain_components(known, block, plain, ahead)]
    parts[0].location[:, :-1] += mean / size
    parts[0].location[:, -1] += mean / size * ahead.sum(axis=0)
    log_weights = [plain.log_weight]
    if positive:
        logs = np.log(block.readings / size)
        log_mean = np.nanmean(logs, axis=0)
        logged = _fit(known, block, np.nan_to_num(logs - log_mean), df)
        log_weights.append(logged.log_weight - df * log_mean)
        parts.append(_log_components(known, block, logged, ahead, log_mean))
    weight = shares(np.concatenate(log_weights))
    x, z = _points(parts, weight, df, widening(count))
    seasonal = np.array([point.season > 0 for point in structures] * len(parts))
    return x * size[:, None], z, weight[seasonal].sum(axis=0)


def _fit(known: Factors, block: Block, readings: Floats, df: int) -> Fit:
    whitened = known.whiten(padded(readings, known.width, block.width))[:, : block.length, : block.rows.size]
    regressors = [known.constant[:, : block.length, None], *hole_regressors(known, block)]
    return fit(whitened, regressors, known.log_size[:, block.length - 1], np.full(block.rows.size, df))


@dataclass(frozen=True)
class _Ahead:
    """The periods ahead under every structure, in units of the noise where they vary."""

    mean: Floats  # shape (structures, periods, b)
    noise: Floats  # lower root of what is new in them, shape (structures, periods, periods)
    doubt: list[Floats]  # what the coefficients leave open, each (structures, periods, b or 1)

    def variance(self) -> Floats:
        """Return the variance of each period."""
        variance: Floats = (self.noise**2).sum(axis=2)[:, :, None] + np.zeros_like(self.mean)
        for part in self.doubt:
            variance += part**2
        return variance

    def variance_of(self, weights: Floats) -> Floats:
        """Return the variance of a weighted sum; the weights end with the periods and the series."""
        new = np.matmul(self.noise.transpose(0, 2, 1), weights)
        variance: Floats = (new**2).sum(axis=1)
        for part in self.doubt:
            variance += (part * weights).sum(axis=1) ** 2
        return variance


def _ahead(known: Factors, block: Block, fitted: Fit, periods: int) -> _Ahead:
    n = block.length
    back = known.lower[:, n : n + periods, :n]
    mean = np.matmul(back, fitted.residual) + fitted.coefficients[0][:, None, :]
    inverse = known.inverse.reshape(len(known.structures), known.width, known.width)[:, :n, :n]
    sides = [1.0 - np.matmul(back, known.constant[:, :n, None])]
    if len(block.holes):
        through = np.matmul(back, inverse)
        sides += [-through[:, :, places] for places in block.holes]
    return _Ahead(mean, known.lower[:, n : n + periods, n : n + periods], fitted.solve(sides))


def _plain_components(known: Factors, block: Block, fitted: Fit, ahead: Floats) -> _Components:
    future = _ahead(known, block, fitted, len(ahead))
    variance = np.concatenate([future.variance(), future.variance_of(ahead)[:, None, :]], axis=1)
    location = np.concatenate([future.mean, (future.mean * ahead).sum(axis=1, keepdims=True)], axis=1)
    return _Components(location, np.sqrt(fitted.spread[:, None, :] * variance))


def _log_components(
    known: Factors, block: Block, fitted: Fit, ahead: Floats, log_mean: Floats
) -> _Components:
    """Return the components of logs; the log of a total as if it were a Student t with the moments' first terms.

    Source:
        Fenton, The sum of log-normal probability distributions, IRE Transactions CS-8, 1960.
    """
    future = _ahead(known, block, fitted, len(ahead))
    mean = future.mean + log_mean
    spread = fitted.spread[:, None, :]
    variance = future.variance() * spread
    expected = ahead * np.exp(np.clip(mean + variance / 2, -300, 300))
    sums = expected.sum(axis=1, keepdims=True)
    parts = expected / np.where(sums > 0, sums, 1.0)
    of_sum = future.variance_of(parts)[:, None, :] * spread
    with np.errstate(divide="ignore"):
        location = np.concatenate([mean, np.log(sums) - of_sum / 2], axis=1)
    return _Components(location, np.sqrt(np.concatenate([variance, of_sum], axis=1)))


def _points(parts: list[_Components], weight: Floats, df: int, wider: Floats) -> tuple[Floats, Floats]:
    """Return points of the mixtures, widened about their medians, each of shape (periods + 1, b, points)."""
    shares_ = np.split(weight, len(parts))
    logged = shares_[-1].sum(axis=0) > 0.5 if len(parts) > 1 else np.zeros(weight.shape[1], dtype=np.bool_)
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


def _mixture(parts: list[_Components], weight: Floats, df: int, x: Floats) -> Floats:
    """Return the chances of staying at or under values of shape (periods + 1, b, points).

    Structures of next to no weight are left out. Those that are left stand in one row each,
    series after series.
    """
    counts = np.where(weight > NEGLIGIBLE, weight, 0.0)
    counts = counts / counts.sum(axis=0)
    series, component = np.nonzero(counts.T)
    firsts = np.flatnonzero(np.diff(series, prepend=-1))
    location = np.concatenate([part.location for part in parts])[component, :, series]
    scale = 1.0 / np.concatenate([part.scale for part in parts])[component, :, series]
    share = counts[component, series][:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.where(x > 0, np.log(x), -1e6) if len(parts) > 1 else x
    both = np.stack([x, logs])
    log = (component >= len(parts[0].location)).astype(np.intp)
    below = np.empty((x.shape[1], x.shape[0], x.shape[2]))
    for node in range(x.shape[2]):
        at = both[log, :, series, node]
        below[:, :, node] = np.add.reduceat(fast_cdf((at - location) * scale, df) * share, firsts, axis=0)
    return below.transpose(1, 0, 2)


def _nodes(part: _Components, weight: Floats, df: int) -> Floats:
    """Return values at about the wanted probabilities of a mixture, shape (periods + 1, b, points)."""
    weight = weight / np.maximum(weight.sum(axis=0), 1e-300)
    mean = np.einsum("chb,cb->hb", part.location, weight)
    variance = np.einsum("chb,cb->hb", part.scale**2 + (part.location - mean) ** 2, weight)
    t = np.array([quantile(p, df) for p in NODES])
    nodes: Floats = mean[..., None] + np.sqrt(variance)[..., None] * t
    return nodes
