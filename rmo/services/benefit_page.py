"""One benefit: its verdict, the evidence, and where every number comes from."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session

from rmo.domain.calendar import Rhythm
from rmo.domain.claims import over_claim
from rmo.domain.engine.chart import SIGNS
from rmo.domain.outlook import Path
from rmo.domain.realisation import Atoms, Kind, Money
from rmo.domain.values import BenefitClass, DataState, Direction, Lifecycle, Scope, State
from rmo.drawing import words
from rmo.services.panel import ADDING, levels, rhythm_of
from rmo.services.portfolio import GapLine, gap_lines
from rmo.services.sentences import amount
from rmo.services.snapshot import Snapshot, Standing, take_snapshot
from rmo.storage import measures, register, verdicts
from rmo.storage.moments import FOREVER
from rmo.storage.tables import KpiRow, PromisePointRow, PromiseRow, ReadingRow, VerdictRow

HISTORY = 24  # periods shown before the promise starts


@dataclass(frozen=True)
class PeriodLine:
    """One period of a promise: what was promised, what was read, and what that is worth."""

    period: date
    label: str
    kind: Kind
    planned: Decimal | None
    actual: Decimal | None
    was: Decimal | None  # before the newest correction
    variance: float | None  # in the KPI's unit, signed
    good: bool | None
    promised: int
    realised: int | None
    provisional: bool
    known_at: datetime | None


@dataclass(frozen=True)
class Series:
    """What the benefit's chart draws, one value a period; missing ones are None."""

    periods: list[date]
    actual: list[float | None]
    planned: list[float | None]
    first_promise: list[float | None]  # where a re-baseline changed it
    anyway: list[float | None]  # what would have been without what moved with the start
    forecast: list[float | None]
    low: list[float | None]  # ends of the 80 % interval
    high: list[float | None]


@dataclass(frozen=True)
class Version:
    """One version of the promise."""

    number: int
    approved_by: str
    approved_at: datetime
    target: Decimal
    reached_by: str
    worth: int
    drift: int
    why: str
    content_hash: str


@dataclass(frozen=True)
class Claim:
    """A share of the KPI's movement that a benefit claims."""

    reference: str
    title: str
    share: float
    own: bool


@dataclass(frozen=True)
class Event:
    """Something that became known about the benefit."""

    at: datetime
    words: str
    was: str = ""
    now: str = ""


@dataclass(frozen=True)
class BenefitPage:
    """What one benefit's page shows."""

    reference: str
    title: str
    description: str
    programme: str
    project: str
    benefit_class: BenefitClass
    disbenefit: bool
    lifecycle: Lifecycle
    owner: str
    state: State | None
    data: DataState
    shown: State | DataState
    since: str
    sentence: str
    has_money: bool
    forecast_basis: str
    chance: float | None
    effect_words: str
    money: Money
    kpi_slug: str
    kpi_name: str
    unit: str
    decimals: int
    direction: Direction
    frequency: str
    baseline: str
    chart_title: str
    target: Decimal
    tolerance: float
    unit_value: Decimal | None
    share: float
    ends: str
    series: Series
    lines: list[PeriodLine]
    lines_title: str
    money_title: str
    agreed_title: str
    answer_title: str
    versions: list[Version]
    claims: list[Claim]
    claims_title: str
    over_claim: str
    gaps: list[GapLine]
    trail: list[Event]
    rules: str
    inputs_hash: str
    data_to: str
    known_at: datetime


def benefit_page(
    session: Session,
    reference: str,
    *,
    scope: Scope,
    now: datetime,
    today: date,
    as_of: datetime = FOREVER,
) -> BenefitPage | None:
    """Return a benefit's page as known at a moment, or nothing while it has no approved promise.

    Raises NotFoundError when the scope may not see it.
    """
    register.benefit_by_reference(session, reference, scope=scope)
    snapshot = take_snapshot(session, scope=scope, now=now, as_of=as_of)
    standing = next((s for s in snapshot.standings if s.benefit.reference == reference), None)
    if standing is None or standing.promise is None or standing.kpi is None:
        return None
    versions = register.promises(session, [reference], as_of=as_of)[reference]
    points = register.points(session, [v.id or 0 for v in versions])
    history = measures.reading_history(session, standing.kpi.slug, as_of=as_of)
    lines = _lines(standing, versions, points, history)
    return _page(session, snapshot, standing, versions, points, history, lines, today, as_of)


