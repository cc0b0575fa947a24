"""What keeps a browser safe: headers on every answer, form tokens, one host, no way out, and text that stays text."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from rmo.domain.values import Role
from rmo.services import people
from rmo.services.evaluation import evaluate
from rmo.storage.database import transaction
from rmo.storage.tables import PersonRow
from tests.web.conftest import Site
from tests.world import (
    EXECUTIVE,
    MEASURER,
    NOW,
    OWNER,
    TODAY,
    add_benefit,
    add_kpi,
    add_people,
    give,
    months,
    promise,
)

PASSWORD = "a long enough password"
PAYLOADS = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "quote": "' onmouseover='alert(1)",
    "out of a script": "</script><svg onload=alert(1)>",
    "template": "{{ 7 * 7 }}{% raw %}",
    "comment": "--><!-- <b>",
}


def answers(site: Site) -> dict[str, tuple[int, dict[str, str]]]:
    """Return status and headers of an answer of every kind."""
    chief, stranger = site.browser(EXECUTIVE), site.app.test_client()
    asked = {
        "page": chief.get("/"),
        "sent on": stranger.get("/"),
        "sign-in": stranger.get("/sign-in"),
        "used link": stranger.get("/sign-in/none"),
        "not understood": chief.get("/?as_of=yesterday"),
        "not for the role": chief.get("/office"),
        "no such page": chief.get("/nowhere"),
        "no such benefit": chief.get("/benefits/NONE-1"),
        "not in that way": chief.put("/benefits"),
        "too large": chief.post("/readings", data={"a": "x" * 2_100_000}),
        "another host": stranger.get("/", headers={"Host": "evil.example"}),
        "refused form": chief.post("/sign-in", data={"email": "x", "password": "y"}),
    }
    return {name: (answer.status_code, dict(answer.headers)) for name, answer in asked.items()}


def test_every_answer_carries_the_headers_and_a_fresh_policy(site: Site):
    found = answers(site)

    assert {name: status for name, (status, _) in found.items()} == {
        "page": 200,
        "sent on": 302,
        "sign-in": 200,
        "used link": 410,
        "not understood": 400,
        "not for the role": 403,
        "no such page": 404,
        "no such benefit": 404,
        "not in that way": 405,
        "too large": 413,
        "another host": 400,
        "refused form": 422,
    }
    for name, (_, headers) in found.items():
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy, name
        assert "form-action 'self'" in policy and "frame-ancestors 'none'" in policy, name
        assert headers["X-Content-Type-Options"] == "nosniff", name
        assert headers["Referrer-Policy"] == "same-origin", name
        assert headers["Cache-Control"] == "private, no-cache", name
    policies = [headers["Content-Security-Policy"] for _, headers in found.values()]
    assert len(set(policies)) == len(policies)


@pytest.mark.parametrize("path", ["/", "/benefits", "/benefits/NH-0041", "/kpis/stay", "/gaps", "/nowhere"])
def test_no_page_needs_what_the_policy_forbids(site: Site, path: str):
    html = site.browser(EXECUTIVE).get(path).text

    assert not re.search(r"<script(?![^>]*(src=|application/json))", html)
    assert not re.search(r"""\s(style|on\w+)\s*=\s*["']""", html)
    assert "javascript:" not in html


def test_an_error_tells_what_is_safe_and_never_shows_a_trace(site: Site):
    def fall() -> str:
        raise RuntimeError("secret 4711")

    fall.roles = None  # type: ignore[attr-defined]
    site.app.add_url_rule("/fall", "fall", fall)

    answer = site.browser().get("/fall")

    assert answer.status_code == 500
    assert "What was kept before is safe" in answer.text
    assert re.search(r"Reference E-[0-9a-f]{6}", answer.text)
    assert "4711" not in answer.text and "Traceback" not in answer.text


