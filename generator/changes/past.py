"""A layout's dbt model as a commit has it, wherever it lay then and whatever it was called."""

from __future__ import annotations

from pathlib import Path

import yaml

from generator.changes.shadow import Version
from generator.errors import UsageError
from generator.project import history
from generator.project.layouts import Layout
from generator.project.project import Project
from generator.yml.writing import entries, load_yml, meta_of


def version_at(project: Project, layout: Layout, ref: str) -> Version:
    """The dbt model and its yml as a commit has them.

    Raises UsageError where git does not know the commit, or the commit not the layout.
    """
    found = found_at(project, layout, ref)
    if found is None:
        raise UsageError(
            f"{ref}: has no dbt model of the layout {layout.short}; name a commit that has {layout.dbt_model}"
        )
    return found[1]


def found_at(project: Project, layout: Layout, ref: str) -> tuple[str, Version] | None:
    """What a commit calls the layout's dbt model, and its text and yml there; the layout is known by its fingerprint.

    None where the commit has no such layout. UsageError where git does not know the commit.
    """
    here = history.text_at(project.folder, ref, layout.yml)
    found = [(layout.yml, here)] if here and layout.fingerprint in here else []
    if not found:
        paths = history.files_with(project.folder, ref, layout.fingerprint, project.folder / "models")
        texts = ((p, history.text_at(project.folder, ref, p)) for p in paths if p.suffix in (".yml", ".yaml"))
        found = [(path, text) for path, text in texts if text]
    for path, yml in found:
        name = _name(yml, layout)
        sql = _sql(project, ref, name, path, layout) if name else None
        if sql is not None:
            return name, Version(ref, sql, yml)
    return None


def _name(yml: str, layout: Layout) -> str:
    """What a yml calls the layout's dbt model, '' if it does not describe it."""
    try:
        document = load_yml(yml)
    except yaml.YAMLError:
        return ""
    for model in entries(document, "models"):
        meta = meta_of(model)
        if (str(meta.get("fingerprint")), meta.get("contract")) == (layout.fingerprint, layout.contract):
            return str(model.get("name"))
    return ""


def _sql(project: Project, ref: str, name: str, yml: Path, layout: Layout) -> str | None:
    """The text of the dbt model of that name: where it is now, beside its yml, or wherever the commit has it."""
    for path in dict.fromkeys((layout.path.with_name(f"{name}.sql"), yml.with_name(f"{name}.sql"))):
        text = history.text_at(project.folder, ref, path)
        if text is not None:
            return text
    paths = history.files_with(project.folder, ref, layout.raw_table, project.folder / "models")
    return next((history.text_at(project.folder, ref, path) for path in paths if path.name == f"{name}.sql"), None)
