"""Whatever somebody sends is refused in words, or kept as it is: never a trace, never half of it, on both databases."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine
from sqlmodel import select

from rmo.config import Settings
from rmo.domain.values import Behaviour, Role
from rmo.services import people
from rmo.storage.database import open_engine, reading, transaction
from rmo.storage.tables import BenefitRow, GapRow, PersonRow, ProgrammeRow, ReadingRow
from rmo.web import create_app
from tests.web.conftest import Clock, Site, build_world
from tests.world import EXECUTIVE, MEASURER, NOW, OWNER, add_kpi, month

ANALYST = "analyst@example.org"
PROMISE = {
    "reference": "NH-0100",
    "title": "Shorter waits",
    "programme": "Waits",
    "project": "Second desk",
    "owner": OWNER,
    "benefit_class": "cashable",
    "kpi": "waits",
    "ramp": "linear",
    "target": "6",
    "baseline": "7",
    "unit_value": "100",
    "claim_share": "10",
    "first": "2025-01-01",
    "full": "2025-06-30",
    "last": "2026-12-31",
}
ANSWER = {"reason": "Lifts broke", "action": "Repair", "owner": OWNER, "due": "2027-01-01"}
PERSON = {"email": "new@example.org", "name": "New", "position": "Clerk", "role": "owner"}


def hostile(engine: Engine) -> Site:
    """Return the small world with an analyst, a ratio, and a gap; it is June."""
    build_world(engine)
    with transaction(engine) as session:
        people.add_person(
            session, email=ANALYST, name="A", position="Analyst", role=Role.ANALYST, now=NOW, by="test"
        )
        add_kpi(session, "waits", name="Waiting time")
        add_kpi(session, "share", name="Share seen", behaviour=Behaviour.RATIO, measurer=MEASURER)
    clock = Clock()
    app: Flask = create_app(engine, Settings(organisation="N"), secret_key="k" * 40, clock=clock)
    app.config["WTF_CSRF_ENABLED"] = False
    made = Site(engine, app, clock)
    clock.on(days=60)
    for period, value in (("2026-04", "7.4"), ("2026-05", "7.6")):
        made.browser(MEASURER).post("/readings", data={f"stay.{month(period)}": value})
    return made


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give one site to all tests after which nothing is different."""
    path = tmp_path_factory.mktemp("hostile") / "rmo.db"
    shutil.copyfile(sqlite_template, path)
    engine = open_engine(f"sqlite:///{path}")
    yield hostile(engine)
    engine.dispose()


@pytest.fixture
def on_both(engine: Engine) -> Site:
    return hostile(engine)


def sent(browser: FlaskClient, path: str, form: Mapping[str, str]) -> tuple[int, str]:
    answer = browser.post(path, data=form)
    return answer.status_code, answer.text


