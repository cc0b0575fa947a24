"""The shell: the one place that reads the clock and the environment. Imports wait until a command needs them."""

import json
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rmo import __version__
from rmo.domain.errors import RmoError, SettingsError

# One thread for linear algebra: the engine's blocks are small, and its sums are then in one order everywhere.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Engine

    from rmo.config import Settings
    from rmo.demo.clock import DemoClock
    from rmo.scheduler.jobs import Tools

SHELL = "shell"  # who did it, in the trail
KEY_FILE = "rmo.key"
DEMO_FILE, DEMO_BUILDING = "demo.db", "building.db"
ANALYSE = "analyse"


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Shell(click.Group):
    """The commands; the engine's own ones are loaded when somebody asks for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), ANALYSE])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command by name."""
        if name != ANALYSE:
            return super().get_command(ctx, name)
        from rmo.analyse import analyse

        return analyse


@click.group(cls=Shell, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rmo")
def rmo() -> None:
    """Hold the promises made to get money for projects against what the KPIs say."""


def main() -> None:
    """Run a command; an error is one line that says what to do."""
    try:
        rmo.main(standalone_mode=False)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except RmoError as error:
        click.echo(f"rmo: {error}", err=True)
        sys.exit(1)
    except OSError as error:  # a folder that cannot be written, a full disk
        click.echo(f"rmo: {error.filename or 'The system says'}: {error.strerror or error}.", err=True)
        sys.exit(1)


def settings(**given: Any) -> "Settings":
    """Return the settings of the environment."""
    from rmo.config import read_settings

    return read_settings(**given)


def open_database(chosen: "Settings") -> "Engine":
    """Return the database, brought to this version's tables."""
    from rmo.storage.database import open_engine
    from rmo.storage.migrate import migrate

    engine = open_engine(chosen.database_url)
    migrate(engine)
    return engine


def tools(chosen: "Settings", engine: "Engine") -> "Tools":
    """Return what jobs work with."""
    from rmo.connectors import Reach, secrets_from
    from rmo.mail.outbox import outbox_from
    from rmo.scheduler.jobs import Tools

    reach = Reach(
        folders=chosen.source_folders,
        hosts=chosen.source_hosts,
        variables=chosen.source_variables,
        secret=secrets_from(os.environ),
    )
    return Tools(engine=engine, settings=chosen, now=now, outbox=outbox_from(chosen), reach=reach)


def secret_key() -> str:
    """Return the key that signs form tokens: from RMO_SECRET_KEY, else from a file made at the first start."""
    given = os.environ.get("RMO_SECRET_KEY", "")
    if given:
        if len(given) < 32:
            raise SettingsError("RMO_SECRET_KEY is too short; use at least 32 random characters.")
        return given
    path = Path(KEY_FILE)
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def log_to_shell(chosen: "Settings") -> None:
    """Write logs to the shell, as lines to read or as JSON."""
    import structlog

    last: Any = (
        structlog.processors.JSONRenderer()
        if chosen.log_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if chosen.log_json else []),
            last,
        ]
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def apply_definitions(engine: "Engine", chosen: "Settings") -> None:
    """Make the KPIs what the files say, and tell what cannot be done; a broken file does not stop the others."""
    from rmo.connectors.definitions import load_definitions
    from rmo.services.kpis import apply_definitions as apply
    from rmo.storage.database import transaction

    loaded, problems = load_definitions(chosen.kpi_definitions)
    own = [item for item in loaded if not item.definition.example]
    broken = {problem.place.partition(".")[0] for problem in problems}
    if chosen.kpi_definitions.is_dir():  # a folder that is not there retires nothing
        with transaction(engine) as session:
            problems += apply(session, own, broken=broken, now=now(), by=SHELL)
    for problem in problems:
        click.echo(f"{problem.place}: {problem.message}", err=True)
    if problems:
        click.echo("These definitions were left as they were; `rmo check` says what to do.", err=True)


@rmo.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def run(host: str, port: int) -> None:
    """Serve pages and run the clock, in one process."""
    serve_pages(host, port, with_clock=True)


@rmo.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def serve(host: str, port: int) -> None:
    """Serve pages only; `rmo worker` runs the clock."""
    serve_pages(host, port, with_clock=False)


def serve_pages(host: str, port: int, *, with_clock: bool) -> None:
    """Open the database and serve until stopped."""
    from rmo.scheduler import running
    from rmo.web import create_app

    chosen = settings()
    if "base_url" not in chosen.model_fields_set:
        chosen = chosen.model_copy(update={"base_url": f"http://{host}:{port}"})
    log_to_shell(chosen)
    engine = open_database(chosen)
    app = create_app(engine, chosen, secret_key=secret_key(), clock=now)
    clock = running(tools(chosen, engine)) if with_clock else nullcontext()
    with listening(app, host, port) as server, clock:
        apply_definitions(engine, chosen)
        invite_first_administrator(engine, chosen)
        click.echo(f"rmo is at http://{host}:{port}/")
        server.run()


