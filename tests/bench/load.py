"""A small load client: two connections that ask again as soon as they are answered."""

import http.client
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

CONNECTIONS, SECONDS, TURNS = 2, 3.0, 3


@dataclass
class Target:
    """An address to ask for. A path with {n} is another one each time."""

    port: int
    pid: int
    path: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    asked: int = 0
    busy: list[float] = field(default_factory=list)

    @property
    def cost(self) -> float:
        """Return milliseconds for one answer: the median turn's."""
        return 1000 / median(self.rates)

    @property
    def work(self) -> float:
        """Return milliseconds of the server's processor for one answer, which other processes hardly change."""
        return 1000 * median(self.busy)


def take_turns(targets: Sequence[Target]) -> None:
    """Load each address for some seconds, all of them in turn, three times."""
    for _ in range(TURNS):
        for target in targets:
            before = _processor_seconds(target.pid)
            rate, answers = _answers_a_second(target)
            target.rates.append(rate)
            target.busy.append((_processor_seconds(target.pid) - before) / answers)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answers_a_second(target: Target) -> tuple[float, int]:
    counts, failures = [0] * CONNECTIONS, list[str]()
    start = time.perf_counter()

    def ask(me: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
        while time.perf_counter() - start < SECONDS and not failures:
            target.asked += 1
            connection.request("GET", target.path.format(n=target.asked), headers=target.headers)
            response = connection.getresponse()
            response.read()
            if response.status != target.status:
                failures.append(f"{target.path} answers {response.status}, not {target.status}.")
            counts[me] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(failures[0])
    return sum(counts) / (time.perf_counter() - start), sum(counts)
