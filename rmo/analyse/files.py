"""CSV files as an analyst has them, in long form: what they say, or every line that is wrong."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np

from rmo.domain.parsing import Pace, UnreadableError, WrittenPeriod, pace_of, parse_number, parse_period
from rmo.domain.values import Floats

T = TypeVar("T")

LARGEST = 1e100  # a number beyond it is a slip, and its square would not fit
HOLES = 30  # so many periods for one that is there, and something is wrong


@dataclass(frozen=True)
class BadLine:
    """A line of a file that cannot be used, and why."""

    line: int
    message: str


class BadFileError(Exception):
    """A file cannot be used: every bad line at once."""

    def __init__(self, path: Path, problems: Sequence[BadLine]) -> None:
        super().__init__(f"{path} cannot be used.")
        self.path = path
        self.problems = sorted(problems, key=lambda problem: problem.line)


@dataclass(frozen=True)
class Row:
    """One line of a file: its number and its cells by column, trimmed."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Series:
    """One series of a file, in order of time. `values` has a place for every period, NaN where there is none."""

    name: str
    texts: tuple[str, ...]  # the periods as the file has them
    periods: tuple[WrittenPeriod, ...]
    places: tuple[int, ...]  # and where each of them stands
    pace: Pace
    values: Floats
    rows: tuple[Row, ...]

    @property
    def count(self) -> int:
        """Return how many readings it has."""
        return int(np.sum(~np.isnan(self.values)))

    def text(self, place: int) -> str:
        """Return the period at a place, as the file has it if it does."""
        return self._texts.get(place) or self.pace.text(place)

    @cached_property
    def _texts(self) -> dict[int, str]:
        return dict(zip(self.places, self.texts, strict=True))

    def place_of(self, period: WrittenPeriod) -> int | None:
        """Return the place of a period, which may be written in another way; None if that says nothing here."""
        if period.form is self.pace.form:
            return self.pace.place(period)
        day = period.first_day
        days = [own.first_day for own in self.periods]
        if day is None or days[0] is None:
            return None
        later = (
            place for place, own in zip(self.places, days, strict=True) if own is not None and own >= day
        )
        return next(later, self.places[-1] + 1)

    def column(self, name: str) -> Floats:
        """Return another column of numbers, read and found good before, at the places of the values."""
        numbers = np.full(self.values.shape, np.nan)
        for place, row in zip(self.places, self.rows, strict=True):
            if row.cells.get(name):
                numbers[place] = float(row.cells[name])
        return numbers


@dataclass
class Complaints:
    """Bad lines, as they are found."""

    found: list[BadLine] = field(default_factory=list)

    def read(self, row: Row, column: str, reader: Callable[[str], T]) -> T | None:
        """Return a cell as a reader understands it; None, and a complaint, where it does not."""
        try:
            return reader(row.cells[column])
        except UnreadableError as error:
            self.found.append(BadLine(row.line, f"{column}: {error}"))
            return None

    def add(self, row: Row, message: str) -> None:
        """Complain about a line."""
        self.found.append(BadLine(row.line, message))


