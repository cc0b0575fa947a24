"""What people come to do, as they do it: found by role and label, in a real browser, under the strict policy."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import Session, col, select

from rmo.domain.values import Role
from rmo.services import people
from rmo.storage.database import transaction
from rmo.storage.tables import ReadingRow
from tests.browser.conftest import Live, complaints_of
from tests.live import Demo
from tests.world import EXECUTIVE, MEASURER, OWNER, add_kpi, month

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),  # a plugin's
]
PASSWORD = "a long enough password"
ANALYST = "analyst@example.org"
STAY = "Mean length of stay"
BENEFIT = "/benefits/NH-0041"


def sentence(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def cell(page: Page, label: str):
    return page.get_by_role("textbox", name=f"{STAY}, {label}")


def paste(page: Page, block: str) -> None:
    """Paste into the field that has the focus, as from a spreadsheet."""
    page.evaluate(
        """(block) => {
            const data = new DataTransfer();
            data.setData("text/plain", block);
            document.activeElement.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        block,
    )


def test_a_link_is_looked_at_often_and_used_once(live: Live):
    with transaction(live.engine) as session:
        path = f"/sign-in/{people.make_link(session, EXECUTIVE, now=live.now())}"
    page = live.open(path=path)
    page.reload()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("£1,850 promised")

    again = live.open(path=path)

    expect(again.get_by_role("heading", level=1)).to_have_text(
        "This link was used already, or is older than a day."
    )
    expect(again.get_by_role("button", name="Sign in")).to_have_count(0)


def test_a_password_that_is_wrong_is_told_and_the_right_one_leads_on(live: Live):
    with transaction(live.engine) as session:
        people.set_password(session, EXECUTIVE, PASSWORD, now=live.now(), by="test")
    page = live.open(path="/kpis/stay")
    page.get_by_label("E-mail address").fill(EXECUTIVE)
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("E-mail address")).to_have_value(EXECUTIVE)

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(f"{live.url}/kpis/stay")
    page.locator(".who summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{live.url}/kpis/stay")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Every promise")


