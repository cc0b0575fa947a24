"""Copies that browsers keep of a page: sent anew, or word that the one they have still holds."""

import secrets
from collections.abc import Hashable
from hashlib import sha256
from typing import Any

from flask import Response, make_response, render_template, request, session

from rmo.web.context import banner, person

PROCESS = secrets.token_hex(8)  # another process may run other templates


def page_or_unchanged(template: str, made_from: Hashable, **values: Any) -> Response:
    """Return a page for this person, or word that the copy in their browser still holds.

    Args:
        template: The page.
        made_from: All that the values were made from, and all that the page says of the time.
        values: What the template shows.
    """
    said_once = bool(session.get("_flashes"))  # a copy would say it again
    if not said_once and request.if_none_match.contains(mark := _mark(template, made_from)):
        response = Response(status=304)
        response.set_etag(mark)
        return response
    response = make_response(render_template(template, **values))
    if not said_once:
        response.set_etag(
            _mark(template, made_from)
        )  # anew: the first page of a session begins its form token
    return response


def _mark(template: str, made_from: Hashable) -> str:
    """Return what tells this page apart from every other: what it shows, to whom, and with which form token."""
    who = person()
    frame = (who.email, who.position, who.role, who.theme, banner())
    parts = (PROCESS, template, request.full_path, made_from, frame, session.get("csrf_token"))
    return sha256(repr(parts).encode()).hexdigest()[:32]
