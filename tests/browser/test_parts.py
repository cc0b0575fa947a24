"""Every part of the look in a real browser, under the policy that pages are served with."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),  # a plugin's
]


class Strict(SimpleHTTPRequestHandler):
    """Serves a folder under the strict policy, quietly."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_arguments: object) -> None:
        return


@pytest.fixture(scope="module")
def parts_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("parts")
    subprocess.run([sys.executable, ROOT / "tests/tools/gallery.py", "render", folder], check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Strict, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/parts.html"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_no_part_breaks_a_rule_of_accessibility(browser: Browser, parts_url: str, scheme: Any, width: int):
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(parts_url)
    results = Axe().run(page)
    context.close()
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("width", [320, 360, 820, 1280])
def test_nothing_scrolls_sideways_and_no_letter_in_a_chart_is_too_small(
    page: Page, parts_url: str, width: int
):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(parts_url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes: list[float] = page.evaluate(
        """() => [...document.querySelectorAll("svg.chart text")].filter((text) => text.getClientRects().length)
            .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"""
    )
    assert len(sizes) > 50
    assert min(sizes) >= 11.2 if width >= 360 else min(sizes) > 10


def test_a_chart_is_explored_without_breaking_the_policy(page: Page, parts_url: str, complaints: list[str]):
    page.goto(parts_url)
    assert page.locator("script[src*=plotly]").count() == 0
    page.get_by_role("button", name="Explore").click()
    expect(page.locator(".explorer .main-svg").first).to_be_visible()
    expect(page.get_by_role("button", name="Explore")).to_have_attribute("aria-expanded", "true")
    assert complaints == []


def paste(page: Page, cell: str, block: str) -> None:
    page.locator(cell).evaluate(
        """(input, block) => {
            const data = new DataTransfer();
            data.setData("text/plain", block);
            input.focus();
            input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        block,
    )


@pytest.mark.parametrize(
    ("block", "values"),
    [
        pytest.param("6.3\r\n2,110\r\n84\r\n", ["6.3", "2,110", "84"], id="a column with CRLF"),
        pytest.param('"6.3"\n"2""110"\n"84\nest"', ["6.3", '2"110', "84est"], id="quotes and line breaks"),
        pytest.param(
            "6.3\tnote\r\n\tnote\r\n84", ["6.3", "2,104", "84"], id="empty cells leave what is there"
        ),
    ],
)
def test_a_block_from_excel_fills_the_cells(page: Page, parts_url: str, block: str, values: list[str]):
    page.goto(parts_url)
    paste(page, "#r0", block)
    for number, value in enumerate(values):
        expect(page.locator(f"#r{number}")).to_have_value(value)
    expect(page.get_by_role("status").filter(has_text="Nothing is handed in yet")).to_be_visible()


def test_a_closed_cell_keeps_its_value_and_the_rest_is_counted(page: Page, parts_url: str):
    page.goto(parts_url)
    paste(page, "#r4", "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n")
    expect(page.locator("#r4")).to_have_value("Not applicable")
    expect(page.locator("#r5")).to_have_value("2")
    status = page.get_by_role("status").filter(has_text="filled")
    expect(status).to_have_text(
        "3 cells filled; 1 closed cell left alone; 2 values did not fit and were left out."
        " Nothing is handed in yet."
    )


def test_keys_move_between_cells(page: Page, parts_url: str):
    page.goto(parts_url)
    page.locator("#r0").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#r1")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#r2")).to_be_focused()
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#r0")).to_be_focused()


def test_the_page_reads_without_scripts(browser: Browser, parts_url: str):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(parts_url)
    expect(page.get_by_role("heading", level=1)).to_contain_text("£22.92m promised")
    expect(page.get_by_role("button", name="Explore")).to_have_count(0)
    context.close()
