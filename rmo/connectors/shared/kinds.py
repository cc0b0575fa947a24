"""The kinds of source: every module of rmo.connectors except this package and the definitions."""

import importlib
import pkgutil
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from rmo.connectors.shared.asked import Reach, Window
from rmo.domain.values import SourceRow

PACKAGE = Path(__file__).parents[1]
NOT_A_SOURCE = {"definitions", "shared"}


class Connector(Protocol):
    """What a connector's module has."""

    Options: type[BaseModel]

    def fetch(self, options: BaseModel, window: Window, reach: Reach) -> list[SourceRow]:
        """Return the rows of a window, or raise ConnectorError."""


def connector_names() -> list[str]:
    """Return the kinds of source that there are, by name."""
    return sorted(
        module.name for module in pkgutil.iter_modules([str(PACKAGE)]) if module.name not in NOT_A_SOURCE
    )


def connector(name: str) -> Connector:
    """Return a connector by its file's name, or raise LookupError."""
    if name not in connector_names():
        raise LookupError(name)
    module: Connector = importlib.import_module(f"rmo.connectors.{name}")
    return module