def test_a_null_character_is_refused_wherever_it_comes(on_both: Site):
    office, chief, nurse = on_both.browser(ANALYST), on_both.browser(), on_both.browser(MEASURER)
    statuses = {
        "field": office.post("/benefits/new", data=PROMISE | {"title": "a\0b"}).status_code,
        "name of a field": office.post("/benefits/new", data={"a\0": "b"}).status_code,
        "second of a field": office.post("/benefits/new", data={"title": ["a", "\0"]}).status_code,
        "answer": office.post("/gaps/1", data=ANSWER | {"reason": "\0"}).status_code,
        "person": office.post("/office/people", data=PERSON | {"name": "\0"}).status_code,
        "reading": nurse.post("/readings", data={f"stay.{month('2026-05')}": "6\0"}).status_code,
        "sign-in": on_both.app.test_client().post("/sign-in", data={"email": "\0"}).status_code,
        "query": chief.get("/benefits?q=%00").status_code,
        "path": chief.get("/benefits/NH-0041%00").status_code,
        "no such page": chief.get("/%00").status_code,
    }

    assert set(statuses.values()) == {400}, statuses
    with reading(on_both.engine) as session:
        assert len(session.exec(select(BenefitRow)).all()) == 1
        assert session.get(PersonRow, PERSON["email"]) is None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        pytest.param("target", "1e308", "more than the 38 that are kept", id="the largest float"),
        pytest.param("target", "1e-400", "400 places", id="almost nothing"),
        pytest.param("target", "NaN", "is not a number", id="NaN"),
        pytest.param("target", "-Infinity", "is not a number", id="infinity"),
        pytest.param("target", "١٢٣", "is not a number", id="other digits"),
        pytest.param("target", "9" * 400, "more than the 38 that are kept", id="four hundred digits"),
        pytest.param(
            "target", "1e37", "check the target and the value of a unit", id="a promise of too much"
        ),
        pytest.param("unit_value", "1e30", "check the target and the value of a unit", id="worth too much"),
        pytest.param("unit_value", "0.0000000000001", "13 places", id="worth too little"),
        pytest.param("claim_share", "0.00001", "at least 0.0001", id="a share that is none"),
        pytest.param("claim_share", "-5", "at least 0.0001", id="a negative share"),
        pytest.param("claim_share", "100.0001", "at most 100", id="more than the whole"),
        pytest.param("first", "0001-01-01", "between 1950 and 2150", id="the first day of all"),
        pytest.param("last", "9999-12-31", "between 1950 and 2150", id="the last day of all"),
        pytest.param("title", "x" * 5000, "Keep it under 200 characters", id="a title of many pages"),
        pytest.param("reference", "NH-٤١٢", "letters, a hyphen and digits", id="a reference in other digits"),
        pytest.param("kpi", "__class__", "Choose the KPI", id="a KPI that is none"),
        pytest.param("owner", "' or 1=1 --", "Choose who answers for it", id="an owner who is nobody"),
        pytest.param("ramp", "points", "Choose how", id="a ramp that is not offered"),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused_in_words(site: Site, field: str, value: str, said: str):
    status, text = sent(site.browser(ANALYST), "/benefits/new", PROMISE | {field: value})

    assert (status, said in text) == (422, True)
    with reading(site.engine) as session:
        assert session.get(BenefitRow, PROMISE["reference"]) is None


ODD = {
    "the smallest promise": {"target": "0.000000000001", "baseline": "0"},
    "a twelfth has no end": {"target": "1", "baseline": "0"},
    "the smallest share": {"claim_share": "0.0001"},
    "any script": {"title": "\u202e" + "😀" * 100, "programme": "日本", "project": "日本"},
    "the longest life": {"first": "1950-01-01", "full": "1950-01-01", "last": "2150-12-31"},
}


def test_a_promise_that_is_odd_but_can_be_kept_is_kept(on_both: Site):
    browser = on_both.browser(ANALYST)
    for i, (name, form) in enumerate(ODD.items()):
        reference = f"NH-03{i:02d}"
        assert sent(browser, "/benefits/new", PROMISE | {"reference": reference} | form)[0] == 303, name
        assert browser.get(f"/benefits/{reference}").status_code == 200, name

    assert browser.get("/portfolio").status_code == 200


def test_two_programmes_whose_names_are_written_alike_in_an_address_are_two(on_both: Site):
    browser = on_both.browser(ANALYST)
    for i, name in enumerate(("Waits & desks", "Waits: desks", "日本", "中国")):
        form = PROMISE | {"reference": f"NH-02{i:02d}", "programme": name, "project": name}
        assert sent(browser, "/benefits/new", form)[0] == 303

    with reading(on_both.engine) as session:
        slugs = {row.name: row.slug for row in session.exec(select(ProgrammeRow))}
    assert [slugs[name] for name in ("Waits & desks", "Waits: desks", "日本", "中国")] == [
        "waits-desks",
        "waits-desks-2",
        "unnamed",
        "unnamed-2",
    ]


