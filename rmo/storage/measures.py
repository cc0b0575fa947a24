"""Queries for KPIs, their readings, and the runs that brought them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from rmo.domain.errors import NotFoundError
from rmo.domain.values import Reading, Scope
from rmo.storage.moments import FOREVER, known_after
from rmo.storage.tables import BenefitRow, KpiRow, KpiVersionRow, PromiseRow, ReadingRow, RunRow


def kpi_by_slug(session: Session, slug: str) -> KpiRow:
    """Return one KPI, or raise NotFoundError."""
    row = session.get(KpiRow, slug)
    if row is None:
        raise NotFoundError(f"There is no KPI called {slug!r}.")
    return row


def kpis(
    session: Session, *, scope: Scope, as_of: datetime = FOREVER, retired: bool = False
) -> Sequence[KpiRow]:
    """Return the KPIs that were defined by a moment, by name: the living ones, or with the retired ones.

    A scope of some units sees the KPIs on which their benefits rest.
    """
    statement = select(KpiRow).where(col(KpiRow.created_at) <= as_of)
    if not retired:
        statement = statement.where(sa.or_(col(KpiRow.retired_at).is_(None), col(KpiRow.retired_at) > as_of))
    if scope.units is not None:
        claimed = (
            select(PromiseRow.kpi)
            .join(BenefitRow, col(BenefitRow.reference) == col(PromiseRow.benefit))
            .where(col(BenefitRow.unit).in_(scope.units))
        )
        statement = statement.where(col(KpiRow.slug).in_(claimed))
    return session.exec(statement.order_by(col(KpiRow.name))).all()


def newest_definition(session: Session, slug: str) -> KpiVersionRow | None:
    """Return the newest version of a KPI's definition."""
    return session.exec(
        select(KpiVersionRow)
        .where(KpiVersionRow.kpi == slug)
        .order_by(col(KpiVersionRow.known_at).desc())
        .limit(1)
    ).first()


def readings(
    session: Session, slugs: Collection[str], *, as_of: datetime = FOREVER
) -> dict[str, dict[date, ReadingRow]]:
    """Return the newest reading of every period as known at a moment, by KPI, periods in order."""
    rows = session.exec(
        select(ReadingRow)
        .where(col(ReadingRow.kpi).in_(slugs), col(ReadingRow.known_at) <= as_of)
        .order_by(col(ReadingRow.period), col(ReadingRow.known_at), col(ReadingRow.id))
    )
    newest: dict[str, dict[date, ReadingRow]] = {slug: {} for slug in slugs}
    for row in rows:
        newest[row.kpi][row.period] = row
    return newest


def hold_kpis(session: Session, slugs: Collection[str] | None) -> None:
    """Let nobody else give readings to these KPIs, or to any, or judge what rests on them, until the transaction ends.

    Two that do so at once would each keep the same, unaware of the other. SQLite lets one write at a time anyway.
    """
    held = select(KpiRow.slug).order_by(col(KpiRow.slug)).with_for_update(key_share=True)
    session.exec(held if slugs is None else held.where(col(KpiRow.slug).in_(slugs))).all()


def reading_history(
    session: Session, slug: str, *, as_of: datetime = FOREVER
) -> dict[date, list[ReadingRow]]:
    """Return every reading of a KPI that was known at a moment, by period, the oldest first."""
    rows = session.exec(
        select(ReadingRow)
        .where(ReadingRow.kpi == slug, col(ReadingRow.known_at) <= as_of)
        .order_by(col(ReadingRow.period), col(ReadingRow.known_at), col(ReadingRow.id))
    )
    history: dict[date, list[ReadingRow]] = defaultdict(list)
    for row in rows:
        history[row.period].append(row)
    return dict(history)


def add_readings(
    session: Session,
    slug: str,
    given: Iterable[Reading],
    *,
    now: datetime,
    known: Mapping[date, ReadingRow],
    entered_by: str | None = None,
    run: int | None = None,
) -> list[ReadingRow]:
    """Keep the readings that say something new, and return those rows. The same value again writes nothing."""
    added = []
    for reading in given:
        newest = known.get(reading.period)
        if newest is not None and _says_the_same(newest, reading):
            continue
        row = ReadingRow(
            kpi=slug,
            period=reading.period,
            value=reading.value,
            numerator=reading.numerator,
            denominator=reading.denominator,
            state=reading.state,
            known_at=known_after(now, newest.known_at if newest else None),
            published_at=reading.published_at,
            entered_by=entered_by,
            run=run,
            note=reading.note,
        )
        session.add(row)
        added.append(row)
    session.flush()
    return added


def _says_the_same(kept: ReadingRow, given: Reading) -> bool:
    return (kept.value, kept.numerator, kept.denominator, kept.state, kept.note) == (
        given.value,
        given.numerator,
        given.denominator,
        given.state,
        given.note,
    )


def newest_period(session: Session, slug: str) -> date | None:
    """Return the newest period that has a reading of a KPI."""
    return session.exec(select(sa.func.max(ReadingRow.period)).where(ReadingRow.kpi == slug)).one()


def runs(session: Session, slug: str, *, limit: int = 10) -> Sequence[RunRow]:
    """Return the newest runs of a KPI's source."""
    return session.exec(
        select(RunRow).where(RunRow.kpi == slug).order_by(col(RunRow.id).desc()).limit(limit)
    ).all()
