"""Fetch the files that pages take from other projects, or check that the committed ones are still those.

python tests/tools/vendor.py fetch    # needs npm; verifies each package before a file is copied
python tests/tools/vendor.py check    # needs nothing; runs with the tests
"""

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

STATIC = Path(__file__).resolve().parents[2] / "rmo" / "web" / "static"


def fetch(static: Path) -> list[str]:
    """Copy every file that the manifest names out of its package, and note each file's hash."""
    manifest = read_manifest(static)
    problems: list[str] = []
    for package in manifest["packages"]:
        with tempfile.TemporaryDirectory() as folder:
            archive = _packed(package, Path(folder))
            if _integrity(archive.read_bytes()) != package["integrity"]:
                problems.append(
                    f"{package['name']} {package['version']} is not what the manifest says it is."
                )
                continue
            _copy(archive, package, static)
    if not problems:
        text = json.dumps(manifest, indent=2, ensure_ascii=False)
        (static / "vendor.json").write_text(text + "\n", encoding="utf-8")
    return problems


def check(static: Path) -> list[str]:
    """Return what is missing, changed, or lies in the vendor folder without being in the manifest."""
    problems: list[str] = []
    known = {"vendor.json"}
    for package in read_manifest(static)["packages"]:
        for file in package["files"]:
            known.add(file["to"])
            path = static / file["to"]
            if not path.is_file():
                problems.append(f"{file['to']} is missing. Run: python tests/tools/vendor.py fetch")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != file.get("sha256"):
                problems.append(f"{file['to']} is not the file of {package['name']} {package['version']}.")
    for path in sorted((static / "vendor").rglob("*")):
        name = path.relative_to(static).as_posix()
        if path.is_file() and name not in known:
            problems.append(f"{name} is not in the manifest.")
    return problems


def read_manifest(static: Path) -> dict[str, Any]:
    """Return the manifest: per package its npm name, version, sha512 integrity, licence and files."""
    manifest: dict[str, Any] = json.loads((static / "vendor.json").read_text(encoding="utf-8"))
    return manifest


def _packed(package: dict[str, Any], folder: Path) -> Path:
    wanted = f"{package['name']}@{package['version']}"
    command = ["npm", "pack", wanted, "--silent", "--pack-destination", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.tgz"))


def _integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode("ascii")


def _copy(archive: Path, package: dict[str, Any], static: Path) -> None:
    with tarfile.open(archive) as tar:
        for file in package["files"]:
            member = tar.extractfile(f"package/{file['from']}")
            if member is None:
                raise FileNotFoundError(f"{package['name']} has no file {file['from']}.")
            content = member.read()
            target = static / file["to"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            file["sha256"] = hashlib.sha256(content).hexdigest()


def main() -> int:
    """Run one of the two commands and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=["fetch", "check"])
    parser.add_argument("--static", type=Path, default=STATIC)
    arguments = parser.parse_args()
    problems = {"fetch": fetch, "check": check}[arguments.command](arguments.static)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
