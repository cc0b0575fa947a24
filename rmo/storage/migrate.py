"""Bringing a database to this version's tables, safely from several processes at once."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from rmo.domain.errors import DatabaseError
from rmo.storage.database import WRITES

LOCK = 7_265_111  # any number of our own: PostgreSQL lets one holder through


def migration_config(connection: Connection) -> Config:
    """Return Alembic's settings, without an ini file."""
    config = Config()
    config.set_main_option("script_location", "rmo:storage/migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """Return the revision that this version's tables have."""
    config = Config()
    config.set_main_option("script_location", "rmo:storage/migrations")
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config).get_current_head() or ""


def migrate(engine: Engine) -> None:
    """Upgrade a database, or raise DatabaseError when it cannot be reached or is newer than this program."""
    try:
        with engine.execution_options(**{WRITES: True}).connect() as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text(f"select pg_advisory_xact_lock({LOCK})"))
            _upgrade(connection)
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise DatabaseError(f"The database cannot be opened: {reason}.") from error


def _upgrade(connection: Connection) -> None:
    config = migration_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current == newest_revision():
        return
    if current is not None and current not in known:
        raise DatabaseError(
            f"The database was written by a newer rmo (its tables are {current}); install that version or newer."
        )
    command.upgrade(config, "head")
