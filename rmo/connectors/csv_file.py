"""Readings from a CSV file that another system exports: a date column and a value column, or a ratio's two."""

import codecs
import csv
import io
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from rmo.connectors.shared.asked import Reach, Window
from rmo.connectors.shared.files import read_file
from rmo.connectors.shared.table import Table, TableOptions
from rmo.domain.errors import ConnectorError
from rmo.domain.values import SourceRow


class Options(TableOptions, extra="forbid", frozen=True):
    """What a KPI definition may say under `source.options`."""

    path: Path = Field(description="The file, inside one of the folders that are open to sources")
    encoding: str = Field(default="utf-8-sig", description="utf-8-sig, cp1252, ...")
    delimiter: Literal[",", ";", "|", "tab"] = Field(default=",", description="What stands between columns")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            if not codecs.lookup(encoding)._is_text_encoding:
                raise LookupError
        except LookupError as error:
            raise ValueError(f"{encoding!r} is not an encoding; write utf-8-sig or cp1252") from error
        return encoding


def fetch(options: Options, window: Window, reach: Reach) -> list[SourceRow]:
    """Return the rows of a window in the order of the file."""
    name = options.path.name
    delimiter = "\t" if options.delimiter == "tab" else options.delimiter
    reader = csv.reader(io.StringIO(_text(options, reach), newline=""), delimiter=delimiter)
    try:
        numbered = [(reader.line_num, row) for row in reader if any(row)]
    except csv.Error as error:
        raise ConnectorError(
            f"{name} is not a CSV file that can be read: line {reader.line_num}: {error}."
        ) from error
    return Table(name, [row for _, row in numbered], [line for line, _ in numbered], "line").read(
        options, window
    )


def _text(options: Options, reach: Reach) -> str:
    content = read_file(options.path, reach)
    try:
        return content.decode(options.encoding)
    except UnicodeError as error:
        raise ConnectorError(
            f"{options.path.name} is not {options.encoding} text; say its `encoding`, perhaps cp1252."
        ) from error
