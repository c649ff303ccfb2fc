"""Answers on disk: recorded for replay, and kept from a run that was interrupted."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.providers import Completion, Endpoint, Prompt, ProviderError, Usage
from generator.providers.recorded import Kept, Recorded, path_of, read, write
from generator.providers.replay import Replay

PROMPT = Prompt("mapping-7", "Be exact.", "Map <layout>.", {"type": "object"}, layout="a_1234", attempt=2)
ANSWER = Completion('{"columns": {}}', "an-llm", Usage(1000, 200, 0.01), "stop", 2, 1, ("by the way",))


class Counts(Endpoint):
    """An endpoint that numbers its answers."""

    name = "counts"

    def __init__(self) -> None:
        self.asked, self.ended = 0, False

    def complete(self, prompt: Prompt) -> Completion:
        self.asked += 1
        return replace(ANSWER, text=f"answer {self.asked}")

    def finished(self) -> None:
        self.ended = True


def test_an_answer_is_recorded_as_a_person_can_read_it(tmp_path: Path) -> None:
    endpoint = Counts()
    assert Recorded(endpoint, tmp_path / "recordings").complete(PROMPT).text == "answer 1"
    (path,) = (tmp_path / "recordings").iterdir()
    assert path.name == f"{PROMPT.sha256}.json"
    assert path.read_text(encoding="utf-8") == (
        "{\n"
        ' "prompt_version": "mapping-7",\n'
        ' "llm": "an-llm",\n'
        ' "finish": "stop",\n'
        ' "usage": {\n'
        '  "tokens_in": 1000,\n'
        '  "tokens_out": 200\n'
        " },\n"
        ' "text": "answer 1"\n'
        "}\n"
    )


def test_recording_always_asks_and_replaces_what_was_recorded(tmp_path: Path) -> None:
    recorded = Recorded(Counts(), tmp_path)
    assert [recorded.complete(PROMPT).text for _ in range(2)] == ["answer 1", "answer 2"]
    recorded.finished()
    assert Replay(tmp_path).complete(PROMPT).text == "answer 2"


@pytest.mark.parametrize("finish", ["stop", "length", "filtered"])
@pytest.mark.parametrize("usage", [Usage(5, 6), None])
def test_a_replayed_answer_is_the_recorded_one_and_costs_nothing(
    finish: str, usage: Usage | None, tmp_path: Path
) -> None:
    write(tmp_path, PROMPT, replace(ANSWER, finish=finish, usage=usage))
    got = Replay(tmp_path).complete(PROMPT)
    assert (got.text, got.llm, got.finish) == (ANSWER.text, "an-llm", finish)
    assert (got.usage, got.tries, got.unknown) == (Usage(0, 0), 0, 0)


@given(text=st.text())
def test_any_text_comes_back_as_it_was(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    write(folder, PROMPT, replace(ANSWER, text=text))
    found = read(path_of(folder, PROMPT))
    assert found and found.text == text
    assert "\x1b" not in path_of(folder, PROMPT).read_text(encoding="utf-8")


def test_another_prompt_has_another_file_and_layout_and_attempt_do_not_matter() -> None:
    assert path_of(Path(), replace(PROMPT, layout="b", attempt=1)) == path_of(Path(), PROMPT)
    others = [
        replace(PROMPT, version="x"),
        replace(PROMPT, system="x"),
        replace(PROMPT, user="x"),
        replace(PROMPT, schema={}),
    ]
    assert path_of(Path(), PROMPT) not in [path_of(Path(), other) for other in others]


def test_a_prompt_that_was_never_answered_is_an_error_that_says_how_to_record_it(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=rf"{PROMPT.sha256[:12]}….json\); record it: goldsmith run") as caught:
        Replay(tmp_path / "recordings").complete(PROMPT)
    assert "--provider openai --record" in str(caught.value) and "in recordings/" in str(caught.value)
    assert caught.value.tries == 0


GOOD = {"prompt_version": "1", "llm": "an-llm", "finish": "stop", "usage": None, "text": "{}"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"[" * 100_000,
        b"null",
        b"{}",
        json.dumps({**GOOD, "llm": "\x1b[31mevil"}).encode(),
        json.dumps({**GOOD, "llm": "an-llm\n"}).encode(),
        json.dumps({**GOOD, "finish": "whatever"}).encode(),
        json.dumps({**GOOD, "text": 5}).encode(),
        json.dumps({**GOOD, "usage": {"tokens_in": -1, "tokens_out": 0}}).encode(),
        json.dumps({**GOOD, "__proto__": {}}).encode(),
        json.dumps({**GOOD, "text": "x" * 5_000_000}).encode(),
    ],
    ids=range(12),
)
def test_a_file_that_is_no_recorded_answer_is_one_line_and_a_kept_one_is_asked_anew(
    content: bytes, tmp_path: Path
) -> None:
    path_of(tmp_path, PROMPT).write_bytes(content)
    with pytest.raises(ProviderError, match="delete it and record it again") as caught:
        Replay(tmp_path).complete(PROMPT)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 200
    assert Kept(Counts(), tmp_path).complete(PROMPT).text == "answer 1"


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(path_of(tmp_path, PROMPT))
    with pytest.raises(ProviderError, match="record it"):
        Replay(tmp_path).complete(PROMPT)


def test_an_answer_that_an_interrupted_run_paid_for_is_not_paid_for_again(tmp_path: Path) -> None:
    interrupted, endpoint = Kept(Counts(), tmp_path), Counts()
    interrupted.complete(PROMPT)
    after = Kept(endpoint, tmp_path)
    got = after.complete(PROMPT)
    assert (got.text, got.usage, endpoint.asked) == ("answer 1", Usage(0, 0), 0)
    assert got.notices == ("an answer that an interrupted run had paid for was used",)


def test_who_asks_the_same_twice_in_a_run_gets_another_answer(tmp_path: Path) -> None:
    Kept(Counts(), tmp_path).complete(PROMPT)
    endpoint = Counts()
    run = Kept(endpoint, tmp_path)
    assert [run.complete(PROMPT).notices != ("by the way",) for _ in range(3)] == [True, False, False]
    assert endpoint.asked == 2


def test_a_run_that_came_to_its_end_leaves_nothing_of_what_it_used(tmp_path: Path) -> None:
    other = replace(PROMPT, user="Map another.")
    Kept(Counts(), tmp_path).complete(other)
    endpoint = Counts()
    run = Kept(endpoint, tmp_path)
    run.complete(PROMPT)
    run.finished()
    assert endpoint.ended
    # What an interrupted run paid for and this one did not need stays.
    assert list(tmp_path.iterdir()) == [path_of(tmp_path, other)]


def test_many_threads_write_whole_files(tmp_path: Path) -> None:
    recorded = Recorded(Counts(), tmp_path)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(recorded.complete, [PROMPT, replace(PROMPT, user="x")] * 20))
    assert {p.name for p in tmp_path.iterdir()} == {
        path_of(tmp_path, p).name for p in (PROMPT, replace(PROMPT, user="x"))
    }
    assert Replay(tmp_path).complete(PROMPT).text.startswith("answer ")
