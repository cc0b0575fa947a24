"""The handbook: pages in Markdown from templates/help, with their contents and links between sections."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

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
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
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
        elif token.type in ("th_open", "td_open"):
            _align(token)
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("href", _address(str(inner.attrGet("href"))))
    html = markdown.renderer.render(_in_frames(tokens[3:]), markdown.options, {})  # what follows the title
    return Chapter(name, title, tuple(sections), Markup(html))


def section_id(title: str) -> str:
    """Return what stands after the # of a link to a section."""
    return re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")


def _text(heading: Token) -> str:
    return "".join(part.content for part in heading.children or ())


def _align(cell: Token) -> None:
    """Say that a cell holds numbers with a class: the policy refuses styles."""
    aligned = cell.attrs.pop("style", "")
    if aligned == "text-align:right":
        cell.attrSet("class", "num")
    if cell.type == "th_open":
        cell.attrSet("scope", "col")


def _address(written: str) -> str:
    found = LINK.fullmatch(written)
    if found is None:
        return written
    page = "" if found["page"] == HOME else f"/{found['page']}"
    return f"{bp.url_prefix}{page}{found['section'] or ''}"


def _in_frames(tokens: list[Token]) -> list[Token]:
    """Put each table into a frame of its own, so that a wide one scrolls alone, by keyboard too."""
    framed: list[Token] = []
    for token in tokens:
        if token.type == "table_open":
            token.attrSet("class", "t tight")
            frame = Token("frame_open", "div", 1, block=True)
            frame.attrs = {"class": "scroll", "tabindex": "0", "role": "group", "aria-label": "Table"}
            framed.append(frame)
        framed.append(token)
        if token.type == "table_close":
            framed.append(Token("frame_close", "div", -1, block=True))
    return framed
