"""A real SMTP server that a test can make refuse, fall silent, or drop the line."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

Answer = Callable[[str], str]  # from a recipient to what the server says
DROP, SILENCE = "drop the line", "say nothing"


class Server:
    """Takes mails and keeps them. What it says after RCPT and after the content can be set."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.connections = 0
        self.after_sender: Answer = lambda _: "250 OK"
        self.after_recipient: Answer = lambda _: "250 OK"
        self.after_content: Answer = lambda _: "250 Taken"
        self.most_mails = 10**6  # over one connection
        self.port = 0

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any
    ) -> Any:
        self.connections += 1
        session.host_name = hostname
        session.mails = 0
        return responses

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: Any
    ) -> str:
        if session.mails == self.most_mails:
            return self._say("421 Too many mails over this line", server)
        envelope.mail_from = address
        return self._say(self.after_sender(address), server)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: Any
    ) -> str:
        answer = self.after_recipient(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self._say(answer, server)

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        session.mails += 1
        answer = self.after_content(envelope.rcpt_tos[0])
        if answer[0] == "2" or answer in (DROP, SILENCE):
            self.taken.append(envelope)
        if answer == SILENCE:
            await asyncio.Event().wait()
        return self._say(answer, server)

    def _say(self, answer: str, server: Any) -> str:
        if answer == DROP:
            server.transport.abort()
        return answer


class _AnyPort(Controller):
    """Listens on a port that the machine chooses."""

    server: Any

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def serving(server: Server, **options: Any) -> Iterator[Server]:
    """Run a server on a free port of this machine."""
    controller = _AnyPort(server, hostname="127.0.0.1", port=0, **options)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


def only(user: str, password: str) -> Callable[..., AuthResult]:
    """Return an authenticator that lets in one user."""
    wanted = LoginPassword(user.encode(), password.encode())
    return lambda server, session, envelope, mechanism, data: AuthResult(
        success=data == wanted, handled=False
    )
