"""From readings to verdicts, atoms and gaps: what changed is kept, what did not is left alone."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import numpy as np
from sqlmodel import Session

from rmo.domain import realisation, rules
from rmo.domain.exact import MAX_PLACES, rounded
from rmo.domain.realisation import Atoms
from rmo.domain.values import Floats
from rmo.domain.verdict import DATA, RULES, STATES, Verdicts, judge
from rmo.services.outlooks import Kept, Outlooks, input_hashes, outlooks
from rmo.services.panel import Line, Panel, lines_of, panel_of
from rmo.services.sentences import Said, sentence
from rmo.storage import verdicts as kept
from rmo.storage.audit import count_up
from rmo.storage.moments import known_after
from rmo.storage.tables import AtomsRow, GapRow, VerdictRow

SIGNIFICANT = 9  # digits of what the engine worked out and that is kept


@dataclass(frozen=True)
class Changes:
    """What an evaluation wrote."""

    verdicts: int
    restated: int
    opened: int
    closed: int


def evaluate(session: Session, *, now: datetime, today: date, kpis: set[str] | None = None) -> Changes:
    """Judge the benefits that rest on some KPIs, or all, and keep what is new."""
    lines = lines_of(session, kpi_slugs=kpis)
    if not lines:
        return Changes(0, 0, 0, 0)
    panel = panel_of(lines, today=today)
    known = kept.verdicts(session, [line.benefit.reference for line in lines])
    expected = outlooks(panel, known)
    verdicts = judge(panel.promises, expected.chances)
    written = _keep_verdicts(session, panel, verdicts, expected, known, now=now)
    moved = _keep_atoms(session, panel, expected, now=now)
    opened, closed = _keep_gaps(session, panel, verdicts, now=now)
    if written or moved or opened or closed:
        count_up(session)
    restated = sum(1 for row in written if row.reason)
    return Changes(len(written), restated, opened, closed)


def _rounded(value: float) -> Decimal | None:
    """Return a number that the engine worked out as it is kept: to nine significant digits; a missing one as none."""
    return None if np.isnan(value) else rounded(Decimal(f"{value:.{SIGNIFICANT}g}"), MAX_PLACES)


def _runs(state: np.ndarray, said: np.ndarray) -> list[int]:
    """Return for each said period how many said ones in a row have its state, itself included."""
    lengths, length, before = [], 0, None
    for column in np.flatnonzero(said):
        length = length + 1 if state[column] == before else 1
        before = state[column]
        lengths.append(length)
    return lengths


def _keep_verdicts(
    session: Session, panel: Panel, verdicts: Verdicts, expected: Outlooks, known: Kept, *, now: datetime
) -> list[VerdictRow]:
    written: list[VerdictRow] = []
    for i, line in enumerate(panel.lines):
        earlier = known.get(line.benefit.reference, {})
        hashes = input_hashes(line)
        said = np.flatnonzero(verdicts.said[i])
        lengths = _runs(verdicts.state[i], verdicts.said[i])
        for place, column in enumerate(said):
            since = line.period(int(said[place - lengths[place] + 1]))
            row = _verdict(panel, verdicts, expected, i, int(column), lengths[place], since)
            row.inputs_hash = hashes.get(row.period, "")
            before = earlier.get(row.period)
            if before is not None and _content(before) == _content(row):
                continue
            row.known_at = known_after(now, before.known_at if before else None)
            row.reason = _why(before, row) if before is not None else ""
            session.add(row)
            written.append(row)
    session.flush()
    return written


def _verdict(
    panel: Panel, verdicts: Verdicts, expected: Outlooks, i: int, column: int, running: int, since: date
) -> VerdictRow:
    line, p = panel.lines[i], panel.promises
    period = line.period(column)
    version = line.versions[line.version_in_force(period)]
    reading = line.readings.get(period)
    path = expected.paths.get((i, column))
    newest = _newest_chance(expected, i, column)
    row = VerdictRow(
        benefit=line.benefit.reference,
        period=period,
        state=STATES[verdicts.state[i, column]],
        data=DATA[verdicts.data[i, column]],
        since=since,
        planned=_rounded(p.planned[i, column]),
        actual=_rounded(p.actual[i, column]),
        baseline=_rounded(panel.baseline[i, column]),
        planned_to_date=_rounded(verdicts.planned_to_date[i, column]),
        realised_to_date=_rounded(verdicts.realised_to_date[i, column]),
        chance=_rounded(expected.chances.chance[i, newest]),
        short_since=_rounded(expected.chances.short_since[i, newest]),
        concern=bool(expected.chances.concern[i, newest]),
        outlook=path.pack() if path is not None else None,
        promise=version.id or 0,
        inputs_hash="",
        reading=reading.id if reading is not None else None,
        rules=RULES,
    )
    row.sentence = sentence(_said(panel, verdicts, i, column, running, row.chance))
    return row


def _newest_chance(expected: Outlooks, i: int, column: int) -> int:
    """Return the newest column up to one in which there was a chance; itself where there was none."""
    there = np.flatnonzero(~np.isnan(expected.chances.chance[i, : column + 1]))
    return int(there[-1]) if len(there) else column


def _said(
    panel: Panel, verdicts: Verdicts, i: int, column: int, running: int, chance: Decimal | None = None
) -> Said:
    """Return what the sentence about a period speaks of: the newest proven period up to it."""
    line, p = panel.lines[i], panel.promises
    there = np.flatnonzero(~np.isnan(p.actual[i, : column + 1]))
    newest = int(there[-1]) if len(there) else column
    return Said(
        name=line.kpi.name,
        unit=line.kpi.unit,
        decimals=line.kpi.decimals,
        behaviour=line.kpi.behaviour,
        direction=line.kpi.direction,
        period=line.rhythm.long_label(line.period(newest)),
        state=STATES[verdicts.state[i, column]],
        data=DATA[verdicts.data[i, column]],
        baseline=_rounded(panel.baseline[i, newest]),
        planned=_rounded(p.planned[i, newest]),
        actual=_rounded(p.actual[i, newest]),
        planned_to_date=_rounded(verdicts.planned_to_date[i, column]),
        realised_to_date=_rounded(verdicts.realised_to_date[i, column]),
        outside=bool(verdicts.outside[i, newest]),
        running=running,
        chance=float(chance) if chance is not None else None,
        readings=int(verdicts.readings[i, column]),
        enough=int(p.enough[i, 0]),
        last_period=line.rhythm.long_label(line.promise.last),
        start=line.rhythm.long_label(line.versions[0].first),
    )


def _content(row: VerdictRow) -> tuple[object, ...]:
    return (
        row.state,
        row.data,
        row.since,
        row.planned,
        row.actual,
        row.baseline,
        row.planned_to_date,
        row.realised_to_date,
        row.chance,
        row.short_since,
        row.outlook,
        row.sentence,
        row.promise,
    )


def _why(before: VerdictRow, row: VerdictRow) -> str:
    """Return why a verdict about a period differs from the one before."""
    if before.rules != row.rules:
        return "new rules"
    if before.promise != row.promise:
        return "re-baselined"
    if before.reading is None and row.reading is not None:
        return "late reading"
    if before.reading != row.reading:
        return "corrected reading"
    if before.data != row.data:
        return "time passed without a reading"
    return "an earlier reading was corrected"


def _forecast(panel: Panel, expected: Outlooks) -> Floats:
    """Return the change expected in every open period: the engine's median, and where there is none the plan."""
    changes = panel.promises.planned_change.copy()
    for i in range(len(panel.lines)):
        columns = [column for row, column in expected.paths if row == i]
        if not columns or panel.signs[i, 0] == 0:
            continue
        first = max(columns) + 1
        level = expected.paths[i, first - 1].median[: changes.shape[1] - first]
        span = slice(first, first + len(level))
        changes[i, span] = panel.signs[i, 0] * (level - panel.baseline[i, span])
    return changes


