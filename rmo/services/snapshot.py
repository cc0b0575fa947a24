"""The whole portfolio as known at a moment: what pages and digests are made of."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlmodel import Session

from rmo.domain.realisation import Atoms, Money, total
from rmo.domain.values import BenefitClass, DataState, Scope, State
from rmo.services.evaluation import atoms_of
from rmo.services.people import people
from rmo.storage import measures, register, verdicts
from rmo.storage.moments import FOREVER
from rmo.storage.tables import (
    ActionRow,
    AtomsRow,
    BenefitRow,
    GapRow,
    KpiRow,
    PersonRow,
    ProgrammeRow,
    ProjectRow,
    PromiseRow,
    VerdictRow,
)


@dataclass(frozen=True)
class Standing:
    """One benefit as known at a moment."""

    benefit: BenefitRow
    project: ProjectRow
    programme: ProgrammeRow
    owner: str  # by position
    promise: PromiseRow | None
    kpi: KpiRow | None
    verdict: VerdictRow | None
    packed: AtomsRow | None
    gaps: list[GapRow]
    actions: dict[int, list[ActionRow]]

    @cached_property
    def atoms(self) -> Atoms | None:
        """Return its money period by period."""
        return atoms_of(self.packed) if self.packed else None

    @cached_property
    def money(self) -> Money:
        """Return its money over its whole life."""
        return total(self.atoms) if self.atoms else Money()

    @property
    def state(self) -> State | None:
        """Return its state; a promise that has no verdict yet has not started."""
        if self.verdict is None:
            return State.NOT_STARTED if self.promise else None
        return self.verdict.state

    @property
    def data(self) -> DataState:
        """Return what its data are worth."""
        return self.verdict.data if self.verdict else DataState.NOT_DUE

    @property
    def shown(self) -> State | DataState:
        """Return the one shape to show: the state, or what is wrong with the data where there is none."""
        return self.state if self.state is not None else self.data

    @property
    def has_money(self) -> bool:
        """Return whether it is counted in money."""
        return self.promise is not None and self.promise.unit_value is not None


@dataclass(frozen=True)
class Snapshot:
    """A portfolio as known at a moment; names, people and units are today's."""

    standings: list[Standing]
    people: dict[str, PersonRow]
    known_at: datetime

    @cached_property
    def money(self) -> Money:
        """Return the sum of every atom."""
        return sum((standing.money for standing in self.standings), Money())

    def by_class(self) -> dict[BenefitClass, Money]:
        """Return the sums by class, in the order in which classes are stacked."""
        sums = dict.fromkeys(BenefitClass, Money())
        for standing in self.standings:
            sums[standing.benefit.benefit_class] += standing.money
        return {kind: money for kind, money in sums.items() if money != Money()}

    def position(self, email: str | None) -> str:
        """Return a person by position."""
        return self.people[email].position if email in self.people else "nobody"


def take_snapshot(session: Session, *, scope: Scope, now: datetime, as_of: datetime = FOREVER) -> Snapshot:
    """Return the benefits that count, as known at a moment."""
    rows = [b for b in register.benefits(session, scope=scope, as_of=as_of) if b.lifecycle.counts]
    references = [b.reference for b in rows]
    promises = register.promises(session, references, as_of=as_of)
    judged = verdicts.newest_verdicts(session, references, as_of=as_of)
    packed = verdicts.atoms(session, references, as_of=as_of)
    gaps = verdicts.gaps(session, references, as_of=as_of)
    actions = verdicts.actions(session, [gap.id or 0 for found in gaps.values() for gap in found])
    projects, programmes = register.projects(session, scope=scope), register.programmes(session, scope=scope)
    kpis = {row.slug: row for row in measures.kpis(session, scope=scope, as_of=as_of, retired=True)}
    everybody = people(session)
    return Snapshot(
        standings=[
            Standing(
                benefit=b,
                project=projects[b.project],
                programme=programmes[projects[b.project].programme],
                owner=everybody[b.owner].position,
                promise=((versions := promises.get(b.reference, [])) and versions[-1]) or None,
                kpi=kpis.get(versions[-1].kpi) if versions else None,
                verdict=judged.get(b.reference),
                packed=packed.get(b.reference),
                gaps=gaps.get(b.reference, []),
                actions=actions,
            )
            for b in rows
        ],
        people=everybody,
        known_at=min(now, as_of),
    )
