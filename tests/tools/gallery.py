"""Render every part of the look with sample values, and take its picture in light, in dark and on a phone.

python tests/tools/gallery.py render FOLDER     # parts.html and error.html with their static files, no server needed
python tests/tools/gallery.py pictures FOLDER   # also the screenshots; needs Chromium
"""

import argparse
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from rmo.drawing.bridge import BridgeRow, Part, bridge, bridge_lines  # noqa: E402
from rmo.drawing.bullet import Bullet, bullet, bullet_scale  # noqa: E402
from rmo.drawing.for_templates import FILTERS, GLOBALS  # noqa: E402
from rmo.drawing.minibar import Parts, common_scale, minibar, promise_bar  # noqa: E402
from rmo.drawing.process_chart import Flag, ProcessChart, ProcessPoint, Segment, process_chart  # noqa: E402
from rmo.drawing.realisation import Column, realisation  # noqa: E402
from rmo.drawing.sparkline import sparkline  # noqa: E402
from rmo.drawing.time_series import TimeSeries, axis_note, time_series  # noqa: E402

STAYS = [
    6.80, 6.75, 6.86, 7.06, 6.84, 6.77, 6.72, 6.78, 6.71, 6.77, 6.73, 6.81, 6.74, 6.70, 6.66,
    6.69, 6.58, 6.52, 6.47, 6.41, 6.36, 6.30, 6.33, 6.27, 6.22, 6.25, 6.24, 6.26, 6.19, 6.21,
]  # fmt: skip
MISSED = [7.5, 7.7, 7.4, None, 7.3, 7.5, 7.2, 7.4, None, None, 7.0, 7.1, 6.9, 7.0, 7.0, 6.7, 6.5, 6.3]
PLANNED = [10, 44, 90, 166, 269, 397, 532, 673, 805, 926, 1031, 1116]  # to date, in £10,000
REALISED = [10, 40, 82, 142, 228, 326, 431, 535]
FORECAST = [(599, 613, 622), (673, 691, 713), (733, 768, 807), (795, 841, 889)]


