"""`rmo analyse money` answers in one JSON object with the published values."""

import json

import pytest
from click.testing import CliRunner, Result

from rmo.analyse import analyse


def run(*arguments: str) -> Result:
    return CliRunner().invoke(analyse, ["money", *arguments])


@pytest.fixture
def file(tmp_path):
    def write(*lines: str) -> str:
        path = tmp_path / "flows.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    return write


def test_an_answer_has_the_promised_shape(file):
    path = file("project,when,cost,benefit", "a,0,100,", "a,1,,60", "a,2,,60", "b,0,5,", "b,1,5,1")
    a, b = json.loads(run(path, "--rate", "0.1", "--json").stdout)["projects"]
    assert list(a) == [
        "name", "npv", "pv_costs", "pv_benefits", "bcr", "irr", "payback", "discounted_payback", "switching_value", "rows",
    ]  # fmt: skip
    assert a["npv"] == pytest.approx(60 / 1.1 + 60 / 1.21 - 100)
    assert a["irr"] == pytest.approx(0.1307, abs=1e-4)
    assert a["payback"] == pytest.approx(1 + 40 / 60)
    assert [row["when"] for row in a["rows"]] == ["0", "1", "2"]
    assert a["rows"][1]["factor"] == pytest.approx(1 / 1.1)
    assert b["irr"] is None and b["payback"] is None


def test_dated_flows_have_excels_values(file):
    path = file(
        "when,cost,benefit",
        "2008-03-01,0,2750",
        "2008-01-01,10000,0",
        "2008-10-30,0,4250",
        "2009-02-15,0,3250",
        "2009-04-01,0,2750",
    )
    (entry,) = json.loads(run(path, "--rate", "0.09", "--json").stdout)["projects"]
    assert round(entry["npv"], 2) == 2086.65
    assert entry["irr"] == pytest.approx(0.373362535, abs=1e-6)
    assert entry["rows"][0] == {
        "when": "2008-01-01", "factor": 1.0, "cost": 10000.0, "benefit": 0.0, "net": -10000.0, "present_value": -10000.0,
    }  # fmt: skip


@pytest.mark.parametrize("options", [[], ["--schedule", "green-book"]])
def test_the_green_book_is_the_default(file, options):
    (entry,) = json.loads(run(file("when,cost,benefit", "0,1,", "50,,1"), "--json", *options).stdout)[
        "projects"
    ]
    assert round(entry["rows"][1]["factor"], 4) == 0.1973


def test_every_bad_line_is_told_at_once(file):
    result = run(file("when,cost,benefit", "0,1,x", "2024,1,1", "-1,1,1", "1,2,3", "2024-01-01,1,1"))
    assert result.exit_code == 2
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == ["2", "3", "4", "6"]


def test_a_rate_and_a_schedule_are_too_much(file):
    assert run(file("when,cost,benefit", "0,1,1"), "--rate", "0.1", "--schedule", "green-book").exit_code == 2


def test_it_can_be_read_and_drawn(file, tmp_path):
    drawn = tmp_path / "drawn.html"
    result = run(file("when,cost,benefit", "0,1,", "1,,2"), "--plot", str(drawn))
    assert "switching value: 0.5175" in result.stdout
    assert "Plotly.newPlot" in drawn.read_text(encoding="utf-8")
