"""The trail: every change in a chain of hashes, in which an edited, a removed and an inserted entry are found."""

import threading
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlmodel import select

from rmo.storage.audit import entry_hash, first_broken, write_audit
from rmo.storage.database import reading, transaction
from rmo.storage.tables import AuditRow
from tests.world import MEASURER, NOW, add_benefit, add_kpi, add_people, correct, month, promise


def lay(engine: Engine) -> int:
    """Make some changes and return how many entries they left."""
    with transaction(engine) as session:
        add_people(session)
        add_kpi(session)
        add_benefit(session)
        promise(session)
    correct(engine, month("2026-02"), "6.5", at=NOW)
    correct(engine, month("2026-02"), "6.4", at=NOW + timedelta(hours=1))
    with reading(engine) as session:
        return len(session.exec(select(AuditRow)).all())


def broken(engine: Engine) -> int | None:
    """Return the first entry that does not hold."""
    with reading(engine) as session:
        entry = first_broken(session)
        return entry.id if entry else None


def test_the_trail_of_all_changes_holds(engine: Engine):
    assert lay(engine) == 7
    assert broken(engine) is None


def test_an_empty_trail_holds(sqlite_engine: Engine):
    assert broken(sqlite_engine) is None


EDITS = {
    "who": "'somebody@example.org'",
    "action": "'look'",
    "subject": "'another'",
    "before": "'\"1\"'",
    "after": "'\"1\"'",
    "why": "'because'",
    "at": "'2026-01-01T00:00:00.000000Z'",
    "previous_hash": "''",
    "hash": "''",
}


def test_an_entry_that_is_edited_anywhere_is_found(sqlite_engine: Engine):
    lay(sqlite_engine)
    for column, value in EDITS.items():
        with reading(sqlite_engine) as session:  # which keeps nothing
            session.connection().execute(sa.text(f'update audit set "{column}" = {value} where id = 4'))
            entry = first_broken(session)
            assert (entry.id if entry else None) == 4, column


def test_an_edited_entry_with_a_hash_of_its_own_is_found_at_the_next_one(engine: Engine):
    lay(engine)
    with transaction(engine) as session:
        entry = session.get_one(AuditRow, 4)
        entry.who = "somebody@example.org"
        entry.hash = entry_hash(entry)

    assert broken(engine) == 5


def test_a_removed_entry_is_found(sqlite_engine: Engine):
    lay(sqlite_engine)
    with transaction(sqlite_engine) as session:
        session.connection().execute(sa.text("delete from audit where id = 3"))

    assert broken(sqlite_engine) == 4


def test_an_entry_says_what_was_and_what_is(sqlite_engine: Engine):
    lay(sqlite_engine)
    with reading(sqlite_engine) as session:
        given, corrected = session.exec(select(AuditRow).where(AuditRow.subject == "stay 2026-02-01"))

    assert (given.action, given.before, given.after, given.who) == ("give reading", "", '"6.5"', MEASURER)
    assert (corrected.action, corrected.before, corrected.after) == ("correct reading", '"6.5"', '"6.4"')


def test_writers_side_by_side_make_one_chain(engine: Engine):
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for _ in range(5):
                with transaction(engine) as session:
                    write_audit(session, now=NOW, who="test", action="try", subject=str(number))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    with reading(engine) as session:
        assert len(session.exec(select(AuditRow)).all()) == 20
    assert broken(engine) is None
