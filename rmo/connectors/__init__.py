"""Sources of readings: finds a KPI's connector, asks it for a window, and turns its rows into readings."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import reduce

from pydantic import ValidationError

from rmo.connectors.definitions import OPTIONS, Definition, Source
from rmo.connectors.shared.asked import Reach, Window, secrets_from
from rmo.connectors.shared.kinds import connector, connector_names
from rmo.connectors.shared.mistakes import mistakes
from rmo.connectors.shared.refusals import Refusals
from rmo.domain.errors import ConnectorError
from rmo.domain.exact import EXACT, MAX_PLACES, kept, quotient, rounded
from rmo.domain.values import Combine, Reading, ReadingState, SourceRow

__all__ = ["Reach", "Window", "connector", "connector_names", "pull", "secrets_from"]

Rows = list[SourceRow]
PLACES_SHOWN = 5


def pull(definition: Definition, window: Window, reach: Reach) -> list[Reading]:
    """Return what a KPI's source says about a window, oldest first, one reading a period.

    Rows of other periods, the future among them, are not taken; rows without a value are no readings.

    Raises:
        ConnectorError: The source cannot be read, or some of its rows cannot be taken: then none is.
    """
    source = definition.source
    if source is None:
        raise ConnectorError(f"{definition.name} has no source; people enter its readings.")
    if window.first > window.last:
        return []  # nothing has ended since the last time
    rows = _fetch(source, window, reach)
    refusals = Refusals(definition.name)
    readings = []
    for period, of_period in sorted(_by_period(rows, window).items()):
        if len(of_period) < source.at_least:
            continue  # not complete yet
        try:
            row = _combined([_exact(row, source.round_to) for row in of_period], source.combine, window)
            readings.append(_reading(period, row, definition))
        except ValueError as error:
            refusals.add(_place(definition, period, of_period), f"{error}.")
    refusals.raise_if_any()
    return readings


def _fetch(source: Source, window: Window, reach: Reach) -> Rows:
    kind = connector(source.connector)
    try:
        options = kind.Options.model_validate(source.options)
    except ValidationError as error:
        said = " ".join(message for _, message in mistakes(error, kind.Options, OPTIONS))
        raise ConnectorError(f"The options of the {source.connector} source are wrong. {said}") from error
    return kind.fetch(options, window, reach)


def _by_period(rows: Iterable[SourceRow], window: Window) -> Mapping[date, Rows]:
    periods: dict[date, Rows] = {}
    for row in rows:
        period = window.period_of(row.at)
        if period in window and (row.value is not None or row.numerator is not None):
            periods.setdefault(period, []).append(row)
    return periods


def _place(definition: Definition, period: date, rows: Rows) -> str:
    places = ", ".join(row.place for row in rows[:PLACES_SHOWN] if row.place)
    more = " and more" if len(rows) > PLACES_SHOWN else ""
    label = definition.rhythm.label(period)
    return f"{label} ({places}{more})" if places else label


def _reading(period: date, row: SourceRow, definition: Definition) -> Reading:
    value = row.value
    if row.numerator is not None and row.denominator is not None:
        if not row.denominator:
            zero = "Nothing to divide by: the denominator is 0."
            return Reading(
                period,
                None,
                row.numerator,
                row.denominator,
                row.published_at,
                ReadingState.NOT_APPLICABLE,
                zero,
            )
        value = kept(quotient(row.numerator, row.denominator, definition.per))
    _check_range(value, definition)
    return Reading(period, value, row.numerator, row.denominator, row.published_at)


def _exact(row: SourceRow, places: int | None) -> SourceRow:
    """Return a row whose numbers can be kept to their last digit."""

    def exact(number: Decimal | None) -> Decimal | None:
        if number is None:
            return None
        return kept(number if places is None else rounded(number, places))

    return replace(
        row, value=exact(row.value), numerator=exact(row.numerator), denominator=exact(row.denominator)
    )


def _combined(rows: Rows, combine: Combine | None, window: Window) -> SourceRow:
    """Make one row of a period's rows. Of a ratio, numerators and denominators are added apart, for a mean too."""
    if len(rows) == 1:
        return rows[0]
    if combine is None:
        raise ValueError(
            f"{len(rows)} rows for one period; narrow the source's rows, or say `combine: sum`, `mean` or `last`"
        )
    last = sorted(rows, key=lambda row: window.moment(row.at))[-1]
    if combine is Combine.LAST:
        return last
    value = _sum(row.value for row in rows)
    if combine is Combine.MEAN and value is not None:
        value = rounded(EXACT.divide(value, len(rows)), MAX_PLACES)
    numerator, denominator = _sum(row.numerator for row in rows), _sum(row.denominator for row in rows)
    return _exact(replace(last, value=value, numerator=numerator, denominator=denominator), None)


def _sum(numbers: Iterable[Decimal | None]) -> Decimal | None:
    there = [number for number in numbers if number is not None]
    return reduce(EXACT.add, there) if there else None


def _check_range(value: Decimal | None, definition: Definition) -> None:
    low, high = definition.valid_range.low, definition.valid_range.high
    if value is None:
        return
    if low is not None and value < low:
        raise ValueError(f"{value:f} is below {low:f}, the lowest value that can be true")
    if high is not None and value > high:
        raise ValueError(f"{value:f} is above {high:f}, the highest value that can be true")
