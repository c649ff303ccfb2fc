"""What goldsmith writes into the project: dbt models of layouts, and what each contract has beside gold.

People own these files. A dbt model that is there stays as it is; of what is made anew only that part is touched which
goldsmith makes: the list of layouts in `stg_<contract>.sql`, and in the yml of a deleted dbt model what is said of its
mapping.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.errors import UsageError
from generator.project.layouts import Layout, described_without_sql
from generator.project.render import (
    LayoutName,
    render_quarantine,
    render_quarantine_yml,
    render_union,
    render_union_yml,
)
from generator.project.renewed import renewed
from generator.project.texts import read_exactly, replace_exactly, write_whole
from generator.yml.writing import load_yml


@dataclass(frozen=True)
class Place:
    """Where a layout's dbt model goes, and its yml; `dbt_model` is its name, as there may be a yml that says another."""

    dbt_model: str
    path: Path
    yml: Path


def place_of(project: Path, name: LayoutName) -> Place:
    """Where a new layout's files go: where they were, if its dbt model was deleted and the yml left.

    UsageError for a dbt model that is there already.
    """
    left = described_without_sql(project, name.contract, name.fingerprint)
    path = project / name.folder / f"{name.dbt_model}.sql"
    place = Place(left[1], left[0].with_name(f"{left[1]}.sql"), left[0]) if left else _beside(name.dbt_model, path)
    for there in (project / "models").rglob(f"{place.dbt_model}.sql"):
        advice = "restore its yml, or delete it to have it generated again"
        if not there.is_relative_to(project / "models" / "staging"):
            advice = "move it back below models/staging, where its schema and hooks are set"
        raise UsageError(f"{there}: is there already, and may have been edited; {advice}")
    if not left and place.yml.exists():
        raise UsageError(f"{place.yml}: is there already, and describes no dbt model of this layout; move it away")
    return place


def _beside(dbt_model: str, path: Path) -> Place:
    return Place(dbt_model, path, path.with_suffix(".yml"))


def write_layout(project: Path, name: LayoutName, sql: str, yml: str) -> Path:
    """Write a new layout's two files; returns the dbt model's path. UsageError for a dbt model that is there already."""
    place = place_of(project, name)
    if place.yml.exists():
        _renew(place, yml)
        # dbt does not give a dbt model that is back the yml that it has parsed before: it is to parse all anew.
        (project / "target" / "partial_parse.msgpack").unlink(missing_ok=True)
    else:
        write_whole(place.yml, yml)
    write_whole(place.path, sql)
    return place.path


def _renew(place: Place, yml: str) -> None:
    """Let the yml that a deleted dbt model left say the new mapping."""
    (model,) = load_yml(yml)["models"]
    descriptions = {column["name"]: column["description"] for column in model["columns"]}
    before = read_exactly(place.yml)
    try:
        after = renewed(before, place.dbt_model, model["config"]["meta"], descriptions)
    except ValueError as error:
        raise UsageError(
            f"{place.yml}: is left of a dbt model that was deleted, and cannot be edited without changing more of it "
            f"({error}); delete what it says of {place.dbt_model}"
        ) from None
    if after != before:
        replace_exactly(place.yml, before, after)


def write_contract_models(project: Path, contracts: Sequence[str], layouts: Sequence[Layout]) -> None:
    """Write what every contract has beside gold: the union of its layouts and its quarantine, where they are missing.

    Of what is there only the list of layouts changes. UsageError where a person has taken that list away.
    """
    for contract in contracts:
        listed = [layout.dbt_model for layout in layouts if layout.contract == contract]
        quarantine = project / "models" / "quarantine" / f"quarantine_{contract}.sql"
        union = project / "models" / "staging" / f"stg_{contract}.sql"
        _write_union(union, contract, render_union(contract, listed))
        for path, text in (
            (union.with_suffix(".yml"), render_union_yml(contract)),
            (quarantine, render_quarantine(contract)),
            (quarantine.with_suffix(".yml"), render_quarantine_yml(contract)),
        ):
            if not path.exists():
                write_whole(path, text)


def _write_union(path: Path, contract: str, text: str) -> None:
    """The list of a contract's layouts in the file that has it, or the file, if it is missing."""
    if not path.exists():
        write_whole(path, text)
        return
    call = re.compile(
        rf"\{{\{{-?\s*union_layouts\(\s*['\"]{re.escape(contract)}['\"]\s*,\s*\[.*?\]\s*\)\s*-?\}}\}}", re.DOTALL
    )
    before, (wanted,) = read_exactly(path), call.findall(text)
    found = call.search(before)
    if not found:
        raise UsageError(
            f"{path}: has no {{{{ union_layouts('{contract}', [...]) }}}} any more, so dbt would build gold before its "
            "layouts; put it back, or delete the file to have it made again"
        )
    if found[0].replace("\r\n", "\n") != wanted:
        replace_exactly(path, before, f"{before[: found.start()]}{wanted}{before[found.end() :]}")
