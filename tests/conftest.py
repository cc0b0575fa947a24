"""What many tests share: a fresh database for each, on SQLite and on PostgreSQL, and the watch over skipped tests."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as rmo.cli does, before numpy is loaded
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine, make_url

from rmo.storage.database import open_engine
from rmo.storage.migrate import migrate
from tests import postgres
from tests.skips import SkipWatch

RUN_FOLDER = "RMO_TEST_RUN_FOLDER"  # in the environment, so that all workers of a run find the one server
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")

hypothesis.settings.register_profile("rmo", deadline=None)  # a machine that is busy is no failure
hypothesis.settings.load_profile("rmo")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipWatch())
        os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="rmo-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop(RUN_FOLDER))
        postgres.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated, empty SQLite file that nobody has open."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    with opened(f"sqlite:///{path}") as engine:
        migrate(engine)
    return path


@dataclass(frozen=True)
class PostgresTemplate:
    """A migrated, empty database on a server, and a connection that makes and drops others."""

    server: sa.Connection
    name: str

    def copy(self, name: str) -> str:
        """Make a database like the template and return its address."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}" STRATEGY FILE_COPY')
        return self.address(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        self.server.execute(sa.text(statement))

    def address(self, name: str) -> str:
        return self.server.engine.url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[PostgresTemplate]:
    """Give a migrated, empty PostgreSQL database of this worker, or skip."""
    folder = Path(os.environ[RUN_FOLDER])
    try:
        url = make_url(postgres.server_url(folder))
    except postgres.NoServerError as error:
        pytest.skip(str(error))
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    name = f"{folder.name}-{WORKER}"
    with server.connect() as connection:
        template = PostgresTemplate(connection, name)
        template.run(f'CREATE DATABASE "{name}"')
        with opened(template.address(name)) as engine:
            migrate(engine)
        yield template
        template.drop(name)
    server.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Return the address of a fresh, migrated SQLite file."""
    shutil.copyfile(sqlite_template, tmp_path / "rmo.db")
    return f"sqlite:///{tmp_path / 'rmo.db'}"


@pytest.fixture
def postgres_url(postgres_template: PostgresTemplate) -> Iterator[str]:
    """Give the address of a fresh, migrated PostgreSQL database."""
    name = f"{postgres_template.name}-test"
    yield postgres_template.copy(name)
    postgres_template.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the address of a fresh, migrated database: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give a fresh, migrated database: the test runs once on each kind."""
    with opened(database_url) as engine:
        yield engine


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """Give a fresh, migrated SQLite database, for a test that is about something else than the database."""
    with opened(sqlite_url) as engine:
        yield engine


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Give a database that is closed at the end."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()
