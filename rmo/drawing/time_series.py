"""A benefit over time: what was promised, what happened, what is expected, and what would have happened anyway."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from rmo.drawing import words
from rmo.drawing.axes import Plot, axis_ticks, cut_axis_note, left_margin, time_axis, value_axis, value_range
from rmo.drawing.placing import Labels, Place
from rmo.drawing.svg import Drawing, Pair, element, line, path, picture, rect, runs, spread, text

Values = Sequence[float | None]


@dataclass(frozen=True)
class TimeSeries:
    """One KPI under one benefit. Every series has one value a period, None where there is none.

    Args:
        label: What the chart shows, in words.
        periods: First days, oldest first, to the end of the promise.
        decimals: Of the KPI.
        promise: The version in force.
        earlier: Versions that it replaced.
        forecast: From the first open period on.
        band: The lower and the upper end of the 80 % interval.
        gap_tone: good or bad when the verdict says so; nothing for an ordinary wobble.
        gap_words: The distance to the plan in words; made from the figures when it is not given.
        events: Numbers of `periods` at which something happened; they are numbered in this order.
    """

    label: str
    periods: Sequence[date]
    decimals: int
    promise: Values = ()
    actual: Values = ()
    forecast: Values = ()
    band: tuple[Values, Values] | None = None
    earlier: Sequence[Values] = ()
    anyway: Values = ()
    previous: Values = ()
    gap_tone: str = ""
    gap_words: str = ""
    baseline: str = ""
    actual_words: str = "actual"
    promise_words: str = "promised"
    forecast_words: str = "forecast"
    anyway_words: str = "would have happened anyway"
    events: Sequence[int] = ()


@dataclass(frozen=True)
class _End:
    y: float
    lines: list[tuple[str, str]]  # (css, words)


def time_series(series: TimeSeries) -> Drawing:
    """Return the chart for a full column, for a half and for a phone."""
    return Drawing(
        series.label,
        wide=_drawn(series, 1216, 330, outside=178),
        middle=_drawn(series, 660, 300, outside=150),
        phone=_drawn(series, 328, 270, outside=0),
    )


def axis_note(series: TimeSeries) -> str:
    """Return what the chart's corner says of a cut axis, or nothing."""
    return cut_axis_note(_all_values(series))


def _drawn(series: TimeSeries, width: float, height: float, outside: float) -> Markup:
    low, high = value_range(_all_values(series))
    ticks = axis_ticks(low, high)
    ends_outside = outside > 0
    right = width - outside if ends_outside else width - 8
    plot = Plot(
        series.periods, low, high, left_margin(ticks), right, 20 if series.events else 10, height - 40
    )
    labels = Labels(plot.left + 2, plot.right if not ends_outside else width - 2, plot.top, plot.bottom)
    for values in (series.promise, series.actual, series.forecast, series.anyway, *series.earlier):
        for run in runs(plot.points(values)):
            labels.avoid(run)
    for index in series.events:
        labels.avoid([(plot.x(index), plot.top + y) for y in range(0, int(plot.bottom - plot.top), 12)])
    parts = [
        *_ground(series, plot),
        value_axis(plot, ticks),
        *_band(series, plot),
        *_lines(series, plot),
        *_events(series, plot),
        *_newest(series, plot, labels),
        *_gap(series, plot, labels),
        time_axis(plot),
        *(_ends_outside(series, plot) if ends_outside else _ends_inside(series, plot, labels)),
    ]
    if series.baseline and ends_outside:
        x = plot.left + 8
        parts.append(
            labels.put(series.baseline, "t2 ts c-halo", [Place(x, plot.top + 12), Place(x, plot.bottom - 8)])
        )
    return picture(parts, width=width, height=height, label=series.label)


def _ground(series: TimeSeries, plot: Plot) -> list[Markup]:
    """Return the open future: everything after the newest actual value that has a promise or a forecast."""
    start = _newest_index(series.actual)
    begins = 0 if start is None else start + 1
    if begins >= len(series.periods):
        return []
    x = plot.left + begins * plot.step
    return [rect(x, plot.top, plot.right - x, plot.bottom - plot.top, "f-sunk")]


