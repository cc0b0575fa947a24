"""Errors with names, raised where the fact is known and turned into a page or an exit code at the edge."""


class RmoError(Exception):
    """Something that a person can be told in one sentence that says what to do."""


class NotFoundError(RmoError):
    """There is no such thing, or the person may not know that there is."""


class ConflictError(RmoError):
    """What was asked for does not fit what is there."""


class ConnectorError(RmoError):
    """A source could not be read, or what it gave cannot be understood. `passing` says whether to try again."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class DatabaseError(RmoError):
    """The database cannot be opened, or is newer than this program."""


class SettingsError(RmoError):
    """A setting from the environment is wrong."""
