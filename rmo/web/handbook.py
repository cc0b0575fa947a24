"""The handbook: pages in Markdown from templates/help, with their contents and links between sections."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from rmo.domain.errors import NotFoundError
from rmo.paths import data_folder
from rmo.web.context import EVERYBODY, allow

bp = Blueprint("handbook", __name__, url_prefix="/help")
HOME: Final = "index"
PAGES: Final = ("first_hour", "readings", "numbers", "definitions", "commands", "settings")
LINK = re.compile(r"(?P<page>[a-z_]+)\.md(?P<section>#.*)?")


@dataclass(frozen=True)
class Section:
    """A section that the contents lead to."""

    id: str
    title: str


@dataclass(frozen=True)
class Chapter:
    """One page of the handbook, ready to be shown."""

    name: str
    title: str
    sections: tuple[Section, ...]
    body: Markup


@bp.get("")
@allow(EVERYBODY)
def home() -> ResponseReturnValue:
    """Show what the handbook holds."""
    return _page(HOME)


@bp.get("/<name>")
@allow(EVERYBODY)
def show(name: str) -> ResponseReturnValue:
    """Show one page of the handbook."""
    if name not in PAGES:
        raise NotFoundError("The handbook has no such page.")
    return _page(name)


def _page(name: str) -> str:
    others = [chapter(other) for other in PAGES]
    return render_template("handbook/page.html", page=chapter(name), chapters=others)


def source(name: str) -> Path:
    """Return where a page is written."""
    return data_folder("templates") / "help" / f"{name}.md"


@lru_cache
def chapter(name: str) -> Chapter:
    """Return a page, rendered. HTML in it is shown as text; links to `other.md#section` lead to its page."""
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(["table", "smartquotes"])
    markdown.add_render_rule("fence", _lines)
    tokens = markdown.parse(source(name).read_text(encoding="utf-8"))
    title, sections = "", []
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            text = _text(tokens[at + 1])
            token.attrSet("id", section_id(text))
            if token.tag == "h1":
                title = text
            elif token.tag == "h2":
                sections.append(Section(section_id(text), text))
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("href", _address(str(inner.attrGet("href"))))
    shown = _with_tables(tokens[3:])  # what follows the title
    html = markdown.renderer.render(shown, markdown.options, {})
    return Chapter(name, title, tuple(sections), Markup(html))  # our own words, HTML disabled


def section_id(title: str) -> str:
    """Return what stands after the # of a link to a section."""
    return re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")


def _text(inline: Token) -> str:
    return "".join(part.content for part in inline.children or ())


def _lines(renderer: object, tokens: Sequence[Token], at: int, options: object, env: object) -> str:
    """Return lines as they are written; wide ones scroll, by keyboard too."""
    return f'<pre tabindex="0"><code>{escape(tokens[at].content)}</code></pre>\n'


def _address(written: str) -> str:
    found = LINK.fullmatch(written)
    if found is None:
        return written
    page = "" if found["page"] == HOME else f"/{found['page']}"
    return f"{bp.url_prefix}{page}{found['section'] or ''}"


def _with_tables(tokens: list[Token]) -> list[Token]:
    """Give every table the look of the other pages; it scrolls alone where it is too wide, by keyboard too."""
    shown: list[Token] = []
    heading, begun = "", 0
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = _text(tokens[at + 1])
        elif token.type == "table_open":
            begun = at
        if token.type == "table_close":
            frame = Token("frame_open", "div", 1, block=True)
            frame.attrs = {
                "class": "scroll",
                "tabindex": "0",
                "role": "group",
                "aria-label": f"Table: {heading}",
            }
            shown += [frame, *_table(tokens[begun : at + 1]), Token("frame_close", "div", -1, block=True)]
            begun = 0
        elif not begun:
            shown.append(token)
    return shown


def _table(tokens: list[Token]) -> list[Token]:
    """Return a table whose rows begin with their heads. One of words alone becomes cards on a phone."""
    heads = [_text(tokens[at + 1]) for at, token in enumerate(tokens) if token.type == "th_open"]
    words = not any("style" in token.attrs for token in tokens)
    tokens[0].attrSet("class", "t tight cards" if words else "t tight")
    column, shown = 0, []
    for token in tokens:
        if token.type == "tr_open":
            column = 0
        elif token.type in ("th_open", "td_open"):
            _dress(token, heads[column] if len(heads) > 2 else "", first=column == 0)
            column += 1
        elif token.type == "td_close" and column == 1:
            token.tag = "th"
        if token.type == "inline" and words:  # one thing beside its label, in a card
            shown += [Token("part_open", "span", 1), token, Token("part_close", "span", -1)]
        else:
            shown.append(token)
    return shown


def _dress(cell: Token, head: str, *, first: bool) -> None:
    """Say what a cell is with classes and attributes: the policy refuses styles. In a card its head stands beside it."""
    if cell.attrs.pop("style", "") == "text-align:right":
        cell.attrSet("class", "num")
    if cell.type == "th_open":
        cell.attrSet("scope", "col")
    elif first:
        cell.tag = "th"
        cell.attrSet("scope", "row")
    elif head:
        cell.attrSet("data-h", head)
