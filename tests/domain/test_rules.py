"""Each rule's findings, exactly on its line and beside it."""

from dataclasses import replace

import pytest

from rmo.domain.rules import LASTING, RULES, Position, findings
from rmo.domain.values import DataState, State

GOOD = Position(
    state=State.ON_TRACK,
    data=DataState.CURRENT,
    sentence="It stands at 6.0 days.",
    alarm=False,
    share_sum=1.0,
    claimants=(),
    kept_before=False,
    share_now=(1.0, 1.0, 1.0),
)
FULL = replace(GOOD, kept_before=True)


@pytest.mark.parametrize(
    ("position", "kinds"),
    [
        pytest.param(GOOD, set(), id="a promise that is kept has no finding"),
        pytest.param(replace(GOOD, state=State.OFF_TRACK), {"shortfall"}, id="off track"),
        pytest.param(replace(GOOD, state=State.BROKEN), {"shortfall"}, id="broken"),
        pytest.param(replace(GOOD, state=State.AT_RISK), set(), id="at risk is no gap yet"),
        pytest.param(replace(GOOD, state=State.TOO_EARLY), set(), id="too early"),
        pytest.param(replace(GOOD, state=State.NOT_STARTED), set(), id="not started"),
        pytest.param(replace(GOOD, state=State.KEPT), set(), id="kept"),
        pytest.param(replace(GOOD, state=None, data=DataState.STALE), {"stale_feed"}, id="a stale feed"),
        pytest.param(replace(GOOD, state=None, data=DataState.NONE), {"no_data"}, id="never a reading"),
        pytest.param(replace(GOOD, data=DataState.LATE), set(), id="a late reading is no gap"),
        pytest.param(replace(GOOD, data=DataState.NOT_DUE), set(), id="not due"),
        pytest.param(replace(GOOD, alarm=True), {"data_alarm"}, id="a slip in the feed"),
        pytest.param(replace(GOOD, share_sum=1.0 + 1e-9), set(), id="claims exactly on the whole"),
        pytest.param(replace(GOOD, share_sum=0.1 + 0.2 + 0.7), set(), id="claims that add up to it in float"),
        pytest.param(replace(GOOD, share_sum=1.000001), {"over_claim"}, id="claims a millionth above it"),
        pytest.param(replace(FULL, share_now=(0.4, 0.5, 0.4)), set(), id="faded to exactly a half"),
        pytest.param(replace(FULL, share_now=(0.4, 0.499, 0.4)), {"faded"}, id="faded to less than a half"),
        pytest.param(replace(FULL, share_now=(0.4, 0.9, 0.4)), set(), id="one good reading among the three"),
        pytest.param(replace(FULL, share_now=(0.1, 0.1)), set(), id="two low readings are not three"),
        pytest.param(replace(GOOD, share_now=(0.1, 0.1, 0.1)), set(), id="what never arrived cannot fade"),
        pytest.param(
            replace(FULL, share_now=(-1.0, -2.0, -1.5)), {"faded"}, id="worse than before the change"
        ),
        pytest.param(
            replace(FULL, state=State.OFF_TRACK, share_now=(0.1, 0.1, 0.1), share_sum=1.5, alarm=True),
            {"shortfall", "faded", "over_claim", "data_alarm"},
            id="everything at once",
        ),
    ],
)
def test_a_position_has_these_findings_and_no_others(position: Position, kinds: set[str]):
    assert set(findings(position)) == kinds


def test_a_finding_says_the_verdicts_sentence():
    for position in (
        replace(GOOD, state=State.OFF_TRACK),
        replace(GOOD, state=None, data=DataState.STALE),
        replace(GOOD, state=None, data=DataState.NONE),
        replace(FULL, share_now=(0.0, 0.0, 0.0)),
    ):
        (finding,) = findings(position).values()
        assert GOOD.sentence in finding.words


def test_an_over_claim_says_by_how_much_and_who_else_claims():
    finding = findings(replace(GOOD, share_sum=1.25, claimants=("NH-0042", "NH-0044")))["over_claim"]

    assert "125%" in finding.words
    assert "NH-0042 and NH-0044" in finding.words


def test_every_kind_of_finding_comes_from_one_rule_and_lasting_ones_are_among_them():
    worst = replace(
        FULL, state=State.BROKEN, data=DataState.STALE, share_now=(0, 0, 0), share_sum=2.0, alarm=True
    )
    kinds = [finding.kind for rule in RULES if (finding := rule(worst)) is not None]

    assert len(set(kinds)) == len(kinds)
    assert set(kinds) >= LASTING
