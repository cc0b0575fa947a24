"""Claims on a KPI's movement against what moved with the start: shown beside the money, never in it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OverClaim:
    """How much more is claimed than moved with the start, in the KPI's unit; a change for the better is positive."""

    claimed: float
    moved: float
    certain: float  # beyond even the best that may have moved

    @property
    def possible(self) -> float:
        """Return what is claimed beyond the best estimate."""
        return max(0.0, self.claimed - self.moved)


def over_claim(*, claimed: float, moved: float, low: float, high: float, better: int) -> OverClaim:
    """Compare claims with what moved.

    Args:
        claimed: The change that all benefits on the KPI claim together; better is positive.
        moved: What moved with the start, in the KPI's own sign.
        low: An end of its interval, in the KPI's own sign.
        high: The other end.
        better: 1 where up is good, -1 where down is.

    Source:
        Handbook, "How the numbers are worked out", section Claims and what is taken out.
    """
    best = max(better * low, better * high)
    return OverClaim(claimed, better * moved, max(0.0, claimed - best))
