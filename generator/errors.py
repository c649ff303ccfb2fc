"""What a user can get wrong, as exceptions that carry the exit code of the command.

Every message is one line that says what happened, where, and what to do next.
"""

from __future__ import annotations


class GoldsmithError(Exception):
    """Something was blocked or refused; the command ends with exit code 1."""

    exit_code = 1


class UsageError(GoldsmithError):
    """Wrong usage or configuration: a bad path, a contract that does not parse; exit code 2."""

    exit_code = 2


class LockedError(GoldsmithError):
    """Another run holds the lock of this database; exit code 3."""

    exit_code = 3
