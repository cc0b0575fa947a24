"""A real browser before the real application: a small world for journeys, and the demo for what needs a portfolio."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from sqlalchemy.engine import Engine

from rmo.config import Settings
from rmo.web import create_app
from rmo.web.context import COOKIE
from tests.conftest import RUN_FOLDER, opened
from tests.live import SECRET, Demo, chromium, opened_demo, served, session_token
from tests.web.conftest import Clock, build_world


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the machine's own Chromium, or skip."""
    path = chromium()
    if path is None:
        pytest.skip("There is no Chromium on this machine; on Debian: apt-get install chromium.")
    return {**browser_type_launch_args, "executable_path": path}


@dataclass(frozen=True)
class Live:
    """The application at an address, and the clock that it goes by."""

    url: str
    engine: Engine
    now: Callable[[], Any]
    clock: Clock
    new_context: Callable[..., BrowserContext]

    def open(self, email: str = "", path: str = "/", **options: Any) -> Page:
        """Open a page in a browser of its own, signed in as somebody."""
        context = self.new_context(reduced_motion="reduce", **options)
        if email:
            token = session_token(self.engine, email, self.now)
            context.add_cookies([{"name": COOKIE, "value": token, "url": self.url}])
        page = context.new_page()
        page.goto(f"{self.url}{path}")
        return page


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Return what makes a browser with nothing kept in it; all are closed at the end."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        made.append(browser.new_context(**options))
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture(scope="session")
def world_file(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """Return the small world in a file that nobody has open."""
    path = tmp_path_factory.mktemp("world") / "world.db"
    shutil.copyfile(sqlite_template, path)
    with opened(f"sqlite:///{path}") as engine:
        build_world(engine)
    return path


@pytest.fixture
def live(world_file: Path, tmp_path: Path, new_context: Callable[..., BrowserContext]) -> Iterator[Live]:
    """Serve a copy of the small world."""
    shutil.copyfile(world_file, tmp_path / "rmo.db")
    clock = Clock()
    settings = Settings(organisation="Northshire Health")
    with opened(f"sqlite:///{tmp_path / 'rmo.db'}") as engine:
        app = create_app(engine, settings, secret_key=SECRET, clock=clock)
        with served(app) as url:
            yield Live(url, engine, clock, clock, new_context)


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    """Return a folder with the demo, built once for all workers of a run and left by everybody."""
    folder = Path(os.environ[RUN_FOLDER]) / "demo"
    folder.mkdir(exist_ok=True)
    with (folder.parent / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with opened_demo(folder):
            pass
    return folder


@pytest.fixture
def demo(
    demo_folder: Path, tmp_path: Path, new_context: Callable[..., BrowserContext]
) -> Iterator[tuple[Live, Demo]]:
    """Serve a copy of the demo."""
    folder = tmp_path / "demo"
    shutil.copytree(demo_folder, folder)
    with opened_demo(folder) as made, served(made.app) as url:
        yield Live(url, made.engine, made.clock, Clock(), new_context), made


def complaints_of(page: Page) -> list[str]:
    """Return what a page's console says is wrong, as it comes."""
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said
