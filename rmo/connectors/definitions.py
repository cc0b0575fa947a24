"""KPI definitions: one YAML file per KPI, checked whole, with file, line and remedy for every mistake."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, ValidationError, WithJsonSchema, field_validator, model_validator

from rmo.connectors.shared.asked import Window
from rmo.connectors.shared.kinds import connector, connector_names
from rmo.connectors.shared.marked_yaml import MAX_BYTES, Marked, Place, YamlError, read_yaml
from rmo.connectors.shared.mistakes import any_of, mistakes
from rmo.connectors.shared.numbers import shown
from rmo.domain.calendar import Rhythm
from rmo.domain.values import Behaviour, Combine, Direction, Frequency, Problem

SLUG = re.compile(r"[a-z][a-z0-9_]{0,79}", re.ASCII)
SLUG_RULE = "lower case letters, digits and underscores, beginning with a letter"
E_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
OPTIONS: Place = ("source", "options")
BEGINNING = date(1900, 1, 1)  # where a source without `since` is asked from

Number = Annotated[
    Decimal,
    Field(max_digits=38, decimal_places=12, allow_inf_nan=False),
    WithJsonSchema({"type": ["number", "string"]}),
]


class ValidRange(BaseModel, extra="forbid", frozen=True):
    """The values that can be true at all; anything else is a mistake in the source."""

    low: Number | None = Field(default=None, description="The lowest value that can be true")
    high: Number | None = Field(default=None, description="The highest value that can be true")


class Due(BaseModel, extra="forbid", frozen=True):
    """When a period's reading is due."""

    working_days: int = Field(default=5, ge=0, le=250, description="Working days after the period's end")
    grace: int = Field(
        default=0, ge=0, le=250, description="Days that a reading may be overdue before it is late"
    )


class Source(BaseModel, extra="forbid", frozen=True):
    """Where the readings come from by themselves."""

    connector: str = Field(description="The kind of source")
    options: dict[str, Any] = Field(default={}, description="What this kind of source needs to know")
    zone: str = Field(
        default="Europe/London", description="The IANA time zone in which the source's days begin"
    )
    combine: Combine | None = Field(default=None, description="What to do with several rows for one period")
    at_least: int = Field(
        default=1, ge=1, description="Rows a period needs; with fewer it is not complete yet"
    )
    look_back: int = Field(
        default=3, ge=0, le=1000, description="Periods asked for again, for late corrections"
    )
    since: date | None = Field(default=None, description="The first day to ask for")
    round_to: int | None = Field(
        default=None, ge=0, le=12, description="Places to which the source's numbers are rounded"
    )

    @field_validator("connector")
    @classmethod
    def _known_connector(cls, name: str) -> str:
        if name not in connector_names():
            raise ValueError(f"connector is {shown(name)}; write {any_of(connector_names())}")
        return name

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"zone is {shown(zone)}; write an IANA zone such as Europe/London") from error
        return zone


class Definition(BaseModel, extra="forbid", frozen=True):
    """What one KPI is: how it is measured, which way is better, and where its readings come from."""

    name: str = Field(min_length=1, max_length=200, description="What people call it")
    description: str = Field(
        default="", max_length=2000, description="What exactly is counted, and what is not"
    )
    unit: str = Field(min_length=1, max_length=200, description="minutes, %, attendances, ...")
    decimals: int = Field(default=0, ge=0, le=6, description="Places shown on pages")
    direction: Direction = Field(description="Which way is better")
    range_low: Number | None = Field(default=None, description="For direction range: where good begins")
    range_high: Number | None = Field(default=None, description="For direction range: where good ends")
    frequency: Frequency = Field(description="How often it is measured")
    year_start: int = Field(
        default=1, ge=1, le=12, description="For quarter and year: the month their year starts in"
    )
    behaviour: Behaviour = Field(description="How readings add up over time")
    per: Number = Field(
        default=Decimal(1), gt=0, description="For a ratio: its value is numerator / denominator × per"
    )
    valid_range: ValidRange = Field(default=ValidRange(), description="The values that can be true at all")
    due: Due = Field(default=Due(), description="When a period's reading is due")
    measurer: str | None = Field(
        default=None, max_length=254, description="The e-mail address of who gives readings"
    )
    part_of: str | None = Field(default=None, description="The slug of the KPI that this one is a slice of")
    source: Source | None = Field(
        default=None, description="Where readings come from; without one, people enter them"
    )
    origin: str = Field(
        default="", max_length=2000, description="Whose data these are, and under which licence"
    )
    example: bool = Field(default=False, description="Only the demo loads it")

    @field_validator("measurer")
    @classmethod
    def _is_an_address(cls, measurer: str | None) -> str | None:
        if measurer is not None and not E_MAIL.fullmatch(measurer):
            raise ValueError(f"measurer is {shown(measurer)}; write an e-mail address")
        return measurer

    @field_validator("part_of")
    @classmethod
    def _is_a_slug(cls, slug: str | None) -> str | None:
        if slug is not None and not SLUG.fullmatch(slug):
            raise ValueError(f"part_of is {shown(slug)}; write another KPI's slug: {SLUG_RULE}")
        return slug

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        found = [message for _, message in contradictions(self.model_dump())]
        if found:
            raise ValueError(" ".join(found))
        return self

    @property
    def rhythm(self) -> Rhythm:
        """The KPI's periods."""
        return Rhythm(self.frequency, self.year_start)


