"""Calls over real HTTP with limits and prices: what is asked, what is charged, what is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from llm_server import Behaviour, LLMServer, broken_off, raw, reply, reset, status

from generator.budget import Limits, Price, estimate
from generator.llm.calls import Calls, read_calls
from generator.llm.prompt import Prompt
from generator.matcher.request import ProviderError
from generator.providers import Completion
from generator.providers.metered import Metered
from generator.providers.openai import OpenAIEndpoint
from generator.providers.prices import cost

PROMPT = Prompt("mapping-9", "You map.", "Map this: a,b,c", {"type": "object"}, "shop orders 3f2a9c1e", 1)
PRICES = {"an-llm": Price(10, 100)}
FREE = Limits(None, None, None, None, None, None)
# Of the prompt above and the longest answer.
MOST_IN, MOST_OUT = estimate("You map.Map this: a,b,c" + json.dumps({"type": "object"})), 500
MOST = MOST_IN + MOST_OUT
MOST_USD = (10 * MOST_IN + 100 * MOST_OUT) / 1e6


class Asked:
    """A metered endpoint behind which a server follows a script."""

    def __init__(
        self,
        folder: Path,
        script: Sequence[Behaviour],
        limits: Limits = FREE,
        prices: Mapping[str, Price] = PRICES,
        times: int = 1,
    ) -> None:
        self.completions: list[Completion] = []
        self.errors: list[ProviderError] = []
        with LLMServer(script) as server:
            endpoint = OpenAIEndpoint(
                "an-llm", server.url, "sk-0123456789", timeout=5, max_output_tokens=MOST_OUT, sleep=lambda _: None
            )
            metered = Metered(endpoint, Calls(folder), limits, prices)
            for attempt in range(1, times + 1):
                try:
                    self.completions.append(metered.complete(replace(PROMPT, attempt=attempt)))
                except ProviderError as error:
                    self.errors.append(error)
            self.requests = len(server.requests)
        self.log = read_calls(folder)


def test_an_answer_is_charged_with_what_the_endpoint_says_it_used(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [reply("{}", usage=(1000, 200))])
    (completion,) = asked.completions
    assert completion.usage
    assert (completion.usage.tokens_in, completion.usage.tokens_out, completion.usage.cost) == (1000, 200, 0.03)
    (entry,) = asked.log
    assert (entry.tokens_in, entry.tokens_out, entry.tokens, entry.usd) == (1000, 200, 1200, 0.03)
    assert (entry.counted, entry.tries, entry.finish, entry.error) == (True, 1, "stop", None)
    assert (entry.layout, entry.attempt, entry.prompt_sha256) == (PROMPT.layout, 1, PROMPT.sha256)
    assert (entry.provider, entry.llm) == ("openai", "an-llm-2031-12-27")
    assert entry.host.startswith("127.0.0.1")
    assert entry.seconds
    assert "sk-0123456789" not in (tmp_path / "logs/llm.jsonl").read_text()


@pytest.mark.parametrize("usage", [None, (0, 0), (0, 200), (1000, 0), (-1000, 200), ("x", "y")])
def test_an_answer_that_is_not_counted_is_charged_with_the_most_and_is_the_last(
    tmp_path: Path, usage: tuple[int, int] | None
) -> None:
    asked = Asked(tmp_path, [reply("{}", usage=usage)], times=2)
    (completion,) = asked.completions
    assert completion.usage
    assert (completion.usage.tokens, completion.usage.cost) == (MOST, MOST_USD)
    assert (
        f"does not say how many tokens it used: charged with the most it can be, {MOST} tokens" in completion.notices[0]
    )
    (entry,) = asked.log
    assert (entry.tokens, entry.counted) == (MOST, False)
    assert asked.requests == 1
    assert "does not say how many tokens it uses; use an endpoint that does" in str(asked.errors[0])


def test_a_refusal_without_a_text_may_have_used_nothing_for_its_answer(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [reply(None, finish_reason="content_filter", usage=(1000, 0))])
    assert [(e.tokens, e.counted, e.finish) for e in asked.log] == [(1000, True, "filtered")]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (replace(FREE, tokens_per_file=MOST - 1), f"tokens_per_file is {MOST - 1}, 0 used"),
        (replace(FREE, tokens_per_run=MOST - 1), f"tokens_per_run is {MOST - 1}, 0 used"),
        (replace(FREE, tokens_per_day=MOST - 1), f"tokens_per_day is {MOST - 1}, 0 used"),
        (replace(FREE, usd_per_file=0.05), r"usd_per_file is $0.050, $0.00 used, and one more call may take $0.050"),
        (replace(FREE, usd_per_run=0.01), "usd_per_run is $0.010, $0.00 used"),
        (replace(FREE, usd_per_day=0.01), "usd_per_day is $0.010, $0.00 used"),
    ],
)
def test_what_might_break_a_limit_is_not_asked(tmp_path: Path, limits: Limits, said: str) -> None:
    asked = Asked(tmp_path, [reply("{}")], limits)
    (error,) = asked.errors
    assert str(error).startswith(f"not asked: {said}")
    assert str(error).endswith("in dbt_project.yml, or go on with --provider offline")
    assert (asked.requests, asked.log, error.tries, error.tokens) == (0, [], 0, 0)


def test_a_limit_ends_the_attempts_at_a_file_and_never_gives_way(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [reply("{}", usage=(MOST_IN, 400))], replace(FREE, tokens_per_file=1200), times=5)
    assert (asked.requests, len(asked.completions), len(asked.errors)) == (2, 2, 3)
    assert f"tokens_per_file is 1,200, {2 * (MOST_IN + 400)} used, and one more call may take {MOST}" in str(
        asked.errors[0]
    )


def test_an_endpoint_that_used_more_than_it_could_is_charged_with_it(tmp_path: Path) -> None:
    limits = replace(FREE, tokens_per_file=10_000)
    asked = Asked(tmp_path, [reply("{}", usage=(50_000, 200))], limits, times=2)
    assert [e.tokens for e in asked.log] == [50_200]
    assert (asked.requests, len(asked.errors)) == (1, 1)


@pytest.mark.parametrize("lost", [reset, broken_off])
def test_a_try_that_was_lost_is_charged_with_the_most(tmp_path: Path, lost: Callable[[], Behaviour]) -> None:
    asked = Asked(tmp_path, [lost(), reply("{}", usage=(1000, 200))])
    (completion,) = asked.completions
    assert completion.usage
    assert (completion.usage.tokens_in, completion.usage.tokens_out) == (1000 + MOST_IN, 200 + MOST_OUT)
    assert completion.usage.cost == pytest.approx(0.03 + MOST_USD)
    assert [(e.tokens, e.counted, e.tries) for e in asked.log] == [(1200 + MOST, True, 2)]


def test_there_is_no_try_after_a_lost_one_that_would_break_a_limit(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [reset(), reset(), reply("{}")], replace(FREE, tokens_per_file=2 * MOST))
    (error,) = asked.errors
    assert (asked.requests, error.tries, error.unknown, error.tokens) == (2, 2, 2, 2 * MOST)
    assert [(e.tokens, e.counted, e.tries) for e in asked.log] == [(2 * MOST, False, 2)]


def test_tries_that_cost_nothing_are_not_charged(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [status(429, {"Retry-After": "0"}), status(500), reply("{}", usage=(1000, 200))])
    assert [(e.tokens, e.counted, e.tries) for e in asked.log] == [(1200, True, 3)]


def test_an_error_costs_nothing_unless_an_answer_was_lost(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [status(401), raw(b"<html>", 200)], times=2)
    refused, unreadable = asked.errors
    assert (refused.tokens, refused.cost) == (0, 0)
    assert (unreadable.tokens, unreadable.cost) == (MOST, MOST_USD)
    assert [(e.tokens, e.usd, e.counted, e.error) for e in asked.log] == [
        (0, 0, True, "401"),
        (MOST, MOST_USD, False, "unreadable"),
    ]


def test_an_endpoint_elsewhere_without_a_price_is_not_asked_where_money_is_limited(tmp_path: Path) -> None:
    endpoint = OpenAIEndpoint("no-such-llm", "https://llm.example/v1", "k")
    with pytest.raises(ProviderError, match=r"the price of no-such-llm is not known; name it under llm_prices in dbt_"):
        Metered(endpoint, Calls(tmp_path), replace(FREE, usd_per_day=5), PRICES).complete(PROMPT)
    assert read_calls(tmp_path) == []


def test_an_llm_on_this_machine_costs_nothing(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [reply("{}")], Limits(), {})
    assert [(e.tokens, e.usd) for e in asked.log] == [(1200, 0.0)]


def test_prices_are_the_projects_own_or_those_that_the_library_knows() -> None:
    million = (1_000_000, 1_000_000)
    assert cost(("a", "b"), "llm.example", *million, {"a": Price(1, 2), "b": Price(5, 5)}) == 3
    assert cost(("a", "b"), "llm.example", *million, {"b": Price(5, 5)}) == 10
    assert cost(("gpt-4o",), "api.openai.com", *million, {}) == 12.5
    assert cost(("gpt-4o", "gpt-4o-2024-08-06"), "api.openai.com", *million, {}) == 12.5
    # A gateway that nobody knows, and an LLM that many know.
    assert cost(("gpt-4o",), "gateway.example", *million, {}) == 12.5
    assert cost(("gpt-4o",), "gateway.example", *million, {"gpt-4o": Price(0, 1)}) == 1
    assert cost(("no-such-llm",), "llm.example", *million, {}) is None


def test_a_proxy_on_this_machine_makes_no_llm_free() -> None:
    assert cost(("gpt-4o",), "localhost", 1_000_000, 1_000_000, {}) == 12.5
    assert cost(("gpt-4o",), "localhost", 1_000_000, 1_000_000, {"gpt-4o": Price(0, 0)}) == 0


def test_who_answers_by_the_name_of_a_cheaper_llm_costs_what_was_asked() -> None:
    asked = cost(("gpt-4o",), "api.openai.com", 1_000_000, 1_000_000, {})
    cheaper = cost(("gpt-4o-mini",), "api.openai.com", 1_000_000, 1_000_000, {})
    assert cheaper
    assert asked
    assert cheaper < asked
    assert cost(("gpt-4o", "gpt-4o-mini"), "api.openai.com", 1_000_000, 1_000_000, {}) == asked


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "0.0.0.0", "::1"])
def test_this_machine_has_several_names(host: str) -> None:
    assert cost(("no-such-llm",), host, 1, 1, {}) == 0.0


@pytest.mark.parametrize("host", ["localhost.example", "127.0.0.1.example", "192.168.0.7", "10.0.0.1", ""])
def test_other_machines_are_not_this_one(host: str) -> None:
    assert cost(("no-such-llm",), host, 1, 1, {}) is None


def test_the_library_of_prices_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr("socket.socket.connect", connect)
    assert cost(("gpt-4o",), "api.openai.com", 1_000_000, 0, {}) == 2.5
