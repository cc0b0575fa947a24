"""What became of one promise, in a bar: small in a table's row, or with its figures on a benefit's page."""

from collections.abc import Iterable, Sequence
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
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Return where realised, forecast, unproven and shortfall start and end.

        Gains stack from zero to the right, losses from zero to the left; a surplus is the last stretch of the gains.
        """
        spans: list[tuple[int, int]] = []
        left = right = 0
        for amount in (self.realised, self.forecast, self.unproven):
            if amount < 0:
                spans.append((left + amount, left))
                left += amount
            else:
                spans.append((right, right + amount))
                right += amount
        spans.append(
            (right, right + self.shortfall) if self.shortfall >= 0 else (right + self.shortfall, right)
        )
        return tuple(spans)


def common_scale(all_parts: Iterable[Parts]) -> tuple[int, int]:
    """Return the lowest and the highest end of all bars of a table, so that they share one scale."""
    ends = [end for parts in all_parts for span in (*parts.spans, (0, parts.promised)) for end in span]
    return min(ends, default=0), max(ends, default=0)


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
    """Return the four terms side by side, and the promise: an outline around them, or a mark where losses widen them."""
    realised, forecast, unproven, shortfall = parts.spans
    drawn = [
        _box(across, realised, y, height, "f-actual"),
        _box(across, forecast, y, height, "k-plan", HATCH),
        _box(across, unproven, y, height, "k-unknown", DOTS),
    ]
    if parts.shortfall > 0:
        drawn.append(_box(across, shortfall, y, height, "f-bad"))
    if parts.shortfall < 0:
        drawn.append(_box(across, shortfall, y + height * 0.6, height * 0.4, "f-good"))
    zero, promised = across(0), across(parts.promised)
    if min(start for start, _ in parts.spans) < 0:
        drawn.append(line(zero, y - 2, zero, y + height + 2, "k-ink"))
        inside = min(max(promised - 2, across.start), across.end - 4)
        drawn.append(rect(inside, y - 1, 4, height + 2, "f-ink c-ring"))
    else:
        drawn.append(outlined(min(zero, promised), y, abs(promised - zero), height, "k-plan"))
    return drawn


def _box(
    across: Scale, span: tuple[int, int], y: float, height: float, css: str, fill: str | None = None
) -> Markup:
    left, right = across(span[0]), across(span[1])
    if span[0] == span[1]:
        return Markup("")
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
    surplus = parts.shortfall < 0
    said_parts = [
        (parts.realised, "realised", "tb"),
        (parts.forecast, "forecast", ""),
        (parts.unproven, "unproven", "tb f-unknown"),
        (abs(parts.shortfall), "surplus" if surplus else "shortfall", "tb f-good" if surplus else "tb f-bad"),
    ]
    captions, lines = _captions(said_parts, parts.spans, across, width)
    return picture([*drawn, *captions], width=width, height=42 + 14 * lines, label=label)


def _captions(
    said_parts: Sequence[tuple[int, str, str]],
    spans: Sequence[tuple[int, int]],
    across: Scale,
    width: float,
) -> tuple[list[Markup], int]:
    """Return the figure under each part, and how many lines they take: one that would touch another drops down."""
    captions: list[Markup] = []
    ends: list[float] = []
    for (pennies, word, css), (start, end) in zip(said_parts, spans, strict=True):
        if pennies == 0:
            continue
        said = f"{words.money(pennies)} {word}"
        room = text_width(said, 12, bold="tb" in css)
        left = min(max((across(start) + across(end) - room) / 2, 0.0), width - room)
        free = next((number for number, taken in enumerate(ends) if left >= taken + 8), len(ends))
        ends[free : free + 1] = [left + room]
        captions.append(text(left, 52 + 14 * free, said, f"ts {css}".strip()))
    return captions, len(ends)
