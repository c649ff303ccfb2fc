"""`goldsmith run` with an LLM behind a real HTTP endpoint: good answers, bad ones, none at all."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from llm_server import Behaviour, LLMServer, drip, hang, reply, status
from projects import SKELETON, LiveProject, Ran
from riddle import PLAIN, RIDDLE, RIGHT, WRONG, answer

from generator.errors import INTERRUPTED

pytestmark = pytest.mark.slow

KEY = "sk-secret-0123456789abcdef"


def landed(folder: Path, text: str) -> LiveProject:
    project = LiveProject.copy(folder, *SKELETON).keep_contracts("bank_transactions")
    project.put("landing/bank_transactions/riddle/bank.csv", text)
    return project


def ask(project: LiveProject, url: str, *arguments: str, api: str = "chat") -> Ran:
    """Run `goldsmith` with an endpoint."""
    return project.goldsmith(
        *arguments,
        OPENAI_API_KEY=KEY,
        OPENAI_BASE_URL=url,
        OPENAI_MODEL="an-llm",
        OPENAI_API=api,
        OPENAI_TIMEOUT="20",
    )


class Asked:
    """A project, what `goldsmith run` did in it against a scripted LLM, and what the LLM was sent."""

    def __init__(self, folder: Path, script: list[Behaviour], text: str, url: str = "") -> None:
        self.project = landed(folder / "project", text)
        with LLMServer(script) as server:
            self.ran: Ran = ask(self.project, url or server.url, "--json", "run")
            self.requests, self.headers = server.requests, server.headers

    @property
    def file(self) -> dict[str, Any]:
        (file,) = self.ran.json["files"]
        assert isinstance(file, dict)
        return file

    @property
    def meta(self) -> dict[str, Any]:
        """The meta of the layout that was written."""
        (path,) = (self.project.folder / "models/staging/riddle").glob("*.yml")
        meta = yaml.safe_load(path.read_text(encoding="utf-8"))["models"][0]["config"]["meta"]
        assert isinstance(meta, dict)
        return meta

    def said_to_llm(self, attempt: int) -> str:
        return "\n".join(m["content"] for m in self.requests[attempt]["messages"])


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return Asked(tmp_path_factory.mktemp("good"), [reply(answer(RIGHT))], RIDDLE)


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    script = [reply(answer(WRONG)), reply(answer(RIGHT, ("amount",)))]
    return Asked(tmp_path_factory.mktemp("repaired"), script, RIDDLE)


@pytest.fixture(scope="module")
def hopeless(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    attack = {**RIGHT, "amount": ("(select content from read_text('/etc/passwd'))", ["wieviel"])}
    return Asked(tmp_path_factory.mktemp("hopeless"), [reply(answer(attack))], RIDDLE)


@pytest.fixture(scope="module")
def down(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """No server, but a layout that the offline matcher knows."""
    return Asked(tmp_path_factory.mktemp("down"), [], PLAIN, url="http://127.0.0.1:9/v1")


@pytest.fixture(scope="module")
def down_and_unknown(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """The key is refused, and the offline matcher does not know the layout."""
    return Asked(tmp_path_factory.mktemp("refused"), [status(401, message=f"Incorrect API key: {KEY}")], RIDDLE)


def test_a_good_answer_is_a_dbt_model_with_its_provenance(good: Asked) -> None:
    assert good.ran.code == 0, good.ran
    assert (good.file["state"], good.file["provider"], good.file["rows_gold"]) == ("gold", "openai", 28)
    assert good.meta["provenance"] == {
        "provider": "openai",
        "llm": "an-llm-2031-12-27",
        "prompt_version": good.meta["provenance"]["prompt_version"],
        "attempts": 1,
        "tokens": 1200,
    }
    assert good.meta["columns"]["amount"] == {"source_columns": ["wieviel"], "confidence": 0.9, "note": "so I say"}
    assert good.meta["review"] == "pending"
    assert "provider: openai (OPENAI_API_KEY is set)" in good.ran.json["notices"]
    gold = "select booked_on::varchar, amount::varchar, description from gold.bank_transactions order by 1 limit 1"
    assert good.project.query(gold) == [("2024-01-01", "-1.50", "Laden 1")]
    assert good.project.unbalanced() == []


def test_the_llm_is_asked_once_and_never_again_for_the_layout(good: Asked) -> None:
    assert len(good.requests) == 1
    good.project.put("landing/bank_transactions/riddle/next.csv", RIDDLE.replace("Laden", "Kiosk"))
    with LLMServer([status(500)]) as server:
        ran = good.project.goldsmith("--json", "run", OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.url)
        assert server.requests == []
    assert ran.code == 0
    (file,) = (f for f in ran.json["files"] if f["state"] != "known")
    assert (file["mapping"], file["provider"], file["rows_gold"]) == ("cached", "openai", 28)


def test_the_llm_sees_headers_and_shapes_but_no_values(good: Asked) -> None:
    sent = json.dumps(good.requests, ensure_ascii=False)
    assert all(header in sent for header in ("wann", "wofuer", "wieviel"))
    assert "Laden" not in sent and "27,50" not in sent
    assert good.requests[0]["model"] == "an-llm"
    assert good.requests[0]["response_format"]["json_schema"]["strict"] is True


def test_a_wrong_column_is_asked_for_again_with_what_is_wrong(repaired: Asked) -> None:
    assert repaired.ran.code == 0, repaired.ran
    assert (repaired.file["rows_gold"], repaired.meta["provenance"]["attempts"]) == (28, 2)
    assert repaired.meta["provenance"]["tokens"] == 2400
    assert len(repaired.requests) == 2
    asked = repaired.said_to_llm(1)
    assert "Answer for exactly these gold columns: amount." in asked
    assert "28 of 28 rows" in asked and "give no decimal(18,2)" in asked.replace("gives", "give")
    wanted = repaired.requests[1]["response_format"]["json_schema"]["schema"]["properties"]["columns"]["properties"]
    assert list(wanted) == ["amount"]


def test_an_answer_that_is_never_right_blocks_the_layout_and_runs_nothing(hopeless: Asked) -> None:
    assert hopeless.ran.code == 1
    assert len(hopeless.requests) == 3
    assert (hopeless.file["state"], hopeless.file["rows_quarantined"]) == ("blocked", 28)
    assert hopeless.file["message"].startswith("no mapping by openai after 3 attempts: amount: ")
    assert "aliases" in hopeless.file["message"]
    assert not (hopeless.project.folder / "models/staging/riddle").exists()
    assert "root:" not in json.dumps(hopeless.requests) + hopeless.ran.out
    assert hopeless.project.unbalanced() == []


def test_without_a_server_the_offline_matcher_answers_and_it_is_said(down: Asked) -> None:
    assert down.ran.code == 0, down.ran
    assert (down.file["state"], down.file["rows_gold"]) == ("gold", 28)
    assert any(
        n.startswith("openai: 127.0.0.1:9 cannot be reached") and n.endswith("or go on with --provider offline")
        for n in down.ran.json["notices"]
    )
    assert down.meta["provenance"]["provider"] == down.file["provider"] == "offline"


def test_without_a_server_an_unknown_layout_is_blocked_with_the_cause(down_and_unknown: Asked) -> None:
    assert down_and_unknown.ran.code == 1
    assert down_and_unknown.file["state"] == "blocked"
    message = down_and_unknown.file["message"]
    assert "refused the key (401); set OPENAI_API_KEY" in message
    assert "The offline matcher cannot map booked_on, amount either" in message


@pytest.mark.parametrize("which", ["good", "repaired", "hopeless", "down", "down_and_unknown"])
def test_the_key_is_sent_as_it_should_be_and_is_nowhere_else(which: str, request: pytest.FixtureRequest) -> None:
    asked: Asked = request.getfixturevalue(which)
    for sent in asked.headers:
        assert {k.lower(): v for k, v in sent.items()}["authorization"] == f"Bearer {KEY}"
    assert KEY not in asked.ran.out + asked.ran.err + json.dumps(asked.requests)
    files = [p for p in asked.project.folder.rglob("*") if p.is_file()]
    assert [p for p in files if KEY.encode() in p.read_bytes() or KEY[3:].encode() in p.read_bytes()] == []


def test_by_the_responses_api_the_same_comes_out(good: Asked, tmp_path: Path) -> None:
    project = landed(tmp_path / "project", RIDDLE)
    with LLMServer([reply(answer(RIGHT))]) as server:
        ran = ask(project, server.url, "--json", "run", api="responses")
        assert server.paths == ["/v1/responses"]
    assert (ran.code, ran.json["files"]) == (0, good.ran.json["files"])
    assert mapping_files(project) == mapping_files(good.project)


def test_what_was_recorded_is_replayed_without_a_key_or_a_server(tmp_path: Path) -> None:
    project = landed(tmp_path / "project", RIDDLE)
    project.goldsmith("load")
    with LLMServer([reply(answer(WRONG)), reply(answer(RIGHT, ["amount"]))]) as server:
        ran = ask(project, server.url, "generate", "--record")
    assert ran.code == 0, ran
    recordings = sorted((project.folder / "recordings").glob("*"))
    assert len(recordings) == 2 and all(p.suffix == ".json" for p in recordings)
    assert not any(KEY in p.read_text(encoding="utf-8") for p in recordings)

    again = landed(tmp_path / "again", RIDDLE)
    shutil.copytree(project.folder / "recordings", again.folder / "recordings")
    again.goldsmith("load")
    ran = again.goldsmith("--json", "generate", "--provider", "replay")
    assert (ran.code, ran.json["files"][0]["provider"]) == (0, "replay"), ran
    assert "provider: replay (as asked)" in ran.json["notices"]
    (sql, _), (replayed, _) = mapping_files(project), mapping_files(again)
    assert sql == replayed


def test_what_was_not_recorded_is_blocked_with_how_to_record_it(tmp_path: Path) -> None:
    project = landed(tmp_path / "project", RIDDLE)
    project.goldsmith("load")
    ran = project.goldsmith("--json", "generate", "--provider", "replay")
    (file,) = ran.json["files"]
    assert (ran.code, file["state"]) == (1, "blocked")
    assert "record it: goldsmith run --provider openai --record" in file["message"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--provider", "openai"],
            "OPENAI_API_KEY is not set; set it (any text for a local server), or use --provider",
        ),
        (["--record"], "--record writes down what an LLM answers, and offline asks none; set OPENAI_API_KEY"),
        (["--record", "--provider", "replay"], "--record writes down what an LLM answers, and replay asks none"),
    ],
)
def test_a_missing_key_is_one_line_that_says_what_to_set(options: list[str], says: str, skeleton: LiveProject) -> None:
    ran = skeleton.goldsmith("run", *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"goldsmith: {says}") and ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("behaviour", "at_once"),
    [(hang(), 4), (drip(), 4), (drip(b"{"), 4), (hang(), 1), (drip(b"{"), 1)],
    ids=["hang", "header", "body", "hang alone", "body alone"],
)
def test_ctrl_c_during_a_call_ends_it_at_once(behaviour: Behaviour, at_once: int, tmp_path: Path) -> None:
    project = landed(tmp_path / "project", RIDDLE)
    project.edit("dbt_project.yml", "llm_at_once: 4", f"llm_at_once: {at_once}")
    with LLMServer([behaviour]) as server:
        process = project.start("run", OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.url)
        assert server.asked(60)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = process.communicate(timeout=60)
        assert time.monotonic() - began < 5
    assert (process.returncode, out, err.strip()) == (130, "", INTERRUPTED)
    assert [file["state"] for file in project.status().values()] == ["loaded"]


def mapping_files(project: LiveProject) -> list[str]:
    """The dbt model and the yml of the layout, as they were written."""
    folder = project.folder / "models/staging/riddle"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())]
