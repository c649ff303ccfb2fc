"""What dbt's profile says of the database: where it is written, and how much memory and disk DuckDB may take."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from generator.errors import UsageError

# What our own connections take over of `settings` and `config_options`: DuckDB's bounds.
_BOUNDS = ("memory_limit", "max_memory", "threads", "temp_directory", "max_temp_directory_size")


def profiles_folder(project: Path) -> Path:
    """The folder of profiles.yml: the project, or dbt's own ~/.dbt. Raises UsageError if it is in neither."""
    if (project / "profiles.yml").exists():
        return project
    home = Path(os.environ.get("DBT_PROFILES_DIR", Path.home() / ".dbt"))
    if (home / "profiles.yml").exists():
        return home
    raise UsageError(f"{project / 'profiles.yml'}: missing; copy it from the goldsmith repository")


def bounds(project: Path) -> dict[str, str]:
    """DuckDB's settings for memory, threads and temporary files in the profile's target, as text.

    Nothing where there is no such profile: to say so is for dbt, and most commands do without it.
    """
    target = _target(project)
    given = {**_mapping(target.get("config_options")), **_mapping(target.get("settings"))}
    return {name: _rendered(given[name]) for name in _BOUNDS if name in given}


def follows_environment(project: Path) -> bool:
    """Whether dbt writes to the database that GOLDSMITH_DB names; so, too, where the profile cannot be read."""
    path = _target(project).get("path")
    return path is None or re.search(r"env_var\(\s*['\"]GOLDSMITH_DB['\"]", str(path)) is not None


def names_database(project: Path, database: Path) -> bool:
    """Whether the profile, as the environment is, names this database by itself: relative to where we are, as for dbt."""
    path = _target(project).get("path")
    return path is not None and Path(_rendered(path)).absolute() == database


def named_database(project: Path) -> Path | None:
    """The file that the profile, as the environment is, names; None where there is no profile, or no file in it."""
    path = _target(project).get("path")
    named = "" if path is None else _rendered(path)
    return None if re.match(r"$|:memory:|md:|motherduck:", named) else Path(named)


def profile_lacks(project: Path, database: Path) -> str:
    """What a profile must have for dbt to write to this database, '' if it has it."""
    try:
        profiles = profiles_folder(project) / "profiles.yml"
    except UsageError as error:
        return str(error)
    if _target(project).get("type") != "duckdb":
        return f"{profiles}: a target of type duckdb, in the profile that dbt_project.yml names"
    named = named_database(project)
    if named and (follows_environment(project) or names_database(project, database)):
        return ""
    file = named.name if named else "goldsmith.duckdb"
    return f"{profiles}: path: \"{{{{ env_var('GOLDSMITH_DB', '{file}') }}}}\""


def _target(project: Path) -> dict[Any, Any]:
    """The profile's target, as it is written; {} where there is none."""
    try:
        profile = _mapping(yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))).get("profile")
        profiles = yaml.safe_load((profiles_folder(project) / "profiles.yml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UsageError):
        return {}
    found = _mapping(_mapping(profiles).get(profile))
    return _mapping(_mapping(found.get("outputs")).get(_rendered(found.get("target", "default"))))


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _rendered(value: object) -> str:
    """A value of profiles.yml, which may ask for environment variables. Raises UsageError for one that is not set."""
    environment = SandboxedEnvironment(autoescape=False)
    environment.filters |= dict.fromkeys(("as_number", "as_text", "as_native"), str)
    try:
        return environment.from_string(str(value)).render(env_var=_env_var)
    except TemplateError as error:
        raise UsageError(f"profiles.yml: {value}: {error}") from None


def _env_var(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise UsageError(f"profiles.yml: the environment variable {name} is not set")
    return value
