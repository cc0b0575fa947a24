"""The swatches of a chart's key: one small drawing and one word for each part of the notation."""

from markupsafe import Markup

from rmo.drawing.icons import DOTS, HATCH
from rmo.drawing.svg import element, line, outlined, path, rect

_BAR = (0.0, 2.0, 18.0, 8.0)

SWATCHES: dict[str, tuple[str, Markup]] = {
    "actual": ("Actual", rect(*_BAR, "f-actual")),
    "actual_line": ("Actual", line(1, 6, 17, 6, "k-actual")),
    "plan": ("Plan", outlined(*_BAR, "k-planbox")),
    "promise": ("Promised", outlined(*_BAR, "k-planbox")),
    "promise_line": ("Promise", line(0, 6, 18, 6, "k-plan")),
    "earlier_promise": ("Earlier promise", line(0, 6, 18, 6, "k-old")),
    "forecast": ("Forecast", outlined(*_BAR, "k-plan", fill=HATCH)),
    "forecast_line": ("Forecast", line(1, 6, 18, 6, "k-forecast")),
    "band": ("80\u00a0% interval", rect(0, 1, 18, 10, "f-band")),
    "whisker": ("80\u00a0% interval", element("path", d="M9 1v10M5 1h8M5 11h8", class_="k-ink")),
    "previous": ("Previous year", rect(*_BAR, "f-previous")),
    "unproven": ("Unproven", outlined(*_BAR, "k-unknown", fill=DOTS)),
    "shortfall": ("Shortfall", rect(*_BAR, "f-bad")),
    "surplus": ("Surplus", rect(*_BAR, "f-good")),
    "removed": (
        "Taken out: counted twice",
        outlined(*_BAR, "k-planbox") + line(0, 10, 18, 2, "k-plan"),
    ),
    "anyway": ("Would have happened anyway", line(0, 6, 18, 6, "k-anyway")),
    "ordinary": ("Ordinary", element("circle", cx=9, cy=6, r=3.5, class_="f-actual")),
    "improving": ("Improving signal", element("circle", cx=9, cy=6, r=4.5, class_="f-good")),
    "concerning": ("Concerning signal", element("path", d="M9 1l5 5-5 5-5-5z", class_="f-bad")),
    "mean": ("Mean", line(0, 6, 18, 6, "k-mean")),
    "limits": ("Limits", line(0, 6, 18, 6, "k-limit")),
    "target": ("Target", line(1, 6, 18, 6, "k-target")),
    "plan_mark": ("Plan", path([(9, 0), (9, 12)], "k-ink k-cross")),
    "tolerance": ("Within tolerance", rect(0, 1, 18, 10, "f-band")),
}


def swatch(name: str) -> Markup:
    """Return the small drawing that stands before a word in a key."""
    drawing = SWATCHES[name][1]
    return element("svg", drawing, width=18, height=12, viewBox="0 0 18 12", aria_hidden="true")


def swatch_word(name: str) -> str:
    """Return the word of a part of the notation."""
    return SWATCHES[name][0]
