"""The shipped jobs: at any time, twice, or by several at once, and what is kept is kept once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import SQLModel, select

from rmo.scheduler import plan, work_off
from rmo.scheduler.jobs import JOBS, Tools, digest, judge, pull, remind
from rmo.storage.database import reading, transaction
from rmo.storage.tables import AtomsRow, DeliveryRow, GapRow, VerdictRow
from tests.scheduler.clockwork import NOW, at, rows, tools_of
from tests.world import add_benefit, add_kpi, add_people, give, months, promise

KEPT: tuple[type[SQLModel], ...] = (VerdictRow, AtomsRow, GapRow, DeliveryRow)


@pytest.fixture
def tools(engine: Engine, tmp_path: Path) -> Tools:
    """Return what jobs work with, in a world with a promise that is not kept and a reading that is owed."""
    with transaction(engine) as session:
        add_people(session)
        add_kpi(session)
        add_benefit(session)
        promise(session)
        give(
            session, dict.fromkeys(months("2024-01", 12), "7.0") | dict.fromkeys(months("2025-01", 14), "7.6")
        )
    return tools_of(engine, folder=tmp_path / "mail")


def kept(engine: Engine) -> dict[str, int]:
    with reading(engine) as session:
        return {table.__name__: len(session.exec(select(table)).all()) for table in KEPT}


def test_three_that_judge_at_once_write_every_verdict_once(tools: Tools):
    together = threading.Barrier(3, timeout=30)

    def at_once(later: int) -> int:
        together.wait()
        return judge(at(tools, NOW + timedelta(seconds=later))).verdicts

    with ThreadPoolExecutor(3) as pool:
        written = sorted(pool.map(at_once, range(3)))

    assert written[:2] == [0, 0]
    assert kept(tools.engine) == {"VerdictRow": written[2], "AtomsRow": 1, "GapRow": 1, "DeliveryRow": 0}


def test_three_that_queue_the_digest_at_once_queue_it_once(tools: Tools):
    judge(tools)
    together = threading.Barrier(3, timeout=30)

    def at_once(_: int) -> int:
        together.wait()
        return digest(tools, "2026-04") + remind(tools, "2026-04-14")

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(at_once, range(3))) == 2


@pytest.mark.parametrize("again", [0, 2])
def test_a_day_of_the_clock_ends_the_same_however_often_it_looks(tools: Tools, again: int):
    for _ in range(again + 1):
        plan(tools)
        work_off(tools)

    assert [(row.job, row.state, row.error) for row in rows(tools.engine)] == [
        ("pull", "done", ""), ("evaluate", "done", ""), ("remind", "done", ""),
    ]  # fmt: skip
    assert kept(tools.engine)["DeliveryRow"] == 1
    assert len(list(tools.settings.mail_folder.glob("*.eml"))) == 1


def test_nine_days_down_over_the_tenth_bring_one_digest_and_one_reminder(tools: Tools):
    before = at(tools, NOW - timedelta(days=8))
    plan(before)
    work_off(before)
    reminded = kept(tools.engine)["DeliveryRow"]

    plan(tools)
    work_off(tools)

    with reading(tools.engine) as session:
        mails = session.exec(select(DeliveryRow)).all()
    assert (
        sorted((mail.kind, mail.period_key) for mail in mails)[-2 - reminded :].count(
            ("executive", "2026-04")
        )
        == 1
    )
    assert len(mails) == reminded + 2
    assert {mail.state for mail in mails} == {"sent"}


def test_every_job_may_run_twice_by_hand(tools: Tools):
    for _ in range(2):
        for job in (pull, judge, remind, digest):
            job(tools, "2026-04")

    assert set(JOBS) == {"pull", "evaluate", "remind", "digest"}
    assert kept(tools.engine)["DeliveryRow"] == 2
