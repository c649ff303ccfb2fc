"""Real exports of banks, shops and CRMs, kept beside the repository: the books balance, and no bank layout is WRONG.

They are third parties' files and not part of the repository: without `../shared/layouts` there is nothing to test.
"""

from __future__ import annotations

import importlib.util
import json
from collections import Counter, defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from invented import LAYOUTS
from projects import SKELETON, LiveProject, Ran

SCORER = LAYOUTS.parent / "bench" / "score_layouts.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SCORER.exists(), reason="there is no ../shared/layouts"),
]


def described() -> list[dict[str, Any]]:
    """What is known of each file: one line of a layouts.jsonl."""
    lines = [line for path in sorted(LAYOUTS.glob("*/layouts.jsonl")) for line in path.open(encoding="utf-8")]
    found = [json.loads(line) for line in lines]
    return [x for x in found if (LAYOUTS / x["file"]).exists()]


FILES = {Path(x["file"]).name: x for x in described()}


@pytest.fixture(scope="module")
def scorer() -> ModuleType:
    """The benchmark's own rules."""
    spec = importlib.util.spec_from_file_location("score_layouts", SCORER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, Ran]:
    """All files of all contracts in one run of the offline matcher; their folders name the contract."""
    project = LiveProject.copy(tmp_path_factory.mktemp("real") / "project", *SKELETON)
    for name, layout in FILES.items():
        contract = layout["file"].partition("/")[0]
        project.put(f"landing/{contract}/{name}", (LAYOUTS / layout["file"]).read_bytes())
    return project, project.goldsmith("run", "--json", "--provider", "offline")


@pytest.fixture(scope="module")
def files(ran: tuple[LiveProject, Ran]) -> dict[str, dict[str, Any]]:
    """What the run said of each file."""
    return {Path(f["source_file"]).name: f for f in ran[1].json["files"]}


def test_the_run_ends_and_dbt_has_no_failure(ran: tuple[LiveProject, Ran]) -> None:
    assert ran[1].code in (0, 1), ran[1].err
    assert ran[1].json["failures"] == []


@pytest.mark.parametrize("name", FILES)
def test_every_row_of_a_real_file_is_accounted_for(name: str, files: dict[str, dict[str, Any]]) -> None:
    file = files[name]
    parts = ("gold", "superseded", "quarantined", "filtered", "rejected")
    assert file["rows_read"] == sum(file[f"rows_{p}"] for p in parts)
    assert file["state"] in ("gold", "held", "blocked", "failed", "refused")
    assert file["message"] or file["state"] == "gold"


def test_the_tables_say_the_same(ran: tuple[LiveProject, Ran]) -> None:
    assert ran[0].unbalanced() == []


def test_no_bank_layout_is_wrong_and_three_in_five_are_right(ran: tuple[LiveProject, Ran], scorer: ModuleType) -> None:
    gold = defaultdict(list)
    for name, date, amount in ran[0].query("select _source_file, booked_on, amount from gold.bank_transactions"):
        gold[Path(name).name].append((date, amount))
    outcomes = {}
    for name, layout in FILES.items():
        expected = layout.get("expected_rows") or layout.get("derived_rows")
        if expected and layout["file"].startswith("bank_transactions/"):
            unsigned = "abs" in (layout.get("verification") or "")
            got = scorer.pairs(gold[name], unsigned)
            outcomes[layout["id"]] = scorer.compare(scorer.pairs(expected, unsigned), got)
    assert [i for i, outcome in outcomes.items() if outcome == "WRONG"] == []
    tally = Counter(outcomes.values())
    assert tally["right"] >= 0.6 * len(outcomes), tally
