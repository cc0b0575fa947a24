"""Files taken from other projects are the ones that the manifest names, byte for byte."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "rmo" / "web" / "static"


def check(static: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tests/tools/vendor.py"), "check", "--static", str(static)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "vendor").mkdir(parents=True)
    shutil.copy(STATIC / "vendor.json", static)
    shutil.copytree(STATIC / "vendor", static / "vendor", dirs_exist_ok=True)
    return static


def test_the_committed_files_match_the_manifest():
    answer = check(STATIC)
    assert answer.stderr == ""
    assert answer.returncode == 0


def test_a_changed_byte_is_found(copy: Path):
    with (copy / "vendor/bootstrap.min.css").open("ab") as file:
        file.write(b" ")
    answer = check(copy)
    assert answer.returncode == 1
    assert "bootstrap.min.css is not the file of bootstrap 5.3.9" in answer.stderr


def test_a_file_without_an_entry_is_found(copy: Path):
    (copy / "vendor/extra.js").write_text("alert(1)", encoding="utf-8")
    assert "vendor/extra.js is not in the manifest" in check(copy).stderr


def test_every_package_comes_with_its_licence():
    manifest = json.loads((STATIC / "vendor.json").read_text(encoding="utf-8"))
    for package in manifest["packages"]:
        assert package["licence"]
        assert any(file["to"].endswith(".LICENSE.txt") for file in package["files"]), package["name"]