def test_an_executive_goes_from_the_portfolio_to_the_readings_behind_a_gap(demo: tuple[Live, Demo]):
    live, _ = demo
    page = live.open("executive@example.org")
    complaints = complaints_of(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("promised")
    worst = page.get_by_role("table").filter(has_text="At stake").get_by_role("rowheader").first
    title = worst.get_by_role("link").inner_text()
    worst.get_by_role("link").click()
    expect(page.get_by_text(title, exact=True).first).to_be_visible()
    expect(page.get_by_role("link", name="Answer this gap").first).to_be_visible()

    page.get_by_role("button", name="Explore").click()
    expect(page.locator(".explorer .main-svg").first).to_be_visible()
    page.get_by_text("The numbers as a table").click()
    expect(page.get_by_role("columnheader", name="Promised").first).to_be_visible()
    page.get_by_role("link", name="Readings behind this page").click()

    expect(page.get_by_text("Assurance")).to_be_visible()
    assert complaints == []


def test_readings_pasted_with_slips_come_back_whole_and_once_right_change_the_verdict(live: Live):
    live.clock.on(days=75)
    before = sentence(live.open(EXECUTIVE, BENEFIT))
    page = live.open(MEASURER, "/")
    expect(page).to_have_url(f"{live.url}/readings")
    assert sentence(page) == "You owe two readings, all of them late."
    cell(page, "Apr 2026").focus()
    paste(page, "7.4 (est)\r\n7,5x\r\n")
    expect(page.get_by_role("status").filter(has_text="Nothing is handed in yet")).to_be_visible()
    page.get_by_role("button", name="Hand in").click()

    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("two cells need you")
    expect(summary).to_be_focused()
    expect(cell(page, "Apr 2026")).to_have_value("7.4 (est)")
    expect(cell(page, "May 2026")).to_have_attribute("aria-invalid", "true")
    assert sentence(live.open(EXECUTIVE, BENEFIT)) == before
    summary.get_by_role("link").first.click()
    expect(cell(page, "Apr 2026")).to_be_focused()

    page.keyboard.press("Control+a")
    page.keyboard.type("7.4")
    page.keyboard.press("Enter")
    page.keyboard.type("7.5")
    page.get_by_role("button", name="Hand in").click()

    expect(page.get_by_role("status").first).to_contain_text("Two readings are kept")
    changed = sentence(live.open(EXECUTIVE, BENEFIT))
    assert changed != before
    assert "7.50 days" in changed


def test_a_correction_restores_the_sentence_and_a_past_day_still_shows_what_was_known(live: Live):
    live.clock.on(days=40)
    nurse = live.open(MEASURER, "/readings")
    cell(nurse, "Apr 2026").fill("6.0")
    nurse.get_by_role("button", name="Hand in").click()
    right = sentence(live.open(EXECUTIVE, BENEFIT))
    live.clock.on(days=1)
    nurse = live.open(MEASURER, "/readings")
    cell(nurse, "Apr 2026").fill("7.4")
    nurse.get_by_role("button", name="Hand in").click()
    wrong, day = sentence(live.open(EXECUTIVE, BENEFIT)), live.clock().date()
    live.clock.on(days=1)
    nurse = live.open(MEASURER, "/readings")
    cell(nurse, "Apr 2026").fill("6.0")
    nurse.get_by_role("button", name="Hand in").click()
    expect(nurse.get_by_role("status").first).to_contain_text("One reading is kept")

    page = live.open(EXECUTIVE, BENEFIT)
    assert sentence(page) == right
    expect(page.locator("del").filter(has_text="7.40").first).to_be_visible()
    page.locator(".pick summary").click()
    page.get_by_label("As known on").fill(day.isoformat())
    page.get_by_role("button", name="Show that day").click()

    assert sentence(page) == wrong
    expect(page.get_by_role("complementary", name="As known on a past day")).to_contain_text("25 May 2026")
    page.get_by_role("link", name="Back to today").click()
    assert sentence(page) == right


def test_an_owner_answers_a_gap_and_the_office_sees_who_acts(live: Live):
    live.clock.on(days=75)
    nurse = live.open(MEASURER, "/readings")
    cell(nurse, "Apr 2026").fill("7.4")
    cell(nurse, "May 2026").fill("7.5")
    nurse.get_by_role("button", name="Hand in").click()
    expect(nurse.get_by_role("status").first).to_contain_text("are kept")
    page = live.open(OWNER, "/gaps")
    page.get_by_role("link", name="Give a reason and an action").first.click()
    page.get_by_label("Reason").fill("The lifts were out of order for six weeks.")
    page.get_by_role("button", name="Keep reason and action").click()
    expect(page.get_by_role("alert")).to_contain_text("three fields need you")
    expect(page.get_by_label("Reason")).to_have_value("The lifts were out of order for six weeks.")

    page.get_by_label("Action").fill("Repair both lifts")
    page.get_by_label("Who acts").select_option(label="Head of patient flow")
    page.get_by_label("By when").fill("2026-09-01")
    page.get_by_role("button", name="Keep reason and action").click()

    expect(page.get_by_role("status").first).to_have_text("Your reason and action are kept.")
    chief = live.open(EXECUTIVE)
    expect(chief.get_by_role("row").filter(has_text="Repair both lifts")).to_contain_text("1 Sep")


def test_an_analyst_registers_a_benefit_after_its_problems_are_told(live: Live):
    with transaction(live.engine) as session:
        people.add_person(
            session,
            email=ANALYST,
            name="Analyst",
            position="RMO analyst",
            role=Role.ANALYST,
            now=live.now(),
            by="test",
        )
        add_kpi(session, "delays", name="Delayed discharges", unit="patients a day")
    page = live.open(ANALYST, "/benefits")
    page.get_by_role("link", name="Register a benefit").click()
    page.get_by_label("Title").fill("Fewer delayed discharges")
    page.get_by_label("Target", exact=True).fill("5,9x")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_contain_text("need you")
    expect(page.get_by_label("Title")).to_have_value("Fewer delayed discharges")
    expect(page.get_by_label("Target", exact=True)).to_have_attribute("aria-invalid", "true")

    page.get_by_label("Programme").fill("Flow programme")
    page.get_by_label("Project").fill("Discharge hub")
    page.get_by_label("Owner").select_option(label="Director of operations")
    page.get_by_label("KPI", exact=True).select_option(label="Mean length of stay, days")
    page.get_by_label("Target", exact=True).fill("5.8")
    page.get_by_label("Counts from").fill("2026-05-01")
    page.get_by_label("Target reached on").fill("2026-12-31")
    page.get_by_label("Promise ends on").fill("2027-04-30")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_contain_text("NH-0041")  # its claim leaves nothing for another
    page.get_by_label("KPI", exact=True).select_option(label="Delayed discharges, patients a day")
    page.get_by_label("Baseline").fill("90")
    page.get_by_role("button", name="Register").click()

    expect(page.get_by_role("status").first).to_contain_text("NH-0042 is registered")
    expect(page.get_by_role("heading", level=1)).to_contain_text("May 2026")


def test_the_demo_goes_on_by_a_month_and_says_what_happened(demo: tuple[Live, Demo]):
    live, made = demo
    page = live.open("executive@example.org")
    about = page.get_by_role("complementary", name="About this demo")
    expect(about).to_contain_text("17 October 2018")
    mails = len(list(made.settings.mail_folder.glob("**/*.eml")))
    page.get_by_role("button", name="Next month").click()

    expect(page.get_by_role("status").first).to_contain_text("It is 17 November 2018")
    expect(about).to_contain_text("17 November 2018")
    assert len(list(made.settings.mail_folder.glob("**/*.eml"))) > mails


def test_a_person_chooses_light_or_dark_and_keeps_it(live: Live):
    page = live.open(OWNER, "/kpis", color_scheme="light")
    light = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    page.locator(".who summary").click()
    page.get_by_role("button", name="Dark").click()

    expect(page.locator("body")).not_to_have_css("background-color", light)
    expect(page).to_have_url(f"{live.url}/kpis")
    other = live.open(OWNER, "/gaps", color_scheme="light")
    expect(other.locator("body")).not_to_have_css("background-color", light)
    page.locator(".who summary").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="As the device").click()
    expect(page.locator("body")).to_have_css("background-color", light)


