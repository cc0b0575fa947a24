"""People, the ways in which they sign in, and the sessions that they hold."""

import functools
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlmodel import Session, col, select

from rmo.domain.errors import ConflictError, NotFoundError, RmoError
from rmo.domain.values import Role
from rmo.storage.audit import count_up, write_audit
from rmo.storage.tables import EMAIL, NAME, PersonRow, SignInAttemptRow, SignInLinkRow, WebSessionRow

LINK_LASTS = timedelta(hours=24)
IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=14)
SEEN_EVERY = timedelta(minutes=5)  # a session's last sight is written no more often than this
THROTTLE = timedelta(minutes=15)
TRIES_BY_ACCOUNT, TRIES_BY_ADDRESS = 8, 50
SHORTEST_PASSWORD = 12
HASHER = PasswordHasher()

# Every request asks this, so it is made once.
HELD = (
    sa.select(
        *(
            col(column)
            for column in (WebSessionRow.seen_at, WebSessionRow.created_at, WebSessionRow.revoked_at)
        ),
        *(col(getattr(PersonRow, name)) for name in ("email", "name", "position", "role", "theme", "active")),
    )
    .join(PersonRow, col(PersonRow.email) == col(WebSessionRow.person))
    .where(col(WebSessionRow.token_hash) == sa.bindparam("token"))
)


class SignInError(RmoError):
    """The address and the password do not belong together, or there were too many tries."""


@dataclass(frozen=True)
class SignedIn:
    """A person with a session, as much as a page needs."""

    email: str
    name: str
    position: str
    role: Role
    theme: str
    seen_at: datetime


def token_hash(token: str) -> str:
    """Return what is kept of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_person(
    session: Session, *, email: str, name: str, position: str, role: Role, now: datetime, by: str
) -> PersonRow:
    """Add a person, or raise ConflictError when the address is taken or is none."""
    email = email.strip().lower()
    if "@" not in email or not email.isprintable() or " " in email:
        raise ConflictError(f"{email!r} is not an e-mail address.")
    if len(email) > EMAIL or max(len(name), len(position)) > NAME:
        raise ConflictError(f"Keep the address under {EMAIL} characters, and name and position under {NAME}.")
    if session.get(PersonRow, email) is not None:
        raise ConflictError(f"There is already somebody with the address {email}.")
    row = PersonRow(email=email, name=name, position=position, role=role, created_at=now)
    session.add(row)
    after = {"email": email, "position": position, "role": role}
    write_audit(session, now=now, who=by, action="add person", subject=email, after=after)
    count_up(session)  # pages name people by position
    return row


def set_password(session: Session, email: str, password: str, *, now: datetime, by: str) -> None:
    """Set a person's password and end their sessions; raise ConflictError when it is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise ConflictError(f"The password is too short; use at least {SHORTEST_PASSWORD} characters.")
    person(session, email).password_hash = HASHER.hash(password)
    statement = sa.update(WebSessionRow).where(col(WebSessionRow.person) == email).values(revoked_at=now)
    session.connection().execute(statement)
    write_audit(session, now=now, who=by, action="set password", subject=email)


def person(session: Session, email: str) -> PersonRow:
    """Return one active person, or raise NotFoundError."""
    row = session.get(PersonRow, email.strip().lower())
    if row is None or not row.active:
        raise NotFoundError(f"There is nobody with the address {email}.")
    return row


def people(session: Session) -> dict[str, PersonRow]:
    """Return everybody, by address."""
    return {row.email: row for row in session.exec(select(PersonRow).order_by(col(PersonRow.position)))}


def make_link(session: Session, email: str, *, now: datetime, lasts: timedelta = LINK_LASTS) -> str:
    """Return a token that signs a person in once."""
    token = secrets.token_urlsafe(32)
    row = SignInLinkRow(
        token_hash=token_hash(token), person=person(session, email).email, expires_at=now + lasts
    )
    session.add(row)
    return token


