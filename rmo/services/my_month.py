"""What a person owes: the readings that are due, beside their last values and the plan."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session

from rmo.domain.calendar import due_day
from rmo.domain.errors import ConflictError
from rmo.domain.exact import kept, quotient
from rmo.domain.parsing import parse_number
from rmo.domain.values import Behaviour, DataState, Problem, Reading, ReadingState
from rmo.drawing import words
from rmo.services import kpis
from rmo.services.evaluation import Changes
from rmo.services.panel import rhythm_of, usable
from rmo.storage import measures, register
from rmo.storage.tables import KpiRow, ReadingRow

LAST = 3
LONGEST = 200  # characters in a cell
MOST_OPEN = 6  # periods of one KPI that are asked for at once


@dataclass(frozen=True)
class Cell:
    """One period of one KPI that a person may give or correct."""

    name: str  # of the form field
    slug: str
    kpi: str
    unit: str
    decimals: int
    ratio: bool
    period: date
    label: str
    due: date
    days_late: int
    kept: str  # what is kept already, as written; empty while it is owed
    history: list[tuple[str, str]]
    plan: str

    @property
    def state(self) -> DataState:
        """Return what is owed: late, or not due yet, or here."""
        if self.kept:
            return DataState.CURRENT
        return DataState.LATE if self.days_late > 0 else DataState.NOT_DUE


@dataclass(frozen=True)
class MyMonth:
    """Everything that a person owes, and what they gave last."""

    headline: str
    cells: list[Cell]
    given: int
    owed: int
    late: int


def my_month(session: Session, email: str, *, today: date) -> MyMonth:
    """Return what a measurer owes today: every period that is over and has no reading, and the newest given one."""
    rows = kpis.measured_by(session, email)
    readings = measures.readings(session, [row.slug for row in rows])
    cells = [cell for row in rows for cell in _cells(session, row, readings[row.slug], today)]
    owed = [cell for cell in cells if not cell.kept]
    late = sum(1 for cell in owed if cell.days_late > 0)
    return MyMonth(
        headline=_headline(len(rows), len(cells) - len(owed), len(owed), late),
        cells=cells,
        given=len(cells) - len(owed),
        owed=len(owed),
        late=late,
    )


def _cells(session: Session, kpi: KpiRow, readings: dict[date, ReadingRow], today: date) -> list[Cell]:
    rhythm = rhythm_of(kpi)
    newest = rhythm.newest_ended(today)
    given = [period for period in readings if period <= newest]
    first = max(given) if given else newest
    periods = list(rhythm.between(first, newest))[-MOST_OPEN:]
    return [_cell(session, kpi, readings, period, today) for period in periods]


def _cell(session: Session, kpi: KpiRow, readings: dict[date, ReadingRow], period: date, today: date) -> Cell:
    rhythm = rhythm_of(kpi)
    due = due_day(rhythm, period, kpi.due_working_days)
    before = [rhythm.shift(period, -i) for i in range(LAST, 0, -1)]
    kept = readings.get(period)
    return Cell(
        name=f"{kpi.slug}.{period}",
        slug=kpi.slug,
        kpi=kpi.name,
        unit=kpi.unit,
        decimals=kpi.decimals,
        ratio=kpi.behaviour is Behaviour.RATIO,
        period=period,
        label=rhythm.label(period),
        due=due,
        days_late=max(0, (today - due).days - kpi.grace_days),
        kept=written(kpi, kept),
        history=[(rhythm.label(p), _shown(kpi, readings.get(p))) for p in before],
        plan=_plan(session, kpi, period),
    )


def written(kpi: KpiRow, row: ReadingRow | None) -> str:
    """Return a reading as a person would type it."""
    if row is None:
        return ""
    if row.state is ReadingState.NOT_APPLICABLE:
        return "n/a"
    if kpi.behaviour is Behaviour.RATIO and row.numerator is not None and row.denominator is not None:
        return f"{row.numerator:f} / {row.denominator:f}"
    return f"{row.value:f}" if row.value is not None else ""


def _shown(kpi: KpiRow, row: ReadingRow | None) -> str:
    value = usable(row)
    return words.figure_value(value, kpi.decimals)


def _plan(session: Session, kpi: KpiRow, period: date) -> str:
    """Return what the promises on a KPI expect of a period, where they agree."""
    promises = [p for p in register.claimed_shares(session, kpi.slug).values() if p.first <= period <= p.last]
    points = register.points(session, [p.id or 0 for p in promises])
    planned = {point.planned for p in promises if (point := points.get(p.id or 0, {}).get(period))}
    return words.figure_value(planned.pop(), kpi.decimals) if len(planned) == 1 else words.NOTHING


def _headline(kpis: int, given: int, owed: int, late: int) -> str:
    if kpis == 0:
        return "You owe no readings: no KPI names you as its measurer."
    if owed == 0:
        number = words.count_word(given)
        return (
            "Your one reading is in; you owe nothing."
            if given == 1
            else f"All {number} readings are in; you owe nothing."
        )
    if owed == 1:
        return f"You owe one reading, and it is {'late' if late else 'not late'}."
    some = "all" if late == owed else "none" if late == 0 else words.count_word(late)
    return f"You owe {words.count_word(owed)} readings, {some} of them late."


def parse_cells(
    session: Session, typed: dict[str, str], email: str, *, today: date
) -> tuple[dict[str, list[Reading]], list[Problem]]:
    """Return the readings that a person typed, by KPI, and every cell that cannot be kept, with what to do.

    An empty cell, and one that says what is kept already, gives no reading.
    """
    given: dict[str, list[Reading]] = {}
    problems: list[Problem] = []
    for cell in my_month(session, email, today=today).cells:
        text = typed.get(cell.name, "")
        text = text if len(text) > LONGEST else text.strip()
        if not text or text == cell.kept:
            continue
        kpi = measures.kpi_by_slug(session, cell.slug)
        try:
            if len(text) > LONGEST:
                raise ValueError(f"keep it under {LONGEST} characters.")
            reading = parse_cell(kpi, cell.period, text)
        except ValueError as error:
            problems.append(Problem(cell.name, f"{cell.kpi}, {cell.label}: {error}"))
            continue
        if cell.kept and reading == parse_cell(kpi, cell.period, cell.kept):
            continue  # 6.0 says no more than the 6 that is kept
        if refused := kpis.refusal(kpi, reading, today=today):
            problems.append(Problem(cell.name, f"{cell.kpi}, {cell.label}: {refused}"))
            continue
        given.setdefault(cell.slug, []).append(reading)
    return given, problems


def parse_cell(kpi: KpiRow, period: date, text: str) -> Reading:
    """Return what a person typed for a period, or raise ValueError that says what to type."""
    if text.lower() in ("n/a", "na", "not applicable"):
        return Reading(period, None, state=ReadingState.NOT_APPLICABLE)
    if kpi.behaviour is Behaviour.RATIO:
        numerator, slash, denominator = text.partition("/")
        if slash:
            return _ratio(kpi, period, parse_number(numerator), parse_number(denominator))
    return Reading(period, kept(parse_number(text)))


def _ratio(kpi: KpiRow, period: date, numerator: Decimal, denominator: Decimal) -> Reading:
    if denominator == 0:
        raise ValueError("the number below the line is 0; type n/a when there was nothing to count.")
    value = kept(quotient(numerator, denominator, kpi.per))
    return Reading(period, value, numerator=kept(numerator), denominator=kept(denominator))


def hand_in(
    session: Session, given: dict[str, list[Reading]], *, by: str, now: datetime, today: date
) -> Changes:
    """Keep what a person handed in, all of it or nothing; only for KPIs that they measure."""
    own = {row.slug for row in kpis.measured_by(session, by)}
    if not set(given) <= own:
        raise ConflictError("Some of these KPIs are not yours to measure; reload the page.")
    return kpis.record_readings(session, given, by=by, now=now, today=today)
