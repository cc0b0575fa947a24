"""The register and one benefit."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmo.domain.errors import ConflictError
from rmo.domain.values import Problem
from rmo.services.benefit_list import Filters, benefit_list
from rmo.services.benefit_page import benefit_page
from rmo.services.registration import choices, read_registration, register_promise
from rmo.web import charts, drawings
from rmo.web.context import EVERYBODY, OFFICE, allow, as_of, house, now, person, read, scope, today, write

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


@bp.get("/new")
@allow(OFFICE)
def new() -> ResponseReturnValue:
    """Show the form for a new benefit and its promise."""
    return _form({}, [])


@bp.post("/new")
@allow(OFFICE)
def keep() -> ResponseReturnValue:
    """Keep a benefit with its promise, or show the form again with every problem and what was typed."""
    form = request.form.to_dict()
    try:
        with write() as session:
            given, problems = read_registration(session, form)
            if given is not None:
                register_promise(session, given, by=person().email, now=now(), today=today())
    except ConflictError as error:
        return _form(form, [Problem("claim_share", str(error))]), 422
    if given is None:
        return _form(form, problems), 422
    flash(f"{given.reference} is registered, and its promise is approved.")
    return redirect(url_for(".show", reference=given.reference), 303)


def _form(form: dict[str, str], problems: list[Problem]) -> str:
    with read() as session:
        offered = choices(session)
    wrong = {problem.place: problem.message for problem in problems}
    return render_template("benefits/new.html", form=form, problems=problems, wrong=wrong, offered=offered)


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
