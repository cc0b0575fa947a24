"""What a rule says about a benefit's position: findings, which are kept as gaps until they are closed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rmo.domain.values import DataState, State


@dataclass(frozen=True)
class Position:
    """All that a rule may look at: a benefit at one period."""

    state: State | None
    data: DataState
    sentence: str
    alarm: bool  # the reading looks like a slip in the feed
    share_sum: float  # of the claims on its KPI in the period
    claimants: tuple[str, ...]  # who else claims it
    kept_before: bool  # three readings running within tolerance at full ramp, at any time before
    share_now: tuple[float, ...]  # realised over planned change, the newest three readings


@dataclass(frozen=True)
class Finding:
    """What a rule says."""

    kind: str
    words: str


def shortfall(position: Position) -> Finding | None:
    """Flag a promise that is off track or broken."""
    if position.state not in (State.OFF_TRACK, State.BROKEN):
        return None
    return Finding("shortfall", position.sentence)


def faded(position: Position) -> Finding | None:
    """Flag a benefit that was there in full and has lost more than half of itself since."""
    if not position.kept_before or len(position.share_now) < 3 or max(position.share_now) >= 0.5:
        return None
    return Finding("faded", f"The benefit had arrived in full and has faded since. {position.sentence}")


def stale_feed(position: Position) -> Finding | None:
    """Flag a KPI that has stopped giving readings."""
    if position.data is not DataState.STALE:
        return None
    return Finding("stale_feed", position.sentence)


def no_data(position: Position) -> Finding | None:
    """Flag a KPI that has never given a reading although one was due."""
    if position.data is not DataState.NONE:
        return None
    return Finding("no_data", position.sentence)


def data_alarm(position: Position) -> Finding | None:
    """Flag a reading that looks like a slip in the feed, before anything is made of it."""
    if not position.alarm:
        return None
    return Finding("data_alarm", position.sentence)


def over_claim(position: Position) -> Finding | None:
    """Flag a KPI whose movement is claimed more than once."""
    if position.share_sum <= 1.0 + 1e-9:
        return None
    others = " and ".join(position.claimants)
    return Finding(
        "over_claim",
        f"Claims on this KPI add up to {position.share_sum:.0%} of its movement, together with {others}; "
        "what is counted twice is taken out of every total.",
    )


RULES: Final[tuple[Callable[[Position], Finding | None], ...]] = (
    shortfall,
    faded,
    stale_feed,
    no_data,
    data_alarm,
    over_claim,
)
LASTING: Final = frozenset({"shortfall", "faded"})  # closed only after two readings without the finding


def findings(position: Position) -> dict[str, Finding]:
    """Return what all rules say, by kind.

    Source:
        Handbook, "How the numbers are worked out", section Gaps.
    """
    return {found.kind: found for rule in RULES if (found := rule(position)) is not None}
