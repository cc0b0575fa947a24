"""Pulling: every attempt is a run; what a source says is kept whole, once, or not at all."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from rmo import connectors
from rmo.connectors import Reach
from rmo.connectors.definitions import Definition, LoadedDefinition, definition_hash
from rmo.domain.errors import ConflictError, NotFoundError
from rmo.domain.values import Reading, ReadingState
from rmo.services import collection, kpis
from rmo.services.collection import Pulled, pull_all
from rmo.services.evaluation import Changes
from rmo.storage import measures
from rmo.storage.database import reading, transaction
from rmo.storage.tables import KpiRow, ReadingRow, RunRow
from tests.world import MEASURER, NOW, TODAY, add_kpi, add_people, month

PULL = connectors.pull
JANUARY, FEBRUARY, MARCH = (month(text) for text in ("2026-01", "2026-02", "2026-03"))


class Office:
    """KPIs that are pulled from CSV files in a folder."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder

    def define(self, *slugs: str, **source: object) -> None:
        """Define KPIs, each with a file of its own name."""
        loaded = [self._definition(slug, source) for slug in slugs]
        with transaction(self.engine) as session:
            assert kpis.apply_definitions(session, loaded, now=NOW, by="test") == []

    def _definition(self, slug: str, source: dict[str, object]) -> LoadedDefinition:
        where = {"connector": "csv_file", "options": {"path": f"{slug}.csv"}, **source}
        whole = {
            "name": slug.capitalize(), "unit": "calls", "direction": "up", "frequency": "month",
            "behaviour": "flow", "source": where,
        }  # fmt: skip
        definition = Definition.model_validate(whole)
        return LoadedDefinition(slug, definition, Path(f"{slug}.yaml"), definition_hash(definition))

    def write(self, slug: str, **values: str) -> None:
        """Let a source say values, each for a month such as m2026_01."""
        rows = [f"{name[1:].replace('_', '-')}-01,{value}" for name, value in values.items()]
        (self.folder / f"{slug}.csv").write_text("\n".join(["date,value", *rows]), encoding="utf-8")

    def pull(self, *slugs: str, at: datetime = NOW) -> list[Pulled]:
        """Pull some KPIs, or all."""
        return pull_all(
            self.engine,
            Reach(folders=(self.folder,)),
            clock=lambda: at,
            today=at.date(),
            kpis=list(slugs) or None,
        )

    def kept(self, slug: str, **at: datetime) -> dict[date, str]:
        """Return the newest readings of a KPI."""
        with reading(self.engine) as session:
            found = measures.readings(session, [slug], **at)[slug]
            return {period: f"{row.value:f}" for period, row in found.items()}

    def rows(self, slug: str) -> list[ReadingRow]:
        """Return every reading of a KPI that was ever kept."""
        with reading(self.engine) as session:
            return list(
                session.exec(select(ReadingRow).where(ReadingRow.kpi == slug).order_by(col(ReadingRow.id)))
            )

    def runs(self, slug: str) -> list[RunRow]:
        """Return a KPI's runs."""
        with reading(self.engine) as session:
            return list(session.exec(select(RunRow).where(RunRow.kpi == slug).order_by(col(RunRow.id))))


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    return Office(engine, tmp_path)


def test_the_same_value_again_writes_nothing_and_another_one_is_a_correction(office: Office):
    office.define("calls")
    office.write("calls", m2026_01="10", m2026_02="20")
    later = NOW + timedelta(hours=1)

    assert office.pull() == [Pulled("calls", 2, 0, 0)]
    assert office.pull() == [Pulled("calls", 0, 0, 2)]
    office.write("calls", m2026_01="10", m2026_02="21.0", m2026_03="30")
    assert office.pull(at=later) == [Pulled("calls", 1, 1, 1)]

    assert office.kept("calls") == {JANUARY: "10", FEBRUARY: "21", MARCH: "30"}
    assert office.kept("calls", as_of=NOW) == {JANUARY: "10", FEBRUARY: "20"}
    assert [run.outcome for run in office.runs("calls")] == ["done"] * 3
    assert {row.run for row in office.rows("calls")} == {run.id for run in office.runs("calls")} - {2}


