"""What takes long to prepare, kept for the next time."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")

ROOM = 256 * 2**20  # bytes of what is kept, for each kind of thing


def kept(prepare: Callable[P, T]) -> Callable[P, T]:
    """Keep what a function prepares for the next time, as long as it takes no more room than 256 MiB.

    What was not asked for the longest time is put away first.
    """
    shelf: OrderedDict[Hashable, T] = OrderedDict()
    lock = Lock()

    @wraps(prepare)
    def prepared(*asked: P.args, **named: P.kwargs) -> T:
        key = (asked, tuple(named.items()))
        with lock:
            if key in shelf:
                shelf.move_to_end(key)
                return shelf[key]
        made = prepare(*asked, **named)
        with lock:
            shelf[key] = made
            while len(shelf) > 1 and sum(map(_room, shelf.values())) > ROOM:
                shelf.popitem(last=False)
        return made

    return prepared


def _room(prepared: object) -> int:
    """Return how many bytes the arrays of a dataclass take."""
    return sum(part.nbytes for part in vars(prepared).values() if isinstance(part, np.ndarray))
