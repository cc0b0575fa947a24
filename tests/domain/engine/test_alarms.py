"""Slips in a feed are told, and ordinary readings are not."""

from math import nan

import numpy as np
import pytest

from rmo.domain.engine.alarms import Alarm, alarms

USUAL = [101.0, 97.5, 103.2, 99.1, 95.0, 104.4, 100.3, 98.8, 102.7, 96.4]


def kind_of(values) -> Alarm:
    return Alarm(alarms(np.array([values], dtype=np.float64)).kind[0])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        pytest.param([*USUAL, 99.9], Alarm.NONE, id="ordinary"),
        pytest.param([*USUAL, 130.0], Alarm.NONE, id="a jump that is news"),
        pytest.param([*USUAL, 1002.0], Alarm.UNIT_JUMP, id="ten times"),
        pytest.param([*USUAL, 0.099], Alarm.UNIT_JUMP, id="a thousandth"),
        pytest.param([*USUAL, 101_000, nan, nan], Alarm.UNIT_JUMP, id="a thousand times, then nothing"),
        pytest.param([*USUAL, 450.0], Alarm.NONE, id="between two units"),
        pytest.param([*USUAL, -99.0], Alarm.SIGN_FLIP, id="the other sign"),
        pytest.param([-value for value in USUAL] + [101.0], Alarm.SIGN_FLIP, id="the other sign, upwards"),
        pytest.param([*USUAL, -2.0], Alarm.NONE, id="a small number of the other sign"),
        pytest.param([*USUAL, 0.0], Alarm.NONE, id="nothing"),
        pytest.param([1, -2, 3, -1, 2, -3, 1, 2, -2], Alarm.NONE, id="either sign is usual"),
        pytest.param([1, 10, 100, 2, 50, 7, 900, 10_000], Alarm.NONE, id="every size is usual"),
        pytest.param([*USUAL, *[98.0] * 6], Alarm.FROZEN, id="six equal"),
        pytest.param(
            [*USUAL, 98.0, 98.0, nan, 98.0, 98.0, 98.0, 98.0], Alarm.FROZEN, id="six equal around a gap"
        ),
        pytest.param([*USUAL, *[98.0] * 5], Alarm.NONE, id="five equal"),
        pytest.param([1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2], Alarm.NONE, id="equal readings are usual"),
        pytest.param([100.0] * 3 + [1e5], Alarm.NONE, id="too few to tell"),
        pytest.param([nan, nan], Alarm.NONE, id="no reading"),
    ],
)
def test_the_newest_reading_raises_the_alarm_it_should(values, kind):
    assert kind_of(values) is kind


def test_a_unit_jump_says_its_factor():
    found = alarms(np.array([[*USUAL, 0.99], [*USUAL, 101.0]]))
    np.testing.assert_allclose(found.factor, [0.01, nan])


def test_noise_raises_no_alarm():
    values = 50 + np.random.default_rng(1).normal(0, 5, (2000, 36))
    assert not alarms(values).kind.any()
