"""The shell: every command, what it says when something is wrong, and what it leaves alone."""

import http.cookiejar
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import select

from rmo import __version__, cli
from rmo.domain.values import Role
from rmo.paths import data_folder
from rmo.scheduler import jobs
from rmo.services import people
from rmo.services.evaluation import evaluate
from rmo.services.people import SHORTEST_PASSWORD
from rmo.storage import measures
from rmo.storage.database import reading, transaction
from rmo.storage.tables import BenefitRow, DeliveryRow, KpiRow, PersonRow, RunRow, VerdictRow
from tests.conftest import opened
from tests.processes import ROOT, until
from tests.shell import environment, rmo, rmo_running
from tests.world import NOW, TODAY, add_benefit, add_kpi, add_people, give, months, promise

CALLS = """\
name: Calls answered
unit: calls
direction: up
frequency: month
behaviour: flow
source: {connector: csv_file, options: {path: calls.csv}}
"""
BY_HAND = "name: Visits\nunit: visits\ndirection: up\nfrequency: month\nbehaviour: flow\n"


@dataclass(frozen=True)
class Said:
    """What a command said, and the code with which it ended."""

    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sqlite_url: str, tmp_path: Path
) -> Iterator[Call]:
    """Return a function that runs a command in this process: in the test's folder, on a migrated SQLite file."""
    opened = []
    real = cli.open_database

    def open_database(chosen):
        opened.append(real(chosen))
        return opened[-1]

    def run(*arguments: str, **given: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["rmo", *arguments])
        with monkeypatch.context() as inner:
            for name, value in given.items():
                inner.setenv(f"RMO_{name}", value)
            try:
                cli.main()
                code = 0
            except SystemExit as leaving:
                code = int(leaving.code or 0)
        return Said(code, *capsys.readouterr())

    monkeypatch.setattr(cli, "open_database", open_database)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kpis").mkdir()
    monkeypatch.setenv("RMO_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("RMO_KPI_DEFINITIONS", str(tmp_path / "kpis"))
    monkeypatch.setenv("RMO_SOURCE_FOLDERS", json.dumps([str(tmp_path)]))
    yield run
    for engine in opened:
        engine.dispose()


def define(folder: Path, **files: str) -> None:
    for slug, text in files.items():
        (folder / "kpis" / f"{slug}.yaml").write_text(text, encoding="utf-8")


def kept(engine: Engine, slug: str) -> dict[str, str]:
    with reading(engine) as session:
        return {str(day): f"{row.value:f}" for day, row in measures.readings(session, [slug])[slug].items()}


def slugs(engine: Engine) -> dict[str, bool]:
    with reading(engine) as session:
        return {row.slug: row.retired_at is None for row in session.exec(select(KpiRow))}


# What a command costs, and wrong calls


def test_the_version_is_told_without_loading_what_takes_long():
    told = "import sys; from rmo.cli import main\ntry: main()\nfinally: print(*sorted(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", told, "--version"], env=environment(), capture_output=True, text=True, cwd=ROOT
    )

    version, modules = done.stdout.splitlines()
    assert version == f"rmo, version {__version__}"
    slow = {"flask", "sqlalchemy", "numpy", "pydantic", "sqlmodel", "alembic", "apscheduler", "rmo.web"}
    assert not slow & set(modules.split())


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["fly"], id="no such command"),
        pytest.param(["run", "--port", "99999"], id="no such port"),
        pytest.param(["worker", "--once", "dance"], id="no such job"),
        pytest.param(["person", "add"], id="no address"),
        pytest.param(["person", "add", "a@example.org", "--position", "Boss", "--role", "king"], id="no such role"),
        pytest.param(["check", "--colour"], id="no such option"),
    ],
)  # fmt: skip
def test_a_wrong_call_ends_with_2_and_says_what_is_wrong(call: Call, arguments: list[str]):
    said = call(*arguments)

    assert said.code == 2
    assert "Error" in said.err or "Usage" in said.err


def test_help_names_every_command(call: Call):
    said = call("--help")

    assert said.code == 0
    for command in (
        "run",
        "serve",
        "worker",
        "demo",
        "check",
        "pull",
        "evaluate",
        "person",
        "migrate",
        "analyse",
    ):
        assert f"\n  {command}" in said.out


# Definitions


