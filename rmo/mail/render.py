"""Mails as words: from a frozen snapshot to a subject, an HTML part and a text part that say the same."""

import functools
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from rmo.mail.digest import digest_page
from rmo.paths import data_folder

TEXT_WIDTH: Final = 72


class Rendered(NamedTuple):
    """A mail's words."""

    subject: str
    html: str
    text: str


def render_digest(snapshot: Mapping[str, Any], *, templates: Path | None = None) -> Rendered:
    """Return the digest that a snapshot tells.

    Args:
        snapshot: As it is kept with the delivery, see `rmo.mail.digest`.
        templates: The folder of templates, where it is not the one that rmo brings.
    """
    page = digest_page(snapshot)
    environment = _environment(templates or data_folder("templates"))
    html = environment.get_template("email/digest.html").render(page=page)
    text = environment.get_template("email/digest.txt").render(page=page)
    return Rendered(page.subject, _inliner().inline(html), text.strip() + "\n")


def render_reminder(snapshot: Mapping[str, Any], *, templates: Path | None = None) -> Rendered:
    """Return the reminder that a snapshot tells."""
    environment = _environment(templates or data_folder("templates"))
    html = environment.get_template("email/reminder.html").render(page=snapshot)
    text = environment.get_template("email/reminder.txt").render(page=snapshot)
    return Rendered(snapshot["subject"], _inliner().inline(html), text.strip() + "\n")


@functools.cache
def _environment(templates: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrapped"] = _wrapped
    return environment


@functools.cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)


def _wrapped(text: str) -> str:
    """Return a paragraph of the text part in short lines, indented as its first one is."""
    indent = " " * (len(text) - len(text.lstrip(" *")))
    return textwrap.fill(
        text, TEXT_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
