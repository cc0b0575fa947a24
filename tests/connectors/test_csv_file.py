"""CSV files as other systems export them."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rmo.connectors import Reach, Window
from rmo.connectors.csv_file import Options, fetch
from rmo.connectors.shared.files import find_file
from rmo.domain.calendar import Rhythm
from rmo.domain.errors import ConnectorError
from rmo.domain.values import Frequency, SourceRow

MONTHS = Window(Rhythm(Frequency.MONTH), date(2010, 1, 1), date(2020, 12, 1))
DEMO = Path(__file__).parents[2] / "rmo" / "demo" / "data"
DATA = Path(__file__).parents[1] / "data"


def fetched(folder: Path, content: str | bytes, window: Window = MONTHS, **options: Any) -> list[SourceRow]:
    (folder / "a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return fetch(Options(path=Path("a.csv"), **options), window, Reach(folders=(folder,)))


def refused(folder: Path, content: str | bytes, **options: Any) -> str:
    with pytest.raises(ConnectorError) as caught:
        fetched(folder, content, **options)
    return str(caught.value)


def test_the_nhs_file_gives_a_trust_s_months():
    options = Options(
        path=Path("nhs_ae_type1_10_trusts.csv"), date_column="period", where={"org_code": "R1H"},
        numerator_column="breaches", denominator_column="attendances",
    )  # fmt: skip

    rows = fetch(options, MONTHS, Reach(folders=(DEMO,)))

    assert len(rows) == 36
    assert (rows[0].at, rows[0].numerator, rows[0].denominator) == (
        date(2016, 4, 1),
        Decimal(5099),
        Decimal(27396),
    )
    assert rows[0].place == "line 2"


def test_the_infections_file_gives_its_rate():
    options = Options(
        path=Path("cdi_infections_before_after.csv"), date_column="month", value_column="rate_per_10000_days"
    )

    rows = fetch(options, MONTHS, Reach(folders=(DATA,)))

    assert len(rows) == 36
    assert rows[0].value == Decimal("11.511")


def test_the_world_bank_s_download_has_years_across_below_other_lines():
    years = Window(Rhythm(Frequency.YEAR), date(2015, 1, 1), date(2018, 1, 1))
    options = Options(path=Path("worldbank_gdp_constant_lcu.csv"), value_row={"Country Code": "GBR"})

    rows = fetch(options, years, Reach(folders=(DATA,)))

    assert [row.at for row in rows] == [date(year, 1, 1) for year in (2015, 2016, 2017, 2018)]
    assert rows[-1].value == Decimal("1849701962800")
    assert rows[-1].place == "cell BK10"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        pytest.param(
            "date;value\n2019-01;1,5\n", {"delimiter": ";", "decimal_mark": ","}, id="semicolons and commas"
        ),
        pytest.param("date\tvalue\n2019-01\t1.5\n", {"delimiter": "tab"}, id="tabs"),
        pytest.param("\ufeffdate,value\r\n2019-01,1.5\r\n", {}, id="byte order mark and CRLF"),
        pytest.param('date,value\n"2019-01","1.5"\n\n\n', {}, id="quotes and blank lines"),
        pytest.param(" date , value \n 2019-01 , 1.5 \n", {}, id="spaces"),
        pytest.param(
            "a,b,date,value\nx,,2019-01,1.5\ny,,2019-02,7\n", {"where": {"a": "x"}}, id="one of several"
        ),
        pytest.param(
            "date,Größe\n2019-01,1.5\n".encode("cp1252"),
            {"encoding": "cp1252", "value_column": "Größe"},
            id="cp1252",
        ),
        pytest.param("date,value\n2019-01,1.5\n2019-02\n", {}, id="a short row has no value"),
        pytest.param('date,value,note\n2019-01,1.5,"two\nlines"\n', {}, id="a line break within quotes"),
    ],
)
def test_a_file_is_read_as_it_is_written(tmp_path, content, options):
    rows = fetched(tmp_path, content, **options)

    assert [(row.at, row.value) for row in rows] == [(date(2019, 1, 1), Decimal("1.5"))]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        pytest.param(
            "day,value\n2019-01,1\n",
            {},
            "a.csv has no column 'date'. It has: day, value.",
            id="no date column",
        ),
        pytest.param("date,val\n2019-01,1\n", {}, "a.csv has no column 'value'.", id="renamed column"),
        pytest.param(
            "date,value,value\n2019-01,1,2\n", {}, "more than one column 'value'", id="column twice"
        ),
        pytest.param("date,value\n", {}, "a.csv has no row.", id="only a header"),
        pytest.param(
            "date,value,a\n2019-01,1,y\n",
            {"where": {"a": "x"}},
            "a.csv has no row with a 'x'.",
            id="nothing matches",
        ),
        pytest.param(
            "date,Größe\n".encode("cp1252"),
            {},
            "is not utf-8-sig text; say its `encoding`",
            id="another encoding",
        ),
        pytest.param(
            'date,value\n2019-01,"' + "x" * 200_000,
            {},
            "not a CSV file that can be read: line 2",
            id="quote left open",
        ),
        pytest.param(
            "date,value\nJanuary,1\n",
            {},
            "line 2: 'January' is not a date; write 2019-03-31, 2019-03",
            id="no date",
        ),
        pytest.param(
            "date,value\n2019-01,x\n2019-02,y\n", {}, "2 rows cannot be taken", id="texts for numbers"
        ),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, content, options, message):
    assert message in refused(tmp_path, content, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"numerator_column": "a"},
            "give numerator_column and denominator_column together",
            id="half a ratio",
        ),
        pytest.param(
            {"value_column": "v", "numerator_column": "a", "denominator_column": "b"},
            "give either value_column",
            id="both",
        ),
        pytest.param({"complement": True}, "complement needs numerator_column", id="complement of nothing"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Options(path=Path("a.csv"), **options)


@pytest.mark.parametrize(
    "path", ["../outside.csv", "sub/../../outside.csv", "link.csv", "link/inner.csv", "/etc/passwd"]
)
def test_no_path_leads_out_of_the_folders(tmp_path, path):
    folder = tmp_path / "open"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "outside.csv").write_text("date,value\n2019-01-01,1\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "inner.csv").write_text("date,value\n2019-01-01,1\n")
    (folder / "link.csv").symlink_to(tmp_path / "outside.csv")
    (folder / "link").symlink_to(tmp_path / "other")

    with pytest.raises(ConnectorError, match="is refused") as caught:
        fetch(Options(path=Path(path)), MONTHS, Reach(folders=(folder,)))

    assert not caught.value.passing


def test_a_file_is_found_in_any_open_folder_and_by_its_whole_path(tmp_path):
    (first := tmp_path / "a").mkdir()
    (second := tmp_path / "b").mkdir()
    (second / "x.csv").write_text("date,value\n")
    reach = Reach(folders=(first, second))

    assert find_file(Path("x.csv"), reach) == find_file(second / "x.csv", reach) == second / "x.csv"
