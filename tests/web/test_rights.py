"""Every address answers those for whom it is meant, and nobody else; one that says nothing answers nobody."""

import re

import pytest
from flask import Flask
from werkzeug.routing import Rule

from rmo.domain.values import Role
from rmo.services import people
from rmo.storage.database import transaction
from rmo.web.context import EVERYBODY
from tests.web.conftest import Site
from tests.world import NOW

OFFICE = {Role.ANALYST, Role.ADMINISTRATOR}
ANSWER = OFFICE | {Role.OWNER, Role.EXECUTIVE}
MEANT_FOR: dict[
    str, set[Role] | None
] = {  # what is not for everybody who has signed in; None: for strangers too
    "account.sign_in": None,
    "account.sign_in_with_password": None,
    "account.show_link": None,
    "account.use_link": None,
    "benefits.new": OFFICE,
    "benefits.keep": OFFICE,
    "gaps.answer_form": ANSWER,
    "gaps.answer": ANSWER,
    "organisation.office": OFFICE,
    "organisation.add_person": OFFICE,
}
VALUES = {"reference": "NH-0041", "slug": "stay", "gap": "1", "token": "none", "name": "none"}


def routes(app: Flask) -> list[tuple[Rule, str]]:
    """Return every address with each of its methods, but the static files."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


def address(rule: Rule) -> str:
    """Return an address of a route."""
    return re.sub(r"<(?:[^:<>]*:)?(\w+)>", lambda part: str(VALUES[part[1]]), rule.rule)


def add_one_of(site: Site, role: Role) -> str:
    """Add a person of a role and return their address."""
    email = f"{role}@rights.example.org"
    with transaction(site.engine) as session:
        people.add_person(session, email=email, name=role, position=role, role=role, now=NOW, by="test")
    return email


def test_every_route_says_whom_it_is_for(site: Site):
    silent = [rule.endpoint for rule, _ in routes(site.app) if not hasattr(view(site.app, rule), "roles")]

    assert silent == []
    assert set(MEANT_FOR) <= {rule.endpoint for rule, _ in routes(site.app)}


def view(app: Flask, rule: Rule) -> object:
    return app.view_functions[rule.endpoint]


def test_a_route_that_says_nothing_answers_nobody(site: Site):
    site.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")

    assert site.browser().get("/forgotten").status_code == 403
    assert site.app.test_client().get("/forgotten").status_code == 403


@pytest.mark.parametrize("role", list(Role))
def test_a_role_reaches_what_is_meant_for_it_and_nothing_else(site: Site, role: Role):
    email = add_one_of(site, role)
    wrong = []
    for rule, method in routes(site.app):
        answer = site.browser(email).open(address(rule), method=method)
        meant = MEANT_FOR.get(rule.endpoint, set(EVERYBODY))
        allowed = meant is None or role in meant
        if (answer.status_code == 403) == allowed or answer.status_code >= 500:
            wrong.append((method, rule.rule, answer.status_code))

    assert wrong == []


def test_a_stranger_is_asked_to_sign_in_everywhere_but_at_the_door(site: Site):
    wrong = []
    for rule, method in routes(site.app):
        answer = site.app.test_client().open(address(rule), method=method)
        asked = answer.status_code == 302 and answer.location.startswith("/sign-in?next=")
        if asked == (MEANT_FOR.get(rule.endpoint, set()) is None):
            wrong.append((method, rule.rule, answer.status_code))

    assert wrong == []


def test_an_owner_does_not_see_the_gap_of_another(site: Site):
    site.clock.on(days=60)
    nurse = site.browser("nurse@example.org")
    for month, value in (("2026-04-01", "7.4"), ("2026-05-01", "7.5")):
        nurse.post("/readings", data={f"stay.{month}": value})
    other = add_one_of(site, Role.OWNER)

    assert site.browser("owner@example.org").get("/gaps/1").status_code == 200
    assert site.browser(other).get("/gaps/1").status_code == 404
    assert "Answer this gap" not in site.browser(other).get("/benefits/NH-0041").text


def test_a_gap_that_nobody_may_see_and_one_that_never_was_answer_alike(site: Site):
    assert site.browser("owner@example.org").get("/gaps/999").status_code == 404
