"""Pulling readings from their sources: every attempt is a run, and what it brought is kept once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import ValidationError
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from rmo.connectors import Reach, Window, pull
from rmo.connectors.definitions import Definition, next_window
from rmo.domain.errors import ConnectorError
from rmo.domain.values import Reading
from rmo.storage import measures
from rmo.storage.audit import count_up
from rmo.storage.database import reading, transaction
from rmo.storage.tables import KpiRow, RunRow

Held = Callable[[Session], None]


@dataclass(frozen=True)
class Pulled:
    """How one pull went."""

    kpi: str
    written: int
    corrected: int
    unchanged: int
    problem: str = ""

    @property
    def changed(self) -> bool:
        """Whether it brought anything new."""
        return self.written + self.corrected > 0


def sourced(session: Session) -> list[str]:
    """Return the KPIs that have a source."""
    statement = select(KpiRow.slug).where(KpiRow.connector != "", col(KpiRow.retired_at).is_(None))
    return list(session.exec(statement.order_by(col(KpiRow.slug))))


def by_hand(_session: Session) -> None:
    """Hold what a person runs: nobody takes it over."""


def pull_all(
    engine: Engine,
    reach: Reach,
    *,
    clock: Callable[[], datetime],
    today: date,
    kpis: list[str] | None = None,
    held: Held = by_hand,
) -> list[Pulled]:
    """Pull every KPI that has a source; one that fails does not stop the next.

    `held` raises, in the transaction that keeps what was fetched, where another worker has taken the pull over.
    """
    with reading(engine) as session:
        chosen = sourced(session) if kpis is None else kpis
    results = []
    for slug in chosen:
        try:
            results.append(pull_kpi(engine, slug, reach, clock=clock, today=today, held=held))
        except ConnectorError as error:
            results.append(Pulled(slug, 0, 0, 0, str(error)))
    return results


def pull_kpi(
    engine: Engine,
    slug: str,
    reach: Reach,
    *,
    clock: Callable[[], datetime],
    today: date,
    held: Held = by_hand,
) -> Pulled:
    """Pull one KPI's readings. What is fetched is kept whole or not at all; the run says which and why."""
    started = clock()
    with reading(engine) as session:
        definition = _definition(session, slug)
        window = next_window(definition, newest=measures.newest_period(session, slug), today=today)
    try:
        fetched, problem = pull(definition, window, reach), ""
    except ConnectorError as error:
        fetched, problem = [], str(error)
    except Exception as error:  # a fault of a connector is its run's, and the next source still runs
        fetched, problem = [], f"The connector failed: {type(error).__name__}."
    with transaction(engine) as session:
        held(session)
        return _keep(session, slug, fetched, problem, window=window, started=started, now=clock())


def _definition(session: Session, slug: str) -> Definition:
    kpi = measures.kpi_by_slug(session, slug)
    newest = measures.newest_definition(session, slug)
    if newest is None or not kpi.connector:
        raise ConnectorError(f"{kpi.name} has no source; its readings are given by hand.")
    try:
        return Definition.model_validate_json(newest.definition)
    except ValidationError as error:
        raise ConnectorError(f"The kept definition of {kpi.name} cannot be read; apply it anew.") from error


def _keep(
    session: Session,
    slug: str,
    fetched: list[Reading],
    problem: str,
    *,
    window: Window,
    started: datetime,
    now: datetime,
) -> Pulled:
    measures.hold_kpis(session, [slug])
    known = measures.readings(session, [slug])[slug]
    run = RunRow(
        kpi=slug,
        started_at=started,
        finished_at=now,
        outcome="failed" if problem else "done",
        definition_hash=measures.kpi_by_slug(session, slug).definition_hash,
        first=window.first,
        last=window.last,
        received=len(fetched),
        message=problem,
    )
    session.add(run)
    session.flush()
    added = measures.add_readings(session, slug, fetched, now=now, known=known, run=run.id)
    run.corrected = sum(1 for row in added if row.period in known)
    run.written = len(added) - run.corrected
    run.unchanged = len(fetched) - len(added)
    count_up(session)
    return Pulled(slug, run.written, run.corrected, run.unchanged, problem)
