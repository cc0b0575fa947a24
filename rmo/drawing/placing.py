"""Where words may stand in a chart: the place of several that covers the fewest lines and no other words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from markupsafe import Markup

from rmo.drawing.svg import Pair, text, text_width

SIZE = 12.0
SAMPLES = 4  # points taken of each stretch of a line between two readings


@dataclass(frozen=True)
class Place:
    """Where words may start, or end."""

    x: float
    y: float
    end: bool = False


@dataclass
class Labels:
    """Words put into one chart, one after the other; each keeps clear of the lines and of those before it."""

    left: float
    right: float
    top: float
    bottom: float
    crowd: list[Pair] = field(default_factory=list)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def avoid(self, run: Sequence[Pair]) -> None:
        """Remember a line that words should not cover."""
        for (x1, y1), (x2, y2) in pairwise(run):
            for step in range(SAMPLES):
                share = step / SAMPLES
                self.crowd.append((x1 + (x2 - x1) * share, y1 + (y2 - y1) * share))

    def put(self, said: str, css: str, places: Sequence[Place]) -> Markup:
        """Return words at the freest of some places, the first of them when all are as free."""
        room = text_width(said, SIZE, bold="tb" in css)
        boxes = [self._box(place, room) for place in places]
        best = min(boxes, key=self._hits)
        self.taken.append(best)
        return text(best[0], best[3] - 3, said, css)

    def _box(self, place: Place, room: float) -> tuple[float, float, float, float]:
        wanted = place.x - room if place.end else place.x
        left = max(min(wanted, self.right - room), self.left)
        foot = max(min(place.y, self.bottom - 4), self.top + 10)
        return left, foot - 10, left + room, foot + 3

    def _hits(self, box: tuple[float, float, float, float]) -> int:
        left, top, right, bottom = box
        lines = sum(left < x < right and top < y < bottom for x, y in self.crowd)
        words = sum(
            left < other_right and right > other_left and top < other_bottom and bottom > other_top
            for other_left, other_top, other_right, other_bottom in self.taken
        )
        return lines + 50 * words
