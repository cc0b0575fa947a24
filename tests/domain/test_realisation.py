"""What has changed and what it is worth: the identity of the parts, rounding once, and each kind of period."""

from dataclasses import fields
from decimal import ROUND_HALF_EVEN, Decimal
from math import nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rmo.domain import realisation
from rmo.domain.realisation import Atoms, Kind, Money, atoms, change, pennies, split_share, total
from rmo.domain.values import Floats

UP, DOWN, RANGE = 1.0, -1.0, 0.0
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
CHANGES = st.one_of(st.just(nan), st.floats(-1e6, 1e6), st.integers(-20, 20).map(lambda n: n / 8))


@st.composite
def batches(draw: st.DrawFn) -> dict[str, Any]:
    """Return what atoms are made of, whatever it is."""
    shape = draw(SHAPES)

    def array(cells: st.SearchStrategy[Any], of: tuple[int, ...] = shape, kind: type = np.float64) -> Any:
        return draw(hnp.arrays(kind, of, elements=cells, fill=cells))

    return {
        "first_change": array(CHANGES),
        "first_worth": array(st.floats(-1e5, 1e5), (shape[0], 1)),
        "planned_change": array(CHANGES),
        "realised_change": array(CHANGES),
        "forecast_change": array(CHANGES),
        "worth": array(st.floats(-1e5, 1e5)),
        "keep": array(st.floats(0.01, 1)),
        "kind": array(st.sampled_from([int(kind) for kind in Kind]), kind=np.int64),
        "provisional": array(st.booleans(), kind=np.bool_),
    }


def made(kind: Kind, *, worth: float = 100.0, keep: float = 1.0, **changes: float) -> Money:
    """Return the money of one period of one benefit."""
    cell = {name: np.array([[changes.get(name, nan)]]) for name in ("planned", "realised", "forecast")}
    first = np.array([[changes.get("first", changes.get("planned", nan))]])
    made = atoms(
        first_change=first,
        first_worth=np.array([[changes.get("first_worth", worth)]]),
        planned_change=cell["planned"],
        realised_change=cell["realised"],
        forecast_change=cell["forecast"],
        worth=np.array([[worth]]),
        keep=np.array([[keep]]),
        kind=np.array([[int(kind)]]),
        provisional=np.array([[bool(changes.get("provisional", 0))]]),
    )
    return total(made.row(0, slice(None)))


@given(batches())
def test_the_five_parts_make_up_the_promise_in_every_atom(batch: dict[str, Any]):
    a = atoms(**batch)

    parts = a.realised + a.still_forecast + a.unproven + a.shortfall_so_far + a.shortfall_expected
    np.testing.assert_array_equal(parts, a.promised)
    np.testing.assert_array_equal(a.first_promise + a.rebaselined - a.removed, a.promised)


@given(batches(), st.randoms(use_true_random=False))
def test_the_parts_make_up_the_promise_in_every_sum_of_atoms(batch: dict[str, Any], random: Any):
    a = atoms(**batch)
    benefits, periods = a.kind.shape
    chosen = np.array([random.random() < 0.5 for _ in range(periods)])

    sums = [total(a.row(i, slice(None)), chosen) for i in range(benefits)]
    money = sum(sums, Money())

    assert money.promised == (
        money.realised
        + money.still_forecast
        + money.unproven
        + money.shortfall_so_far
        + money.shortfall_expected
    )
    assert money.first_promise + money.rebaselined - money.removed == money.promised
    for field in fields(Money):
        assert getattr(money, field.name) == int(getattr(a, field.name)[:, chosen].sum())


@given(batches())
def test_each_period_has_money_only_in_the_parts_of_its_kind(batch: dict[str, Any]):
    a = atoms(**batch)
    allowed = {
        Kind.OUTSIDE: set(),
        Kind.OPEN: {"still_forecast", "shortfall_expected"},
        Kind.PROVEN: {"realised", "shortfall_so_far"},
        Kind.UNPROVEN: {"unproven"},
        Kind.ENDED: {"shortfall_so_far"},
    }

    for kind, parts in allowed.items():
        here = a.kind == kind
        for name in ("realised", "still_forecast", "unproven", "shortfall_so_far", "shortfall_expected"):
            assert name in parts or not getattr(a, name)[here].any()
    assert not a.promised[a.kind == Kind.OUTSIDE].any()
    assert not a.provisional[~batch["provisional"]].any()


@given(batches())
def test_atoms_do_not_depend_on_their_neighbours_in_the_batch(batch: dict[str, Any]):
    whole = atoms(**batch)

    for i in range(len(batch["kind"])):
        alone = atoms(**{name: array[i : i + 1] for name, array in batch.items()})
        assert alone.row(0, slice(None)).pack() == whole.row(i, slice(None)).pack()


