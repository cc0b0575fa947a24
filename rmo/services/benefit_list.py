"""The register as a list: filtered, sorted, and every state of it an address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from rmo.domain.realisation import Money
from rmo.domain.values import DataState, Scope, State
from rmo.drawing import words
from rmo.services.portfolio import data_to
from rmo.services.snapshot import Standing, take_snapshot
from rmo.storage.moments import FOREVER

ORDER: Final = (
    State.BROKEN,
    State.OFF_TRACK,
    State.AT_RISK,
    DataState.STALE,
    DataState.NONE,
    DataState.LATE,
    State.TOO_EARLY,
    State.NOT_STARTED,
    State.ON_TRACK,
    State.KEPT,
)
SORTS: Final[dict[str, Callable[[Standing], Any]]] = {
    "reference": lambda s: s.benefit.reference,
    "title": lambda s: s.benefit.title.casefold(),
    "owner": lambda s: s.owner.casefold(),
    "state": lambda s: ORDER.index(s.shown) if s.shown in ORDER else len(ORDER),
    "promised": lambda s: -s.money.promised,
    "realised": lambda s: -s.money.realised,
    "at_stake": lambda s: (-s.money.at_stake, -s.money.unproven),
}
LARGEST_FIRST: Final = frozenset({"promised", "realised", "at_stake"})


@dataclass(frozen=True)
class Filters:
    """What the address asks for."""

    state: str = ""
    programme: str = ""
    owner: str = ""
    q: str = ""
    sort: str = "at_stake"
    down: bool = False

    @staticmethod
    def from_address(args: Mapping[str, str]) -> "Filters":
        """Return the filters of an address; what it does not know is left out."""
        sort = args.get("sort", "at_stake")
        return Filters(
            state=args.get("state", ""),
            programme=args.get("programme", ""),
            owner=args.get("owner", ""),
            q=args.get("q", "").strip()[:100],
            sort=sort if sort in SORTS else "at_stake",
            down=args.get("order") == "down",
        )

    def keep(self, standing: Standing) -> bool:
        """Return whether a benefit is asked for."""
        text = f"{standing.benefit.reference} {standing.benefit.title}".casefold()
        return (
            (not self.state or standing.shown == self.state)
            and (not self.programme or standing.programme.slug == self.programme)
            and (not self.owner or standing.benefit.owner == self.owner)
            and self.q.casefold() in text
        )

    @property
    def order(self) -> str:
        """Return which way the sorted column runs, for its head."""
        return "descending" if self.down != (self.sort in LARGEST_FIRST) else "ascending"

    @property
    def any(self) -> bool:
        """Return whether anything is filtered out."""
        return bool(self.state or self.programme or self.owner or self.q)


@dataclass(frozen=True)
class BenefitList:
    """What the register's page shows."""

    headline: str
    rows: list[Standing]
    total: int
    money: Money
    at_stake: int  # what falls short, surpluses of others not set against it
    states: list[tuple[str, str]]
    programmes: list[tuple[str, str]]
    owners: list[tuple[str, str]]
    data_to: str
    known_at: datetime = field(repr=False)


def benefit_list(
    session: Session, filters: Filters, *, scope: Scope, now: datetime, as_of: datetime = FOREVER
) -> BenefitList:
    """Return the benefits that the filters keep, as known at a moment."""
    snapshot = take_snapshot(session, scope=scope, now=now, as_of=as_of)
    rows = sorted(
        (s for s in snapshot.standings if filters.keep(s)),
        key=lambda s: (SORTS[filters.sort](s), s.benefit.reference),
        reverse=filters.down,
    )
    return BenefitList(
        headline=_headline(rows, filtered=filters.any),
        rows=rows,
        total=len(snapshot.standings),
        money=sum((s.money for s in rows), Money()),
        at_stake=sum(s.money.at_stake for s in rows),
        states=[("", "All"), *((s.value, words.state_word(s)) for s in ORDER)],
        programmes=_choices({s.programme.slug: s.programme.name for s in snapshot.standings}),
        owners=_choices({s.benefit.owner: s.owner for s in snapshot.standings}),
        data_to=data_to(snapshot),
        known_at=snapshot.known_at,
    )


def _choices(found: dict[str, str]) -> list[tuple[str, str]]:
    return [("", "All"), *sorted(found.items(), key=lambda item: item[1])]


def _headline(rows: list[Standing], *, filtered: bool) -> str:
    if not rows:
        return "No benefit fits these filters." if filtered else "No benefit is registered yet."
    counted = [
        (sum(1 for s in rows if s.state in (State.ON_TRACK, State.KEPT)), "on track or kept"),
        (sum(1 for s in rows if s.state is State.AT_RISK), "at risk"),
        (sum(1 for s in rows if s.state in (State.OFF_TRACK, State.BROKEN)), "off track or broken"),
        (sum(1 for s in rows if s.state in (State.TOO_EARLY, State.NOT_STARTED)), "too early to judge"),
        (sum(1 for s in rows if s.state is None), "without data to judge by"),
    ]
    told = [f"{words.count_word(number)} {what}" for number, what in counted if number]
    if len(rows) == 1:
        return f"One benefit is shown, and it is {counted[[n for n, _ in counted].index(1)][1]}."
    verb = "is" if told[0].startswith("one ") else "are"
    number, _, what = told[0].partition(" ")
    listed = [f"{number} {verb} {what}", *told[1:]]
    joined = listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
    return f"Of {words.count(len(rows), 'benefit')}, {joined}."
