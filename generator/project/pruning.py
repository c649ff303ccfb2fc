"""Make a throw-away project small: of a thousand layouts dbt is given those that matter, and nothing that only reads them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from generator.project.layouts import read_layouts
from generator.project.project import Project
from generator.project.staging_files import write_contract_models
from generator.yml.reading import read_yml
from generator.yml.writing import entries

# What a yml may have beside dbt models and sources, and nothing is built from.
_READERS = ("unit_tests", "exposures", "metrics", "semantic_models", "saved_queries")


def prune(copy: Project, keep: Collection[str]) -> None:
    """Take out of a throw-away project all layouts but these dbt models, and what tests or only reads dbt models."""
    layouts = read_layouts(copy.folder)
    kept = [x for x in layouts if x.dbt_model in keep]
    gone = [x for x in layouts if x.dbt_model not in keep]
    for layout in gone:
        layout.path.unlink()
    names = {x.dbt_model for x in gone}
    tables = {x.raw_table for x in gone} - {x.raw_table for x in kept}
    described = {x.yml for x in gone}
    for path in [*copy.folder.glob("models/**/*.yml"), *copy.folder.glob("models/**/*.yaml")]:
        if path in described or any(f"{reader}:" in path.read_text(encoding="utf-8") for reader in _READERS):
            _rewrite(path, names, tables)
    write_contract_models(copy.folder, list(copy.contracts), kept)


def _rewrite(path: Path, names: Collection[str], tables: Collection[str]) -> None:
    """A yml without these dbt models, without these raw tables and without readers; no file where nothing is left."""
    document = read_yml(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        return
    left = {key: value for key, value in document.items() if key not in (*_READERS, "models", "sources")}
    left["models"] = [m for m in entries(document, "models") if m.get("name") not in names]
    sources = [_without(source, tables) for source in entries(document, "sources")]
    left["sources"] = [source for source in sources if source["tables"]]
    if left["models"] or left["sources"] or left.keys() - {"models", "sources", "version"}:
        path.write_text(yaml.safe_dump(left, allow_unicode=True, sort_keys=False), encoding="utf-8")
    else:
        path.unlink()


def _without(source: dict[str, Any], tables: Collection[str]) -> dict[str, Any]:
    return {**source, "tables": [t for t in entries(source, "tables") if t.get("name") not in tables]}
