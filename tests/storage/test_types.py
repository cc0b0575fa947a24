"""What is put into a column comes back as it was, on both databases, and sorts as it should."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlalchemy.exc import StatementError

from rmo.domain.values import State
from rmo.storage.types import ExactDecimal, UtcDateTime, words_of

TABLE = sa.Table(
    "kept",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("number", ExactDecimal),
    sa.Column("moment", UtcDateTime),
    sa.Column("state", words_of(State)),
)
SQLITE: sa.Dialect = sqlite.dialect()
POSTGRES: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
NAIVE = datetime(2026, 3, 2)  # noqa: DTZ001
ZONES = st.sampled_from(
    [UTC, ZoneInfo("Europe/London"), ZoneInfo("Asia/Kathmandu"), timezone(-timedelta(hours=12))]
)
MOMENTS = st.datetimes(NAIVE.replace(year=1), NAIVE.replace(year=9999), timezones=ZONES)
NUMBERS = st.decimals(
    min_value=Decimal("-1e25"), max_value=Decimal("1e25"), allow_nan=False, allow_infinity=False, places=12
)


@pytest.fixture
def connection(engine: Engine):
    """Give a connection to a database with the one table."""
    with engine.connect() as opened, opened.begin():
        TABLE.metadata.create_all(opened)
        yield opened


def keep(connection: sa.Connection, **values: object) -> None:
    connection.execute(TABLE.insert().values(**values))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("9" * 38, id="thirty-eight digits"),
        pytest.param("-" + "1" * 26 + "." + "2" * 12, id="digits on both sides"),
        pytest.param("0.000000000001", id="twelve places"),
        pytest.param("0.1", id="what floats cannot hold"),
        pytest.param("-0.10", id="trailing zeros"),
        pytest.param("0", id="nothing"),
        pytest.param("1E+37", id="an exponent"),
    ],
)
def test_a_decimal_comes_back_with_every_digit(connection: sa.Connection, text: str):
    keep(connection, number=Decimal(text))

    back = connection.execute(sa.select(TABLE.c.number)).scalar_one()

    assert back == Decimal(text)
    assert connection.execute(sa.select(TABLE.c.id).where(TABLE.c.number == Decimal(text))).all()


@pytest.mark.parametrize("text", ["1" * 39, "1E-13", "1e308", "NaN", "Infinity"])
def test_a_decimal_that_cannot_be_kept_exactly_is_refused(connection: sa.Connection, text: str):
    with pytest.raises(StatementError):
        keep(connection, number=Decimal(text))


@given(NUMBERS)
def test_any_decimal_survives_being_text(number: Decimal):
    kind = ExactDecimal()

    assert kind.process_result_value(kind.process_bind_param(number, SQLITE), SQLITE) == number
    assert kind.process_result_value(kind.process_bind_param(number, POSTGRES), POSTGRES) == number


@given(NUMBERS, NUMBERS)
def test_equal_decimals_are_equal_text(one: Decimal, other: Decimal):
    kind = ExactDecimal()
    texts = [kind.process_bind_param(number, SQLITE) for number in (one, other)]

    assert (texts[0] == texts[1]) == (one == other)


def test_a_moment_comes_back_in_utc_to_the_microsecond(connection: sa.Connection):
    moment = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=ZoneInfo("Europe/Berlin"))
    keep(connection, moment=moment)

    back = connection.execute(sa.select(TABLE.c.moment)).scalar_one()

    assert (back, back.tzinfo) == (moment, UTC)
    assert back.microsecond == 123456


def test_the_two_hours_of_an_autumn_night_are_two_moments(connection: sa.Connection):
    night = datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("Europe/London"))
    keep(connection, moment=night)
    keep(connection, moment=night.replace(fold=1))

    first, second = connection.execute(sa.select(TABLE.c.moment).order_by(TABLE.c.id)).scalars()

    assert second - first == timedelta(hours=1)


def test_a_moment_without_a_zone_is_refused(connection: sa.Connection):
    with pytest.raises(StatementError, match="has no time zone"):
        keep(connection, moment=NAIVE)


@given(MOMENTS)
def test_any_moment_survives_being_text(moment: datetime):
    kind = UtcDateTime()

    assert kind.process_result_value(kind.process_bind_param(moment, SQLITE), SQLITE) == moment.astimezone(
        UTC
    )


@given(MOMENTS, MOMENTS)
def test_moments_sort_as_text_as_they_do_in_time(one: datetime, other: datetime):
    kind = UtcDateTime()
    texts = [kind.process_bind_param(moment, SQLITE) for moment in (one, other)]

    assert (texts[0] < texts[1]) == (one.astimezone(UTC) < other.astimezone(UTC))


def test_a_database_sorts_moments_as_they_follow_each_other(connection: sa.Connection):
    moments = [
        datetime(800, 1, 1, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(2000, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ]
    for moment in reversed(moments):
        keep(connection, moment=moment)

    assert connection.execute(sa.select(TABLE.c.moment).order_by(TABLE.c.moment)).scalars().all() == moments
    earlier = sa.select(sa.func.count()).where(TABLE.c.moment < moments[2])
    assert connection.execute(earlier).scalar() == 2


def test_nothing_stays_nothing(connection: sa.Connection):
    keep(connection, number=None, moment=None, state=None)

    assert connection.execute(sa.select(TABLE.c.number, TABLE.c.moment, TABLE.c.state)).one() == (
        None,
        None,
        None,
    )


def test_a_state_is_kept_as_its_word_and_no_other_word_is_kept(connection: sa.Connection):
    keep(connection, state=State.OFF_TRACK)

    assert connection.execute(sa.select(TABLE.c.state)).scalar_one() is State.OFF_TRACK
    assert connection.execute(sa.text("select state from kept")).scalar_one() == "off_track"
    with pytest.raises(StatementError):
        keep(connection, state="sideways")
