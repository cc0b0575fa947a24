"""The clock: plans what is due into rows, and works the rows off. A row's key makes a job run once, never the clock."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlmodel import Session, col, select

from rmo.domain.errors import RmoError
from rmo.mail.delivery import Sender, send_queued
from rmo.scheduler.alone import alone
from rmo.scheduler.jobs import JOBS, Job, Tools
from rmo.storage import work
from rmo.storage.database import reading, transaction
from rmo.storage.tables import JobRunRow
from rmo.storage.work import TakenOverError

log = structlog.get_logger()
PLAN_EVERY = 20  # seconds
WORK_EVERY = 5
A_DAY = timedelta(days=1)
FIRST_LOOK_BACK = A_DAY  # of a new installation
MOST_OCCURRENCES = 5000
MOST_ATTEMPTS = 3  # of a job whose worker dies: it may be the job that kills it
KILLED_ITS_WORKERS = f"Its worker ended in the middle of it {MOST_ATTEMPTS} times."


class Ran(StrEnum):
    """What came of running a job by hand."""

    NOW = "now"
    BEFORE = "before"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class _Turn:
    """A job that this worker holds."""

    taken: work.Taken
    job: str
    period_key: str


class JobFailedError(RmoError):
    """A job that a person ran by hand failed; its row keeps the reason."""


def worker_name() -> str:
    """Return a name for this process that says where it runs."""
    return f"{socket.gethostname()}:{os.getpid()}"


def occurrences(job: Job, after: datetime, until: datetime, zone: tzinfo) -> Iterator[tuple[str, datetime]]:
    """Yield the local period and the moment of each time a job was due, one a period.

    The cron text is read on a wall clock that is never put back or forward, so that the hour that happens
    twice makes one run and the hour that is left out makes one too, an hour later.
    """
    trigger = CronTrigger.from_crontab(job.cron, timezone=UTC)
    # A day more at both ends: a zone may have been put forward or back in between.
    wall, latest, last = _wall(after, zone) - A_DAY, _wall(until, zone) + A_DAY, ""
    for _ in range(MOST_OCCURRENCES):
        wall = trigger.get_next_fire_time(None, wall + timedelta(microseconds=1))
        if wall is None or wall > latest:
            return
        moment, key = wall.replace(tzinfo=zone).astimezone(UTC), job.period_key(wall)
        if after < moment <= until and key != last:
            last = key
            yield key, moment


def _wall(moment: datetime, zone: tzinfo) -> datetime:
    """Return what the clock on the wall shows, as if there were no zones."""
    return moment.astimezone(zone).replace(tzinfo=UTC)


def plan(tools: Tools) -> int:
    """Write a row for every job that became due, and return how many are new.

    After a standstill only a job's newest period is caught up: a pull asks for everything that is
    new, and nobody wants nine digests.
    """
    now = tools.now()
    with transaction(tools.engine) as session:
        added = 0
        for name, job in JOBS.items():
            due = list(occurrences(job, _last_planned(session, name, now), now, tools.settings.tz))
            if due:
                added += _add(session, name, due[-1][0], now)
    return added


def _last_planned(session: Session, name: str, now: datetime) -> datetime:
    """Return since when a job is to be looked for: its newest row, or the first row of any job.

    Rows of the future are those of a clock that was wrong; the keys see to it that nothing runs twice.
    """
    planned = col(JobRunRow.planned_at)
    past = planned <= now
    newest = session.exec(select(sa.func.max(planned)).where(past, JobRunRow.job == name)).one()
    return newest or (session.exec(select(sa.func.min(planned)).where(past)).one() or now) - FIRST_LOOK_BACK


def _add(session: Session, name: str, period_key: str, now: datetime) -> bool:
    row = {"job": name, "period_key": period_key, "planned_at": now, "worker": "", "error": ""}
    return work.add(session, work.JOBS, row) is not None


def run_once(tools: Tools, name: str) -> Ran:
    """Run a job for its current period, whether it is due or not, and send what is queued.

    What is done stays done; what failed runs again. Raises JobFailedError with the reason when it fails.
    """
    period_key = JOBS[name].period_key(tools.now().astimezone(tools.settings.tz))
    columns = work.JOBS.table.c
    mine = sa.and_(columns.job == name, columns.period_key == period_key)
    with transaction(tools.engine) as session:
        _add(session, name, period_key, tools.now())
        failed = work.JOBS.table.update().where(mine, columns.state == "failed")
        session.execute(failed.values(state=work.JOBS.waiting))
    ran = _work_one(tools, mine)
    _send(tools)
    with reading(tools.engine) as session:
        row = session.exec(select(JobRunRow).where(mine)).one()
    if row.state == "failed":
        raise JobFailedError(f"The job {name} failed: {row.error}")
    if ran:
        return Ran.NOW
    return Ran.BEFORE if row.state == "done" else Ran.ELSEWHERE


def work_off(tools: Tools) -> int:
    """Run every job that waits, or that a dead worker left behind, and send what is queued; return how many ran."""
    done = 0
    while _work_one(tools, _in_turn()):
        done += 1
    _send(tools)
    return done


def _in_turn() -> sa.ColumnElement[bool]:
    """Let a job wait for those planned before it: a digest after a standstill tells what its pull brought."""
    table = work.JOBS.table
    earlier = table.alias("earlier")
    unfinished = earlier.c.state.in_((work.JOBS.waiting, work.JOBS.taken))
    return ~sa.exists().where(earlier.c.id < table.c.id, unfinished)


def _send(tools: Tools) -> None:
    sender = Sender(tools.settings.mail_from, tools.settings.organisation)
    send_queued(tools.engine, tools.outbox, sender=sender, now=tools.now(), worker=worker_name())


def _work_one(tools: Tools, which: sa.ColumnElement[bool]) -> bool:
    turn = _take(tools, which)
    if turn is None:
        return False
    error = _run(tools, turn)
    if error:
        log.error("job failed", job=turn.job, period=turn.period_key, error=error)
    state = {"state": "failed" if error else "done", "finished_at": tools.now(), "error": error}
    try:
        with transaction(tools.engine) as session:
            work.finish(session, work.JOBS, turn.taken, state)
    except TakenOverError as late:
        log.warning("job was taken over", job=turn.job, period=turn.period_key, error=str(late))
    return True


def _take(tools: Tools, which: sa.ColumnElement[bool]) -> _Turn | None:
    tried_enough = work.JOBS.table.c.attempt >= MOST_ATTEMPTS
    given_up = {"state": "failed", "finished_at": tools.now(), "error": KILLED_ITS_WORKERS}
    with transaction(tools.engine) as session:
        work.give_up(session, work.JOBS, which, tried_enough, values=given_up)
        found = work.take_next(session, work.JOBS, which, worker=worker_name())
        taken = found[0] if found else work.take_over(session, work.JOBS, which, worker=worker_name())
        if taken is None:
            return None
        row = session.get_one(JobRunRow, taken.id)
        row.started_at, row.finished_at, row.error = tools.now(), None, ""
        return _Turn(taken, row.job, row.period_key)


def _run(tools: Tools, turn: _Turn) -> str:
    """Run one job under its lease; a failure is kept with the job and stops no other."""

    def held(session: Session) -> None:
        """Refuse what a worker writes that was frozen while another took its job over."""
        if not work.renew(session, work.JOBS, turn.taken):
            raise TakenOverError(f"The job {turn.job} was taken over by another worker.")

    try:
        with work.Lease(tools.engine, work.JOBS, turn.taken):
            JOBS[turn.job].run(replace(tools, held=held), turn.period_key)
    except Exception as error:  # whatever it is, the row says so and the clock goes on
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


@contextmanager
def running(tools: Tools) -> Iterator[None]:
    """Keep the clock going in the background, alone on its SQLite file; only `rmo run` and `rmo worker` do."""
    with alone(tools.engine):
        scheduler = BackgroundScheduler(
            timezone=tools.settings.tz,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        scheduler.add_job(plan, "interval", seconds=PLAN_EVERY, args=[tools])
        scheduler.add_job(work_off, "interval", seconds=WORK_EVERY, args=[tools])
        scheduler.start()
        try:
            yield
        finally:
            scheduler.shutdown()
