"""Alembic's entry: runs the numbered migrations on the connection that rmo gives."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from rmo.storage import tables  # noqa: F401  its import fills the metadata
from rmo.storage.types import ExactDecimal, UtcDateTime


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write plain types into migrations, so that they mean the same for ever."""
    if kind != "type":
        return False
    if isinstance(item, ExactDecimal):
        return "EXACT"
    if isinstance(item, UtcDateTime):
        return "MOMENT"
    if isinstance(item, AutoString):
        return f"sa.String({item.length})" if item.length else "sa.String()"
    if isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    return False


def _same_type(_context: Any, _inspected: Any, _column: Any, kept: Any, wanted: Any) -> bool | None:
    """Tell Alembic where a difference of types is none: our own types and enums are plain text on SQLite."""
    if isinstance(wanted, ExactDecimal | UtcDateTime | sa.Enum):
        return False
    return None


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=_same_type,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
