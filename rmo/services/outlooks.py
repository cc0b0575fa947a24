"""What the engine expects of each promise at each period: worked out once, and kept with the verdict."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from rmo.domain import outlook as engine
from rmo.domain.engine.forecast import FURTHEST
from rmo.domain.values import Frequency
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
    paths: dict[tuple[int, int], engine.Path]  # by benefit and column


def input_hashes(line: Line) -> dict[date, str]:
    """Return for each period with a reading the hash of what is made of it: promise, rules, readings up to it."""
    versions = [version.content_hash for version in line.versions]
    digest = hashlib.sha256(f"{RULES}|{versions}".encode())
    hashes = {}
    for period, row in line.readings.items():
        digest.update(f"|{period}|{row.id}|{row.value}|{row.state}".encode())
        hashes[period] = digest.copy().hexdigest()
    return hashes


def outlooks(panel: Panel, kept: Kept) -> Outlooks:
    """Return what is expected at every period with a reading; what was worked out from the same inputs is taken over."""
    shape = panel.promises.actual.shape
    chances = Chances(np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=bool))
    paths: dict[tuple[int, int], engine.Path] = {}
    wanted: dict[Frequency, list[tuple[int, int]]] = defaultdict(list)
    for i, line in enumerate(panel.lines):
        hashes = input_hashes(line)
        earlier = kept.get(line.benefit.reference, {})
        p = panel.promises
        for column in np.flatnonzero(~np.isnan(p.planned_change[i]) & ~np.isnan(p.realised_change[i])):
            row = earlier.get(line.period(int(column)))
            if row is not None and row.inputs_hash == hashes[row.period]:
                _take_over(chances, paths, i, int(column), row)
            elif p.last[i, 0] - column <= FURTHEST:  # an end that is further away cannot be forecast
                wanted[line.kpi.frequency].append((i, int(column)))
    for frequency, cases in wanted.items():
        _work_out(panel, chances, paths, SEASONS[frequency], cases)
    return Outlooks(chances, paths)


def _take_over(
    chances: Chances, paths: dict[tuple[int, int], engine.Path], i: int, column: int, row: VerdictRow
) -> None:
    chances.chance[i, column] = np.nan if row.chance is None else float(row.chance)
    chances.short_since[i, column] = np.nan if row.short_since is None else float(row.short_since)
    chances.concern[i, column] = row.concern
    if row.outlook is not None:
        paths[i, column] = engine.Path.unpack(row.outlook)


def _work_out(
    panel: Panel,
    chances: Chances,
    paths: dict[tuple[int, int], engine.Path],
    season: int,
    cases: list[tuple[int, int]],
) -> None:
    rows, columns = (np.array(numbers, dtype=np.int64) for numbers in zip(*cases, strict=True))
    found = engine.outlook(
        panel.promises, baseline=panel.baseline, sign=panel.signs, season=season, rows=rows, columns=columns
    )
    chances.chance[rows, columns] = found.chance
    chances.short_since[rows, columns] = found.short_since
    chances.concern[rows, columns] = found.concern
    for case, key in enumerate(cases):
        path = found.path(case)
        if path is not None:
            paths[key] = path
