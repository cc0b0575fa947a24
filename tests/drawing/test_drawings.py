"""Each drawing is well-formed, says what it shows, adds up on the eye, and survives what is missing or extreme."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.domain.values import DataState, State
from rmo.drawing.bridge import BridgeRow, Part, bridge, bridge_lines
from rmo.drawing.bullet import Bullet, bullet, bullet_scale
from rmo.drawing.icons import Assurance, Variation, assurance_icon, definitions, mark, variation_icon
from rmo.drawing.minibar import Parts, common_scale, minibar, promise_bar
from rmo.drawing.notation import SWATCHES, swatch, swatch_word
from rmo.drawing.process_chart import Flag, ProcessChart, ProcessPoint, Segment, process_chart
from rmo.drawing.realisation import Column, realisation
from rmo.drawing.sparkline import sparkline
from rmo.drawing.svg import Drawing
from rmo.drawing.time_series import TimeSeries, axis_note, time_series

PENNIES = st.integers(min_value=-(10**11), max_value=10**11)
LONG = "Benefits of a programme whose name nobody thought of shortening before it went to the board, second phase"


def read(markup: str) -> Element:
    root = ElementTree.fromstring(markup)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"]
    assert "style" not in markup
    assert "nan" not in markup and "inf" not in markup
    return root


def sizes(drawing: Drawing) -> list[Element]:
    return [read(size) for size in (drawing.wide, drawing.middle, drawing.phone) if size]


def having(root: Element, css: str) -> list[Element]:
    return [found for found in root.iter() if css in found.attrib.get("class", "").split()]


def box(found: Element) -> tuple[float, float]:
    left = float(found.attrib["x"])
    return left, left + float(found.attrib["width"])


def written(root: Element) -> list[str]:
    return [found.text or "" for found in root.iter("text")]


def rows(realised=1135, forecast=641, unproven=218, shortfall=298) -> list[BridgeRow]:
    promised = realised + forecast + unproven + shortfall
    return [
        BridgeRow("Promised in approved cases", (promised + 126) * 1_000_000, Part.PROMISED),
        BridgeRow("Taken out: counted twice", -126_000_000, Part.REMOVED),
        BridgeRow("Promised, counted once", promised * 1_000_000, Part.PROMISED),
        BridgeRow("Realised", realised * 1_000_000, Part.REALISED, 87_000_000),
        BridgeRow("Still forecast", forecast * 1_000_000, Part.FORECAST),
        BridgeRow("Unproven", unproven * 1_000_000, Part.UNPROVEN),
        BridgeRow("Shortfall", shortfall * 1_000_000, Part.SHORTFALL),
    ]


class TestBridge:
    def test_the_bars_add_up_on_the_eye(self):
        root = read(bridge(rows()).wide)
        solid = box(having(root, "f-actual")[0])
        hatched = box(next(found for found in root.iter("rect") if found.get("fill") == "url(#hatch)"))
        dotted = box(next(found for found in root.iter("rect") if found.get("fill") == "url(#dots)"))
        short = box(having(root, "f-bad")[0])
        promised = box(having(root, "k-planbox")[2])
        assert solid[1] == pytest.approx(hatched[0], abs=1.5)
        assert hatched[1] == pytest.approx(dotted[0], abs=1.5)
        assert dotted[1] == pytest.approx(short[0], abs=1.5)
        assert short[1] == pytest.approx(promised[1], abs=1.5)

    def test_every_figure_stands_beside_its_bar_with_its_share(self):
        said = written(read(bridge(rows(), since="since Feb").wide))
        assert {
            "24.18",
            "−1.26",
            "22.92",
            "11.35",
            "6.41",
            "2.18",
            "2.98",
            "49.5",
            "+0.87",
            "since Feb",
        } <= set(said)

    def test_a_surplus_is_blue_and_goes_back_to_the_promise(self):
        root = read(bridge(rows(shortfall=-200)).wide)
        promised, surplus = box(having(root, "k-planbox")[2]), box(having(root, "f-good")[0])
        assert surplus[0] == pytest.approx(promised[1], abs=1.5)
        assert not having(root, "f-bad")

    def test_a_loss_goes_left_of_the_line(self):
        root = read(bridge(rows(realised=-300)).wide)
        assert box(having(root, "f-actual")[0])[1] == pytest.approx(
            box(having(root, "k-planbox")[2])[0], abs=1.5
        )

    def test_small_sums_are_written_in_pounds(self):
        said = written(read(bridge([BridgeRow("Promised", 45_210_00, Part.PROMISED)]).wide))
        assert "£" in said and "45,210" in said

    @pytest.mark.parametrize("given_rows", [
        pytest.param([], id="nothing"),
        pytest.param([BridgeRow("Promised", 0, Part.PROMISED), BridgeRow("Realised", 0, Part.REALISED)], id="all zero"),
        pytest.param([BridgeRow(LONG, 1, Part.PROMISED), BridgeRow(LONG, 1, Part.REALISED)], id="long names"),
        pytest.param([BridgeRow("<b>&", 5, Part.PROMISED)], id="markup in a name"),
    ])  # fmt: skip
    def test_odd_rows_are_drawn(self, given_rows):
        sizes(bridge(given_rows))

    @given(PENNIES, PENNIES, PENNIES, PENNIES)
    def test_no_bar_leaves_the_picture(self, realised, forecast, unproven, shortfall):
        parts = Parts(realised, forecast, unproven, shortfall)
        given_rows = [BridgeRow("Promised", parts.promised, Part.PROMISED)] + [
            BridgeRow(kind, amount, kind)
            for kind, amount in zip(
                (Part.REALISED, Part.FORECAST, Part.UNPROVEN, Part.SHORTFALL),
                (realised, forecast, unproven, shortfall),
                strict=True,
            )
        ]
        for root in sizes(bridge(given_rows)):
            width = float(root.attrib["width"])
            assert all(-0.2 <= edge <= width + 0.2 for found in root.iter("rect") for edge in box(found))

    def test_the_table_has_shares_of_the_promise(self):
        lines = bridge_lines(rows())
        assert [line.total for line in lines] == [True, False, True, False, False, False, False]
        assert sum(line.share or 0 for line in lines) == pytest.approx(1)

    def test_nothing_promised_has_no_shares(self):
        assert bridge_lines([BridgeRow("Realised", 0, Part.REALISED)])[0].share is None


class TestMinibar:
    def test_the_parts_lie_side_by_side_on_the_shared_scale(self):
        parts = Parts(83, 88, 0, 122)
        root = read(minibar(parts, (0, 586)))
        solid, short = box(having(root, "f-actual")[0]), box(having(root, "f-bad")[0])
        assert solid == pytest.approx((0, 17), abs=0.1)
        assert short == pytest.approx((35, 60), abs=0.1)

    def test_its_label_names_what_is_there(self):
        label = read(minibar(Parts(83_000_000, 0, 0, 122_000_000), (0, 205_000_000))).attrib["aria-label"]
        assert label == "Of £2.05m promised: £0.83m realised, £1.22m shortfall"

    def test_a_surplus_is_said_and_drawn(self):
        root = read(minibar(Parts(300_000_000, 0, 0, -50_000_000), (0, 300_000_000)))
        assert having(root, "f-good") and "£0.50m surplus" in root.attrib["aria-label"]

    def test_a_loss_stands_left_of_zero_and_hides_nothing(self):
        parts = Parts(-260, 321, 0, 434)
        low, high = common_scale([parts])
        root = read(minibar(parts, (low, high)))
        lost, short = box(having(root, "f-actual")[0]), box(having(root, "f-bad")[0])
        hatched = box(next(found for found in root.iter("rect") if found.get("fill") == "url(#hatch)"))
        assert lost[1] == pytest.approx(hatched[0], abs=1)
        assert hatched[1] == pytest.approx(short[0], abs=1)
        assert (low, high) == (-260, 755)

    def test_a_promised_loss_is_drawn_to_the_left(self):
        assert common_scale([Parts(-68, -14, 0, 38)]) == (-82, 38)

    @given(st.lists(st.tuples(PENNIES, PENNIES, PENNIES, PENNIES), max_size=5))
    def test_a_shared_scale_holds_every_bar(self, given_parts):
        all_parts = [Parts(*amounts) for amounts in given_parts]
        scale = common_scale(all_parts)
        for parts in all_parts:
            edges = [edge for found in read(minibar(parts, scale)).iter("rect") for edge in box(found)]
            assert all(-0.2 <= edge <= 120.2 for edge in edges)

    @given(PENNIES, PENNIES, PENNIES, PENNIES)
    def test_captions_stay_in_the_picture(self, realised, forecast, unproven, shortfall):
        drawing = promise_bar(Parts(realised, forecast, unproven, shortfall), planned_by_now=realised)
        for root in sizes(drawing):
            height = float(root.attrib["height"])
            assert all(0 <= float(found.attrib["y"]) <= height for found in root.iter("text"))


class TestSparkline:
    def test_a_gap_is_never_bridged(self):
        root = read(sparkline([1, 2, None, 3, 4], label="Last 5 readings"))
        assert len(having(root, "k-actual")) == 2

    @pytest.mark.parametrize("values", [[], [None], [5.0], [5.0, 5.0], [None, 5.0, None], [1e300, -1e300]])
    def test_odd_readings_are_drawn(self, values):
        read(sparkline(values, label="Readings"))

    def test_a_missing_newest_reading_has_no_dot(self):
        assert not [
            found
            for found in read(sparkline([1, 2, None], label="a")).iter("circle")
            if found.get("r") == "3"
        ]


class TestBullet:
    def test_the_bar_starts_at_zero_and_ends_at_the_value(self):
        root = read(bullet(Bullet(83, 80, 0, 100, 71, (76, 84)), label="83 of 80 planned"))
        assert box(having(root, "f-actual")[0]) == (0, 249)
        assert box(having(root, "f-previous")[0]) == (0, 213)

    def test_a_missing_reading_leaves_only_the_plan(self):
        root = read(bullet(Bullet(None, 80, 0, 100), label="No reading"))
        assert not having(root, "f-actual") and having(root, "f-ink")

    def test_a_loss_goes_left_of_zero(self):
        low, high = bullet_scale([-50, 50, None])
        assert box(having(read(bullet(Bullet(-50, 50, low, high), label="a")), "f-actual")[0])[
            1
        ] == pytest.approx(150)

    def test_what_lies_outside_ends_at_the_edge(self):
        assert box(having(read(bullet(Bullet(900, 80, 0, 100), label="a")), "f-actual")[0]) == (0, 300)


def months(count: int) -> list[date]:
    return [date(2023 + (9 + index) // 12, (9 + index) % 12 + 1, 1) for index in range(count)]


def series(**changes: Any) -> TimeSeries:
    given_series: dict[str, Any] = {
        "label": "Length of stay",
        "periods": months(12),
        "decimals": 2,
        "promise": [6.8 - 0.1 * index for index in range(12)],
        "actual": [6.8, 6.7, 6.7, 6.6, 6.7, 6.6],
        "forecast": [None] * 6 + [6.5] * 6,
        "band": ([None] * 6 + [6.3] * 6, [None] * 6 + [6.7] * 6),
        "gap_tone": "bad",
        "events": (3,),
    }
    return TimeSeries(**(given_series | changes))


class TestTimeSeries:
    def test_it_says_the_newest_value_the_ends_and_the_distance(self):
        said = written(read(time_series(series()).wide))
        assert {
            "6.60 actual",
            "6.50 forecast",
            "80\u00a0%: 6.30 to 6.70",
            "5.70 promised",
            "0.30 above plan",
        } <= set(said)

    def test_the_open_future_starts_after_the_newest_value(self):
        root = read(time_series(series()).wide)
        dot = next(found for found in having(root, "f-actual") if found.get("r") == "4")
        assert box(having(root, "f-sunk")[0])[0] > float(dot.attrib["cx"])

    def test_an_ordinary_wobble_has_no_colour(self):
        root = read(time_series(series(gap_tone="")).wide)
        assert not having(root, "k-bad") and not having(root, "k-good")

    def test_missing_readings_break_the_line(self):
        root = read(time_series(series(actual=[6.8, 6.7, None, 6.6, 6.7, 6.6])).wide)
        assert len(having(root, "k-actual")) == 2

    @pytest.mark.parametrize("changes", [
        pytest.param({"periods": [], "promise": [], "actual": [], "forecast": [], "band": None, "events": ()}, id="nothing"),
        pytest.param({"actual": []}, id="no reading yet"),
        pytest.param({"actual": [6.8], "forecast": [], "band": None}, id="one reading"),
        pytest.param({"actual": [None] * 6}, id="only missing readings"),
        pytest.param({"promise": [0.0] * 12, "actual": [0.0] * 6, "forecast": [], "band": None}, id="all zero"),
        pytest.param({"promise": [-5.0] * 12, "actual": [-8.0, 3.0], "forecast": [], "band": None}, id="negative"),
        pytest.param({"baseline": LONG, "actual_words": LONG, "label": LONG}, id="long words"),
        pytest.param({"forecast": [None] * 6 + [6.5] + [None] * 5, "band": ([None] * 6 + [6.3] + [None] * 5, [None] * 6 + [6.7] + [None] * 5)}, id="one open period"),
    ])  # fmt: skip
    def test_odd_series_are_drawn(self, changes):
        sizes(time_series(series(**changes)))

    @given(
        st.lists(st.one_of(st.none(), st.floats(min_value=-1e12, max_value=1e12)), min_size=12, max_size=12)
    )
    def test_every_value_stays_inside_the_plot(self, values):
        drawing = time_series(series(promise=values, actual=values[:6], forecast=[], band=None))
        for root in sizes(drawing):
            height = float(root.attrib["height"])
            assert all(0 <= float(found.attrib["cy"]) <= height for found in root.iter("circle"))

    def test_a_cut_axis_says_so(self):
        assert axis_note(series()) == "axis from 5.6"
        assert axis_note(series(promise=[0.0, 10.0], actual=[5.0], forecast=[], band=None)) == ""


def process(values: Sequence[float | None], **changes: Any) -> ProcessChart:
    points = [ProcessPoint(period, value) for period, value in zip(months(len(values)), values, strict=True)]
    given_chart: dict[str, Any] = {"label": "Stays", "points": points, "decimals": 1}
    return ProcessChart(**(given_chart | changes))


class TestProcessChart:
    def test_signals_have_their_own_shapes(self):
        points = [
            ProcessPoint(month, 5.0 + index, flag)
            for index, (month, flag) in enumerate(zip(months(3), Flag, strict=True))
        ]
        root = read(process_chart(process([], points=points)).wide)
        assert len(having(root, "f-good")) == 1
        assert len(having(root, "f-bad")) == 1
        assert next(iter(having(root, "f-bad"))).tag == "path"

    def test_each_level_has_its_mean_and_its_limits(self):
        levels = (Segment(0, 3, 5.0, 4.0, 6.0), Segment(4, 7, 3.0, None, None))
        root = read(process_chart(process([5.0] * 4 + [3.0] * 4, segments=levels, target=2.0)).wide)
        assert len(having(root, "k-mean")) == 2
        assert len(having(root, "k-limit")) == 2
        assert {"3.0 mean", "2.0 target"} <= set(written(root))

    @pytest.mark.parametrize("values", [[], [5.0], [None, None], [5.0, None, 5.0], [0.0] * 5, [-3.0, 4.0]])
    def test_odd_readings_are_drawn(self, values):
        sizes(process_chart(process(values)))

    def test_a_gap_is_never_bridged(self):
        assert len(having(read(process_chart(process([1, 2, None, 3, 4])).wide), "k-actual")) == 2


class TestRealisation:
    def test_actual_is_solid_and_forecast_hatched(self):
        given_columns = [
            Column("Q1", "2025/26", 100, actual=90),
            Column("Q2", "2025/26", 200, forecast=150, low=120, high=180),
        ]
        root = read(realisation(given_columns, label="Realised").wide)
        assert len(having(root, "f-actual")) == 1
        assert len([found for found in root.iter("rect") if found.get("fill") == "url(#hatch)"]) == 1
        assert len(having(root, "k-planbox")) == 2

    def test_columns_are_as_high_as_their_sums(self):
        given_columns = [Column("Q1", "", 100, actual=50), Column("Q2", "", 200, actual=100)]
        first, second = having(read(realisation(given_columns, label="Realised").wide), "f-actual")
        assert float(second.attrib["height"]) == pytest.approx(2 * float(first.attrib["height"]), abs=0.2)

    def test_quarters_too_many_to_name_are_named_by_their_years(self):
        many = [
            Column(f"Q{index % 4 + 1}", f"{2012 + index // 4}/{13 + index // 4}", index)
            for index in range(36)
        ]
        drawing = realisation(many, label="Realised")
        assert "2012/13" in written(read(drawing.wide)) and "Q1" not in written(read(drawing.wide))
        assert "12/13" in written(read(drawing.phone))

    @pytest.mark.parametrize("given_columns", [
        pytest.param([], id="nothing"),
        pytest.param([Column("2025/26", "", 0, actual=0)], id="all zero"),
        pytest.param([Column("Q1", "2025/26", 100, actual=-50)], id="a loss"),
        pytest.param([Column("Q1", "2025/26", None)], id="one empty column"),
        pytest.param([Column(f"Q{index % 4 + 1}", f"{2000 + index // 4}/x", 10**12 * index) for index in range(80)], id="twenty years"),
    ])  # fmt: skip
    def test_odd_columns_are_drawn(self, given_columns):
        sizes(realisation(given_columns, label="Realised"))


@pytest.mark.parametrize("name", [*State, *DataState, "missing"])
def test_every_state_has_a_shape_that_the_page_holds(name):
    use = ElementTree.fromstring(mark(name))[0]
    held = {found.attrib["id"] for found in ElementTree.fromstring(definitions()).iter("symbol")}
    assert use.attrib["href"].removeprefix("#") in held


def test_no_two_states_share_a_shape():
    symbols = list(ElementTree.fromstring(definitions()).iter("symbol"))
    shapes = {
        "".join(ElementTree.tostring(part, encoding="unicode") for part in symbol) for symbol in symbols
    }
    assert len(shapes) == len(symbols)


@pytest.mark.parametrize("kind", Variation)
@pytest.mark.parametrize("rising", [True, False])
def test_variation_icons_say_what_they_mean(kind, rising):
    assert kind.value in read(variation_icon(kind, rising=rising)).attrib["aria-label"]


@pytest.mark.parametrize("kind", Assurance)
@pytest.mark.parametrize("higher", [True, False])
def test_assurance_icons_say_what_they_mean(kind, higher):
    assert read(assurance_icon(kind, higher_is_better=higher)).attrib["aria-label"].startswith("Assurance: ")


@pytest.mark.parametrize("name", SWATCHES)
def test_every_swatch_is_drawn_and_named(name):
    ElementTree.fromstring(swatch(name))
    assert swatch_word(name)
