"""What LLM calls took, as a person sees it: in the terminal, as JSON and in the report."""

from __future__ import annotations

import html
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from llm_server import LLMServer, reply
from projects import SKELETON, LiveProject, Ran
from rich.console import Console
from riddle import RIDDLE, RIGHT, WRONG, answer

from generator.llm.calls import read_calls
from generator.outcome import FileOutcome, LayoutOutcome, LLMSpending, MappedColumn, RunOutcome, Spending
from generator.report.html import render_report
from generator.report.terminal import show_layout, show_run

FILE = FileOutcome(
    source_file="a.csv",
    state="gold",
    contract="orders",
    source="shop",
    layout="3f2a9c1e",
    mapping="generated",
    provider="openai",
)
COLUMNS = (
    MappedColumn("amount", "decimal(18,2)", ("Betrag",), "betrag", 0.9, ""),
    MappedColumn("memo", "varchar", ("Text",), "text", 0.9, "", provider="offline"),
)
LAYOUT = LayoutOutcome(
    "3f2a9c1e", "stg_shop", "shop", "orders", "gold", "pending", "openai", "m.sql", COLUMNS,
    llm="an-llm", attempts=2, tokens=5321, usd=0.0123,
)  # fmt: skip
NEW = Spending("b", "2031-12-27T10:00:00.000Z", ("an-llm",), 3, 0, 16_214, 0.0412)
OLD = Spending("a", "2031-12-26T09:00:00.000Z", ("an-llm", "<b>other"), 1, 1, 9_000, None)
BLOCKED = Spending("stg_<i>blocked", "2031-12-26T09:00:00.000Z", ("an-llm",), 2, 0, 7_777, 0.02)
SPENDING = LLMSpending((NEW, OLD), (BLOCKED,), 16_214, 0.12, 10_000_000, 50)
RUN = RunOutcome(files=(FILE,), layouts=(LAYOUT,), spending=SPENDING)


def shown(outcome: RunOutcome) -> str:
    console = Console(file=io.StringIO(), width=200)
    show_run(console, outcome, False, "")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_run_ends_with_what_it_took_and_what_the_day_did() -> None:
    assert shown(RUN).splitlines()[-1] == "LLM: 3 calls, 16,214 tokens, $0.041 (today $0.12 of $50.00)"
    free = replace(SPENDING, runs=(replace(NEW, usd=0.0),), today_usd=0.0)
    assert free.newest == "3 calls, 16,214 tokens, $0.00 (today 16,214 of 10,000,000 tokens)"
    unlimited = replace(SPENDING, usd_per_day=None)
    assert unlimited.newest.endswith("(today $0.12)")


def test_a_project_has_taken_what_all_its_runs_did() -> None:
    assert SPENDING.total == "4 calls in 2 runs, 25,214 tokens, $0.041 (today $0.12 of $50.00)"


def test_calls_that_nobody_counted_are_told_as_such() -> None:
    assert replace(SPENDING, runs=(OLD,)).newest == (
        "1 call, 1 of them counted at the most that they may have taken, 9,000 tokens, no price known (today $0.12 of $50.00)"
    )


def test_a_run_without_an_llm_says_nothing_of_it() -> None:
    free = replace(LAYOUT, llm="", attempts=1, tokens=0, usd=0.0)
    quiet = RunOutcome(files=(replace(FILE, provider="offline"),), layouts=(free,))
    assert "LLM" not in shown(quiet)
    assert "tokens" not in shown(quiet)
    page = render_report(quiet, "t")
    assert 'id="spending"' not in page
    assert "tokens" not in page


def test_a_new_layout_is_told_with_what_it_took() -> None:
    assert "mapped by openai (2 attempts, 5,321 tokens, $0.012)" in shown(RUN)
    console = Console(file=io.StringIO(), width=200)
    show_layout(console, LAYOUT)
    assert isinstance(console.file, io.StringIO)
    assert "LLM: an-llm, 2 attempts, 5,321 tokens, $0.012" in console.file.getvalue()
    assert "memo (by offline)" in console.file.getvalue()


def test_the_report_shows_the_cost_of_each_run_and_layout() -> None:
    page = render_report(RUN, "t")
    told = " ".join(re.sub(r"</t[dh]>", " ", page).split())
    told = re.sub(r"<[^>]*>", "", told)
    assert "mapped by openai (an-llm, 2 attempts, 5,321 tokens, $0.012)" in told
    assert "mapped by offline" in told
    assert "4 calls in 2 runs, 25,214 tokens, $0.041 (today $0.12 of $50.00), the day in UTC" in told
    assert "2031-12-27 10:00" in page
    for cells in ('<td class="n">3</td><td class="n">16,214</td><td class="n">$0.041</td>', "no price known"):
        assert cells in page
    assert "stg_<i>blocked 2031-12-26 09:00 an-llm 2 7,777 $0.020" in html.unescape(told)
    assert "<b>other" not in page
    assert "<i>blocked" not in page
    assert "&lt;b&gt;other" in page


