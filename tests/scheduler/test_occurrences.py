"""When a job is due: once a local period, on whatever clock, also in the nights in which clocks are changed."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.scheduler import occurrences
from rmo.scheduler.jobs import JOBS, Job

ZONES = ["Europe/London", "Europe/Paris", "America/New_York", "Australia/Sydney"]
MORE_ZONES = [
    *ZONES, "Europe/Dublin", "Europe/Berlin", "Europe/Helsinki", "Europe/Lisbon", "Atlantic/Azores",
    "America/St_Johns", "America/Chicago", "America/Los_Angeles", "America/Santiago", "America/Havana",
    "Africa/Cairo", "Asia/Beirut", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland", "Antarctica/Troll",
]  # fmt: skip
TIMES = ["0 0", "30 0", "30 1", "0 2", "30 2", "0 3", "0 5"]
DAYS_OF_2026 = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def daily(time: str) -> Job:
    return Job(lambda _tools, _key: None, f"{time} * * *", "%Y-%m-%d")


def of_2026(job: Job, zone: str) -> list[tuple[str, datetime]]:
    tz = ZoneInfo(zone)
    before, end = datetime(2025, 12, 31, 23, 59, 59, tzinfo=tz), datetime(2026, 12, 31, 23, 59, 59, tzinfo=tz)
    return list(occurrences(job, before.astimezone(UTC), end.astimezone(UTC), tz))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("time", ["0 0", "30 1", "30 2", "0 5"])
def test_a_daily_job_is_due_once_on_every_day_of_a_year(zone: str, time: str):
    due = of_2026(daily(time), zone)

    assert [key for key, _ in due] == [day.isoformat() for day in DAYS_OF_2026]
    minute, hour = map(int, time.split())
    on_time = [moment for _, moment in due if _clock(moment, zone) == (hour, minute)]
    assert len(due) - len(on_time) <= 1, "only the hour that is left out may move a job"


def _clock(moment: datetime, zone: str) -> tuple[int, int]:
    local = moment.astimezone(ZoneInfo(zone))
    return local.hour, local.minute


@pytest.mark.parametrize("zone", MORE_ZONES)
def test_the_nights_in_which_clocks_are_changed_have_one_run_each(zone: str):
    tz = ZoneInfo(zone)
    noons = [datetime(2026, 1, 1, 12, tzinfo=tz) + timedelta(days=number) for number in range(365)]
    changes = [b for a, b in itertools.pairwise(noons) if a.utcoffset() != b.utcoffset()]

    for change in changes:
        first, last = change - timedelta(days=2), change + timedelta(days=2)
        days = [(change + timedelta(days=number)).date().isoformat() for number in range(-1, 3)]
        for time in TIMES:
            due = occurrences(daily(time), first.astimezone(UTC), last.astimezone(UTC), tz)
            assert [key for key, _ in due] == days, time


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("pull", [day.isoformat() for day in DAYS_OF_2026], id="pull, every day"),
        pytest.param("evaluate", [day.isoformat() for day in DAYS_OF_2026], id="evaluate, every day"),
        pytest.param("remind", [d.isoformat() for d in DAYS_OF_2026 if d.weekday() < 5], id="remind, working days"),
        pytest.param("digest", [f"2026-{number:02}" for number in range(1, 13)], id="digest, every month"),
    ],
)  # fmt: skip
def test_the_jobs_are_due_as_they_say(zone: str, name: str, expected: list[str]):
    assert [key for key, _ in of_2026(JOBS[name], zone)] == expected


def test_an_hour_that_happens_twice_makes_one_run_for_a_job_of_every_hour():
    hourly = Job(lambda _tools, _key: None, "0 * * * *", "%Y-%m-%dT%H")
    tz = ZoneInfo("Europe/Paris")
    night = datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC)

    due = [key for key, _ in occurrences(hourly, *night, tz)]

    assert due == ["2026-10-25T02", "2026-10-25T03", "2026-10-25T04"]


SPAN = st.floats(0, 220).map(lambda days: datetime(2026, 3, 27, tzinfo=UTC) + timedelta(days=days))


@given(st.tuples(SPAN, SPAN, SPAN).map(sorted), st.sampled_from(TIMES), st.sampled_from(MORE_ZONES))
def test_looking_twice_loses_nothing_and_finds_nothing_twice(moments: list[datetime], time: str, zone: str):
    first, middle, last = moments
    job, tz = daily(time), ZoneInfo(zone)

    at_once = list(occurrences(job, first, last, tz))
    in_two = [*occurrences(job, first, middle, tz), *occurrences(job, middle, last, tz)]

    assert in_two == at_once
