"""The home page: the CEO's page, a measurer's month, or the first steps of an empty installation."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from rmo.domain.values import Role
from rmo.services import first_steps
from rmo.services.portfolio import portfolio_page
from rmo.storage.moments import FOREVER, a_month_before
from rmo.web import drawings
from rmo.web.context import EVERYBODY, allow, as_of, house, now, person, read, scope, today

bp = Blueprint("portfolio", __name__)


@bp.get("/")
@allow(EVERYBODY)
def home() -> ResponseReturnValue:
    """Show what the person's role comes for."""
    with read() as session:
        steps = first_steps.first_steps(session)
    if not steps.done:
        return render_template("portfolio/first_steps.html", steps=steps)
    if person().role is Role.MEASURER:
        return redirect(url_for("readings.grid"))
    return portfolio()


@bp.get("/portfolio")
@allow(EVERYBODY)
def portfolio() -> ResponseReturnValue:
    """Show the CEO's page."""
    moment = as_of()
    before = a_month_before(min(now(), moment), house().settings.tz)
    with read() as session:
        page = portfolio_page(session, scope=scope(), now=now(), today=today(), before=before, as_of=moment)
    return render_template(
        "portfolio/portfolio.html",
        page=page,
        bridge=drawings.bridge(page),
        columns=drawings.realisation(page),
        bars=drawings.gap_bars(page.gaps),
        past=moment != FOREVER,
        zone=house().settings.tz,
    )
