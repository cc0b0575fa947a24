"""Signing in and out, by password or by a link that is used once, and what a person chooses for themselves."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from rmo.services import people
from rmo.services.people import ABSOLUTE, SignInError
from rmo.web.context import (
    COOKIE,
    EVERYBODY,
    allow,
    house,
    now,
    open_to_all,
    page_before,
    person,
    person_or_none,
    read,
    safe_next,
    write,
)

bp = Blueprint("account", __name__)
WRONG = "This address and password do not belong together. Check both, or ask the office for a link."


@bp.get("/sign-in")
@open_to_all
def sign_in() -> ResponseReturnValue:
    """Show the form."""
    if person_or_none() is not None:
        return redirect(safe_next(request.args.get("next", "")))
    return render_template("account/sign_in.html", next=request.args.get("next", ""), email="", problem="")


@bp.post("/sign-in")
@open_to_all
def sign_in_with_password() -> ResponseReturnValue:
    """Begin a session, or show the form again and say what to do."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    problem = WRONG
    token = None
    try:
        with write() as session:
            token = people.sign_in(
                session, email=email, password=password, address=request.remote_addr or "", now=now()
            )
    except SignInError as error:
        problem = str(error)
    target = request.form.get("next", "")
    if token is None:
        page = render_template("account/sign_in.html", next=target, email=email, problem=problem)
        return page, 422
    return _with_session(token, safe_next(target))


@bp.get("/sign-in/<token>")
@open_to_all
def show_link(token: str) -> ResponseReturnValue:
    """Show a button. Looking does not use the link up, so that a mail scanner does no harm."""
    with read() as session:
        usable = people.link_is_open(session, token, now=now())
    return render_template("account/link.html", usable=usable, token=token), 200 if usable else 410


@bp.post("/sign-in/<token>")
@open_to_all
def use_link(token: str) -> ResponseReturnValue:
    """Begin a session with a link that was not used before."""
    try:
        with write() as session:
            opened = people.use_link(session, token, now=now())
    except SignInError:
        return render_template("account/link.html", usable=False, token=token), 410
    return _with_session(opened, url_for("portfolio.home"))


def _with_session(token: str, target: str) -> Response:
    response = make_response(redirect(target, 303))
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(ABSOLUTE.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=house().settings.base_url.startswith("https://"),
    )
    return response


@bp.post("/sign-out")
@allow(EVERYBODY)
def sign_out() -> ResponseReturnValue:
    """End the session, on the server too."""
    with write() as session:
        people.sign_out(session, request.cookies.get(COOKIE, ""), now=now())
    response = make_response(redirect(url_for("account.sign_in"), 303))
    response.delete_cookie(COOKIE)
    return response


@bp.post("/theme")
@allow(EVERYBODY)
def choose_theme() -> ResponseReturnValue:
    """Keep whether the person wants light, dark, or what the device has."""
    theme = request.form.get("theme", "") or "auto"
    if theme not in ("light", "dark", "auto"):
        flash("There is no such choice; choose light, dark or as the device.")
    else:
        with write() as session:
            people.person(session, person().email).theme = theme
    return redirect(page_before(), 303)
