"""The whole portfolio: every total is a sum of atoms, to the penny, as known at any moment, for those who may see it."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session, select

from rmo.domain.errors import NotFoundError
from rmo.domain.realisation import Money
from rmo.domain.values import (
    EVERYTHING,
    BenefitClass,
    DataState,
    Direction,
    Frequency,
    Lifecycle,
    Ramp,
    Role,
    Scope,
    State,
)
from rmo.services.benefit_list import Filters, benefit_list
from rmo.services.benefit_page import benefit_page
from rmo.services.evaluation import evaluate
from rmo.services.gaps import gap_list, gap_to_answer
from rmo.services.kpi_page import kpi_lines, kpi_page
from rmo.services.people import SignedIn
from rmo.services.portfolio import PortfolioPage, portfolio_page
from rmo.services.snapshot import take_snapshot
from rmo.storage import verdicts
from rmo.storage.database import open_engine, reading, transaction
from rmo.storage.moments import FOREVER
from rmo.storage.tables import BenefitRow, GapRow, KpiRow, UnitRow
from tests.world import (
    EXECUTIVE,
    MEASURER,
    NOW,
    TODAY,
    add_benefit,
    add_kpi,
    add_people,
    correct,
    give,
    month,
    months,
    promise,
)

BEFORE, SECOND, LATER = NOW, NOW + timedelta(days=1), NOW + timedelta(days=2)
NORTH, SOUTH = Scope(frozenset({"north"})), Scope(frozenset({"south"}))
HISTORY = dict(zip(months("2024-01", 12), ["7.0", "7.1", "6.9"] * 4, strict=True))
PARTS = ("realised", "still_forecast", "unproven", "shortfall_so_far", "shortfall_expected")


def levels(first: str, step: str, count: int) -> dict[date, str | None]:
    """Return readings that move by the same amount every month."""
    return {m: f"{Decimal(first) + Decimal(step) * i:.2f}" for i, m in enumerate(months("2025-01", count))}


def lay(session: Session) -> None:
    """Lay eight benefits of two units: short, silent, ahead, claimed twice, weekly, ended, draft, and a disbenefit."""
    add_people(session)
    session.add_all([UnitRow(slug="north", name="North"), UnitRow(slug="south", name="South")])
    session.flush()
    for slug in ("stay", "silent", "ahead", "ended"):
        add_kpi(session, slug, name=f"KPI {slug}", measurer=MEASURER)
        give(session, HISTORY, slug, at=BEFORE)
    add_kpi(session, "weekly", name="KPI weekly", frequency=Frequency.WEEK)
    add_kpi(session, "costs", name="KPI costs", direction=Direction.DOWN)
    benefits: tuple[tuple[str, str, str, BenefitClass, dict[str, Any]], ...] = (
        ("NH-0001", "stay", "north", BenefitClass.CASHABLE, {}),
        ("NH-0002", "silent", "south", BenefitClass.NON_CASHABLE, {"unit_value": Decimal("33.33")}),
        ("NH-0003", "ahead", "north", BenefitClass.COST_AVOIDANCE, {"ramp": Ramp.S_CURVE}),
        ("NH-0004", "ahead", "south", BenefitClass.CASHABLE, {"claim_share": Decimal("0.3333")}),
        ("NH-0005", "weekly", "south", BenefitClass.QUANTIFIED, {"unit_value": None}),
        ("NH-0006", "ended", "north", BenefitClass.CASHABLE, {"unit_value": Decimal("7.77")}),
        ("NH-0008", "costs", "north", BenefitClass.CASHABLE, {"target": Decimal("7.9"), "ramp": Ramp.STEP}),
    )
    for reference, kpi, unit, kind, terms in benefits:
        add_benefit(session, reference, unit=unit, benefit_class=kind, title=f"Benefit {reference}")
        promise(session, reference, kpi=kpi, imported=True, **terms)
    add_benefit(session, "NH-0007", unit="north")
    ended = session.get_one(BenefitRow, "NH-0006")
    ended.lifecycle, ended.ended_on = Lifecycle.WRITTEN_OFF, date(2025, 9, 30)
    for slug, given in (
        ("stay", levels("7.0", "-0.02", 14)),
        ("silent", levels("7.0", "-0.08", 6)),
        ("ahead", levels("6.8", "-0.15", 14)),
        ("ended", levels("7.0", "-0.08", 14)),
        ("costs", levels("8.0", "0", 14)),
    ):
        give(session, given, slug, at=BEFORE)
    evaluate(session, now=BEFORE, today=BEFORE.date())
    for slug, value in (("stay", "7.10"), ("ahead", "4.50"), ("costs", "7.9")):
        give(session, {month("2026-03"): value}, slug, at=SECOND)
    give(session, {month("2026-02"): "6.50"}, "stay", at=SECOND)  # was 6.74
    evaluate(session, now=SECOND, today=SECOND.date())


@pytest.fixture(scope="module")
def laid(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give the portfolio to all tests that only look at it."""
    path = tmp_path_factory.mktemp("portfolio") / "rmo.db"
    shutil.copyfile(sqlite_template, path)
    engine = open_engine(f"sqlite:///{path}")
    with transaction(engine) as session:
        lay(session)
    yield engine
    engine.dispose()


