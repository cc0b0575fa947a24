"""Readings with their season taken away, where the data speak for one."""

from dataclasses import dataclass

import numpy as np

from rmo.domain.engine.blocks import Block, align, blocks, readings_of
from rmo.domain.engine.mixture import rounded, shares
from rmo.domain.engine.regression import fit
from rmo.domain.engine.structure import grid, past
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

    Source:
        Handbook, "How the numbers are worked out", section Process-behaviour chart.
    """
    weight = np.full(len(values), np.nan)
    expected = np.zeros(values.shape)
    if season > 1:
        aligned = align(values)
        for block in blocks(values, aligned, least=LEAST):
            season_there, weights = _block(block, season)
            expected[block.rows, block.columns] = season_there
            weight[block.rows] = weights
    done = np.nan_to_num(weight) > SURE
    return Adjusted(
        values=np.where(done[:, None], rounded(values - expected), values), done=done, weight=rounded(weight)
    )


def _block(block: Block, season: int) -> tuple[Floats, Floats]:
    """Return the expected season of a block, shape (length, b), and how much the data speak for one."""
    structures = grid(seasonal=True)
    known = past(structures, season, block.length)
    scaled, _, size = readings_of(block)
    fitted = fit(known, block, scaled)
    intercept, *filled = fitted.coefficients
    left = fitted.pulled - known.of_ones[:, :, None] * intercept[:, None, :]
    for hole, coefficient in zip(block.holes, filled, strict=True):
        left -= known.inverse[:, :, hole] * coefficient[:, None, :]
    weight = shares(fitted.log_weight)
    variance = np.array([point.season**2 for point in structures])
    t = np.arange(block.length)
    same_place = ((t[:, None] - t) % season == 0) - 1.0 / season
    pulled = np.einsum("gnb,gb->nb", left, weight * variance[:, None])
    expected: Floats = np.einsum("st,tb->sb", same_place, pulled) * size
    return expected, weight[variance > 0].sum(axis=0)
