"""Calls with a limit and a price: reserved before, settled after, logged and traced."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

from generator.budget import Limits, Price, Spent, estimate
from generator.llm import telemetry
from generator.llm.calls import Calls
from generator.llm.entry import Entry
from generator.providers import Completion, Endpoint, Prompt, ProviderError, Request, Usage
from generator.providers.prices import cost
from generator.violation import Violation


class Charged(Endpoint, Protocol):
    """An endpoint whose calls cost something. `model` is the LLM that is asked, `host` may have a port."""

    model: str
    host: str
    max_output_tokens: int

    def complete(self, prompt: Prompt, again: Callable[[], bool] = ...) -> Completion:
        """One answer; after a try that may be charged although no answer came, `again` says whether to try once more."""
        ...


class Metered(Endpoint):
    """Asks `endpoint` if the limits leave room for the most that it may take.

    A try whose answer was lost, and an answer of which nobody says what it took, are charged with that most.
    """

    def __init__(self, endpoint: Charged, calls: Calls, limits: Limits, prices: Mapping[str, Price]) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._calls = calls
        self._limits = limits
        self._prices = prices
        server = urlsplit(f"//{endpoint.host}")
        self._host, self._port = server.hostname or "", server.port or 443

    def complete(self, prompt: Prompt) -> Completion:
        """One answer. ProviderError where the endpoint, a limit or a missing price is in the way."""
        endpoint, most = self._endpoint, _most(prompt, self._endpoint.max_output_tokens)
        asked = self._reserve(prompt, most)
        most = replace(most, cost=asked.usd or 0.0)
        started, lost_tries = monotonic(), 0

        def again() -> bool:
            nonlocal lost_tries
            lost_tries += 1
            return self._calls.again(asked, lost_tries, self._limits)

        with telemetry.chat(
            self.name, endpoint.model, self._host, self._port, endpoint.max_output_tokens, prompt.attempt
        ) as traced:
            try:
                completion = endpoint.complete(prompt, again)
            except ProviderError as error:
                lost, kind = _times(most, error.unknown), error.kind or "_OTHER"
                traced.failed(kind)
                self._settle(asked, lost, started, counted=not error.unknown, tries=error.tries, error=kind)
                error.tokens, error.cost = lost.tokens, lost.cost
                raise
            used = _used(completion)
            charged = _sum(self._priced(used, completion.llm) if used else most, _times(most, completion.unknown))
            tokens = (used.tokens_in, used.tokens_out) if used else None
            traced.answered(completion.llm, completion.finish, tokens, charged.cost)
        self._settle(
            asked,
            charged,
            started,
            llm=completion.llm,
            counted=used is not None,
            tries=completion.tries,
            finish=completion.finish,
        )
        notices = completion.notices
        if used is None:
            notices += (
                f"{endpoint.host} does not say how many tokens it used: charged with the most it can be, "
                f"{Spent(most.tokens, most.cost)}; no further call for this file",
            )
        return replace(completion, usage=charged, notices=notices)

    def judged(self, request: Request, violations: tuple[Violation, ...]) -> None:
        """Log which rules the answer broke."""
        self._calls.judged(request.layout, request.attempt, violations)

    def finished(self) -> None:
        """Pass it on."""
        self._endpoint.finished()

    def _reserve(self, prompt: Prompt, most: Usage) -> Entry:
        llm = self._endpoint.model
        usd = self._usd(most, llm)
        if usd is None and self._limits.money:
            raise ProviderError(
                f"not asked: the price of {llm} is not known; name it under llm_prices in dbt_project.yml, "
                "or go on with --provider offline",
                tries=0,
                kind="no_price",
            )
        return self._calls.ask(
            prompt,
            provider=self.name,
            host=self._endpoint.host,
            llm=llm,
            tokens=most.tokens,
            usd=usd,
            limits=self._limits,
        )

    def _settle(self, asked: Entry, charged: Usage, started: float, **facts: object) -> None:
        took = {
            "tokens_in": charged.tokens_in,
            "tokens_out": charged.tokens_out,
            "tokens": charged.tokens,
            "usd": None if asked.usd is None else charged.cost,
            "seconds": round(monotonic() - started, 3),
        }
        self._calls.answered(asked.model_copy(update={**took, **facts}))

    def _priced(self, used: Usage, answered_by: str) -> Usage:
        return replace(used, cost=self._usd(used, self._endpoint.model, answered_by) or 0.0)

    def _usd(self, used: Usage, *llms: str) -> float | None:
        return cost(llms, self._host, used.tokens_in, used.tokens_out, self._prices)


def _most(prompt: Prompt, max_output_tokens: int) -> Usage:
    """What one try may take at most, as far as that can be said before it."""
    return Usage(estimate(prompt.system + prompt.user + json.dumps(prompt.schema)), max_output_tokens)


def _used(completion: Completion) -> Usage | None:
    """What the endpoint says it used, where that can be: a prompt has tokens, and so has a text."""
    used = completion.usage
    return used if used and used.tokens_in and (used.tokens_out or not completion.text) else None


def _times(used: Usage, times: int) -> Usage:
    return Usage(used.tokens_in * times, used.tokens_out * times, used.cost * times)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(one.tokens_in + other.tokens_in, one.tokens_out + other.tokens_out, one.cost + other.cost)