@contextmanager
def listening(app: "Flask", host: str, port: int) -> Iterator[Any]:
    """Give a server that holds its port already, or raise SettingsError."""
    import socket

    from waitress import create_server

    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise SettingsError(
            f"Port {port} of {host} cannot be used ({error.strerror}); "
            "stop what uses it, or choose another with --port."
        ) from error
    with closing(create_server(app, sockets=[bound], threads=8, ident="rmo")) as server:
        yield server


def invite_first_administrator(engine: "Engine", chosen: "Settings") -> None:
    """Print a link for the first administrator while there is nobody; there is never a default password."""
    from rmo.domain.values import Role
    from rmo.services import people
    from rmo.storage.database import transaction

    email = "administrator@localhost"
    with transaction(engine) as session:
        known = people.people(session)
        if any(person.email != email for person in known.values()):
            return
        if not known:
            people.add_person(
                session,
                email=email,
                name="First administrator",
                position="Administrator",
                role=Role.ADMINISTRATOR,
                now=now(),
                by=SHELL,
            )
            session.flush()
        token = people.make_link(session, email, now=now())
    click.echo(f"Sign in once, within a day: {chosen.base_url.rstrip('/')}/sign-in/{token}")


@rmo.command()
@click.option("--once", metavar="JOB", help="Run one job for its current period and stop.")
def worker(once: str | None) -> None:
    """Run the clock only."""
    from threading import Event

    from rmo.scheduler import Ran, run_once, running
    from rmo.scheduler.jobs import JOBS

    if once is not None and once not in JOBS:
        raise click.BadParameter(
            f"there is no job {once!r}; choose one of {', '.join(JOBS)}", param_hint="--once"
        )
    chosen = settings()
    log_to_shell(chosen)
    engine = open_database(chosen)
    kit = tools(chosen, engine)
    if once is not None:
        told = {
            Ran.NOW: "done",
            Ran.BEFORE: "was done already for this period",
            Ran.ELSEWHERE: "another worker is at it",
        }
        click.echo(f"{once}: {told[run_once(kit, once)]}")
        return
    with running(kit):
        click.echo("rmo works; stop it with Ctrl+C.")
        Event().wait()


@rmo.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--folder",
    default="rmo-demo",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the demo keeps its database and its mails.",
)
@click.option("--fresh", is_flag=True, help="Begin again from the start.")
@click.option("--next-month", "only_next", is_flag=True, help="Let a month pass and stop.")
@click.option("--no-serve", is_flag=True, help="Build the demo and stop.")
def demo(host: str, port: int, folder: Path, fresh: bool, only_next: bool, no_serve: bool) -> None:
    """Show a living portfolio on real public data, in a file of its own."""
    from rmo import demo as show

    folder.mkdir(parents=True, exist_ok=True)
    base_url = f"http://{host}:{port}"
    if fresh or not (folder / DEMO_FILE).exists():
        click.echo("Building the demo’s portfolio, a few seconds …")
        _build_demo(folder, base_url)
    with _demo_kit(folder, DEMO_FILE, base_url) as (kit, clock):
        if only_next:
            click.echo(show.next_month(kit, clock))
        elif not no_serve:
            _serve_demo(kit, clock, host, port)


def _build_demo(folder: Path, base_url: str) -> None:
    """Build the demo in a file that gets its name when it is whole: one that was cut off is begun anew."""
    from rmo import demo as show

    for old in [*folder.glob(f"{DEMO_BUILDING}*"), *(folder / "mail").glob("*.eml")]:
        old.unlink()
    with _demo_kit(folder, DEMO_BUILDING, base_url) as (kit, clock):
        show.build(kit, clock)
    for old in folder.glob(f"{DEMO_FILE}*"):
        old.unlink()
    (folder / DEMO_BUILDING).rename(folder / DEMO_FILE)


@contextmanager
def _demo_kit(folder: Path, file: str, base_url: str) -> Iterator[tuple["Tools", "DemoClock"]]:
    """Give what the demo works with: its database, its clock, and its feed over HTTP."""
    from dataclasses import replace

    from rmo import demo as show
    from rmo.demo.clock import DemoClock
    from rmo.demo.feed import serve_feed

    chosen = settings(
        database_url=f"sqlite:///{folder / file}",
        organisation="Demo organisation",
        base_url=base_url,
        mail_folder=folder / "mail",
        smtp_host="",
        source_folders=(show.DATA,),
    )
    log_to_shell(chosen)
    engine = open_database(chosen)
    clock = DemoClock(engine, now)
    feed = serve_feed(lambda: clock().date())
    reached = {
        "source_variables": {"demo_feed": feed.url},
        "source_hosts": (feed.url.removeprefix("http://"),),
    }
    try:
        yield replace(tools(chosen.model_copy(update=reached), engine), now=clock), clock
    finally:
        feed.close()
        engine.dispose()


