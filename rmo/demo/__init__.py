"""The demo: a portfolio on real public data, in a file of its own, with a clock that can be moved on."""

import csv
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, select

from rmo.connectors.definitions import load_definitions
from rmo.demo.clock import MONTHS, DemoClock, a_month_on
from rmo.demo.portfolio import ANSWERS, BY_HAND, PEOPLE, PROGRAMMES, PROJECTS, PROMISES
from rmo.domain.calendar import LONG_MONTHS
from rmo.domain.errors import DatabaseError
from rmo.domain.exact import quotient
from rmo.domain.values import EVERYTHING, Lifecycle, Reading
from rmo.drawing import words
from rmo.paths import data_folder
from rmo.scheduler import work_off
from rmo.scheduler.jobs import Tools, digest, judge, pull, remind
from rmo.services import kpis, people
from rmo.services.benefits import approve_promise, register_benefit
from rmo.services.collection import pull_all
from rmo.storage import measures, verdicts
from rmo.storage.audit import count_up
from rmo.storage.database import transaction
from rmo.storage.register import benefits
from rmo.storage.tables import ActionRow, BenefitRow, PersonRow, ProgrammeRow, ProjectRow, WebSessionRow

DATA: Final = Path(__file__).parent / "data"
DEMO: Final = "demo"  # who did it, in the trail


def build(tools: Tools, clock: DemoClock) -> None:
    """Build the portfolio as it was known in September 2018, then let a month pass."""
    loaded, problems = load_definitions(data_folder("kpi_definitions"))
    if problems:
        raise DatabaseError(f"The demo's definitions are wrong: {problems[0].place}: {problems[0].message}")
    now = clock()
    with transaction(tools.engine) as session:
        clock.set(session, now)
        _add_people(session, now)
        kpis.apply_definitions(session, loaded, now=now, by=DEMO)
        _add_projects(session)
        _enter_by_hand(session, now)
    pull_all(tools.engine, tools.reach, clock=tools.now, today=now.date())
    with transaction(tools.engine) as session:
        _promise(session, now)
    judge(tools)
    _send(tools)
    next_month(tools, clock)
    with transaction(tools.engine) as session:
        _answer(session, clock.tell(session))


def next_month(tools: Tools, clock: DemoClock) -> str:
    """Let a month pass: pull what has appeared, judge it, send the month's mails; return what happened."""
    with transaction(tools.engine) as session:
        now = a_month_on(clock.tell(session))
        clock.set(session, now)
        # People stay signed in although their clock has jumped.
        session.connection().execute(sa.update(WebSessionRow).values(seen_at=now, created_at=now))
    pulled = pull(tools)
    changes = judge(tools)
    mails = _send(tools)
    new = sum(result.written for result in pulled)
    return (
        f"It is {words.long_day(now.date())}: {words.count(new, 'reading')} came in, "
        f"{words.count(changes.verdicts, 'verdict')} written, {words.count(changes.opened, 'gap')} opened, "
        f"{changes.closed} closed, {words.count(mails, 'mail')} sent."
    )


def banner(now: datetime) -> str:
    """Return what every page of the demo says of itself."""
    month = f"{now.day} {LONG_MONTHS[now.month - 1]} {now.year}"
    return f"It is {month}. Readings are real and public, to March 2019; promises, people, reasons and actions are ours."


def _send(tools: Tools) -> int:
    local = tools.now().astimezone(tools.settings.tz)
    queued = digest(tools, local.strftime("%Y-%m")) + remind(tools, local.strftime("%Y-%m-%d"))
    work_off(tools)
    return queued


def _add_people(session: Session, now: datetime) -> None:
    for email, position, role in PEOPLE:
        people.add_person(session, email=email, name=position, position=position, role=role, now=now, by=DEMO)
    session.flush()


def _add_projects(session: Session) -> None:
    for slug, name in PROGRAMMES:
        session.add(ProgrammeRow(slug=slug, name=name, sponsor="sponsor@example.org"))
    session.flush()
    for slug, name, programme, cost in PROJECTS:
        pennies = int(cost * 100_000_000) if cost is not None else None
        session.add(ProjectRow(slug=slug, name=name, programme=programme, cost_pennies=pennies))
    session.flush()


def _enter_by_hand(session: Session, now: datetime) -> None:
    """Give the readings of the one KPI without a source, as its measurer would have."""
    slug, organisation, measurer = BY_HAND
    kpi = measures.kpi_by_slug(session, slug)
    given = []
    with (DATA / "nhs_ae_type1_10_trusts.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            period = date.fromisoformat(row["period"])
            if row["org_code"] == organisation and MONTHS.shift(period, 1) <= now.date():
                counted, out_of = Decimal(row["admissions"]), Decimal(row["attendances"])
                value = quotient(counted, out_of, kpi.per)
                given.append(Reading(period, value, counted, out_of))
    measures.add_readings(session, slug, given, now=now, known={}, entered_by=measurer)


def _promise(session: Session, now: datetime) -> None:
    for item in PROMISES:
        row = BenefitRow(
            reference=item.reference,
            title=item.title,
            description=item.description,
            benefit_class=item.benefit_class,
            disbenefit=item.disbenefit,
            project=item.project,
            owner=item.owner,
            lifecycle=Lifecycle.VALIDATED,
        )
        register_benefit(session, row, now=now, by="analyst@example.org")
        approve_promise(
            session,
            item.reference,
            item.terms,
            by="executive@example.org",
            why="Promise of the demo: nobody made it.",
            now=now,
            imported=True,
        )
        row.lifecycle = item.lifecycle


def _answer(session: Session, now: datetime) -> None:
    """Give some gaps a reason and an action, as their owners would have."""
    open_gaps = verdicts.gaps(session, [b.reference for b in benefits(session, scope=EVERYTHING)])
    for reference, reason, action, owner, days in ANSWERS:
        for gap in open_gaps.get(reference, [])[:1]:
            gap.reason, gap.reason_by, gap.reason_at = reason, owner if reason else None, now
            due = (now.date().toordinal()) + days
            session.add(
                ActionRow(
                    gap=gap.id or 0,
                    owner=owner,
                    words=action,
                    due=now.date().fromordinal(due),
                    created_at=now,
                )
            )
    count_up(session)


def links(session: Session, now: datetime) -> list[tuple[str, str]]:
    """Return one person of each role with a link that signs them in once."""
    seen = set()
    found = []
    for row in session.exec(select(PersonRow).order_by(PersonRow.email)):
        if row.role not in seen:
            seen.add(row.role)
            found.append((row.position, people.make_link(session, row.email, now=now)))
    return found
