"""The CEO's page: what was promised, what has arrived, what will, and what nobody can show."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlmodel import Session

from rmo.domain.calendar import Rhythm
from rmo.domain.realisation import Kind, Money
from rmo.domain.values import BenefitClass, DataState, Frequency, Scope, State
from rmo.drawing import words
from rmo.services.panel import ADDING, rhythm_of
from rmo.services.sentences import more_or_fewer
from rmo.services.snapshot import Snapshot, Standing, take_snapshot
from rmo.storage import verdicts
from rmo.storage.moments import FOREVER
from rmo.storage.tables import ActionRow, GapRow, KpiRow, VerdictRow

FISCAL_START = 4
QUARTERS = Rhythm(Frequency.QUARTER, FISCAL_START)
MONTHLY = Rhythm(Frequency.MONTH)
SHOWN_GAPS = 7


@dataclass(frozen=True)
class GapLine:
    """A gap with whose it is, what it costs, and who does what about it."""

    id: int
    reference: str
    title: str
    owner: str  # by position
    owner_email: str
    kind: str
    shown: State | DataState
    money: Money
    has_money: bool
    evidence: str
    sentence: str  # of the newest verdict
    brief: str
    since: str
    reason: str
    action: str
    action_owner: str
    due: date | None
    overdue_days: int


@dataclass(frozen=True)
class SilentSource:
    """A KPI that has stopped, what it stood at when last seen, and what that makes unprovable."""

    slug: str
    name: str
    data: DataState
    last_seen: str
    measurer: str
    benefits: int
    unproven: int


@dataclass(frozen=True)
class Column:
    """One quarter of realisation over time, in pennies, summed since the start."""

    quarter: date
    label: str
    year: str
    planned: int
    actual: int
    forecast: int
    open: bool


@dataclass(frozen=True)
class Moved:
    """One line of what changed since the last time: an amount and a sentence."""

    amount: int
    kind: str  # realised, unproven, shortfall, restated
    words: str


@dataclass(frozen=True)
class Restated:
    """A verdict that was changed afterwards."""

    reference: str
    title: str
    period: str
    was: str
    now: str
    why: str
    state: State | DataState


@dataclass(frozen=True)
class PortfolioPage:
    """What the CEO's page shows."""

    headline: str
    money: Money
    before: Money | None
    before_label: str
    by_class: dict[BenefitClass, Money]
    bridge_title: str
    columns: list[Column]
    columns_title: str
    gaps: list[GapLine]
    gaps_title: str
    gaps_total: int
    surplus: int  # of the benefits that bring more than was promised
    more_gaps: int
    moved: list[Moved]
    moved_title: str
    restated: list[Restated]
    silent: list[SilentSource]
    silent_title: str
    benefits: int
    programmes: int
    without_money: int
    data_to: str
    known_at: datetime


def portfolio_page(
    session: Session,
    *,
    scope: Scope,
    now: datetime,
    today: date,
    before: datetime,
    as_of: datetime = FOREVER,
) -> PortfolioPage:
    """Return the CEO's page as known at a moment, and what changed since an earlier one."""
    current = take_snapshot(session, scope=scope, now=now, as_of=as_of)
    earlier = take_snapshot(session, scope=scope, now=now, as_of=before)
    known_before = any(standing.packed for standing in earlier.standings)
    every = gap_lines(current, today=today)
    gaps = once_each(every)
    silent = silent_sources(current)
    columns = realisation_columns(current)
    previous = earlier.money if known_before else None
    restated = restated_lines(session, current, since=before, as_of=as_of) if known_before else []
    money = current.money
    return PortfolioPage(
        headline=headline(money),
        money=money,
        before=previous,
        before_label=words.short_day(before.date()),
        by_class=current.by_class(),
        bridge_title=_bridge_title(money),
        columns=columns,
        columns_title=_columns_title(money),
        gaps=gaps[:SHOWN_GAPS],
        gaps_title=_gaps_title(gaps),
        gaps_total=sum(line.money.at_stake for line in gaps),
        surplus=sum(max(0, -s.money.shortfall) for s in current.standings),
        more_gaps=len(every) - len(gaps[:SHOWN_GAPS]),
        moved=_moved(current, earlier) if previous else [],
        moved_title=_moved_title(money, previous, words.long_day(before.date())),
        restated=restated,
        silent=silent,
        silent_title=_silent_title(silent),
        benefits=len(current.standings),
        programmes=len({s.programme.slug for s in current.standings}),
        without_money=sum(1 for s in current.standings if not s.has_money),
        data_to=data_to(current),
        known_at=current.known_at,
    )


