"""Rows under a header, from whatever kind of file: which column is the date, which the value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, WithJsonSchema, model_validator

from rmo.connectors.shared.asked import Window
from rmo.connectors.shared.dates import read_at
from rmo.connectors.shared.numbers import EXACT, Marks, read_number
from rmo.connectors.shared.refusals import Refusals
from rmo.domain.errors import ConnectorError
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


class TableOptions(NumberOptions, extra="forbid", frozen=True):
    """Which columns of a table to read, and which rows."""

    date_column: Text = Field(default="date", description="The column with the date or period")
    value_column: Text | None = Field(default=None, description="The column with the value")
    numerator_column: Text | None = Field(default=None, description="For a ratio: the column above the line")
    denominator_column: Text | None = Field(
        default=None, description="For a ratio: the column below the line"
    )
    where: dict[str, Text] = Field(default={}, description="Only rows where each column named has this text")

    @model_validator(mode="after")
    def _value_or_ratio(self) -> Self:
        given = {name: getattr(self, f"{name}_column") for name in ("value", "numerator", "denominator")}
        check_value_or_ratio(given, "{}_column", complement=self.complement)
        return self

    @property
    def measured_columns(self) -> tuple[str | None, str | None, str | None]:
        """The columns of value, numerator and denominator."""
        value = self.value_column or (None if self.numerator_column else "value")
        return value, self.numerator_column, self.denominator_column


def check_value_or_ratio(given: Mapping[str, object], key: str, *, complement: bool) -> None:
    """Hold options to either a value, or numerator and denominator; raise ValueError that says which to give."""
    value, numerator, denominator = (key.format(name) for name in ("value", "numerator", "denominator"))
    if (given["numerator"] is None) != (given["denominator"] is None):
        raise ValueError(f"give {numerator} and {denominator} together")
    if given["value"] is not None and given["numerator"] is not None:
        raise ValueError(f"give either {value}, or {numerator} and {denominator}")
    if complement and given["numerator"] is None:
        raise ValueError(f"complement needs {numerator} and {denominator}")


@dataclass(frozen=True)
class Measured:
    """The cells of one row that matter, as they came."""

    place: str
    at: object
    value: object = None
    numerator: object = None
    denominator: object = None
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
    if all(cell is None or cell == "" for cell in (measured.value, measured.numerator, measured.denominator)):
        return None  # a note below the table, or a period that is not there yet
    at = read_at(measured.at, window.rhythm, options.date_format)
    if window.period_of(at) not in window:
        return None
    value, numerator, denominator = (
        _number(name, cell, options.marks)
        for name, cell in zip(
            measured.names, (measured.value, measured.numerator, measured.denominator), strict=True
        )
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


@dataclass(frozen=True)
class Table:
    """A header and the rows below it, each with the place that a person finds it at."""

    source: str
    header: Sequence[str]
    rows: Iterable[tuple[str, Sequence[object]]]

    def read(self, options: TableOptions, window: Window) -> list[SourceRow]:
        """Return what the columns that the options name say about a window."""
        columns = self._columns(options)
        cells = list(self._measured(options, columns))
        if not cells:
            wanted = " and ".join(f"{name} {text!r}" for name, text in options.where.items())
            raise ConnectorError(f"{self.source} has no row{f' with {wanted}' if wanted else ''}.")
        return source_rows(cells, options, window, self.source)

    def _columns(self, options: TableOptions) -> Mapping[str, int]:
        named = (options.date_column, *options.measured_columns, *options.where)
        wanted = dict.fromkeys(name for name in named if name is not None)
        for name in wanted:
            if self.header.count(name) != 1:
                many = "more than one column" if name in self.header else "no column"
                has = ", ".join(str(column) for column in self.header if column)[:300]
                raise ConnectorError(f"{self.source} has {many} {name!r}. It has: {has}.")
        return {name: self.header.index(name) for name in wanted}

    def _measured(self, options: TableOptions, columns: Mapping[str, int]) -> Iterable[Measured]:
        value, numerator, denominator = options.measured_columns
        names = (value or "value", numerator or "numerator", denominator or "denominator")
        for place, row in self.rows:

            def cell(name: str | None, row: Sequence[object] = row) -> object:
                return row[columns[name]] if name is not None and columns[name] < len(row) else None

            if all(same_text(cell(name), text) for name, text in options.where.items()):
                measured = cell(value), cell(numerator), cell(denominator)
                yield Measured(place, cell(options.date_column), *measured, names=names)


def same_text(cell: object, text: str) -> bool:
    """Whether a cell says what a definition says; Excel keeps 7 as 7.0."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str("" if cell is None else cell).strip() == text.strip()
