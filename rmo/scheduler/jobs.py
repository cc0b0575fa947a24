"""The jobs. Each may run twice, late, or beside another worker: keys in the database decide what takes effect."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.engine import Engine
from sqlmodel import Session

from rmo.config import Settings
from rmo.connectors import Reach
from rmo.domain.values import Role
from rmo.mail.delivery import Draft, queue
from rmo.mail.outbox import Outbox
from rmo.mail.render import render_digest, render_reminder
from rmo.services import digests
from rmo.services.collection import Held, Pulled, by_hand, pull_all
from rmo.services.digests import EXECUTIVE, Digest, Sender
from rmo.services.evaluation import Changes, evaluate
from rmo.services.reminders import REMINDER, Reminder, reminder
from rmo.storage.database import transaction
from rmo.storage.moments import a_month_before

DIGEST_ROLES = (Role.EXECUTIVE, Role.SPONSOR, Role.ANALYST)


@dataclass(frozen=True)
class Tools:
    """What jobs work with. `held` is called first in every transaction; it raises where the job was taken over."""

    engine: Engine
    settings: Settings
    now: Callable[[], datetime]
    outbox: Outbox
    reach: Reach
    held: Held = by_hand

    @property
    def sender(self) -> Sender:
        """Return what a mail says about where it comes from."""
        s = self.settings
        return Sender(s.organisation, s.base_url.rstrip("/"), s.zone, s.mail_from)


@dataclass(frozen=True)
class Job:
    """When a job is due, on the clock of the organisation's zone, and what names its period."""

    run: Callable[[Tools, str], object]
    cron: str
    key: str  # strftime of the local moment

    def period_key(self, local: datetime) -> str:
        """Return the local period of a moment."""
        return local.strftime(self.key)


def pull(tools: Tools, _period_key: str = "") -> list[Pulled]:
    """Pull every source. The same value again writes nothing, so a second run does no harm."""
    today = tools.now().astimezone(tools.settings.tz).date()
    return pull_all(tools.engine, tools.reach, clock=tools.now, today=today, held=tools.held)


def judge(tools: Tools, _period_key: str = "") -> Changes:
    """Evaluate the whole portfolio; what did not change is not written again."""
    now = tools.now()
    with transaction(tools.engine) as session:
        tools.held(session)
        return evaluate(session, now=now, today=now.astimezone(tools.settings.tz).date())


def remind(tools: Tools, period_key: str) -> int:
    """Queue a mail to everybody who owes a reading, once a day."""
    today = tools.now().astimezone(tools.settings.tz).date()
    queued = 0
    with transaction(tools.engine) as session:
        tools.held(session)
        for person in digests.recipients(session, Role.MEASURER):
            owed = reminder(session, person, sender=tools.sender, today=today)
            if owed is not None:
                queued += _queue(
                    tools, session, owed, kind=REMINDER, recipient=person.email, period_key=period_key
                )
    return queued


def digest(tools: Tools, period_key: str) -> int:
    """Queue the CEO's office's digest, once for each person and month."""
    now = tools.now()
    today = now.astimezone(tools.settings.tz).date()
    queued = 0
    with transaction(tools.engine) as session:
        tools.held(session)
        told = digests.executive_digest(
            session,
            sender=tools.sender,
            now=now,
            today=today,
            before=a_month_before(now, tools.settings.tz),
        )
        if told is None:
            return 0
        for person in digests.recipients(session, *DIGEST_ROLES):
            own = digests.addressed(told, person)
            queued += _queue(
                tools, session, own, kind=EXECUTIVE, recipient=person.email, period_key=period_key
            )
    return queued


def _queue(
    tools: Tools,
    session: Session,
    told: Digest | Reminder,
    *,
    kind: str,
    recipient: str,
    period_key: str,
) -> bool:
    """Put a mail into the outbox once for its kind, person and period; return whether it was new."""
    snapshot = asdict(told)
    rendered = render_reminder(snapshot) if kind == REMINDER else render_digest(snapshot)
    draft = Draft(kind, recipient, period_key, *rendered, snapshot=json.dumps(snapshot))
    return queue(session, draft, sender=tools.settings.mail_from, now=tools.now())


JOBS: Final = {
    "pull": Job(pull, "0 5 * * *", "%Y-%m-%d"),
    "evaluate": Job(judge, "30 5 * * *", "%Y-%m-%d"),
    "remind": Job(remind, "0 7 * * mon-fri", "%Y-%m-%d"),
    "digest": Job(digest, "30 7 10 * *", "%Y-%m"),
}
