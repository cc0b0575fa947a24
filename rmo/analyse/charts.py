"""`rmo analyse chart`: limits, flags, variation and assurance of every series of a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rmo.analyse.answers import Answer, Drawing, Line, plain
from rmo.analyse.files import BadFileError, BadLine, Series, as_batch, check_place, read_series
from rmo.domain.engine.chart import Assurance, Charts, Flag, PointType, process_charts, segments
from rmo.domain.parsing import WrittenPeriod
from rmo.domain.values import Flags

SIGNS = {"up": 1, "down": -1, "neutral": 0}


def answer(
    path: Path,
    *,
    direction: str = "neutral",
    target: float | None = None,
    no_screen: bool = False,
    fix_after: int | None = None,
    rebase: Sequence[WrittenPeriod] = (),
) -> Answer:
    """Return the charts of a file's series, all worked out as one batch."""
    series = read_series(path, numbers=("target", "rebase"), choices={"direction": tuple(SIGNS)})
    _check(path, series)
    for period in rebase:
        check_place(path, series, period)
    directions = [_said(one, "direction") or direction for one in series]
    targets = [_said(one, "target") for one in series]
    charts = process_charts(
        as_batch([one.values for one in series]),
        rebase=_rebases(series, rebase),
        direction=np.array([SIGNS[word] for word in directions]),
        target=np.array([float(text) if text else np.nan if target is None else target for text in targets]),
        screen=not no_screen,
        fix_after=fix_after,
    )
    entries = [_entry(one, charts, row) for row, one in enumerate(series)]
    return Answer("series", entries, lambda: [_drawing(one, charts, row) for row, one in enumerate(series)])


def _said(series: Series, column: str) -> str:
    """Return what a column says about a series: the first that is not empty."""
    return next((row.cells[column].lower() for row in series.rows if row.cells.get(column)), "")


def _check(path: Path, series: Sequence[Series]) -> None:
    """Complain of a series whose lines contradict each other, and of a rebase that is neither 0 nor 1."""
    problems = []
    for one in series:
        for column in ("direction", "target"):
            said = _said(one, column)
            problems += [
                BadLine(row.line, f"{column}: {row.cells[column]!r}, but {said!r} before in this series.")
                for row in one.rows
                if row.cells.get(column) and row.cells[column].lower() != said
            ]
        problems += [
            BadLine(row.line, f"rebase: {row.cells['rebase']!r} is neither 0 nor 1.")
            for row in one.rows
            if row.cells.get("rebase") and float(row.cells["rebase"].replace(",", "")) not in (0, 1)
        ]
    if problems:
        raise BadFileError(path, problems)


def _rebases(series: Sequence[Series], periods: Sequence[WrittenPeriod]) -> Flags:
    """Return where segments begin: the column's ones, and the first period that is not before one of those given."""
    begins: Flags = np.nan_to_num(as_batch([one.column("rebase") for one in series])) == 1
    for row, one in enumerate(series):
        for period in periods:
            first = one.place_of(period)
            later = [place for place in one.places if first is not None and place >= first]
            begins[row, later[:1]] = True
    return begins


def _entry(series: Series, charts: Charts, row: int) -> dict[str, Any]:
    last = series.places[-1]
    here = [part for part in segments(charts, row) if part.first <= last]
    entry: dict[str, Any] = {"name": series.name, "n": series.count}
    if series.count < 2:
        entry["problem"] = "Too short: limits need at least two readings."
    elif all(np.isnan(part.lower) for part in here):
        entry["problem"] = "No two readings are neighbours: there are no limits."
    entry["segments"] = [
        {
            "first": series.text(part.first),
            "last": series.text(min(part.last, last)),
            "mean": plain(part.mean),
            "lower": plain(part.lower),
            "upper": plain(part.upper),
            "trial": part.trial,
        }
        for part in here
    ]
    entry["points"] = [
        {"period": text, "value": plain(series.values[place]), "flag": Flag(charts.flags[row, place]).word}
        for text, place in zip(series.texts, series.places, strict=True)
    ]
    entry["variation"] = PointType(charts.variation[row]).word
    entry["assurance"] = Assurance(charts.assurance[row]).word
    return entry


def _drawing(series: Series, charts: Charts, row: int) -> Drawing:
    """Draw a chart as auditors know it: readings, mean and limits, and what each flagged reading says."""
    places = range(series.places[-1] + 1)
    x = [series.text(place) for place in places]
    words = [Flag(code).word.replace("_", " ") for code in charts.flags[row, : len(x)]]
    values = [plain(value) for value in series.values]
    flagged = [value if word != "common" else None for value, word in zip(values, words, strict=True)]
    limits = [
        Line(name, x, [plain(value) for value in getattr(charts, name)[row, : len(x)]], "steps")
        for name in ("upper", "mean", "lower")
    ]
    readings = Line("reading", x, values)
    return Drawing(series.name, [*limits, readings, Line("flagged", x, flagged, "points", words)])
