"""dbt by itself: on a fresh clone, on what was loaded, and after a person has edited something."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from projects import EXAMPLES, ROOT, SKELETON, LiveProject, Ran

pytestmark = pytest.mark.slow

CONTRACTS = ("bank_transactions", "contacts", "orders", "products")
CHASE = "models/staging/chase/stg_chase__bank_transactions_ec185f7c"
NORDIC = "models/staging/nordic/stg_nordic__bank_transactions_24ae6c58"


def git(project: LiveProject, *arguments: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    return subprocess.run(
        ["git", *who, *arguments], cwd=project.folder, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, list[Ran]]:
    """A fresh clone, as it is before any load, after `dbt run` and `dbt test`."""
    folder = tmp_path_factory.mktemp("dbt") / "project"
    project = LiveProject.copy(folder, *SKELETON, "models/staging", ".gitignore")
    shutil.rmtree(folder / "target")
    project.put(".git/info/exclude", "/home/\n")
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "clone")
    return project, [project.dbt("--warn-error", "run"), project.dbt("--warn-error", "test")]


@pytest.fixture(scope="module")
def loaded(clone: tuple[LiveProject, list[Ran]]) -> LiveProject:
    """The clone after `goldsmith run` on the examples."""
    project, _ = clone
    shutil.copytree(EXAMPLES, project.folder / "landing")
    ran = project.goldsmith("run")
    assert ran.code == 0, ran
    return project


@pytest.fixture
def ours(loaded: LiveProject, tmp_path: Path) -> LiveProject:
    """A copy of the loaded project, to be changed; to be quick, with the bank contract's dbt models only."""
    shutil.copytree(loaded.folder, tmp_path / "project", symlinks=True)
    return LiveProject(tmp_path / "project").keep_contracts("bank_transactions")


def tables(project: LiveProject, *, without: str = "nothing") -> dict[str, list[tuple[Any, ...]]]:
    """All rows of gold and quarantine, and what was built into them, but for the files of one source."""
    names = [f"{layer}.{contract}" for layer in ("gold", "quarantine") for contract in CONTRACTS]
    files = "inner join raw._files as files on files.file_id = {} where files.source != ? order by all"
    return {
        **{n: project.query(f"select rows.* from {n} as rows {files.format('rows._file_id')}", without) for n in names},
        "built": project.query(f"select rows.* from raw._built as rows {files.format('rows.file_id')}", without),
    }


def test_a_fresh_clone_runs_and_tests_before_any_load(clone: tuple[LiveProject, list[Ran]]) -> None:
    for ran in clone[1]:
        assert ran.code == 0, ran.out[-3000:]
        assert "WARN=0 ERROR=0 SKIP=0" in ran.out


def test_dbt_has_no_warning_and_no_deprecation(clone: tuple[LiveProject, list[Ran]]) -> None:
    ran = clone[0].dbt("parse", "--no-partial-parse", "--show-all-deprecations")
    assert ran.code == 0
    assert "warning" not in ran.out.lower() and "deprecat" not in ran.out.lower(), ran.out


def test_git_status_is_clean_after_a_run_on_the_examples(loaded: LiveProject) -> None:
    assert git(loaded, "status", "--porcelain") == ""


def test_dbt_run_and_test_pass_after_a_load_and_change_nothing(loaded: LiveProject) -> None:
    before = tables(loaded)
    assert sum(len(rows) for name, rows in before.items() if name.startswith("gold.")) == 487
    for command in (("--warn-error", "run"), ("--warn-error", "test"), ("run", "--full-refresh")):
        ran = loaded.dbt(*command)
        assert ran.code == 0, ran.out[-3000:]
        assert "WARN=0 ERROR=0 SKIP=0" in ran.out
        assert tables(loaded) == before, command


def test_an_edited_layout_re_harmonizes_its_rows_and_no_others(ours: LiveProject) -> None:
    # A mark in the table itself: a row that is built anew loses it.
    ours.change("update gold.bank_transactions set memo = 'mark' where _source_row = 5")
    before = tables(ours, without="chase")
    ours.edit(f"{CHASE}.sql", "clean_text(description) as description", "upper(clean_text(type)) as description")
    ours.edit(
        f"{CHASE}.sql",
        "parse_decimal(amount, '.')",
        "parse_decimal(amount, case type when 'FEE_TRANSACTION' then ',' else '.' end)",
    )
    ran = ours.dbt("run")
    assert ran.code == 0, ran.out[-3000:]
    assert tables(ours, without="chase") == before
    # Nor are the views of the others read, however many there are.
    for model in ("gold/bank_transactions", "quarantine/quarantine_bank_transactions"):
        sql = (ours.folder / f"target/compiled/goldsmith/models/{model}.sql").read_text(encoding="utf-8")
        assert set(re.findall(r"stg_\w+__bank_transactions_\w+", sql)) == {Path(CHASE).name}
    mine = "_source_file like '%/chase/%'"
    gold = ours.query(f"select distinct description, memo from gold.bank_transactions where {mine} order by all")
    assert ("ACH_CREDIT", None) in gold and ("FEE_TRANSACTION", None) not in gold
    assert {memo for _, memo in gold} == {None}
    assert ours.query(
        f"select distinct kind, reasons, row ->> 'type' from quarantine.bank_transactions where {mine}"
    ) == [("violation", ["amount: cannot be read"], "FEE_TRANSACTION")]
    assert ours.unbalanced() == []
    status = ours.status()["bank_transactions/chase/Chase5550_Activity_20240331.csv"]
    assert (status["review"], status["rows_gold"] + status["rows_quarantined"]) == ("unreviewed, edited", 27)