def headline(money: Money) -> str:
    """Return the one sentence of a portfolio."""
    if money.promised == 0:
        return "Nothing is promised in money yet, so nothing can be held against it."
    parts = [f"Of the {words.money(money.promised)} promised, {words.money(money.realised)} has arrived"]
    if money.still_forecast:
        parts.append(f" and {words.money(money.still_forecast)} is still forecast")
    ends = []
    if money.shortfall > 0:
        ends.append(f"{words.money(money.shortfall)} will fall short")
    elif money.shortfall < 0:
        ends.append(f"that is {words.money(-money.shortfall)} more than was promised")
    if money.unproven:
        ends.append(f"{words.money(money.unproven)} nobody can show")
    return "".join(parts) + (f"; {', and '.join(ends)}." if ends else ".")


def _share(part: int, whole: int) -> str:
    return words.percent(part / whole, 0)


def _bridge_title(money: Money) -> str:
    if money.promised == 0:
        return "No promise carries money yet"
    if money.shortfall > 0:
        return (
            f"{_share(money.realised, money.promised)} of the promise has arrived; "
            f"{_share(money.shortfall, money.promised)} of it will not"
        )
    return f"{_share(money.realised, money.promised)} of the promise has arrived"


def _columns_title(money: Money) -> str:
    due = money.realised + money.unproven + money.shortfall_so_far
    behind = due - money.realised
    if due == 0:
        return "Nothing was due yet"
    if behind <= 0:
        return f"{words.money(-behind)} ahead of plan to date"
    return f"{words.money(behind)} behind the {words.money(due)} planned to date"


def gap_lines(snapshot: Snapshot, *, today: date) -> list[GapLine]:
    """Return the open gaps, the largest value at stake first; those without money after, worst state first."""
    lines = [
        _gap_line(snapshot, standing, gap, today) for standing in snapshot.standings for gap in standing.gaps
    ]
    return sorted(
        lines,
        key=lambda line: (
            -line.money.at_stake,
            -line.money.unproven,
            line.reference,
            not line.action,
            line.kind,
        ),
    )


def _gap_line(snapshot: Snapshot, standing: Standing, gap: GapRow, today: date) -> GapLine:
    action = _open_action(standing.actions.get(gap.id or 0, []))
    rhythm = rhythm_of(standing.kpi) if standing.kpi else MONTHLY
    return GapLine(
        id=gap.id or 0,
        reference=standing.benefit.reference,
        title=standing.benefit.title,
        owner=standing.owner,
        owner_email=standing.benefit.owner,
        kind=gap.kind,
        shown=standing.shown,
        money=standing.money,
        has_money=standing.has_money,
        evidence=gap.evidence,
        sentence=standing.verdict.sentence if standing.verdict else gap.evidence,
        brief=_brief(standing, gap),
        since=rhythm.long_label(gap.opened_period),
        reason=gap.reason,
        action=action.words if action else "",
        action_owner=snapshot.position(action.owner) if action else "",
        due=action.due if action else None,
        overdue_days=max(0, (today - action.due).days) if action else 0,
    )


def _brief(standing: Standing, gap: GapRow) -> str:
    """Return what a gap is about, short enough for a row."""
    verdict, kpi = standing.verdict, standing.kpi
    if verdict is None or kpi is None or gap.kind == "over_claim":
        return "Claimed more than once; the double part is taken out."
    period = rhythm_of(kpi).long_label(verdict.period)
    if verdict.state is None:
        seen = _last_seen(kpi, [standing])
        return f"Silent since {seen}." if seen else "No reading was ever given."
    faded = "It had arrived in full and faded: " if gap.kind == "faded" else ""
    if (
        kpi.behaviour in ADDING
        and verdict.realised_to_date is not None
        and verdict.planned_to_date is not None
    ):
        said = [
            f"{words.figure_value(abs(change), kpi.decimals)} {more_or_fewer(kpi.direction, change)}"
            for change in (verdict.realised_to_date, verdict.planned_to_date)
        ]
        return f"{faded}{said[0]} where {said[1]} {kpi.unit} were promised by {period}."
    got, planned = (words.figure_value(v, kpi.decimals) for v in (verdict.actual, verdict.planned))
    return words.capital(f"{faded}{got} {kpi.unit} where {planned} was promised, {period}.")


