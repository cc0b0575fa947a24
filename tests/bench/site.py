"""A real rmo process to measure: started as a person would, signed in by the link that it prints."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

PATIENCE = 60.0  # seconds that a process may take to answer


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(
    *arguments: str, folder: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a Python command in a folder, its output to a file there, and end it after."""
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | (environment or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        except Exception:
            print((folder / "output").read_text(), file=sys.stderr)
            raise
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=PATIENCE)


def answers(port: int, path: str, process: subprocess.Popen[str]) -> None:
    """Wait until an address answers with a page."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if get(port, path)[0] == 200:
                return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} does not answer.")


def get(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers or {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def link_for(position: str, folder: Path) -> str:
    """Return the path of the sign-in link that the demo printed for a position."""
    found = re.search(rf"^  {position} +http://[^/]+(/sign-in/\S+)$", (folder / "output").read_text(), re.M)
    assert found, (folder / "output").read_text()
    return found[1]


def sign_in(port: int, path: str) -> str:
    """Use a link as a browser would and return the cookies of the session."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path)
    page = connection.getresponse()
    cookies = _cookies(page)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
    assert token
    form = urlencode({"csrf_token": token[1]})
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, body=form, headers=headers)
    opened = connection.getresponse()
    opened.read()
    assert opened.status == 303, opened.status
    connection.close()
    return f"{cookies}; {_cookies(opened)}"


def _cookies(response: http.client.HTTPResponse) -> str:
    return "; ".join(cookie.partition(";")[0] for cookie in response.headers.get_all("Set-Cookie", []))
