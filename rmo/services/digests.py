"""What the CEO's office's digest says: a month in a screen, frozen before it is rendered."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from rmo.domain.calendar import Rhythm
from rmo.domain.values import EVERYTHING, Frequency, Role, State
from rmo.drawing import words
from rmo.services.people import people
from rmo.services.portfolio import GapLine, PortfolioPage, portfolio_page
from rmo.services.snapshot import take_snapshot
from rmo.storage.tables import PersonRow

MOST_EXCEPTIONS, MOST_SUCCESSES = 5, 3
MONTHS = Rhythm(Frequency.MONTH)
EXECUTIVE = "executive"


@dataclass(frozen=True)
class DigestException:
    """A gap as a mail tells it. Money in pennies."""

    reference: str
    title: str
    url: str
    owner: str
    state: str
    promised: int
    realised: int
    forecast: int
    unproven: int
    shortfall: int
    at_stake: int
    sentence: str
    reason: str
    action: str
    who: str
    due: str


@dataclass(frozen=True)
class Digest:
    """Everything that an executive's mail says, as it was when it was frozen."""

    organisation: str
    person_name: str
    period_label: str
    subject: str
    headline: str
    money: dict[str, int]
    changes: list[str]
    exceptions: list[DigestException]
    successes: list[dict[str, str]]
    restated: list[dict[str, str]]
    late: list[dict[str, Any]]
    rest: str
    data_to: str
    known_on: str
    zone: str
    why: str
    page_url: str


@dataclass(frozen=True)
class Sender:
    """What a mail says about where it comes from."""

    organisation: str
    base_url: str
    zone: str
    mail_from: str


def period_before(day: date) -> date:
    """Return the month that a digest of a day is about: the one before."""
    return MONTHS.shift(day, -1)


def executive_digest(
    session: Session, *, sender: Sender, now: datetime, today: date, before: datetime
) -> Digest | None:
    """Return the digest that everybody in the CEO's office gets, or nothing when nothing changed since an earlier moment."""
    page = portfolio_page(session, scope=EVERYTHING, now=now, today=today, before=before)
    snapshot = take_snapshot(session, scope=EVERYTHING, now=now)
    quiet = page.before is not None and not page.moved and not page.restated
    if quiet and all(gap.action for gap in page.gaps):
        return None
    successes = [
        {
            "reference": s.benefit.reference,
            "title": s.benefit.title,
            "url": f"{sender.base_url}/benefits/{s.benefit.reference}",
            "sentence": s.verdict.sentence,
        }
        for s in sorted(snapshot.standings, key=lambda s: -s.money.realised)
        if s.verdict and s.state in (State.KEPT, State.ON_TRACK)
    ]
    shown = page.gaps[:MOST_EXCEPTIONS]
    left = page.more_gaps + len(page.gaps) - len(shown)
    month = MONTHS.long_label(period_before(today))
    return Digest(
        organisation=sender.organisation,
        person_name="",
        period_label=month,
        subject=_subject(page, month),
        headline=page.headline,
        money={
            "promised": page.money.promised,
            "realised": page.money.realised,
            "still_forecast": page.money.still_forecast,
            "unproven": page.money.unproven,
            "shortfall": page.money.shortfall,
        },
        changes=[f"{moved.words}: {words.money(moved.amount, signed=True)}." for moved in page.moved],
        exceptions=[_exception(line, sender) for line in shown],
        successes=successes[:MOST_SUCCESSES],
        restated=[
            {
                "reference": r.reference,
                "title": r.title,
                "was": r.was,
                "is": r.now,
                "why": f"{r.period}: {r.why}",
            }
            for r in page.restated[:MOST_EXCEPTIONS]
        ],
        late=_late(page),
        rest=f"{words.capital(words.count_word(left))} more on the page." if left > 0 else "",
        data_to=page.data_to,
        known_on=words.moment(now, ZoneInfo(sender.zone)),
        zone=sender.zone,
        why="",
        page_url=f"{sender.base_url}/portfolio?as_of={now.strftime('%Y-%m-%dT%H:%M:%SZ')}",
    )


def addressed(digest: Digest, person: PersonRow) -> Digest:
    """Return a digest with the person that it goes to."""
    why = f"You get this once a month because you are {person.position}."
    return replace(digest, person_name=person.name, why=why)


def _subject(page: PortfolioPage, month: str) -> str:
    parts = [words.count(len(page.gaps) + page.more_gaps, "gap")]
    if page.silent:
        parts.append(words.count(len(page.silent), "silent source"))
    if page.money.shortfall > 0:
        parts.append(f"{words.money(page.money.shortfall)} short")
    return f"{', '.join(parts)}, {month}"


def _exception(line: GapLine, sender: Sender) -> DigestException:
    return DigestException(
        reference=line.reference,
        title=line.title,
        url=f"{sender.base_url}/benefits/{line.reference}",
        owner=line.owner,
        state=line.shown.value,
        promised=line.money.promised,
        realised=line.money.realised,
        forecast=line.money.still_forecast,
        unproven=line.money.unproven,
        shortfall=line.money.shortfall,
        at_stake=line.money.at_stake,
        sentence=line.evidence if line.kind == "over_claim" else line.sentence,
        reason=line.reason,
        action=line.action,
        who=line.action_owner,
        due=words.long_day(line.due) if line.due else "",
    )


def _late(page: PortfolioPage) -> list[dict[str, Any]]:
    by_person: dict[str, list[str]] = {}
    for source in page.silent:
        seen = f"last seen {source.last_seen}" if source.last_seen else "never seen"
        by_person.setdefault(source.measurer, []).append(f"{source.name}, {seen}")
    return [{"person": person, "items": items} for person, items in by_person.items()]


def recipients(session: Session, *roles: Role) -> list[PersonRow]:
    """Return the active people with one of these roles."""
    return [row for row in people(session).values() if row.active and row.role in roles]
