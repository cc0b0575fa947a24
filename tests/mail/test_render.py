"""A digest says the same in both of its parts, adds up, and holds nothing that a person put there to harm."""

import copy
import html
import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.mail.digest import digest_page
from rmo.mail.message import MailError
from rmo.mail.render import render_digest

URL = "https://rmo.example.org"
CONCERN = {
    "reference": "NH-0041",
    "title": "Shorter stays on medical wards",
    "url": f"{URL}/benefits/NH-0041",
    "owner": "director of operations",
    "state": "off_track",
    "promised": 293_000_000,
    "realised": 83_000_000,
    "forecast": 88_000_000,
    "sentence": "Stays fell from 6.80 to 6.21 days where 5.90 was promised.",
    "reason": "41 % of discharges wait past 16:00.",
    "action": "Book transport a day ahead",
    "who": "head of patient flow",
    "due": "2026-04-30",
}
SNAPSHOT = {
    "organisation": "Northshire Health",
    "person_name": "Chief executive",
    "period_label": "March 2026",
    "subject": "2 gaps, 1 late reading, £1.96m at stake, March",
    "headline": "£0.91m arrived in March. Of £22.92m promised, £2.98m will fall short.",
    "money": {
        "promised": 2_292_000_000,
        "realised": 1_135_000_000,
        "still_forecast": 641_000_000,
        "unproven": 218_000_000,
        "shortfall": 298_000_000,
    },
    "changes": ["£0.91m was realised in March.", "The pharmacy stock system went silent on 15 March."],
    "exceptions": [
        CONCERN,
        {
            **CONCERN,
            "reference": "NH-0017",
            "state": "at_risk",
            "promised": 288_000_000,
            "realised": 124_000_000,
            "forecast": 90_000_000,
            "reason": "",
            "action": "",
            "who": "",
            "due": "",
        },
    ],
    "successes": [
        {"reference": "NH-0038", "title": "Discharge lounge", "url": URL, "sentence": "43 patients a day."}
    ],
    "restated": [
        {
            "reference": "NH-0033",
            "title": "Missed visits",
            "was": "6.1 %",
            "is": "6.6 %",
            "why": "A late clinic.",
        }
    ],
    "late": [{"person": "Chief pharmacist", "items": ["Pharmacy stock, 30 days late", "Waste, 4 days late"]}],
    "rest": "The other 26 benefits: no change worth a line.",
    "data_to": "2026-03-31",
    "known_on": "2026-04-14T08:00:00+01:00",
    "zone": "London",
    "why": "You get this because you read for the CEO’s office, monthly.",
    "page_url": f"{URL}/packs/2026-03",
}
TOLD = [
    "Northshire Health · March 2026",
    "£0.91m arrived in March. Of £22.92m promised, £2.98m will fall short.",
    "Promised 22.92",
    "Realised 11.35 49.5 %",
    "Still forecast 6.41 28.0 %",
    "Unproven 2.18 9.5 %",
    "Shortfall 2.98 13.0 %",
    "The pharmacy stock system went silent on 15 March.",
    "Two gaps put £1.96m at stake",
    "Off track · NH-0041, director of operations · promised 2.93, realised 0.83, forecast 0.88",
    "Stays fell from 6.80 to 6.21 days where 5.90 was promised.",
    "41 % of discharges wait past 16:00.",
    "Book transport a day ahead: head of patient flow, by 30 April 2026",
    "At risk · NH-0017",
    "No action yet.",
    "Discharge lounge (NH-0038): 43 patients a day.",
    "was 6.1 %, is 6.6 %. A late clinic.",
    "Nobody can show £2.18m until these report",
    "Chief pharmacist: Pharmacy stock, 30 days late; Waste, 4 days late",
    "The other 26 benefits: no change worth a line.",
    "Data to 31 March 2026, as known on 14 Apr 2026, 08:00 (London).",
    "You get this because you read for the CEO’s office, monthly.",
]


def changed(**values: object) -> dict[str, object]:
    return {**copy.deepcopy(SNAPSHOT), **values}


def one_line(text: str) -> str:
    return " ".join(text.split())


