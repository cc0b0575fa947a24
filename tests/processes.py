"""Real processes for tests that kill and freeze them. They talk in lines, so that no test needs to sleep."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parent.parent
Seen = TypeVar("Seen")


class Process:
    """A module of the tests, run as a process of its own."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def tell(self, line: str) -> None:
        """Write a line to the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """Wait for the next line of the process; empty when it is gone."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process as a power cut would, without a chance to tidy up."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def wait(self) -> int:
        """Wait until the process ends by itself, and return its exit code."""
        return self._process.wait(timeout=60)


def until(look: Callable[[], Seen | None], *, within: float = 20.0) -> Seen:
    """Look again and again until something is seen, and return it; fail when the time is up."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if seen := look():
            return seen
    raise AssertionError(f"Not seen within {within:g} s.")
