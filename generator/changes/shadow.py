"""A shadow run: two versions of a dbt model built by dbt on the loaded rows, in a throw-away project, and compared.

Nothing of the real project is touched: its database is read, the rows of one layout are copied. dbt itself builds
staging, gold and quarantine of each version, so that people's macros, the contract's checks and keys count as they do in
earnest. Only the review does not: both versions are built as approved, for the question is what they make of the rows.
Keys are compared within the layout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import yaml

from generator.changes.comparing import Side, compare
from generator.contracts.contract import contract_files
from generator.database.dbt_runner import run_dbt
from generator.database.ledger import connect, has_database, patiently
from generator.difference import Difference
from generator.errors import DiskFullError, GoldsmithError, LockedError, UsageError
from generator.matcher.expressions import identifier, literal
from generator.project.layouts import Layout
from generator.project.project import Project
from generator.project.pruning import prune
from generator.project.throw_away import throw_away
from generator.visible import plain
from generator.yml.writing import entries, meta_of

_TESTS = ("test", "unit_test")


@dataclass(frozen=True)
class Version:
    """A dbt model as texts: its SQL, the yml that describes it (maybe others, too), and the yml of its contract where that
    is not the project's. `label` names the version.
    """

    label: str
    sql: str
    yml: str
    contract_yml: str | None = None


def shadow_run(project: Project, layout: Layout, before: Version, after: Version) -> Difference:
    """What two versions of a layout's dbt model make of its loaded rows.

    Raises GoldsmithError where a version does not build, UsageError where its yml does not describe the dbt model or
    nothing is loaded, LockedError if another program keeps the database.
    """
    try:
        return _shadow_run(project, layout, before, after, alone=True)
    except UsageError:
        # Something that a person wrote may read another layout.
        return _shadow_run(project, layout, before, after, alone=False)


def shadow_run_or_why(
    project: Project, layout: Layout, before: Version, after: Version
) -> tuple[Difference | None, str]:
    """The same, or why the versions cannot be compared. Raises LockedError and DiskFullError, which say nothing of them."""
    try:
        return shadow_run(project, layout, before, after), ""
    except (LockedError, DiskFullError):
        raise
    except GoldsmithError as error:
        return None, str(error)


def _shadow_run(project: Project, layout: Layout, before: Version, after: Version, *, alone: bool) -> Difference:
    """The same, with no other layout in the throw-away project, or with all."""
    sides = (Side(before.label, "shadow_before"), Side(after.label, "shadow_after"))
    with throw_away(project) as copy:
        _take_rows(project, copy, layout)
        if alone:
            prune(copy, {layout.dbt_model})
        for side, version in zip(sides, (before, after), strict=True):
            _put(project, copy, layout, version)
            _build(copy, layout, version)
            _set_aside(copy, layout, side.schema)
        failed = _failed_tests(copy, layout) if _has_tests(after, layout) else ()
        with connect(copy.database, copy.folder) as connection:
            return replace(compare(connection, layout.dbt_model, layout.contract, *sides), failed_tests=failed)


def _take_rows(project: Project, copy: Project, layout: Layout) -> None:
    """Copy the layout's raw rows, and what the ledger says of their files."""
    advice = f"no rows of {layout.dbt_model} are loaded, so there is nothing to compare; goldsmith run FILE loads some"
    if not has_database(project.database):
        raise UsageError(advice)
    table = f"raw.{identifier(layout.raw_table)}"
    with connect(copy.database, copy.folder) as connection:
        attach = f"attach {literal(str(project.database))} as loaded (read_only)"
        patiently(project.database, lambda: connection.execute(attach))
        try:
            connection.execute(
                "insert into raw._files by name select * from loaded.raw._files where raw_table = ? and contract = ?",
                [layout.raw_table, layout.contract],
            )
            connection.execute(
                f"create table {table} as select * from loaded.{table} "
                "where _file_id in (select file_id from raw._files) order by _file_id, _source_row"
            )
        except duckdb.CatalogException:
            raise UsageError(advice) from None
        if not connection.execute("select 1 from raw._files").fetchall():
            raise UsageError(advice)
        connection.execute("detach loaded")


