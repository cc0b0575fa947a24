"""The trail: every change with who, what and why, in a chain of hashes."""

import hashlib
import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from rmo.storage.tables import AuditRow, RevisionRow

NUMBER = sa.select(col(RevisionRow.number)).where(col(RevisionRow.id) == 1)
ONE_MORE = sa.update(RevisionRow).where(col(RevisionRow.id) == 1).values(number=col(RevisionRow.number) + 1)


TRAIL = 0x726D6F  # the lock that writers of the trail hold on PostgreSQL


def write_audit(
    session: Session,
    *,
    now: datetime,
    who: str,
    action: str,
    subject: str,
    before: Any = None,
    after: Any = None,
    why: str = "",
) -> None:
    """Add one entry to the trail, in the transaction of the change itself.

    Transactions that write to the trail queue up, so that no two entries follow the same one.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TRAIL)))
    newest = session.exec(select(AuditRow).order_by(col(AuditRow.id).desc()).limit(1)).first()
    entry = AuditRow(
        at=now,
        who=who,
        action=action,
        subject=subject,
        before=_text(before),
        after=_text(after),
        why=why,
        previous_hash=newest.hash if newest else "",
        hash="",
    )
    entry.hash = entry_hash(entry)
    session.add(entry)
    session.flush()


def entry_hash(entry: AuditRow) -> str:
    """Return the hash that an entry must have after the one before it."""
    at = entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    parts = [at, entry.who, entry.action, entry.subject, entry.before, entry.after, entry.why]
    return hashlib.sha256(json.dumps([entry.previous_hash, *parts]).encode()).hexdigest()


def first_broken(session: Session) -> AuditRow | None:
    """Return the first entry that is not as it was written or does not follow the one before it, or none."""
    before = ""
    for entry in session.exec(select(AuditRow).order_by(col(AuditRow.id))):
        if entry.previous_hash != before or entry.hash != entry_hash(entry):
            return entry
        before = entry.hash
    return None


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, default=str, sort_keys=True)


def revision(session: Session) -> int:
    """Return the number that counts up with every change of what pages show."""
    return session.connection().scalar(NUMBER) or 0


def count_up(session: Session) -> None:
    """Say that something changed that pages show, in the transaction of the change itself.

    The database adds, so that of two transactions at once neither takes the other's number.
    """
    connection = session.connection()
    if connection.execute(ONE_MORE).rowcount == 0:
        connection.execute(sa.insert(RevisionRow).values(id=1, number=1))
