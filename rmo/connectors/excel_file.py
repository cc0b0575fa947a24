"""Readings from an Excel workbook as people send it: titles above, periods across or down, notes below."""

import io
import re
import zipfile
from collections.abc import Iterable
from functools import reduce
from pathlib import Path
from typing import Any, Self, TypeAlias

from pydantic import Field, model_validator
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from rmo.connectors.shared.asked import Reach, Window
from rmo.connectors.shared.dates import read_at
from rmo.connectors.shared.files import read_file
from rmo.connectors.shared.table import (
    Measured,
    Table,
    TableOptions,
    Text,
    check_value_or_ratio,
    same_text,
    source_rows,
)
from rmo.domain.errors import ConnectorError
from rmo.domain.values import SourceRow

UNPACKED = 5  # how many times larger than the file allowed its contents may be
MAX_PARTS = 2_000
MAX_CELLS = 5_000_000
HEADER_ROWS = 100  # how far down a header is looked for
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"  # also what a workbook with a password begins with
CELL = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
ROW = re.compile(rb"""<(?:\w+:)?row\b(?:[^>]*?\br=["']([0-9]{1,7})["'])?""")
CELL_BEGINS = re.compile(rb"<(?:\w+:)?c[\s/>]")

Grid: TypeAlias = list[list[Any]]


class Options(TableOptions, extra="forbid", frozen=True):
    """What a KPI definition may say under `source.options`: columns for a long table, rows for a wide one."""

    path: Path = Field(description="The workbook, inside one of the folders that are open to sources")
    sheet: Text | None = Field(default=None, description="The sheet's name; the first one if not said")
    value_row: dict[str, Text] | None = Field(
        default=None,
        description="Periods across: which row has the values, by the text under each header named",
    )
    numerator_row: dict[str, Text] | None = Field(
        default=None, description="Periods across: the row above the line"
    )
    denominator_row: dict[str, Text] | None = Field(
        default=None, description="Periods across: the row below the line"
    )

    @model_validator(mode="after")
    def _wide_or_long(self) -> Self:
        rows = {name: getattr(self, f"{name}_row") for name in ("value", "numerator", "denominator")}
        if not self.wide:
            return self
        if any(self.measured_columns[1:]) or self.value_column or self.where:
            raise ValueError("with periods across, give rows only: no *_column and no where")
        if not all(row for row in rows.values() if row is not None):
            raise ValueError("a row is told by at least one header and the text under it")
        check_value_or_ratio(rows, "{}_row", complement=self.complement)
        return self

    @property
    def wide(self) -> bool:
        """Whether periods run across."""
        return any(row is not None for row in (self.value_row, self.numerator_row, self.denominator_row))


def fetch(options: Options, window: Window, reach: Reach) -> list[SourceRow]:
    """Return the rows of a window in the order of the sheet."""
    name = options.path.name
    content = read_file(options.path, reach)
    _check_size(name, content, reach)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = _sheet(workbook, options, name)
        grid: Grid = sheet.to_python(skip_empty_area=False)
    except CalamineError as error:
        raise ConnectorError(f"{name} is not a workbook that can be read: {error}.") from error
    _fill_merged(grid, sheet)
    place = f"{name}, sheet {sheet.name}"
    return (
        _wide_rows(grid, options, window, place) if options.wide else _long_rows(grid, options, window, place)
    )


def _check_size(name: str, content: bytes, reach: Reach) -> None:
    """Refuse what is no workbook, and what would unpack to more than fits, before anything opens it."""
    if content.startswith(OLD_WORKBOOK):
        raise ConnectorError(f"{name} is an old .xls or has a password; save it as .xlsx without a password.")
    limit = reach.max_bytes * UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            infos = parts.infolist()
            if sum(info.file_size for info in infos) > limit or len(infos) > MAX_PARTS:
                raise ConnectorError(f"{name} would unpack to more than {limit:,} bytes; it is not opened.")
            if "xl/workbook.xml" not in parts.namelist():
                raise ConnectorError(f"{name} is not an Excel workbook; save it as .xlsx.")
            # Reading each part to its end also finds the ones that are larger than they say.
            cells = [_extent(parts.read(info)) for info in infos]
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
    ) as error:
        raise ConnectorError(f"{name} is not an Excel workbook; save it as .xlsx.") from error
    if max(cells, default=0) > MAX_CELLS:
        raise ConnectorError(
            f"{name} has a sheet that spans more than {MAX_CELLS:,} cells; it is not opened."
        )


