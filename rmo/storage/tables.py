"""The tables. What must hold stands here; domain values compute, storage turns one into the other.

Readings, promises, verdicts and atoms are only ever added to: each row says when it became known.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from rmo.domain.values import (
    Behaviour,
    BenefitClass,
    DataState,
    Direction,
    Frequency,
    Lifecycle,
    Ramp,
    ReadingState,
    Role,
    State,
)
from rmo.storage.types import ExactDecimal, UtcDateTime, words_of

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
EMAIL, SLUG, NAME, WORDS = 254, 80, 200, 2000


def _moment(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_type=UtcDateTime, nullable=True) if nullable else Field(sa_type=UtcDateTime)


def _exact() -> Any:
    return Field(default=None, sa_type=ExactDecimal, nullable=True)


def _text() -> Any:
    return Field(default="", sa_type=sa.Text)


class UnitRow(SQLModel, table=True):
    """A part of the organisation, in a tree."""

    __tablename__: ClassVar[Any] = "unit"

    slug: str = Field(primary_key=True, max_length=SLUG)
    name: str = Field(max_length=NAME)
    parent: str | None = Field(default=None, foreign_key="unit.slug", max_length=SLUG)


class PersonRow(SQLModel, table=True):
    """Somebody who owns, measures, decides or looks. People are shown by their position."""

    __tablename__: ClassVar[Any] = "person"

    email: str = Field(primary_key=True, max_length=EMAIL)
    name: str = Field(max_length=NAME)
    position: str = Field(max_length=NAME)
    role: Role = Field(sa_type=words_of(Role))
    unit: str | None = Field(default=None, foreign_key="unit.slug", max_length=SLUG)
    active: bool = True
    theme: str = Field(default="auto", max_length=8)
    password_hash: str = Field(default="", max_length=200)
    created_at: datetime = _moment()


class SignInLinkRow(SQLModel, table=True):
    """A link that signs one person in once. Only its hash is kept."""

    __tablename__: ClassVar[Any] = "sign_in_link"

    token_hash: str = Field(primary_key=True, max_length=64)
    person: str = Field(foreign_key="person.email", max_length=EMAIL)
    expires_at: datetime = _moment()
    used_at: datetime | None = _moment(nullable=True)


class WebSessionRow(SQLModel, table=True):
    """A signed-in browser. Only the hash of its cookie is kept; it can be revoked."""

    __tablename__: ClassVar[Any] = "web_session"

    token_hash: str = Field(primary_key=True, max_length=64)
    person: str = Field(foreign_key="person.email", max_length=EMAIL, index=True)
    created_at: datetime = _moment()
    seen_at: datetime = _moment()
    revoked_at: datetime | None = _moment(nullable=True)


class SignInAttemptRow(SQLModel, table=True):
    """One try at a password, for throttling and for the record."""

    __tablename__: ClassVar[Any] = "sign_in_attempt"
    __table_args__: ClassVar[Any] = (
        Index("ix_sign_in_attempt_email_at", "email", "at"),
        Index("ix_sign_in_attempt_address_at", "address", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _moment()
    email: str = Field(max_length=EMAIL)
    address: str = Field(max_length=64)
    succeeded: bool


class ProgrammeRow(SQLModel, table=True):
    """A set of projects that serve one purpose."""

    __tablename__: ClassVar[Any] = "programme"

    slug: str = Field(primary_key=True, max_length=SLUG)
    name: str = Field(max_length=NAME)
    description: str = _text()
    sponsor: str | None = Field(default=None, foreign_key="person.email", max_length=EMAIL)
    unit: str | None = Field(default=None, foreign_key="unit.slug", max_length=SLUG)


class ProjectRow(SQLModel, table=True):
    """Work that is paid for because of what it will bring."""

    __tablename__: ClassVar[Any] = "project"

    slug: str = Field(primary_key=True, max_length=SLUG)
    name: str = Field(max_length=NAME)
    programme: str = Field(foreign_key="programme.slug", max_length=SLUG, index=True)
    description: str = _text()
    go_live: date | None = None
    cost_pennies: int | None = Field(default=None, sa_type=sa.BigInteger)


class KpiRow(SQLModel, table=True):
    """A KPI as its newest definition says. It outlives benefits and projects."""

    __tablename__: ClassVar[Any] = "kpi"

    slug: str = Field(primary_key=True, max_length=SLUG)
    name: str = Field(max_length=NAME)
    description: str = _text()
    unit: str = Field(max_length=NAME)
    decimals: int = 2
    direction: Direction = Field(sa_type=words_of(Direction))
    range_low: Decimal | None = _exact()
    range_high: Decimal | None = _exact()
    frequency: Frequency = Field(sa_type=words_of(Frequency))
    year_start: int = 1
    behaviour: Behaviour = Field(sa_type=words_of(Behaviour))
    per: Decimal = Field(default=Decimal(1), sa_type=ExactDecimal)  # a ratio is numerator / denominator x per
    valid_low: Decimal | None = _exact()
    valid_high: Decimal | None = _exact()
    due_working_days: int = 5
    grace_days: int = 0
    measurer: str | None = Field(default=None, foreign_key="person.email", max_length=EMAIL)
    connector: str = Field(default="", max_length=SLUG)  # empty: entered by hand
    definition_hash: str = Field(max_length=64)
    from_file: bool = False
    origin: str = _text()  # where the data come from, and under which licence
    part_of: str | None = Field(default=None, foreign_key="kpi.slug", max_length=SLUG)
    created_at: datetime = _moment()
    retired_at: datetime | None = _moment(nullable=True)


class KpiVersionRow(SQLModel, table=True):
    """A KPI's definition as it was known at a moment, whole."""

    __tablename__: ClassVar[Any] = "kpi_version"
    __table_args__: ClassVar[Any] = (UniqueConstraint("kpi", "known_at"),)

    id: int | None = Field(default=None, primary_key=True)
    kpi: str = Field(foreign_key="kpi.slug", max_length=SLUG)
    known_at: datetime = _moment()
    definition_hash: str = Field(max_length=64)
    definition: str = _text()  # canonical JSON


