"""An LLM that has been talked over: a right mapping with hostile texts around it, in a real project, by real commands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from llm_server import LLMServer, reply
from projects import SKELETON, LiveProject, Ran
from riddle import RIDDLE, RIGHT, answer
from text_attacks import TEXTS

pytestmark = pytest.mark.slow

# All of them that an answer can hold, a few in each place.
HOSTILE = " ".join(text for text in TEXTS if len(text) < 60)
PIECES = [HOSTILE[i : i + 450] for i in range(0, len(HOSTILE), 450)]
SECRET = "sk-secret-0123456789abcdef"
FOLDER = "{{ env_var('HOME') }} '; <b>\x1b[31m &x"


def hostile_answer() -> str:
    """The right mapping, with a hostile text wherever one fits."""
    said = json.loads(answer(RIGHT))
    for number, mapping in enumerate(said["columns"].values()):
        mapping["note"] = PIECES[number % len(PIECES)]
    said["questions"] = [{"column": "amount", "text": text, "readings": [text]} for text in PIECES]
    said["row_filter"], said["row_filter_note"] = "wann <> ''", PIECES[0]
    return json.dumps(said)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, Ran]:
    """A project after a run on a file in a hostile folder, mapped by a hostile LLM, in colour."""
    project = LiveProject.copy(tmp_path_factory.mktemp("hostile") / "project", *SKELETON)
    project.keep_contracts("bank_transactions")
    project.put(f"landing/bank_transactions/{FOLDER}/bank.csv", RIDDLE)
    with LLMServer([reply(hostile_answer(), model="{{ x }}\x1b[31m<b>'\n- !!x")]) as server:
        ran = project.goldsmith(
            "run",
            "-v",
            FORCE_COLOR="1",
            OPENAI_API_KEY=SECRET,
            OPENAI_BASE_URL=server.url,
            OPENAI_MODEL="an-llm",
            OPENAI_API="chat",
        )
        return project, ran


def test_the_mapping_is_there_and_held_for_its_questions(attacked: tuple[LiveProject, Ran]) -> None:
    project, ran = attacked
    (layout,) = project.goldsmith("layouts", "--json").json
    assert (ran.code, layout["state"], layout["review"]) == (1, "held", "pending"), ran
    assert project.query("select count(*) from gold.bank_transactions") == [(0,)]
    assert project.unbalanced() == []


def test_the_dbt_model_is_ours_and_the_yml_is_data(attacked: tuple[LiveProject, Ran]) -> None:
    project, _ = attacked
    (path,) = (project.folder / "models/staging").glob("*/stg_*.sql")
    assert re.fullmatch(r"[a-z0-9_]+", path.stem) and re.fullmatch(r"[a-z0-9_]+", path.parent.name)
    sql, yml = path.read_text(encoding="utf-8"), path.with_suffix(".yml").read_text(encoding="utf-8")
    assert (sql.count("{{"), sql.count("{%"), sql.count("{#")) == (2, 0, 0)
    assert not re.search(r"\{[{%#]", yml) and not [e for e in yaml.parse(yml) if getattr(e, "anchor", None)]
    assert yaml.safe_load(yml)["models"][0]["config"]["meta"]["review"] == "pending"
    assert project.dbt("parse").code == 0
    assert str(project.folder / "home") not in (project.folder / "target/manifest.json").read_text(encoding="utf-8")


def test_nothing_of_it_acts_on_the_terminal_or_in_the_report(attacked: tuple[LiveProject, Ran]) -> None:
    project, ran = attacked
    (layout,) = project.goldsmith("layouts", "--json").json
    show = project.goldsmith("layouts", "show", layout["layout"], FORCE_COLOR="1")
    for said in (ran, show, project.goldsmith("status", FORCE_COLOR="1"), project.goldsmith("report", FORCE_COLOR="1")):
        out = re.sub(r"\x1b\[[0-9;]*m", "", said.out)
        err = re.sub(r"\x1b\[([0-9;]*m|\?25[lh]|1A|2K)", "", said.err).replace("\r", "")
        assert {c for c in out + err if not c.isprintable()} <= {"\n"}
        assert SECRET not in said.said
    for report in (project.folder / "target/goldsmith").glob("*.html"):
        assert not re.search(
            r"<(script|img|iframe|svg onload|base|meta http-equiv=.?refresh)|\x1b|\u202e",
            report.read_text(encoding="utf-8"),
        )


def test_no_key_no_cell_and_no_escape_is_in_the_log_of_calls(attacked: tuple[LiveProject, Ran]) -> None:
    project, _ = attacked
    log = Path(project.folder / "logs/llm.jsonl").read_text(encoding="utf-8")
    assert SECRET not in log and "Laden" not in log and log.replace("\n", "").isprintable()
    assert all(json.loads(line) for line in log.splitlines())
