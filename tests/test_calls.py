"""The log of calls: what is written, who reads it, and what it holds back."""

from __future__ import annotations

import json
import multiprocessing
import resource
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.budget import Limits
from generator.errors import DiskFullError, UsageError
from generator.llm.calls import Calls, read_calls, read_spending
from generator.llm.entry import Entry
from generator.llm.prompt import Prompt
from generator.matcher.request import ProviderError
from generator.violation import Violation

FREE = Limits(None, None, None, None, None, None)
PROMPT = Prompt("mapping-9", "You map.", "Map this: a,b,c", {}, "shop orders 3f2a9c1e", 1)
NOON = 1_900_000_000.0
DAY = 86_400.0


def ask(calls: Calls, tokens: int = 100, usd: float | None = 0.5, limits: Limits = FREE, layout: str = "") -> Entry:
    prompt = replace(PROMPT, layout=layout or PROMPT.layout)
    return calls.ask(prompt, provider="openai", host="llm.example", llm="an-llm", tokens=tokens, usd=usd, limits=limits)


def settle(calls: Calls, asked: Entry, tokens: int, usd: float | None = 0.1, counted: bool = True) -> None:
    calls.answered(asked.model_copy(update={"tokens": tokens, "usd": usd, "counted": counted}))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "logs/llm.jsonl").read_text(encoding="ascii").splitlines()]


def test_a_call_is_in_the_log_before_it_is_made_with_the_most_it_may_take(tmp_path: Path) -> None:
    calls = Calls(tmp_path, lambda: NOON)
    asked = ask(calls)
    assert lines(tmp_path) == [
        {
            "event": "asked",
            "time": "2030-03-17T17:46:40.000Z",
            "run": calls.run,
            "layout": "shop orders 3f2a9c1e",
            "attempt": 1,
            "call": asked.call,
            "prompt_version": "mapping-9",
            "prompt_sha256": PROMPT.sha256,
            "provider": "openai",
            "host": "llm.example",
            "llm": "an-llm",
            "tokens": 100,
            "usd": 0.5,
        }
    ]


