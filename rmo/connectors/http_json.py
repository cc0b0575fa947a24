"""Readings from a web address that answers in JSON: any shape by JMESPath, the World Bank's and Prometheus' ready made."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, field_validator, model_validator

from rmo.connectors.shared.asked import Reach, Window
from rmo.connectors.shared.dates import UNIX
from rmo.connectors.shared.measured import Measured, NumberOptions, Text, check_value_or_ratio, source_rows
from rmo.connectors.shared.numbers import shown
from rmo.connectors.shared.web import Answer, Asking, asking
from rmo.domain.errors import ConnectorError
from rmo.domain.values import SourceRow

MAX_PAGES = 500
SAID = 300  # how much of a server's own words is passed on
WORLD_BANK_PAGE = "1000"
PROMETHEUS_STEP = "1h"
RFC_3339 = "%Y-%m-%dT%H:%M:%SZ"
VARIABLE = re.compile(r"\$\{(\w+)\}")
WINDOW_END = re.compile(r"\{(first|last)(?::([^{}]+))?\}")
SECRET = re.compile(r"(?:[A-Za-z]+ )?(?:env|file):\S+")
SECRET_HEADER = re.compile(r"auth|cookie|key|token|secret|password", re.IGNORECASE)
NOT_NUMBERS = ("NaN", "+Inf", "-Inf", "Inf")
FORBIDDEN_HEADERS = {"host", "content-length", "connection", "transfer-encoding", "accept-encoding"}


def _expression(text: str) -> str:
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        raise ValueError(f"{shown(text)} is not a JMESPath expression; see jmespath.org") from error
    return text


Expression = Annotated[str, AfterValidator(_expression)]


class Options(NumberOptions, extra="forbid", frozen=True):
    """What a KPI definition may say under `source.options`."""

    url: str = Field(description="The address; ${name} stands for a variable of the installation")
    params: dict[str, Text] = Field(
        default={},
        description="What follows the question mark; {first} and {last} are the window's days, {first:%Y} a part",
    )
    headers: dict[str, Text] = Field(
        default={},
        description="Headers; a secret only as env:RMO_SOURCE_SECRET_NAME or file:NAME, also after a word: Bearer env:…",
    )
    shape: Literal["rows", "world_bank", "prometheus"] = Field(
        default="rows", description="What the answer looks like"
    )
    rows: Expression = Field(default="@", description="JMESPath to the list of rows")
    date: Expression = Field(default="date", description="JMESPath from a row to its date")
    value: Expression | None = Field(default=None, description="JMESPath from a row to its value")
    numerator: Expression | None = Field(
        default=None, description="For a ratio: JMESPath to what is above the line"
    )
    denominator: Expression | None = Field(
        default=None, description="For a ratio: JMESPath to what is below the line"
    )
    page_parameter: str | None = Field(
        default=None, description="The parameter that asks for a page, counted from 1"
    )
    pages: Expression | None = Field(
        default=None,
        description="JMESPath to the number of pages; without it, pages are asked for until one is empty",
    )

    @field_validator("url")
    @classmethod
    def _is_of_the_web(cls, url: str) -> str:
        filled = (
            VARIABLE.sub("x", url) if not url.startswith("${") else VARIABLE.sub("http://x", url, count=1)
        )
        try:
            parts = urlsplit(filled)
            good = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            good = False
        if not good:
            raise ValueError(f"url is {shown(url)}; write an address that begins with http:// or https://")
        if "@" in parts.netloc:
            raise ValueError(
                "url holds a name or password; put the secret into headers as env:RMO_SOURCE_SECRET_NAME"
            )
        return url

    @field_validator("headers")
    @classmethod
    def _keep_secrets_out(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or name.lower() in FORBIDDEN_HEADERS:
                raise ValueError(f"the header {shown(name)} cannot be set; leave it out")
            if not value.isascii() or not value.isprintable():
                raise ValueError(f"the header {name} has a value that cannot be sent; write plain ASCII")
            if SECRET_HEADER.search(name) and not SECRET.fullmatch(value):
                raise ValueError(
                    f"the header {name} is a secret; write env:RMO_SOURCE_SECRET_NAME or file:NAME instead of it"
                )
        return headers

    @model_validator(mode="after")
    def _value_or_ratio(self) -> Self:
        given = {name: getattr(self, name) for name in ("value", "numerator", "denominator")}
        check_value_or_ratio(given, "{}", complement=self.complement)
        if self.shape != "rows" and (any(given.values()) or self.page_parameter or self.rows != "@"):
            raise ValueError(f"the shape {self.shape} knows its rows, value and pages; leave those keys out")
        return self


def fetch(options: Options, window: Window, reach: Reach) -> list[SourceRow]:
    """Return the rows of a window in the order of the answer."""
    url = _filled(options.url, window, reach.variables)
    params = {name: _filled(value, window, {}) for name, value in options.params.items()}
    headers = {name: _with_secret(value, reach) for name, value in options.headers.items()}
    with asking(reach, headers) as web:
        cells = list(SHAPES[options.shape](web, url, params, options, window))
    if options.shape == "prometheus":
        options = options.model_copy(update={"date_format": UNIX})
    return source_rows(cells, options, window, f"{urlsplit(url).hostname}{urlsplit(url).path}")


def _filled(text: str, window: Window, variables: Mapping[str, str]) -> str:
    """Put the installation's variables and the window's days into a text."""

    def variable(found: re.Match[str]) -> str:
        if found[1] not in variables:
            raise ConnectorError(f"The source needs a variable {found[1]}; set it in RMO_SOURCE_VARIABLES.")
        return variables[found[1]]

    def day(found: re.Match[str]) -> str:
        at = window.first if found[1] == "first" else window.rhythm.last(window.last)
        return at.strftime(found[2]) if found[2] else at.isoformat()

    return WINDOW_END.sub(day, VARIABLE.sub(variable, text))


def _with_secret(value: str, reach: Reach) -> str:
    if not SECRET.fullmatch(value):
        return value
    word, _, reference = value.rpartition(" ")
    return f"{word} {reach.secret(reference)}".strip()


def _rows(
    web: Asking, url: str, params: Mapping[str, str], options: Options, window: Window
) -> Iterator[Measured]:
    """Read an answer whose shape the definition tells."""
    number = 0
    for data, name in _pages(web, url, params, options):
        rows = _found(options.rows, data, name)
        if not isinstance(rows, list):
            raise ConnectorError(f"{name}: {options.rows!r} gives {shown(rows)}, not a list of rows.")
        for row in rows:
            number += 1
            value = options.value or (None if options.numerator else "value")
            at = _found(options.date, row, name)
            paths = (value, options.numerator, options.denominator)
            yield Measured(f"row {number}", at, tuple(_found(path, row, name) for path in paths))
        if not rows:
            return


def _pages(web: Asking, url: str, params: Mapping[str, str], options: Options) -> Iterator[tuple[Any, str]]:
    for page in range(1, MAX_PAGES + 1):
        paged = {**params, options.page_parameter: str(page)} if options.page_parameter else params
        answer = web.get(url, paged)
        data = _parsed(answer)
        yield data, answer.url
        if not options.page_parameter:
            return
        if options.pages and page >= _page_count(_found(options.pages, data, answer.url), answer.url):
            return
    raise ConnectorError(f"{answer.url} has more than {MAX_PAGES} pages; narrow what is asked for.")


def _world_bank(
    web: Asking, url: str, params: Mapping[str, str], options: Options, window: Window
) -> Iterator[Measured]:
    """Read answers of the World Bank's API, version 2: two things in a list, what is said about the rows and the rows."""
    params = {"format": "json", "per_page": WORLD_BANK_PAGE, **params}
    number = 0
    for page in range(1, MAX_PAGES + 1):
        answer = web.get(url, {**params, "page": str(page)})
        about, rows = _two_parts(_parsed(answer), answer.url)
        for row in rows:
            number += 1
            if not isinstance(row, dict):
                raise ConnectorError(
                    f"{answer.url}: row {number} is {shown(row)}, not a row of the World Bank."
                )
            published_at = _day_of(about.get("lastupdated"))
            yield Measured(f"row {number}", row.get("date"), (row.get("value"), None, None), published_at)
        if page >= _page_count(about.get("pages"), answer.url):
            return
    raise ConnectorError(f"{answer.url} has more than {MAX_PAGES} pages; narrow what is asked for.")


