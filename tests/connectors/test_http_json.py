"""Answers in JSON: any shape, the World Bank's, Prometheus', and all that can go wrong on the way."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rmo.connectors import Reach, Window, http_json, secrets_from
from rmo.connectors.http_json import Options, fetch
from rmo.connectors.shared.web import Answer
from rmo.demo.feed import GDP_PATH, TAXI_PATH, serve_feed
from rmo.domain.calendar import Rhythm
from rmo.domain.errors import ConnectorError
from rmo.domain.values import Frequency, SourceRow
from tests.connectors.conftest import JSON, Web, void

YEARS = Window(Rhythm(Frequency.YEAR), date(2010, 1, 1), date(2018, 1, 1))
DAYS = Window(Rhythm(Frequency.DAY), date(2014, 3, 7), date(2014, 3, 9))
DEMO = Path(__file__).parents[2] / "rmo" / "demo" / "data"
DATA = Path(__file__).parents[1] / "data"


def fetched(
    web: Web, window: Window = YEARS, *, reach: dict[str, Any] | None = None, **options: Any
) -> list[SourceRow]:
    settled = Options.model_validate({"url": f"{web.url}/data", **options})
    return fetch(settled, window, Reach(**{"hosts": (web.host,), "timeout": 3.0, **(reach or {})}))


def refused(web: Web, window: Window = YEARS, *, passing: bool = False, **more: Any) -> str:
    with pytest.raises(ConnectorError) as caught:
        fetched(web, window, **more)
    assert caught.value.passing is passing
    return str(caught.value)


def as_json(data: Any) -> bytes:
    return json.dumps(data).encode()


def world_bank_page(page: int, pages: int, rows: list[Any] | None) -> bytes:
    return as_json([{"page": page, "pages": pages, "per_page": "2", "lastupdated": "2019-07-10"}, rows])


# rows picked by JMESPath


def test_rows_date_and_value_are_picked_out_exactly(web):
    web.give(
        "/data",
        b'{"out": [{"when": {"y": "2017"}, "v": 12345678901234567890.10}, {"when": {"y": "2018"}, "v": null}]}',
    )

    rows = fetched(web, rows="out", date="when.y", value="v")

    assert [(row.at, str(row.value), row.place) for row in rows] == [
        (date(2017, 1, 1), "12345678901234567890.10", "row 1")
    ]


def test_a_ratio_is_picked_out_as_two(web):
    web.give("/data", as_json([{"date": "2017", "late": 1, "all": 4}]))

    [row] = fetched(web, numerator="late", denominator="all")

    assert (row.numerator, row.denominator) == (Decimal(1), Decimal(4))


def test_the_question_tells_the_window_and_the_installation_s_variables(web):
    web.give("/v1/data", b"[]")

    fetched(
        web, url="${base}/v1/data", params={"from": "{first}", "to": "{last}", "year": "{first:%Y}"},
        reach={"variables": {"base": web.url}},
    )  # fmt: skip

    assert web.asked[0][0] == "/v1/data?from=2010-01-01&to=2018-12-31&year=2010"


def test_a_variable_that_is_not_set_is_told(web):
    assert "needs a variable base; set it in RMO_SOURCE_VARIABLES" in refused(web, url="${base}/x")


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        pytest.param({"pages": "meta.pages"}, 2, id="as many pages as are said"),
        pytest.param({}, 3, id="until one is empty"),
    ],
)
def test_pages_are_followed(web, more, asked):
    for number, page in enumerate(["2017", "2018", None], start=1):
        rows = [{"date": page, "value": number}] if page else []
        web.give(f"/data?page={number}", as_json({"meta": {"pages": "2"}, "rows": rows}))

    found = fetched(web, rows="rows", page_parameter="page", **more)

    assert [(row.value, row.place) for row in found] == [(Decimal(1), "row 1"), (Decimal(2), "row 2")]
    assert len(web.asked) == asked


def test_bytes_are_counted_over_all_pages(web):
    web.give("/data", as_json([{"date": "2017", "value": 1, "fill": "x" * 4_000}]))

    assert "more than the 10,000 bytes" in refused(web, page_parameter="page", reach={"max_bytes": 10_000})


@pytest.mark.parametrize(
    ("body", "options", "message"),
    [
        pytest.param(b'{"rows": 3}', {"rows": "rows"}, "'rows' gives '3', not a list of rows.", id="no list"),
        pytest.param(b"{}", {"rows": "rows"}, "'rows' gives 'None', not a list", id="renamed"),
        pytest.param(
            b'[{"date": "2017", "value": "many"}]',
            {},
            "row 1: value: 'many' is not a number",
            id="text for a number",
        ),
        pytest.param(
            b'[{"date": "2017", "value": NaN}]', {}, "row 1: value: 'NaN' is not a number", id="NaN"
        ),
        pytest.param(
            b'[{"date": "2017", "value": "NaN"}]', {}, "row 1: value: 'NaN' is not a number", id="NaN as text"
        ),
        pytest.param(
            b'[{"date": "2017", "value": true}]', {}, "row 1: value: 'True' is not a number", id="truth"
        ),
        pytest.param(b'[{"date": "2017", "value": [1]}]', {}, "is not a number", id="list for a number"),
        pytest.param(b'[{"date": null, "value": 1}]', {}, "row 1: 'None' is not a date.", id="no date"),
        pytest.param(b"[1, 2]", {}, None, id="rows that are no objects have no value"),
        pytest.param(
            b'[{"date": "2017", "value": ' + b"9" * 5_000 + b"}]",
            {},
            "does not answer in JSON",
            id="endless number",
        ),
        pytest.param(b'{"rows": []', {}, "does not answer in JSON", id="broken off"),
        pytest.param(b"\xff\xfe[\x00]\x00", {}, "does not answer in JSON", id="not UTF-8"),
        pytest.param(
            b"[1.5]", {"rows": "sum(@)"}, "cannot be worked out on its answer", id="a sum of what has places"
        ),
    ],
)
def test_what_does_not_fit_is_told(web, body, options, message):
    web.give("/data", body)

    if message is None:
        assert fetched(web, **options) == []
    else:
        assert message in refused(web, **options)


# the World Bank


def test_the_world_bank_s_answer_gives_years_with_their_publication(web):
    web.give("/data", (DEMO / "worldbank_api_v2_gbr.json").read_bytes())

    rows = fetched(web, shape="world_bank")

    assert [row.at for row in rows] == [date(year, 1, 1) for year in range(2018, 2009, -1)]
    assert (rows[0].value, rows[0].published_at) == (
        Decimal("1849701962800.0"),
        datetime(2019, 7, 10, tzinfo=UTC),
    )


def test_the_world_bank_s_pages_are_followed(web):
    web.give("/data?format=json&per_page=1000&page=1", world_bank_page(1, 2, [{"date": "2018", "value": 2}]))
    web.give(
        "/data?format=json&per_page=1000&page=2", world_bank_page(2, 2, [{"date": "2017", "value": None}])
    )

    rows = fetched(web, shape="world_bank")

    assert [(row.at.year, row.value) for row in rows] == [(2018, Decimal(2))]
    assert len(web.asked) == 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(
            b'[{"message": [{"id": "120", "key": "Invalid value", "value": "The provided parameter value is not valid"}]}]',
            "says: The provided parameter value is not valid", id="its own error",
        ),
        pytest.param(b'{"error": 1}', "does not answer as the World Bank does", id="something else"),
        pytest.param(b"[]", "does not answer as the World Bank does", id="nothing"),
        pytest.param(b'[{"pages": 1}, {"a": 1}]', "where the World Bank gives a list of rows", id="no rows"),
        pytest.param(b'[{"pages": 1}, [7]]', "row 1 is '7', not a row of the World Bank", id="a row that is none"),
        pytest.param(b'[{"pages": "x"}, []]', "the number of pages is 'x', not a number", id="pages that are none"),
        pytest.param(b'[{"pages": 9999}, []]', "more than 500 pages", id="pages without end"),
    ],
)  # fmt: skip
def test_what_the_world_bank_does_not_say_is_told(web, body, message):
    web.give("/data", body)

    assert message in refused(web, shape="world_bank")


def test_nothing_found_at_the_world_bank_is_no_mistake(web):
    web.give("/data", b'[{"page": 0, "pages": 0, "per_page": 0, "lastupdated": null, "total": 0}, null]')

    assert fetched(web, shape="world_bank") == []


# Prometheus


def test_prometheus_answer_gives_moments_of_the_days_that_are_asked_for(web):
    web.give("/data", (DATA / "prometheus_query_range.json").read_bytes())

    rows = fetched(web, DAYS, shape="prometheus", params={"query": "latency"})

    assert rows[0].at == datetime(2014, 3, 7, 3, 41, tzinfo=UTC)
    assert rows[0].value == Decimal("45.868")
    assert len(rows) > 500
    assert {DAYS.period_of(row.at) for row in rows} == {date(2014, 3, day) for day in (7, 8, 9)}
    assert (
        web.asked[0][0]
        == "/data?start=2014-03-07T00%3A00%3A00Z&end=2014-03-09T23%3A59%3A59Z&step=1h&query=latency"
    )


def test_prometheus_days_begin_in_the_source_s_zone(web):
    web.give("/data", b'{"status": "success", "data": {"resultType": "matrix", "result": []}}')
    window = Window(DAYS.rhythm, DAYS.first, DAYS.last, ZoneInfo("America/New_York"))

    assert fetched(web, window, shape="prometheus", params={"query": "up", "step": "5m"}) == []
    assert "start=2014-03-07T05%3A00%3A00Z&end=2014-03-10T03%3A59%3A59Z&step=5m" in web.asked[0][0]


def test_what_is_not_a_number_in_prometheus_is_missing(web):
    values = [[1394163660, "NaN"], [1394163960.5, "+Inf"], [1394164260, "7"]]
    web.give(
        "/data",
        as_json({"status": "success", "data": {"resultType": "matrix", "result": [{"values": values}]}}),
    )

    [row] = fetched(web, DAYS, shape="prometheus")

    assert (row.value, row.place) == (Decimal(7), "value 3")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        pytest.param({"status": "error", "error": "query timed out"}, 200, "'query timed out'", id="its own error"),
        pytest.param(
            {"status": "error", "error": "exceeded maximum resolution of 11,000 points"}, 400,
            "(status 400: 'exceeded maximum resolution of 11,000 points')", id="its own error with a status",
        ),
        pytest.param({"status": "success", "data": {"resultType": "vector", "result": []}}, 200, "query_range", id="an instant"),
        pytest.param(
            {"status": "success", "data": {"resultType": "matrix", "result": [{"values": []}, {"values": []}]}}, 200,
            "gives 2 series; narrow the query", id="two series",
        ),
        pytest.param(
            {"status": "success", "data": {"resultType": "matrix", "result": [{"values": [[1]]}]}}, 200,
            "value 1 is '[1]', not a moment and a number", id="half a value",
        ),
        pytest.param(
            {"status": "success", "data": {"resultType": "matrix", "result": [{"values": [["x", "1"]]}]}}, 200,
            "value 1: 'x' is not a moment in seconds since 1970", id="no moment",
        ),
        pytest.param({"status": "success"}, 200, "query_range", id="nothing"),
        pytest.param([1], 200, "does not answer the query", id="something else"),
    ],
)  # fmt: skip
def test_what_prometheus_does_not_say_is_told(web, body, status, message):
    web.give("/data", as_json(body), status=status)

    assert message in refused(web, DAYS, shape="prometheus")


# on the way


@pytest.mark.parametrize(
    ("status", "passing", "message"),
    [
        pytest.param(401, False, "wants a sign-in; check the source's secret (status 401).", id="401"),
        pytest.param(403, False, "refuses to answer", id="403"),
        pytest.param(404, False, "has nothing there; check the address (status 404).", id="404"),
        pytest.param(418, False, "does not answer with data (status 418).", id="418"),
        pytest.param(
            429, True, "is asked too often and wants a pause of 120 seconds (status 429).", id="429"
        ),
        pytest.param(500, True, "has a fault of its own (status 500).", id="500"),
        pytest.param(503, True, "has a fault of its own (status 503).", id="503"),
        pytest.param(204, False, "does not answer with data (status 204).", id="204"),
        pytest.param(304, False, "does not answer with data (status 304).", id="304"),
    ],
)
def test_a_status_is_told_and_known_to_pass_or_not(web, status, passing, message):
    web.give("/data", b"", status=status, Retry_After="120")

    assert message in refused(web, passing=passing)


def test_a_page_to_sign_in_is_told(web):
    web.give("/data", b"<html>Sign in</html>", kind="text/html; charset=utf-8")

    assert "answers with a web page, not with data; perhaps it wants a sign-in." in refused(web)


def test_what_follows_the_question_mark_is_in_no_message(web):
    assert "S3CRET" not in refused(web, params={"key": "S3CRET"})


def test_secrets_are_sent_and_never_told(web):
    web.give("/data", b"[]")
    secret = secrets_from({"RMO_SOURCE_SECRET_FEED": "S3CRET"})
    headers = {"Authorization": "Bearer env:RMO_SOURCE_SECRET_FEED", "X-Region": "north"}

    fetched(web, headers=headers, reach={"secret": secret})

    assert web.asked[0][1]["authorization"] == "Bearer S3CRET"
    assert web.asked[0][1]["x-region"] == "north"
    web.give("/data", b"no", status=401)
    assert "S3CRET" not in refused(web, headers=headers, reach={"secret": secret})


def test_a_secret_that_is_not_there_is_told(web):
    message = refused(
        web, headers={"Authorization": "env:RMO_SOURCE_SECRET_X"}, reach={"secret": secrets_from({})}
    )

    assert "The secret env:RMO_SOURCE_SECRET_X is not there" in message


def test_a_redirect_is_followed_without_taking_secrets_to_another_host(web, other_web):
    further = other_web.give("/further", as_json([{"date": "2017", "value": 1}]))
    web.give("/data", b"", status=302, Location="/same")
    web.give("/same", b"", status=307, Location=further)
    reach = {"hosts": (web.host, other_web.host), "secret": secrets_from({"RMO_SOURCE_SECRET_A": "S3CRET"})}

    rows = fetched(web, headers={"X-Api-Key": "env:RMO_SOURCE_SECRET_A"}, reach=reach)

    assert len(rows) == 1
    assert [asked[1].get("x-api-key") for asked in web.asked] == ["S3CRET", "S3CRET"]
    assert "x-api-key" not in other_web.asked[0][1]


def test_redirects_without_end_are_left(web):
    web.give("/data", b"", status=302, Location="/data")

    assert "leads from one address to the next, more than 3 times" in refused(web)
    assert len(web.asked) == 4


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://x/y", "gopher://x"])
def test_a_redirect_out_of_the_web_is_refused(web, location):
    web.give("/data", b"", status=302, Location=location)

    assert "is not an address of the web" in refused(web)


def test_a_packed_answer_is_unpacked_up_to_what_is_allowed(web):
    web.give("/data", gzip.compress(as_json([{"date": "2017", "value": 1}])), Content_Encoding="gzip")
    assert len(fetched(web)) == 1

    bomb = gzip.compress(b" " * 30_000_000)
    assert len(bomb) < 40_000
    web.give("/data", bomb, Content_Encoding="gzip")
    assert "more than the 100,000 bytes" in refused(web, reach={"max_bytes": 100_000})


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_an_answer_in_another_encoding_is_refused(web, encoding):
    web.give("/data", b"xxxx", Content_Encoding=encoding)

    assert "in an encoding that was not asked for" in refused(web)


def test_an_answer_that_does_not_unpack_may_pass(web):
    web.give("/data", b"this is not gzip", Content_Encoding="gzip")

    assert "does not unpack" in refused(web, passing=True)


def test_an_answer_cut_off_may_pass(web):
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"[1")

    web.do("/data", write)

    assert "cannot be reached" in refused(web, passing=True)


def test_headers_that_drip_are_left_at_the_time_limit(web):
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.flush_headers()
        while not web.stop.wait(0.02):
            handler.wfile.write(b"x")

    web.do("/data", write)

    assert "did not answer within 0.4 seconds" in refused(web, passing=True, reach={"timeout": 0.4})


def test_what_is_no_answer_of_the_web_is_told(web):
    web.do("/data", lambda handler: void(handler.wfile.write(b"SSH-2.0-nonsense\r\n\r\n")))

    assert "cannot be reached" in refused(web, passing=True)


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2017", "2018"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "date",
                    "value",
                    "pages",
                    "message",
                    "status",
                    "data",
                    "result",
                    "resultType",
                    "values",
                    "lastupdated",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(answer=ANY_JSON, shape=st.sampled_from(["rows", "world_bank", "prometheus"]))
@example(answer=[{"message": 5}], shape="world_bank")
@example(answer=[{"message": None}, []], shape="world_bank")
@example(answer={"status": "success", "data": {"resultType": "matrix", "result": [5]}}, shape="prometheus")
@example(
    answer={"status": "success", "data": {"resultType": "matrix", "result": [{"values": [[1, {}]]}]}},
    shape="prometheus",
)
def test_any_answer_gives_rows_or_a_sentence(answer, shape):
    said = Answer("http://x/data", json.dumps(answer).encode(), JSON)

    @contextmanager
    def asked_nobody(reach: Reach, headers: Any) -> Iterator[Any]:
        yield SimpleNamespace(get=lambda url, params: said)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_json, "asking", asked_nobody)
        try:
            rows = fetch(Options.model_validate({"url": "http://x/data", "shape": shape}), YEARS, Reach())
        except ConnectorError as error:
            assert str(error)
        else:
            assert all(row.value is not None for row in rows)


# options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"url": "ftp://x/y"}, "begins with http:// or https://", id="not the web"),
        pytest.param({"url": "data.json"}, "begins with http:// or https://", id="no host"),
        pytest.param({"url": "http://[::1"}, "begins with http:// or https://", id="broken address"),
        pytest.param(
            {"url": "https://me:secret@x/y"}, "holds a name or password", id="password in the address"
        ),
        pytest.param(
            {"headers": {"Authorization": "Bearer abc"}},
            "is a secret; write env:RMO_SOURCE_SECRET_NAME",
            id="open secret",
        ),
        pytest.param({"headers": {"X-Api-Key": "abc"}}, "is a secret", id="open key"),
        pytest.param({"headers": {"Host": "x"}}, "cannot be set", id="host"),
        pytest.param({"headers": {"A\r\nB": "x"}}, "cannot be set", id="line break in a name"),
        pytest.param({"headers": {"X-A": "x\r\nB: y"}}, "write plain ASCII", id="line break in a value"),
        pytest.param({"rows": "a[?"}, "is not a JMESPath expression", id="broken expression"),
        pytest.param({"numerator": "a"}, "give numerator and denominator together", id="half a ratio"),
        pytest.param(
            {"shape": "world_bank", "value": "x"}, "knows its rows, value and pages", id="shape and value"
        ),
        pytest.param(
            {"shape": "soap"}, "Input should be 'rows', 'world_bank' or 'prometheus'", id="unknown shape"
        ),
    ],
)
def test_options_that_cannot_work_are_refused(options, message):
    with pytest.raises(ValueError) as caught:
        Options.model_validate({"url": "https://example.org/x", **options})

    assert message in str(caught.value)


# the demo's own feed


def test_the_demo_s_feed_is_read_like_any_other():
    feed = serve_feed(lambda: date(2018, 2, 1))
    reach = Reach(hosts=(feed.url.removeprefix("http://"),), variables={"demo_feed": feed.url})
    days = Window(Rhythm(Frequency.DAY), date(2014, 12, 31), date(2018, 1, 31))

    gdp = fetch(Options(url=f"${{demo_feed}}{GDP_PATH}", shape="world_bank"), YEARS, reach)
    taxi = fetch(
        Options(
            url=f"${{demo_feed}}{TAXI_PATH}",
            params={"from": "{first}", "to": "{last}"},
            rows="days",
            value="trips",
        ),
        days,
        reach,
    )
    feed.close()

    assert [row.at.year for row in gdp] == list(range(2016, 2009, -1))
    assert len(taxi) == 32
    assert (taxi[0].at, taxi[0].value) == (date(2014, 12, 31), Decimal(704941))
