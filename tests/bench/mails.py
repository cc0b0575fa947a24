"""Digests, crash-safe, into a server on this machine, against ready bytes over one connection."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from sqlalchemy.engine import Engine

from rmo.mail.delivery import Draft, Sender, queue, send_queued
from rmo.mail.message import Message, message_bytes, message_id
from rmo.mail.outbox import Result, SmtpOutbox
from rmo.storage.database import open_engine, transaction
from rmo.storage.migrate import migrate
from tests.bench.anchors.raw_smtp import raw_smtp
from tests.bench.table import Row

MAILS, TURNS = 300, 3
NOW = datetime(2026, 4, 14, 7, tzinfo=UTC)
SENDER = Sender("rmo@example.org", "Northshire Health")
TEXT = "DEM-0001 Shorter stays on medical wards: 6.4 days where 6.0 was promised, March 2026.\n" * 12
HTML = f"<html><body><p>{TEXT}</p></body></html>"


def rows() -> Iterator[Row]:
    """Measure so many mails, the two ways in turn."""
    with tempfile.TemporaryDirectory() as folder, _sink() as port:
        engine = open_engine(f"sqlite:///{Path(folder) / 'mails.db'}")
        migrate(engine)
        raw, ours = [], []
        for turn in range(TURNS):
            raw.append(raw_smtp(port, _ready(turn)))
            ours.append(_kept(engine, port, turn))
        engine.dispose()
    yield Row(
        f"{MAILS} digests, each sent once across crashes", median(ours), "s", 2, median(raw), "raw SMTP"
    )


def _recipients() -> list[str]:
    return [f"person{i}@example.org" for i in range(MAILS)]


def _ready(turn: int) -> list[tuple[str, bytes]]:
    return [(to, message_bytes(_message(to, turn), date=NOW)) for to in _recipients()]


def _message(to: str, turn: int) -> Message:
    return Message(
        sender=SENDER.address,
        sender_name=SENDER.name,
        recipient=to,
        subject="2 gaps, £1.2m at risk",
        text=TEXT,
        html=HTML,
        message_id=message_id("digest", to, f"raw {turn}", domain=SENDER.address),
    )


def _kept(engine: Engine, port: int, turn: int) -> float:
    with transaction(engine) as session:
        for to in _recipients():
            draft = Draft("digest", to, f"turn {turn}", "2 gaps, £1.2m at risk", HTML, TEXT)
            queue(session, draft, sender=SENDER.address, now=NOW)
    start = time.perf_counter()
    outbox = SmtpOutbox("127.0.0.1", port, tls=False)
    sent = send_queued(engine, outbox, sender=SENDER, now=NOW, worker="bench")
    seconds = time.perf_counter() - start
    assert sent[Result.SENT] == MAILS
    return seconds


@contextmanager
def _sink() -> Iterator[int]:
    """Run the mail server in a process of its own and give its port."""
    command = [sys.executable, "-m", "tests.bench.anchors.sink"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate("\n")
