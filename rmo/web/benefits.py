"""The register and one benefit."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from rmo.services.benefit_list import Filters, benefit_list
from rmo.services.benefit_page import benefit_page
from rmo.web import charts, drawings
from rmo.web.context import EVERYBODY, allow, as_of, house, now, read, scope, today

bp = Blueprint("benefits", __name__, url_prefix="/benefits")


@bp.get("")
@allow(EVERYBODY)
def register() -> ResponseReturnValue:
    """Show the register, filtered and sorted as the address says."""
    filters = Filters.from_address(request.args)
    with read() as session:
        page = benefit_list(session, filters, scope=scope(), now=now(), as_of=as_of())
    return render_template(
        "benefits/register.html",
        page=page,
        filters=filters,
        bars=drawings.standing_bars(page.rows),
        zone=house().settings.tz,
    )


@bp.get("/<reference>")
@allow(EVERYBODY)
def show(reference: str) -> ResponseReturnValue:
    """Show one benefit."""
    with read() as session:
        page = benefit_page(session, reference, scope=scope(), now=now(), today=today(), as_of=as_of())
    if page is None:
        return render_template("benefits/unpromised.html", reference=reference)
    return render_template(
        "benefits/benefit.html",
        page=page,
        chart=drawings.benefit_chart(page),
        bar=drawings.benefit_bar(page),
        explore=charts.benefit_figure(page),
        zone=house().settings.tz,
    )