def _keep_atoms(session: Session, panel: Panel, expected: Outlooks, *, now: datetime) -> int:
    made = realisation.atoms(
        first_change=panel.first_change,
        planned_change=panel.promises.planned_change,
        realised_change=panel.promises.realised_change,
        forecast_change=_forecast(panel, expected),
        worth=panel.worth,
        keep=panel.keep,
        kind=panel.kind,
        provisional=panel.provisional,
    )
    known = kept.atoms(session, [line.benefit.reference for line in panel.lines])
    moved = 0
    for i, line in enumerate(panel.lines):
        first, last = _span(line)
        row = AtomsRow(
            benefit=line.benefit.reference,
            known_at=now,
            first=line.period(first),
            promise=line.promise.id or 0,
            packed=made.row(i, slice(first, last + 1)).pack(),
        )
        before = known.get(row.benefit)
        if before is not None and (before.first, before.packed) == (row.first, row.packed):
            continue
        row.known_at = known_after(now, before.known_at if before else None)
        session.add(row)
        moved += 1
    session.flush()
    return moved


def _span(line: Line) -> tuple[int, int]:
    """Return the first and the last column that any version of the promise covers."""
    firsts = [line.column(version.first) for version in line.versions]
    lasts = [line.column(version.last) for version in line.versions]
    return min(firsts), max(lasts)


