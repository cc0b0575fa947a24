"""The clock: what became due is planned and done once, whatever happens to workers and clocks."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import Engine

from rmo import scheduler
from rmo.domain.errors import ConflictError, DatabaseError
from rmo.scheduler import JobFailedError, Ran, plan, run_once, running, work_off
from rmo.scheduler.alone import alone
from rmo.scheduler.jobs import Job, Tools
from rmo.storage import work
from rmo.storage.database import transaction
from tests.conftest import opened
from tests.processes import ROOT, Process, until
from tests.scheduler.clockwork import (
    AN_HOUR,
    NOW,
    at,
    effects,
    let_leases_run_out,
    note,
    noting,
    rows,
    states,
    tools_of,
)

TODAY = "2026-04-14"
SetJobs = Callable[..., None]


@pytest.fixture
def set_jobs(monkeypatch: pytest.MonkeyPatch) -> SetJobs:
    """Return a function that puts jobs of a test in place of the shipped ones."""

    def set_to(**jobs: Job) -> None:
        monkeypatch.setattr(scheduler, "JOBS", jobs)

    return set_to


@pytest.fixture
def tools(engine: Engine, tmp_path: Path) -> Tools:
    return tools_of(engine, folder=tmp_path / "mail")


@pytest.fixture
def sqlite_tools(sqlite_engine: Engine, tmp_path: Path) -> Tools:
    return tools_of(sqlite_engine, folder=tmp_path / "mail")


def daily(name: str = "daily", hour: int = 5) -> Job:
    return Job(noting(name), f"0 {hour} * * *", "%Y-%m-%d")


def failing(_tools: Tools, _period_key: str) -> None:
    raise RuntimeError("The feed is silent.\nA second line.")


def test_after_nine_days_down_each_job_runs_once_for_its_newest_period(tools: Tools, set_jobs: SetJobs):
    set_jobs(daily=daily(), weekly=Job(noting("weekly"), "0 6 * * mon", "%G-W%V"))
    plan(tools)
    work_off(tools)
    later = at(tools, NOW + timedelta(days=9))

    assert plan(later) == 2
    assert plan(later) == 0
    assert work_off(later) == 2
    assert effects(tools.engine) == ["daily 2026-04-14", "daily 2026-04-23", "weekly 2026-W17"]


def test_a_job_that_never_ran_is_caught_up_since_the_first_start(sqlite_tools: Tools, set_jobs: SetJobs):
    set_jobs(daily=daily(), monthly=Job(noting("monthly"), "30 7 20 * *", "%Y-%m"))
    plan(sqlite_tools)
    down_over_the_twentieth = at(sqlite_tools, NOW + timedelta(days=9))

    plan(down_over_the_twentieth)
    work_off(down_over_the_twentieth)

    assert "monthly 2026-04" in effects(sqlite_tools.engine)


def test_a_new_installation_looks_back_no_more_than_a_day(sqlite_tools: Tools, set_jobs: SetJobs):
    set_jobs(daily=daily(hour=6), monthly=Job(noting("monthly"), "30 7 10 * *", "%Y-%m"))

    plan(sqlite_tools)

    assert [(row.job, row.period_key) for row in rows(sqlite_tools.engine)] == [("daily", TODAY)]


@pytest.mark.parametrize(
    "jump",
    [pytest.param(timedelta(hours=1), id="an hour"), pytest.param(timedelta(days=1), id="a day")],
)
def test_a_clock_that_is_set_back_plans_nothing_twice(
    sqlite_tools: Tools, set_jobs: SetJobs, jump: timedelta
):
    set_jobs(daily=daily(hour=8))
    for hours in range(-48, 49):
        plan(at(sqlite_tools, NOW + timedelta(hours=hours)))
    before = len(rows(sqlite_tools.engine))

    back = NOW + timedelta(hours=48) - jump
    assert [plan(at(sqlite_tools, back + timedelta(hours=hours))) for hours in range(25)].count(1) <= 1
    keys = [row.period_key for row in rows(sqlite_tools.engine)]
    assert len(keys) == len(set(keys)) <= before + 1


def test_a_clock_that_stood_a_year_ahead_holds_nothing_up_when_it_is_right_again(
    sqlite_tools: Tools, set_jobs: SetJobs
):
    set_jobs(daily=daily())
    plan(at(sqlite_tools, NOW + timedelta(days=365)))

    plan(sqlite_tools)
    plan(at(sqlite_tools, NOW + timedelta(days=1)))

    assert [row.period_key for row in rows(sqlite_tools.engine)] == ["2027-04-14", TODAY, "2026-04-15"]


@pytest.mark.parametrize(
    ("zone", "night", "time"),
    [
        pytest.param("Europe/Paris", datetime(2026, 10, 25, tzinfo=UTC), "30 2", id="Paris, back"),
        pytest.param("Europe/Paris", datetime(2026, 3, 29, tzinfo=UTC), "30 2", id="Paris, forward"),
        pytest.param("Europe/London", datetime(2026, 10, 25, tzinfo=UTC), "30 1", id="London, back"),
        pytest.param("Australia/Sydney", datetime(2026, 4, 5, tzinfo=UTC), "30 2", id="Sydney, back"),
        pytest.param("America/New_York", datetime(2026, 3, 8, 12, tzinfo=UTC), "30 2", id="New York, forward"),
    ],
)  # fmt: skip
def test_a_clock_that_runs_through_a_night_of_change_runs_a_job_once_a_day(
    sqlite_engine: Engine, set_jobs: SetJobs, zone: str, night: datetime, time: str
):
    set_jobs(nightly=Job(noting("nightly"), f"{time} * * *", "%Y-%m-%d"))
    kit = tools_of(sqlite_engine, zone=zone)
    steps = [night + timedelta(hours=number) for number in range(-30, 31)]

    for moment in steps:
        plan(at(kit, moment))
        work_off(at(kit, moment))

    night_there = night.astimezone(ZoneInfo(zone)).date()
    expected = [f"nightly {night_there + timedelta(days=number)}" for number in (-1, 0, 1)]
    assert effects(sqlite_engine)[-3:] == expected
    assert len(effects(sqlite_engine)) <= 4, "a new installation looks back a day"


def test_three_processes_do_each_job_of_each_period_once(database_url: str, engine: Engine):
    processes = [Process("tests.scheduler.clockwork", database_url, "hour") for _ in range(3)]
    try:
        assert [process.hear() for process in processes] == ["ready"] * 3
        for process in processes:
            process.tell("go")
        assert [process.wait() for process in processes] == [0, 0, 0]
    finally:
        for process in processes:
            process.kill()

    zone = ZoneInfo("Europe/London")
    keys = [moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M") for moment in AN_HOUR]
    done = effects(engine)
    assert len(done) == len(set(done))
    assert set(done) >= {f"often {key}" for key in keys}
    assert {row.state for row in rows(engine)} == {"done"}
    assert {row.attempt for row in rows(engine)} == {1}


def test_the_job_of_a_killed_worker_is_taken_over(database_url: str, engine: Engine, set_jobs: SetJobs):
    set_jobs(slow=daily("slow"))
    kit = tools_of(engine)
    with Process("tests.scheduler.clockwork", database_url, "hold") as victim:
        assert victim.hear() == "holds"
        assert work_off(kit) == 0, "its lease still holds"
        victim.kill()

    let_leases_run_out(engine)

    assert work_off(kit) == 1
    assert effects(engine) == [f"slow {TODAY}"]
    [row] = rows(engine)
    assert (row.state, row.attempt, row.worker) == ("done", 2, scheduler.worker_name())


def test_a_frozen_worker_that_wakes_up_after_the_take_over_changes_nothing(
    database_url: str, engine: Engine, set_jobs: SetJobs
):
    set_jobs(slow=daily("slow"))
    with Process("tests.scheduler.clockwork", database_url, "hold") as sleeper:
        assert sleeper.hear() == "holds"
        sleeper.freeze()
        let_leases_run_out(engine)
        work_off(tools_of(engine))
        after = rows(engine)

        sleeper.thaw()
        sleeper.tell("go on")
        sleeper.wait()

    assert effects(engine) == [f"slow {TODAY}"]
    assert [row.model_dump() for row in rows(engine)] == [row.model_dump() for row in after]


def test_a_job_that_ends_late_is_refused_in_the_transaction_of_its_effect(tools: Tools, set_jobs: SetJobs):
    heard: list[str] = []

    def slow(mine: Tools, period_key: str) -> None:
        if not heard:
            heard.append("first attempt")
            let_leases_run_out(mine.engine)
            work_off(tools)
        note(mine, f"slow {period_key}")

    set_jobs(slow=Job(slow, "0 5 * * *", "%Y-%m-%d"))
    plan(tools)
    work_off(tools)

    assert effects(tools.engine) == [f"slow {TODAY}"]
    [row] = rows(tools.engine)
    assert (row.state, row.attempt, row.error) == ("done", 2, "")


def test_a_job_that_kills_its_workers_is_given_up(tools: Tools, set_jobs: SetJobs):
    class Killed(BaseException):
        """What no job catches, as little as it catches a kill."""

    def deadly(_tools: Tools, _period_key: str) -> None:
        raise Killed

    set_jobs(deadly=Job(deadly, "0 5 * * *", "%Y-%m-%d"), after=daily("after", hour=6))
    plan(tools)
    for _ in range(scheduler.MOST_ATTEMPTS):
        with pytest.raises(Killed):
            work_off(tools)
        let_leases_run_out(tools.engine)

    assert work_off(tools) == 1
    assert states(tools.engine) == {"deadly": "failed", "after": "done"}
    assert rows(tools.engine)[0].error == "Its worker ended in the middle of it 3 times."


def test_a_failing_job_is_kept_with_its_reason_and_stops_no_other(tools: Tools, set_jobs: SetJobs):
    set_jobs(broken=Job(failing, "0 5 * * *", "%Y-%m-%d"), after=daily("after", hour=6))
    plan(tools)

    assert work_off(tools) == 2
    assert work_off(tools) == 0, "a failed job waits for its next period"
    assert states(tools.engine) == {"broken": "failed", "after": "done"}
    [row] = [row for row in rows(tools.engine) if row.job == "broken"]
    assert (row.error, row.finished_at) == ("RuntimeError: The feed is silent.", NOW)

    tomorrow = at(tools, NOW + timedelta(days=1))
    assert (plan(tomorrow), work_off(tomorrow)) == (2, 2)


def test_a_job_that_is_no_longer_known_fails_and_stops_no_other(sqlite_tools: Tools, set_jobs: SetJobs):
    set_jobs(old=daily("old"), after=daily("after", hour=6))
    plan(sqlite_tools)
    set_jobs(after=daily("after", hour=6))

    work_off(sqlite_tools)

    assert states(sqlite_tools.engine) == {"old": "failed", "after": "done"}


def hold(engine: Engine, name: str) -> work.Taken:
    """Take today's run of a job, as another worker does."""
    row = {"job": name, "period_key": TODAY, "planned_at": NOW, "error": ""}
    with transaction(engine) as session:
        taken = work.claim(session, work.JOBS, row, worker="another")
    assert taken is not None
    return taken


