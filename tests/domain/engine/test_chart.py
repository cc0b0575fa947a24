"""Charts give the answers of the NHS package, of the published examples, and of a second, plain implementation."""

import csv
from itertools import groupby, pairwise
from math import fsum, isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmo.domain.engine.chart import Assurance, Charts, Flag, PointType, process_charts, segments
from rmo.domain.values import Flags, Floats

REFERENCE = Path(__file__).parents[2] / "data" / "spc_reference.csv"


def reference_cases() -> list[Any]:
    with REFERENCE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cases = groupby(rows, key=lambda row: (row["series"], row["variant"]))
    return [
        pytest.param(variant, list(points), id=f"{series}-{variant}") for (series, variant), points in cases
    ]


def chart_of(values, **options) -> Charts:
    return process_charts(np.array([values], dtype=np.float64), **options)


def words(charts: Charts, row: int = 0) -> list[str]:
    return [Flag(code).word for code in charts.flags[row]]


@pytest.mark.parametrize(("variant", "points"), reference_cases())
def test_flags_limits_and_assurance_are_those_of_the_nhs_package(variant, points):
    charts = chart_of(
        [float(point["value"]) for point in points],
        rebase=np.array([[variant == "rebase_mid" and point["rebase"] == "1" for point in points]]),
        direction=1 if points[0]["direction"] == "up" else -1,
        target=float(points[0]["target"] or "nan"),
        screen=variant != "noscreen",
        fix_after=12 if variant == "fix12" else None,
    )
    assert words(charts) == [point["flag"] for point in points]
    for name in ("mean", "lower", "upper"):
        expected = [float(point[name]) for point in points]
        np.testing.assert_allclose(getattr(charts, name)[0], expected, rtol=1e-9, atol=1e-9)
    assert (Assurance(charts.assurance[0]).word or "") == points[0]["assurance"]


@pytest.mark.parametrize(
    ("screen", "lower", "upper"),
    [pytest.param(True, -0.72, 4.60, id="screened"), pytest.param(False, -3.06, 6.95, id="unscreened")],
)
def test_the_outlier_example_has_its_published_limits(screen, lower, upper):
    charts = chart_of([1, 2, 1, 2, 10, *[1, 2] * 6, 1], screen=screen)
    assert round(charts.mean[0, 0], 2) == 1.94
    assert round(charts.lower[0, 0], 2) == lower
    assert round(charts.upper[0, 0], 2) == upper


def test_montgomerys_loan_costs_have_their_published_limits():
    # Introduction to Statistical Quality Control, table 6.6: weekly cost of processing a loan
    costs = [
        310,
        288,
        297,
        298,
        307,
        303,
        294,
        297,
        308,
        306,
        294,
        299,
        297,
        299,
        314,
        295,
        293,
        306,
        301,
        304,
    ]
    charts = chart_of(costs)
    assert charts.mean[0, 0] == 300.5
    assert round(charts.upper[0, 0], 2) == pytest.approx(321.22, abs=0.02)  # printed with 3/1.128 for 2.66
    assert round(charts.lower[0, 0], 2) == pytest.approx(279.78, abs=0.02)


ZIGZAG = [10.0, 12.0, 9.0, 11.0, 10.0, 12.0, 9.0, 11.0]


@pytest.mark.parametrize(
    ("values", "flagged"),
    [
        pytest.param([*ZIGZAG, 7, 8, 9, 10, 11, 12, 13, *ZIGZAG], {Flag.RISING: range(8, 15)}, id="rising"),
        pytest.param([*ZIGZAG, 13, 12, 11, 10, 9, 8, 7, *ZIGZAG], {Flag.FALLING: range(8, 15)}, id="falling"),
        pytest.param([*ZIGZAG, 8, 9, 10, 10, 11, 12, 13, *ZIGZAG], {}, id="a tie breaks a trend"),
        pytest.param(
            [10, 14, 9, 7, 8, 9, 10, 11, 12, 13, 12, 11, 10, 9, 8, 7, 14, 10, 12, 9],
            {Flag.RISING: range(3, 9), Flag.FALLING: range(9, 16)},
            id="a peak belongs to the later trend",
        ),
        pytest.param([5, 5, 5, 9, 5, 5, 5, 5, 5, 5], {}, id="few points on one side are no shift"),
    ],
)
def test_a_pattern_is_flagged_on_all_its_points(values, flagged):
    flags = list(chart_of(values).flags[0])
    shown = {
        flag: [at for at, code in enumerate(flags) if code == flag] for flag in (Flag.RISING, Flag.FALLING)
    }
    assert shown == {flag: list(flagged.get(flag, [])) for flag in (Flag.RISING, Flag.FALLING)}


def test_a_nearly_flat_series_keeps_its_unscreened_limits():
    charts = chart_of([5.0] * 13 + [6.0])
    assert charts.upper[0, 0] == pytest.approx(5 + 1 / 14 + 2.66 / 13)
    assert words(charts)[-1] == "above_limit"
    assert "above_limit" not in words(charts)[:-1]
    assert not charts.no_variation.any()