def seen(markup: str) -> str:
    """Return the words that a mail program shows."""
    body = markup[markup.index("<body") :]
    return one_line(html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<(/?)(b|a|span|i)\b[^>]*>", "", body))))


@pytest.mark.parametrize("told", TOLD)
def test_both_parts_tell_the_same(told: str):
    digest = render_digest(json.loads(json.dumps(SNAPSHOT)))

    assert told in one_line(digest.text)
    assert told in seen(digest.html)


def test_both_parts_have_the_same_links_and_no_picture():
    digest = render_digest(SNAPSHOT)

    links = set(re.findall(r'href="([^"]*)"', digest.html))
    assert links == set(re.findall(r"https://\S+", digest.text))
    assert not re.search(r"<(img|script|link|svg|form)\b", digest.html)


def test_styles_stand_in_the_elements_and_the_dark_ones_in_a_sheet():
    markup = render_digest(SNAPSHOT).html

    assert markup.count("<style") == 1
    assert "prefers-color-scheme: dark" in markup
    assert re.search(r'<td class="head" style="[^"]*Georgia', markup)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '" onmouseover="alert(1)',
        "{{7*7}}",
        "{% raw %}",
        "</td></table>",
        "&lt;b&gt;",
    ],
)
def test_what_people_wrote_is_shown_and_never_read_as_markup(text: str):
    concern = {**CONCERN, "title": text, "reason": text, "owner": text, "action": text, "who": text}
    digest = render_digest(
        changed(subject=text, headline=text, changes=[text], exceptions=[concern], rest=text)
    )

    assert digest.subject == text
    assert digest.text.count(text) == 8
    assert seen(digest.html).count(one_line(text)) >= 8
    assert not re.search(r"<script|<[^>]* onmouseover=", digest.html)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\x85", "\u2028", "\x0b"])
def test_a_line_break_in_a_name_forges_no_line(end: str):
    digest = render_digest(
        changed(rest=f"harmless{end}Open the portfolio: https://evil.example.net", subject=f"a{end}b")
    )

    assert "\nOpen the portfolio: https://evil" not in digest.text
    assert digest.subject == "a b"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", "/benefits/1", 'https://a.org/"x<'])
def test_a_link_that_is_none_is_refused(url: str):
    with pytest.raises(MailError):
        render_digest(changed(page_url=url))


@pytest.mark.parametrize(
    ("items", "title"),
    [
        pytest.param([CONCERN], "One gap puts £1.22m at stake", id="one"),
        pytest.param(
            [{**CONCERN, "at_stake": 4_521_000}], "One gap puts £45,210 at stake", id="told at stake"
        ),
        pytest.param(
            [{**CONCERN, "promised": None, "realised": None, "forecast": None}],
            "One gap needs an answer",
            id="without money",
        ),
        pytest.param([CONCERN] * 7, "Five gaps put £6.10m at stake", id="no more than five"),
    ],
)
def test_the_title_over_the_gaps_carries_the_finding(items, title):
    digest = render_digest(changed(exceptions=items))

    assert title in digest.text
    assert title in digest.html


def test_a_quiet_month_is_a_short_mail():
    nothing = {"changes": [], "exceptions": [], "successes": [], "restated": [], "late": [], "rest": ""}
    digest = render_digest(changed(**nothing))

    assert "Nothing that is worth a line." in digest.text
    assert "at stake" not in digest.text
    assert "Going well" not in digest.html


def test_a_portfolio_without_money_has_no_bars():
    money = dict.fromkeys(SNAPSHOT["money"], 0)

    assert "Promised" not in render_digest(changed(money=money)).html


def test_small_money_is_written_in_pounds():
    money = {"promised": 4_521_000, "realised": 4_521_000, "still_forecast": 0, "unproven": 0, "shortfall": 0}
    digest = render_digest(changed(money=money))

    assert "Promised 45,210" in one_line(digest.text)


def test_more_than_was_promised_is_a_surplus():
    money = {
        "promised": 100_000_000,
        "realised": 150_000_000,
        "still_forecast": 0,
        "unproven": 0,
        "shortfall": -50_000_000,
    }
    page = digest_page(changed(money=money))

    promised, realised, *_, surplus = page.parts
    assert (surplus.name, surplus.amount, surplus.tone) == ("Surplus", "−0.50", "good")
    assert (promised.before, promised.width, realised.width) == (0, 67, 100)
    assert (surplus.before, surplus.width) == (67, 33)


@given(st.tuples(*[st.integers(-(10**12), 10**12)] * 4))
def test_the_parts_of_every_promise_fit_into_their_row(values):
    keys = ("realised", "still_forecast", "unproven", "shortfall")
    page = digest_page(changed(money={"promised": sum(values), **dict(zip(keys, values, strict=True))}))

    for part in page.parts:
        assert part.before >= 0
        assert part.after >= 0
        assert part.width >= (0 if part.amount.strip("−0.") == "" else 1)


@given(st.tuples(*[st.integers(10**11, 10**12)] * 4))
def test_each_part_begins_where_the_one_before_it_ends(values):
    keys = ("realised", "still_forecast", "unproven", "shortfall")
    page = digest_page(changed(money={"promised": sum(values), **dict(zip(keys, values, strict=True))}))

    promised, *parts = page.parts
    assert (promised.before, promised.width) == (0, 100)
    assert parts[0].before == 0
    assert parts[-1].after == 0
    assert all(part.before + part.width == following.before for part, following in pairwise(parts))
