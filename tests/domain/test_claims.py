"""What is claimed against what moved: possible above the estimate, certain above the interval."""

import pytest

from rmo.domain.claims import over_claim


@pytest.mark.parametrize(
    ("claimed", "moved", "interval", "better", "possible", "certain"),
    [
        pytest.param(5.0, 6.0, (4.0, 8.0), 1, 0.0, 0.0, id="less than the estimate"),
        pytest.param(6.0, 6.0, (4.0, 8.0), 1, 0.0, 0.0, id="just the estimate"),
        pytest.param(7.0, 6.0, (4.0, 8.0), 1, 1.0, 0.0, id="above the estimate, inside the interval"),
        pytest.param(8.0, 6.0, (4.0, 8.0), 1, 2.0, 0.0, id="at the end of the interval"),
        pytest.param(9.5, 6.0, (4.0, 8.0), 1, 3.5, 1.5, id="above the interval"),
        pytest.param(9.5, -6.0, (-8.0, -4.0), -1, 3.5, 1.5, id="where down is good"),
        pytest.param(2.0, 1.0, (0.5, 1.5), -1, 3.0, 2.5, id="it moved the wrong way"),
    ],
)
def test_an_over_claim_is_possible_above_the_estimate_and_certain_above_the_interval(
    claimed, moved, interval, better, possible, certain
):
    found = over_claim(claimed=claimed, moved=moved, low=interval[0], high=interval[1], better=better)

    assert found.possible == pytest.approx(possible)
    assert found.certain == pytest.approx(certain)
