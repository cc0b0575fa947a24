"""One clock to an SQLite file: a lock that the operating system lets go of however its holder ends."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.engine import Engine

from rmo.domain.errors import ConflictError, DatabaseError

SUFFIX = "-clock"


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Be the only clock of an SQLite file, or raise ConflictError; on PostgreSQL several may run.

    The lock is SQLite's own, on an empty file beside the database, so that it is the same on every system.
    """
    if engine.dialect.name != "sqlite" or not engine.url.database:
        yield
        return
    path = Path(engine.url.database).resolve()
    try:
        connection = sqlite3.connect(
            f"{path}{SUFFIX}", timeout=0, isolation_level=None, check_same_thread=False
        )
    except sqlite3.OperationalError as error:
        raise DatabaseError(f"{path}{SUFFIX} cannot be opened: {error}.") from error
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise ConflictError(
                f"Another rmo keeps the clock of {path.name} already; stop it first, "
                "or use PostgreSQL, where several may."
            ) from error
        yield
