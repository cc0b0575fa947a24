"""What a source measured, as it came, and how it becomes rows of exact numbers: for files and answers alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field, WithJsonSchema

from rmo.connectors.shared.asked import Window
from rmo.connectors.shared.dates import read_at
from rmo.connectors.shared.numbers import Marks, read_number
from rmo.connectors.shared.refusals import Refusals
from rmo.domain.exact import EXACT
from rmo.domain.values import SourceRow

Text = Annotated[str, WithJsonSchema({"type": ["string", "number", "boolean"]})]  # YAML may write 1 for "1"


class NumberOptions(BaseModel, extra="forbid", frozen=True):
    """How a source writes its dates and numbers."""

    date_format: str = Field(default="", description="For dates such as 31/03/2019: %d/%m/%Y")
    decimal_mark: str = Field(
        default=".", pattern="^[.,]$", description="The decimal mark of numbers given as text"
    )
    thousands_mark: Literal["", ",", ".", " ", "'"] = Field(
        default="", description="The thousands mark of numbers given as text"
    )
    missing: tuple[Text, ...] = Field(
        default=(), description='Texts that stand for no value, such as "n/a" or "*"'
    )
    complement: bool = Field(
        default=False,
        description="Take denominator - numerator for the numerator: kept ones instead of missed ones",
    )

    @property
    def marks(self) -> Marks:
        """How numbers are written."""
        return Marks(self.decimal_mark, self.thousands_mark, self.missing)


def check_value_or_ratio(given: Mapping[str, object], key: str, *, complement: bool) -> None:
    """Hold options to either a value, or numerator and denominator; raise ValueError that says which to give."""
    value, numerator, denominator = (key.format(name) for name in ("value", "numerator", "denominator"))
    if (given["numerator"] is None) != (given["denominator"] is None):
        raise ValueError(f"give {numerator} and {denominator} together")
    if given["value"] is not None and given["numerator"] is not None:
        raise ValueError(f"give either {value}, or {numerator} and {denominator}")
    if complement and given["numerator"] is None:
        raise ValueError(f"complement needs {numerator} and {denominator}")


Cells: TypeAlias = tuple[object, ...]


@dataclass(frozen=True)
class Measured:
    """The cells of one row that matter, as they came."""

    place: str
    at: object
    cells: Cells  # value, numerator, denominator
    published_at: datetime | None = None
    names: tuple[str, str, str] = ("value", "numerator", "denominator")


def source_rows(
    cells: Iterable[Measured], options: NumberOptions, window: Window, source: str
) -> list[SourceRow]:
    """Return the rows of a window with what was measured; rows without a value are left out.

    A row of another period is not looked at further, so an old mistake does not stop a new reading.
    """
    refusals = Refusals(source)
    rows = []
    for measured in cells:
        try:
            row = _source_row(measured, options, window)
        except ValueError as error:
            refusals.add(measured.place, f"{error}.")
        else:
            if row is not None:
                rows.append(row)
    refusals.raise_if_any()
    return rows


def _source_row(measured: Measured, options: NumberOptions, window: Window) -> SourceRow | None:
    if all(cell is None or cell == "" for cell in measured.cells):
        return None  # a note below the table, or a period that is not there yet
    at = read_at(measured.at, window.rhythm, options.date_format)
    if window.period_of(at) not in window:
        return None
    value, numerator, denominator = (
        _number(name, cell, options.marks) for name, cell in zip(measured.names, measured.cells, strict=True)
    )
    if (numerator is None) != (denominator is None):
        blank = measured.names[1 if numerator is None else 2]
        raise ValueError(f"{blank} is blank, but the other half of the ratio is not")
    if value is None and numerator is None:
        return None
    if options.complement and numerator is not None and denominator is not None:
        numerator = EXACT.subtract(denominator, numerator)
    return SourceRow(at, value, numerator, denominator, measured.published_at, measured.place)


def _number(name: str, cell: object, marks: Marks) -> Decimal | None:
    try:
        return read_number(cell, marks)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
