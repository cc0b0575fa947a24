"""The ten kinds of noise in which the engine must not cry wolf."""

from collections.abc import Callable

import numpy as np

from rmo.domain.values import Floats


def _correlated(steps: Floats, rho: float) -> Floats:
    """Return noise of variance 1 whose neighbours are correlated."""
    noise = steps.copy()
    for t in range(1, steps.shape[1]):
        noise[:, t] = rho * noise[:, t - 1] + np.sqrt(1 - rho**2) * steps[:, t]
    return noise


def series(kind: str, rng: np.random.Generator, count: int, periods: int) -> Floats:
    """Return series about 50 whose noise has a standard deviation of 1 but for what drifts."""
    steps = rng.normal(size=(count, periods))
    t = np.arange(periods)
    season = 2 * np.sin(2 * np.pi * (t / 12 + rng.random((count, 1))))
    made: dict[str, Callable[[], Floats]] = {
        "independent": lambda: steps,
        "correlated 0.3": lambda: _correlated(steps, 0.3),
        "correlated 0.5": lambda: _correlated(steps, 0.5),
        "correlated 0.6": lambda: _correlated(steps, 0.6),
        "drifting level": lambda: steps + np.cumsum(0.3 * rng.normal(size=(count, periods)), axis=1),
        "trend": lambda: steps + 0.1 * t * rng.choice([-1, 1], (count, 1)),
        "season": lambda: steps + season,
        "season, correlated 0.3": lambda: _correlated(steps, 0.3) + season,
        "season, correlated 0.6": lambda: _correlated(steps, 0.6) + season,
        "random walk": lambda: np.cumsum(steps, axis=1),
    }
    values: Floats = 50 + made[kind]()
    return values


KINDS = (
    "independent", "correlated 0.3", "correlated 0.5", "correlated 0.6", "drifting level", "trend",
    "season", "season, correlated 0.3", "season, correlated 0.6", "random walk",
)  # fmt: skip
EFFECT_KINDS = (
    "independent",
    "correlated 0.5",
    "drifting level",
    "trend",
    "season, correlated 0.3",
    "random walk",
)
