"""The moment at which a row becomes known: now, and always later than the newest row of its key."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

TICK = timedelta(microseconds=1)
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


def known_after(now: datetime, newest: datetime | None) -> datetime:
    """Return `now`, or the moment just after the newest row where a clock was set back."""
    return now if newest is None or newest < now else newest + TICK


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the last moment of a day in a zone, in UTC: what "as known on" a day means."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC) - TICK


def a_month_before(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the end of the same day one month earlier: what "since last month" compares with."""
    day = moment.astimezone(zone).date()
    last_of_month = day.replace(day=1) - timedelta(days=1)
    return end_of_day(last_of_month.replace(day=min(day.day, last_of_month.day)), zone)
