"""dbt by itself: on a fresh clone, on what was loaded, and after a person has edited something."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from projects import EXAMPLES, ROOT, SKELETON, LiveProject, Ran

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dbt project")]

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
    """All rows of gold and quarantine, and which files were built into them, but for those of one source."""
    names = [f"{layer}.{contract}" for layer in ("gold", "quarantine") for contract in CONTRACTS]
    return {
        name: project.query(
            f"select t.* from {name} as t inner join raw._files as f on t._{key} = f.{key} where f.source != ? order by all"
            if name != "raw._built"
            else "",
            without,
        )
        for name in [*names, "raw._built"]
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


def test_dbt_run_and_test_pass_after_a_load_and_change_nothing(ours: LiveProject) -> None:
    before = tables(ours)
    assert sum(len(rows) for name, rows in before.items() if name.startswith("gold.")) == 487
    for ran in (ours.dbt("--warn-error", "run"), ours.dbt("--warn-error", "test")):
        assert ran.code == 0, ran.out[-3000:]
        assert "WARN=0 ERROR=0 SKIP=0" in ran.out
    assert tables(ours) == before


def test_a_full_refresh_makes_the_same_gold(ours: LiveProject) -> None:
    before = tables(ours), built(ours)
    ran = ours.dbt("run", "--full-refresh")
    assert ran.code == 0, ran.out[-3000:]
    assert (tables(ours), built(ours)) == before


def test_an_edited_layout_re_harmonizes_its_rows_and_no_others(ours: LiveProject) -> None:
    # A mark in the tables themselves: a row that is built anew loses it.
    ours.change("update gold.bank_transactions set memo = 'mark' where _source_row = 5")
    before, built_before = tables(ours, without="chase"), built(ours, without="chase")
    ours.edit(f"{CHASE}.sql", "clean_text(description) as description", "upper(clean_text(type)) as description")
    ran = ours.dbt("run")
    assert ran.code == 0, ran.out[-3000:]
    assert tables(ours, without="chase") == before
    assert built(ours, without="chase") == built_before
    edited = ours.query(
        "select description, memo from gold.bank_transactions where _source_file like '%/chase/%' order by _source_row"
    )
    assert len(edited) == 27
    assert edited[0] == ("ACH_CREDIT", None)
    assert {memo for _, memo in edited} == {None}
    assert ours.unbalanced() == []
    assert ours.goldsmith("layouts", "show", "ec185f7c", "--json").json["review"] == "edited"


def test_an_edit_that_reads_less_moves_rows_to_quarantine_and_back(ours: LiveProject) -> None:
    before = tables(ours)
    ours.edit(f"{CHASE}.sql", "parse_date(posting_date, '%m/%d/%Y')", "parse_date(posting_date, '%d/%m/%Y')")
    assert ours.dbt("run").code == 0
    moved = "select distinct reasons from quarantine.bank_transactions where _source_file like '%/chase/%'"
    assert ours.query(moved) == [(["booked_on: cannot be read"],)]
    assert ours.unbalanced() == []
    assert tables(ours, without="chase") == {k: [r for r in v if "/chase/" not in r[1]] for k, v in before.items()}
    status = ours.status()["bank_transactions/chase/Chase5550_Activity_20240331.csv"]
    assert (status["state"], status["rows_gold"] + status["rows_quarantined"]) == ("failed", 27)
    ours.edit(f"{CHASE}.sql", "'%d/%m/%Y'", "'%m/%d/%Y'")
    assert ours.dbt("run").code == 0
    assert tables(ours) == before


def test_a_stricter_contract_applies_to_what_is_in_gold_already(ours: LiveProject) -> None:
    path = "models/gold/products.yml"
    text = (ours.folder / path).read_text(encoding="utf-8")
    column = text.index("- name: sku\n")
    typed = text.index("data_type:", column)
    end = text.index("\n", typed)
    ours.put(path, text[:end] + "\n        constraints: [{type: not_null}]" + text[end:])
    without = ours.query("select count(*) from gold.products where sku is null")[0][0]
    total = ours.query("select count(*) from gold.products")[0][0]
    assert without > 0
    ran = ours.dbt("run")
    assert ran.code == 0, ran.out[-3000:]
    assert ours.query("select count(*) from gold.products") == [(total - without,)]
    assert ours.query("select distinct reasons from quarantine.products") == [(["sku: required, but empty"],)]
    assert ours.unbalanced() == []


def test_the_rows_of_a_layout_that_was_deleted_are_blocked_and_all_others_stay(ours: LiveProject) -> None:
    before = tables(ours, without="nordic")
    for suffix in ("sql", "yml"):
        (ours.folder / f"{NORDIC}.{suffix}").unlink()
    (ours.folder / "landing/bank_transactions/nordic/bevaegelser.csv").unlink()
    assert ours.goldsmith("run").code in (0, 1)
    union = (ours.folder / "models/staging/stg_bank_transactions.sql").read_text(encoding="utf-8")
    assert "nordic" not in union and "chase" in union
    ran = ours.dbt("run")
    assert ran.code == 0, ran.out[-3000:]
    assert tables(ours, without="nordic") == before
    assert ours.query("select count(*) from gold.bank_transactions where _source_file like '%/nordic/%'") == [(0,)]
    assert ours.query(
        "select kind, reasons, count(*) from quarantine.bank_transactions where _source_file like '%/nordic/%' group by all"
    ) == [("blocked", ["no mapping"], 23)]
    assert ours.unbalanced() == []
    status = ours.status()["bank_transactions/nordic/bevaegelser.csv"]
    assert (status["state"], status["rows_quarantined"]) == ("blocked", 23)


def test_a_deleted_layout_is_made_again_when_its_file_is_named(ours: LiveProject) -> None:
    before, text = tables(ours), (ours.folder / f"{NORDIC}.sql").read_bytes()
    for suffix in ("sql", "yml"):
        (ours.folder / f"{NORDIC}.{suffix}").unlink()
    ran = ours.goldsmith("run", "landing/bank_transactions/nordic", "--json")
    assert ran.code == 0, ran
    assert [(f["state"], f["mapping"]) for f in ran.json["files"]] == [("gold", "generated")]
    assert (ours.folder / f"{NORDIC}.sql").read_bytes() == text
    assert tables(ours) == before


def test_the_docs_show_the_lineage_with_descriptions(ours: LiveProject) -> None:
    ran = ours.dbt("--warn-error", "docs", "generate")
    assert ran.code == 0, ran.out[-3000:]
    manifest = json.loads((ours.folder / "target/manifest.json").read_text(encoding="utf-8"))
    catalog = json.loads((ours.folder / "target/catalog.json").read_text(encoding="utf-8"))
    nodes, parents = manifest["nodes"], manifest["parent_map"]
    layouts = [n for n in nodes.values() if n["config"]["meta"].get("fingerprint")]
    assert len(layouts) == len(list((ROOT / "models/staging").glob("*/*.sql")))
    for layout in layouts:
        contract = layout["config"]["meta"]["contract"]
        (source,) = parents[layout["unique_id"]]
        assert source.startswith("source.goldsmith.raw.")
        assert layout["unique_id"] in parents[f"model.goldsmith.stg_{contract}"]
        described = [manifest["sources"][source], *manifest["sources"][source]["columns"].values(), layout]
        assert all(d["description"] for d in [*described, *layout["columns"].values()]), layout["name"]
        assert set(layout["columns"]) >= {c for c in _columns(nodes, contract) if not c.startswith("_")}
    for contract in CONTRACTS:
        gold = nodes[f"model.goldsmith.{contract}"]
        assert parents[gold["unique_id"]] == [f"model.goldsmith.stg_{contract}"]
        assert parents[f"model.goldsmith.quarantine_{contract}"] == [f"model.goldsmith.stg_{contract}"]
        assert gold["description"] and all(c["description"] for c in gold["columns"].values())
        assert nodes[f"model.goldsmith.quarantine_{contract}"]["description"]
        assert nodes[f"model.goldsmith.stg_{contract}"]["description"], contract
        assert set(catalog["nodes"][gold["unique_id"]]["columns"]) == set(gold["columns"])


def _columns(nodes: dict[str, Any], contract: str) -> Sequence[str]:
    return list(nodes[f"model.goldsmith.{contract}"]["columns"])
