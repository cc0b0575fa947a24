"""Jobs that leave one row each time they have an effect, in this process or in one of their own.

Run as: clockwork <url> hold|hour
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from rmo import scheduler
from rmo.config import Settings
from rmo.connectors import Reach
from rmo.mail.outbox import FolderOutbox
from rmo.scheduler.jobs import Job, Tools
from rmo.storage.database import open_engine, reading, transaction
from rmo.storage.tables import AuditRow, JobRunRow

NOW = datetime(2026, 4, 14, 8, tzinfo=UTC)
AN_HOUR = [NOW + timedelta(minutes=number) for number in range(10, 61, 10)]


def tools_of(engine: Engine, *, at: datetime = NOW, folder: Path = Path("mail"), **settings: Any) -> Tools:
    """Return what jobs work with, and a clock that stands."""
    chosen = Settings(mail_folder=folder, **settings)
    return Tools(engine, chosen, lambda: at, FolderOutbox(folder), Reach())


def at(tools: Tools, moment: datetime) -> Tools:
    """Return the same tools at another moment."""
    return replace(tools, now=lambda: moment)


def note(tools: Tools, what: str) -> None:
    """Have an effect, as a job has it: in a transaction that is refused to a worker that was taken over."""
    with transaction(tools.engine) as session:
        tools.held(session)
        session.add(
            AuditRow(
                at=tools.now(),
                who=scheduler.worker_name(),
                action="worked",
                subject=what,
                previous_hash="",
                hash="",
            )
        )


def noting(name: str) -> Callable[[Tools, str], None]:
    """Return a job that notes its period."""
    return lambda tools, period_key: note(tools, f"{name} {period_key}")


def set_jobs(**jobs: Job) -> None:
    """Put other jobs in place of the shipped ones."""
    vars(scheduler)["JOBS"] = jobs


def effects(engine: Engine) -> list[str]:
    """Return what had an effect, once for each time that it had."""
    with reading(engine) as session:
        found = session.exec(select(AuditRow.subject).where(AuditRow.action == "worked"))
        return sorted(found)


def rows(engine: Engine) -> list[JobRunRow]:
    """Return the rows of all jobs, oldest first."""
    with reading(engine) as session:
        return list(session.exec(select(JobRunRow).order_by(col(JobRunRow.id))))


def states(engine: Engine) -> dict[str, str]:
    """Return the state of each job's newest row."""
    return {row.job: row.state for row in rows(engine)}


def let_leases_run_out(engine: Engine) -> None:
    """Do at once what a minute does to the lease of a worker that is dead or frozen."""
    with transaction(engine) as session:
        over = (
            sa.update(JobRunRow)
            .where(col(JobRunRow.state) == "running")
            .values(lease_until=NOW - timedelta(days=9999))
        )
        session.connection().execute(over)


def _hold(tools: Tools, _period_key: str) -> None:
    print("holds", flush=True)
    sys.stdin.readline()
    note(tools, "held")


def _go_through_an_hour(tools: Tools) -> None:
    for moment in AN_HOUR:
        scheduler.plan(at(tools, moment))
        scheduler.work_off(at(tools, moment))


if __name__ == "__main__":
    url, what = sys.argv[1:]
    kit = tools_of(open_engine(url))
    if what == "hold":
        set_jobs(slow=Job(_hold, "0 5 * * *", "%Y-%m-%d"))
        scheduler.run_once(kit, "slow")
    else:
        set_jobs(often=Job(noting("often"), "*/10 * * * *", "%Y-%m-%dT%H:%M"))
        print("ready", flush=True)
        sys.stdin.readline()
        _go_through_an_hour(kit)
