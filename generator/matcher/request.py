"""What a provider is asked for one layout, and how it says that it cannot answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from generator.candidate import Candidate
from generator.columns.profile import LayoutProfile
from generator.contracts.contract import Contract
from generator.errors import GoldsmithError
from generator.violation import Violation

# What of a file's cells may leave the machine: their shapes, themselves, or nothing but the headers.
Privacy = Literal["shapes", "values", "headers"]


@dataclass(frozen=True)
class Ranked:
    """A source column (safe name) that the matcher ranks for a gold column, with its score, 0 to 1."""

    column: str
    score: float


@dataclass(frozen=True)
class Example:
    """An approved mapping of the same contract: header texts by safe name, and the SELECT that maps them."""

    headers: Mapping[str, str]
    sql: str


@dataclass(frozen=True)
class Request:
    """What a provider is asked for one layout.

    `suggestion` is the offline matcher's candidate. `asked` are the gold columns wanted now: all of them at first,
    those that failed in a repair. `kept` is what passed already, `violations` what was wrong with the last attempt,
    `previous` the candidate of that attempt, where there was one: the chat is not remembered. `ranking`: gold column ->
    the source columns that the matcher ranks for it, best first. `layout` names the layout in logs and limits, `attempt`
    counts from 1; neither is told. `taken_over` are the gold columns of `kept` that come from a known dbt model, where people
    may have written values: of these only what the `suggestion` says is told.
    """

    contract: Contract
    profile: LayoutProfile
    suggestion: Candidate
    asked: tuple[str, ...]
    kept: Candidate | None = None
    violations: tuple[Violation, ...] = ()
    previous: Candidate | None = None
    ranking: Mapping[str, tuple[Ranked, ...]] = field(default_factory=dict)
    example: Example | None = None
    layout: str = ""
    attempt: int = 1
    taken_over: frozenset[str] = frozenset()

    def own(self, candidate: Candidate | None) -> Candidate | None:
        """What of a candidate the provider has said itself."""
        if candidate is None or not self.taken_over:
            return candidate
        columns = {name: mapping for name, mapping in candidate.columns.items() if name not in self.taken_over}
        same = candidate.row_filter == self.suggestion.row_filter
        return candidate.model_copy(update={"columns": columns, "row_filter": None if same else candidate.row_filter})


class ProviderError(GoldsmithError):
    """A provider could not answer: what happened, what to do. `tokens` and `cost` (US dollars) were spent on it.

    `tries` counts its HTTP requests, `unknown` those of them that may have been charged although no answer came.
    `kind` is a short word of our own for the log (`timeout`, `429`).
    """

    def __init__(
        self,
        message: str,
        *,
        tokens: int = 0,
        cost: float = 0.0,
        tries: int = 1,
        unknown: int = 0,
        kind: str = "",
    ) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.cost = cost
        self.tries = tries
        self.unknown = unknown
        self.kind = kind


class BadAnswer(ProviderError):
    """The answer is not a candidate. The message is meant for the next attempt as well as for a person."""
