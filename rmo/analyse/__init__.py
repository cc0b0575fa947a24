"""`rmo analyse`: the engine on a CSV file, with no database at all."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from rmo.analyse import charts, effects, forecasts
from rmo.analyse import money as appraisals
from rmo.analyse.answers import Answer, table
from rmo.analyse.files import BadFileError
from rmo.domain.economics import SCHEDULES
from rmo.domain.engine.forecast import FURTHEST
from rmo.domain.parsing import UnreadableError, WrittenPeriod, parse_number, parse_period

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
PLOT = click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw it into an HTML file."
)


class PeriodType(click.ParamType[WrittenPeriod]):
    """A period on the command line."""

    name = "period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> WrittenPeriod:
        """Return the period, or stop with what is wrong."""
        try:
            return value if isinstance(value, WrittenPeriod) else parse_period(value)
        except UnreadableError as error:
            self.fail(str(error), param, ctx)


class NumbersType(click.ParamType[tuple[str, ...]]):
    """Numbers with commas between them, kept as they are written."""

    name = "numbers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the numbers, or stop with what is wrong."""
        if isinstance(value, tuple):
            return value
        texts = tuple(text.strip() for text in value.split(","))
        try:
            for text in texts:
                parse_number(text)
        except UnreadableError as error:
            self.fail(str(error), param, ctx)
        return texts


PERIOD = PeriodType()
NUMBERS = NumbersType()


@click.group()
def analyse() -> None:
    """Put a CSV file through the comparison engine: no database, no settings."""


def answering(command: Callable[..., Answer]) -> Callable[..., None]:
    """Make a command of a function that reads a file and answers."""

    @functools.wraps(command)
    def run(*, file: Path, as_json: bool, plot: Path | None, **options: Any) -> None:
        try:
            answer = command(file, **options)
        except BadFileError as error:
            _tell(error, as_json=as_json)
        if plot is not None:
            from rmo.analyse import plots  # Plotly takes long to load

            plot.write_text(plots.page(answer), encoding="utf-8")
        click.echo(
            json.dumps(answer.content, allow_nan=False, ensure_ascii=False) if as_json else table(answer)
        )

    return FILE(AS_JSON(PLOT(run)))


def _tell(error: BadFileError, *, as_json: bool) -> None:
    """Tell every bad line and stop."""
    for problem in error.problems:
        click.echo(f"{error.path}:{problem.line}: {problem.message}", err=True)
    if as_json:
        problems = [{"line": problem.line, "message": problem.message} for problem in error.problems]
        click.echo(json.dumps({"problems": problems}, ensure_ascii=False))
    raise SystemExit(2)


@analyse.command()
@click.option(
    "--direction",
    type=click.Choice(["up", "down", "neutral"]),
    default="neutral",
    help="Which way is better.",
)
@click.option("--target", type=float, help="The level to reach.")
@click.option("--no-screen", is_flag=True, help="Let outlying moving ranges widen the limits.")
@click.option(
    "--fix-after", type=click.IntRange(min=2), help="Take the limits from the first so many readings."
)
@click.option("--rebase", type=PERIOD, multiple=True, help="Start a new segment here; may be given again.")
@answering
def chart(file: Path, **options: Any) -> Answer:
    """Chart each series: limits, flags, variation and assurance.

    FILE has the columns period and value, and optionally series, direction, target, and
    rebase (1 on the first point of a new segment).
    """
    return charts.answer(file, **options)


@analyse.command()
@click.option("--horizon", type=click.IntRange(1, FURTHEST), required=True, help="How many periods ahead.")
@click.option(
    "--season",
    type=click.IntRange(1, 366),
    help="Periods of a season, 1 for none; by the periods if not said.",
)
@click.option("--promise", type=float, help="A total of the periods ahead whose chance is asked for.")
@click.option("--versus-last", type=NUMBERS, default=(), help="Shares of the last total, as 0.9,1,1.1.")
@answering
def forecast(file: Path, **options: Any) -> Answer:
    """Forecast each series: months, their total, and the chance of reaching a total.

    FILE has the columns period and value, and optionally series.
    """
    return forecasts.answer(file, **options)


@analyse.command()
@click.option("--start", type=PERIOD, help="The first period of the change; or give a column after.")
@click.option(
    "--ramp", type=click.Choice(["step", "linear", "s_curve"]), default="step", help="How the change arrives."
)
@click.option("--ramp-periods", type=click.IntRange(min=1), default=1, help="How many periods it takes.")
@click.option("--controls", default="", help="Columns where nothing was done, with commas between them.")
@click.option("--log", "logged", is_flag=True, help="Work on logs: effects are percentages.")
@click.option(
    "--season",
    type=click.IntRange(1, 366),
    help="Periods of a season, 1 for none; by the periods if not said.",
)
@answering
def effect(file: Path, **options: Any) -> Answer:
    """Estimate what has changed since a start, beside what would have happened anyway.

    FILE has the columns period and value, and optionally series, after (1 from the start
    on), and columns of controls. Without controls an effect is what moved with the start
    date and more than the series' own history explains; it does not say what caused it.
    """
    return effects.answer(file, **options)


@analyse.command()
@click.option(
    "--rate", type=click.FloatRange(min=-1, min_open=True), help="One discount rate a year, as 0.035."
)
@click.option(
    "--schedule",
    type=click.Choice(sorted(SCHEDULES)),
    help="Or a schedule of rates; the Green Book's if not said.",
)
@answering
def money(file: Path, rate: float | None, schedule: str | None) -> Answer:
    """Appraise each project: present values, returns, paybacks, switching value.

    FILE has the columns when (a year counted from 0, or a date), cost and benefit, and
    optionally project. Year 0 is not discounted; dated flows count days over 365.
    """
    if rate is not None and schedule is not None:
        raise click.UsageError("Say --rate or --schedule, not both.")
    return appraisals.answer(file, rate=rate, schedule=schedule or "green-book")
