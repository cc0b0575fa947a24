"""What a measurer owes: which cells are asked for, how they are read, and who may hand them in."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session

from rmo.domain.errors import ConflictError
from rmo.domain.values import Behaviour, DataState, Direction, Frequency, Reading, ReadingState
from rmo.services.my_month import LONGEST, MyMonth, hand_in, my_month, parse_cell, parse_cells, written
from rmo.storage import measures
from rmo.storage.database import reading, transaction
from rmo.storage.tables import KpiRow
from tests.world import (
    MEASURER,
    NOW,
    OWNER,
    TODAY,
    add_benefit,
    add_kpi,
    add_people,
    give,
    month,
    months,
    promise,
)

MARCH = month("2026-03")
LIKE: dict[str, Any] = {
    "unit": "%",
    "direction": Direction.UP,
    "frequency": Frequency.MONTH,
    "definition_hash": "test",
}
RATIO = KpiRow(slug="share", name="Share", behaviour=Behaviour.RATIO, per=Decimal(100), **LIKE)
RATE = KpiRow(slug="stay", name="Stay", behaviour=Behaviour.RATE, **LIKE)


@pytest.fixture
def laid(sqlite_engine: Engine) -> Engine:
    with transaction(sqlite_engine) as session:
        add_people(session)
        add_kpi(session, decimals=1)
        add_benefit(session)
        promise(session)
        give(session, dict(zip(months("2025-11", 3), ["6.9", None, "6.50"], strict=True)))
    return sqlite_engine


def owed(engine: Engine, today: date = TODAY, email: str = MEASURER) -> MyMonth:
    with reading(engine) as session:
        return my_month(session, email, today=today)


def test_every_period_that_is_over_since_the_newest_reading_is_asked_for(laid: Engine):
    month_ = owed(laid)

    assert [(c.name, c.label, c.kept, c.state) for c in month_.cells] == [
        ("stay.2026-01-01", "Jan 2026", "6.5", DataState.CURRENT),
        ("stay.2026-02-01", "Feb 2026", "", DataState.LATE),
        ("stay.2026-03-01", "Mar 2026", "", DataState.LATE),
    ]
    assert (month_.given, month_.owed, month_.late) == (1, 2, 2)
    assert month_.headline == "You owe two readings, all of them late."


@pytest.mark.parametrize(
    ("today", "state", "days_late"),
    [
        pytest.param("2026-04-07", DataState.NOT_DUE, 0, id="on the due day"),
        pytest.param("2026-04-08", DataState.LATE, 1, id="the day after"),
    ],
)
def test_a_reading_is_late_from_the_day_after_its_due_day(laid: Engine, today, state, days_late):
    cell = owed(laid, date.fromisoformat(today)).cells[-1]

    assert (cell.due, cell.state, cell.days_late) == (date(2026, 4, 7), state, days_late)


def test_the_days_of_grace_are_not_counted_as_late(laid: Engine):
    with transaction(laid) as session:
        session.get_one(KpiRow, "stay").grace_days = 3

    assert [owed(laid, date(2026, 4, day)).cells[-1].days_late for day in (10, 11)] == [0, 1]


def test_a_cell_stands_beside_its_last_values_and_the_plan(laid: Engine):
    cell = owed(laid).cells[-2]

    assert cell.history == [("Nov 2025", "6.9"), ("Dec 2025", "–"), ("Jan 2026", "6.5")]
    assert cell.plan == "6.0"


def test_plans_that_disagree_are_not_shown(laid: Engine):
    with transaction(laid) as session:
        add_benefit(session, "NH-0042")
        promise(session, "NH-0042", target=Decimal(5), imported=True)

    assert owed(laid).cells[-1].plan == "–"


def test_no_more_than_six_periods_are_asked_for_at_once(laid: Engine):
    cells = owed(laid, date(2027, 4, 14)).cells

    assert cells[0].label == "Oct 2026"
    assert len(cells) == 6


def test_a_kpi_without_any_reading_is_asked_for_its_newest_period(laid: Engine):
    with transaction(laid) as session:
        add_kpi(session, "weekly", name="Weekly", frequency=Frequency.WEEK)

    (cell,) = [c for c in owed(laid).cells if c.slug == "weekly"]
    assert (cell.period, cell.label) == (date(2026, 4, 6), "week 15 of 2026")


def test_whoever_measures_nothing_owes_nothing(laid: Engine):
    assert owed(laid, email=OWNER).headline == "You owe no readings: no KPI names you as its measurer."


def test_a_month_in_which_all_is_given_says_so(laid: Engine):
    with transaction(laid) as session:
        give(session, {MARCH: "6.2"})

    assert owed(laid).headline == "Your one reading is in; you owe nothing."


@pytest.mark.parametrize(
    ("kpi", "text", "given"),
    [
        pytest.param(RATE, "6.20", Reading(MARCH, Decimal("6.2")), id="a number"),
        pytest.param(RATE, "1,234.5", Reading(MARCH, Decimal("1234.5")), id="with thousands"),
        pytest.param(
            RATE, "N/A", Reading(MARCH, None, state=ReadingState.NOT_APPLICABLE), id="not applicable"
        ),
        pytest.param(RATE, "0", Reading(MARCH, Decimal(0)), id="nothing is a number"),
        pytest.param(
            RATIO,
            "25 / 200",
            Reading(MARCH, Decimal("12.5"), numerator=Decimal(25), denominator=Decimal(200)),
            id="a ratio by its two numbers",
        ),
        pytest.param(RATIO, "12.5", Reading(MARCH, Decimal("12.5")), id="a ratio worked out already"),
        pytest.param(
            RATIO,
            "1/3",
            Reading(MARCH, Decimal("33.333333333333"), numerator=Decimal(1), denominator=Decimal(3)),
            id="a ratio without end",
        ),
    ],
)
def test_a_cell_is_read_as_it_was_typed(kpi: KpiRow, text: str, given: Reading):
    assert parse_cell(kpi, MARCH, text) == given


@pytest.mark.parametrize(
    ("kpi", "text", "said"),
    [
        pytest.param(RATE, "84 (est)", "is not a number", id="words beside the number"),
        pytest.param(RATE, "6,2", "write decimals with a point", id="a comma"),
        pytest.param(RATE, "3/4", "is not a number", id="a ratio where there is none"),
        pytest.param(RATE, "1e308", "more than the 38 that are kept", id="too large"),
        pytest.param(RATIO, "3/0", "below the line is 0", id="divided by nothing"),
        pytest.param(RATIO, "/4", "is not a number", id="half a ratio"),
    ],
)
def test_a_cell_that_cannot_be_read_says_what_to_type(kpi: KpiRow, text: str, said: str):
    with pytest.raises(ValueError, match=said):
        parse_cell(kpi, MARCH, text)


def parsed(engine: Engine, typed: dict[str, str], email: str = MEASURER):
    with reading(engine) as session:
        return parse_cells(session, typed, email, today=TODAY)


def test_blank_and_unchanged_cells_give_no_reading(laid: Engine):
    typed = {"stay.2026-01-01": "6.50", "stay.2026-02-01": "  ", "stay.2026-03-01": ""}

    assert parsed(laid, typed) == ({}, [])


def test_what_is_typed_is_told_apart_by_cell_and_all_problems_come_at_once(laid: Engine):
    given, problems = parsed(
        laid, {"stay.2026-01-01": "6.4", "stay.2026-02-01": "about 6", "stay.2026-03-01": "9" * (LONGEST + 1)}
    )

    assert given == {"stay": [Reading(month("2026-01"), Decimal("6.4"))]}
    assert [problem.place for problem in problems] == ["stay.2026-02-01", "stay.2026-03-01"]
    assert "Mean length of stay, Feb 2026: “about 6” is not a number" in problems[0].message
    assert f"keep it under {LONGEST} characters" in problems[1].message


def test_cells_that_were_not_asked_for_are_not_read(laid: Engine):
    assert parsed(laid, {"stay.2020-01-01": "5", "other.2026-03-01": "5", "stay": "5"}) == ({}, [])
    assert parsed(laid, {"stay.2026-03-01": "5"}, email=OWNER) == ({}, [])


def test_only_its_measurer_hands_in_a_reading(laid: Engine):
    given = {"stay": [Reading(MARCH, Decimal("6.2"))]}
    with transaction(laid) as session, pytest.raises(ConflictError, match="not yours to measure"):
        hand_in(session, given, by=OWNER, now=NOW, today=TODAY)
    with reading(laid) as session:
        assert MARCH not in measures.readings(session, ["stay"])["stay"]

    with transaction(laid) as session:
        hand_in(session, given, by=MEASURER, now=NOW, today=TODAY)
        assert handed_in(session) == Decimal("6.2")


def handed_in(session: Session) -> Decimal | None:
    return measures.readings(session, ["stay"])["stay"][MARCH].value


@pytest.mark.parametrize("text", ["6.2", "0", "-3", "n/a", "25 / 200", "1000000"])
def test_what_is_written_can_be_typed_again(laid: Engine, text: str):
    kpi = RATIO if "/" in text and text != "n/a" else RATE
    given = parse_cell(kpi, MARCH, text)
    with transaction(laid) as session:
        add_kpi(session, "share", behaviour=kpi.behaviour)
        (row,) = measures.add_readings(session, "share", [given], now=NOW, known={})

    assert written(kpi, row) == text
    assert parse_cell(kpi, MARCH, written(kpi, row)) == given
