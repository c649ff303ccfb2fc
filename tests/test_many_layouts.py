"""A folder of many layouts: names are unique and can be read, nothing is rewritten, and only what has files is built."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from many_layouts import CONTRACT, source, write_file, write_layouts
from projects import SKELETON, LiveProject, Ran

from generator.project.layouts import read_layouts
from generator.project.render import LayoutName
from generator.project.staging_files import write_contract_models

MANY = 60


@dataclass(frozen=True)
class Folder:
    """A project with many known layouts, and two runs of one file each."""

    project: LiveProject
    before: dict[str, tuple[int, int]]
    first: Ran
    second: Ran


def written(project: LiveProject) -> dict[str, tuple[int, int]]:
    """When each dbt model and yml was written, and which file on the disk it is."""
    paths = [p for p in (project.folder / "models").rglob("*") if p.is_file()]
    return {str(p): (p.stat().st_mtime_ns, p.stat().st_ino) for p in paths}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    project = LiveProject.copy(tmp_path_factory.mktemp("many"), *SKELETON).keep_contracts(CONTRACT)
    write_layouts(project.folder, range(MANY))
    write_contract_models(project.folder, [CONTRACT], read_layouts(project.folder))
    before = written(project)
    runs = [
        project.goldsmith("run", write_file(project.folder, n), "--contract", CONTRACT, "--source", source(n), "--json")
        for n in (0, MANY - 1)
    ]
    return Folder(project, before, *runs)


def test_names_are_unique_and_say_source_contract_and_layout(folder: Folder) -> None:
    layouts = read_layouts(folder.project.folder)
    assert (
        len({x.dbt_model for x in layouts})
        == len({x.raw_table for x in layouts})
        == len({x.short for x in layouts})
        == MANY
    )
    for layout in layouts:
        name = LayoutName(layout.source, layout.contract, layout.fingerprint)
        assert (layout.dbt_model, layout.raw_table) == (name.dbt_model, name.raw_table)
        assert re.fullmatch(rf"stg_[a-z]+_[a-z]+__{CONTRACT}_[0-9a-f]{{8}}", layout.dbt_model)
        assert layout.path.parent.name == layout.source


def test_a_file_of_a_known_layout_takes_it(folder: Folder) -> None:
    for ran in (folder.first, folder.second):
        assert ran.code == 0, ran
        (file,) = ran.json["files"]
        assert (file["state"], file["mapping"], file["rows_gold"]) == ("gold", "cached", 20)
    assert folder.project.unbalanced() == []


def test_nothing_is_rewritten_that_did_not_change(folder: Folder) -> None:
    assert written(folder.project) == folder.before


def test_only_layouts_with_files_are_built_and_all_of_their_rows_are_in_the_union(folder: Folder) -> None:
    views = folder.project.query(
        "select table_name from information_schema.views where table_schema = 'staging' order by 1"
    )
    models = sorted(
        x.dbt_model for x in read_layouts(folder.project.folder) if x.source in (source(0), source(MANY - 1))
    )
    built = [name for (name,) in views if "__" in name]
    assert set(built) <= set(models)
    assert len(built) == 2
    rows = folder.project.query(f"select count(*), count(distinct _file_id) from staging.stg_{CONTRACT}")
    assert rows == [(40, 2)]


def test_dbt_builds_one_of_them_by_its_name(folder: Folder) -> None:
    model = next(x for x in read_layouts(folder.project.folder) if x.source == source(7))
    ran = folder.project.dbt("run", "--select", model.dbt_model)
    assert ran.code == 0, ran
    assert folder.project.query(f'select count(*) from staging."{model.dbt_model}"') == [(0,)]
    assert written(folder.project) == folder.before


def test_the_list_of_layouts_has_them_all(folder: Folder) -> None:
    listed = folder.project.goldsmith("layouts", "--json").json
    assert len(listed) == MANY
    assert sum(len(x["files"]) for x in listed) == 2
