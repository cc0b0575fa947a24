"""A promise from a form: everything that is wrong at once, and what is kept when nothing is."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session, select

from rmo.domain.errors import ConflictError
from rmo.domain.values import BenefitClass, Lifecycle, Ramp
from rmo.services.registration import choices, read_registration, register_promise
from rmo.storage import register
from rmo.storage.database import transaction
from rmo.storage.tables import BenefitRow, ProgrammeRow, ProjectRow, VerdictRow
from tests.world import (
    EXECUTIVE,
    NOW,
    OWNER,
    TODAY,
    add_benefit,
    add_kpi,
    add_people,
    give,
    month,
    months,
    promise,
)

FORM = {
    "reference": " nh-0100 ",
    "title": "Shorter waits",
    "description": "A second desk.",
    "programme": "Flow programme",
    "project": "Second desk",
    "owner": OWNER,
    "benefit_class": "non_cashable",
    "kpi": "stay",
    "ramp": "s_curve",
    "target": "6.0",
    "baseline": "",
    "unit_value": "1,250",
    "claim_share": "40",
    "first": "2025-01-01",
    "full": "2025-06-15",
    "last": "2026-12-31",
    "why": "",
}


@pytest.fixture
def session(sqlite_engine: Engine):
    """Give a session on a world in which half of a KPI is claimed."""
    with transaction(sqlite_engine) as opened:
        add_people(opened)
        add_kpi(opened)
        give(opened, dict(zip(months("2023-10", 15), ["9.9"] * 3 + ["7.0", "7.2", "6.8"] * 4, strict=True)))
        add_benefit(opened)
        promise(opened, claim_share=Decimal("0.5"))
        yield opened


def problems(session: Session, **changed: str) -> dict[str, str]:
    given, found = read_registration(session, FORM | changed)
    assert given is None
    return {problem.place: problem.message for problem in found}


def test_an_empty_form_has_every_problem_at_once(session: Session):
    given, found = read_registration(session, {})

    assert given is None
    assert [problem.place for problem in found] == [
        "reference",
        "title",
        "programme",
        "project",
        "owner",
        "benefit_class",
        "kpi",
        "ramp",
        "target",
        "claim_share",
        "first",
        "full",
        "last",
    ]


def test_every_wrong_field_is_told_at_once_each_beside_its_field(session: Session):
    told = problems(
        session,
        reference="NH-0041",
        title="x" * 201,
        owner="nobody@example.org",
        target="six",
        unit_value="a lot",
        claim_share="0",
        last="tomorrow",
    )

    assert set(told) == {"reference", "title", "owner", "target", "unit_value", "claim_share", "last"}
    assert told["reference"] == "NH-0041 is taken; references are never reused."
    assert "201" in told["title"]


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        pytest.param({"reference": "41"}, "reference", id="no letters"),
        pytest.param({"reference": "NH0041"}, "reference", id="no hyphen"),
        pytest.param({"benefit_class": "money"}, "benefit_class", id="a class that is none"),
        pytest.param({"kpi": "unknown"}, "kpi", id="a KPI that is not there"),
        pytest.param({"claim_share": "101"}, "claim_share", id="more than the whole"),
        pytest.param({"full": "2024-12-31"}, "full", id="reached before it starts"),
        pytest.param({"last": "2025-06-14"}, "last", id="ends a day before it is reached"),
        pytest.param({"last": "2024-06-14"}, "last", id="ends before it starts"),
        pytest.param({"first": "2023-10-01"}, "baseline", id="no reading before the start"),
    ],
)
def test_what_does_not_fit_is_told_beside_its_field(session: Session, changed: dict[str, str], place: str):
    assert set(problems(session, **changed)) == {place}


def test_a_share_exactly_on_its_ends_fits(session: Session):
    for share in ("0.0001", "100"):
        given, found = read_registration(session, FORM | {"claim_share": share})
        assert found == []
        assert given is not None
        assert given.terms.claim_share == Decimal(share) / 100


def test_a_whole_form_is_read_as_it_was_meant(session: Session):
    given, found = read_registration(session, FORM | {"disbenefit": "yes"})

    assert found == []
    assert given is not None
    assert (given.reference, given.disbenefit, given.why) == ("NH-0100", True, "First approved case.")
    assert given.benefit_class is BenefitClass.NON_CASHABLE
    terms = given.terms
    assert (terms.ramp, terms.ramp_periods) == (Ramp.S_CURVE, 6)
    assert (terms.target, terms.unit_value, terms.claim_share) == (Decimal(6), Decimal(1250), Decimal("0.4"))
    assert (terms.baseline_first, terms.baseline_last) == (month("2024-01"), month("2024-12"))


def test_without_a_stated_baseline_it_is_that_of_the_year_before(session: Session):
    given, _ = read_registration(session, FORM)
    assert given is not None
    register_promise(session, given, by=EXECUTIVE, now=NOW, today=TODAY)

    row = register.promises(session, ["NH-0100"])["NH-0100"][0]
    points = register.points(session, [row.id or 0])[row.id or 0]
    assert {point.baseline for point in points.values()} == {Decimal(7)}


def test_a_registered_promise_is_approved_judged_and_has_its_project(session: Session):
    given, _ = read_registration(session, FORM)
    assert given is not None
    register_promise(session, given, by=EXECUTIVE, now=NOW, today=TODAY)

    row = session.get_one(BenefitRow, "NH-0100")
    project = session.get_one(ProjectRow, row.project)
    assert row.lifecycle is Lifecycle.APPROVED
    assert (project.name, project.programme) == ("Second desk", "flow")
    assert session.exec(select(VerdictRow).where(VerdictRow.benefit == "NH-0100")).first() is not None


def test_a_project_is_found_by_its_name_however_it_is_written(session: Session):
    given, _ = read_registration(
        session, FORM | {"programme": "FLOW PROGRAMME", "project": "discharge lounge"}
    )
    assert given is not None
    register_promise(session, given, by=EXECUTIVE, now=NOW, today=TODAY)

    assert session.get_one(BenefitRow, "NH-0100").project == "lounge"
    assert len(session.exec(select(ProgrammeRow)).all()) == 1


def test_a_project_belongs_to_one_programme(session: Session):
    given, _ = read_registration(session, FORM | {"programme": "Another", "project": "Discharge lounge"})
    assert given is not None

    with pytest.raises(ConflictError, match="belongs to another programme"):
        register_promise(session, given, by=EXECUTIVE, now=NOW, today=TODAY)


def test_a_claim_beside_others_names_them_and_what_is_left(session: Session):
    given, _ = read_registration(session, FORM | {"claim_share": "50.0001"})
    assert given is not None

    with pytest.raises(ConflictError, match=r"NH-0041 already claim.* 50% .* at most 50% is left"):
        register_promise(session, given, by=EXECUTIVE, now=NOW, today=TODAY)


@pytest.mark.parametrize(
    ("references", "following"),
    [
        pytest.param([], "NH-0042", id="after the newest"),
        pytest.param(["NH-0099"], "NH-0100", id="with as many digits"),
        pytest.param(["NH-9999"], "NH-10000", id="with one more where they are used up"),
    ],
)
def test_the_next_reference_is_offered(session: Session, references: list[str], following: str):
    for reference in references:
        add_benefit(session, reference)

    assert choices(session).next_reference == following


def test_days_are_read_as_the_periods_that_hold_them(session: Session):
    given, _ = read_registration(
        session, FORM | {"first": "2025-01-31", "full": "2025-02-01", "last": "2025-03-15"}
    )
    assert given is not None
    register_promise(session, given, by=EXECUTIVE, now=NOW, today=TODAY)

    row = register.promises(session, ["NH-0100"])["NH-0100"][0]
    assert (row.first, row.last, row.ramp_periods) == (date(2025, 1, 1), date(2025, 3, 1), 2)
