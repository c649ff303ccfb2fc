"""Providers: who answers what a layout's columns mean. One file each; this one is what they have in common.

A `Provider` proposes a candidate. Those that ask an LLM are an `Endpoint` (a prompt in, a text out: `openai`, `replay`)
inside `prompted.PromptedProvider`, with wrappers between them that are endpoints, too: what is counted and limited
(`metered`), what is kept (`recorded`). `choose` puts them together. `Request`, `ProviderError` and `BadAnswer` are at
home in `generator.request`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from generator.candidate import Candidate
from generator.llm.prompt import Prompt
from generator.matcher.request import BadAnswer, ProviderError, Request
from generator.violation import Violation

__all__ = ["Answer", "BadAnswer", "Completion", "Endpoint", "Prompt", "Provider", "ProviderError", "Request", "Usage"]


@dataclass(frozen=True)
class Usage:
    """What one call used, as the endpoint counted it. `cost` is US dollars, set by who knows the prices."""

    tokens_in: int
    tokens_out: int
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        """In and out together."""
        return self.tokens_in + self.tokens_out


@dataclass(frozen=True)
class Completion:
    """The text that came back for a prompt, whatever it says, with its cost; None where the endpoint did not count.

    `finish`: `stop`, `length` (cut off at the token limit) or `filtered` (refused; the text says what was said).
    `tries` counts the HTTP requests it took, `unknown` those of them that may have been charged although no answer came.
    `notices` are lines for the person.
    """

    text: str
    llm: str
    usage: Usage | None
    finish: str = "stop"
    tries: int = 1
    unknown: int = 0
    notices: tuple[str, ...] = ()


class Endpoint(Protocol):
    """Anything that turns a prompt into a text. Raises ProviderError where it cannot. Called by several threads."""

    name: str

    def complete(self, prompt: Prompt) -> Completion:
        """One answer to one prompt."""
        ...

    def judged(self, request: Request, violations: tuple[Violation, ...]) -> None:
        """Learn what was wrong with the answer to a request."""
        return

    def finished(self) -> None:
        """Learn that the run came to its end: every answer was made use of."""
        return


@dataclass(frozen=True)
class Answer:
    """A candidate and what it cost. `llm` and `prompt_version` are None where no LLM was asked.

    `notices` are lines for the person, such as that the endpoint ignored the answer format.
    """

    candidate: Candidate
    llm: str | None
    tokens: int
    cost: float
    prompt_version: str | None
    notices: tuple[str, ...] = ()


class Provider(Protocol):
    """Anything that answers a request; raises ProviderError, and BadAnswer where asking again makes sense.

    `name` stands in the yml of what it mapped; `at_once` is how many layouts may be asked about at the same time.
    """

    name: str
    at_once: int

    def propose(self, request: Request) -> Answer:
        """A candidate for the request, with an entry for each gold column of the contract."""
        ...

    def judged(self, request: Request, violations: tuple[Violation, ...]) -> None:
        """Learn what was wrong with the answer to a request."""
        return

    def finished(self) -> None:
        """Learn that the run came to its end."""
        return
