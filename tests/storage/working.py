"""A worker in a process of its own, for the tests of taking work. Run as: working <url> <name> <lease> hold|drain."""

import sys
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Engine
from sqlmodel import Session

from rmo.storage import work
from rmo.storage.database import open_engine, transaction
from rmo.storage.tables import AuditRow
from rmo.storage.work import JOBS, Lease, TakenOverError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def effect(session: Session, job: int, worker: str) -> None:
    """Leave one row, so that a test can count how often a job had its effect."""
    session.add(AuditRow(at=NOW, who=worker, action="worked", subject=f"{job}", previous_hash="", hash=""))


def complete(engine: Engine, taken: work.Taken, worker: str) -> str:
    """Have the effect and finish in one transaction, and tell how it went."""
    try:
        with transaction(engine) as session:
            effect(session, taken.id, worker)
            work.finish(session, JOBS, taken, {"state": "done", "finished_at": NOW})
    except TakenOverError:
        return "refused"
    return "done"


def hold(engine: Engine, worker: str, lease: timedelta) -> None:
    """Take one job, and finish it when told."""
    with transaction(engine) as session:
        (taken,) = work.take_next(session, JOBS, worker=worker, lease=lease)
    print(f"holds {taken.id}", flush=True)
    sys.stdin.readline()
    print(complete(engine, taken, worker), flush=True)


def drain(engine: Engine, worker: str, lease: timedelta) -> None:
    """Work until nothing is left, and tell of each job before finishing it."""
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        with transaction(engine) as session:
            next_ones = work.take_next(session, JOBS, worker=worker, lease=lease)
            taken = next_ones[0] if next_ones else work.take_over(session, JOBS, worker=worker, lease=lease)
        if taken is None:
            return
        with Lease(engine, JOBS, taken, lease=lease):
            print(taken.id, flush=True)
            complete(engine, taken, worker)


if __name__ == "__main__":
    url, name, seconds, what = sys.argv[1:]
    {"hold": hold, "drain": drain}[what](open_engine(url), name, timedelta(seconds=float(seconds)))
