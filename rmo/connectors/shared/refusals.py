"""Rows that a source gave and that cannot be taken, told all at once."""

from dataclasses import dataclass, field

from rmo.domain.errors import ConnectorError

LISTED = 20


@dataclass
class Refusals:
    """Collects what is wrong with a source's rows, so that one run tells everything."""

    source: str
    said: list[str] = field(default_factory=list)

    def add(self, place: str, problem: str) -> None:
        """Note one row: where it stands and what is wrong with it."""
        self.said.append(f"{place}: {problem}")

    def raise_if_any(self) -> None:
        """Raise ConnectorError that lists the rows, at most twenty of them."""
        if not self.said:
            return
        more = len(self.said) - LISTED
        count = "1 row" if len(self.said) == 1 else f"{len(self.said)} rows"
        end = f" And {more} more." if more > 0 else ""
        raise ConnectorError(
            f"{self.source}: {count} cannot be taken, so none was. " + " ".join(self.said[:LISTED]) + end
        )
