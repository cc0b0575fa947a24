"""`rmo analyse effect`: what has changed in every series of a file since its start."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rmo.analyse.answers import Answer, Drawing, Line, number, plain
from rmo.analyse.files import BadFileError, BadLine, Series, as_batch, check_place, read_series
from rmo.domain.engine.effect import LEAST, LEAST_BEFORE, effect, ramp
from rmo.domain.parsing import WrittenPeriod
from rmo.domain.values import Floats, Ramp

NO_START = 1 << 30  # later than any period


def answer(
    path: Path,
    *,
    start: WrittenPeriod | None = None,
    ramp: str = "step",
    ramp_periods: int = 1,
    controls: str = "",
    logged: bool = False,
    season: int | None = None,
) -> Answer:
    """Return the effects in a file's series; those of one season are worked out as one batch."""
    beside = [name.strip().lower() for name in controls.split(",") if name.strip()]
    series = read_series(path, numbers=("after", *beside))
    _check(path, series, beside, start)
    if start is not None:
        check_place(path, series, start)
    seasons = [season or one.pace.season for one in series]
    entries: list[dict[str, Any]] = [{} for _ in series]
    for each in sorted(set(seasons)):
        rows = [row for row, own in enumerate(seasons) if own == each]
        group = [series[row] for row in rows]
        profiles = [_profile(one, start, Ramp(ramp), ramp_periods) for one in group]
        for row, entry in zip(rows, _entries(group, profiles, beside, each, logged=logged), strict=True):
            entries[row] = entry
    return Answer("series", entries, lambda: [_drawing(*each) for each in zip(series, entries, strict=True)])


def _check(path: Path, series: Sequence[Series], beside: Sequence[str], start: WrittenPeriod | None) -> None:
    """Complain of columns that are not there, of a start that is not said, and of an `after` that goes back."""
    problems = []
    columns = series[0].rows[0].cells
    problems += [BadLine(1, f"There is no column {name!r}.") for name in beside if name not in columns]
    if start is None and "after" not in columns:
        problems.append(BadLine(1, "There is no column 'after'; say --start, or give one."))
    for one in series if "after" in columns else ():
        begun = False
        for row in one.rows:
            text = row.cells["after"]
            if text not in ("0", "1"):
                problems.append(BadLine(row.line, f"after: {text!r} is neither 0 nor 1."))
            elif begun and text == "0":
                problems.append(BadLine(row.line, "after: it was 1 before and is 0 again."))
            begun = begun or text == "1"
    if problems:
        raise BadFileError(path, problems)


def _profile(series: Series, start: WrittenPeriod | None, shape: Ramp, periods: int) -> Floats:
    """Return the share of the change that has arrived in each period of a series."""
    begun = [
        place for place, row in zip(series.places, series.rows, strict=True) if row.cells.get("after") == "1"
    ]
    if "after" in series.rows[0].cells:
        first = begun[0] if begun else NO_START
    else:
        place = None if start is None else series.place_of(start)
        first = NO_START if place is None else place
    return ramp(np.arange(series.values.size) - first, shape, periods)


def _entries(
    series: Sequence[Series], profiles: Sequence[Floats], beside: Sequence[str], season: int, *, logged: bool
) -> list[dict[str, Any]]:
    values = as_batch([one.values for one in series])
    profile = np.nan_to_num(as_batch(profiles), nan=1.0)
    controls = (
        np.stack([as_batch([one.column(name) for one in series]) for name in beside]) if beside else None
    )
    found = effect(values, profile, season=season, controls=controls, logged=logged)
    low, high = found.interval()
    sizes = [100 * np.expm1(size) if logged else size for size in (found.estimate, low, high)]
    anyway, none = found.anyway(values), found.chance_of_none
    entries = []
    for row, one in enumerate(series):
        entry: dict[str, Any] = {"name": one.name}
        if np.isnan(found.estimate[row]):
            entry["problem"] = _problem(one, logged=logged)
        entry |= dict(zip(("effect", "lower", "upper"), (number(size[row]) for size in sizes), strict=True))
        entry["chance_of_no_effect"] = number(none[row])
        entry["points"] = [
            {
                "period": text,
                "actual": plain(values[row, place]),
                **{
                    name: number(line[row, place])
                    for name, line in zip(("anyway", "lower", "upper"), anyway, strict=True)
                },
            }
            for text, place in zip(one.texts, one.places, strict=True)
        ]
        entries.append(entry)
    return entries


def _problem(series: Series, *, logged: bool) -> str:
    """Say why there is no estimate."""
    if logged and (series.values <= 0).any():
        return "There is a reading that has no log: leave --log away."
    return f"Too short: an effect needs at least {LEAST} readings in all, {LEAST_BEFORE} before the start and 1 after it."


def _drawing(series: Series, entry: dict[str, Any]) -> Drawing:
    """Draw the readings, and beside them what would have been without the change."""
    lines: dict[str, list[float | None]] = defaultdict(list)
    for point in entry["points"]:
        for name in ("actual", "anyway", "lower", "upper"):
            lines[name].append(point[name])
    lower, upper = (Line(name, series.texts, lines[name]) for name in ("lower", "upper"))
    actual, anyway = (
        Line("actual", series.texts, lines["actual"]),
        Line("anyway", series.texts, lines["anyway"], "dashed"),
    )
    return Drawing(series.name, [actual, anyway], (lower, upper))