def months(count: int) -> list[date]:
    """Return the first days of the months from October 2023 on."""
    return [date(2023 + (9 + index) // 12, (9 + index) % 12 + 1, 1) for index in range(count)]


def stay_series() -> TimeSeries:
    """Return the length of stay under the promise of 5.60 days."""
    plan: list[float | None] = [None] * 11 + [max(6.80 - 0.05 * index, 5.60) for index in range(31)]
    second: list[float | None] = [None] * 25 + [max(6.25 - 0.04 * index, 5.70) for index in range(17)]
    later = range(1, 13)
    empty: list[float | None] = [None] * 30
    return TimeSeries(
        label="Mean length of stay in days: promise, actual to March 2026, forecast to March 2027",
        periods=months(42),
        decimals=2,
        promise=plan,
        earlier=[second],
        actual=STAYS,
        forecast=empty + [6.21 - 0.011 * index for index in later],
        band=(
            empty + [6.21 - 0.011 * index - 0.06 * index**0.52 for index in later],
            empty + [6.21 - 0.011 * index + 0.06 * index**0.52 for index in later],
        ),
        anyway=[None] * 11 + [6.80 - 0.0037 * index for index in range(31)],
        gap_tone="bad",
        baseline="Baseline 6.80, October 2023 to September 2024",
        actual_words="actual, March",
        forecast_words="forecast, March 2027",
        events=(12, 20, 26),
    )


def stay_process() -> ProcessChart:
    """Return the length of stay with its two levels."""
    notes = {3: "7.06: norovirus closed three bays", 15: "Nine months below the old mean"}
    flags = {3: Flag.CONCERNING, **dict.fromkeys(range(12, 21), Flag.IMPROVING)}
    points = [
        ProcessPoint(period, value, flags.get(index, Flag.ORDINARY), notes.get(index, ""))
        for index, (period, value) in enumerate(zip(months(30), STAYS, strict=True))
    ]
    levels = (
        Segment(0, 20, 6.80, 6.556, 7.044, "Baseline, limits held"),
        Segment(21, 29, 6.25, 6.156, 6.346, "New level from July 2025"),
    )
    label = "Process-behaviour chart of mean length of stay, October 2023 to March 2026"
    return ProcessChart(label, points, 2, levels, target=5.60)


def columns() -> list[Column]:
    """Return twelve quarters of realisation to date."""
    scale = 22_920_000_00 // 1116
    made: list[Column] = []
    for index, planned in enumerate(PLANNED):
        name, year = f"Q{index % 4 + 1}", f"{2024 + index // 4}/{25 + index // 4}"
        if index < len(REALISED):
            made.append(Column(name, year, planned * scale, actual=REALISED[index] * 1135 // 535 * 1_000_000))
        else:
            low, middle, high = FORECAST[index - len(REALISED)]
            made.append(
                Column(
                    name, year, planned * scale, None, middle * 2_111_800, low * 2_111_800, high * 2_111_800
                )
            )
    return made


def bridge_rows() -> list[BridgeRow]:
    """Return the portfolio's bridge."""
    return [
        BridgeRow("Promised in approved cases", 24_180_000_00, Part.PROMISED),
        BridgeRow("Taken out: counted twice", -1_260_000_00, Part.REMOVED),
        BridgeRow("Promised, counted once", 22_920_000_00, Part.PROMISED, 0),
        BridgeRow("Realised", 11_347_218_46, Part.REALISED, 870_000_00),
        BridgeRow("Still forecast", 6_412_905_30, Part.FORECAST, -2_250_000_00),
        BridgeRow("Unproven", 2_184_350_00, Part.UNPROVEN, 1_110_000_00),
        BridgeRow("Shortfall", 2_975_526_24, Part.SHORTFALL, 270_000_00),
    ]


def gaps() -> list[dict[str, Any]]:
    """Return five gaps, ranked."""
    given = [
        ("Shorter stays on medical wards", "NH-0041", "Director of operations", (83, 88, 0, 122), "41 % of discharges wait past 16:00 for transport or medicines.", "Book transport a day ahead on six wards", "Head of patient flow", "30 Apr", "", ""),
        ("Fewer agency nursing hours", "NH-0017", "Chief nurse", (124, 90, 0, 74), "38 of 64 posts filled; two recruitment rounds slipped.", "Match the regional bank rate", "Head of workforce", "8 Apr", "6 days overdue", ""),
        ("More operations per theatre day", "NH-0026", "Medical director", (91, 50, 20, 49), "First cases start 23 minutes late on average.", "Fix first patient the day before", "Theatre manager", "15 May", "", ""),
        ("Fewer missed appointments", "NH-0033", "Director of outpatients", (62, 52, 0, 30), "Text reminders reach 71 % of patients, not 95 %.", "Take mobile numbers at check-in", "Outpatient manager", "24 Apr", "", ""),
        ("Less gas burned in three boiler houses", "NH-0052", "Director of estates", (22, 60, 0, 14), "", "", "", "20 Apr", "", "reason due"),
    ]  # fmt: skip
    all_parts = [Parts(*(number * 1_000_000 for number in entry[3])) for entry in given]
    scale = common_scale(all_parts)
    return [
        {"name": name, "reference": reference, "owner": owner, "at_stake": parts.shortfall, "promised": parts.promised,
         "bar": minibar(parts, scale), "reason": reason, "action": action, "actor": actor, "due": due,
         "overdue": overdue, "due_for": due_for}
        for (name, reference, owner, _, reason, action, actor, due, overdue, due_for), parts
        in zip(given, all_parts, strict=True)
    ]  # fmt: skip


def bullets() -> list[dict[str, Any]]:
    """Return three bullet bars on one scale."""
    given = [
        ("North", 83.0, 71.0, "+3", "good", "on_track"),
        ("South", 61.0, 64.0, "−19", "bad", "off_track"),
        ("West", None, 58.0, "–", "", None),
    ]
    low, high = bullet_scale([83, 80, 71, 61, 64, 58, 95])
    return [
        {"site": site, "actual": "–" if actual is None else f"{actual:.0f}", "variance": variance, "tone": tone, "state": state, "data": "late",
         "bar": bullet(Bullet(actual, 80, low, high, previous, (76, 84)), label=f"{site}: {actual or 'no reading'} of 80 planned")}
        for site, actual, previous, variance, tone, state in given
    ]  # fmt: skip


def entries() -> list[dict[str, Any]]:
    """Return a row for each state of an entry cell."""
    months_before = ("Dec 2025", "Jan 2026", "Feb 2026")
    given = [
        ("Mean length of stay, medical wards", "days", ("6.24", "6.26", "6.19"), "5.90", "6.21", "kept", "", ()),
        ("Discharges, medical wards", "patients", ("2,152", "2,118", "1,946"), "–", "2,104", "kept", "", ()),
        ("Ready to leave, still in a bed", "patients a day", ("88", "91", "86"), "60", "84 (est)", "wrong", "“84 (est)” is not a number.", ("Use 84 and note “estimated”",)),
        ("Agency nursing hours, medical wards", "hours", ("3,412", "3,388", "3,150"), "2,400", "31,800", "question", "Ten times February’s 3,150. Is it right?", ("Change to 3,180", "31,800 is right, say why")),
        ("Discharge lounge, patients", "patients", ("412", "398", "405"), "440", "Not applicable", "not_applicable", "Lounge closed for works, 2 to 31 March.", ("Change",)),
        ("Ambulance handovers over 30 minutes", "handovers", ("341", "336", "329"), "250", "318", "proposed", "Proposed by the emergency department feed, 7 April, 06:10.", ("Accept 318",)),
        ("Falls on medical wards", "per 1,000 bed-days", ("5.1", "4.9", "late"), "4.5", "", "late", "February is 29 days late.", ("Give February first",)),
        ("Bed-days closed to infection", "bed-days", ("96", "212", "131"), "100", "", "open", "", ()),
    ]  # fmt: skip
    return [
        {"kpi": kpi, "unit": unit, "history": list(zip(months_before, history, strict=True)), "plan": plan, "value": value,
         "state": state, "message": message, "answers": [{"text": text, "name": "answer", "value": text} for text in answers]}
        for kpi, unit, history, plan, value, state, message, answers in given
    ]  # fmt: skip


def sample() -> dict[str, Any]:
    """Return everything that parts.html shows."""
    series = stay_series()
    rows = bridge_rows()
    return {
        "facts": [
            {"term": "Promised", "value": "£2.93m", "note": "by March 2027"},
            {"term": "Realised", "value": "£0.83m", "note": "28.3 % of the promise"},
            {"term": "Still forecast", "value": "£0.88m", "note": "30.1 %"},
            {"term": "Unproven", "value": "£0", "note": "0.0 %"},
            {"term": "Shortfall", "value": "£1.22m", "note": "41.6 %", "tone": "bad"},
            {"term": "Owner", "value": "Director of operations", "note": "accepted 2 September 2024", "words": True},
        ],
        "bridge": bridge(rows, since="since Feb"),
        "bridge_lines": bridge_lines(rows),
        "realisation": realisation(columns(), label="Realised value to date by quarter", actual_words="by March 2026"),
        "gaps": gaps(),
        "time_series": time_series(series),
        "axis_note": axis_note(series),
        "process": process_chart(stay_process()),
        "plotly": {
            "data": [
                {"type": "scatter", "mode": "lines", "name": "Actual", "x": [str(day) for day in months(30)], "y": STAYS, "line": {"color": "token:actual", "width": 2.25}},
                {"type": "scatter", "mode": "lines", "name": "Promise", "x": [str(day) for day in months(42)], "y": list(series.promise), "line": {"color": "token:plan", "width": 1.25}},
            ],
            "layout": {"yaxis": {"title": {"text": "days"}}},
        },
        "states": [
            ("not_started", "The promise starts later"), ("too_early", "Too few readings to tell; says how many more are needed"),
            ("on_track", "Reached or within tolerance, and likely to stay"), ("at_risk", "The chance of the promise is getting small"),
            ("off_track", "Beyond tolerance, on readings that exist, for long enough"), ("kept", "The end has come and the promise was kept"),
            ("broken", "The end has come and it was not"), ("not_due", "Nothing is owed today"), ("current", "The newest reading is in"),
            ("late", "A person’s reading is past its due day"), ("stale", "A feed has been silent past its limit"), ("none", "There has never been a reading"),
        ],
        "notation": [
            (["actual", "actual_line"], "Solid ink"), (["plan", "promise_line", "earlier_promise"], "Outlined, thin"),
            (["forecast", "forecast_line", "band"], "Hatched; a line is dotted, with its interval"), (["previous"], "Lighter ink"),
            (["unproven", "shortfall", "surplus"], "Dotted plum; solid vermilion or blue"), (["removed"], "Outlined, one diagonal"),
            (["anyway"], "Long dashes, grey"), (["plan_mark", "tolerance"], "Bullet bars"),
        ],
        "bullets": bullets(),
        "sparklines": [
            {"name": "Mean length of stay", "line": sparkline(STAYS[-18:], label="Last 18 readings"), "latest": "6.21", "unit": "days"},
            {"name": "Missed appointments", "line": sparkline(MISSED, label="Last 18 readings, three missing", tone="good"), "latest": "6.3", "unit": "%"},
            {"name": "Falls on medical wards", "line": sparkline([5.1], label="One reading"), "latest": "5.1", "unit": "per 1,000"},
        ],
        "promise_bar": promise_bar(Parts(83_000_000, 88_000_000, 0, 122_000_000), planned_by_now=113_000_000),
        "surplus_bar": promise_bar(Parts(310_000_000, 21_000_000, 12_000_000, -50_000_000), planned_by_now=250_000_000),
        "profile": [
            {"term": "Reason", "value": "41 % of discharges wait past 16:00 for transport or medicines.", "note": "Director of operations, 2 April 2026"},
            {"term": "Action", "value": "Book transport a day ahead on six wards", "note": "Head of patient flow · due 30 April 2026 · expected effect −0.12 days from June"},
            {"term": "Sustain until", "missing": True, "note": "asked for by the Green Book; gate 5 stays shut"},
        ],
        "changes": [
            {"amount": "+0.91", "tone": "good", "title": "Realised in March,", "text": "most of it from NH-0017 and NH-0026"},
            {"amount": "1.11", "tone": "unknown", "title": "Forecast to unproven:", "text": "the pharmacy stock system went silent on 15 March"},
            {"amount": "−0.04", "tone": "bad", "title": "Restated.", "text": "NH-0041 January was 6.19, is 6.26 days: transfers added"},
        ],
        "trail": [
            {"when": "9 Apr 2026, 07:42", "text": "March reading 6.21 entered by the head of patient flow. Verdict: off track, unchanged."},
            {"when": "11 Mar 2026, 10:15", "title": "Restated.", "text": "January 6.19 is 6.26: 38 late transfers added."},
        ],
        "problems": [{"place": "target", "message": "Target: “5,6o” is not a number"}, {"place": "class", "message": "Class: choose one"}],
        "entries": entries(),
    }  # fmt: skip


def render(folder: Path, theme: str = "") -> None:
    """Write parts.html and error.html, with the static files beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "rmo/web/static", folder / "static", dirs_exist_ok=True)
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(FILTERS)
    environment.globals.update(GLOBALS)
    environment.globals["url_for"] = lambda _endpoint, filename: f"static/{filename}"
    environment.globals["csrf_token"] = lambda: "sample"
    words = ("Portfolio", "Benefits", "KPIs", "Readings", "Map", "Gaps")
    frame: dict[str, Any] = {
        "organisation": "Northshire Health", "theme": theme, "who": "CEO’s office", "account_url": "#account",
        "sign_out_url": "#out", "theme_url": "#theme", "home_url": "#",
        "nav": [{"label": word, "url": f"#{word}", "current": word == "Portfolio"} for word in words],
        "known_on": "31 March 2026", "known_on_url": "#today", "demo": "Public readings, invented promises. Nothing here is a verdict on a real organisation.",
        "messages": [("message", {"text": "6 readings handed in for March 2026", "url": "#undo"})],
    }  # fmt: skip
    parts = environment.get_template("parts.html").render(sample=sample(), **frame)
    (folder / "parts.html").write_text(parts, encoding="utf-8")
    error = environment.get_template("error.html").render(
        title="There is no such page, or you may not see it",
        text="Nothing was changed. The address may be old, or the benefit may be another unit’s.",
        code="404",
        reference="E-2291",
        actions=[{"text": "Go to my page", "url": "#home"}],
        **frame,
    )
    (folder / "error.html").write_text(error, encoding="utf-8")


def take_pictures(folder: Path) -> None:
    """Take the picture of each page in light, in dark, on a phone and on paper."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for name, width, scheme in (("1280-light", 1280, "light"), ("1280-dark", 1280, "dark"), ("360-light", 360, "light"), ("820-light", 820, "light")):  # fmt: skip
            page = browser.new_page(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            for stem in ("parts", "error"):
                page.goto((folder / f"{stem}.html").as_uri())
                height = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": height})
                page.screenshot(path=folder / f"{stem}-{name}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth")
            print(name, "scrolls sideways" if wide > width else "fits")
        browser.close()


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=["render", "pictures"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--theme", default="", choices=["", "light", "dark"])
    arguments = parser.parse_args()
    render(arguments.folder.resolve(), arguments.theme)
    if arguments.command == "pictures":
        take_pictures(arguments.folder.resolve())


if __name__ == "__main__":
    main()
