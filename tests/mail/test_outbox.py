"""What an outbox says about a mail is what happened to it."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from rmo.config import read_settings
from rmo.mail.outbox import FolderOutbox, Mail, Outcome, Result, SmtpOutbox, outbox_from
from tests.mail.servers import DROP, SILENCE, Server, only, serving

MAIL = Mail("rmo@example.org", "ceo@example.org", "<1@example.org>", b"Subject: one\r\n\r\n.\r\n..two\r\n")


@pytest.fixture
def server():
    with serving(Server()) as server:
        yield server


@pytest.fixture
def outbox(server):
    outbox = SmtpOutbox("127.0.0.1", server.port, tls=False, timeout=0.5)
    yield outbox
    outbox.close()


def to(name: str) -> Mail:
    return replace(MAIL, recipient=f"{name}@example.org")


def always(answer: str):
    return lambda _: answer


def test_a_mail_arrives_byte_for_byte(server, outbox):
    assert outbox.send(MAIL) == Outcome(Result.SENT)

    (taken,) = server.taken
    assert (taken.mail_from, taken.rcpt_tos) == ("rmo@example.org", ["ceo@example.org"])
    assert taken.content == MAIL.content


def test_many_mails_go_over_one_connection(server, outbox):
    assert {outbox.send(to(f"p{number}")).result for number in range(5)} == {Result.SENT}

    assert (len(server.taken), server.connections) == (5, 1)


@pytest.mark.parametrize("step", ["after_recipient", "after_content"])
@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("450 Mailbox busy", Result.RETRY),
        ("452 Too many recipients", Result.RETRY),
        ("550 No such person", Result.FAILED),
        ("554 Refused", Result.FAILED),
    ],
)
def test_a_refusal_says_whether_to_try_again(server, outbox, step, answer, result):
    setattr(server, step, always(answer))

    outcome = outbox.send(MAIL)

    assert (outcome.result, outcome.server_away) == (result, False)
    assert answer in outcome.note
    assert server.taken == []


def test_one_bad_address_does_not_keep_the_next_mail(server, outbox):
    server.after_recipient = lambda recipient: "550 No such person" if "bad" in recipient else "250 OK"

    results = [outbox.send(to(name)).result for name in ("good", "bad", "other")]

    assert results == [Result.SENT, Result.FAILED, Result.SENT]
    assert server.connections == 1


@pytest.mark.parametrize("answer", [DROP, SILENCE, "xxx"])
def test_without_a_clear_answer_after_the_content_the_outcome_is_unknown(server, outbox, answer):
    server.after_content = always(answer)

    outcome = outbox.send(MAIL)

    assert outcome.result is Result.UNKNOWN
    assert outcome.note


def test_the_next_mail_goes_over_a_new_line_after_one_was_lost(server, outbox):
    server.after_content = lambda recipient: DROP if "lost" in recipient else "250 Taken"

    assert [outbox.send(to(name)).result for name in ("lost", "next")] == [Result.UNKNOWN, Result.SENT]


@pytest.mark.parametrize("step", ["after_sender", "after_recipient"])
def test_a_line_that_is_lost_before_the_content_leaves_the_mail_unsent(server, outbox, step):
    setattr(server, step, always(DROP))

    outcome = outbox.send(MAIL)

    assert (outcome.result, outcome.server_away) == (Result.RETRY, True)
    assert server.taken == []


def test_a_server_that_ends_the_line_after_some_mails_is_called_again(server, outbox):
    server.most_mails = 2

    assert {outbox.send(to(f"p{number}")).result for number in range(5)} == {Result.SENT}
    assert (len(server.taken), server.connections) == (5, 3)


def test_a_server_that_is_not_there_is_not_the_mails_fault():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        outcome = SmtpOutbox("127.0.0.1", taken.getsockname()[1], tls=False).send(MAIL)

    assert (outcome.result, outcome.server_away) == (Result.RETRY, True)
    assert "refused" in outcome.note


def test_a_sender_that_the_server_refuses_is_not_the_mails_fault(server, outbox):
    server.after_sender = always("553 Not from here")

    outcome = outbox.send(MAIL)

    assert (outcome.result, outcome.server_away) == (Result.RETRY, True)
    assert "553 Not from here" in outcome.note


def test_a_server_without_tls_gets_neither_password_nor_mail(server):
    outbox = SmtpOutbox("127.0.0.1", server.port, user="rmo", password="secret")

    outcome = outbox.send(MAIL)

    assert (outcome.result, outcome.server_away) == (Result.RETRY, True)
    assert "STARTTLS" in outcome.note
    assert server.taken == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("password", "result"), [("right", Result.SENT), ("wrong", Result.RETRY)])
def test_the_server_asks_who_we_are(password, result):
    options = {"authenticator": only("rmo", "right"), "auth_required": True, "auth_require_tls": False}
    with serving(Server(), **options) as server:
        outbox = SmtpOutbox("127.0.0.1", server.port, user="rmo", password=password, tls=False)
        outcome = outbox.send(MAIL)
        outbox.close()

    assert outcome.result is result
    assert ("refuses the user name or the password" in outcome.note) == (password == "wrong")
    assert "right" not in outcome.note


def test_a_folder_keeps_a_mail_whole(tmp_path: Path):
    assert FolderOutbox(tmp_path / "new" / "mail").send(MAIL) == Outcome(Result.SENT)

    (file,) = (tmp_path / "new" / "mail").iterdir()
    assert file.name == "1@example.org.eml"
    assert file.read_bytes() == MAIL.content


def test_a_folder_never_takes_the_same_mail_twice(tmp_path: Path):
    outbox = FolderOutbox(tmp_path)
    outbox.send(MAIL)

    outcome = outbox.send(replace(MAIL, content=b"another"))

    assert outcome == Outcome(Result.SENT, "It was in the folder already.")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [MAIL.content]


def test_half_a_mail_that_a_killed_process_left_is_no_mail(tmp_path: Path):
    (tmp_path / ".1@example.org.part").write_bytes(b"half")

    assert FolderOutbox(tmp_path).send(MAIL).result is Result.SENT
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [
        ("1@example.org.eml", MAIL.content)
    ]


def test_an_identifier_cannot_name_a_file_elsewhere(tmp_path: Path):
    FolderOutbox(tmp_path / "mail").send(replace(MAIL, message_id="<../../evil/x@example.org>"))

    assert [file.name for file in (tmp_path / "mail").iterdir()] == [".._.._evil_x@example.org.eml"]


def test_a_folder_that_cannot_be_written_keeps_the_mail_waiting(tmp_path: Path):
    (tmp_path / "mail").write_text("a file")

    outcome = FolderOutbox(tmp_path / "mail").send(MAIL)

    assert (outcome.result, outcome.server_away) == (Result.RETRY, True)
    assert str(tmp_path / "mail") in outcome.note


def test_the_settings_choose_the_way_out(tmp_path: Path):
    assert isinstance(outbox_from(read_settings(mail_folder=tmp_path)), FolderOutbox)
    assert isinstance(outbox_from(read_settings(smtp_host="mail.example.org")), SmtpOutbox)
