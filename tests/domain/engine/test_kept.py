"""What is prepared is kept while there is room."""

from dataclasses import dataclass

import numpy as np

from rmo.domain.engine import kept as kept_module
from rmo.domain.engine.kept import kept
from rmo.domain.values import Floats


def test_what_is_kept_stays_within_its_room(monkeypatch):
    @dataclass(frozen=True)
    class Made:
        numbers: Floats

    made = []

    @kept
    def prepare(size: int) -> Made:
        made.append(size)
        return Made(np.zeros(size))

    monkeypatch.setattr(kept_module, "ROOM", 8 * 100)
    first = prepare(40)
    assert prepare(40) is first
    prepare(50)
    prepare(40)
    prepare(45)  # puts 50 away, which was not asked for the longest time
    prepare(40)
    prepare(50)
    assert made == [40, 50, 45, 50]
