"""What is to come: months, totals and chances, from the structural grid on the plain and on the log scale."""

from dataclasses import dataclass

import numpy as np

from rmo.domain.engine.blocks import Block, align, blocks, readings_of
from rmo.domain.engine.mixture import NODES, Components, Spread, add_up, points, rounded, shares
from rmo.domain.engine.regression import Fit, fit
from rmo.domain.engine.structure import Future, caution, future, grid, past
from rmo.domain.engine.student_t import normal_quantile
from rmo.domain.values import Floats, Ints

LEAST = 6  # readings below which nothing is forecast
SEASONAL = 12  # readings below which no season is looked for
ONE_SIDED = normal_quantile(0.9)  # of an interval that holds four times in five
FURTHEST = 120  # periods ahead of the last reading


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


def chance_kept(total: Spread, *, need: Floats, baseline: Floats, sign: Floats) -> Floats:
    """Return the chances that what is still to come meets promises, shape (series,).

    Args:
        total: Of the forecast levels, weighted by what each period counts for.
        need: The change that is still needed, in the same weights: promise less realised.
        baseline: The weighted baseline of the same periods.
        sign: 1 where up is good, -1 where down is good.
    """
    reach = total.chance_of_at_least(baseline + sign * need)
    return np.where(sign > 0, reach, 1.0 - reach)


def readings_to_tell(gap: Floats, noise: Floats) -> Floats:
    """Return how many readings it takes to tell a mean gap from noise, four times in five; inf for no gap.

    Args:
        gap: What is to be told, in the KPI's unit.
        noise: The standard deviation of one reading, of readings that do not depend on each other.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        count: Floats = np.where(gap == 0, np.inf, np.floor((ONE_SIDED * noise / gap) ** 2) + 1)
    return count


def widening(readings: Ints | int) -> Floats:
    """Return by how much intervals are widened, for what the grid does not know; found on competition series."""
    wider: Floats = 1.1 + 0.03 * np.maximum(0, 18 - np.asarray(readings))
    return wider


def forecast(
    values: Floats, *, horizon: int, season: int, weights: Floats | None = None, widened: bool = True
) -> Forecast:
    """Forecast each series of a batch.

    Args:
        values: Shape (series, periods), NaN for a missing reading. The first future period
            follows the last column, whether or not it has a reading.
        horizon: How many periods ahead, at most 120 from the last reading.
        season: Periods of a season, 1 for none.
        weights: What each future period counts for in the total, not negative, shape
            (horizon,) or (series, horizon); 1 if not said.
        widened: Whether intervals are widened for what the grid does not know.

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
    near = aligned.lag + horizon <= FURTHEST
    for block in blocks(values, aligned, least=LEAST, among=near, extra=aligned.lag * 2 + positive):
        own, lag = block.own, int(aligned.lag[block.rows[0]])
        ahead = np.zeros((lag + horizon, block.rows.size))
        ahead[lag:] = weighing[block.rows].T
        x, z, season_weight[own] = _block(
            block, season, ahead, positive=bool(positive[own[0]]), widened=widened
        )
        months[0, own], months[1, own] = x[lag:-1].transpose(1, 0, 2), z[lag:-1].transpose(1, 0, 2)
        total[0, own], total[1, own] = x[-1], z[-1]
    return Forecast(
        months=Spread(*rounded(months)),
        total=Spread(*rounded(total)),
        season_weight=rounded(season_weight),
        readings=aligned.count,
    )


def _block(
    block: Block, season: int, ahead: Floats, *, positive: bool, widened: bool
) -> tuple[Floats, Floats, Floats]:
    """Return the points of months and total, (periods + 1, own, points) each, and the season weights, (own,)."""
    count, own = block.present, block.count
    structures = grid(seasonal=season > 1 and count >= SEASONAL)
    known = past(structures, season, block.length)
    to_come = future(structures, season, block.length, len(ahead))
    scaled, mean, size = readings_of(block)
    plain = fit(known, block, scaled)
    parts = [_plain_components(_ahead(to_come, block, scaled, plain), plain, ahead)]
    parts[0].location[:, :-1] += mean / size
    parts[0].location[:, -1] += mean / size * ahead.sum(axis=0)
    log_weights = [plain.log_weight]
    if positive:
        logs = np.log(block.readings / size)
        log_mean = np.nanmean(logs, axis=0)
        logs = np.nan_to_num(logs - log_mean)
        logged = fit(known, block, logs)
        log_weights.append(logged.log_weight - (count - 1) * log_mean)
        parts.append(_log_components(_ahead(to_come, block, logs, logged), logged, ahead, log_mean))
    taken = caution(structures)
    weight = shares(np.concatenate([each - taken for each in log_weights]))
    parts = [Components(part.location[..., :own], part.scale[..., :own]) for part in parts]
    x, z = points(parts, weight[:, :own], count - 1, widening(count) if widened else 1.0)
    seasonal = np.array([point.season > 0 for point in structures] * len(parts))
    return x * size[:own, None], z, add_up(weight[seasonal])[:own] if seasonal.any() else np.zeros(own)


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


def _ahead(to_come: Future, block: Block, readings: Floats, fitted: Fit) -> _Ahead:
    periods = to_come.free.shape[1]
    mean = (to_come.pull.reshape(-1, block.length) @ readings).reshape(-1, periods, block.rows.size)
    sides = [to_come.free[:, :, None], *(-to_come.pull[:, :, hole] for hole in block.holes)]
    for coefficient, side in zip(fitted.coefficients, sides, strict=True):
        mean += coefficient[:, None, :] * side
    return _Ahead(mean, to_come.noise, fitted.solve(sides))


def _plain_components(to_come: _Ahead, fitted: Fit, ahead: Floats) -> Components:
    variance = np.concatenate([to_come.variance(), to_come.variance_of(ahead)[:, None, :]], axis=1)
    location = np.concatenate([to_come.mean, (to_come.mean * ahead).sum(axis=1, keepdims=True)], axis=1)
    return Components(location, np.sqrt(fitted.spread[:, None, :] * variance))


def _log_components(to_come: _Ahead, fitted: Fit, ahead: Floats, log_mean: Floats) -> Components:
    """Return the components of logs; the log of a total as if it were a Student t with the moments' first terms.

    Source:
        Fenton, The sum of log-normal probability distributions, IRE Transactions CS-8, 1960.
    """
    mean = to_come.mean + log_mean
    spread = fitted.spread[:, None, :]
    variance = to_come.variance() * spread
    expected = ahead * np.exp(np.clip(mean + variance / 2, -300, 300))
    sums = expected.sum(axis=1, keepdims=True)
    parts = expected / np.where(sums > 0, sums, 1.0)
    of_sum = to_come.variance_of(parts)[:, None, :] * spread
    with np.errstate(divide="ignore"):
        location = np.concatenate([mean, np.log(sums) - of_sum / 2], axis=1)
    return Components(location, np.sqrt(np.concatenate([variance, of_sum], axis=1)))
