"""Gaps: a finding opens one, and closes it when it no longer stands."""

from datetime import date, datetime

import numpy as np
from sqlmodel import Session

from rmo.domain import rules
from rmo.domain.verdict import DATA, NOISE, STATES
from rmo.services.judged import Judged
from rmo.services.panel import Line, Panel
from rmo.storage import verdicts as kept
from rmo.storage.moments import known_after
from rmo.storage.tables import GapRow


def keep_gaps(session: Session, judged: Judged, *, now: datetime) -> tuple[int, int]:
    """Open and close gaps by what the rules say of the newest verdicts; return how many of each."""
    panel, verdicts = judged.panel, judged.verdicts
    open_gaps = kept.gaps(session, [line.benefit.reference for line in panel.lines])
    opened = closed = 0
    for i, line in enumerate(panel.lines):
        said = np.flatnonzero(verdicts.said[i])
        if len(said) == 0:
            continue
        found = [rules.findings(_position(judged, i, int(c))) for c in said[-2:]]
        standing = {gap.kind: gap for gap in open_gaps.get(line.benefit.reference, [])}
        for kind, finding in found[-1].items():
            if kind not in standing:
                period = line.period(_began(judged, i, said, kind))
                session.add(_gap(line, finding, period, now))
                opened += 1
        for kind, gap in standing.items():
            recent = found if kind in rules.LASTING else found[-1:]
            if not any(kind in at for at in recent):
                gap.closed_at = known_after(now, gap.opened_at)
                gap.closed_because = judged.sentence(i, int(said[-1]))
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


def _began(judged: Judged, i: int, said: np.ndarray, kind: str) -> int:
    """Return the column in which the newest unbroken run of a finding began."""
    began = int(said[-1])
    for column in said[::-1]:
        if kind not in rules.findings(_position(judged, i, int(column))):
            break
        began = int(column)
    return began


def _position(judged: Judged, i: int, column: int) -> rules.Position:
    panel, verdicts = judged.panel, judged.verdicts
    p = panel.promises
    planned, realised = p.planned_change[i], p.realised_change[i]
    there = np.flatnonzero(~np.isnan(planned[: column + 1]) & ~np.isnan(realised[: column + 1]))
    full = there[p.elapsed[i, there] >= 1.0]
    share = realised[full] / np.where(planned[full] == 0, np.nan, planned[full])
    within = np.nan_to_num(share, nan=1.0) >= 1.0 - p.tolerance[i, full] - NOISE
    return rules.Position(
        state=STATES[verdicts.state[i, column]],
        data=DATA[verdicts.data[i, column]],
        sentence=judged.sentence(i, column),
        alarm=(i, column) in judged.expected.alarms,
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
