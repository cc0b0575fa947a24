"""What an empty installation needs before it can hold a promise to account."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from rmo.storage.tables import BenefitRow, KpiRow, PersonRow, ReadingRow


@dataclass(frozen=True)
class FirstSteps:
    """How many there are of what the first four steps make."""

    kpis: int
    readings: int
    benefits: int
    people: int

    @property
    def left(self) -> int:
        """Return how many steps are still to be taken."""
        return sum((not self.kpis, not self.readings, not self.benefits, self.people < 2))

    @property
    def done(self) -> bool:
        """Return whether there is anything to show."""
        return self.benefits > 0


def first_steps(session: Session) -> FirstSteps:
    """Return how far an installation has come."""

    def count(table: type[Any]) -> int:
        statement = sa.select(sa.func.count()).select_from(sa.select(table).limit(2).subquery())
        return int(session.connection().execute(statement).scalar() or 0)

    return FirstSteps(count(KpiRow), count(ReadingRow), count(BenefitRow), count(PersonRow))
