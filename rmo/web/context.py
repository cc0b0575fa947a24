"""What every request has: who is there, what time it is, which day is shown, and headers that keep it safe."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.engine import Engine
from sqlmodel import Session
from werkzeug.exceptions import BadRequest, Forbidden

from rmo.config import Settings
from rmo.domain.values import EVERYTHING, Role, Scope
from rmo.drawing import words
from rmo.services import people
from rmo.services.people import SignedIn
from rmo.storage.database import reading, transaction
from rmo.storage.moments import FOREVER, end_of_day
from rmo.web.kept import Kept

COOKIE = "rmo_session"
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # nothing was known before
EVERYBODY = frozenset(Role)
OFFICE = frozenset({Role.ANALYST, Role.ADMINISTRATOR})
ANSWERERS = OFFICE | {Role.EXECUTIVE}  # of every gap; an owner answers those of their own benefits
View = TypeVar("View", bound=Callable[..., Any])
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
NAVIGATION = (
    ("Portfolio", "portfolio.home"),
    ("Benefits", "benefits.register"),
    ("KPIs", "kpis.library"),
    ("Readings", "readings.grid"),
    ("Gaps", "gaps.work_list"),
)


@dataclass(frozen=True)
class House:
    """What the application was made with."""

    engine: Engine
    settings: Settings
    clock: Callable[[], datetime]
    demo: Any
    kept: Kept = field(default_factory=Kept)  # what is the same for everybody of a scope
    copies: Kept = field(default_factory=Kept)  # whole pages of one person each


def house() -> House:
    """Return what the application was made with."""
    return cast(House, current_app.extensions["rmo"])


def install(app: Flask, tools: House) -> None:
    """Give every request its person and its headers."""
    app.extensions["rmo"] = tools
    app.before_request(_let_in)
    app.after_request(_headers)
    app.context_processor(_frame)


def allow(*roles: Role | frozenset[Role]) -> Callable[[View], View]:
    """Say who may use a view. A view without this answers nobody."""
    chosen: frozenset[Role] = frozenset().union(*(r if isinstance(r, frozenset) else {r} for r in roles))

    def mark(view: View) -> View:
        view.roles = chosen  # type: ignore[attr-defined]
        return view

    return mark


def open_to_all(view: View) -> View:
    """Say that a view needs no sign-in."""
    view.roles = None  # type: ignore[attr-defined]
    return view


def _let_in() -> ResponseReturnValue | None:
    """Find out who is there, and refuse what they may not use."""
    g.now = house().clock()
    g.person = None
    g.nonce = secrets.token_urlsafe(16)
    _check_host()
    if request.endpoint == "static":
        return None
    token = request.cookies.get(COOKIE, "")
    if token:
        with reading(house().engine) as session:
            g.person = people.signed_in(session, token, now=g.now)
        if g.person is not None and g.now > g.person.seen_at + people.SEEN_EVERY:
            with write() as session:
                people.note_seen(session, token, now=g.now)
    _check_text()
    if request.endpoint is None:
        return None  # no such page, which is told to whoever is there
    view = current_app.view_functions[request.endpoint]
    if not hasattr(view, "roles"):
        raise Forbidden
    if view.roles is None:
        return None
    if g.person is None:
        return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")))
    if g.person.role not in view.roles:
        raise Forbidden
    return None


def _check_host() -> None:
    """Refuse a request for another host than ours, so that no link is made with a name that is not."""
    ours = urlsplit(house().settings.base_url).hostname
    asked = urlsplit(f"//{request.host}").hostname
    if asked not in (ours, "localhost", "127.0.0.1", "::1"):
        raise BadRequest("This address is not served here.")


def _check_text() -> None:
    """Refuse the one character that no database keeps in a text."""
    sent = [request.path]
    for fields in (request.args, request.form):
        sent += [text for field in fields.items(multi=True) for text in field]
    if any("\0" in text for text in sent):
        raise BadRequest("There is a null character in what was sent. Nothing was changed.")


def _headers(response: Response) -> Response:
    if response.status_code != 304:  # the copy that still holds was sent with the nonce that is in it
        response.headers["Content-Security-Policy"] = POLICY.format(nonce=g.get("nonce", ""))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Cookie"
    if house().settings.base_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _frame() -> dict[str, Any]:
    """Return what the base template shows on every page."""
    who = person_or_none()
    demo = house().demo
    frame: dict[str, Any] = {
        "organisation": house().settings.organisation,
        "nonce": g.get("nonce", ""),
        "known_on": _known_on(),
        "known_on_url": request.path,
        "demo": banner(),
        "demo_url": url_for("demo.next_month") if demo and who else "",
        "nav": [],
        "who": "",
        "theme": "",
        "may_answer": may_answer,
        "in_office": who is not None and who.role in OFFICE,
    }
    if who is not None:
        frame |= {
            "nav": [_nav_item(label, endpoint) for label, endpoint in NAVIGATION],
            "who": who.position,
            "theme": "" if who.theme == "auto" else who.theme,
            "theme_url": url_for("account.choose_theme"),
            "help_url": url_for("handbook.home"),
            "sign_out_url": url_for("account.sign_out"),
        }
        if who.role in OFFICE:
            frame["nav"].append(_nav_item("Office", "organisation.office"))
    return frame


def banner() -> str:
    """Return what the demo says of itself; nothing elsewhere."""
    if "banner" not in g:
        g.banner = house().demo.banner(now()) if house().demo else ""
    return cast(str, g.banner)


def _nav_item(label: str, endpoint: str) -> dict[str, Any]:
    area = endpoint.partition(".")[0]
    url = url_for(endpoint, as_of=request.args.get("as_of"))
    return {"label": label, "url": url, "current": request.blueprint == area}


def _known_on() -> str:
    try:
        moment = as_of()
    except BadRequest:
        return ""
    if moment == FOREVER:
        return ""
    day = len(request.args["as_of"].strip()) == len("2026-03-31")
    zone = house().settings.tz
    return words.long_day(moment.astimezone(zone).date()) if day else words.moment(moment, zone)


def person_or_none() -> SignedIn | None:
    """Return who is signed in, or nobody."""
    return cast("SignedIn | None", g.get("person"))


def person() -> SignedIn:
    """Return who is signed in; only for views that need somebody."""
    who = person_or_none()
    if who is None:
        raise Forbidden
    return who


def may_answer(owner: str) -> bool:
    """Return whether this person may answer the gaps of a benefit with this owner."""
    who = person()
    return who.role in ANSWERERS or (who.role is Role.OWNER and who.email == owner)


def now() -> datetime:
    """Return the moment of this request."""
    return cast(datetime, g.now)


def today() -> date:
    """Return the day of this request in the organisation's zone."""
    return now().astimezone(house().settings.tz).date()


