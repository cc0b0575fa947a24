"""The demo: a portfolio whose every state is reached by the rules from real readings, and months that pass in one way."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from sqlmodel import Session, SQLModel, col, select

from rmo import demo
from rmo.demo.portfolio import BY_HAND
from rmo.domain.calendar import due_day
from rmo.domain.realisation import Kind
from rmo.domain.values import EVERYTHING, DataState, Direction, Frequency, State
from rmo.scheduler.jobs import digest, judge, pull, remind
from rmo.services.panel import rhythm_of
from rmo.services.snapshot import Standing, take_snapshot
from rmo.storage.database import reading
from rmo.storage.tables import (
    ActionRow,
    AtomsRow,
    BenefitRow,
    DeliveryRow,
    GapRow,
    KpiRow,
    ProgrammeRow,
    ProjectRow,
    PromisePointRow,
    PromiseRow,
    ReadingRow,
    VerdictRow,
)
from tests.live import Demo, opened_demo

MONTHS_PASSED = 6
WRITTEN: tuple[type[SQLModel], ...] = (ReadingRow, VerdictRow, AtomsRow, GapRow, ActionRow, DeliveryRow)
TERMS = ("realised", "still_forecast", "unproven", "shortfall_so_far", "shortfall_expected")


@dataclass(frozen=True)
class Month:
    """What is to be seen in one month of the demo."""

    today: date
    standings: list[Standing]
    gaps: set[tuple[str, str]]
    newest: dict[str, date]  # of each KPI
    differences: list[str]  # between the atoms and what they come to by hand
    fingerprint: str


@dataclass
class Story:
    """The demo, and each of its months."""

    demo: Demo
    months: list[Month] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Build the demo, look at it, and let six months pass, one after the other."""
    with opened_demo(tmp_path_factory.mktemp("demo")) as built:
        story = Story(built)
        story.months.append(look(built))
        for _ in range(MONTHS_PASSED):
            story.told.append(demo.next_month(built.tools, built.clock))
            story.months.append(look(built))
        yield story


def look(built: Demo) -> Month:
    now = built.clock()
    with reading(built.engine) as session:
        standings = take_snapshot(session, scope=EVERYTHING, now=now).standings
        readings = newest_readings(session)
        return Month(
            today=now.date(),
            standings=standings,
            gaps={(gap.benefit, gap.kind) for gap in session.exec(select(GapRow)) if gap.closed_at is None},
            newest={kpi: max(of_kpi) for kpi, of_kpi in readings.items()},
            differences=list(differences(session, standings, readings, now.date())),
            fingerprint=fingerprint(session),
        )


def newest_readings(session: Session) -> dict[str, dict[date, ReadingRow]]:
    found: dict[str, dict[date, ReadingRow]] = {}
    for row in session.exec(select(ReadingRow).order_by(col(ReadingRow.known_at), col(ReadingRow.id))):
        found.setdefault(row.kpi, {})[row.period] = row
    return found


def fingerprint(session: Session) -> str:
    """Return what tells two portfolios apart: every verdict and every atom ever kept."""
    made = hashlib.sha256()
    for verdict in session.exec(select(VerdictRow).order_by(col(VerdictRow.id))):
        made.update(f"{verdict.benefit}|{verdict.period}|{verdict.state}|{verdict.sentence}".encode())
    for atoms in session.exec(select(AtomsRow).order_by(col(AtomsRow.id))):
        made.update(f"{atoms.benefit}|{atoms.known_at}".encode() + atoms.packed)
    return made.hexdigest()


def differences(
    session: Session,
    standings: list[Standing],
    readings: dict[str, dict[date, ReadingRow]],
    today: date,
) -> Iterator[str]:
    """Work every atom out again, one by one and in fractions, and tell where the kept one is another penny."""
    points: dict[int, dict[date, PromisePointRow]] = {}
    for point in session.exec(select(PromisePointRow)):
        points.setdefault(point.promise, {})[point.period] = point
    promises = {row.benefit: row for row in session.exec(select(PromiseRow))}
    shares: dict[tuple[str, date], int] = {}
    for row in promises.values():
        for period in points[row.id or 0]:
            shares[row.kpi, period] = shares.get((row.kpi, period), 0) + row.claim_share_ppm
    kpis = {row.slug: row for row in session.exec(select(KpiRow))}
    for standing in standings:
        row = promises[standing.benefit.reference]
        kpi, rhythm = kpis[row.kpi], rhythm_of(kpis[row.kpi])
        assert standing.atoms is not None
        for number in range(len(standing.atoms.kind)):
            period = rhythm.shift(row.first, number)
            claimed = Fraction(shares[row.kpi, period], 1_000_000)
            given = readings.get(row.kpi, {}).get(period)
            wanted = atom(kpi, row, points[row.id or 0][period], given, claimed, today)
            for name, value in wanted.items():
                kept = int(getattr(standing.atoms, name)[number])
                if abs(kept - value) > Fraction(501, 1000):
                    yield f"{row.benefit} {period} {name}: {kept}, not {float(value)}"


