"""A mail server that takes everything and keeps nothing, in a process of its own; it prints its port."""

import sys
from typing import Any

from tests.mail.servers import Server, serving


class Sink(Server):
    """Takes a mail and forgets it."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Say that it was taken."""
        return "250 OK"


with serving(Sink()) as sink:
    print(sink.port, flush=True)
    sys.stdin.readline()
