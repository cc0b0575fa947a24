"""The handbook tells the truth: its examples are run, its tables are checked, its references exist, and its pages are read."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

import rmo.domain
from rmo.cli import rmo as shell
from rmo.config import Settings
from rmo.domain.calendar import Rhythm, due_day
from rmo.domain.claims import over_claim
from rmo.domain.economics import GREEN_BOOK, factors
from rmo.domain.engine.alarms import Alarm, alarms
from rmo.domain.engine.chart import process_charts
from rmo.domain.engine.detection import ALARM, believed, slips, surprise
from rmo.domain.engine.forecast import widening
from rmo.domain.engine.runs import fewest_usual, longest_usual
from rmo.domain.engine.student_t import quantile
from rmo.domain.realisation import Kind, Money, atoms, change, split_share, total
from rmo.domain.rules import RULES
from rmo.domain.trajectory import elapsed, planned_level
from rmo.domain.values import DataState, Frequency, Ramp, State
from rmo.domain.verdict import RULES as RULES_VERSION
from rmo.domain.verdict import Chances, Promises, judge
from rmo.drawing.words import DATA_WORDS, STATE_WORDS
from rmo.scheduler.jobs import JOBS
from rmo.storage.database import transaction
from rmo.web import handbook
from rmo.web.handbook import HOME, PAGES, chapter, section_id
from tests.tools.reference import HEADING, PAGE, all_keys
from tests.web.conftest import Site
from tests.world import EXECUTIVE, MEASURER, OWNER, add_people

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = handbook.source("numbers").read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0]: part.partition("\n")[2] for part in re.split(r"^## ", NUMBERS, flags=re.M)[1:]
}
FORMULAS = [title for title in SECTIONS if title != "What is not done yet"]
NAMED = set(re.findall(r"`(rmo\.[a-z_.]+\.\w+)`", NUMBERS))

# Public names of the domain that are no formula of their own, and why.
HELPERS = {
    "rmo.domain.values": "the words of the field",
    "rmo.domain.errors": "what goes wrong",
    "rmo.domain.exact": "how decimals are kept",
    "rmo.domain.parsing": "what people write",
    "rmo.domain.engine.blocks": "how batches are cut",
    "rmo.domain.engine.kept": "what is prepared once",
    "rmo.domain.engine.regression": "linear algebra of Forecast and Effect",
    "rmo.domain.engine.structure": "the grid of Forecast, prepared",
    "rmo.domain.engine.student_t": "distributions, checked against printed tables",
    "rmo.domain.economics": {"Schedule": "rates", "Appraisal": "an answer"},
    "rmo.domain.engine.alarms": {"Alarm": "words", "Alarms": "an answer"},
    "rmo.domain.engine.chart": {
        "Flag": "words",
        "PointType": "words",
        "Assurance": "words",
        "Charts": "an answer",
        "Segment": "an answer",
    },
    "rmo.domain.engine.forecast": {"Forecast": "an answer"},
    "rmo.domain.engine.mixture": {
        "rounded": "rounding",
        "Components": "parts of points",
        "add_up": "sums in order",
        "shares": "weights that add up to 1",
    },
    "rmo.domain.engine.runs": {"Runs": "an answer"},
    "rmo.domain.engine.seasons": {"Adjusted": "an answer"},
    "rmo.domain.outlook": {"Path": "a forecast, packed"},
    "rmo.domain.rules": {"Position": "what a rule sees", "Finding": "an answer"},
    "rmo.domain.verdict": {"Promises": "a batch", "Chances": "a batch", "Verdicts": "an answer"},
}


def modules() -> Iterator[Any]:
    """Yield every module of the domain."""
    for found in pkgutil.walk_packages(rmo.domain.__path__, "rmo.domain."):
        yield importlib.import_module(found.name)


def own(module: Any) -> dict[str, Any]:
    """Return the public functions and classes that a module defines."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__ == module.__name__
    }


