"""Periods as labels: which one a day falls into, which come next, how they are written, when a reading is due."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rmo.domain.values import Frequency

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MONTHS_IN = {Frequency.MONTH: 1, Frequency.QUARTER: 3, Frequency.YEAR: 12}
PERIODS_A_YEAR = {
    Frequency.DAY: 365,
    Frequency.WEEK: 52,
    Frequency.MONTH: 12,
    Frequency.QUARTER: 4,
    Frequency.YEAR: 1,
}
MONDAY = date(1970, 1, 5)


@dataclass(frozen=True)
class Rhythm:
    """A frequency and the month in which its year starts. A period is named by its first day.

    Periods of one rhythm are numbered, so that arrays can be indexed by period:
    `index` and `first` are each other's inverse.
    """

    frequency: Frequency
    year_start: int = 1

    def index(self, day: date) -> int:
        """Return the number of the period that contains a day."""
        if self.frequency is Frequency.DAY:
            return day.toordinal()
        if self.frequency is Frequency.WEEK:
            return (day - MONDAY).days // 7
        return (day.year * 12 + day.month - self.year_start) // MONTHS_IN[self.frequency]

    def first(self, index: int) -> date:
        """Return the first day of a period."""
        if self.frequency is Frequency.DAY:
            return date.fromordinal(index)
        if self.frequency is Frequency.WEEK:
            return MONDAY + timedelta(weeks=index)
        months = index * MONTHS_IN[self.frequency] + self.year_start - 1
        return date(months // 12, months % 12 + 1, 1)

    def period_of(self, day: date) -> date:
        """Return the first day of the period that contains a day."""
        return self.first(self.index(day))

    def last(self, period: date) -> date:
        """Return the last day of the period that contains a day."""
        return self.first(self.index(period) + 1) - timedelta(days=1)

    def shift(self, period: date, by: int) -> date:
        """Return the first day of the period so many periods later, or earlier."""
        return self.first(self.index(period) + by)

    def between(self, first: date, last: date) -> Iterator[date]:
        """Yield the first days of the periods from one that contains a day to one that contains another."""
        for index in range(self.index(first), self.index(last) + 1):
            yield self.first(index)

    def newest_ended(self, today: date) -> date:
        """Return the newest period that is over."""
        return self.shift(today, -1)

    def label(self, period: date) -> str:
        """Return a period as it is written on a page: 3 Mar 2026, week 10 of 2026, Mar 2026, Q1 2026, 2025/26."""
        return self._label(period, MONTHS)

    def long_label(self, period: date) -> str:
        """Return a period as it is written in a sentence: 3 March 2026, March 2026, the first quarter of 2026."""
        return self._label(period, LONG_MONTHS)

    def _label(self, period: date, months: tuple[str, ...]) -> str:
        first, last = self.period_of(period), self.last(period)
        if self.frequency is Frequency.DAY:
            return f"{first.day} {months[first.month - 1]} {first.year}"
        if self.frequency is Frequency.WEEK:
            iso = first.isocalendar()
            return f"week {iso.week} of {iso.year}"
        if self.frequency is Frequency.MONTH:
            return f"{months[first.month - 1]} {first.year}"
        year = f"{first.year}" if self.year_start == 1 else self._fiscal_year(first)
        if self.frequency is Frequency.YEAR:
            return year
        quarter = (last.month - self.year_start) % 12 // 3 + 1
        return f"Q{quarter} {year}"

    def _fiscal_year(self, first: date) -> str:
        start = first.year if first.month >= self.year_start else first.year - 1
        return f"{start}/{(start + 1) % 100:02d}"


def add_working_days(day: date, count: int) -> date:
    """Return the day so many working days (Monday to Friday) later; 0 gives the day itself."""
    while count > 0:
        day += timedelta(days=1)
        if day.weekday() < 5:
            count -= 1
    return day


def due_day(rhythm: Rhythm, period: date, working_days: int) -> date:
    """Return the day on which a period's reading is due: so many working days after its end.

    Source:
        Handbook, "How the numbers are worked out", section Periods and due days.
    """
    return add_working_days(rhythm.last(period), working_days)
