"""A KPI's process-behaviour chart: readings with their signals, the mean and limits of each level, the target."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from markupsafe import Markup

from rmo.drawing import words
from rmo.drawing.axes import Plot, axis_ticks, cut_axis_note, left_margin, time_axis, value_axis, value_range
from rmo.drawing.icons import signal_diamond
from rmo.drawing.svg import Drawing, element, line, path, picture, runs, spread, text, text_width


class Flag(StrEnum):
    """What a reading says, as the rules see it."""

    ORDINARY = "ordinary"
    IMPROVING = "improving"
    CONCERNING = "concerning"


@dataclass(frozen=True)
class ProcessPoint:
    """One period's reading, or its absence."""

    period: date
    value: float | None
    flag: Flag = Flag.ORDINARY
    note: str = ""


@dataclass(frozen=True)
class Segment:
    """A level: from one point to another, both included, with its mean and limits. Limits may not exist yet."""

    first: int
    last: int
    mean: float
    lower: float | None = None
    upper: float | None = None
    note: str = ""


@dataclass(frozen=True)
class ProcessChart:
    """A KPI's readings, oldest first, with what the rules made of them."""

    label: str
    points: Sequence[ProcessPoint]
    decimals: int
    segments: Sequence[Segment] = ()
    target: float | None = None


def process_chart(chart: ProcessChart) -> Drawing:
    """Return the chart for a full column, for a half and for a phone."""
    return Drawing(
        chart.label,
        wide=_drawn(chart, 1216, 330, outside=150),
        middle=_drawn(chart, 660, 300, outside=120),
        phone=_drawn(chart, 328, 250, outside=0),
    )


def axis_note(chart: ProcessChart) -> str:
    """Return what the chart's corner says of a cut axis, or nothing."""
    return cut_axis_note(_all_values(chart))


def _drawn(chart: ProcessChart, width: float, height: float, outside: float) -> Markup:
    low, high = value_range(_all_values(chart))
    ticks = axis_ticks(low, high)
    periods = [point.period for point in chart.points]
    right = width - outside if outside else width - 6
    plot = Plot(periods, low, high, left_margin(ticks), right, 24, height - 28)
    size = 3.5 if outside else 2.8
    parts = [value_axis(plot, ticks), *_levels(chart, plot, bool(outside))]
    for run in runs(plot.points([point.value for point in chart.points])):
        parts.append(path(run, "k-actual k-slim"))
    parts += [
        _point(plot, index, point, size)
        for index, point in enumerate(chart.points)
        if point.value is not None
    ]
    if outside > 130:
        parts += _notes(chart, plot)
    parts.append(time_axis(plot))
    parts += _words_outside(chart, plot) if outside else _words_inside(chart, plot)
    return picture(parts, width=width, height=height, label=chart.label)


def _levels(chart: ProcessChart, plot: Plot, notes: bool) -> list[Markup]:
    parts: list[Markup] = []
    for number, segment in enumerate(chart.segments):
        start = plot.left + segment.first * plot.step
        end = plot.left + (segment.last + 1) * plot.step
        if number:
            parts.append(line(start, plot.top, start, plot.bottom, "k-grid"))
        parts.append(line(start, plot.y(segment.mean), end, plot.y(segment.mean), "k-mean"))
        for limit in (segment.lower, segment.upper):
            if limit is not None:
                parts.append(line(start, plot.y(limit), end, plot.y(limit), "k-limit"))
        if notes and segment.note and text_width(segment.note, 12) <= end - start + 40:
            parts.append(text(start + 4 if number else plot.left + 2, plot.top - 8, segment.note, "ts t2"))
    if chart.target is not None:
        parts.append(line(plot.left, plot.y(chart.target), plot.right, plot.y(chart.target), "k-target"))
    return parts


def _point(plot: Plot, index: int, point: ProcessPoint, size: float) -> Markup:
    x, y = plot.x(index), plot.y(point.value or 0.0)
    if point.flag is Flag.CONCERNING:
        return signal_diamond(x, y, size * 2)
    if point.flag is Flag.IMPROVING:
        return element("circle", cx=x, cy=y, r=size + 2, class_="f-good c-ring")
    return element("circle", cx=x, cy=y, r=size, class_="f-actual")


def _notes(chart: ProcessChart, plot: Plot) -> list[Markup]:
    """Return the words beside the points that have some, as long as they do not run into each other."""
    parts: list[Markup] = []
    taken: list[tuple[float, float, float]] = []
    for index, point in enumerate(chart.points):
        if not point.note or point.value is None:
            continue
        x, y = plot.x(index), plot.y(point.value)
        said = point.note
        room = text_width(said, 12)
        to_the_right = x + 12 + room <= plot.right
        left = x + 12 if to_the_right else x - 12 - room
        if any(left < end and left + room > start and abs(y - other) < 15 for start, end, other in taken):
            continue
        taken.append((left, left + room, y))
        parts.append(text(left, y - 4, said, "ts c-halo"))
    return parts


def _words_outside(chart: ProcessChart, plot: Plot) -> list[Markup]:
    entries: list[tuple[float, str, str]] = []
    if chart.segments:
        newest = chart.segments[-1]
        entries = [
            (value, word, css)
            for value, word, css in (
                (newest.upper, "upper limit", "ts t2"),
                (newest.mean, "mean", "ts tb"),
                (newest.lower, "lower limit", "ts t2"),
            )
            if value is not None
        ]
    if chart.target is not None:
        entries.append((chart.target, "target", "ts tb"))
    places = spread([plot.y(value) for value, _, _ in entries], 15, plot.top, plot.bottom)
    return [
        text(plot.right + 8, y + 4, f"{words.figure_value(value, chart.decimals)} {word}", css)
        for (value, word, css), y in zip(entries, places, strict=True)
    ]


def _words_inside(chart: ProcessChart, plot: Plot) -> list[Markup]:
    """Return the two facts that a phone has room for: the newest limits, and the target."""
    parts: list[Markup] = []
    places: list[float] = []
    if chart.segments and (newest := chart.segments[-1]).lower is not None and newest.upper is not None:
        said = f"{words.figure_value(newest.lower, chart.decimals)} to {words.figure_value(newest.upper, chart.decimals)}"
        places.append(max(plot.y(newest.upper) - 7, plot.top + 10))
        parts.append(text(plot.right, places[0], said, "end ts t2 c-halo"))
    if chart.target is not None:
        y = plot.y(chart.target) - 6
        if places and abs(y - places[0]) < 15:
            y = plot.y(chart.target) + 15
        said = f"{words.figure_value(chart.target, chart.decimals)} target"
        parts.append(text(plot.right, min(y, plot.bottom - 4), said, "end ts tb c-halo"))
    return parts


def _all_values(chart: ProcessChart) -> list[float | None]:
    values = [point.value for point in chart.points]
    for segment in chart.segments:
        values += [segment.mean, segment.lower, segment.upper]
    return [*values, chart.target]