def link_is_open(session: Session, token: str, *, now: datetime) -> bool:
    """Return whether a link can still be used; looking does not use it up."""
    row = session.get(SignInLinkRow, token_hash(token))
    return row is not None and row.used_at is None and now < row.expires_at


def use_link(session: Session, token: str, *, now: datetime) -> str:
    """Return the token of a new session for a link used for the first time, or raise SignInError."""
    statement = (
        sa.update(SignInLinkRow)
        .where(
            col(SignInLinkRow.token_hash) == token_hash(token),
            col(SignInLinkRow.used_at).is_(None),
            col(SignInLinkRow.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(SignInLinkRow.person))
    )
    used = session.connection().execute(statement).first()
    if used is None:
        raise SignInError("This link was used already or is too old; ask for a new one.")
    return start_session(session, used[0], now=now)


def sign_in(session: Session, *, email: str, password: str, address: str, now: datetime) -> str | None:
    """Return the token of a new session, or nothing when address and password do not belong together.

    The attempt is kept either way. Raises SignInError when there were too many.
    """
    email = email.strip().lower()[:254]
    _throttle(session, email=email, address=address, now=now)
    row = session.get(PersonRow, email)
    right = _verified(row.password_hash if row and row.active and row.password_hash else "", password)
    session.add(SignInAttemptRow(at=now, email=email, address=address, succeeded=right))
    return start_session(session, email, now=now) if right else None


@functools.cache
def _hash_of_nobody() -> str:
    """Return a hash that no password has, so that an unknown address takes as long as a known one."""
    return HASHER.hash(secrets.token_urlsafe(32))


def _verified(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash or _hash_of_nobody(), password[:1000]) and bool(password_hash)
    except VerificationError:
        return False


def _throttle(session: Session, *, email: str, address: str, now: datetime) -> None:
    """Refuse a try after too many failed ones on one account from one place, or from one place on any account.

    A stranger who tries from elsewhere does not lock the person out.
    """
    recent = (
        sa.select(sa.func.count())
        .select_from(SignInAttemptRow)
        .where(col(SignInAttemptRow.at) > now - THROTTLE, col(SignInAttemptRow.succeeded).is_(False))
    )
    here = recent.where(col(SignInAttemptRow.address) == address)
    on_account = here.where(col(SignInAttemptRow.email) == email)
    for statement, limit in ((on_account, TRIES_BY_ACCOUNT), (here, TRIES_BY_ADDRESS)):
        if (session.connection().execute(statement).scalar() or 0) >= limit:
            raise SignInError("There were too many tries; wait a quarter of an hour and try again.")


def start_session(session: Session, email: str, *, now: datetime) -> str:
    """Return the token of a new session."""
    token = secrets.token_urlsafe(32)
    session.add(WebSessionRow(token_hash=token_hash(token), person=email, created_at=now, seen_at=now))
    return token


def signed_in(session: Session, token: str, *, now: datetime) -> SignedIn | None:
    """Return who holds a session, or nobody when it is over, revoked, or the person has left."""
    found = session.connection().execute(HELD, {"token": token_hash(token)}).first()
    if found is None:
        return None
    over = now > found.seen_at + IDLE or now > found.created_at + ABSOLUTE
    if over or found.revoked_at is not None or not found.active:
        return None
    return SignedIn(found.email, found.name, found.position, found.role, found.theme, found.seen_at)


def note_seen(session: Session, token: str, *, now: datetime) -> None:
    """Remember that a session is in use."""
    statement = (
        sa.update(WebSessionRow)
        .where(
            col(WebSessionRow.token_hash) == token_hash(token),
            col(WebSessionRow.seen_at) < now - SEEN_EVERY,
        )
        .values(seen_at=now)
    )
    session.connection().execute(statement)


def sign_out(session: Session, token: str, *, now: datetime) -> None:
    """End a session, for good."""
    statement = (
        sa.update(WebSessionRow)
        .where(col(WebSessionRow.token_hash) == token_hash(token))
        .values(revoked_at=now)
    )
    session.connection().execute(statement)