def _page(
    session: Session,
    snapshot: Snapshot,
    standing: Standing,
    versions: list[PromiseRow],
    points: dict[int, dict[date, PromisePointRow]],
    history: dict[date, list[ReadingRow]],
    lines: list[PeriodLine],
    today: date,
    as_of: datetime,
) -> BenefitPage:
    benefit, promise, kpi, verdict = standing.benefit, versions[-1], standing.kpi, standing.verdict
    assert kpi is not None
    rhythm = rhythm_of(kpi)
    claims = _claims(session, snapshot, kpi.slug, benefit.reference)
    gaps = [g for g in gap_lines(snapshot, today=today) if g.reference == benefit.reference]
    read = levels(kpi, {period: rows[-1] for period, rows in history.items()})
    path = _path(session, standing, as_of)
    return BenefitPage(
        reference=benefit.reference,
        title=benefit.title,
        description=benefit.description,
        programme=standing.programme.name,
        project=standing.project.name,
        benefit_class=benefit.benefit_class,
        disbenefit=benefit.disbenefit,
        lifecycle=benefit.lifecycle,
        owner=standing.owner,
        state=standing.state,
        data=standing.data,
        shown=standing.shown,
        since=rhythm.long_label(verdict.since) if verdict and verdict.since else "",
        sentence=verdict.sentence
        if verdict
        else f"The promise starts in {rhythm.long_label(promise.first)}.",
        has_money=standing.has_money,
        forecast_basis="by its own history" if path is not None else "as planned",
        chance=float(verdict.chance) if verdict and verdict.chance is not None and verdict.state else None,
        money=standing.money,
        kpi_slug=kpi.slug,
        kpi_name=kpi.name,
        unit=kpi.unit,
        decimals=kpi.decimals,
        direction=kpi.direction,
        frequency=words.frequency_word(kpi.frequency),
        baseline=_baseline_words(kpi, promise, points[promise.id or 0]),
        chart_title=_chart_title(standing, lines),
        target=promise.target,
        tolerance=promise.tolerance_ppm / 1e6,
        unit_value=promise.unit_value,
        share=promise.claim_share_ppm / 1e6,
        ends=rhythm.long_label(promise.last),
        series=_series(kpi, versions, points, history, path, _told_effect(verdict)),
        effect_words=_effect_words(kpi, verdict, points[promise.id or 0]),
        lines=lines,
        lines_title=_lines_title(lines),
        money_title=_money_title(standing.money),
        agreed_title=_agreed_title(kpi, promise),
        answer_title=_answer_title(gaps),
        versions=_versions(snapshot, kpi, versions, standing.atoms),
        claims=claims,
        claims_title=_claims_title(claims),
        over_claim=_over_claim(kpi, verdict, points[promise.id or 0], claims),
        gaps=gaps,
        trail=_trail(session, snapshot, kpi, versions, benefit.reference, as_of),
        rules=verdict.rules if verdict else "",
        inputs_hash=verdict.inputs_hash if verdict else "",
        data_to=rhythm.long_label(max(read)) if read else "",
        known_at=snapshot.known_at,
    )


def _lines(
    standing: Standing,
    versions: list[PromiseRow],
    points: dict[int, dict[date, PromisePointRow]],
    history: dict[date, list[ReadingRow]],
) -> list[PeriodLine]:
    """Return the promise period by period, from the atoms as they are kept."""
    kpi, atoms, packed = standing.kpi, standing.atoms, standing.packed
    if kpi is None or atoms is None or packed is None:
        return []
    rhythm = rhythm_of(kpi)
    values = levels(kpi, {period: rows[-1] for period, rows in history.items()})
    return [
        _line(kpi, versions, points, history, values.get(period), atoms, i, period)
        for i in range(len(atoms.promised))
        if atoms.kind[i] != Kind.OUTSIDE
        for period in [rhythm.shift(packed.first, i)]
    ]


def _line(
    kpi: KpiRow,
    versions: list[PromiseRow],
    points: dict[int, dict[date, PromisePointRow]],
    history: dict[date, list[ReadingRow]],
    actual: Decimal | None,
    atoms: Atoms,
    i: int,
    period: date,
) -> PeriodLine:
    version = next((v for v in reversed(versions) if v.first <= period), versions[0])
    point = points[version.id or 0].get(period)
    rows = history.get(period, [])
    variance = float(actual - point.planned) if actual is not None and point is not None else None
    return PeriodLine(
        period=period,
        label=rhythm_of(kpi).label(period),
        kind=Kind(int(atoms.kind[i])),
        planned=point.planned if point else None,
        actual=actual,
        was=rows[-2].value if len(rows) > 1 and rows[-2].value != rows[-1].value else None,
        variance=variance,
        good=_is_good(kpi.direction, variance),
        promised=int(atoms.promised[i]),
        realised=int(atoms.realised[i]) if atoms.kind[i] == Kind.PROVEN else None,
        provisional=bool(atoms.provisional[i]),
        known_at=rows[-1].known_at if rows else None,
    )


