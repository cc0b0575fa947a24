"""Numbers and periods are read as they are written, and a slip is refused."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.domain.parsing import Form, UnreadableError, WrittenPeriod, pace_of, parse_number, parse_period


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        (" 12.50 ", "12.50"),
        ("-0.1", "-0.1"),
        ("\u22123", "-3"),
        ("1,234,567.8", "1234567.8"),
        ("1\u00a0234", "1234"),
        ("1 234.5", "1234.5"),
        (".5", "0.5"),
        ("1e3", "1e3"),
    ],
)
def test_a_number_keeps_every_digit(text, number):
    assert parse_number(text) == Decimal(number)
    assert str(parse_number("12.50")) == "12.50"


@pytest.mark.parametrize(
    "text", ["", "abc", "nan", "inf", "12,5", "1,23,456", "1 2", "12%", "--1", "1.2.3", "٣"]
)
def test_what_is_not_a_number_is_refused(text):
    with pytest.raises(UnreadableError, match="is not a number"):
        parse_number(text)


def test_a_decimal_comma_is_told():
    with pytest.raises(UnreadableError, match="write decimals with a point"):
        parse_number("12,5")


@pytest.mark.parametrize(
    ("text", "form", "next_one"),
    [
        ("2024-02-28", Form.DAY, "2024-02-29"),
        ("2024-12", Form.MONTH, "2025-01"),
        ("2024-Q4", Form.QUARTER, "2025-Q1"),
        ("2020-W53", Form.WEEK, "2021-W01"),
        ("2024", Form.NUMBER, "2025"),
        ("-1", Form.NUMBER, "0"),
        ("2024-03-01T00:00:00", Form.DAY, "2024-03-02"),
    ],
)
def test_a_period_knows_the_next_one(text, form, next_one):
    period = parse_period(text)
    assert period.form is form
    assert period.shift(1).text == next_one


@pytest.mark.parametrize(
    "text", ["", "2024-13", "2024-02-30", "2024-Q5", "2023-W53", "March", "2024/03", "1.5", "24-03"]
)
def test_what_is_not_a_period_is_refused(text):
    with pytest.raises(UnreadableError):
        parse_period(text)


@given(st.sampled_from(list(Form)), st.integers(1000 * 12, 2500 * 12))
def test_what_is_written_is_read_back(form, index):
    period = WrittenPeriod(form, index)
    assert parse_period(period.text) == period


@pytest.mark.parametrize(
    ("periods", "places", "next_one", "season"),
    [
        pytest.param("2024-01 2024-02 2024-04", [0, 1, 3], "2024-05", 12, id="months with a gap"),
        pytest.param(
            "2024-11-01 2024-12-01 2025-01-01", [0, 1, 2], "2025-02-01", 12, id="first days of months"
        ),
        pytest.param(
            "2023-12-31 2024-01-31 2024-02-29", [0, 1, 2], "2024-03-31", 12, id="last days of months"
        ),
        pytest.param(
            "2024-01-01 2024-04-01 2024-10-01", [0, 1, 3], "2025-01-01", 4, id="first days of quarters"
        ),
        pytest.param("2024-03-01 2024-03-02 2024-03-04", [0, 1, 3], "2024-03-05", 7, id="days"),
        pytest.param("2024-03-01 2024-03-04 2024-03-05", [0, 1, 2], "2024-03-06", 5, id="working days"),
        pytest.param("2024-03-07 2024-03-08", [0, 1], "2024-03-11", 5, id="Monday follows Friday"),
        pytest.param("2024-03-04 2024-03-11 2024-03-25", [0, 1, 3], "2024-04-01", 52, id="Mondays"),
        pytest.param("2020-W52 2020-W53 2021-W01", [0, 1, 2], "2021-W02", 52, id="weeks"),
        pytest.param("2023-Q4 2024-Q1", [0, 1], "2024-Q2", 4, id="quarters"),
        pytest.param("2022 2023 2024", [0, 1, 2], "2025", 1, id="years"),
        pytest.param("5", [0], "6", 1, id="one number"),
    ],
)
def test_places_leave_room_for_what_is_missing(periods, places, next_one, season):
    written = [parse_period(text) for text in periods.split()]
    pace = pace_of(written)
    assert [pace.place(period) for period in written] == places
    assert [pace.text(place) for place in places] == periods.split()
    assert pace.text(places[-1] + 1) == next_one
    assert pace.season == season


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-05", date(2024, 5, 1)),
        ("2024-W01", date(2024, 1, 1)),
        ("2024-Q3", date(2024, 7, 1)),
        ("2024", date(2024, 1, 1)),
    ],
)
def test_a_period_knows_its_first_day(text, day):
    assert parse_period(text).first_day == day
    assert parse_period("17").first_day is None
