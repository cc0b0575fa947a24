"""Numbers, money and days are written in one way."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.domain.values import DataState, State
from rmo.drawing import words


@pytest.mark.parametrize(("pennies", "text"), [
    pytest.param(2_975_526_24, "£2.98m", id="millions with two decimals"),
    pytest.param(-1_260_000_00, "−£1.26m", id="minus before the pound sign"),
    pytest.param(100_000_00, "£0.10m", id="from a hundred thousand on in millions"),
    pytest.param(99_999_60, "£0.10m", id="what rounds up to the line is on it"),
    pytest.param(9_360_00, "£9,360", id="less is written out"),
    pytest.param(40, "£0", id="no minus and no pennies at nothing"),
    pytest.param(-40, "£0", id="a debt of pennies is nothing"),
    pytest.param(None, "–", id="missing is a dash"),
    pytest.param(12_345_678_900_00, "£12,345.68m", id="thousands of millions"),
])  # fmt: skip
def test_money_in_a_sentence(pennies, text):
    assert words.money(pennies) == text


@pytest.mark.parametrize(("pennies", "signed", "text"), [
    pytest.param(1_110_000_00, True, "+1.11", id="signed"),
    pytest.param(-2_250_000_00, True, "−2.25", id="minus sign, not a hyphen"),
    pytest.param(0, True, "0.00", id="nothing has no sign"),
    pytest.param(-400_00, False, "0.00", id="what rounds to nothing has no sign"),
    pytest.param(None, False, "–", id="missing is a dash"),
])  # fmt: skip
def test_money_in_a_column(pennies, signed, text):
    assert words.millions(pennies, signed=signed) == text


@pytest.mark.parametrize(("value", "decimals", "text"), [
    pytest.param(Decimal("6.205"), 2, "6.20", id="half goes to even"),
    pytest.param(Decimal("6.215"), 2, "6.22", id="half goes to even, upwards"),
    pytest.param(2104, 0, "2,104", id="thousands"),
    pytest.param(-0.31, 2, "−0.31", id="minus"),
    pytest.param(float("nan"), 2, "–", id="not a number is missing"),
    pytest.param(None, 2, "–", id="none is missing"),
    pytest.param(1e21, 0, "1,000,000,000,000,000,000,000", id="very large"),
])  # fmt: skip
def test_a_value_keeps_its_decimals(value, decimals, text):
    assert words.figure_value(value, decimals) == text


def test_a_percentage_never_breaks_from_its_sign():
    assert words.percent(0.2834) == "28.3\u00a0%"
    assert words.percent(0.2834, 0) == "28\u00a0%"
    assert words.percent(None) == "–"


@pytest.mark.parametrize(("probability", "text"), [
    pytest.param(0.08, "8\u00a0%", id="in between"),
    pytest.param(0.004, "below 1\u00a0%", id="hardly"),
    pytest.param(0.996, "above 99\u00a0%", id="nearly certain"),
    pytest.param(0.01, "1\u00a0%", id="on the lower line"),
    pytest.param(None, "–", id="missing"),
])  # fmt: skip
def test_a_chance_at_its_ends_is_said_in_words(probability, text):
    assert words.chance(probability) == text


def test_days_and_moments():
    day = date(2026, 4, 14)
    assert words.long_day(day) == "14 April 2026"
    assert words.short_day(day) == "14 Apr"
    assert words.column_day(day) == "14 Apr 2026"
    assert words.short_month(day) == "Apr 2026"
    assert words.long_month(day) == "April 2026"
    assert (
        words.moment(datetime(2026, 4, 9, 6, 42, tzinfo=UTC), ZoneInfo("Europe/London"))
        == "9 Apr 2026, 07:42"
    )
    assert words.long_day(None) == "–"


def test_counts():
    assert words.count(1, "gap") == "1 gap"
    assert words.count(7, "gap") == "7 gaps"
    assert words.count(2, "entry", "entries") == "2 entries"
    assert words.count_word(7) == "seven"
    assert words.count_word(41) == "41"
    assert words.capital("seven of twelve KPIs") == "Seven of twelve KPIs"


@pytest.mark.parametrize("state", [*State, *DataState])
def test_every_state_has_a_word(state):
    assert words.state_word(state)
    assert words.state_word(str(state)) == words.state_word(state)


@given(st.integers(min_value=-(10**13), max_value=10**13))
def test_a_column_figure_is_never_further_off_than_half_its_last_digit(pennies):
    shown = Decimal(words.millions(pennies).replace("−", "-").replace(",", ""))
    assert abs(shown - Decimal(pennies) / 100_000_000) <= Decimal("0.005")
