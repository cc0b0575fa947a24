"""`rmo analyse forecast`: months, totals and chances of every series of a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rmo.analyse.answers import Answer, Drawing, Line, number, plain
from rmo.analyse.files import Series, as_batch, read_series
from rmo.domain.engine.forecast import LEAST, Forecast, forecast
from rmo.domain.values import Floats

QUANTILES = {"median": 0.5, "p2_5": 0.025, "p10": 0.1, "p90": 0.9, "p97_5": 0.975}


def answer(
    path: Path,
    *,
    horizon: int,
    season: int | None = None,
    promise: float | None = None,
    versus_last: Sequence[str] = (),
) -> Answer:
    """Return the forecasts of a file's series; those of one season are worked out as one batch."""
    series = read_series(path)
    seasons = [season or one.pace.season for one in series]
    entries: list[dict[str, Any]] = [{} for _ in series]
    for each in sorted(set(seasons)):
        rows = [row for row, own in enumerate(seasons) if own == each]
        values = as_batch([series[row].values for row in rows], at_end=True)
        found = forecast(values, horizon=horizon, season=each)
        asked = _asked(values, horizon, promise, versus_last)
        chances = {name: found.total.chance_of_at_least(value) for name, value in asked.items()}
        months = {name: found.months.quantile(p) for name, p in QUANTILES.items()}
        total = {name: found.total.quantile(p) for name, p in QUANTILES.items()}
        for at, row in enumerate(rows):
            entries[row] = _entry(series[row], found, at, months, total, chances)
    return Answer("series", entries, lambda: [_drawing(*each) for each in zip(series, entries, strict=True)])


def _asked(
    values: Floats, horizon: int, promise: float | None, versus_last: Sequence[str]
) -> dict[str, Floats]:
    """Return the totals whose chances are asked for, by name."""
    asked = {} if promise is None else {"promise": np.full(len(values), promise)}
    last = values[:, -horizon:].sum(axis=1) if values.shape[1] >= horizon else np.full(len(values), np.nan)
    return asked | {text: float(text) * last for text in versus_last}


def _entry(
    series: Series,
    found: Forecast,
    at: int,
    months: dict[str, Floats],
    total: dict[str, Floats],
    chances: dict[str, Floats],
) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": series.name, "n": series.count}
    if np.isnan(total["median"][at]):
        short = series.count < LEAST
        entry["problem"] = (
            f"Too short: a forecast needs at least {LEAST} readings."
            if short
            else "The last reading is too long ago."
        )
        return entry | {"points": [], "total": None, "chance": {}}
    after = series.places[-1] + 1
    entry["points"] = [
        {
            "period": series.text(after + ahead),
            **{name: number(own[at, ahead]) for name, own in months.items()},
        }
        for ahead in range(found.months.x.shape[1])
    ]
    entry["total"] = {name: number(own[at]) for name, own in total.items()}
    entry["chance"] = {name: number(own[at]) for name, own in chances.items()}
    return entry


def _drawing(series: Series, entry: dict[str, Any]) -> Drawing:
    """Draw the readings, the median and the interval that holds four times in five."""
    x = [series.text(place) for place in range(series.places[-1] + 1)]
    ahead = [point["period"] for point in entry["points"]]
    lower, median, upper = (
        Line(name, ahead, [point[name] for point in entry["points"]], "dashed")
        for name in ("p10", "median", "p90")
    )
    readings = Line("reading", x, [plain(value) for value in series.values])
    return Drawing(series.name, [readings, median], (lower, upper))
