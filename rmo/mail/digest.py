"""An executive's digest, from a frozen snapshot to the words and bar widths that its template shows."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from rmo.domain.values import DataState, State
from rmo.drawing import words
from rmo.mail.message import BREAKING, URL, MailError

Snapshot = Mapping[str, Any]

SHAPES: Final = {  # of each state: the shape beside its word, and the tone of both
    State.OFF_TRACK: ("▼", "bad"),
    State.AT_RISK: ("▽", "bad"),
    State.BROKEN: ("◆", "bad"),
    State.ON_TRACK: ("✓", "good"),
    State.KEPT: ("✓", "good"),
    State.NOT_STARTED: ("○", "wait"),
    State.TOO_EARLY: ("○", "wait"),
    DataState.LATE: ("□", "unknown"),
    DataState.STALE: ("□", "unknown"),
    DataState.NONE: ("□", "unknown"),
}
PARTS: Final = (  # in the order in which they add up to the promise: key, name, kind of bar, tone of the figure
    ("realised", "Realised", "realised", ""),
    ("still_forecast", "Still forecast", "forecast", ""),
    ("unproven", "Unproven", "unproven", "unknown"),
    ("shortfall", "Shortfall", "shortfall", "bad"),
)
MOST_EXCEPTIONS, MOST_SUCCESSES = 5, 3


@dataclass(frozen=True)
class Bar:
    """A part of the promise as a row of cells: widths in per cent of the row, and its figures."""

    name: str
    kind: str
    tone: str
    amount: str
    share: str
    before: int
    width: int

    @property
    def after(self) -> int:
        """Return what is left of the row behind the bar."""
        return 100 - self.before - self.width


@dataclass(frozen=True)
class Concern:
    """A benefit that is not as promised, and who does what about it."""

    reference: str
    title: str
    url: str
    owner: str
    shape: str
    state: str
    tone: str
    at_stake: str
    figures: str
    sentence: str
    reason: str
    action: str


@dataclass(frozen=True)
class Success:
    """A benefit worth a good word."""

    reference: str
    title: str
    url: str
    sentence: str


@dataclass(frozen=True)
class Correction:
    """A figure that was told before and is another now."""

    reference: str
    title: str
    was: str
    now: str
    why: str


@dataclass(frozen=True)
class LatePerson:
    """Somebody who owes readings, and which."""

    name: str
    items: str


@dataclass(frozen=True)
class DigestPage:
    """All that the digest's templates show."""

    subject: str
    preview: str
    kicker: str
    headline: str
    unit: str
    parts: tuple[Bar, ...]
    changes: tuple[str, ...]
    exceptions_title: str
    exceptions: tuple[Concern, ...]
    successes: tuple[Success, ...]
    restated: tuple[Correction, ...]
    late_title: str
    late: tuple[LatePerson, ...]
    rest: str
    known: str
    why: str
    page_url: str


def digest_page(given: Snapshot) -> DigestPage:
    """Return what a digest shows. Money in the snapshot is whole pennies; days and moments are ISO or words."""
    snapshot = _tidy(given)
    money = snapshot["money"]
    write, unit = _column_of(money["promised"])
    exceptions = snapshot["exceptions"][:MOST_EXCEPTIONS]
    changes = tuple(snapshot["changes"])
    title = _exceptions_title(exceptions)
    return DigestPage(
        subject=snapshot["subject"],
        preview=" ".join(changes) or title,
        kicker=f"{snapshot['organisation']} · {snapshot['period_label']}",
        headline=snapshot["headline"],
        unit=unit,
        parts=_parts(money, write),
        changes=changes,
        exceptions_title=title,
        exceptions=tuple(_concern(item, write) for item in exceptions),
        successes=tuple(_success(item) for item in snapshot["successes"][:MOST_SUCCESSES]),
        restated=tuple(_correction(item) for item in snapshot["restated"]),
        late_title=_late_title(money["unproven"]),
        late=tuple(LatePerson(each["person"], "; ".join(each["items"])) for each in snapshot["late"]),
        rest=snapshot["rest"],
        known=f"Data to {_day(snapshot['data_to'])}, as known on {_moment(snapshot['known_on'])} ({snapshot['zone']}).",
        why=snapshot["why"],
        page_url=_link(snapshot["page_url"]),
    )


