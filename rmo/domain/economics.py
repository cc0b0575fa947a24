"""What flows of money are worth: discount schedules, present values, returns and paybacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import inf, log1p

import numpy as np
import pyxirr

from rmo.domain.values import Floats

DAYS_A_YEAR = 365  # of dated flows, as Excel's XNPV and XIRR count


@dataclass(frozen=True)
class Schedule:
    """Discount rates that depend on how far away a flow is.

    `bands` are pairs of the last year of a band and its yearly rate, in order; the last band
    has no end. Rates are data of their day: check the current edition.
    """

    name: str
    bands: tuple[tuple[float, float], ...]


def flat(rate: float) -> Schedule:
    """Return a schedule of one rate."""
    return Schedule(f"{rate:g} a year", ((inf, rate),))


GREEN_BOOK = Schedule(
    "green-book", ((30, 0.035), (75, 0.03), (125, 0.025), (200, 0.02), (300, 0.015), (inf, 0.01))
)  # HM Treasury, The Green Book, real social time preference rate
GREEN_BOOK_HEALTH = Schedule("green-book-health", ((30, 0.015), (75, 0.0129), (inf, 0.0107)))
SCHEDULES = {schedule.name: schedule for schedule in (GREEN_BOOK, GREEN_BOOK_HEALTH)}


def factors(years: Floats, schedule: Schedule) -> Floats:
    """Return what one unit is worth today that flows so many years from now.

    Part of a year counts by the same law, (1 + rate) to the power of the part: a month is
    a twelfth in the power, never a twelfth of the rate. Year 0 is not discounted.

    Source:
        Handbook, "How the numbers are worked out", section Money.
    """
    exponent = np.zeros_like(years)
    begins = 0.0
    for ends, rate in schedule.bands:
        exponent += log1p(rate) * np.clip(years - begins, 0.0, ends - begins)
        begins = ends
    discounted: Floats = np.exp(-exponent)
    return discounted


def years_from_first(days: Sequence[date]) -> Floats:
    """Return how many years of 365 days each day lies after the first one."""
    first = min(days)
    return np.array([(day - first).days / DAYS_A_YEAR for day in days])


def real_rate(nominal: float, inflation: float) -> float:
    """Return the rate for flows in constant prices that a nominal rate and an inflation make."""
    return (1 + nominal) / (1 + inflation) - 1


def constant_prices(flows: Floats, years: Floats, inflation: float) -> Floats:
    """Return nominal flows in the prices of year 0."""
    real: Floats = flows / (1 + inflation) ** years
    return real


@dataclass(frozen=True)
class Appraisal:
    """What a project is worth. What cannot be said is None, never 0."""

    years: Floats  # of each flow
    factors: Floats
    npv: float
    pv_costs: float
    pv_benefits: float
    bcr: float | None  # benefits per unit of cost; None without costs
    irr: float | None  # a year; None without a change of sign
    payback: float | None  # years until the costs have come back for good; None if they do not
    discounted_payback: float | None
    switching_value: (
        float | None
    )  # share of the benefits at which nothing is gained or lost; None without benefits


def appraise(
    years: Floats, costs: Floats, benefits: Floats, schedule: Schedule, *, dated: bool = False
) -> Appraisal:
    """Appraise one project.

    Args:
        years: When each flow is, in years from now, any order; whole years if not `dated`.
        costs: What is paid then, as positive numbers.
        benefits: What is gained then.
        schedule: By what rates to discount.
        dated: Flows are on days: each pays back on its day. Otherwise a year's flow comes evenly in it.

    Source:
        Handbook, "How the numbers are worked out", section Money.
    """
    order = np.argsort(years, kind="stable")
    years, costs, benefits = years[order], costs[order], benefits[order]
    factor = factors(years, schedule)
    net = benefits - costs
    pv_costs, pv_benefits = float(costs @ factor), float(benefits @ factor)
    return Appraisal(
        years=years,
        factors=factor,
        npv=pv_benefits - pv_costs,
        pv_costs=pv_costs,
        pv_benefits=pv_benefits,
        bcr=pv_benefits / pv_costs if pv_costs > 0 else None,
        irr=rate_of_return(years, net),
        payback=payback(years, net, dated=dated),
        discounted_payback=payback(years, net * factor, dated=dated),
        switching_value=pv_costs / pv_benefits if pv_benefits > 0 else None,
    )


def rate_of_return(years: Floats, net: Floats) -> float | None:
    """Return the yearly rate at which flows are worth nothing; None without a change of sign, or a single answer.

    Source:
        Handbook, "How the numbers are worked out", section Money.
    """
    if not ((net > 0).any() and (net < 0).any()):
        return None
    if (years == np.round(years)).all():
        flows = np.bincount(years.astype(np.int64), weights=net)
        found = pyxirr.irr(flows[np.flatnonzero(flows)[0] :])
    else:
        epoch = np.datetime64("2001-01-01")
        days = epoch + np.round(years * DAYS_A_YEAR).astype("timedelta64[D]")
        found = pyxirr.xirr(days, net)
    return None if found is None or not np.isfinite(found) else float(found)


def modified_rate_of_return(net: Floats, *, finance: float, reinvest: float) -> float | None:
    """Return the yearly rate when what is lacking is borrowed at one rate, and what comes in is put by at another."""
    found = pyxirr.mirr(net, finance, reinvest) if (net > 0).any() and (net < 0).any() else None
    return None if found is None else float(found)


def payback(years: Floats, net: Floats, *, dated: bool = False) -> float | None:
    """Return the year in which the sum of the flows so far becomes 0 or more and stays so; None if it never does.

    Source:
        Handbook, "How the numbers are worked out", section Money.
    """
    at, where = np.unique(years, return_inverse=True)
    sums = np.cumsum(np.bincount(where, weights=net))
    under = np.flatnonzero(sums < 0)
    if not under.size:
        return float(at[0]) if at.size else None
    last = int(under[-1])
    if last == sums.size - 1:
        return None
    if dated:
        return float(at[last + 1])
    return float(at[last + 1] - sums[last + 1] / (sums[last + 1] - sums[last]))
