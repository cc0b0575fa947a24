"""Tables and migrations say the same, on both databases."""

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.engine import Engine

from rmo.domain.errors import DatabaseError
from rmo.storage.database import open_engine, transaction
from rmo.storage.migrate import migrate, migration_config


def test_the_migrations_make_just_the_tables(engine: Engine):
    with engine.connect() as connection:
        command.check(migration_config(connection))


def test_migrating_again_changes_nothing(engine: Engine):
    migrate(engine)


def test_a_database_of_a_newer_version_is_refused(engine: Engine):
    with transaction(engine) as session:
        session.connection().execute(text("update alembic_version set version_num = '9999'"))

    with pytest.raises(DatabaseError, match="newer rmo"):
        migrate(engine)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DatabaseError, match="does not exist"):
        open_engine(f"sqlite:///{tmp_path}/missing/rmo.db")
