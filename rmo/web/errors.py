"""Errors as pages: what is safe, what to do, and a reference; never a trace."""

import secrets

import structlog
from flask import Flask, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadHost, HTTPException

from rmo.domain.errors import ConflictError, NotFoundError, RmoError
from rmo.web.context import person_or_none

log = structlog.get_logger()
SAID = {
    400: ("This request could not be understood", "Nothing was changed."),
    403: ("This page is not for your role", "Nothing was changed. Ask the office if you need it."),
    404: (
        "There is no such page",
        "Nothing was changed. The address may be old, or you may not see what stands there.",
    ),
    405: ("This address cannot be used in that way", "Nothing was changed."),
    413: ("That is too large", "Nothing was kept. Send it in smaller parts."),
    422: ("That does not fit", "Nothing was changed."),
    500: ("Something went wrong here", "What was kept before is safe, and nothing was half-kept."),
}


def install(app: Flask) -> None:
    """Turn every error into a page."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(RmoError, _known)
    app.register_error_handler(Exception, _unknown)


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if 300 <= code < 400:
        return error.get_response()
    title, text = SAID.get(code, SAID[400])
    if isinstance(error, CSRFError):
        title, text = (
            "This form has no valid token",
            f"{text} Load the page again and send the form once more.",
        )
    elif code in (400, 422) and error.description:
        text = error.description
    return _page(code, title, text)


def _known(error: RmoError) -> ResponseReturnValue:
    code = 404 if isinstance(error, NotFoundError) else 422 if isinstance(error, ConflictError) else 500
    told = f"{error} {SAID[404][1]}" if code == 404 else str(error)
    return _page(code, SAID[code][0], told)


def _unknown(error: Exception) -> ResponseReturnValue:
    reference = f"E-{secrets.token_hex(3)}"
    log.error("request failed", reference=reference, exc_info=error)
    title, text = SAID[500]
    return _page(500, title, text, reference)


def _page(code: int, title: str, text: str, reference: str = "") -> ResponseReturnValue:
    if isinstance(request.routing_exception, BadHost):
        return f"{title}. {text}", code, {"Content-Type": "text/plain"}  # without a host there are no links
    signed_in = person_or_none() is not None
    way_out = {
        "text": "Go to my page" if signed_in else "Sign in",
        "url": url_for("portfolio.home" if signed_in else "account.sign_in"),
    }
    shown = render_template(
        "error.html", code=code, title=title, text=text, reference=reference, actions=[way_out]
    )
    return shown, code
