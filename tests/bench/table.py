"""The bench's one table: what was measured, against what, and whether the gate was met."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HEAD = ("what", "ours", "limit or peer", "ratio", "gate", "", "last time")


@dataclass(frozen=True)
class Row:
    """One measurement. With a peer the ratio to it is judged, without one the measurement itself; lower is better."""

    what: str
    ours: float
    unit: str
    gate: float | None = None
    peer: float | None = None  # in our unit
    peer_name: str = ""

    @property
    def judged(self) -> float:
        """Return what is held against the gate."""
        return self.ours / self.peer if self.peer else self.ours

    @property
    def outcome(self) -> str:
        """Return whether the gate was met; nothing where there is none."""
        if self.gate is None:
            return ""
        return "met" if self.judged <= self.gate else "MISSED"

    def cells(self, last: float | None) -> tuple[str, ...]:
        """Return the row as it is printed."""
        gate = "" if self.gate is None else f"{self.gate:g}{'×' if self.peer else f' {self.unit}'}"
        peer = f"{self.peer_name} {shown(self.peer)} {self.unit}" if self.peer else ""
        ratio = f"{shown(self.judged)}×" if self.peer else ""
        before = "" if not last else f"{shown(last)} ({100 * (self.judged / last - 1):+.0f}%)"
        return self.what, f"{shown(self.ours)} {self.unit}", peer, ratio, gate, self.outcome, before


def shown(number: float) -> str:
    """Return a number to three significant digits."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"


def print_table(rows: Sequence[Row], last: dict[str, float]) -> None:
    """Print the rows under their heads, columns aligned."""
    lines = [HEAD, *(row.cells(last.get(row.what)) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def last_time(path: Path) -> dict[str, float]:
    """Return what the last run held against its gates, by row; nothing where there was none."""
    if not path.exists():
        return {}
    kept: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return {row["what"]: row["judged"] for row in kept}


def save(path: Path, rows: Sequence[Row], last: dict[str, float]) -> None:
    """Keep this run for the next one to be compared with; a row that was left out keeps its last figure."""
    told = [asdict(row) | {"judged": row.judged, "outcome": row.outcome} for row in rows]
    measured = {row.what for row in rows}
    told += [{"what": what, "judged": judged} for what, judged in last.items() if what not in measured]
    path.write_text(json.dumps({"rows": told}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
