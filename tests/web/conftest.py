"""A small organisation behind the real application, and browsers of its people."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import Engine

from rmo.config import Settings
from rmo.services import people
from rmo.services.evaluation import evaluate
from rmo.storage.database import transaction
from rmo.web import create_app
from rmo.web.context import COOKIE
from tests.world import EXECUTIVE, NOW, TODAY, add_benefit, add_kpi, add_people, give, months, promise


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def on(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Site:
    """The application on a small world."""

    engine: Engine
    app: Flask
    clock: Clock = field(default_factory=Clock)

    def browser(self, email: str = EXECUTIVE) -> FlaskClient:
        """Return a browser in which a person is signed in."""
        with transaction(self.engine) as session:
            token = people.start_session(session, email, now=self.clock())
        client = self.app.test_client()
        client.set_cookie(COOKIE, token)
        return client


def build_world(engine: Engine) -> None:
    """Lay a promise that is met until March 2026, and its people."""
    with transaction(engine) as session:
        add_people(session)
        add_kpi(session)
        add_benefit(session)
        promise(session)
        history = dict(zip(months("2024-01", 12), ["7.0", "7.1", "6.9"] * 4, strict=True))
        kept = {m: f"{max(7 - i / 12, 6):.2f}" for i, m in enumerate(months("2025-01", 15), start=1)}
        give(session, history | kept)
        evaluate(session, now=NOW, today=TODAY)


@pytest.fixture
def make_site(sqlite_engine: Engine) -> Callable[[], Site]:
    """Return what makes the application on an empty database."""

    def make() -> Site:
        clock = Clock()
        settings = Settings(organisation="Northshire Health")
        app = create_app(sqlite_engine, settings, secret_key="k" * 40, clock=clock)
        app.config["WTF_CSRF_ENABLED"] = False  # the form token has tests of its own
        return Site(sqlite_engine, app, clock)

    return make


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """Return the application on the small world."""
    made = make_site()
    build_world(made.engine)
    return made
