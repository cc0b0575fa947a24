"""What the style sheet and the templates promise without a browser: contrast, and nothing that the policy refuses."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSS = (ROOT / "rmo/web/static/rmo.css").read_text(encoding="utf-8")
TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", CSS)
}
THEMES = {"light": 0, "dark": 1}
PAGES = [path for path in sorted((ROOT / "templates").rglob("*.html")) if "email" not in path.parts]


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["page", "sunk"])
@pytest.mark.parametrize("name", ["ink", "ink-2", "ink-3", "good", "bad", "unknown", "wait"])
def test_text_can_be_read(name, ground, theme):
    at = THEMES[theme]
    assert contrast(TOKENS[name][at], TOKENS[ground][at]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["line-firm", "actual", "plan", "hatch", "focus"])
def test_shapes_and_borders_can_be_seen(name, theme):
    at = THEMES[theme]
    assert all(contrast(TOKENS[name][at], TOKENS[ground][at]) >= 3 for ground in ("page", "sunk"))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["good", "bad", "unknown"])
def test_a_judgement_can_be_read_on_its_own_ground(name, theme):
    at = THEMES[theme]
    assert contrast(TOKENS[name][at], TOKENS[f"{name}-soft"][at]) >= 4.5


def test_every_token_that_is_used_is_defined():
    defined = set(re.findall(r"(--[\w-]+):", CSS))
    used = {name for name in re.findall(r"var\((--[\w-]+)\)", CSS) if not name.startswith("--bs-")}
    assert used <= defined


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_holds_nothing_that_the_policy_refuses(path: Path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"<script(?![^>]*(\ssrc=|application/json))", text)
    assert not re.search(r"\|\s*safe\b", text), "drawings are markup already; nothing else may be"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_class_of_a_page_is_in_a_style_sheet(path: Path):
    vendored = (ROOT / "rmo/web/static/vendor/bootstrap.min.css").read_text(encoding="utf-8")
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", CSS + vendored))
    text = re.sub(r"{{.*?}}|{%.*?%}", " ", path.read_text(encoding="utf-8"))
    used = {name for classes in re.findall(r'class="([^"]*)"', text) for name in classes.split()}
    assert used <= known | {"why", "drawing", "explore", "register", "steps"}


@pytest.mark.parametrize("path", sorted((ROOT / "rmo/drawing").glob("*.py")), ids=lambda path: path.name)
def test_every_class_of_a_drawing_is_in_the_style_sheet(path: Path):
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", CSS))
    text = path.read_text(encoding="utf-8")
    used = set(re.findall(r"\b([fkmc]-[a-z-]+)\b", text)) - {"k-", "f-"}
    assert {name for name in used if not name.endswith("-")} <= known
