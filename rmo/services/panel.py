"""The register and its readings as dense arrays: one row a benefit, one column a period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlmodel import Session, col, select

from rmo.domain.calendar import PERIODS_A_YEAR, Rhythm, due_day
from rmo.domain.engine.chart import SIGNS
from rmo.domain.realisation import Kind, change, split_share
from rmo.domain.trajectory import elapsed
from rmo.domain.values import EVERYTHING, Behaviour, Flags, Floats, Ints, ReadingState
from rmo.domain.verdict import ENOUGH, Promises
from rmo.storage import measures, register
from rmo.storage.tables import BenefitRow, KpiRow, PromisePointRow, PromiseRow, ReadingRow

ADDING = (Behaviour.FLOW, Behaviour.CUMULATIVE)


@dataclass(frozen=True)
class Line:
    """One benefit's row of the panel: what it stands for, and where its columns begin."""

    benefit: BenefitRow
    versions: list[PromiseRow]
    points: list[dict[date, PromisePointRow]]  # of each version
    kpi: KpiRow
    readings: dict[date, ReadingRow]
    rhythm: Rhythm
    first: int  # period index of column 0
    width: int

    def column(self, period: date) -> int:
        """Return the column of a period."""
        return self.rhythm.index(period) - self.first

    def period(self, column: int) -> date:
        """Return the first day of a column's period."""
        return self.rhythm.first(self.first + column)

    def version_in_force(self, period: date) -> int:
        """Return which version a period is judged by: the newest one that has begun."""
        begun = [i for i, version in enumerate(self.versions) if version.first <= period]
        return begun[-1] if begun else 0

    @property
    def promise(self) -> PromiseRow:
        """Return the newest version."""
        return self.versions[-1]


@dataclass(frozen=True)
class Panel:
    """A batch of benefits against their readings. Arrays are (benefits, periods) unless said otherwise."""

    lines: list[Line]
    promises: Promises
    baseline: Floats
    signs: Floats  # (benefits, 1): 1 where up is good, -1 where down is, 0 for a range
    first_change: Floats  # planned by the first version
    worth: Floats  # share x value of a unit, by the version in force
    first_worth: Floats  # (benefits, 1): by the first version
    keep: Floats  # k of each period
    share_sum: Floats
    kind: Ints
    provisional: Flags


def rhythm_of(kpi: KpiRow) -> Rhythm:
    """Return a KPI's rhythm."""
    return Rhythm(kpi.frequency, kpi.year_start)


def usable(row: ReadingRow | None) -> Decimal | None:
    """Return a reading's value, where it has one that counts."""
    return row.value if row is not None and row.state.usable else None


def lines_of(session: Session, *, kpi_slugs: set[str] | None) -> list[Line]:
    """Return the lines of the benefits that count and have a promise, of some KPIs or of all."""
    rows = [b for b in register.benefits(session, scope=EVERYTHING) if b.lifecycle.counts]
    versions = register.promises(session, [b.reference for b in rows])
    chosen = [
        b
        for b in rows
        if b.reference in versions and (kpi_slugs is None or versions[b.reference][-1].kpi in kpi_slugs)
    ]
    slugs = {versions[b.reference][-1].kpi for b in chosen}
    kpis = {k.slug: k for k in session.exec(select(KpiRow).where(col(KpiRow.slug).in_(slugs)))}
    readings = measures.readings(session, slugs)
    points = register.points(session, [p.id for b in chosen for p in versions[b.reference] if p.id])
    return [
        _line(b, versions[b.reference], points, kpis[versions[b.reference][-1].kpi], readings) for b in chosen
    ]


def _line(
    benefit: BenefitRow,
    versions: list[PromiseRow],
    points: dict[int, dict[date, PromisePointRow]],
    kpi: KpiRow,
    readings: dict[str, dict[date, ReadingRow]],
) -> Line:
    rhythm = rhythm_of(kpi)
    starts = [rhythm.index(v.first) for v in versions]
    ends = [rhythm.index(v.last) for v in versions]
    read = [rhythm.index(period) for period in readings[kpi.slug]]
    first = min(starts + read)
    return Line(
        benefit=benefit,
        versions=versions,
        points=[points.get(v.id or 0, {}) for v in versions],
        kpi=kpi,
        readings=readings[kpi.slug],
        rhythm=rhythm,
        first=first,
        width=max([*ends, *read]) - first + 1,
    )


def panel_of(lines: Sequence[Line], *, today: date) -> Panel:
    """Return the arrays of a batch of lines."""
    lines = list(lines)
    shape = (len(lines), max(line.width for line in lines))
    actual, planned, baseline, first_planned, first_base, passed = (np.full(shape, np.nan) for _ in range(6))
    share, worth, tolerance = (np.zeros(shape) for _ in range(3))
    ended, due, closed, provisional = (np.zeros(shape, dtype=bool) for _ in range(4))
    for i, line in enumerate(lines):
        _fill_readings(line, actual[i], provisional[i])
        _fill_promise(line, planned[i], baseline[i], passed[i])
        _fill_points(line, 0, first_planned[i], first_base[i])
        _fill_terms(line, share[i], worth[i], tolerance[i])
        _fill_calendar(line, ended[i], due[i], closed[i], today)
    rates = _rates(lines)
    changes = [
        change(level, base, sign=rates.sign, low=rates.low, high=rates.high)
        for level, base in ((planned, baseline), (actual, baseline), (first_planned, first_base))
    ]
    share_sum = _share_sums(lines, np.where(np.isnan(planned), 0.0, share))
    return Panel(
        lines=lines,
        promises=Promises(
            actual=actual,
            planned=planned,
            planned_change=changes[0],
            realised_change=changes[1],
            elapsed=passed,
            adds_up=_column([line.kpi.behaviour in ADDING for line in lines], bool),
            last=_column([line.column(line.promise.last) for line in lines], np.int64),
            due=due,
            enough=_column([ENOUGH[line.kpi.frequency] for line in lines], np.int64),
            a_year=_column([PERIODS_A_YEAR[line.kpi.frequency] for line in lines], np.int64),
            tolerance=tolerance,
        ),
        baseline=baseline,
        signs=rates.sign,
        first_change=changes[2],
        worth=worth,
        first_worth=_column([_worth(line.versions[0]) for line in lines], np.float64),
        keep=split_share(share_sum),
        share_sum=share_sum,
        kind=_kinds(planned, changes[1], ended, due, closed),
        provisional=provisional,
    )


