"""How numbers, money, days and states are written, the same on every page, in every mail and pack."""

from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Context, Decimal
from math import isfinite

from rmo.domain.calendar import LONG_MONTHS, MONTHS
from rmo.domain.values import BenefitClass, DataState, Direction, Frequency, Lifecycle, ReadingState, State

Number = Decimal | float | int

NOTHING = "–"  # no value where none is owed
MINUS = "\u2212"
GAP = "\u00a0"  # a space at which no line breaks

STATE_WORDS = {
    State.NOT_STARTED: "Not started",
    State.TOO_EARLY: "Too early",
    State.ON_TRACK: "On track",
    State.AT_RISK: "At risk",
    State.OFF_TRACK: "Off track",
    State.KEPT: "Kept",
    State.BROKEN: "Broken",
}
DATA_WORDS = {
    DataState.NOT_DUE: "Not due",
    DataState.CURRENT: "Up to date",
    DataState.LATE: "Late",
    DataState.STALE: "Stale",
    DataState.NONE: "No data",
}
DIRECTION_WORDS = {
    Direction.UP: "higher is better",
    Direction.DOWN: "lower is better",
    Direction.RANGE: "inside the range is better",
}
FREQUENCY_WORDS = {
    Frequency.DAY: "daily",
    Frequency.WEEK: "weekly",
    Frequency.MONTH: "monthly",
    Frequency.QUARTER: "quarterly",
    Frequency.YEAR: "yearly",
}
CLASS_WORDS = {
    BenefitClass.CASHABLE: "Cashable",
    BenefitClass.NON_CASHABLE: "Non-cashable",
    BenefitClass.COST_AVOIDANCE: "Cost avoidance",
    BenefitClass.QUANTIFIED: "Quantified",
    BenefitClass.QUALITATIVE: "Qualitative",
}
LIFECYCLE_WORDS = {
    Lifecycle.DRAFT: "Draft",
    Lifecycle.VALIDATED: "Validated",
    Lifecycle.APPROVED: "Approved",
    Lifecycle.REALISING: "Realising",
    Lifecycle.REALISED: "Realised",
    Lifecycle.SUSTAINED: "Sustained",
    Lifecycle.CLOSED: "Closed",
    Lifecycle.WRITTEN_OFF: "Written off",
}
READING_WORDS = {
    ReadingState.PROVISIONAL: "Provisional",
    ReadingState.APPROVED: "Approved",
    ReadingState.WITHDRAWN: "Withdrawn",
    ReadingState.NOT_APPLICABLE: "Not applicable",
}
COUNT_WORDS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip

WIDE = Context(prec=340)  # no float is too large to be written
POUNDS_IN_FULL = 100_000_00  # below this many pennies, pounds are written out


def figure_value(value: Number | None, decimals: int = 0, *, signed: bool = False) -> str:
    """Return a KPI's value with its own decimals: 6.21, 2,104, −0.31; signed also +0.87."""
    if value is None or not isfinite(value):
        return NOTHING
    rounded = _rounded(value, decimals)
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):,.{decimals}f}"


def money(pennies: int | None, *, signed: bool = False) -> str:
    """Return money as a sentence writes it: £2.98m from a hundred thousand pounds on, else £45,210."""
    if pennies is None:
        return NOTHING
    whole = _rounded(Decimal(pennies) / 100, 0)
    if abs(whole) * 100 >= POUNDS_IN_FULL:
        amount, unit = _rounded(Decimal(pennies) / 100_000_000, 2), "m"
        text = f"{abs(amount):,.2f}"
    else:
        amount, unit = whole, ""
        text = f"{abs(amount):,.0f}"
    sign = MINUS if amount < 0 else "+" if signed and amount > 0 else ""
    return f"{sign}£{text}{unit}"


def millions(pennies: int | None, *, signed: bool = False) -> str:
    """Return money as a column of £m writes it: 2.98, −1.26; signed also +0.87."""
    return figure_value(None if pennies is None else Decimal(pennies) / 100_000_000, 2, signed=signed)


