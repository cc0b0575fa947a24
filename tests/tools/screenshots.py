"""Take the picture of every page and of the mails: light, dark, on a phone, and the portfolio on paper.

    python -m tests.tools.screenshots [--only WORD] [FOLDER]

It fails where a page answers otherwise than it should, scrolls sideways, or complains in the browser's console.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from pathlib import Path

from playwright.sync_api import Browser, Page, Response, sync_playwright
from sqlalchemy.engine import Engine

from rmo.config import Settings
from rmo.demo.portfolio import BY_HAND
from rmo.domain.values import EVERYTHING, DataState, Reading, Role, State
from rmo.services import kpis, people
from rmo.services.snapshot import Standing, take_snapshot
from rmo.storage import measures
from rmo.storage.database import open_engine, reading, transaction
from rmo.storage.migrate import migrate
from rmo.web import create_app, handbook
from rmo.web.context import COOKIE
from tests.live import REAL_NOW, SECRET, Demo, chromium, opened_demo, served, session_token

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"
EXECUTIVE, ANALYST, MEASURER = "executive@example.org", "analyst@example.org", "measurer@example.org"
OWNER, NURSE, FIRST = "operations@example.org", "nursing@example.org", "administrator@localhost"
LOOKS = (("light", 1280, "light"), ("dark", 1280, "dark"), ("360", 360, "light"))


def nothing(_page: Page) -> None:
    """Leave a page as it came."""


@dataclass(frozen=True)
class Shot:
    """One page to take a picture of: where it is, who looks, and what they do there first."""

    name: str
    path: str
    who: str = EXECUTIVE
    status: int = 200
    act: Callable[[Page], None] = nothing


@dataclass
class Album:
    """Where pictures go, and what is wrong with what was seen."""

    folder: Path
    faults: list[str] = field(default_factory=list)

    def take(self, page: Page, name: str, width: int) -> None:
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            self.faults.append(f"{name} scrolls sideways: {wide} px in {width}")
        tall = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": tall})  # or what sticks to the edge covers a row
        page.screenshot(path=self.folder / f"{name}.png", full_page=True, animations="disabled")


def main() -> None:
    """Take all pictures, and say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--only", default="", help="only pages with this word in their name")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    album = Album(given.folder)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rmo-pictures-")))
        demo = stack.enter_context(opened_demo(home))
        correct_a_reading(demo)
        empty = stack.enter_context(empty_installation(home))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium())
        stack.callback(browser.close)
        shots = [shot for shot in demo_shots(demo) if given.only in shot.name]
        photograph(album, browser, demo.engine, stack.enter_context(served(demo.app)), shots, demo.clock)
        firsts = [shot for shot in empty_shots() if given.only in shot.name]
        photograph(album, browser, empty[0], empty[1], firsts, lambda: REAL_NOW)
        if given.only in "mail":
            photograph_mails(album, browser, demo)
    for fault in album.faults:
        print(fault, file=sys.stderr)
    print(f"{len(list(given.folder.glob('*.png')))} pictures lie in {given.folder}")
    sys.exit(1 if album.faults else 0)


def correct_a_reading(demo: Demo) -> None:
    """Correct a reading as its measurer would, so that a page has something restated to show."""
    slug, _, measurer = BY_HAND
    now = demo.clock()
    with transaction(demo.engine) as session:
        readings = measures.readings(session, [slug])[slug]
        newest = readings[max(readings)]
        assert newest.numerator is not None and newest.denominator is not None
        counted = newest.numerator + 40
        value = Decimal(100) * counted / newest.denominator
        changed = Reading(newest.period, round(value, 6), numerator=counted, denominator=newest.denominator)
        kpis.record_reading(session, slug, changed, by=measurer, now=now, today=now.date())


@contextmanager
def empty_installation(home: Path) -> Iterator[tuple[Engine, str]]:
    """Serve an installation as it is after its first start."""
    engine = open_engine(f"sqlite:///{home / 'empty.db'}")
    migrate(engine)
    with transaction(engine) as session:
        people.add_person(
            session,
            email=FIRST,
            name="First administrator",
            position="Administrator",
            role=Role.ADMINISTRATOR,
            now=REAL_NOW,
            by="shell",
        )
    app = create_app(engine, Settings(), secret_key=SECRET, clock=lambda: REAL_NOW)
    with served(app) as url:
        yield engine, url
    engine.dispose()


