"""Page objects as drawings: which numbers of a page go into which figure."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from rmo.domain.realisation import Money
from rmo.drawing.bridge import BridgeRow, Part
from rmo.drawing.bridge import bridge as draw_bridge
from rmo.drawing.minibar import Parts, common_scale, minibar, promise_bar
from rmo.drawing.sparkline import sparkline
from rmo.drawing.svg import Drawing
from rmo.services.benefit_page import BenefitPage
from rmo.services.kpi_page import KpiLine
from rmo.services.portfolio import GapLine, PortfolioPage
from rmo.services.snapshot import Standing


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
            BridgeRow("Promised, counted once", money.promised, Part.PROMISED, change and change.promised)
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
    since = page.before_label if page.before else ""
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