def test_a_correction_in_the_same_moment_is_known_after_what_it_corrects(office: Office):
    office.define("calls")
    office.write("calls", m2026_01="10")
    office.pull()
    office.write("calls", m2026_01="11")
    office.pull()

    first, second = office.rows("calls")
    assert (first.known_at, second.known_at > first.known_at) == (NOW, True)
    assert office.kept("calls") == {JANUARY: "11"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        pytest.param("2026-01-01,10\n2026-02-01,ten", "line 3", id="a text in a number"),
        pytest.param("2026-01-01,10\n2026-01-20,11", "line 2", id="two readings for one period"),
        pytest.param("2026-01-01,10\nsoon,11", "line 3", id="no date"),
        pytest.param("2026-01-01,nan", "line 2", id="not a number"),
        pytest.param(None, "calls.csv", id="no file"),
    ],
)
def test_a_source_that_gives_nonsense_is_a_failed_run_that_keeps_nothing(
    office: Office, rows: str | None, told: str
):
    office.define("calls", "visits")
    office.write("visits", m2026_01="7")
    if rows is not None:
        (office.folder / "calls.csv").write_text(f"date,value\n{rows}\n", encoding="utf-8")

    failed, done = office.pull()

    assert (failed.kpi, failed.written, failed.changed) == ("calls", 0, False)
    assert told in failed.problem
    assert done == Pulled("visits", 1, 0, 0)
    assert office.rows("calls") == []
    [run] = office.runs("calls")
    assert (run.outcome, run.message, run.received, run.written) == ("failed", failed.problem, 0, 0)


def test_a_source_that_fails_leaves_what_is_known_as_it_is(office: Office):
    office.define("calls")
    office.write("calls", m2026_01="10")
    office.pull()
    (office.folder / "calls.csv").unlink()

    [failed] = office.pull()

    assert failed.problem
    assert office.kept("calls") == {JANUARY: "10"}


def test_a_fault_of_a_connector_is_its_run_s_and_stops_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    office.define("calls", "visits")
    office.write("calls", m2026_01="10")
    office.write("visits", m2026_01="7")

    def faulty(definition, window, reach):
        if definition.name == "Calls":
            raise ZeroDivisionError("a secret of 12345")
        return PULL(definition, window, reach)

    monkeypatch.setattr(collection, "pull", faulty)
    failed, done = office.pull()

    assert failed.problem == "The connector failed: ZeroDivisionError."
    assert done == Pulled("visits", 1, 0, 0)


def test_only_what_is_new_and_a_look_back_are_asked_for(office: Office):
    office.define("calls", look_back=2, since="2025-11-01")
    office.write("calls", m2025_10="8", m2025_11="9", m2026_01="10", m2026_02="20", m2026_04="40")
    office.pull()
    office.write("calls", m2025_11="99", m2026_01="11", m2026_02="20", m2026_03="30")

    assert office.pull() == [Pulled("calls", 1, 1, 1)]
    assert office.kept("calls") == {
        month("2025-11"): "9", JANUARY: "11", FEBRUARY: "20", MARCH: "30",
    }  # fmt: skip
    first, second = office.runs("calls")
    assert (first.first, first.last) == (month("2025-11"), MARCH)
    assert (second.first, second.last) == (JANUARY, MARCH)


def test_a_kpi_without_a_source_and_one_that_is_not_there_are_said(office: Office):
    with transaction(office.engine) as session:
        add_people(session)
        add_kpi(session)

    [pulled] = office.pull("stay")

    assert pulled.problem == "Mean length of stay has no source; its readings are given by hand."
    assert office.runs("stay") == []
    with pytest.raises(NotFoundError, match="There is no KPI called 'nothing'"):
        office.pull("nothing")


def test_a_retired_kpi_is_not_pulled(office: Office):
    office.define("calls", "visits")
    office.define("visits")
    office.write("visits", m2026_01="7")

    assert [result.kpi for result in office.pull()] == ["visits"]