def test_a_series_that_never_moved_says_so_and_flags_only_a_change():
    charts = chart_of([5, 5, 5, 5, 7, 7, 4], fix_after=4)
    assert charts.no_variation.all()
    assert charts.lower[0, 0] == charts.upper[0, 0] == 5
    assert words(charts) == ["common"] * 4 + ["above_limit", "common", "below_limit"]


def test_a_single_reading_has_a_mean_and_no_limits():
    charts = chart_of([nan, 3.0, nan])
    assert charts.mean[0, 0] == 3.0
    assert isnan(charts.upper[0, 0])
    assert words(charts) == ["common"] * 3


def test_a_series_without_readings_is_charted_as_nothing():
    charts = chart_of([nan, nan, nan], direction=1, target=3.0)
    assert np.isnan(charts.mean).all()
    assert PointType(charts.variation[0]) is PointType.COMMON
    assert Assurance(charts.assurance[0]) is Assurance.NONE


def test_no_moving_range_is_taken_across_a_gap_and_no_run_is_broken_by_one():
    charts = chart_of([*ZIGZAG, *ZIGZAG, 20, 20.5, 20, nan, 20.5, 20, 20.5, 20])
    ranges = [2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2, 9, 0.5, 0.5, 0.5, 0.5, 0.5]
    kept = [step for step in ranges if step < 3.267 * sum(ranges) / len(ranges)]
    assert charts.upper[0, 0] - charts.mean[0, 0] == pytest.approx(2.66 * sum(kept) / len(kept))
    assert words(charts)[16:19] == words(charts)[20:][:3] == ["above_limit"] * 3
    assert words(charts)[19] == "common"


@pytest.mark.parametrize(
    ("direction", "variation"),
    [
        pytest.param(1, PointType.IMPROVEMENT, id="up is good"),
        pytest.param(-1, PointType.CONCERN, id="down is good"),
        pytest.param(0, PointType.NEUTRAL_HIGH, id="neither"),
    ],
)
def test_variation_is_that_of_the_last_reading(direction, variation):
    charts = chart_of([*ZIGZAG, *ZIGZAG, 30, nan], direction=direction)
    assert PointType(charts.variation[0]) is variation
    assert PointType(chart_of([*ZIGZAG, 30, *ZIGZAG]).variation[0]) is PointType.COMMON


def test_assurance_is_strict_on_the_limits():
    limit = float(chart_of(ZIGZAG).upper[0, 0])
    for target, found in ((limit, Assurance.HIT_AND_MISS), (limit + 1e-9, Assurance.CONSISTENTLY_FAILS)):
        assert Assurance(chart_of(ZIGZAG, direction=1, target=target).assurance[0]) is found
    assert Assurance(chart_of(ZIGZAG, direction=0, target=limit).assurance[0]) is Assurance.NONE


def test_limits_are_on_trial_below_thirteen_points_of_a_segment():
    rebase = np.zeros((1, 25), dtype=bool)
    rebase[0, 13] = True
    found = segments(chart_of([*ZIGZAG, *ZIGZAG, *ZIGZAG, 10], rebase=rebase), 0)
    assert [(part.first, part.last, part.trial) for part in found] == [(0, 12, False), (13, 24, True)]


def naive_chart(values, rebase, screen, fix_after) -> tuple[list[str], list[tuple[float, float, float]]]:
    """Chart one series by the rules as they are written, one reading after another."""
    flags = ["common"] * len(values)
    limits = [(nan, nan, nan)] * len(values)
    starts = sorted({0, *(at for at, new in enumerate(rebase) if new)})
    for first, end in zip(starts, [*starts[1:], len(values)], strict=True):
        naive_segment(values, range(first, end), screen, fix_after, flags, limits)
    return flags, limits


def exact_mean(numbers) -> float:
    """Return a mean rounded once, as R's mean() does: on it or beside it is a matter of the last bit."""
    rough = fsum(numbers) / len(numbers)
    return rough + fsum(number - rough for number in numbers) / len(numbers)


def naive_segment(values, cells, screen, fix_after, flags, limits) -> None:
    here = [at for at in cells if values[at] == values[at]]
    used = here if fix_after is None else here[:fix_after]
    steps = [abs(values[b] - values[a]) for a, b in pairwise(used) if b == a + 1]
    if not here:
        return
    mean = exact_mean([values[at] for at in used])
    average = exact_mean(steps) if steps else nan
    if screen and steps:
        kept = [step for step in steps if step < 3.267 * average]
        if kept and fsum(kept) > 0:
            average = exact_mean(kept)
    lower, upper = mean - 2.66 * average, mean + 2.66 * average
    for at in cells:
        limits[at] = (mean, lower, upper)
    y = [values[at] for at in here]
    if steps and max(steps) == 0:
        for a, b in pairwise(here):
            if values[b] != values[a]:
                flags[b] = "above_limit" if values[b] > values[a] else "below_limit"
        return
    close = 2 * (2.66 / 3) * average
    near = [1 if mean + close < v <= upper else -1 if lower <= v < mean - close else 0 for v in y]
    side = [(v > mean) - (v < mean) for v in y]
    step = [0] + [(b > a) - (b < a) for a, b in pairwise(y)]
    found = ["common"] * len(y)
    for i in range(len(y) - 6):
        if abs(sum(side[i : i + 7])) == 7:
            found[i : i + 7] = ["high_side" if side[i] > 0 else "low_side"] * 7
    for i in range(len(y) - 2):
        if abs(sum(side[i : i + 3])) == 3 and sum(map(abs, near[i : i + 3])) >= 2:
            for j in range(i, i + 3):
                if near[j]:
                    found[j] = "near_upper" if near[j] > 0 else "near_lower"
    for i in range(len(y) - 6):
        if abs(sum(step[i + 1 : i + 7])) == 6:
            found[i : i + 7] = ["rising" if step[i + 1] > 0 else "falling"] * 7
    for i, v in enumerate(y):
        if v > upper or v < lower:
            found[i] = "above_limit" if v > upper else "below_limit"
    for at, flag in zip(here, found, strict=True):
        flags[at] = flag


