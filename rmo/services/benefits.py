"""Registering a benefit and approving its promise."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from itertools import groupby

import numpy as np
from sqlmodel import Session

from rmo.domain.errors import ConflictError
from rmo.domain.exact import EXACT, MAX_PLACES, kept, quotient, rounded
from rmo.domain.trajectory import elapsed, planned_level
from rmo.domain.values import Behaviour, Lifecycle, Ramp
from rmo.services.panel import levels, rhythm_of
from rmo.storage import measures, register
from rmo.storage.audit import count_up, write_audit
from rmo.storage.tables import BenefitRow, KpiRow, PromisePointRow, PromiseRow, ReadingRow

MILLION = 1_000_000
BASELINE_PLACES = 6
MOST_PERIODS = 4_000  # ten years of days
MOST_MONEY = 10**12  # in a period


@dataclass(frozen=True)
class Terms:
    """What a promise promises, before it is approved. Days name the periods that contain them."""

    kpi: str
    first: date
    last: date
    target: Decimal
    ramp: Ramp = Ramp.LINEAR
    ramp_periods: int = 12
    baseline: Decimal | None = None  # stated; otherwise the mean of the window
    baseline_first: date | None = None
    baseline_last: date | None = None
    seasonal: bool = False  # the window's mean of the same part of the year
    tolerance: Decimal = Decimal("0.1")
    claim_share: Decimal = Decimal(1)
    unit_value: Decimal | None = None


@dataclass(frozen=True)
class Baseline:
    """The level without the change: one for every period of the promise, and how much the window varied."""

    levels: list[Decimal]
    spread: Decimal | None
    method: str


def register_benefit(session: Session, row: BenefitRow, *, now: datetime, by: str) -> BenefitRow:
    """Keep a new benefit, or raise ConflictError when its reference was ever used."""
    if session.get(BenefitRow, row.reference) is not None:
        raise ConflictError(f"The reference {row.reference} is taken; references are never reused.")
    row.created_at = now
    session.add(row)
    session.flush()
    write_audit(
        session,
        now=now,
        who=by,
        action="register benefit",
        subject=row.reference,
        after=row.model_dump(mode="json"),
    )
    return row


def approve_promise(
    session: Session,
    reference: str,
    terms: Terms,
    *,
    by: str,
    why: str,
    now: datetime,
    imported: bool = False,
) -> PromiseRow:
    """Keep the next version of a benefit's promise, with its trajectory.

    Raises ConflictError when the terms do not fit the KPI, or when the claims on it would exceed the
    whole; only an import may bring such claims, and they are shown as over-claims.
    """
    benefit = session.get_one(BenefitRow, reference)
    kpi = measures.kpi_by_slug(session, terms.kpi)
    versions = register.promises(session, [reference]).get(reference, [])
    _check(session, benefit, kpi, terms, versions, imported=imported)
    row, points = _promise(session, benefit, kpi, terms, len(versions) + 1)
    row.known_at, row.approved_by, row.why = now, by, why
    session.add(row)
    session.flush()
    session.add_all(
        PromisePointRow(promise=row.id or 0, period=period, baseline=base, planned=planned)
        for period, base, planned in points
    )
    if not benefit.lifecycle.counts:
        benefit.lifecycle = Lifecycle.APPROVED
    after = {"version": row.version, **asdict(terms)}
    write_audit(session, now=now, who=by, action="approve promise", subject=reference, after=after, why=why)
    count_up(session)
    session.flush()
    return row


def _check(
    session: Session,
    benefit: BenefitRow,
    kpi: KpiRow,
    terms: Terms,
    versions: list[PromiseRow],
    *,
    imported: bool,
) -> None:
    rhythm = rhythm_of(kpi)
    if rhythm.index(terms.last) < rhythm.index(terms.first):
        raise ConflictError("The promise ends before it starts; give an end that is later.")
    if rhythm.index(terms.last) - rhythm.index(terms.first) >= MOST_PERIODS:
        raise ConflictError(
            f"A promise may last {MOST_PERIODS:,} periods at most; give an end that is earlier."
        )
    if versions and versions[-1].kpi != terms.kpi:
        raise ConflictError("A re-baseline keeps its KPI; a promise on another KPI is another benefit.")
    if versions and not imported:
        _check_start(session, kpi, terms, versions)
    if not imported:
        _check_share(session, benefit, kpi, terms)


def _check_share(session: Session, benefit: BenefitRow, kpi: KpiRow, terms: Terms) -> None:
    """Refuse a claim that would exceed the whole in any period, beside the claims that reach into it."""
    rhythm = rhythm_of(kpi)
    first, last = rhythm.period_of(terms.first), rhythm.period_of(terms.last)
    claims = register.claimed_shares(session, kpi.slug)
    claims.pop(benefit.reference, None)
    beside = [row for row in claims.values() if row.first <= last and row.last >= first]
    starts = {max(row.first, first) for row in beside}
    most = max((sum(r.claim_share_ppm for r in beside if r.first <= s <= r.last) for s in starts), default=0)
    taken = Decimal(most) / MILLION
    if taken + terms.claim_share > 1:
        others = " and ".join(sorted(row.benefit for row in beside))
        raise ConflictError(
            f"{others} already claim {taken:.0%} of {kpi.name}; at most {1 - taken:.0%} is left to claim."
        )


def _check_start(session: Session, kpi: KpiRow, terms: Terms, versions: list[PromiseRow]) -> None:
    """Refuse a re-baseline of periods that have been judged: it may not start before the newest proven one."""
    rhythm = rhythm_of(kpi)
    read = levels(kpi, measures.readings(session, [kpi.slug])[kpi.slug])
    proven = [period for period in read if any(v.first <= period <= v.last for v in versions)]
    if proven and rhythm.period_of(terms.first) < max(proven):
        raise ConflictError(
            f"{rhythm.long_label(max(proven))} is proven already; start the re-baseline there or later."
        )


def _promise(
    session: Session, benefit: BenefitRow, kpi: KpiRow, terms: Terms, version: int
) -> tuple[PromiseRow, list[tuple[date, Decimal, Decimal]]]:
    rhythm = rhythm_of(kpi)
    periods = list(rhythm.between(terms.first, terms.last))
    baseline = _baseline(kpi, terms, measures.readings(session, [kpi.slug])[kpi.slug], periods)
    points = [
        (period, base, planned)
        for period, base, planned in zip(periods, baseline.levels, _planned(terms, baseline), strict=True)
    ]
    _check_money(terms, points)
    content = json.dumps([benefit.reference, version, asdict(terms), points], default=str, sort_keys=True)
    row = PromiseRow(
        benefit=benefit.reference,
        version=version,
        kpi=kpi.slug,
        approved_by="",
        first=periods[0],
        last=periods[-1],
        ramp=terms.ramp,
        ramp_periods=terms.ramp_periods,
        target=terms.target,
        baseline_first=terms.baseline_first,
        baseline_last=terms.baseline_last,
        baseline_method=baseline.method,
        baseline_spread=baseline.spread,
        tolerance_ppm=int(terms.tolerance * MILLION),
        claim_share_ppm=int(terms.claim_share * MILLION),
        unit_value=terms.unit_value,
        content_hash=hashlib.sha256(content.encode()).hexdigest(),
    )
    return row, points


def _check_money(terms: Terms, points: list[tuple[date, Decimal, Decimal]]) -> None:
    """Refuse money that no organisation has: pennies are counted exactly, and a slip is told."""
    most = max(abs(EXACT.subtract(planned, base)) for _, base, planned in points)
    if EXACT.multiply(most, abs(terms.unit_value or Decimal(0))) > MOST_MONEY:
        raise ConflictError(
            f"This promises more than {MOST_MONEY:,} in a period; check the target and the value of a unit."
        )


def _planned(terms: Terms, baseline: Baseline) -> list[Decimal]:
    """Return the planned levels: a seasonal baseline carries the whole planned change on its own season."""
    base = np.array([[float(level) for level in baseline.levels]])
    target = (
        base + (float(terms.target) - base.mean()) if terms.seasonal else np.full_like(base, terms.target)
    )
    path = planned_level(base, target, elapsed(base.shape[1], terms.ramp_periods)[None, :], terms.ramp)
    return [rounded(Decimal(f"{level:.12g}"), MAX_PLACES) for level in path[0]]


def _baseline(kpi: KpiRow, terms: Terms, readings: dict[date, ReadingRow], periods: list[date]) -> Baseline:
    if terms.baseline is not None:
        return Baseline([terms.baseline] * len(periods), None, "stated")
    if terms.baseline_first is None or terms.baseline_last is None:
        raise ConflictError(
            "Give a baseline, or the first and the last period of the window it is the mean of."
        )
    rhythm = rhythm_of(kpi)
    first, last = rhythm.period_of(terms.baseline_first), rhythm.period_of(terms.baseline_last)
    window = {p: v for p, v in levels(kpi, readings).items() if first <= p <= last}
    if not window:
        raise ConflictError(f"{kpi.name} has no reading in the baseline's window; choose another one.")
    spread = rounded(Decimal(f"{np.std([float(v) for v in window.values()]):.9g}"), MAX_PLACES)
    if not terms.seasonal:
        return Baseline([_mean(kpi, window, readings)] * len(periods), spread, "mean")
    by_season = {
        season: _mean(kpi, dict(group), readings)
        for season, group in groupby(sorted(window.items(), key=_season), key=_season)
    }
    missing = {period.month for period in periods} - set(by_season)
    if missing:
        raise ConflictError("A seasonal baseline needs a reading for every part of the year in its window.")
    return Baseline([by_season[period.month] for period in periods], spread, "seasonal")


def _season(item: tuple[date, Decimal]) -> int:
    return item[0].month


def _mean(kpi: KpiRow, window: dict[date, Decimal], readings: dict[date, ReadingRow]) -> Decimal:
    """Return a window's mean; a ratio's from its numerators and denominators, never from percentages."""
    if kpi.behaviour is Behaviour.RATIO and all(readings[p].denominator for p in window):
        weights = {p: readings[p].denominator or Decimal(0) for p in window}
        weighted = _sum(EXACT.multiply(window[p], weights[p]) for p in window)
        mean = quotient(weighted, _sum(weights.values()))
    else:
        mean = quotient(_sum(window.values()), Decimal(len(window)))
    return kept(rounded(mean, BASELINE_PLACES))


def _sum(values: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, values, Decimal(0))