def test_a_form_sent_twice_keeps_one_reading(live: Live):
    live.clock.on(days=40)
    first, second = live.open(MEASURER, "/readings"), live.open(MEASURER, "/readings")
    for page, told in ((first, "One reading is kept"), (second, "There was nothing new to keep.")):
        cell(page, "Apr 2026").fill("6.0")
        page.get_by_role("button", name="Hand in").click()
        expect(page.get_by_role("status").first).to_contain_text(told)

    with Session(live.engine) as session:
        rows = session.exec(select(ReadingRow).where(col(ReadingRow.period) == month("2026-04"))).all()
    assert len(rows) == 1


def test_all_of_it_works_without_scripts(live: Live):
    live.clock.on(days=40)
    page = live.open(MEASURER, "/readings", java_script_enabled=False)
    cell(page, "Apr 2026").fill("6,0x")
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("alert")).to_contain_text("one cell needs you")
    cell(page, "Apr 2026").fill("6.0")
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("status").first).to_contain_text("One reading is kept")

    page.get_by_role("link", name="Benefits").first.click()
    page.get_by_label("Words").fill("zebra")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No benefit fits these filters.")
    page.goto(f"{live.url}{BENEFIT}")
    expect(page.get_by_role("img", name=re.compile("the promise and the readings")).first).to_be_visible()
    expect(page.get_by_role("button", name="Explore")).to_have_count(0)
    page.get_by_text("The numbers as a table").click()
    expect(page.get_by_role("cell", name="6.00").first).to_be_visible()
