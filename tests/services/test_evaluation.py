"""From readings to verdicts, on both databases: what is said, what is restated, what was known when."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session, select

from rmo.domain.realisation import total
from rmo.domain.values import DataState, State
from rmo.services.evaluation import atoms_of, evaluate
from rmo.storage import verdicts
from rmo.storage.audit import revision
from rmo.storage.database import reading, transaction
from rmo.storage.tables import AtomsRow, GapRow, VerdictRow
from tests.world import NOW, TODAY, add_benefit, add_kpi, add_people, correct, give, month, months, promise

REFERENCE = "NH-0041"
HISTORY = dict(zip(months("2024-01", 12), ["7.0", "7.1", "6.9"] * 4, strict=True))
KEPT = dict(zip(months("2025-01", 15), [f"{max(7 - i / 12, 6):.2f}" for i in range(1, 16)], strict=True))


def build(session: Session, readings: Mapping[date, str | None]) -> None:
    add_people(session)
    add_kpi(session)
    add_benefit(session)
    promise(session)
    give(session, {**HISTORY, **readings})
    evaluate(session, now=NOW, today=TODAY)


def newest(engine: Engine, as_of=NOW + timedelta(days=999)) -> VerdictRow:
    with reading(engine) as session:
        return verdicts.newest_verdicts(session, [REFERENCE], as_of=as_of)[REFERENCE]


def test_a_promise_that_is_met_is_on_track(engine: Engine):
    with transaction(engine) as session:
        build(session, KEPT)

    row = newest(engine)

    assert (row.period, row.state, row.data) == (month("2026-03"), State.ON_TRACK, DataState.CURRENT)
    assert row.sentence.startswith(
        "Mean length of stay fell from 7.00 to 6.00 days in March 2026, just as promised; the chance that"
    )
    assert row.chance is not None
    assert row.chance > Decimal("0.8")


def test_a_reading_by_hand_changes_the_verdict_and_its_correction_restores_it(engine: Engine):
    with transaction(engine) as session:
        build(session, KEPT)
    before = newest(engine)
    assert before.state is State.ON_TRACK

    correct(engine, month("2026-03"), "7.4", at=NOW + timedelta(hours=1))
    between = newest(engine)
    assert between.state is State.OFF_TRACK
    assert "rose from 7.00 to 7.40 days in March 2026 where 6.00 was promised" in between.sentence

    correct(engine, month("2026-03"), "6", at=NOW + timedelta(hours=2))
    after = newest(engine)
    assert (after.state, after.sentence) == (before.state, before.sentence)
    assert after.reason == "corrected reading"

    then = newest(engine, as_of=NOW + timedelta(minutes=90))
    assert (then.state, then.sentence) == (between.state, between.sentence)
    first = newest(engine, as_of=NOW)
    assert (first.state, first.sentence) == (before.state, before.sentence)


def test_a_gap_opens_when_off_track_and_closes_after_two_readings_without(engine: Engine):
    with transaction(engine) as session:
        build(session, {**KEPT, month("2026-02"): "6.9", month("2026-03"): "6.95"})
    with reading(engine) as session:
        gap = session.exec(select(GapRow)).one()
    assert (gap.kind, gap.opened_period, gap.closed_at) == ("shortfall", month("2026-02"), None)

    states: list[State | None] = [State.OFF_TRACK]
    for i, period in enumerate(months("2026-04", 6), start=1):
        correct(engine, period, "6.0", at=NOW + timedelta(days=31 * i))
        states.append(newest(engine).state)
        with reading(engine) as session:
            closed = session.exec(select(GapRow)).one().closed_at
        assert (closed is not None) == (State.OFF_TRACK not in states[-2:])
        if closed is not None:
            break
    assert closed is not None


def test_evaluating_again_writes_nothing(engine: Engine):
    with transaction(engine) as session:
        build(session, KEPT)
    with transaction(engine) as session:
        before = revision(session), len(session.exec(select(VerdictRow)).all())
        evaluate(session, now=NOW + timedelta(hours=1), today=TODAY)
    with reading(engine) as session:
        assert (revision(session), len(session.exec(select(VerdictRow)).all())) == before
        assert len(session.exec(select(AtomsRow)).all()) == 1


def test_the_parts_of_every_atom_add_up_to_the_promise(engine: Engine):
    with transaction(engine) as session:
        build(session, {**KEPT, month("2025-06"): None})
    with reading(engine) as session:
        atoms = atoms_of(verdicts.atoms(session, [REFERENCE])[REFERENCE])

    parts = (
        atoms.realised
        + atoms.still_forecast
        + atoms.unproven
        + atoms.shortfall_so_far
        + atoms.shortfall_expected
    )
    assert (parts == atoms.promised).all()
    money = total(atoms)
    assert money.promised == sum(round(min(i, 12) / 12 * 10000) for i in range(1, 25))
    assert money.unproven == 5000


@pytest.mark.parametrize(
    ("missing", "data", "state"),
    [
        pytest.param(1, DataState.LATE, State.ON_TRACK, id="one month is late and keeps its state"),
        pytest.param(2, DataState.LATE, State.ON_TRACK, id="two are late"),
        pytest.param(3, DataState.STALE, None, id="a third makes the feed stale, without a state"),
    ],
)
def test_missing_readings_never_make_a_red_or_a_green(engine: Engine, missing, data, state):
    given = dict(list(KEPT.items())[: len(KEPT) - missing])
    with transaction(engine) as session:
        build(session, given)

    row = newest(engine)

    assert (row.data, row.state) == (data, state)


def test_claims_above_the_whole_are_split_and_the_removed_part_is_a_line(engine: Engine):
    with transaction(engine) as session:
        build(session, KEPT)
        add_benefit(session, "NH-0044")
        promise(session, "NH-0044", claim_share=Decimal("0.25"), imported=True)
        evaluate(session, now=NOW, today=TODAY)
    with reading(engine) as session:
        money = [total(atoms_of(row)) for row in verdicts.atoms(session, [REFERENCE, "NH-0044"]).values()]
        kinds = {gap.kind for gap in session.exec(select(GapRow))}

    for one in money:
        assert one.promised + one.removed == one.first_promise
        assert abs(one.removed - one.first_promise * 0.2) <= 24
    assert kinds == {"over_claim"}
