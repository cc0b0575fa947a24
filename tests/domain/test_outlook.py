"""What promises will come to: chances that behave as chances must, in any unit, direction and batch."""

from collections.abc import Sequence
from dataclasses import fields
from math import nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmo.domain import outlook as module
from rmo.domain.outlook import LONG, LONGEST, Outlook, Path, outlook
from rmo.domain.values import Floats
from rmo.domain.verdict import Promises

HISTORY, LIFE = 24, 24
FEW = settings(max_examples=12)
SEEDS = st.integers(0, 500)


def readings(seed: int, *, moved: float = 1.0, count: int = HISTORY + 12) -> Floats:
    """Return two years of noise around ten and a year in which it has moved."""
    random = np.random.default_rng(seed)
    level = 10 + moved * np.clip(np.arange(count) - HISTORY + 1, 0, 6) / 6
    return np.asarray(level + random.normal(0, 0.4, count), dtype=np.float64)


def promises(
    rows: Sequence[Floats],
    *,
    planned: float = 1.0,
    baseline: float = 10.0,
    sign: float = 1.0,
    adds_up: bool = False,
    tolerance: float = 0.0,
    life: int = LIFE,
) -> dict[str, Any]:
    """Return promises of one planned change after two years of history, judged at their newest reading."""
    width = HISTORY + life
    actual = np.full((len(rows), width), nan)
    for i, row in enumerate(rows):
        actual[i, : len(row)] = row
    change = np.full(actual.shape, nan)
    change[:, HISTORY:] = planned * np.minimum(np.arange(1, life + 1) / 6, 1)
    base = np.full(actual.shape, baseline)
    column = np.ones((len(rows), 1))
    p = Promises(
        actual=actual,
        planned=base + sign * change,
        planned_change=change,
        realised_change=np.where(np.isnan(change), nan, sign * (actual - base)),
        elapsed=np.clip(change / planned, 0, 1),
        adds_up=np.full((len(rows), 1), adds_up),
        last=(column * (width - 1)).astype(np.int64),
        due=np.ones(actual.shape, dtype=bool),
        enough=(column * 6).astype(np.int64),
        a_year=(column * 12).astype(np.int64),
        tolerance=np.full(actual.shape, tolerance),
    )
    newest = [int(np.flatnonzero(~np.isnan(row))[-1]) for row in actual]
    return {
        "p": p,
        "baseline": base,
        "sign": column * sign,
        "season": 12,
        "rows": np.arange(len(rows)),
        "columns": np.array(newest),
    }


def chance(row: Floats, **given_: Any) -> float:
    """Return the chance that one promise is kept."""
    return float(outlook(**promises([row], **given_)).chance[0])


def same(ours: Outlook, theirs: Outlook, order: Sequence[int] | slice = slice(None)) -> None:
    for name in ("chance", "short_since", "concern", "median", "low", "high"):
        assert getattr(ours, name).tobytes() == getattr(theirs, name)[order].tobytes(), name


@FEW
@given(SEEDS, st.booleans(), st.lists(st.floats(-3, 3), min_size=2, max_size=2, unique=True).map(sorted))
def test_a_larger_promise_is_never_likelier_to_be_kept(seed: int, adds_up: bool, promised: list[float]):
    row = readings(seed)
    small, large = (chance(row, planned=planned or 0.1, adds_up=adds_up) for planned in promised)

    assert 0 <= large <= small <= 1


@FEW
@given(SEEDS, st.lists(st.floats(0, 0.9), min_size=2, max_size=2).map(sorted))
def test_a_wider_tolerance_never_makes_a_promise_less_likely_to_be_kept(seed: int, tolerances: list[float]):
    narrow, wide = (chance(readings(seed), tolerance=tolerance) for tolerance in tolerances)

    assert narrow <= wide


@FEW
@given(SEEDS, st.sampled_from([1e-6, 0.01, 1 / 3, 60.0, 1e3, 1e6]), st.booleans())
def test_the_unit_in_which_a_kpi_is_counted_changes_no_chance(seed: int, factor: float, adds_up: bool):
    row = readings(seed)

    scaled = chance(row * factor, planned=factor, baseline=10 * factor, adds_up=adds_up)

    assert scaled == pytest.approx(chance(row, adds_up=adds_up), abs=1e-6)


@FEW
@given(SEEDS, st.booleans())
def test_a_mirrored_kpi_has_the_same_chance_in_the_other_direction(seed: int, adds_up: bool):
    row = readings(seed) - 10  # around nothing, so that neither is forecast on the scale of logs

    up = outlook(**promises([row], baseline=0.0, adds_up=adds_up))
    down = outlook(**promises([-row], baseline=0.0, sign=-1.0, adds_up=adds_up))

    assert down.chance[0] == pytest.approx(up.chance[0], abs=1e-6)
    assert down.short_since[0] == pytest.approx(up.short_since[0], abs=1e-6)
    np.testing.assert_allclose(down.median, -up.median, atol=1e-6)
    np.testing.assert_allclose(down.low, -up.high, atol=1e-6)


