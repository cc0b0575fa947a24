"""Settings, frozen, read from the environment once at start."""

import json
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rmo.domain.errors import SettingsError
from rmo.paths import data_folder


class Settings(BaseSettings):
    """What an installation may say, each as `RMO_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="RMO_", frozen=True, extra="ignore", enable_decoding=False)

    database_url: str = "sqlite:///rmo.db"
    organisation: str = "Our organisation"
    zone: str = "Europe/London"
    base_url: str = "http://127.0.0.1:8000"
    kpi_definitions: Path = Field(default_factory=lambda: data_folder("kpi_definitions"))
    source_folders: tuple[Path, ...] = ()
    source_hosts: tuple[str, ...] = ()
    source_variables: Mapping[str, str] = Field(default_factory=dict)
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: bool = True
    mail_from: str = "rmo@localhost"
    mail_folder: Path = Path("mail")
    log_json: bool = False

    @field_validator("source_folders", "source_hosts", "source_variables", mode="before")
    @classmethod
    def _from_json(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given)
        except ValueError as error:
            raise ValueError('this is no JSON; write such as ["one", "two"] or {"name": "value"}') from error

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{zone!r} is not an IANA time zone; write one such as Europe/London") from error
        return zone

    @property
    def tz(self) -> ZoneInfo:
        """Return the organisation's zone."""
        return ZoneInfo(self.zone)


def read_settings(**given: object) -> Settings:
    """Return the settings, or raise SettingsError that names every wrong one."""
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [f"RMO_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise SettingsError("Some settings cannot be used. " + " ".join(lines)) from error
