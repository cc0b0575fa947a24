"""The list of open gaps, and the answers to them: a reason, and an action with who and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlmodel import Session, select

from rmo.domain.engine.detection import SURPRISING, believed
from rmo.domain.errors import ConflictError, NotFoundError
from rmo.domain.values import DataState, Problem, Role, Scope
from rmo.drawing import words
from rmo.services.people import SignedIn, people
from rmo.services.portfolio import GapLine, data_to, gap_lines
from rmo.services.snapshot import Snapshot, take_snapshot
from rmo.storage import register
from rmo.storage.audit import count_up, write_audit
from rmo.storage.moments import FOREVER
from rmo.storage.tables import ActionRow, GapRow

LONGEST = 500


@dataclass(frozen=True)
class GapList:
    """What the page of gaps shows."""

    headline: str
    lines: list[GapLine]
    at_stake: int
    unanswered: int
    surprises: str
    data_to: str
    known_at: datetime


@dataclass(frozen=True)
class GapToAnswer:
    """What the form for an answer shows."""

    gap: GapRow
    reference: str
    title: str
    people: list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """Why there is a gap, and who does what about it by when."""

    reason: str
    action: str
    owner: str
    due: date

    @staticmethod
    def from_form(form: Mapping[str, str], *, today: date) -> "tuple[Answer, list[Problem]]":
        """Return an answer as typed, and everything that is wrong with it."""
        reason, action = form.get("reason", "").strip(), form.get("action", "").strip()
        problems = []
        for name, text in (("reason", reason), ("action", action)):
            if not text:
                problems.append(Problem(name, f"Say the {name} in a sentence."))
            elif len(text) > LONGEST:
                problems.append(
                    Problem(name, f"Keep the {name} under {LONGEST} characters; it has {len(text)}.")
                )
        owner = form.get("owner", "")
        if not owner:
            problems.append(Problem("owner", "Choose who acts."))
        due = today
        try:
            due = date.fromisoformat(form.get("due", ""))
        except ValueError:
            problems.append(Problem("due", "Give a day, such as 2026-05-31."))
        else:
            if due < today:
                problems.append(Problem("due", "The day has passed; give one from today on."))
        return Answer(reason, action, owner, due), problems


def gap_list(
    session: Session, *, scope: Scope, now: datetime, today: date, as_of: datetime = FOREVER
) -> GapList:
    """Return every gap that was open at a moment."""
    snapshot = take_snapshot(session, scope=scope, now=now, as_of=as_of)
    lines = gap_lines(snapshot, today=today)
    stake = sum({line.reference: line.money.at_stake for line in lines}.values())
    unanswered = sum(1 for line in lines if not line.action)
    return GapList(
        headline=_headline(lines, stake, unanswered, promised=bool(snapshot.standings)),
        lines=lines,
        at_stake=stake,
        unanswered=unanswered,
        surprises=_surprises(snapshot),
        data_to=data_to(snapshot),
        known_at=snapshot.known_at,
    )


def _headline(lines: list[GapLine], stake: int, unanswered: int, *, promised: bool) -> str:
    if not promised:
        return "No gap is open, because nothing has been promised yet."
    if not lines:
        return "No gap is open: every promise that can be judged is being kept."
    number = words.capital(words.count_word(len(lines)))
    noun = "gap is" if len(lines) == 1 else "gaps are"
    worth = f" with {words.money(stake)} at stake" if stake else ""
    answered = (
        "all have an action" if unanswered == 0 else f"{words.count_word(unanswered)} without an action"
    )
    return f"{number} {noun} open{worth}, {answered}."


def _surprises(snapshot: Snapshot) -> str:
    """Return how many newest readings are surprises, how many would be by chance, and how many are believed."""
    chances = np.array(
        [
            float(s.verdict.surprise)
            for s in snapshot.standings
            if s.verdict is not None and s.verdict.surprise is not None and s.data is DataState.CURRENT
        ]
    )
    if len(chances) == 0:
        return "No newest reading has enough history before it to be a surprise."
    raised, told = int((chances < SURPRISING).sum()), int(believed(chances).sum())
    by_chance = words.figure_value(len(chances) * SURPRISING, 1)
    surprising = {0: "none is a surprise", 1: "one is a surprise"}.get(
        raised, f"{words.count_word(raised)} are surprises"
    )
    return (
        f"Of {words.count(len(chances), 'newest reading')} {surprising}, where {by_chance} would be by chance; "
        f"{words.count_word(told) if told else 'none'} can be believed when at most one in ten may be false."
    )


def gap_to_answer(session: Session, gap_id: int, *, scope: Scope, who: SignedIn) -> GapToAnswer:
    """Return an open gap for its answer, or raise NotFoundError where the person may not answer it."""
    gap = _open_gap(session, gap_id)
    benefit = register.benefit_by_reference(session, gap.benefit, scope=scope)
    if who.role is Role.OWNER and benefit.owner != who.email:
        raise NotFoundError("There is no such gap of yours.")
    acting = [(row.email, row.position) for row in people(session).values() if row.active]
    return GapToAnswer(gap, benefit.reference, benefit.title, acting)


def answer_gap(
    session: Session, gap_id: int, answer: Answer, *, scope: Scope, who: SignedIn, now: datetime
) -> None:
    """Keep a reason and an action for a gap; a form that is sent twice adds nothing."""
    page = gap_to_answer(session, gap_id, scope=scope, who=who)
    if answer.owner not in {email for email, _ in page.people}:
        raise ConflictError("Nobody with that address can act; choose somebody from the list.")
    if page.gap.reason == answer.reason and _has_action(session, gap_id, answer):
        return
    page.gap.reason, page.gap.reason_by, page.gap.reason_at = answer.reason, who.email, now
    action = ActionRow(gap=gap_id, owner=answer.owner, words=answer.action, due=answer.due, created_at=now)
    session.add(action)
    count_up(session)
    after = {"reason": answer.reason, "action": answer.action, "owner": answer.owner, "due": answer.due}
    write_audit(session, now=now, who=who.email, action="answer gap", subject=page.reference, after=after)


def _has_action(session: Session, gap_id: int, answer: Answer) -> bool:
    same = select(ActionRow).where(
        ActionRow.gap == gap_id,
        ActionRow.owner == answer.owner,
        ActionRow.words == answer.action,
        ActionRow.due == answer.due,
    )
    return session.exec(same).first() is not None


def _open_gap(session: Session, gap_id: int) -> GapRow:
    gap = session.get(GapRow, gap_id)
    if gap is None or gap.closed_at is not None:
        raise NotFoundError("This gap is closed, or never was.")
    return gap
