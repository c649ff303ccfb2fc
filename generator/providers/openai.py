"""The `openai` provider: any endpoint that speaks OpenAI's chat completions or its Responses API.

The endpoint is untrusted: its body is read by our own types and only so far, its texts reach a message only cleaned and
short, it is waited for only so long, and the key is in no message, repr or log.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai

from generator.errors import UsageError
from generator.providers import Completion, Endpoint, Prompt, ProviderError
from generator.providers.faults import Fault, of_loss, of_status, tries
from generator.providers.wire import Api, Failed, Unreadable, body, read, refused
from generator.visible import plain

DEFAULT_MODEL = "gpt-6.1-sol"
DEFAULT_BASE_URL = "https://api.openai.com/v1"
OFFLINE = "or go on with --provider offline"
# Bytes of an answer, and of an error, that are read.
MAX_BODY = 2_000_000
MAX_ERROR = 50_000
SPOKEN = {"chat": "chat completion", "responses": "answer of the Responses API"}


class OpenAIEndpoint(Endpoint):
    """Asks one LLM at one endpoint. `timeout` is in seconds, for a whole answer; `sleep` waits between tries."""

    name = "openai"

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str,
        *,
        api: Api = "chat",
        timeout: float = 180.0,
        max_output_tokens: int = 16_000,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.model = model
        self.host = _shown(base_url)
        self.max_output_tokens = max_output_tokens
        self._base_url = base_url
        self._key = api_key
        self._api = api
        self._timeout = timeout
        self._sleep = sleep
        # What this endpoint refuses to read, and answers without; for the rest of the run.
        self._omitted: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"OpenAIEndpoint(model={self.model!r}, host={self.host!r})"

    def complete(self, prompt: Prompt, again: Callable[[], bool] = lambda: True) -> Completion:
        """One answer, in a few tries at most. ProviderError, one line, where the endpoint cannot answer.

        After a try that may have been charged although no answer came, `again` is asked whether there may be another.
        """
        sent, unknown = 0, 0

        def once() -> Completion:
            nonlocal sent, unknown
            omitted = self._omitted
            while True:
                sent += 1
                try:
                    completion = self._ask(prompt, omitted, sent, unknown)
                    self._omitted |= omitted
                    return completion
                except _Refused as refusal:
                    omitted |= {refusal.part}
                except Fault as fault:
                    unknown += fault.unknown
                    raise

        try:
            return tries(self._sleep, again)(once)
        except Fault as fault:
            raise ProviderError(
                f"{self.host} {fault}, {OFFLINE}", tries=sent, unknown=unknown, kind=fault.kind
            ) from None

    def _ask(self, prompt: Prompt, omitted: frozenset[str], sent: int, unknown: int) -> Completion:
        asked = body(self._api, self.model, prompt, self.max_output_tokens, omitted)
        try:
            said = read(self._api, asyncio.run(self._post(asked)))
        except openai.APIStatusError as error:
            part = refused(str(error.body), omitted, self._api)
            if part and error.status_code in (400, 422):
                raise _Refused(part) from None
            raise of_status(error, self.model, self._cleaned) from None
        except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
            raise of_loss(error, self._timeout) from None
        except Failed as error:
            raise Fault("failed", f"failed ({self._cleaned(str(error))}); try again later", unknown=1) from None
        except Unreadable:
            kind = SPOKEN[self._api]
            raise Fault(
                "unreadable", f"answered something that is no {kind}; check OPENAI_BASE_URL and OPENAI_API", unknown=1
            ) from None
        notices = tuple(f"{self.host} refuses {part}: asked without it" for part in sorted(omitted))
        llm = said.llm if re.fullmatch(r"[\w.:/@+-]{1,100}", said.llm, re.ASCII) else self.model
        return Completion(self._without_key(said.text), llm, said.usage, said.finish, sent, unknown, notices)

    async def _post(self, asked: dict[str, Any]) -> bytes:
        """The body of one answer. In a loop of its own, where whatever is slow can be given up: name server, handshake,
        a header that drips."""
        http = openai.DefaultAsyncHttpxClient(follow_redirects=False, event_hooks={"response": [_shorten_errors]})
        async with (
            asyncio.timeout(self._timeout),
            openai.AsyncOpenAI(
                api_key=self._key,
                base_url=self._base_url,
                timeout=openai.Timeout(self._timeout, connect=min(self._timeout, 10.0)),
                max_retries=0,
                http_client=http,
            ) as client,
        ):
            api = client.responses if self._api == "responses" else client.chat.completions
            async with api.with_streaming_response.create(**asked) as response:
                content = bytearray()
                async for part in response.iter_bytes():
                    content += part
                    if len(content) > MAX_BODY:
                        raise Fault(
                            "too_long",
                            f"answered more than {MAX_BODY // 1_000_000} MB; check OPENAI_BASE_URL",
                            unknown=1,
                        )
                return bytes(content)

    def _cleaned(self, text: str) -> str:
        """One printable line of the endpoint's, without anything that looks like a key."""
        return _clean(self._without_key(text)[:2000], 200)

    def _without_key(self, text: str) -> str:
        # A placeholder such as `local` is no secret, and its letters are in ordinary words.
        return text.replace(self._key, "***") if len(self._key) >= 8 else text


class _Refused(Exception):
    """The endpoint does not want a part of the request that can be left out."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


class _Beginning(httpx2.AsyncByteStream):
    """The first bytes of a body."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_ERROR
        async for part in self._stream:
            yield part[:left]
            left -= len(part)
            if left <= 0:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _shorten_errors(response: httpx2.Response) -> None:
    """OpenAI's client reads the body of an error to its end, wherever that is."""
    if not response.is_success and isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Beginning(response.stream)


def from_environment(environ: Mapping[str, str]) -> OpenAIEndpoint:
    """The endpoint that OPENAI_API_KEY, _BASE_URL, _MODEL, _API and _TIMEOUT (seconds) name.

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
    try:
        openai.DefaultAsyncHttpxClient()
    except (httpx2.InvalidURL, ValueError, ImportError, OSError) as error:
        said = _clean(str(error), 200)
        raise UsageError(
            f"the settings of proxy or certificates cannot be used ({said}); correct HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE"
        ) from None
    model = environ.get("OPENAI_MODEL", "").strip() or DEFAULT_MODEL
    return OpenAIEndpoint(model, base_url, key, api=_api(environ, base_url), timeout=float(timeout))


def _api(environ: Mapping[str, str], base_url: str) -> Api:
    """The API that OPENAI_API names; without it OpenAI is asked by its newer one, all others by what they all have."""
    match environ.get("OPENAI_API", "").strip():
        case "":
            host = urlsplit(base_url).hostname or ""
            return "responses" if f".{host}".endswith(".api.openai.com") else "chat"
        case "chat" | "responses" as named:
            return named
        case other:
            raise UsageError(f"OPENAI_API is {_clean(other, 40)!r}; set it to chat or responses, or unset it")


def _is_url(text: str) -> bool:
    try:
        parts, url = urlsplit(text), httpx2.URL(text)
        usable = bool(parts.hostname and url.host) and parts.port != 0 and not re.search(r"\s", text)
        return parts.scheme in ("http", "https") and usable and text.isprintable()
    except (ValueError, httpx2.InvalidURL):
        return False


def _shown(base_url: str) -> str:
    """The endpoint as messages name it: host and port, without user, password, path or query."""
    parts = urlsplit(base_url)
    return parts.netloc.rpartition("@")[2] or "the endpoint"


def _clean(text: str, length: int) -> str:
    return plain(re.sub(r"\bsk-[\w*.-]+", "***", text), length)
