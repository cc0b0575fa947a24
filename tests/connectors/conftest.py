"""A real web server on this machine that answers as badly as a test wants."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

JSON = "application/json"


@dataclass
class Web:
    """A server; `answers` holds what each path gives: bytes, or a function that writes its own answer."""

    url: str
    host: str
    stop: threading.Event
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def give(self, path: str, body: bytes, *, status: int = 200, kind: str = JSON, **headers: str) -> str:
        """Answer a path and return its address."""

        def write(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Type", kind)
            handler.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        return self.do(path, write)

    def do(self, path: str, write: Callable[[BaseHTTPRequestHandler], None]) -> str:
        """Let a function write the answer to a path, and return its address."""
        self.answers[path] = write
        return self.url + path

    def stall(self, path: str) -> str:
        """Take a question and say nothing until the test is over."""
        return self.do(path, lambda handler: void(self.stop.wait(30)))

    def drip(self, path: str) -> str:
        """Answer a byte at a time, without end."""

        def write(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", JSON)
            handler.end_headers()
            while not self.stop.wait(0.02):
                handler.wfile.write(b" ")

        return self.do(path, write)


def void(_: object) -> None:
    """Throw a result away."""


@contextmanager
def serving() -> Iterator[Web]:
    """Serve until the end of a block."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            write = served.answers.get(self.path) or served.answers.get(self.path.partition("?")[0])
            try:
                if write is None:
                    self.send_error(404)
                else:
                    write(self)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the one who asked had enough

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    host = f"127.0.0.1:{server.server_port}"
    served = Web(f"http://{host}", host, stop)
    try:
        yield served
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    """Give a web server of this test's own."""
    with serving() as served:
        yield served


@pytest.fixture
def other_web() -> Iterator[Web]:
    """Give a second server, another host to the one who asks."""
    with serving() as served:
        yield served