def page_of(engine: Engine, *, scope: Scope = EVERYTHING, as_of: datetime = FOREVER) -> PortfolioPage:
    with reading(engine) as session:
        return portfolio_page(session, scope=scope, now=LATER, today=TODAY, before=BEFORE, as_of=as_of)


def added_up(engine: Engine, *references: str, as_of: datetime = FOREVER) -> dict[str, int]:
    """Return the sums of all atoms, added one by one as whole numbers."""
    names = list(Money.__dataclass_fields__)
    sums = dict.fromkeys(names, 0)
    with reading(engine) as session:
        chosen = references or tuple(session.exec(select(BenefitRow.reference)))
        for row in verdicts.atoms(session, chosen, as_of=as_of).values():
            table = np.frombuffer(row.packed, dtype="<i8").reshape(len(names) + 1, -1)
            for name, numbers in zip(names, table.tolist(), strict=False):
                for number in numbers:
                    sums[name] += number
    return sums


def test_every_figure_of_the_bridge_is_the_sum_of_all_atoms(laid: Engine):
    money = page_of(laid).money
    sums = added_up(laid)

    assert {name: getattr(money, name) for name in sums} == sums
    assert money.promised == sum(sums[part] for part in PARTS)
    assert money.promised == sums["first_promise"] + sums["rebaselined"] - sums["removed"]
    assert all(sums[name] for name in ("removed", "realised", "still_forecast", "unproven"))


def test_classes_units_and_columns_make_up_the_whole(laid: Engine):
    page = page_of(laid)

    assert sum(page.by_class.values(), Money()) == page.money
    assert list(page.by_class) == [
        BenefitClass.CASHABLE,
        BenefitClass.NON_CASHABLE,
        BenefitClass.COST_AVOIDANCE,
    ]
    assert page_of(laid, scope=NORTH).money + page_of(laid, scope=SOUTH).money == page.money
    last = page.columns[-1]
    assert (last.planned, last.actual, last.forecast) == (
        page.money.promised,
        page.money.realised,
        page.money.still_forecast,
    )


def test_the_register_shows_the_same_sums(laid: Engine):
    with reading(laid) as session:
        shown = benefit_list(session, Filters(), scope=EVERYTHING, now=LATER)
        pages = [
            benefit_page(session, s.benefit.reference, scope=EVERYTHING, now=LATER, today=TODAY)
            for s in shown.rows
        ]

    page = page_of(laid)
    assert shown.money == page.money
    assert sum((s.money for s in shown.rows), Money()) == page.money
    assert sum(one.money.promised for one in pages if one) == page.money.promised


def test_drafts_never_enter_and_what_was_written_off_stays(laid: Engine):
    with reading(laid) as session:
        standings = {
            s.benefit.reference: s for s in take_snapshot(session, scope=EVERYTHING, now=LATER).standings
        }

    assert "NH-0007" not in standings
    ended = standings["NH-0006"].money
    assert ended.still_forecast == ended.unproven == ended.shortfall_expected == 0
    assert ended.promised == ended.realised + ended.shortfall_so_far
    assert ended.realised == sum(
        round(777 * (7 - float(value))) for value in list(levels("7.0", "-0.08", 9).values()) if value
    )