class RunRow(SQLModel, table=True):
    """One attempt to pull a KPI's readings from its source."""

    __tablename__: ClassVar[Any] = "run"

    id: int | None = Field(default=None, primary_key=True)
    kpi: str = Field(foreign_key="kpi.slug", max_length=SLUG, index=True)
    started_at: datetime = _moment()
    finished_at: datetime = _moment()
    outcome: str = Field(max_length=16)  # done, failed
    definition_hash: str = Field(max_length=64)
    first: date
    last: date
    received: int = 0
    written: int = 0
    corrected: int = 0
    unchanged: int = 0
    message: str = _text()


class ReadingRow(SQLModel, table=True):
    """A reading as it was known at a moment. A correction is one more row; none is ever changed."""

    __tablename__: ClassVar[Any] = "reading"
    __table_args__: ClassVar[Any] = (UniqueConstraint("kpi", "period", "known_at"),)

    id: int | None = Field(default=None, primary_key=True)
    kpi: str = Field(foreign_key="kpi.slug", max_length=SLUG)
    period: date  # its first day; the KPI's frequency says how long it is
    value: Decimal | None = _exact()  # as it came, every digit, also on SQLite
    numerator: Decimal | None = _exact()  # of a ratio
    denominator: Decimal | None = _exact()
    state: ReadingState = Field(sa_type=words_of(ReadingState))
    known_at: datetime = _moment()
    published_at: datetime | None = _moment(nullable=True)
    entered_by: str | None = Field(default=None, foreign_key="person.email", max_length=EMAIL)
    run: int | None = Field(default=None, foreign_key="run.id")
    note: str = _text()


class BenefitRow(SQLModel, table=True):
    """A benefit or disbenefit that somebody owns. Its reference is never reused."""

    __tablename__: ClassVar[Any] = "benefit"

    reference: str = Field(primary_key=True, max_length=SLUG)
    title: str = Field(max_length=NAME)
    description: str = _text()
    benefit_class: BenefitClass = Field(sa_type=words_of(BenefitClass))
    disbenefit: bool = False
    project: str = Field(foreign_key="project.slug", max_length=SLUG, index=True)
    unit: str | None = Field(default=None, foreign_key="unit.slug", max_length=SLUG)
    owner: str = Field(foreign_key="person.email", max_length=EMAIL, index=True)
    lifecycle: Lifecycle = Field(sa_type=words_of(Lifecycle))
    ended_on: date | None = None  # the day of the decision to close or write off
    confidential: bool = False
    confirmed_by: str | None = Field(default=None, foreign_key="person.email", max_length=EMAIL)
    created_at: datetime = _moment()


