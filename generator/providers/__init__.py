"""Providers: who answers what a layout's columns mean. One file each; this one is what they have in common.

`Request`, `ProviderError` and `BadAnswer` are at home in `generator.request`, one layer below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from generator.candidate import Candidate
from generator.request import BadAnswer, ProviderError, Request

__all__ = ["Answer", "BadAnswer", "Provider", "ProviderError", "Request"]


@dataclass(frozen=True)
class Answer:
    """A candidate and what it cost: `tokens` in and out together, `cost` in US dollars (0 where no price is known).

    `llm` and `prompt_version` are None where no LLM was asked. `notices` are lines for the person, such as that the
    tokens are an estimate.
    """

    candidate: Candidate
    llm: str | None
    tokens: int
    cost: float
    prompt_version: str | None
    notices: tuple[str, ...] = ()


class Provider(Protocol):
    """Anything that answers a request; raises ProviderError, and BadAnswer where asking again makes sense."""

    name: str

    def propose(self, request: Request) -> Answer:
        """A candidate for the request, with an entry for each gold column of the contract."""
        ...
