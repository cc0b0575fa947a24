"""YAML as plain data that remembers its lines; duplicate keys, tags, anchors and depth are refused.

Every scalar stays the text that was written, except a blank one (None), true and false: so `NO` stays a
country, 1:30 a time, and 0.10 keeps its digits. What a text means is for the reader's model to say.
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from yaml.events import AliasEvent, NodeEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

MAX_BYTES = 65_536
MAX_DEPTH = 20
WORDS = {"true": True, "True": True, "false": False, "False": False}

Place: TypeAlias = tuple[str | int, ...]


class YamlError(Exception):
    """What is wrong with a file's YAML, line by line."""

    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        super().__init__(mistakes)
        self.mistakes = mistakes


@dataclass
class Marked:
    """What a file says, and the line on which each place of it begins."""

    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """Return the line of a place, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_yaml(content: bytes) -> Marked:
    """Return what a file says, or raise YamlError."""
    if len(content) > MAX_BYTES:
        raise YamlError(
            [(1, f"The file has {len(content):,} bytes; a definition has at most {MAX_BYTES:,}.")]
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlError([(line, "This line is not UTF-8; save the file as UTF-8.")]) from error
    return _marked(_compose(text))


class _Loader(yaml.SafeLoader):
    """Composes nodes without what makes YAML dangerous or surprising."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            raise YamlError(
                [(line, "Anchors (&) and aliases (*) are not taken; write the text out, or quote it.")]
            )
        if getattr(event, "tag", None):
            raise YamlError([(line, f"The tag {event.tag} is not taken; remove it, or quote the text.")])
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise YamlError([(line, f"This is nested more than {MAX_DEPTH} deep; a definition is flat.")])
        node: Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str) -> Node | None:
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(
            [(line, "This line holds a character that YAML does not allow; remove it.")]
        ) from error
    except yaml.MarkedYAMLError as error:
        raise YamlError([_sentence(error, text)]) from error


def _sentence(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    unclosed = "end of stream" in (error.problem or "") and error.context_mark
    mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if "\t" in written:
        return line, "A tab cannot indent YAML; use spaces."
    if "document" in (error.context or "") or "document" in (error.problem or ""):
        return line, "A second document begins here; write one KPI per file, without '---' in between."
    return (
        line,
        f"This is not YAML: {error.problem}. Look at indentation, colons and quotes here and one line above.",
    )


def _marked(root: Node | None) -> Marked:
    marked, mistakes = Marked(), list[tuple[int, str]]()
    if root is not None:
        marked.lines[()] = root.start_mark.line + 1
        marked.data = _built(root, (), marked.lines, mistakes)
    if mistakes:
        raise YamlError(mistakes)
    return marked


def _built(node: Node, place: Place, lines: dict[Place, int], mistakes: list[tuple[int, str]]) -> Any:
    if isinstance(node, MappingNode):
        return _built_mapping(node, place, lines, mistakes)
    if isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            lines[*place, number] = item.start_mark.line + 1
        return [_built(item, (*place, n), lines, mistakes) for n, item in enumerate(node.value)]
    return _scalar(node) if isinstance(node, ScalarNode) else None


def _built_mapping(
    node: MappingNode, place: Place, lines: dict[Place, int], mistakes: list[tuple[int, str]]
) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            mistakes.append((line, "A key must be a word, not a list or a mapping."))
            continue
        key = key_node.value
        if key in built:
            before = lines[*place, key]
            mistakes.append((line, f"The key {key} is there twice, first on line {before}; remove one."))
            continue
        lines[*place, key] = line
        built[key] = _built(value_node, (*place, key), lines, mistakes)
    return built


def _scalar(node: ScalarNode) -> str | bool | None:
    if node.style is None and node.tag == "tag:yaml.org,2002:null":
        return None
    if node.style is None and node.value in WORDS:
        return WORDS[node.value]
    return str(node.value)