def _is_good(direction: Direction, variance: float | None) -> bool | None:
    if not variance or direction is Direction.RANGE:
        return None
    return (variance > 0) == (direction is Direction.UP)


def _path(session: Session, standing: Standing, as_of: datetime) -> tuple[date, Path] | None:
    """Return the newest forecast as it was kept, and the period that it follows; none where the data are stale."""
    if standing.state is None:
        return None
    rows = verdicts.verdicts(session, [standing.benefit.reference], as_of=as_of)
    for row in reversed(rows.get(standing.benefit.reference, {}).values()):
        if row.outlook is not None:
            return row.period, Path.unpack(row.outlook)
        if row.data is DataState.CURRENT:
            return None
    return None


def _series(
    kpi: KpiRow,
    versions: list[PromiseRow],
    points: dict[int, dict[date, PromisePointRow]],
    history: dict[date, list[ReadingRow]],
    path: tuple[date, Path] | None,
    effect: Decimal | None,
) -> Series:
    rhythm = rhythm_of(kpi)
    values = levels(kpi, {period: rows[-1] for period, rows in history.items()})
    start = min(v.first for v in versions)
    end = max([v.last for v in versions] + list(values))
    earliest = max(min([*values, start]), rhythm.shift(start, -HISTORY))
    periods = list(rhythm.between(earliest, end))
    in_force: dict[date, PromisePointRow] = {}
    for version in versions:
        in_force = {p: point for p, point in in_force.items() if p < version.first} | points[version.id or 0]
    first = points[versions[0].id or 0]
    forecast, low, high = _forecast(rhythm, periods, path)
    return Series(
        periods=periods,
        actual=[_number(values.get(p)) for p in periods],
        planned=[_number(in_force[p].planned if p in in_force else None) for p in periods],
        first_promise=[
            _number(first[p].planned if p in first and len(versions) > 1 else None) for p in periods
        ],
        anyway=_anyway(periods, values, in_force, effect),
        forecast=forecast,
        low=low,
        high=high,
    )


def _anyway(
    periods: list[date],
    values: dict[date, Decimal],
    in_force: dict[date, PromisePointRow],
    effect: Decimal | None,
) -> list[float | None]:
    """Return each reading less what moved with the start, by the share of the promise that was planned to have come."""
    full = _full_change(in_force)
    if effect is None or not full:  # nothing is drawn that cannot be told from the KPI's own history
        return [None] * len(periods)
    return [
        float(values[p] - effect * (in_force[p].planned - in_force[p].baseline) / full)
        if p in values and p in in_force
        else None
        for p in periods
    ]


def _told_effect(verdict: VerdictRow | None) -> Decimal | None:
    """Return what moved with the start, where its interval leaves no doubt that something did."""
    if verdict is None or verdict.effect_low is None or verdict.effect_high is None:
        return None
    return None if verdict.effect_low <= 0 <= verdict.effect_high else verdict.effect


def _full_change(points: dict[date, PromisePointRow]) -> Decimal:
    last = points[max(points)]
    return last.planned - last.baseline


def _effect_words(kpi: KpiRow, verdict: VerdictRow | None, points: dict[date, PromisePointRow]) -> str:
    """Return how much moved with the start; it is never said to be the cause."""
    if verdict is None or verdict.effect is None or verdict.effect_low is None or verdict.effect_high is None:
        return ""
    low, high = (
        words.figure_value(v, kpi.decimals, signed=True) for v in (verdict.effect_low, verdict.effect_high)
    )
    interval = f"(95{words.GAP}%: {low} to {high})"
    if verdict.effect_low <= 0 <= verdict.effect_high:
        return f"No change since the start can be told from the KPI’s own history {interval}."
    moved = words.figure_value(verdict.effect, kpi.decimals, signed=True)
    promised = words.figure_value(_full_change(points), kpi.decimals, signed=True)
    return (
        f"{moved} moved with the start, and more than the KPI’s own history explains {interval}; "
        f"{promised} was promised."
    )


