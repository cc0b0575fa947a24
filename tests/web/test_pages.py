"""Every page answers with its sentence, and a reading by hand changes what it says."""

import re

import pytest

from tests.web.conftest import Site
from tests.world import EXECUTIVE, MEASURER, OWNER, month


def sentence(html: str) -> str:
    found = re.search(r'<h1 class="sentence">(.*?)</h1>', html, re.S)
    assert found, html[:500]
    return found[1].strip()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param(
            "/", "Of the £1,850 promised, £950 has arrived and £1,036 is still forecast", id="portfolio"
        ),
        pytest.param("/benefits", "One benefit is shown, and it is on track or kept", id="register"),
        pytest.param(
            "/benefits/NH-0041", "Mean length of stay fell from 7.00 to 6.00 days in March 2026", id="benefit"
        ),
        pytest.param("/kpis", "One KPI carries promises; every reading that is due is in", id="library"),
        pytest.param("/kpis/stay", "Mean length of stay stood at 6.00 days in March 2026", id="kpi"),
        pytest.param("/gaps", "No gap is open", id="gaps"),
        pytest.param("/readings", "You owe no readings", id="readings"),
    ],
)
def test_a_page_opens_with_its_sentence(site: Site, path: str, said: str):
    response = site.browser(EXECUTIVE).get(path)

    assert response.status_code == 200
    assert said in sentence(response.text)


def test_a_stranger_is_asked_to_sign_in(site: Site):
    response = site.app.test_client().get("/benefits/NH-0041")

    assert response.status_code == 302
    assert "/sign-in?next=" in response.location


def test_a_reading_by_hand_changes_the_sentence_and_its_correction_restores_it(site: Site):
    site.clock.on(days=30)
    nurse, chief = site.browser(MEASURER), site.browser(EXECUTIVE)
    nurse.post("/readings", data={f"stay.{month('2026-04')}": "6.0"})
    before = sentence(chief.get("/benefits/NH-0041").text)
    site.clock.on(hours=1)

    nurse.post("/readings", data={f"stay.{month('2026-04')}": "7.4"})
    between = sentence(chief.get("/benefits/NH-0041").text)
    at = site.clock().isoformat().replace("+00:00", "Z")
    site.clock.on(hours=1)
    nurse.post("/readings", data={f"stay.{month('2026-04')}": "6"})

    assert "7.40" in between
    assert sentence(chief.get("/benefits/NH-0041").text) == before
    assert sentence(chief.get(f"/benefits/NH-0041?as_of={at}").text) == between


def test_bad_cells_are_all_named_and_nothing_is_kept(site: Site):
    site.clock.on(days=70)
    nurse = site.browser(MEASURER)

    response = nurse.post(
        "/readings", data={f"stay.{month('2026-04')}": "84 (est)", f"stay.{month('2026-05')}": "6.1"}
    )

    assert response.status_code == 422
    assert "84 (est)" in response.text
    assert "is not a number" in response.text
    assert "6.10" not in site.browser(EXECUTIVE).get("/kpis/stay").text


def test_a_gap_is_answered_with_a_reason_and_an_action(site: Site):
    site.clock.on(days=60)
    nurse, owner = site.browser(MEASURER), site.browser(OWNER)
    nurse.post("/readings", data={f"stay.{month('2026-04')}": "7.4"})
    nurse.post("/readings", data={f"stay.{month('2026-05')}": "7.5"})

    refused = owner.post("/gaps/1", data={"reason": "", "action": "x", "owner": "", "due": "yesterday"})
    kept = owner.post(
        "/gaps/1",
        data={"reason": "Lifts broke", "action": "Repair", "owner": OWNER, "due": "2026-08-01"},
        follow_redirects=True,
    )

    assert refused.status_code == 422
    assert "Say the reason" in refused.text
    assert "Choose who acts" in refused.text
    assert "Lifts broke" in kept.text
    assert "Repair" in kept.text


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "9999-12-31T99:00", "' or 1=1"])
def test_a_day_that_is_none_is_refused_with_what_to_write(site: Site, text: str):
    response = site.browser(EXECUTIVE).get("/portfolio", query_string={"as_of": text})

    assert response.status_code == 400
    assert "write a day such as" in response.text


def test_an_unknown_benefit_is_a_page_not_a_trace(site: Site):
    response = site.browser(EXECUTIVE).get("/benefits/XX-1")

    assert response.status_code == 404
    assert "There is no benefit" in response.text
