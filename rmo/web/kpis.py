"""The KPI library and one KPI."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from rmo.services.kpi_page import kpi_lines, kpi_page, library_headline
from rmo.web import charts, drawings
from rmo.web.context import EVERYBODY, allow, as_of, house, now, read, scope, today

bp = Blueprint("kpis", __name__, url_prefix="/kpis")


@bp.get("")
@allow(EVERYBODY)
def library() -> ResponseReturnValue:
    """Show every KPI with its newest reading."""
    with read() as session:
        lines = kpi_lines(session, scope=scope(), now=now(), as_of=as_of())
    return render_template(
        "kpis/library.html",
        lines=lines,
        headline=library_headline(lines),
        sparklines=drawings.sparklines(lines),
        zone=house().settings.tz,
    )


@bp.get("/<slug>")
@allow(EVERYBODY)
def show(slug: str) -> ResponseReturnValue:
    """Show one KPI."""
    with read() as session:
        page = kpi_page(session, slug, scope=scope(), now=now(), today=today(), as_of=as_of())
    return render_template(
        "kpis/kpi.html",
        page=page,
        chart=drawings.kpi_chart(page),
        variation=drawings.variation(page),
        assurance=drawings.assurance(page),
        explore=charts.kpi_figure(page),
        zone=house().settings.tz,
    )
