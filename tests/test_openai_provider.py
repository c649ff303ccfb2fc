"""The real `openai` client against a scripted server: what each answer and each fault of an endpoint becomes."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.utils import formatdate
from itertools import pairwise

import pytest
from llm_server import (
    Behaviour,
    LLMServer,
    broken_off,
    drip,
    endless,
    hang,
    no_choices,
    raw,
    reply,
    reset,
    status,
    unless,
)

from generator.errors import UsageError
from generator.providers import Completion, Prompt, ProviderError, Usage
from generator.providers.openai import DEFAULT_BASE_URL, DEFAULT_MODEL, OpenAIEndpoint, from_environment
from generator.providers.wire import Api

KEY = "sk-test-0123456789abcdef"
PROMPT = Prompt("test-1", "Be exact.", "Map <layout>.", {"type": "object", "properties": {}})
APIS: tuple[Api, ...] = ("chat", "responses")
NOT_FORMAT = status(400, message="Unsupported parameter: 'response_format'")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    assert request.param in APIS
    return "chat" if request.param == "chat" else "responses"


class Waits(list[float]):
    """Instead of sleeping: how long it would have been."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def endpoint(url: str, api: Api = "chat", *, timeout: float = 5.0, waits: Waits | None = None) -> OpenAIEndpoint:
    return OpenAIEndpoint("an-llm", url, KEY, api=api, timeout=timeout, sleep=Waits() if waits is None else waits)


def complete(script: Sequence[Behaviour], api: Api, *, timeout: float = 5.0) -> Completion:
    with LLMServer(script) as server:
        return endpoint(server.url, api, timeout=timeout).complete(PROMPT)


def failure(script: Sequence[Behaviour], api: Api, *, timeout: float = 5.0) -> ProviderError:
    """The error that it ends in: one clear line without the key, whatever it is."""
    with pytest.raises(ProviderError) as caught:
        complete(script, api, timeout=timeout)
    said = str(caught.value)
    assert "\n" not in said and said.isprintable() and len(said) < 400
    assert KEY not in said and KEY[8:] not in said
    assert said.endswith("or go on with --provider offline")
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    return caught.value


def test_a_good_answer_comes_with_what_it_used_and_who_gave_it(api: Api) -> None:
    assert complete([reply("{}", model="gpt-6.1-sol")], api) == Completion("{}", "gpt-6.1-sol", Usage(1000, 200))


def test_chat_completions_are_asked_for_a_strict_schema_without_sampling_settings() -> None:
    with LLMServer([reply("{}")]) as server:
        endpoint(server.url, "chat").complete(PROMPT)
    assert server.paths == ["/v1/chat/completions"]
    assert server.requests == [
        {
            "model": "an-llm",
            "messages": [{"role": "system", "content": "Be exact."}, {"role": "user", "content": "Map <layout>."}],
            "max_completion_tokens": 16_000,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "mapping", "strict": True, "schema": dict(PROMPT.schema)},
            },
        }
    ]
    assert {k.lower(): v for k, v in server.headers[0].items()}["authorization"] == f"Bearer {KEY}"


def test_the_responses_api_is_asked_for_a_strict_schema_and_to_store_nothing() -> None:
    with LLMServer([reply("{}")]) as server:
        endpoint(server.url, "responses").complete(PROMPT)
    assert server.paths == ["/v1/responses"]
    assert server.requests == [
        {
            "model": "an-llm",
            "instructions": "Be exact.",
            "input": "Map <layout>.",
            "store": False,
            "max_output_tokens": 16_000,
            "text": {
                "format": {"type": "json_schema", "name": "mapping", "strict": True, "schema": dict(PROMPT.schema)}
            },
        }
    ]


def test_an_answer_in_parts_is_one_text_and_thoughts_are_passed_over() -> None:
    parts = [{"type": "output_text", "text": "{"}, {"type": "output_text", "text": "}"}]
    output = [
        {"type": "reasoning", "content": "hm"},
        {"type": "message", "content": parts},
        {"type": "new_item", "content": 5},
    ]
    body = json.dumps({"status": "completed", "output": output}).encode()
    assert complete([raw(body)], "responses") == Completion("{}", "an-llm", None)


@pytest.mark.parametrize(
    ("behaviour", "finish", "text"),
    [
        (reply('{"col', finish_reason="length"), "length", '{"col'),
        (reply(None, refusal=f"I can't {KEY}"), "filtered", "I can't ***"),
        (reply(None, finish_reason="content_filter"), "filtered", ""),
        (reply(""), "stop", ""),
        (reply(None), "stop", ""),
        (reply(f"the key is {KEY}"), "stop", "the key is ***"),
    ],
    ids=["cut off", "refused", "filtered", "empty", "null", "key"],
)
def test_how_an_answer_ended_is_told_apart_and_it_was_paid_for(
    behaviour: Behaviour, finish: str, text: str, api: Api
) -> None:
    got = complete([behaviour], api)
    assert (got.finish, got.text, got.usage) == (finish, text, Usage(1000, 200))


