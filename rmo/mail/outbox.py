"""The way out for a mail: an SMTP server, or a folder of .eml files where none is set."""

import contextlib
import os
import re
import smtplib
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from rmo.config import Settings

TIMEOUT: Final = 15.0  # seconds that a server may take for one answer
TLS_FROM_THE_START: Final = 465  # the port at which TLS is not asked for
DONE, ACCEPTED, GO_AHEAD, CLOSING = 250, {250, 251, 252}, 354, 421
LONGEST_NOTE: Final = 300
# smtplib's errors are OSErrors; a host or a password may hold what cannot be written on a line.
UNUSABLE: Final = (OSError, ValueError)


class Result(StrEnum):
    """What is known about a mail after it was sent."""

    SENT = "sent"
    RETRY = "retry"  # it did not leave, and may later
    FAILED = "failed"  # it did not leave, and never will
    UNKNOWN = "unknown"  # nobody can tell whether it left


@dataclass(frozen=True)
class Outcome:
    """What came of sending a mail, and in which words."""

    result: Result
    note: str = ""
    server_away: bool = False  # it is not this mail's fault: others need not be tried now


@dataclass(frozen=True)
class Mail:
    """A mail ready to go: its envelope, its identifier, and its bytes."""

    sender: str
    recipient: str
    message_id: str
    content: bytes


class Outbox(Protocol):
    """Sends mails, one at a time. It never raises for what a server, a line or a disk does."""

    def send(self, mail: Mail) -> Outcome:
        """Send one mail and tell what came of it."""

    def close(self) -> None:
        """Let go of the server, if there is one."""


def outbox_from(settings: Settings) -> Outbox:
    """Return the outbox of an installation: its mail server, else its folder."""
    if not settings.smtp_host:
        return FolderOutbox(settings.mail_folder)
    return SmtpOutbox(
        settings.smtp_host,
        settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        tls=settings.smtp_tls,
    )


class FolderOutbox:
    """Writes each mail into a file named after its identifier; one that is there already is not written again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, mail: Mail) -> Outcome:
        """Write one mail, whole or not at all."""
        name = re.sub(r"[^A-Za-z0-9@.-]", "_", mail.message_id.strip("<>"))
        path, part = self._folder / f"{name}.eml", self._folder / f".{name}.part"
        if path.exists():
            return Outcome(Result.SENT, "It was in the folder already.")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(mail.content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            note = f"The folder {self._folder} cannot be written: {error.strerror}."
            return Outcome(Result.RETRY, note, server_away=True)
        return Outcome(Result.SENT)

    def close(self) -> None:
        """Do nothing: a folder is not held open."""


class SmtpOutbox:
    """Sends mails over one connection to a server, opened with the first of them.

    Until the server asks for a mail's content, whatever goes wrong leaves it unsent. From then on it may
    have been taken: only a clear answer tells, and without one the outcome is unknown.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str = "",
        password: str = "",
        tls: bool = True,
        timeout: float = TIMEOUT,
    ) -> None:
        self._host, self._port, self._tls, self._timeout = host, port, tls, timeout
        self._user, self._password = user, password
        self._connection: smtplib.SMTP | None = None

    def send(self, mail: Mail) -> Outcome:
        """Send one mail and tell what came of it."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                return self._send_over(self._connection, mail)
            self._drop()  # servers end a connection after some time or some mails: once more over a new one
        try:
            self._connection = self._connect()
            return self._send_over(self._connection, mail)
        except UNUSABLE as error:
            self._drop()
            note = f"The mail server {self._host}:{self._port} cannot be used: {_reason(error)}."
            return Outcome(Result.RETRY, note, server_away=True)

    def close(self) -> None:
        """End the connection, politely if the server still listens."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.quit()
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        connection: smtplib.SMTP
        if self._tls and self._port == TLS_FROM_THE_START:
            connection = smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
        else:
            connection = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        with contextlib.ExitStack() as on_error:
            on_error.callback(connection.close)
            if self._tls and self._port != TLS_FROM_THE_START:
                connection.starttls(context=context)
            connection.ehlo_or_helo_if_needed()
            if self._user:
                connection.login(self._user, self._password)
            on_error.pop_all()
        return connection

    def _send_over(self, connection: smtplib.SMTP, mail: Mail) -> Outcome:
        """Send over an open connection; raise only while the mail has surely not been taken."""
        code, reply = connection.docmd(f"mail FROM:<{mail.sender}>")
        if code != DONE:  # the server is not for us: no other mail will fare better
            raise smtplib.SMTPSenderRefused(code, reply, mail.sender)
        for command, wanted in ((f"rcpt TO:<{mail.recipient}>", ACCEPTED), ("data", {GO_AHEAD})):
            code, reply = connection.docmd(command)
            if code == CLOSING:
                raise smtplib.SMTPServerDisconnected(_text(reply))
            if code not in wanted:
                connection.rset()
                return _refused(code, reply)
        return self._send_content(connection, mail.content)

    def _send_content(self, connection: smtplib.SMTP, content: bytes) -> Outcome:
        try:
            connection.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
            code, reply = connection.getreply()
        except OSError as error:
            self._drop()
            note = f"The line was lost before the server said that it had the mail: {_reason(error)}."
            return Outcome(Result.UNKNOWN, note)
        if code == DONE:
            return Outcome(Result.SENT)
        if not 400 <= code < 600:
            return Outcome(Result.UNKNOWN, f"The server's answer makes no sense: {code} {_text(reply)}")
        return _refused(code, reply)


def _refused(code: int, reply: bytes) -> Outcome:
    """Return what a server's refusal of one mail means: 5 is for ever, all else for now."""
    result = Result.FAILED if 500 <= code < 600 else Result.RETRY
    return Outcome(result, f"The server refused the mail: {code} {_text(reply)}")


def _text(reply: bytes) -> str:
    return " ".join(reply.decode("utf-8", "replace").split())[:LONGEST_NOTE]


def _reason(error: Exception) -> str:
    """Return in a few words what went wrong on the way to a server."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
        answer = f"{error.smtp_code} {_text(said)}"
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return f"it refuses the user name or the password ({answer})"
        return f"it answers {answer}"
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(words.split()).rstrip(".")[:LONGEST_NOTE]
