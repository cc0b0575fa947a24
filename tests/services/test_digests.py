"""The executive's digest: what it counts, that it is frozen, and that nothing is sent when nothing changed."""

from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import select

from rmo.domain.values import EVERYTHING, Role
from rmo.services.digests import (
    MOST_EXCEPTIONS,
    Digest,
    Sender,
    addressed,
    executive_digest,
    period_before,
    recipients,
)
from rmo.services.evaluation import evaluate
from rmo.services.gaps import Answer, answer_gap
from rmo.services.people import SignedIn
from rmo.services.portfolio import portfolio_page
from rmo.storage.database import reading, transaction
from rmo.storage.tables import GapRow, PersonRow
from tests.world import (
    EXECUTIVE,
    NOW,
    OWNER,
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

SENDER = Sender("Northshire Health", "https://rmo.example.org", "Europe/London", "rmo@example.org")
ME = SignedIn(EXECUTIVE, "", "", Role.EXECUTIVE, "auto", NOW)
HISTORY = dict(zip(months("2024-01", 12), ["7.0", "7.1", "6.9"] * 4, strict=True))


@pytest.fixture
def laid(sqlite_engine: Engine) -> Engine:
    """Give three promises: one kept, one off track, one silent."""
    with transaction(sqlite_engine) as session:
        add_people(session)
        for slug, given in (
            ("good", ["5.4", "5.5", "5.3"] * 5),
            ("bad", ["7.3", "7.2", "7.4"] * 5),
            ("silent", []),
        ):
            add_kpi(session, slug, name=f"KPI {slug}")
            give(session, HISTORY | dict(zip(months("2025-01", len(given)), given, strict=True)), slug)
        for i, slug in enumerate(("good", "bad", "silent"), start=1):
            add_benefit(session, f"NH-000{i}", title=f"Promise on {slug}")
            promise(session, f"NH-000{i}", kpi=slug)
        evaluate(session, now=NOW, today=TODAY)
    return sqlite_engine


def digest(
    engine: Engine, *, at: datetime = NOW, before: datetime = NOW - timedelta(days=30)
) -> Digest | None:
    with reading(engine) as session:
        person = session.get_one(PersonRow, EXECUTIVE)
        said = executive_digest(session, sender=SENDER, now=at, today=at.date(), before=before)
        return addressed(said, person) if said is not None else None


def answer_all(engine: Engine) -> None:
    with transaction(engine) as session:
        answer = Answer("Lifts broke", "Repair the lifts", OWNER, TODAY + timedelta(days=90))
        for gap in session.exec(select(GapRow)).all():
            answer_gap(session, gap.id or 0, answer, scope=EVERYTHING, who=ME, now=NOW)


def told(engine: Engine, **at: datetime) -> Digest:
    said = digest(engine, **at)
    assert said is not None
    return said


def test_the_subject_counts_gaps_and_silent_sources_and_says_the_month(laid: Engine):
    with reading(laid) as session:
        gaps = len(session.exec(select(GapRow)).all())

    subject = told(laid).subject

    assert gaps == 2
    assert subject.startswith("2 gaps, 1 silent source, £")
    assert subject.endswith(" short, March 2026")


def test_nothing_is_said_when_nothing_changed_and_every_gap_has_an_action(laid: Engine):
    later = NOW + timedelta(hours=2)
    assert digest(laid, at=later, before=NOW) is not None  # gaps still wait for somebody

    answer_all(laid)

    assert digest(laid, at=later, before=NOW) is None


def test_a_change_is_said_with_its_amount(laid: Engine):
    answer_all(laid)
    correct(laid, month("2026-03"), "7.0", at=NOW + timedelta(hours=1), slug="bad")

    said = told(laid, at=NOW + timedelta(hours=2), before=NOW)

    assert "Realised since then, in NH-0002: +£40." in said.changes
    assert [(r["reference"], r["was"], r["is"]) for r in said.restated] == [("NH-0002", "7.40", "7.00")]


def test_the_figures_are_those_of_the_page_at_that_moment(laid: Engine):
    said = told(laid)
    with reading(laid) as session:
        page = portfolio_page(
            session, scope=EVERYTHING, now=NOW, today=TODAY, before=NOW - timedelta(days=30), as_of=NOW
        )

    assert said.money == {
        name: getattr(page.money, name)
        for name in ("promised", "realised", "still_forecast", "unproven", "shortfall")
    }
    assert said.headline == page.headline
    assert said.page_url == "https://rmo.example.org/portfolio?as_of=2026-04-14T08:00:00Z"


def test_a_digest_that_was_made_stays_as_it_was(laid: Engine):
    said = told(laid)
    before = asdict(said)

    correct(laid, month("2026-03"), "5.0", at=NOW + timedelta(hours=1), slug="bad")
    with transaction(laid) as session:
        session.get_one(PersonRow, EXECUTIVE).position = "Somebody else"

    assert asdict(said) == before


def test_an_exception_says_whose_it_is_what_it_costs_and_who_acts(laid: Engine):
    answer_all(laid)

    exception = next(e for e in told(laid).exceptions if e.reference == "NH-0002")

    assert (exception.owner, exception.who) == ("Director of operations", "Director of operations")
    assert (exception.reason, exception.action, exception.due) == (
        "Lifts broke",
        "Repair the lifts",
        "13 July 2026",
    )
    assert (
        exception.promised
        == exception.realised + exception.forecast + exception.unproven + exception.shortfall
    )
    assert exception.url == "https://rmo.example.org/benefits/NH-0002"


def test_successes_late_readings_and_the_rest_are_told(laid: Engine):
    said = told(laid)

    assert [success["reference"] for success in said.successes] == ["NH-0001"]
    assert said.late == [
        {"person": "Head of patient flow", "items": ["KPI silent, last seen before the promise began"]}
    ]
    assert said.rest == ""
    assert said.why == "You get this once a month because you are Chief executive."


def test_no_more_than_five_exceptions_are_told_each_benefit_once(laid: Engine):
    with transaction(laid) as session:
        for i in range(4, 11):
            add_benefit(session, f"NH-00{i:02d}")
            promise(session, f"NH-00{i:02d}", kpi="bad", claim_share=Decimal("0.5"), imported=True)
        evaluate(session, now=NOW, today=TODAY)

    said = told(laid)
    with reading(laid) as session:
        gaps = len(session.exec(select(GapRow)).all())

    assert len(said.exceptions) == MOST_EXCEPTIONS == len({e.reference for e in said.exceptions})
    assert said.subject.startswith(f"{gaps} gaps, ")
    assert "more on the page." in said.rest


@pytest.mark.parametrize(
    ("day", "about"),
    [
        pytest.param("2026-04-01", "2026-03-01", id="on the first"),
        pytest.param("2026-04-30", "2026-03-01", id="on the last"),
        pytest.param("2026-01-15", "2025-12-01", id="over the new year"),
    ],
)
def test_a_digest_is_about_the_month_before(day: str, about: str):
    assert period_before(datetime.fromisoformat(day).date()).isoformat() == about


def test_only_active_people_of_the_role_get_it(laid: Engine):
    with transaction(laid) as session:
        assert [p.email for p in recipients(session, Role.EXECUTIVE)] == [EXECUTIVE]
        session.get_one(PersonRow, EXECUTIVE).active = False
        session.flush()
        assert recipients(session, Role.EXECUTIVE) == []
        assert {p.email for p in recipients(session, Role.OWNER, Role.MEASURER)} == {
            OWNER,
            "nurse@example.org",
        }