def scope() -> Scope:
    """Return whose rows this person may see."""
    return EVERYTHING


def as_of() -> datetime:
    """Return the moment as known at which the page is asked for: the end of a day, a moment, or the newest."""
    text = request.args.get("as_of", "").strip()
    if not text:
        return FOREVER
    try:
        if len(text) == len("2026-03-31"):
            moment = end_of_day(date.fromisoformat(text), house().settings.tz)
        else:
            moment = datetime.fromisoformat(text)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=house().settings.tz)).astimezone(UTC)
        if moment < EARLIEST:
            raise ValueError("nothing is known from then")
    except (ValueError, OverflowError) as error:
        raise BadRequest(
            f"as_of is “{text[:40]}”; write a day such as 2026-03-31, or a moment such as 2026-03-31T12:00Z."
        ) from error
    return moment


def read() -> AbstractContextManager[Session]:
    """Give a session that only reads."""
    return reading(house().engine)


def write() -> AbstractContextManager[Session]:
    """Give a session that writes."""
    return transaction(house().engine)


def safe_next(target: str) -> str:
    """Return where to go after signing in: only to a page of ours."""
    try:
        parts = urlsplit(target.replace("\\", "/"))
    except ValueError:
        return url_for("portfolio.home")
    inside = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith("//")
    return target if inside and target.isprintable() else url_for("portfolio.home")


def page_before() -> str:
    """Return the page of ours from which a form was sent."""
    try:
        return safe_next(urlsplit(request.referrer or "").path)
    except ValueError:
        return safe_next("")
