"""The `replay` provider: answers that were recorded before. No key, no network, no cost."""

from __future__ import annotations

from pathlib import Path

from generator.providers import Completion, Endpoint, Prompt, ProviderError
from generator.providers.recorded import path_of, read


class Replay(Endpoint):
    """Answers a prompt as it was answered when it was recorded."""

    name = "replay"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def complete(self, prompt: Prompt) -> Completion:
        """The recorded answer. ProviderError that says how to record it if there is none."""
        path = path_of(self._folder, prompt)
        if completion := read(path):
            return completion
        raise ProviderError(
            f"no answer to this prompt is in {self._folder.name}/ (it would be {path.name[:12]}….json); record it: "
            "goldsmith run --provider openai --record",
            tries=0,
        )
