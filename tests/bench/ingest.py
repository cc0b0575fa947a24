"""Pulling 20,000 readings from CSV files through the service, against executemany, on both databases."""

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from rmo.connectors import Reach
from rmo.connectors.definitions import load_definitions
from rmo.services import kpis
from rmo.services.collection import pull_all
from rmo.storage.database import open_engine, transaction
from rmo.storage.migrate import migrate
from tests import postgres
from tests.bench.anchors.raw_rows import raw_rows
from tests.bench.table import Row

KPIS, DAYS = 10, 2_000
FIRST = date(2019, 1, 1)
NOW = datetime(2026, 4, 14, 8, tzinfo=UTC)
DEFINITION = """name: Calls {number}
unit: calls
direction: down
frequency: day
behaviour: flow
source: {{connector: csv_file, since: 2019-01-01, options: {{path: calls_{number}.csv, value_column: calls}}}}
"""


def rows() -> Iterator[Row]:
    """Measure on SQLite, and on PostgreSQL where its programs are installed."""
    with tempfile.TemporaryDirectory(prefix="rmo-bench-") as name:
        folder = Path(name)
        _write_sources(folder)
        yield from _measured("SQLite", f"sqlite:///{folder / 'readings.db'}", folder)
        server = folder / "server"
        server.mkdir()
        folder.chmod(0o755)
        try:
            yield from _measured("PostgreSQL", postgres.server_url(server), folder)
        except postgres.NoServerError as error:
            print(f"PostgreSQL is left out: {error}")
        finally:
            postgres.stop(server)


def _measured(database: str, url: str, folder: Path) -> Iterator[Row]:
    engine = open_engine(url)
    migrate(engine)
    loaded, problems = load_definitions(folder / "definitions")
    assert not problems, problems[0]
    with transaction(engine) as session:
        kpis.apply_definitions(session, loaded, now=NOW, by="bench")
    raw = min(raw_rows(engine, _plain_rows()) for _ in range(3))
    readings = f"{KPIS * DAYS:,} readings pulled from CSV into {database}"
    yield Row(readings, _pull(engine, folder, KPIS * DAYS), "s", 2.5, raw, "executemany")
    yield Row(f"{readings}, the same again", _pull(engine, folder, 0), "s", 1.0, raw, "executemany")
    _assert_kept(engine)
    engine.dispose()


def _pull(engine: Engine, folder: Path, new: int) -> float:
    reach = Reach(folders=(folder,))
    start = time.perf_counter()
    results = pull_all(engine, reach, clock=lambda: NOW, today=NOW.date())
    seconds = time.perf_counter() - start
    assert [result.problem for result in results] == [""] * KPIS, results
    assert sum(result.written for result in results) == new, results
    return seconds


def _assert_kept(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM reading")) == KPIS * DAYS


def _value(kpi: int, day: int) -> str:
    return f"{1000 + (day * 37 + kpi * 11) % 400}.5"


def _days() -> list[str]:
    return [(FIRST + timedelta(days=i)).isoformat() for i in range(DAYS)]


def _plain_rows() -> list[tuple[str, str, str, str]]:
    known = NOW.isoformat()
    return [(f"calls_{k}", day, _value(k, i), known) for k in range(KPIS) for i, day in enumerate(_days())]


def _write_sources(folder: Path) -> None:
    definitions = folder / "definitions"
    definitions.mkdir()
    for k in range(KPIS):
        lines = [f"{day},{_value(k, i)}" for i, day in enumerate(_days())]
        (folder / f"calls_{k}.csv").write_text("date,calls\n" + "\n".join(lines) + "\n")
        (definitions / f"calls_{k}.yaml").write_text(DEFINITION.format(number=k))
