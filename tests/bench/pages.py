"""The demo as a real process: from the command to a page, and pages against a bare Flask answer."""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from rmo.demo.clock import START, a_month_on
from rmo.services.evaluation import evaluate
from rmo.storage.database import open_engine, transaction
from tests.bench.load import Target, take_turns
from tests.bench.processes import resident
from tests.bench.site import answers, free_port, get, link_for, running, sign_in
from tests.bench.table import Row

HELLO = Path(__file__).parent / "anchors" / "hello.py"
READER = "Chief executive"
BENEFIT = "/benefits/DEM-0001"


def rows() -> Iterator[Row]:
    """Measure the demo from its first start to its evaluation."""
    with tempfile.TemporaryDirectory(prefix="rmo-bench-") as name:
        folder = Path(name)
        yield Row("rmo demo, from nothing to a page that answers", _first_start(folder), "s", 10)
        yield from _served(folder)
        yield _evaluated(folder)


def _demo(port: int) -> tuple[str, ...]:
    return "-m", "rmo", "demo", "--folder", "demo", "--port", str(port)


def _first_start(folder: Path) -> float:
    port, start = free_port(), time.perf_counter()
    with running(*_demo(port), folder=folder) as process:
        answers(port, "/sign-in", process)
        return time.perf_counter() - start


def _served(folder: Path) -> Iterator[Row]:
    port, bare, start = free_port(), free_port(), time.perf_counter()
    with ExitStack() as stack:
        process = stack.enter_context(running(*_demo(port), folder=folder))
        answers(port, "/sign-in", process)
        yield Row(
            "rmo demo, an existing database to a page that answers", time.perf_counter() - start, "s", 2
        )
        anchors = folder / "anchors"
        anchors.mkdir()
        flask = stack.enter_context(running(str(HELLO), str(bare), folder=anchors))
        answers(bare, "/", flask)
        cookie = {"Cookie": sign_in(port, link_for(READER, folder))}
        yield from _loaded((port, process.pid), (bare, flask.pid), cookie)
        yield Row("rmo demo after that load: resident memory", resident(process.pid), "MiB")


def _loaded(ours: tuple[int, int], bare: tuple[int, int], cookie: dict[str, str]) -> Iterator[Row]:
    _, headers, page = get(ours[0], "/portfolio", cookie)
    hello = Target(*bare, "/")
    past = f"/portfolio?as_of={a_month_on(START):%Y-%m-%dT%H:%M}:00.{{n:06d}}Z"  # never asked for before
    targets: list[tuple[str, float | None, Target]] = [
        ("portfolio page", 12, Target(*ours, "/portfolio", headers=cookie)),
        ("portfolio page made anew, nothing in any cache", None, Target(*ours, past, headers=cookie)),
        ("register of benefits", None, Target(*ours, "/benefits", headers=cookie)),
        ("a benefit's page", None, Target(*ours, BENEFIT, headers=cookie)),
    ]
    if "etag" in headers:
        known = cookie | {"If-None-Match": headers["etag"]}
        targets.insert(1, ("portfolio page, not changed since", 1.5, Target(*ours, "/portfolio", 304, known)))
    take_turns([hello, *(target for _, _, target in targets)])
    for name, gate, target in targets:
        yield Row(name, target.cost, "ms", gate, hello.cost, "bare Flask")
        yield Row(f"{name}: the server's processor", target.work, "ms", None, hello.work, "bare Flask")
    scripts = re.compile(rb"<script\b.*?</script>", re.S)
    yield Row("portfolio page before scripts", len(scripts.sub(b"", page)) / 1000, "kB", 40)


def _evaluated(folder: Path) -> Row:
    """Judge the whole demo once with everything known and once more when there is nothing new."""
    path = shutil.copy(folder / "demo" / "demo.db", folder / "copy.db")
    engine = open_engine(f"sqlite:///{path}")
    now, taken = datetime(2018, 10, 20, 7, tzinfo=UTC), []
    for _ in range(4):
        start = time.perf_counter()
        with transaction(engine) as session:
            evaluate(session, now=now, today=now.date())
        taken.append(time.perf_counter() - start)
    engine.dispose()
    return Row("evaluation of the whole demo, nothing new", min(taken[1:]), "s")
