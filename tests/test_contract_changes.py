"""A contract that changes under loaded rows: what is planned is what happens, and nothing is lost. Real dbt, real git."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from projects import LiveProject

from generator.changes.planned import ContractPlan
from generator.changes.planning import plans
from generator.project.layouts import read_layouts
from generator.project.project import open_project
from generator.project.versions import wanted_versions

pytestmark = pytest.mark.slow

GOLD = "models/gold/bills.yml"
CONTRACT = """
models:
  - name: bills
    config:
      contract: {enforced: true}
      meta: {max_quarantined: 0.5, version: 1}
    columns:
      - {name: _file_id, data_type: varchar, constraints: [{type: not_null}]}
      - {name: _source_file, data_type: varchar}
      - {name: _source_row, data_type: bigint, constraints: [{type: not_null}]}
      - {name: _loaded_at, data_type: timestamp}
      - name: number
        data_type: text
        constraints: [{type: not_null}]
        config: {meta: {aliases: [bill number, rechnungsnummer]}}
      - {name: total, data_type: 'decimal(18,2)', config: {meta: {aliases: [amount, betrag]}}}
      - {name: note, data_type: text, config: {meta: {aliases: [remark, bemerkung]}}}
      - name: status
        data_type: text
        data_tests: [{accepted_values: {arguments: {values: [open, paid]}}}]
        config: {meta: {aliases: [state, zustand]}}
