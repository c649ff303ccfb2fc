"""Contracts that go elsewhere or come from there, as files of the Open Data Contract Standard (ODCS)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from generator.contracts.contract import contract_files, load_contracts, parse_contracts
from generator.contracts.odcs import from_odcs, missing, not_enforced, to_odcs
from generator.errors import UsageError
from generator.project.layouts import read_layouts
from generator.project.project import Project
from generator.project.staging_files import write_contract_models
from generator.visible import plain
from generator.yml.writing import dump_yml, load_yml

MISSING = "the package of the standard is missing: pip install 'goldsmith-csv[odcs]'"
# No contract is so large; a small file of YAML can stand for one that fills the memory.
_LARGEST = 1_000_000
# The settings of dbt that an imported contract may bring along.
_CONFIG = {"contract", "meta", "tags", "group", "access", "docs"}
GOLD_SQL = "{{ gold_rows() }}\n"


@dataclass(frozen=True)
class Imported:
    """What an import has written: contract -> its yml. `idle` is what was kept of the document and is not acted on, `sql`
    what dbt will run of it as it stands, `missing` what the standard wants and it does not say.
    """

    contracts: Mapping[str, Path]
    idle: tuple[str, ...]
    sql: tuple[str, ...]
    missing: tuple[str, ...]


def export_contract(project: Project, name: str) -> str:
    """A contract as the text of an ODCS document. Raises UsageError for a name that no contract has."""
    project.contract(name)
    document = to_odcs(_model(project, name))
    _validated(document, f"contract {name}")
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet. Raises UsageError where it is, or cannot be written."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{path}: is there already, and nothing is overwritten; delete it or name another file"
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a file that can be written") from None


def import_contracts(folder: Path, path: Path) -> Imported:
    """Write each contract of an ODCS document to models/gold of a dbt project, with what dbt needs beside it. It may be the
    first one there.

    Raises UsageError for a document that is not of the standard, that has no contract in it, or one that is there already;
    then nothing is written.
    """
    document = _read(path)
    _validated(document, str(path))
    gold = folder / "models" / "gold"
    if not (folder / "dbt_project.yml").is_file():
        raise UsageError(f"{folder}: no dbt project; run in a Goldsmith project or give --project-dir")
    known = load_contracts(gold) if contract_files(gold) else {}
    try:
        models = from_odcs(document)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    texts = {str(model["name"]): dump_yml({"models": [model]}) for model in models}
    if len(texts) < len(models):
        raise UsageError(f"{path}: two objects of its `schema:` have the same name; rename one")
    sql = [text for model in models for text in _sql_of(model, path)]
    for name, text in texts.items():
        if not parse_contracts(text, str(path)):
            raise UsageError(f"{path}: {name}: its dbt contract is not enforced, so it is no contract of gold")
        there = [p for suffix in ("yml", "yaml", "sql") if (p := gold / f"{name}.{suffix}").exists()]
        if name in known or there:
            where = there[0] if there else "another file of models/gold"
            raise UsageError(
                f"{path}: contract {name} is there already, in {where}; rename the one or delete the other"
            )
        _ensure_free(folder, name, path)
    gold.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        # The yml comes last: only with it there is a contract.
        write_new(gold / f"{name}.sql", GOLD_SQL)
        write_new(gold / f"{name}.yml", text)
    write_contract_models(folder, list(texts), read_layouts(folder))
    written = {name: gold / f"{name}.yml" for name in texts}
    return Imported(written, tuple(not_enforced(document)), tuple(sql), tuple(missing(document)))


def _ensure_free(folder: Path, name: str, path: Path) -> None:
    """Raises UsageError where a contract and what it has beside gold would have the name of another dbt model: dbt runs no
    project with two of one name.
    """
    if name.startswith(("stg_", "quarantine_")):
        raise UsageError(f"{path}: {name}: names that begin with stg_ or quarantine_ are taken; rename the object")
    models = folder / "models"
    own = {models / "staging" / f"stg_{name}.sql", models / "quarantine" / f"quarantine_{name}.sql"}
    for wanted in (name, f"stg_{name}", f"quarantine_{name}"):
        for there in models.rglob(f"{wanted}.sql"):
            if there not in own:
                raise UsageError(f"{path}: {name}: {there} is a dbt model of the name {wanted}; rename one")


def _model(project: Project, name: str) -> Mapping[str, Any]:
    """The dbt model of a contract as its yml has it."""
    gold = project.folder / "models" / "gold"
    for path in contract_files(gold):
        for model in (load_yml(path.read_text(encoding="utf-8")) or {}).get("models", []):
            if isinstance(model, dict) and model.get("name") == name:
                return model
    raise UsageError(f"{gold}: contract {name} was there a moment ago, and is gone")


def _sql_of(model: Mapping[str, Any], path: Path) -> Iterator[str]:
    """What of a dbt model from elsewhere is run as SQL: expressions, and the arguments of data tests.

    Raises UsageError for settings of dbt that are no part of a contract: hooks would run whatever they say.
    """
    for node in (model, *model["columns"]):
        place = node["name"] if node is model else f"{model['name']}.{node['name']}"
        if strange := sorted(map(str, set(node.get("config") or {}) - _CONFIG)):
            raise UsageError(f"{path}: {place}: config.{strange[0]} is no part of a contract; take it out")
        for constraint in node.get("constraints") or []:
            if isinstance(constraint, dict) and constraint.get("expression"):
                yield f"{place}: {constraint['expression']}"
        for test in node.get("data_tests") or []:
            if isinstance(test, dict) and list(test) != ["accepted_values"]:
                yield f"{place}: data test {next(iter(test), '')}"


def _read(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
        if len(data) > _LARGEST:
            raise UsageError(f"{path}: is larger than {_LARGEST:,} bytes; no data contract is")
        document = yaml.safe_load(data.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a file of the Open Data Contract Standard") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8: byte {error.start}; save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise UsageError(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML; correct the line") from None
    except RecursionError:
        raise UsageError(f"{path}: is nested too deeply; no data contract is") from None
    if not isinstance(document, dict) or document.get("kind") != "DataContract":
        raise UsageError(f"{path}: no data contract: it must say `kind: DataContract`, as the standard's documents do")
    version = document.get("apiVersion")
    if version is not None and not str(version).startswith("v3."):
        raise UsageError(f"{path}: is of version {plain(str(version))!r} of the standard; only v3 is understood")
    if _extent(document) > _LARGEST:
        raise UsageError(f"{path}: its references to itself (&, *) stand for too much; write it out")
    return document


def _extent(value: Any) -> int:
    """How many values there are in a document, references counted as what they stand for; no more than a few too many."""
    number, left = 0, [value]
    while left and number <= _LARGEST:
        number += 1
        one = left.pop()
        left += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return number


def _validated(document: Mapping[str, Any], where: str) -> None:
    """Raises UsageError for a document that is not of the standard's form."""
    try:
        from open_data_contract_standard.model import OpenDataContractStandard
    except ImportError:
        raise UsageError(MISSING) from None
    try:
        OpenDataContractStandard.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = plain(".".join(map(str, first["loc"])))
        raise UsageError(
            f"{where}: not of the Open Data Contract Standard: {place}: {plain(first['msg'].lower())}"
        ) from None
