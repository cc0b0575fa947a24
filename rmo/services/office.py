"""What the office sees of the machine: sources and their runs, jobs, deliveries, people, and the trail."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select

from rmo.services.people import people
from rmo.storage.tables import AuditRow, DeliveryRow, JobRunRow, KpiRow, PersonRow, RunRow

SHOWN = 15


@dataclass(frozen=True)
class SourceLine:
    """A KPI's source and how its newest run went."""

    kpi: KpiRow
    run: RunRow | None


@dataclass(frozen=True)
class Office:
    """What the office's page shows."""

    headline: str
    sources: list[SourceLine]
    failing: int
    jobs: Sequence[JobRunRow]
    deliveries: Sequence[DeliveryRow]
    held: int
    people: list[PersonRow]
    trail: Sequence[AuditRow]


def office(session: Session) -> Office:
    """Return the state of the machine."""
    newest: dict[str, RunRow] = {}
    for run in session.exec(select(RunRow).order_by(col(RunRow.id))):
        newest[run.kpi] = run
    kpis = session.exec(
        select(KpiRow)
        .where(KpiRow.connector != "", col(KpiRow.retired_at).is_(None))
        .order_by(col(KpiRow.name))
    )
    sources = [SourceLine(kpi, newest.get(kpi.slug)) for kpi in kpis]
    failing = sum(1 for line in sources if line.run is not None and line.run.outcome == "failed")
    held = session.exec(select(DeliveryRow).where(_needs_a_look())).all()
    return Office(
        headline=_headline(len(sources), failing, len(held)),
        sources=sources,
        failing=failing,
        jobs=session.exec(select(JobRunRow).order_by(col(JobRunRow.id).desc()).limit(SHOWN)).all(),
        deliveries=session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id).desc()).limit(SHOWN)).all(),
        held=len(held),
        people=list(people(session).values()),
        trail=session.exec(select(AuditRow).order_by(col(AuditRow.id).desc()).limit(SHOWN)).all(),
    )


def _needs_a_look() -> sa.ColumnElement[bool]:
    """Say which mails did not go their way: held, refused, or waiting for a server that does not answer."""
    waits = sa.and_(col(DeliveryRow.state) == "queued", col(DeliveryRow.error) != "")
    return sa.or_(col(DeliveryRow.state).in_(["unknown", "failed"]), waits)


def _headline(sources: int, failing: int, held: int) -> str:
    if sources == 0:
        told = "No KPI has a source yet"
    elif failing == 0:
        told = f"All {sources} sources answered when they were last asked"
    else:
        told = f"{failing} of {sources} sources failed when they were last asked"
    mails = "no mail is held" if held == 0 else f"{held} mail{'s' if held > 1 else ''} need a look"
    return f"{told}, and {mails}."