def test_a_report_of_many_runs_shows_the_newest() -> None:
    many = replace(SPENDING, runs=(NEW,) * 23)
    page = render_report(replace(RUN, spending=many), "t")
    assert page.count("2031-12-27 10:00") == 20
    assert "and 3 earlier, in <code>logs/llm.jsonl</code>" in page


def test_spending_is_part_of_the_json() -> None:
    spending = RUN.as_json()["spending"]
    assert spending["runs"][0]["tokens"] == 16_214
    assert (spending["today_usd"], spending["usd_per_day"]) == (0.12, 50)
    assert RUN.as_json()["layouts"][0]["usd"] == 0.0123


class Live:
    """A project with one setting changed, and `goldsmith run` in it with an LLM that follows a script."""

    def __init__(self, folder: Path, old: str, new: str) -> None:
        self.project = LiveProject.copy(folder / "project", *SKELETON).keep_contracts("bank_transactions")
        self.project.edit("dbt_project.yml", old, new)
        self.project.put("landing/bank_transactions/riddle/bank.csv", RIDDLE)

    def run(self, *script: str, command: tuple[str, ...] = ("run",)) -> tuple[Ran, int]:
        """What the command left behind, and how many requests it made; `script` are the answers."""
        with LLMServer([reply(text) for text in script]) as server:
            ran = self.project.goldsmith(
                *command, OPENAI_API_KEY="sk-0123456789", OPENAI_BASE_URL=server.url, OPENAI_MODEL="an-llm"
            )
            return ran, len(server.requests)


@pytest.mark.slow
def test_money_is_counted_from_the_first_call_to_the_report(tmp_path: Path) -> None:
    live = Live(tmp_path, "llm_prices: {}", "llm_prices: {an-llm: {input: 10, output: 50}}")
    ran, requests = live.run(answer(WRONG), answer(RIGHT, ("amount",)))
    assert (ran.code, requests) == (0, 2)
    assert "mapped by openai (2 attempts, 2,400 tokens, $0.040)" in ran.said
    assert "LLM: 2 calls, 2,400 tokens, $0.040 (today $0.040 of $50.00)" in ran.said
    calls = read_calls(live.project.folder)
    assert [(c.attempt, c.tokens, c.usd, c.finish) for c in calls] == [(1, 1200, 0.02, "stop"), (2, 1200, 0.02, "stop")]
    assert len({c.layout for c in calls}) == 1
    log = (live.project.folder / "logs/llm.jsonl").read_text(encoding="ascii")
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["asked", "answered", "judged"] * 2
    judged = json.loads(log.splitlines()[2])["violations"]
    assert {v["column"] for v in judged} == {"amount"}
    assert [text for text in ("sk-0123456789", "Laden", "so I say", "wieviel") if text in log] == []
    page = (live.project.folder / live.project.goldsmith("report").out.strip()).read_text(encoding="utf-8")
    assert "2 attempts, 2,400 tokens, $0.040" in page
    assert "2 calls in 1 run, 2,400 tokens, $0.040 (today $0.040 of $50.00), the day in UTC" in page


@pytest.mark.slow
def test_a_limit_of_the_project_stops_the_calls_and_is_named(tmp_path: Path) -> None:
    live = Live(tmp_path, "tokens_per_day: 10000000", "tokens_per_day: 1000")
    ran, requests = live.run(answer(RIGHT))
    assert (ran.code, requests) == (1, 0)
    assert re.search(
        r"not asked: tokens_per_day is 1,000, 0 used, and one more call may take 2\d,\d{3}; raise", ran.said
    )
    assert not (live.project.folder / "logs/llm.jsonl").exists()


@pytest.mark.slow
def test_a_wrong_limit_is_a_usage_error(tmp_path: Path) -> None:
    live = Live(tmp_path, "usd_per_day: 50", "usd_per_day: much")
    ran, requests = live.run(answer(RIGHT))
    assert (ran.code, requests) == (2, 0)
    assert "dbt_project.yml: vars: llm_limits: usd_per_day is 'much'; it must be a number from 0 on" in ran.said
