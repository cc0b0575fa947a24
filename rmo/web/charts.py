"""Figures to explore: plain dictionaries that Plotly draws in the browser, made without Plotly."""

from typing import Any

from rmo.services.benefit_page import BenefitPage
from rmo.services.kpi_page import KpiPage

Figure = dict[str, Any]


def _trace(name: str, x: list[str], y: list[float | None], token: str, **line: Any) -> Figure:
    """Return a line. Its colour is a token of the style sheet, which the browser puts in."""
    mode = "lines+markers" if token == "actual" else "lines"
    colour = {"color": f"token:{token}"}
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": x,
        "y": y,
        "line": line | colour,
        "marker": colour,
    }


def _figure(traces: list[Figure], unit: str) -> Figure:
    return {
        "data": [trace for trace in traces if any(value is not None for value in trace["y"])],
        "layout": {"yaxis": {"title": {"text": unit}}},
    }


def benefit_figure(page: BenefitPage) -> Figure:
    """Return a benefit's promise and readings."""
    x = [period.isoformat() for period in page.series.periods]
    return _figure(
        [
            _trace("Actual", x, page.series.actual, "actual", width=2.25),
            _trace("Promise", x, page.series.planned, "plan", width=1.25),
            _trace("Forecast", x, page.series.forecast, "actual", width=2, dash="dot"),
            _trace("80 % interval, low", x, page.series.low, "previous", width=1),
            _trace("80 % interval, high", x, page.series.high, "previous", width=1),
            _trace("First promise", x, page.series.first_promise, "previous", width=1.25, dash="dot"),
            _trace("Would have happened anyway", x, page.series.anyway, "ink-3", width=1.5, dash="dash"),
        ],
        page.unit,
    )


def kpi_figure(page: KpiPage) -> Figure:
    """Return a KPI's process-behaviour chart."""
    x = [point.period.isoformat() for point in page.points]
    traces = [_trace("Actual", x, [point.value for point in page.points], "actual", width=1.5)]
    for segment in page.segments:
        span = x[segment.first : segment.last + 1]
        for name, level in (
            ("Upper limit", segment.upper),
            ("Mean", segment.mean),
            ("Lower limit", segment.lower),
        ):
            traces.append(_trace(name, span, [level] * len(span), "ink-3", width=1, dash="dot"))
    if page.target is not None:
        traces.append(_trace("Target", x, [page.target] * len(x), "ink", width=1.5, dash="dot"))
    return _figure(traces, page.kpi.unit)
