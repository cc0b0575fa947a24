"""Files that a source may be read from: inside the allowed folders, no larger than allowed."""

import stat
from pathlib import Path

from rmo.connectors.shared.asked import Reach
from rmo.domain.errors import ConnectorError


def read_file(path: Path, reach: Reach) -> bytes:
    """Return a file's bytes, or raise ConnectorError that names the file."""
    place = find_file(path, reach)
    try:
        found = place.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ConnectorError(f"{path.name} is not a file.")
        with place.open("rb") as file:
            content = file.read(reach.max_bytes + 1)
    except OSError as error:
        raise ConnectorError(f"{path.name} cannot be read: {error.strerror}.", passing=True) from error
    if len(content) > reach.max_bytes:
        raise ConnectorError(
            f"{path.name} has {found.st_size:,} bytes, more than the {reach.max_bytes:,} that a source may have."
        )
    if not content:
        raise ConnectorError(f"{path.name} is empty.", passing=True)
    return content


def find_file(path: Path, reach: Reach) -> Path:
    """Return where a file lies inside the allowed folders; a link that leads out of them is refused."""
    if not reach.folders:
        raise ConnectorError(
            f"{path.name} cannot be read: no folder is open to sources; set RMO_SOURCE_FOLDERS."
        )
    if ".." in path.parts:
        raise ConnectorError(f"{path} is refused: a path may not step up with '..'.")
    try:
        return _inside(path, reach)
    except (OSError, ValueError) as error:
        raise ConnectorError(f"{path.name} cannot be reached: {error}.", passing=True) from error


def _inside(path: Path, reach: Reach) -> Path:
    outside = False
    for folder in reach.folders:
        root = folder.resolve()
        place = (root / path).resolve()
        if not place.is_relative_to(root):
            outside = True
        elif place.exists():
            return place
    if outside:
        raise ConnectorError(f"{path} is refused: it lies outside the folders that are open to sources.")
    folders = ", ".join(str(folder) for folder in reach.folders)
    raise ConnectorError(f"{path} is not in {folders}.", passing=True)
