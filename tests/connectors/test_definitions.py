"""KPI definitions: what is taken, and what is said about each mistake."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rmo.connectors.definitions import (
    Definition,
    LoadedDefinition,
    canonical,
    definition_hash,
    load_definition,
    load_definitions,
    next_window,
    schema,
    schema_text,
)
from rmo.connectors.shared.marked_yaml import YamlError, read_yaml
from rmo.domain.values import Behaviour, Direction, Frequency
from rmo.paths import data_folder

GOOD = """\
# minutes a call takes, from the telephone system's nightly export
name: Average call handling time
unit: minutes
direction: down
frequency: month
behaviour: rate
source:
  connector: csv_file
  options:
    path: exports/calls.csv
    value_column: mean_minutes
"""


def write(folder: Path, text: str | bytes, name: str = "call_time.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def said(path: Path) -> list[tuple[str, str]]:
    found = load_definition(path)
    assert isinstance(found, list), "the definition was taken"
    return [(problem.place, problem.message) for problem in found]


def test_a_good_definition_is_taken_with_its_slug_from_the_file_name(tmp_path):
    loaded, problems = load_definitions(write(tmp_path, GOOD).parent)

    assert problems == []
    [found] = loaded
    assert (found.slug, found.definition.name) == ("call_time", "Average call handling time")
    assert (found.definition.direction, found.definition.frequency) == (Direction.DOWN, Frequency.MONTH)
    assert found.definition.behaviour is Behaviour.RATE
    assert found.definition.due.working_days == 5
    assert found.definition.source is not None
    assert found.definition.source.options == {"path": "exports/calls.csv", "value_column": "mean_minutes"}
    assert found.hash == definition_hash(found.definition)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        pytest.param(
            "direction: down",
            "direction: sideways",
            4,
            "direction is 'sideways'; write up, down or range.",
            id="word not in the list",
        ),
        pytest.param(
            "frequency: month",
            "frequency: hourly",
            5,
            "frequency is 'hourly'; write day, week, month, quarter or year.",
            id="unknown frequency",
        ),
        pytest.param(
            "unit: minutes\n", "", 2, "unit is missing; add a line `unit: …`.", id="required key missing"
        ),
        pytest.param("unit: minutes", "unit:", 3, "unit is blank; write a text.", id="required key blank"),
        pytest.param(
            "unit: minutes",
            "unit: minutes\ndecimals: 9",
            4,
            "decimals is '9'; write 6 or less.",
            id="number too large",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\ndecimals: two",
            4,
            "decimals is 'two'; write a whole number.",
            id="word for a number",
        ),
        pytest.param(
            "behaviour: rate",
            "behavior: rate",
            6,
            "There is no key 'behavior'; did you mean behaviour?",
            id="misspelt key",
        ),
        pytest.param(
            "direction: down",
            "direction: range",
            4,
            "direction is range, but range_low is missing; add it.",
            id="range without ends",
        ),
        pytest.param(
            "direction: down",
            "direction: range\nrange_low: 9\nrange_high: 3",
            5,
            "range_low is 9, but must be less than 3; swap them.",
            id="range upside down",
        ),
        pytest.param(
            "direction: down",
            "direction: down\nrange_low: 9",
            5,
            "range_low is only for direction range; take it away, or write direction: range.",
            id="range not asked for",
        ),
        pytest.param(
            "frequency: month",
            "frequency: month\nyear_start: 4",
            6,
            "year_start is only for frequency quarter or year; take it away.",
            id="year start of a month",
        ),
        pytest.param(
            "frequency: month",
            "frequency: year\nyear_start: 13",
            6,
            "year_start is '13'; write 12 or less.",
            id="thirteenth month",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\nvalid_range: {low: 5, high: 2}",
            4,
            "valid_range.low is 5, but must be less than 2; swap them.",
            id="valid range upside down",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\nvalid_range: {low: NaN}",
            4,
            "valid_range.low is 'NaN'; write a number of at most 38 digits and 12 places.",
            id="not a number",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\ndue:\n  working_days: -1",
            5,
            "due.working_days is '-1'; write 0 or more.",
            id="due before the end",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\ndue: soon",
            4,
            "due is 'soon'; write keys under it, one a line.",
            id="text where keys belong",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\nmeasurer: Jane",
            4,
            "measurer is 'Jane'; write an e-mail address.",
            id="measurer without address",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\nexample: maybe",
            4,
            "example is 'maybe'; write true or false.",
            id="neither true nor false",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\nper: 100",
            4,
            "per is only for behaviour ratio; take it away, or write behaviour: ratio.",
            id="per without a ratio",
        ),
        pytest.param(
            "  connector: csv_file",
            "  connector: ftp",
            8,
            "connector is 'ftp'; write csv_file",
            id="no such connector",
        ),
        pytest.param(
            "  connector: csv_file",
            "  connector: csv_file\n  zone: Mars/North",
            9,
            "zone is 'Mars/North'; write an IANA zone such as Europe/London.",
            id="no such zone",
        ),
        pytest.param(
            "  connector: csv_file",
            "  connector: csv_file\n  zone: ../etc/passwd",
            9,
            "zone is '../etc/passwd'; write an IANA zone such as Europe/London.",
            id="zone that is a path",
        ),
        pytest.param(
            "  connector: csv_file",
            "  connector: csv_file\n  combine: max",
            9,
            "source.combine is 'max'; write sum, mean or last.",
            id="no such combination",
        ),
        pytest.param(
            "  connector: csv_file",
            "  connector: csv_file\n  since: soon",
            9,
            "source.since is 'soon'; write a day as YYYY-MM-DD.",
            id="since no day",
        ),
        pytest.param(
            "    path: exports/calls.csv\n",
            "",
            9,
            "source.options.path is missing; add a line `path: …`.",
            id="option missing",
        ),
        pytest.param(
            "    value_column: mean_minutes",
            "    value_colum: mean_minutes",
            11,
            "There is no key 'value_colum'; did you mean value_column?",
            id="misspelt option",
        ),
        pytest.param(
            "    value_column: mean_minutes",
            "    encoding: utf-99",
            11,
            "'utf-99' is not an encoding; write utf-8-sig or cp1252.",
            id="no such encoding",
        ),
        pytest.param(
            "    value_column: mean_minutes",
            "    numerator_column: late\n    denominator_column: all",
            11,
            "numerator_column is only for a ratio; write behaviour: ratio.",
            id="ratio not declared",
        ),
        pytest.param(
            "    value_column: mean_minutes",
            "    value_column: a\n    delimiter: ';;'",
            12,
            "source.options.delimiter is ';;'; write ',', ';', '|' or 'tab'.",
            id="two delimiters",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\nunit: hours",
            4,
            "The key unit is there twice, first on line 3; remove one.",
            id="duplicate key",
        ),
        pytest.param(
            "unit: minutes",
            "unit: !!python/object/apply:os.system [ls]",
            3,
            "The tag tag:yaml.org,2002:python/object/apply:os.system is not taken",
            id="python tag",
        ),
        pytest.param("unit: minutes", "unit: &u minutes", 3, "Anchors (&) and aliases (*)", id="anchor"),
        pytest.param("unit: minutes", "unit: *u", 3, "Anchors (&) and aliases (*)", id="alias"),
        pytest.param(
            "  connector: csv_file",
            "\tconnector: csv_file",
            8,
            "A tab cannot indent YAML; use spaces.",
            id="tab",
        ),
        pytest.param("unit: minutes", "unit: a: b", 3, "This is not YAML: mapping values", id="two colons"),
        pytest.param("unit: minutes", "unit: 'minutes", 3, "This is not YAML", id="quote left open"),
        pytest.param(
            "unit: minutes", "unit: a\x00b", 3, "a character that YAML does not allow", id="zero byte"
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\n---\nname: b",
            4,
            "A second document begins here; write one KPI per file",
            id="two documents",
        ),
        pytest.param(
            "unit: minutes",
            "unit: minutes\n[a, b]: c",
            4,
            "A key must be a word, not a list or a mapping.",
            id="list as a key",
        ),
    ],
)
def test_a_broken_definition_is_told_with_file_line_and_remedy(tmp_path, old, new, line, message):
    assert old in GOOD
    found = said(write(tmp_path, GOOD.replace(old, new, 1)))

    assert any(place == f"call_time.yaml:{line}" and message in text for place, text in found), found


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        pytest.param(b"", 1, "The file is empty; write at least name", id="empty"),
        pytest.param(b"# nothing here\n", 1, "The file is empty", id="only a comment"),
        pytest.param(b"- a\n- b\n", 1, "The file must be keys and values", id="a list"),
        pytest.param(b"just words", 1, "The file must be keys and values", id="a text"),
        pytest.param(b"name: a\nunit: \xff\xfe\n", 2, "This line is not UTF-8", id="bad bytes"),
        pytest.param(b"a: " + b"x" * 70_000, 1, "a definition has at most 65,536", id="too large"),
        pytest.param(b"[" * 5_000, 1, "nested more than 20 deep", id="deep nesting"),
    ],
)
def test_a_file_that_is_no_definition_is_told_so(tmp_path, content, line, message):
    [(place, text)] = said(write(tmp_path, content))

    assert place == f"call_time.yaml:{line}"
    assert message in text


@pytest.mark.parametrize(
    "name", ["Call Time.yaml", "call-time.yaml", "1st.yaml", "call_time.yml", "ümlaut.yaml"]
)
def test_a_file_whose_name_is_no_slug_is_told_so(tmp_path, name):
    [(place, text)] = said(write(tmp_path, GOOD, name))

    assert place == f"{name}:1"
    assert "lower case letters, digits and underscores" in text


def test_every_mistake_of_every_file_is_told_at_once(tmp_path):
    write(
        tmp_path, GOOD.replace("down", "sideways").replace("minutes", "").replace("csv_file", "ftp"), "a.yaml"
    )
    write(tmp_path, GOOD.replace("month", "hourly").replace("path:", "pth:"), "b.yaml")
    write(tmp_path, GOOD, "c.yaml")
    write(tmp_path, "{", "readme.txt")

    loaded, problems = load_definitions(tmp_path)

    assert [found.slug for found in loaded] == ["c"]
    assert [problem.place for problem in problems] == [
        "a.yaml:3", "a.yaml:4", "a.yaml:8", "b.yaml:5", "b.yaml:9", "b.yaml:10",
    ]  # fmt: skip


def test_a_slice_names_a_whole_that_is_there(tmp_path):
    write(tmp_path, GOOD, "calls.yaml")
    write(tmp_path, GOOD + "part_of: calls\n", "calls_north.yaml")
    write(tmp_path, GOOD + "part_of: cals\n", "calls_south.yaml")

    loaded, problems = load_definitions(tmp_path)

    assert len(loaded) == 3
    assert [(p.place, p.message) for p in problems] == [
        ("calls_south.yaml:12", "part_of is 'cals'; write the slug of another file in this folder.")
    ]


def test_a_missing_folder_is_told(tmp_path):
    loaded, [problem] = load_definitions(tmp_path / "nowhere")

    assert loaded == []
    assert "This folder is not there" in problem.message


def test_a_definition_made_on_a_page_is_held_to_the_same_rules():
    with pytest.raises(ValueError, match="range_low is missing; add it"):
        Definition.model_validate(
            {"name": "a", "unit": "b", "direction": "range", "frequency": "day", "behaviour": "rate"}
        )


def test_scalars_stay_what_was_written():
    marked = read_yaml(
        b"country: NO\ntime: 1:30\nprice: 0.10\nold: 0777\nwhen: 2019-03-01\nyes_no: true\nnothing:\n"
    )

    assert marked.data == {
        "country": "NO", "time": "1:30", "price": "0.10", "old": "0777",
        "when": "2019-03-01", "yes_no": True, "nothing": None,
    }  # fmt: skip


def test_the_hash_tells_definitions_apart_and_not_how_they_are_written(tmp_path):
    first = load_definition(write(tmp_path, GOOD, "a.yaml"))
    reordered = "behaviour: rate\n" + GOOD.replace("behaviour: rate\n", "") + "# a comment\n"
    second = load_definition(write(tmp_path, reordered, "b.yaml"))
    third = load_definition(write(tmp_path, GOOD.replace("calls.csv", "call.csv"), "c.yaml"))

    assert isinstance(first, LoadedDefinition)
    assert isinstance(second, LoadedDefinition)
    assert isinstance(third, LoadedDefinition)
    assert first.hash == second.hash != third.hash
    assert Definition.model_validate_json(canonical(first.definition)) == first.definition


@pytest.mark.parametrize(
    ("newest", "first"),
    [
        pytest.param(None, date(2018, 1, 1), id="first pull asks from since"),
        pytest.param(date(2019, 1, 1), date(2018, 11, 1), id="later pulls look back"),
        pytest.param(date(2018, 2, 1), date(2018, 1, 1), id="never before since"),
    ],
)
def test_the_next_window_ends_with_the_newest_ended_period(tmp_path, newest, first):
    text = GOOD.replace("  connector", "  since: 2018-01-15\n  zone: America/New_York\n  connector")
    found = load_definition(write(tmp_path, text))
    assert isinstance(found, LoadedDefinition)

    window = next_window(found.definition, newest=newest, today=date(2019, 3, 31))

    assert (window.first, window.last) == (first, date(2019, 2, 1))
    assert window.zone == ZoneInfo("America/New_York")
    assert date(2019, 2, 1) in window
    assert date(2019, 3, 1) not in window


def test_the_published_schema_is_the_one_in_the_code():
    path = data_folder("kpi_definitions") / "schema.json"

    assert path.read_text(encoding="utf-8") == schema_text(), (
        "write schema_text() into kpi_definitions/schema.json"
    )


def test_the_schema_takes_and_refuses_what_the_loader_does():
    published = schema()
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    good = yaml.safe_load(GOOD)

    assert list(validator.iter_errors(good)) == []
    for wrong in ({"direction": "sideways"}, {"decimals": 9}, {"colour": "red"}):
        assert list(validator.iter_errors(good | wrong))
    good["source"]["options"]["colour"] = "red"
    assert list(validator.iter_errors(good))


@given(st.binary(max_size=200))
def test_any_bytes_are_either_read_or_refused_by_line(content):
    try:
        read_yaml(content)
    except YamlError as error:
        assert all(line >= 1 and message for line, message in error.mistakes)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=0, max_value=Decimal(10) ** 20)
)
def test_numbers_of_a_definition_keep_every_digit(number):
    definition = Definition.model_validate(
        {
            "name": "a", "unit": "b", "direction": "up", "frequency": "day", "behaviour": "rate",
            "valid_range": {"high": str(number)},
        }
    )  # fmt: skip

    assert definition.valid_range.high == number
    assert Definition.model_validate_json(canonical(definition)) == definition
