"""Anchor: ready bytes over one SMTP connection, nothing kept."""

import smtplib
import time
from collections.abc import Sequence


def raw_smtp(port: int, mails: Sequence[tuple[str, bytes]]) -> float:
    """Return the seconds that sending the mails took."""
    start = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as connection:
        for recipient, content in mails:
            connection.sendmail("rmo@example.org", [recipient], content)
    return time.perf_counter() - start
