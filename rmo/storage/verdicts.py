"""Queries for verdicts, atoms and gaps as known at a moment."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from rmo.storage.moments import FOREVER
from rmo.storage.tables import ActionRow, AtomsRow, GapRow, VerdictRow


def verdicts(
    session: Session, references: Collection[str], *, as_of: datetime = FOREVER
) -> dict[str, dict[date, VerdictRow]]:
    """Return the newest verdict about every period as known at a moment, by benefit, periods in order."""
    rows = session.exec(
        select(VerdictRow)
        .where(col(VerdictRow.benefit).in_(references), col(VerdictRow.known_at) <= as_of)
        .order_by(col(VerdictRow.period), col(VerdictRow.known_at), col(VerdictRow.id))
    )
    found: dict[str, dict[date, VerdictRow]] = defaultdict(dict)
    for row in rows:
        found[row.benefit][row.period] = row
    return dict(found)


def verdict_history(session: Session, reference: str, *, as_of: datetime = FOREVER) -> Sequence[VerdictRow]:
    """Return every verdict about a benefit that was known at a moment, the newest first."""
    return session.exec(
        select(VerdictRow)
        .where(VerdictRow.benefit == reference, col(VerdictRow.known_at) <= as_of)
        .order_by(col(VerdictRow.known_at).desc(), col(VerdictRow.period).desc())
    ).all()


def restatements(session: Session, *, since: datetime, as_of: datetime = FOREVER) -> Sequence[VerdictRow]:
    """Return the verdicts that restated an earlier one between two moments, the oldest first."""
    return session.exec(
        select(VerdictRow)
        .where(VerdictRow.reason != "", col(VerdictRow.known_at) > since, col(VerdictRow.known_at) <= as_of)
        .order_by(col(VerdictRow.known_at), col(VerdictRow.id))
    ).all()


def newest_verdicts(
    session: Session, references: Collection[str], *, as_of: datetime = FOREVER
) -> dict[str, VerdictRow]:
    """Return what was thought of each benefit at a moment: the newest verdict about its newest period."""
    newest = (
        select(VerdictRow.benefit, sa.func.max(VerdictRow.period).label("period"))
        .where(col(VerdictRow.benefit).in_(references), col(VerdictRow.known_at) <= as_of)
        .group_by(VerdictRow.benefit)
        .subquery()
    )
    rows = session.exec(
        select(VerdictRow)
        .join(
            newest,
            sa.and_(col(VerdictRow.benefit) == newest.c.benefit, col(VerdictRow.period) == newest.c.period),
        )
        .where(col(VerdictRow.known_at) <= as_of)
        .order_by(col(VerdictRow.known_at), col(VerdictRow.id))
    )
    return {row.benefit: row for row in rows}


def atoms(session: Session, references: Collection[str], *, as_of: datetime = FOREVER) -> dict[str, AtomsRow]:
    """Return the newest atoms of each benefit as known at a moment."""
    newest = (
        select(AtomsRow.benefit, sa.func.max(AtomsRow.known_at).label("known_at"))
        .where(col(AtomsRow.benefit).in_(references), col(AtomsRow.known_at) <= as_of)
        .group_by(AtomsRow.benefit)
        .subquery()
    )
    rows = session.exec(
        select(AtomsRow).join(
            newest,
            sa.and_(col(AtomsRow.benefit) == newest.c.benefit, col(AtomsRow.known_at) == newest.c.known_at),
        )
    )
    return {row.benefit: row for row in rows}


def gaps(
    session: Session, references: Collection[str], *, as_of: datetime = FOREVER
) -> dict[str, list[GapRow]]:
    """Return the gaps that were open at a moment, by benefit."""
    rows = session.exec(
        select(GapRow)
        .where(
            col(GapRow.benefit).in_(references),
            col(GapRow.opened_at) <= as_of,
            sa.or_(col(GapRow.closed_at).is_(None), col(GapRow.closed_at) > as_of),
        )
        .order_by(col(GapRow.id))
    )
    found: dict[str, list[GapRow]] = defaultdict(list)
    for row in rows:
        found[row.benefit].append(row)
    return dict(found)


def actions(session: Session, gap_ids: Collection[int]) -> dict[int, list[ActionRow]]:
    """Return the actions on each gap, the one due first first."""
    rows = session.exec(select(ActionRow).where(col(ActionRow.gap).in_(gap_ids)).order_by(col(ActionRow.due)))
    found: dict[int, list[ActionRow]] = defaultdict(list)
    for row in rows:
        found[row.gap].append(row)
    return dict(found)