@dataclass(frozen=True)
class LoadedDefinition:
    """A definition as a file gave it; the file's stem is the KPI's slug."""

    slug: str
    definition: Definition
    path: Path
    hash: str


def load_definitions(folder: Path) -> tuple[list[LoadedDefinition], list[Problem]]:
    """Return a folder's definitions by slug, and every mistake of every file at once."""
    if not folder.is_dir():
        return [], [Problem(str(folder), "This folder is not there; create it, or set RMO_KPI_DEFINITIONS.")]
    loaded, problems = list[LoadedDefinition](), list[Problem]()
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".yaml", ".yml"):
            continue
        found = load_definition(path)
        if isinstance(found, LoadedDefinition):
            loaded.append(found)
        else:
            problems += found
    problems += _lost_wholes(loaded, problems)
    return loaded, problems


def load_definition(path: Path) -> LoadedDefinition | list[Problem]:
    """Return one file's definition, or every mistake in it."""
    found: list[tuple[int, str]] = []
    if path.suffix != ".yaml" or not SLUG.fullmatch(path.stem):
        found.append((1, f"The file's name gives the KPI's slug; name it .yaml, in {SLUG_RULE}."))
    try:
        with path.open("rb") as file:
            marked = read_yaml(file.read(MAX_BYTES + 1))
    except OSError as error:
        found.append((1, f"The file cannot be read: {error.strerror}."))
    except YamlError as error:
        found += error.mistakes
    else:
        found += [(marked.line(place), message) for place, message in _mistakes(marked)]
    if found:
        return [Problem(f"{path.name}:{line}", message) for line, message in sorted(found)]
    definition = Definition.model_validate(marked.data)
    return LoadedDefinition(path.stem, definition, path, definition_hash(definition))


def _mistakes(marked: Marked) -> Iterator[tuple[Place, str]]:
    if marked.data is None:
        yield (), "The file is empty; write at least name, unit, direction, frequency and behaviour."
        return
    if not isinstance(marked.data, dict):
        yield (), "The file must be keys and values, such as `name: Waiting time`."
        return
    yield from _mistakes_of(Definition, marked.data)
    yield from contradictions(marked.data)
    source = marked.data.get("source")
    if isinstance(source, dict) and source.get("connector") in connector_names():
        options = source.get("options")
        if options is None or isinstance(options, dict):
            model = connector(source["connector"]).Options
            yield from _mistakes_of(model, options or {}, OPTIONS)


