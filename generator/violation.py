"""A violation: one thing that is wrong with a candidate, in words that a provider and a person can act on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """`rule` is the name of the check, `column` the gold column it is tied to (None: the candidate as a whole)."""

    rule: str
    message: str
    column: str | None = None

    def __str__(self) -> str:
        return f"{self.column or 'mapping'}: {self.rule}: {self.message}"
