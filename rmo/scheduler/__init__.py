"""The clock: plans what is due into rows, and works the rows off. A row's key makes a job run once, never the clock."""

import os
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlmodel import Session, select

from rmo.mail.delivery import Sender, send_queued
from rmo.scheduler.jobs import JOBS, Job, Tools
from rmo.storage import work
from rmo.storage.database import transaction
from rmo.storage.tables import JobRunRow
from rmo.storage.work import TakenOverError

log = structlog.get_logger()
PLAN_EVERY = 20  # seconds
WORK_EVERY = 5
FIRST_LOOK_BACK = timedelta(days=1)  # of a new installation
MOST_OCCURRENCES = 5000


def worker_name() -> str:
    """Return a name for this process that says where it runs."""
    return f"{socket.gethostname()}:{os.getpid()}"


def occurrences(job: Job, after: datetime, until: datetime, tools: Tools) -> Iterator[tuple[str, datetime]]:
    """Yield the local period and the moment of each time a job was due, one a period.

    The period is a local label, never an instant, so that the hour that happens twice makes one run.
    """
    trigger = CronTrigger.from_crontab(job.cron, timezone=tools.settings.tz)
    moment, last = trigger.get_next_fire_time(None, after + timedelta(seconds=1)), ""
    for _ in range(MOST_OCCURRENCES):
        if moment is None or moment > until:
            return
        key = job.period_key(moment)
        if key != last:
            yield key, moment
        last = key
        moment = trigger.get_next_fire_time(moment, moment + timedelta(seconds=1))


def plan(tools: Tools) -> int:
    """Write a row for every job that became due, and return how many are new.

    After a standstill only a job's newest period is caught up: a pull asks for everything that is
    new, and nobody wants nine digests.
    """
    now = tools.now()
    with transaction(tools.engine) as session:
        added = 0
        for name, job in JOBS.items():
            due = list(occurrences(job, _last_planned(session, name, now), now, tools))
            if due:
                added += _add(session, name, due[-1][0], now)
    return added


def _last_planned(session: Session, name: str, now: datetime) -> datetime:
    planned = session.exec(select(JobRunRow.planned_at).where(JobRunRow.job == name)).all()
    return max(planned, default=now - FIRST_LOOK_BACK)


def _add(session: Session, name: str, period_key: str, now: datetime) -> bool:
    row = {"job": name, "period_key": period_key, "planned_at": now, "worker": "", "error": ""}
    return work.add(session, work.JOBS, row) is not None


def run_once(tools: Tools, name: str) -> bool:
    """Run a job for its current period, whether it is due or not; return whether it ran now and not before."""
    with transaction(tools.engine) as session:
        _add(session, name, JOBS[name].period_key(tools.now().astimezone(tools.settings.tz)), tools.now())
    return work_off(tools) > 0


def work_off(tools: Tools) -> int:
    """Run every job that waits, or that a dead worker left behind, and send what is queued; return how many ran."""
    done = 0
    while _work_one(tools):
        done += 1
    sender = Sender(tools.settings.mail_from, tools.settings.organisation, tools.sender.base_url)
    send_queued(tools.engine, tools.outbox, sender=sender, now=tools.now(), worker=worker_name())
    return done


def _work_one(tools: Tools) -> bool:
    with transaction(tools.engine) as session:
        found = work.take_next(session, work.JOBS, worker=worker_name())
        taken = found[0] if found else work.take_over(session, work.JOBS, worker=worker_name())
        if taken is None:
            return False
        row = session.get_one(JobRunRow, taken.id)
        name, period_key = row.job, row.period_key
        row.started_at = tools.now()
    error = _run(tools, name, period_key, taken)
    if error:
        log.error("job failed", job=name, period=period_key, error=error)
    state = {"state": "failed" if error else "done", "finished_at": tools.now(), "error": error}
    try:
        with transaction(tools.engine) as session:
            work.finish(session, work.JOBS, taken, state)
    except TakenOverError as late:
        log.warning("job was taken over", job=name, period=period_key, error=str(late))
    return True


def _run(tools: Tools, name: str, period_key: str, taken: work.Taken) -> str:
    """Run one job under its lease; a failure is kept with the job and stops no other."""
    try:
        with work.Lease(tools.engine, work.JOBS, taken):
            JOBS[name].run(tools, period_key)
    except Exception as error:  # whatever it is, the row says so and the clock goes on
        return f"{type(error).__name__}: {error}"
    return ""


def start(tools: Tools) -> BackgroundScheduler:
    """Start the clock in the background and return it; only `rmo run`, `rmo demo` and `rmo worker` do."""
    scheduler = BackgroundScheduler(
        timezone=tools.settings.tz,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    scheduler.add_job(plan, "interval", seconds=PLAN_EVERY, args=[tools])
    scheduler.add_job(work_off, "interval", seconds=WORK_EVERY, args=[tools])
    scheduler.start()
    return scheduler
