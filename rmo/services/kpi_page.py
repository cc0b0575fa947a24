"""One KPI: its process-behaviour chart, its readings with their history, its source, and what rests on it."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import numpy as np
from sqlmodel import Session

from rmo.domain.calendar import due_day
from rmo.domain.engine.chart import SIGNS, Assurance, Flag, PointType, Segment, process_charts, segments
from rmo.domain.values import DataState, Scope, State
from rmo.drawing import words
from rmo.services.panel import levels, rhythm_of
from rmo.services.people import people
from rmo.services.snapshot import Standing, take_snapshot
from rmo.storage import measures
from rmo.storage.moments import FOREVER
from rmo.storage.tables import KpiRow, PersonRow, ReadingRow, RunRow


@dataclass(frozen=True)
class Point:
    """One point of the chart."""

    period: date
    label: str
    value: float | None
    flag: Flag
    kind: PointType


@dataclass(frozen=True)
class ReadingLine:
    """A period's readings, the newest first."""

    period: date
    label: str
    newest: ReadingRow
    earlier: list[ReadingRow]
    by: str


@dataclass(frozen=True)
class KpiPage:
    """What one KPI's page shows."""

    kpi: KpiRow
    headline: str
    variation: PointType
    rising: bool
    variation_words: str
    assurance: Assurance
    assurance_words: str
    chart_title: str
    points: list[Point]
    segments: list[Segment]
    target: float | None
    readings: list[ReadingLine]
    corrections: int
    readings_title: str
    resting_title: str
    measurer: str
    next_due: date | None
    runs: list[RunRow]
    resting: list[Standing]
    known_at: datetime


@dataclass(frozen=True)
class KpiLine:
    """One KPI in the library."""

    kpi: KpiRow
    newest: ReadingRow | None
    newest_label: str
    recent: list[float | None]
    benefits: int
    data: DataState | None  # what is wrong with its readings, where something is
    measurer: str
    run: RunRow | None


def kpi_lines(session: Session, *, scope: Scope, now: datetime, as_of: datetime = FOREVER) -> list[KpiLine]:
    """Return the library: every KPI with its newest reading and its recent course."""
    rows = measures.kpis(session, scope=scope, as_of=as_of)
    readings = measures.readings(session, [row.slug for row in rows], as_of=as_of)
    snapshot = take_snapshot(session, scope=scope, now=now, as_of=as_of)
    everybody = people(session)
    lines = []
    for row in rows:
        values = levels(row, readings[row.slug])
        periods = sorted(values)
        newest = readings[row.slug][periods[-1]] if periods else None
        runs = measures.runs(session, row.slug, limit=1)
        resting = [s for s in snapshot.standings if s.kpi and s.kpi.slug == row.slug]
        missed = {s.data for s in resting} & {DataState.LATE, DataState.STALE, DataState.NONE}
        lines.append(
            KpiLine(
                kpi=row,
                newest=newest,
                newest_label=rhythm_of(row).label(newest.period) if newest else "",
                recent=[float(values[p]) for p in periods[-24:]],
                benefits=len(resting),
                data=max(missed, key=list(DataState).index) if missed else None,
                measurer=everybody[row.measurer].position if row.measurer else "",
                run=runs[0] if runs else None,
            )
        )
    return lines


def library_headline(lines: list[KpiLine]) -> str:
    """Return how the readings of the library come in."""
    if not lines:
        return "No KPI is defined yet."
    carry = sum(1 for line in lines if line.benefits)
    overdue = sum(1 for line in lines if line.data)
    told = (
        f"One KPI carries {'promises' if carry else 'no promise yet'}"
        if len(lines) == 1
        else f"{words.capital(words.count_word(carry))} of {words.count_word(len(lines))} KPIs carry promises"
    )
    if not overdue:
        return f"{told}; every reading that is due is in." if carry else f"{told}."
    return f"{told}; the readings of {words.count_word(overdue)} are late or have stopped."


def kpi_page(
    session: Session, slug: str, *, scope: Scope, now: datetime, today: date, as_of: datetime = FOREVER
) -> KpiPage:
    """Return a KPI's page as known at a moment, or raise NotFoundError."""
    kpi = measures.kpi_by_slug(session, slug)
    history = measures.reading_history(session, slug, as_of=as_of)
    newest = {period: rows[-1] for period, rows in history.items()}
    resting = [
        s
        for s in take_snapshot(session, scope=scope, now=now, as_of=as_of).standings
        if s.kpi and s.kpi.slug == slug
    ]
    target = _common_target(resting)
    values = levels(kpi, newest)
    rhythm = rhythm_of(kpi)
    periods = list(rhythm.between(min(values), max(values))) if values else []
    row = np.array([[float(values[p]) if p in values else np.nan for p in periods]])
    charts = process_charts(row, direction=SIGNS[kpi.direction], target=np.nan if target is None else target)
    everybody = people(session)
    lines = [
        ReadingLine(p, rhythm.label(p), rows[-1], rows[-2::-1], _given_by(rows[-1], everybody))
        for p, rows in sorted(history.items(), reverse=True)
    ]
    stretches = segments(charts, 0) if values else []
    variation = PointType(int(charts.variation[0])) if values else PointType.COMMON
    corrections = sum(len(line.earlier) for line in lines)
    return KpiPage(
        kpi=kpi,
        headline=_headline(kpi, charts_mean=stretches[-1] if stretches else None, values=values),
        variation=variation,
        rising=_last_flag(charts.flags[0])
        in (Flag.ABOVE_LIMIT, Flag.RISING, Flag.NEAR_UPPER, Flag.HIGH_SIDE),
        variation_words=_variation_words(kpi, variation, values),
        assurance=Assurance(int(charts.assurance[0])) if values else Assurance(0),
        assurance_words=_assurance_words(kpi, Assurance(int(charts.assurance[0])), stretches, target),
        chart_title=_chart_title(charts.flags[0], stretches),
        points=[
            Point(p, rhythm.label(p), None if np.isnan(v) else float(v), Flag(int(f)), PointType(int(t)))
            for p, v, f, t in zip(periods, row[0], charts.flags[0], charts.types[0], strict=True)
        ],
        segments=stretches,
        target=target,
        readings=lines,
        corrections=corrections,
        readings_title=_readings_title(len(lines), corrections),
        resting_title=_resting_title(resting),
        measurer=everybody[kpi.measurer].position if kpi.measurer else "",
        next_due=due_day(rhythm, rhythm.shift(max(values), 1), kpi.due_working_days) if values else None,
        runs=list(measures.runs(session, slug)),
        resting=resting,
        known_at=min(now, as_of),
    )


