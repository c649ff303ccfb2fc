"""What goldsmith needs of a dbt project beside contracts: all that it lacks is said at once, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from generator.database.dbt_profile import profile_lacks
from generator.errors import UsageError
from generator.project.project import Project

_MACROS = ("contract", "gold", "layouts", "ledger", "migration", "modes", "raw_tables", "violations")
_ON_RUN_START = ("create_ledger", "create_functions", "create_raw_tables")
_BY_FILE = {
    "materialized": "incremental",
    "incremental_strategy": "append",
    "on_schema_change": "append_new_columns",
    "pre-hook": "forget_stale_files",
    "post-hook": "remember_built_files",
}
# Of the dbt models in each folder: setting -> what it is, or what a hook calls.
_MODELS = {
    "staging": {"schema": "staging", "materialized": "view", "post-hook": "remember_staged_layout"},
    "gold": {"schema": "gold", **_BY_FILE},
    "quarantine": {"schema": "quarantine", **_BY_FILE},
}


def ensure_usable(project: Project) -> Project:
    """The project. Raises UsageError that names all it lacks."""
    config = _mapping(yaml.safe_load((project.folder / "dbt_project.yml").read_text(encoding="utf-8")))
    lacking = [*_macros(project.folder, config), *_settings(config)]
    lacking += filter(None, [profile_lacks(project.folder, project.database)])
    if lacking:
        raise UsageError(
            f"{project.folder}: goldsmith cannot use this dbt project yet; it lacks {'; '.join(lacking)}. "
            "docs/dbt-project.md of the goldsmith repository has all of it, to be copied"
        )
    return project


def _macros(project: Path, config: Mapping[Any, Any]) -> Iterator[str]:
    macros = project / "macros"
    if not macros.is_dir():
        yield "macros/"
        return
    missing = [f"{name}.sql" for name in _MACROS if not (macros / f"{name}.sql").is_file()]
    missing += [] if any(macros.glob("functions/*.sql")) else ["functions/"]
    folders = [project / str(name) for name in _listed(config.get("macro-paths", "macros"))]
    if not any(_defines(path, "generate_schema_name") for folder in folders for path in folder.rglob("*.sql")):
        missing.append("schemas.sql")
    if missing:
        yield f"macros/: {', '.join(missing)}"


def _settings(config: Mapping[Any, Any]) -> Iterator[str]:
    for setting, folder in (("model-paths", "models"), ("macro-paths", "macros")):
        if folder not in _listed(config.get(setting, folder)):
            yield f"dbt_project.yml: {setting}: {folder}"
    calls = str(config.get("on-run-start"))
    if missing := [name for name in _ON_RUN_START if name not in calls]:
        yield f"dbt_project.yml: on-run-start: {', '.join(missing)}"
    models, name = _mapping(config.get("models")), config.get("name")
    own = _mapping(models.get(name))
    if missing := [folder for folder in _MODELS if not own.get(folder)]:
        yield f"dbt_project.yml: models: {name}: {', '.join(missing)}"
    for folder in (f for f in _MODELS if f not in missing):
        found = _in_force(models, own, _mapping(own[folder]))
        if lacking := [f"+{key}: {value}" for key, value in _MODELS[folder].items() if not _is(key, value, found)]:
            yield f"dbt_project.yml: models: {name}: {folder}: {', '.join(lacking)}"


def _in_force(*blocks: Mapping[Any, Any]) -> dict[str, str]:
    """The settings of dbt models as texts; each block is of a folder in the one before. Hooks add up."""
    found = {"materialized": "view"}
    for block in blocks:
        for key, value in block.items():
            name = str(key).removeprefix("+").replace("_hook", "-hook")
            found[name] = f"{found.get(name, '')} {value}" if name.endswith("-hook") else str(value)
    return found


def _is(key: str, value: str, found: Mapping[str, str]) -> bool:
    """Whether a setting has the value, or the hooks the call."""
    return value in found.get(key, "") if key.endswith("-hook") else value == found.get(key)


def _defines(path: Path, macro: str) -> bool:
    return re.search(rf"\bmacro\s+{macro}\b", path.read_text(encoding="utf-8", errors="replace")) is not None


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}
