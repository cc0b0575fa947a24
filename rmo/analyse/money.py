"""`rmo analyse money`: what every project of a file is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from rmo.analyse.answers import Answer, Drawing, Line, plain
from rmo.analyse.files import BadFileError, BadLine, Complaints, Row, number_or_nothing, read_rows
from rmo.domain.economics import SCHEDULES, Appraisal, Schedule, appraise, flat, years_from_first
from rmo.domain.parsing import Form, UnreadableError, WrittenPeriod, parse_period

LATEST_YEAR = 1000  # a larger index is a calendar year


@dataclass(frozen=True)
class Flow:
    """One line of a file: when, what is paid and what is gained."""

    row: Row
    when: WrittenPeriod
    cost: float
    benefit: float


def answer(path: Path, *, rate: float | None = None, schedule: str = "green-book") -> Answer:
    """Return the appraisals of a file's projects."""
    projects = _read(path)
    chosen = SCHEDULES[schedule] if rate is None else flat(rate)
    entries = [_entry(name, flows, chosen) for name, flows in projects.items()]
    return Answer("projects", entries, lambda: [_drawing(entry) for entry in entries])


def _read(path: Path) -> dict[str, list[Flow]]:
    """Return the flows of each project, in order of time."""
    complaints = Complaints()
    projects: dict[str, list[Flow]] = {}
    for row in read_rows(path, needed=("when", "cost", "benefit"), complaints=complaints):
        when = complaints.read(row, "when", _parse_when)
        cost = complaints.read(row, "cost", _money)
        benefit = complaints.read(row, "benefit", _money)
        if when is not None and cost is not None and benefit is not None:
            projects.setdefault(row.cells.get("project", ""), []).append(Flow(row, when, cost, benefit))
    for flows in projects.values():
        for flow in flows:
            if flow.when.form is not flows[0].when.form:
                complaints.add(flow.row, "when: years from 0 and dates are mixed in one project.")
    if not projects and not complaints.found:
        complaints.found.append(BadLine(1, "There is no flow in the file."))
    if complaints.found:
        raise BadFileError(path, complaints.found)
    return {name: sorted(flows, key=lambda flow: flow.when.index) for name, flows in projects.items()}


def _parse_when(text: str) -> WrittenPeriod:
    """Return a year counted from 0, or a day."""
    when = parse_period(text)
    if when.form is Form.DAY or (when.form is Form.NUMBER and 0 <= when.index <= LATEST_YEAR):
        return when
    raise UnreadableError(f"{text!r} is neither a year counted from 0 nor a date.")


def _money(text: str) -> float:
    """Return an amount; an empty cell is no flow."""
    return number_or_nothing(text) or 0.0


def _entry(name: str, flows: Sequence[Flow], schedule: Schedule) -> dict[str, Any]:
    dated = flows[0].when.form is Form.DAY
    if dated:
        years = years_from_first([date.fromordinal(flow.when.index) for flow in flows])
    else:
        years = np.array([float(flow.when.index) for flow in flows])
    costs, benefits = np.array([flow.cost for flow in flows]), np.array([flow.benefit for flow in flows])
    found = appraise(years, costs, benefits, schedule, dated=dated)
    rows = [
        {
            "when": flow.row.cells["when"],
            "factor": plain(factor),
            "cost": flow.cost,
            "benefit": flow.benefit,
            "net": flow.benefit - flow.cost,
            "present_value": plain((flow.benefit - flow.cost) * factor),
        }
        for flow, factor in zip(flows, found.factors, strict=True)
    ]
    return {"name": name, **_facts(found), "rows": rows}


def _facts(found: Appraisal) -> dict[str, float | None]:
    """Return the figures in the order in which they are read."""
    names = (
        "npv",
        "pv_costs",
        "pv_benefits",
        "bcr",
        "irr",
        "payback",
        "discounted_payback",
        "switching_value",
    )
    figures = {name: getattr(found, name) for name in names}
    return {name: None if figure is None else plain(figure) for name, figure in figures.items()}


def _drawing(entry: dict[str, Any]) -> Drawing:
    """Draw how the flows add up, plain and discounted."""
    rows = entry["rows"]
    when = [row["when"] for row in rows]
    lines = [
        Line(name, when, np.cumsum([row[column] for row in rows]).tolist(), style)
        for name, column, style in (
            ("sum of flows", "net", "line"),
            ("sum of present values", "present_value", "dashed"),
        )
    ]
    return Drawing(entry["name"], lines)
