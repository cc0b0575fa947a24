"""A bullet bar: actual against an upright plan mark, previous year below, tolerance as ground. Instead of gauges."""

from dataclasses import dataclass

from markupsafe import Markup

from rmo.drawing.svg import Scale, picture, rect

WIDTH, HEIGHT = 300.0, 22.0


@dataclass(frozen=True)
class Bullet:
    """One bar. Bars that are compared share `low` and `high`; they start at zero."""

    actual: float | None
    plan: float | None
    low: float
    high: float
    previous: float | None = None
    tolerance: tuple[float, float] | None = None


def bullet(bar: Bullet, *, label: str) -> Markup:
    """Return the bar. What is missing is left out; what lies outside the scale ends at its edge."""
    across = Scale(min(bar.low, 0.0), max(bar.high, 0.0), 0, WIDTH)
    parts = [rect(0, 3, WIDTH, 16, "f-sunk")]
    if bar.tolerance is not None:
        left, right = sorted(_inside(across, value) for value in bar.tolerance)
        parts.append(rect(left, 3, right - left, 16, "f-band"))
    if bar.previous is not None:
        parts.append(_bar(across, bar.previous, 13.5, 4.5, "f-previous"))
    if bar.actual is not None:
        parts.append(_bar(across, bar.actual, 5.5, 8, "f-actual"))
    if bar.plan is not None:
        parts.append(rect(_inside(across, bar.plan) - 2.25, 0, 4.5, HEIGHT, "f-ink c-ring"))
    return picture(parts, width=WIDTH, height=HEIGHT, label=label, css="chart fixed")


def bullet_scale(values: list[float | None]) -> tuple[float, float]:
    """Return the low and the high end that hold all values and zero, with a little room beyond the last."""
    known = [value for value in values if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    room = (high - low) * 0.04
    return (low - room if low < 0 else 0.0), (high + room if high > 0 else 0.0)


def _bar(across: Scale, value: float, y: float, height: float, css: str) -> Markup:
    left, right = sorted((across(0), _inside(across, value)))
    return rect(left, y, right - left, height, css)


def _inside(across: Scale, value: float) -> float:
    return min(max(across(value), 0.0), WIDTH)
