"""What a verdict says, in one sentence with its numbers."""

from dataclasses import dataclass
from decimal import Decimal

from rmo.domain.values import Behaviour, DataState, Direction, State
from rmo.drawing.words import GAP, chance, figure_value

CHANCED = (State.ON_TRACK, State.AT_RISK, State.OFF_TRACK)


@dataclass(frozen=True)
class Said:
    """All that a sentence may speak of."""

    name: str  # of the KPI
    unit: str
    decimals: int
    behaviour: Behaviour
    direction: Direction
    period: str  # the newest proven one, in words
    state: State | None
    data: DataState
    baseline: Decimal | None
    planned: Decimal | None
    actual: Decimal | None
    planned_to_date: Decimal | None  # change
    realised_to_date: Decimal | None
    outside: bool
    running: int  # readings running in this state
    chance: float | None  # that the promise is kept
    alarm: str  # why the newest reading looks like a slip in the feed
    readings: int
    enough: int
    last_period: str  # the promise's last one, in words
    start: str = ""


def amount(value: Decimal, unit: str, decimals: int) -> str:
    """Return a number with its unit."""
    gap = GAP if unit.startswith("%") else " "
    return f"{figure_value(value, decimals)}{gap}{unit}"


def sentence(said: Said) -> str:
    """Return the verdict's sentence, with the readings that it rests on."""
    if said.data in (DataState.STALE, DataState.NONE):
        return _silence(said)
    if said.state is None or said.actual is None:
        return f"The promise starts in {said.start}." if said.start else "Nothing can be said yet."
    if said.alarm:
        value = amount(said.actual, said.unit, said.decimals)
        return (
            f"Check the feed before believing this: the reading of {said.period}, {value}, {said.alarm}; "
            f"{said.name} keeps the state that it had."
        )
    movement = _sum(said) if said.behaviour in (Behaviour.FLOW, Behaviour.CUMULATIVE) else _level(said)
    late = " The newest reading is late." if said.data is DataState.LATE else ""
    return f"{movement}{_judgement(said)}{late}"


def _silence(said: Said) -> str:
    if said.data is DataState.NONE:
        return f"{said.name} has no reading yet, so nobody can tell whether the promise is being kept."
    if said.actual is None:
        return f"{said.name} has given no reading since the promise began, so nobody can tell."
    return (
        f"{said.name} has been silent since {said.period}, when it stood at "
        f"{amount(said.actual, said.unit, said.decimals)}; nobody can tell whether the promise is being kept."
    )


def _level(said: Said) -> str:
    assert said.actual is not None and said.baseline is not None and said.planned is not None
    was, now = (figure_value(v, said.decimals) for v in (said.baseline, said.actual))
    if was == now:
        moved = f"{said.name} stayed at {amount(said.actual, said.unit, said.decimals)}"
    else:
        verb = "rose" if said.actual > said.baseline else "fell"
        moved = f"{said.name} {verb} from {was} to {amount(said.actual, said.unit, said.decimals)}"
    promised = figure_value(said.planned, said.decimals)
    if promised == now:
        return f"{moved} in {said.period}, just as promised"
    return f"{moved} in {said.period} where {promised} was promised"


def _sum(said: Said) -> str:
    """Return what a flow came to since the start; a change for the better is positive, whichever way that is."""
    assert said.realised_to_date is not None and said.planned_to_date is not None
    realised, planned = said.realised_to_date, said.planned_to_date
    amounts = (amount(abs(realised), said.unit, said.decimals), figure_value(abs(planned), said.decimals))
    more = [more_or_fewer(said.direction, change) for change in (realised, planned)]
    return (
        f"By {said.period} {said.name} came to {amounts[0]} {more[0]} in all than without the change, "
        f"where {amounts[1]} {more[1]} were promised"
    )


def more_or_fewer(direction: Direction, change: Decimal) -> str:
    """Return which way a flow went; a change for the better is positive, whichever way that is."""
    return "more" if (change >= 0) == (direction is not Direction.DOWN) else "fewer"


def _judgement(said: Said) -> str:
    if said.state is State.TOO_EARLY:
        if said.readings >= said.enough:
            return ", but it is too early to tell: less than a quarter of the way has passed."
        return f", but it is too early to tell: {said.readings} of the {said.enough} readings needed are in."
    if said.state in CHANCED and said.chance is not None:
        return f"; the chance that the promise is kept is {chance(said.chance)}."
    if said.state is State.OFF_TRACK:
        running = f" for {said.running} readings running" if said.running > 1 else ""
        return f", and that is worse{running} than its own history explains."
    if said.state is State.AT_RISK:
        if said.outside:
            return ", worse than its own history explains; one more such reading puts it off track."
        return "; the newest reading cannot be told from its usual ups and downs."
    if said.state in (State.KEPT, State.BROKEN):
        verb = "was kept" if said.state is State.KEPT else "was not kept"
        return f"; the promise ended then and {verb}."
    return "."
