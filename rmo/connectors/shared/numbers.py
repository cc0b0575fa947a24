"""Numbers as sources write them, kept exactly: never by way of a float that the source did not have."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from rmo.domain.exact import MAX_DIGITS

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
SHOWN = 60  # how much of a wrong cell is repeated in a message
EXCEL_DIGITS = ".15g"  # what Excel itself keeps and shows


@dataclass(frozen=True)
class Marks:
    """How a source writes numbers, and which words stand for no number."""

    decimal: str = "."
    thousands: str = ""
    missing: tuple[str, ...] = ()


def shown(cell: object) -> str:
    """Return a cell as a message may repeat it: short, on one line."""
    text = " ".join(str(cell).split())
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def read_number(cell: object, marks: Marks = Marks()) -> Decimal | None:
    """Return the number in a cell, or None where it is blank; or raise ValueError that says what is wrong."""
    if cell is None:
        return None
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal):
        raise ValueError(f"{shown(cell)} is not a number")
    if isinstance(cell, float):
        cell = format(cell, EXCEL_DIGITS)
    if isinstance(cell, int):
        return _from_int(cell)
    if isinstance(cell, Decimal):
        return cell if cell.is_finite() else _refuse(cell)
    text = cell.strip()
    if not text or text in marks.missing:
        return None
    return _from_text(text, marks)


def _from_int(number: int) -> Decimal:
    if abs(number) >= 10**MAX_DIGITS:
        raise ValueError(f"the number has more than {MAX_DIGITS} digits")
    return Decimal(number)


def _from_text(text: str, marks: Marks) -> Decimal:
    plain = _without_thousands(text, marks)
    if marks.decimal != ".":
        if "." in plain:
            _refuse(text)
        plain = plain.replace(marks.decimal, ".")
    if not NUMBER.fullmatch(plain):
        _refuse(text, hint=_hint(text, marks))
    try:
        return Decimal(plain)
    except InvalidOperation:
        return _refuse(text)


def _without_thousands(text: str, marks: Marks) -> str:
    """Take the thousands marks away where they stand in threes."""
    if not marks.thousands:
        return text
    text = text.replace("\u00a0", " ").replace("\u202f", " ")
    whole, point, rest = text.partition(marks.decimal)
    grouped = re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(marks.thousands)}\d{{3}})*", whole, re.ASCII)
    return whole.replace(marks.thousands, "") + point + rest if grouped else text


def _hint(text: str, marks: Marks) -> str:
    if not marks.thousands and re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", text, re.ASCII):
        return '; if its comma marks thousands, say `thousands_mark: ","`'
    if marks.decimal == "." and re.fullmatch(r"[+-]?\d+,\d+", text, re.ASCII):
        return '; if its comma is the decimal mark, say `decimal_mark: ","`'
    return "; if it stands for no value, list it under `missing`"


def _refuse(text: object, *, hint: str = "") -> Decimal:
    raise ValueError(f"{shown(text)} is not a number{hint}")