def table(section: str, *columns: str) -> list[dict[str, str]]:
    """Return the rows of the table of a section that has these columns, by column."""
    for block in re.findall(r"(?:^\|.*\n)+", SECTIONS[section], flags=re.M):
        lines = [[cell.strip() for cell in line.strip("| \n").split(" |")] for line in block.splitlines()]
        if set(columns) <= set(lines[0]):
            return [dict(zip(lines[0], cells, strict=True)) for cells in lines[2:]]
    raise AssertionError(f"{section} has no table with {columns}")


def number(text: str) -> float:
    return float(text.replace(",", ""))


# ---- what the handbook refers to is there, and what is there is in the handbook


@pytest.mark.parametrize("title", FORMULAS)
def test_a_formula_says_what_computes_it_what_checks_it_and_where_it_is_from(title: str):
    text = SECTIONS[title]
    found = dict(re.findall(r"^- (Missing|Computed by|Check values|Source):\s+((?:.|\n  )+)", text, re.M))

    assert set(found) | ({"Missing"} if "**Missing:**" in text else set()) == {
        "Missing",
        "Computed by",
        "Check values",
        "Source",
    }
    computing = re.findall(r"`(rmo\.[\w.]+)`", found["Computed by"])
    assert computing
    for name in computing:
        module, _, thing = name.rpartition(".")
        assert hasattr(importlib.import_module(module), thing), name
    files = re.findall(r"`(tests/[\w/]+\.py)`", found["Check values"])
    assert files
    for file in files:
        assert "def test_" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: module.__name__)
def test_every_formula_of_the_domain_stands_in_the_handbook(module: Any):
    helpers = HELPERS.get(module.__name__, {})
    if isinstance(helpers, str):
        return
    missing = [
        name for name in own(module) if f"{module.__name__}.{name}" not in NAMED and name not in helpers
    ]
    assert not missing, f"give these a section of numbers.md, or say why not in HELPERS: {missing}"


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: module.__name__)
def test_a_docstring_that_names_a_section_names_one_that_is_there(module: Any):
    for name, thing in own(module).items():
        words = re.sub(r"\s+", " ", inspect.getdoc(thing) or "")
        for page, section in re.findall(r'Handbook, "([^"]+)", section ([^.]+)\.', words):
            assert page == chapter("numbers").title, name
            assert section in SECTIONS, f"{name} names a section {section!r}"
            assert f"`{module.__name__}.{name}`" in SECTIONS[section], f"{section} does not name {name}"


def test_the_rules_of_gaps_and_their_version_are_those_of_the_code():
    assert [row["rule"].strip("`") for row in table("Gaps", "rule", "finds")] == [r.__name__ for r in RULES]
    assert f"the rules of version {RULES_VERSION}:" in SECTIONS["Verdict"]


# ---- examples are run


def examples() -> Iterator[Any]:
    pattern = r"```csv\n(.*?)```\n.*?```sh\nrmo (.*?)\n```\n.*?```text\n(.*?)```"
    for title, text in SECTIONS.items():
        for csv, command, said in re.findall(pattern, text, re.S):
            yield pytest.param(csv, command, said, id=section_id(title))


