"""Taking work: jobs, pulls and mails are rows that one worker holds for a while, under a lease.

The lease is told by the database's clock, so that machines need not agree on the time. Each taking counts
the row's attempt up, and renewing and finishing hold only for the attempt that was taken: a worker that was
frozen and wakes up too late is refused. The same statements run on SQLite and on PostgreSQL.
"""

import functools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from rmo.domain.errors import ConflictError
from rmo.storage import tables  # noqa: F401  its import fills the metadata
from rmo.storage.database import transaction
from rmo.storage.types import UtcDateTime

LEASE: Final = timedelta(seconds=60)
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
RENEWALS = 3  # in one lease, so that one that fails does no harm


class TakenOverError(ConflictError):
    """The work was taken over by another worker in the meantime; nothing of this attempt may be kept."""


@dataclass(frozen=True)
class Queue:
    """A table of work, whose unique columns tell what is the same work, and the states that this module sets."""

    table: sa.Table
    waiting: str
    taken: str


JOBS: Final = Queue(SQLModel.metadata.tables["job_run"], "waiting", "running")
DELIVERIES: Final = Queue(SQLModel.metadata.tables["delivery"], "queued", "sending")


@dataclass(frozen=True)
class Taken:
    """A row that this worker holds, and the attempt for which it does."""

    id: int
    attempt: int


def add(session: Session, queue: Queue, values: Mapping[str, Any]) -> int | None:
    """Let a row wait for a worker and return its id, or None where one with its key is there already."""
    return _insert_once(session, queue, {**values, "state": queue.waiting, "attempt": 0})


def claim(
    session: Session, queue: Queue, values: Mapping[str, Any], *, worker: str, lease: timedelta = LEASE
) -> Taken | None:
    """Add a row and take it at once, or return None where one with its key is there already."""
    held = {"state": queue.taken, "worker": worker, "attempt": 1}
    row = _insert_once(session, queue, {**values, **held}, lease)
    return None if row is None else Taken(row, 1)


def take_next(
    session: Session,
    queue: Queue,
    *ready: sa.ColumnElement[bool],
    worker: str,
    given: Mapping[str, Any] = NOTHING,
    most: int = 1,
    lease: timedelta = LEASE,
) -> list[Taken]:
    """Take the oldest rows that wait and are ready, at most so many; `given` fills what `ready` leaves open."""
    return _take(session, queue, ready, given, worker, most, lease)


def take_over(
    session: Session, queue: Queue, *which: sa.ColumnElement[bool], worker: str, lease: timedelta = LEASE
) -> Taken | None:
    """Take the oldest row whose worker did not finish it and let its lease run out."""
    taken = _take(session, queue, which, NOTHING, worker, 1, lease, lapsed=True)
    return taken[0] if taken else None


def give_up(
    session: Session, queue: Queue, *which: sa.ColumnElement[bool], values: Mapping[str, Any]
) -> list[int]:
    """Change rows whose lease has run out, instead of taking them over, and return their ids."""
    table = queue.table
    lapsed = _lapsed(queue, session.connection().dialect.name)
    changed = table.update().where(lapsed, *which).values(lease_until=None, **values).returning(table.c.id)
    return sorted(session.scalars(changed))


def renew(session: Session, queue: Queue, taken: Taken, *, lease: timedelta = LEASE) -> bool:
    """Hold the work for one more lease, or return False where it was taken over."""
    return _change(session, queue, taken, NOTHING, lease)


def finish(session: Session, queue: Queue, taken: Taken, values: Mapping[str, Any]) -> None:
    """Set the work's last state and let it go, or raise TakenOverError.

    Call it in the transaction that keeps the work's effect: the error rolls both back, so that the effect
    and the state are one.
    """
    if not _change(session, queue, taken, values):
        raise TakenOverError(f"{queue.table.name} {taken.id} was taken over by another worker.")


def db_now(session: Session) -> datetime:
    """Return the time by the database's clock."""
    moment: datetime = session.execute(sa.select(_clock(session.connection().dialect.name))).scalar_one()
    return moment


class Lease:
    """Renews the lease from a thread for as long as the work takes. `lost` is set once another has taken it over."""

    def __init__(self, engine: Engine, queue: Queue, taken: Taken, *, lease: timedelta = LEASE) -> None:
        self.lost = threading.Event()
        self._renewal = (engine, queue, taken, lease)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease of {taken}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        engine, queue, taken, lease = self._renewal
        while not self._over.wait(lease.total_seconds() / RENEWALS):
            try:
                with transaction(engine) as session:
                    held = renew(session, queue, taken, lease=lease)
            except DBAPIError:
                continue  # a database that is away for a moment; finishing tells whether it took too long
            if not held:
                self.lost.set()
                return


