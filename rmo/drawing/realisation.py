"""Realisation over time: a column a quarter or a year, plan outlined behind, actual solid, forecast hatched."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from rmo.drawing import words
from rmo.drawing.bridge import MILLION
from rmo.drawing.icons import HATCH
from rmo.drawing.svg import Drawing, Scale, line, outlined, picture, rect, spread, text, text_width

UNSEEN = 0.05  # the height that is written as nothing


@dataclass(frozen=True)
class Column:
    """One quarter or year, in pennies, to date or of that period. One of actual and forecast is given, or neither."""

    name: str  # Q1
    year: str  # 2024/25; nothing when columns are years
    planned: int | None
    actual: int | None = None
    forecast: int | None = None
    low: int | None = None  # of the 80 % interval of the forecast
    high: int | None = None


@dataclass(frozen=True)
class _Room:
    left: float
    right: float
    bottom: float
    up: Scale
    step: float

    def x(self, index: int) -> float:
        return self.left + index * self.step


def realisation(columns: Sequence[Column], *, label: str, actual_words: str = "realised") -> Drawing:
    """Return the columns for a third of the page and for a phone.

    Args:
        columns: Oldest first.
        label: What the drawing shows, in words.
        actual_words: What follows the newest actual figure, such as "by March 2026".
    """
    wide = _drawn(columns, 524, 206, label, actual_words, outside=92)
    return Drawing(label, wide, _drawn(columns, 328, 240, label, actual_words, outside=0))


def _drawn(
    columns: Sequence[Column], width: float, height: float, label: str, actual_words: str, outside: float
) -> Markup:
    years = any(column.year for column in columns)
    top = 16.0 if outside else 56.0
    bottom = height - (34.0 if years else 20.0)
    amounts = [
        amount
        for column in columns
        for amount in (column.planned, column.actual, column.forecast, column.low, column.high)
        if amount is not None
    ]
    low, high = min([0, *amounts]), max([0, *amounts])
    up = Scale(low, high if high > low else low + 1, bottom, top)
    left, right = 4.0, width - outside if outside else width - 4.0
    room = _Room(left, right, bottom, up, (right - left) / max(len(columns), 1))
    millions = any(abs(amount) >= MILLION for amount in amounts)
    parts: list[Markup] = []
    for index, column in enumerate(columns):
        parts += _column(column, room, index)
    parts += _names(columns, room, years)
    parts.append(line(left, up(0), right, up(0), "k-axis"))
    parts += _newest(columns, room, actual_words, millions)
    parts += _ends(columns, room, millions, width, outside)
    return picture(parts, width=width, height=height, label=label)


def _column(column: Column, room: _Room, index: int) -> list[Markup]:
    bar, x = min(room.step * 0.62, 34.0), room.x(index)
    slack = room.step - bar * 1.33
    front, behind = x + slack / 2, x + slack / 2 + bar * 0.33
    parts: list[Markup] = []
    if column.planned is not None:
        parts.append(_bar(room, behind, bar, column.planned, "k-planbox"))
    if column.actual is not None:
        parts.append(_bar(room, front, bar, column.actual, "f-actual"))
    elif column.forecast is not None:
        parts.append(_bar(room, front, bar, column.forecast, "k-plan", HATCH))
    if column.low is not None and column.high is not None:
        middle, cap = front + bar / 2, min(4.0, bar / 3)
        low, high = room.up(column.low), room.up(column.high)
        parts.append(line(middle, low, middle, high, "k-ink"))
        parts += [line(middle - cap, y, middle + cap, y, "k-ink") for y in (low, high)]
    return parts


def _bar(room: _Room, x: float, width: float, amount: int, css: str, fill: str | None = None) -> Markup:
    top, bottom = sorted((room.up(amount), room.up(0)))
    if css == "f-actual":
        seen = bottom - top >= UNSEEN
        return rect(x, top, width, bottom - top, css) if seen else Markup("")
    return outlined(x, top, width, bottom - top, css, fill=fill)


def _names(columns: Sequence[Column], room: _Room, years: bool) -> list[Markup]:
    parts: list[Markup] = []
    fits = room.step >= _widest(columns) + 4
    every = 1 if fits else math.ceil((_widest(columns) + 8) / room.step)
    for index, column in enumerate(columns):
        if fits or (not years and index % every == 0):  # quarters too many to name are named by their years
            parts.append(text(room.x(index) + room.step / 2, room.bottom + 14, column.name, "mid t2 ts"))
    if not years:
        return parts
    start = 0
    for year, members in groupby(columns, key=lambda column: column.year):
        count = len(list(members))
        said = year if room.step * count >= text_width(year, 12) + 4 else year[-5:]  # 2025/26, or 25/26
        foot = 30 if fits else 14
        if room.step * count >= text_width(said, 12):
            middle = room.x(start) + room.step * count / 2
            parts.append(text(middle, room.bottom + foot, said, "mid t2 ts"))
        if start:
            parts.append(
                line(room.x(start), room.bottom + 2, room.x(start), room.bottom + foot + 2, "k-grid")
            )
        start += count
    return parts


def _widest(columns: Sequence[Column]) -> float:
    """Return how wide the widest name of a column is."""
    return max((text_width(column.name, 12) for column in columns), default=0.0)


def _newest(columns: Sequence[Column], room: _Room, actual_words: str, millions: bool) -> list[Markup]:
    """Return the newest actual figure and its plan, above that column, ending where it ends."""
    index = max((number for number, column in enumerate(columns) if column.actual is not None), default=None)
    if index is None:
        return []
    column = columns[index]
    assert column.actual is not None
    said = f"{_figure(column.actual, millions)} {actual_words}"
    y = room.up(max(column.actual, column.planned or 0, 0)) - 18
    x = max(room.x(index) + room.step * 0.8, text_width(said, 12, bold=True))
    parts = [text(x, y, said, "end ts tb c-halo")]
    if column.planned is not None:
        parts.append(text(x, y + 14, f"{_figure(column.planned, millions)} planned", "end t2 ts c-halo"))
    return parts


def _ends(
    columns: Sequence[Column], room: _Room, millions: bool, width: float, outside: float
) -> list[Markup]:
    if not columns:
        return []
    last = columns[-1]
    entries: list[tuple[float, list[tuple[str, str]]]] = []
    if last.planned is not None:
        entries.append((room.up(last.planned), [("ts tb", f"{_figure(last.planned, millions)} promised")]))
    if last.forecast is not None:
        lines = [("ts tb", f"{_figure(last.forecast, millions)} forecast")]
        if last.low is not None and last.high is not None:
            low, high = _figure(last.low, millions), _figure(last.high, millions)
            interval = (
                [f"80{words.GAP}%: {low}", f"to {high}"] if outside else [f"80{words.GAP}%: {low} to {high}"]
            )
            lines += [("ts t2", said) for said in interval]
        entries.append((room.up(last.forecast), lines))
    if outside:
        places = spread([y for y, _ in entries], 27, 12, room.bottom - 30)
        return [
            text(room.right + 8, y + 4 + 14 * number, said, css)
            for (_, lines), y in zip(entries, places, strict=True)
            for number, (css, said) in enumerate(lines)
        ]
    flat = [entry for _, lines in entries for entry in lines]
    return [text(4, 12 + 15 * number, said, css) for number, (css, said) in enumerate(flat)]


def _figure(pennies: int, millions: bool) -> str:
    return words.millions(pennies) if millions else words.figure_value(pennies / 100)
