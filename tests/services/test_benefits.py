"""Approving promises: the baseline that is frozen, what is refused, and what a re-baseline leaves alone."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session, select

from rmo.domain.errors import ConflictError
from rmo.domain.realisation import Money, total
from rmo.domain.values import EVERYTHING, Behaviour, Lifecycle, Ramp, Reading
from rmo.services.evaluation import atoms_of, evaluate
from rmo.storage import measures, register, verdicts
from rmo.storage.audit import revision
from rmo.storage.database import reading, transaction
from rmo.storage.tables import AuditRow, BenefitRow, KpiRow, PromisePointRow, PromiseRow, VerdictRow
from tests.world import (
    EXECUTIVE,
    NOW,
    TODAY,
    add_benefit,
    add_kpi,
    add_people,
    correct,
    give,
    month,
    months,
    promise,
)

REFERENCE = "NH-0041"
WINDOW: dict[str, Any] = {
    "baseline": None,
    "baseline_first": month("2024-01"),
    "baseline_last": month("2024-12"),
}
YEAR = months("2024-01", 12)


def lay(session: Session, **kpi: Any) -> None:
    add_people(session)
    add_kpi(session, **kpi)
    add_benefit(session)


def points(session: Session, version: int = 1) -> Sequence[PromisePointRow]:
    return session.exec(
        select(PromisePointRow)
        .join(PromiseRow)
        .where(PromiseRow.benefit == REFERENCE, PromiseRow.version == version)
        .order_by(PromisePointRow.period)  # type: ignore[arg-type]
    ).all()


def approved(session: Session, **terms: Any) -> PromiseRow:
    """Return a promise as it was approved."""
    promise(session, **terms)
    return register.promises(session, [REFERENCE])[REFERENCE][-1]


def money_of(session: Session) -> Money:
    return total(atoms_of(verdicts.atoms(session, [REFERENCE])[REFERENCE]))


def test_a_stated_baseline_is_taken_as_it_is(engine: Engine):
    with transaction(engine) as session:
        lay(session)
        row = approved(session, baseline=Decimal("7.25"), last=month("2025-03"))

        assert (row.baseline_method, row.baseline_spread) == ("stated", None)
        assert [(p.period, p.baseline) for p in points(session)] == [
            (period, Decimal("7.25")) for period in months("2025-01", 3)
        ]


def test_the_baseline_is_the_mean_of_the_windows_readings(sqlite_engine: Engine):
    values = [f"{7 + i / 10:.1f}" for i in range(12)]
    with transaction(sqlite_engine) as session:
        lay(session)
        give(session, {month("2023-12"): "99", **dict(zip(YEAR, values, strict=True)), month("2025-01"): "1"})
        row = approved(session, **WINDOW)

        assert points(session)[0].baseline == Decimal("7.55")
        assert row.baseline_method == "mean"
        assert row.baseline_spread == Decimal("0.345205253")


def test_holes_in_the_window_count_on_neither_side(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        give(session, {YEAR[0]: "6", YEAR[1]: None, YEAR[2]: "8"})

        approved(session, **WINDOW)

        assert points(session)[0].baseline == 7


def test_the_baseline_of_a_ratio_is_that_of_the_sums_never_a_mean_of_percentages(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session, behaviour=Behaviour.RATIO, per=Decimal(100), unit="%")
        given = [
            Reading(YEAR[0], Decimal(50), numerator=Decimal(1), denominator=Decimal(2)),
            Reading(YEAR[1], Decimal(10), numerator=Decimal(100), denominator=Decimal(1000)),
        ]
        measures.add_readings(session, "stay", given, now=NOW, known={})

        approved(session, **WINDOW)

        assert points(session)[0].baseline == Decimal("10.079840")


def test_the_baseline_of_a_running_total_is_the_mean_of_what_it_grew_by(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session, behaviour=Behaviour.CUMULATIVE)
        give(session, dict(zip([month("2023-12"), *YEAR[:3]], ["100", "110", "130", "160"], strict=True)))

        approved(session, **WINDOW)

        assert points(session)[0].baseline == 20


def test_a_seasonal_baseline_is_that_of_the_same_month_and_carries_the_planned_change(sqlite_engine: Engine):
    season = [10, 12, 8, 10, 10, 10, 10, 10, 10, 10, 10, 10]
    with transaction(sqlite_engine) as session:
        lay(session)
        earlier = dict(zip(months("2023-01", 12), [str(v - 1) for v in season], strict=True))
        give(session, earlier | dict(zip(YEAR, [str(v + 1) for v in season], strict=True)))
        window = WINDOW | {"baseline_first": month("2023-01")}
        row = approved(
            session, **window, seasonal=True, ramp=Ramp.STEP, target=Decimal(6), last=month("2025-12")
        )

        assert row.baseline_method == "seasonal"
        assert [p.baseline for p in points(session)] == season
        assert [p.baseline - p.planned for p in points(session)] == [4] * 12


def test_a_seasonal_baseline_needs_every_part_of_the_year(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        give(session, dict.fromkeys(YEAR[:11], "7"))

        with pytest.raises(ConflictError, match="every part of the year"):
            promise(session, **WINDOW, seasonal=True)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        pytest.param(WINDOW, "no reading in the baseline's window", id="an empty window"),
        pytest.param({"baseline": None}, "Give a baseline", id="neither a baseline nor a window"),
        pytest.param({"last": month("2024-12")}, "ends before it starts", id="the end is before the start"),
    ],
)
def test_terms_that_do_not_fit_are_refused_and_nothing_is_kept(sqlite_engine: Engine, terms, said):
    with transaction(sqlite_engine) as session:
        lay(session)
        with pytest.raises(ConflictError, match=said):
            promise(session, **terms)

    with reading(sqlite_engine) as session:
        assert not session.exec(select(PromiseRow)).all()
        assert session.get_one(BenefitRow, REFERENCE).lifecycle is Lifecycle.VALIDATED


def test_a_promise_of_one_period_is_long_enough(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        approved(session, first=date(2025, 1, 31), last=date(2025, 1, 2), ramp_periods=1)

        assert [(p.period, p.planned) for p in points(session)] == [(month("2025-01"), Decimal(6))]


@pytest.mark.parametrize(
    ("baseline", "target"),
    [
        pytest.param("0", "1", id="a twelfth has no end"),
        pytest.param("0.3", "-0.6", id="passing through nothing"),
        pytest.param("0", "0.000000000001", id="the smallest target"),
        pytest.param("1000000", "0.5", id="from far away"),
    ],
)
def test_any_path_can_be_kept(sqlite_engine: Engine, baseline: str, target: str):
    with transaction(sqlite_engine) as session:
        lay(session)
        approved(session, baseline=Decimal(baseline), target=Decimal(target), unit_value=None)

        planned = [p.planned for p in points(session)]

    assert planned[11:] == [Decimal(target)] * 13
    low, high = sorted((Decimal(baseline), Decimal(target)))
    assert all(low <= level <= high for level in planned)


def test_a_spread_of_any_size_can_be_kept(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        give(session, dict(zip(YEAR, ["0.00001", "0.00002", "0.00004"] * 4, strict=True)))

        row = approved(session, **WINDOW)

    assert row.baseline_spread == Decimal("0.000012472191")


@pytest.mark.parametrize(
    ("share", "fits"),
    [
        pytest.param("0.4", True, id="exactly the rest"),
        pytest.param("0.400001", False, id="a millionth more"),
        pytest.param("0.1", True, id="less than the rest"),
        pytest.param("1", False, id="everything"),
    ],
)
def test_claims_on_a_kpi_may_not_exceed_the_whole(sqlite_engine: Engine, share: str, fits: bool):
    with transaction(sqlite_engine) as session:
        lay(session)
        promise(session, claim_share=Decimal("0.35"))
        add_benefit(session, "NH-0042")
        promise(session, "NH-0042", claim_share=Decimal("0.25"))
        add_benefit(session, "NH-0043")
        if fits:
            promise(session, "NH-0043", claim_share=Decimal(share))
            return
        with pytest.raises(ConflictError) as refused:
            promise(session, "NH-0043", claim_share=Decimal(share))

    assert str(refused.value) == (
        "NH-0041 and NH-0042 already claim 60% of Mean length of stay; at most 40% is left to claim."
    )


def test_a_re_baseline_may_use_its_own_share_again(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        promise(session, claim_share=Decimal(1))

        row = approved(session, claim_share=Decimal("0.8"))

    assert (row.version, row.claim_share_ppm) == (2, 800_000)


def test_a_re_baseline_keeps_its_kpi(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        add_kpi(session, "waits", name="Waiting time")
        promise(session)

        with pytest.raises(ConflictError, match="another KPI is another benefit"):
            promise(session, kpi="waits")


@pytest.mark.parametrize(
    ("first", "fits"),
    [
        pytest.param("2025-05", False, id="before the newest proven period"),
        pytest.param("2025-06", True, id="at it"),
        pytest.param("2025-07", True, id="after it"),
    ],
)
def test_a_re_baseline_may_not_start_before_the_newest_proven_period(sqlite_engine: Engine, first, fits):
    with transaction(sqlite_engine) as session:
        lay(session)
        promise(session)
        give(session, dict.fromkeys([*YEAR, *months("2025-01", 6)], "6.9") | {month("2025-07"): None})
        if fits:
            assert approved(session, first=month(first)).version == 2
            return
        with pytest.raises(ConflictError, match="June 2025 is proven already"):
            promise(session, first=month(first))


def test_a_first_promise_may_start_in_periods_that_have_readings(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        give(session, dict.fromkeys(months("2025-01", 6), "6.9"))

        assert approved(session).version == 1


def test_a_re_baseline_is_a_line_of_its_own_and_the_first_promise_stands(engine: Engine):
    first_year = dict.fromkeys(months("2025-01", 12), "6.5")
    with transaction(engine) as session:
        lay(session)
        promise(session, ramp=Ramp.STEP)
        give(session, dict.fromkeys(YEAR, "7.0") | first_year)
        evaluate(session, now=NOW, today=TODAY)
        before = money_of(session)
        promise(
            session,
            first=month("2026-01"),
            ramp=Ramp.STEP,
            target=Decimal("6.5"),
            unit_value=Decimal(60),
            claim_share=Decimal("0.5"),
            tolerance=Decimal("0.5"),
        )
        evaluate(session, now=NOW + timedelta(days=1), today=TODAY)
        after = money_of(session)

    assert before.first_promise == after.first_promise == 24 * 100_00
    assert (before.rebaselined, after.rebaselined) == (0, -12 * (100_00 - 15_00))
    assert after.promised == 12 * 100_00 + 12 * 15_00
    assert after.realised == before.realised == 12 * 50_00
    assert before.shortfall_so_far == after.shortfall_so_far


def test_a_re_baseline_changes_no_verdict_about_an_earlier_period(sqlite_engine: Engine):
    first_year = {m: f"{7 - i / 30:.2f}" for i, m in enumerate(months("2025-01", 12))}
    with transaction(sqlite_engine) as session:
        lay(session)
        promise(session)
        give(session, dict(zip(YEAR, ["7.0", "7.1", "6.9"] * 4, strict=True)) | first_year)
        evaluate(session, now=NOW, today=TODAY)
        before = {row.period: row.id for row in session.exec(select(VerdictRow))}
        promise(
            session,
            first=month("2026-01"),
            last=month("2027-06"),
            target=Decimal("6.8"),
            ramp_periods=24,
            tolerance=Decimal("0.3"),
        )
        evaluate(session, now=NOW + timedelta(days=1), today=TODAY)
        newest = verdicts.verdicts(session, [REFERENCE])[REFERENCE]

    judged_again = {period for period, row in newest.items() if before.get(period) != row.id}
    assert {period.year for period in judged_again} <= {2026}
    assert len(before) > 12


def test_the_content_hash_tells_benefits_versions_and_terms_apart(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        first = approved(session, claim_share=Decimal("0.5"))
        add_benefit(session, "NH-0042")
        promise(session, "NH-0042", claim_share=Decimal("0.5"))
        other = register.promises(session, ["NH-0042"])["NH-0042"][0]
        changed = approved(session, claim_share=Decimal("0.5"), target=Decimal("6.1"))
        again = approved(session, claim_share=Decimal("0.5"), target=Decimal("6.1"))

    hashes = [row.content_hash for row in (first, other, changed, again)]
    assert len(set(hashes)) == 4
    assert all(len(text) == 64 for text in hashes)


def test_the_same_promise_has_the_same_content_hash_on_every_database(engine: Engine):
    with transaction(engine) as session:
        lay(session)
        row = approved(session)

    assert row.content_hash == "ce9fbc80b11266f69de11a92f47ef54a6d86f620809b28cabd0ccc6e4d55cc46"


def test_an_approval_is_on_the_trail_and_the_benefit_counts_from_then_on(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        before = revision(session)
        row = approved(session)
        benefit = register.benefit_by_reference(session, REFERENCE, scope=EVERYTHING)
        entry = session.exec(select(AuditRow).where(AuditRow.action == "approve promise")).one()

    assert (row.approved_by, row.why, row.known_at) == (EXECUTIVE, "First case", NOW)
    assert benefit.lifecycle is Lifecycle.APPROVED
    assert (entry.who, entry.subject, entry.why) == (EXECUTIVE, REFERENCE, "First case")
    assert revision_after(sqlite_engine) == before + 1


def revision_after(engine: Engine) -> int:
    with reading(engine) as session:
        return revision(session)


def test_a_reference_is_never_reused(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)

        with pytest.raises(ConflictError, match="never reused"):
            add_benefit(session)


def test_a_correction_of_the_windows_readings_leaves_the_frozen_baseline(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        lay(session)
        give(session, dict.fromkeys(YEAR, "7"))
        promise(session, **WINDOW)
    correct(sqlite_engine, YEAR[0], "19", at=NOW + timedelta(days=1))

    with reading(sqlite_engine) as session:
        assert {p.baseline for p in points(session)} == {Decimal(7)}
        assert session.get_one(KpiRow, "stay").slug == "stay"


def test_claims_that_never_meet_in_a_period_may_each_be_whole(sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        add_people(session)
        add_kpi(session)
        add_benefit(session, "NH-0041")
        add_benefit(session, "NH-0044")
        promise(session, "NH-0041", first=month("2025-01"), last=month("2025-12"))
        promise(session, "NH-0044", first=month("2026-01"), last=month("2026-12"))

        with pytest.raises(ConflictError, match="NH-0041 and NH-0044 already claim 100%"):
            add_benefit(session, "NH-0045")
            promise(
                session, "NH-0045", first=month("2025-06"), last=month("2026-06"), claim_share=Decimal("0.1")
            )