def test_no_choices_are_an_empty_answer_of_unknown_use(api: Api) -> None:
    assert complete([no_choices()], api) == Completion("", "an-llm", None)


@pytest.mark.parametrize("usage", [None, (-1, 2), ("7", 2), (1.5, 2), (True, 2), (10**10, 2), (None, 2)])
def test_what_is_no_count_of_tokens_is_no_usage(usage: tuple[object, object] | None, api: Api) -> None:
    got = complete([reply("{}", usage=usage)], api)
    assert (got.text, got.usage) == ("{}", None)


def test_a_name_that_is_no_name_is_not_taken_for_the_llm(api: Api) -> None:
    assert complete([reply("{}", model="\x1b[31m evil")], api).llm == "an-llm"


NO_ANSWER = "answered something that is no (chat completion|answer of the Responses API); check OPENAI_BASE_URL"


@pytest.mark.parametrize(
    ("behaviour", "says", "tries", "unknown"),
    [
        (
            status(400, message=f"too long \x1b[0m\n {KEY}"),
            r"refused the request \(400: too long \[0m \*\*\*\)",
            1,
            0,
        ),
        (
            status(401, message=f"Incorrect API key provided: {KEY}"),
            r"refused the key \(401\); set OPENAI_API_KEY",
            1,
            0,
        ),
        (status(403), r"refused the key \(403\)", 1, 0),
        (status(404), r"does not know an-llm \(404\); check OPENAI_MODEL", 1, 0),
        (status(429, kind="insufficient_quota"), r"no credit is left \(429\); check the account", 1, 0),
        (status(429), r"too many requests \(429\); try again later", 3, 0),
        (status(429, {"Retry-After": "61"}), r"too many requests \(429\); try again not before [\d:]{8},", 1, 0),
        (status(503, {"Retry-After": "999999999999"}), r"failed \(503\); try again not before .+,", 1, 0),
        (status(408), r"failed \(408\)", 3, 0),
        (status(500), r"failed \(500\); try again later", 3, 0),
        (status(504), r"failed \(504\); try again later", 3, 3),
        (raw(b"[" * 100_000, 500), r"failed \(500\)", 3, 0),
        (raw(b"xx", 500, {"Content-Encoding": "gzip"}), "cannot be unpacked", 1, 1),
        (raw(b"\xff\xfe", 500, {"Content-Type": "text/html; charset=bogus"}), r"failed \(500\)", 3, 0),
        (raw(b'{"detail": [{"loc": ["body", "model"]}]}', 422), r"422: .*'body', 'model'", 1, 0),
        (raw(b"{}", headers={"X": "y" * 200_000}), "broke off", 3, 3),
        (raw(b"", 307, {"Location": "/v1/chat/completions"}), r"sends us elsewhere \(307\); set OPENAI_BASE_URL", 1, 0),
        (reset(), "broke off; try later, check the network", 3, 3),
        (broken_off(), "broke off; try later, check the network", 3, 3),
        (raw(b"<html>Hello</html>", headers={"Content-Type": "text/html"}), NO_ANSWER, 1, 1),
        (raw(b'{"choices": ["a"], "output": ["a"]}'), NO_ANSWER, 1, 1),
        (raw(b'{"choices": [{"message": {"content": 5}}], "output": {}}'), NO_ANSWER, 1, 1),
        (raw(b"[" * 100_000), NO_ANSWER, 1, 1),
        (raw(b""), NO_ANSWER, 1, 1),
        (
            raw(b'{"error": {"code": 7, "message": "Over\\nload"}, "status": "failed", "output": []}'),
            "7 Over load",
            1,
            1,
        ),
        (reply("x" * 10_000_000), "answered more than 2 MB", 1, 1),
        (endless(), "answered more than 2 MB", 1, 1),
        (raw(gzip.compress(b"x" * 10_000_000), headers={"Content-Encoding": "gzip"}), "answered more than 2 MB", 1, 1),
        (raw(b"xx", headers={"Content-Encoding": "gzip"}), "cannot be unpacked", 1, 1),
        (endless(400), r"refused the request \(400: x{50}", 1, 0),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_each_fault_of_an_endpoint_is_one_clear_line_with_what_it_may_have_cost(
    behaviour: Behaviour, says: str, tries: int, unknown: int, api: Api
) -> None:
    error = failure([behaviour], api)
    assert re.search(says, str(error)), error
    assert (error.tries, error.unknown, error.tokens) == (tries, unknown, 0)
    assert re.fullmatch(r"[a-z_]+|\d{3}", error.kind)


@pytest.mark.parametrize(
    "behaviour", [hang(), drip(), drip(b"{"), drip(b"{", 500)], ids=["hang", "header", "body", "error"]
)
def test_an_endpoint_that_hangs_or_drips_is_given_up_after_the_timeout_and_not_asked_again(
    behaviour: Behaviour, api: Api
) -> None:
    began = time.monotonic()
    error = failure([behaviour], api, timeout=0.3)
    assert "did not answer within 0.3 s; raise OPENAI_TIMEOUT" in str(error)
    assert (error.tries, error.unknown) == (1, 1)
    assert time.monotonic() - began < 5


def test_nobody_listening_is_one_clear_line_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}/v1?token=secret"
        with pytest.raises(
            ProviderError, match=r"^127\.0\.0\.1:\d+ cannot be reached; check OPENAI_BASE_URL"
        ) as caught:
            endpoint(url).complete(PROMPT)
    assert "secret" not in str(caught.value)
    assert (caught.value.tries, caught.value.unknown) == (1, 0)


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [(status(429), 0), (status(500), 0), (status(409), 0), (reset(), 1), (broken_off(), 1)],
    ids=["429", "500", "409", "reset", "broken off"],
)
def test_a_passing_fault_is_tried_again_and_what_it_may_have_cost_is_told(
    fault: Behaviour, unknown: int, api: Api
) -> None:
    got = complete([fault, fault, reply("{}")], api)
    assert (got.text, got.tries, got.unknown) == ("{}", 3, 2 * unknown)