def random_series(rng, count, periods) -> tuple[Floats, Flags]:
    """Make series of every awkward kind: ties, flat runs, drifts, gaps, rebases."""
    noise = rng.normal(size=(count, periods))
    drift = np.cumsum(noise, axis=1) * rng.choice([0.0, 0.3, 1.0], (count, 1))
    values = 50 + noise + drift + 0.2 * np.arange(periods) * rng.choice([-1, 0, 0, 1], (count, 1))
    values = np.round(values * rng.choice([0.2, 1, 10], (count, 1))) / rng.choice([1, 10], (count, 1))
    flat = rng.integers(0, periods, (count, 1))
    long = rng.integers(0, periods, (count, 1)) * (rng.random((count, 1)) < 0.3)
    at = np.arange(periods)
    values = np.where((at >= flat) & (at < flat + long), np.take_along_axis(values, flat, 1), values)
    values[rng.random(values.shape) < rng.choice([0, 0, 0.1, 0.4], (count, 1))] = nan
    rebase = rng.random(values.shape) < rng.choice([0, 0, 0.05, 0.3], (count, 1))
    return values, rebase


@pytest.mark.parametrize(
    ("seed", "periods", "screen", "fix_after"),
    [(1, 30, True, None), (2, 24, False, None), (3, 36, True, 12), (4, 9, True, None), (5, 60, True, None)],
)
def test_ten_thousand_awkward_series_agree_with_the_plain_implementation(seed, periods, screen, fix_after):
    values, rebase = random_series(np.random.default_rng(seed), 2000, periods)
    charts = process_charts(values, rebase=rebase, screen=screen, fix_after=fix_after)
    names = np.array([flag.word for flag in Flag])[charts.flags]
    rows = zip(values.tolist(), rebase.tolist(), strict=True)
    for row, (one, new) in enumerate(rows):
        flags, limits = naive_chart(one, new, screen, fix_after)
        assert names[row].tolist() == flags, (one, new)
        found = np.column_stack([charts.mean[row], charts.lower[row], charts.upper[row]])
        np.testing.assert_allclose(found, limits, rtol=1e-12, atol=1e-12)


series_of_whole_numbers = st.lists(st.integers(-50, 50) | st.just(None), min_size=1, max_size=40).map(
    lambda row: np.array([[nan if value is None else float(value) for value in row]])
)


@given(series_of_whole_numbers, st.sampled_from([0.25, 2.0, 1024.0]))
@settings(max_examples=60, deadline=None)
def test_flags_do_not_depend_on_the_unit(values, factor):
    plain, scaled = process_charts(values, direction=1), process_charts(values * factor, direction=1)
    assert (plain.flags == scaled.flags).all()
    np.testing.assert_array_equal(plain.upper * factor, scaled.upper)


@given(series_of_whole_numbers)
@settings(max_examples=60, deadline=None)
def test_turning_a_series_over_turns_its_flags_over(values):
    turned = {flag: flag for flag in Flag}
    for a, b in ((1, 2), (3, 4), (5, 6), (7, 8)):
        turned |= {Flag(a): Flag(b), Flag(b): Flag(a)}
    plain, over = process_charts(values), process_charts(-values)
    assert [turned[Flag(code)] for code in plain.flags[0]] == list(over.flags[0])


@given(series_of_whole_numbers)
@settings(max_examples=30, deadline=None)
def test_a_missing_month_at_the_end_changes_no_flag(values):
    longer = np.hstack([values, [[nan]]])
    assert (process_charts(longer).flags[:, :-1] == process_charts(values).flags).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_a_chart_does_not_depend_on_the_batch_it_came_in(seed, periods):
    rng = np.random.default_rng(seed)
    values, rebase = random_series(rng, 30, periods)
    order = rng.permutation(30)
    together, apart = (
        process_charts(values[order], rebase=rebase[order]),
        process_charts(values, rebase=rebase),
    )
    alone = process_charts(values[order[:1]], rebase=rebase[order[:1]])
    for name in ("mean", "lower", "upper", "near_upper", "flags", "trial", "no_variation"):
        np.testing.assert_array_equal(getattr(together, name), getattr(apart, name)[order])
        np.testing.assert_array_equal(getattr(alone, name), getattr(together, name)[:1])
