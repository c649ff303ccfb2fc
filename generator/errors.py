"""What a user can get wrong, as exceptions that carry the exit code of the command.

Every message is one line that says what happened, where, and what to do next.
"""

from __future__ import annotations

INTERRUPTED = "goldsmith: interrupted; what was done is kept, the same command goes on from there"
# What to do about a loaded file that could not be mapped, once the reason is gone.
MAP_AND_BUILD = "goldsmith generate; dbt run"


class GoldsmithError(Exception):
    """Something was blocked or refused; the command ends with exit code 1."""

    exit_code = 1


class UsageError(GoldsmithError):
    """Wrong usage or configuration: a bad path, a contract that does not parse; exit code 2."""

    exit_code = 2


class LockedError(GoldsmithError):
    """Another run holds the lock of this database; exit code 3."""

    exit_code = 3


class DiskFullError(GoldsmithError):
    """There is no room to write: it stops the run, and no file is to blame; exit code 1."""


class Frozen(GoldsmithError):
    """A file that has other columns than those of the known dbt model `near`, where the contract takes no others."""

    def __init__(self, message: str, near: str) -> None:
        super().__init__(message)
        self.near = near


class StillWritten(GoldsmithError):
    """A file that another process is writing: nothing is wrong with it, the next run takes it. Exit code 1 if named."""

    def __init__(self) -> None:
        super().__init__("still being written; left for the next run")
