"""KPIs: their definitions from files, and the readings that people give."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from rmo.connectors.definitions import LoadedDefinition
from rmo.domain.errors import ConflictError
from rmo.domain.values import Problem, Reading
from rmo.services.evaluation import Changes, evaluate
from rmo.services.panel import rhythm_of
from rmo.storage import measures
from rmo.storage.audit import count_up, write_audit
from rmo.storage.moments import known_after
from rmo.storage.tables import KpiRow, KpiVersionRow, PersonRow, ReadingRow

FIXED = ("unit", "direction", "frequency", "behaviour", "year_start")  # once there are readings


def apply_definitions(
    session: Session,
    loaded: Sequence[LoadedDefinition],
    *,
    broken: Collection[str] = (),
    now: datetime,
    by: str,
) -> list[Problem]:
    """Make the KPIs what the files say: new ones, new versions, and retired ones whose file is gone.

    A changed definition is a new version. Returns what cannot be done, file by file; those KPIs stay as they
    were, and so do those whose files are `broken`.
    """
    rows = {row.slug: row for row in session.exec(select(KpiRow))}
    problems: list[Problem] = []
    for item in _wholes_first(loaded):
        row = rows.get(item.slug)
        if row is not None and row.definition_hash == item.hash and row.retired_at is None:
            continue
        wrong = _cannot_be(session, item, row)
        if item.definition.part_of is not None and item.definition.part_of not in rows:
            wrong.append(
                Problem(item.path.name, f"It is part of {item.definition.part_of}; mend that file first.")
            )
        if wrong:
            problems.extend(wrong)
            continue
        rows[item.slug] = _keep_definition(session, item, row, now=now, by=by)
    _retire(session, rows, {*broken, *(item.slug for item in loaded)}, now=now, by=by)
    session.flush()
    return problems


def _wholes_first(loaded: Sequence[LoadedDefinition]) -> list[LoadedDefinition]:
    """Return definitions such that none comes before the one that it is a part of."""
    whole = {item.slug: item.definition.part_of for item in loaded}

    def depth(item: LoadedDefinition) -> int:
        above, steps = item.definition.part_of, 0
        while above is not None and steps < len(loaded):  # a circle ends too, and is refused later
            above, steps = whole.get(above), steps + 1
        return steps

    return sorted(loaded, key=depth)


def _cannot_be(session: Session, item: LoadedDefinition, row: KpiRow | None) -> list[Problem]:
    place = item.path.name
    problems = []
    if row is not None and not row.from_file:
        problems.append(
            Problem(place, f"{item.slug} was made on a page; rename the file or retire that KPI.")
        )
    measurer = item.definition.measurer
    if measurer and session.get(PersonRow, measurer) is None:
        problems.append(Problem(place, f"measurer is {measurer}; add them with: rmo person add {measurer}."))
    if row is not None and measures.readings(session, [item.slug])[item.slug]:
        for name in FIXED:
            was, now = getattr(row, name), getattr(item.definition, name)
            if was != now:
                problems.append(
                    Problem(place, f"{name} was {was} and has readings; {now} needs a KPI of its own.")
                )
    return problems


def _keep_definition(
    session: Session, item: LoadedDefinition, row: KpiRow | None, *, now: datetime, by: str
) -> KpiRow:
    definition = item.definition
    valid, source = definition.valid_range, definition.source
    values: dict[str, Any] = {
        "name": definition.name,
        "description": definition.description,
        "unit": definition.unit,
        "decimals": definition.decimals,
        "direction": definition.direction,
        "range_low": definition.range_low,
        "range_high": definition.range_high,
        "frequency": definition.frequency,
        "year_start": definition.year_start,
        "behaviour": definition.behaviour,
        "per": definition.per,
        "valid_low": valid.low,
        "valid_high": valid.high,
        "due_working_days": definition.due.working_days,
        "grace_days": definition.due.grace,
        "measurer": definition.measurer,
        "connector": source.connector if source else "",
        "definition_hash": item.hash,
        "from_file": True,
        "origin": definition.origin,
        "part_of": definition.part_of,
        "retired_at": None,
    }
    kept = row or KpiRow(slug=item.slug, created_at=now, **values)
    for name, value in values.items():
        setattr(kept, name, value)
    session.add(kept)
    session.flush()
    newest = measures.newest_definition(session, item.slug)
    version = KpiVersionRow(
        kpi=item.slug,
        known_at=known_after(now, newest.known_at if newest else None),
        definition_hash=item.hash,
        definition=definition.model_dump_json(),
    )
    session.add(version)
    write_audit(
        session,
        now=now,
        who=by,
        action="define KPI",
        subject=item.slug,
        before=newest.definition_hash if newest else None,
        after=item.hash,
    )
    count_up(session)
    return kept


def _retire(
    session: Session, rows: Mapping[str, KpiRow], present: set[str], *, now: datetime, by: str
) -> None:
    for slug, row in rows.items():
        if row.from_file and row.retired_at is None and slug not in present:
            row.retired_at = now
            write_audit(session, now=now, who=by, action="retire KPI", subject=slug, why="its file is gone")
            count_up(session)


def record_reading(
    session: Session, slug: str, reading: Reading, *, by: str, now: datetime, today: date
) -> Changes:
    """Keep a reading that a person gave, and judge what rests on it.

    Raises ConflictError when the period is not over or the value is outside the valid range.
    """
    return record_readings(session, {slug: [reading]}, by=by, now=now, today=today)


def record_readings(
    session: Session,
    given: Mapping[str, Sequence[Reading]],
    *,
    by: str,
    now: datetime,
    today: date,
) -> Changes:
    """Keep readings that a person gave, all of them or none, and judge what rests on them."""
    measures.hold_kpis(session, given)
    known = measures.readings(session, list(given))
    touched = set()
    for slug, readings in given.items():
        kpi = measures.kpi_by_slug(session, slug)
        wrong = [words for reading in readings if (words := refusal(kpi, reading, today=today))]
        if wrong:
            raise ConflictError(" ".join(wrong))
        before = known[slug]
        added = measures.add_readings(session, slug, readings, now=now, known=before, entered_by=by)
        for row in added:
            _audit_reading(session, before.get(row.period), row, by=by)
        if added:
            touched.add(slug)
    if not touched:
        return Changes(0, 0, 0, 0)
    count_up(session)
    return evaluate(session, now=now, today=today, kpis=touched)


def refusal(kpi: KpiRow, reading: Reading, *, today: date) -> str:
    """Return why a reading cannot be kept, or nothing."""
    rhythm = rhythm_of(kpi)
    label = rhythm.long_label(reading.period)
    if rhythm.last(reading.period) >= today:
        return (
            f"{label} is not over yet; give its reading from {rhythm.shift(reading.period, 1):%-d %B %Y} on."
        )
    if reading.value is None:
        return ""
    if kpi.valid_low is not None and reading.value < kpi.valid_low:
        return f"{reading.value:f} is below {kpi.valid_low:f}, the lowest that {kpi.name} can be."
    if kpi.valid_high is not None and reading.value > kpi.valid_high:
        return f"{reading.value:f} is above {kpi.valid_high:f}, the highest that {kpi.name} can be."
    return ""


def _audit_reading(session: Session, before: ReadingRow | None, row: ReadingRow, *, by: str) -> None:
    write_audit(
        session,
        now=row.known_at,
        who=by,
        action="correct reading" if before is not None else "give reading",
        subject=f"{row.kpi} {row.period}",
        before=before.value if before is not None else None,
        after=row.value,
        why=row.note,
    )


def measured_by(session: Session, email: str) -> Sequence[KpiRow]:
    """Return the KPIs whose readings a person gives by hand, by name."""
    return session.exec(
        select(KpiRow)
        .where(KpiRow.measurer == email, KpiRow.connector == "", col(KpiRow.retired_at).is_(None))
        .order_by(col(KpiRow.name))
    ).all()
