"""A Goldsmith project: a dbt project folder, its database, contracts and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from generator.archive import Archive, open_archive
from generator.contracts import Contract, load_contracts
from generator.errors import UsageError
from generator.sql_functions import create_functions_sql, function_names


@dataclass(frozen=True)
class Project:
    """`folder` is the dbt project, `database` the DuckDB file; the last three are its dbt vars."""

    folder: Path
    database: Path
    contracts: Mapping[str, Contract]
    min_confidence: float
    max_attempts: int
    archive_at: str

    def contract(self, name: str) -> Contract:
        """The contract of that name. Raises UsageError that lists those there are."""
        if name not in self.contracts:
            raise UsageError(f"there is no contract {name!r}; this project has {', '.join(self.contracts)}")
        return self.contracts[name]

    @property
    def archive(self) -> Archive:
        """The archive of originals. Raises UsageError for a URL that cannot be used."""
        return open_archive(self.archive_at, self.folder, self.database)

    @property
    def functions_sql(self) -> str:
        """The statements that create the project's SQL functions."""
        return create_functions_sql(self.folder / "macros")

    @property
    def function_names(self) -> frozenset[str]:
        """The names of the project's SQL functions."""
        return function_names(self.folder / "macros")


def open_project(folder: Path, environ: Mapping[str, str]) -> Project:
    """The project in a folder. Raises UsageError for a folder, setting or contract that is not right."""
    config_path = folder / "dbt_project.yml"
    try:
        config = yaml.safe_load(config_path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise UsageError(f"{config_path}: {error.strerror}; run in a Goldsmith project or give --project-dir") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise UsageError(f"{config_path}:{mark.line + 1 if mark else 1}: not valid YAML; correct the line") from None
    folder = folder.resolve()
    variables = config.get("vars") or {} if isinstance(config, dict) else {}
    named = environ.get("GOLDSMITH_DB")
    database = Path(named).absolute() if named else folder / "goldsmith.duckdb"
    if database.is_dir():
        raise UsageError(f"{database}: is a folder; GOLDSMITH_DB must name a file")
    return Project(
        folder=folder,
        database=database,
        contracts=load_contracts(folder / "models" / "gold"),
        min_confidence=float(_number(variables, "min_confidence", 0.6, 0, 1, config_path)),
        max_attempts=int(_number(variables, "max_attempts", 3, 1, 10, config_path)),
        archive_at=_text(variables, "archive", "archive", config_path),
    )


def _number(variables: Mapping[str, object], name: str, default: float, low: float, high: float, where: Path) -> float:
    value = variables.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"{where}: vars: {name} is {value!r}; it must be a number from {low} to {high}")
    return value


def _text(variables: Mapping[str, object], name: str, default: str, where: Path) -> str:
    value = variables.get(name, default)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where}: vars: {name} is {value!r}; it must be a folder or s3://BUCKET/PREFIX")
    return value.strip()
