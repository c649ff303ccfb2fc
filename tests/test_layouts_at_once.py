"""Several new layouts and one LLM: asked about beside each other, and Ctrl-C keeps what was paid for."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llm_server import Behaviour, LLMServer, reply
from projects import SKELETON, LiveProject, Ran
from riddle import answer

from generator.errors import INTERRUPTED

pytestmark = pytest.mark.slow

LAYOUTS = ("eins", "zwei", "drei", "vier", "fuenf")


def riddle(name: str) -> str:
    """A file whose headers tell the offline matcher nothing."""
    rows = "".join(f"{d:02}.01.2024;Laden {d};-{d},50\n" for d in range(1, 29))
    return f"wann_{name};wofuer_{name};wieviel_{name}\n{rows}"


def right(name: str, sign: str = ",") -> str:
    return answer(
        {
            "booked_on": (f"parse_date(wann_{name}, '%d.%m.%Y')", [f"wann_{name}"]),
            "description": (f"clean_text(wofuer_{name})", [f"wofuer_{name}"]),
            "amount": (f"parse_decimal(wieviel_{name}, '{sign}')", [f"wieviel_{name}"]),
        }
    )


def asked_about(request: dict[str, Any]) -> str:
    """The layout that a request is about."""
    text = json.dumps(request)
    (name,) = (name for name in LAYOUTS if f"wann_{name}" in text)
    return name


class Answering(LLMServer):
    """Answers each request by what it is about; `first` is called with the layout's name before."""

    def __init__(self, first: Callable[[str], object], sign: Callable[[str], str] = lambda _: ",") -> None:
        super().__init__([])
        self._first = first
        self._sign = sign

    def received(self, path: str, headers: dict[str, str], body: bytes) -> Behaviour:
        request = json.loads(body)
        self.requests.append(request)
        name = asked_about(request)
        self._first(name)
        return reply(right(name, self._sign(name)))


def project(folder: Path) -> LiveProject:
    made = LiveProject.copy(folder / "project", *SKELETON).keep_contracts("bank_transactions")
    for name in LAYOUTS:
        made.put(f"landing/bank_transactions/{name}/bank.csv", riddle(name))
    return made


def run(made: LiveProject, server: LLMServer) -> Ran:
    return made.goldsmith(
        "--json",
        "run",
        OPENAI_API_KEY="sk-secret-0123456789abcdef",
        OPENAI_BASE_URL=server.url,
        OPENAI_MODEL="an-llm",
        OPENAI_TIMEOUT="60",
    )


def models(made: LiveProject) -> set[str]:
    return {p.parent.name for p in (made.folder / "models/staging").glob("*/stg_*.sql")}


def test_as_many_layouts_as_allowed_are_asked_about_at_once(tmp_path: Path) -> None:
    made = project(tmp_path)
    lock, now, most = threading.Lock(), [0], [0]
    # The first four answers come only when four requests are there: asked one after the other, nothing would come.
    four = threading.Barrier(4)

    def first(name: str) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            number = now[0]
        if number <= 4:
            four.wait(60)

    with Answering(first) as server:
        ran = run(made, server)
    assert ran.code == 0, ran
    assert len(server.requests) == 5
    assert models(made) == set(LAYOUTS)
    assert {f["rows_gold"] for f in ran.json["files"]} == {28}
    assert made.unbalanced() == []


def test_ctrl_c_keeps_what_was_paid_for(tmp_path: Path) -> None:
    made = project(tmp_path)
    repaired, hanging = threading.Event(), threading.Event()
    seen: list[str] = []

    def first(name: str) -> None:
        seen.append(name)
        # `eins` is answered wrongly once; its repair, and all others, never come.
        if name != "eins" or seen.count("eins") > 1:
            if name == "eins":
                repaired.set()
            hanging.wait(60)

    with Answering(first, sign=lambda name: ".") as server:
        key = "sk-secret-0123456789abcdef"
        process = made.start("run", OPENAI_API_KEY=key, OPENAI_BASE_URL=server.url, OPENAI_TIMEOUT="60")
        assert repaired.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        hanging.set()
    assert (process.returncode, err.strip()) == (130, INTERRUPTED), out + err
    with Answering(lambda _: None) as server:
        ran = run(made, server)
    assert ran.code == 0, ran
    # The first answer about `eins` is not paid for again: only its repair is asked for.
    about = [asked_about(request) for request in server.requests]
    assert sorted(about) == sorted(LAYOUTS)
    (repair,) = (json.dumps(r) for r in server.requests if asked_about(r) == "eins")
    assert "Answer for exactly these gold columns: amount." in repair
    assert models(made) == set(LAYOUTS)
    assert not list((made.folder / "target/goldsmith/paid").glob("*.json"))


def test_a_layout_that_is_blocked_is_not_asked_about_again_for_its_next_file(tmp_path: Path) -> None:
    made = LiveProject.copy(tmp_path / "project", *SKELETON).keep_contracts("bank_transactions")
    for number in range(3):
        made.put(
            f"landing/bank_transactions/eins/bank_{number}.csv", riddle("eins") + f"30.01.2024;Laden;-{number},00\n"
        )
    with Answering(lambda _: None, sign=lambda _: ".") as server:
        ran = run(made, server)
    assert ran.code == 1 and ran.out, ran
    assert [f["state"] for f in ran.json["files"]] == ["blocked"] * 3
    assert len(server.requests) == 3
