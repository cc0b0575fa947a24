"""What became of one promise, in a bar: small in a table's row, or with its figures on a benefit's page."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from rmo.drawing import words
from rmo.drawing.icons import DOTS, HATCH
from rmo.drawing.svg import Drawing, Scale, line, outlined, picture, rect, text, text_width

WIDTH, HEIGHT = 120.0, 12.0


@dataclass(frozen=True)
class Parts:
    """The four terms of one promise, in pennies. Together they are the promise; a negative shortfall is a surplus."""

    realised: int
    forecast: int
    unproven: int
    shortfall: int

    @property
    def promised(self) -> int:
        """What the terms add up to."""
        return self.realised + self.forecast + self.unproven + self.shortfall

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Where realised, forecast, unproven and shortfall end, from zero."""
        first = self.realised
        second = first + self.forecast
        third = second + self.unproven
        return first, second, third, third + self.shortfall


def common_scale(all_parts: Iterable[Parts]) -> tuple[int, int]:
    """Return the lowest and the highest edge of all bars of a table, so that they share one scale."""
    edges = [edge for parts in all_parts for edge in (0, *parts.edges)]
    return min(edges, default=0), max(edges, default=0)


def minibar(parts: Parts, scale: tuple[int, int]) -> Markup:
    """Return the bar of a table's row, on the scale that the whole table shares."""
    low, high = scale
    across = Scale(low, high if high > low else low + 1, 0, WIDTH)
    drawn = _stack(parts, across, 0, HEIGHT)
    return picture(drawn, width=WIDTH, height=HEIGHT, label=describe(parts), css="chart fixed")


def promise_bar(parts: Parts, *, planned_by_now: int | None = None) -> Drawing:
    """Return the bar of a benefit's page, with its figures and a mark at what was planned by now."""
    label = describe(parts)
    if planned_by_now is not None:
        label += f"; {words.money(planned_by_now)} was planned by now"
    wide, phone = (_with_figures(parts, planned_by_now, width, label) for width in (524.0, 328.0))
    return Drawing(label, wide, phone)


def describe(parts: Parts) -> str:
    """Return a bar in words, for who cannot see it. What is nothing is left out."""
    said = [
        f"{words.money(abs(pennies))} {word}"
        for pennies, word in (
            (parts.realised, "realised" if parts.realised >= 0 else "lost"),
            (parts.forecast, "still forecast" if parts.forecast >= 0 else "loss forecast"),
            (parts.unproven, "unproven"),
            (parts.shortfall, "shortfall" if parts.shortfall >= 0 else "surplus"),
        )
        if pennies
    ]
    return f"Of {words.money(parts.promised)} promised: {', '.join(said) or 'nothing yet'}"


def _stack(parts: Parts, across: Scale, y: float, height: float) -> list[Markup]:
    """Return the four terms side by side, the promise as an outline around them."""
    first, second, third, promised = parts.edges
    drawn = [
        _box(across, 0, first, y, height, "f-actual"),
        _box(across, first, second, y, height, "k-plan", HATCH),
        _box(across, second, third, y, height, "k-unknown", DOTS),
    ]
    if parts.shortfall > 0:
        drawn.append(_box(across, third, promised, y, height, "f-bad"))
    if parts.shortfall < 0:
        drawn.append(_box(across, promised, third, y + height * 0.6, height * 0.4, "f-good"))
    left, right = sorted((across(0), across(promised)))
    drawn.append(outlined(left, y, right - left, height, "k-plan"))
    return drawn


def _box(
    across: Scale, start: int, end: int, y: float, height: float, css: str, fill: str | None = None
) -> Markup:
    if start == end:
        return Markup("")
    left, right = sorted((across(start), across(end)))
    if fill is None:
        return rect(left, y, right - left, height, css)
    return outlined(left, y, right - left, height, css, fill=fill)


def _with_figures(parts: Parts, planned_by_now: int | None, width: float, label: str) -> Markup:
    low, high = common_scale([parts])
    high = max(high, planned_by_now or 0)
    across = Scale(low, high if high > low else low + 1, 0, width)
    drawn = _stack(parts, across, 20, 16)
    if planned_by_now is not None:
        at = across(planned_by_now)
        said = f"{words.money(planned_by_now)} planned by now"
        drawn.append(line(at, 15, at, 40, "k-ink"))
        beside = at + text_width(said, 12) + 6 <= width
        drawn.append(text(at + 4 if beside else at - 4, 11, said, "ts t2" if beside else "ts t2 end"))
    first, second, third, promised = parts.edges
    said_parts = [
        (0, first, parts.realised, "realised", "tb"),
        (first, second, parts.forecast, "forecast", ""),
        (second, third, parts.unproven, "unproven", "tb f-unknown"),
        (third, promised, parts.shortfall, "shortfall", "tb f-bad"),
    ]
    if parts.shortfall < 0:
        said_parts[3] = (promised, third, -parts.shortfall, "surplus", "tb f-good")
    captions, lines = _captions(said_parts, across, width)
    return picture([*drawn, *captions], width=width, height=42 + 14 * lines, label=label)


def _captions(
    said_parts: list[tuple[int, int, int, str, str]], across: Scale, width: float
) -> tuple[list[Markup], int]:
    """Return the figure under each part, and how many lines they take: one that would touch another drops down."""
    captions: list[Markup] = []
    ends: list[float] = []
    for start, end, pennies, word, css in said_parts:
        if pennies == 0:
            continue
        said = f"{words.money(pennies)} {word}"
        room = text_width(said, 12, bold="tb" in css)
        left = min(max((across(start) + across(end) - room) / 2, 0.0), width - room)
        free = next((number for number, taken in enumerate(ends) if left >= taken + 8), len(ends))
        ends[free : free + 1] = [left + room]
        captions.append(text(left, 52 + 14 * free, said, f"ts {css}".strip()))
    return captions, len(ends)
