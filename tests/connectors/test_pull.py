"""From rows to readings: periods in the source's zone, several rows for one, what cannot be taken."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.connectors import Reach, Window, pull, secrets_from
from rmo.connectors.definitions import Definition
from rmo.domain.calendar import Rhythm
from rmo.domain.errors import ConnectorError
from rmo.domain.values import Frequency, Reading, ReadingState

MONTHS_OF_2019 = (date(2019, 1, 1), date(2019, 12, 1))


def definition(
    *, source: dict[str, Any] | None = None, options: dict[str, Any] | None = None, **more: Any
) -> Definition:
    basic = {"name": "Calls", "unit": "calls", "direction": "up", "frequency": "month", "behaviour": "flow"}
    where = {"connector": "csv_file", "options": {"path": "calls.csv", **(options or {})}, **(source or {})}
    return Definition.model_validate({**basic, "source": where, **more})


def pulled(
    folder: Path,
    text: str,
    kpi: Definition,
    *,
    first: date = MONTHS_OF_2019[0],
    last: date = MONTHS_OF_2019[1],
) -> list[Reading]:
    (folder / "calls.csv").write_text(text, encoding="utf-8")
    assert kpi.source is not None
    window = Window(kpi.rhythm, first, last, ZoneInfo(kpi.source.zone))
    return pull(kpi, window, Reach(folders=(folder,)))


def values(readings: list[Reading]) -> dict[str, Decimal | None]:
    return {reading.period.isoformat(): reading.value for reading in readings}


def refused(folder: Path, text: str, kpi: Definition, **window: date) -> str:
    with pytest.raises(ConnectorError) as caught:
        pulled(folder, text, kpi, **window)
    assert not caught.value.passing
    return str(caught.value)


def test_readings_come_oldest_first_and_only_of_the_window(tmp_path):
    text = "date,value\n2019-03-01,3\n2019-01-15,1\n2018-12-31,0\n2020-01-01,9\n2019-02-01,2\n"

    readings = pulled(tmp_path, text, definition())

    assert [(reading.period, reading.value) for reading in readings] == [
        (date(2019, 1, 1), Decimal(1)), (date(2019, 2, 1), Decimal(2)), (date(2019, 3, 1), Decimal(3)),
    ]  # fmt: skip


def test_a_period_after_the_window_is_simply_not_taken_yet(tmp_path):
    assert pulled(tmp_path, "date,value\n2031-01-01,3\n", definition()) == []


def test_a_mistake_in_a_period_that_is_not_asked_for_stops_nothing(tmp_path):
    assert values(pulled(tmp_path, "date,value\n2003-01-01,oops\n2019-01-01,3\n", definition())) == {
        "2019-01-01": Decimal(3)
    }


def test_a_blank_value_is_no_reading_and_not_zero(tmp_path):
    text = "date,value\n2019-01-01,\n2019-02-01,n/a\n2019-03-01,0\n"

    assert values(pulled(tmp_path, text, definition(options={"missing": ["n/a"]}))) == {
        "2019-03-01": Decimal(0)
    }


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        pytest.param("Europe/London", "2019-07-01", id="summer time puts it on the next day"),
        pytest.param("UTC", "2019-06-30", id="not in UTC"),
        pytest.param("America/New_York", "2019-06-30", id="not in New York"),
        pytest.param("Pacific/Auckland", "2019-07-01", id="in Auckland"),
    ],
)
def test_a_moment_falls_into_the_day_of_the_source_s_zone(tmp_path, zone, day):
    kpi = definition(source={"zone": zone}, frequency="day")

    assert list(values(pulled(tmp_path, "date,value\n2019-06-30T23:30:00Z,1\n", kpi))) == [day]


@pytest.mark.parametrize(
    ("combine", "value"),
    [
        pytest.param("sum", "6.1", id="sum"),
        pytest.param("mean", "2.033333333333", id="mean to twelve places"),
        pytest.param("last", "3", id="last by moment, not by row"),
    ],
)
def test_several_rows_for_one_period_are_combined_as_told(tmp_path, combine, value):
    text = "date,value\n2019-01-05,2.1\n2019-01-20,3\n2019-01-10,1\n"

    readings = pulled(tmp_path, text, definition(source={"combine": combine}))

    assert values(readings) == {"2019-01-01": Decimal(value)}


def test_several_rows_for_one_period_are_a_mistake_unless_told(tmp_path):
    message = refused(tmp_path, "date,value\n2019-01-05,2\n2019-01-20,3\n2019-02-01,1\n", definition())

    assert "Jan 2019 (line 2, line 3): 2 rows for one period" in message
    assert "combine: sum" in message


def test_a_period_with_fewer_rows_than_it_needs_is_not_taken_yet(tmp_path):
    text = "date,value\n2019-01-05,2\n2019-01-20,3\n2019-02-01,1\n"

    readings = pulled(tmp_path, text, definition(source={"combine": "sum", "at_least": 2}))

    assert values(readings) == {"2019-01-01": Decimal(5)}


def test_a_ratio_keeps_both_halves_and_adds_them_apart(tmp_path):
    kpi = definition(
        source={"combine": "sum"}, options={"numerator_column": "late", "denominator_column": "all"},
        behaviour="ratio", per=100,
    )  # fmt: skip

    [reading] = pulled(tmp_path, "date,late,all\n2019-01-01,1,10\n2019-01-02,1,2\n", kpi)

    assert (reading.numerator, reading.denominator) == (Decimal(2), Decimal(12))
    assert reading.value == Decimal("16.666666666667")


def test_the_complement_counts_what_was_kept(tmp_path):
    columns = {"numerator_column": "late", "denominator_column": "all", "complement": "true"}

    [reading] = pulled(
        tmp_path, "date,late,all\n2019-01-01,3,12\n", definition(options=columns, behaviour="ratio")
    )

    assert (reading.numerator, reading.denominator, reading.value) == (
        Decimal(9),
        Decimal(12),
        Decimal("0.75"),
    )


def test_nothing_to_divide_by_does_not_apply_and_says_so(tmp_path):
    columns = {"numerator_column": "late", "denominator_column": "all"}

    [reading] = pulled(
        tmp_path, "date,late,all\n2019-01-01,0,0\n", definition(options=columns, behaviour="ratio")
    )

    assert (reading.value, reading.state) == (None, ReadingState.NOT_APPLICABLE)
    assert reading.note == "Nothing to divide by: the denominator is 0."


def test_half_a_ratio_is_a_mistake(tmp_path):
    columns = {"numerator_column": "late", "denominator_column": "all"}

    message = refused(
        tmp_path, "date,late,all\n2019-01-01,,5\n", definition(options=columns, behaviour="ratio")
    )

    assert "line 2: late is blank, but the other half of the ratio is not." in message


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param("-1", "-1 is below 0, the lowest value that can be true", id="below"),
        pytest.param("100.1", "100.1 is above 100, the highest value that can be true", id="above"),
    ],
)
def test_a_value_that_cannot_be_true_is_refused_with_its_row(tmp_path, value, said):
    kpi = definition(valid_range={"low": 0, "high": 100})

    message = refused(tmp_path, f"date,value\n2019-01-01,50\n2019-02-01,{value}\n", kpi)

    assert f"Feb 2019 (line 3): {said}." in message


@pytest.mark.parametrize("value", ["0", "100"])
def test_the_ends_of_the_valid_range_are_taken(tmp_path, value):
    kpi = definition(valid_range={"low": 0, "high": 100})

    assert len(pulled(tmp_path, f"date,value\n2019-01-01,{value}\n", kpi)) == 1


def test_a_number_with_too_many_places_is_refused_unless_rounded(tmp_path):
    text = "date,value\n2019-01-01,46.4760000000000067\n"

    assert "16 places, more than the 12" in refused(tmp_path, text, definition())
    assert values(pulled(tmp_path, text, definition(source={"round_to": 3}))) == {
        "2019-01-01": Decimal("46.476")
    }


def test_every_bad_row_is_told_and_no_more_than_twenty(tmp_path):
    text = (
        "date,value\n" + "".join(f"2019-01-{day:02d},bad{day}\n" for day in range(1, 26)) + "2019-02-01,1\n"
    )

    message = refused(tmp_path, text, definition(frequency="day"))

    assert message.startswith("calls.csv: 25 rows cannot be taken, so none was.")
    assert "line 21: value: 'bad20' is not a number" in message
    assert "bad21" not in message
    assert message.endswith("And 5 more.")


def test_a_window_without_a_period_asks_nobody():
    kpi = definition()

    assert pull(kpi, Window(kpi.rhythm, date(2019, 2, 1), date(2019, 1, 1)), Reach()) == []


def test_a_manual_kpi_cannot_be_pulled():
    manual = Definition.model_validate(
        {"name": "Morale", "unit": "points", "direction": "up", "frequency": "year", "behaviour": "rate"}
    )

    with pytest.raises(ConnectorError, match="has no source; people enter its readings"):
        pull(manual, Window(manual.rhythm, date(2019, 1, 1), date(2019, 1, 1)), Reach())


def test_wrong_options_are_told_where_the_definition_did_not_come_from_a_file():
    kpi = definition(options={"pth": "x"})

    with pytest.raises(ConnectorError, match="There is no key 'pth'; did you mean path"):
        pull(kpi, Window(kpi.rhythm, *MONTHS_OF_2019), Reach())


@given(
    st.lists(
        st.tuples(
            st.integers(1, 12),
            st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
        ),
        max_size=30,
    )
)
def test_a_sum_loses_nothing(tmp_path_factory, rows):
    text = (
        "date,value\n" + "".join(f"2019-{month:02d}-01,{value}\n" for month, value in rows) + "2018-01-01,0\n"
    )

    readings = pulled(tmp_path_factory.mktemp("sum"), text, definition(source={"combine": "sum"}))

    assert sum(reading.value or 0 for reading in readings) == sum(value for _, value in rows)
    assert [reading.period for reading in readings] == sorted({date(2019, month, 1) for month, _ in rows})


def test_the_window_s_ends_are_midnights_of_the_source_s_zone():
    window = Window(Rhythm(Frequency.DAY), date(2019, 3, 30), date(2019, 3, 31), ZoneInfo("Europe/London"))

    assert window.start.isoformat() == "2019-03-30T00:00:00+00:00"
    assert window.end.isoformat() == "2019-03-31T23:00:00+00:00"  # the clocks went forward


def test_secrets_are_given_only_by_the_names_made_for_them(tmp_path):
    (tmp_path / "token").write_text("from a file\n")
    (tmp_path.parent / "outside").write_text("not this one")
    secret = secrets_from(
        {"RMO_SOURCE_SECRET_FEED": "from the environment", "RMO_DATABASE_URL": "x", "RMO_SECRET_KEY": "x"},
        tmp_path,
    )

    assert secret("env:RMO_SOURCE_SECRET_FEED") == "from the environment"
    assert secret("file:token") == "from a file"
    for reference in (
        "env:RMO_DATABASE_URL",
        "env:RMO_SECRET_KEY",
        "env:PATH",
        "file:../outside",
        "file:/etc/passwd",
        "file:..",
        "file:none",
    ):
        with pytest.raises(ConnectorError, match="is not there"):
            secret(reference)