"""
ENGLISH = """Bill Number,Amount,Remark {#},State,Due Date
A-1,10.50,first,open,2024-03-01
A-2,20.25,second,paid,2024-03-02
A-3,30.00,,paid,2024-03-13
A-4,40.00,fourth,open,2024-03-24
"""
GERMAN = """Rechnungsnummer;Betrag
B-1;1.000,50
B-2;20,00
B-3;30,00
B-4;40,00
"""
SHAPE = (
    "select column_name, data_type, is_nullable from duckdb_columns() "
    "where schema_name = 'gold' and table_name = 'bills' order by column_index"
)
ROWS = "select * exclude (_file_id, _loaded_at) from gold.bills order by all"
KEYS = [
    ("_file_id", "VARCHAR", False),
    ("_source_file", "VARCHAR", True),
    ("_source_row", "BIGINT", False),
    ("_loaded_at", "TIMESTAMP", True),
]


def git(project: LiveProject, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", *who, *arguments], cwd=project.folder, capture_output=True, check=True)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    """Two layouts of one contract, in gold and committed."""
    folder = tmp_path_factory.mktemp("bills") / "project"
    project = LiveProject.copy(folder, "dbt_project.yml", "profiles.yml", "macros", ".gitignore")
    project.put(GOLD, CONTRACT)
    project.put("models/gold/bills.sql", "{{ gold_rows() }}\n")
    project.put("landing/bills/english/one.csv", ENGLISH)
    project.put("landing/bills/german/two.csv", GERMAN)
    project.put(".git/info/exclude", "/home/\n/test.duckdb*\n")
    ran = project.goldsmith("run", "--json")
    assert [f["state"] for f in ran.json["files"]] == ["gold", "gold"], ran
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "bills")
    return project


def changed(project: LiveProject, *replaced: tuple[str, str]) -> None:
    """The first contract with these changes."""
    text = CONTRACT
    for old, new in replaced:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    project.put(GOLD, text)


def planned(project: LiveProject, *arguments: str, code: int = 1) -> dict[str, Any]:
    """What `contract plan` says of the one contract. It writes nothing."""
    before = project.everything()
    ran = project.goldsmith("contract", "plan", "--json", *arguments)
    assert ran.code == code, ran
    assert project.everything() == before
    (plan,) = ran.json
    return dict(plan)


def layouts(plan: dict[str, Any]) -> dict[str, tuple[str, list[str], int, int]]:
    """Source -> verdict, columns, gold rows before and after."""
    return {
        layout["dbt_model"].split("__")[0].removeprefix("stg_"): (
            layout["verdict"],
            layout["columns"],
            layout["before"]["gold"],
            layout["after"]["gold"],
        )
        for layout in plan["layouts"]
    }


def assert_versions_agree(project: LiveProject) -> None:
    """Python works out the version of each layout as dbt does."""
    opened = open_project(project.folder, {"GOLDSMITH_DB": str(project.database)})
    staged = dict(project.query("select layout, mapping from raw._staged"))
    assert staged == wanted_versions(opened, read_layouts(project.folder))


def test_a_changed_contract_is_planned_and_then_built_without_losing_a_row(loaded: LiveProject) -> None:
    project = loaded
    nothing = project.goldsmith("contract", "plan")
    assert nothing.code == 0
    assert nothing.out.startswith("No contract has changed since the last commit")

    # A column goes, one comes, one is stricter, and all stand in another order.
    note = "      - {name: note, data_type: text, config: {meta: {aliases: [remark, bemerkung]}}}\n"
    due = "      - {name: due_on, data_type: date, config: {meta: {aliases: [due date]}}}\n"
    changed(
        project,
        (note, ""),
        ("decimal(18,2)", "decimal(18,1)"),
        ("version: 1", "version: '2'"),
        ("      - name: number", f"{due}      - name: number"),
    )
    plan = planned(project)
    assert (plan["version_before"], plan["version"]) == ("1", "2")
    assert [(c["kind"], c["column"]) for c in plan["changes"]] == [
        ("added", "due_on"),
        ("type", "total"),
        ("removed", "note"),
    ]
    assert layouts(plan) == {"english": ("repair", ["total"], 4, 3), "german": ("holds", [], 4, 4)}
    english, german = plan["layouts"]
    assert english["why"] == ["total: does not fit decimal(18,1) (1 row)"]
    assert english["could"] == {"due_on": "Due Date"}
    assert english["command"] == f"goldsmith regenerate {english['layout']} --column total"
    assert (german["could"], german["command"]) == ({}, "")

    # An incremental dbt model of a person's own, which has outgrown its table, too.
    project.change("create table main.mine as select 7 as a")
    config = "materialized='incremental', on_schema_change='append_new_columns', contract={'enforced': true}"
    project.put("models/mine.sql", f"{{{{ config({config}) }}}}\nselect 1 as a, 2 as b\n")
    project.put(
        "models/mine.yml", "models: [{name: mine, columns: [{name: a, data_type: int}, {name: b, data_type: int}]}]"
    )
    ran = project.dbt("run")
    assert ran.code == 0, ran.out[-3000:]
    assert project.query("select * from main.mine order by all") == [(1, 2), (7, None)]
    assert project.query(SHAPE) == [
        *KEYS,
        ("due_on", "DATE", True),
        ("number", "VARCHAR", False),
        ("total", "DECIMAL(18,1)", True),
        ("status", "VARCHAR", True),
    ]
    assert len(project.query(ROWS)) == 7
    assert project.query("select reasons, row ->> 'amount' from quarantine.bills where kind = 'violation'") == [
        (["total: does not fit decimal(18,1)"], "20.25")
    ]
    assert project.unbalanced() == []
    assert_versions_agree(project)
    assert project.goldsmith("run").out.endswith("2 files loaded before: nothing to do\n")


def test_goldsmith_run_builds_a_changed_contract_by_itself(loaded: LiveProject) -> None:
    project = loaded
    note = "data_type: text, config: {meta: {aliases: [remark, bemerkung]}}}"
    changed(
        project,
        (note, note.replace("text", "text, constraints: [{type: not_null}]")),
        ("[open, paid]", "[paid, late]"),
    )
    plan = planned(project)
    # Of the table as the test before has left it, with 3 of 4 rows.
    assert layouts(plan) == {"english": ("repair", ["note", "status"], 3, 1), "german": ("blocked", ["note"], 4, 0)}
    assert plan["layouts"][1]["why"][0].startswith("note: required, and not mapped; no free header")

    ran = project.goldsmith("run", "--json")
    assert ran.code == 1
    assert {f["source_file"]: f["rows_gold"] for f in ran.json["files"]} == {
        "bills/english/one.csv": 1,
        "bills/german/two.csv": 0,
    }
    assert project.query("select number, status from gold.bills") == [("A-2", "paid")]
    assert project.unbalanced() == []
    assert_versions_agree(project)


def test_rows_are_in_one_of_two_tables_though_macros_changed_between_building_the_one_and_the_other(
    loaded: LiveProject,
) -> None:
    project = loaded
    changed(project, ("note, data_type: text", "note, data_type: integer"))
    # An earlier violation macro, under which texts that are no numbers were none; then gold could not cast them.
    types = "{%- set base = data_type.split('(')[0] | trim -%}"
    project.edit("macros/violations.sql", types, "{%- set base = '' -%}")
    ran = project.goldsmith("run", "--json")
    assert ran.code == 1 and "Could not convert string" in ran.json["failures"][0]

    project.edit("macros/violations.sql", "{%- set base = '' -%}", types)
    assert project.dbt("run").code == 0
    assert project.query("select number from gold.bills where number like 'A%'") == [("A-3",)]
    assert project.query("select distinct reasons from quarantine.bills") == [(["note: does not fit integer"],)]
    assert project.unbalanced() == []
    assert_versions_agree(project)


def test_accepted_values_are_those_of_a_column_and_dbt_finds_the_same(loaded: LiveProject) -> None:
    project = loaded
    everywhere = "{arguments: {column_name: number, values: [A-1]}}"
    changed(
        project,
        ("  - name: bills\n", f"  - name: bills\n    data_tests: [accepted_values: {everywhere}]\n"),
        (
            "[open, paid]}}}]",
            "[open, paid, late]}, config: {severity: warn}}}, {dbt.accepted_values: {arguments: {values: [paid]}}},"
            " {name: kinds, test_name: accepted_values, arguments: {values: [x, paid]}, config: {where: 1=0}},"
            " {accepted_values: {arguments: {values: [x]}, config: {enabled: false}}}]",
        ),
    )
    assert project.dbt("run").code == 0
    assert project.query("select number from gold.bills where number like 'A%' order by 1") == [("A-2",), ("A-3",)]
    assert_versions_agree(project)


def test_a_number_is_not_the_text_of_a_file(loaded: LiveProject) -> None:
    project = loaded
    changed(project, ("total, data_type: 'decimal(18,2)'", "total, data_type: text"))
    plan = planned(project)
    assert [(x["verdict"], x["why"]) for x in plan["layouts"]] == [
        ("repair", ["total: does not fit text (4 rows)"]),
        ("repair", ["total: does not fit text (4 rows)"]),
    ]
    (english,) = (project.folder / "models/staging/english").glob("*.sql")
    before = english.read_text(encoding="utf-8")
    english.write_text(before.replace("parse_decimal(amount, '.')", "clean_text(amount)"), encoding="utf-8")
    assert project.dbt("run").code == 0
    rows = [("A-1", "10.50"), ("A-2", "20.25"), ("A-3", "30.00"), ("A-4", "40.00")]
    assert project.query("select number, total from gold.bills order by 1") == rows
    english.write_text(before, encoding="utf-8")


def test_a_plan_says_which_rows_a_new_key_supersedes_and_what_stays_of_a_contract_that_is_gone(
    loaded: LiveProject,
) -> None:
    project = loaded
    project.put(GOLD, CONTRACT)
    assert project.goldsmith("run").code == 0
    changed(project, ("version: 1", "version: 1, primary_key: [status]"))
    english, _ = planned(project)["layouts"]
    assert (english["verdict"], english["why"]) == (
        "repair",
        ["2 rows are superseded by later ones of the same status"],
    )

    (project.folder / GOLD).unlink()
    project.put("models/gold/below/bills.yml", CONTRACT)
    project.put("models/gold/others.yml", CONTRACT.replace("name: bills", "name: others"))
    plan = project.goldsmith("contract", "plan", "--json").json[0]
    assert layouts(plan) == {"english": ("blocked", [], 4, 4), "german": ("blocked", [], 4, 4)}
    moved = "contract bills is in models/gold/below/bills.yml, which is not read: move it to models/gold"
    assert plan["changes"][0]["text"] == f"{moved}; until then gold stays as it was built before"
    assert {f["message"] for f in project.goldsmith("run", "--json").json["files"]} == {moved}
    for path in ("models/gold/below/bills.yml", "models/gold/others.yml"):
        (project.folder / path).unlink()


def test_what_feeds_a_column_is_part_of_its_mapping(loaded: LiveProject) -> None:
    project = loaded
    project.put(GOLD, CONTRACT)
    (yml,) = (project.folder / "models/staging/english").glob("*.yml")
    before = yml.read_text(encoding="utf-8")
    at = before.index("source_columns: [", before.index("\n        note:\n"))
    changed_yml = f"{before[:at]}source_columns: [Bill Number]{before[before.index(']', at) + 1 :]}"
    project.put(str(yml.relative_to(project.folder)), changed_yml)
    assert project.goldsmith("run").code == 0
    assert project.query("select reasons, row ->> 'bill_number' from quarantine.bills") == [
        (["note: cannot be read"], "A-3")
    ]
    assert_versions_agree(project)
    project.put(str(yml.relative_to(project.folder)), before)


def test_a_new_column_that_somebody_writes_by_hand_is_judged_without_a_word_in_the_yml(loaded: LiveProject) -> None:
    project = loaded
    values = "data_tests: [{accepted_values: {arguments: {values: [second]}}}]"
    project.put(GOLD, f"{CONTRACT}      - {{name: kind, data_type: text, {values}}}\n")
    (sql,) = (project.folder / "models/staging/english").glob("*.sql")
    before = sql.read_text(encoding="utf-8")
    sql.write_text(
        before.replace("source as _raw", "clean_text(remark) AS kind,\n        source as _raw"), encoding="utf-8"
    )
    assert project.dbt("build", "--select", "+bills", "+quarantine_bills").code == 0
    assert project.query("select number, kind from gold.bills where number like 'A%' order by all") == [
        ("A-2", "second"),
        ("A-3", None),
    ]
    assert project.query("select distinct reasons from quarantine.bills") == [(["kind: not an accepted value"],)]
    sql.write_text(before, encoding="utf-8")


def test_a_contract_that_cannot_be_built_leaves_the_old_table(loaded: LiveProject) -> None:
    project = loaded
    project.put(GOLD, CONTRACT)
    assert project.goldsmith("run").code == 0
    before, shape = project.query(ROWS), project.query(SHAPE)
    assert len(before) == 8
    changed(project, ("'decimal(18,2)',", "'decimal(18,2)', constraints: [{type: check, expression: total < 1000}],"))
    plan = project.goldsmith("contract", "plan", "bills", "--base", "HEAD")
    assert plan.code == 1
    assert plan.out.startswith("bills (version 1): changed since HEAD\n  ~ constraints changed\n")
    assert "cannot be built: dbt model bills" in plan.out and "CHECK constraint failed" in plan.out
    assert plan.out.endswith("2 layouts: 2 are blocked. Nothing was built; goldsmith run or dbt run builds it\n")

    ran = project.goldsmith("run", "--json")
    assert ran.code == 1
    assert any("CHECK constraint failed" in failure for failure in ran.json["failures"])
    assert (project.query(ROWS), project.query(SHAPE)) == (before, shape)
    left = "select table_name from information_schema.tables where table_schema in ('gold', 'quarantine')"
    assert set(project.query(left)) == {("bills",)}


def test_without_a_commit_or_a_database_a_plan_says_what_it_can(tmp_path: Path, loaded: LiveProject) -> None:
    project = LiveProject.copy(tmp_path / "project", "dbt_project.yml", "profiles.yml", "macros")
    project.put("models/gold/bills.sql", "{{ gold_rows() }}\n")
    for path in (loaded.folder / "models/staging").rglob("*.*"):
        project.put(str(path.relative_to(loaded.folder)), path.read_bytes())
    project.put(GOLD, CONTRACT)
    ran = project.goldsmith("contract", "plan")
    assert ran.code == 0
    assert ran.out == "No commit to compare with; every layout knows all columns of its contract\n"
    due = "      - {name: due_on, data_type: date, config: {meta: {aliases: [due date]}}}\n"
    changed(project, ("      - name: number", f"{due}      - name: number"))
    plan = project.goldsmith("contract", "plan", "--json")
    assert plan.code == 0
    assert [(x["verdict"], x["could"], x["after"]) for x in plan.json[0]["layouts"]] == [
        ("holds", {"due_on": "Due Date"}, None),
        ("holds", {}, None),
    ]
    for arguments, message in (
        (("--base", "HEAD"), "is in no git repository"),
        (("nothing",), "there is no contract 'nothing'"),
    ):
        wrong = project.goldsmith("contract", "plan", *arguments)
        assert wrong.code == 2
        assert message in wrong.err
    assert not project.database.exists()


def test_what_no_row_can_show_is_planned_from_the_layouts_alone(tmp_path: Path, loaded: LiveProject) -> None:
    project = LiveProject.copy(tmp_path / "project", "dbt_project.yml", "profiles.yml", "macros")
    for path in (loaded.folder / "models/staging").rglob("*.*"):
        project.put(str(path.relative_to(loaded.folder)), path.read_bytes())
    project.put(GOLD, CONTRACT)
    project.put("models/gold/others.yml", CONTRACT.replace("name: bills", "name: others"))
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "bills")

    def planned_now() -> tuple[ContractPlan, ...]:
        return plans(open_project(project.folder, {"GOLDSMITH_DB": str(project.database)}))

    assert planned_now() == ()

    # Under a new name the column is NULL until the layouts say so, and it may not be.
    changed(project, ("{name: note,", "{name: remark,"))
    (plan,) = planned_now()
    english, german = plan.layouts
    assert (english.verdict, english.columns) == ("repair", ("remark",))
    assert english.why == ("remark: note under a new name, which the layout does not know: NULL for all rows",)
    assert english.command == f"goldsmith regenerate {english.layout.short} --column remark"
    # The German layout has no such column under either name.
    assert (german.verdict, german.command) == ("holds", "")

    # Required now, and what feeds it is too uncertain for that.
    name = english.layout.yml.relative_to(project.folder)
    text = (project.folder / name).read_text(encoding="utf-8")
    at = text.index("confidence: ", text.index("        total:\n"))
    project.put(str(name), text[:at] + "confidence: 0.5 #" + text[at + len("confidence: ") :])
    changed(project, ("'decimal(18,2)',", "'decimal(18,2)', constraints: [{type: not_null}],"))
    (plan,) = planned_now()
    assert [(p.verdict, p.columns) for p in plan.layouts] == [("repair", ()), ("holds", ())]
    assert plan.layouts[0].why == ("it would be held out of gold: total: mapped with confidence 0.5, below 0.6",)

    # Gone, and one that no layout has.
    (project.folder / GOLD).unlink()
    (plan,) = planned_now()
    assert (plan.contract.name, plan.fine) == ("bills", False)
    assert {p.verdict for p in plan.layouts} == {"blocked"}
    assert planned_now()[0].as_json()["changes"][0]["kind"] == "removed"
