"""OpenAI's two APIs as they go over the wire: how a prompt is asked, and how the body that comes back is read. Pure.

The endpoint is untrusted: only the fields that are named here are read, and each strictly.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from generator.providers import Prompt, Usage

Api = Literal["chat", "responses"]
# What an endpoint that was made for another LLM, or long ago, may refuse to read, by the words of its refusals.
FORMAT = "the answer format"
LIMIT = "max_completion_tokens"
REFUSALS = {FORMAT: ("response_format", "text.format", "schema", "structured output", "grammar"), LIMIT: (LIMIT,)}


class Unreadable(ValueError):
    """A body that is no answer of the API."""


class Failed(ValueError):
    """A body that says that there is no answer, and why."""


@dataclass(frozen=True)
class Spoken:
    """An answer, of whichever API: `finish` as in Completion, `llm` as the endpoint names it."""

    text: str
    llm: str
    usage: Usage | None
    finish: str = "stop"


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Chat(BaseModel):
    choices: list[_Choice] | None = None
    error: _Error | None = None
    model: str | None = None
    usage: Any = None


class _Part(BaseModel):
    text: str = ""
    refusal: str = ""


class _Item(BaseModel):
    content: list[_Part]


class _Why(BaseModel):
    reason: str | None = None


class _Error(BaseModel):
    code: str | int | None = None
    message: str | None = None

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.code, self.message) if part) or "no reason given"


class _Response(BaseModel):
    """`output` holds reasoning and other items beside the message."""

    output: list[dict[str, Any]]
    status: str | None = None
    incomplete_details: _Why | None = None
    error: _Error | None = None
    model: str | None = None
    usage: Any = None


class _Count(BaseModel):
    """What was used, by either API's names."""

    tokens_in: int = Field(ge=0, le=10**9, strict=True)
    tokens_out: int = Field(ge=0, le=10**9, strict=True)


def body(api: Api, model: str, prompt: Prompt, max_output_tokens: int, omitted: Set[str]) -> dict[str, Any]:
    """The request of a prompt, without the `omitted`. No temperature: reasoning LLMs refuse it."""
    schema: dict[str, Any] = {"name": "mapping", "strict": True, "schema": dict(prompt.schema)}
    asked: dict[str, Any] = {"model": model}
    if api == "responses":
        asked |= {"instructions": prompt.system, "input": prompt.user, "store": False}
        asked |= {"max_output_tokens": max_output_tokens}
        shape: dict[str, Any] = {"text": {"format": {"type": "json_schema", **schema}}}
    else:
        chat = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        asked |= {"messages": chat, "max_tokens" if LIMIT in omitted else LIMIT: max_output_tokens}
        shape = {"response_format": {"type": "json_schema", "json_schema": schema}}
    return asked if FORMAT in omitted else asked | shape


def read(api: Api, content: bytes) -> Spoken:
    """The answer in a body. Raises Unreadable or Failed for one that is none."""
    try:
        return _read_response(content) if api == "responses" else _read_chat(content)
    except ValidationError:
        raise Unreadable from None


def _read_chat(content: bytes) -> Spoken:
    said = _Chat.model_validate_json(content)
    if said.choices is None:
        raise Failed(str(said.error)) if said.error else Unreadable
    choice = said.choices[0] if said.choices else _Choice(message=_Message())
    usage = _usage(said.usage, "prompt_tokens", "completion_tokens")
    refusal, reason = choice.message.refusal or "", choice.finish_reason
    if refusal or reason == "content_filter":
        return Spoken(text=refusal, llm=said.model or "", usage=usage, finish="filtered")
    finish = "length" if reason == "length" else "stop"
    return Spoken(text=choice.message.content or "", llm=said.model or "", usage=usage, finish=finish)


def _read_response(content: bytes) -> Spoken:
    said = _Response.model_validate_json(content)
    if said.status in ("failed", "cancelled"):
        raise Failed(str(said.error or _Error()))
    parts = [
        part for item in said.output if item.get("type") == "message" for part in _Item.model_validate(item).content
    ]
    usage = _usage(said.usage, "input_tokens", "output_tokens")
    refusal = "".join(part.refusal for part in parts)
    reason = said.incomplete_details.reason if said.incomplete_details else None
    if refusal or reason == "content_filter":
        return Spoken(text=refusal, llm=said.model or "", usage=usage, finish="filtered")
    # Whatever the reason: an answer that is not whole is of no use.
    finish = "length" if said.status == "incomplete" else "stop"
    return Spoken(text="".join(part.text for part in parts), llm=said.model or "", usage=usage, finish=finish)


def _usage(said: object, tokens_in: str, tokens_out: str) -> Usage | None:
    """Both counts; None for anything else, since what is not counted cannot be believed to be free."""
    if not isinstance(said, dict):
        return None
    try:
        count = _Count.model_validate({"tokens_in": said.get(tokens_in), "tokens_out": said.get(tokens_out)})
    except ValidationError:
        return None
    return Usage(count.tokens_in, count.tokens_out)


def refused(message: str, omitted: Set[str], api: Api) -> str | None:
    """What a refusal of a request is about, if that can be omitted, or said otherwise, in the next one."""
    omissible = {FORMAT, LIMIT} if api == "chat" else {FORMAT}
    said = message.lower()
    # The limit first: some endpoints list the fields they know.
    for part in (LIMIT, FORMAT):
        if part in omissible - omitted and any(word in said for word in REFUSALS[part]):
            return part
    return None