def test_the_shipped_definitions_are_right(call: Call):
    said = call("check", str(data_folder("kpi_definitions")))

    assert (said.code, said.err) == (0, "")
    assert re.fullmatch(r"\d+ definitions are right\.\n", said.out)


def test_a_broken_definition_is_named_with_file_line_and_remedy(call: Call, tmp_path: Path):
    define(tmp_path, calls=CALLS.replace("up", "sideways"), visits=BY_HAND.replace("unit: visits\n", ""))

    said = call("check")

    assert said.code == 1
    assert said.err.splitlines() == [
        "calls.yaml:3: direction is 'sideways'; write up, down or range.",
        "visits.yaml:1: unit is missing; add a line `unit: …`.",
        "rmo: 2 mistakes found.",
    ]


def test_a_folder_of_definitions_that_is_not_there_is_said(call: Call):
    said = call("check", "nowhere")

    assert said.code == 1
    assert "nowhere: This folder is not there; create it" in said.err


def test_check_changes_nothing_unless_it_is_told_to(call: Call, sqlite_engine: Engine, tmp_path: Path):
    define(tmp_path, calls=CALLS)

    assert call("check").code == 0
    assert slugs(sqlite_engine) == {}
    assert call("check", "--apply").code == 0
    assert slugs(sqlite_engine) == {"calls": True}


def test_the_examples_are_the_demo_s_alone(call: Call, sqlite_engine: Engine):
    assert call("check", "--apply", KPI_DEFINITIONS=str(data_folder("kpi_definitions"))).code == 0

    assert slugs(sqlite_engine) == {}


def applied(call: Call) -> Said:
    """Apply the definitions as `rmo run` does at its start: what is broken is told, and stops no other."""
    said = call("migrate")
    assert said.code == 0
    chosen = cli.settings()
    engine = cli.open_database(chosen)
    cli.apply_definitions(engine, chosen)
    return said


def test_a_broken_file_does_not_stop_the_others_and_retires_nothing(
    call: Call, sqlite_engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    define(tmp_path, calls=CALLS, old=BY_HAND)
    call("check", "--apply")
    define(tmp_path, calls="name: [", visits=BY_HAND)
    (tmp_path / "kpis" / "old.yaml").unlink()

    applied(call)

    assert slugs(sqlite_engine) == {"calls": True, "old": False, "visits": True}
    assert "calls.yaml:1: " in capsys.readouterr().err


def test_a_folder_that_is_away_for_a_moment_retires_nothing(
    call: Call, sqlite_engine: Engine, tmp_path: Path
):
    define(tmp_path, calls=CALLS)
    call("check", "--apply")
    shutil.rmtree(tmp_path / "kpis")

    applied(call)

    assert slugs(sqlite_engine) == {"calls": True}


def test_a_slice_is_kept_whose_name_comes_before_that_of_its_whole(
    call: Call, sqlite_engine: Engine, tmp_path: Path
):
    define(tmp_path, a_slice=f"{BY_HAND}part_of: whole\n", whole=BY_HAND)

    assert call("check", "--apply") == Said(0, "2 definitions are right.\n", "")
    assert slugs(sqlite_engine) == {"a_slice": True, "whole": True}


def test_slices_of_each_other_are_refused_in_a_sentence(call: Call, sqlite_engine: Engine, tmp_path: Path):
    define(tmp_path, one=f"{BY_HAND}part_of: other\n", other=f"{BY_HAND}part_of: one\n")

    said = call("check", "--apply")

    assert slugs(sqlite_engine) == {}
    assert "one.yaml: It is part of other; mend that file first." in said.err


# Pulling and judging


def test_pull_brings_readings_once_and_tells_how_many(call: Call, sqlite_engine: Engine, tmp_path: Path):
    define(tmp_path, calls=CALLS)
    call("check", "--apply")
    (tmp_path / "calls.csv").write_text("date,value\n2025-01-01,10\n2025-02-01,20\n")
    first, second = call("pull"), call("pull", "calls")
    (tmp_path / "calls.csv").write_text("date,value\n2025-01-01,10\n2025-02-01,21\n")
    third = call("pull", "--json")

    assert first == Said(0, "calls: 2 new, 0 corrected, 0 as before\n", "")
    assert second == Said(0, "calls: 0 new, 0 corrected, 2 as before\n", "")
    [pulled] = json.loads(third.out)["pulled"]
    assert (pulled["kpi"], pulled["written"], pulled["corrected"]) == ("calls", 0, 1)
    assert kept(sqlite_engine, "calls") == {"2025-01-01": "10", "2025-02-01": "21"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        pytest.param("2025-01-01,ten", "ten", id="a text in a number"),
        pytest.param("2025-01-01,1\n2025-01-15,2", "2025", id="two readings for one period"),
    ],
)
def test_a_bad_feed_is_said_keeps_nothing_and_stops_no_other(
    call: Call, sqlite_engine: Engine, tmp_path: Path, rows: str, told: str
):
    define(tmp_path, calls=CALLS, visits=CALLS.replace("calls.csv", "visits.csv"))
    call("check", "--apply")
    (tmp_path / "calls.csv").write_text(f"date,value\n2025-02-01,5\n{rows}\n")
    (tmp_path / "visits.csv").write_text("date,value\n2025-01-01,7\n")

    said = call("pull")

    assert said.code == 1
    first, second = said.out.splitlines()
    assert first.startswith("calls: ")
    assert told in first
    assert second == "visits: 1 new, 0 corrected, 0 as before"
    assert (kept(sqlite_engine, "calls"), kept(sqlite_engine, "visits")) == ({}, {"2025-01-01": "7"})
    with reading(sqlite_engine) as session:
        runs = {run.kpi: run for run in session.exec(select(RunRow))}
    assert (runs["calls"].outcome, runs["visits"].outcome) == ("failed", "done")
    assert told in runs["calls"].message


