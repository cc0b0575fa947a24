"""A small world for tests: people, one project, KPIs entered by hand, and promises on them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.engine import Engine
from sqlmodel import Session

from rmo.domain.values import (
    Behaviour,
    BenefitClass,
    Direction,
    Frequency,
    Lifecycle,
    Ramp,
    Reading,
    ReadingState,
    Role,
)
from rmo.services import kpis, people
from rmo.services.benefits import Terms, approve_promise, register_benefit
from rmo.storage import measures
from rmo.storage.database import transaction
from rmo.storage.tables import BenefitRow, KpiRow, ProgrammeRow, ProjectRow

NOW = datetime(2026, 4, 14, 8, 0, tzinfo=UTC)
TODAY = NOW.date()
OWNER, EXECUTIVE, MEASURER = "owner@example.org", "chief@example.org", "nurse@example.org"


def month(text: str) -> date:
    """Return the first day of a month written as 2026-03."""
    return date.fromisoformat(f"{text}-01")


def months(first: str, count: int) -> list[date]:
    """Return so many months from one on."""
    start = month(first)
    number = start.year * 12 + start.month - 1
    return [date((number + i) // 12, (number + i) % 12 + 1, 1) for i in range(count)]


def add_people(session: Session) -> None:
    """Add an owner, a measurer and an executive."""
    for email, position, role in (
        (OWNER, "Director of operations", Role.OWNER),
        (MEASURER, "Head of patient flow", Role.MEASURER),
        (EXECUTIVE, "Chief executive", Role.EXECUTIVE),
    ):
        people.add_person(
            session, email=email, name=position, position=position, role=role, now=NOW, by="test"
        )


def add_kpi(session: Session, slug: str = "stay", **given: Any) -> KpiRow:
    """Add a KPI that is entered by hand: by default mean length of stay, monthly, lower is better."""
    values: dict[str, Any] = {
        "name": "Mean length of stay",
        "unit": "days",
        "direction": Direction.DOWN,
        "frequency": Frequency.MONTH,
        "behaviour": Behaviour.RATE,
        "measurer": MEASURER,
        "definition_hash": "test",
        "created_at": NOW,
    } | given
    row = KpiRow(slug=slug, **values)
    session.add(row)
    session.flush()
    return row


def add_benefit(session: Session, reference: str = "NH-0041", **given: Any) -> BenefitRow:
    """Add a benefit of the one project."""
    if session.get(ProgrammeRow, "flow") is None:
        session.add(ProgrammeRow(slug="flow", name="Flow programme"))
        session.flush()
        session.add(ProjectRow(slug="lounge", name="Discharge lounge", programme="flow"))
        session.flush()
    values: dict[str, Any] = {
        "title": "Shorter stays on medical wards",
        "benefit_class": BenefitClass.CASHABLE,
        "project": "lounge",
        "owner": OWNER,
        "lifecycle": Lifecycle.VALIDATED,
    } | given
    return register_benefit(session, BenefitRow(reference=reference, **values), now=NOW, by=OWNER)


def promise(session: Session, reference: str = "NH-0041", **given: Any) -> None:
    """Approve a promise: by default from 7.0 to 6.0 days over the months of 2025, worth 100 a day."""
    values: dict[str, Any] = {
        "kpi": "stay",
        "first": month("2025-01"),
        "last": month("2026-12"),
        "target": Decimal("6.0"),
        "baseline": Decimal("7.0"),
        "ramp": Ramp.LINEAR,
        "ramp_periods": 12,
        "unit_value": Decimal(100),
    }
    imported = given.pop("imported", False)
    terms = Terms(**(values | given))
    approve_promise(session, reference, terms, by=EXECUTIVE, why="First case", now=NOW, imported=imported)


def give(session: Session, values: Mapping[date, str | None], slug: str = "stay", at: datetime = NOW) -> None:
    """Keep readings as they would have been kept at a moment, without judging."""
    given = [
        Reading(period, None if v is None else Decimal(v), state=ReadingState.APPROVED)
        for period, v in values.items()
    ]
    known = measures.readings(session, [slug])[slug]
    measures.add_readings(session, slug, given, now=at, known=known, entered_by=MEASURER)


def correct(engine: Engine, period: date, value: str, *, at: datetime, slug: str = "stay") -> None:
    """Enter a reading as its measurer would, on a page."""
    with transaction(engine) as session:
        kpis.record_reading(
            session, slug, Reading(period, Decimal(value)), by=MEASURER, now=at, today=at.date()
        )