def _common_target(resting: list[Standing]) -> float | None:
    """Return the target that the promises on a KPI agree on, or nothing."""
    targets = {s.promise.target for s in resting if s.promise}
    return float(targets.pop()) if len(targets) == 1 else None


def _last_flag(flags: np.ndarray) -> Flag:
    return Flag(int(flags[-1])) if len(flags) else Flag.COMMON


def _given_by(row: ReadingRow, everybody: dict[str, PersonRow]) -> str:
    if row.run is not None:
        return f"run {row.run}"
    return everybody[row.entered_by].position if row.entered_by else ""


def _headline(kpi: KpiRow, *, charts_mean: Segment | None, values: dict[date, Decimal]) -> str:
    if charts_mean is None or len(values) < 3:
        number = words.capital(words.count_word(len(values)))
        return f"{kpi.name} has {number.lower()} reading{'' if len(values) == 1 else 's'}; three are needed to chart it."
    low, high = (words.figure_value(v, kpi.decimals) for v in (charts_mean.lower, charts_mean.upper))
    newest = max(values)
    label = rhythm_of(kpi).long_label(newest)
    value = words.figure_value(values[newest], kpi.decimals)
    if charts_mean.no_variation:
        return f"{kpi.name} has not varied: it stood at {value} {kpi.unit} in {label}."
    return f"{kpi.name} stood at {value} {kpi.unit} in {label}; by chance alone it moves between {low} and {high}."


def _variation_words(kpi: KpiRow, variation: PointType, values: dict[date, Decimal]) -> str:
    if not values:
        return "There is no reading to judge."
    label = rhythm_of(kpi).long_label(max(values))
    if variation is PointType.COMMON:
        return f"{label} says nothing that its own history does not explain."
    told = {
        PointType.IMPROVEMENT: "is better than its own history explains",
        PointType.CONCERN: "is worse than its own history explains",
    }
    return f"{label} {told.get(variation, 'differs from what its own history explains')}."


def _assurance_words(
    kpi: KpiRow, assurance: Assurance, stretches: list[Segment], target: float | None
) -> str:
    if target is None or not stretches:
        return "There is no single target to hold it against."
    low, high = (words.figure_value(v, kpi.decimals) for v in (stretches[-1].lower, stretches[-1].upper))
    aim = words.figure_value(target, kpi.decimals)
    trial = " Trial limits: fewer than 13 points." if stretches[-1].trial else ""
    said = {
        Assurance.CONSISTENTLY_FAILS: f"{aim} lies outside the limits, {low} to {high}, on the far side.",
        Assurance.CONSISTENTLY_PASSES: f"{aim} is met even on its worst ordinary reading, {low} to {high}.",
        Assurance.HIT_AND_MISS: f"{aim} lies inside the limits, {low} to {high}: it comes and goes by chance.",
    }
    return said.get(assurance, "Neither way is better, so no target is judged.") + trial


def _chart_title(flags: np.ndarray, stretches: list[Segment]) -> str:
    signals = int(sum(1 for flag in flags if flag != Flag.COMMON))
    if not stretches:
        return "Nothing to chart yet"
    if signals == 0:
        return f"No signal in {words.count(len(flags), 'reading')}"
    return f"{words.capital(words.count_word(signals))} of {words.figure_value(len(flags))} readings signal that something changed"


def _readings_title(count: int, corrections: int) -> str:
    if count == 0:
        return "No reading yet"
    told = words.count_word(corrections) if corrections else "no"
    return f"{words.count(count, 'reading')}, {told} correction{'' if corrections == 1 else 's'}"


def _resting_title(resting: list[Standing]) -> str:
    if not resting:
        return "No promise rests on it"
    number = words.capital(words.count_word(len(resting)))
    told = f"{number} promise rests on it" if len(resting) == 1 else f"{number} promises rest on it"
    off = sum(1 for s in resting if s.state in (State.OFF_TRACK, State.BROKEN))
    return f"{told}, {words.count_word(off)} off track or broken" if off else told
