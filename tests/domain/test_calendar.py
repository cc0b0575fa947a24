"""Periods as labels: numbered without holes, written as people write them, due on working days."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.domain.calendar import Rhythm, add_working_days, due_day
from rmo.domain.values import Frequency

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
RHYTHMS = st.builds(Rhythm, st.sampled_from(Frequency), st.integers(1, 12))
DAILY, WEEKLY, MONTHLY = Rhythm(Frequency.DAY), Rhythm(Frequency.WEEK), Rhythm(Frequency.MONTH)
QUARTERLY, YEARLY = Rhythm(Frequency.QUARTER), Rhythm(Frequency.YEAR)
FISCAL_QUARTERS, FISCAL_YEARS = Rhythm(Frequency.QUARTER, 4), Rhythm(Frequency.YEAR, 4)


@given(RHYTHMS, DAYS)
def test_number_and_first_day_of_a_period_are_each_others_inverse(rhythm: Rhythm, day: date):
    index = rhythm.index(day)

    assert rhythm.index(rhythm.first(index)) == index
    assert rhythm.period_of(rhythm.period_of(day)) == rhythm.period_of(day)


@given(RHYTHMS, DAYS)
def test_a_day_lies_in_its_period_and_the_next_period_begins_the_day_after_it(rhythm: Rhythm, day: date):
    first, last = rhythm.period_of(day), rhythm.last(day)

    assert first <= day <= last
    assert rhythm.shift(day, 1) == last + timedelta(days=1)
    assert rhythm.index(last + timedelta(days=1)) == rhythm.index(day) + 1


@given(RHYTHMS, DAYS, st.integers(-40, 40))
def test_shifting_forth_and_back_comes_home(rhythm: Rhythm, day: date, by: int):
    assert rhythm.shift(rhythm.shift(day, by), -by) == rhythm.period_of(day)


@given(RHYTHMS, DAYS, st.integers(0, 30))
def test_the_periods_between_two_days_follow_each_other_and_hold_both(rhythm: Rhythm, day: date, count: int):
    end = rhythm.shift(day, count)

    periods = list(rhythm.between(day, end))

    assert len(periods) == count + 1
    assert (periods[0], periods[-1]) == (rhythm.period_of(day), end)
    assert all(rhythm.shift(a, 1) == b for a, b in pairwise(periods))


@given(RHYTHMS, DAYS)
def test_the_newest_ended_period_is_over_and_the_one_after_it_is_not(rhythm: Rhythm, today: date):
    newest = rhythm.newest_ended(today)

    assert rhythm.last(newest) < today <= rhythm.last(rhythm.shift(newest, 1))


@given(RHYTHMS, DAYS, DAYS)
def test_two_periods_have_the_same_label_only_when_they_are_the_same(rhythm: Rhythm, one: date, other: date):
    same = rhythm.period_of(one) == rhythm.period_of(other)

    assert (rhythm.label(one) == rhythm.label(other)) == same
    assert (rhythm.long_label(one) == rhythm.long_label(other)) == same


@pytest.mark.parametrize(
    ("rhythm", "day", "first", "last"),
    [
        pytest.param(WEEKLY, "2020-12-31", "2020-12-28", "2021-01-03", id="week 53 runs into the next year"),
        pytest.param(WEEKLY, "2024-12-30", "2024-12-30", "2025-01-05", id="week 1 begins in the old year"),
        pytest.param(WEEKLY, "1969-12-31", "1969-12-29", "1970-01-04", id="a week before the count began"),
        pytest.param(MONTHLY, "2024-02-29", "2024-02-01", "2024-02-29", id="February of a leap year"),
        pytest.param(MONTHLY, "2100-02-28", "2100-02-01", "2100-02-28", id="2100 is no leap year"),
        pytest.param(DAILY, "2024-02-29", "2024-02-29", "2024-02-29", id="29 February is a day"),
        pytest.param(QUARTERLY, "2024-02-29", "2024-01-01", "2024-03-31", id="calendar quarter"),
        pytest.param(
            FISCAL_QUARTERS,
            "2026-03-31",
            "2026-01-01",
            "2026-03-31",
            id="the last fiscal quarter ends in March",
        ),
        pytest.param(
            Rhythm(Frequency.QUARTER, 2),
            "2026-01-31",
            "2025-11-01",
            "2026-01-31",
            id="quarters from February",
        ),
        pytest.param(
            FISCAL_YEARS, "2026-03-31", "2025-04-01", "2026-03-31", id="the last day of a fiscal year"
        ),
        pytest.param(
            FISCAL_YEARS, "2026-04-01", "2026-04-01", "2027-03-31", id="the first day of a fiscal year"
        ),
        pytest.param(
            Rhythm(Frequency.YEAR, 3),
            "2024-02-29",
            "2023-03-01",
            "2024-02-29",
            id="a year ending in a leap day",
        ),
        pytest.param(YEARLY, "2026-12-31", "2026-01-01", "2026-12-31", id="calendar year"),
    ],
)
def test_a_period_runs_from_its_first_to_its_last_day(rhythm: Rhythm, day: str, first: str, last: str):
    at = date.fromisoformat(day)

    assert (rhythm.period_of(at).isoformat(), rhythm.last(at).isoformat()) == (first, last)


@given(st.integers(1901, 2199))
def test_weeks_are_those_of_iso_8601_52_or_53_a_year(year: int):
    weeks = [
        d
        for d in WEEKLY.between(date(year - 1, 12, 20), date(year + 1, 1, 10))
        if d.isocalendar().year == year
    ]

    assert [d.isocalendar().week for d in weeks] == list(range(1, len(weeks) + 1))
    assert len(weeks) == date(year, 12, 28).isocalendar().week
    assert [WEEKLY.label(d) for d in (weeks[0], weeks[-1])] == [
        f"week 1 of {year}",
        f"week {len(weeks)} of {year}",
    ]


@pytest.mark.parametrize(
    ("rhythm", "period", "larger", "counts_in"),
    [
        pytest.param(
            WEEKLY, "2026-03-30", MONTHLY, "2026-04-01", id="a week that ends in April counts in April"
        ),
        pytest.param(WEEKLY, "2026-03-30", FISCAL_YEARS, "2026-04-01", id="and in the new fiscal year"),
        pytest.param(
            WEEKLY, "2026-03-23", FISCAL_YEARS, "2025-04-01", id="the week before counts in the old one"
        ),
        pytest.param(WEEKLY, "2024-12-30", YEARLY, "2025-01-01", id="a week that ends in the new year"),
        pytest.param(QUARTERLY, "2026-01-01", FISCAL_YEARS, "2025-04-01", id="a quarter in a fiscal year"),
        pytest.param(YEARLY, "2025-01-01", FISCAL_YEARS, "2025-04-01", id="a calendar year in a fiscal year"),
    ],
)
def test_a_period_counts_where_its_last_day_lies(rhythm: Rhythm, period: str, larger: Rhythm, counts_in: str):
    assert larger.period_of(rhythm.last(date.fromisoformat(period))).isoformat() == counts_in


@pytest.mark.parametrize(
    ("rhythm", "day", "short", "long"),
    [
        pytest.param(DAILY, "2026-03-03", "3 Mar 2026", "3 March 2026", id="day"),
        pytest.param(WEEKLY, "2026-03-03", "week 10 of 2026", "week 10 of 2026", id="week"),
        pytest.param(WEEKLY, "2021-01-03", "week 53 of 2020", "week 53 of 2020", id="week 53"),
        pytest.param(WEEKLY, "2024-12-31", "week 1 of 2025", "week 1 of 2025", id="week 1 in the old year"),
        pytest.param(MONTHLY, "2026-03-31", "Mar 2026", "March 2026", id="month"),
        pytest.param(QUARTERLY, "2026-03-31", "Q1 2026", "Q1 2026", id="quarter"),
        pytest.param(FISCAL_QUARTERS, "2026-03-31", "Q4 2025/26", "Q4 2025/26", id="last fiscal quarter"),
        pytest.param(FISCAL_QUARTERS, "2026-04-01", "Q1 2026/27", "Q1 2026/27", id="first fiscal quarter"),
        pytest.param(YEARLY, "2026-03-31", "2026", "2026", id="year"),
        pytest.param(FISCAL_YEARS, "2026-03-31", "2025/26", "2025/26", id="fiscal year"),
        pytest.param(FISCAL_YEARS, "1999-04-01", "1999/00", "1999/00", id="fiscal year over a century"),
    ],
)
def test_a_period_is_written_as_people_write_it(rhythm: Rhythm, day: str, short: str, long: str):
    at = date.fromisoformat(day)

    assert (rhythm.label(at), rhythm.long_label(at)) == (short, long)


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        pytest.param("2026-03-06", 0, "2026-03-06", id="none is the day itself"),
        pytest.param("2026-03-06", 1, "2026-03-09", id="from Friday to Monday"),
        pytest.param("2026-03-07", 1, "2026-03-09", id="from Saturday to Monday"),
        pytest.param("2026-03-08", 1, "2026-03-09", id="from Sunday to Monday"),
        pytest.param("2026-03-02", 5, "2026-03-09", id="five are a week"),
        pytest.param("2026-03-07", 0, "2026-03-07", id="none on a Saturday stays there"),
    ],
)
def test_working_days_pass_over_weekends(day: str, count: int, due: str):
    assert add_working_days(date.fromisoformat(day), count).isoformat() == due


@given(DAYS, st.integers(1, 40))
def test_as_many_working_days_lie_behind_as_were_added(day: date, count: int):
    later = add_working_days(day, count)
    passed = [day + timedelta(days=i) for i in range(1, (later - day).days + 1)]

    assert sum(1 for d in passed if d.weekday() < 5) == count
    assert later.weekday() < 5


@pytest.mark.parametrize(
    ("rhythm", "period", "due"),
    [
        pytest.param(MONTHLY, "2026-02-01", "2026-03-06", id="February ends on a Saturday"),
        pytest.param(MONTHLY, "2026-03-01", "2026-04-07", id="March ends on a Tuesday"),
        pytest.param(WEEKLY, "2026-03-02", "2026-03-13", id="a week ends on a Sunday"),
        pytest.param(FISCAL_YEARS, "2025-04-01", "2026-04-07", id="a fiscal year"),
    ],
)
def test_a_reading_is_due_five_working_days_after_its_period(rhythm: Rhythm, period: str, due: str):
    assert due_day(rhythm, date.fromisoformat(period), 5).isoformat() == due
