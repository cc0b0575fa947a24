"""Mixtures have the quantiles and the chances of their parts."""

import numpy as np
import pytest

from rmo.domain.engine.mixture import NODES, Components, Spread, add_up, points, rounded, shares
from rmo.domain.engine.student_t import cdf, quantile


def test_shares_add_up_to_one():
    weights = shares(np.array([[-1e4, 3.0], [-1e4, 2.0]]))
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    assert weights[0, 0] == 0.5


def test_one_component_is_itself():
    part = Components(np.full((1, 1, 1), 10.0), np.full((1, 1, 1), 2.0))
    x, z = points([part], np.ones((1, 1)), 9)
    spread = Spread(x[0], z[0])
    for p in (0.025, 0.1, 0.5, 0.9, 0.975):
        assert spread.quantile(p)[0] == pytest.approx(10 + 2 * quantile(p, 9), abs=0.01)


def test_two_components_share_their_chances():
    part = Components(np.array([[[0.0]], [[6.0]]]), np.array([[[1.0]], [[1.0]]]))
    x, z = points([part], np.array([[0.3], [0.7]]), 30)
    spread = Spread(x[0], z[0])
    for value in (-1.0, 1.0, 5.0, 7.0):
        exact = 0.3 * cdf(np.array(-value), 30) + 0.7 * cdf(np.array(6 - value), 30)
        assert spread.chance_of_at_least(np.array([value]))[0] == pytest.approx(float(exact), abs=0.03)


def test_a_component_of_logs_stays_positive_and_is_widened_as_logs():
    plain, logs = (Components(np.full((1, 1, 1), at), np.full((1, 1, 1), 0.5)) for at in (0.0, 1.0))
    x, z = points([plain, logs], np.array([[0.0], [1.0]]), 12, wider=1.2)
    assert (x > 0).all() and x.shape == (1, 1, len(NODES))
    found = Spread(x[0], z[0]).quantile(0.975)[0]
    assert np.log(found) == pytest.approx(1 + 1.2 * 0.5 * quantile(0.975, 12), abs=0.01)


def test_a_column_alone_adds_up_like_one_among_others():
    numbers = np.random.default_rng(1).normal(size=(300, 1, 7)) * 1e6
    together = add_up(numbers)
    for column in range(7):
        assert add_up(numbers[..., column : column + 1])[0, 0] == together[0, column]
        assert add_up(np.asfortranarray(numbers[:, 0, : column + 1]))[column] == together[0, column]


def test_rounding_keeps_nine_digits():
    numbers = np.array([0.0, 123456789.123, -1.23456789012e-7, np.nan, 5e300])
    np.testing.assert_allclose(
        rounded(numbers), [0.0, 123456789.0, -1.23456789e-7, np.nan, 5e300], rtol=1e-15
    )