def _two_parts(data: Any, name: str) -> tuple[dict[str, Any], list[Any]]:
    if not isinstance(data, list) or not data or not isinstance(data[0], dict):
        raise ConnectorError(f"{name} does not answer as the World Bank does: {shown(data)}.")
    about = data[0]
    if "message" in about:
        said = _found("message[].value", about, name) or [about["message"]]
        raise ConnectorError(f"{name} says: {' '.join(map(str, said))[:SAID]}.")
    rows = data[1] if len(data) > 1 and data[1] is not None else []
    if not isinstance(rows, list):
        raise ConnectorError(f"{name} gives {shown(rows)} where the World Bank gives a list of rows.")
    return about, rows


def _day_of(text: Any) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), tzinfo=UTC)
    except (TypeError, ValueError):
        return None


def _page_count(count: Any, name: str) -> int:
    try:
        return int(count)
    except (TypeError, ValueError) as error:
        raise ConnectorError(f"{name}: the number of pages is {shown(count)}, not a number.") from error


def _prometheus(
    web: Asking, url: str, params: Mapping[str, str], options: Options, window: Window
) -> Iterator[Measured]:
    """Read the answer to Prometheus' query_range: one series of moments and numbers as text, steps without one left out."""
    times = {
        "start": window.start.strftime(RFC_3339),
        "end": (window.end - timedelta(seconds=1)).strftime(RFC_3339),
        "step": PROMETHEUS_STEP,
    }
    answer = web.get(url, {**times, **params})
    data = _parsed(answer)
    if not isinstance(data, dict) or data.get("status") != "success":
        said = data.get("error") if isinstance(data, dict) else data
        raise ConnectorError(f"{answer.url} does not answer the query: {shown(said)}.")
    series = _found("data.result", data, answer.url)
    if _found("data.resultType", data, answer.url) != "matrix" or not isinstance(series, list):
        raise ConnectorError(
            f"{answer.url} does not answer with a range of moments; ask its /api/v1/query_range."
        )
    if len(series) > 1:
        raise ConnectorError(
            f"{answer.url} gives {len(series)} series; narrow the query, or sum them in it, to one."
        )
    values = _found("[0].values", series, answer.url) if series else []
    for number, pair in enumerate(values or [], start=1):
        if not isinstance(pair, list) or len(pair) != 2:
            raise ConnectorError(f"{answer.url}: value {number} is {shown(pair)}, not a moment and a number.")
        value = None if pair[1] in NOT_NUMBERS else pair[1]
        yield Measured(f"value {number}", pair[0], (value, None, None))


def _found(path: str | None, data: Any, name: str) -> Any:
    """Return what a JMESPath picks out."""
    if path is None:
        return None
    try:
        return jmespath.search(path, data)
    except (JMESPathError, TypeError, ValueError, ArithmeticError) as error:
        raise ConnectorError(f"{name}: {path!r} cannot be worked out on its answer: {error}.") from error


def _parsed(answer: Answer) -> Any:
    """Return an answer's JSON, its numbers with every digit."""
    content = answer.content.strip()
    if not content:
        raise ConnectorError(f"{answer.url} gives an empty answer.", passing=True)
    if "html" in answer.content_type or content.startswith(b"<"):
        raise ConnectorError(
            f"{answer.url} answers with a web page, not with data; perhaps it wants a sign-in."
        )
    try:
        return json.loads(content.decode("utf-8-sig"), parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise ConnectorError(f"{answer.url} does not answer in JSON: {error}.") from error


SHAPES: dict[str, Callable[[Asking, str, Mapping[str, str], Options, Window], Iterator[Measured]]] = {
    "rows": _rows,
    "world_bank": _world_bank,
    "prometheus": _prometheus,
}
