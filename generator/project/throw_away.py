"""A throw-away copy of the dbt project with a database of its own: what is tried there is tried nowhere else."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import yaml

from generator.database.dbt_profile import follows_environment
from generator.errors import GoldsmithError, UsageError
from generator.project.project import Project

_FILES = ("dbt_project.yml", "profiles.yml", "packages.yml", "dependencies.yml", "selectors.yml")
# Folders that dbt reads: the setting of dbt_project.yml, and what it is where that is silent.
_FOLDERS = {
    "model-paths": "models",
    "macro-paths": "macros",
    "seed-paths": "seeds",
    "snapshot-paths": "snapshots",
    "analysis-paths": "analyses",
    "test-paths": "tests",
    "packages-install-path": "dbt_packages",
}


@contextmanager
def throw_away(project: Project) -> Iterator[Project]:
    """A copy of all that dbt reads, gone when the context ends. Data, archive and build results are not in it.

    UsageError for a profile that does not let GOLDSMITH_DB say where the database is: dbt would write to the real one.
    """
    if not follows_environment(project.folder):
        raise UsageError(
            "profiles.yml: path: must be \"{{ env_var('GOLDSMITH_DB', 'goldsmith.duckdb') }}\"; nothing can be tried in a "
            "throw-away database otherwise"
        )
    with tempfile.TemporaryDirectory(prefix="goldsmith-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder).resolve() / "project"
        copy.mkdir()
        for name in _FILES:
            if (project.folder / name).is_file():
                shutil.copy2(project.folder / name, copy / name)
        for part in _folders(project.folder):
            shutil.copytree(project.folder / part, copy / part, dirs_exist_ok=True)
        try:
            yield replace(project, folder=copy, database=copy / "throw_away.duckdb", archive_at="archive")
        except GoldsmithError as error:
            # Nobody but us has ever seen the copy.
            error.args = (str(error).replace(str(copy), str(project.folder)),)
            raise


def shared_parts(project: Path) -> list[Path]:
    """The files and folders that serve all dbt models, whether they are there or not: settings, macros and packages."""
    folders = [folder for setting in ("macro-paths", "packages-install-path") for folder in _named(project, setting)]
    return [*(project / name for name in _FILES), *folders]


def _folders(project: Path) -> list[Path]:
    """The folders that dbt reads, relative to the project; none outside it."""
    named = (folder.resolve() for setting in _FOLDERS for folder in _named(project, setting))
    return [f.relative_to(project) for f in named if f.is_dir() and f != project and f.is_relative_to(project)]


def _named(project: Path, setting: str) -> list[Path]:
    """The folders that a setting of dbt_project.yml names."""
    config = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8")) or {}
    named = config.get(setting, _FOLDERS[setting])
    return [project / str(name) for name in (named if isinstance(named, list) else [named])]