def test_what_was_fetched_is_not_kept_when_another_has_taken_the_pull_over(office: Office):
    office.define("calls")
    office.write("calls", m2026_01="10")

    def held(_session: object) -> None:
        raise ConflictError("Taken over.")

    with pytest.raises(ConflictError, match="Taken over"):
        pull_all(office.engine, Reach(folders=(office.folder,)), clock=lambda: NOW, today=TODAY, held=held)

    assert (office.rows("calls"), office.runs("calls")) == ([], [])


def test_two_that_pull_at_once_keep_every_reading_once(office: Office, monkeypatch: pytest.MonkeyPatch):
    slugs = [f"calls{number}" for number in range(8)]
    office.define(*slugs)
    for slug in slugs:
        office.write(slug, m2026_01="10", m2026_02="20", m2026_03="30")
    together = threading.Barrier(2, timeout=30)

    def at_once(definition, window, reach):
        found = PULL(definition, window, reach)
        together.wait()
        return found

    monkeypatch.setattr(collection, "pull", at_once)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda later: office.pull(at=NOW + timedelta(seconds=later)), range(2)))

    for slug in slugs:
        assert [row.period for row in office.rows(slug)] == [JANUARY, FEBRUARY, MARCH]
        written = sorted((run.written, run.corrected, run.unchanged) for run in office.runs(slug))
        assert written == [(0, 0, 3), (3, 0, 0)]


def test_a_reading_that_is_pulled_while_a_person_gives_it_is_kept_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    office.define("calls")
    office.write("calls", m2026_01="10")

    def given_meanwhile(definition, window, reach):
        found = PULL(definition, window, reach)
        with transaction(office.engine) as session:
            add_people(session)
            kpis.record_reading(session, "calls", found[0], by=MEASURER, now=NOW, today=TODAY)
        return found

    monkeypatch.setattr(collection, "pull", given_meanwhile)

    assert office.pull() == [Pulled("calls", 0, 0, 1)]
    assert [row.entered_by for row in office.rows("calls")] == [MEASURER]


# What a person gives


@pytest.fixture
def by_hand(engine: Engine) -> Engine:
    with transaction(engine) as session:
        add_people(session)
        add_kpi(session, valid_low=Decimal(0), valid_high=Decimal(60))
    return engine


def give(engine: Engine, *given: Reading) -> Changes:
    with transaction(engine) as session:
        return kpis.record_readings(session, {"stay": given}, by=MEASURER, now=NOW, today=TODAY)


def test_a_form_that_is_sent_twice_keeps_a_reading_once(by_hand: Engine):
    give(by_hand, Reading(MARCH, Decimal("6.4")))
    again = give(by_hand, Reading(MARCH, Decimal("6.40")))

    assert again == Changes(0, 0, 0, 0)
    with reading(by_hand) as session:
        [row] = session.exec(select(ReadingRow)).all()
    assert (row.period, row.entered_by, row.state) == (MARCH, MEASURER, ReadingState.APPROVED)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(Reading(month("2026-04"), Decimal(6)), "April 2026 is not over yet", id="not over"),
        pytest.param(Reading(month("2027-01"), Decimal(6)), "January 2027 is not over yet", id="the future"),
        pytest.param(Reading(FEBRUARY, Decimal(-1)), "is below 0", id="too low to be true"),
        pytest.param(Reading(FEBRUARY, Decimal(61)), "is above 60", id="too high to be true"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_of_it_is_kept(by_hand: Engine, given: Reading, told: str):
    with pytest.raises(ConflictError, match=told):
        give(by_hand, Reading(MARCH, Decimal(6)), given)

    with reading(by_hand) as session:
        assert session.exec(select(ReadingRow)).all() == []


def test_definitions_are_versions_and_a_unit_stays_once_there_are_readings(office: Office):
    office.define("calls")
    office.write("calls", m2026_01="10")
    office.pull()
    changed = office._definition("calls", {})
    other_unit = changed.definition.model_copy(update={"unit": "hours"})
    item = LoadedDefinition("calls", other_unit, changed.path, definition_hash(other_unit))

    with transaction(office.engine) as session:
        [problem] = kpis.apply_definitions(session, [item], now=NOW, by="test")

    assert "unit was calls and has readings; hours needs a KPI of its own" in problem.message
    with reading(office.engine) as session:
        assert session.get_one(KpiRow, "calls").unit == "calls"
