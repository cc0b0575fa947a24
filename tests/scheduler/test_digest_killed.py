"""Killing a worker in the middle of the digest and starting it again: each mail is in the folder once, or held."""

import random
import subprocess
from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from rmo.domain.values import Role
from rmo.services import people
from rmo.services.evaluation import evaluate
from rmo.storage.database import reading, transaction
from rmo.storage.tables import DeliveryRow
from tests.processes import until
from tests.scheduler.clockwork import let_leases_run_out, rows
from tests.shell import rmo, rmo_running
from tests.world import NOW, TODAY, add_benefit, add_kpi, add_people, give, months, promise

READERS = 16
KILLS = 2


@pytest.fixture
def world(engine: Engine) -> Engine:
    """Return a database with a broken promise that nobody has answered for, and many who want to know."""
    with transaction(engine) as session:
        add_people(session)
        for number in range(READERS - 1):
            people.add_person(
                session,
                email=f"director{number}@example.org",
                name=f"Director {number}",
                position="Director",
                role=Role.EXECUTIVE,
                now=NOW,
                by="test",
            )
        add_kpi(session)
        add_benefit(session)
        promise(session)
        give(
            session, dict.fromkeys(months("2024-01", 12), "7.0") | dict.fromkeys(months("2025-01", 15), "7.6")
        )
        evaluate(session, now=NOW, today=TODAY)
    return engine


def deliveries(engine: Engine) -> list[DeliveryRow]:
    with reading(engine) as session:
        return list(session.exec(select(DeliveryRow)))


def let_everything_run_out(engine: Engine) -> None:
    """Do at once what five minutes do to the work of a dead worker."""
    let_leases_run_out(engine)
    over = sa.update(DeliveryRow).where(col(DeliveryRow.state) == "sending")
    with transaction(engine) as session:
        session.connection().execute(over.values(lease_until=NOW - timedelta(days=9999)))


def wait_for_mails(folder: Path, enough: float, process: subprocess.Popen[str]) -> None:
    until(lambda: process.poll() is not None or len(list(folder.glob("*.eml"))) >= enough, within=60)


def test_each_mail_is_in_the_folder_once_or_held(world: Engine, database_url: str, tmp_path: Path):
    mails = tmp_path / "mail"
    settings = {"DATABASE_URL": database_url, "MAIL_FOLDER": str(mails), "LOG_JSON": "true"}
    chance = random.Random(READERS)

    for round_ in range(KILLS):
        enough = (round_ + chance.random()) * READERS / KILLS
        with rmo_running("worker", "--once", "digest", folder=tmp_path, **settings) as process:
            wait_for_mails(mails, enough, process)
            process.kill()
        let_everything_run_out(world)
    done = rmo("worker", "--once", "digest", folder=tmp_path, **settings)

    assert done.returncode == 0, done.stderr
    kept = deliveries(world)
    states = Counter(row.state for row in kept)
    assert len(kept) == len({row.recipient for row in kept}) == READERS
    assert states["sent"] + states["unknown"] == READERS
    assert states["unknown"] <= KILLS
    found = Counter(message_from_bytes(file.read_bytes())["To"] for file in mails.glob("*.eml"))
    assert max(found.values()) == 1
    assert {row.recipient for row in kept if row.state == "sent"} <= set(found)
    assert set(found) <= {row.recipient for row in kept}
    assert [row.state for row in rows(world)] == ["done"]
