"""Axes start where they should and say it; their marks fit; words find a free place."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.drawing.axes import cut_axis_note, time_ticks, value_range
from rmo.drawing.placing import Labels, Place


def months(count: int, first: int = 10) -> list[date]:
    return [date(2023 + (first - 1 + index) // 12, (first - 1 + index) % 12 + 1, 1) for index in range(count)]


@pytest.mark.parametrize(("values", "note"), [
    pytest.param([5.6, 7.06], "axis from 5.4", id="cut below the values"),
    pytest.param([0.0, 10.0], "", id="from zero"),
    pytest.param([3.0, 10.0], "", id="zero is near enough"),
    pytest.param([-3.0, 10.0], "", id="zero lies inside"),
    pytest.param([2_800.0, 3_400.0], "axis from 2,750", id="thousands"),
    pytest.param([None, None], "", id="nothing known"),
])  # fmt: skip
def test_a_cut_axis_says_where_it_starts(values, note):
    assert cut_axis_note(values) == note


@given(st.lists(st.one_of(st.none(), st.floats(min_value=-1e9, max_value=1e9)), max_size=20))
def test_an_axis_holds_every_value(values):
    low, high = value_range(values)
    assert low < high
    assert all(low <= value <= high for value in values if value is not None)


@pytest.mark.parametrize(("periods", "most", "said"), [
    pytest.param(months(30), 4, ["Jan 2024", "Jan 2025", "Jan 2026"], id="years of months"),
    pytest.param(months(6, 1), 6, ["Jan 2023", "Feb 2023", "Mar 2023", "Apr 2023", "May 2023", "Jun 2023"], id="months"),
    pytest.param([date(2023, 3, 6) + timedelta(days=index) for index in range(10)], 6, ["6 Mar 2023", "15 Mar 2023"], id="days of one month"),
    pytest.param(months(1, 5), 6, ["May 2023"], id="one month"),
    pytest.param([], 6, [], id="nothing"),
])  # fmt: skip
def test_time_marks_are_as_fine_as_there_is_room(periods, most, said):
    assert [words for _, words in time_ticks(periods, most)] == said


def test_a_narrow_chart_says_years_only():
    assert [words for _, words in time_ticks(months(30), 5, years_only=True)] == ["2024", "2025", "2026"]


def test_words_take_the_place_that_covers_no_line():
    labels = Labels(0, 300, 0, 200)
    labels.avoid([(0, 50), (300, 50)])
    drawn = labels.put("5.60 promised", "ts", [Place(10, 54), Place(10, 90)])
    assert 'y="90"' in drawn


def test_words_do_not_cover_words():
    labels = Labels(0, 300, 0, 200)
    first = labels.put("5.60 promised", "ts", [Place(10, 50), Place(10, 80)])
    second = labels.put("6.08 forecast", "ts", [Place(10, 52), Place(10, 80)])
    assert 'y="50"' in first
    assert 'y="80"' in second


def test_words_stay_in_the_chart():
    labels = Labels(0, 100, 0, 50)
    drawn = labels.put("a rather long label", "ts", [Place(95, 400)])
    assert 'y="46"' in drawn
