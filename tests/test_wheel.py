"""The wheel: everything that rmo needs is inside, nothing else is, and the demo runs from it in an empty folder."""

import re
import subprocess
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from tests.processes import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the tree."""
    [built] = WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"]
    )
    return Path(built)


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """Return the names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        pytest.param("rmo", "rmo", id="code, migrations, static files, the demo's data"),
        pytest.param("templates", "rmo/_data/templates", id="templates"),
        pytest.param("kpi_definitions", "rmo/_data/kpi_definitions", id="definitions"),
    ],
)
def test_everything_that_is_kept_is_in_the_wheel(names: set[str], folder: str, inside: str):
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True)
    kept = [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]
    if not kept:  # an unpacked archive has no history
        kept = [
            path.relative_to(ROOT)
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        ]

    assert len(kept) > 10
    assert {f"{inside}/{path.relative_to(folder)}" for path in kept} - names == set()


@pytest.mark.parametrize(
    "name",
    [
        "rmo/_data/templates/base.html",
        "rmo/_data/templates/email/digest.html",
        "rmo/_data/kpi_definitions/uk_gdp.yaml",
        "rmo/_data/kpi_definitions/schema.json",
        "rmo/web/static/rmo.css",
        "rmo/storage/migrations/env.py",
        "rmo/demo/data/nyc_taxi_daily.csv",
        "rmo/demo/data/README.md",
    ],
)
def test_the_wheel_holds(names: set[str], name: str):
    assert name in names


def test_the_wheel_holds_nothing_but_rmo(names: set[str]):
    assert {name.split("/")[0] for name in names} == {
        "rmo",
        *(n.split("/")[0] for n in names if "dist-info" in n),
    }
    strange = re.compile(r"(^|/)(tests?|__pycache__|\.git.*|.*\.(pyc|db|key|eml))(/|$)")
    assert [name for name in names if strange.search(name)] == []


def test_the_source_archive_leaves_out_the_data_of_the_tests(tmp_path: Path):
    [built] = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    listed = subprocess.run(["tar", "tzf", built], capture_output=True, text=True, check=True).stdout

    assert "/tests/test_wheel.py" in listed
    assert "/tests/data/" not in listed
    assert "/.venv/" not in listed


def test_the_demo_runs_from_the_wheel_in_an_empty_folder(wheel: Path, tmp_path: Path):
    home, empty = tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    venv.create(home, with_pip=False, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # Its libraries are those of the tests; the tree itself must not be found by way of them.
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    python = home / "bin" / "python"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

    where = subprocess.run(
        [python, "-c", "import rmo; print(rmo.__file__)"],
        cwd=empty,
        env=environment,
        capture_output=True,
        text=True,
    )
    done = subprocess.run(
        [python, "-m", "rmo", "demo", "--no-serve"],
        cwd=empty,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert where.stdout.strip() == str(packages / "rmo" / "__init__.py"), where.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in empty.iterdir()) == ["rmo-demo"]
    assert len(list((empty / "rmo-demo" / "mail").glob("*.eml"))) >= 5


def test_the_command_is_named_rmo(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        [entry] = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "rmo = rmo.cli:main" in archive.read(entry).decode()
