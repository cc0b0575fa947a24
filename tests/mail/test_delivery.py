"""Each mail goes out once, and none is lost without a state that says so."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from rmo.domain.errors import ConflictError, NotFoundError
from rmo.mail.delivery import CUT_OFF, Draft, Sender, queue, resend, send_queued
from rmo.mail.message import MailError
from rmo.mail.outbox import FolderOutbox, Mail, Outcome, Result, SmtpOutbox
from rmo.storage.database import reading, transaction
from rmo.storage.tables import DeliveryRow
from tests.mail.sending import WatchedFolder
from tests.mail.servers import DROP, Server, serving
from tests.processes import Process

NOW = datetime(2026, 4, 14, 7, tzinfo=UTC)
SENDER = Sender("rmo@example.org", "Northshire Health")
SENT = Outcome(Result.SENT)
LATER = Outcome(Result.RETRY, "450 Mailbox busy")
NEVER = Outcome(Result.FAILED, "550 No such person")
NOBODY_KNOWS = Outcome(Result.UNKNOWN, "The line was lost.")
AWAY = Outcome(Result.RETRY, "The server is away.", server_away=True)


class Scripted:
    """An outbox that says what a test wants, and keeps what it was given."""

    def __init__(self, says: Callable[[Mail], Outcome] = lambda _: SENT) -> None:
        self.mails: list[Mail] = []
        self._says = says

    def send(self, mail: Mail) -> Outcome:
        self.mails.append(mail)
        return self._says(mail)

    def close(self) -> None:
        """Hold nothing open."""


def draft(name: str = "ceo", period: str = "2026-03") -> Draft:
    return Draft("digest", f"{name}@example.org", period, f"2 gaps, {period}", "<p>2 gaps</p>", "2 gaps")


def add_mails(engine: Engine, *names: str) -> None:
    with transaction(engine) as session:
        for name in names:
            assert queue(session, draft(name), sender="rmo@example.org", now=NOW)


def send(engine: Engine, outbox, *, at: datetime = NOW, worker: str = "one") -> Counter[Result]:
    return send_queued(engine, outbox, sender=SENDER, now=at, worker=worker)


def rows(engine: Engine) -> list[DeliveryRow]:
    with reading(engine) as session:
        found = list(session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))))
        session.expunge_all()
        return found


def die(_: Mail) -> Outcome:
    raise SystemExit


def states(engine: Engine) -> list[str]:
    return [row.state for row in rows(engine)]


def test_a_mail_is_queued_once_for_its_key(engine: Engine):
    with transaction(engine) as session:
        answers = [
            queue(session, mail, sender="rmo@example.org", now=NOW)
            for mail in (draft(), draft(), draft(period="2026-04"), draft("cfo"))
        ]

    assert answers == [True, False, True, True]
    assert len({row.message_id for row in rows(engine)}) == 3


def test_a_mail_is_sent_once_and_noted(engine: Engine, tmp_path: Path):
    add_mails(engine, "ceo")

    assert send(engine, FolderOutbox(tmp_path / "mail")) == {Result.SENT: 1}
    assert send(engine, FolderOutbox(tmp_path / "mail")) == {}

    (file,) = (tmp_path / "mail").iterdir()
    mail = message_from_bytes(file.read_bytes())
    (row,) = rows(engine)
    assert (row.state, row.sent_at, row.attempt) == ("sent", NOW, 1)
    assert (mail["Message-ID"], mail["To"]) == (row.message_id, "ceo@example.org")
    assert mail["List-Id"] == "<digest.example.org>"


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        pytest.param(LATER, "queued", id="refused for now"),
        pytest.param(NEVER, "failed", id="refused for ever"),
        pytest.param(NOBODY_KNOWS, "unknown", id="nobody knows"),
    ],
)
def test_the_state_says_what_came_of_a_mail_and_why(engine: Engine, outcome, state):
    add_mails(engine, "ceo", "cfo")

    send(engine, Scripted(lambda mail: outcome if "ceo" in mail.recipient else SENT))

    first, second = rows(engine)
    assert (first.state, first.error, first.sent_at) == (state, outcome.note, None)
    assert second.state == "sent"


def test_a_mail_refused_for_now_waits_longer_each_time(sqlite_engine: Engine):
    add_mails(sqlite_engine, "ceo")
    outbox, at, pauses = Scripted(lambda _: LATER), NOW, []

    for _ in range(7):
        assert send(sqlite_engine, outbox, at=at) == {Result.RETRY: 1}
        assert send(sqlite_engine, outbox, at=at) == {}
        (row,) = rows(sqlite_engine)
        pauses.append((row.not_before - at) / timedelta(minutes=1))
        at = row.not_before

    assert pauses == [2, 4, 8, 16, 32, 60, 60]


def test_a_mail_refused_for_three_days_has_failed_visibly(sqlite_engine: Engine):
    add_mails(sqlite_engine, "ceo")

    send(sqlite_engine, Scripted(lambda _: LATER), at=NOW + timedelta(days=3))

    (row,) = rows(sqlite_engine)
    assert row.state == "failed"
    assert "450 Mailbox busy" in row.error


def test_a_server_that_is_away_is_asked_once_a_run_and_no_mail_is_lost(engine: Engine):
    add_mails(engine, "ceo", "cfo", "coo")
    away = Scripted(lambda _: AWAY)

    assert send(engine, away) == {Result.RETRY: 1}
    assert states(engine) == ["queued"] * 3
    assert send(engine, Scripted(), at=NOW + timedelta(hours=6)) == {Result.SENT: 3}


def test_an_address_that_is_none_fails_alone(engine: Engine):
    add_mails(engine, "ceo\r\nBcc: evil", "cfo")
    outbox = Scripted()

    assert send(engine, outbox) == {Result.FAILED: 1, Result.SENT: 1}
    assert [mail.recipient for mail in outbox.mails] == ["cfo@example.org"]
    assert "is not a mail address" in rows(engine)[0].error


def test_a_sender_that_is_none_fails_no_mail(sqlite_engine: Engine):
    add_mails(sqlite_engine, "ceo")

    with pytest.raises(MailError):
        send_queued(sqlite_engine, Scripted(), sender=Sender("nobody"), now=NOW, worker="one")

    assert states(sqlite_engine) == ["queued"]


def test_a_mail_whose_sender_died_is_held_and_not_sent_again(engine: Engine):
    add_mails(engine, "ceo", "cfo")
    with pytest.raises(SystemExit):
        send(engine, Scripted(die))  # as good as a kill: nothing is noted
    assert states(engine) == ["sending", "queued"]
    end_leases(engine)

    outbox = Scripted()
    assert send(engine, outbox) == {Result.SENT: 1}

    assert [mail.recipient for mail in outbox.mails] == ["cfo@example.org"]
    assert [(row.state, row.error) for row in rows(engine)] == [("unknown", CUT_OFF), ("sent", "")]


def test_a_sending_that_outlives_its_lease_stays_held(engine: Engine):
    add_mails(engine, "ceo")

    def slow(_: Mail) -> Outcome:
        end_leases(engine)
        send(engine, Scripted(), worker="two")
        return SENT

    send(engine, Scripted(slow))

    assert states(engine) == ["unknown"]


def test_the_office_sends_a_held_mail_again_under_the_same_identifier(engine: Engine):
    add_mails(engine, "ceo")
    first, again = Scripted(lambda _: NOBODY_KNOWS), Scripted()
    send(engine, first)
    (held,) = rows(engine)

    with transaction(engine) as session:
        resend(session, held.id or 0, now=NOW + timedelta(days=5))
    send(engine, again, at=NOW + timedelta(days=5))

    (row,) = rows(engine)
    assert (row.state, row.attempt, row.error) == ("sent", 2, "")
    assert [mail.message_id for mail in first.mails] == [mail.message_id for mail in again.mails]


def test_a_mail_that_was_sent_or_never_was_is_not_sent_again(engine: Engine):
    add_mails(engine, "ceo")
    send(engine, Scripted())
    (row,) = rows(engine)

    with pytest.raises(ConflictError), transaction(engine) as session:
        resend(session, row.id or 0, now=NOW)
    with pytest.raises(NotFoundError), transaction(engine) as session:
        resend(session, 999, now=NOW)


def test_four_workers_at_once_send_each_mail_once(engine: Engine):
    add_mails(engine, *(f"p{number}" for number in range(40)))
    outbox, together = Scripted(), threading.Barrier(4)

    def work(name: str) -> Counter[Result]:
        together.wait()
        return send(engine, outbox, worker=name)

    with ThreadPoolExecutor(4) as pool:
        tallies = list(pool.map(work, "abcd"))

    assert sum(tallies, Counter()) == {Result.SENT: 40}
    assert len({mail.message_id for mail in outbox.mails}) == len(outbox.mails) == 40


def test_a_line_lost_after_the_content_is_held_and_the_others_arrive(engine: Engine):
    add_mails(engine, "ceo", "lost", "busy", "gone", "cfo")
    with serving(Server()) as server:
        server.after_content = lambda recipient: DROP if "lost" in recipient else "250 Taken"
        server.after_recipient = lambda recipient: {
            "busy@example.org": "450 Mailbox busy",
            "gone@example.org": "550 No such person",
        }.get(recipient, "250 OK")
        send(engine, SmtpOutbox("127.0.0.1", server.port, tls=False))

    assert states(engine) == ["sent", "unknown", "queued", "failed", "sent"]
    assert [envelope.rcpt_tos[0].split("@")[0] for envelope in server.taken] == ["ceo", "lost", "cfo"]


def test_processes_killed_at_random_moments_send_no_mail_twice_and_lose_none(
    engine: Engine, database_url: str, tmp_path: Path
):
    chance, kills, mails = random.Random(20260414), 6, 60
    add_mails(engine, *(f"p{number}" for number in range(mails)))
    folder = tmp_path / "mail"
    folder.mkdir()

    for _ in range(kills // 2):
        kill_two_senders(database_url, folder, chance)
    end_leases(engine)
    send(engine, WatchedFolder(folder))

    ended = rows(engine)
    sendings = Counter((folder / "sendings").read_text().split())
    files = {file.name for file in folder.glob("*.eml")}
    held = [row for row in ended if row.state == "unknown"]
    sent = [row for row in ended if row.state == "sent"]
    assert len(sent) + len(held) == mails
    assert len(held) <= kills
    assert max(sendings.values()) == 1
    assert {file_name(row) for row in sent} <= files <= {file_name(row) for row in ended}


def kill_two_senders(url: str, folder: Path, chance: random.Random) -> None:
    """Let two processes send at once, and kill each after it has told of some steps."""
    with (
        Process("tests.mail.sending", url, str(folder), "one") as one,
        Process("tests.mail.sending", url, str(folder), "two") as two,
    ):
        for process in (one, two):
            assert process.hear() == "ready"
        for process in (one, two):
            process.tell("go")
        for process in (one, two):
            for _ in range(chance.randint(1, 8)):
                process.hear()
            process.kill()


def file_name(row: DeliveryRow) -> str:
    return f"{row.message_id.strip('<>')}.eml"


def end_leases(engine: Engine) -> None:
    """Let the time of all leases pass."""
    with transaction(engine) as session:
        session.execute(update(DeliveryRow).values(lease_until=NOW - timedelta(days=365)))
