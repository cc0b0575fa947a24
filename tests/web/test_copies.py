"""A page that did not change is not sent again, nobody ever sees another's, and every change shows at once."""

import re
from collections.abc import Callable

import pytest
from flask import template_rendered
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from rmo.domain.values import Role
from rmo.services import people
from rmo.storage.database import transaction
from rmo.web import create_app
from rmo.web.context import COOKIE, house
from tests.web.conftest import Site
from tests.world import EXECUTIVE, MEASURER, NOW, OWNER, add_benefit, month, promise

PAGE = "/portfolio"
STRANGER = "another@example.org"


@pytest.fixture
def gap(site: Site) -> Site:
    """Return the small world with an open gap, which some may answer, and a second owner."""
    with transaction(site.engine) as session:
        people.add_person(
            session,
            email=STRANGER,
            name="Another",
            position="Another director",
            role=Role.OWNER,
            now=NOW,
            by="test",
        )
    site.clock.on(days=60)
    nurse = site.browser(MEASURER)
    for period, value in (("2026-04", "7.4"), ("2026-05", "7.5")):
        nurse.post("/readings", data={f"stay.{month(period)}": value})
    return site


def again(browser: FlaskClient, page: TestResponse, path: str = PAGE) -> TestResponse:
    """Ask for a page as a browser does that has a copy of it."""
    return browser.get(path, headers={"If-None-Match": page.headers["ETag"]})


def settled(browser: FlaskClient, path: str = PAGE) -> TestResponse:
    """Return a page as a browser has it once its session has a form token."""
    browser.get(path)
    return browser.get(path)


def form_token(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found[1]


def words_of(page: TestResponse) -> str:
    return re.sub(r'(name="csrf_token" value|nonce)="[^"]*"', "", page.text)


def test_a_page_that_did_not_change_is_not_sent_again(site: Site):
    browser = site.browser()
    page = settled(browser)

    copy = again(browser, page)

    assert (copy.status_code, copy.data) == (304, b"")
    assert copy.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in copy.headers["Vary"]
    assert "Content-Security-Policy" not in copy.headers  # its nonce would not be that of the copy


def test_the_same_page_is_made_once(site: Site):
    browser, made = site.browser(), []
    settled(browser)

    with template_rendered.connected_to(lambda *_, **__: made.append(1), site.app):
        pages = {settled(browser).text for _ in range(3)}

    assert (len(pages), made) == (1, [])


def test_each_session_has_a_form_token_of_its_own(site: Site):
    first, second = site.browser(), site.browser()

    tokens = [form_token(settled(browser)) for browser in (first, second, first, second)]

    assert tokens[0] == tokens[2] != tokens[1] == tokens[3]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda site: site.browser(MEASURER).post("/readings", data={f"stay.{month('2026-05')}": "6.9"}),
            id="a reading",
        ),
        pytest.param(lambda site: site.clock.on(minutes=1), id="the time that the page tells"),
        pytest.param(
            lambda site: site.browser(EXECUTIVE).post("/theme", data={"theme": "dark"}), id="the theme"
        ),
        pytest.param(lambda site: register(site), id="a promise"),
        pytest.param(
            lambda site: site.browser(OWNER).post(
                "/gaps/1",
                data={"reason": "Lifts broke", "action": "Repair", "owner": OWNER, "due": "2026-08-01"},
            ),
            id="an answer",
        ),
    ],
)
def test_whatever_changes_the_page_sends_it_anew(gap: Site, change: Callable[[Site], object]):
    browser = gap.browser()
    page = settled(browser)

    change(gap)

    assert again(browser, page).status_code == 200


def register(site: Site) -> None:
    with transaction(site.engine) as session:
        add_benefit(session, "NH-0042")
        promise(session, "NH-0042", imported=True)


def test_a_change_shows_at_once_in_every_process(gap: Site):
    other = create_app(gap.engine, house_settings(gap), secret_key="o" * 40, clock=gap.clock)
    browser = gap.browser()
    token = browser.get_cookie(COOKIE)
    assert token is not None
    elsewhere = other.test_client()
    elsewhere.set_cookie(COOKIE, token.value)
    before = words_of(settled(elsewhere))

    register(gap)

    assert words_of(settled(elsewhere)) == words_of(settled(browser)) != before


def house_settings(site: Site):
    with site.app.app_context():
        return house().settings


@pytest.mark.parametrize("path", [PAGE, "/", "/portfolio?as_of=2026-06-01"])
def test_nobody_sees_what_was_made_for_another(gap: Site, path: str):
    everybody = (EXECUTIVE, OWNER, STRANGER)
    warm = {email: words_of(settled(gap.browser(email), path)) for email in everybody}

    for email in everybody:
        cold = create_app(gap.engine, house_settings(gap), secret_key="c" * 40, clock=gap.clock).test_client()
        token = gap.browser(email).get_cookie(COOKIE)
        assert token is not None
        cold.set_cookie(COOKIE, token.value)
        assert words_of(settled(cold, path)) == warm[email]


def test_only_who_may_answer_a_gap_is_led_there(gap: Site):
    led = {
        email: "/gaps/1" in gap.browser(email).get(PAGE).text
        for email in (EXECUTIVE, OWNER, STRANGER, MEASURER)
    }

    assert led == {EXECUTIVE: True, OWNER: True, STRANGER: False, MEASURER: False}


def test_a_copy_of_one_person_does_not_hold_for_another(gap: Site):
    page = settled(gap.browser(OWNER))
    other = gap.browser(STRANGER)
    settled(other)

    assert again(other, page).status_code == 200


def test_a_copy_does_not_hold_after_signing_out(site: Site):
    browser = site.browser()
    page = settled(browser)
    browser.post("/sign-out")

    assert again(browser, page).status_code == 302


def test_a_copy_of_today_does_not_hold_for_a_past_day(site: Site):
    browser = site.browser()
    page = settled(browser)

    assert again(browser, page, f"{PAGE}?as_of=2026-03-01").status_code == 200


def test_a_copy_with_an_old_form_token_does_not_hold(site: Site):
    browser = site.browser()
    page = settled(browser)
    browser.delete_cookie("session")

    assert again(browser, page).status_code == 200


def test_what_is_said_once_is_not_said_again_by_a_copy(site: Site):
    browser = site.browser()
    page = settled(browser)
    browser.post("/theme", data={"theme": "pink"})

    told = again(browser, page)

    assert told.status_code == 200
    assert "There is no such choice" in told.text
    assert "ETag" not in told.headers
    assert "There is no such choice" not in browser.get(PAGE).text
