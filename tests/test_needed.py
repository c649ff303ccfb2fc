"""What goldsmith needs of a dbt project that somebody has: said at once, before anything is written; then it works."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from documents import follow
from projects import CHASE, ROOT, SKELETON, LiveProject

from generator.errors import UsageError
from generator.project.needed import ensure_usable
from generator.project.project import open_project

BANK = "models/gold/bank_transactions"
PROJECT = 'name: shop\nversion: "1.0"\nprofile: shop\n'
PROFILE = "shop:\n  target: dev\n  outputs: {dev: {type: duckdb, path: shop.duckdb}}\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LiveProject:
    """A dbt project with a contract, and nothing else of goldsmith's."""
    monkeypatch.delenv("GOLDSMITH_DB", raising=False)
    live = LiveProject.copy(tmp_path / "shop", f"{BANK}.yml", f"{BANK}.sql")
    live.put("dbt_project.yml", PROJECT)
    live.put("profiles.yml", PROFILE)
    return live


def lacking(live: LiveProject) -> str:
    try:
        ensure_usable(open_project(live.folder, {}))
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.slow
def test_the_steps_of_the_document_make_a_dbt_project_fit(tmp_path: Path) -> None:
    for part in ("macros", "models/gold"):
        shutil.copytree(ROOT / part, tmp_path / "goldsmith" / part)
    follow((ROOT / "docs/dbt-project.md").read_text(encoding="utf-8"), tmp_path / "shop")
    assert (tmp_path / "shop/shop.duckdb").exists()
    assert not (tmp_path / "shop/goldsmith.duckdb").exists()


def test_all_that_is_missing_is_said_at_once_and_nothing_is_written(shop: LiveProject) -> None:
    before = shop.everything()
    ran = shop.goldsmith("run", CHASE, "--contract", "bank_transactions")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"goldsmith: {shop.folder}: goldsmith cannot use this dbt project yet; it lacks macros/; "
        "dbt_project.yml: on-run-start: create_ledger, create_functions, create_raw_tables; "
        "dbt_project.yml: models: shop: staging, gold, quarantine; "
        f"{shop.folder}/profiles.yml: path: \"{{{{ env_var('GOLDSMITH_DB', 'shop.duckdb') }}}}\". "
        "docs/dbt-project.md of the goldsmith repository has all of it, to be copied\n"
    )
    assert shop.everything() == before


def test_this_repository_lacks_nothing(tmp_path: Path) -> None:
    live = LiveProject.copy(tmp_path / "project", *SKELETON)
    assert lacking(live) == ""
    there = {path.name for path in (ROOT / "macros").iterdir()}
    shutil.rmtree(live.folder / "macros")
    (live.folder / "macros").mkdir()
    said = lacking(live).partition(" it lacks macros/: ")[2].partition(". docs/")[0]
    assert {name.rstrip("/") for name in said.split(", ")} == there


def test_settings_count_in_whatever_block_dbt_takes_them_from(tmp_path: Path) -> None:
    live = LiveProject.copy(tmp_path / "project", *SKELETON)
    live.edit("dbt_project.yml", "models:\n", "models:\n  +on_schema_change: append_new_columns\n")
    config = (live.folder / "dbt_project.yml").read_text(encoding="utf-8")
    live.put("dbt_project.yml", config.replace("      +on_schema_change: append_new_columns\n", ""))
    assert lacking(live) == ""
    live.edit("dbt_project.yml", "  goldsmith:\n", "  goldsmith:\n    +materialized: table\n")
    assert lacking(live) == ""
    live.edit("dbt_project.yml", "      +schema: staging\n      +materialized: view\n", "      +schema: stage\n")
    said = "it lacks dbt_project.yml: models: goldsmith: staging: +schema: staging, +materialized: view. docs/"
    assert said in lacking(live)


def test_a_name_for_schemas_may_be_made_by_a_macro_of_the_projects_own(tmp_path: Path) -> None:
    live = LiveProject.copy(tmp_path / "project", *SKELETON)
    (live.folder / "macros/schemas.sql").unlink()
    assert "it lacks macros/: schemas.sql. docs/" in lacking(live)
    live.put("macros/ours/names.sql", "{% macro generate_schema_name(name, node) %}{{ name }}{% endmacro %}")
    assert lacking(live) == ""


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{type: duckdb, path: /data/shop.duckdb}", ""),
        ("{type: duckdb, path: \"{{ env_var('GOLDSMITH_DB', 'shop.duckdb') }}\"}", ""),
        ("{type: duckdb, path: ':memory:'}", "profiles.yml: path: "),
        ("{type: duckdb}", "profiles.yml: path: "),
        ("{type: postgres, host: db}", "profiles.yml: a target of type duckdb"),
    ],
)
def test_the_profile_names_a_database_that_dbt_and_goldsmith_both_write(
    shop: LiveProject, target: str, said: str
) -> None:
    shop.put("profiles.yml", f"shop:\n  target: dev\n  outputs: {{dev: {target}}}\n")
    assert ("profiles.yml" in lacking(shop)) == bool(said)
    assert said in lacking(shop)


def test_the_database_is_the_one_that_the_profile_names(shop: LiveProject, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_project(shop.folder, {}).database == shop.folder / "shop.duckdb"
    assert open_project(shop.folder, {"GOLDSMITH_DB": "/tmp/x.duckdb"}).database == Path("/tmp/x.duckdb")
    monkeypatch.chdir(shop.folder)
    assert "profiles.yml" not in lacking(shop)


def test_vars_under_the_projects_name_go_before_the_others(shop: LiveProject) -> None:
    shop.put(
        "dbt_project.yml", f"{PROJECT}vars: {{min_confidence: 0.5, max_attempts: 2, shop: {{min_confidence: 0.7}}}}\n"
    )
    project = open_project(shop.folder, {})
    assert (project.min_confidence, project.max_attempts) == (0.7, 2)
