"""The real application behind a real address, for browsers: the demo or any other, served from a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import which

from flask import Flask
from sqlalchemy.engine import Engine
from werkzeug.serving import WSGIRequestHandler, make_server

from rmo import demo
from rmo.config import Settings
from rmo.connectors import Reach
from rmo.demo.clock import DemoClock
from rmo.demo.feed import Feed, serve_feed
from rmo.mail.outbox import outbox_from
from rmo.scheduler.jobs import Tools
from rmo.services import people
from rmo.storage.database import open_engine, transaction
from rmo.storage.migrate import migrate
from rmo.web import DemoControls, create_app

REAL_NOW = datetime(2026, 4, 14, 8, 0, tzinfo=UTC)  # stands, so that the demo's clock does too
SECRET = "k" * 40


def chromium() -> str | None:
    """Return the machine's own browser, which needs no download."""
    return which("chromium") or which("chromium-browser") or which("google-chrome")


class Quiet(WSGIRequestHandler):
    """Answers without a line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on a free port and give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    serve = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serve.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serve.join()
        server.server_close()


@dataclass(frozen=True)
class Demo:
    """The demo in a folder, with its clock standing."""

    engine: Engine
    settings: Settings
    clock: DemoClock
    tools: Tools

    @property
    def app(self) -> Flask:
        """Return its application."""
        controls = DemoControls(demo.banner, lambda: demo.next_month(self.tools, self.clock))
        return create_app(self.engine, self.settings, secret_key=SECRET, clock=self.clock, demo=controls)


@contextmanager
def opened_demo(folder: Path) -> Iterator[Demo]:
    """Build the demo in a folder, or open the one that is there."""
    file = folder / "demo.db"
    new = not file.exists()
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    clock = DemoClock(engine, lambda: REAL_NOW)
    feed = serve_feed(lambda: clock().date())
    try:
        tools = demo_tools(engine, clock, folder, feed)
        if new:
            demo.build(tools, clock)
        yield Demo(engine, tools.settings, clock, tools)
    finally:
        feed.close()
        engine.dispose()


def demo_tools(engine: Engine, clock: DemoClock, folder: Path, feed: Feed) -> Tools:
    """Return what the demo's jobs work with: its feed, and a folder of mails."""
    settings = Settings(
        database_url=str(engine.url), organisation="Demo organisation", mail_folder=folder / "mail"
    )
    reach = Reach(
        folders=(demo.DATA,),
        hosts=(feed.url.removeprefix("http://"),),
        variables={"demo_feed": feed.url},
    )
    return Tools(engine=engine, settings=settings, now=clock, outbox=outbox_from(settings), reach=reach)


def session_token(engine: Engine, email: str, now: Callable[[], datetime]) -> str:
    """Return the cookie of somebody who has signed in."""
    with transaction(engine) as session:
        return people.start_session(session, email, now=now())
