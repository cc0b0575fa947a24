"""The distributions have the values of the printed tables."""

import numpy as np
import pytest

from rmo.domain.engine.student_t import cdf, fast_cdf, normal_cdf, normal_quantile, probit, quantile


@pytest.mark.parametrize(
    ("p", "df", "t"),
    [
        # the printed table of Student's t, upper percentage points
        (0.975, 1, 12.706),
        (0.95, 2, 2.920),
        (0.975, 5, 2.571),
        (0.9, 10, 1.372),
        (0.995, 10, 3.169),
        (0.975, 30, 2.042),
        (0.995, 60, 2.660),
        (0.95, 120, 1.658),
    ],
)
def test_quantiles_are_those_of_the_printed_table(p, df, t):
    assert quantile(p, df) == pytest.approx(t, abs=6e-4)
    assert quantile(1 - p, df) == pytest.approx(-t, abs=6e-4)


def test_one_degree_of_freedom_is_cauchy():
    t = np.array([-3.0, -1.0, 0.0, 1.0, 40.0])
    np.testing.assert_allclose(cdf(t, 1), 0.5 + np.arctan(t) / np.pi, rtol=1e-14)


@pytest.mark.parametrize("df", [3, 4, 5, 11, 23, 59, 240])
def test_the_table_is_right_to_six_places(df):
    t = np.linspace(-30, 30, 50_001)
    np.testing.assert_allclose(fast_cdf(t.copy(), df), cdf(t, df), atol=2e-6)


def test_many_degrees_of_freedom_are_nearly_normal():
    t = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(cdf(t, 20_000), normal_cdf(t), atol=2e-5)


def test_normal_quantiles_and_probabilities_are_each_others_inverse():
    p = np.array([1e-6, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999])
    np.testing.assert_allclose(normal_cdf(probit(p)), p, rtol=1e-7)
    assert normal_quantile(0.975) == pytest.approx(1.959963984540054)