def _serve_demo(kit: "Tools", clock: "DemoClock", host: str, port: int) -> None:
    from rmo import demo as show
    from rmo.storage.database import transaction
    from rmo.web import DemoControls, create_app

    controls = DemoControls(show.banner, lambda: show.next_month(kit, clock))
    app = create_app(
        kit.engine, kit.settings, secret_key=secrets.token_urlsafe(48), clock=clock, demo=controls
    )
    with listening(app, host, port) as server:
        with transaction(kit.engine) as session:
            found = show.links(session, clock.tell(session))
        click.echo("One link for each role; each signs in once:")
        for position, token in found:
            click.echo(f"  {position:24} http://{host}:{port}/sign-in/{token}")
        click.echo(f"Mails lie in {kit.settings.mail_folder}. Stop with Ctrl+C.")
        server.run()


@rmo.command()
def migrate() -> None:
    """Bring the database to this version's tables."""
    open_database(settings())
    click.echo("The database is ready.")


@rmo.command()
@click.option("--apply", "and_apply", is_flag=True, help="Make the KPIs what the files say.")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def check(folder: Path | None, and_apply: bool) -> None:
    """Check the KPI definitions: every mistake at once, with file, line and what to do."""
    from rmo.connectors.definitions import load_definitions

    chosen = settings()
    loaded, problems = load_definitions(folder or chosen.kpi_definitions)
    for problem in problems:
        click.echo(f"{problem.place}: {problem.message}", err=True)
    if problems:
        raise SettingsError(f"{len(problems)} mistake{'s' if len(problems) > 1 else ''} found.")
    click.echo(f"{len(loaded)} definitions are right.")
    if and_apply:
        apply_definitions(open_database(chosen), chosen)


@rmo.command()
@click.argument("kpi", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def pull(kpi: str | None, as_json: bool) -> None:
    """Pull the readings of one KPI, or of all that have a source, and judge what rests on them."""
    from rmo.scheduler.jobs import judge
    from rmo.services.collection import pull_all

    chosen = settings()
    engine = open_database(chosen)
    kit = tools(chosen, engine)
    results = pull_all(engine, kit.reach, clock=now, today=local_today(chosen), kpis=[kpi] if kpi else None)
    judge(kit)
    if as_json:
        click.echo(json.dumps({"pulled": [vars(result) for result in results]}))
    else:
        for result in results:
            told = result.problem or (
                f"{result.written} new, {result.corrected} corrected, {result.unchanged} as before"
            )
            click.echo(f"{result.kpi}: {told}")
    if any(result.problem for result in results):
        sys.exit(1)


@rmo.command()
def evaluate() -> None:
    """Judge every promise anew; what did not change is not written again."""
    from rmo.scheduler.jobs import judge

    chosen = settings()
    changes = judge(tools(chosen, open_database(chosen)))
    click.echo(
        f"{changes.verdicts} verdicts written, {changes.restated} of them restated; "
        f"{changes.opened} gaps opened, {changes.closed} closed."
    )


def local_today(chosen: "Settings") -> date:
    """Return today in the organisation's zone."""
    return now().astimezone(chosen.tz).date()


@rmo.group()
def person() -> None:
    """Add people and let them in."""


@person.command("add")
@click.argument("email")
@click.option("--position", required=True, help="How pages call them: Director of operations.")
@click.option("--name", default="", help="Their own name.")
@click.option("--role", required=True, help="executive, owner, measurer, analyst, …")
@click.option("--password", is_flag=True, help="Ask for a password instead of printing a link.")
def add_person(email: str, position: str, name: str, role: str, password: bool) -> None:
    """Add a person and print a link with which they sign in once."""
    from rmo.domain.values import Role
    from rmo.services import people
    from rmo.storage.database import transaction

    if role not in set(Role):
        raise click.BadParameter(f"write one of {', '.join(Role)}", param_hint="--role")
    chosen = settings()
    engine = open_database(chosen)
    secret = click.prompt("Password", hide_input=True, confirmation_prompt=True) if password else ""
    with transaction(engine) as session:
        row = people.add_person(
            session,
            email=email,
            name=name or position,
            position=position,
            role=Role(role),
            now=now(),
            by=SHELL,
        )
        session.flush()
        if secret:
            people.set_password(session, row.email, secret, now=now(), by=SHELL)
            click.echo(f"{position} can sign in with {row.email}.")
            return
        token = people.make_link(session, row.email, now=now())
    click.echo(f"Their link, good once and for a day: {chosen.base_url.rstrip('/')}/sign-in/{token}")


if __name__ == "__main__":
    main()
