"""From readings to verdicts, atoms and gaps: what changed is kept, what did not is left alone."""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from sqlmodel import Session

from rmo.domain import realisation
from rmo.domain.realisation import Atoms
from rmo.domain.values import Floats
from rmo.domain.verdict import DATA, RULES, STATES, judge
from rmo.services.gapkeeping import keep_gaps
from rmo.services.judged import Judged, as_kept
from rmo.services.outlooks import Kept, Outlooks, input_hashes, outlooks
from rmo.services.panel import Line, Panel, lines_of, panel_of
from rmo.storage import measures
from rmo.storage import verdicts as kept
from rmo.storage.audit import count_up
from rmo.storage.moments import known_after
from rmo.storage.tables import AtomsRow, VerdictRow


@dataclass(frozen=True)
class Changes:
    """What an evaluation wrote."""

    verdicts: int
    restated: int
    opened: int
    closed: int


def evaluate(session: Session, *, now: datetime, today: date, kpis: set[str] | None = None) -> Changes:
    """Judge the benefits that rest on some KPIs, or all, and keep what is new."""
    measures.hold_kpis(session, kpis)
    lines = lines_of(session, kpi_slugs=kpis)
    if not lines:
        return Changes(0, 0, 0, 0)
    panel = panel_of(lines, today=today)
    known = kept.verdicts(session, [line.benefit.reference for line in lines])
    expected = outlooks(panel, known)
    judged = Judged(panel, expected, judge(panel.promises, expected.chances))
    written = _keep_verdicts(session, judged, known, now=now)
    moved = _keep_atoms(session, judged, now=now)
    opened, closed = keep_gaps(session, judged, now=now)
    if written or moved or opened or closed:
        count_up(session)
    restated = sum(1 for row in written if row.reason)
    return Changes(len(written), restated, opened, closed)


def _runs(state: np.ndarray, said: np.ndarray) -> list[int]:
    """Return for each said period how many said ones in a row have its state, itself included."""
    lengths, length, before = [], 0, None
    for column in np.flatnonzero(said):
        length = length + 1 if state[column] == before else 1
        before = state[column]
        lengths.append(length)
    return lengths


def _keep_verdicts(session: Session, judged: Judged, known: Kept, *, now: datetime) -> list[VerdictRow]:
    verdicts = judged.verdicts
    written: list[VerdictRow] = []
    for i, line in enumerate(judged.panel.lines):
        earlier = known.get(line.benefit.reference, {})
        hashes = input_hashes(line)
        said = np.flatnonzero(verdicts.said[i])
        lengths = _runs(verdicts.state[i], verdicts.said[i])
        for place, column in enumerate(said):
            since = line.period(int(said[place - lengths[place] + 1]))
            row = _verdict(judged, i, int(column), lengths[place], since)
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


def _verdict(judged: Judged, i: int, column: int, running: int, since: date) -> VerdictRow:
    panel, verdicts, expected = judged.panel, judged.verdicts, judged.expected
    line, p = panel.lines[i], panel.promises
    period = line.period(column)
    version = line.versions[line.version_in_force(period)]
    reading = line.readings.get(period)
    path = expected.paths.get((i, column))
    newest = judged.newest_chance(i, column)
    row = VerdictRow(
        benefit=line.benefit.reference,
        period=period,
        state=STATES[verdicts.state[i, column]],
        data=DATA[verdicts.data[i, column]],
        since=since,
        planned=as_kept(p.planned[i, column]),
        actual=as_kept(p.actual[i, column]),
        baseline=as_kept(panel.baseline[i, column]),
        planned_to_date=as_kept(verdicts.planned_to_date[i, column]),
        realised_to_date=as_kept(verdicts.realised_to_date[i, column]),
        chance=judged.chance(i, column),
        short_since=as_kept(expected.chances.short_since[i, newest]),
        concern=bool(expected.chances.concern[i, newest]),
        surprise=as_kept(expected.surprises[i, column]),
        alarm=expected.alarms.get((i, column), ""),
        effect=as_kept(expected.effects[0, i, newest]),
        effect_low=as_kept(expected.effects[1, i, newest]),
        effect_high=as_kept(expected.effects[2, i, newest]),
        outlook=path.pack() if path is not None else None,
        promise=version.id or 0,
        inputs_hash="",
        reading=reading.id if reading is not None else None,
        rules=RULES,
    )
    row.sentence = judged.sentence(i, column, running)
    return row


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
        row.alarm,
        row.effect,
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


def _keep_atoms(session: Session, judged: Judged, *, now: datetime) -> int:
    panel = judged.panel
    made = realisation.atoms(
        first_change=panel.first_change,
        first_worth=panel.first_worth,
        planned_change=panel.promises.planned_change,
        realised_change=panel.promises.realised_change,
        forecast_change=_forecast(panel, judged.expected),
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
