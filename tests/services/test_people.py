"""People, links that are used once, passwords that nobody can guess at leisure, and sessions that end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import select

from rmo.domain.errors import ConflictError, NotFoundError
from rmo.domain.values import Role
from rmo.services import people
from rmo.services.people import (
    ABSOLUTE,
    IDLE,
    LINK_LASTS,
    THROTTLE,
    TRIES_BY_ACCOUNT,
    TRIES_BY_ADDRESS,
    SignInError,
)
from rmo.storage.database import reading, transaction
from rmo.storage.tables import AuditRow, PersonRow, SignInLinkRow, WebSessionRow
from tests.world import NOW

CHIEF, PASSWORD, HERE = "chief@example.org", "correct horse battery", "192.0.2.1"
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def office(engine: Engine) -> Engine:
    """Return a database with one person who has no password."""
    with transaction(engine) as session:
        add(session, CHIEF)
    return engine


@pytest.fixture
def small(sqlite_engine: Engine) -> Engine:
    """Return the same with a password, for what is about something else than the database."""
    with transaction(sqlite_engine) as session:
        add(session, CHIEF)
        people.set_password(session, CHIEF, PASSWORD, now=NOW, by="test")
    return sqlite_engine


def add(session, email: str) -> PersonRow:
    return people.add_person(
        session,
        email=email,
        name="Chief",
        position="Chief executive",
        role=Role.EXECUTIVE,
        now=NOW,
        by="test",
    )


def link(engine: Engine, at: datetime = NOW) -> str:
    with transaction(engine) as session:
        return people.make_link(session, CHIEF, now=at)


def use(engine: Engine, token: str, at: datetime = NOW) -> str:
    with transaction(engine) as session:
        return people.use_link(session, token, now=at)


def sign_in(
    engine: Engine, password: str = PASSWORD, *, email: str = CHIEF, place: str = HERE, at: datetime = NOW
) -> str | None:
    with transaction(engine) as session:
        return people.sign_in(session, email=email, password=password, address=place, now=at)


def who(engine: Engine, token: str, at: datetime) -> str | None:
    with reading(engine) as session:
        found = people.signed_in(session, token, now=at)
    return found.email if found else None


@pytest.mark.parametrize("email", ["", "nobody", "two words@example.org", "a@b\nc"])
def test_what_is_no_address_adds_nobody(small: Engine, email: str):
    with pytest.raises(ConflictError, match="is not an e-mail address"), transaction(small) as session:
        add(session, email)


def test_an_address_is_one_person_however_it_is_written(small: Engine):
    with pytest.raises(ConflictError, match="There is already somebody"), transaction(small) as session:
        add(session, " Chief@Example.ORG ")


def test_a_link_signs_in_once_and_looking_does_not_use_it_up(office: Engine):
    token = link(office)
    for _ in range(3):
        with reading(office) as session:
            assert people.link_is_open(session, token, now=NOW)

    held = use(office, token)

    assert who(office, held, NOW) == CHIEF
    with pytest.raises(SignInError, match="used already"):
        use(office, token)


def test_a_link_that_two_press_at_once_signs_in_one(office: Engine):
    token = link(office)
    together = threading.Barrier(4, timeout=30)

    def press(_: int) -> bool:
        together.wait()
        try:
            return bool(use(office, token))
        except SignInError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, range(4))) == [False, False, False, True]


@pytest.mark.parametrize(
    ("later", "good"),
    [
        pytest.param(LINK_LASTS - A_SECOND, True, id="just in time"),
        pytest.param(LINK_LASTS, False, id="exactly a day"),
        pytest.param(LINK_LASTS + A_SECOND, False, id="too late"),
    ],
)
def test_a_link_is_good_for_a_day(small: Engine, later: timedelta, good: bool):
    token = link(small)

    with reading(small) as session:
        assert people.link_is_open(session, token, now=NOW + later) is good
    if not good:
        with pytest.raises(SignInError):
            use(small, token, NOW + later)


def test_tokens_and_passwords_are_nowhere_kept_as_they_are(small: Engine):
    token = link(small)
    held = use(small, token)

    with reading(small) as session:
        kept = [
            str(row.model_dump())
            for table in (PersonRow, SignInLinkRow, WebSessionRow, AuditRow)
            for row in session.exec(select(table))
        ]
    assert kept
    for secret in (token, held, PASSWORD):
        assert not any(secret in row for row in kept)


def test_a_person_without_a_password_cannot_sign_in_with_one(office: Engine):
    assert sign_in(office, "") is None
    assert sign_in(office, "anything at all") is None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        pytest.param(CHIEF, "wrong horse battery", id="wrong password"),
        pytest.param(CHIEF, PASSWORD[:-1], id="a letter short"),
        pytest.param("stranger@example.org", PASSWORD, id="unknown address"),
    ],
)
def test_a_wrong_password_and_an_unknown_address_are_answered_alike(small: Engine, email: str, password: str):
    assert sign_in(small, password, email=email) is None


def test_the_address_may_be_written_in_capitals(small: Engine):
    assert sign_in(small, email=" CHIEF@example.org") is not None


def test_a_short_password_is_refused(small: Engine):
    with pytest.raises(ConflictError, match="use at least 12 characters"), transaction(small) as session:
        people.set_password(session, CHIEF, "short", now=NOW, by="test")


def test_after_too_many_tries_from_one_place_only_time_helps_and_elsewhere_is_free(
    small: Engine, monkeypatch
):
    monkeypatch.setattr(people, "_verified", lambda kept, given: given == PASSWORD)
    for _ in range(TRIES_BY_ACCOUNT):
        assert sign_in(small, "wrong") is None

    with pytest.raises(SignInError, match="too many tries"):
        sign_in(small)
    assert sign_in(small, place="198.51.100.7") is not None, "a stranger locks nobody out"
    assert sign_in(small, at=NOW + THROTTLE + A_SECOND) is not None


def test_guessing_at_many_accounts_from_one_place_ends(small: Engine, monkeypatch):
    monkeypatch.setattr(people, "_verified", lambda kept, given: False)
    for number in range(TRIES_BY_ADDRESS):
        sign_in(small, email=f"person{number}@example.org")

    with pytest.raises(SignInError):
        sign_in(small, email="one-more@example.org")


@pytest.mark.parametrize(
    ("seen", "later", "held"),
    [
        pytest.param([], IDLE, True, id="idle as long as one may"),
        pytest.param([], IDLE + A_SECOND, False, id="idle too long"),
        pytest.param([IDLE * n for n in range(1, 28)], ABSOLUTE, True, id="always in use"),
        pytest.param(
            [IDLE * n for n in range(1, 29)], ABSOLUTE + A_SECOND, False, id="too old, though in use"
        ),
    ],
)
def test_a_session_ends(small: Engine, seen: list[timedelta], later: timedelta, held: bool):
    token = sign_in(small)
    assert token is not None
    for moment in seen:
        with transaction(small) as session:
            people.note_seen(session, token, now=NOW + moment)

    assert who(small, token, NOW + later) == (CHIEF if held else None)


def test_signing_out_a_new_password_and_leaving_end_a_session(small: Engine):
    tokens = [sign_in(small) for _ in range(2)]
    first, second = (token for token in tokens if token)
    with transaction(small) as session:
        people.sign_out(session, first, now=NOW)
    assert (who(small, first, NOW), who(small, second, NOW)) == (None, CHIEF)

    with transaction(small) as session:
        people.set_password(session, CHIEF, "another horse battery", now=NOW, by="test")
    assert who(small, second, NOW) is None

    third = sign_in(small, "another horse battery")
    assert third is not None
    with transaction(small) as session:
        session.get_one(PersonRow, CHIEF).active = False
    assert who(small, third, NOW) is None
    assert sign_in(small, "another horse battery") is None
    with pytest.raises(NotFoundError):
        link(small)


def test_a_token_that_nobody_was_given_is_nobody(small: Engine):
    assert who(small, "", NOW) is None
    assert who(small, "x" * 43, NOW) is None
