"""Opening a database, and the two kinds of transaction: one that writes and one that only reads."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session

from rmo.domain.errors import DatabaseError

PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON")
WRITES = "rmo_write"
KINDS = "write sqlite:///rmo.db or postgresql://…"


def open_engine(url: str) -> Engine:
    """Return an engine for an SQLite file or a PostgreSQL server, or raise DatabaseError."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError(f"RMO_DATABASE_URL is not an address of a database; {KINDS}") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise DatabaseError(f"RMO_DATABASE_URL names a kind of database that rmo cannot use; {KINDS}")
    if parsed.get_backend_name() != "sqlite":
        try:
            return sa.create_engine(parsed, pool_pre_ping=True, pool_size=10, hide_parameters=True)
        except ModuleNotFoundError as error:
            raise DatabaseError("For PostgreSQL, install rmo with the extra: rmo[postgres].") from error
    folder = Path(parsed.database or "").parent
    if not folder.is_dir():
        raise DatabaseError(
            f"The folder {folder} for the database does not exist; make it, or change the path."
        )
    engine = sa.create_engine(parsed, connect_args={"check_same_thread": False}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin ourselves: the driver's own way loses updates
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Let writers queue up front, so that none fails half way; readers stay beside them."""
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@functools.lru_cache(maxsize=64)
def _writing(engine: Engine) -> Engine:
    return engine.execution_options(**{WRITES: True})


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Give a session that writes; it is committed at the end, or rolled back whole."""
    with Session(_writing(engine), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Give a session that only reads, at one moment of the database."""
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        yield session