def test_a_job_waits_while_another_worker_is_at_one_planned_before_it(tools: Tools, set_jobs: SetJobs):
    set_jobs(slow=daily("slow"), after=daily("after", hour=6))
    taken = hold(tools.engine, "slow")
    plan(tools)

    assert work_off(tools) == 0
    with transaction(tools.engine) as session:
        work.finish(session, work.JOBS, taken, {"state": "failed"})
    assert work_off(tools) == 1
    assert effects(tools.engine) == [f"after {TODAY}"]


def test_a_job_by_hand_runs_once_for_its_period_and_leaves_the_others_alone(tools: Tools, set_jobs: SetJobs):
    set_jobs(asked=daily("asked"), other=daily("other"))
    plan(tools)

    assert run_once(tools, "asked") is Ran.NOW
    assert run_once(tools, "asked") is Ran.BEFORE
    assert effects(tools.engine) == [f"asked {TODAY}"]
    assert states(tools.engine)["other"] == "waiting"


def test_a_job_by_hand_tells_that_another_worker_is_at_it(sqlite_tools: Tools, set_jobs: SetJobs):
    set_jobs(slow=daily("slow"))
    hold(sqlite_tools.engine, "slow")

    assert run_once(sqlite_tools, "slow") is Ran.ELSEWHERE
    assert effects(sqlite_tools.engine) == []


