"""Tables as people make them: a header below some titles, periods down or across, notes below."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import Field, model_validator

from rmo.connectors.shared.asked import Window
from rmo.connectors.shared.dates import read_at
from rmo.connectors.shared.measured import Measured, NumberOptions, Text, check_value_or_ratio, source_rows
from rmo.domain.errors import ConnectorError
from rmo.domain.values import SourceRow

HEADER_ROWS = 100  # how far down a header is looked for
LISTED = 300  # how much of what is there is told where something else was wanted

Labels = dict[str, Text]


class TableOptions(NumberOptions, extra="forbid", frozen=True):
    """Which columns of a table to read and which rows, or with periods across, which rows have the values."""

    date_column: Text = Field(default="date", description="The column with the date or period")
    value_column: Text | None = Field(
        default=None, description="The column with the value; `value` if not said"
    )
    numerator_column: Text | None = Field(default=None, description="For a ratio: the column above the line")
    denominator_column: Text | None = Field(
        default=None, description="For a ratio: the column below the line"
    )
    where: Labels = Field(default={}, description="Only rows where each column named has this text")
    value_row: Labels | None = Field(
        default=None,
        description="Periods across: which row has the values, by the text under each header named",
    )
    numerator_row: Labels | None = Field(default=None, description="Periods across: the row above the line")
    denominator_row: Labels | None = Field(default=None, description="Periods across: the row below the line")

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        names = ("value", "numerator", "denominator")
        columns = {name: getattr(self, f"{name}_column") for name in names}
        if not self.wide:
            check_value_or_ratio(columns, "{}_column", complement=self.complement)
            return self
        if self.where or any(column is not None for column in columns.values()):
            raise ValueError("with periods across, give rows only: no where and no *_column")
        if any(labels == {} for labels in self.rows):
            raise ValueError("a row is told by at least one header and the text under it")
        check_value_or_ratio(dict(zip(names, self.rows, strict=True)), "{}_row", complement=self.complement)
        return self

    @property
    def columns(self) -> tuple[str | None, str | None, str | None]:
        """The columns of value, numerator and denominator."""
        value = self.value_column or (None if self.numerator_column else "value")
        return value, self.numerator_column, self.denominator_column

    @property
    def rows(self) -> tuple[Labels | None, Labels | None, Labels | None]:
        """With periods across, what tells the rows of value, numerator and denominator."""
        return self.value_row, self.numerator_row, self.denominator_row

    @property
    def wide(self) -> bool:
        """Whether periods run across."""
        return any(labels is not None for labels in self.rows)


@dataclass(frozen=True)
class Table:
    """A sheet or file of cells, with the number that a person finds each row at."""

    source: str
    cells: Sequence[Sequence[object]]
    numbers: Sequence[int]
    row_word: str = "row"

    def read(self, options: TableOptions, window: Window) -> list[SourceRow]:
        """Return what the table says about a window."""
        measured = self._across(options, window) if options.wide else self._down(options)
        return source_rows(measured, options, window, self.source)

    def _down(self, options: TableOptions) -> list[Measured]:
        top, column = self._header([options.date_column, *options.columns, *options.where])
        value, numerator, denominator = options.columns
        names = (value or "", numerator or "", denominator or "")
        found = []
        for row in range(top + 1, len(self.cells)):
            texts = options.where.items()
            if all(same_text(self._cell(row, column[name]), text) for name, text in texts):
                cells = tuple(self._cell(row, column.get(name or "")) for name in options.columns)
                at = self._cell(row, column[options.date_column])
                found.append(Measured(f"{self.row_word} {self.numbers[row]}", at, cells, names=names))
        if not any(measured.at not in (None, "") for measured in found):
            raise ConnectorError(f"{self.source} has no row{_with(options.where)}.")
        return found

    def _across(self, options: TableOptions, window: Window) -> list[Measured]:
        top, column = self._header([name for labels in options.rows for name in labels or ()])
        periods = self._periods(top, options, window)
        if not periods:
            raise ConnectorError(
                f"{self.source} has no period in {self.row_word} {self.numbers[top]}, its header."
            )
        rows = [self._labelled_row(top, column, labels) for labels in options.rows]
        found = []
        for across in periods:
            cells = tuple(None if row is None else self._cell(row, across) for row in rows)
            places = (f"{column_letters(across + 1)}{self.numbers[row]}" for row in rows if row is not None)
            found.append(Measured(f"cell {' and '.join(places)}", self._cell(top, across), cells))
        return found

    def _header(self, names: Iterable[str | None]) -> tuple[int, Mapping[str, int]]:
        """Return the first row that has all the names that are wanted, and the column of each."""
        wanted = list(dict.fromkeys(name for name in names if name is not None))
        best: list[str] = []
        for number, row in enumerate(self.cells[:HEADER_ROWS]):
            texts = [str(cell).strip() for cell in row]
            if set(wanted) <= set(texts):
                return number, self._columns(texts, wanted)
            best = max(best, texts, key=lambda row: (len(set(row) & set(wanted)), len(set(row))))
        missing = ", ".join(repr(name) for name in wanted if name not in best)
        has = ", ".join(text for text in best if text)[:LISTED]
        raise ConnectorError(f"{self.source} has no column {missing}. It has: {has}.")

    def _columns(self, texts: list[str], wanted: list[str]) -> Mapping[str, int]:
        for name in wanted:
            if texts.count(name) > 1:
                raise ConnectorError(f"{self.source} has more than one column {name!r}; rename one.")
        return {name: texts.index(name) for name in wanted}

    def _periods(self, top: int, options: TableOptions, window: Window) -> list[int]:
        """Return the columns whose header is a period; others, such as a total, are left aside."""
        found = []
        for across, cell in enumerate(self.cells[top]):
            try:
                read_at(cell, window.rhythm, options.date_format)
            except ValueError:
                continue
            found.append(across)
        return found

    def _labelled_row(self, top: int, column: Mapping[str, int], labels: Labels | None) -> int | None:
        """Return the one row below the header that has these texts in these columns, if one is asked for."""
        if labels is None:
            return None
        found = [
            row
            for row in range(top + 1, len(self.cells))
            if all(same_text(self._cell(row, column[name]), text) for name, text in labels.items())
        ]
        if len(found) == 1:
            return found[0]
        if found:
            rows = ", ".join(str(self.numbers[row]) for row in found[:5])
            raise ConnectorError(
                f"{self.source}: {self.row_word}s {rows} all have{_with(labels, '')}; name one more column."
            )
        first = next(iter(labels))
        there = sorted(
            {str(self._cell(row, column[first])).strip() for row in range(top + 1, len(self.cells))} - {""}
        )
        raise ConnectorError(
            f"{self.source} has no row{_with(labels)}. Under {first} there are: {', '.join(there)[:LISTED]}."
        )

    def _cell(self, row: int, column: int | None) -> object:
        cells = self.cells[row]
        return cells[column] if column is not None and column < len(cells) else ""


def _with(labels: Mapping[str, str], word: str = " with") -> str:
    return f"{word} " + " and ".join(f"{name} {text!r}" for name, text in labels.items()) if labels else ""


def same_text(cell: object, text: str) -> bool:
    """Whether a cell says what a definition says; Excel keeps 7 as 7.0."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip() == text.strip()


def column_letters(number: int) -> str:
    """Return a column's name in a sheet: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """Return a column's number from its name: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
