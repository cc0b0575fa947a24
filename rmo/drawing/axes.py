"""The two axes that charts over time share: values upwards, periods across."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from rmo.domain.calendar import MONTHS
from rmo.drawing import words
from rmo.drawing.svg import Pair, Scale, joined, line, nice_ticks, text, text_width, tick_decimals

STEPS_IN_MONTHS = (1, 3, 6, 12, 24, 60, 120)


@dataclass(frozen=True)
class Plot:
    """The ground of a chart over time: how many periods, which values, and where they stand."""

    periods: Sequence[date]
    low: float
    high: float
    left: float
    right: float
    top: float
    bottom: float

    @property
    def step(self) -> float:
        """How many pixels a period is wide."""
        return (self.right - self.left) / max(len(self.periods), 1)

    def x(self, index: float) -> float:
        """Return the middle of a period."""
        return self.left + (index + 0.5) * self.step

    def y(self, value: float) -> float:
        """Return the height of a value."""
        return Scale(self.low, self.high, self.bottom, self.top)(value)

    def points(self, values: Sequence[float | None]) -> list[Pair | None]:
        """Return where values stand, one a period; a missing one stands nowhere."""
        return [
            None if value is None else (self.x(index), self.y(value)) for index, value in enumerate(values)
        ]


def value_range(values: Iterable[float | None]) -> tuple[float, float]:
    """Return where the value axis starts and ends: at zero when that costs little, else a little outside the values."""
    known = [value for value in values if value is not None]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    if low == high:
        room = abs(low) * 0.1 or 1.0
        low, high = low - room, high + room
    if 0.0 <= low < 0.4 * high:
        low = 0.0
    if 0.4 * low < high <= 0.0:
        high = 0.0
    room = (high - low) * 0.07
    unit = 10.0 ** (math.floor(math.log10(high - low)) - 1)
    lowest = low if low == 0.0 else math.floor((low - room) / unit) * unit
    return lowest, (high if high == 0.0 else high + room)


def cut_axis_note(values: Iterable[float | None]) -> str:
    """Return what a cut axis says of itself, such as "axis from 5.4", or nothing when it starts at zero."""
    low, high = value_range(values)
    return "" if low <= 0.0 <= high else f"axis from {words.figure_value(low, tick_decimals([low]))}"


def value_axis(plot: Plot, ticks: Sequence[float]) -> Markup:
    """Return the grid lines with their values, and the line at the foot."""
    decimals = tick_decimals(ticks)
    parts: list[Markup] = []
    for tick in ticks:
        y = plot.y(tick)
        parts.append(line(plot.left, y, plot.right, y, "k-axis" if tick == 0 and plot.low < 0 else "k-grid"))
        parts.append(text(plot.left - 8, y + 4, words.figure_value(tick, decimals), "end t2 ts"))
    parts.append(line(plot.left, plot.bottom, plot.right, plot.bottom, "k-axis"))
    return joined(parts)


def left_margin(ticks: Sequence[float]) -> float:
    """Return the room that the values of an axis take."""
    decimals = tick_decimals(ticks)
    return 10 + max((text_width(words.figure_value(tick, decimals), 12) for tick in ticks), default=0.0)


def axis_ticks(low: float, high: float) -> list[float]:
    """Return four round values or fewer between the ends of an axis."""
    return nice_ticks(low, high, 4)


def time_axis(plot: Plot) -> Markup:
    """Return the marks and the words of the period axis."""
    room = plot.right - plot.left
    narrow = room < 400
    parts: list[Markup] = []
    last_end = -100.0
    for index, said in time_ticks(plot.periods, int(room / (56 if narrow else 110)), years_only=narrow):
        x = plot.left + index * plot.step
        width = text_width(said, 12)
        place = min(x + 4, plot.right - width)
        if place < last_end + 8:
            continue
        parts.append(line(x, plot.bottom, x, plot.bottom + 6, "k-axis"))
        parts.append(text(place, plot.bottom + 18, said, "t2 ts"))
        last_end = place + width
    return joined(parts)


def time_ticks(periods: Sequence[date], most: int, *, years_only: bool = False) -> list[tuple[int, str]]:
    """Return (index, words) where months, quarters or years begin, as fine as so many marks allow."""
    years_only = years_only and len(_starts(periods, 12)) > 1
    for months in STEPS_IN_MONTHS[3 if years_only else 0 :]:
        ticks = _starts(periods, months)
        if len(ticks) <= most:
            break
    if len(ticks) >= 2 or len(periods) < 2:
        return [(index, _said(periods[index], 24 if years_only else months)) for index in ticks]
    return [(0, words.column_day(periods[0])), (len(periods) - 1, words.column_day(periods[-1]))]


def _starts(periods: Sequence[date], months: int) -> list[int]:
    numbers = [(period.year * 12 + period.month - 1) // months for period in periods]
    return [
        index
        for index, number in enumerate(numbers)
        if (index and number != numbers[index - 1]) or (index == 0 and _begins(periods[0], months))
    ]


def _begins(period: date, months: int) -> bool:
    return period.day == 1 and (period.year * 12 + period.month - 1) % months == 0


def _said(period: date, months: int) -> str:
    if months >= 24:
        return str(period.year)
    return f"{MONTHS[period.month - 1]} {period.year}"
