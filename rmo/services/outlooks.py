"""What the engine expects of each promise at each period: worked out once, and kept with the verdict."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from rmo.domain import outlook as engine
from rmo.domain.engine.alarms import Alarm
from rmo.domain.engine.forecast import FURTHEST
from rmo.domain.values import Floats, Frequency
from rmo.domain.verdict import RULES, Chances
from rmo.services.panel import Line, Panel
from rmo.storage.tables import VerdictRow

SEASONS: Final = {
    Frequency.DAY: 7,
    Frequency.WEEK: 52,
    Frequency.MONTH: 12,
    Frequency.QUARTER: 4,
    Frequency.YEAR: 1,
}
Kept = dict[str, dict[date, VerdictRow]]  # the newest verdict about each period, by benefit


@dataclass(frozen=True)
class Outlooks:
    """The chances of a panel, and the forecast from each period that has one."""

    chances: Chances
    surprises: Floats  # (benefits, periods): how likely a reading so far from what was expected is
    effects: Floats  # (3, benefits, periods): what moved with the start, and the ends of its interval
    paths: dict[tuple[int, int], engine.Path]  # by benefit and column
    alarms: dict[tuple[int, int], str]  # why a reading looks like a slip, in words


def input_hashes(line: Line) -> dict[date, str]:
    """Return for each period with a reading the hash of what is made of it: promise, rules, readings up to it."""
    digest = hashlib.sha256(RULES.encode())
    hashes = {}
    for period, row in line.readings.items():
        digest.update(f"|{period}|{row.id}|{row.value}|{row.state}".encode())
        made_of = digest.copy()
        in_force = line.versions[: line.version_in_force(period) + 1]
        made_of.update(f"|{[version.content_hash for version in in_force]}".encode())
        hashes[period] = made_of.hexdigest()
    return hashes


def outlooks(panel: Panel, kept: Kept) -> Outlooks:
    """Return what is expected at every period with a reading; what was worked out from the same inputs is taken over."""
    shape = panel.promises.actual.shape
    found = Outlooks(
        Chances(
            chance=np.full(shape, np.nan),
            short_since=np.full(shape, np.nan),
            concern=np.zeros(shape, dtype=bool),
            alarm=np.zeros(shape, dtype=bool),
        ),
        np.full(shape, np.nan),
        np.full((3, *shape), np.nan),
        {},
        {},
    )
    wanted: dict[Frequency, list[tuple[int, int]]] = defaultdict(list)
    for i, line in enumerate(panel.lines):
        hashes = input_hashes(line)
        earlier = kept.get(line.benefit.reference, {})
        p = panel.promises
        for column in np.flatnonzero(~np.isnan(p.planned_change[i]) & ~np.isnan(p.realised_change[i])):
            row = earlier.get(line.period(int(column)))
            if row is not None and row.inputs_hash == hashes[row.period]:
                _take_over(found, i, int(column), row)
            elif p.last[i, 0] - column <= FURTHEST:  # an end that is further away cannot be forecast
                wanted[line.kpi.frequency].append((i, int(column)))
    for frequency, cases in wanted.items():
        _work_out(panel, found, SEASONS[frequency], cases)
    return found


def _take_over(found: Outlooks, i: int, column: int, row: VerdictRow) -> None:
    """Put in what was kept with a verdict from the same inputs."""
    chances = found.chances
    chances.chance[i, column] = _number(row.chance)
    chances.short_since[i, column] = _number(row.short_since)
    chances.concern[i, column] = row.concern
    chances.alarm[i, column] = bool(row.alarm)
    found.surprises[i, column] = _number(row.surprise)
    found.effects[:, i, column] = [_number(end) for end in (row.effect, row.effect_low, row.effect_high)]
    if row.alarm:
        found.alarms[i, column] = row.alarm
    if row.outlook is not None:
        found.paths[i, column] = engine.Path.unpack(row.outlook)


def _number(value: Decimal | None) -> float:
    return np.nan if value is None else float(value)


def _work_out(panel: Panel, found: Outlooks, season: int, cases: list[tuple[int, int]]) -> None:
    """Put in what the engine says of some benefits, each at one of its periods."""
    rows, columns = (np.array(numbers, dtype=np.int64) for numbers in zip(*cases, strict=True))
    new = engine.outlook(
        panel.promises, baseline=panel.baseline, sign=panel.signs, season=season, rows=rows, columns=columns
    )
    chances = found.chances
    chances.chance[rows, columns] = new.chance
    chances.short_since[rows, columns] = new.short_since
    chances.concern[rows, columns] = new.concern
    chances.alarm[rows, columns] = new.alarms.kind != Alarm.NONE
    found.surprises[rows, columns] = new.surprise
    found.effects[:, rows, columns] = new.effect
    for case, key in enumerate(cases):
        if chances.alarm[key]:
            found.alarms[key] = _alarm_words(
                Alarm(int(new.alarms.kind[case])), float(new.alarms.factor[case])
            )
        path = new.path(case)
        if path is not None:
            found.paths[key] = path


def _alarm_words(alarm: Alarm, factor: float) -> str:
    """Return why a reading looks like a slip in the feed."""
    if alarm is Alarm.UNIT_JUMP:
        return f"is about {factor:,.3g} times what is usual"
    return (
        "has the other sign than usual"
        if alarm is Alarm.SIGN_FLIP
        else "is the same for the sixth time running"
    )
