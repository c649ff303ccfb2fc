"""`goldsmith generate --show-prompt` prints what an LLM would be sent, to the byte, and sends nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from llm_server import LLMServer, reply
from projects import SKELETON, LiveProject
from riddle import PLAIN, RIDDLE, RIGHT, answer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    project = LiveProject.copy(tmp_path_factory.mktemp("shown") / "project", *SKELETON)
    project.keep_contracts("bank_transactions")
    project.put("landing/bank_transactions/riddle/bank.csv", RIDDLE)
    assert project.goldsmith("load").code == 0
    return project


def test_without_a_key_the_prompt_is_shown_and_nothing_is_written(loaded: LiveProject) -> None:
    before = loaded.everything()
    shown = loaded.goldsmith("generate", "--show-prompt")
    assert shown.code == 0, shown
    assert loaded.everything() == before
    assert all(f'"{header}"' in shown.out for header in ("wann", "wofuer", "wieviel"))
    assert "Laden" not in shown.out


def test_it_is_what_is_sent(loaded: LiveProject) -> None:
    (prompt,) = loaded.goldsmith("--json", "generate", "--show-prompt").json
    text = loaded.goldsmith("generate", "--show-prompt").out
    with LLMServer([reply(answer(RIGHT))]) as server:
        made = loaded.goldsmith("generate", OPENAI_API_KEY="local", OPENAI_BASE_URL=server.url, OPENAI_MODEL="an-llm")
        (sent,) = server.requests
    assert made.code == 0, made
    assert [m["content"] for m in sent["messages"]] == [prompt["system"], prompt["user"]]
    assert sent["response_format"]["json_schema"]["schema"] == prompt["schema"]
    assert prompt["system"] in text and prompt["user"] in text
    log = [json.loads(line) for line in (loaded.folder / "logs/llm.jsonl").read_text().splitlines()]
    assert {entry.get("prompt_sha256", prompt["sha256"]) for entry in log} == {prompt["sha256"]}


def test_a_mapped_layout_has_no_prompt(loaded: LiveProject) -> None:
    assert "every loaded file has a mapping" in loaded.goldsmith("generate", "--show-prompt").out


def test_checks_lists_every_rule_with_what_it_wants(tmp_path: Path) -> None:
    project = LiveProject.copy(tmp_path / "project", *SKELETON)
    rules = project.goldsmith("--json", "checks").json
    assert {"plain_text", "allowed_functions", "readable", "used_once"} <= {rule["name"] for rule in rules}
    assert all(rule["description"].endswith(".") for rule in rules)
    said = project.goldsmith("checks").out
    assert all(rule["name"] in said and rule["description"] in said for rule in rules)


def test_the_nearest_approved_mapping_is_an_example_in_the_prompt(tmp_path: Path) -> None:
    project = LiveProject.copy(tmp_path / "project", *SKELETON).keep_contracts("bank_transactions")
    project.put("landing/bank_transactions/plain/bank.csv", PLAIN)
    assert project.goldsmith("run").code == 0
    wider = PLAIN.replace("Amount\n", "Amount,Branch\n").replace(".50\n", ".50,North\n")
    project.put("landing/bank_transactions/plain/wider.csv", wider)
    assert project.goldsmith("load").code == 0
    assert "<example>\n" not in project.goldsmith("generate", "--show-prompt").out
    (yml,) = (project.folder / "models/staging/plain").glob("stg_plain__*.yml")
    project.edit(str(yml.relative_to(project.folder)), "review: pending", "review: approved")
    shown = project.goldsmith("generate", "--show-prompt").out
    example = shown.partition("<example>\n")[2].partition("</example>")[0]
    assert "parse_date(booking_date, '%Y-%m-%d') as booked_on" in example
    assert "North" not in shown and "Shop" not in shown
