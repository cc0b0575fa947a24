"""Write the part of the handbook that is made from the code: every key of a KPI definition.

python -m tests.tools.reference
"""

from collections.abc import Iterator
from typing import Any

from rmo.connectors.definitions import schema
from rmo.paths import data_folder

PAGE = data_folder("templates") / "help" / "definitions.md"
HEADING = "## All keys\n"


def main() -> None:
    """Write the tables below their heading."""
    own = PAGE.read_text(encoding="utf-8").partition(HEADING)[0]
    PAGE.write_text(own + all_keys(), encoding="utf-8")


def all_keys() -> str:
    """Return the tables of all keys, as the handbook holds them."""
    whole = schema()
    parts = [HEADING, "\nMade from the code; keys without a default must be there.\n"]
    parts += [
        _table("A definition", whole, whole),
        _table("valid_range", whole["$defs"]["ValidRange"], whole),
    ]
    parts += [_table(name.lower(), whole["$defs"][name], whole) for name in ("Due", "Source")]
    for name, part in whole["$defs"].items():
        if name.endswith("_options"):
            parts.append(_table(f"options of {name.removesuffix('_options')}", part, whole))
    return "".join(parts)


def _table(title: str, part: dict[str, Any], whole: dict[str, Any]) -> str:
    rows = "".join(
        f"| `{key}` | {_cell(rule.get('description', ''))} | {_cell(_kind(rule, whole))} | {_default(key, rule, part)} |\n"
        for key, rule in part["properties"].items()
    )
    return f"\n### {title}\n\n| key | says | is | if it is not there |\n|---|---|---|---|\n{rows}"


def _kind(rule: dict[str, Any], whole: dict[str, Any]) -> str:
    """Return in words what a value may be."""
    return " or ".join(dict.fromkeys(_kinds(rule, whole)))


def _kinds(rule: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
    if "$ref" in rule:
        yield from _kinds(whole["$defs"][rule["$ref"].rpartition("/")[2]], whole)
    elif "anyOf" in rule:
        for choice in rule["anyOf"]:
            if choice.get("type") != "null":
                yield from _kinds(choice, whole)
    elif "enum" in rule:
        yield ", ".join(
            f"`{word}`" if word.strip() else {"": "nothing", " ": "a space"}[word] for word in rule["enum"]
        )
    elif "const" in rule:
        yield f"`{rule['const']}`"
    elif isinstance(rule.get("type"), list):  # a number may be written as text, and a text as YAML's number
        yield "number" if rule["type"][0] == "number" else "text"
    elif rule.get("type") == "object":
        yield "its own keys, below" if "properties" in rule else "keys and values"
    elif rule.get("format") == "date":
        yield "date"
    else:
        yield _simple(rule)


def _simple(rule: dict[str, Any]) -> str:
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list"}
    kind = words.get(rule.get("type", ""), "anything")
    low, high = rule.get("minimum"), rule.get("maximum")
    if low is not None and high is not None:
        return f"{kind}, {low} to {high}"
    return f"{kind}, at least {low}" if low is not None else kind


def _default(key: str, rule: dict[str, Any], part: dict[str, Any]) -> str:
    if key in part.get("required", ()):
        return "must be there"
    default = rule.get("default")
    if default in (None, "", {}, []) and default is not False:
        return "–"
    if isinstance(default, dict):
        return "–"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
