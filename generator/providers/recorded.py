"""Answers of an LLM on disk, one file a prompt: `<sha256 of the prompt>.json`. No key and no part of a prompt is in it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.providers import Completion, Endpoint, Prompt, ProviderError, Request, Usage
from generator.violation import Violation
from generator.visible import json_text

MAX_FILE = 4_000_000
USED = "an answer that an interrupted run had paid for was used"


class _Count(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    tokens_in: int = Field(ge=0)
    tokens_out: int = Field(ge=0)


class _Recording(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    prompt_version: str
    llm: str = Field(pattern=r"^[A-Za-z0-9_.:/@+-]{1,100}$")
    finish: Literal["stop", "length", "filtered"]
    usage: _Count | None
    text: str


class Recorded(Endpoint):
    """Writes each answer of `endpoint` into a folder, over the one that is there."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._folder = folder

    def complete(self, prompt: Prompt) -> Completion:
        """The endpoint's answer, once it is on disk."""
        completion = self._endpoint.complete(prompt)
        write(self._folder, prompt, completion)
        return completion

    def judged(self, request: Request, violations: tuple[Violation, ...]) -> None:
        """Passed on."""
        self._endpoint.judged(request, violations)

    def finished(self) -> None:
        """Passed on."""
        self._endpoint.finished()


class Kept(Recorded):
    """Keeps each answer until the run is finished; the run after one that was interrupted need not pay for it again."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        super().__init__(endpoint, folder)
        self._used: set[Path] = set()

    def complete(self, prompt: Prompt) -> Completion:
        """The answer that an interrupted run left, or the endpoint's; who asks the same twice wants another answer."""
        path = path_of(self._folder, prompt)
        if path not in self._used:
            self._used.add(path)
            # A file that we did not write is none of ours, whatever it is.
            with suppress(ProviderError):
                if kept := read(path):
                    return replace(kept, notices=(USED,))
        return super().complete(prompt)

    def finished(self) -> None:
        """Every answer was made use of: who deletes a dbt model wants another."""
        for path in self._used:
            path.unlink(missing_ok=True)
        super().finished()


def path_of(folder: Path, prompt: Prompt) -> Path:
    """The file of a prompt's answer."""
    return folder / f"{prompt.sha256}.json"


def read(path: Path) -> Completion | None:
    """The answer in a file, which costs nothing now; None if there is no file. ProviderError if it holds no answer."""
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > MAX_FILE:
            raise ProviderError(f"{path.name} has more than {MAX_FILE // 1_000_000} MB; delete it and record it again")
        recording = _Recording.model_validate_json(path.read_bytes())
    except ValidationError:
        raise ProviderError(f"{path.name} is no recorded answer; delete it and record it again") from None
    except OSError as error:
        raise ProviderError(f"{path.name} cannot be read ({error.strerror}); correct its permissions") from None
    return Completion(recording.text, recording.llm, Usage(0, 0), recording.finish, tries=0)


def write(folder: Path, prompt: Prompt, completion: Completion) -> None:
    """Write an answer; another process sees all of it or nothing."""
    usage = completion.usage
    recording = {
        "prompt_version": prompt.version,
        "llm": completion.llm,
        "finish": completion.finish,
        "usage": {"tokens_in": usage.tokens_in, "tokens_out": usage.tokens_out} if usage else None,
        "text": completion.text,
    }
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{uuid4().hex}.part"
    partial.write_text(json_text(recording) + "\n", encoding="utf-8", newline="\n")
    partial.replace(path_of(folder, prompt))
