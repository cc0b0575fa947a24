"""The home page: the CEO's page, a measurer's month, or the first steps of an empty installation."""

from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlmodel import Session

from rmo.domain.values import Role
from rmo.drawing import words
from rmo.drawing.svg import Drawing
from rmo.services import first_steps
from rmo.services.portfolio import PortfolioPage, portfolio_page
from rmo.storage.audit import revision
from rmo.storage.moments import FOREVER, a_month_before
from rmo.web import drawings
from rmo.web.context import EVERYBODY, allow, as_of, house, now, person, read, scope, today
from rmo.web.copies import page_or_unchanged

bp = Blueprint("portfolio", __name__)


@dataclass(frozen=True)
class Drawn:
    """The page and its drawings: what is the same for everybody of one scope."""

    page: PortfolioPage
    bridge: Drawing | None
    columns: Drawing | None
    bars: list[Markup]


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
    moment, zone = as_of(), house().settings.tz
    before = a_month_before(min(now(), moment), zone)
    with read() as session:
        made_from = revision(session), scope(), moment, before, today()
        drawn = house().kept.get(("portfolio", *made_from), lambda: _drawn(session, moment, before))
    known_at = min(now(), moment)
    return page_or_unchanged(
        "portfolio/portfolio.html",
        (made_from, words.moment(known_at, zone)),
        page=replace(drawn.page, known_at=known_at),
        bridge=drawn.bridge,
        columns=drawn.columns,
        bars=drawn.bars,
        past=moment != FOREVER,
        zone=zone,
    )


def _drawn(session: Session, moment: datetime, before: datetime) -> Drawn:
    page = portfolio_page(session, scope=scope(), now=now(), today=today(), before=before, as_of=moment)
    return Drawn(page, drawings.bridge(page), drawings.realisation(page), drawings.gap_bars(page.gaps))