@pytest.mark.parametrize(
    ("slug", "typed"),
    [
        pytest.param("stay", "1e308", id="the largest float"),
        pytest.param("stay", "1e-400", id="almost nothing"),
        pytest.param("stay", "NaN", id="NaN"),
        pytest.param("stay", "Infinity", id="infinity"),
        pytest.param("stay", "١٢٣", id="other digits"),
        pytest.param("stay", "1." + "0" * 300 + "5", id="longer than what is read of it"),
        pytest.param("stay", " " * 300 + "5", id="behind many blanks"),
        pytest.param("share", "1/0", id="divided by nothing"),
        pytest.param("share", "1e37/1e-12", id="a ratio of too many digits"),
        pytest.param("share", "1e999/1e999", id="a ratio of numbers that cannot be kept"),
        pytest.param("share", "1/2/3", id="two ratios"),
        pytest.param("share", "NaN/1", id="NaN of something"),
    ],
)
def test_a_reading_that_cannot_be_kept_is_refused_and_nothing_is_kept(site: Site, slug: str, typed: str):
    before = kept_readings(site)

    status, text = sent(site.browser(MEASURER), "/readings", {f"{slug}.{month('2026-05')}": typed})

    assert status == 422, text
    assert kept_readings(site) == before


def kept_readings(site: Site) -> int:
    with reading(site.engine) as session:
        return len(session.exec(select(ReadingRow)).all())


def test_an_absurd_reading_is_kept_exactly_and_every_page_can_be_shown(on_both: Site):
    nurse, chief = on_both.browser(MEASURER), on_both.browser()
    for typed in ("1e37", "-99999999999999999999", "0.000000000001"):
        assert sent(nurse, "/readings", {f"stay.{month('2026-05')}": typed})[0] == 303
        on_both.clock.on(minutes=1)
        for path in ("/portfolio", "/benefits", "/benefits/NH-0041", "/kpis", "/kpis/stay", "/gaps"):
            assert chief.get(path).status_code == 200, (typed, path)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01",
        "1899-12-31",
        "9999-12-31",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
        "-1",
        "2026-02-30",
        "٢٠٢٦-٠٣-٣١",
        "99999999999999999999",
    ],
)
@pytest.mark.parametrize("path", ["/portfolio", "/benefits/NH-0041", "/kpis/stay"])
def test_a_moment_of_which_nothing_can_be_known_is_refused_with_what_to_write(
    site: Site, path: str, text: str
):
    answer = site.browser().get(path, query_string={"as_of": text})

    assert (answer.status_code, "write a day such as" in answer.text) == (400, True)


def test_an_early_or_a_late_day_can_be_asked_for(on_both: Site):
    chief = on_both.browser()
    for text in ("1900-01-01", "9999-12-30", "2026-04-14T08:00:00+14:00", "2026-W10-1"):
        for path in ("/portfolio", "/kpis/stay"):
            assert chief.get(path, query_string={"as_of": text}).status_code == 200, (text, path)


NOT_THERE = (
    "/gaps/2147483648",
    "/gaps/9223372036854775808",
    "/gaps/99999999999999999999999",
    "/gaps/-1",
    "/gaps/__class__",
    "/benefits/NH-9999",
    "/benefits/%ff%fe",
    "/benefits/" + "x" * 5000,
    "/kpis/' or 1=1 --",
    "/%2e%2e/etc/passwd",
    "/static/../../config.py",
    "/static/%2e%2e/%2e%2e/config.py",
    "/static//etc/passwd",
    "/help/../../config",
)


def test_what_is_not_there_is_not_there(on_both: Site):
    chief, stranger = on_both.browser(), on_both.app.test_client()
    for path in NOT_THERE:
        assert chief.get(path).status_code in (308, 404), path
        assert stranger.get(path).status_code in (302, 308, 404), path


def test_two_strokes_lead_to_a_page_of_ours_and_nowhere_else(site: Site):
    for path in ("//", "//evil.example/", "/\\evil.example"):
        location = site.browser().get(path).headers.get("Location", "")
        assert "evil.example" not in location.removeprefix("http://localhost/evil.example")


