"""The definitions that ship: without a mistake, and each gives readings from the demo's data."""

import json
from collections.abc import Iterator
from datetime import date

import jsonschema
import pytest
import yaml

from rmo.connectors import Reach, connector_names, pull
from rmo.connectors.definitions import LoadedDefinition, load_definitions, next_window, schema
from rmo.demo.feed import DATA, Feed, serve_feed
from rmo.domain.values import Frequency
from rmo.paths import data_folder

FOLDER = data_folder("kpi_definitions")
LOADED, PROBLEMS = load_definitions(FOLDER)
EACH = pytest.mark.parametrize("found", [pytest.param(found, id=found.slug) for found in LOADED])
TODAY = date(2019, 4, 15)


@pytest.fixture(scope="module")
def feed() -> Iterator[Feed]:
    served = serve_feed(lambda: TODAY)
    yield served
    served.close()


def test_they_hold_no_mistake():
    assert PROBLEMS == []
    assert len(LOADED) >= 14


def test_between_them_they_use_every_connector_and_every_frequency():
    assert {found.definition.source.connector for found in LOADED if found.definition.source} == set(
        connector_names()
    )
    assert {found.definition.frequency for found in LOADED} == set(Frequency)
    assert any(found.definition.source is None for found in LOADED)


@EACH
def test_each_says_what_it_is_whose_it_is_and_that_it_is_an_example(found: LoadedDefinition):
    assert found.path.read_text(encoding="utf-8").startswith("# ")
    assert found.definition.example
    assert found.definition.origin
    assert found.definition.description


@EACH
def test_each_fits_the_published_schema(found: LoadedDefinition):
    written = yaml.safe_load(found.path.read_text(encoding="utf-8"))
    as_an_editor_sees_it = json.loads(json.dumps(written, default=str))

    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(as_an_editor_sees_it)) == []


@EACH
def test_each_gives_readings_from_the_demo_s_data(found: LoadedDefinition, feed: Feed):
    if found.definition.source is None:
        return
    reach = Reach(
        folders=(DATA,), hosts=(feed.url.removeprefix("http://"),), variables={"demo_feed": feed.url}
    )
    window = next_window(found.definition, newest=None, today=TODAY)

    readings = pull(found.definition, window, reach)

    assert len(readings) >= 12
    assert len({reading.period for reading in readings}) == len(readings)
    assert readings[0].period >= window.first
    assert readings[-1].period <= window.last
    assert all(reading.value is not None for reading in readings)
