"""The demo's own button: on to the next month."""

from flask import Blueprint, abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from rmo.web.context import EVERYBODY, allow, house

bp = Blueprint("demo", __name__, url_prefix="/demo")


@bp.post("/next-month")
@allow(EVERYBODY)
def next_month() -> ResponseReturnValue:
    """Let a month pass: pull what has appeared, judge it, and send the month's digest."""
    demo = house().demo
    if demo is None:
        abort(404)
    flash(demo.next_month())
    return redirect(url_for("portfolio.home"), 303)
