"""Readings with their season taken away, where the data speak for one."""

from dataclasses import dataclass

import numpy as np

from rmo.domain.engine.mixture import rounded
from rmo.domain.engine.structure import (
    Block,
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
from rmo.domain.values import Flags, Floats

LEAST = 24  # readings below which no season is taken away
SURE = 0.9  # how much the data must speak for one


@dataclass(frozen=True)
class Adjusted:
    """Readings to be charted. Where no season was sure they are the readings as they came."""

    values: Floats  # shape (series, periods)
    done: Flags  # which series were adjusted, shape (series,)
    weight: Floats  # how much the data speak for a season, shape (series,), NaN where it was not asked


def season_adjusted(values: Floats, *, season: int) -> Adjusted:
    """Take the expected season away from series with enough readings and a season that is sure.

    Args:
        values: Shape (series, periods), NaN for a missing reading.
        season: Periods of a season; 1 for none, and then nothing is done.
    """
    weight = np.full(len(values), np.nan)
    expected = np.zeros(values.shape)
    if season > 1:
        aligned = align(values)
        for block in blocks(values, aligned, least=LEAST):
            columns = aligned.first[block.rows] + np.arange(block.length)[:, None]
            expected[block.rows, columns], weight[block.rows] = _block(block, season)
    done = np.nan_to_num(weight) > SURE
    return Adjusted(
        values=np.where(done[:, None], rounded(values - expected), values), done=done, weight=rounded(weight)
    )


def _block(block: Block, season: int) -> tuple[Floats, Floats]:
    """Return the expected season of a block, shape (length, b), and how much the data speak for one."""
    structures = grid(seasonal=True)
    known = factors(structures, season, round_up(block.length), 12)
    n, b = block.length, block.rows.size
    scaled, _, size = readings_of(block)
    whitened = known.whiten(padded(scaled, known.width, block.width))[:, :n, :b]
    df = np.full(b, n - len(block.holes) - 1)
    regressors = [known.constant[:, :n, None], *hole_regressors(known, block)]
    fitted = fit(whitened, regressors, known.log_size[:, n - 1], df)
    weight = shares(fitted.log_weight)
    variance = np.array([point.season**2 for point in structures])[:, None]
    weighed = np.zeros((len(structures), known.width, block.width))
    weighed[:, :n, :b] = fitted.residual * (weight * variance)[:, None, :]
    pulled = (known.inverse.T @ weighed.reshape(-1, block.width))[:n, :b]
    t = np.arange(n)
    same_place = ((t[:, None] - t) % season == 0) - 1.0 / season
    expected: Floats = same_place @ pulled * size
    return expected, weight[variance[:, 0] > 0].sum(axis=0)
