"""Workbooks as people send them."""

import io
import re
import shutil
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from rmo.connectors import Reach, Window
from rmo.connectors.excel_file import Options, fetch
from rmo.domain.calendar import Rhythm
from rmo.domain.errors import ConnectorError
from rmo.domain.values import Frequency, SourceRow

MONTHS = Window(Rhythm(Frequency.MONTH), date(2016, 1, 1), date(2020, 12, 1))
DEMO = Path(__file__).parents[2] / "rmo" / "demo" / "data"
NHS = "nhs_ae_providers_wide.xlsx"


def saved(folder: Path, fill: Callable[[Worksheet], None]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Data", index=0)
    fill(sheet)
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"


def fetched(folder: Path, window: Window = MONTHS, **options: Any) -> list[SourceRow]:
    return fetch(Options(path=Path("a.xlsx"), **options), window, Reach(folders=(folder,)))


def refused(folder: Path, *, max_bytes: int = 20_000_000, **options: Any) -> str:
    with pytest.raises(ConnectorError) as caught:
        fetch(Options(path=Path("a.xlsx"), **options), MONTHS, Reach(folders=(folder,), max_bytes=max_bytes))
    assert not caught.value.passing
    return str(caught.value)


def wide(sheet: Worksheet) -> None:
    """Fill a sheet with a title, labels merged over rows, months in three writings, a total and a note."""
    sheet["A1"] = "Emergency departments"
    sheet.merge_cells("A1:E1")
    sheet.append([])
    sheet.append(["Trust", "Measure", datetime(2019, 1, 1), "Feb 2019", "2019-03", "Total"])  # noqa: DTZ001
    sheet.append(["North", "Seen", 100, 110, None, 210])
    sheet.append([None, "Late", 10, 22, None, 32])
    sheet.append(["South", "Seen", 50, 60, 70, 180])
    sheet.append([None, "Late", 5, 6, "x", 11])
    sheet.merge_cells("A4:A5")
    sheet.merge_cells("A6:A7")
    sheet.append([])
    sheet.append(["Note: late means over four hours."])


def test_the_nhs_workbook_gives_a_trust_s_months():
    labels = {"Org code": "RJZ", "Measure": "A&E attendances"}

    rows = fetch(Options(path=Path(NHS), value_row=labels), MONTHS, Reach(folders=(DEMO,)))

    assert len(rows) == 36
    assert (rows[0].at, rows[0].value, rows[0].place) == (date(2016, 4, 1), Decimal(16688), "cell C6")
    assert (rows[-1].at, rows[-1].value, rows[-1].place) == (date(2019, 3, 1), Decimal(17193), "cell AL6")


def test_a_ratio_is_made_of_two_rows():
    options = Options(
        path=Path(NHS), sheet="Provider Level Data",
        numerator_row={"Org code": "RJZ", "Measure": "Attendances over 4 hours"},
        denominator_row={"Org code": "RJZ", "Measure": "A&E attendances"},
    )  # fmt: skip

    row = fetch(options, MONTHS, Reach(folders=(DEMO,)))[0]

    assert (row.numerator, row.denominator, row.place) == (Decimal(3608), Decimal(16688), "cell C7 and C6")


def test_labels_merged_over_rows_count_for_each_and_totals_and_notes_for_none(tmp_path):
    saved(tmp_path, wide)

    rows = fetched(
        tmp_path,
        numerator_row={"Trust": "North", "Measure": "Late"},
        denominator_row={"Trust": "North", "Measure": "Seen"},
    )

    assert [(row.at, row.numerator, row.denominator) for row in rows] == [
        (date(2019, 1, 1), Decimal(10), Decimal(100)),
        (date(2019, 2, 1), Decimal(22), Decimal(110)),
    ]


def test_a_text_in_a_cell_is_told_with_the_cell(tmp_path):
    saved(tmp_path, wide)

    assert "cell E7: value: 'x' is not a number" in refused(
        tmp_path, value_row={"Trust": "South", "Measure": "Late"}
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param(
            {"Trust": "East"}, "no row with Trust 'East'. Under Trust there are: North,", id="no such row"
        ),
        pytest.param(
            {"Trust": "North"}, "rows 4, 5 all have Trust 'North'; name one more column.", id="two rows"
        ),
        pytest.param(
            {"Hospital": "North"},
            "no column 'Hospital'. It has: Trust, Measure, 2019-01-01",
            id="no such header",
        ),
    ],
)
def test_a_row_that_is_not_there_or_not_alone_is_told(tmp_path, row, message):
    saved(tmp_path, wide)

    assert message in refused(tmp_path, value_row=row)