@pytest.mark.parametrize(
    ("script", "requests", "asked"),
    [
        ([reset()], 1, [False]),
        ([reset(), broken_off()], 2, [True, False]),
        ([reset()], 3, [True, True]),
        ([status(500)], 3, []),
        ([hang()], 1, []),
        ([status(500), reset(), reply("{}")], 3, [True]),
    ],
)
def test_after_a_try_that_may_have_been_charged_there_is_another_only_if_that_is_wanted(
    script: Sequence[Behaviour], requests: int, asked: list[bool]
) -> None:
    answers = list(asked)
    with LLMServer(script) as server, suppress(ProviderError):
        endpoint(server.url, timeout=0.5).complete(PROMPT, lambda: answers.pop(0))
    assert (len(server.requests), answers) == (requests, [])


def test_the_pauses_grow_and_are_random() -> None:
    seen = []
    for _ in range(5):
        waits = Waits()
        with LLMServer([status(500)]) as server, pytest.raises(ProviderError):
            endpoint(server.url, waits=waits).complete(PROMPT)
        assert all(a < b for a, b in pairwise(waits)) and waits[0] >= 1 and waits[-1] <= 3
        seen.append(tuple(waits))
    assert len(set(seen)) == 5


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"Retry-After": "7"}, 7, 7),
        ({"Retry-After": "0.5"}, 0.5, 0.5),
        ({"Retry-After": "60"}, 60, 60),
        ({"Retry-After": "50", "Retry-After-Ms": "1500"}, 1.5, 1.5),
        ({"Retry-After": formatdate(time.time() - 60)}, 0, 0),
        ({"Retry-After": "-3"}, 1, 2),
        ({"Retry-After": "soon"}, 1, 2),
        ({"Retry-After": "nan"}, 1, 2),
        ({"Retry-After": "9" * 400}, 1, 2),
    ],
)
def test_the_wait_that_an_endpoint_asks_for_is_kept(headers: dict[str, str], low: float, high: float) -> None:
    waits = Waits()
    with LLMServer([status(429, headers), reply("{}")]) as server:
        endpoint(server.url, waits=waits).complete(PROMPT)
    assert len(waits) == 1 and low <= waits[0] <= high


def test_a_date_to_come_back_at_is_kept() -> None:
    waits = Waits()
    with LLMServer([status(503, {"Retry-After": formatdate(time.time() + 40, usegmt=True)}), reply("{}")]) as server:
        endpoint(server.url, waits=waits).complete(PROMPT)
    assert 30 <= waits[0] <= 41


def test_a_refused_answer_format_is_left_out_said_and_not_sent_again_in_this_run(api: Api) -> None:
    words = "response_format" if api == "chat" else '"format"'
    refusal = status(422, message="'text.format' and 'response_format' are not supported")
    with LLMServer([unless(words, refusal, reply("{}"))]) as server:
        asked = endpoint(server.url, api)
        first, second = asked.complete(PROMPT), asked.complete(PROMPT)
        assert len(server.requests) == 3
    assert (first.text, first.tries, second.tries, first.unknown) == ("{}", 2, 1, 0)
    assert first.notices == second.notices == (f"{asked.host} refuses the answer format: asked without it",)
    assert [words in json.dumps(r) for r in server.requests] == [True, False, False]


