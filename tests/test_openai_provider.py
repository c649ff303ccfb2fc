"""The real `openai` client against a scripted server: what each fault of an endpoint becomes."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from llm_server import Behaviour, LLMServer, broken_off, hang, no_choices, raw, reply, reset, status

from generator.candidate import Candidate
from generator.contracts import Column, Contract
from generator.errors import UsageError
from generator.profile import build_profile
from generator.prompt import PROMPT_VERSION, messages
from generator.providers import Answer, BadAnswer, Provider, ProviderError, Request
from generator.providers.openai import DEFAULT_BASE_URL, DEFAULT_MODEL, OpenAIProvider, estimate, from_environment

KEY = "sk-test-0123456789abcdef"
FUNCTIONS = "- `clean_text(x)`"
CONTRACT = Contract("contacts", "", (Column("full_name", "text", not_null=True), Column("notes", "text")))
REQUEST = Request(
    CONTRACT,
    build_profile(["Name"], [["Anna"]], source_file="a.csv", delimiter=",", has_header=True),
    Candidate(columns={}),
    CONTRACT.names,
)
GOOD = json.dumps(
    {
        "reshape": None,
        "row_filter_note": "",
        "row_filter": None,
        "columns": {
            "full_name": {
                "source_columns": ["name"],
                "note": "the name",
                "expression": "clean_text(name)",
                "confidence": 0.9,
            },
            "notes": {"source_columns": [], "note": "not there", "expression": None, "confidence": 0.0},
        },
        "unmapped": [],
        "questions": [],
    }
)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def provider(url: str, *, timeout: float = 5.0, max_retries: int = 0, model: str = "an-llm") -> OpenAIProvider:
    return OpenAIProvider(model, url, KEY, FUNCTIONS, timeout=timeout, max_retries=max_retries)


def propose(script: Sequence[Behaviour], **more: float) -> Answer:
    with LLMServer(script) as server:
        return provider(
            server.url, timeout=more.get("timeout", 5.0), max_retries=int(more.get("max_retries", 0))
        ).propose(REQUEST)


def test_a_good_answer_is_a_candidate_with_what_it_cost() -> None:
    with LLMServer([reply(GOOD, model="gpt-6.1-sol")]) as server:
        asked: Provider = provider(server.url, model="gpt-6.1-sol")
        got = asked.propose(REQUEST)
    assert got.candidate.columns["full_name"].expression == "clean_text(name)"
    assert (got.llm, got.tokens, got.prompt_version, got.notices) == ("gpt-6.1-sol", 1200, PROMPT_VERSION, ())
    assert got.cost == pytest.approx(0.002 + 0.002)


def test_the_request_is_a_strict_json_schema_without_sampling_settings() -> None:
    with LLMServer([reply(GOOD)]) as server:
        provider(server.url).propose(REQUEST)
        body = server.requests[0]
    assert server.paths == ["/v1/chat/completions"]
    assert body["messages"] == messages(REQUEST, FUNCTIONS)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert set(body) == {"model", "messages", "response_format", "max_completion_tokens"}
    assert {k.lower(): v for k, v in server.headers[0].items()}["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "content",
    [f"Sure!\n```json\n{GOOD}\n```", f"<think>is it {{name}}?</think>\n{GOOD}\nDone."],
    ids=["fence", "prose"],
)
def test_an_ignored_format_is_read_if_there_is_one_object_and_said(content: str) -> None:
    got = propose([reply(content)])
    assert got.candidate.columns["full_name"].source_columns == ("name",)
    assert "ignored the answer format" in got.notices[0]


def test_missing_usage_is_estimated_and_said() -> None:
    got = propose([reply(GOOD, without_usage=True)])
    assert got.tokens > estimate(GOOD) > 100
    assert f"{got.tokens} tokens are an estimate" in got.notices[0]


def test_a_name_that_is_no_name_is_not_taken_for_the_llm() -> None:
    assert propose([reply(GOOD, model="\x1b[31m evil")]).llm == "an-llm"


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (reply("I map name to full_name."), "no complete JSON objects"),
        (reply(GOOD + "\n" + GOOD), "not one complete JSON object"),
        (reply(f"First {GOOD} or {GOOD}."), "2 complete JSON objects"),
        (reply(GOOD[:-30]), "no complete JSON objects"),
        (reply(GOOD[:-30], finish_reason="length"), "cut off"),
        (reply('{"columns": {}}'), "fields that were asked"),
        (reply("x" * 10_000_000), "no complete JSON objects"),
        (reply("{" + "x" * 10_000_000 + "}"), "more than 200000"),
        (reply(""), "empty"),
        (reply(None), "empty"),
    ],
    ids=["prose", "twice", "two", "malformed", "truncated", "fields", "10 MB", "10 MB object", "empty", "null"],
)
def test_an_answer_that_is_no_candidate_is_a_bad_answer_and_is_paid_for(behaviour: Behaviour, says: str) -> None:
    with pytest.raises(BadAnswer, match=says) as caught:
        propose([behaviour])
    assert caught.value.tokens == 1200


def test_no_choices_are_a_bad_answer_whose_tokens_are_estimated() -> None:
    with pytest.raises(BadAnswer, match="empty") as caught:
        propose([no_choices()])
    assert caught.value.tokens > 500


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (reply(None, refusal=f"I can't \x1b[0m\nhelp {KEY}"), r"an-llm refused to answer \(I can't \[0m help \*\*\*\)"),
        (reply(None, finish_reason="content_filter"), "refused to answer"),
        (status(400, message=f"response_format is unknown {KEY}"), r"refused the request \(400: .*response_format"),
        (status(401, message=f"Incorrect API key provided: {KEY}"), r"refused the key \(401\); set OPENAI_API_KEY"),
        (status(403), r"refused the key \(403\)"),
        (status(404), r"does not know an-llm \(404\); check OPENAI_MODEL"),
        (status(429, {"Retry-After": "0"}), r"too many requests or no credit left \(429\)"),
        (status(500), r"failed \(500\); try again later"),
        (status(503), r"failed \(503\)"),
        (reset(), "cannot be reached or broke off"),
        (broken_off(), "cannot be reached or broke off"),
        (raw(b"<html>Hello</html>", headers={"Content-Type": "text/html"}), "no chat completion"),
        (raw(b'{"choices": ["a"]}'), "no chat completion"),
        (raw(b'{"choices": [{"message": {"content": 5}}]}'), "no chat completion"),
        (raw(b"[" * 100_000), "no chat completion"),
        (raw(b""), "no chat completion"),
        (raw(b"xx", headers={"Content-Encoding": "gzip"}), "cannot be reached or broke off"),
        (raw(b"", 307, {"Location": "/v1/chat/completions"}), "cannot be reached or broke off"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_each_fault_of_an_endpoint_is_one_clear_line_without_the_key(behaviour: Behaviour, says: str) -> None:
    with pytest.raises(ProviderError, match=says) as caught:
        propose([behaviour])
    assert not isinstance(caught.value, BadAnswer)
    said = str(caught.value)
    assert "\n" not in said and said.isprintable() and len(said) < 400
    assert KEY not in said and KEY[8:] not in said
    assert said.endswith("or go on with --provider offline")
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_an_endpoint_that_hangs_is_given_up_after_the_timeout() -> None:
    with pytest.raises(ProviderError, match=r"did not answer within 0\.2 s; raise OPENAI_TIMEOUT"):
        propose([hang()], timeout=0.2)


def test_nobody_listening_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}/v1?token=secret"
        with pytest.raises(ProviderError, match=r"^127\.0\.0\.1:\d+ cannot be reached") as caught:
            provider(url).propose(REQUEST)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "fault", [status(429, {"Retry-After": "0", "Retry-After-Ms": "1"}), status(500, {"Retry-After-Ms": "1"})]
)
def test_a_passing_fault_is_tried_again(fault: Behaviour) -> None:
    with LLMServer([fault, reply(GOOD)]) as server:
        got = provider(server.url, max_retries=1).propose(REQUEST)
        assert len(server.requests) == 2
    assert got.tokens == 1200


def test_the_key_is_in_no_repr() -> None:
    shown = repr(provider("http://user:secret@127.0.0.1:1/v1"))
    assert KEY not in shown and "secret" not in shown
    assert shown == "OpenAIProvider(model='an-llm', endpoint='127.0.0.1:1')"


def test_the_environment_names_key_endpoint_llm_and_timeout() -> None:
    plain = from_environment({"OPENAI_API_KEY": KEY}, FUNCTIONS)
    assert (plain.model, plain.endpoint) == (DEFAULT_MODEL, "api.openai.com")
    assert DEFAULT_BASE_URL.startswith("https://")
    named = from_environment(
        {
            "OPENAI_API_KEY": f" {KEY}\n",
            "OPENAI_BASE_URL": "http://localhost:8120/v1",
            "OPENAI_MODEL": "qwen",
            "OPENAI_TIMEOUT": "20",
        },
        FUNCTIONS,
    )
    assert (named.model, named.endpoint) == ("qwen", "localhost:8120")


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
        ({"OPENAI_API_KEY": KEY, "OPENAI_TIMEOUT": "soon\x1b"}, "OPENAI_TIMEOUT is 'soon'; set it to seconds"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_TIMEOUT": "0"}, "OPENAI_TIMEOUT is '0'"),
    ],
)
def test_an_environment_that_cannot_work_is_one_line_that_says_what_to_set(environ: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        from_environment(environ, FUNCTIONS)
    assert KEY not in str(caught.value) and "\n" not in str(caught.value)


def test_nothing_of_the_key_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    with LLMServer([status(500, {"Retry-After-Ms": "1"}), reply(GOOD)]) as server:
        provider(server.url, max_retries=1).propose(REQUEST)
    assert KEY not in caplog.text and not re.search(r"sk-test", caplog.text)


def test_the_prompt_text_ships_inside_the_package() -> None:
    assert (Path(__file__).parent.parent / "generator" / "prompts" / "mapping.md").is_file()