def test_a_long_table_is_read_below_its_titles(tmp_path):
    def fill(sheet: Worksheet) -> None:
        for row in (
            ["Report of May"], [], ["Month", "Site", "Waits"],
            [datetime(2019, 1, 1), 7, 1.25], [datetime(2019, 2, 1), 7, None], [datetime(2019, 1, 1), 8, 9],  # noqa: DTZ001
            [], ["Note: waits in weeks."],
        ):  # fmt: skip
            sheet.append(row)

    saved(tmp_path, fill)

    rows = fetched(tmp_path, date_column="Month", value_column="Waits", where={"Site": "7"})

    assert [(row.at, row.value, row.place) for row in rows] == [(date(2019, 1, 1), Decimal("1.25"), "row 4")]


def test_years_across_are_read_as_numbers_or_text(tmp_path):
    def fill(sheet: Worksheet) -> None:
        sheet.append(["What", 2017, "2018"])
        sheet.append(["Cost", 5, 6])

    saved(tmp_path, fill)
    years = Window(Rhythm(Frequency.YEAR), date(2000, 1, 1), date(2020, 1, 1))

    rows = fetched(tmp_path, years, value_row={"What": "Cost"})

    assert [(row.at.year, row.value) for row in rows] == [(2017, Decimal(5)), (2018, Decimal(6))]


def test_a_missing_sheet_is_told_with_those_that_are_there(tmp_path):
    saved(tmp_path, wide)

    assert refused(tmp_path, sheet="Dta") == "a.xlsx has no sheet 'Dta'. It has: Data, Sheet."


def test_an_emptied_sheet_is_told(tmp_path):
    saved(tmp_path, lambda sheet: None)

    assert "no column 'date', 'value'" in refused(tmp_path)


def test_an_old_workbook_under_a_new_name_is_told(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))

    assert (
        refused(tmp_path) == "a.xlsx is an old .xls or has a password; save it as .xlsx without a password."
    )


def test_an_archive_that_is_no_workbook_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("word/document.xml", "<a/>")

    assert "is not an Excel workbook; save it as .xlsx" in refused(tmp_path)


def test_a_bomb_is_measured_before_it_is_opened(tmp_path):
    shutil.copyfile(DEMO / NHS, tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(30_000_000))

    assert (tmp_path / "a.xlsx").stat().st_size < 100_000
    assert "would unpack to more than 500,000 bytes" in refused(tmp_path, max_bytes=100_000)


def test_a_bomb_that_lies_about_its_size_is_not_opened_either(tmp_path):
    shutil.copyfile(DEMO / NHS, tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(30_000_000))
    content = (tmp_path / "a.xlsx").read_bytes()
    assert (30_000_000).to_bytes(4, "little") in content
    (tmp_path / "a.xlsx").write_bytes(
        content.replace((30_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    )

    assert "is not an Excel workbook" in refused(tmp_path, max_bytes=100_000)


@pytest.mark.parametrize(
    "far",
    [
        pytest.param(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', id="a cell far away"),
        pytest.param(
            b'<row r="1048576">' + b"<c><v>1</v></c>" * 50 + b"</row>",
            id="cells that do not say where they are",
        ),
        pytest.param(
            b'<x:row r="1048576" xmlns:x="a">' + b"<x:c/>" * 50 + b"</x:row>", id="under another name space"
        ),
    ],
)
def test_two_cells_far_apart_do_not_fill_the_memory(tmp_path, far):
    path = saved(tmp_path, wide)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name in parts:
        if name.startswith("xl/worksheets/"):
            parts[name] = parts[name].replace(b"</sheetData>", far + b"</sheetData>")
            parts[name] = re.sub(rb"<sheetData ?/>", b"<sheetData>" + far + b"</sheetData>", parts[name])
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)

    assert "spans more than 5,000,000 cells" in refused(tmp_path, value_row={"Trust": "North"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"value_row": {"a": "b"}, "where": {"c": "d"}},
            "with periods across, give rows only",
            id="both ways",
        ),
        pytest.param({"value_row": {}}, "at least one header", id="row without labels"),
        pytest.param(
            {"numerator_row": {"a": "b"}},
            "give numerator_row and denominator_row together",
            id="half a ratio",
        ),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Options(path=Path("a.xlsx"), **options)


def test_a_workbook_cut_off_anywhere_is_refused_with_a_sentence(tmp_path):
    content = (DEMO / NHS).read_bytes()
    for end in range(10, len(content), 331):
        (tmp_path / "a.xlsx").write_bytes(content[:end])

        assert "save it as .xlsx" in refused(tmp_path)


def test_a_part_replaced_by_noise_is_refused_with_a_sentence(tmp_path):
    with zipfile.ZipFile(DEMO / NHS) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for broken in parts:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, part in parts.items():
                archive.writestr(name, b"<a>\xff\x00noise" if name == broken else part)
        (tmp_path / "a.xlsx").write_bytes(packed.getvalue())
        try:
            rows = fetched(tmp_path, value_row={"Org code": "RJZ", "Measure": "A&E attendances"})
        except ConnectorError as error:
            assert str(error).startswith("a.xlsx")
        else:
            assert len(rows) == 36  # a part that only decorates
