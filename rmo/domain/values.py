"""The words of the field as values: directions, behaviours, states, and a reading as it comes."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]  # NaN is a missing number
Pennies: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"
    RANGE = "range"


class Frequency(StrEnum):
    """How often a KPI is measured."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Behaviour(StrEnum):
    """How a KPI's readings add up over time."""

    FLOW = "flow"  # so much in the period: add
    STOCK = "stock"  # so much at its end: the newest
    RATE = "rate"  # a level of the period: the newest
    RATIO = "ratio"  # numerator and denominator, added apart
    CUMULATIVE = "cumulative"  # a running total: differences are the flow


class Ramp(StrEnum):
    """How a planned change arrives."""

    STEP = "step"
    LINEAR = "linear"
    S_CURVE = "s_curve"
    FRONT_LOADED = "front_loaded"
    BACK_LOADED = "back_loaded"
    POINTS = "points"  # entered period by period


class BenefitClass(StrEnum):
    """What kind of value a benefit brings, in the order in which classes are stacked."""

    CASHABLE = "cashable"
    NON_CASHABLE = "non_cashable"
    COST_AVOIDANCE = "cost_avoidance"
    QUANTIFIED = "quantified"
    QUALITATIVE = "qualitative"


class Lifecycle(StrEnum):
    """Where a benefit stands between an idea and its end."""

    DRAFT = "draft"
    VALIDATED = "validated"
    APPROVED = "approved"
    REALISING = "realising"
    REALISED = "realised"
    SUSTAINED = "sustained"
    CLOSED = "closed"
    WRITTEN_OFF = "written_off"

    @property
    def counts(self) -> bool:
        """Whether the benefit enters totals: approved and later, also closed and written off, for ever."""
        return self not in (Lifecycle.DRAFT, Lifecycle.VALIDATED)

    @property
    def ended(self) -> bool:
        """Whether a decision ended it before its time."""
        return self in (Lifecycle.CLOSED, Lifecycle.WRITTEN_OFF)


class ReadingState(StrEnum):
    """What a reading is worth."""

    PROVISIONAL = "provisional"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    NOT_APPLICABLE = "not_applicable"

    @property
    def usable(self) -> bool:
        """Whether its value counts."""
        return self in (ReadingState.PROVISIONAL, ReadingState.APPROVED)


class State(StrEnum):
    """How a promise stands."""

    NOT_STARTED = "not_started"
    TOO_EARLY = "too_early"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    KEPT = "kept"
    BROKEN = "broken"


class DataState(StrEnum):
    """What the data behind a state are worth."""

    NOT_DUE = "not_due"
    CURRENT = "current"
    LATE = "late"
    STALE = "stale"
    NONE = "none"


class Role(StrEnum):
    """What a person comes for. Rights hang on it."""

    EXECUTIVE = "executive"
    OWNER = "owner"
    MEASURER = "measurer"
    ANALYST = "analyst"
    FINANCE = "finance"
    SPONSOR = "sponsor"
    AUDITOR = "auditor"
    PROJECT_MANAGER = "project_manager"
    ADMINISTRATOR = "administrator"


class Combine(StrEnum):
    """What to do with several rows of a source for one period."""

    SUM = "sum"
    MEAN = "mean"
    LAST = "last"


@dataclass(frozen=True)
class SourceRow:
    """One row as a source gave it: a date or a moment, and what was measured then."""

    at: date | datetime
    value: Decimal | None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    published_at: datetime | None = None
    place: str = ""  # where a person finds it in the source: "row 5"


@dataclass(frozen=True)
class Reading:
    """A KPI's value for a period, not yet kept. `period` is the period's first day."""

    period: date
    value: Decimal | None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    published_at: datetime | None = None
    state: ReadingState = ReadingState.APPROVED  # provisional where a KPI asks for approval
    note: str = ""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in what somebody gave, and what to do about it."""

    place: str  # the field, the cell, or file and line
    message: str


@dataclass(frozen=True)
class Scope:
    """Whose rows a list may show: everything, or the benefits of some units."""

    units: frozenset[str] | None = None


EVERYTHING = Scope()
