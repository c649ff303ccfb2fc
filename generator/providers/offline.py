"""The `offline` provider: the deterministic matcher. No key, no network, no cost."""

from __future__ import annotations

from generator.matcher.request import Request
from generator.providers import Answer, Provider


class OfflineProvider(Provider):
    """Answers with the suggestion that every request carries."""

    name = "offline"
    at_once = 1

    def propose(self, request: Request) -> Answer:
        """The matcher's candidate."""
        return Answer(request.suggestion, llm=None, tokens=0, cost=0.0, prompt_version=None)