def _column(values: Sequence[Any], kind: type) -> npt.NDArray[Any]:
    return np.array(values, dtype=kind)[:, None]


def levels(kpi: KpiRow, readings: dict[date, ReadingRow]) -> dict[date, Decimal]:
    """Return a KPI's usable values by period; a running total as what it grew by in each period."""
    values = {period: value for period, row in readings.items() if (value := usable(row)) is not None}
    if kpi.behaviour is not Behaviour.CUMULATIVE:
        return values
    rhythm = rhythm_of(kpi)
    return {
        period: value - values[before]
        for period, value in values.items()
        if (before := rhythm.shift(period, -1)) in values
    }


def _fill_readings(line: Line, actual: Floats, provisional: Flags) -> None:
    for period, value in levels(line.kpi, line.readings).items():
        actual[line.column(period)] = float(value)
        provisional[line.column(period)] = line.readings[period].state is ReadingState.PROVISIONAL


def _fill_promise(line: Line, planned: Floats, baseline: Floats, passed: Floats) -> None:
    """Fill in the version in force of each period, and how much of its ramp has passed since the first start."""
    begin = line.column(line.versions[0].first)
    passed[:] = 0.0
    for number, version in enumerate(line.versions):
        start = line.column(version.first)
        planned[start:], baseline[start:] = np.nan, np.nan
        _fill_points(line, number, planned, baseline)
        shares = elapsed(len(passed) - begin, version.ramp_periods)
        passed[max(start, begin) :] = shares[max(start - begin, 0) :]


def _fill_points(line: Line, version: int, planned: Floats, baseline: Floats) -> None:
    for period, point in line.points[version].items():
        planned[line.column(period)] = float(point.planned)
        baseline[line.column(period)] = float(point.baseline)


def _fill_terms(line: Line, share: Floats, worth: Floats, tolerance: Floats) -> None:
    """Fill in what the version in force of each period claims and tolerates, and what a unit is worth by it."""
    for version in line.versions:
        start = line.column(version.first)
        share[start:] = version.claim_share_ppm / 1e6
        worth[start:] = _worth(version)
        tolerance[start:] = version.tolerance_ppm / 1e6


def _worth(version: PromiseRow) -> float:
    return float(version.unit_value or 0) * version.claim_share_ppm / 1e6


def _fill_calendar(line: Line, ended: Flags, due: Flags, closed: Flags, today: date) -> None:
    """Say of each period whether it is over, whether its reading is due, and whether a decision came before its end."""
    kpi, stop = line.kpi, line.benefit.ended_on if line.benefit.lifecycle.ended else None
    for column in range(line.width):
        period = line.period(column)
        over = line.rhythm.last(period)
        ended[column] = over < today
        owed = due_day(line.rhythm, period, kpi.due_working_days).toordinal() + kpi.grace_days
        due[column] = over < today and owed < today.toordinal()
        closed[column] = stop is not None and over > stop


@dataclass(frozen=True)
class _Rates:
    """What turns a level into a change, each (benefits, 1)."""

    sign: Floats
    low: Floats
    high: Floats


def _rates(lines: list[Line]) -> _Rates:
    def end(value: Decimal | None) -> float:
        return float("nan") if value is None else float(value)

    return _Rates(
        sign=_column([SIGNS[line.kpi.direction] for line in lines], np.float64),
        low=_column([end(line.kpi.range_low) for line in lines], np.float64),
        high=_column([end(line.kpi.range_high) for line in lines], np.float64),
    )


def _share_sums(lines: list[Line], share: Floats) -> Floats:
    """Return the sum of the claim shares on each benefit's KPI in each period."""
    sums: dict[tuple[str, int], float] = {}
    for i, line in enumerate(lines):
        for column in np.flatnonzero(share[i]):
            key = line.kpi.slug, line.first + int(column)
            sums[key] = sums.get(key, 0.0) + float(share[i, column])
    result = np.zeros(share.shape)
    for i, line in enumerate(lines):
        for column in np.flatnonzero(share[i]):
            result[i, column] = sums[line.kpi.slug, line.first + int(column)]
    return result


def _kinds(planned: Floats, realised: Floats, ended: Flags, due: Flags, closed: Flags) -> Ints:
    """Return what each period is for the money in it: exactly one of the kinds."""
    kind = np.full(planned.shape, Kind.OPEN, dtype=np.int64)
    kind[due] = Kind.UNPROVEN
    kind[ended & ~np.isnan(realised)] = Kind.PROVEN
    kind[closed] = Kind.ENDED
    kind[np.isnan(planned)] = Kind.OUTSIDE
    return kind
