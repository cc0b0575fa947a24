"""Real processes: how long they take to start, and what they hold in memory when idle."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.site import answers, free_port, running
from tests.bench.table import Row

RUNS = 5
IDLE = 7.0  # seconds, so that the clock has planned and worked once
IMPORTS = ("rmo.cli", "rmo.web", "rmo.scheduler", "rmo.demo")
WEIGH = """
import sys, time
start = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - start)
"""


def rows() -> Iterator[Row]:
    """Measure the shell's answer, the idle server, and what imports cost."""
    yield Row("rmo --version", _seconds("-m", "rmo", "--version"), "s", 0.2)
    yield Row("rmo run, idle: resident memory", _idle_memory(), "MiB", 150)
    for name in IMPORTS:
        yield Row(f"import {name}", _import_seconds(name), "s")


def _seconds(*arguments: str) -> float:
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - start)
    return min(taken)


def _import_seconds(name: str) -> float:
    command = [sys.executable, "-c", WEIGH, name]
    runs = (subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(RUNS))
    return min(float(run.stdout) for run in runs)


def _idle_memory() -> float:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        with running("-m", "rmo", "run", "--port", str(port), folder=folder) as process:
            answers(port, "/sign-in", process)
            time.sleep(IDLE)
            return resident(process.pid)


def resident(pid: int) -> float:
    """Return the memory that a process holds, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