def test_a_failed_job_can_be_run_again_by_hand(tools: Tools, set_jobs: SetJobs):
    set_jobs(asked=Job(failing, "0 5 * * *", "%Y-%m-%d"))
    with pytest.raises(JobFailedError, match=r"The job asked failed: RuntimeError: The feed is silent\."):
        run_once(tools, "asked")
    set_jobs(asked=daily("asked"))

    assert run_once(tools, "asked") is Ran.NOW
    [row] = rows(tools.engine)
    assert (row.state, row.error, row.attempt) == ("done", "", 2)


def test_only_one_clock_keeps_an_sqlite_file(sqlite_url: str, sqlite_engine: Engine):
    with alone(sqlite_engine):
        with (
            pytest.raises(
                ConflictError, match=r"Another rmo keeps the clock of rmo\.db already; stop it first"
            ),
            alone(sqlite_engine),
        ):
            pass
        with opened(sqlite_url) as another, pytest.raises(ConflictError), alone(another):
            pass
    with alone(sqlite_engine):
        pass


HOLD = """
import sys
from rmo.scheduler.alone import alone
from rmo.storage.database import open_engine
with alone(open_engine(sys.argv[1])):
    print("holds", flush=True)
    sys.stdin.readline()
"""


def test_a_killed_clock_lets_go_of_its_file(sqlite_url: str, sqlite_engine: Engine):
    command = [sys.executable, "-c", HOLD, sqlite_url]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "holds\n"
        with pytest.raises(ConflictError), alone(sqlite_engine):
            pass
        other.kill()

    with alone(sqlite_engine):
        pass


@pytest.mark.postgres
def test_several_clocks_may_run_on_postgresql(postgres_url: str):
    with opened(postgres_url) as one, opened(postgres_url) as other, alone(one), alone(other):
        pass


def test_the_clock_plans_and_works_in_the_background_until_it_is_stopped(
    sqlite_tools: Tools, set_jobs: SetJobs, monkeypatch: pytest.MonkeyPatch
):
    set_jobs(daily=daily())
    monkeypatch.setattr(scheduler, "PLAN_EVERY", 0.1)
    monkeypatch.setattr(scheduler, "WORK_EVERY", 0.1)

    with running(sqlite_tools):
        until(lambda: states(sqlite_tools.engine).get("daily") == "done")
        with pytest.raises(ConflictError), running(sqlite_tools):
            pass

    assert effects(sqlite_tools.engine) == [f"daily {TODAY}"]


def test_a_lock_that_cannot_be_made_is_said_in_a_sentence(sqlite_engine: Engine, tmp_path: Path):
    (tmp_path / "rmo.db-clock").mkdir()

    with pytest.raises(DatabaseError, match=r"rmo\.db-clock cannot be opened"), alone(sqlite_engine):
        pass