def test_an_old_endpoint_is_told_the_limit_by_its_old_name() -> None:
    old = status(400, message="Unrecognized request argument supplied: max_completion_tokens")
    with LLMServer([unless("max_completion_tokens", old, unless("json_schema", NOT_FORMAT, reply("{}")))]) as server:
        got = endpoint(server.url).complete(PROMPT)
    assert (got.text, got.tries, len(got.notices)) == ("{}", 3, 2)
    assert server.requests[-1].keys() == {"model", "messages", "max_tokens"}
    assert server.requests[-1]["max_tokens"] == 16_000


def test_where_the_format_was_not_what_is_refused_it_is_asked_once_without_and_then_with_it_again(api: Api) -> None:
    with LLMServer([NOT_FORMAT, NOT_FORMAT, reply("{}")]) as server:
        asked = endpoint(server.url, api)
        with pytest.raises(ProviderError, match=r"refused the request \(400") as caught:
            asked.complete(PROMPT)
        assert len(server.requests) == caught.value.tries == 2
        assert asked.complete(PROMPT).notices == ()
    words = "response_format" if api == "chat" else '"format"'
    assert [words in json.dumps(r) for r in server.requests] == [True, False, True]


def test_several_threads_ask_at_once(api: Api) -> None:
    words = "response_format" if api == "chat" else '"format"'
    with LLMServer([unless(words, NOT_FORMAT, reply("{}"))]) as server, ThreadPoolExecutor(8) as threads:
        asked = endpoint(server.url, api)
        got = list(threads.map(asked.complete, [PROMPT] * 16))
    assert {c.text for c in got} == {"{}"}
    assert sum(c.tries for c in got) == len(server.requests) <= 24


def test_the_key_is_in_no_repr() -> None:
    shown = repr(endpoint("http://user:secret@127.0.0.1:1/v1"))
    assert KEY not in shown and "secret" not in shown
    assert shown == "OpenAIEndpoint(model='an-llm', host='127.0.0.1:1')"


def test_nothing_of_the_key_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    complete([status(500), reply("{}")], "chat")
    assert KEY not in caplog.text and not re.search(r"sk-test", caplog.text)


def test_the_environment_names_key_endpoint_and_llm() -> None:
    plain = from_environment({"OPENAI_API_KEY": KEY})
    assert (plain.model, plain.host) == (DEFAULT_MODEL, "api.openai.com")
    assert DEFAULT_BASE_URL.startswith("https://")
    named = from_environment(
        {
            "OPENAI_API_KEY": f" {KEY}\n",
            "OPENAI_BASE_URL": "http://localhost:8120/v1",
            "OPENAI_MODEL": "qwen",
            "OPENAI_TIMEOUT": "20",
        }
    )
    assert (named.model, named.host) == ("qwen", "localhost:8120")


@pytest.mark.parametrize(
    ("named", "path"), [("", "/v1/chat/completions"), ("chat", "/v1/chat/completions"), ("responses", "/v1/responses")]
)
def test_the_environment_names_the_api_which_is_chat_where_openai_is_not(named: str, path: str) -> None:
    with LLMServer([reply("{}")]) as server:
        from_environment({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url, "OPENAI_API": named}).complete(PROMPT)
    assert server.paths == [path]


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "OPENAI_API_KEY is not set; set it .* use --provider offline"),
        ({"OPENAI_API_KEY": "  "}, "OPENAI_API_KEY is not set"),
        ({"OPENAI_API_KEY": "a b"}, "OPENAI_API_KEY holds"),
        ({"OPENAI_API_KEY": "schlüssel"}, "OPENAI_API_KEY holds"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "localhost:80"}, "OPENAI_BASE_URL is not a URL"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://a:99999/v1"}, "OPENAI_BASE_URL is not a URL"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://[::1/v1"}, "OPENAI_BASE_URL is not a URL"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://a b/v1"}, "OPENAI_BASE_URL is not a URL"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://256.1.1.1/v1"}, "OPENAI_BASE_URL is not a URL"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_TIMEOUT": "soon\x1b"}, "OPENAI_TIMEOUT is 'soon'; set it to seconds"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_TIMEOUT": "0"}, "OPENAI_TIMEOUT is '0'"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_API": "soap\x1b"}, "OPENAI_API is 'soap'; set it to chat or responses"),
    ],
)
def test_an_environment_that_cannot_work_is_one_line_that_says_what_to_set(environ: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        from_environment(environ)
    assert KEY not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("HTTPS_PROXY", "ftp://a"), ("ALL_PROXY", "http://[::1"), ("SSL_CERT_FILE", "/nowhere/cert.pem")],
)
def test_a_proxy_or_certificate_that_cannot_be_used_is_one_line(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=f"proxy or certificates cannot be used .*{name}") as caught:
        from_environment({"OPENAI_API_KEY": KEY})
    assert "\n" not in str(caught.value)
