"""Every page, in light and in dark: it breaks no rule of accessibility, fits its window, and its console is silent."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from rmo.demo.portfolio import BY_HAND
from tests.browser.conftest import Live, complaints_of
from tests.live import Demo

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),  # a plugin's
]
PAGES = {
    "analyst@example.org": (
        "/",
        "/benefits",
        "/benefits?q=zebra",
        "/benefits/DEM-0005",  # off track, with a gap
        "/benefits/DEM-0013",  # its feed is silent
        "/benefits/DEM-0014",  # without money
        "/benefits/DEM-0005?as_of=2001-01-01",  # not promised yet
        "/benefits/new",
        "/kpis",
        f"/kpis/{BY_HAND[0]}",
        "/gaps",
        "/gaps/1",
        "/office",
        "/nowhere",
        "/?as_of=yesterday",
    ),
    "measurer@example.org": ("/readings", "/help", "/help/numbers"),
    "": ("/sign-in", "/sign-in/none"),
}


@pytest.mark.parametrize("who", PAGES, ids=["the office", "a measurer", "a stranger"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_no_page_breaks_a_rule(demo: tuple[Live, Demo], who: str, scheme: Any, width: int):
    live, _ = demo
    page = live.open(who, "/static/mark.svg", color_scheme=scheme, viewport={"width": width, "height": 900})
    complaints = complaints_of(page)
    wrong = []
    for path in PAGES[who]:
        page.goto(f"{live.url}{path}")
        results = Axe().run(page)
        if results.violations_count:
            wrong.append(f"{path}: {results.generate_report()}")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{path} scrolls sideways")
        assert page.get_by_role("heading", level=1).count() == 1

    assert wrong == []
    assert [text for text in complaints if "responded with a status of 4" not in text] == []
