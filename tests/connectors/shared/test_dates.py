"""Days, moments and periods as sources write them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.connectors.shared.dates import UNIX, UNIX_MS, read_at
from rmo.domain.calendar import Rhythm
from rmo.domain.values import Frequency

DAY, WEEK, MONTH, QUARTER, YEAR = (Rhythm(frequency) for frequency in Frequency)
FISCAL_YEAR, FISCAL_QUARTER = Rhythm(Frequency.YEAR, 4), Rhythm(Frequency.QUARTER, 4)


@pytest.mark.parametrize(
    ("cell", "rhythm", "at"),
    [
        pytest.param("2019-03-31", DAY, date(2019, 3, 31), id="day"),
        pytest.param("20190331", DAY, date(2019, 3, 31), id="day without dashes"),
        pytest.param("2019-03-31T23:30:00Z", DAY, datetime(2019, 3, 31, 23, 30, tzinfo=UTC), id="moment"),
        pytest.param("2019-03-31 23:30", DAY, datetime(2019, 3, 31, 23, 30), id="moment without a zone"),  # noqa: DTZ001
        pytest.param(
            "2019-03-31T23:30:00-05:00", DAY,
            datetime(2019, 3, 31, 23, 30, tzinfo=timezone(timedelta(hours=-5))), id="moment with an offset",
        ),
        pytest.param("2019-W13", WEEK, date(2019, 3, 25), id="ISO week"),
        pytest.param("2019-03", MONTH, date(2019, 3, 1), id="month"),
        pytest.param("2019M03", MONTH, date(2019, 3, 1), id="World Bank month"),
        pytest.param("Mar 2019", MONTH, date(2019, 3, 1), id="short month"),
        pytest.param("september 2019", MONTH, date(2019, 9, 1), id="long month"),
        pytest.param("2019-Q3", QUARTER, date(2019, 7, 1), id="quarter"),
        pytest.param("2019Q3", QUARTER, date(2019, 7, 1), id="World Bank quarter"),
        pytest.param("Q4 2018/19", FISCAL_QUARTER, date(2019, 1, 1), id="fiscal quarter"),
        pytest.param("2019", YEAR, date(2019, 1, 1), id="year"),
        pytest.param(2019.0, YEAR, date(2019, 1, 1), id="Excel's year"),
        pytest.param("2018/19", FISCAL_YEAR, date(2018, 4, 1), id="fiscal year"),
        pytest.param("1999/00", FISCAL_YEAR, date(1999, 4, 1), id="fiscal year over a century"),
        pytest.param("2019-03", YEAR, date(2019, 3, 1), id="a month within a yearly KPI"),
        pytest.param(date(2019, 3, 1), MONTH, date(2019, 3, 1), id="a date already"),
    ],
)  # fmt: skip
def test_a_date_is_read(cell, rhythm, at):
    assert read_at(cell, rhythm) == at


@pytest.mark.parametrize(
    ("cell", "date_format", "at"),
    [
        pytest.param("31/03/2019", "%d/%m/%Y", date(2019, 3, 31), id="british"),
        pytest.param(
            "03/31/2019 11:30 PM",
            "%m/%d/%Y %I:%M %p",
            datetime(2019, 3, 31, 23, 30),  # noqa: DTZ001
            id="american with time",
        ),
        pytest.param("1394163660", UNIX, datetime(2014, 3, 7, 3, 41, tzinfo=UTC), id="seconds"),
        pytest.param(
            1394163660123, UNIX_MS, datetime(2014, 3, 7, 3, 41, 0, 123000, tzinfo=UTC), id="milliseconds"
        ),
    ],
)
def test_a_date_of_a_told_form_is_read(cell, date_format, at):
    assert read_at(cell, DAY, date_format) == at


@pytest.mark.parametrize(
    ("cell", "rhythm", "date_format", "message"),
    [
        pytest.param(
            "31/03/2019", DAY, "", "for another form say `date_format`", id="which is the day is not clear"
        ),
        pytest.param("2019-02-30", DAY, "", "not a day that exists", id="30 February"),
        pytest.param("2019-W60", WEEK, "", "not a week that exists", id="week 60"),
        pytest.param("2019-03-01T25:00", DAY, "", "not a moment that exists", id="25 o'clock"),
        pytest.param(
            "2019", MONTH, "", "is a whole year, but the KPI is measured every month", id="too coarse"
        ),
        pytest.param(
            "2019-03", DAY, "", "is a whole month, but the KPI is measured every day", id="month for a day"
        ),
        pytest.param("2019", FISCAL_YEAR, "", "could be two years", id="which fiscal year is not clear"),
        pytest.param("2018/19", YEAR, "", "set year_start", id="fiscal year of a calendar year"),
        pytest.param("2018/20", FISCAL_YEAR, "", "is not a year here", id="two years on"),
        pytest.param("", DAY, "", "the date is blank", id="blank"),
        pytest.param(None, DAY, "", "is not a date", id="nothing"),
        pytest.param(True, DAY, "", "is not a date", id="truth"),
        pytest.param("soon", DAY, "", "is not a date", id="word"),
        pytest.param("0001-01-01", DAY, "", "outside the years", id="year 1"),
        pytest.param("9999-12-31", DAY, "", "outside the years", id="year 9999"),
        pytest.param("x", DAY, UNIX, "seconds since 1970", id="no seconds"),
        pytest.param("1e99", DAY, UNIX, "seconds since 1970", id="too many seconds"),
        pytest.param("2019-03-31", DAY, "%d/%m/%Y", "not a date of the form %d/%m/%Y", id="another form"),
    ],
)
def test_what_is_no_date_is_refused_with_a_sentence(cell, rhythm, date_format, message):
    with pytest.raises(ValueError) as caught:
        read_at(cell, rhythm, date_format)

    assert message in str(caught.value)


@given(st.dates(date(1701, 1, 1), date(2399, 1, 1)), st.sampled_from(list(Frequency)))
def test_a_day_written_the_iso_way_comes_back(day, frequency):
    assert read_at(day.isoformat(), Rhythm(frequency)) == day


@given(st.text(max_size=20), st.sampled_from(["", UNIX, UNIX_MS, "%Y"]))
def test_any_text_is_a_date_or_refused(text, date_format):
    try:
        at = read_at(text, MONTH, date_format)
    except ValueError as error:
        assert str(error)
    else:
        assert 1700 <= at.year <= 2400
