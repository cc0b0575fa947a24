"""An answer drawn into one HTML file that needs no network."""

from typing import Any

from plotly import graph_objects, io, subplots

from rmo.analyse.answers import Answer, Drawing, Line

HEIGHT = 360  # pixels of one drawing
MOST = 40  # drawings on a page
BAND = "rgba(60, 90, 160, 0.18)"
STYLES: dict[str, dict[str, Any]] = {
    "line": {"mode": "lines+markers", "line": {"width": 1.5}, "marker": {"size": 4}},
    "dashed": {"mode": "lines", "line": {"dash": "dash", "width": 1.5}},
    "steps": {"mode": "lines", "line": {"shape": "hvh", "width": 1, "color": "#888"}},
    "points": {"mode": "markers", "marker": {"size": 9, "symbol": "diamond", "color": "#c05000"}},
}


def page(answer: Answer) -> str:
    """Return the page: one drawing under the other, at most 40 of them, with the script inside."""
    every = answer.draw()
    drawings = every[:MOST]
    rows = max(1, len(drawings))
    figure = subplots.make_subplots(
        rows=rows, cols=1, subplot_titles=[drawing.title for drawing in drawings], vertical_spacing=0.3 / rows
    )
    for row, drawing in enumerate(drawings, start=1):
        for trace in _traces(drawing):
            figure.add_trace(trace, row=row, col=1)
    figure.update_layout(height=HEIGHT * rows, template="plotly_white", showlegend=False)
    if len(every) > MOST:
        figure.update_layout(title=f"The first {MOST} of {len(every)}")
    html: str = io.to_html(figure, include_plotlyjs=True, full_html=True)
    return html


def _traces(drawing: Drawing) -> list[Any]:
    traces = []
    if drawing.band is not None:
        lower, upper = drawing.band
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        traces.append(graph_objects.Scatter(x=list(lower.x), y=list(lower.y), **edge))
        filled = graph_objects.Scatter(
            x=list(upper.x), y=list(upper.y), fill="tonexty", fillcolor=BAND, **edge
        )
        traces.append(filled)
    return [*traces, *(_trace(line) for line in drawing.lines)]


def _trace(line: Line) -> Any:
    texts = {"text": list(line.texts), "hoverinfo": "x+y+text"} if line.texts else {}
    return graph_objects.Scatter(
        name=line.name, x=list(line.x), y=list(line.y), **texts, **STYLES[line.style]
    )
