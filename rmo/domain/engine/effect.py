"""What has changed since a start, beside what would have happened anyway."""

from dataclasses import dataclass

import numpy as np

from rmo.domain.engine.blocks import Block, align, blocks, readings_of
from rmo.domain.engine.mixture import NODES, Components, Spread, points, rounded, shares
from rmo.domain.engine.regression import fit
from rmo.domain.engine.structure import grid, past
from rmo.domain.trajectory import SHAPES
from rmo.domain.values import Flags, Floats, Ints, Ramp

LEAST = 6  # readings in all
LEAST_BEFORE = 3  # and of those before the start
SEASONAL = 12  # readings below which no season is looked for


@dataclass(frozen=True)
class Effect:
    """The change that came with a start: the coefficient of its profile, in the unit of the readings or of their log.

    It says what moved with the start and more than the series' own history explains; it does
    not say what caused it. NaN for series with too few readings.
    """

    spread: Spread  # shape (series, points)
    profile: Floats  # shape (series, periods), 0 before the start, 1 when all of it has arrived
    logged: bool

    @property
    def estimate(self) -> Floats:
        """Return the middle of what it may be, shape (series,)."""
        return self.spread.median

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the ends of the interval that holds it with a chance."""
        return self.spread.quantile((1 - level) / 2), self.spread.quantile((1 + level) / 2)

    @property
    def chance_of_none(self) -> Floats:
        """Return the two-sided chance that a series without a change looks like this."""
        over = self.spread.chance_of_at_least(np.zeros(len(self.profile)))
        return 2 * np.minimum(over, 1 - over)

    def anyway(self, actual: Floats, level: float = 0.95) -> tuple[Floats, Floats, Floats]:
        """Return what each reading would have been without the change: middle, lower and upper, like the readings."""
        low, high = self.interval(level)
        middle, lower, upper = (
            actual * np.exp(-size[:, None] * self.profile)
            if self.logged
            else actual - size[:, None] * self.profile
            for size in (self.estimate, low, high)
        )
        return middle, np.fmin(lower, upper), np.fmax(lower, upper)


def effect(
    values: Floats,
    profile: Floats,
    *,
    season: int,
    controls: Floats | None = None,
    logged: bool = False,
) -> Effect:
    """Estimate the change since the start of each series of a batch, under every structure.

    Args:
        values: Shape (series, periods), NaN for a missing reading.
        profile: Same shape, the share of the change that has arrived: 0 before the start, for
            a step 1 from then on.
        season: Periods of a season, 1 for none.
        controls: The same KPI where nothing was done, shape (controls, series, periods); a
            reading without all its controls is left out.
        logged: Work on logs, of the controls too: the change is a factor. Readings that are not
            positive have no log: a series with one of them has no effect.

    Source:
        Handbook, "How the numbers are worked out", section Effect.
    """
    aside = np.zeros((0, *values.shape)) if controls is None else controls
    if logged:
        values, aside = _logs(values), _logs(aside)
    used = np.where(np.isnan(aside).any(axis=0), np.nan, values)
    aligned = align(used)
    found = np.full((2, len(values), len(NODES)), np.nan)
    least = max(LEAST, len(aside) + 4)
    for block in blocks(used, aligned, least=least, among=_told_apart(used, profile)):
        beside = [block.of(profile), *(np.nan_to_num(block.of(each)) for each in aside)]
        found[0, block.own], found[1, block.own] = _block(block, beside, season)
    return Effect(spread=Spread(*rounded(found)), profile=profile, logged=logged)


def _logs(numbers: Floats) -> Floats:
    """Return logs; nothing for a series, along the last axis, with a number that has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(numbers)
    without = (numbers <= 0).any(axis=-1, keepdims=True)
    return np.where(without, np.nan, logs)


def _told_apart(values: Floats, profile: Floats) -> Flags:
    """Tell which series have readings before the start and after it."""
    present = ~np.isnan(values)
    before = (present & (profile == 0)).sum(axis=1)
    after = (present & (profile > 0)).sum(axis=1)
    enough: Flags = (before >= LEAST_BEFORE) & (after >= 1)
    return enough


def _block(block: Block, beside: list[Floats], season: int) -> tuple[Floats, Floats]:
    """Return the points of a block's changes, each of shape (own, points). The change is the first of the columns."""
    count, own = block.present, block.count
    structures = grid(seasonal=season > 1 and count >= SEASONAL, correlated=True)
    known = past(structures, season, block.length)
    scaled, _, size = readings_of(block)
    here = ~np.isnan(block.readings)
    change, *controls = beside
    columns = [*(_standard(control, here) for control in controls), np.where(here, change, 0.0)]
    fitted = fit(known, block, scaled, columns)
    at = len(columns)  # of the change, behind the intercept and the controls
    unit = [np.zeros((1, 1, 1))] * at + [np.ones((1, 1, 1))] + [np.zeros((1, 1, 1))] * len(block.holes)
    error = np.sqrt(fitted.spread * sum((part[:, 0] ** 2 for part in fitted.solve(unit)), np.zeros(1)))
    component = Components(fitted.coefficients[at][:, None, :own], error[:, None, :own])
    x, z = points([component], shares(fitted.log_weight)[:, :own], count - 1 - len(columns))
    return x[0] * size[:own, None], z[0]


def _standard(control: Floats, here: Flags) -> Floats:
    """Return a control about its mean and in units of its spread, so that sums stay exact."""
    mean = control.mean(axis=0, where=here)
    spread = control.std(axis=0, where=here)
    standard: Floats = np.where(here, (control - mean) / np.where(spread > 0, spread, 1.0), 0.0)
    return standard


def ramp(elapsed: Ints, shape: Ramp, periods: int) -> Floats:
    """Return the share of a change that has arrived by the end of each period.

    Args:
        elapsed: Periods since the start, 0 in the first one; negative before.
        shape: How the change arrives.
        periods: How many periods it takes; a step takes none.
    """
    arrived: Floats = np.where(elapsed >= 0, SHAPES[shape](np.clip((elapsed + 1) / periods, 0.0, 1.0)), 0.0)
    return arrived
