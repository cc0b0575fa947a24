"""A panel with what is expected and said of it, and each verdict's sentence."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from rmo.domain.exact import MAX_PLACES, rounded
from rmo.domain.verdict import DATA, STATES, Verdicts
from rmo.services.outlooks import Outlooks
from rmo.services.panel import Panel
from rmo.services.sentences import Said, sentence

SIGNIFICANT = 9  # digits of what the engine worked out and that is kept


@dataclass(frozen=True)
class Judged:
    """A batch of benefits, what the engine expects of each period, and the verdicts."""

    panel: Panel
    expected: Outlooks
    verdicts: Verdicts

    def chance(self, i: int, column: int) -> Decimal | None:
        """Return the chance that a promise is kept, as known at a period: that of the newest reading up to it."""
        return as_kept(self.expected.chances.chance[i, self.newest_chance(i, column)])

    def newest_chance(self, i: int, column: int) -> int:
        """Return the newest column up to one in which there was a chance; itself where there was none."""
        there = np.flatnonzero(~np.isnan(self.expected.chances.chance[i, : column + 1]))
        return int(there[-1]) if len(there) else column

    def sentence(self, i: int, column: int, running: int = 1) -> str:
        """Return what is said of a benefit at a period; `running` is how many readings in a row had its state."""
        return sentence(_said(self, i, column, running))


def as_kept(value: float) -> Decimal | None:
    """Return a number that the engine worked out as it is kept: to nine significant digits; a missing one as none."""
    return None if np.isnan(value) else rounded(Decimal(f"{value:.{SIGNIFICANT}g}"), MAX_PLACES)


def _said(judged: Judged, i: int, column: int, running: int) -> Said:
    """Return what the sentence about a period speaks of: the newest proven period up to it."""
    panel, verdicts = judged.panel, judged.verdicts
    line, p = panel.lines[i], panel.promises
    chance = judged.chance(i, column)
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
        baseline=as_kept(panel.baseline[i, newest]),
        planned=as_kept(p.planned[i, newest]),
        actual=as_kept(p.actual[i, newest]),
        planned_to_date=as_kept(verdicts.planned_to_date[i, column]),
        realised_to_date=as_kept(verdicts.realised_to_date[i, column]),
        outside=bool(verdicts.outside[i, newest]),
        running=running,
        chance=float(chance) if chance is not None else None,
        alarm=judged.expected.alarms.get((i, column), ""),
        readings=int(verdicts.readings[i, column]),
        enough=int(p.enough[i, 0]),
        last_period=line.rhythm.long_label(line.promise.last),
        start=line.rhythm.long_label(line.versions[0].first),
    )