@pytest.mark.parametrize(
    "address",
    [
        "http://[",
        "//[",
        "http://[::1",
        "/\r\nX-Evil: 1",
        "/\u2028",
        "javascript:alert(1)",
        "\\\\evil.example",
    ],
)
def test_an_address_that_is_none_leads_home(site: Site, address: str):
    chief = site.browser()
    where = [chief.get("/sign-in", query_string={"next": address}).headers["Location"]]
    if address.isprintable():
        where.append(
            chief.post("/theme", data={"theme": "dark"}, headers={"Referer": address}).headers["Location"]
        )

    assert set(where) <= {"/", "/alert(1)"}


@pytest.mark.parametrize(
    "host", ["a" * 3000, "http://[", "[", "localhost:99999999", "localhost, evil.example"]
)
def test_a_host_that_is_none_is_refused_in_words(site: Site, host: str):
    answer = site.browser().get("/", headers={"Host": host})

    assert answer.status_code == 400
    assert "could not be understood" in answer.text


@pytest.mark.parametrize("sort", ["__class__", "state; drop table benefit", "", "\u202e", "x" * 5000])
def test_an_order_that_is_not_known_is_the_usual_one(site: Site, sort: str):
    answer = site.browser().get("/benefits", query_string={"sort": sort, "state": sort, "order": sort})

    assert answer.status_code == 200


NOBODY = {
    "a long address": {"email": "x" * 300 + "@example.org"},
    "a second header": {"email": "a\r\nBcc: b@example.org"},
    "a control character": {"email": "a\x1b@example.org"},
    "a long name": {"name": "n" * 5000},
    "a position one character too long": {"position": "p" * 201},
    "a role that is none": {"role": "__class__"},
    "somebody who is there already": {"email": EXECUTIVE.upper()},
}


def test_a_person_who_cannot_be_kept_is_refused_in_words(on_both: Site):
    office = on_both.browser(ANALYST)
    for name, form in NOBODY.items():
        assert sent(office, "/office/people", PERSON | form)[0] == 422, name

    with reading(on_both.engine) as session:
        assert len(session.exec(select(PersonRow)).all()) == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("reason", "r" * 501, id="a reason one character too long"),
        pytest.param("due", "0001-01-01", id="a day long past"),
        pytest.param("due", "99999-01-01", id="a day that is none"),
        pytest.param("owner", "nobody@example.org", id="nobody"),
    ],
)
def test_an_answer_that_cannot_be_kept_is_refused_in_words(site: Site, field: str, value: str):
    status, _ = sent(site.browser(ANALYST), "/gaps/1", ANSWER | {field: value})

    assert status == 422
    with reading(site.engine) as session:
        assert session.get_one(GapRow, 1).reason == ""


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "BREW"])
def test_a_method_that_a_page_does_not_have_is_refused(site: Site, method: str):
    for path in ("/portfolio", "/benefits/NH-0041", "/readings", "/sign-out"):
        assert site.browser().open(path, method=method).status_code == 405


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("application/x-www-form-urlencoded", b"title=%ff%fe&=&&==%%%", id="bad UTF-8"),
        pytest.param(
            "application/x-www-form-urlencoded", b"&".join([b"a=1"] * 3000), id="thousands of fields"
        ),
        pytest.param("multipart/form-data", b"x", id="parts without a boundary"),
        pytest.param("multipart/form-data; boundary=a", b"--a\r\nContent-Disp", id="a part cut off"),
        pytest.param("application/json", b"{", id="another kind"),
        pytest.param(
            "application/x-www-form-urlencoded", b"title=a&title=b&first=1&first=2", id="fields twice"
        ),
    ],
)
def test_a_body_that_is_no_form_is_refused_in_words(site: Site, kind: str, body: bytes):
    office = site.browser(ANALYST)
    for path in ("/benefits/new", "/gaps/1", "/office/people"):
        answer = office.post(path, data=body, content_type=kind)
        assert answer.status_code in (400, 413, 422), path
        assert "Traceback" not in answer.text
