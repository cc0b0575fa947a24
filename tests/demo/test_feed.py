"""The demo's feed: a source over HTTP that knows only what its clock has reached."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.request import urlopen

import pytest

from rmo.demo.feed import DATA, GDP_PATH, TAXI_PATH, Feed, serve_feed


class Clock:
    """A day that a test sets."""

    def __init__(self) -> None:
        self.day = date(2018, 6, 1)

    def __call__(self) -> date:
        return self.day


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feed(clock: Clock) -> Iterator[Feed]:
    served = serve_feed(clock)
    yield served
    served.close()


def asked(feed: Feed, path: str) -> Any:
    with urlopen(feed.url + path) as answer:
        return json.load(answer)


@pytest.mark.parametrize(
    ("today", "newest"),
    [
        pytest.param(date(2018, 2, 28), "2016", id="the day before a figure appears"),
        pytest.param(date(2018, 3, 1), "2017", id="the day on which it appears"),
        pytest.param(date(2030, 1, 1), "2018", id="long after the last one"),
    ],
)
def test_a_year_appears_on_1_march_of_the_next(feed, clock, today, newest):
    clock.day = today

    about, rows = asked(feed, f"{GDP_PATH}?per_page=100")

    assert rows[0]["date"] == newest
    assert about["total"] == len(rows) == int(newest) - 1959


def test_years_come_newest_first_in_pages(feed):
    first_about, first = asked(feed, f"{GDP_PATH}?per_page=20")
    _, third = asked(feed, f"{GDP_PATH}?per_page=20&page=3")
    _, beyond = asked(feed, f"{GDP_PATH}?per_page=20&page=4")

    assert (first_about["page"], first_about["pages"]) == (1, 3)
    assert [row["date"] for row in first[:2]] == ["2017", "2016"]
    assert third[-1]["date"] == "1960"
    assert beyond == []


def test_a_wrong_page_is_answered_as_the_world_bank_does(feed):
    [answer] = asked(feed, f"{GDP_PATH}?page=zero")

    assert answer["message"][0]["key"] == "Invalid value"


def test_a_day_of_trips_appears_on_the_next_day(feed, clock):
    clock.day = date(2014, 7, 4)

    assert asked(feed, TAXI_PATH)["days"] == [
        {"date": "2014-07-01", "trips": 745967},
        {"date": "2014-07-02", "trips": 733640},
        {"date": "2014-07-03", "trips": 710142},
    ]
    assert len(asked(feed, f"{TAXI_PATH}?from=2014-07-02&to=2014-07-02")["days"]) == 1


def test_every_file_of_the_data_stands_in_the_table_of_sources_and_licences():
    table = (DATA / "README.md").read_text(encoding="utf-8")

    files = {path.name for path in DATA.iterdir()} - {"README.md"}
    rows = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert rows == files
