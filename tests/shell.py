"""The rmo command as a person runs it, in a process of its own and a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import ROOT


def environment(**settings: str) -> dict[str, str]:
    """Return an environment with no setting of rmo but those that are given, each by its name without RMO_."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RMO_")}
    return kept | {"PYTHONPATH": str(ROOT)} | {f"RMO_{name}": value for name, value in settings.items()}


def rmo(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "rmo", *arguments],
        cwd=folder,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@contextmanager
def rmo_running(*arguments: str, folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command, and kill it at the end as a power cut would."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "rmo", *arguments],
        cwd=folder,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
