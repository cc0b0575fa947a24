"""The dated path from a baseline to a target."""

from collections.abc import Callable
from typing import Final

import numpy as np

from rmo.domain.values import Floats, Ramp

SHAPES: Final[dict[Ramp, Callable[[Floats], Floats]]] = {
    Ramp.STEP: np.ones_like,
    Ramp.LINEAR: lambda u: u,
    Ramp.S_CURVE: lambda u: 3 * u**2 - 2 * u**3,
    Ramp.FRONT_LOADED: lambda u: 1 - (1 - u) ** 2,
    Ramp.BACK_LOADED: lambda u: u**2,
}
EARLY_SHARE = 0.25  # before a quarter of the ramp has passed, nothing is said about a promise


def elapsed(periods: int, ramp_periods: int) -> Floats:
    """Return the share of the ramp that has passed at the end of each period: shape (periods,), capped at 1."""
    return np.minimum((np.arange(periods) + 1.0) / max(ramp_periods, 1), 1.0)


def planned_level(baseline: Floats, target: Floats, elapsed: Floats, ramp: Ramp) -> Floats:
    """Return the level that each promise expects in each period.

    Args:
        baseline: Shape (benefits, periods), the level without the change, in the KPI's unit:
            constant, or for a seasonal KPI that of the same period.
        target: Shape (benefits, 1), the level promised, in the same unit.
        elapsed: Shape (benefits, periods), the share of the ramp that has passed at the
            end of the period. Below 0 the baseline holds, above 1 the target.
        ramp: How the change arrives; points are entered and not worked out.

    Returns:
        Shape (benefits, periods), in the KPI's unit, float64, unrounded.

    Source:
        Handbook, "How the numbers are worked out", section Trajectory.
    """
    return baseline + (target - baseline) * SHAPES[ramp](np.clip(elapsed, 0.0, 1.0))