def test_a_disbenefit_has_its_own_sign(laid: Engine):
    with reading(laid) as session:
        snapshot = take_snapshot(session, scope=EVERYTHING, now=LATER)

    money = next(s.money for s in snapshot.standings if s.benefit.reference == "NH-0008")
    assert money.promised == 24 * -90_00
    assert money.realised == 14 * -100_00 - 90_00
    assert money.shortfall_so_far == 14 * 10_00


def test_what_is_claimed_twice_is_removed_once_and_shown(laid: Engine):
    sums = added_up(laid, "NH-0003", "NH-0004")

    claimed = sums["first_promise"] + sums["rebaselined"]
    assert sums["removed"] == claimed - sums["promised"]
    assert (
        abs(
            added_up(laid, "NH-0003")["promised"] * Decimal("1.3333")
            - added_up(laid, "NH-0003")["first_promise"]
        )
        < 24
    )


def test_a_day_in_the_past_shows_what_was_known_then(laid: Engine):
    then = page_of(laid, as_of=BEFORE)

    assert {name: getattr(then.money, name) for name in Money.__dataclass_fields__} == added_up(
        laid, as_of=BEFORE
    )
    assert then.money != page_of(laid).money
    assert then.known_at == BEFORE
    before_all = page_of(laid, as_of=BEFORE - timedelta(days=30))
    assert (before_all.money, before_all.gaps, before_all.benefits) == (Money(), [], 0)


def test_the_past_stays_as_it_was_whatever_comes_later(engine: Engine):
    with transaction(engine) as session:
        lay(session)
    then, today = page_of(engine, as_of=BEFORE), page_of(engine, as_of=SECOND)

    correct(engine, month("2025-06"), "5.0", at=SECOND + timedelta(hours=1))
    correct(engine, month("2026-03"), "5.0", at=SECOND + timedelta(hours=2), slug="ended")
    with transaction(engine) as session:
        promise(session, "NH-0001", first=month("2026-03"), target=Decimal("6.9"), imported=True)
        evaluate(session, now=SECOND + timedelta(hours=3), today=TODAY)

    assert page_of(engine, as_of=BEFORE) == then
    assert page_of(engine, as_of=SECOND) == today
    assert page_of(engine).money != today.money


def test_what_moved_names_amounts_that_make_up_the_difference(laid: Engine):
    page = page_of(laid)
    assert page.before is not None

    difference = page.money - page.before
    for kind in ("realised", "unproven", "shortfall", "promised"):
        moved = [line.amount for line in page.moved if line.kind == kind]
        assert moved == ([getattr(difference, kind)] if getattr(difference, kind) else [])
    assert page.moved[0].words.startswith("Realised since then, ")


def test_a_corrected_reading_is_told_as_was_and_is(laid: Engine):
    restated = page_of(laid).restated

    assert [
        (r.reference, r.period, r.was, r.now, r.why) for r in restated if r.why == "corrected reading"
    ] == [("NH-0001", "February 2026", "6.74", "6.50", "corrected reading")]


def test_nothing_is_restated_before_anything_was_corrected(laid: Engine):
    with reading(laid) as session:
        early = portfolio_page(
            session,
            scope=EVERYTHING,
            now=LATER,
            today=TODAY,
            before=BEFORE - timedelta(days=60),
            as_of=BEFORE,
        )

    assert (early.restated, early.moved, early.before) == ([], [], None)


def test_gaps_stand_in_the_order_of_what_is_at_stake(laid: Engine):
    with reading(laid) as session:
        lines = gap_list(session, scope=EVERYTHING, now=LATER, today=TODAY).lines

    stakes = [line.money.at_stake + line.money.unproven for line in lines]
    assert stakes == sorted(stakes, reverse=True)
    assert {"shortfall", "stale_feed", "over_claim"} <= {line.kind for line in lines}
    assert len({(line.reference, line.kind) for line in lines}) == len(lines)


def test_the_value_at_stake_counts_a_benefit_once_and_sets_no_surplus_against_it(laid: Engine):
    with reading(laid) as session:
        listed = gap_list(session, scope=EVERYTHING, now=LATER, today=TODAY)

    once = {line.reference: max(0, line.money.shortfall) for line in listed.lines}
    assert listed.at_stake == sum(once.values()) == page_of(laid).gaps_total


