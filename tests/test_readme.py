"""What the README says is there: commands with their options, settings, make's targets, files, and a definition that works."""

import re
from pathlib import Path

import click
import pytest

from rmo import cli
from rmo.config import Settings
from rmo.connectors.definitions import LoadedDefinition, load_definition
from rmo.scheduler.jobs import JOBS
from tests.processes import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CALLS = sorted({match[1] for match in re.finditer(r"(?:`|^|/)rmo ((?:[^`#\n]|\\\|)+)", README, re.M)})
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.S))


def words_of(call: str) -> list[str]:
    """Return the words of a call, without the brackets of what may be left out."""
    return re.sub(r"[\[\]]", " ", call.replace("\\|", "|")).split()


def command_of(words: list[str]) -> list[click.Command]:
    """Return the commands that a call names: one, or each of several written as one|other."""
    found: list[click.Command] = [cli.rmo]
    for word in words:
        if not all(isinstance(command, click.Group) for command in found) or word.startswith("-"):
            break
        found = [
            child
            for command in found
            if isinstance(command, click.Group)
            for name in word.split("|")
            if (child := command.get_command(click.Context(command), name)) is not None
        ]
        assert found, f"there is no command {word!r}"
    return found


@pytest.mark.parametrize("call", CALLS)
def test_a_command_of_the_readme_is_there_with_its_options(call: str):
    words = words_of(call)

    for command in command_of(words):
        known = {
            name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in words if word.startswith("--")} <= known | {"--version", "--help"}


def test_the_readme_names_every_command():
    named = {words_of(call)[0] for call in CALLS}

    assert set(cli.rmo.commands) <= named


def test_the_readme_names_every_setting_and_no_other():
    table = README[README.index("| setting | says |") : README.index("## What a verdict is")]
    names = re.findall(r"`(RMO_[A-Z_]+|_[A-Z]+)`", table)
    full = {name if name.startswith("RMO") else f"RMO_SMTP{name}" for name in names}

    assert full == {f"RMO_{name.upper()}" for name in Settings.model_fields} | {"RMO_SECRET_KEY"}


def test_the_readme_names_the_jobs():
    assert f"(jobs: {', '.join(JOBS)})" in README


def test_the_first_commands_are_the_two_of_make():
    assert [line.split("#")[0].strip() for line in SHELL.splitlines()[:2]] == ["make demo", "make test"]


def test_every_target_of_make_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))

    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.M)) <= targets


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:rmo|tests|kpi_definitions)/[\w./]*)`", README)))
)
def test_a_file_of_the_readme_is_there(path: str):
    assert (ROOT / path).exists()


def test_the_definition_of_the_readme_is_right(tmp_path: Path):
    [text] = re.findall(r"```yaml\n(.*?)```", README, re.S)
    path = tmp_path / "call_handling_time.yaml"
    path.write_text(text, encoding="utf-8")

    assert isinstance(load_definition(path), LoadedDefinition)
