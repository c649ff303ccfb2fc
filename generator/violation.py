"""A violation: one thing that is wrong with a candidate, in words that a provider and a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What of a candidate is wrong."""

    COLUMN = "column"
    ROW_FILTER = "row_filter"
    RESHAPE = "reshape"
    UNMAPPED = "unmapped"
    ANSWER = "answer"


@dataclass(frozen=True)
class Violation:
    """`rule` is the name of the check, `column` the gold column it is tied to; without one, `part` says where it is."""

    rule: str
    message: str
    column: str | None = None
    part: Part = Part.ANSWER

    def __post_init__(self) -> None:
        if self.column is not None:
            object.__setattr__(self, "part", Part.COLUMN)

    def __str__(self) -> str:
        return f"{self.column or 'mapping'}: {self.rule}: {self.message}"
