"""What an analysis answers: one JSON object, and the same as a table to read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Line:
    """One line of a drawing; nothing is drawn where a number is missing."""

    name: str
    x: Sequence[str]
    y: Sequence[float | None]
    style: str = "line"  # line, dashed, steps, or points
    texts: Sequence[str] = ()  # what each point says


@dataclass(frozen=True)
class Drawing:
    """What is drawn of one entry. A band is filled between the first two of its lines."""

    title: str
    lines: Sequence[Line]
    band: tuple[Line, Line] | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to one command. `key` is the list in it: series, or projects."""

    key: str
    entries: list[dict[str, Any]]
    draw: Callable[[], list[Drawing]]

    @property
    def content(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {self.key: self.entries}


def plain(value: float | np.floating[Any]) -> float | None:
    """Return a number as it is, as JSON has it; nothing for one that is not there."""
    return float(value) if np.isfinite(value) else None


def number(value: float | np.floating[Any]) -> float | None:
    """Return a number to 9 significant digits nothing for one that is not there."""
    return float(f"{value:.9g}") if np.isfinite(value) else None


def table(answer: Answer) -> str:
    """Return an answer as text: each entry's facts, then its lists in columns."""
    return "\n\n".join(_entry(entry) for entry in answer.entries)


def _entry(entry: dict[str, Any]) -> str:
    parts = [str(entry.get("name") or "(no name)")]
    for key, value in entry.items():
        if key == "name":
            continue
        if isinstance(value, list):
            parts += ["", *_columns(key, value)] if value else []
        elif isinstance(value, dict) and value:
            facts = "  ".join(f"{name} {_cell(fact)}" for name, fact in value.items())
            parts.append(f"  {key.replace('_', ' ')}: {facts}")
        elif not isinstance(value, dict):
            parts.append(f"  {key.replace('_', ' ')}: {_cell(value)}")
    return "\n".join(parts)


def _columns(title: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    names = list(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(names, *cells, strict=True)]
    lines = [names, *cells]
    return [f"  {title}", *("  " + "  ".join(map(str.rjust, line, widths)).rstrip() for line in lines)]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value).replace("_", " ")