def read_rows(path: Path, *, needed: Sequence[str], complaints: Complaints) -> list[Row]:
    """Return the lines of a CSV file with a header; empty lines are passed over."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFileError(path, [BadLine(1, "The file is not written in UTF-8.")]) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows = []
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in needed if name not in header]
        if missing:
            said = ", ".join(repr(name) for name in missing)
            raise BadFileError(path, [BadLine(1, f"There is no column {said}; the header is {header}.")])
        if len(set(header)) < len(header):
            raise BadFileError(path, [BadLine(1, f"A column is there twice; the header is {header}.")])
        for cells in reader:
            if any(cell.strip() for cell in cells):
                row = Row(reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=False)))
                if len(cells) != len(header):
                    complaints.add(row, f"It has {len(cells)} cells where the header has {len(header)}.")
                else:
                    rows.append(row)
    except csv.Error as error:
        complaints.found.append(BadLine(reader.line_num, f"It is not CSV: {error}."))
    return rows


def number_or_nothing(text: str) -> float | None:
    """Return a finite number, or None for an empty cell."""
    if not text:
        return None
    number = float(parse_number(text))
    if abs(number) > LARGEST:
        raise UnreadableError(f"{text!r} is too large.")
    return number


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """Return a reader of one of some words, or of nothing."""

    def read(text: str) -> str:
        if text and text.lower() not in words:
            raise UnreadableError(f"{text!r} is not one of {', '.join(words)}.")
        return text.lower()

    return read


def read_series(
    path: Path, *, numbers: Sequence[str] = (), choices: dict[str, Sequence[str]] | None = None
) -> list[Series]:
    """Return the series of a file, in the order in which they first come.

    Args:
        path: A CSV file with the columns period and value, and optionally series.
        numbers: Further columns that hold numbers where they are there.
        choices: Further columns that hold one of some words where they are there.

    Raises:
        BadFileError: With every bad line.
    """
    complaints = Complaints()
    named: dict[str, list[tuple[WrittenPeriod, float, Row]]] = {}
    for row in read_rows(path, needed=("period", "value"), complaints=complaints):
        period = complaints.read(row, "period", parse_period)
        value = complaints.read(row, "value", number_or_nothing)
        for name in numbers:
            if name in row.cells:
                complaints.read(row, name, number_or_nothing)
        for name, words in (choices or {}).items():
            if name in row.cells:
                complaints.read(row, name, one_of(words))
        if period is not None:
            found = named.setdefault(row.cells.get("series", ""), [])
            found.append((period, np.nan if value is None else value, row))
    for found in named.values():
        _complain_of_order(found, complaints)
    if not complaints.found:
        for found in named.values():
            _complain_of_holes(found, complaints)
    if not named and not complaints.found:
        complaints.found.append(BadLine(1, "There is no reading in the file."))
    if complaints.found:
        raise BadFileError(path, complaints.found)
    return [_series(name, found) for name, found in named.items()]


def check_place(path: Path, series: Sequence[Series], period: WrittenPeriod) -> None:
    """Raise BadFileError if a period of the command line says nothing about some of the series."""
    problems = [
        BadLine(one.rows[0].line, f"period: {one.texts[0]!r} cannot be compared with {period.text!r}.")
        for one in series
        if one.place_of(period) is None
    ]
    if problems:
        raise BadFileError(path, problems)


def _complain_of_order(found: list[tuple[WrittenPeriod, float, Row]], complaints: Complaints) -> None:
    """Complain of a period given twice, and of periods written in another way than the first."""
    form = found[0][0].form
    lines: dict[WrittenPeriod, int] = {}
    for period, _, row in found:
        if period.form is not form:
            complaints.add(
                row, f"period: {row.cells['period']!r} is not a {form} like the first of its series."
            )
        if period in lines:
            complaints.add(
                row, f"period: {row.cells['period']!r} is there twice, first on line {lines[period]}."
            )
        lines.setdefault(period, row.line)


def _complain_of_holes(found: list[tuple[WrittenPeriod, float, Row]], complaints: Complaints) -> None:
    """Complain of a period so far from the others that it must be a slip."""
    pace = pace_of(sorted(period for period, _, _ in found))
    places = sorted((pace.place(period), row.line, row) for period, _, row in found)
    if places[-1][0] > HOLES * (len(places) + HOLES):
        jumps = [after[0] - before[0] for before, after in pairwise(places)]
        _, _, row = places[jumps.index(max(jumps)) + 1]
        complaints.add(
            row, f"period: {row.cells['period']!r} is {max(jumps)} periods after the one before it."
        )


def _series(name: str, found: list[tuple[WrittenPeriod, float, Row]]) -> Series:
    found = sorted(found, key=lambda each: each[0])
    pace = pace_of([period for period, _, _ in found])
    places = [pace.place(period) for period, _, _ in found]
    values = np.full(places[-1] + 1, np.nan)
    values[places] = [value for _, value, _ in found]
    return Series(
        name=name,
        texts=tuple(row.cells["period"] for _, _, row in found),
        periods=tuple(period for period, _, _ in found),
        places=tuple(places),
        pace=pace,
        values=values,
        rows=tuple(row for _, _, row in found),
    )


def as_batch(series: Sequence[Floats], *, at_end: bool = False) -> Floats:
    """Return series as rows of one array, NaN after the shorter ones, or before them if all are to end together."""
    batch = np.full((len(series), max(len(values) for values in series)), np.nan)
    for row, values in enumerate(series):
        first = batch.shape[1] - len(values) if at_end else 0
        batch[row, first : first + len(values)] = values
    return batch
