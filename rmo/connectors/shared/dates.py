"""Days, moments and periods as sources write them; what could mean two things is refused."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from rmo.connectors.shared.numbers import shown
from rmo.domain.calendar import LONG_MONTHS, MONTHS, PERIODS_A_YEAR, Rhythm
from rmo.domain.values import Frequency

FIRST_YEAR, LAST_YEAR = 1700, 2400
UNIX = "unix"  # as a date format: seconds since 1970
UNIX_MS = "unix_ms"  # milliseconds
WAYS = "2019-03-31, 2019-03, Mar 2019, 2019-Q1, 2019 or 2018/19; for another form say `date_format`"

Label = tuple[Frequency, date]


def read_at(cell: object, rhythm: Rhythm, date_format: str = "") -> date | datetime:
    """Return the day or moment in a cell, or raise ValueError that says what is wrong.

    A label of a whole period, such as 2019-03, is taken where the KPI's own periods are at least as long.
    """
    at = _read_at(cell, rhythm, date_format)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"{shown(cell)} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return at


def _read_at(cell: object, rhythm: Rhythm, date_format: str) -> date | datetime:
    if isinstance(cell, date):  # a datetime is one too
        return cell
    if cell is None or isinstance(cell, bool):
        raise ValueError(f"{shown(cell)} is not a date")
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # Excel has only one kind of number, and a year is one
    text = str(cell).strip()
    if not text:
        raise ValueError("the date is blank")
    if date_format in (UNIX, UNIX_MS):
        return _from_unix(text, thousandths=date_format == UNIX_MS)
    return _from_format(text, date_format) if date_format else _from_text(text, rhythm)


def _from_unix(text: str, *, thousandths: bool) -> datetime:
    try:
        seconds = Decimal(text) / (1000 if thousandths else 1)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(seconds))
    except (ArithmeticError, ValueError) as error:
        raise ValueError(f"{shown(text)} is not a moment in seconds since 1970") from error


def _from_format(text: str, date_format: str) -> date | datetime:
    try:
        at = datetime.strptime(text, date_format)  # noqa: DTZ007 - without a zone it is the source's own time
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a date of the form {date_format}") from error
    timed = any(code in date_format for code in ("%H", "%I", "%X", "%c"))
    return at if timed or at.tzinfo else at.date()


def _from_text(text: str, rhythm: Rhythm) -> date | datetime:
    for way in (_day, _moment):
        at = way(text)
        if at is not None:
            return at
    label = _label(text, rhythm)
    if label is None:
        raise ValueError(f"{shown(text)} is not a date; write {WAYS}")
    frequency, first = label
    if PERIODS_A_YEAR[frequency] < PERIODS_A_YEAR[rhythm.frequency]:
        raise ValueError(
            f"{shown(text)} is a whole {frequency}, but the KPI is measured every {rhythm.frequency}"
        )
    return first


def _day(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d{8}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a day that exists") from error


def _moment(text: str) -> datetime | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d", text, re.ASCII):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a moment that exists") from error


def _label(text: str, rhythm: Rhythm) -> Label | None:
    """Return how long a written period is and its first day."""
    for way in (_month, _quarter, _year, _week):
        label = way(text, rhythm)
        if label is not None:
            return label
    return None


def _month(text: str, _: Rhythm) -> Label | None:
    if found := re.fullmatch(r"(\d{4})[-/M](0[1-9]|1[0-2])", text, re.ASCII):
        # 2010/11 can be a fiscal year as well as a month
        return None if "/" in text else (Frequency.MONTH, date(int(found[1]), int(found[2]), 1))
    if found := re.fullmatch(r"([A-Za-z]+)[ -](\d{4})", text, re.ASCII):
        for names in (MONTHS, LONG_MONTHS):
            if found[1].title() in names:
                return Frequency.MONTH, date(int(found[2]), names.index(found[1].title()) + 1, 1)
    return None


def _quarter(text: str, rhythm: Rhythm) -> Label | None:
    found = re.fullmatch(
        r"(?P<y>\d{4}(/\d\d)?)[ -]?Q(?P<q>[1-4])|Q(?P<q2>[1-4]) (?P<y2>\d{4}(/\d\d)?)", text, re.ASCII
    )
    if not found:
        return None
    year = _year(found["y"] or found["y2"], rhythm)
    if year is None:
        return None
    months = (int(found["q"] or found["q2"]) - 1) * 3
    return Frequency.QUARTER, Rhythm(Frequency.MONTH).shift(year[1], months)


def _year(text: str, rhythm: Rhythm) -> Label | None:
    """Read 2018 where years start in January and 2018/19 where they do not; the other way round is not clear."""
    found = re.fullmatch(r"(\d{4})(/(\d\d))?", text, re.ASCII)
    if not found:
        return None
    first = int(found[1])
    if found[2] and (rhythm.year_start == 1 or int(found[3]) != (first + 1) % 100):
        raise ValueError(
            f"{shown(text)} is not a year here; set year_start if the year starts later than in January"
        )
    if not found[2] and rhythm.year_start != 1:
        raise ValueError(
            f"{shown(text)} could be two years, since they start in month {rhythm.year_start}; write 2018/19"
        )
    return Frequency.YEAR, date(first, rhythm.year_start, 1)


def _week(text: str, _: Rhythm) -> Label | None:
    found = re.fullmatch(r"(\d{4})-?W(\d{2})", text, re.ASCII)
    if not found:
        return None
    try:
        return Frequency.WEEK, date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a week that exists") from error
