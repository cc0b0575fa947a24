"""The pages: reads the request, calls one service inside one transaction, and answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask
from flask_wtf import CSRFProtect
from sqlalchemy.engine import Engine

from rmo.config import Settings
from rmo.drawing import for_templates
from rmo.paths import data_folder
from rmo.web import (
    account,
    benefits,
    context,
    demo,
    errors,
    gaps,
    handbook,
    kpis,
    organisation,
    portfolio,
    readings,
)

LARGEST_REQUEST = 2_000_000
AREAS = (portfolio, benefits, kpis, readings, gaps, organisation, account, handbook, demo)


@dataclass(frozen=True)
class DemoControls:
    """What the demo adds to the pages: a sentence that says what it is, and a way to go on a month."""

    banner: Callable[[datetime], str]
    next_month: Callable[[], str]


def create_app(
    engine: Engine,
    settings: Settings,
    *,
    secret_key: str,
    clock: Callable[[], datetime],
    demo: DemoControls | None = None,
) -> Flask:
    """Return the application. It never starts a clock."""
    app = Flask(__name__, template_folder=str(data_folder("templates")))
    app.config.update(
        SECRET_KEY=secret_key,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(for_templates.FILTERS)
    app.jinja_env.globals.update(for_templates.GLOBALS)
    context.install(app, context.House(engine, settings, clock, demo))
    CSRFProtect(app)  # after it is known who is there, whom its refusal speaks to
    errors.install(app)
    for area in AREAS:
        app.register_blueprint(area.bp)
    return app
