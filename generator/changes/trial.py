"""What contracts, as they are written now, make of the loaded rows: built by dbt in a throw-away project, and counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from generator.database.dbt_runner import run_dbt
from generator.database.ledger import Connection, connect, has_database, patiently, read_files
from generator.errors import UsageError
from generator.matcher.expressions import identifier, literal
from generator.outcome import Progress
from generator.project.layouts import Layout
from generator.project.project import Project
from generator.project.staging_files import write_contract_models
from generator.project.throw_away import throw_away
from generator.project.versions import wanted_version
from generator.run.counts import Counts, built_contracts, built_files, count_files


@dataclass(frozen=True)
class Rows:
    """Source rows of a layout's files by where they are, as `counts` counts them; how often each reason is given."""

    gold: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Tried:
    """The loaded rows of a layout: in the database as it is, None where nothing was built; and under the new contract,
    None where dbt cannot build that.
    """

    files: int
    loaded: int
    before: Rows | None
    after: Rows | None


@dataclass(frozen=True)
class Trial:
    """By dbt model, for layouts with loaded files. `failures`: contract -> what dbt says where its gold cannot be built."""

    layouts: Mapping[str, Tried] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


def try_contracts(project: Project, layouts: Sequence[Layout], progress: Progress) -> Trial:
    """Build the contracts of these layouts on all their loaded rows; nothing of the project or its database is written.

    Raises GoldsmithError for a project that dbt cannot run, LockedError if another program keeps the database.
    """
    if not has_database(project.database) or not layouts:
        return Trial()
    with throw_away(project) as copy:
        progress("copy loaded rows", 0, None)
        files, before = _take_rows(project, copy, layouts)
        used = [x for x in layouts if files.get(x.dbt_model)]
        if not used:
            return Trial()
        write_contract_models(copy.folder, sorted({x.contract for x in used}), used)
        failures = _build(copy, used, progress)
        with connect(copy.database, copy.folder) as connection:
            after = _counted(connection, used, files)
            loaded = {r.file_id: r.rows_loaded for r in read_files(connection)}
    found = {
        x.dbt_model: Tried(
            len(files[x.dbt_model]),
            sum(loaded[f] for f in files[x.dbt_model]),
            before.get(x.dbt_model),
            None if x.contract in failures else after.get(x.dbt_model),
        )
        for x in used
    }
    return Trial(found, failures)


def loaded_rows(project: Project, layouts: Sequence[Layout]) -> dict[str, Tried]:
    """Where the loaded rows of these layouts are, and stay, by dbt model: of contracts that are not built any more."""
    if not has_database(project.database) or not layouts:
        return {}
    with connect(project.database, project.folder) as connection:
        rows = read_files(connection, "state in ('mapped', 'blocked')")
        mine = {
            x.dbt_model: [r for r in rows if (r.raw_table, r.contract) == (x.raw_table, x.contract)] for x in layouts
        }
        now = _counted(connection, layouts, {name: [r.file_id for r in listed] for name, listed in mine.items()})
    return {
        name: Tried(len(listed), sum(r.rows_loaded for r in listed), now.get(name), now.get(name))
        for name, listed in mine.items()
        if listed
    }


def unbuilt_contracts(project: Project, layouts: Sequence[Layout]) -> frozenset[str]:
    """The contracts of which gold and quarantine are not what the contract and these layouts, as they are now, make."""
    if not has_database(project.database):
        return frozenset()
    with connect(project.database, project.folder) as connection:
        built = built_files(connection)
        versions: dict[tuple[str, str | None], set[str | None]] = defaultdict(set)
        for row in read_files(connection, "state = 'mapped'"):
            versions[row.raw_table, row.contract].add(built.get(row.file_id))
    used = [x for x in layouts if (x.raw_table, x.contract) in versions]
    return frozenset(x.contract for x in used if versions[x.raw_table, x.contract] != {wanted_version(project, x)})


def _take_rows(
    project: Project, copy: Project, layouts: Sequence[Layout]
) -> tuple[dict[str, list[str]], dict[str, Rows]]:
    """Copy the raw rows of these layouts with their files; returns the files of each, and where their rows are now."""
    files: dict[str, list[str]] = {}
    with connect(copy.database, copy.folder) as connection:
        attach = f"attach {literal(str(project.database))} as loaded (read_only)"
        patiently(project.database, lambda: connection.execute(attach))
        for layout in layouts:
            connection.execute(
                "insert into raw._files by name select * from loaded.raw._files "
                "where raw_table = ? and contract = ? and state = 'mapped'",
                [layout.raw_table, layout.contract],
            )
            mine = read_files(connection, "raw_table = ? and contract = ?", layout.raw_table, layout.contract)
            files[layout.dbt_model] = [row.file_id for row in mine]
        for table in sorted({x.raw_table for x in layouts if files[x.dbt_model]}):
            name = f"raw.{identifier(table)}"
            try:
                connection.execute(
                    f"create table {name} as select * from loaded.{name} where _file_id in (select file_id from raw._files)"
                )
            except duckdb.CatalogException:
                advice = "goldsmith rebuild makes the database again from the archive"
                raise UsageError(f"{project.database}: {name} is missing, and files are in it; {advice}") from None
        home = connection.execute("select current_database()").fetchone() or ("",)
        connection.execute("use loaded")
        before = _counted(connection, layouts, files)
        connection.execute(f"use {identifier(home[0])}")
        connection.execute("detach loaded")
    return files, before


def _build(copy: Project, layouts: Sequence[Layout], progress: Progress) -> dict[str, str]:
    """dbt for these layouts and what stands on them; contract -> what failed of it."""
    done: list[str] = []

    def on_node(name: str) -> None:
        done.append(name)
        progress(f"dbt {name}", len(done), None)

    contracts = sorted({x.contract for x in layouts})
    nodes = [x.dbt_model for x in layouts]
    nodes += [n for c in contracts for n in (f"stg_{c}", c, f"quarantine_{c}")]
    progress("dbt run", 0, None)
    failed = [r for r in run_dbt(copy.folder, copy.database, ["run", "--select", *nodes], on_node) if r.failed]
    of = {x.dbt_model: x.contract for x in layouts}
    of |= {n: c for c in contracts for n in (f"stg_{c}", c, f"quarantine_{c}")}
    return {
        of[r.name]: f"dbt {r.resource_type} {r.name}: {r.message or r.status}" for r in reversed(failed) if r.name in of
    }


def _counted(connection: Connection, layouts: Sequence[Layout], files: Mapping[str, Sequence[str]]) -> dict[str, Rows]:
    """Where the rows of each layout are, for those whose contract is built in this database."""
    built = built_contracts(connection)
    found: dict[str, Rows] = {}
    for contract in {x.contract for x in layouts} & built:
        mine = [x for x in layouts if x.contract == contract]
        counts = count_files(connection, contract, [f for x in mine for f in files[x.dbt_model]])
        found |= {x.dbt_model: _summed([counts[f] for f in files[x.dbt_model]]) for x in mine if files[x.dbt_model]}
    return found


def _summed(counts: Sequence[Counts]) -> Rows:
    kinds, reasons = Counter[str](), Counter[str]()
    for one in counts:
        kinds.update(one.kinds)
        reasons.update(dict(one.reasons))
    return Rows(sum(c.gold - c.both for c in counts), dict(kinds), dict(reasons))
