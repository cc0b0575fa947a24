"""What pages are made of, kept until something changes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar, cast

MOST = 32  # each is some tens of kilobytes
Made = TypeVar("Made")


class Kept:
    """A few things by what they were made from: the revision of the database first of all.

    Nothing that one person sees and another does not is kept, unless the key tells them apart.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._things: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what was made from a key, making it now if it is not there."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return cast(Made, self._things[key])
        made = make()  # two requests may both make it, which is quicker than one waiting for the other
        with self._lock:
            self._things[key] = made
            while len(self._things) > self._most:
                self._things.popitem(last=False)
        return made
