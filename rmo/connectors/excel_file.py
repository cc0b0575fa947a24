"""Readings from an Excel workbook as people send it: titles above, periods across or down, notes below."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import Field
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from rmo.connectors.shared.asked import Reach, Window
from rmo.connectors.shared.files import read_file
from rmo.connectors.shared.measured import Text
from rmo.connectors.shared.table import Table, TableOptions, column_number
from rmo.domain.errors import ConnectorError
from rmo.domain.values import SourceRow

UNPACKED = 5  # how many times larger than the file allowed its contents may be
MAX_PARTS = 2_000
MAX_CELLS = 5_000_000
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"  # also what a workbook with a password begins with
CELL = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
ROW = re.compile(rb"""<(?:\w+:)?row\b(?:[^>]*?\br=["']([0-9]{1,7})["'])?""")
CELL_BEGINS = re.compile(rb"<(?:\w+:)?c[\s/>]")

Grid: TypeAlias = list[list[Any]]


class Options(TableOptions, extra="forbid", frozen=True):
    """What a KPI definition may say under `source.options`."""

    path: Path = Field(description="The workbook, inside one of the folders that are open to sources")
    sheet: Text | None = Field(default=None, description="The sheet's name; the first one if not said")


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
    return Table(f"{name}, sheet {sheet.name}", grid, range(1, len(grid) + 1)).read(options, window)


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
        rows, columns = max(rows, int(number)), max(columns, column_number(letters.decode()))
    pieces = ROW.split(part)  # what is before the first row, then a row's number and what is in it, ...
    for number, within in zip(pieces[1::2], pieces[2::2], strict=True):
        rows = max(rows, int(number or 0))
        columns = max(columns, len(CELL_BEGINS.findall(within)))
    return max(rows, len(pieces) // 2) * columns


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
