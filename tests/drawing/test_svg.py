"""What every drawing is made of: escaping, scales, ticks, gaps and places for words."""

import math
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.drawing import svg

VALUES = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)


def test_words_and_attributes_are_escaped():
    drawn = svg.picture(
        [svg.text(0, 0, '<script>"&')], width=10, height=10, label='"><script>alert(1)</script>'
    )
    root = ElementTree.fromstring(drawn)
    assert root.attrib["aria-label"] == '"><script>alert(1)</script>'
    assert root[0].text == '<script>"&'
    assert "<script" not in drawn


def test_parts_that_are_not_markup_are_escaped():
    assert svg.joined(["<b>"]) == "&lt;b&gt;"


@given(VALUES, VALUES)
def test_ticks_are_few_round_and_inside(one, other):
    low, high = sorted((one, other))
    ticks = svg.nice_ticks(low, high)
    if high - low < 1e-6 * max(abs(low), abs(high), 1e-300):
        return
    room = (high - low) * 1e-6
    assert 1 <= len(ticks) <= 4
    assert all(low - room <= tick <= high + room for tick in ticks)
    steps = [second - first for first, second in pairwise(ticks)]
    assert all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)
    if steps:
        mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-9)
        assert min(abs(mantissa - nice) for nice in (1, 2, 2.5, 5, 10)) < 1e-4


@pytest.mark.parametrize(("low", "high", "ticks"), [
    pytest.param(5.4, 7.2, [5.5, 6.0, 6.5, 7.0], id="a cut axis"),
    pytest.param(0, 100, [0, 50, 100], id="whole numbers"),
    pytest.param(-1, 1, [-1, 0, 1], id="both sides of zero"),
    pytest.param(3, 3, [3], id="no room"),
    pytest.param(float("nan"), 1, [], id="nothing known"),
])  # fmt: skip
def test_ticks_of_known_axes(low, high, ticks):
    assert svg.nice_ticks(low, high) == ticks


def test_ticks_share_their_decimals():
    assert svg.tick_decimals([5.5, 6.0]) == 1
    assert svg.tick_decimals([0, 50]) == 0
    assert svg.tick_decimals([0.25, 0.5]) == 2


def test_a_missing_point_breaks_a_line():
    assert svg.runs([(0, 0), None, (2, 2), (3, 3), None]) == [[(0, 0)], [(2, 2), (3, 3)]]
    assert svg.runs([None]) == []


@given(st.lists(st.floats(min_value=0, max_value=300, allow_nan=False), max_size=6))
def test_labels_keep_apart_when_there_is_room(wanted):
    placed = svg.spread(wanted, 15, 0, 300)
    assert len(placed) == len(wanted)
    assert all(second - first >= 15 - 1e-6 for first, second in pairwise(sorted(placed)))
    assert all(-1e-6 <= place <= 300 + 1e-6 for place in placed)


def test_labels_keep_their_order():
    assert svg.spread([100, 100, 90], 15, 0, 300) == [105, 120, 90]


@pytest.mark.parametrize("name", ["", "Gap", "A" * 400, "Ångström-Verbrauch, Straße № 7"])
def test_clipped_words_fit(name):
    kept = svg.clipped(name, 160)
    assert svg.text_width(kept) <= 160
    assert kept == name or kept.endswith("…")


def test_a_scale_of_no_length_puts_everything_at_its_start():
    assert svg.Scale(3, 3, 10, 20)(3) == 10


def test_coordinates_have_one_decimal_and_no_minus_zero():
    assert 'x="0" y="1.3"' in svg.text(-0.01, 1.26, "a")
