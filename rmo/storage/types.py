"""Column types that give back exactly what was put in, on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from rmo.domain.exact import kept


class ExactDecimal(sa.types.TypeDecorator[Decimal]):
    """A decimal with every digit: canonical text on SQLite, NUMERIC without scale on PostgreSQL."""

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """Return the column type of a database."""
        kind: sa.types.TypeEngine[Any] = sa.String(54) if dialect.name == "sqlite" else sa.Numeric()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Turn a decimal into what the database keeps."""
        if value is None:
            return None
        exact = kept(Decimal(value))
        return f"{exact:f}" if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Turn what the database keeps into a decimal."""
        if value is None:
            return None
        exact = Decimal(value)
        return exact if dialect.name == "sqlite" else kept(exact)  # text is kept in its canonical form


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC: sortable text with microseconds on SQLite, TIMESTAMP WITH TIME ZONE on PostgreSQL."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """Return the column type of a database."""
        kind: sa.types.TypeEngine[Any] = (
            sa.String(32) if dialect.name == "sqlite" else sa.DateTime(timezone=True)
        )
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn an aware moment into what the database keeps; a naive one is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone.")
        moment = value.astimezone(UTC)
        return _text(moment) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn what the database keeps into an aware moment in UTC."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC)
        moment: datetime = value
        return moment.astimezone(UTC)


def _text(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def words_of(enum: type[StrEnum]) -> sa.Enum:
    """Return a column type that keeps an enum's value as text: no native enum, so that a new member needs no migration."""
    return sa.Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
        validate_strings=True,
    )
