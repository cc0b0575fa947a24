"""What a reminder says: to a measurer, what they owe."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from rmo.drawing import words
from rmo.services.digests import Sender
from rmo.services.my_month import Cell, my_month
from rmo.storage.tables import PersonRow

REMINDER = "reminder"


@dataclass(frozen=True)
class Owed:
    """One reading that is due."""

    kpi: str
    period: str
    due: str
    late: bool


@dataclass(frozen=True)
class Reminder:
    """Everything that a reminder says, as it was when it was frozen."""

    organisation: str
    day: str
    subject: str
    preview: str
    headline: str
    owed: list[Owed]
    why: str
    page_url: str


def reminder(session: Session, person: PersonRow, *, sender: Sender, today: date) -> Reminder | None:
    """Return what a measurer is reminded of, or nothing when nothing is due."""
    cells = my_month(session, person.email, today=today).cells
    due = [cell for cell in cells if not cell.kept and cell.due <= today]
    if not due:
        return None
    late = sum(1 for cell in due if cell.days_late > 0)
    number = words.count(len(due), "reading")
    return Reminder(
        organisation=sender.organisation,
        day=words.long_day(today),
        subject=f"{number} due" + (f", {late} late" if late else ""),
        preview=", ".join(cell.kpi for cell in due),
        headline=f"{words.capital(words.count_word(len(due)))} {'reading is' if len(due) == 1 else 'readings are'} due from you.",
        owed=[Owed(cell.kpi, cell.label, _due(cell), cell.days_late > 0) for cell in due],
        why="You get this because you are named as the measurer of these KPIs.",
        page_url=f"{sender.base_url}/readings",
    )


def _due(cell: Cell) -> str:
    if cell.days_late:
        return f"{words.count(cell.days_late, 'day')} late"
    return f"due {words.long_day(cell.due)}"
