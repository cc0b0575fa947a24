"""The rule kernel and the process-behaviour charts over dense arrays, against one sum over the numbers."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rmo.domain import realisation
from rmo.domain.engine.chart import process_charts
from rmo.domain.realisation import Kind
from rmo.domain.values import Floats
from rmo.domain.verdict import Promises, judge
from tests.bench.anchors.stream import stream
from tests.bench.table import Row

PERIODS = 60
MEBIBYTE = 2**20


def rows() -> Iterator[Row]:
    """Measure 10,000 and 100,000 benefits of 60 periods."""
    for benefits in (10_000, 100_000):
        promises = a_batch(benefits)
        yield from _measured(promises, benefits)
    numbers = readings(10_000)
    seconds = best_of(3, lambda: process_charts(numbers))
    yield Row("charts, 10,000 series of 60", seconds, "s", None, stream(numbers), "numpy stream")


def _measured(promises: Promises, benefits: int) -> Iterator[Row]:
    money = in_money(promises)
    named = f"rules and atoms, {benefits:,} benefits of {PERIODS}"
    seconds = best_of(3 if benefits < 50_000 else 1, lambda: evaluated(promises, money))
    yield Row(named, seconds, "s", 200, stream(promises.actual), "numpy stream")
    yield Row(f"{named}: a thousand benefits", 1000 * seconds / benefits * 1000, "ms")
    tracemalloc.start()
    kept = evaluated(promises, money)
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    yield Row(f"{named}: memory beyond what is returned", (peak - left) / MEBIBYTE, "MiB", 64)


def evaluated(p: Promises, money: dict[str, Any]) -> tuple[object, object]:
    """Return what an evaluation works out of its arrays."""
    return judge(p), realisation.atoms(**money)


def in_money(p: Promises) -> dict[str, Any]:
    """Return what the atoms of these promises are made from: a hundred for each unit."""
    worth = np.full((len(p.actual), 1), 100.0)
    given = ~np.isnan(p.realised_change)
    return {
        "first_change": p.planned_change,
        "first_worth": worth,
        "planned_change": p.planned_change,
        "realised_change": p.realised_change,
        "forecast_change": p.planned_change,
        "worth": worth,
        "keep": np.ones_like(p.planned),
        "kind": np.where(given, np.int64(Kind.PROVEN), np.int64(Kind.UNPROVEN)),
        "provisional": np.zeros(given.shape, dtype=bool),
    }


def readings(series: int) -> Floats:
    """Return noise around ten, one reading in fifty missing."""
    random = np.random.default_rng(7)
    numbers = random.normal(10.0, 1.0, (series, PERIODS))
    numbers[random.random(numbers.shape) < 0.02] = np.nan
    return numbers


def a_batch(benefits: int) -> Promises:
    """Return promises of a linear fall by one unit within a year, and their readings."""
    actual = readings(benefits)
    elapsed = np.broadcast_to(np.minimum((np.arange(PERIODS) + 1.0) / 12, 1.0), actual.shape).copy()
    column = np.ones((benefits, 1))
    return Promises(
        actual=actual,
        planned=10.0 - elapsed,
        planned_change=elapsed,
        realised_change=10.0 - actual,
        elapsed=elapsed,
        adds_up=(np.arange(benefits) % 2 == 0)[:, None],
        last=(column * (PERIODS - 1)).astype(np.int64),
        due=np.ones(actual.shape, dtype=bool),
        enough=(column * 6).astype(np.int64),
        a_year=(column * 12).astype(np.int64),
        tolerance=np.full(actual.shape, 0.1),
    )


def best_of(times: int, work: Callable[[], object]) -> float:
    """Return the fewest seconds of a processor that a piece of work took."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)