def test_atoms_are_the_same_in_blocks_as_in_one_go(monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(5)
    shape = (50, 24)
    batch: dict[str, Any] = {
        name: random.normal(0, 3, shape)
        for name in ("first_change", "planned_change", "realised_change", "forecast_change", "worth")
    }
    batch |= {
        "first_worth": random.normal(0, 3, (50, 1)),
        "keep": random.random(shape),
        "kind": random.integers(0, 5, shape),
        "provisional": random.random(shape) < 0.5,
    }
    whole = atoms(**batch)

    monkeypatch.setattr(realisation, "CELLS", 7 * 24)
    blocks = atoms(**batch)

    for field in fields(Atoms):
        np.testing.assert_array_equal(getattr(blocks, field.name), getattr(whole, field.name), field.name)


@given(batches())
def test_packed_atoms_come_back_as_they_were(batch: dict[str, Any]):
    row = atoms(**batch).row(0, slice(None))

    back = Atoms.unpack(row.pack())

    for field in fields(Atoms):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(row, field.name), field.name)
    assert back.pack() == row.pack()


@pytest.mark.parametrize(
    ("kind", "changes", "money"),
    [
        pytest.param(
            Kind.PROVEN,
            {"planned": 1.0, "realised": 0.75},
            Money(10000, 0, 0, 10000, realised=7500, shortfall_so_far=2500),
            id="proven, a quarter short",
        ),
        pytest.param(
            Kind.PROVEN,
            {"planned": 1.0, "realised": 1.25},
            Money(10000, 0, 0, 10000, realised=12500, shortfall_so_far=-2500),
            id="a surplus is a negative shortfall",
        ),
        pytest.param(
            Kind.PROVEN,
            {"planned": 1.0, "realised": -0.5},
            Money(10000, 0, 0, 10000, realised=-5000, shortfall_so_far=15000),
            id="it got worse",
        ),
        pytest.param(
            Kind.PROVEN,
            {"planned": -1.0, "realised": -1.5},
            Money(-10000, 0, 0, -10000, realised=-15000, shortfall_so_far=5000),
            id="a disbenefit is negative, and a worse one falls short",
        ),
        pytest.param(
            Kind.OPEN,
            {"planned": 1.0, "forecast": 0.9},
            Money(10000, 0, 0, 10000, still_forecast=9000, shortfall_expected=1000),
            id="open",
        ),
        pytest.param(
            Kind.OPEN,
            {"planned": 1.0, "forecast": 0.9, "realised": 0.4},
            Money(10000, 0, 0, 10000, still_forecast=9000, shortfall_expected=1000),
            id="what is known of a part-finished period is not realised",
        ),
        pytest.param(
            Kind.UNPROVEN,
            {"planned": 1.0, "forecast": 0.9},
            Money(10000, 0, 0, 10000, unproven=10000),
            id="nobody can show it",
        ),
        pytest.param(
            Kind.ENDED,
            {"planned": 1.0, "realised": 1.0, "forecast": 1.0},
            Money(10000, 0, 0, 10000, shortfall_so_far=10000),
            id="ended by decision, whatever is read",
        ),
        pytest.param(Kind.OUTSIDE, {"realised": 1.0, "forecast": 1.0}, Money(), id="outside the promise"),
        pytest.param(
            Kind.OUTSIDE,
            {"first": 1.0, "realised": 1.0},
            Money(10000, -10000, 0, 0),
            id="a period that a re-baseline dropped",
        ),
        pytest.param(
            Kind.OPEN,
            {"first": nan, "planned": 2.0, "forecast": 2.0},
            Money(0, 20000, 0, 20000, still_forecast=20000),
            id="a period that a re-baseline added",
        ),
        pytest.param(
            Kind.PROVEN,
            {"first": 1.0, "first_worth": 50.0, "planned": 1.0, "realised": 1.0},
            Money(5000, 5000, 0, 10000, realised=10000),
            id="a re-baseline that changed the value of a unit",
        ),
        pytest.param(
            Kind.PROVEN,
            {"planned": 1.0, "realised": 1.0, "provisional": 1},
            Money(10000, 0, 0, 10000, realised=10000, provisional=10000),
            id="of which provisional",
        ),
    ],
)
def test_the_money_of_a_period(kind: Kind, changes: dict[str, float], money: Money):
    assert made(kind, **changes) == money


def test_what_is_claimed_twice_is_removed_from_every_part_and_is_a_line_of_its_own():
    money = made(Kind.PROVEN, planned=1.0, realised=0.5, keep=0.8)

    assert money == Money(10000, 0, 2000, 8000, realised=4000, shortfall_so_far=4000)