def _open_action(actions: list[ActionRow]) -> ActionRow | None:
    return next((action for action in actions if action.done_at is None), None)


def once_each(gaps: list[GapLine]) -> list[GapLine]:
    """Return one line a benefit, the answered one first, so that no money is told twice."""
    first: dict[str, GapLine] = {}
    for line in gaps:
        first.setdefault(line.reference, line)
    return list(first.values())


def _gaps_title(gaps: list[GapLine]) -> str:
    if not gaps:
        return "No gap is open"
    stake = sum(line.money.at_stake for line in gaps)
    if stake == 0:
        return f"{words.capital(words.count_word(len(gaps)))} open gap{'s' if len(gaps) > 1 else ''}"
    top = gaps[:2]
    share = sum(line.money.at_stake for line in top) / stake
    if len(gaps) < 3 or share < 0.5:
        return f"{words.capital(words.count_word(len(gaps)))} open gaps put {words.money(stake)} at stake"
    return f"Two of {words.count_word(len(gaps))} benefits with gaps hold {words.percent(share, 0)} of what is at stake"


def silent_sources(snapshot: Snapshot) -> list[SilentSource]:
    """Return the KPIs whose readings are late, stale or missing, the most expensive silence first."""
    by_kpi: dict[str, list[Standing]] = defaultdict(list)
    for standing in snapshot.standings:
        if standing.kpi and standing.data in (DataState.LATE, DataState.STALE, DataState.NONE):
            by_kpi[standing.kpi.slug].append(standing)
    found = [_silent(snapshot, standings) for standings in by_kpi.values()]
    return sorted(found, key=lambda source: (-source.unproven, source.name))


def _silent(snapshot: Snapshot, standings: list[Standing]) -> SilentSource:
    kpi = standings[0].kpi
    assert kpi is not None
    return SilentSource(
        slug=kpi.slug,
        name=kpi.name,
        data=standings[0].data,
        last_seen=_last_seen(kpi, standings),
        measurer=snapshot.position(kpi.measurer) if kpi.measurer else "no measurer named",
        benefits=len(standings),
        unproven=sum(s.money.unproven for s in standings),
    )


def _last_seen(kpi: KpiRow, standings: list[Standing]) -> str:
    """Return when a KPI last had a reading, in words; nothing where it never had one."""
    newest = [period for s in standings if (period := _last_proven(s))]
    if newest:
        return rhythm_of(kpi).long_label(max(newest))
    return "" if all(s.data is DataState.NONE for s in standings) else "before the promise began"


def _last_proven(standing: Standing) -> date | None:
    if standing.atoms is None or standing.packed is None or standing.kpi is None:
        return None
    proven = np.flatnonzero(standing.atoms.kind == Kind.PROVEN)
    return rhythm_of(standing.kpi).shift(standing.packed.first, int(proven[-1])) if len(proven) else None


def _silent_title(silent: list[SilentSource]) -> str:
    if not silent:
        return "Every source that is due has spoken"
    number = words.capital(words.count_word(len(silent)))
    unproven = sum(source.unproven for source in silent)
    noun = "source" if len(silent) == 1 else "sources"
    if unproven == 0:
        return f"{number} {noun} {'is' if len(silent) == 1 else 'are'} late or silent"
    return (
        f"{number} silent {noun} {'makes' if len(silent) == 1 else 'make'} {words.money(unproven)} unprovable"
    )


