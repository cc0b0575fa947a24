"""The bridge from promised to what became of it: one row a part, bars that add up, and the same in figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup

from rmo.drawing import words
from rmo.drawing.icons import DOTS, HATCH
from rmo.drawing.svg import Drawing, Scale, clipped, line, outlined, picture, rect, text

MILLION = 1_000_000_00  # in pennies
PITCH, BAR = 28.0, 17.0


class Part(StrEnum):
    """What a row of the bridge is."""

    PROMISED = "promised"  # a total, from zero
    REBASELINED = "rebaselined"  # ± on the first promise
    REMOVED = "removed"  # − as counted twice
    REALISED = "realised"
    FORECAST = "forecast"
    UNPROVEN = "unproven"
    SHORTFALL = "shortfall"  # a negative one is a surplus


TERMS = (Part.REALISED, Part.FORECAST, Part.UNPROVEN, Part.SHORTFALL)
TONES = {Part.UNPROVEN: "f-unknown", Part.SHORTFALL: "f-bad"}


@dataclass(frozen=True)
class BridgeRow:
    """A part of the bridge: its name, its money in pennies and how much that changed since the day compared with."""

    name: str
    pennies: int
    kind: Part
    change: int | None = None


@dataclass(frozen=True)
class BridgeLine:
    """A row as figures: what the table below the drawing shows."""

    name: str
    pennies: int
    share: float | None  # of what is promised
    change: int | None
    total: bool


@dataclass(frozen=True)
class _Bar:
    row: BridgeRow
    start: int
    end: int

    @property
    def left(self) -> int:
        return min(self.start, self.end)

    @property
    def right(self) -> int:
        return max(self.start, self.end)


def bridge(rows: Sequence[BridgeRow], *, since: str = "") -> Drawing:
    """Return the bridge. The last promised row is what the terms below it add up to.

    Args:
        rows: From the first promise to the shortfall, top to bottom.
        since: The head of the column of changes, such as "since Feb". Without it there is no such column.
    """
    label = _label(rows)
    return Drawing(label, _wide(rows, since, label), _phone(rows, label))


def bridge_lines(rows: Sequence[BridgeRow]) -> tuple[BridgeLine, ...]:
    """Return the rows as figures, each term with its share of what is promised."""
    promised = promised_in(rows)
    return tuple(
        BridgeLine(
            row.name,
            row.pennies,
            row.pennies / promised if promised and row.kind in TERMS else None,
            row.change,
            row.kind is Part.PROMISED,
        )
        for row in rows
    )


def promised_in(rows: Sequence[BridgeRow]) -> int:
    """Return what the terms add up to, in pennies: the last row that is a total."""
    totals = [row.pennies for row in rows if row.kind is Part.PROMISED]
    return totals[-1] if totals else 0


def _wide(rows: Sequence[BridgeRow], since: str, label: str) -> Markup:
    bars = _bars(rows)
    millions = _in_millions(rows)
    start, figures = 176.0, 548.0 if since else 604.0
    share_at = figures + 44.0
    across = _across(bars, start, figures - 47.0 - (0 if millions else 24))
    top = 20.0
    parts = [text(figures, 11, "£m" if millions else "£", "t2 ts end"), text(share_at, 11, "%", "t2 ts end")]
    if since:
        parts.append(text(660, 11, since, "t2 ts end"))
    places, divider = _places(rows, top)
    parts += [line(0, divider, 660, divider, "k-grid")] if divider else []
    for bar, entry, y in zip(bars, bridge_lines(rows), places, strict=True):
        strong = bar.row.kind in TERMS[:1] or (entry.total and bar.row.pennies == promised_in(rows))
        tone = _tone(bar.row)
        parts += _drawn(bar, across, y)
        name = clipped(bar.row.name, start - 10, bold=strong)
        parts.append(text(0, y + 13.5, name, "tb" if strong else None))
        parts.append(text(figures, y + 13.5, _figure(bar.row.pennies, millions), f"end tb {tone}".strip()))
        if entry.share is not None:
            parts.append(text(share_at, y + 13.5, words.points(entry.share), "end t2"))
        if since and entry.change is not None:
            parts.append(text(660, y + 13.5, _figure(entry.change, millions, signed=True), "end t2"))
    parts += _connectors(bars, across, places, BAR)
    height = places[-1] + BAR + 4 if places else top
    parts.append(line(across(0), top - 2, across(0), height - 2, "k-ink"))
    return picture(parts, width=660, height=height, label=label)


def _phone(rows: Sequence[BridgeRow], label: str) -> Markup:
    bars = _bars(rows)
    millions = _in_millions(rows)
    across = _across(bars, 0.0, 328.0)
    places = [24.0 + 46 * index for index in range(len(rows))]
    parts: list[Markup] = []
    for bar, entry, y in zip(bars, bridge_lines(rows), places, strict=True):
        figure = _figure(bar.row.pennies, millions)
        if not millions:
            figure = f"£{figure}"
        if entry.share is not None:
            figure = f"{figure} · {words.percent(entry.share)}"
        parts.append(text(0, y - 6, clipped(bar.row.name, 328 - 9 * len(figure), bold=True), "tb c-halo"))
        parts.append(text(328, y - 6, figure, f"end tb c-halo {_tone(bar.row)}".strip()))
        parts += _drawn(bar, across, y)
    height = places[-1] + BAR + 4 if places else 24.0
    lines = [*_connectors(bars, across, places, BAR), line(across(0), 20, across(0), height - 2, "k-ink")]
    return picture([*lines, *parts], width=328, height=height, label=label)


def _bars(rows: Sequence[BridgeRow]) -> list[_Bar]:
    """Return where each bar starts and ends, in pennies from zero: each starts where the one before ended."""
    bars: list[_Bar] = []
    level = terms = 0
    for row in rows:
        if row.kind is Part.PROMISED:
            level = row.pennies
            bars.append(_Bar(row, 0, level))
        elif row.kind in TERMS:
            bars.append(_Bar(row, terms, terms + row.pennies))
            terms += row.pennies
        else:
            bars.append(_Bar(row, level, level + row.pennies))
            level += row.pennies
    return bars


def _across(bars: Sequence[_Bar], start: float, end: float) -> Scale:
    low = min([0, *(bar.left for bar in bars)])
    high = max([0, *(bar.right for bar in bars)])
    return Scale(low, high if high > low else low + 1, start, end)


def _places(rows: Sequence[BridgeRow], top: float) -> tuple[list[float], float]:
    places: list[float] = []
    divider = 0.0
    y = top
    for index, row in enumerate(rows):
        if index and row.kind in TERMS and rows[index - 1].kind not in TERMS:
            divider = y + 0.5
            y += 6.0
        places.append(y)
        y += PITCH
    return places, divider


def _drawn(bar: _Bar, across: Scale, y: float) -> list[Markup]:
    left, width = across(bar.left), across(bar.right) - across(bar.left)
    if bar.row.pennies == 0:
        return []
    box = (left, y, width, BAR)
    kind = bar.row.kind
    if kind is Part.REALISED:
        return [rect(*box, "f-actual")]
    if kind is Part.FORECAST:
        return [outlined(*box, "k-plan", fill=HATCH)]
    if kind is Part.UNPROVEN:
        return [outlined(*box, "k-unknown", fill=DOTS)]
    if kind is Part.SHORTFALL:
        return [rect(*box, "f-bad" if bar.row.pennies > 0 else "f-good")]
    parts = [outlined(*box, "k-planbox")]
    if kind is Part.REMOVED:
        parts.append(line(left, y + BAR, left + width, y, "k-plan"))
    return parts


def _connectors(bars: Sequence[_Bar], across: Scale, places: Sequence[float], height: float) -> list[Markup]:
    """Return the upright hairlines that carry a bar's end to the next bar, and the promise down to the last term."""
    parts: list[Markup] = []
    promise: tuple[float, float] | None = None
    for index, bar in enumerate(bars):
        x, bottom = across(bar.end), places[index] + height
        following = bars[index + 1] if index + 1 < len(bars) else None
        if following is None:
            continue
        if bar.row.kind not in TERMS and following.row.kind in TERMS:
            promise = (x, bottom)
        else:
            parts.append(line(x, bottom, x, places[index + 1], "k-axis"))
    if promise and bars[-1].row.kind in TERMS:
        parts.append(line(promise[0], promise[1], promise[0], places[-1], "k-axis"))
    return parts


def _tone(row: BridgeRow) -> str:
    if row.pennies == 0 or row.kind not in TONES:
        return ""
    return "f-good" if row.kind is Part.SHORTFALL and row.pennies < 0 else TONES[row.kind]


def _in_millions(rows: Sequence[BridgeRow]) -> bool:
    return any(abs(row.pennies) >= MILLION for row in rows)


def _figure(pennies: int, millions: bool, *, signed: bool = False) -> str:
    if millions:
        return words.millions(pennies, signed=signed)
    return words.figure_value(pennies / 100, signed=signed)


def _label(rows: Sequence[BridgeRow]) -> str:
    if not rows:
        return "Bridge from promised to realised: nothing is promised yet"
    said = ", ".join(f"{row.name} {words.money(row.pennies)}" for row in rows)
    return f"Bridge from promised to realised: {said}"