def _forecast(
    rhythm: Rhythm, periods: list[date], path: tuple[date, Path] | None
) -> tuple[list[float | None], list[float | None], list[float | None]]:
    """Return a kept forecast on the chart's periods: its median and the ends of its interval."""
    if path is None:
        return [None] * len(periods), [None] * len(periods), [None] * len(periods)
    after, kept = path
    first = rhythm.index(after) + 1
    lines = []
    for values in (kept.median, kept.low, kept.high):
        at = {first + i: float(value) for i, value in enumerate(values)}
        lines.append([at.get(rhythm.index(period)) for period in periods])
    return lines[0], lines[1], lines[2]


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _baseline_words(kpi: KpiRow, promise: PromiseRow, points: dict[date, PromisePointRow]) -> str:
    rhythm = rhythm_of(kpi)
    if promise.baseline_first is None or promise.baseline_last is None:
        return f"{words.figure_value(points[promise.first].baseline, kpi.decimals)} {kpi.unit}, as stated"
    window = f"{rhythm.long_label(promise.baseline_first)} to {rhythm.long_label(promise.baseline_last)}"
    spread = words.figure_value(promise.baseline_spread, kpi.decimals)
    if promise.baseline_method == "seasonal":
        return f"the same part of the year, {window}, spread ±{spread}"
    level = words.figure_value(points[promise.first].baseline, kpi.decimals)
    return f"{level} {kpi.unit}, {window}, spread ±{spread}"


def _chart_title(standing: Standing, lines: list[PeriodLine]) -> str:
    """Return how much of the change planned to date has come."""
    verdict = standing.verdict
    if verdict is None or verdict.state is None or not verdict.planned_to_date:
        return "No share of the promised change can be shown yet"
    share = (verdict.realised_to_date or Decimal(0)) / verdict.planned_to_date
    if share < 0:
        return "The KPI has moved the wrong way since the promise began"
    return f"{words.percent(share, 0)} of the change planned to date has come"


def _lines_title(lines: list[PeriodLine]) -> str:
    """Return how many of the periods that were read reached what was planned for them."""
    judged = [line for line in lines if line.kind is Kind.PROVEN and line.variance is not None]
    if not judged:
        return "No period can be held against the promise yet"
    reached = sum(1 for line in judged if line.good or not line.variance)
    if len(judged) == 1:
        return f"The first period {'reached' if reached else 'did not reach'} what was promised"
    some = "All" if reached == len(judged) else words.capital(words.count_word(reached))
    return f"{some} of {words.count_word(len(judged))} periods reached what was promised"


def _money_title(money: Money) -> str:
    """Return the largest thing to know about the money."""
    if money.unproven > max(0, money.shortfall):
        return f"{words.money(money.unproven)} of {words.money(money.promised)} nobody can show"
    if money.shortfall > 0:
        return f"{words.money(money.shortfall)} falls short of the {words.money(money.promised)} promised"
    if money.shortfall < 0:
        return f"{words.money(-money.shortfall)} more than the {words.money(money.promised)} promised"
    return f"Nothing falls short of the {words.money(money.promised)} promised"


def _agreed_title(kpi: KpiRow, promise: PromiseRow) -> str:
    rhythm = rhythm_of(kpi)
    by = rhythm.long_label(rhythm.shift(promise.first, promise.ramp_periods - 1))
    return f"Agreed: {amount(promise.target, kpi.unit, kpi.decimals)} by {by}"


def _answer_title(gaps: list[GapLine]) -> str:
    """Return whether somebody acts on what is wrong."""
    if not gaps:
        return "No gap is open, so nothing is asked of the owner"
    waiting = sum(1 for gap in gaps if not gap.action)
    if waiting:
        return (
            "Nobody acts on the gap yet"
            if len(gaps) == 1
            else f"Nobody acts on {words.count_word(waiting)} of {words.count_word(len(gaps))} gaps"
        )
    late = max(gap.overdue_days for gap in gaps)
    if late:
        return f"The action is {words.count(late, 'day')} overdue"
    first = min(gap.due for gap in gaps if gap.due)
    return f"An action is under way, due {words.long_day(first)}"


def _versions(
    snapshot: Snapshot, kpi: KpiRow, versions: list[PromiseRow], atoms: Atoms | None
) -> list[Version]:
    """Return the versions of a promise, each with what it is worth in all and how far that drifted from the first."""
    first = int(atoms.first_promise.sum()) if atoms else 0
    last = first + int(atoms.rebaselined.sum()) if atoms else 0
    return [
        Version(
            number=v.version,
            approved_by=snapshot.position(v.approved_by),
            approved_at=v.known_at,
            target=v.target,
            reached_by=rhythm_of(kpi).long_label(rhythm_of(kpi).shift(v.first, v.ramp_periods - 1)),
            worth=first if v is versions[0] else last,
            drift=0 if v is versions[0] else last - first,
            why=v.why,
            content_hash=v.content_hash,
        )
        for v in (versions if len(versions) == 1 else (versions[0], versions[-1]))
    ]