def demo_shots(demo: Demo) -> list[Shot]:
    """Return every page of the demo, in each of its states."""
    slug = BY_HAND[0]
    with reading(demo.engine) as session:
        standings = take_snapshot(session, scope=EVERYTHING, now=demo.clock()).standings
    with transaction(demo.engine) as session:
        link = people.make_link(session, OWNER, now=demo.clock())
    with_gap = first(standings, State.OFF_TRACK)
    past = (demo.clock() - timedelta(days=12)).date()
    states = [
        *(s for s in State if any(standing.state is s for standing in standings)),
        *(d for d in (DataState.STALE, DataState.LATE) if any(standing.shown is d for standing in standings)),
    ]
    return [
        Shot("portfolio", "/"),
        Shot("portfolio-past", f"/?as_of={past}"),
        Shot("portfolio-next-month", "/", act=look_at_the_button),
        Shot("register", "/benefits"),
        Shot("register-past", f"/benefits?as_of={past}"),
        Shot("register-nothing", "/benefits?q=zebra&state=kept"),
        Shot("register-filtered", f"/benefits?state=off_track&owner={OWNER}"),
        *(Shot(f"benefit-{state}", f"/benefits/{first(standings, state)}") for state in states),
        Shot("benefit-without-money", f"/benefits/{first(standings, None)}"),
        Shot("benefit-explored", f"/benefits/{with_gap}", act=explore),
        Shot("benefit-past", f"/benefits/{with_gap}?as_of={past}"),
        Shot("benefit-unpromised", f"/benefits/{with_gap}?as_of=2001-01-01"),
        Shot("benefit-new", "/benefits/new", ANALYST),
        Shot("benefit-new-problems", "/benefits/new", ANALYST, 422, register_badly),
        Shot("kpis", "/kpis"),
        Shot("kpi-corrected", f"/kpis/{slug}"),
        Shot("kpi-source", "/kpis/ae_waits_kings"),
        Shot("kpi-daily", "/kpis/nyc_taxi_trips_day"),
        Shot("kpi-yearly", "/kpis/uk_gdp"),
        Shot("readings", "/readings", MEASURER),
        Shot("readings-problems", "/readings", MEASURER, 422, hand_in_badly),
        Shot("readings-none", "/readings"),
        Shot("gaps", "/gaps", ANALYST),
        Shot("gap-answer", "/gaps/1", ANALYST),
        Shot("gap-answer-problems", "/gaps/1", ANALYST, 422, answer_badly),
        Shot("office", "/office", ANALYST),
        Shot("office-problem", "/office", ANALYST, 422, add_nobody),
        Shot("help", "/help"),
        *(Shot(f"help-{name}", f"/help/{name}") for name in handbook.PAGES),
        Shot("menu", "/", ANALYST, act=open_menu),
        Shot("sign-in", "/sign-in", ""),
        Shot("sign-in-wrong", "/sign-in", "", 422, sign_in_wrongly),
        Shot("link", f"/sign-in/{link}", ""),
        Shot("link-used", "/sign-in/used", "", 410),
        Shot("error-404", "/benefits/NONE-1", status=404),
        Shot("error-404-address", "/nowhere", status=404),
        Shot("error-403", "/office", MEASURER, 403),
        Shot("error-400", "/benefits?as_of=yesterday", status=400),
    ]


def empty_shots() -> list[Shot]:
    """Return every page of an installation that has only just begun."""
    pages = ("/", "/portfolio", "/benefits", "/benefits/new", "/kpis", "/readings", "/gaps", "/office")
    return [Shot(f"empty{path.replace('/', '-').rstrip('-')}", path, FIRST) for path in pages]


def first(standings: list[Standing], shown: State | DataState | None) -> str:
    """Return a benefit in a state, or one without money."""
    for standing in standings:
        if (shown is None and not standing.has_money) or standing.shown == shown:
            return standing.benefit.reference
    raise LookupError(f"The demo has no benefit that is {shown}.")