def to_the_penny(pennies: int | None, *, signed: bool = False) -> str:
    """Return money for who audits it: 827,730.00."""
    return figure_value(None if pennies is None else Decimal(pennies) / 100, 2, signed=signed)


def percent(share: Number | None, decimals: int = 1, *, signed: bool = False) -> str:
    """Return a share of 1 in per cent: 28.3 %, with a space that does not break."""
    text = points(share, decimals, signed=signed)
    return text if text == NOTHING else f"{text}{GAP}%"


def points(share: Number | None, decimals: int = 1, *, signed: bool = False) -> str:
    """Return a share of 1 for a column whose head says %: 28.3."""
    return figure_value(None if share is None else share * 100, decimals, signed=signed)


def chance(probability: float | None) -> str:
    """Return a chance: 8 %, and at the ends below 1 % or above 99 %."""
    if probability is None or probability != probability:
        return NOTHING
    if probability < 0.01:
        return f"below 1{GAP}%"
    if probability > 0.99:
        return f"above 99{GAP}%"
    return percent(probability, 0)


def long_day(day: date | None) -> str:
    """Return a day as a sentence writes it: 14 April 2026."""
    return NOTHING if day is None else f"{day.day} {LONG_MONTHS[day.month - 1]} {day.year}"


def short_day(day: date | None) -> str:
    """Return a day as a column writes it: 30 Apr."""
    return NOTHING if day is None else f"{day.day} {MONTHS[day.month - 1]}"


def column_day(day: date | None) -> str:
    """Return a day as a column over several years writes it: 30 Apr 2026."""
    return NOTHING if day is None else f"{short_day(day)} {day.year}"


def long_month(day: date | None) -> str:
    """Return a month as a sentence writes it: March 2026."""
    return NOTHING if day is None else f"{LONG_MONTHS[day.month - 1]} {day.year}"


def short_month(day: date | None) -> str:
    """Return a month as a column writes it: Mar 2026."""
    return NOTHING if day is None else f"{MONTHS[day.month - 1]} {day.year}"


def moment(at: datetime | None, zone: tzinfo | None = None) -> str:
    """Return a moment on the clock of a zone: 9 Apr 2026, 07:42."""
    if at is None:
        return NOTHING
    there = at.astimezone(zone) if zone is not None else at
    return f"{column_day(there)}, {there:%H:%M}"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number of things: 1 gap, 7 gaps, 1,240 gaps."""
    return f"{figure_value(number)} {one if number == 1 else many or one + 's'}"


def count_word(number: int) -> str:
    """Return a number in words up to twelve, then in figures: three, 41."""
    return COUNT_WORDS[number] if 0 <= number < len(COUNT_WORDS) else figure_value(number)


def capital(text: str) -> str:
    """Return a sentence with a capital at its start, the rest as it is: Seven of twelve KPIs."""
    return text[:1].upper() + text[1:]


def state_word(state: State | DataState | str) -> str:
    """Return the word that is always shown beside a state's shape."""
    if state in set(State):
        return STATE_WORDS[State(state)]
    return DATA_WORDS[DataState(state)]


def direction_words(direction: Direction | str) -> str:
    """Return which way is better, as a chart's corner says it."""
    return DIRECTION_WORDS[Direction(direction)]


def frequency_word(frequency: Frequency | str) -> str:
    """Return how often: monthly."""
    return FREQUENCY_WORDS[Frequency(frequency)]


def class_word(benefit_class: BenefitClass | str) -> str:
    """Return a benefit's class: Non-cashable."""
    return CLASS_WORDS[BenefitClass(benefit_class)]


def lifecycle_word(lifecycle: Lifecycle | str) -> str:
    """Return where a benefit stands: Realising."""
    return LIFECYCLE_WORDS[Lifecycle(lifecycle)]


def reading_word(state: ReadingState | str) -> str:
    """Return what a reading is worth: Provisional."""
    return READING_WORDS[ReadingState(state)]


def _rounded(value: Number, decimals: int) -> Decimal:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN, WIDE)
    return rounded if rounded else abs(rounded)  # no minus before a zero