def _claims(session: Session, snapshot: Snapshot, kpi: str, reference: str) -> list[Claim]:
    titles = {s.benefit.reference: s.benefit.title for s in snapshot.standings}
    rows = register.claimed_shares(session, kpi)
    return [
        Claim(row.benefit, titles[row.benefit], row.claim_share_ppm / 1e6, own=row.benefit == reference)
        for row in sorted(rows.values(), key=lambda row: row.benefit)
        if row.benefit in titles
    ]


def _claims_title(claims: list[Claim]) -> str:
    claimed = sum(claim.share for claim in claims)
    if len(claims) == 1:
        return f"This benefit alone claims {words.percent(claimed, 0)} of the KPI’s movement"
    number = words.capital(words.count_word(len(claims)))
    over = ", more than there is" if claimed > 1 + 1e-9 else ""
    return f"{number} benefits claim {words.percent(claimed, 0)} of the KPI’s movement{over}"


def _over_claim(
    kpi: KpiRow, verdict: VerdictRow | None, points: dict[date, PromisePointRow], claims: list[Claim]
) -> str:
    """Return how the claims on a KPI's newest change compare with what moved with the start."""
    told = (verdict.effect, verdict.effect_low, verdict.effect_high) if verdict else (None, None, None)
    if verdict is None or verdict.actual is None or verdict.baseline is None or None in told:
        return ""
    better = SIGNS[kpi.direction]
    full, point = _full_change(points), points.get(verdict.period)
    if better == 0 or not full or point is None:
        return ""
    arrived = float((point.planned - point.baseline) / full)
    moved, low, high = (float(value or 0) * arrived for value in told)
    share = min(1.0, sum(claim.share for claim in claims))
    claimed = better * float(verdict.actual - verdict.baseline) * share
    found = over_claim(claimed=claimed, moved=moved, low=low, high=high, better=better)
    if claimed <= 0 or found.possible == 0:
        return "What is claimed is no more than moved with the start."
    said = (
        words.figure_value(found.claimed, kpi.decimals),
        words.figure_value(found.moved, kpi.decimals, signed=True),
    )
    if found.certain:
        over = words.figure_value(found.certain, kpi.decimals)
        return f"Over-claimed for certain: {said[0]} for the better is claimed, {said[1]} moved with the start; {over} is beyond any doubt."
    return f"Possibly over-claimed: {said[0]} for the better is claimed, and {said[1]} moved with the start."


def _trail(
    session: Session,
    snapshot: Snapshot,
    kpi: KpiRow,
    versions: list[PromiseRow],
    reference: str,
    as_of: datetime,
) -> list[Event]:
    rhythm = rhythm_of(kpi)
    events = [
        Event(v.known_at, f"Version {v.version} approved by {snapshot.position(v.approved_by)}. {v.why}")
        for v in versions
    ]
    history = verdicts.verdict_history(session, reference, as_of=as_of)
    seen: dict[date, VerdictRow] = {}
    newest: VerdictRow | None = None
    for row in reversed(history):
        before = seen.get(row.period)
        label = rhythm.long_label(row.period)
        if before is not None and row.reason:
            events.append(_restated_event(kpi, label, before, row))
        elif newest is None or row.state != newest.state:
            word = words.state_word(row.state or row.data)
            events.append(Event(row.known_at, f"{word} from {label}. {_said(kpi, row)}"))
        seen[row.period], newest = row, row
    newest_first = events[::-1]
    return sorted(newest_first, key=lambda event: event.at, reverse=True)[:12]


def _said(kpi: KpiRow, row: VerdictRow) -> str:
    """Return what a verdict rested on, shorter than its sentence where two levels say it."""
    if kpi.behaviour in ADDING or row.state is None or row.actual is None or row.planned is None:
        return row.sentence
    planned = words.figure_value(row.planned, kpi.decimals)
    return f"{amount(row.actual, kpi.unit, kpi.decimals)} where {planned} was promised."


def _restated_event(kpi: KpiRow, label: str, before: VerdictRow, row: VerdictRow) -> Event:
    if before.actual != row.actual:
        was, now = (words.figure_value(v.actual, kpi.decimals) for v in (before, row))
    else:
        was, now = (words.state_word(v.state or v.data) for v in (before, row))
    return Event(row.known_at, f"Restated, {label}: {row.reason}.", was=was, now=now)
