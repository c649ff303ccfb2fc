"""What goldsmith writes into models/: of what a person has written there nothing is lost, whatever is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from invented import layout
from test_layouts_folder import BANK, write

from generator.errors import UsageError
from generator.project.layouts import read_layouts
from generator.project.staging_files import write_contract_models

OTHER = layout('Date,Payee,Amount\n31.01.2024,Baker,"-5,40"\n')


def approve(yml: Path) -> None:
    text = yml.read_text(encoding="utf-8")
    yml.write_text(
        text.replace("review: pending", "review: approved\n      reviewed: {by: Ann, at: '2026-01-01', sha256: abc}"),
        encoding="utf-8",
    )


# ---- a dbt model that was deleted -----------------------------------------------------------------------------------


def test_made_again_after_its_dbt_model_was_deleted_the_yml_keeps_what_people_wrote(tmp_path: Path) -> None:
    path = write(tmp_path)
    yml, sql = path.with_suffix(".yml"), path.read_text(encoding="utf-8")
    approve(yml)
    mine = yml.read_text(encoding="utf-8").replace("models:\n", "# ours\nmodels:\n")
    mine = mine.replace("description: From `Amount`.", "description: Signed.  # by Ann\n    data_tests: [not_null]")
    yml.write_text(mine, encoding="utf-8")
    path.unlink()
    assert write(tmp_path) == path
    assert path.read_text(encoding="utf-8") == sql
    said = yml.read_text(encoding="utf-8")
    expected = mine.replace(
        "review: approved\n      reviewed: {by: Ann, at: '2026-01-01', sha256: abc}", "review: pending"
    )
    assert said == expected
    (read,) = read_layouts(tmp_path)
    assert (read.review, read.edited, read.reviewed) == ("pending", False, None)


def test_a_run_that_was_cut_short_between_the_two_files_leaves_what_an_undisturbed_one_makes(tmp_path: Path) -> None:
    path = write(tmp_path)
    yml = path.with_suffix(".yml").read_bytes()
    path.unlink()
    write(tmp_path)
    assert path.with_suffix(".yml").read_bytes() == yml


def test_a_renamed_dbt_model_that_was_deleted_comes_back_under_its_name_beside_its_yml(tmp_path: Path) -> None:
    path = write(tmp_path)
    folder = tmp_path / "models/staging/finance"
    folder.mkdir()
    yml = folder / "banks.yaml"
    text = path.with_suffix(".yml").read_text(encoding="utf-8").replace(f"name: {path.stem}", "name: our_bank")
    yml.write_text(text, encoding="utf-8")
    path.with_suffix(".yml").unlink()
    path.unlink()
    assert write(tmp_path) == folder / "our_bank.sql"
    (read,) = read_layouts(tmp_path)
    assert (read.dbt_model, read.path, read.yml) == ("our_bank", folder / "our_bank.sql", yml)
    assert yml.read_text(encoding="utf-8") == text


def test_what_a_yml_says_of_other_dbt_models_stays(tmp_path: Path) -> None:
    path, other = write(tmp_path), write(tmp_path, OTHER)
    texts = [p.with_suffix(".yml").read_text(encoding="utf-8") for p in (path, other)]
    models = [text.split("sources:\n")[0].removeprefix("models:\n") for text in texts]
    both = path.parent / "bank.yml"
    both.write_text("models:\n" + "".join(models), encoding="utf-8")
    for p in (path, other):
        p.with_suffix(".yml").unlink()
    assert {x.yml for x in read_layouts(tmp_path)} == {both}
    before = both.read_text(encoding="utf-8")
    path.unlink()
    write(tmp_path)
    assert both.read_text(encoding="utf-8") == before
    assert len(read_layouts(tmp_path)) == 2


def test_a_dbt_model_that_was_moved_out_of_staging_is_named_and_not_made_twice(tmp_path: Path) -> None:
    path = write(tmp_path)
    away = tmp_path / "models" / "marts" / path.name
    away.parent.mkdir()
    path.rename(away)
    with pytest.raises(UsageError, match=r"marts/.*is there already.*move it back below models/staging"):
        write(tmp_path)


def test_a_yml_of_that_name_which_is_about_something_else_stays(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.unlink()
    yml = path.with_suffix(".yml")
    yml.write_text("models:\n- name: other\n", encoding="utf-8")
    with pytest.raises(UsageError, match="describes no dbt model of this layout; move it away"):
        write(tmp_path)
    assert yml.read_text(encoding="utf-8") == "models:\n- name: other\n"


# ---- what every contract has beside gold ----------------------------------------------------------------------------


def test_what_people_add_to_the_files_of_a_contract_stays_and_the_list_follows_the_folder(tmp_path: Path) -> None:
    write(tmp_path)
    write_contract_models(tmp_path, [BANK.name], read_layouts(tmp_path))
    staging, quarantine = tmp_path / "models/staging", tmp_path / "models/quarantine"
    mine = {
        staging / f"stg_{BANK.name}.yml": "# mine\n",
        quarantine / f"quarantine_{BANK.name}.sql": "-- mine\n",
        quarantine / f"quarantine_{BANK.name}.yml": "# mine\n",
    }
    union = staging / f"stg_{BANK.name}.sql"
    for path, comment in {**mine, union: "{{ config(materialized='table') }}\n"}.items():
        path.write_text(comment + path.read_text(encoding="utf-8"), encoding="utf-8")
    kept = {path: path.read_bytes() for path in mine}
    write(tmp_path, OTHER)
    write_contract_models(tmp_path, [BANK.name], read_layouts(tmp_path))
    assert {path: path.read_bytes() for path in mine} == kept
    text = union.read_text(encoding="utf-8")
    assert text.startswith("{{ config(materialized='table') }}\n-- All layouts of")
    assert all(f"ref('{x.dbt_model}')" in text for x in read_layouts(tmp_path))
    assert text.count("union_layouts") == 1


def test_a_union_without_its_list_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    write_contract_models(tmp_path, [BANK.name], read_layouts(tmp_path))
    union = tmp_path / f"models/staging/stg_{BANK.name}.sql"
    union.write_text("select * from {{ ref('mine') }}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"has no \{\{ union_layouts\('bank_transactions', \[\.\.\.\]\) \}\} any more"):
        write_contract_models(tmp_path, [BANK.name], read_layouts(tmp_path))
    assert union.read_text(encoding="utf-8") == "select * from {{ ref('mine') }}\n"
