"""From an endpoint's text to an answer: what is read, what is refused, what a person is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generator.candidate import Candidate
from generator.columns.profile import build_profile
from generator.contracts.contract import Column, Contract
from generator.llm.prompt import PROMPT_VERSION, build_prompt
from generator.matcher.request import BadAnswer, ProviderError, Request
from generator.providers import Completion, Endpoint, Prompt, Usage
from generator.providers.prompted import PromptedProvider
from generator.violation import Violation

FUNCTIONS = "- `clean_text(x)`"
CONTRACT = Contract("contacts", "", (Column("full_name", "text", not_null=True), Column("notes", "text")))
REQUEST = Request(
    CONTRACT,
    build_profile(["Name"], [["Anna"]], source_file="a.csv", delimiter=",", has_header=True),
    Candidate(columns={}),
    CONTRACT.names,
)
MAPPING: dict[str, Any] = {
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
GOOD = json.dumps(MAPPING)


class Says(Endpoint):
    """An endpoint that says always the same, and remembers what it was told."""

    name = "says"

    def __init__(self, text: str, finish: str = "stop") -> None:
        self.completion = Completion(text, "an-llm", Usage(1000, 200, 0.01), finish, notices=("by the way",))
        self.heard: list[object] = []

    def complete(self, prompt: Prompt) -> Completion:
        self.heard.append(prompt)
        return self.completion

    def judged(self, request: Request, violations: tuple[Violation, ...]) -> None:
        self.heard.append(violations)

    def finished(self) -> None:
        self.heard.append("finished")


def provider(endpoint: Endpoint) -> PromptedProvider:
    return PromptedProvider(endpoint, FUNCTIONS, "shapes", 4)


def test_a_good_answer_is_a_candidate_with_what_it_cost() -> None:
    got = provider(Says(GOOD)).propose(REQUEST)
    assert got.candidate.columns["full_name"].expression == "clean_text(name)"
    assert (got.llm, got.tokens, got.cost, got.prompt_version) == ("an-llm", 1200, 0.01, PROMPT_VERSION)
    assert got.notices == ("by the way",)


def test_the_endpoint_hears_the_prompt_the_judgement_and_the_end() -> None:
    endpoint, violations = Says(GOOD), (Violation("parse", "no", "notes"),)
    asked = provider(endpoint)
    assert (asked.name, asked.at_once) == ("says", 4)
    asked.propose(REQUEST)
    asked.judged(REQUEST, violations)
    asked.finished()
    assert endpoint.heard == [build_prompt(REQUEST, FUNCTIONS, "shapes"), violations, "finished"]


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}```\n",
        f"Sure!\n```json\n{GOOD}\n```",
        f"<think>is it {{name}}?</think>\n{GOOD}\nDone.",
    ],
    ids=["fence", "bare fence", "prose and fence", "thoughts"],
)
def test_an_ignored_format_is_read_if_there_is_one_object_and_said(text: str) -> None:
    got = provider(Says(text)).propose(REQUEST)
    assert got.candidate.columns["full_name"].source_columns == ("name",)
    assert got.notices[1:] == ("an-llm ignored the answer format; the one JSON object in its text was read",)


@pytest.mark.parametrize(
    ("text", "finish", "says"),
    [
        ("I map name to full_name.", "stop", "no complete JSON objects"),
        (GOOD + "\n" + GOOD, "stop", "not one complete JSON object"),
        (f"First {GOOD} or {GOOD}.", "stop", "2 complete JSON objects"),
        (GOOD[:-30], "stop", "no complete JSON objects"),
        (f"```json\n{GOOD[:-30]}}}\n```", "stop", "not one complete JSON object"),
        (GOOD[:-30], "length", "cut off"),
        (GOOD, "length", "cut off"),
        ('{"columns": {}}', "stop", "fields that were asked"),
        (json.dumps({**MAPPING, "sql": "select 1"}), "stop", "fields that were asked"),
        (json.dumps({**MAPPING, "columns": {}}), "stop", "leaves out the gold columns full_name, notes"),
        ("x" * 1_900_000, "stop", "no complete JSON objects"),
        ("{" + "x" * 1_900_000 + "}", "stop", "more than 200000"),
        ("```json\n{" + "}" * 1_900_000, "stop", "no complete JSON objects"),
        ("", "stop", "empty"),
        (" \n", "stop", "empty"),
    ],
    ids=lambda v: v[:20] if isinstance(v, str) else "",
)
def test_what_is_no_candidate_is_a_bad_answer_that_is_paid_for(text: str, finish: str, says: str) -> None:
    with pytest.raises(BadAnswer, match=says) as caught:
        provider(Says(text, finish)).propose(REQUEST)
    assert (caught.value.tokens, caught.value.cost) == (1200, 0.01)
    assert len(str(caught.value)) < 700 and str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "says"),
    [("I can't \x1b[0m\nhelp", r"an-llm refused to answer \(I can't \[0m help\)"), ("", r"\(content filter\)")],
)
def test_a_refusal_is_not_asked_about_again(text: str, says: str) -> None:
    with pytest.raises(ProviderError, match=says) as caught:
        provider(Says(text, "filtered")).propose(REQUEST)
    assert not isinstance(caught.value, BadAnswer)
    assert caught.value.tokens == 1200


class Fails(Endpoint):
    """An endpoint that fails always in the same way."""

    name = "fails"

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.calls = 0

    def complete(self, prompt: Prompt) -> Completion:
        self.calls += 1
        raise ProviderError("it refused the key", kind=self.kind)


@pytest.mark.parametrize(("kind", "calls"), [("401", 1), ("quota", 1), ("unreachable", 1), ("timeout", 3), ("429", 3)])
def test_what_the_next_layout_would_only_meet_again_is_not_asked_again(kind: str, calls: int) -> None:
    endpoint = Fails(kind)
    provider = PromptedProvider(endpoint, FUNCTIONS, "shapes", 1)
    errors = []
    for _ in range(3):
        with pytest.raises(ProviderError) as caught:
            provider.propose(REQUEST)
        errors.append(caught.value)
    assert endpoint.calls == calls
    assert (errors[2].tries, str(errors[2]).startswith("not asked again: it refused")) == (
        (0, True) if calls == 1 else (1, False)
    )
