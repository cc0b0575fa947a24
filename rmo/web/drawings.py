"""Page objects as drawings: which numbers of a page go into which figure."""

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

from rmo.domain.engine.chart import Assurance, PointType
from rmo.domain.realisation import Money
from rmo.domain.values import Direction, State
from rmo.drawing import icons, process_chart, time_series, words
from rmo.drawing.bridge import BridgeRow, Part
from rmo.drawing.bridge import bridge as draw_bridge
from rmo.drawing.minibar import Parts, common_scale, minibar, promise_bar
from rmo.drawing.process_chart import Flag, ProcessChart, ProcessPoint, Segment
from rmo.drawing.realisation import Column
from rmo.drawing.realisation import realisation as draw_realisation
from rmo.drawing.sparkline import sparkline
from rmo.drawing.svg import Drawing
from rmo.drawing.time_series import TimeSeries
from rmo.services.benefit_page import BenefitPage
from rmo.services.kpi_page import KpiLine, KpiPage
from rmo.services.portfolio import QUARTERS, GapLine, PortfolioPage
from rmo.services.portfolio import Column as Quarter
from rmo.services.snapshot import Standing

MOST_QUARTERS, QUARTERS_BEHIND = 40, 28
SIGNALS: Final = {
    PointType.COMMON: Flag.ORDINARY,
    PointType.IMPROVEMENT: Flag.IMPROVING,
    PointType.CONCERN: Flag.CONCERNING,
    PointType.NEUTRAL_HIGH: Flag.ORDINARY,
    PointType.NEUTRAL_LOW: Flag.ORDINARY,
}
VARIATIONS: Final = {
    PointType.COMMON: icons.Variation.ORDINARY,
    PointType.IMPROVEMENT: icons.Variation.IMPROVING,
    PointType.CONCERN: icons.Variation.CONCERNING,
    PointType.NEUTRAL_HIGH: icons.Variation.ORDINARY,
    PointType.NEUTRAL_LOW: icons.Variation.ORDINARY,
}
ASSURANCES: Final = {
    Assurance.NONE: icons.Assurance.NO_TARGET,
    Assurance.CONSISTENTLY_PASSES: icons.Assurance.PASSES,
    Assurance.CONSISTENTLY_FAILS: icons.Assurance.FAILS,
    Assurance.HIT_AND_MISS: icons.Assurance.HIT_AND_MISS,
}


def _parts(money: Money) -> Parts:
    return Parts(money.realised, money.still_forecast, money.unproven, money.shortfall)


def bridge_rows(money: Money, before: Money | None) -> list[BridgeRow]:
    """Return the bridge from the first promise to what can be shown, with what changed."""
    change = money - before if before else None
    rows = [BridgeRow("Promised in approved cases", money.first_promise, Part.PROMISED)]
    if money.rebaselined:
        rows.append(BridgeRow("Re-baselined since", money.rebaselined, Part.REBASELINED))
    if money.removed:
        rows.append(BridgeRow("Taken out: counted twice", -money.removed, Part.REMOVED))
    if len(rows) > 1:
        rows.append(
            BridgeRow(
                "Promised, counted once",
                money.promised,
                Part.PROMISED,
                change.promised if change else None,
            )
        )
    terms = (
        ("Realised", Part.REALISED, "realised"),
        ("Still forecast", Part.FORECAST, "still_forecast"),
        ("Unproven", Part.UNPROVEN, "unproven"),
        ("Shortfall", Part.SHORTFALL, "shortfall"),
    )
    for name, part, field in terms:
        rows.append(BridgeRow(name, getattr(money, field), part, getattr(change, field) if change else None))
    return rows


def bridge(page: PortfolioPage) -> Drawing | None:
    """Return the portfolio's bridge, where anything is promised in money."""
    if page.money.promised == 0 and page.money.first_promise == 0:
        return None
    since = f"since {page.before_label}" if page.before else ""
    return draw_bridge(bridge_rows(page.money, page.before), since=since)


def gap_bars(lines: Sequence[GapLine]) -> list[Markup]:
    """Return the bar of each gap's benefit, all on one scale."""
    return _bars([line.money for line in lines])


def standing_bars(rows: Sequence[Standing]) -> list[Markup]:
    """Return the bar of each benefit in the register, all on one scale."""
    return _bars([row.money for row in rows])


