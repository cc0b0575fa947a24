"""What a source is asked for, and how far it may reach for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from rmo.domain.calendar import Rhythm
from rmo.domain.errors import ConnectorError

MAX_BYTES = 20_000_000
UK = ZoneInfo("Europe/London")
TIMEOUT = 30.0  # seconds, for everything one source is asked together
SECRET_PREFIX = "RMO_SOURCE_SECRET_"
SECRET_BYTES = 10_000


def no_secrets(reference: str) -> str:
    """Refuse every secret: what a source gets when nobody provides any."""
    raise ConnectorError(f"The secret {reference} is not provided here.")


@dataclass(frozen=True)
class Reach:
    """Where a source may go, and how much it may bring back.

    `hosts` are opened beside the public internet's ports 80 and 443: `name`, `name:port`, an address,
    an address with its port, or a network such as 10.1.0.0/16. A private address that is not listed is refused.
    `variables` stand for `${name}` in a source's address. `secret` gives the text behind `env:NAME` or `file:NAME`.
    """

    folders: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = MAX_BYTES
    timeout: float = TIMEOUT
    secret: Callable[[str], str] = no_secrets


@dataclass(frozen=True)
class Window:
    """The periods that a source is asked for, by their first days, both included, in the source's zone."""

    rhythm: Rhythm
    first: date
    last: date
    zone: ZoneInfo = UK

    def __contains__(self, period: object) -> bool:
        """Whether a period, named by its first day, is asked for."""
        return isinstance(period, date) and self.first <= period <= self.last

    def period_of(self, at: date | datetime) -> date:
        """Return the period of a day, or of a moment as the source's zone sees it; a moment without a zone is local."""
        if isinstance(at, datetime):
            at = self.moment(at).date()
        return self.rhythm.period_of(at)

    def moment(self, at: date | datetime) -> datetime:
        """Return a day's beginning, or a moment, as the source's zone sees it."""
        if not isinstance(at, datetime):
            return datetime.combine(at, time(), tzinfo=self.zone)
        return at.astimezone(self.zone) if at.tzinfo else at.replace(tzinfo=self.zone)

    @property
    def start(self) -> datetime:
        """The first moment that is asked for, in UTC."""
        return self.moment(self.first).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first moment after what is asked for, in UTC."""
        return self.moment(self.rhythm.shift(self.last, 1)).astimezone(UTC)


def secrets_from(environment: Mapping[str, str], folder: Path | None = None) -> Callable[[str], str]:
    """Return what gives a secret for its reference.

    `env:NAME` only where NAME begins with RMO_SOURCE_SECRET_, and `file:NAME` only from one folder, so that a
    definition cannot send the database's password, or any file, to a host of its own choice.
    """

    def secret(reference: str) -> str:
        kind, _, name = reference.partition(":")
        found = _from_file(folder, name) if kind == "file" else _from_environment(environment, name)
        if not found:
            raise ConnectorError(
                f"The secret {reference} is not there: set a variable whose name begins with {SECRET_PREFIX}, "
                "or put a file of that name into the folder for secrets."
            )
        return found

    return secret


def _from_environment(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip() if name.startswith(SECRET_PREFIX) else ""


def _from_file(folder: Path | None, name: str) -> str:
    if folder is None or name != Path(name).name or name in ("", ".", ".."):
        return ""
    try:
        with (folder / name).open(encoding="utf-8") as file:
            return file.read(SECRET_BYTES).strip()
    except (OSError, UnicodeDecodeError):
        return ""