@pytest.mark.parametrize(("csv", "command", "said"), list(examples()))
def test_an_example_answers_as_it_is_written(
    csv: str, command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("example.csv").write_text(csv, encoding="utf-8")

    result = CliRunner().invoke(shell, command.split(), catch_exceptions=False)

    assert result.exit_code == 0
    answered = [line.split() for line in result.output.splitlines()]
    for line in said.splitlines():
        assert line.split() in answered


# ---- tables hold


def test_due_days_are_those_of_the_table():
    for row in table("Periods and due days", "due on"):
        period = date.fromisoformat(f"{row['month']}-01")
        due = due_day(Rhythm(Frequency.MONTH), period, int(row["working days"]))
        assert due.isoformat() == row["due on"]


def test_ramps_are_those_of_the_table():
    for row in table("Trajectory", "shape", "month 1"):
        ramp = Ramp(row["shape"])
        passed = elapsed(12, 1 if ramp is Ramp.STEP else 12)[None]
        planned = planned_level(np.full((1, 12), 7.0), np.array([[6.0]]), passed, ramp)[0]
        for month in (1, 3, 6, 12):
            assert f"{planned[month - 1]:.4f}" == row[f"month {month}"]


def one_period(kind: Kind, *, planned: float, realised: float = np.nan, forecast: float = np.nan) -> Money:
    """Return the money of one period whose unit is worth £100."""
    cell, unit = np.array, np.array([[100.0]])
    made = atoms(
        first_change=cell([[planned]]),
        first_worth=unit,
        planned_change=cell([[planned]]),
        realised_change=cell([[realised]]),
        forecast_change=cell([[forecast]]),
        worth=unit,
        keep=cell([[1.0]]),
        kind=cell([[int(kind)]]),
        provisional=cell([[False]]),
    )
    return total(made.row(0, slice(None)))


def test_atoms_are_those_of_the_table():
    for row in table("Change, value and atoms", "reading", "realised £"):
        given = row["reading"] != "none"
        level = np.array([[number(row["reading"]) if given else np.nan]])
        no_range = np.array([[np.nan]])
        better = change(level, np.array([[7.0]]), sign=np.array([[-1.0]]), low=no_range, high=no_range)
        if given:
            assert f"{better[0, 0]:.2f}" == row["change"]
        kind = Kind.PROVEN if given else Kind.UNPROVEN
        money = one_period(kind, planned=0.25, realised=float(better[0, 0]))
        for part in ("promised", "realised", "unproven", "shortfall so far"):
            assert f"{getattr(money, part.replace(' ', '_')) / 100:.2f}" == row[f"{part} £"]


def test_the_split_of_claims_is_that_of_the_table():
    for row in table("Claims and what is taken out", "sum of shares"):
        assert f"{split_share(np.array([number(row['sum of shares'])]))[0]:.4f}" == row["k"]


def test_over_claims_are_those_of_the_table():
    for row in table("Claims and what is taken out", "claimed", "certain"):
        low, high = map(float, row["95\u00a0% interval"].split(" to "))
        found = over_claim(
            claimed=number(row["claimed"]), moved=number(row["moved"]), low=low, high=high, better=1
        )
        assert (f"{found.possible:.1f}", f"{found.certain:.1f}") == (row["possible"], row["certain"])


def test_the_bridge_adds_up_as_in_the_table():
    months = [
        one_period(Kind.PROVEN, planned=0.25, realised=0.20),
        one_period(Kind.UNPROVEN, planned=0.25),
        *[one_period(Kind.OPEN, planned=0.25, forecast=0.22)] * 2,
    ]
    whole = sum(months, Money())
    for row in table("Bridge", "part"):
        assert f"{getattr(whole, row['part'].replace(' ', '_')) / 100:.2f}" == row["£"]


def test_limits_are_the_published_ones_of_the_table():
    quiet = np.array([[1.0, 2, 1, 2, 10, *[1, 2] * 6, 1]])
    costs = [310, 288, 297, 298, 307, 303, 294, 297, 308, 306, 294, 299, 297, 299, 314, 295, 293, 306, 301]
    rows = table("Process-behaviour chart", "check value", "mean")
    cases = ((quiet, True), (quiet, False), (np.array([[*costs, 304.0]]), True))
    for row, (values, screen) in zip(rows, cases, strict=True):
        found = process_charts(values, screen=screen)
        for name in ("lower", "mean", "upper"):
            assert getattr(found, name)[0, 0] == pytest.approx(number(row[name]), abs=0.02)


def test_the_limits_of_runs_are_the_published_ones_of_the_table():
    for row in table("Process-behaviour chart", "n"):
        n = int(row["n"])
        assert longest_usual(n) == int(row["longest usual run"])
        assert fewest_usual(n) == int(row["fewest usual crossings"])


def test_students_t_has_the_printed_values_of_the_table():
    for row in table("Forecast", "degrees of freedom"):
        found = quantile(number(row["probability"]), int(row["degrees of freedom"]))
        assert f"{found:.3f}" == row["value"]


def test_the_forecast_by_hand_is_right():
    values = np.array([3.0, 5, 4, 6, 2, 5, 3])
    half = quantile(0.975, 6) * values.std(ddof=1) * np.sqrt(1 + 1 / 7)
    assert f"4 ± {half:.2f}" in SECTIONS["Forecast"]
    assert f"by {widening(7):.2f}, to ± {half * widening(7):.2f}" in SECTIONS["Forecast"]


def states(chance: float, *, readings: int, before: float | None = None) -> str:
    """Return the state that a chance makes after so many readings, perhaps after another chance."""
    chances = [before, chance] if before is not None else [chance]
    periods = readings + len(chances) - 1
    row = np.full((1, periods), np.nan)
    here = Chances(row.copy(), row.copy(), np.zeros((1, periods), bool), np.zeros((1, periods), bool))
    here.chance[0, -len(chances) :] = chances
    batch = Promises(
        actual=np.full((1, periods), 6.0),
        planned=np.full((1, periods), 6.0),
        planned_change=np.ones((1, periods)),
        realised_change=np.ones((1, periods)),
        elapsed=np.ones((1, periods)),
        adds_up=np.array([[False]]),
        last=np.array([[periods + 12]]),
        due=np.ones((1, periods), bool),
        enough=np.array([[6]]),
        a_year=np.array([[12]]),
        tolerance=np.full((1, periods), 0.1),
    )
    return str((None, *State)[judge(batch, here).state[0, -1]]).replace("_", " ")


def test_states_follow_from_chances_as_in_the_table():
    for row in table("Verdict", "chance", "fewer than 12"):
        chance = number(row["chance"])
        assert states(chance, readings=12) == row["12 readings or more"]
        assert states(chance, readings=11) == row["fewer than 12"]
        assert states(chance, readings=12, before=0.0) == row["if it was off track"]
        assert states(chance, readings=12, before=1.0) == row["if it was on track"]


def test_surprises_are_those_of_the_table():
    for row in table("Early signs", "z", "p"):
        assert f"{surprise(np.array([number(row['z'])]))[0]:.4f}" == row["p"]


def test_sums_of_slips_are_those_of_the_table():
    rows = table("Early signs", "z", "sum")
    steps = [np.nan if row["z"] == "missing" else number(row["z"]) for row in rows]
    sums = slips(np.array([steps]))[0]
    assert [f"{sum_:.1f}" for sum_ in sums] == [row["sum"] for row in rows]
    assert (sums > ALARM).tolist() == [False] * (len(rows) - 1) + [True]


def test_published_run_lengths_stand_in_the_tests_too():
    checked = (ROOT / "tests/domain/engine/test_detection.py").read_text(encoding="utf-8")
    for row in table("Early signs", "periods"):
        assert f"({row['shift in standard deviations']}, {row['periods']})" in checked


def test_as_many_are_believed_as_in_the_paper():
    text = SECTIONS["Early signs"].partition("Example of the paper")[2]
    chances = np.array([float(found) for found in re.findall(r"\d\.\d{4}", text)[:15]])
    assert f"the first {believed(chances, rate=0.05).sum()} are believed" in text


def test_data_alarms_are_those_of_the_table():
    for row in table("Data alarms", "readings"):
        values = np.array([[number(text) for text in row["readings"].split(", ")]])
        assert Alarm(alarms(values).kind[0]).name.lower().replace("_", " ") == row["alarm"]


def test_discount_factors_are_those_of_the_green_book():
    for row in table("Money", "year", "factor"):
        assert f"{factors(np.array([number(row['year'])]), GREEN_BOOK)[0]:.4f}" == row["factor"]


# ---- reference pages are complete


def commands(group: click.Group, path: str = "rmo") -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_command_has_its_section_with_every_option():
    text = handbook.source("commands").read_text(encoding="utf-8")
    sections = {part.partition("\n")[0]: part for part in re.split(r"^## ", text, flags=re.M)[1:]}
    found = dict(commands(shell))
    assert set(sections) - {"rmo analyse"} == set(found)
    for name, command in found.items():
        options = {option for p in command.params if isinstance(p, click.Option) for option in p.opts}
        assert set(re.findall(r"`(--[a-z-]+)`", sections[name])) == options, name


def test_every_job_stands_beside_its_time():
    text = handbook.source("commands").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| (?:every|Monday|on)", text, re.M) == list(JOBS)
    for name, job in JOBS.items():
        minute, hour = job.cron.split()[:2]
        (line,) = re.findall(rf"^\| `{name}` .*", text, re.M)
        assert f"{int(hour)}:{int(minute):02d}" in line


def test_every_setting_stands_with_what_holds_without_it():
    text = handbook.source("settings").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `RMO_(\w+)` \|.*\| (.*?) \|$", text, re.M))
    fields = {name.upper(): field for name, field in Settings.model_fields.items()}
    assert set(rows) - {"SECRET_KEY"} == set(fields)  # which the shell alone reads
    for name, field in fields.items():
        default = field.get_default()
        if isinstance(default, bool):
            assert rows[name] == f"`{str(default).lower()}`"
        elif default is not None and str(default) and isinstance(default, (str, int, Path)):
            assert rows[name] == f"`{default}`"
        else:
            assert "`" not in rows[name]


def test_every_key_of_a_definition_is_described():
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(HEADING) :] == all_keys(), "run python -m tests.tools.reference"