def atom(
    kpi: KpiRow,
    promise: PromiseRow,
    point: PromisePointRow,
    given: ReadingRow | None,
    claimed: Fraction,
    today: date,
) -> dict[str, Fraction]:
    """Return one atom in pennies that are not rounded, straight from what an atom is said to be."""
    rhythm, period = rhythm_of(kpi), point.period
    sign = {Direction.UP: 100, Direction.DOWN: -100}[kpi.direction]
    worth = sign * Fraction(promise.unit_value or 0) * promise.claim_share_ppm / 1_000_000
    if claimed > 1:
        worth /= claimed
    base = Fraction(point.baseline)
    promised = (Fraction(point.planned) - base) * worth
    nothing = Fraction(0)
    over = rhythm.last(period) < today
    owed = due_day(rhythm, period, kpi.due_working_days).toordinal() + kpi.grace_days < today.toordinal()
    if over and given is not None and given.value is not None:
        realised = (Fraction(given.value) - base) * worth
        return {
            "promised": promised,
            "realised": realised,
            "unproven": nothing,
            "kind": Fraction(Kind.PROVEN),
        }
    if over and owed:
        return {
            "promised": promised,
            "realised": nothing,
            "unproven": promised,
            "kind": Fraction(Kind.UNPROVEN),
        }
    return {"promised": promised, "realised": nothing, "unproven": nothing, "kind": Fraction(Kind.OPEN)}


def states(month: Month) -> Counter[State | None]:
    return Counter(s.verdict.state if s.verdict else None for s in month.standings)


def kinds(month: Month) -> Counter[str]:
    return Counter(kind for _, kind in month.gaps)


def count(built: Demo, table: type[SQLModel]) -> int:
    with reading(built.engine) as session:
        return len(session.exec(select(table)).all())


@pytest.mark.parametrize(
    ("table", "least"),
    [
        pytest.param(ProgrammeRow, 3, id="programmes"),
        pytest.param(ProjectRow, 8, id="projects"),
        pytest.param(BenefitRow, 16, id="benefits"),
        pytest.param(KpiRow, 12, id="KPIs"),
    ],
)
def test_the_portfolio_is_large_enough(story: Story, table: type[SQLModel], least: int):
    assert count(story.demo, table) >= least


def test_readings_come_from_three_kinds_of_sources_and_from_a_person(story: Story):
    with reading(story.demo.engine) as session:
        kinds_used = {row.connector for row in session.exec(select(KpiRow))}
        by_hand = {row.kpi for row in session.exec(select(ReadingRow)) if row.run is None}

    assert kinds_used == {"csv_file", "excel_file", "http_json", ""}
    assert by_hand == {BY_HAND[0]}, "every other reading was pulled by a run"


@pytest.mark.parametrize(
    ("state", "least"),
    [
        pytest.param(State.KEPT, 2, id="kept"),
        pytest.param(State.BROKEN, 2, id="broken"),
        pytest.param(State.TOO_EARLY, 2, id="too early"),
        pytest.param(State.OFF_TRACK, 1, id="off track"),
        pytest.param(State.ON_TRACK, 1, id="on track"),
    ],
)
def test_the_rules_come_to_every_state_at_the_start(story: Story, state: State, least: int):
    assert states(story.months[0])[state] >= least


@pytest.mark.parametrize("kind", ["shortfall", "faded", "stale_feed", "over_claim"])
def test_the_rules_find_every_kind_of_gap_at_the_start(story: Story, kind: str):
    assert kinds(story.months[0])[kind] >= 1


def test_there_is_a_disbenefit_and_a_silent_feed(story: Story):
    standings = story.months[0].standings

    assert any(s.benefit.disbenefit and s.money.promised < 0 for s in standings)
    silent = [s for s in standings if s.verdict and s.verdict.data is DataState.STALE]
    assert [s.money.unproven > 0 for s in silent] == [True]
    assert all(s.verdict and s.verdict.state is None for s in silent), "silence is no judgement"


