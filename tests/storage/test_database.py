"""Two transactions at once: writers queue up and lose nothing, readers see one moment and wait for nobody."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlmodel import select

from rmo.domain.errors import DatabaseError
from rmo.storage.audit import count_up, revision
from rmo.storage.database import open_engine, reading, transaction
from rmo.storage.tables import ProgrammeRow, ProjectRow, RevisionRow

WRITERS, EACH = 4, 10
SOON = 20  # seconds: only a failure waits for so long


def side_by_side(*works: Callable[[], None]) -> None:
    """Run some works at once and raise what went wrong in any."""
    errors: list[BaseException] = []
    together = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        try:
            together.wait(SOON)
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def add(engine: Engine, slug: str) -> None:
    with transaction(engine) as session:
        session.add(ProgrammeRow(slug=slug, name=slug))


def slugs(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.exec(select(ProgrammeRow.slug)))


def test_writers_queue_up_and_no_update_is_lost(engine: Engine):
    with transaction(engine) as session:
        count_up(session)

    def count() -> None:
        for _ in range(EACH):
            with transaction(engine) as session:
                count_up(session)

    side_by_side(*[count] * WRITERS)

    with reading(engine) as session:
        assert revision(session) == WRITERS * EACH + 1


def test_on_sqlite_what_a_writer_read_still_holds_when_it_writes(sqlite_engine: Engine):
    add(sqlite_engine, "one")

    def read_then_write() -> None:
        for _ in range(EACH):
            with transaction(sqlite_engine) as session:
                row = session.get_one(ProgrammeRow, "one")
                row.description = str(int(row.description or 0) + 1)

    side_by_side(*[read_then_write] * WRITERS)

    with reading(sqlite_engine) as session:
        assert session.get_one(ProgrammeRow, "one").description == str(WRITERS * EACH)


def test_a_reader_does_not_wait_for_a_writer_and_sees_nothing_unfinished(engine: Engine):
    add(engine, "before")
    written, seen = threading.Event(), threading.Event()

    def write() -> None:
        with transaction(engine) as session:
            session.add(ProgrammeRow(slug="unfinished", name=""))
            session.flush()
            written.set()
            assert seen.wait(SOON)

    def look() -> None:
        assert written.wait(SOON)
        assert slugs(engine) == ["before"]
        seen.set()

    side_by_side(write, look)

    assert sorted(slugs(engine)) == ["before", "unfinished"]


def test_a_writer_does_not_wait_for_a_reader(engine: Engine):
    with reading(engine) as session:
        assert session.exec(select(ProgrammeRow)).all() == []
        add(engine, "while somebody reads")

    assert slugs(engine) == ["while somebody reads"]


def test_on_sqlite_a_reader_stays_at_its_moment(sqlite_engine: Engine):
    with reading(sqlite_engine) as session:
        before = session.exec(select(ProgrammeRow)).all()
        add(sqlite_engine, "later")
        assert session.exec(select(ProgrammeRow)).all() == before

    assert slugs(sqlite_engine) == ["later"]


def test_a_transaction_that_fails_leaves_nothing_behind(engine: Engine):
    def half() -> None:
        with transaction(engine) as session:
            session.add(ProgrammeRow(slug="half", name=""))
            session.flush()
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        half()

    assert slugs(engine) == []
    add(engine, "after")
    assert slugs(engine) == ["after"]


def test_a_reading_session_keeps_nothing(engine: Engine):
    with reading(engine) as session:
        session.add(RevisionRow(number=9))
        session.flush()

    with reading(engine) as session:
        assert revision(session) == 0


def test_what_the_tables_forbid_is_refused(engine: Engine):
    def orphan() -> None:
        with transaction(engine) as session:
            session.add(ProjectRow(slug="orphan", name="", programme="nowhere"))

    with pytest.raises(sa.exc.IntegrityError):
        orphan()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("no address", "not an address of a database", id="nonsense"),
        pytest.param(
            "sqlite:////no/such/folder/rmo.db", "does not exist; make it", id="a folder that is not there"
        ),
    ],
)
def test_a_database_that_cannot_be_opened_is_told_in_a_sentence(url: str, said: str):
    with pytest.raises(DatabaseError, match=said):
        open_engine(url)


def test_an_sqlite_file_is_opened_so_that_readers_and_writers_do_not_meet(tmp_path: Path):
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    engine.dispose()

    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30000}