def realisation_columns(snapshot: Snapshot) -> list[Column]:
    """Return planned, actual and forecast money, summed quarter by quarter since the start."""
    sums: dict[date, np.ndarray] = defaultdict(lambda: np.zeros(4, dtype=np.int64))
    for standing in snapshot.standings:
        if standing.atoms is None or standing.packed is None or standing.kpi is None:
            continue
        rhythm, atoms = rhythm_of(standing.kpi), standing.atoms
        first = rhythm.index(standing.packed.first)
        for i in range(len(atoms.promised)):
            quarter = QUARTERS.period_of(rhythm.last(rhythm.first(first + i)))
            still_open = int(atoms.kind[i] == Kind.OPEN and atoms.promised[i] != 0)
            sums[quarter] += (atoms.promised[i], atoms.realised[i], atoms.still_forecast[i], still_open)
    columns, running = [], np.zeros(4, dtype=np.int64)
    for quarter in sorted(sums):
        running = running + sums[quarter]
        label, year = QUARTERS.label(quarter).split(" ")
        planned, actual, forecast = (int(v) for v in running[:3])
        columns.append(Column(quarter, label, year, planned, actual, forecast, open=bool(sums[quarter][3])))
    return columns


def _moved(current: Snapshot, earlier: Snapshot) -> list[Moved]:
    """Return what moved between the parts of the promise, in sentences that name where most of it did."""
    before = {s.benefit.reference: s.money for s in earlier.standings}
    change = {
        s.benefit.reference: s.money - before.get(s.benefit.reference, Money()) for s in current.standings
    }
    lines = []
    for kind, more, less in (
        ("realised", "Realised since then", "Less realised than was thought"),
        ("unproven", "Fell silent", "Could be shown after all"),
        ("shortfall", "More shortfall", "Less shortfall"),
        ("promised", "Newly promised", "No longer promised"),
    ):
        amounts = {reference: getattr(money, kind) for reference, money in change.items()}
        total = sum(amounts.values())
        if total:
            lines.append(Moved(total, kind, f"{more if total > 0 else less}{_most_of(amounts, total)}"))
    return lines


def _most_of(amounts: dict[str, int], total: int) -> str:
    """Return the one or two benefits that moved furthest in the direction of the whole."""
    same_way = {r: amount for r, amount in amounts.items() if amount * total > 0}
    top = sorted(same_way, key=lambda r: -abs(same_way[r]))[:2]
    if len(same_way) <= 2:
        return f", in {' and '.join(top)}"
    return f", most of it in {' and '.join(top)}"


def _moved_title(money: Money, before: Money | None, day: str) -> str:
    if before is None:
        return "There is nothing earlier to compare with"
    if money == before:
        return f"No money has moved since {day}"
    arrived = money.realised - before.realised
    if arrived > 0:
        return f"{words.money(arrived)} has arrived since {day}"
    if arrived < 0:
        return f"{words.money(-arrived)} less than was thought has arrived since {day}"
    return f"Nothing has arrived since {day}, and money moved elsewhere"


def restated_lines(
    session: Session, snapshot: Snapshot, *, since: datetime, as_of: datetime
) -> list[Restated]:
    """Return the verdicts of this portfolio that were changed afterwards, by a correction or by new rules."""
    by_reference = {s.benefit.reference: s for s in snapshot.standings}
    rows = verdicts.restatements(session, since=since, as_of=as_of)
    told = []
    for row in rows:
        standing = by_reference.get(row.benefit)
        if standing is None or standing.kpi is None or row.reason == "time passed without a reading":
            continue
        history = verdicts.verdict_history(session, row.benefit, as_of=row.known_at)
        before = next(v for v in history if v.period == row.period and v.known_at < row.known_at)
        told.append(_restated(standing, before, row))
    return told


def _restated(standing: Standing, before: VerdictRow, row: VerdictRow) -> Restated:
    assert standing.kpi is not None
    kpi = standing.kpi
    same = before.actual == row.actual
    return Restated(
        reference=row.benefit,
        title=standing.benefit.title,
        period=rhythm_of(kpi).long_label(row.period),
        was=words.state_word(before.state or before.data)
        if same
        else words.figure_value(before.actual, kpi.decimals),
        now=words.state_word(row.state or row.data) if same else words.figure_value(row.actual, kpi.decimals),
        why=row.reason,
        state=row.state or row.data,
    )


def data_to(snapshot: Snapshot) -> str:
    """Return the newest month for which any benefit has a reading, in words."""
    newest = [
        rhythm_of(s.kpi).last(period) for s in snapshot.standings if s.kpi and (period := _last_proven(s))
    ]
    return words.long_month(max(newest)) if newest else ""
