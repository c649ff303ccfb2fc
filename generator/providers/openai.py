"""The `openai` provider: any endpoint that speaks OpenAI's chat completions.

The endpoint is untrusted: its body is read by our own types, its texts reach a message only cleaned and short, and the
key is in no message, repr or log.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import openai
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel, Field, ValidationError

from generator.errors import UsageError
from generator.providers import Completion, Prompt, ProviderError, Usage
from generator.visible import plain

DEFAULT_MODEL = "gpt-6.1-sol"
DEFAULT_BASE_URL = "https://api.openai.com/v1"
OFFLINE = "or go on with --provider offline"


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class _Completion(BaseModel):
    """The part of a chat completion that is read; other fields are ignored."""

    choices: list[_Choice]
    model: str | None = None
    usage: _Usage | None = None


class OpenAIEndpoint:
    """Asks one LLM at one endpoint.

    `timeout` is seconds without a byte from the endpoint; `max_retries` are for 429, 5xx, timeouts, lost connections.
    """

    name = "openai"

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str,
        *,
        timeout: float = 180.0,
        max_retries: int = 2,
        max_output_tokens: int = 32_000,
    ) -> None:
        self.model = model
        self.endpoint = _shown(base_url)
        self._timeout = timeout
        self._max_output_tokens = max_output_tokens
        self._key = api_key
        self._client = openai.OpenAI(
            api_key=api_key,
            base_url=base_url,
            timeout=openai.Timeout(timeout, connect=min(timeout, 10.0)),
            max_retries=max_retries,
        )

    def __repr__(self) -> str:
        return f"OpenAIEndpoint(model={self.model!r}, endpoint={self.endpoint!r})"

    def complete(self, prompt: Prompt) -> Completion:
        """One call. ProviderError, one line, where the endpoint cannot answer."""
        completion = self._complete(prompt)
        choice = completion.choices[0] if completion.choices else None
        used = completion.usage
        usage = Usage(used.prompt_tokens, used.completion_tokens) if used else None
        llm = self._llm(completion)
        if choice is None:
            return Completion("", llm, usage)
        if choice.message.refusal or choice.finish_reason == "content_filter":
            return Completion(self._without_key(choice.message.refusal or ""), llm, usage, "filtered")
        return Completion(
            choice.message.content or "", llm, usage, "length" if choice.finish_reason == "length" else "stop"
        )

    def _complete(self, prompt: Prompt) -> _Completion:
        # No temperature: reasoning LLMs refuse it.
        try:
            response = self._client.chat.completions.with_raw_response.create(
                model=self.model,
                messages=cast(
                    list[ChatCompletionMessageParam],
                    [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
                ),
                max_completion_tokens=self._max_output_tokens,
                response_format={
                    "type": "json_schema",
                    "json_schema": {
                        "name": "mapping",
                        "strict": True,
                        "schema": dict(prompt.schema),
                    },
                },
            )
            return _Completion.model_validate_json(response.content)
        except openai.APIStatusError as error:
            raise ProviderError(self._status(error)) from None
        except openai.APITimeoutError:
            raise ProviderError(
                f"{self.endpoint} did not answer within {self._timeout:g} s; raise OPENAI_TIMEOUT, try later, {OFFLINE}"
            ) from None
        except openai.APIConnectionError:
            raise ProviderError(
                f"{self.endpoint} cannot be reached or broke off; check OPENAI_BASE_URL and the network, {OFFLINE}"
            ) from None
        except openai.OpenAIError as error:
            raise ProviderError(f"{self.endpoint}: {type(error).__name__}; try again, {OFFLINE}") from None
        except ValidationError:
            raise ProviderError(
                f"{self.endpoint} answered something that is no chat completion; check OPENAI_BASE_URL, {OFFLINE}"
            ) from None

    def _status(self, error: openai.APIStatusError) -> str:
        here, status = self.endpoint, error.status_code
        if status in (401, 403):
            return f"{here} refused the key ({status}); set OPENAI_API_KEY to one that may use {self.model}, {OFFLINE}"
        if status == 404:
            return f"{here} does not know {self.model} ({status}); check OPENAI_MODEL and OPENAI_BASE_URL, {OFFLINE}"
        if status == 429:
            return f"{here} says too many requests or no credit left ({status}); wait or check the account, {OFFLINE}"
        if status >= 500:
            return f"{here} failed ({status}); try again later, {OFFLINE}"
        said = self._without_key(error.message)
        return f"{here} refused the request ({status}: {said}); check OPENAI_MODEL, {OFFLINE}"

    def _without_key(self, text: str) -> str:
        # A placeholder such as `local` is no secret, and its letters are in ordinary words.
        return _clean(text.replace(self._key, "***") if len(self._key) >= 8 else text, 200)

    def _llm(self, completion: _Completion) -> str:
        """The LLM that answered, as the endpoint names it; the one that was asked where the name is no name."""
        named = completion.model or ""
        return named if re.fullmatch(r"[\w.:/@+-]{1,100}", named, re.ASCII) else self.model


def from_environment(environ: Mapping[str, str]) -> OpenAIEndpoint:
    """The provider that OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL and OPENAI_TIMEOUT (seconds) name.

    UsageError for a missing key or an unusable value.
    """
    key = environ.get("OPENAI_API_KEY", "").strip()
    if not key:
        raise UsageError("OPENAI_API_KEY is not set; set it (any text for a local server), or use --provider offline")
    if not re.fullmatch(r"[!-~]+", key):
        raise UsageError("OPENAI_API_KEY holds characters that no key has; set it again, or use --provider offline")
    base_url = environ.get("OPENAI_BASE_URL", "").strip() or DEFAULT_BASE_URL
    if not _is_url(base_url):
        raise UsageError("OPENAI_BASE_URL is not a URL; set it like https://api.openai.com/v1, or unset it")
    timeout = environ.get("OPENAI_TIMEOUT", "").strip() or "180"
    if not re.fullmatch(r"\d{1,5}(\.\d+)?", timeout) or float(timeout) == 0:
        raise UsageError(f"OPENAI_TIMEOUT is {_clean(timeout, 40)!r}; set it to seconds, such as 180")
    model = environ.get("OPENAI_MODEL", "").strip() or DEFAULT_MODEL
    return OpenAIEndpoint(model, base_url, key, timeout=float(timeout))


def estimate(text: str) -> int:
    """Tokens of a text, rather too many than too few: a third of its bytes."""
    return math.ceil(len(text.encode("utf-8", "replace")) / 3)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", text) and text.isprintable()
        return parts.scheme in ("http", "https") and usable
    except ValueError:
        return False


def _shown(base_url: str) -> str:
    """The endpoint as messages name it: host and port, without user, password, path or query."""
    parts = urlsplit(base_url)
    return parts.netloc.rpartition("@")[2] or "the endpoint"


def _clean(text: str, length: int) -> str:
    """One printable line of at most `length` characters, without anything that looks like a key."""
    return plain(re.sub(r"\bsk-[\w*.-]+", "***", text), length)