def _parts(money: Mapping[str, int], write: Callable[[int], str]) -> tuple[Bar, ...]:
    """Return the promise and the parts that add up to it, each beginning where the one before it ends."""
    promised = money["promised"]
    edges = [0, *itertools.accumulate(money[key] for key, *_ in PARTS), promised]
    low, high = min(edges), max(edges)
    if low == high:
        return ()  # no benefit has a value in money

    def bar(name: str, kind: str, tone: str, start: int, value: int) -> Bar:
        left, right = sorted(round(100 * (edge - low) / (high - low)) for edge in (start, start + value))
        width = max(right - left, 1) if value else 0
        share = words.percent(value / promised) if promised > 0 and kind != "promised" else ""
        return Bar(name, kind, tone if value else "", write(value), share, min(left, 100 - width), width)

    bars = [bar("Promised", "promised", "", 0, promised)]
    for start, (key, name, kind, tone) in zip(edges, PARTS, strict=False):
        if key == "shortfall" and money[key] < 0:
            name, kind, tone = "Surplus", "surplus", "good"
        bars.append(bar(name, kind, tone, start, money[key]))
    return tuple(bars)


def _concern(item: Snapshot, write: Callable[[int], str]) -> Concern:
    state = item["state"]
    shape, tone = SHAPES.get(state, ("○", "wait"))
    at_stake = _at_stake(item)
    keys = [key for key in ("promised", "realised", "forecast") if item[key] is not None]
    return Concern(
        reference=item["reference"],
        title=item["title"],
        url=_link(item["url"]),
        owner=item["owner"],
        shape=shape,
        state=words.state_word(state),
        tone=tone,
        at_stake="" if at_stake is None else write(at_stake),
        figures=", ".join(f"{key} {write(item[key])}" for key in keys),
        sentence=item["sentence"],
        reason=item["reason"] or "",
        action=_action(item),
    )


def _at_stake(item: Snapshot) -> int | None:
    """Return what of a promise is neither realised nor forecast, unless the snapshot says what is at stake."""
    if item.get("at_stake") is not None:
        return int(item["at_stake"])
    if item["promised"] is None:
        return None
    return max(0, int(item["promised"]) - (item["realised"] or 0) - (item["forecast"] or 0))


def _action(item: Snapshot) -> str:
    """Return what is done about it, by whom and by when; empty where nothing is."""
    if not item["action"]:
        return ""
    by = ", ".join(part for part in (item["who"], f"by {_day(item['due'])}" if item["due"] else "") if part)
    return f"{item['action']}: {by}" if by else item["action"]


def _exceptions_title(items: Sequence[Snapshot]) -> str:
    number, pennies = len(items), sum(_at_stake(item) or 0 for item in items)
    gaps = f"{words.capital(words.count_word(number))} gap{'' if number == 1 else 's'}"
    if pennies == 0:
        return f"{gaps} {'needs' if number == 1 else 'need'} an answer"
    return f"{gaps} {'puts' if number == 1 else 'put'} {words.money(pennies)} at stake"


def _late_title(unproven: int) -> str:
    return (
        f"Nobody can show {words.money(unproven)} until these report"
        if unproven > 0
        else "Readings that are late"
    )


def _success(item: Snapshot) -> Success:
    return Success(item["reference"], item["title"], _link(item["url"]), item["sentence"])


def _correction(item: Snapshot) -> Correction:
    return Correction(item["reference"], item["title"], str(item["was"]), str(item["is"]), item["why"] or "")


def _column_of(pennies: int) -> tuple[Callable[[int], str], str]:
    """Return how a column of money is written where the largest is so much, and its unit."""
    if abs(pennies) >= words.POUNDS_IN_FULL:
        return words.millions, "£ million"
    return (lambda value: words.figure_value(Decimal(value) / 100)), "£"


def _day(text: str) -> str:
    """Return a day as a sentence writes it: an ISO one in words, anything else as it is."""
    try:
        return words.long_day(date.fromisoformat(text))
    except ValueError:
        return text


def _moment(text: str) -> str:
    """Return a moment on the clock that it was written on: an ISO one in words, anything else as it is."""
    try:
        return words.moment(datetime.fromisoformat(text))
    except ValueError:
        return text


def _link(url: str) -> str:
    if not URL.fullmatch(url):
        raise MailError(f"{url!r} is not a link that a mail can hold.")
    return url


def _tidy(value: Any) -> Any:
    """Return a snapshot whose texts hold no line break and no control character: they would forge lines."""
    if isinstance(value, str):
        return BREAKING.sub(" ", value).strip()
    if isinstance(value, Mapping):
        return {key: _tidy(each) for key, each in value.items()}
    return [_tidy(each) for each in value] if isinstance(value, list | tuple) else value
