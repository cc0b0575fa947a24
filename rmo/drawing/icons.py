"""The shapes of states and entries, the KPI's two icons, and the patterns that bars are filled with."""

from enum import StrEnum

from markupsafe import Markup

from rmo.domain.values import DataState, State
from rmo.drawing.svg import element, joined, picture

RING = '<circle cx="7" cy="7" r="6.1" class="m-line"/>'
TICK = '<path d="M3.8 7.2l2.2 2.2 4.2-4.6" class="m-page"/>'

STATE_SHAPES: dict[str, str] = {
    State.NOT_STARTED: RING,
    State.TOO_EARLY: RING + '<path d="M7 .9a6.1 6.1 0 0 0 0 12.2z" class="m-full"/>',
    State.ON_TRACK: '<circle cx="7" cy="7" r="7" class="m-full"/>' + TICK,
    State.AT_RISK: '<path d="M1.7 1.9h10.6L7 11.9z" class="m-line"/><path d="M3.9 6.2h6.2L7 12z" class="m-full"/>',
    State.OFF_TRACK: '<path d="M0 1h14L7 13.6z" class="m-full"/>',
    State.KEPT: '<circle cx="7" cy="7" r="6.4" class="m-thin"/><circle cx="7" cy="7" r="4.9" class="m-full"/>'
    '<path d="M4.8 7.1l1.6 1.6 2.9-3.2" class="m-page m-slim"/>',
    State.BROKEN: '<path d="M7 0l7 7-7 7-7-7z" class="m-full"/>',
    DataState.NOT_DUE: RING + '<circle cx="7" cy="7" r="1.9" class="m-full"/>',
    DataState.CURRENT: '<circle cx="7" cy="7" r="3.4" class="m-full"/>',
    DataState.LATE: RING + '<path d="M7 3.2V7l2.7 1.8" class="m-line"/>',
    DataState.STALE: '<rect x=".9" y=".9" width="12.2" height="12.2" class="m-line m-dash"/>'
    '<path d="M4.2 7h5.6" class="m-line"/>',
    DataState.NONE: '<circle cx="7" cy="7" r="6.1" class="m-line m-dash"/><path d="M4.2 7h5.6" class="m-line"/>',
}
OTHER_SHAPES: dict[str, str] = {
    "missing": '<circle cx="7" cy="7" r="6.1" class="m-line m-dash"/>',
    "entry-kept": '<path d="M2 7.4l3.2 3.2L12 3.6" class="m-line m-firm"/>',
    "entry-wrong": '<path d="M7 .6L13.4 7 7 13.4.6 7z" class="m-full"/><path d="M7 3.6v4M7 9v1.5" class="m-page"/>',
    "entry-question": '<circle cx="7" cy="7" r="6.6" class="m-full"/>'
    '<path d="M5 5.6a2 2 0 1 1 2.4 2c-.3.1-.4.3-.4.8M7 9.7v1.3" class="m-page"/>',
    "entry-proposed": '<path d="M7 1v7.4M3.6 5.4L7 8.8l3.4-3.4M1.5 12.4h11" class="m-line"/>',
    "entry-not-applicable": '<circle cx="7" cy="7" r="6" class="m-line"/>'
    '<path d="M2.8 11.2l8.4-8.4" class="m-line"/>',
}
PATTERNS = (
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" class="f-page"/><path d="M1 0v5" class="k-hatch"/></pattern>'
    '<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<rect width="5" height="5" class="f-page"/><circle cx="1.3" cy="1.3" r="1.05" class="k-dot"/>'
    '<circle cx="3.8" cy="3.8" r="1.05" class="k-dot"/></pattern>'
)
HATCH = "url(#hatch)"
DOTS = "url(#dots)"


class Variation(StrEnum):
    """What a process-behaviour chart says about the newest readings."""

    ORDINARY = "ordinary"
    IMPROVING = "improving"
    CONCERNING = "concerning"


class Assurance(StrEnum):
    """What the limits say about the target."""

    PASSES = "passes"  # the target lies on the good side of both limits
    HIT_AND_MISS = "hit_and_miss"
    FAILS = "fails"
    NO_TARGET = "no_target"


VARIATION_WORDS = {
    Variation.ORDINARY: "Variation: ordinary",
    Variation.IMPROVING: "Variation: improving",
    Variation.CONCERNING: "Variation: concerning",
}
ASSURANCE_WORDS = {
    Assurance.PASSES: "Assurance: will meet the target",
    Assurance.HIT_AND_MISS: "Assurance: hit and miss",
    Assurance.FAILS: "Assurance: will miss the target",
    Assurance.NO_TARGET: "Assurance: no target",
}


