"""`rmo analyse chart` answers in one JSON object, tells every bad line, and knows the published examples."""

import csv
import json
from itertools import groupby
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rmo.analyse import analyse

REFERENCE = Path(__file__).parents[1] / "data" / "spc_reference.csv"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(analyse, arguments)


@pytest.fixture
def file(tmp_path):
    def write(*lines: str) -> str:
        path = tmp_path / "file.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("variant", "options"),
    [("default", []), ("noscreen", ["--no-screen"]), ("fix12", ["--fix-after", "12"]), ("rebase_mid", [])],
)
def test_the_file_of_reference_answers_comes_out_as_it_went_in(tmp_path, variant, options):
    with REFERENCE.open(newline="", encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["variant"] == variant]
    path = tmp_path / "reference.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        columns = [
            "series",
            "period",
            "value",
            "direction",
            "target",
            *(["rebase"] * (variant == "rebase_mid")),
        ]
        writer = csv.DictWriter(out, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    answer = json.loads(run("chart", str(path), "--json", *options).stdout)
    expected = {name: list(points) for name, points in groupby(rows, key=lambda row: row["series"])}
    assert [entry["name"] for entry in answer["series"]] == list(expected)
    for entry in answer["series"]:
        points = expected[entry["name"]]
        assert [point["flag"] for point in entry["points"]] == [point["flag"] for point in points]
        assert (entry["assurance"] or "") == points[0]["assurance"]
        assert entry["segments"][-1]["mean"] == pytest.approx(float(points[-1]["mean"]))
        assert entry["n"] == len(points)


def test_an_answer_has_the_promised_shape(file):
    path = file("period,value", *(f"2024-{month:02d},{10 + month % 2}" for month in range(1, 8)), "2024-08,")
    (entry,) = json.loads(run("chart", path, "--json", "--rebase", "2024-05").stdout)["series"]
    assert list(entry) == ["name", "n", "segments", "points", "variation", "assurance"]
    assert entry["n"] == 7
    assert [(part["first"], part["last"]) for part in entry["segments"]] == [
        ("2024-01", "2024-04"),
        ("2024-05", "2024-08"),
    ]
    assert list(entry["segments"][0]) == ["first", "last", "mean", "lower", "upper", "trial"]
    assert entry["segments"][0]["trial"] is True
    assert entry["points"][-1] == {"period": "2024-08", "value": None, "flag": "common"}
    assert entry["variation"] == "common"
    assert entry["assurance"] is None


def test_a_rebase_may_be_written_in_another_way_than_the_periods(file):
    path = file("period,value", *(f"2024-{month:02d}-01,{month % 3}" for month in range(1, 9)))
    (entry,) = json.loads(run("chart", path, "--json", "--rebase", "2024-Q2").stdout)["series"]
    assert [part["first"] for part in entry["segments"]] == ["2024-01-01", "2024-04-01"]
    assert run("chart", path, "--rebase", "7").exit_code == 2


def test_a_month_without_a_line_is_a_missing_one(file):
    with_line = run(
        "chart",
        file("period,value", "2024-01,1", "2024-02,3", "2024-03,", "2024-04,9", "2024-05,8"),
        "--json",
    )
    without = run("chart", file("period,value", "2024-01,1", "2024-02,3", "2024-04,9", "2024-05,8"), "--json")
    limits = [
        json.loads(result.stdout)["series"][0]["segments"][0]["upper"] for result in (with_line, without)
    ]
    assert limits[0] == limits[1] == pytest.approx(5.25 + 2.66 * 1.5)


def test_columns_speak_per_series(file):
    lines = [f"a,{at},{at % 2},up,5" for at in range(9)] + [f"b,{at},{at % 2},down,5" for at in range(9)]
    answer = json.loads(run("chart", file("series,period,value,direction,target", *lines), "--json").stdout)
    assert [entry["assurance"] for entry in answer["series"]] == ["consistently_fails", "consistently_passes"]


def test_every_bad_line_is_told_at_once(file):
    path = file(
        "period,value,direction",
        "2024-01,1,up",
        "2024-02,x,up",
        "2024-13,2,up",
        "",
        "2024-01,4,up",
        "2024-W07,4,sideways",
        "2024-04,4",
    )
    result = run("chart", path, "--json")
    assert result.exit_code == 2
    assert [problem["line"] for problem in json.loads(result.stdout)["problems"]] == [3, 4, 6, 7, 7, 8]
    assert f"{path}:3: value: “x” is not a number." in result.stderr


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        pytest.param(["period,wert", "1,2"], "no column 'value'", id="no such column"),
        pytest.param(["period,value"], "no reading", id="no line"),
        pytest.param(["period,value,value", "1,2,3"], "twice", id="a column twice"),
        pytest.param(["period,value", "1,2", "2,3", "900000000,1"], "periods after", id="a period far away"),
        pytest.param(["period,value,target", "1,2,3", "2,2,4"], "but '3' before", id="two targets"),
        pytest.param(["period,value,rebase", "1,2,3", "2,2,0"], "neither 0 nor 1", id="no such rebase"),
        pytest.param(["period,value", '1,"2'], "not CSV", id="an open quote"),
        pytest.param(["period,value", "1,1e200"], "too large", id="a number that is a slip"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(file, lines, said):
    result = run("chart", file(*lines))
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_series_too_short_says_so_and_does_not_stop_the_others(file):
    lines = ["long,1,5", "long,2,7", "long,3,6", "short,1,5", "empty,1,"]
    answer = json.loads(run("chart", file("series,period,value", *lines), "--json").stdout)
    assert [("problem" in entry, entry["n"]) for entry in answer["series"]] == [
        (False, 3),
        (True, 1),
        (True, 0),
    ]


def test_without_json_it_is_a_table(file):
    result = run("chart", file("series,period,value", "a,2024-01,1", "a,2024-02,2"))
    assert "variation: common" in result.stdout
    assert any(line.split() == ["2024-02", "2", "common"] for line in result.stdout.splitlines())


def test_a_plot_needs_no_network(file, tmp_path):
    drawn = tmp_path / "drawn.html"
    result = run("chart", file("period,value", "1,1", "2,2", "3,1"), "--plot", str(drawn))
    assert result.exit_code == 0, result.output
    page = drawn.read_text(encoding="utf-8")
    assert "<script src" not in page
    assert "Plotly.newPlot" in page


def test_a_plot_of_very_many_series_shows_the_first(file, tmp_path):
    drawn = tmp_path / "drawn.html"
    lines = [f"s{row},{at},{at % 3}" for row in range(42) for at in range(4)]
    assert run("chart", file("series,period,value", *lines), "--plot", str(drawn)).exit_code == 0
    assert "The first 40 of 42" in drawn.read_text(encoding="utf-8")
