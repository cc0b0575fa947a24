"""Deliveries: a mail is queued once for its key, taken before it is sent, and noted after.

A process that dies between sending and noting leaves its one mail "sending". Nobody can tell whether that
mail left, so it is never sent again by itself: once the lease has run out it is held as "unknown", and the
office decides. The same mail always has the same Message-ID.
"""

import contextlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlmodel import Session

from rmo.domain.errors import ConflictError, NotFoundError
from rmo.mail.message import MailError, Message, checked_address, domain_of, message_bytes, message_id
from rmo.mail.outbox import Mail, Outbox, Outcome, Result
from rmo.storage import work
from rmo.storage.database import transaction
from rmo.storage.tables import DeliveryRow
from rmo.storage.work import DELIVERIES, Taken, TakenOverError

LEASE: Final = timedelta(minutes=5)  # longer than a server may take for all the steps of one mail
FIRST_PAUSE: Final = timedelta(minutes=2)  # doubled with each attempt
LONGEST_PAUSE: Final = timedelta(hours=1)
GIVEN_UP_AFTER: Final = timedelta(days=3)
CUT_OFF: Final = "The sending was cut off, so nobody can tell whether this mail left."

DUE: Final = DELIVERIES.table.c.not_before <= sa.bindparam("now")
TAKEN: Final = sa.select(DELIVERIES.table).where(DELIVERIES.table.c.id == sa.bindparam("id"))


@dataclass(frozen=True)
class Draft:
    """A mail as it was rendered, before anybody sends it. The key is kind, recipient and period."""

    kind: str
    recipient: str
    period_key: str
    subject: str
    html: str
    text: str
    snapshot: str = "{}"  # JSON: what it was rendered from


@dataclass(frozen=True)
class Sender:
    """Whom the mails come from, and where a person changes which of them come."""

    address: str
    name: str = ""
    settings_url: str = ""


@dataclass(frozen=True)
class _Letter:
    """A delivery that this worker holds, with what is to be sent."""

    taken: Taken
    row: sa.Row[Any]  # as it was queued


def queue(session: Session, draft: Draft, *, sender: str, now: datetime) -> bool:
    """Queue a mail and return True, or False where the person has one of this kind and period already."""
    key = (draft.kind, draft.recipient, draft.period_key)
    values = {
        "kind": draft.kind,
        "recipient": draft.recipient,
        "period_key": draft.period_key,
        "subject": draft.subject,
        "html": draft.html,
        "text": draft.text,
        "snapshot": draft.snapshot,
        "message_id": message_id(*key, now.isoformat(), draft.html, domain=sender),
        "queued_at": now,
        "not_before": now,
    }
    return work.add(session, DELIVERIES, values) is not None


def send_queued(
    engine: Engine, outbox: Outbox, *, sender: Sender, now: datetime, worker: str, lease: timedelta = LEASE
) -> Counter[Result]:
    """Send the mails that wait, each one once, and return how many came to what.

    Noting one mail and taking the next are one short transaction, so that at most one mail a worker is
    ever in flight. A server that is away ends the run: the other mails wait for the next one.
    """
    checked_address(sender.address)  # a wrong setting must not fail the mails
    tally: Counter[Result] = Counter()
    try:
        with transaction(engine) as session:
            work.give_up(session, DELIVERIES, values={"state": "unknown", "error": CUT_OFF})
            letter = _take(session, now, worker, lease)
        while letter is not None:
            outcome = _send(outbox, sender, letter.row, now)
            tally[outcome.result] += 1
            with transaction(engine) as session:
                _note(session, letter, outcome, now)
                letter = None if outcome.server_away else _take(session, now, worker, lease)
    finally:
        outbox.close()
    return tally


def resend(session: Session, delivery: int, *, now: datetime) -> None:
    """Let a mail that failed, or of which nobody knows, be sent again under the same Message-ID."""
    row = session.get(DeliveryRow, delivery, with_for_update=True)
    if row is None:
        raise NotFoundError(f"There is no delivery {delivery}.")
    if row.state not in ("unknown", "failed"):
        raise ConflictError(
            f"The mail to {row.recipient} is {row.state}; only a failed or an unknown one can be sent again."
        )
    row.state, row.not_before, row.queued_at, row.error = "queued", now, now, ""
    session.add(row)


def _take(session: Session, now: datetime, worker: str, lease: timedelta) -> _Letter | None:
    taken = work.take_next(session, DELIVERIES, DUE, given={"now": now}, worker=worker, lease=lease)
    if not taken:
        return None
    return _Letter(taken[0], session.connection().execute(TAKEN, {"id": taken[0].id}).one())


def _send(outbox: Outbox, sender: Sender, row: sa.Row[Any], now: datetime) -> Outcome:
    message = Message(
        sender=sender.address,
        sender_name=sender.name,
        recipient=row.recipient,
        subject=row.subject,
        text=row.text,
        html=row.html,
        message_id=row.message_id,
        list_id=f"{row.kind.replace('_', '-')}.{domain_of(sender.address)}",
        unsubscribe_url=sender.settings_url,
    )
    try:
        content = message_bytes(message, date=now)
        recipient = checked_address(row.recipient)
    except MailError as error:
        return Outcome(Result.FAILED, str(error))
    return outbox.send(Mail(checked_address(sender.address), recipient, row.message_id, content))


def _note(session: Session, letter: _Letter, outcome: Outcome, now: datetime) -> None:
    # Refused when the sending took longer than its lease: the mail is held by now, and stays so.
    with contextlib.suppress(TakenOverError):
        work.finish(session, DELIVERIES, letter.taken, _noted(letter, outcome, now))


def _noted(letter: _Letter, outcome: Outcome, now: datetime) -> dict[str, Any]:
    if outcome.result is Result.SENT:
        return {"state": "sent", "sent_at": now, "error": outcome.note}
    if outcome.result is not Result.RETRY:
        return {"state": outcome.result.value, "error": outcome.note}
    if now - letter.row.queued_at >= GIVEN_UP_AFTER:
        return {"state": "failed", "error": f"{outcome.note} It was tried for three days."}
    return {"state": "queued", "error": outcome.note, "not_before": now + _pause(letter.taken.attempt)}


def _pause(attempt: int) -> timedelta:
    """Return how long to wait before trying again: longer each time."""
    return min(FIRST_PAUSE * (1 << min(attempt - 1, 10)), LONGEST_PAUSE)