def _put(project: Project, copy: Project, layout: Layout, version: Version) -> None:
    """Make the throw-away project have this version of the dbt model, and no other."""
    sql, yml = (copy.folder / path.relative_to(project.folder) for path in (layout.path, layout.yml))
    sql.write_text(version.sql, encoding="utf-8", newline="")
    own = _only(version, layout)
    rest = _without(yaml.safe_load(yml.read_text(encoding="utf-8")), layout)
    yml.write_text(_dumped(rest), encoding="utf-8")
    yml.with_name(f"{layout.dbt_model}.shadow.yml").write_text(_dumped(own), encoding="utf-8")
    if version.contract_yml is not None:
        for path in contract_files(copy.folder / "models" / "gold"):
            if layout.contract in _names(yaml.safe_load(path.read_text(encoding="utf-8"))):
                path.write_text(version.contract_yml, encoding="utf-8", newline="")


def _only(version: Version, layout: Layout) -> dict[str, Any]:
    """What a version's yml says of the dbt model and of its raw table, approved. It is known by its fingerprint."""
    try:
        document = yaml.safe_load(version.yml)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise UsageError(f"{version.label}: line {line} of the yml is not valid YAML; correct it") from None
    for model in entries(document, "models"):
        meta = meta_of(model)
        if model.get("name") == layout.dbt_model or meta.get("fingerprint") == layout.fingerprint:
            meta.update(review="approved", questions=[])
            meta.pop("reviewed", None)
            return {"models": [{**model, "name": layout.dbt_model}], "sources": _sources(document, _is_raw(layout))}
    raise UsageError(f"{version.label}: its yml does not describe {layout.dbt_model}")


def _without(document: Any, layout: Layout) -> dict[str, Any]:
    """The project's yml without the dbt model and its raw table."""
    is_raw = _is_raw(layout)
    models = [model for model in entries(document, "models") if model.get("name") != layout.dbt_model]
    return {**document, "models": models, "sources": _sources(document, lambda *names: not is_raw(*names))}


def _is_raw(layout: Layout) -> Callable[[object, object], bool]:
    return lambda source, table: (source, table) == ("raw", layout.raw_table)


def _sources(document: Any, wanted: Callable[[object, object], bool]) -> list[dict[str, Any]]:
    """The sources of a yml with those of their tables that are wanted."""
    found = [
        {**source, "tables": [t for t in entries(source, "tables") if wanted(source.get("name"), t.get("name"))]}
        for source in entries(document, "sources")
    ]
    return [source for source in found if source["tables"]]


def _names(document: Any) -> list[object]:
    return [model.get("name") for model in entries(document, "models")]


def _dumped(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def _build(copy: Project, layout: Layout, version: Version) -> None:
    """dbt for the dbt model and all that it reads, gold and quarantine; no test stops it."""
    nodes = [f"+{layout.dbt_model}", layout.contract, f"quarantine_{layout.contract}"]
    options = [word for kind in _TESTS for word in ("--exclude-resource-type", kind)] + ["--no-write-json"]
    try:
        results = run_dbt(copy.folder, copy.database, ["build", "--select", *nodes, *options])
    except UsageError as error:
        raise UsageError(f"{version.label}: {error}") from None
    failures = [f"{result.name}: {result.message}" for result in results if result.failed]
    if failures:
        raise GoldsmithError(f"{version.label}: dbt cannot build {plain(failures[0], 1500)}")


def _has_tests(version: Version, layout: Layout) -> bool:
    """Whether its yml has tests of the dbt model or its columns."""
    models = entries(_only(version, layout), "models")
    described = [*models, *(column for model in models for column in entries(model, "columns"))]
    return any(one.get(key) for one in described for key in ("data_tests", "tests"))


def _failed_tests(copy: Project, layout: Layout) -> tuple[str, ...]:
    """What dbt says of tests of the dbt model, as it was built last, that fail; those that ask others, too, are left out."""
    command = ["test", "--select", layout.dbt_model, "--indirect-selection", "cautious", "--no-write-json"]
    results = run_dbt(copy.folder, copy.database, command)
    return tuple(f"{r.name}: {r.message or r.status}" for r in results if r.failed)


def _set_aside(copy: Project, layout: Layout, schema: str) -> None:
    """Keep gold and quarantine of the version that was built, and leave nothing of them for the next one."""
    with connect(copy.database, copy.folder) as connection:
        connection.execute(f"create schema {schema}")
        for built in ("gold", "quarantine"):
            table = f"{built}.{identifier(layout.contract)}"
            connection.execute(f"create table {schema}.{built} as select * from {table}")
            connection.execute(f"drop table {table}")
        connection.execute("delete from raw._built; delete from raw._staged")
