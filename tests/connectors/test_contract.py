"""What every connector must hold to. A new one is found by its file name; it only has to add a sample here."""

import inspect
import io
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pydantic import ValidationError

from rmo.connectors import Reach, Window, connector, connector_names, pull
from rmo.connectors.definitions import Definition, load_definition
from rmo.domain.calendar import Rhythm
from rmo.domain.errors import ConnectorError
from rmo.domain.values import Frequency, SourceRow

YEARS = Window(Rhythm(Frequency.YEAR), date(2016, 1, 1), date(2018, 1, 1))
VALUES = {"2018": "10.5", "2016": "8", "2017": "9"}
NAMES = connector_names()


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.create_sheet(index=0)
    for row in rows:
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


# A small good source of each kind: what it says for the three years above, in this order.
SAMPLES: Mapping[str, bytes] = {
    "csv_file": "\n".join(["date,value", *(f"{year},{value}" for year, value in VALUES.items())]).encode(),
    "excel_file": workbook(
        [["date", "value"], *([int(year), float(value)] for year, value in VALUES.items())]
    ),
    "http_json": json.dumps([{"date": year, "value": value} for year, value in VALUES.items()]).encode(),
}


@dataclass
class Bench:
    """One connector with a source that the test fills."""

    name: str
    folder: Path
    web: Any
    open: bool = True
    max_bytes: int = 100_000

    @property
    def is_file(self) -> bool:
        return "path" in connector(self.name).Options.model_fields

    @property
    def options(self) -> dict[str, Any]:
        return {"path": "source.dat"} if self.is_file else {"url": f"{self.web.url}/source.dat"}

    @property
    def reach(self) -> Reach:
        folders, hosts = ((self.folder,), (self.web.host,)) if self.open else ((), ())
        return Reach(folders=folders, hosts=hosts, max_bytes=self.max_bytes, timeout=0.4)

    def fill(self, content: bytes) -> None:
        if self.is_file:
            (self.folder / "source.dat").write_bytes(content)
        else:
            self.web.give("/source.dat", content)

    def fetch(self) -> list[SourceRow]:
        kind = connector(self.name)
        return kind.fetch(kind.Options.model_validate(self.options), YEARS, self.reach)

    def error(self) -> ConnectorError:
        """Return the one error that a fetch ends with: a sentence that names the source."""
        with pytest.raises(ConnectorError) as caught:
            self.fetch()
        message = str(caught.value)
        assert "source.dat" in message
        assert message.endswith((".", "?", "!")), message
        assert "Traceback" not in message
        assert len(message) < 2_000
        return caught.value


@pytest.fixture(params=NAMES)
def bench(request: pytest.FixtureRequest, tmp_path: Path, web: Any) -> Bench:
    return Bench(request.param, tmp_path, web)


def test_every_connector_has_a_sample():
    assert sorted(SAMPLES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_options_take_no_unknown_key_and_say_what_each_is(name):
    options = connector(name).Options

    assert options.model_config.get("extra") == "forbid"
    with pytest.raises(ValidationError, match="Extra inputs"):
        options.model_validate({"no_such_key": 1})
    assert [key for key, field in options.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("name", NAMES)
def test_fetch_takes_options_window_and_reach_and_says_what_it_does(name):
    module = connector(name)

    assert list(inspect.signature(module.fetch).parameters) == ["options", "window", "reach"]
    assert inspect.getdoc(module)
    assert inspect.getdoc(module.fetch)
    assert inspect.getdoc(module.Options)


def test_a_good_source_gives_exact_rows_in_the_same_order_each_time(bench):
    bench.fill(SAMPLES[bench.name])

    rows = bench.fetch()

    assert [(row.at, row.value) for row in rows] == [
        (date(int(year), 1, 1), Decimal(value)) for year, value in VALUES.items()
    ]
    assert all(isinstance(row.value, Decimal) and row.place for row in rows)
    assert bench.fetch() == rows


def test_a_pull_is_ordered_by_period_and_stays_in_its_window(bench):
    bench.fill(SAMPLES[bench.name])
    definition = Definition.model_validate(
        {
            "name": "Sample", "unit": "things", "direction": "up", "frequency": "year", "behaviour": "flow",
            "source": {"connector": bench.name, "options": bench.options},
        }
    )  # fmt: skip
    window = Window(YEARS.rhythm, date(2016, 1, 1), date(2017, 1, 1))

    readings = pull(definition, window, bench.reach)

    assert [(reading.period, reading.value) for reading in readings] == [
        (date(2016, 1, 1), Decimal(8)),
        (date(2017, 1, 1), Decimal(9)),
    ]


def test_an_unreachable_source_is_passing(bench):
    if not bench.is_file:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            bench.web.host = f"127.0.0.1:{taken.getsockname()[1]}"
        bench.web.url = f"http://{bench.web.host}"  # nobody listens there any more

    assert bench.error().passing


def test_a_source_that_is_not_allowed_is_refused_for_good(bench):
    bench.fill(SAMPLES[bench.name])
    bench.open = False

    assert not bench.error().passing


def test_an_empty_source_is_told(bench):
    bench.fill(b"")

    assert "empty" in str(bench.error())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x00\xff\xfe\x01" * 300, id="noise"),
        pytest.param(b"<!doctype html><title>Sign in</title>", id="web page"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(200), id="picture"),
        pytest.param(b'{"a": [1, 2', id="broken off"),
        pytest.param(b"PK\x03\x04" + bytes(400), id="broken archive"),
        pytest.param(b"[" * 50_000, id="deep nesting"),
        pytest.param(b"null", id="nothing in JSON"),
        pytest.param(b'"text"', id="a text"),
    ],
)
def test_garbage_is_told_and_final(bench, content):
    bench.fill(content)

    assert not bench.error().passing


def test_a_source_larger_than_allowed_is_told(bench):
    bench.fill(SAMPLES[bench.name])
    bench.max_bytes = 20

    message = str(bench.error())

    assert "20" in message
    assert "bytes" in message


def test_a_source_of_the_wrong_kind_is_told(bench):
    if bench.is_file:
        (bench.folder / "source.dat").mkdir()
    else:
        bench.web.give("/source.dat", b"<html>Please sign in</html>", kind="text/html")

    assert not bench.error().passing


@pytest.mark.parametrize("slow", ["stall", "drip"])
@pytest.mark.parametrize("name", [name for name in NAMES if "url" in connector(name).Options.model_fields])
def test_a_source_that_never_ends_is_left_at_the_time_limit(name, slow, tmp_path, web):
    getattr(web, slow)("/source.dat")

    error = Bench(name, tmp_path, web).error()

    assert error.passing
    assert "0.4 seconds" in str(error)


def test_a_definition_can_name_the_connector(bench, tmp_path):
    options = "".join(f"    {key}: {value}\n" for key, value in bench.options.items())
    path = tmp_path / "sample.yaml"
    path.write_text(
        "name: Sample\nunit: things\ndirection: up\nfrequency: year\nbehaviour: flow\n"
        f"source:\n  connector: {bench.name}\n  options:\n{options}"
    )

    assert not isinstance(load_definition(path), list)