class PromiseRow(SQLModel, table=True):
    """An approved version of what a benefit will bring. The first is the promise for ever."""

    __tablename__: ClassVar[Any] = "promise"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("benefit", "version"),
        CheckConstraint("claim_share_ppm between 0 and 1000000", "claim_share"),
        CheckConstraint("last >= first", "order"),
    )

    id: int | None = Field(default=None, primary_key=True)
    benefit: str = Field(foreign_key="benefit.reference", max_length=SLUG)
    version: int
    kpi: str = Field(foreign_key="kpi.slug", max_length=SLUG, index=True)
    known_at: datetime = _moment()
    approved_by: str = Field(foreign_key="person.email", max_length=EMAIL)
    why: str = _text()
    first: date  # the first period of the trajectory
    last: date  # the last one
    ramp: Ramp = Field(sa_type=words_of(Ramp))
    ramp_periods: int = 1
    target: Decimal = Field(sa_type=ExactDecimal)
    baseline_first: date | None = None
    baseline_last: date | None = None
    baseline_method: str = Field(default="stated", max_length=16)  # mean, seasonal, stated
    baseline_spread: Decimal | None = _exact()
    tolerance_ppm: int = 100_000  # share of the planned change
    claim_share_ppm: int = 1_000_000
    unit_value: Decimal | None = _exact()  # money per KPI unit and period; none: no money
    content_hash: str = Field(max_length=64)


class PromisePointRow(SQLModel, table=True):
    """What a promise expects of one period: the level without the change, and the level with it."""

    __tablename__: ClassVar[Any] = "promise_point"

    promise: int = Field(foreign_key="promise.id", primary_key=True)
    period: date = Field(primary_key=True)
    baseline: Decimal = Field(sa_type=ExactDecimal)
    planned: Decimal = Field(sa_type=ExactDecimal)


class VerdictRow(SQLModel, table=True):
    """What was thought of a benefit about a period, and when. A later row for the same period is a restatement."""

    __tablename__: ClassVar[Any] = "verdict"
    __table_args__: ClassVar[Any] = (UniqueConstraint("benefit", "period", "known_at"),)

    id: int | None = Field(default=None, primary_key=True)
    benefit: str = Field(foreign_key="benefit.reference", max_length=SLUG)
    period: date
    known_at: datetime = _moment()
    state: State | None = Field(default=None, sa_type=words_of(State), nullable=True)
    data: DataState = Field(sa_type=words_of(DataState))
    since: date | None = None  # the first period of the run of verdicts with this state
    planned: Decimal | None = _exact()  # level promised for the period
    actual: Decimal | None = _exact()
    baseline: Decimal | None = _exact()
    planned_to_date: Decimal | None = _exact()  # change, in the KPI's unit
    realised_to_date: Decimal | None = _exact()
    chance: Decimal | None = _exact()  # that the promise is kept, within its tolerance
    short_since: Decimal | None = _exact()  # the chance that the change is smaller than was promised
    surprise: Decimal | None = (
        _exact()
    )  # the chance of a reading so far from what the earlier ones let expect
    concern: bool = False  # the reading is a surprise for the worse
    alarm: str = Field(default="", max_length=NAME)  # why the reading looks like a slip in the feed
    effect: Decimal | None = _exact()  # what moved with the start, in the KPI's unit
    effect_low: Decimal | None = _exact()  # ends of its 95 % interval
    effect_high: Decimal | None = _exact()
    outlook: bytes | None = Field(
        default=None, sa_type=sa.LargeBinary, nullable=True
    )  # see rmo.domain.outlook
    sentence: str = _text()
    reason: str = _text()  # of a restatement: what moved it
    promise: int = Field(foreign_key="promise.id")
    reading: int | None = Field(default=None, foreign_key="reading.id")
    inputs_hash: str = Field(max_length=64)  # over promise, readings up to the period, and rules
    rules: str = Field(max_length=16)


class AtomsRow(SQLModel, table=True):
    """A benefit's atoms as known at a moment, packed: see rmo.domain.atoms."""

    __tablename__: ClassVar[Any] = "atoms"
    __table_args__: ClassVar[Any] = (UniqueConstraint("benefit", "known_at"),)

    id: int | None = Field(default=None, primary_key=True)
    benefit: str = Field(foreign_key="benefit.reference", max_length=SLUG)
    known_at: datetime = _moment()
    first: date  # the first day of the first atom's period
    promise: int = Field(foreign_key="promise.id")
    packed: bytes = Field(sa_type=sa.LargeBinary)