def test_no_two_benefits_share_kpi_shape_and_outcome(story: Story):
    alike = Counter(
        (s.promise.kpi, s.promise.ramp, s.verdict and s.verdict.state)
        for s in story.months[0].standings
        if s.promise is not None
    )

    assert max(alike.values()) == 1


def test_in_every_month_every_atom_adds_up_to_the_penny(story: Story):
    for month in story.months:
        for standing in month.standings:
            atoms = standing.atoms
            assert atoms is not None
            terms = sum(getattr(atoms, name) for name in TERMS)
            assert (atoms.promised == terms).all(), (month.today, standing.benefit.reference)
            assert (atoms.promised == atoms.first_promise + atoms.rebaselined - atoms.removed).all()
            money = standing.money
            assert money.promised == sum(getattr(money, name) for name in TERMS)


def test_in_every_month_every_atom_is_what_it_comes_to_by_hand(story: Story):
    assert [(str(month.today), month.differences) for month in story.months if month.differences] == []


def test_every_month_brings_readings_and_moves_something(story: Story):
    assert [month.today for month in story.months] == [
        date(2018, 10, 17), date(2018, 11, 17), date(2018, 12, 17), date(2019, 1, 17),
        date(2019, 2, 17), date(2019, 3, 17), date(2019, 4, 17),
    ]  # fmt: skip
    assert len({month.fingerprint for month in story.months}) == len(story.months)
    for told in story.told:
        assert "0 readings" not in told


def test_no_month_knows_a_period_that_is_not_over(story: Story):
    with reading(story.demo.engine) as session:
        rhythms = {row.slug: rhythm_of(row) for row in session.exec(select(KpiRow))}
        years = [slug for slug, rhythm in rhythms.items() if rhythm.frequency is Frequency.YEAR]
    for month in story.months:
        for kpi, newest in month.newest.items():
            assert rhythms[kpi].last(newest) < month.today, (month.today, kpi)
        for kpi in years:
            published = month.today >= date(2019, 3, 1)
            assert month.newest[kpi].year == (2018 if published else 2017)


def test_the_months_pass_in_the_same_way_again(story: Story, tmp_path: Path):
    with opened_demo(tmp_path) as again:
        assert look(again).fingerprint == story.months[0].fingerprint
        assert demo.next_month(again.tools, again.clock) == story.told[0]
        assert look(again).fingerprint == story.months[1].fingerprint


def test_the_same_jobs_at_the_same_time_write_nothing_twice(story: Story):
    tools = story.demo.tools
    before = {table.__name__: count(story.demo, table) for table in WRITTEN}
    mails = sorted(path.name for path in tools.settings.mail_folder.iterdir())

    pulled = pull(tools)
    changes = judge(tools)
    local = tools.now().astimezone(tools.settings.tz)
    queued = digest(tools, local.strftime("%Y-%m")) + remind(tools, local.strftime("%Y-%m-%d"))

    assert not any(result.changed for result in pulled)
    assert (changes.verdicts, changes.restated, changes.opened, changes.closed, queued) == (0, 0, 0, 0, 0)
    assert {table.__name__: count(story.demo, table) for table in WRITTEN} == before
    assert sorted(path.name for path in tools.settings.mail_folder.iterdir()) == mails


def test_every_mail_of_the_demo_has_gone_its_way(story: Story):
    with reading(story.demo.engine) as session:
        sent = session.exec(select(DeliveryRow)).all()

    assert {row.state for row in sent} == {"sent"}
    assert Counter(row.period_key for row in sent if row.kind == "executive")["2018-12"] >= 1
    assert len(list(story.demo.tools.settings.mail_folder.glob("*.eml"))) == len(sent)


def test_the_clock_of_the_demo_ticks_on_from_where_it_stands(story: Story):
    clock = story.demo.clock
    stands, real = clock(), clock.real()

    clock.real = lambda: datetime(real.year + 1, 1, 1, tzinfo=UTC)
    try:
        assert clock() - stands == clock.real() - real
        clock.real = lambda: datetime(real.year - 1, 1, 1, tzinfo=UTC)
        assert clock() == stands, "a machine whose clock was set back does not take the demo into its past"
    finally:
        clock.real = lambda: real
