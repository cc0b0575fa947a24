"""Student's t and the normal distribution on arrays, without scipy."""

from functools import lru_cache
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np

from rmo.domain.values import Floats

STEPS = 4096  # of the table behind fast_cdf
_NORMAL = NormalDist()
_erfc = np.frompyfunc(erfc, 1, 1)


def cdf(t: Floats, df: int) -> Floats:
    """Return the probability of a Student t of at most t, for whole degrees of freedom.

    Source:
        Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = np.arctan(t / sqrt(df))
    sine, square = np.sin(angle), np.cos(angle) ** 2
    term = np.cos(angle) if df % 2 else np.ones_like(angle)
    total = np.zeros_like(angle)
    for k in range(2 + df % 2, df + 1, 2):
        total = total + term
        term = term * square * ((k - 1) / k)
    inside = (angle + sine * total) * 2 / np.pi if df % 2 else sine * total
    probability: Floats = 0.5 + 0.5 * inside
    return probability


@lru_cache(maxsize=512)
def _table(df: int) -> Floats:
    """Return cdf at even steps of t / sqrt(df + t^2), from -1 to 1 and one beyond."""
    s = np.linspace(-1.0, 1.0, STEPS + 1)[1:-1]
    inner = cdf(np.sqrt(df) * s / np.sqrt((1 - s) * (1 + s)), df)
    return np.concatenate([[0.0], inner, [1.0, 1.0]])


def fast_cdf(t: Floats, df: int) -> Floats:
    """Return cdf from a table, right to about 1e-6, for arrays of millions."""
    table = _table(df)
    s = t * t
    s += df
    np.sqrt(s, out=s)
    np.divide(t, s, out=s)
    s += 1.0
    s *= STEPS / 2
    low = s.astype(np.int32)
    s -= low
    below = table.take(low)
    low += 1
    above = table.take(low)
    above -= below
    above *= s
    above += below
    probability: Floats = above
    return probability


@lru_cache(maxsize=4096)
def quantile(p: float, df: int) -> float:
    """Return the t that a Student t stays at or under with probability p."""
    if p == 0.5:
        return 0.0
    low, high = -1.0, 1.0
    while float(cdf(np.array(low), df)) > p:
        low *= 2
    while float(cdf(np.array(high), df)) < p:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if float(cdf(np.array(middle), df)) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def normal_cdf(z: Floats) -> Floats:
    """Return the probability of a standard normal of at most z."""
    probability: Floats = np.asarray(0.5 * _erfc(-np.asarray(z) / sqrt(2)), dtype=np.float64)
    return probability


def normal_quantile(p: float) -> float:
    """Return the z that a standard normal stays at or under with probability p."""
    return _NORMAL.inv_cdf(p)


_A = (-3.969683028665376e01, 2.209460984245205e02, -2.759285104469687e02, 1.383577518672690e02, -3.066479806614716e01, 2.506628277459239e00)  # fmt: skip
_B = (-5.447609879822406e01, 1.615858368580409e02, -1.556989798598866e02, 6.680131188771972e01, -1.328068155288572e01, 1.0)  # fmt: skip
_C = (-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e00, -2.549732539343734e00, 4.374664141464968e00, 2.938163982698783e00)  # fmt: skip
_D = (7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e00, 3.754408661907416e00, 1.0)


def probit(p: Floats) -> Floats:
    """Return the standard normal quantiles of probabilities strictly between 0 and 1, right to about 1e-9.

    Source:
        P. J. Acklam, An algorithm for computing the inverse normal cumulative distribution function.
    """
    centre = p - 0.5
    r = centre * centre
    middle = centre * np.polyval(_A, r) / np.polyval(_B, r)
    q = np.sqrt(-2 * np.log(np.minimum(p, 1 - p)))
    tail = np.polyval(_C, q) / np.polyval(_D, q) * np.where(centre > 0, -1.0, 1.0)
    z: Floats = np.where(np.abs(centre) <= 0.5 - 0.02425, middle, tail)
    return z
