"""A Goldsmith project: a dbt project folder, its database, contracts and settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

import yaml

from generator.budget import Limits, Price
from generator.contracts.contract import Contract, load_contracts
from generator.database.dbt_profile import named_database
from generator.database.sql_functions import create_functions_sql, function_names
from generator.errors import UsageError
from generator.intake.archive import Archive, open_archive
from generator.matcher.request import Privacy
from generator.project.layouts import Layout


@dataclass(frozen=True)
class Project:
    """`folder` is the dbt project, `database` the DuckDB file; what follows the contracts are its dbt vars.

    `hold_unreviewed`: whether a layout waits for its approval. `at_once`: how many layouts an LLM may be asked about at
    the same time. `prices`: LLM -> its price, where the project names one.
    """

    folder: Path
    database: Path
    contracts: Mapping[str, Contract]
    min_confidence: float
    hold_unreviewed: bool
    max_attempts: int
    archive_at: str
    privacy: Privacy
    at_once: int
    limits: Limits
    prices: Mapping[str, Price]

    def contract(self, name: str) -> Contract:
        """The contract of that name. Raises UsageError that lists those there are."""
        if name not in self.contracts:
            raise UsageError(f"there is no contract {name!r}; this project has {', '.join(self.contracts)}")
        return self.contracts[name]

    def held_because(self, layout: Layout, contract: Contract) -> str:
        """Why a layout of a contract is held out of gold under the project's settings, '' if it is not."""
        return layout.held_because(contract, self.min_confidence, hold_unreviewed=self.hold_unreviewed)

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
    variables = _variables(config) if isinstance(config, dict) else {}
    named = environ.get("GOLDSMITH_DB")
    database = Path(named).absolute() if named else folder / (named_database(folder) or "goldsmith.duckdb")
    if database.is_dir():
        raise UsageError(f"{database}: is a folder; GOLDSMITH_DB must name a file")
    return Project(
        folder=folder,
        database=database,
        contracts=load_contracts(folder / "models" / "gold"),
        min_confidence=float(_number(variables, "min_confidence", 0.6, 0, 1, config_path)),
        hold_unreviewed=_choice(variables, "unreviewed_layouts", ("gold", "hold"), config_path) == "hold",
        max_attempts=int(_number(variables, "max_attempts", 3, 1, 10, config_path)),
        archive_at=_text(variables, "archive", "archive", config_path),
        privacy=_choice(variables, "llm_privacy", get_args(Privacy), config_path),
        at_once=int(_number(variables, "llm_at_once", 4, 1, 32, config_path)),
        limits=_limits(variables, config_path),
        prices=_prices(variables, config_path),
    )


def _variables(config: Mapping[str, Any]) -> Mapping[str, object]:
    """dbt's vars: those under the project's name before those of all packages."""
    variables = config.get("vars") or {}
    own = variables.get(config.get("name")) or {}
    return {**variables, **own}


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


def _choice(variables: Mapping[str, object], name: str, choices: tuple[Any, ...], where: Path) -> Any:
    """One of the choices; the first of them is the default."""
    value = variables.get(name, choices[0])
    if value not in choices:
        listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise UsageError(f"{where}: vars: {name} is {value!r}; it must be {listed}")
    return value


def _limits(variables: Mapping[str, object], where: Path) -> Limits:
    """`llm_limits`: what is not named keeps its default; null is no limit."""
    names = [f.name for f in fields(Limits)]
    given = _block(variables.get("llm_limits"), "llm_limits", names, where)
    for name, value in given.items():
        if value is not None:
            _amount(value, f"llm_limits: {name}", where, whole=name.startswith("tokens"))
    return Limits(**given)


def _prices(variables: Mapping[str, object], where: Path) -> dict[str, Price]:
    """`llm_prices`: LLM -> {input, output} in US dollars for a million tokens."""
    found = {}
    for llm, price in _block(variables.get("llm_prices"), "llm_prices", None, where).items():
        name = f"llm_prices: {llm}"
        given = _block(price, name, ["input", "output"], where)
        found[llm] = Price(*(_amount(given.get(part), f"{name}: {part}", where) for part in ("input", "output")))
    return found


def _block(value: object, name: str, keys: list[str] | None, where: Path) -> dict[str, Any]:
    """A mapping of the settings, {} where it is missing; `keys` are those it may have (None: any text)."""
    if not isinstance(value, dict | None):
        raise UsageError(f"{where}: vars: {name} is {value!r}; it must be a block of `name: value` lines")
    for key in value or {}:
        if not isinstance(key, str) or (keys is not None and key not in keys):
            advice = f"there are {', '.join(keys)}" if keys else "the name of an LLM is a text, in quotes"
            raise UsageError(f"{where}: vars: {name}: {key!r} is not known; {advice}")
    return value or {}


def _amount(value: object, name: str, where: Path, whole: bool = False) -> float:
    """A number from 0 on."""
    number = None if isinstance(value, bool) or (whole and isinstance(value, float)) else value
    if isinstance(number, (int, float)) and 0 <= number < math.inf:
        return number
    kind = "a whole number" if whole else "a number"
    raise UsageError(f"{where}: vars: {name} is {value!r}; it must be {kind} from 0 on")