def test_a_changed_contract_applies_to_what_is_in_gold_already(ours: LiveProject) -> None:
    path = "models/gold/bank_transactions.yml"
    text = (ours.folder / path).read_text(encoding="utf-8")
    at = text.index("\n", text.index("data_type:", text.index("- name: account\n")))
    required = "\n        constraints: [{type: not_null}]"
    fee = "\n      - name: fee\n        data_type: decimal(18,2)\n        description: What it cost."
    ((total, without),) = ours.query(
        "select count(*), count(*) filter (where account is null) from gold.bank_transactions"
    )
    assert 0 < without < total
    violations = (
        "select reasons, count(*) from quarantine.bank_transactions where kind = 'violation' group by all order by all"
    )

    # A column becomes required, and there is a new one that no layout knows.
    ours.put(path, text[:at] + required + text[at:].rstrip() + fee + "\n")
    ran = ours.dbt("run")
    assert ran.code == 0, ran.out[-3000:]
    assert ours.query("select count(*), count(fee) from gold.bank_transactions") == [(total - without, 0)]
    assert ours.query(violations) == [(["account: required, but empty"], without)]

    # The new one becomes required, the other is as it was.
    ours.put(path, text.rstrip() + fee + required + "\n")
    ran = ours.dbt("run")
    assert ran.code == 0, ran.out[-3000:]
    assert ours.query(violations) == [(["fee: required, but empty"], total)]
    assert ours.unbalanced() == []
    again = ours.goldsmith("run", "--json")
    assert again.code == 1
    assert {f["state"] for f in again.json["files"]} == {"failed"}


def test_the_rows_of_a_deleted_layout_are_blocked_until_its_file_is_named(ours: LiveProject) -> None:
    name = "bank_transactions/nordic/bevaegelser.csv"
    everything, others = tables(ours), tables(ours, without="nordic")
    text = (ours.folder / f"{NORDIC}.sql").read_bytes()
    for suffix in ("sql", "yml"):
        (ours.folder / f"{NORDIC}.{suffix}").unlink()

    blocked = ours.goldsmith("run", "--json")
    assert blocked.code == 1
    (file,) = (f for f in blocked.json["files"] if f["state"] != "known")
    assert (file["source_file"], file["state"], file["rows_quarantined"]) == (name, "blocked", 23)
    assert "its dbt model was deleted" in file["message"]
    union = (ours.folder / "models/staging/stg_bank_transactions.sql").read_text(encoding="utf-8")
    assert "nordic" not in union and "chase" in union
    assert tables(ours, without="nordic") == others
    assert ours.query(
        "select kind, reasons, count(*) from quarantine.bank_transactions where _source_file = ? group by all", name
    ) == [("blocked", ["no mapping: goldsmith status says why"], 23)]
    assert ours.unbalanced() == []
    status = ours.status()[name]
    assert (status["state"], status["rows_quarantined"]) == ("blocked", 23)

    again = ours.goldsmith("run", f"landing/{name}", "--json")
    assert again.code == 0, again
    assert [(f["state"], f["mapping"], f["rows_gold"]) for f in again.json["files"]] == [("gold", "generated", 23)]
    assert (ours.folder / f"{NORDIC}.sql").read_bytes() == text
    assert tables(ours) == everything


def test_the_docs_show_the_lineage_with_descriptions(loaded: LiveProject) -> None:
    ran = loaded.dbt("--warn-error", "docs", "generate")
    assert ran.code == 0, ran.out[-3000:]
    manifest = json.loads((loaded.folder / "target/manifest.json").read_text(encoding="utf-8"))
    catalog = json.loads((loaded.folder / "target/catalog.json").read_text(encoding="utf-8"))
    nodes, parents = manifest["nodes"], manifest["parent_map"]
    layouts = [n for n in nodes.values() if n["config"]["meta"].get("fingerprint")]
    assert len(layouts) == len(list((ROOT / "models/staging").glob("*/*.sql")))
    undescribed = []
    for layout in layouts:
        contract = layout["config"]["meta"]["contract"]
        (source,) = parents[layout["unique_id"]]
        assert source.startswith("source.goldsmith.raw.")
        assert layout["unique_id"] in parents[f"model.goldsmith.stg_{contract}"]
        gold = nodes[f"model.goldsmith.{contract}"]["columns"]
        assert set(layout["columns"]) >= {c for c in gold if not c.startswith("_")}
        undescribed += _undescribed(layout) + _undescribed(manifest["sources"][source])
    for contract in CONTRACTS:
        staged, gold = f"model.goldsmith.stg_{contract}", f"model.goldsmith.{contract}"
        quarantine = f"model.goldsmith.quarantine_{contract}"
        assert parents[gold] == parents[quarantine] == [staged]
        assert set(catalog["nodes"][gold]["columns"]) == set(nodes[gold]["columns"])
        undescribed += _undescribed(nodes[staged]) + _undescribed(nodes[gold]) + _undescribed(nodes[quarantine])
    assert undescribed == []


def _undescribed(node: dict[str, Any]) -> list[str]:
    """What has no description: the node itself, or columns of it."""
    columns = [f"{node['name']}.{c['name']}" for c in node["columns"].values() if not c["description"]]
    return columns if node["description"] else [node["name"], *columns]