def _mistakes_of(model: type[BaseModel], data: Any, within: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield what a model finds wrong; what hangs together in the whole is told by `contradictions` already."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        yield from ((place, message) for place, message in mistakes(error, model, within) if place)


def contradictions(data: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """Return what does not fit together in a definition, of checked values or of what somebody wrote."""
    found = [*_range_contradictions(data), *_order_contradictions(data), *_source_contradictions(data)]
    if _number(data.get("year_start")) not in (None, 1) and data.get("frequency") not in ("quarter", "year"):
        found.append((("year_start",), "year_start is only for frequency quarter or year; take it away."))
    if _number(data.get("per")) not in (None, 1) and data.get("behaviour") != "ratio":
        found.append((("per",), "per is only for behaviour ratio; take it away, or write behaviour: ratio."))
    return found


def _range_contradictions(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for key in ("range_low", "range_high"):
        given = data.get(key) is not None
        if data.get("direction") == "range" and not given:
            yield ("direction",), f"direction is range, but {key} is missing; add it."
        if data.get("direction") in ("up", "down") and given:
            yield (key,), f"{key} is only for direction range; take it away, or write direction: range."


def _order_contradictions(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    valid = data.get("valid_range")
    pairs: list[tuple[Place, Any, Any]] = [(("range_low",), data.get("range_low"), data.get("range_high"))]
    if isinstance(valid, Mapping):
        pairs.append((("valid_range", "low"), valid.get("low"), valid.get("high")))
    for place, written_low, written_high in pairs:
        low, high = _number(written_low), _number(written_high)
        if low is not None and high is not None and low >= high:
            yield place, f"{'.'.join(map(str, place))} is {low}, but must be less than {high}; swap them."


def _source_contradictions(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    source = data.get("source")
    if not isinstance(source, Mapping):
        return
    if data.get("behaviour") == "stock" and source.get("combine") == "sum":
        yield (
            ("source", "combine"),
            "combine is sum, but a stock added up counts things twice; write last or mean.",
        )
    options = source.get("options")
    if isinstance(options, Mapping) and data.get("behaviour") in set(Behaviour) - {Behaviour.RATIO}:
        for key in options:
            if str(key).startswith("numerator"):
                yield ("source", "options", key), f"{key} is only for a ratio; write behaviour: ratio."


def _number(written: Any) -> Decimal | None:
    try:
        number = Decimal(written)
    except (InvalidOperation, TypeError, ValueError):
        return None
    return number if number.is_finite() else None


def _lost_wholes(loaded: list[LoadedDefinition], problems: list[Problem]) -> Iterator[Problem]:
    """Find slices whose whole is in no file; a file with mistakes of its own is there all the same."""
    slugs = {found.slug for found in loaded} | {problem.place.partition(".")[0] for problem in problems}
    for found in loaded:
        whole = found.definition.part_of
        if whole is not None and (whole not in slugs or whole == found.slug):
            line = read_yaml(found.path.read_bytes()).line(("part_of",))
            yield Problem(
                f"{found.path.name}:{line}",
                f"part_of is {whole!r}; write the slug of another file in this folder.",
            )


def definition_hash(definition: Definition) -> str:
    """Return what tells two definitions apart: SHA-256 over their canonical JSON."""
    return hashlib.sha256(canonical(definition).encode()).hexdigest()


def canonical(definition: Definition) -> str:
    """Return a definition as JSON that is the same for the same definition."""
    return json.dumps(
        definition.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


def next_window(definition: Definition, *, newest: date | None, today: date) -> Window:
    """Return what to ask a KPI's source for: the periods that have ended since the newest reading, and a look back.

    Args:
        definition: A KPI that has a source.
        newest: The newest period that has a reading, or None before the first pull.
        today: In the source's zone.
    """
    if definition.source is None:
        raise ValueError("A KPI without a source is not pulled.")
    rhythm, source = definition.rhythm, definition.source
    first = rhythm.period_of(source.since or BEGINNING)
    if newest is not None:
        first = max(first, rhythm.shift(newest, 1 - source.look_back))
    return Window(rhythm, first, rhythm.newest_ended(today), ZoneInfo(source.zone))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a definition, for editors; the options hang on the connector."""
    whole = Definition.model_json_schema()
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    whole["title"] = "A KPI of rmo"
    options: list[dict[str, Any]] = []
    for name in connector_names():
        of_kind = connector(name).Options.model_json_schema(ref_template=f"#/$defs/{name}_{{model}}")
        for inner, part in of_kind.pop("$defs", {}).items():
            whole["$defs"][f"{name}_{inner}"] = part
        whole["$defs"][f"{name}_options"] = of_kind
        options.append(
            {
                "if": {"properties": {"connector": {"const": name}}},
                "then": {"properties": {"options": {"$ref": f"#/$defs/{name}_options"}}},
            }
        )
    source = whole["$defs"]["Source"]
    source["properties"]["connector"]["enum"] = connector_names()
    source["allOf"] = options
    return whole


def schema_text() -> str:
    """Return the JSON Schema as `kpi_definitions/schema.json` holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