def test_a_form_without_its_token_is_refused_in_words_and_changes_nothing(site: Site):
    site.app.config["WTF_CSRF_ENABLED"] = True
    site.clock.on(days=30)
    nurse = site.browser(MEASURER)

    answer = nurse.post("/readings", data={"stay.2026-04-01": "1.11"})

    assert answer.status_code == 400
    assert "Load the page again" in answer.text
    assert "Nothing was changed" in answer.text
    assert "1.11" not in nurse.get("/kpis/stay").text


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "evil.example:8000"]
)
def test_another_host_is_refused_before_anything_else(site: Site, host: str):
    answer = site.browser().get("/", headers={"Host": host})

    assert answer.status_code == 400
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "///evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "benefits",
        "",
    ],
)
def test_signing_in_leads_only_to_a_page_of_ours(site: Site, target: str):
    with transaction(site.engine) as session:
        people.set_password(session, EXECUTIVE, PASSWORD, now=NOW, by="test")
    form = {"email": EXECUTIVE, "password": PASSWORD, "next": target}
    stranger = site.app.test_client()

    assert stranger.post("/sign-in", data=form).location == "/"
    assert stranger.get("/sign-in", query_string={"next": target}).location == "/"


def test_signing_in_leads_on_to_what_was_asked_for(site: Site):
    with transaction(site.engine) as session:
        people.set_password(session, EXECUTIVE, PASSWORD, now=NOW, by="test")
    asked = site.app.test_client().get("/benefits?state=kept").location
    form = {"email": EXECUTIVE, "password": PASSWORD, "next": "/benefits?state=kept"}

    assert asked == "/sign-in?next=/benefits?state%3Dkept"
    assert site.app.test_client().post("/sign-in", data=form).location == "/benefits?state=kept"


@pytest.fixture
def marked(make_site: Callable[[], Site], request: pytest.FixtureRequest) -> Site:
    """Return a world in which everything that people may write is one payload, with an open gap."""
    text, site = request.param, make_site()
    with transaction(site.engine) as session:
        add_people(session)
        for email in (OWNER, MEASURER, EXECUTIVE):
            person = session.get(PersonRow, email)
            assert person is not None
            person.position = person.name = text
        people.add_person(
            session,
            email="analyst@example.org",
            name=text,
            position=text,
            role=Role.ANALYST,
            now=NOW,
            by=text,
        )
        add_kpi(session, name=text, description=text, unit=text[:20], origin=text)
        add_benefit(session, title=text, description=text)
        promise(session)
        fell = dict.fromkeys(months("2024-01", 12), "7.0") | dict.fromkeys(months("2025-01", 15), "8.0")
        give(session, fell)
        evaluate(session, now=NOW, today=TODAY)
    answer = {"reason": text, "action": text, "owner": OWNER, "due": "2026-08-01"}
    kept = site.browser(OWNER).post("/gaps/1", data=answer)
    assert kept.status_code == 303, kept.text
    return site


@pytest.mark.parametrize(
    "marked", [pytest.param(text, id=name) for name, text in PAYLOADS.items()], indirect=True
)
def test_what_people_write_is_shown_as_it_was_written_and_never_run(
    marked: Site, request: pytest.FixtureRequest
):
    text = request.node.callspec.params["marked"]
    office, nurse = marked.browser("analyst@example.org"), marked.browser(MEASURER)
    for who, path in (
        (office, "/portfolio"),
        (office, "/benefits"),
        (office, "/benefits/NH-0041"),
        (office, "/benefits/new"),
        (office, "/kpis"),
        (office, "/kpis/stay"),
        (office, "/gaps"),
        (office, "/gaps/1"),
        (office, "/office"),
        (nurse, "/readings"),
    ):
        html = shown(who, path)
        assert str(escape(text)) in html, path
        assert text not in html or text == str(escape(text)), path


def shown(who: FlaskClient, path: str) -> str:
    answer = who.get(path)
    assert answer.status_code == 200, path
    return answer.text


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in PAYLOADS.items()])
def test_what_is_refused_comes_back_as_it_was_typed_and_never_runs(site: Site, text: str):
    site.clock.on(days=30)
    for page in (
        site.browser(MEASURER).post("/readings", data={"stay.2026-04-01": text}),
        site.browser(EXECUTIVE).get("/benefits", query_string={"q": text}),
        site.app.test_client().post("/sign-in", data={"email": text, "password": "x", "next": text}),
    ):
        assert str(escape(text)) in page.text
        assert text not in page.text or text == str(escape(text))
