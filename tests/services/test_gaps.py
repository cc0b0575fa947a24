"""Answering a gap: once, also when the form is sent twice, and only by who may."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import select

from rmo.domain.errors import ConflictError, NotFoundError
from rmo.domain.values import EVERYTHING, Role
from rmo.services.evaluation import evaluate
from rmo.services.gaps import Answer, answer_gap
from rmo.services.people import SignedIn
from rmo.storage.database import reading, transaction
from rmo.storage.tables import ActionRow, AuditRow, GapRow
from tests.world import NOW, OWNER, TODAY, add_benefit, add_kpi, add_people, give, months, promise

ANSWER = Answer("Lifts broke", "Repair the lifts", OWNER, TODAY + timedelta(days=30))
ME = SignedIn(OWNER, "Director of operations", "Director of operations", Role.OWNER, "auto", NOW)


@pytest.fixture
def gap(sqlite_engine: Engine) -> Engine:
    with transaction(sqlite_engine) as session:
        add_people(session)
        add_kpi(session)
        add_benefit(session)
        promise(session)
        give(
            session, dict.fromkeys(months("2024-01", 12), "7.0") | dict.fromkeys(months("2025-01", 15), "7.6")
        )
        evaluate(session, now=NOW, today=TODAY)
    return sqlite_engine


def answer(engine: Engine, given: Answer = ANSWER, who: SignedIn = ME) -> None:
    with transaction(engine) as session:
        answer_gap(session, 1, given, scope=EVERYTHING, who=who, now=NOW)


def actions(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.exec(select(ActionRow.words)))


def test_a_form_that_is_sent_twice_adds_one_action(gap: Engine):
    answer(gap)
    answer(gap)

    assert actions(gap) == ["Repair the lifts"]
    with reading(gap) as session:
        assert len(session.exec(select(AuditRow).where(AuditRow.action == "answer gap")).all()) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"action": "Buy new ones"}, id="another action"),
        pytest.param({"due": TODAY + timedelta(days=60)}, id="another day"),
        pytest.param({"reason": "Two lifts broke"}, id="another reason"),
    ],
)
def test_another_answer_is_kept_too(gap: Engine, other: dict[str, Any]):
    answer(gap)
    answer(gap, replace(ANSWER, **other))

    assert len(actions(gap)) == 2
    with reading(gap) as session:
        assert session.get_one(GapRow, 1).reason == other.get("reason", "Lifts broke")


def test_only_its_owner_and_somebody_who_is_there_may_act(gap: Engine):
    with pytest.raises(NotFoundError):
        answer(gap, who=replace(ME, email="other@example.org"))
    with pytest.raises(ConflictError, match="choose somebody from the list"):
        answer(gap, replace(ANSWER, owner="nobody@example.org"))

    assert actions(gap) == []
