"""A Goldsmith project: a dbt project folder, its database, contracts and settings."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from filelock import FileLock, Timeout

from generator.contracts import Contract, load_contracts
from generator.errors import LockedError, UsageError
from generator.sql_functions import create_functions_sql, function_names


@dataclass(frozen=True)
class Project:
    """`folder` is the dbt project, `database` the DuckDB file. `min_confidence` and `max_attempts` are its dbt vars."""

    folder: Path
    database: Path
    contracts: Mapping[str, Contract]
    min_confidence: float
    max_attempts: int

    def contract(self, name: str) -> Contract:
        """The contract of that name. Raises UsageError that lists those there are."""
        if name not in self.contracts:
            raise UsageError(f"there is no contract {name!r}; this project has {', '.join(self.contracts)}")
        return self.contracts[name]

    @property
    def functions_sql(self) -> str:
        """The statements that create the project's SQL functions."""
        return create_functions_sql(self.folder / "macros")

    @property
    def function_names(self) -> frozenset[str]:
        """The names of the project's SQL functions."""
        return function_names(self.folder / "macros")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the database for this run. Raises LockedError, which names the owner, if another run has it.

        The operating system drops the lock when its owner ends, however it ends.
        """
        self.database.parent.mkdir(parents=True, exist_ok=True)
        owner = self.database.with_name(self.database.name + ".owner")
        lock = FileLock(self.database.with_name(self.database.name + ".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            said = owner.read_text(encoding="utf-8") if owner.exists() else "another run"
            raise LockedError(f"{self.database}: in use by {said}; wait for it, or end it") from None
        except OSError as error:
            raise UsageError(f"{lock.lock_file}: {error.strerror}; GOLDSMITH_DB must name a writable place") from None
        try:
            owner.write_text(f"process {os.getpid()} since {time.strftime('%H:%M:%S')}", encoding="utf-8")
            yield
        finally:
            owner.unlink(missing_ok=True)
            lock.release()


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
    )


def _number(variables: Mapping[str, object], name: str, default: float, low: float, high: float, where: Path) -> float:
    value = variables.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"{where}: vars: {name} is {value!r}; it must be a number from {low} to {high}")
    return value
