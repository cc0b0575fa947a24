"""Process limits as they were known at each period, and verdicts that do not depend on how they are worked out."""

from dataclasses import fields
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.domain import verdict
from rmo.domain.values import Floats
from rmo.domain.verdict import LIMIT_FACTOR, SCREEN_FACTOR, Promises, Verdicts, half_width, judge

READINGS = st.one_of(
    st.just(nan),
    st.integers(-5, 5).map(float),
    st.floats(-1e9, 1e9, allow_nan=False, width=32),
    st.floats(-0.5, 0.5, allow_nan=False, width=32),
)


def by_definition(series: list[float]) -> list[float]:
    """Return the half width at each period, one period after the other."""
    ranges = [abs(b - a) for a, b in zip([nan, *series], series, strict=False)]
    widths = []
    for until in range(1, len(series) + 1):
        so_far = [size for size in ranges[:until] if size == size]
        mean = sum(so_far) / len(so_far) if so_far else nan
        kept = [size for size in so_far if size < SCREEN_FACTOR * mean]
        screened = sum(kept) / len(kept) if kept else nan
        widths.append(LIMIT_FACTOR * (screened if screened > 0 else mean))
    return widths


def same(ours: Floats, wanted: list[list[float]]) -> None:
    np.testing.assert_allclose(ours, np.array(wanted).reshape(ours.shape), rtol=1e-12)


@given(st.integers(0, 24).flatmap(lambda n: st.lists(st.lists(READINGS, min_size=n, max_size=n), max_size=5)))
def test_limits_at_each_period_are_those_of_the_readings_known_by_then(batch: list[list[float]]):
    width = len(batch[0]) if batch else 0

    same(half_width(np.array(batch).reshape(len(batch), width)), [by_definition(series) for series in batch])


@pytest.mark.parametrize(
    "series",
    [
        pytest.param([1.0, 2.0, 1.0, 2.0, 1e12, 1.0, 2.0, 1.5, 1.25], id="an outlier takes no digits along"),
        pytest.param([5.0] * 6, id="nothing ever moves"),
        pytest.param([1.0, nan, 2.0, nan, 3.0], id="never two running"),
        pytest.param([nan, 4.0, 4.5, nan, nan, 4.0, 9.0, 4.0], id="holes"),
        pytest.param([0.0, 1000.0] + [0.1 * (i % 2) for i in range(30)], id="left out only later"),
    ],
)
def test_limits_of_awkward_series(series: list[float]):
    same(half_width(np.array([series])), [by_definition(series)])


def batch_of(random: np.random.Generator, benefits: int, periods: int) -> Promises:
    actual = random.normal(10, 1, (benefits, periods))
    actual[random.random(actual.shape) < 0.1] = nan
    elapsed = np.tile(np.minimum((np.arange(periods) + 1) / 6, 1), (benefits, 1))
    column = np.ones((benefits, 1))
    return Promises(
        actual=actual,
        planned=10 - elapsed,
        planned_change=elapsed,
        realised_change=10 - actual,
        elapsed=elapsed,
        adds_up=random.random((benefits, 1)) < 0.5,
        last=(column * (periods - 1)).astype(np.int64),
        due=random.random(actual.shape) < 0.9,
        enough=(column * 3).astype(np.int64),
        a_year=(column * 12).astype(np.int64),
        tolerance=np.full(actual.shape, 0.1),
    )


def test_a_verdict_does_not_depend_on_its_neighbours_in_the_batch(monkeypatch: pytest.MonkeyPatch):
    batch = batch_of(np.random.default_rng(3), 50, 24)
    whole = judge(batch)

    monkeypatch.setattr(verdict, "CELLS", 7 * 24)

    for field in fields(Verdicts):
        np.testing.assert_array_equal(
            getattr(judge(batch), field.name), getattr(whole, field.name), field.name
        )
