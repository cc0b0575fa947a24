"""The demo's own feed over HTTP: it serves only what its clock has reached, as a real source would."""

import csv
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

DATA = Path(__file__).with_name("data")
GDP_PATH = "/v2/country/GBR/indicator/NY.GDP.MKTP.KN"
TAXI_PATH = "/taxi/daily"
PUBLISHED = (3, 1)  # a year's figure appears on 1 March of the next year
PER_PAGE = 50

Today = Callable[[], date]


@dataclass(frozen=True)
class Feed:
    """A feed that is being served."""

    url: str
    server: WSGIServer
    thread: threading.Thread

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def feed_app(today: Today) -> WSGIApplication:
    """Return the feed as a WSGI application that knows what `today` is."""
    years = json.loads((DATA / "worldbank_api_v2_gbr.json").read_text(encoding="utf-8"))[1]
    with (DATA / "nyc_taxi_daily.csv").open(newline="", encoding="utf-8") as file:
        days = [(date.fromisoformat(row["date"]), int(row["trips"])) for row in csv.DictReader(file)]

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        path = environ.get("PATH_INFO", "")
        answer: Any = {"error": f"There is no {path} here."}
        if path == GDP_PATH:
            answer = _world_bank(years, asked, today())
        elif path == TAXI_PATH:
            answer = _taxi(days, asked, today())
        status = "200 OK" if path in (GDP_PATH, TAXI_PATH) else "404 Not Found"
        start_response(status, [("Content-Type", "application/json; charset=utf-8")])
        return [json.dumps(answer).encode()]

    return app


def _world_bank(years: list[dict[str, Any]], asked: dict[str, str], today: date) -> list[Any]:
    """Answer as the World Bank does: newest year first, in pages, a message where a parameter is wrong."""
    try:
        page, per_page = int(asked.get("page", "1")), int(asked.get("per_page", str(PER_PAGE)))
    except ValueError:
        page = per_page = 0
    if page < 1 or per_page < 1:
        return [
            {
                "message": [
                    {
                        "id": "120",
                        "key": "Invalid value",
                        "value": "The provided parameter value is not valid",
                    }
                ]
            }
        ]
    out = [year for year in years if date(int(year["date"]) + 1, *PUBLISHED) <= today]
    pages = -(-len(out) // per_page)
    about = {"page": page, "pages": pages, "per_page": str(per_page), "total": len(out), "sourceid": "2"}
    return [about, out[(page - 1) * per_page : page * per_page]]


def _taxi(days: list[tuple[date, int]], asked: dict[str, str], today: date) -> dict[str, Any]:
    """Answer with the days that are over, from one day to another."""
    first, last = asked.get("from", ""), asked.get("to", "9999-12-31")
    newest = today - timedelta(days=1)
    return {
        "days": [
            {"date": day.isoformat(), "trips": trips}
            for day, trips in days
            if day <= newest and first <= day.isoformat() <= last
        ]
    }


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Take the address without asking a name server what it is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
        self.setup_environ()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a pull is logged where it is made."""


def serve_feed(today: Today, *, port: int = 0) -> Feed:
    """Serve the feed on this machine alone, on a free port, from a thread of its own."""
    server = make_server("127.0.0.1", port, feed_app(today), server_class=_Server, handler_class=_Silent)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="demo-feed", daemon=True
    )
    thread.start()
    return Feed(f"http://127.0.0.1:{server.server_port}", server, thread)
