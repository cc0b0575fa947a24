"""A sender of mails in a process of its own, for the test that kills it. Run as: sending <url> <folder> <name>."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from rmo.mail.delivery import Sender, send_queued
from rmo.mail.outbox import FolderOutbox, Mail, Outcome
from rmo.storage.database import open_engine

NOW = datetime(2026, 4, 14, 7, tzinfo=UTC)
SENDER = Sender("rmo@example.org", "Northshire Health")


class WatchedFolder(FolderOutbox):
    """A folder that also notes each sending, since it would hide a second one of the same mail."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._sendings = folder / "sendings"

    def send(self, mail: Mail) -> Outcome:
        """Note a sending, tell of it, and send."""
        with self._sendings.open("a") as file:
            file.write(f"{mail.message_id}\n")
        print("sending", flush=True)
        outcome = super().send(mail)
        print("sent", flush=True)
        return outcome


if __name__ == "__main__":
    url, folder, name = sys.argv[1:]
    engine = open_engine(url)
    print("ready", flush=True)
    sys.stdin.readline()
    send_queued(engine, WatchedFolder(Path(folder)), sender=SENDER, now=NOW, worker=name)
