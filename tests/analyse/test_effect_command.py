"""`rmo analyse effect` answers in one JSON object, by a start or by a column."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rmo.analyse import analyse


def run(*arguments: str) -> Result:
    return CliRunner().invoke(analyse, ["effect", *arguments])


@pytest.fixture
def values():
    rng = np.random.default_rng(4)
    return np.round(50 + rng.normal(0, 1, 36) - 8 * (np.arange(36) >= 24), 4)


def write(path: Path, header: str, *lines: str) -> str:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(path)


def months(count) -> list[str]:
    return [f"{2020 + at // 12}-{at % 12 + 1:02d}" for at in range(count)]


def test_an_answer_has_the_promised_shape(tmp_path, values):
    path = write(tmp_path / "a.csv", "period,value", *map("{},{}".format, months(36), values))
    (entry,) = json.loads(run(path, "--start", "2022-01", "--json").stdout)["series"]
    assert list(entry) == ["name", "effect", "lower", "upper", "chance_of_no_effect", "points"]
    assert entry["lower"] < -8 < entry["upper"] < 0
    assert entry["chance_of_no_effect"] < 0.01
    assert list(entry["points"][0]) == ["period", "actual", "anyway", "lower", "upper"]
    assert entry["points"][0]["anyway"] == entry["points"][0]["actual"]
    assert entry["points"][-1]["anyway"] == pytest.approx(values[-1] - entry["effect"])


def test_the_column_after_says_the_same_as_the_start(tmp_path, values):
    lines = [
        f"{period},{value},{int(at >= 24)}"
        for at, (period, value) in enumerate(zip(months(36), values, strict=True))
    ]
    by_column = run(write(tmp_path / "a.csv", "period,value,after", *lines), "--json")
    plain = write(tmp_path / "b.csv", "period,value", *map("{},{}".format, months(36), values))
    assert by_column.stdout == run(plain, "--start", "2022-01", "--json").stdout


def test_the_start_may_be_written_in_another_way_than_the_periods(tmp_path, values):
    days = write(
        tmp_path / "a.csv", "period,value", *(f"{m}-01,{v}" for m, v in zip(months(36), values, strict=True))
    )
    sizes = {
        run(days, "--start", start, "--json").stdout for start in ("2022-01", "2022-01-01", "2022-Q1", "2022")
    }
    assert len(sizes) == 1
    result = run(days, "--start", "24")
    assert result.exit_code == 2
    assert "'2020-01-01' cannot be compared with '24'" in result.stderr


def test_a_ramp_a_control_and_logs_change_the_answer(tmp_path, values):
    lines = map("{},{},{}".format, months(36), values, np.round(np.random.default_rng(5).normal(9, 1, 36), 3))
    path = write(tmp_path / "a.csv", "period,value,Other", *lines)
    options = [
        [],
        ["--ramp", "linear", "--ramp-periods", "6"],
        ["--controls", "other"],
        ["--log"],
        ["--season", "1"],
    ]
    entries = [
        json.loads(run(path, "--start", "2022-01", "--json", *each).stdout)["series"][0] for each in options
    ]
    assert len({entry["effect"] for entry in entries}) == 5
    assert entries[3]["effect"] == pytest.approx(-16, abs=2)  # percent


def test_a_series_without_enough_readings_says_so(tmp_path, values):
    lines = [f"long,{period},{value}" for period, value in zip(months(36), values, strict=True)]
    lines += [f"late,{period},{value}" for period, value in zip(months(36)[22:], values, strict=False)]
    path = write(tmp_path / "a.csv", "series,period,value", *lines)
    long, late = json.loads(run(path, "--start", "2022-01", "--json").stdout)["series"]
    assert long["effect"] is not None
    assert "Too short" in late["problem"]
    assert late["effect"] is None and late["points"][0]["anyway"] is None


@pytest.mark.parametrize(
    ("header", "lines", "options", "said"),
    [
        pytest.param("period,value", ["1,2"], [], "say --start", id="no start"),
        pytest.param(
            "period,value", ["1,2"], ["--start", "1", "--controls", "x"], "no column 'x'", id="no control"
        ),
        pytest.param("period,value,after", ["1,2,1", "2,3,0"], [], "3: after: it was 1 before", id="back"),
        pytest.param(
            "period,value,after", ["1,2,yes"], [], "2: after: “yes” is not a number", id="no number"
        ),
        pytest.param("period,value,after", ["1,2,2"], [], "2: after: '2' is neither 0 nor 1", id="no flag"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, header, lines, options, said):
    result = run(write(tmp_path / "a.csv", header, *lines), *options)
    assert result.exit_code == 2
    assert said in result.stderr


def test_it_can_be_drawn(tmp_path, values):
    path = write(tmp_path / "a.csv", "period,value", *map("{},{}".format, months(36), values))
    assert run(path, "--start", "2022-01", "--plot", str(tmp_path / "a.html")).exit_code == 0
    assert "Plotly.newPlot" in (tmp_path / "a.html").read_text(encoding="utf-8")
