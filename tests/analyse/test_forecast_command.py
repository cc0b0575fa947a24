"""`rmo analyse forecast` answers in one JSON object and lets no series stop another."""

import json

import numpy as np
import pytest
from click.testing import CliRunner, Result

from rmo.analyse import analyse
from rmo.domain.engine.forecast import forecast


def run(*arguments: str) -> Result:
    return CliRunner().invoke(analyse, ["forecast", *arguments])


def months(count) -> list[str]:
    return [f"{2020 + at // 12}-{at % 12 + 1:02d}" for at in range(count)]


@pytest.fixture
def values():
    rng = np.random.default_rng(1)
    return np.round(100 + 10 * np.sin(2 * np.pi * np.arange(40) / 12) + rng.normal(0, 2, 40), 3)


@pytest.fixture
def file(tmp_path, values):
    path = tmp_path / "file.csv"
    lines = [f"long,{period},{value}" for period, value in zip(months(40), values, strict=True)]
    lines += [f"short,{period},7" for period in months(5)]
    lines += [f"weekly,2024-W{week:02d},{week % 3}" for week in range(1, 20)]
    path.write_text("\n".join(["series,period,value", *lines]) + "\n", encoding="utf-8")
    return str(path)


def test_an_answer_has_the_promised_shape_and_the_engines_numbers(file, values):
    result = run(file, "--horizon", "6", "--promise", "600", "--versus-last", "0.9,1,1.1", "--json")
    long, short, weekly = json.loads(result.stdout)["series"]
    assert list(long) == ["name", "n", "points", "total", "chance"]
    assert [point["period"] for point in long["points"]] == [
        "2023-05",
        "2023-06",
        "2023-07",
        "2023-08",
        "2023-09",
        "2023-10",
    ]
    assert list(long["points"][0]) == ["period", "median", "p2_5", "p10", "p90", "p97_5"]
    assert list(long["total"]) == ["median", "p2_5", "p10", "p90", "p97_5"]
    assert list(long["chance"]) == ["promise", "0.9", "1", "1.1"]
    found = forecast(values[None], horizon=6, season=12)
    assert long["points"][2]["p90"] == pytest.approx(found.months.quantile(0.9)[0, 2])
    last = values[-6:].sum()
    assert long["chance"]["0.9"] == pytest.approx(found.total.chance_of_at_least(np.array([0.9 * last]))[0])
    assert short["problem"] == "Too short: a forecast needs at least 6 readings."
    assert short["points"] == [] and short["total"] is None and short["chance"] == {}
    assert weekly["points"][0]["period"] == "2024-W20"


def test_a_series_is_forecast_the_same_alone_and_among_others(file, tmp_path, values):
    alone = tmp_path / "alone.csv"
    lines = [f"{period},{value}" for period, value in zip(months(40), values, strict=True)]
    alone.write_text("\n".join(["period,value", *lines]), encoding="utf-8")
    answers = [
        json.loads(run(path, "--horizon", "12", "--json").stdout)["series"][0] for path in (file, str(alone))
    ]
    assert answers[0]["points"] == answers[1]["points"]


def test_the_season_may_be_said(file):
    answers = [
        json.loads(run(file, "--horizon", "3", "--json", "--season", m).stdout)["series"][0]
        for m in ("1", "12")
    ]
    assert answers[0]["points"] != answers[1]["points"]


@pytest.mark.parametrize("options", [[], ["--horizon", "0"], ["--horizon", "3", "--versus-last", "0.9,x"]])
def test_a_wrong_call_exits_with_2(file, options):
    assert run(file, *options).exit_code == 2


def test_without_json_it_is_a_table_and_it_can_be_drawn(file, tmp_path):
    drawn = tmp_path / "drawn.html"
    result = run(file, "--horizon", "2", "--plot", str(drawn))
    assert "p97_5" in result.stdout
    assert drawn.stat().st_size > 1_000_000
