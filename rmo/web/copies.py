"""Copies that browsers keep of a page: sent anew, or word that the one they have still holds."""

import secrets
from collections.abc import Hashable
from hashlib import sha256
from typing import Any

from flask import Response, make_response, render_template, request, session

from rmo.web.context import banner, house, person

PROCESS = secrets.token_hex(8)  # another process may run other templates


def page_or_unchanged(template: str, made_from: Hashable, **values: Any) -> Response:
    """Return a page for this person, or word that the copy in their browser still holds.

    A template that writes the nonce of its request is none for this: a copy would hold an old one.

    Args:
        template: The page.
        made_from: All that the values were made from, and all that the page says of the time.
        values: What the template shows.
    """
    # What is said once must not be said again by a copy, and the first page of a session begins its form token.
    if session.get("_flashes") or "csrf_token" not in session:
        return make_response(render_template(template, **values))
    mark = _mark(template, made_from)
    if request.if_none_match.contains(mark):
        response = Response(status=304)
    else:
        response = Response(house().copies.get(mark, lambda: render_template(template, **values)))
    response.set_etag(mark)
    return response


def _mark(template: str, made_from: Hashable) -> str:
    """Return what tells this page apart from every other: what it shows, to whom, and with which form token."""
    who = person()
    frame = (who.email, who.position, who.role, who.theme, banner())
    parts = (PROCESS, template, request.full_path, made_from, frame, session.get("csrf_token"))
    return sha256(repr(parts).encode()).hexdigest()[:32]
