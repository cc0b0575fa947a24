"""Money has the published values: the Green Book's table and Excel's examples."""

from datetime import date
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.domain.economics import (
    GREEN_BOOK,
    GREEN_BOOK_HEALTH,
    Schedule,
    appraise,
    constant_prices,
    factors,
    flat,
    modified_rate_of_return,
    payback,
    rate_of_return,
    real_rate,
    years_from_first,
)
from rmo.domain.values import Floats


@pytest.mark.parametrize(
    ("year", "factor"),
    [
        (0, 1.0),
        (1, 0.9662),
        (5, 0.8420),
        (10, 0.7089),
        (30, 0.3563),
        (31, 0.3459),
        (50, 0.1973),
        (75, 0.0942),
        (125, 0.0274),
    ],
)
def test_factors_are_those_of_the_green_books_table(year, factor):
    assert round(float(factors(np.array([float(year)]), GREEN_BOOK)[0]), 4) == factor


def test_far_years_and_health_have_their_own_rates():
    far = factors(np.array([125.0, 200.0, 300.0, 301.0]), GREEN_BOOK)
    np.testing.assert_allclose(far[1:] / far[:-1], [1.02**-75, 1.015**-100, 1.01**-1])
    assert factors(np.array([31.0]), GREEN_BOOK_HEALTH)[0] == pytest.approx(1.015**-30 / 1.0129)


def test_a_month_is_a_twelfth_in_the_power():
    months = np.arange(13) / 12
    np.testing.assert_allclose(factors(months, flat(0.12)), 1.12 ** -(np.arange(13) / 12))


# Microsoft, Excel function reference: examples of NPV, XNPV, IRR, XIRR and MIRR
DAYS = [date(2008, 1, 1), date(2008, 3, 1), date(2008, 10, 30), date(2009, 2, 15), date(2009, 4, 1)]
FLOWS = np.array([-10_000.0, 2750, 4250, 3250, 2750])


def worth(years: Floats, net: Floats, rate: float) -> float:
    return appraise(years, np.maximum(-net, 0), np.maximum(net, 0), flat(rate)).npv


def test_npv_is_excels():
    value = worth(np.arange(1.0, 5.0), np.array([-10_000.0, 3000, 4200, 6800]), 0.10)
    assert round(value, 2) == 1188.44


def test_xnpv_is_excels():
    assert round(worth(years_from_first(DAYS), FLOWS, 0.09), 2) == 2086.65


def test_irr_is_excels():
    net = np.array([-70_000.0, 12_000, 15_000, 18_000, 21_000, 26_000])
    assert rate_of_return(np.arange(6.0), net) == pytest.approx(0.0866, abs=5e-5)
    assert rate_of_return(np.arange(5.0), net[:5]) == pytest.approx(-0.021, abs=5e-4)


def test_xirr_is_excels():
    assert rate_of_return(years_from_first(DAYS), FLOWS) == pytest.approx(0.373362535, abs=1e-6)


def test_mirr_is_excels():
    net = np.array([-120_000.0, 39_000, 30_000, 21_000, 37_000, 46_000])
    assert modified_rate_of_return(net, finance=0.10, reinvest=0.12) == pytest.approx(0.126094, abs=5e-7)
    assert modified_rate_of_return(-np.abs(net), finance=0.1, reinvest=0.1) is None


@pytest.mark.parametrize("net", [[1.0, 2.0], [-1.0, -2.0], [0.0, 0.0]])
def test_without_a_change_of_sign_there_is_no_rate_of_return(net):
    assert rate_of_return(np.arange(2.0), np.array(net)) is None


def test_a_rate_of_return_takes_years_without_a_flow_and_flows_of_one_year_apart():
    years = np.array([0.0, 0.0, 3.0])
    assert rate_of_return(years, np.array([-60.0, -40.0, 133.1])) == pytest.approx(0.1)
    assert rate_of_return(np.array([2.0, 3.0]), np.array([-100.0, 110.0])) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("net", "years"),
    [
        pytest.param([-1000, 400, 400, 400], 2.5, id="within a year"),
        pytest.param([-1000, 500, 500], 2.0, id="at the end of a year"),
        pytest.param([-1000, 500, 499], None, id="never"),
        pytest.param([10, 5], 0.0, id="nothing to pay back"),
        pytest.param([-100, 150, -100, 100], 2.5, id="for good"),
    ],
)
def test_payback_is_when_the_costs_have_come_back_for_good(net, years):
    assert payback(np.arange(float(len(net))), np.array(net, dtype=float)) == (
        None if years is None else pytest.approx(years)
    )


def test_dated_flows_pay_back_on_their_day():
    assert payback(np.array([0.0, 0.25, 0.75]), np.array([-100.0, 60.0, 60.0]), dated=True) == 0.75


def test_an_appraisal_is_worked_out_by_hand():
    found = appraise(np.arange(3.0), np.array([100.0, 10, 10]), np.array([0.0, 80, 80]), flat(0.1))
    assert found.pv_costs == pytest.approx(100 + 10 / 1.1 + 10 / 1.21)
    assert found.pv_benefits == pytest.approx(80 / 1.1 + 80 / 1.21)
    assert found.npv == pytest.approx(found.pv_benefits - found.pv_costs)
    assert found.bcr == pytest.approx(found.pv_benefits / found.pv_costs)
    assert found.payback == pytest.approx(1 + 30 / 70)
    assert found.discounted_payback == pytest.approx(1 + (100 - 70 / 1.1) / (70 / 1.21))
    assert found.irr == pytest.approx(0.2569, abs=1e-4)


def test_at_the_switching_value_nothing_is_gained_or_lost():
    years, costs, benefits = np.arange(4.0), np.array([50.0, 0, 0, 5]), np.array([0.0, 30, 30, 30])
    share = appraise(years, costs, benefits, GREEN_BOOK).switching_value
    assert share is not None and 0 < share < 1
    assert appraise(years, costs, benefits * share, GREEN_BOOK).npv == pytest.approx(0, abs=1e-9)


def test_what_cannot_be_said_is_none():
    found = appraise(np.arange(2.0), np.zeros(2), np.ones(2), GREEN_BOOK)
    assert (found.bcr, found.irr, found.payback) == (None, None, 0.0)
    assert appraise(np.arange(2.0), np.ones(2), np.zeros(2), GREEN_BOOK).switching_value is None


def test_real_and_nominal_appraisals_agree():
    years, nominal = np.arange(6.0), np.array([-100.0, 30, 30, 30, 30, 30])
    real = constant_prices(nominal, years, 0.02)
    assert worth(years, nominal, 0.05) == pytest.approx(worth(years, real, real_rate(0.05, 0.02)))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), st.floats(0, 0.3), st.floats(0.01, 100))
def test_worth_scales_with_the_unit_and_falls_apart_into_parts(flows, rate, unit):
    net, years = np.array(flows), np.arange(float(len(flows)))
    whole = worth(years, net, rate)
    assert worth(years, net * unit, rate) == pytest.approx(whole * unit, rel=1e-9, abs=1e-3)
    parts = worth(years[:1], net[:1], rate) + worth(years[1:], net[1:], rate)
    assert parts == pytest.approx(whole, rel=1e-9, abs=1e-3)


@given(st.floats(0, 400), st.floats(0, 50))
def test_a_later_flow_is_worth_less(years, later):
    schedule = Schedule("odd", ((1.5, 0.1), (inf, 0.02)))
    now, then = factors(np.array([years, years + later]), schedule)
    assert 0 < then <= now <= 1
