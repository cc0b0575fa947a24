"""The register as arrays: which columns a benefit has, what each period is, and whose terms are in force."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session

from rmo.domain.realisation import Kind
from rmo.domain.values import Behaviour, Direction, Frequency, Lifecycle, Ramp, Reading, ReadingState
from rmo.services.panel import Panel, levels, lines_of, panel_of
from rmo.storage import measures
from rmo.storage.database import transaction
from rmo.storage.tables import BenefitRow, KpiRow
from tests.world import NOW, TODAY, add_benefit, add_kpi, add_people, give, month, months, promise

REFERENCE = "NH-0041"


@pytest.fixture
def session(sqlite_engine: Engine):
    """Give a session on a world without promises."""
    with transaction(sqlite_engine) as opened:
        add_people(opened)
        add_kpi(opened)
        add_benefit(opened)
        yield opened


def panel(session: Session, today: date = TODAY, kpis: set[str] | None = None) -> Panel:
    session.flush()
    return panel_of(lines_of(session, kpi_slugs=kpis), today=today)


def kinds(found: Panel, row: int = 0) -> dict[str, str]:
    line = found.lines[row]
    return {
        line.period(column).isoformat()[:7]: Kind(int(kind)).name
        for column, kind in enumerate(found.kind[row])
    }


def test_a_row_reaches_from_the_first_reading_to_the_end_of_the_promise(session: Session):
    promise(session, last=month("2025-06"))
    give(session, {month("2024-10"): "7", month("2025-02"): "6.5"})

    found = panel(session)

    line = found.lines[0]
    assert (line.period(0), line.period(line.width - 1)) == (month("2024-10"), month("2025-06"))
    assert found.promises.actual[0, :5].tolist() == pytest.approx(
        [7, np.nan, np.nan, np.nan, 6.5], nan_ok=True
    )
    assert np.isnan(found.promises.planned[0, :3]).all()
    assert found.promises.last.tolist() == [[8]]


def test_each_period_is_exactly_one_kind(session: Session):
    promise(session, first=month("2025-11"), last=month("2026-06"))
    given = dict(zip(months("2025-10", 4), ["7", "6.9", "6.8", "6.7"], strict=True))
    give(session, given | {month("2026-03"): "6.5"})

    assert kinds(panel(session)) == {
        "2025-10": "OUTSIDE",
        "2025-11": "PROVEN",
        "2025-12": "PROVEN",
        "2026-01": "PROVEN",
        "2026-02": "UNPROVEN",
        "2026-03": "PROVEN",
        "2026-04": "OPEN",
        "2026-05": "OPEN",
        "2026-06": "OPEN",
    }


@pytest.mark.parametrize(
    ("today", "grace", "kind"),
    [
        pytest.param("2026-03-31", 0, "OPEN", id="the period is not over"),
        pytest.param("2026-04-07", 0, "OPEN", id="on the due day nothing is missing"),
        pytest.param("2026-04-08", 0, "UNPROVEN", id="the day after it is unproven"),
        pytest.param("2026-04-10", 3, "OPEN", id="on the last day of grace"),
        pytest.param("2026-04-11", 3, "UNPROVEN", id="the day after the grace"),
    ],
)
def test_a_period_is_unproven_once_its_reading_is_overdue(
    session: Session, today: str, grace: int, kind: str
):
    session.get_one(KpiRow, "stay").grace_days = grace
    promise(session, first=month("2026-03"))

    assert kinds(panel(session, date.fromisoformat(today)))["2026-03"] == kind


@pytest.mark.parametrize(
    ("state", "value", "kind", "provisional"),
    [
        pytest.param(ReadingState.APPROVED, "6", "PROVEN", False, id="approved"),
        pytest.param(ReadingState.PROVISIONAL, "6", "PROVEN", True, id="provisional counts, and is told"),
        pytest.param(ReadingState.WITHDRAWN, "6", "UNPROVEN", False, id="withdrawn"),
        pytest.param(ReadingState.NOT_APPLICABLE, None, "UNPROVEN", False, id="not applicable"),
    ],
)
def test_only_a_usable_reading_proves_a_period(session: Session, state, value, kind, provisional):
    promise(session, first=month("2026-02"))
    given = Reading(month("2026-02"), value and Decimal(value), state=state)
    measures.add_readings(session, "stay", [given], now=NOW, known={})

    found = panel(session)

    assert kinds(found)["2026-02"] == kind
    assert found.provisional[0, 0] == provisional


def test_a_reading_of_a_period_that_is_not_over_proves_nothing(session: Session):
    promise(session, first=month("2026-04"))
    give(session, {month("2026-04"): "6"})

    assert kinds(panel(session))["2026-04"] == "OPEN"


def test_after_a_decision_to_end_it_every_later_period_is_ended_by_it(session: Session):
    promise(session, first=month("2026-01"), last=month("2026-05"))
    give(session, dict.fromkeys(months("2026-01", 3), "6.5"))
    benefit = session.get_one(BenefitRow, REFERENCE)
    benefit.lifecycle, benefit.ended_on = Lifecycle.CLOSED, date(2026, 2, 28)

    found = panel(session)

    assert list(kinds(found).values()) == ["PROVEN", "PROVEN", "ENDED", "ENDED", "ENDED"]


def test_a_day_of_decision_without_a_decision_ends_nothing(session: Session):
    promise(session, first=month("2026-01"), last=month("2026-02"))
    give(session, dict.fromkeys(months("2026-01", 2), "6.5"))
    session.get_one(BenefitRow, REFERENCE).ended_on = date(2026, 1, 15)

    assert list(kinds(panel(session)).values()) == ["PROVEN", "PROVEN"]


def test_a_running_total_is_read_as_what_it_grew_by(session: Session):
    add_kpi(session, "total", behaviour=Behaviour.CUMULATIVE, direction=Direction.UP)
    promise(session, kpi="total", baseline=Decimal(0), target=Decimal(30))
    give(session, dict(zip(months("2025-01", 4), ["10", "30", None, "60"], strict=True)), "total")
    give(session, {month("2025-05"): "100"}, "total")
    kpi = session.get_one(KpiRow, "total")

    grown = levels(kpi, measures.readings(session, ["total"])["total"])

    assert grown == {month("2025-02"): Decimal(20), month("2025-05"): Decimal(40)}
    assert panel(session).promises.adds_up.tolist() == [[True]]


def test_terms_of_a_re_baseline_hold_from_its_start_on(session: Session):
    promise(session, last=month("2025-04"), ramp=Ramp.STEP, tolerance=Decimal("0.1"))
    again: dict[str, Any] = {
        "first": month("2025-03"),
        "last": month("2025-05"),
        "target": Decimal(5),
        "ramp": Ramp.STEP,
        "unit_value": Decimal(40),
        "claim_share": Decimal("0.5"),
        "tolerance": Decimal("0.2"),
    }
    promise(session, **again)

    found = panel(session)

    assert found.promises.planned.tolist() == [[6, 6, 5, 5, 5]]
    assert found.worth.tolist() == [[100, 100, 20, 20, 20]]
    assert found.first_worth.tolist() == [[100]]
    assert found.share_sum.tolist() == [[1, 1, 0.5, 0.5, 0.5]]
    assert found.promises.tolerance.tolist() == [[0.1, 0.1, 0.2, 0.2, 0.2]]
    assert found.first_change[0, :4].tolist() == [1, 1, 1, 1]
    assert np.isnan(found.first_change[0, 4])
    assert found.lines[0].version_in_force(month("2025-02")) == 0
    assert found.lines[0].version_in_force(month("2025-03")) == 1


def test_a_re_baseline_that_ends_earlier_takes_the_later_periods_out(session: Session):
    promise(session, last=month("2025-06"))
    promise(session, first=month("2025-03"), last=month("2025-04"))

    found = panel(session)

    assert list(kinds(found).values())[2:] == ["UNPROVEN", "UNPROVEN", "OUTSIDE", "OUTSIDE"]
    assert found.promises.last.tolist() == [[3]]


def test_claims_add_up_where_they_overlap_and_nowhere_else(session: Session):
    promise(session, last=month("2025-04"), claim_share=Decimal("0.75"))
    add_benefit(session, "NH-0042")
    promise(
        session,
        "NH-0042",
        first=month("2025-03"),
        last=month("2025-06"),
        claim_share=Decimal("0.5"),
        imported=True,
    )

    found = panel(session)

    one, other = (
        {line.period(c).month: found.share_sum[i, c] for c in range(line.width)}
        for i, line in enumerate(found.lines)
    )
    assert one == {1: 0.75, 2: 0.75, 3: 1.25, 4: 1.25}
    assert other == {3: 1.25, 4: 1.25, 5: 0.5, 6: 0.5}
    assert found.keep[0, :4].tolist() == [1, 1, 0.8, 0.8]


def test_benefits_without_a_promise_and_drafts_are_not_judged(session: Session):
    add_benefit(session, "NH-0042")

    assert lines_of(session, kpi_slugs=None) == []

    promise(session)
    session.get_one(BenefitRow, REFERENCE).lifecycle = Lifecycle.DRAFT
    session.flush()
    assert lines_of(session, kpi_slugs=None) == []


def test_only_the_chosen_kpis_are_judged(session: Session):
    add_kpi(session, "waits")
    add_benefit(session, "NH-0042")
    promise(session)
    promise(session, "NH-0042", kpi="waits")

    assert [line.benefit.reference for line in lines_of(session, kpi_slugs={"waits"})] == ["NH-0042"]
    assert len(lines_of(session, kpi_slugs=None)) == 2
    assert lines_of(session, kpi_slugs=set()) == []


def test_rows_of_different_rhythms_stand_side_by_side(session: Session):
    add_kpi(session, "weekly", frequency=Frequency.WEEK)
    add_kpi(session, "yearly", frequency=Frequency.YEAR, year_start=4)
    promise(session)
    for reference, kpi in (("NH-0042", "weekly"), ("NH-0043", "yearly")):
        add_benefit(session, reference)
        promise(session, reference, kpi=kpi)

    found = panel(session)

    assert [line.width for line in found.lines] == [24, 101, 3]
    assert found.promises.enough.tolist() == [[6], [8], [2]]
    assert found.promises.a_year.tolist() == [[12], [52], [1]]
    assert (found.kind[2, 3:] == Kind.OUTSIDE).all()
    assert np.isnan(found.promises.actual).all()


def test_the_width_of_a_batch_changes_nothing_within_a_row(session: Session):
    promise(session)
    give(session, dict.fromkeys(months("2025-01", 6), "6.5"))
    alone = panel(session)
    add_kpi(session, "daily", frequency=Frequency.DAY)
    add_benefit(session, "NH-0042")
    promise(session, "NH-0042", kpi="daily", last=month("2025-01") + timedelta(days=200))

    beside = panel(session)

    width = alone.kind.shape[1]
    np.testing.assert_array_equal(beside.kind[0, :width], alone.kind[0])
    np.testing.assert_array_equal(beside.promises.planned[0, :width], alone.promises.planned[0])
    np.testing.assert_array_equal(beside.promises.elapsed[0, :width], alone.promises.elapsed[0])
