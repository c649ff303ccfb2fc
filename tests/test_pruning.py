"""A throw-away project is pruned to the layouts that matter; what people share a yml with stays, the real project, too."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml
from projects import SKELETON, LiveProject

from generator.project.layouts import read_layouts
from generator.project.project import open_project
from generator.project.pruning import prune
from generator.project.throw_away import throw_away


def test_only_the_layouts_that_matter_are_left(tmp_path: Path) -> None:
    live = LiveProject.copy(tmp_path / "project", *SKELETON, "models/staging")
    staging = live.folder / "models/staging"
    nordic, chase = (next(staging.glob(f"{name}/*.yml")) for name in ("nordic", "chase"))
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (nordic, chase)]
    both = {"models": [d["models"][0] for d in documents], "exposures": [], "groups": [{"name": "ours", "owner": {}}]}
    tables = [table for d in documents for table in d["sources"][0]["tables"]]
    both["sources"] = [{"name": "raw", "schema": "raw", "tables": tables}]
    for path in (nordic, chase):
        path.unlink()
    (staging / "both.yml").write_text(yaml.safe_dump(both, sort_keys=False), encoding="utf-8")
    before = live.everything()
    project = open_project(live.folder, {})
    with throw_away(project) as copy:
        (kept,) = [x for x in read_layouts(copy.folder) if x.source == "chase"]
        prune(copy, {kept.dbt_model})
        assert [x.dbt_model for x in read_layouts(copy.folder)] == [kept.dbt_model]
        left = {str(p.relative_to(copy.folder / "models/staging")) for p in copy.folder.glob("models/staging/**/*.*")}
        unions = {f"stg_{name}.{ending}" for name in project.contracts for ending in ("sql", "yml")}
        assert left == {"both.yml", f"chase/{kept.dbt_model}.sql", *unions}
        said = yaml.safe_load(kept.yml.read_text(encoding="utf-8"))
        assert said.keys() == {"models", "sources", "groups"}
        assert [t["name"] for t in said["sources"][0]["tables"]] == [kept.raw_table]
        union = (copy.folder / "models/staging/stg_bank_transactions.sql").read_text(encoding="utf-8")
        assert union.count("ref(") == 1 and kept.dbt_model in union
        assert "ref(" not in (copy.folder / "models/staging/stg_orders.sql").read_text(encoding="utf-8")
        folder = copy.folder
    assert not folder.exists()
    assert live.everything() == before


def test_nothing_is_copied_that_dbt_does_not_read_or_that_is_elsewhere(tmp_path: Path) -> None:
    live = LiveProject.copy(tmp_path / "project", *SKELETON)
    shutil.copytree(live.folder / "macros", tmp_path / "others")
    live.edit("dbt_project.yml", "macro-paths: [macros]", "macro-paths: [macros, ../others, more/macros]")
    for name in (
        "landing/a.csv",
        "archive/x",
        "target/manifest.json",
        "test.duckdb",
        "more/macros/m.sql",
        ".git/config",
    ):
        live.put(name, "x")
    with throw_away(open_project(live.folder, {})) as copy:
        found = {p.relative_to(copy.folder).parts[0] for p in copy.folder.rglob("*") if p.is_file()}
        assert found == {"dbt_project.yml", "profiles.yml", "macros", "models", "seeds", "more"}
        assert copy.database.parent == copy.folder