def atoms_of(row: AtomsRow) -> Atoms:
    """Return a benefit's atoms from where they are kept."""
    return Atoms.unpack(row.packed)


def _keep_gaps(session: Session, panel: Panel, verdicts: Verdicts, *, now: datetime) -> tuple[int, int]:
    open_gaps = kept.gaps(session, [line.benefit.reference for line in panel.lines])
    opened = closed = 0
    for i, line in enumerate(panel.lines):
        said = np.flatnonzero(verdicts.said[i])
        if len(said) == 0:
            continue
        found = [rules.findings(_position(panel, verdicts, i, int(c))) for c in said[-2:]]
        standing = {gap.kind: gap for gap in open_gaps.get(line.benefit.reference, [])}
        for kind, finding in found[-1].items():
            if kind not in standing:
                period = line.period(_began(panel, verdicts, i, said, kind))
                session.add(_gap(line, finding, period, now))
                opened += 1
        for kind, gap in standing.items():
            recent = found if kind in rules.LASTING else found[-1:]
            if not any(kind in at for at in recent):
                gap.closed_at = known_after(now, gap.opened_at)
                gap.closed_because = _newest_sentence(panel, verdicts, i, int(said[-1]))
                closed += 1
    session.flush()
    return opened, closed


def _gap(line: Line, finding: rules.Finding, period: date, now: datetime) -> GapRow:
    return GapRow(
        benefit=line.benefit.reference,
        kind=finding.kind,
        opened_at=now,
        opened_period=period,
        evidence=finding.words,
    )


def _newest_sentence(panel: Panel, verdicts: Verdicts, i: int, column: int) -> str:
    return sentence(_said(panel, verdicts, i, column, 1))


def _began(panel: Panel, verdicts: Verdicts, i: int, said: np.ndarray, kind: str) -> int:
    """Return the column in which the newest unbroken run of a finding began."""
    began = int(said[-1])
    for column in said[::-1]:
        if kind not in rules.findings(_position(panel, verdicts, i, int(column))):
            break
        began = int(column)
    return began


def _position(panel: Panel, verdicts: Verdicts, i: int, column: int) -> rules.Position:
    p = panel.promises
    planned, realised = p.planned_change[i], p.realised_change[i]
    there = np.flatnonzero(~np.isnan(planned[: column + 1]) & ~np.isnan(realised[: column + 1]))
    full = there[p.elapsed[i, there] >= 1.0]
    share = realised[full] / np.where(planned[full] == 0, np.nan, planned[full])
    within = np.nan_to_num(share, nan=1.0) >= 1.0 - p.tolerance[i, 0]
    return rules.Position(
        state=STATES[verdicts.state[i, column]],
        data=DATA[verdicts.data[i, column]],
        sentence=sentence(_said(panel, verdicts, i, column, 1)),
        share_sum=float(panel.share_sum[i, column]),
        claimants=_other_claimants(panel, i),
        kept_before=_three_running(within),
        share_now=tuple(share[-3:].tolist()),
    )


def _three_running(flags: np.ndarray) -> bool:
    return len(flags) >= 3 and bool((flags[:-2] & flags[1:-1] & flags[2:]).any())


def _other_claimants(panel: Panel, i: int) -> tuple[str, ...]:
    own = panel.lines[i]
    return tuple(
        line.benefit.reference
        for line in panel.lines
        if line.kpi.slug == own.kpi.slug and line.benefit.reference != own.benefit.reference
    )