def test_every_state_has_its_word_in_the_handbook():
    text = handbook.source(HOME).read_text(encoding="utf-8").lower()
    for word in (
        *(STATE_WORDS[s] for s in State),
        *(DATA_WORDS[d] for d in (DataState.LATE, DataState.STALE)),
    ):
        assert word.lower() in text


# ---- pages


class Seen(HTMLParser):
    """What a page holds: headings, ids and links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []
        self.styled = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.styled |= "style" in given
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))


def address(name: str) -> str:
    return "/help" if name == HOME else f"/help/{name}"


@pytest.fixture
def house(make_site: Callable[[], Site]) -> Site:
    """Return the application with people and nothing else."""
    made = make_site()
    with transaction(made.engine) as session:
        add_people(session)
    return made


@pytest.mark.parametrize("who", [EXECUTIVE, OWNER, MEASURER])
def test_the_handbook_is_open_to_everybody_who_is_signed_in(house: Site, who: str):
    browser = house.browser(who)
    for name in (HOME, *PAGES):
        response = browser.get(address(name))
        assert response.status_code == 200
        assert chapter(name).title in response.text


def test_a_stranger_and_a_wrong_page_are_told_so(house: Site):
    assert house.app.test_client().get("/help").status_code == 302
    assert house.browser().get("/help/nothing").status_code == 404
    assert house.browser().get("/help/index").status_code == 404


@pytest.mark.parametrize("name", [HOME, *PAGES])
def test_headings_are_in_order_ids_are_there_once_and_nothing_carries_a_style(house: Site, name: str):
    seen = Seen(house.browser().get(address(name)).text)

    assert seen.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(seen.levels, seen.levels[1:], strict=False))
    assert len(seen.ids) == len(set(seen.ids))
    assert not seen.styled


@pytest.mark.parametrize("name", [HOME, *PAGES])
def test_every_link_leads_somewhere(house: Site, name: str):
    browser = house.browser()
    for link in Seen(browser.get(address(name)).text).links:
        path, _, section = link.partition("#")
        response = browser.get(path or address(name), follow_redirects=True)
        assert response.status_code == 200, link
        assert not section or section in Seen(response.text).ids, link


@pytest.mark.parametrize("path", ["/portfolio", "/benefits/NH-0041", "/kpis/stay"])
def test_a_page_of_figures_leads_to_how_they_are_worked_out(site: Site, path: str):
    assert any(link.startswith("/help/numbers#") for link in Seen(site.browser().get(path).text).links)


def test_every_page_is_in_the_contents_and_on_the_first_page():
    written = {path.stem for path in (ROOT / "templates/help").glob("*.md")}
    assert written == {HOME, *PAGES}
    assert all(f"({name}.md)" in handbook.source(HOME).read_text(encoding="utf-8") for name in PAGES)


def test_html_in_a_page_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n<script>alert(1)</script> and [a link](javascript:alert)\n", encoding="utf-8"
    )
    monkeypatch.setattr(handbook, "source", lambda _name: page)
    uncached: Callable[[str], handbook.Chapter] = chapter.__wrapped__

    body = uncached("page").body

    assert "<script" not in body
    assert "href=" not in body
