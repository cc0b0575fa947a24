"""Queries for programmes, projects, benefits and their promises."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlmodel import Session, col, select

from rmo.domain.errors import NotFoundError
from rmo.domain.values import Scope
from rmo.storage.moments import FOREVER
from rmo.storage.tables import BenefitRow, ProgrammeRow, ProjectRow, PromisePointRow, PromiseRow


def benefit_by_reference(session: Session, reference: str, *, scope: Scope) -> BenefitRow:
    """Return one benefit that the scope may see, or raise NotFoundError."""
    row = session.get(BenefitRow, reference)
    if row is None or (scope.units is not None and row.unit not in scope.units):
        raise NotFoundError(f"There is no benefit {reference!r}.")
    return row


def benefits(session: Session, *, scope: Scope, as_of: datetime = FOREVER) -> Sequence[BenefitRow]:
    """Return the benefits that a scope may see and that were registered by a moment, by reference."""
    statement = select(BenefitRow).where(col(BenefitRow.created_at) <= as_of)
    if scope.units is not None:
        statement = statement.where(col(BenefitRow.unit).in_(scope.units))
    return session.exec(statement.order_by(col(BenefitRow.reference))).all()


def promises(
    session: Session, references: Collection[str], *, as_of: datetime = FOREVER
) -> dict[str, list[PromiseRow]]:
    """Return the versions of each benefit's promise that were known at a moment, the first one first."""
    rows = session.exec(
        select(PromiseRow)
        .where(col(PromiseRow.benefit).in_(references), col(PromiseRow.known_at) <= as_of)
        .order_by(col(PromiseRow.version))
    )
    found: dict[str, list[PromiseRow]] = defaultdict(list)
    for row in rows:
        found[row.benefit].append(row)
    return dict(found)


def points(session: Session, promise_ids: Collection[int]) -> dict[int, dict[date, PromisePointRow]]:
    """Return the trajectory of each promise by period, in order."""
    rows = session.exec(
        select(PromisePointRow)
        .where(col(PromisePointRow.promise).in_(promise_ids))
        .order_by(col(PromisePointRow.period))
    )
    found: dict[int, dict[date, PromisePointRow]] = defaultdict(dict)
    for row in rows:
        found[row.promise][row.period] = row
    return dict(found)


def claimed_shares(session: Session, kpi: str) -> dict[str, PromiseRow]:
    """Return the newest promise of every benefit that claims a share of a KPI's movement, by benefit."""
    rows = session.exec(select(PromiseRow).where(PromiseRow.kpi == kpi).order_by(col(PromiseRow.version)))
    return {row.benefit: row for row in rows}


def projects(session: Session, *, scope: Scope) -> dict[str, ProjectRow]:
    """Return the projects that a scope may see by slug: those with a benefit of its units."""
    statement = select(ProjectRow).order_by(col(ProjectRow.name))
    if scope.units is not None:
        own = select(BenefitRow.project).where(col(BenefitRow.unit).in_(scope.units))
        statement = statement.where(col(ProjectRow.slug).in_(own))
    return {row.slug: row for row in session.exec(statement)}


def programmes(session: Session, *, scope: Scope) -> dict[str, ProgrammeRow]:
    """Return the programmes that a scope may see by slug: those of its projects."""
    statement = select(ProgrammeRow).order_by(col(ProgrammeRow.name))
    if scope.units is not None:
        own = [row.programme for row in projects(session, scope=scope).values()]
        statement = statement.where(col(ProgrammeRow.slug).in_(own))
    return {row.slug: row for row in session.exec(statement)}