def definitions() -> Markup:
    """Return what a page holds once: the patterns, and a symbol for each shape."""
    symbols = "".join(
        f'<symbol id="{_symbol(name)}" viewBox="0 0 14 14">{shape}</symbol>'
        for name, shape in {**STATE_SHAPES, **OTHER_SHAPES}.items()
    )
    return Markup(
        '<svg width="0" height="0" class="hidden-text" aria-hidden="true" focusable="false">'
        f"<defs>{PATTERNS}{symbols}</defs></svg>"
    )


def mark(name: State | DataState | str) -> Markup:
    """Return a shape of 14 px, hidden from screen readers because its word stands beside it."""
    use = element("use", href=f"#{_symbol(name)}")
    return element("svg", use, class_="shape", viewBox="0 0 14 14", aria_hidden="true")


def state_class(name: State | DataState | str) -> str:
    """Return the class that gives a state its colour: on_track becomes on-track."""
    return str(name).replace("_", "-")


def variation_icon(variation: Variation | str, *, rising: bool = False) -> Markup:
    """Return the icon of what varies: a dotted run, its last points leaving the mean in a signal's direction."""
    kind = Variation(variation)
    ordinary = [(12, 30), (19, 24), (26, 32), (33, 25), (40, 31), (46, 27)]
    signal = [(10, 33), (17, 28), (24, 34), (31, 25), (38, 18), (45, 12)]
    points = ordinary if kind is Variation.ORDINARY else signal
    if kind is not Variation.ORDINARY and not rising:
        points = [(x, 56 - y) for x, y in points]
    frame, fill = {
        Variation.ORDINARY: ("k-axis", "f-wait"),
        Variation.IMPROVING: ("k-good", "f-good"),
        Variation.CONCERNING: ("k-bad", "f-bad"),
    }[kind]
    route = "M" + "L".join(f"{x} {y}" for x, y in points)
    dots = [
        _signal_point(x, y, kind) if index > 2 and kind is not Variation.ORDINARY else _dot(x, y, fill)
        for index, (x, y) in enumerate(points)
    ]
    if kind is not Variation.ORDINARY:
        dots[:3] = [_dot(x, y, "f-wait") for x, y in points[:3]]
    parts = [
        _frame(frame),
        element("path", d="M8 28h40", class_="k-limit"),
        element("path", d=route, class_="k-mean"),
    ]
    return picture([*parts, *dots], width=56, height=56, label=VARIATION_WORDS[kind], css="icon")


def assurance_icon(assurance: Assurance | str, *, higher_is_better: bool = False) -> Markup:
    """Return the icon of what to expect: a wave against a dotted target, on its good side, its bad side, or both."""
    kind = Assurance(assurance)
    frame, wave = {
        Assurance.PASSES: ("k-good", "k-good"),
        Assurance.HIT_AND_MISS: ("k-axis", "k-wait"),
        Assurance.FAILS: ("k-bad", "k-bad"),
        Assurance.NO_TARGET: ("k-axis", "k-wait"),
    }[kind]
    wave_above = (kind is Assurance.PASSES) == higher_is_better
    wave_at, target_at = {
        Assurance.HIT_AND_MISS: (28, 28),
        Assurance.NO_TARGET: (28, 0),
    }.get(kind, (21, 41) if wave_above else (35, 15))
    parts = [_frame(frame)]
    if target_at:
        parts.append(element("path", d=f"M8 {target_at}h40", class_="k-target"))
    parts.append(element("path", d=f"M8 {wave_at + 3}c6-10 10 6 16 0s10-10 16 0 6 2 8-1", class_=wave))
    if kind is Assurance.FAILS:
        arrow = "M28 28v8m-4-4l4 4 4-4" if wave_above else "M28 28v-8m-4 4l4-4 4 4"
        parts.append(element("path", d=arrow, class_="k-bad"))
    if kind is Assurance.PASSES:
        place = "M22.5 45" if not wave_above else "M22.5 9"
        parts.append(element("path", d=f"{place}l3.5 3.5 7-7", class_="k-good"))
    return picture(parts, width=56, height=56, label=ASSURANCE_WORDS[kind], css="icon")


def signal_diamond(x: float, y: float, size: float, css: str = "f-bad c-ring") -> Markup:
    """Return the diamond of a concerning reading."""
    route = f"M{x:.1f} {y - size:.1f}l{size:g} {size:g}-{size:g} {size:g}-{size:g}-{size:g}z"
    return element("path", d=route, class_=css)


def _symbol(name: State | DataState | str) -> str:
    return "s-" + state_class(name)


def _frame(css: str) -> Markup:
    return element("rect", x=1.5, y=1.5, width=53, height=53, rx=12, class_=f"f-none {css}")


def _dot(x: float, y: float, css: str) -> Markup:
    return element("circle", cx=x, cy=y, r=3, class_=css)


def _signal_point(x: float, y: float, kind: Variation) -> Markup:
    if kind is Variation.CONCERNING:
        return signal_diamond(x, y, 4.2, "f-bad")
    return joined([element("circle", cx=x, cy=y, r=3.6, class_="f-good")])