def photograph(
    album: Album, browser: Browser, engine: Engine, url: str, shots: list[Shot], now: Callable[[], object]
) -> None:
    """Take the pictures of some pages in every look."""
    cookies = {
        who: session_token(engine, who, now)  # type: ignore[arg-type]
        for who in {shot.who for shot in shots if shot.who}
    }
    for look, width, scheme in LOOKS:
        for who in dict.fromkeys(shot.who for shot in shots):
            context = browser.new_context(
                viewport={"width": width, "height": 800},
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            if who:
                context.add_cookies([{"name": COOKIE, "value": cookies[who], "url": url}])
            for shot in shots:
                if shot.who == who:
                    page = context.new_page()
                    picture(album, page, url, shot, look, width)
                    page.close()
            context.close()


def picture(album: Album, page: Page, url: str, shot: Shot, look: str, width: int) -> None:
    """Take one picture, and note what is wrong with the page."""
    name = f"{shot.name}-{look}"
    answers: list[Response] = []
    page.on("response", lambda r: answers.append(r) if r.request.is_navigation_request() else None)
    page.on("pageerror", lambda error: album.faults.append(f"{name}: {error}"))
    page.on(
        "console",
        lambda said: (
            album.faults.append(f"{name}: {said.text}")
            if said.type in ("error", "warning") and not expected(said.text, shot.status)
            else None
        ),
    )
    page.goto(f"{url}{shot.path}")
    shot.act(page)
    if answers[-1].status != shot.status:
        album.faults.append(f"{name} answers {answers[-1].status} where {shot.status} was expected")
    album.take(page, name, width)
    if shot.name == "portfolio" and look == "light":
        on_paper(album, page)


def expected(text: str, status: int) -> bool:
    """Return whether the browser only says that the page is the error that was asked for."""
    return f"the server responded with a status of {status}" in text


def on_paper(album: Album, page: Page) -> None:
    """Print the CEO's page; it must fit on one sheet."""
    paper = page.pdf(path=album.folder / "portfolio.pdf", prefer_css_page_size=True, print_background=True)
    sheets = len(re.findall(rb"/Type\s*/Page\b", paper))
    if sheets != 1:
        album.faults.append(f"The portfolio takes {sheets} sheets of paper")


def photograph_mails(album: Album, browser: Browser, demo: Demo) -> None:
    """Take the pictures of the newest digest and the newest reminder."""
    newest: dict[str, str] = {}
    for file in sorted(demo.settings.mail_folder.glob("**/*.eml"), key=lambda path: path.stat().st_mtime):
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        body = message.get_body(("html",))
        if body is not None:
            newest["digest" if "gap" in str(message["subject"]).lower() else "reminder"] = body.get_content()
    for kind, html in newest.items():
        for width in (600, 360):
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": width, "height": 800},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                page.set_content(html)
                album.take(page, f"mail-{kind}-{width}-{scheme}", width)
                page.close()


def look_at_the_button(page: Page) -> None:
    """Put the focus where the demo goes on."""
    page.get_by_role("button", name="Next month").focus()


def explore(page: Page) -> None:
    """Let Plotly draw."""
    page.get_by_role("button", name="Explore").click()
    page.locator(".explorer .main-svg").first.wait_for()


def open_menu(page: Page) -> None:
    """Open what stands under the person's name, or the menu of a phone."""
    page.locator("header summary:visible").first.click()


def register_badly(page: Page) -> None:
    """Send the form for a new benefit with much missing."""
    page.get_by_label("Title").fill("Shorter stays on medical wards")
    page.get_by_label("Target", exact=True).fill("5,6o")
    page.get_by_label("Counts from").fill("2018-12-01")
    page.get_by_label("Promise ends on").fill("2018-02-01")
    page.get_by_role("button", name="Register").click()


def hand_in_badly(page: Page) -> None:
    """Hand in two readings that cannot be kept."""
    for field_, text in zip(
        page.locator("main input[data-r]").all()[:2], ("84 (est)", "12 / 0"), strict=False
    ):
        field_.fill(text)
    page.get_by_role("button", name="Hand in").click()


def answer_badly(page: Page) -> None:
    """Answer a gap with nothing but a day that has passed."""
    page.get_by_label("By when").fill("2018-01-01")
    page.get_by_role("button", name="Keep").click()


def add_nobody(page: Page) -> None:
    """Add a person without saying who."""
    page.get_by_role("button", name="Add").click()


def sign_in_wrongly(page: Page) -> None:
    """Sign in with a password that is wrong."""
    page.get_by_label("E-mail").fill("executive@example.org")
    page.get_by_label("Password").fill("not the right one")
    page.get_by_role("button", name="Sign in").click()


if __name__ == "__main__":
    main()
