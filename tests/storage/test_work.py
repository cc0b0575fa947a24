"""Work is done once, whoever is killed, frozen or late."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlmodel import select

from rmo.storage import work
from rmo.storage.database import reading, transaction
from rmo.storage.tables import AuditRow, JobRunRow
from rmo.storage.work import JOBS, Lease, Taken, TakenOverError
from tests.processes import Process, until
from tests.storage.working import complete

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OVER = timedelta(seconds=-1)  # a lease that has run out when it begins
SHORT = timedelta(seconds=0.4)


def job(period: str, name: str = "pull") -> dict[str, object]:
    return {"job": name, "period_key": period, "planned_at": NOW}


def add_jobs(engine: Engine, count: int) -> None:
    with transaction(engine) as session:
        for number in range(count):
            work.add(session, JOBS, job(f"2026-{number:03}"))


def claimed(engine: Engine, worker: str, lease: timedelta = work.LEASE) -> Taken:
    with transaction(engine) as session:
        taken = work.claim(session, JOBS, job("2026-03"), worker=worker, lease=lease)
    assert taken is not None
    return taken


def row(engine: Engine, taken: Taken) -> JobRunRow:
    with reading(engine) as session:
        found = session.get_one(JobRunRow, taken.id)
        session.expunge(found)
        return found


def lease_end(engine: Engine, taken: Taken) -> datetime:
    end = row(engine, taken).lease_until
    assert end is not None
    return end


def effects(engine: Engine) -> Counter[str]:
    with reading(engine) as session:
        return Counter(session.exec(select(AuditRow.subject)))


def take_over(engine: Engine) -> Taken | None:
    with transaction(engine) as session:
        return work.take_over(session, JOBS, worker="heir")


def complete_what_is_left(engine: Engine) -> bool:
    """Do what a killed worker left, and return whether all jobs are done."""
    if taken := take_over(engine):
        complete(engine, taken, "heir")
    with reading(engine) as session:
        return set(session.exec(select(JobRunRow.state))) == {"done"}


def rename(engine: Engine, old: str, new: str) -> None:
    with transaction(engine) as session:
        session.connection().execute(text(f"alter table {old} rename to {new}"))


def test_a_key_is_added_once(engine: Engine):
    with transaction(engine) as session:
        first = work.add(session, JOBS, job("2026-03"))
        again = work.add(session, JOBS, job("2026-03"))
        other = work.add(session, JOBS, job("2026-04"))

    assert first is not None
    assert again is None
    assert other not in (None, first)


def test_a_key_is_claimed_once(engine: Engine):
    mine = claimed(engine, "one")
    with transaction(engine) as session:
        theirs = work.claim(session, JOBS, job("2026-03"), worker="two")

    assert theirs is None
    assert (row(engine, mine).state, row(engine, mine).worker) == ("running", "one")


def test_the_oldest_ready_rows_are_taken_and_no_more_than_asked_for(engine: Engine):
    add_jobs(engine, 5)
    ready = JOBS.table.c.period_key != "2026-000"

    with transaction(engine) as session:
        first = work.take_next(session, JOBS, ready, worker="one", most=2)
        then = work.take_next(session, JOBS, ready, worker="two", most=9)

    assert [row(engine, taken).period_key for taken in first] == ["2026-001", "2026-002"]
    assert [row(engine, taken).period_key for taken in then] == ["2026-003", "2026-004"]


def test_a_lease_is_told_by_the_clock_of_the_database(engine: Engine):
    with transaction(engine) as session:
        before = work.db_now(session)
    taken = claimed(engine, "one")
    with transaction(engine) as session:
        after = work.db_now(session)

    assert before.tzinfo is not None
    assert before + work.LEASE <= lease_end(engine, taken) <= after + work.LEASE


def test_work_under_a_lease_is_not_taken_over(engine: Engine):
    claimed(engine, "one")

    assert take_over(engine) is None


def test_an_overtaken_worker_may_neither_renew_nor_finish(engine: Engine):
    late = claimed(engine, "late", OVER)
    heir = take_over(engine)

    with transaction(engine) as session:
        assert not work.renew(session, JOBS, late)
    assert complete(engine, late, "late") == "refused"
    assert effects(engine) == {}
    assert heir == Taken(late.id, 2)
    assert (row(engine, heir).state, row(engine, heir).worker) == ("running", "heir")


def test_finished_work_stays_finished(engine: Engine):
    taken = claimed(engine, "one", OVER)
    with transaction(engine) as session:
        work.finish(session, JOBS, taken, {"state": "failed", "error": "The feed is silent."})

    assert take_over(engine) is None
    assert (row(engine, taken).state, row(engine, taken).lease_until) == ("failed", None)
    with pytest.raises(TakenOverError), transaction(engine) as session:
        work.finish(session, JOBS, taken, {"state": "done"})


def test_work_can_be_given_up_instead_of_taken_over(engine: Engine):
    lapsed = claimed(engine, "one", OVER)
    with transaction(engine) as session:
        work.claim(session, JOBS, job("2026-04"), worker="two")
        given_up = work.give_up(session, JOBS, values={"state": "failed", "error": "It never came back."})

    assert given_up == [lapsed.id]
    assert (row(engine, lapsed).state, row(engine, lapsed).error) == ("failed", "It never came back.")


def test_a_lease_is_renewed_while_the_work_takes(engine: Engine):
    taken = claimed(engine, "one", SHORT)
    end = lease_end(engine, taken)

    with Lease(engine, JOBS, taken, lease=SHORT) as lease:
        until(lambda: lease_end(engine, taken) > end + SHORT)
        assert take_over(engine) is None
        assert not lease.lost.is_set()


def test_a_worker_learns_that_its_lease_is_lost(engine: Engine):
    taken = claimed(engine, "one", OVER)
    take_over(engine)

    with Lease(engine, JOBS, taken, lease=SHORT) as lease:
        assert lease.lost.wait(10)


def test_a_database_that_is_away_for_a_moment_does_not_end_the_renewing(engine: Engine):
    taken = claimed(engine, "one", SHORT)
    end = lease_end(engine, taken)
    failed = threading.Event()
    event.listen(engine, "handle_error", lambda _: failed.set())
    rename(engine, "job_run", "away")

    with Lease(engine, JOBS, taken, lease=SHORT):
        assert failed.wait(10)
        rename(engine, "away", "job_run")
        until(lambda: lease_end(engine, taken) > end)


@pytest.fixture
def worker(database_url):
    """Return a function that starts a worker in a process of its own."""
    started = []

    def start(name: str, what: str) -> Process:
        started.append(Process("tests.storage.working", database_url, name, str(SHORT.total_seconds()), what))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def test_the_work_of_a_killed_worker_is_taken_over(engine: Engine, worker):
    add_jobs(engine, 1)
    victim = worker("victim", "hold")
    assert victim.hear() == "holds 1"
    victim.kill()

    heir = until(lambda: take_over(engine))

    assert heir == Taken(1, 2)


def test_a_frozen_worker_that_wakes_up_is_refused(engine: Engine, worker):
    add_jobs(engine, 1)
    sleeper = worker("sleeper", "hold")
    assert sleeper.hear() == "holds 1"
    sleeper.freeze()
    heir = until(lambda: take_over(engine))
    with transaction(engine) as session:
        work.finish(session, JOBS, heir, {"state": "done"})

    sleeper.thaw()
    sleeper.tell("finish")

    assert sleeper.hear() == "refused"
    assert effects(engine) == {}
    assert row(engine, heir).state == "done"


def test_three_workers_do_every_job_once_though_one_is_killed(engine: Engine, worker):
    add_jobs(engine, 60)
    workers = [worker(name, "drain") for name in ("one", "two", "three")]
    assert [process.hear() for process in workers] == ["ready"] * 3
    for process in workers:
        process.tell("go")
    for _ in range(5):
        workers[0].hear()
    workers[0].kill()

    assert [process.wait() for process in workers[1:]] == [0, 0]
    until(lambda: complete_what_is_left(engine))
    assert effects(engine) == {str(number): 1 for number in range(1, 61)}
