"""The demo's clock: it starts where the data stand, ticks on from there, and can be moved on by a month."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from rmo.domain.calendar import Rhythm
from rmo.domain.values import Frequency
from rmo.storage.tables import SettingRow

NAME: Final = "demo_clock"
START: Final = datetime(2018, 9, 17, 7, 0, tzinfo=UTC)
DAY_OF_MONTH: Final = 17  # by then the month's figures are due
MONTHS: Final = Rhythm(Frequency.MONTH)


KEPT = sa.select(col(SettingRow.value)).where(col(SettingRow.name) == NAME)


class DemoClock:
    """Tells the demo's time: the moment it was set to, and what has really passed since."""

    def __init__(self, engine: Engine, real: Callable[[], datetime]) -> None:
        self.engine, self.real = engine, real

    def __call__(self) -> datetime:
        """Return the demo's time."""
        with self.engine.connect() as connection:
            return self._from(connection.scalar(KEPT))

    def tell(self, session: Session) -> datetime:
        """Return the demo's time, read in a transaction."""
        row = self._row(session)
        return self._from(row.value if row else None)

    def _from(self, value: str | None) -> datetime:
        if value is None:
            return START
        kept = json.loads(value)
        passed = self.real() - datetime.fromisoformat(kept["real"])
        return datetime.fromisoformat(kept["demo"]) + max(passed, passed * 0)

    def set(self, session: Session, moment: datetime) -> None:
        """Let the demo's time be a moment, and tick on from there."""
        row = self._row(session) or SettingRow(
            name=NAME, value="", effective_from=START.date(), known_at=START
        )
        row.value = json.dumps({"demo": moment.isoformat(), "real": self.real().isoformat()})
        session.add(row)
        session.flush()

    def _row(self, session: Session) -> SettingRow | None:
        return session.exec(select(SettingRow).where(col(SettingRow.name) == NAME)).first()


def a_month_on(moment: datetime) -> datetime:
    """Return the day of the following month on which its digest is sent."""
    first: date = MONTHS.shift(moment.date(), 1)
    return datetime(first.year, first.month, DAY_OF_MONTH, START.hour, tzinfo=UTC)
