"""What people write: numbers and periods, read strictly, so that a slip is told and never guessed away."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from math import gcd

from rmo.domain.calendar import Rhythm
from rmo.domain.errors import RmoError
from rmo.domain.values import Frequency


class UnreadableError(RmoError, ValueError):
    """What was written is not what it should be. The message says what is expected."""


_SPACES = re.compile(r"[\s\u00a0\u2009\u202f]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\d{1,3}(,\d{3})+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def parse_number(text: str) -> Decimal:
    """Return a number as it was written, every digit; commas and spaces may group thousands.

    Raises:
        UnreadableError: It is empty, not a number, or a comma may be a decimal sign.
    """
    written = text.strip()
    digits = _SPACES.sub("", written).replace("\u2212", "-")
    if not _NUMBER.fullmatch(digits) or not _grouped(written):
        hint = "; write decimals with a point" if re.fullmatch(r"[+-]?[\d.]*,\d+", digits) else ""
        raise UnreadableError(f"“{repr(written)[1:-1]}” is not a number{hint}.")
    return Decimal(digits.replace(",", ""))


def _grouped(written: str) -> bool:
    """Tell whether spaces inside a number, if any, group thousands."""
    if not _SPACES.search(written):
        return True
    whole = _SPACES.sub(" ", written).lstrip("+-\u2212").partition(".")[0]
    return re.fullmatch(r"\d{1,3}( \d{3})+", whole) is not None


class Form(StrEnum):
    """How a period is written."""

    DAY = "day"  # 2024-03-01
    WEEK = "week"  # 2024-W07
    MONTH = "month"  # 2024-03
    QUARTER = "quarter"  # 2024-Q1
    NUMBER = "number"  # 2024, or any whole number


RHYTHMS = {
    Form.DAY: Rhythm(Frequency.DAY),
    Form.WEEK: Rhythm(Frequency.WEEK),
    Form.MONTH: Rhythm(Frequency.MONTH),
    Form.QUARTER: Rhythm(Frequency.QUARTER),
}
SEASONS = {
    Form.DAY: 7,
    Form.WEEK: 52,
    Form.MONTH: 12,
    Form.QUARTER: 4,
    Form.NUMBER: 1,
}  # periods a season takes


@dataclass(frozen=True, order=True)
class WrittenPeriod:
    """A period as a file has it. Periods of one form are numbered, so that the next one can be told."""

    form: Form
    index: int

    @property
    def text(self) -> str:
        """Return the period as it is written."""
        if self.form is Form.NUMBER:
            return str(self.index)
        first = RHYTHMS[self.form].first(self.index)
        if self.form is Form.MONTH:
            return first.isoformat()[:7]
        if self.form is Form.QUARTER:
            return f"{first.year:04d}-Q{(first.month + 2) // 3}"
        if self.form is Form.WEEK:
            year, week, _ = first.isocalendar()
            return f"{year:04d}-W{week:02d}"
        return first.isoformat()

    @property
    def first_day(self) -> date | None:
        """Return the first day of the period; None for a number that is no year."""
        if self.form is Form.NUMBER:
            return date(self.index, 1, 1) if 1000 <= self.index <= 9999 else None
        return RHYTHMS[self.form].first(self.index)

    def shift(self, by: int) -> "WrittenPeriod":
        """Return the period so many later, or earlier."""
        return WrittenPeriod(self.form, self.index + by)


_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-?[Qq]([1-4])", re.ASCII)
_WEEK = re.compile(r"(\d{4})-?[Ww](\d{2})", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})([T ]00:00(:00(\.0+)?)?Z?)?", re.ASCII)


def parse_period(text: str) -> WrittenPeriod:
    """Return a period written as an ISO date, 2024-03, 2024-Q1, 2024-W07, 2024 or a whole number.

    Raises:
        UnreadableError: It is none of these, or there is no such day, month or week.
    """
    written = text.strip()
    try:
        if _WHOLE.fullmatch(written):
            return WrittenPeriod(Form.NUMBER, int(written))
        if match := _DAY.fullmatch(written):
            return _written(Form.DAY, date.fromisoformat(match[1]))
        if match := _MONTH.fullmatch(written):
            return _written(Form.MONTH, date(int(match[1]), int(match[2]), 1))
        if match := _QUARTER.fullmatch(written):
            return _written(Form.QUARTER, date(int(match[1]), int(match[2]) * 3 - 2, 1))
        if match := _WEEK.fullmatch(written):
            return _written(Form.WEEK, date.fromisocalendar(int(match[1]), int(match[2]), 1))
    except ValueError as error:
        raise UnreadableError(f"{written!r} is not in the calendar.") from error
    raise UnreadableError(
        f"{written!r} is not a period; write 2024-03-01, 2024-03, 2024-Q1, 2024-W07, 2024 or a whole number."
    )


def _written(form: Form, day: date) -> WrittenPeriod:
    return WrittenPeriod(form, RHYTHMS[form].index(day))


@dataclass(frozen=True)
class Pace:
    """How far apart the periods of one series are: so many units of a form, dates possibly counted in months.

    Places number the periods of a series without holes, so that a period that is not there
    is seen to be missing.
    """

    form: Form
    step: int = 1
    month_day: int | None = None  # dates that stand for months, by this day of the month; 31 for the last
    working_days: bool = False  # dates without a Saturday or a Sunday
    origin: int = 0

    def place(self, period: WrittenPeriod) -> int:
        """Return the place of a period of the series."""
        return (self._unit(period) - self.origin) // self.step

    def text(self, place: int) -> str:
        """Return the period at a place as it is written, also one that is not there yet."""
        unit = self.origin + place * self.step
        if self.month_day is not None:
            return _day_of_month(unit, self.month_day).isoformat()
        if self.working_days:
            return date.fromordinal(unit // 5 * 7 + unit % 5 + 1).isoformat()
        return WrittenPeriod(self.form, unit).text

    @property
    def season(self) -> int:
        """Return how many periods make a year, or for days a week; 1 where nothing is to be expected."""
        if self.working_days:
            return 5 if self.step == 1 else 1
        if self.form is Form.DAY and self.month_day is None:
            return {1: 7, 7: 52}.get(self.step, 1)
        year = {Form.DAY: 12, Form.MONTH: 12, Form.QUARTER: 4, Form.WEEK: 52, Form.NUMBER: 1}[self.form]
        return year // self.step if year % self.step == 0 else 1

    def _unit(self, period: WrittenPeriod) -> int:
        if self.month_day is not None:
            day = date.fromordinal(period.index)
            return day.year * 12 + day.month - 1
        if self.working_days:
            return (period.index - 1) // 7 * 5 + (period.index - 1) % 7
        return period.index


def pace_of(periods: Sequence[WrittenPeriod]) -> Pace:
    """Return the pace of a series from its periods: of one form, in order, none twice."""
    form = periods[0].form
    rough = (
        _rough_pace([date.fromordinal(period.index) for period in periods])
        if form is Form.DAY
        else Pace(form)
    )
    units = [rough._unit(period) for period in periods]
    step = gcd(*(unit - units[0] for unit in units)) or 1
    return Pace(form, step, rough.month_day, rough.working_days, origin=units[0])


def _rough_pace(days: list[date]) -> Pace:
    """Tell dates that stand for months, or for working days, from plain days."""
    if len(days) > 1 and len({(day.year, day.month) for day in days}) == len(days):
        if len({day.day for day in days}) == 1:
            return Pace(Form.DAY, month_day=days[0].day)
        if all((day + timedelta(days=1)).day == 1 for day in days):
            return Pace(Form.DAY, month_day=31)
    weekdays = [day.weekday() for day in days]
    return Pace(Form.DAY, working_days=max(weekdays) < 5 and len(set(weekdays)) > 1)


def _day_of_month(month: int, day: int) -> date:
    """Return a day of a month counted from year 0, its last day where it has not so many."""
    last = date(month // 12 + (month % 12 == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)
    return last.replace(day=min(day, last.day))
