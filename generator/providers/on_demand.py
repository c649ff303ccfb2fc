"""A provider that is put together when a layout must first be asked about: for known layouts nobody needs a key."""

from __future__ import annotations

import threading
from collections.abc import Callable

from generator.errors import UsageError
from generator.matcher.request import ProviderError, Request
from generator.providers import Answer, Provider
from generator.violation import Violation


class OnDemand(Provider):
    """Stands for the provider that `make` returns. What `make` lacks is an answer that did not come, not the run's end."""

    def __init__(self, name: str, at_once: int, make: Callable[[], Provider]) -> None:
        self.name = name
        self.at_once = at_once
        self._make = make
        self._made: Provider | None = None
        self._making = threading.Lock()

    def propose(self, request: Request) -> Answer:
        """The provider's candidate; ProviderError for what it lacks, too."""
        with self._making:
            try:
                self._made = self._made or self._make()
            except UsageError as error:
                raise ProviderError(str(error), tries=0) from None
        return self._made.propose(request)

    def judged(self, request: Request, violations: tuple[Violation, ...]) -> None:
        """Learn what was wrong with the answer to a request."""
        if self._made:
            self._made.judged(request, violations)

    def finished(self) -> None:
        """Learn that the run came to its end."""
        if self._made:
            self._made.finished()
