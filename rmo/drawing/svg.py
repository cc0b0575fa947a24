"""The few pieces that every drawing is made of: escaped elements, scales, ticks and paths."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Attribute = str | float | int | None
Pair = tuple[float, float]


@dataclass(frozen=True)
class Drawing:
    """One figure, drawn once for each room it may find itself in, and what it shows in words."""

    label: str
    wide: Markup
    phone: Markup
    middle: Markup | None = None  # for full-width figures where the window is narrower


@dataclass(frozen=True)
class Scale:
    """A straight line from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value stands. A scale of no length puts everything at its start."""
        if self.high == self.low:
            return self.start
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def element(name: str, content: str = "", /, **attributes: Attribute) -> Markup:
    """Return an element with escaped content; `class_` is class, `text_anchor` is text-anchor."""
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if not content:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{escape(content)}</{name}>")


def group(parts: Iterable[str], **attributes: Attribute) -> Markup:
    """Return elements in a `g`, so that they can be moved or named together."""
    return element("g", joined(parts), **attributes)


def joined(parts: Iterable[str]) -> Markup:
    """Return parts one after the other, escaping those that are not markup."""
    return Markup("").join(parts)


def picture(parts: Iterable[str], *, width: float, height: float, label: str, css: str = "chart") -> Markup:
    """Return a whole drawing that tells a screen reader what it shows."""
    return element(
        "svg",
        joined(parts),
        class_=css,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
    )


def rect(x: float, y: float, width: float, height: float, css: str | None, **more: Attribute) -> Markup:
    """Return a box; one of less than nothing is nothing."""
    return element("rect", x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), class_=css, **more)


def outlined(
    x: float, y: float, width: float, height: float, css: str, inset: float = 0.6, fill: str | None = None
) -> Markup:
    """Return a box whose outline lies inside the given measures, so that outlined and solid bars are as long."""
    aside, down = min(inset, width / 2), min(inset, height / 2)
    inner = (x + aside, y + down, width - 2 * aside, height - 2 * down)
    ground = rect(*inner, None, fill=fill) if fill else Markup("")
    return ground + rect(*inner, css)


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    """Return a straight line."""
    return element("path", d=f"M{_short(x1)} {_short(y1)}L{_short(x2)} {_short(y2)}", class_=css)


def path(points: Sequence[Pair], css: str, *, closed: bool = False) -> Markup:
    """Return a line through points, or nothing for fewer than two."""
    if len(points) < 2:
        return Markup("")
    route = "L".join(f"{_short(x)} {_short(y)}" for x, y in points)
    return element("path", d=f"M{route}{'Z' if closed else ''}", class_=css)


def text(x: float, y: float, content: str, css: str | None = None, **more: Attribute) -> Markup:
    """Return words at a place."""
    return element("text", content, x=x, y=y, class_=css, **more)


def runs(points: Iterable[Pair | None]) -> list[list[Pair]]:
    """Return the unbroken stretches of points. A missing one ends a stretch: lines never cross a gap."""
    stretches: list[list[Pair]] = [[]]
    for point in points:
        if point is None:
            stretches.append([])
        else:
            stretches[-1].append(point)
    return [stretch for stretch in stretches if stretch]


def nice_ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Return at most so many round values (1, 2, 2.5 or 5 times a power of ten) that lie within two others."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low] if math.isfinite(low) else []
    magnitude = math.floor(math.log10(high - low)) - 1
    for power in range(magnitude, magnitude + 4):
        for factor in (1.0, 2.0, 2.5, 5.0):
            step = factor * 10.0**power
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if 0 < last - first + 1 <= most:
                return [round(index * step, max(0, 2 - power)) for index in range(first, last + 1)]
    return [low]


def tick_decimals(ticks: Sequence[float]) -> int:
    """Return how many decimals tell the ticks apart, the same for all of them."""
    for decimals in range(7):
        if all(abs(round(tick, decimals) - tick) < 1e-9 * max(1.0, abs(tick)) for tick in ticks):
            return decimals
    return 7


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places for labels, in the same order, that keep a gap between neighbours and stay within bounds."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = list(wanted)
    lowest = low
    for index in order:
        placed[index] = max(placed[index], lowest)
        lowest = placed[index] + gap
    highest = high
    for index in reversed(order):
        placed[index] = min(placed[index], highest)
        highest = placed[index] - gap
    return placed


def text_width(content: str, size: float = 13.0, *, bold: bool = False) -> float:
    """Return about how many pixels words take in the sans face. Good to a tenth, enough to keep words apart."""
    narrow, wide = "iljtfrI.,:;·'’|()[] ", "mwMWÆŒ@%—"
    units = sum(0.27 if letter in narrow else 0.82 if letter in wide else 0.51 for letter in content)
    units += sum(0.07 for letter in content if letter.isupper() and letter not in wide)
    return units * size * (1.06 if bold else 1.0)


def clipped(content: str, room: float, size: float = 13.0, *, bold: bool = False) -> str:
    """Return words that fit into so many pixels, with an ellipsis where some are left out."""
    if text_width(content, size, bold=bold) <= room:
        return content
    kept = content
    while kept and text_width(kept + "…", size, bold=bold) > room:
        kept = kept[:-1]
    return kept.rstrip(" ,;:·-") + "…"


def _attribute(key: str, value: Attribute) -> str:
    name = key if key == "viewBox" else key.rstrip("_").replace("_", "-")
    return f' {name}="{escape(_short(value) if isinstance(value, int | float) else value)}"'


def _short(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