def _band(series: TimeSeries, plot: Plot) -> list[Markup]:
    if series.band is None:
        return []
    lower, upper = series.band
    pairs = zip(plot.points(lower), plot.points(upper), strict=True)
    both = [None if below is None or above is None else (below, above) for below, above in pairs]
    shapes: list[Markup] = []
    stretch: list[tuple[Pair, Pair]] = []
    for pair in [*both, None]:
        if pair is not None:
            stretch.append(pair)
            continue
        outline = [above for _, above in stretch] + [below for below, _ in reversed(stretch)]
        if len(stretch) == 1:
            (x, below), (_, above) = stretch[0]
            outline = [(x - 3, above), (x + 3, above), (x + 3, below), (x - 3, below)]
        shapes.append(path(outline, "f-band", closed=True))
        stretch = []
    return [shape for shape in shapes if shape]


def _lines(series: TimeSeries, plot: Plot) -> list[Markup]:
    parts: list[Markup] = []
    for values, css in (
        (series.previous, "k-previous"),
        *((version, "k-old") for version in series.earlier),
        (series.promise, "k-plan"),
        (series.anyway, "k-anyway"),
        (series.actual, "k-actual"),
    ):
        parts += _line(plot.points(values), css)
    parts += _line(_joined_forecast(series, plot), "k-forecast")
    return parts


def _line(points: Sequence[Pair | None], css: str) -> list[Markup]:
    """Return a line with its gaps; a value with no neighbour is a dot, so that it is not lost."""
    parts: list[Markup] = []
    for run in runs(points):
        if len(run) == 1:
            parts.append(element("circle", cx=run[0][0], cy=run[0][1], r=2, class_="f-actual"))
        parts.append(path(run, css))
    return parts


def _joined_forecast(series: TimeSeries, plot: Plot) -> list[Pair | None]:
    """Return the forecast, starting at the newest actual value when it follows directly."""
    points = plot.points(series.forecast)
    newest = _newest_index(series.actual)
    if newest is not None and newest + 1 < len(points) and points[newest + 1] is not None:
        points[newest] = (plot.x(newest), plot.y(_value(series.actual, newest)))
    return points


def _events(series: TimeSeries, plot: Plot) -> list[Markup]:
    parts: list[Markup] = []
    for number, index in enumerate(series.events, start=1):
        x = plot.x(index)
        parts += [
            line(x, plot.top + 2, x, plot.bottom, "k-limit"),
            element("circle", cx=x, cy=plot.top - 6, r=8, class_="f-page"),
            element("circle", cx=x, cy=plot.top - 6, r=8, class_="k-ink"),
            text(x, plot.top - 1.7, str(number), "mid ts tb"),
        ]
    return parts


def _gap(series: TimeSeries, plot: Plot, labels: Labels) -> list[Markup]:
    """Return the bracket from the newest actual value to its plan, when both exist and are apart."""
    newest = _newest_index(series.actual)
    if newest is None or newest >= len(series.promise) or series.promise[newest] is None:
        return []
    actual, plan = _value(series.actual, newest), _value(series.promise, newest)
    top, bottom = sorted((plot.y(actual), plot.y(plan)))
    if bottom - top < 8:
        return []
    x = plot.x(newest) + 9
    stroke = f"k-{series.gap_tone}" if series.gap_tone else "k-ink"
    fill = f" f-{series.gap_tone}" if series.gap_tone else ""
    said = series.gap_words or _distance(actual, plan, series.decimals)
    middle = (top + bottom) / 2 + 4
    beyond = bottom + 16 if _plan_is_lower(plot, actual, plan) else top - 8
    places = [
        Place(x + 8, middle),
        Place(x - 4, beyond, end=True),
        Place(x + 8, beyond),
        Place(x - 8, middle, end=True),
    ]
    return [
        line(x, top, x, bottom, stroke),
        line(x - 4, top, x + 4, top, stroke),
        line(x - 4, bottom, x + 4, bottom, stroke),
        labels.put(said, f"ts tb c-halo{fill}", places),
    ]