@FEW
@given(st.lists(SEEDS, min_size=4, max_size=4, unique=True), st.permutations(range(4)))
def test_the_order_of_a_batch_changes_no_byte(seeds: list[int], order: list[int]):
    rows = [readings(seed, count=HISTORY + 3 + i) for i, seed in enumerate(seeds)]

    straight = outlook(**promises(rows))
    turned = outlook(**promises([rows[i] for i in order]))

    same(turned, straight, order)


def test_a_promise_has_the_same_outlook_alone_as_in_company():
    rows = [readings(seed, count=HISTORY + 6) for seed in range(3)]
    together = outlook(**promises(rows))

    for i, row in enumerate(rows):
        same(outlook(**promises([row])), together, slice(i, i + 1))


@FEW
@given(SEEDS, SEEDS)
def test_what_is_expected_at_a_period_does_not_depend_on_later_readings(seed: int, other: int):
    row = readings(seed)
    rewritten = np.concatenate([row[:-4], readings(other)[-4:] * 3])
    then = {"columns": np.array([HISTORY + 7])}

    same(outlook(**promises([rewritten]) | then), outlook(**promises([row]) | then))


def test_at_the_last_period_nothing_is_left_to_be_expected():
    whole = readings(1, count=HISTORY + LIFE)

    at_end = outlook(**promises([whole]))

    assert np.isnan(at_end.chance).all()
    assert at_end.path(0) is None
    assert not np.isnan(at_end.short_since).any()


def test_after_the_end_nothing_is_expected_either():
    given_ = promises([readings(1, count=HISTORY + 12)])
    given_["p"].last[:] = HISTORY + 5

    assert np.isnan(outlook(**given_).chance).all()


def test_a_range_has_no_chance():
    ranged = outlook(**promises([readings(1)]) | {"sign": np.zeros((1, 1))})

    assert np.isnan(ranged.chance).all()
    assert np.isnan(ranged.short_since).all()
    assert not ranged.concern.any()


@pytest.mark.parametrize("count", [1, 5])
def test_with_fewer_than_six_readings_nothing_is_forecast(count: int):
    row = np.concatenate([np.full(HISTORY, nan), readings(1)[HISTORY : HISTORY + count]])

    found = outlook(**promises([row]))

    assert np.isnan(found.chance).all()
    assert found.path(0) is None


def test_a_chance_counts_what_has_been_realised_already():
    row = readings(4, moved=0.0)
    ahead = row.copy()
    ahead[-12:] += 1.5

    assert chance(ahead, adds_up=True) > chance(row, adds_up=True)


def test_a_missing_reading_counts_on_neither_side():
    row = readings(4)
    hole = row.copy()
    hole[-5] = nan

    with_hole, without = chance(hole, adds_up=True), chance(row, adds_up=True)

    assert abs(with_hole - without) < 0.2


@pytest.mark.parametrize("seed", range(3))
def test_hopeless_certain_and_even_promises_have_such_chances(seed: int):
    row = readings(seed)

    assert chance(row, planned=6.0) < 0.01
    assert chance(row, planned=0.01, tolerance=0.9) > 0.9
    assert 0.05 < chance(row, planned=1.0) < 0.95


def test_the_forecast_covers_the_open_periods_and_no_other():
    found = outlook(**promises([readings(2, count=HISTORY + 20), readings(2, count=HISTORY + 4)]))

    for case, left in ((0, 4), (1, 20)):
        path = found.path(case)
        assert path is not None
        assert len(path.median) == left
        assert (path.low < path.median).all()
        assert (path.median < path.high).all()


@given(st.lists(st.tuples(*[st.floats(allow_nan=False)] * 3), min_size=1, max_size=30))
def test_a_packed_forecast_comes_back_as_it_was(cells: list[tuple[float, float, float]]):
    path = Path(*(np.array(row) for row in zip(*cells, strict=True)))

    back = Path.unpack(path.pack())

    for field in fields(Path):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(path, field.name))


@pytest.mark.parametrize(
    ("length", "kept"),
    [
        pytest.param(LONG, LONG, id="sixty are kept whole"),
        pytest.param(LONG + 1, LONG, id="one more is cut to whole dozens"),
        pytest.param(71, 60, id="up to the next dozen"),
        pytest.param(72, 72, id="a dozen more"),
        pytest.param(LONGEST, LONGEST, id="the longest"),
        pytest.param(400, LONGEST, id="no more than the longest"),
        pytest.param(7, 7, id="a short one"),
    ],
)
def test_a_long_history_is_cut_to_its_newest_whole_dozens(length: int, kept: int):
    seen = np.concatenate([np.full(3, nan), np.arange(length, dtype=np.float64)])[None, :]

    cut = module._newest_of(seen)

    there = np.flatnonzero(~np.isnan(cut[0]))
    assert len(there) == kept
    assert cut[0, there].tolist() == list(range(length - kept, length))


def test_a_history_with_holes_is_cut_by_periods_not_by_readings():
    seen = np.arange(80, dtype=np.float64)[None, :].copy()
    seen[0, ::2] = nan

    cut = module._newest_of(seen)

    assert np.flatnonzero(~np.isnan(cut[0]))[0] >= 80 - 72