def _bars(moneys: Iterable[Money]) -> list[Markup]:
    parts = [_parts(money) for money in moneys]
    scale = common_scale(parts)
    return [minibar(part, scale) for part in parts]


def sparklines(lines: Sequence[KpiLine]) -> list[Markup]:
    """Return the recent course of each KPI."""
    return [sparkline(line.recent, label=f"{line.kpi.name}, the newest readings") for line in lines]


def benefit_bar(page: BenefitPage) -> Drawing | None:
    """Return where a benefit's promised money stands."""
    if not page.has_money or page.money.promised == 0:
        return None
    money = page.money
    due = money.realised + money.unproven + money.shortfall_so_far
    return promise_bar(_parts(money), planned_by_now=due)


def realisation(page: PortfolioPage) -> Drawing | None:
    """Return promised, realised and forecast money quarter by quarter, summed since the start."""
    if not page.columns or page.money.promised == 0:
        return None
    shown = _around_now(page.columns)
    closed = [column for column in shown if not column.open]
    columns = [
        Column(
            name=column.label,
            year=column.year,
            planned=column.planned,
            actual=None if column.open else column.actual,
            forecast=column.actual + column.forecast if column.open else None,
        )
        for column in shown
    ]
    by = words.long_month(QUARTERS.last(closed[-1].quarter)) if closed else page.data_to
    label = "Money planned, realised and forecast to date"
    return draw_realisation(columns, label=label, actual_words=f"by {by}")


def _around_now(columns: list[Quarter]) -> list[Quarter]:
    """Return at most so many quarters as can be read, the first open one among them."""
    first_open = next((i for i, column in enumerate(columns) if column.open), len(columns))
    start = max(0, min(first_open - QUARTERS_BEHIND, len(columns) - MOST_QUARTERS))
    return columns[start : start + MOST_QUARTERS]


def benefit_series(page: BenefitPage) -> TimeSeries:
    """Return what a benefit's chart draws."""
    series = page.series
    tone = {State.OFF_TRACK: "bad", State.BROKEN: "bad", State.KEPT: "good"}.get(
        page.state or State.NOT_STARTED, ""
    )
    return TimeSeries(
        label=f"{page.kpi_name} in {page.unit}: the promise and the readings",
        periods=series.periods,
        decimals=page.decimals,
        promise=series.planned,
        actual=series.actual,
        anyway=series.anyway,
        forecast=series.forecast,
        band=(series.low, series.high) if any(v is not None for v in series.forecast) else None,
        earlier=[series.first_promise] if any(v is not None for v in series.first_promise) else [],
        gap_tone=tone,
        baseline=f"Baseline {page.baseline}",
    )


def benefit_chart(page: BenefitPage) -> tuple[Drawing, str]:
    """Return a benefit's chart, and what its corner says of the axis."""
    series = benefit_series(page)
    return time_series.time_series(series), time_series.axis_note(series)


def kpi_chart(page: KpiPage) -> tuple[Drawing, str] | None:
    """Return a KPI's process-behaviour chart, and what its corner says of the axis."""
    if len(page.points) == 0:
        return None
    chart = ProcessChart(
        label=f"{page.kpi.name} in {page.kpi.unit}, with its mean and limits",
        points=[ProcessPoint(point.period, point.value, SIGNALS[point.kind]) for point in page.points],
        decimals=page.kpi.decimals,
        segments=[Segment(s.first, s.last, s.mean, s.lower, s.upper) for s in page.segments],
        target=page.target,
    )
    return process_chart.process_chart(chart), process_chart.axis_note(chart)


def variation(page: KpiPage) -> tuple[Markup, str]:
    """Return the icon of what a KPI's newest reading says, and its words."""
    shape = VARIATIONS[page.variation]
    return icons.variation_icon(shape, rising=page.rising), icons.VARIATION_WORDS[shape]


def assurance(page: KpiPage) -> tuple[Markup, str]:
    """Return the icon of what to expect of a KPI against its target, and its words."""
    shape = ASSURANCES[page.assurance]
    up = page.kpi.direction is Direction.UP
    return icons.assurance_icon(shape, higher_is_better=up), icons.ASSURANCE_WORDS[shape]