def _newest(series: TimeSeries, plot: Plot, labels: Labels) -> list[Markup]:
    """Return the dot at the newest actual value and its figure, if possible on the side where the plan is not."""
    newest = _newest_index(series.actual)
    if newest is None:
        return []
    value = _value(series.actual, newest)
    x, y = plot.x(newest), plot.y(value)
    said = f"{words.figure_value(value, series.decimals)} {series.actual_words}"
    plan = series.promise[newest] if newest < len(series.promise) else None
    near, far = (y - 14, y + 24) if plan is None or _plan_is_lower(plot, value, plan) else (y + 24, y - 14)
    places = [
        Place(x + 6, near),
        Place(x + 6, near, end=True),
        Place(x + 6, far),
        Place(x - 8, far, end=True),
    ]
    dot = element("circle", cx=x, cy=y, r=4, class_="f-actual")
    return [dot, labels.put(said, "ts tb c-halo", places)]


def _plan_is_lower(plot: Plot, actual: float, plan: float) -> bool:
    """Tell whether the plan is drawn below the actual value."""
    return plot.y(plan) >= plot.y(actual)


def _line_ends(series: TimeSeries, plot: Plot, *, full: bool) -> list[_End]:
    ends: list[_End] = []
    if (at := _newest_index(series.anyway)) is not None:
        value = _value(series.anyway, at)
        said = words.figure_value(value, series.decimals)
        first, second = _halves(series.anyway_words)
        lines = [f"{said} {first}", second] if full else [f"{said} anyway"]
        ends.append(_End(plot.y(value), [("ts t2", entry) for entry in lines if entry]))
    if (at := _newest_index(series.forecast)) is not None:
        value = _value(series.forecast, at)
        said = f"{words.figure_value(value, series.decimals)} {series.forecast_words}"
        interval = _interval(series, at)
        ends.append(_End(plot.y(value), [("ts tb", said if full else said.split(",")[0])]))
        if full and interval:
            ends[-1].lines.append(("ts t2", interval))
    if (at := _newest_index(series.promise)) is not None:
        value = _value(series.promise, at)
        said = f"{words.figure_value(value, series.decimals)} {series.promise_words}"
        ends.append(_End(plot.y(value), [("ts tb", said if full else said.split(",")[0])]))
    return ends


def _halves(said: str) -> tuple[str, str]:
    """Return words in two lines of about the same length."""
    each = said.split(" ")
    middle = (len(each) + 1) // 2
    return " ".join(each[:middle]), " ".join(each[middle:])


def _ends_outside(series: TimeSeries, plot: Plot) -> list[Markup]:
    """Return the words at the ends of the lines, right of the plot, moved apart where they would touch."""
    ends = _line_ends(series, plot, full=True)
    places = spread([end.y for end in ends], 31, plot.top + 6, plot.bottom)
    return [
        text(plot.right + 8, y + 4 + 14 * number, said, css)
        for end, y in zip(ends, places, strict=True)
        for number, (css, said) in enumerate(end.lines)
    ]


def _ends_inside(series: TimeSeries, plot: Plot, labels: Labels) -> list[Markup]:
    """Return shorter words at the ends of the lines, above or below them, for a phone."""
    parts: list[Markup] = []
    for end in _line_ends(series, plot, full=False):
        css, said = end.lines[0]
        places = [Place(plot.right, end.y + shift, end=True) for shift in (-6, 16, -20, 30)]
        parts.append(labels.put(said, f"{css} c-halo", places))
    return parts


def _interval(series: TimeSeries, at: int) -> str:
    if series.band is None or at >= len(series.band[0]):
        return ""
    low, high = series.band[0][at], series.band[1][at]
    if low is None or high is None:
        return ""
    ends = " to ".join(words.figure_value(value, series.decimals) for value in (low, high))
    return f"80{words.GAP}%: {ends}"


def _distance(actual: float, plan: float, decimals: int) -> str:
    side = "above" if actual > plan else "below"
    return f"{words.figure_value(abs(actual - plan), decimals)} {side} plan"


def _newest_index(values: Values) -> int | None:
    return next((index for index in range(len(values) - 1, -1, -1) if values[index] is not None), None)


def _value(values: Values, index: int) -> float:
    value = values[index]
    assert value is not None
    return value


def _all_values(series: TimeSeries) -> list[float | None]:
    several = [
        series.promise,
        series.actual,
        series.forecast,
        series.anyway,
        series.previous,
        *series.earlier,
    ]
    several += list(series.band or ())
    return [value for values in several for value in values]