def test_silence_has_a_price(laid: Engine):
    silent = page_of(laid).silent

    assert [(s.slug, s.data, s.last_seen) for s in silent if s.slug == "silent"] == [
        ("silent", DataState.STALE, "June 2025")
    ]
    assert next(s.unproven for s in silent if s.slug == "silent") == added_up(laid, "NH-0002")["unproven"]
    assert sum(s.unproven for s in silent) == page_of(laid).money.unproven


def test_the_headline_says_the_figures(laid: Engine):
    page = page_of(laid)

    assert page.headline.startswith("Of the £")
    assert "nobody can show" in page.headline
    assert (page.benefits, page.without_money) == (7, 1)


def test_a_unit_sees_its_own_rows_and_no_others_in_every_list(laid: Engine):
    north = {"NH-0001", "NH-0003", "NH-0006", "NH-0008"}
    with reading(laid) as session:
        listed = benefit_list(session, Filters(), scope=NORTH, now=LATER)
        gaps = gap_list(session, scope=NORTH, now=LATER, today=TODAY)
        library = kpi_lines(session, scope=NORTH, now=LATER)
        ahead = kpi_page(session, "ahead", scope=NORTH, now=LATER, today=TODAY)
        snapshot = take_snapshot(session, scope=NORTH, now=LATER)
    page = page_of(laid, scope=NORTH)

    assert {s.benefit.reference for s in listed.rows} == north
    assert listed.total == 4
    assert {s.benefit.reference for s in snapshot.standings} == north
    assert {line.reference for line in gaps.lines} <= north
    assert {line.reference for line in page.gaps} <= north
    assert {line.reference for line in page.restated} <= north
    assert {source.slug for source in page.silent} & {"silent", "weekly"} == set()
    assert {s.benefit.reference for s in ahead.resting} == {"NH-0003"}
    assert sum(line.benefits for line in library) == 4
    assert page.money.promised == added_up(laid, *north)["promised"]


def test_no_unit_at_all_sees_nothing(laid: Engine):
    nothing = Scope(frozenset())

    page = page_of(laid, scope=nothing)

    assert (page.money, page.gaps, page.silent, page.restated, page.benefits) == (Money(), [], [], [], 0)
    assert page.headline == "Nothing is promised in money yet, so nothing can be held against it."


def test_what_a_unit_may_not_see_is_not_there(laid: Engine):
    office = SignedIn(EXECUTIVE, "", "", Role.ANALYST, "auto", NOW)
    with reading(laid) as session:
        theirs = session.exec(select(GapRow).where(GapRow.benefit == "NH-0002")).first()
        assert theirs is not None
        with pytest.raises(NotFoundError):
            benefit_page(session, "NH-0002", scope=NORTH, now=LATER, today=TODAY)
        with pytest.raises(NotFoundError):
            gap_to_answer(session, theirs.id or 0, scope=NORTH, who=office)
        assert gap_to_answer(session, theirs.id or 0, scope=SOUTH, who=office).reference == "NH-0002"


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        pytest.param({"state": State.NOT_STARTED.value}, set(), id="nobody has not started"),
        pytest.param({"q": "nh-0003"}, {"NH-0003"}, id="by reference, in any case"),
        pytest.param({"q": "benefit nh-0004"}, {"NH-0004"}, id="by title"),
        pytest.param({"state": DataState.STALE.value}, {"NH-0002"}, id="by what is wrong with the data"),
        pytest.param({"programme": "none"}, set(), id="a programme that is not there"),
        pytest.param({"q": "%"}, set(), id="no pattern"),
    ],
)
def test_the_register_shows_what_the_filters_keep(laid: Engine, filters: dict[str, str], shown: set[str]):
    with reading(laid) as session:
        found = benefit_list(session, Filters.from_address(filters), scope=EVERYTHING, now=LATER)

    assert {s.benefit.reference for s in found.rows} == shown
    assert found.money == sum((s.money for s in found.rows), Money())


def test_a_retired_kpi_keeps_its_money_on_every_figure(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
    before = page_of(sqlite_engine)
    with transaction(sqlite_engine) as session:
        session.get_one(KpiRow, "stay").retired_at = NOW

    after = page_of(sqlite_engine)

    assert after.money == before.money
    assert after.columns == before.columns
    assert [line.reference for line in after.gaps] == [line.reference for line in before.gaps]
