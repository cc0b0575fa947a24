"""The office's list of open gaps, and the answers of those who own them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rmo.domain.values import Role
from rmo.services.gaps import Answer, answer_gap, gap_list, gap_to_answer
from rmo.storage.moments import FOREVER
from rmo.web import drawings
from rmo.web.context import EVERYBODY, OFFICE, allow, as_of, house, now, person, read, scope, today, write

bp = Blueprint("gaps", __name__, url_prefix="/gaps")


@bp.get("")
@allow(EVERYBODY)
def work_list() -> ResponseReturnValue:
    """Show every open gap, by value at stake."""
    with read() as session:
        page = gap_list(session, scope=scope(), now=now(), today=today(), as_of=as_of())
    return render_template(
        "gaps/list.html",
        page=page,
        bars=drawings.gap_bars(page.lines),
        past=as_of() != FOREVER,
        zone=house().settings.tz,
    )


@bp.get("/<int(max=2147483647):gap>")
@allow(OFFICE, Role.OWNER, Role.EXECUTIVE)
def answer_form(gap: int) -> ResponseReturnValue:
    """Show the form for a reason and an action."""
    with read() as session:
        page = gap_to_answer(session, gap, scope=scope(), who=person())
    return render_template("gaps/answer.html", page=page, answer=None, told=[], problems={})


@bp.post("/<int(max=2147483647):gap>")
@allow(OFFICE, Role.OWNER, Role.EXECUTIVE)
def answer(gap: int) -> ResponseReturnValue:
    """Keep a reason and an action, or show the form again with every problem."""
    given, problems = Answer.from_form(request.form, today=today())
    if problems:
        with read() as session:
            page = gap_to_answer(session, gap, scope=scope(), who=person())
        wrong = {problem.place: problem.message for problem in problems}
        shown = render_template(
            "gaps/answer.html", page=page, answer=request.form, told=problems, problems=wrong
        )
        return shown, 422
    with write() as session:
        answer_gap(session, gap, given, scope=scope(), who=person(), now=now())
    flash("Your reason and action are kept.")
    return redirect(url_for(".work_list"), 303)