def test_a_period_of_the_future_is_not_taken(call: Call, sqlite_engine: Engine, tmp_path: Path):
    define(tmp_path, calls=CALLS)
    call("check", "--apply")
    (tmp_path / "calls.csv").write_text("date,value\n2025-01-01,10\n2099-01-01,20\n")

    assert call("pull") == Said(0, "calls: 1 new, 0 corrected, 0 as before\n", "")
    assert kept(sqlite_engine, "calls") == {"2025-01-01": "10"}


def test_pulling_what_is_not_there_is_said_in_a_line(call: Call):
    said = call("pull", "nothing")

    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "There is no KPI called 'nothing'" in said.err


def test_evaluate_tells_what_it_wrote_and_writes_it_once(call: Call, sqlite_engine: Engine):
    with transaction(sqlite_engine) as session:
        add_people(session)
        add_kpi(session)
        add_benefit(session)
        promise(session)
        give(
            session, dict.fromkeys(months("2024-01", 12), "7.0") | dict.fromkeys(months("2025-01", 15), "7.6")
        )

    first, second = call("evaluate"), call("evaluate")

    assert first.code == 0
    assert re.match(r"\d\d verdicts written, 0 of them restated; \d gaps? opened, 0 closed\.", first.out), (
        first
    )
    assert second.out.startswith("0 verdicts written, 0 of them restated; 0 gaps opened")
    with reading(sqlite_engine) as session:
        assert len(session.exec(select(VerdictRow)).all()) == int(first.out.split()[0])


# People


def test_a_person_is_added_with_a_link_and_without_a_password(call: Call, sqlite_engine: Engine):
    said = call("person", "add", "Boss@Example.org", "--position", "Chief executive", "--role", "executive")

    assert said.code == 0
    assert re.search(r"good once and for a day: http://127\.0\.0\.1:8000/sign-in/\S{40,}\n", said.out)
    with reading(sqlite_engine) as session:
        row = session.exec(select(PersonRow)).one()
    assert (row.email, row.name, row.role, row.password_hash) == (
        "boss@example.org", "Chief executive", Role.EXECUTIVE, "",
    )  # fmt: skip


