"""A line of 120 px that shows the shape of a KPI's newest readings, beside the newest one in figures."""

from collections.abc import Sequence

from markupsafe import Markup

from rmo.drawing.svg import Scale, element, path, picture, runs

WIDTH, HEIGHT = 120.0, 24.0


def sparkline(values: Sequence[float | None], *, label: str, tone: str = "actual") -> Markup:
    """Return the shape of some readings, oldest first; a missing one breaks the line.

    Args:
        values: The readings. None is missing.
        label: What a screen reader says, such as "Last 18 readings".
        tone: actual, good or bad: the colour of the newest point, when it is a signal.
    """
    known = [value for value in values if value is not None]
    across = Scale(0, max(len(values) - 1, 1), 3, WIDTH - 7)
    up = Scale(min(known, default=0), max(known, default=0), HEIGHT - 4, 4)
    flat = not known or min(known) == max(known)
    points = [
        None if value is None else (across(index), HEIGHT / 2 if flat else up(value))
        for index, value in enumerate(values)
    ]
    parts: list[Markup] = []
    for run in runs(points):
        if len(run) == 1:
            parts.append(element("circle", cx=run[0][0], cy=run[0][1], r=1.25, class_="f-actual"))
        parts.append(path(run, "k-actual k-slim"))
    newest = points[-1] if points else None
    if newest is not None:
        parts.append(element("circle", cx=newest[0], cy=newest[1], r=3, class_=f"f-{tone}"))
    return picture(parts, width=WIDTH, height=HEIGHT, label=label, css="chart fixed")
