"""The grid is the one that is written, and its factors serve every length."""

from dataclasses import astuple

import numpy as np
import pytest

from rmo.domain.engine.structure import Structure, covariances, factors, future, grid, past


@pytest.mark.parametrize(
    ("seasonal", "correlated", "points"),
    [(True, False, 164), (True, True, 170), (False, False, 34), (False, True, 40)],
)
def test_the_grid_has_its_points(seasonal, correlated, points):
    found = grid(seasonal=seasonal, correlated=correlated)
    assert len({astuple(point) for point in found}) == len(found) == points


def test_a_covariance_is_the_one_that_is_written():
    point = Structure(level=0.3, slope=0.2, season=1.5, curve=0.01)
    (found,) = covariances([point], 8, 4)
    for s in range(8):
        for t in range(8):
            curve = sum((s - k + 1) * (t - k + 1) for k in range(min(s, t) + 1))
            wanted = (
                (s == t)
                + 0.3 * (min(s, t) + 1)
                + 0.04 * s * t
                + 1.5**2 * ((s % 4 == t % 4) - 0.25)
                + 0.01 * curve
            )
            assert found[s, t] == pytest.approx(wanted)


def test_correlated_noise_dies_away():
    (found,) = covariances([Structure(0, 0, 0, 0, correlation=0.7, size=2.0)], 5, 1)
    np.testing.assert_allclose(found[0], [5, 4 * 0.7, 4 * 0.49, 4 * 0.343, 4 * 0.2401])


@pytest.mark.parametrize("length", [6, 17, 40])
def test_one_factorisation_serves_every_length(length):
    structures = grid(seasonal=True)[::20]
    v = covariances(structures, length + 6, 12)
    inverse = np.linalg.inv(v[:, :length, :length])
    known, ahead = past(structures, 12, length), future(structures, 12, length, 6)
    np.testing.assert_allclose(known.inverse, inverse, atol=1e-9)
    np.testing.assert_allclose(known.log_size, np.linalg.slogdet(v[:, :length, :length])[1])
    pull = v[:, length:, :length] @ inverse
    np.testing.assert_allclose(ahead.pull, pull, atol=1e-9)
    left = v[:, length:, length:] - pull @ v[:, :length, length:]
    np.testing.assert_allclose(ahead.noise @ ahead.noise.transpose(0, 2, 1), left, atol=1e-8)


def test_factors_are_made_once():
    structures = grid(seasonal=False)
    assert factors(structures, 1, 16, 12) is factors(structures, 1, 16, 12)