def test_what_a_call_took_takes_the_place_of_what_was_reserved(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    settle(calls, ask(calls), 30)
    assert [line["event"] for line in lines(tmp_path)] == ["asked", "answered"]
    (call,) = read_calls(tmp_path)
    assert (call.tokens, call.usd, call.counted) == (30, 0.1, True)
    ask(calls, 70, limits=replace(FREE, tokens_per_file=100))


def test_a_call_that_was_never_answered_counts_at_its_most(tmp_path: Path) -> None:
    ask(Calls(tmp_path))
    with pytest.raises(ProviderError, match=r"tokens_per_day is 150, 100 used, and one more call may take 51"):
        ask(Calls(tmp_path), 51, limits=replace(FREE, tokens_per_day=150))
    spending = read_spending(tmp_path, FREE, (tmp_path / "logs/llm.jsonl").stat().st_mtime)
    assert spending
    assert [(r.calls, r.uncounted, r.tokens, r.usd) for r in spending.runs] == [(1, 1, 100, 0.5)]


def test_another_try_is_reserved_beside_the_one_that_was_lost(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    asked, limits = ask(calls), replace(FREE, tokens_per_file=250)
    assert calls.again(asked, 1, limits)
    assert [(c.tokens, c.usd) for c in read_calls(tmp_path)] == [(200, 1.0)]
    assert not calls.again(asked, 2, limits)
    settle(calls, asked, 130)
    assert [c.tokens for c in read_calls(tmp_path)] == [130]


def test_a_limit_holds_for_its_own_file_run_or_day_only(tmp_path: Path) -> None:
    yesterday = Calls(tmp_path, lambda: NOON - DAY)
    ask(yesterday, 1000)
    other = Calls(tmp_path, lambda: NOON)
    ask(other, 100)
    calls = Calls(tmp_path, lambda: NOON)
    ask(calls, 10, layout="another")
    ask(calls, 1)
    for scope, used in (("file", 1), ("run", 11), ("day", 111)):
        limits = replace(FREE, **{f"tokens_per_{scope}": used + 4})
        with pytest.raises(ProviderError, match=f"tokens_per_{scope} is {used + 4}, {used} used") as refused:
            ask(calls, 5, limits=limits)
        assert (refused.value.tries, refused.value.tokens, refused.value.kind) == (0, 0, "limit")
    assert len(lines(tmp_path)) == 4


def test_a_new_day_has_a_new_limit_also_within_a_run(tmp_path: Path) -> None:
    now = [NOON]
    calls = Calls(tmp_path, lambda: now[0])
    limits = replace(FREE, usd_per_day=1.0)
    ask(calls, usd=0.9, limits=limits)
    with pytest.raises(ProviderError, match=r"usd_per_day is \$1.00, \$0.90 used"):
        ask(calls, usd=0.9, limits=limits)
    now[0] += DAY
    ask(calls, usd=0.9, limits=limits)


def test_no_further_call_for_a_file_whose_answer_nobody_counted(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    settle(calls, ask(calls), 100, counted=False)
    with pytest.raises(ProviderError, match="llm.example does not say how many tokens it uses"):
        ask(calls)
    ask(calls, layout="another")


def test_violations_are_logged_by_rule_and_column_and_not_in_words(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    calls.judged(
        "a layout", 2, (Violation("contract_type", "'Jane Roe' is no number", "amount"), Violation("answer", "x"))
    )
    (line,) = lines(tmp_path)
    assert line["violations"] == [{"rule": "contract_type", "column": "amount"}, {"rule": "answer"}]
    assert (line["event"], line["run"], line["layout"], line["attempt"]) == ("judged", calls.run, "a layout", 2)
    assert read_calls(tmp_path) == []


def test_neither_prompt_nor_answer_is_in_the_log(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    settle(calls, ask(calls), 30)
    assert PROMPT.system not in (tmp_path / "logs/llm.jsonl").read_text()
    assert PROMPT.user not in (tmp_path / "logs/llm.jsonl").read_text()


def test_hostile_names_stay_on_one_line_of_ascii(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    ask(calls, layout='"}\n{"event": "\x1b[2J\u202e\ud800 Ä')
    (line,) = lines(tmp_path)
    assert line["layout"] == '"}\n{"event": "\x1b[2J\u202e\ud800 Ä'


@pytest.mark.parametrize(
    "rest", ['{"event": "answered", "time": "2030', '{"event": "answ', "\x00\x00\x00", "[]\n{}\n1\n"]
)
def test_a_line_that_was_not_finished_costs_nothing_but_itself(tmp_path: Path, rest: str) -> None:
    first = Calls(tmp_path)
    asked = ask(first)
    with (tmp_path / "logs/llm.jsonl").open("a") as log:
        log.write(rest)
    second = Calls(tmp_path)
    settle(second, ask(second), 30)
    assert [(c.call == asked.call, c.tokens) for c in read_calls(tmp_path)] == [(True, 100), (False, 30)]
    with pytest.raises(ProviderError, match="130 used"):
        ask(second, 100, limits=replace(FREE, tokens_per_day=200))


def test_a_log_that_is_taken_away_meanwhile_gives_the_run_no_new_budget(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    ask(calls)
    (tmp_path / "logs/llm.jsonl").unlink()
    with pytest.raises(ProviderError, match="100 used"):
        ask(calls, limits=replace(FREE, tokens_per_run=150))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 60), st.floats(0, 1), st.booleans()), max_size=25),
)
def test_whatever_calls_take_no_limit_is_ever_broken(steps: list[tuple[str, int, float, bool]]) -> None:
    limits = replace(FREE, tokens_per_file=100, tokens_per_run=200)
    with TemporaryDirectory() as folder:
        calls = Calls(Path(folder))
        for layout, most, share, answered in steps:
            with suppress(ProviderError):
                asked = ask(calls, most, limits=limits, layout=layout)
                if answered:
                    settle(calls, asked, int(share * most))
            done = read_calls(Path(folder))
            used = Counter[str]()
            for call in done:
                used[call.layout] += call.tokens or 0
            assert max(used.values(), default=0) <= 100
            assert used.total() <= 200


def test_threads_together_do_not_break_a_limit(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    limits = replace(FREE, tokens_per_run=1000)
    refused = []

    def one(number: int) -> None:
        try:
            asked = ask(calls, 100, limits=limits, layout=str(number))
        except ProviderError as error:
            refused.append(error)
        else:
            settle(calls, asked, 100)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(one, range(25)))
    assert len(refused) == 15
    assert sum(c.tokens or 0 for c in read_calls(tmp_path)) == 1000


def _ask_many(folder: Path) -> None:
    calls = Calls(folder)
    for number in range(25):
        with suppress(ProviderError):
            ask(calls, 10, limits=replace(FREE, tokens_per_day=400), layout=str(number))


def test_processes_together_do_not_break_the_limit_of_the_day(tmp_path: Path) -> None:
    processes = [multiprocessing.get_context("spawn").Process(target=_ask_many, args=(tmp_path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [p.exitcode for p in processes] == [0, 0, 0, 0]
    assert len(lines(tmp_path)) == len(read_calls(tmp_path)) == 40


def test_a_process_that_is_killed_during_a_call_has_spent_what_it_reserved(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[2]); from test_calls import *; "
        "ask(Calls(pathlib.Path(sys.argv[1]))); print('asked', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with pytest.raises(ProviderError, match="100 used"):
        ask(Calls(tmp_path), limits=replace(FREE, tokens_per_day=150))


def test_without_a_log_nothing_is_asked(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    with pytest.raises(UsageError, match=r"logs/llm.jsonl: File exists; make it writable: no LLM is asked without"):
        ask(Calls(tmp_path))


def test_a_full_disk_is_said_as_one(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    ask(calls)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(DiskFullError, match="File too large"):
            ask(calls)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_spending_is_told_by_run_newest_first_and_of_today(tmp_path: Path) -> None:
    assert read_spending(tmp_path, FREE, NOON) is None
    old, new = Calls(tmp_path, lambda: NOON - DAY), Calls(tmp_path, lambda: NOON)
    assert new.spending(FREE) is None
    assert list(tmp_path.iterdir()) == []
    settle(old, ask(old), 70, 0.02)
    for tokens in (40, 60):
        settle(new, ask(new), tokens, 0.02)
    spending = read_spending(tmp_path, Limits(), NOON)
    assert spending
    assert [(r.began[:10], r.calls, r.tokens, r.usd) for r in spending.runs] == [
        ("2030-03-17", 2, 100, 0.04),
        ("2030-03-16", 1, 70, 0.02),
    ]
    assert spending.newest == "2 calls, 100 tokens, $0.040 (today $0.040 of $50.00)"
    ours = new.spending(Limits())
    assert ours
    assert (ours.runs, ours.today_usd) == (spending.runs[:1], spending.today_usd)
    assert [(x.name, x.calls, x.tokens) for x in spending.layouts] == [(PROMPT.layout, 3, 170)]
    assert read_spending(tmp_path, FREE, NOON + DAY) == replace(
        spending, today_tokens=0, today_usd=0, tokens_per_day=None, usd_per_day=None
    )


def test_a_call_without_a_price_makes_the_run_one_without(tmp_path: Path) -> None:
    calls = Calls(tmp_path)
    settle(calls, ask(calls, usd=None), 40, None)
    spending = calls.spending(FREE)
    assert spending
    assert spending.runs[0].usd is None
    assert spending.newest == "1 call, 40 tokens, no price known (today 40 tokens)"


def test_a_log_of_many_calls_is_read_in_no_time(tmp_path: Path) -> None:
    calls = Calls(tmp_path, lambda: NOON - DAY)
    settle(calls, ask(calls), 40)
    log = tmp_path / "logs/llm.jsonl"
    log.write_bytes(log.read_bytes() * 50_000)
    done = threading.Event()
    timer = threading.Timer(5, done.set)
    timer.start()
    ask(Calls(tmp_path, lambda: NOON))
    timer.cancel()
    assert not done.is_set()