# Building a statement takes longer than running it, so each is built once. Conditions that are to find their
# statement again are kept by the caller, with bindparam() for what changes.
_once = functools.lru_cache(maxsize=256)


def _take(
    session: Session,
    queue: Queue,
    which: tuple[sa.ColumnElement[bool], ...],
    given: Mapping[str, Any],
    worker: str,
    most: int,
    lease: timedelta,
    *,
    lapsed: bool = False,
) -> list[Taken]:
    connection = session.connection()
    change = _taking(queue, which, lapsed, most, lease, connection.dialect.name)
    found = connection.execute(change, {**given, "by_worker": worker})
    return sorted((Taken(*row) for row in found), key=lambda taken: taken.id)


@_once
def _taking(
    queue: Queue,
    which: tuple[sa.ColumnElement[bool], ...],
    lapsed: bool,
    most: int,
    lease: timedelta,
    dialect: str,
) -> sa.Executable:
    columns = queue.table.c
    free = _lapsed(queue, dialect) if lapsed else columns.state == queue.waiting
    # Other workers pass over rows that are locked here; SQLite has no row locks and needs none.
    oldest = sa.select(columns.id).where(free, *which).order_by(columns.id).limit(most)
    chosen = sa.select(oldest.with_for_update(skip_locked=True).cte("chosen").c.id)
    held = {"state": queue.taken, "worker": sa.bindparam("by_worker"), "lease_until": _clock(dialect, lease)}
    return (
        queue.table.update()
        .where(columns.id.in_(chosen), free, *which)
        .values(attempt=columns.attempt + 1, **held)
        .returning(columns.id, columns.attempt)
    )


def _lapsed(queue: Queue, dialect: str) -> sa.ColumnElement[bool]:
    return sa.and_(queue.table.c.state == queue.taken, queue.table.c.lease_until < _clock(dialect))


def _clock(dialect: str, later: timedelta = timedelta()) -> sa.ColumnElement[datetime]:
    """Return the database's clock as an expression, some time later, in the form in which moments are kept."""
    if dialect == "postgresql":
        return sa.type_coerce(sa.func.clock_timestamp() + sa.literal(later, sa.Interval), UtcDateTime())
    shift = f"{later.total_seconds():+.3f} seconds"
    text = sa.func.strftime("%Y-%m-%dT%H:%M:%f", "now", shift, type_=sa.String) + "000Z"
    return sa.type_coerce(text, UtcDateTime())


def _change(
    session: Session, queue: Queue, taken: Taken, values: Mapping[str, Any], lease: timedelta | None = None
) -> bool:
    """Change a row that is still held for its attempt, under a new lease or none, and return whether it was."""
    connection = session.connection()
    change = _changing(queue, tuple(values), lease, connection.dialect.name)
    new = {f"new_{name}": value for name, value in values.items()}
    return connection.execute(change, {**new, "id_": taken.id, "attempt_": taken.attempt}).first() is not None


@_once
def _changing(queue: Queue, names: tuple[str, ...], lease: timedelta | None, dialect: str) -> sa.Executable:
    columns = queue.table.c
    mine = (
        columns.id == sa.bindparam("id_"),
        columns.attempt == sa.bindparam("attempt_"),
        columns.state == queue.taken,
    )
    new = {name: sa.bindparam(f"new_{name}", type_=columns[name].type) for name in names}
    until = None if lease is None else _clock(dialect, lease)
    return queue.table.update().where(*mine).values(lease_until=until, **new).returning(columns.id)


def _insert_once(
    session: Session, queue: Queue, values: Mapping[str, Any], lease: timedelta | None = None
) -> int | None:
    connection = session.connection()
    insert = _inserting(queue, lease, connection.dialect.name)
    row: int | None = connection.execute(insert, values).scalar()
    return row


@_once
def _inserting(queue: Queue, lease: timedelta | None, dialect: str) -> sa.Executable:
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(queue.table)
    if lease is not None:
        insert = insert.values(lease_until=_clock(dialect, lease))
    # Whichever unique column is the first to meet the same row of another worker, it is the same row.
    return insert.on_conflict_do_nothing().returning(queue.table.c.id)
