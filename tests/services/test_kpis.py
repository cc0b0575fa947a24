"""Readings that people give: all of them or none, what is refused, and what says nothing new."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session, select

from rmo.domain.errors import ConflictError, NotFoundError
from rmo.domain.values import Behaviour, Direction, Frequency, Reading, ReadingState
from rmo.services.kpis import measured_by, record_readings, refusal
from rmo.storage import measures
from rmo.storage.audit import revision
from rmo.storage.database import reading, transaction
from rmo.storage.tables import AuditRow, KpiRow, ReadingRow
from tests.world import MEASURER, NOW, TODAY, add_benefit, add_kpi, add_people, correct, month, promise

MARCH = month("2026-03")
LIKE: dict[str, Any] = {
    "unit": "days",
    "direction": Direction.DOWN,
    "behaviour": Behaviour.RATE,
    "year_start": 1,
    "definition_hash": "",
}


@pytest.fixture
def laid(sqlite_engine: Engine) -> Engine:
    with transaction(sqlite_engine) as session:
        lay(session)
    return sqlite_engine


def lay(session: Session) -> None:
    add_people(session)
    add_kpi(session, valid_low=Decimal(0), valid_high=Decimal(60))
    add_kpi(session, "waits", name="Waiting time")
    add_benefit(session)
    promise(session)


def history(engine: Engine) -> list[tuple[str, date, Decimal | None]]:
    with reading(engine) as session:
        rows = session.exec(select(ReadingRow).order_by(ReadingRow.id))  # type: ignore[arg-type]
        return [(row.kpi, row.period, row.value) for row in rows]


def record(engine: Engine, given: Mapping[str, Sequence[Reading]], **at: Any) -> int:
    """Record readings and return how many verdicts that wrote."""
    with transaction(engine) as session:
        changes = record_readings(session, given, by=MEASURER, now=NOW + timedelta(**at), today=TODAY)
    return changes.verdicts


def one(value: str | None, period: date = MARCH, **more: Any) -> Reading:
    return Reading(period, None if value is None else Decimal(value), **more)


def test_one_bad_reading_keeps_all_others_out(engine: Engine):
    with transaction(engine) as session:
        lay(session)
    given = {"waits": [one("12")], "stay": [one("6.1", month("2026-02")), one("61")]}

    with pytest.raises(ConflictError, match=r"61 is above 60, the highest that Mean length of stay can be"):
        record(engine, given)

    assert history(engine) == []
    with reading(engine) as session:
        assert not session.exec(select(AuditRow).where(AuditRow.action == "give reading")).all()


def test_an_unknown_kpi_keeps_all_others_out(laid: Engine):
    with pytest.raises(NotFoundError):
        record(laid, {"waits": [one("12")], "nothing": [one("1")]})

    assert history(laid) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param("0", "", id="exactly the lowest"),
        pytest.param("60", "", id="exactly the highest"),
        pytest.param("-0.000000000001", "below 0, the lowest", id="a little below"),
        pytest.param("60.000000000001", "above 60, the highest", id="a little above"),
        pytest.param(None, "", id="not applicable"),
    ],
)
def test_a_value_outside_the_valid_range_is_refused(laid: Engine, value: str | None, said: str):
    with reading(laid) as session:
        refused = refusal(measures.kpi_by_slug(session, "stay"), one(value), today=TODAY)

    assert bool(refused) == bool(said)
    assert said in refused


@pytest.mark.parametrize(
    ("today", "period", "frequency", "fits"),
    [
        pytest.param(
            "2026-04-30", "2026-04-01", Frequency.MONTH, False, id="on its last day a month is not over"
        ),
        pytest.param("2026-05-01", "2026-04-01", Frequency.MONTH, True, id="the day after it is"),
        pytest.param("2026-04-19", "2026-04-13", Frequency.WEEK, False, id="on Sunday a week is not over"),
        pytest.param("2026-04-20", "2026-04-13", Frequency.WEEK, True, id="on Monday it is"),
        pytest.param("2026-04-13", "2026-04-13", Frequency.DAY, False, id="today is not over"),
        pytest.param("2026-04-14", "2026-04-13", Frequency.DAY, True, id="yesterday is"),
        pytest.param("2026-04-14", "2027-01-01", Frequency.YEAR, False, id="next year"),
    ],
)
def test_a_period_that_is_not_over_is_refused_with_the_day_from_which_it_is(today, period, frequency, fits):
    kpi = KpiRow(slug="x", name="X", frequency=frequency, **LIKE)
    given = one("6", date.fromisoformat(period))

    refused = refusal(kpi, given, today=date.fromisoformat(today))

    assert (refused == "") is fits
    if not fits:
        assert "is not over yet; give its reading from" in refused


def test_the_same_value_again_writes_nothing(engine: Engine):
    with transaction(engine) as session:
        lay(session)
    record(engine, {"stay": [one("6.10")]})
    with reading(engine) as session:
        before = revision(session)

    record(engine, {"stay": [one("6.1")]}, hours=1)

    assert history(engine) == [("stay", MARCH, Decimal("6.1"))]
    with reading(engine) as session:
        assert revision(session) == before
        assert len(session.exec(select(AuditRow).where(AuditRow.subject == f"stay {MARCH}")).all()) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(one("6.1", note="Ward 4 was closed"), id="a note"),
        pytest.param(one("6.1", state=ReadingState.PROVISIONAL), id="another state"),
        pytest.param(one(None, state=ReadingState.NOT_APPLICABLE), id="not applicable"),
        pytest.param(one("6.100000000001"), id="another value"),
    ],
)
def test_what_says_something_new_is_one_more_reading(laid: Engine, other: Reading):
    record(laid, {"stay": [one("6.1")]})
    record(laid, {"stay": [other]}, hours=1)

    assert [value for _, _, value in history(laid)] == [Decimal("6.1"), other.value]


def test_a_correction_and_its_restoring_are_readings_and_nothing_is_overwritten(engine: Engine):
    with transaction(engine) as session:
        lay(session)
    for hours, value in enumerate(("6.1", "7.9", "6.1")):
        correct(engine, MARCH, value, at=NOW + timedelta(hours=hours))

    assert [value for _, _, value in history(engine)] == [Decimal("6.1"), Decimal("7.9"), Decimal("6.1")]
    with reading(engine) as session:
        actions = session.exec(select(AuditRow.action).where(AuditRow.subject == f"stay {MARCH}")).all()
        then = measures.readings(session, ["stay"], as_of=NOW + timedelta(minutes=90))["stay"][MARCH]
    assert actions == ["give reading", "correct reading", "correct reading"]
    assert then.value == Decimal("7.9")


def test_a_reading_given_while_the_clock_is_set_back_is_still_the_newest(engine: Engine):
    with transaction(engine) as session:
        lay(session)
    correct(engine, MARCH, "6.1", at=NOW)
    correct(engine, MARCH, "6.2", at=NOW - timedelta(hours=2))

    with reading(engine) as session:
        newest = measures.readings(session, ["stay"])["stay"][MARCH]
    assert (newest.value, newest.known_at) == (Decimal("6.2"), NOW + timedelta(microseconds=1))


def test_only_what_rests_on_the_kpi_is_judged(laid: Engine):
    assert record(laid, {"waits": [one("12")]}) == 0
    assert record(laid, {"stay": [one("6.1")]}) > 0


def test_no_reading_at_all_changes_nothing(laid: Engine):
    assert record(laid, {}) == 0
    assert record(laid, {"stay": []}) == 0
    assert history(laid) == []


def test_a_measurer_owes_only_their_living_kpis_that_are_entered_by_hand(laid: Engine):
    with transaction(laid) as session:
        add_kpi(session, "pulled", name="From a file", connector="csv_file")
        add_kpi(session, "old", name="Retired", retired_at=NOW)
        add_kpi(session, "others", name="Another's", measurer=None)
    with reading(laid) as session:
        assert [row.slug for row in measured_by(session, MEASURER)] == ["stay", "waits"]