def test_a_password_is_asked_for_and_kept_only_as_a_hash(
    call: Call, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    secret = "correct horse battery"
    monkeypatch.setattr("click.prompt", lambda *_args, **_kwargs: secret)

    said = call("person", "add", "a@example.org", "--position", "Analyst", "--role", "analyst", "--password")

    assert said == Said(0, "Analyst can sign in with a@example.org.\n", "")
    with transaction(sqlite_engine) as session:
        token = people.sign_in(session, email="a@example.org", password=secret, address="here", now=NOW)
    assert token is not None


@pytest.mark.parametrize(
    ("email", "password", "told"),
    [
        pytest.param("nobody", "", "'nobody' is not an e-mail address", id="no address"),
        pytest.param("a@example.org", "short", f"use at least {SHORTEST_PASSWORD} characters", id="short password"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_person_is_one_line_and_nobody_is_added(
    call: Call, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, email: str, password: str, told: str
):
    monkeypatch.setattr("click.prompt", lambda *_args, **_kwargs: password)
    given = ["--password"] if password else []

    said = call("person", "add", email, "--position", "Analyst", "--role", "analyst", *given)

    assert said.code == 1
    assert told in said.err
    assert said.err.count("\n") == 1
    with reading(sqlite_engine) as session:
        assert session.exec(select(PersonRow)).all() == []


def test_an_address_is_taken_once(call: Call):
    arguments = ("person", "add", "a@example.org", "--position", "Analyst", "--role", "analyst")
    assert call(*arguments).code == 0

    said = call(*arguments)

    assert (said.code, said.err) == (1, "rmo: There is already somebody with the address a@example.org.\n")


# Jobs by hand


def build_world(engine: Engine) -> None:
    with transaction(engine) as session:
        add_people(session)
        add_kpi(session)
        add_benefit(session)
        promise(session)
        give(
            session, dict.fromkeys(months("2024-01", 12), "7.0") | dict.fromkeys(months("2025-01", 15), "7.6")
        )
        evaluate(session, now=NOW, today=TODAY)


def test_the_digest_by_hand_is_sent_once(call: Call, sqlite_engine: Engine, tmp_path: Path):
    build_world(sqlite_engine)

    first, second = call("worker", "--once", "digest"), call("worker", "--once", "digest")

    assert (first.out, first.code) == ("digest: done\n", 0)
    assert (second.out, second.code) == ("digest: was done already for this period\n", 0)
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1


def test_a_job_that_fails_ends_with_1_and_may_be_run_again(
    call: Call, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    build_world(sqlite_engine)
    with monkeypatch.context() as broken:
        broken.setattr(jobs, "render_digest", lambda *_: 1 / 0)
        first = call("worker", "--once", "digest")
    second = call("worker", "--once", "digest")

    assert first.code == 1
    assert "rmo: The job digest failed: ZeroDivisionError: division by zero" in first.err
    assert second.out == "digest: done\n"
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1


def test_mails_wait_for_a_server_that_is_away_and_say_so(call: Call, sqlite_engine: Engine, tmp_path: Path):
    build_world(sqlite_engine)

    away = call(
        "worker", "--once", "digest", SMTP_HOST="127.0.0.1", SMTP_PORT=str(free_port()), SMTP_TLS="false"
    )

    assert away.code == 0
    with reading(sqlite_engine) as session:
        [row] = session.exec(select(DeliveryRow)).all()
    assert (row.state, row.sent_at) == ("queued", None)
    assert "refused" in row.error.lower()

    with transaction(sqlite_engine) as session:
        session.get_one(DeliveryRow, row.id).not_before = NOW
    call("worker", "--once", "digest")
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1


# What is wrong around a command: one line, no trace


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


def assert_one_line(said: Said, *parts: str) -> None:
    assert said.code == 1
    assert said.err.startswith("rmo: ")
    assert said.err.count("\n") == 1, said.err
    for part in parts:
        assert part in said.err


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        pytest.param("sqlite:///nowhere/rmo.db", ["The folder nowhere for the database does not exist"], id="no folder"),
        pytest.param("sqlite:///kpis", ["The database cannot be opened"], id="a folder for a file"),
        pytest.param("sqlite:///text.txt", ["The database cannot be opened", "not a database"], id="no database"),
        pytest.param("rmo.db", ["RMO_DATABASE_URL is not an address of a database"], id="no address"),
        pytest.param(
            "postgresql+psycopg://rmo@127.0.0.1:1/rmo", ["The database cannot be opened"], id="no server"
        ),
        pytest.param("postgresql://rmo@127.0.0.1:1/rmo", ["The database cannot be opened"], id="no server, short"),
        pytest.param("oracle://rmo@127.0.0.1/rmo", ["names a kind of database that rmo cannot use"], id="another kind"),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_opened_is_one_line(call: Call, tmp_path: Path, url: str, parts: list[str]):
    (tmp_path / "text.txt").write_text("This is a text, and surely no database. " * 40)

    assert_one_line(call("migrate", DATABASE_URL=url), *parts)


def test_a_database_of_a_newer_version_is_left_alone(call: Call, sqlite_engine: Engine):
    with sqlite_engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    assert_one_line(
        call("run", "--port", str(free_port())), "written by a newer rmo", "9999", "install that version"
    )


def test_every_wrong_setting_is_named_at_once(call: Call):
    said = call(
        "evaluate",
        ZONE="Mars/Olympus",
        SMTP_PORT="many",
        LOG_JSON="perhaps",
        SOURCE_HOSTS="feeds.example.org",
    )

    assert_one_line(
        said, "RMO_ZONE", "Mars/Olympus", "RMO_SMTP_PORT", "RMO_LOG_JSON", "RMO_SOURCE_HOSTS", "JSON"
    )


def test_a_short_key_is_refused(call: Call):
    assert_one_line(call("serve", SECRET_KEY="secret"), "RMO_SECRET_KEY is too short")


@pytest.mark.parametrize("command", ["run", "serve"])
def test_a_port_in_use_is_one_line(call: Call, command: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = call(command, "--port", str(port))

    assert_one_line(said, f"Port {port} of 127.0.0.1 cannot be used", "choose another with --port")
    assert "sign-in" not in said.out, "no link is made for nobody"


@pytest.mark.parametrize("command", [["demo", "--no-serve", "--folder", "file/demo"], ["migrate"]])
def test_a_place_that_cannot_be_written_is_one_line(call: Call, tmp_path: Path, command: list[str]):
    (tmp_path / "file").write_text("A file where a folder should be.")

    assert_one_line(call(*command, DATABASE_URL="sqlite:///file/rmo.db"), "file")


def test_a_second_clock_on_one_file_is_refused_in_a_sentence(call: Call, tmp_path: Path, sqlite_url: str):
    with rmo_running("worker", folder=tmp_path, DATABASE_URL=sqlite_url) as first:
        assert first.stdout is not None
        assert "rmo works" in first.stdout.readline()

        assert_one_line(call("worker"), "Another rmo keeps the clock of rmo.db already; stop it first")
        assert_one_line(
            call("run", "--port", str(free_port())), "Another rmo keeps the clock of rmo.db already"
        )
        assert call("worker", "--once", "evaluate").code == 0, "a job by hand needs no clock"


# The first start


def visit(opener: urllib.request.OpenerDirector, url: str, **form: str) -> str:
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(url, data, {"Referer": url})
    with opener.open(request, timeout=30) as answer:
        page: str = answer.read().decode()
    return page


def test_the_first_start_prints_a_link_that_leads_to_the_first_steps(tmp_path: Path):
    port = free_port()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    with rmo_running("run", "--port", str(port), folder=tmp_path, DATABASE_URL="sqlite:///rmo.db") as started:
        assert started.stdout is not None
        printed = [started.stdout.readline(), started.stdout.readline()]
        link = re.search(rf"http://127\.0\.0\.1:{port}/sign-in/\S+", "".join(printed))
        assert link, printed
        token = re.search(r'name="csrf_token" value="([^"]+)"', visit(browser, link[0]))
        assert token
        home = visit(browser, link[0], csrf_token=token[1])

    for step in ("definition", "KPI", "benefit", "person"):
        assert step in home
    assert (tmp_path / "rmo.key").stat().st_mode & 0o077 == 0


# The demo


def test_a_demo_that_was_cut_off_is_built_anew(tmp_path: Path):
    folder = tmp_path / "show"
    with rmo_running("demo", "--no-serve", "--folder", "show", folder=tmp_path) as process:
        until(lambda: process.poll() is not None or half_built(folder / "building.db"), within=60)
        process.kill()
    cut_off = not (folder / "demo.db").exists()

    done = rmo("demo", "--no-serve", "--folder", "show", folder=tmp_path)

    assert cut_off, "the kill came too late to test anything"
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in folder.iterdir()) == ["demo.db", "mail"]
    with opened(f"sqlite:///{folder / 'demo.db'}") as engine, reading(engine) as session:
        assert len(session.exec(select(BenefitRow)).all()) >= 16
        sent = session.exec(select(DeliveryRow)).all()
    assert {row.state for row in sent} == {"sent"}
    assert len(list((folder / "mail").glob("*.eml"))) == len(sent)


def half_built(database: Path) -> bool:
    """Return whether something of the demo has been kept."""
    if not database.exists():
        return False
    with closing(sqlite3.connect(database)) as connection:
        try:
            found = connection.execute("select count(*) from benefit").fetchone()
        except sqlite3.OperationalError:  # the tables are just being made
            return False
    return bool(found[0])
