"""What pages say of one, of some and of none: the words follow the numbers."""

import pytest

from rmo.storage.database import transaction
from tests.web.conftest import Site
from tests.web.test_pages import sentence
from tests.world import EXECUTIVE, MEASURER, OWNER, add_benefit, add_kpi, month, promise


@pytest.mark.parametrize(
    ("days", "said"),
    [
        pytest.param(0, "Your one reading is in; you owe nothing.", id="none owed"),
        pytest.param(20, "You owe one reading, and it is not late.", id="one owed"),
        pytest.param(40, "You owe one reading, and it is late.", id="one late"),
        pytest.param(50, "You owe two readings, one of them late.", id="one of two late"),
        pytest.param(75, "You owe two readings, all of them late.", id="all late"),
    ],
)
def test_what_is_owed_is_said_in_words(site: Site, days: int, said: str):
    site.clock.on(days=days)

    assert sentence(site.browser(MEASURER).get("/readings").text) == said


@pytest.mark.parametrize("typed", ["6.00", "6", " 6.0 "])
def test_the_same_number_written_otherwise_is_nothing_new(site: Site, typed: str):
    site.clock.on(days=40)
    nurse = site.browser(MEASURER)
    nurse.post("/readings", data={f"stay.{month('2026-04')}": "6.0"})
    page = nurse.post("/readings", data={f"stay.{month('2026-04')}": typed}, follow_redirects=True)

    assert "There was nothing new to keep." in page.text
    assert "one correction" not in nurse.get("/kpis/stay").text


def test_the_register_counts_every_benefit_once(site: Site):
    with transaction(site.engine) as session:
        add_kpi(session, "delays", name="Delayed discharges")
        add_benefit(session, "NH-0042", title="Fewer delayed discharges")
        promise(session, "NH-0042", kpi="delays", first=month("2027-01"), last=month("2027-12"))

    assert sentence(site.browser().get("/benefits").text) == (
        "Of 2 benefits, one is on track or kept and one too early to judge."
    )
    assert sentence(site.browser().get("/benefits?q=stays").text) == (
        "One benefit is shown, and it is on track or kept."
    )
    assert "the register holds 2 benefits" in site.browser().get("/benefits?q=zebra").text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param("", "descending", id="at stake, the largest first"),
        pytest.param("?sort=at_stake&order=down", "ascending", id="turned round"),
        pytest.param("?sort=title", "ascending", id="by name"),
    ],
)
def test_a_sorted_column_says_which_way_it_runs(site: Site, query: str, shown: str):
    html = site.browser().get(f"/benefits{query}").text

    assert f'aria-sort="{shown}"' in html
    assert f"sorted {shown}" in html


def test_only_who_may_answer_or_register_is_asked_to(site: Site):
    site.clock.on(days=60)
    nurse = site.browser(MEASURER)
    for period, value in (("2026-04", "7.4"), ("2026-05", "7.5")):
        nurse.post("/readings", data={f"stay.{month(period)}": value})

    for email, asked in ((OWNER, True), (EXECUTIVE, True), (MEASURER, False)):
        who = site.browser(email)
        assert ("Give a reason and an action" in who.get("/gaps").text) == asked
        assert ("Answer this gap" in who.get("/benefits/NH-0041").text) == asked
        assert "Register a benefit" not in who.get("/benefits").text
    past = site.browser(OWNER).get(f"/gaps?as_of={site.clock().date()}").text
    assert "Give a reason and an action" not in past


def test_links_on_a_past_day_stay_on_that_day(site: Site):
    day = site.clock().date()
    html = site.browser().get(f"/benefits/NH-0041?as_of={day}").text

    assert f"/kpis/stay?as_of={day}" in html
    assert "As known on 14 April 2026" in html