def _extent(part: bytes) -> int:
    """Return how many cells a sheet spans, empty ones included: two cells far apart span the whole sheet."""
    rows = columns = 0
    for letters, number in set(CELL.findall(part)):
        rows, columns = max(rows, int(number)), max(columns, _column_number(letters.decode()))
    pieces = ROW.split(part)  # what is before the first row, then a row's number and what is in it, ...
    for number, within in zip(pieces[1::2], pieces[2::2], strict=True):
        rows = max(rows, int(number or 0))
        columns = max(columns, len(CELL_BEGINS.findall(within)))
    return max(rows, len(pieces) // 2) * columns


def _column_number(letters: str) -> int:
    return reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters, 0)


def _column_letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _sheet(workbook: CalamineWorkbook, options: Options, name: str) -> CalamineSheet:
    if options.sheet is None:
        return workbook.get_sheet_by_index(0)
    if options.sheet not in workbook.sheet_names:
        raise ConnectorError(
            f"{name} has no sheet {options.sheet!r}. It has: {', '.join(workbook.sheet_names)}."
        )
    return workbook.get_sheet_by_name(options.sheet)


def _fill_merged(grid: Grid, sheet: CalamineSheet) -> None:
    """Write what stands in the top cell of merged cells into those below it: one label often counts for many rows."""
    spent = 0
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or []:
        below = grid[top + 1 : bottom + 1]
        spent += len(below)
        if spent > MAX_CELLS:
            raise ConnectorError(f"Sheet {sheet.name} has too many merged cells; it is not read.")
        for row in below:
            if row[left] == "":
                row[left] = grid[top][left]


def _header(grid: Grid, wanted: Iterable[str], place: str) -> tuple[int, list[str]]:
    """Return the number of the first row that has all the texts that are wanted, from 0, and its texts."""
    names = set(wanted)
    seen: set[str] = set()
    for number, row in enumerate(grid[:HEADER_ROWS]):
        texts = [str(cell).strip() for cell in row]
        if names <= set(texts):
            return number, texts
        seen |= names & set(texts)
    missing = ", ".join(sorted(names - seen)) or f"{', '.join(sorted(names))} in one row"
    raise ConnectorError(f"{place}: no header {missing} in the first {HEADER_ROWS} rows.")


def _long_rows(grid: Grid, options: Options, window: Window, place: str) -> list[SourceRow]:
    columns = (options.date_column, *options.measured_columns, *options.where)
    top, header = _header(grid, (name for name in columns if name is not None), place)
    rows = ((f"row {number}", row) for number, row in enumerate(grid[top + 1 :], start=top + 2))
    return Table(place, header, rows).read(options, window)


def _wide_rows(grid: Grid, options: Options, window: Window, place: str) -> list[SourceRow]:
    wanted = (options.value_row, options.numerator_row, options.denominator_row)
    top, header = _header(grid, (name for labels in wanted if labels for name in labels), place)
    columns = _period_columns(grid[top], options, window)
    if not columns:
        raise ConnectorError(f"{place}: no period in row {top + 1}, where the headers are.")
    numbers = [labels and _row_number(grid, top, header, labels, place) for labels in wanted]
    cells = [_measured(grid, top, column, numbers) for column in columns]
    return source_rows(cells, options, window, place)


def _period_columns(row: list[Any], options: Options, window: Window) -> list[int]:
    """Return the columns whose header is a period; others, such as a total, are left aside."""
    columns = []
    for column, cell in enumerate(row):
        try:
            read_at(cell, window.rhythm, options.date_format)
        except ValueError:
            continue
        columns.append(column)
    return columns


def _row_number(grid: Grid, top: int, header: list[str], labels: dict[str, str], place: str) -> int:
    """Return the one row below the header that has these texts in these columns."""
    found = [
        number
        for number in range(top + 1, len(grid))
        if all(same_text(grid[number][header.index(name)], text) for name, text in labels.items())
    ]
    if len(found) == 1:
        return found[0]
    wanted = " and ".join(f"{name} {text!r}" for name, text in labels.items())
    if found:
        rows = ", ".join(str(number + 1) for number in found[:5])
        raise ConnectorError(f"{place}: rows {rows} all have {wanted}; name one more column.")
    first = next(iter(labels))
    there = sorted({str(row[header.index(first)]).strip() for row in grid[top + 1 :]} - {""})
    raise ConnectorError(f"{place}: no row has {wanted}. Under {first} there are: {', '.join(there)[:300]}.")


def _measured(grid: Grid, top: int, column: int, numbers: list[Any]) -> Measured:
    value, numerator, denominator = (None if number is None else grid[number][column] for number in numbers)
    letters = _column_letters(column + 1)
    where = " and ".join(f"{letters}{number + 1}" for number in numbers if number is not None)
    return Measured(f"cell {where}", grid[top][column], value, numerator, denominator)