@pytest.mark.parametrize(
    ("shares", "kept"),
    [
        pytest.param(0.0, 1.0, id="nobody claims"),
        pytest.param(0.7, 1.0, id="less than the whole"),
        pytest.param(1.0, 1.0, id="exactly the whole"),
        pytest.param(1.25, 0.8, id="a quarter too much"),
        pytest.param(4.0, 0.25, id="four times the whole"),
    ],
)
def test_claims_are_cut_to_the_whole(shares: float, kept: float):
    assert split_share(np.array([shares])).tolist() == [kept]


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_no_set_of_claims_takes_more_than_the_whole(shares: list[float]):
    k = float(split_share(np.array([sum(shares)]))[0])

    assert sum(share * k for share in shares) <= 1 + 1e-12
    assert 0 < k <= 1


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        pytest.param(0.125, 12, id="half to the even penny below"),
        pytest.param(0.375, 38, id="half to the even penny above"),
        pytest.param(-0.125, -12, id="the same below zero"),
        pytest.param(0.13, 13, id="whole pennies"),
        pytest.param(nan, 0, id="no amount"),
        pytest.param(9e13, 9_000_000_000_000_000, id="ninety trillion"),
        pytest.param(1e300, 9_000_000_000_000_000, id="a slip far beyond it"),
        pytest.param(float("-inf"), -9_000_000_000_000_000, id="less than anything"),
    ],
)
def test_money_is_rounded_half_to_even(amount: float, rounded: int):
    assert pennies(np.array([amount])).tolist() == [rounded]


@given(st.integers(-(10**9), 10**9), st.integers(0, 7))
def test_pennies_are_what_exact_arithmetic_gives(whole: int, eighths: int):
    amount = (whole + eighths / 8) / 100
    exact = (Decimal(amount) * 100).quantize(Decimal(1), ROUND_HALF_EVEN)

    assert abs(int(pennies(np.array([amount]))[0]) - exact) <= (1 if eighths == 4 else 0)


def test_each_part_is_rounded_once_and_differences_are_taken_in_pennies():
    money = made(Kind.PROVEN, planned=0.125, realised=0.375, worth=1.0, keep=1.0)

    assert (money.promised, money.realised, money.shortfall_so_far) == (12, 38, -26)


def changed(level: float, baseline: float, sign: float, low: float = nan, high: float = nan) -> float:
    """Return the change of one level."""
    cell = [np.array([[value]]) for value in (level, baseline, sign, low, high)]
    return float(change(cell[0], cell[1], sign=cell[2], low=cell[3], high=cell[4])[0, 0])


@pytest.mark.parametrize(
    ("level", "baseline", "sign", "ends", "better_by"),
    [
        pytest.param(12, 10, UP, (), 2, id="up is good and it rose"),
        pytest.param(12, 10, DOWN, (), -2, id="down is good and it rose"),
        pytest.param(9, 10, DOWN, (), 1, id="down is good and it fell"),
        pytest.param(nan, 10, UP, (), nan, id="no reading, no change"),
        pytest.param(12, nan, UP, (), nan, id="no baseline, no change"),
        pytest.param(5, 9, RANGE, (4, 6), 3, id="into the range"),
        pytest.param(9, 5, RANGE, (4, 6), -3, id="out of the range"),
        pytest.param(8, 9, RANGE, (4, 6), 1, id="nearer to the range"),
        pytest.param(1, 9, RANGE, (4, 6), 0, id="through the range and as far out"),
        pytest.param(4, 6, RANGE, (4, 6), 0, id="from one end to the other"),
        pytest.param(2, 9, RANGE, (4, nan), -2, id="a range with one end"),
        pytest.param(9, 2, RANGE, (nan, 6), -3, id="a range with the other end"),
        pytest.param(nan, 2, RANGE, (4, 6), nan, id="no reading of a range"),
    ],
)
def test_change_is_how_far_a_level_is_better(level, baseline, sign, ends, better_by):
    assert changed(level, baseline, sign, *ends) == pytest.approx(better_by, nan_ok=True)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_what_is_better_one_way_is_worse_the_other(level: float, baseline: float):
    assert changed(level, baseline, UP) == -changed(level, baseline, DOWN)


MONEY = st.builds(Money, *[st.integers(-(10**12), 10**12) for _ in fields(Money)])


@given(MONEY, MONEY, MONEY)
def test_money_adds_and_subtracts_in_every_part(one: Money, two: Money, three: Money):
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + two - two == one
    assert one + Money() == one
    assert (one + two).shortfall == one.shortfall + two.shortfall


@pytest.mark.parametrize(
    ("so_far", "expected", "stake"),
    [
        pytest.param(200, 100, 300, id="both"),
        pytest.param(-200, 500, 300, id="ahead now, behind at the end"),
        pytest.param(-200, -100, 0, id="a surplus is not at stake"),
        pytest.param(0, 0, 0, id="just as promised"),
    ],
)
def test_the_value_at_stake_is_the_shortfall_where_there_is_one(so_far: int, expected: int, stake: int):
    assert Money(shortfall_so_far=so_far, shortfall_expected=expected).at_stake == stake


def test_a_change_of_a_batch_takes_each_rows_own_direction():
    levels: Floats = np.array([[12.0, 9.0], [12.0, 9.0], [12.0, 9.0]])
    ends = np.array([[nan], [nan], [10.0]])

    better = change(
        levels, np.full((3, 2), 10.0), sign=np.array([[UP], [DOWN], [RANGE]]), low=ends, high=ends
    )

    assert better.tolist() == [[2, -1], [-2, 1], [-2, -1]]