class GapRow(SQLModel, table=True):
    """A finding that is kept until it is closed."""

    __tablename__: ClassVar[Any] = "gap"
    __table_args__: ClassVar[Any] = (Index("ix_gap_benefit_kind", "benefit", "kind"),)

    id: int | None = Field(default=None, primary_key=True)
    benefit: str = Field(foreign_key="benefit.reference", max_length=SLUG)
    kind: str = Field(max_length=32)
    opened_at: datetime = _moment()
    opened_period: date
    evidence: str = _text()  # the sentence with which it was opened
    closed_at: datetime | None = _moment(nullable=True)
    closed_because: str = _text()
    reason: str = _text()
    reason_by: str | None = Field(default=None, foreign_key="person.email", max_length=EMAIL)
    reason_at: datetime | None = _moment(nullable=True)


class ActionRow(SQLModel, table=True):
    """What somebody does about a gap, and by when."""

    __tablename__: ClassVar[Any] = "action"

    id: int | None = Field(default=None, primary_key=True)
    gap: int = Field(foreign_key="gap.id", index=True)
    owner: str = Field(foreign_key="person.email", max_length=EMAIL)
    words: str = _text()
    due: date
    created_at: datetime = _moment()
    done_at: datetime | None = _moment(nullable=True)


class JobRunRow(SQLModel, table=True):
    """A job in one local period. The key decides that it runs once, never the scheduler."""

    __tablename__: ClassVar[Any] = "job_run"
    __table_args__: ClassVar[Any] = (UniqueConstraint("job", "period_key"),)

    id: int | None = Field(default=None, primary_key=True)
    job: str = Field(max_length=32)
    period_key: str = Field(max_length=32)
    state: str = Field(max_length=16)  # waiting, running, done, failed
    attempt: int = 0
    lease_until: datetime | None = _moment(nullable=True)
    worker: str = Field(default="", max_length=NAME)
    planned_at: datetime = _moment()
    started_at: datetime | None = _moment(nullable=True)
    finished_at: datetime | None = _moment(nullable=True)
    error: str = _text()


class DeliveryRow(SQLModel, table=True):
    """A mail to one person about one period, with its frozen content."""

    __tablename__: ClassVar[Any] = "delivery"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("kind", "recipient", "period_key"),
        UniqueConstraint("message_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=32)
    recipient: str = Field(max_length=EMAIL)
    period_key: str = Field(max_length=32)
    state: str = Field(max_length=16, index=True)  # queued, sending, sent, failed, unknown
    subject: str = Field(max_length=998)
    html: str = _text()
    text: str = _text()
    snapshot: str = _text()  # JSON: the figures and sentences as they were
    message_id: str = Field(max_length=200)
    queued_at: datetime = _moment()
    not_before: datetime = _moment()
    attempt: int = 0
    lease_until: datetime | None = _moment(nullable=True)
    worker: str = Field(default="", max_length=NAME)
    sent_at: datetime | None = _moment(nullable=True)
    error: str = _text()


class AuditRow(SQLModel, table=True):
    """Who changed what, when and why. Each row holds the hash of the one before it."""

    __tablename__: ClassVar[Any] = "audit"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _moment()
    who: str = Field(max_length=EMAIL)
    action: str = Field(max_length=64)
    subject: str = Field(max_length=NAME, index=True)
    before: str = _text()
    after: str = _text()
    why: str = _text()
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class SettingRow(SQLModel, table=True):
    """A setting of the organisation from a day on."""

    __tablename__: ClassVar[Any] = "setting"
    __table_args__: ClassVar[Any] = (UniqueConstraint("name", "effective_from", "known_at"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=SLUG)
    value: str = _text()
    effective_from: date
    known_at: datetime = _moment()


class RevisionRow(SQLModel, table=True):
    """One row that every change of what pages show counts up, so that a page can tell that nothing changed."""

    __tablename__: ClassVar[Any] = "revision"

    id: int = Field(default=1, primary_key=True)
    number: int = Field(default=0, sa_type=sa.BigInteger)
