"""The path of a file, on one screen: intake, load, map, build, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from generator.dbt_runner import run_dbt
from generator.errors import GoldsmithError, UsageError
from generator.fingerprint import fingerprint
from generator.intake import Incoming, find_files, keep_original, sha256
from generator.layouts import Layout, find_layout, read_layouts, write_contract_models
from generator.ledger import Connection, LedgerRow, connect, read_files
from generator.load import load_file, read_incoming
from generator.mapping import Mapped, map_file
from generator.outcome import FileOutcome, RunOutcome
from generator.project import Project
from generator.providers import Provider
from generator.render import LayoutName
from generator.results import (
    built_contracts,
    built_files,
    file_outcome,
    layout_outcomes,
    loaded_outcome,
    previews,
    staged_names,
)


class Progress(Protocol):
    """Where the steps say what they are at; `total` is the number of steps, where it is known."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


def run(
    project: Project,
    paths: Sequence[str],
    contract: str | None,
    source: str | None,
    provider: Provider,
    progress: Progress,
    notices: Sequence[str] = (),
) -> RunOutcome:
    """The main job: everything that is new becomes gold, or is said to be held, blocked or refused."""
    with project.lock():
        write_contract_models(project.folder, list(project.contracts), read_layouts(project.folder))
        outcomes, mapped = _take_in_and_map(project, paths, contract, source, provider, progress)
        failures = _build(project, mapped, progress)
        return _outcome(project, outcomes, mapped, failures, notices)


def everything(project: Project) -> RunOutcome:
    """All files that were ever loaded, as the database has them now."""
    with connect(project.database, project.folder) as connection:
        cached = _cached_tables(project)
        rows = [_as_cached(row, cached) for row in read_files(connection)]
        built = built_contracts(connection) & project.contracts.keys()
        in_gold = built_files(connection)
        files = []
        for row in rows:
            layout = cached.get((row.raw_table, row.contract))
            if layout and layout.contract in built and row.file_id in in_gold and row.state == "mapped":
                files.append(file_outcome(connection, project, row, Mapped(layout, "cached")))
            else:
                files.append(loaded_outcome(row))
    used = [x for x in cached.values() if x.raw_table in {r.raw_table for r in rows}]
    gold, quarantine = previews(project, built)
    return RunOutcome(
        files=tuple(files), layouts=tuple(layout_outcomes(project, used)), gold=gold, quarantine=quarantine
    )


def load(
    project: Project, paths: Sequence[str], contract: str | None, source: str | None, progress: Progress
) -> RunOutcome:
    """Steps 1 to 4: files into raw; nothing is mapped."""
    with project.lock():
        outcomes = []
        incoming = find_files(project.folder, paths, contract, source, list(project.contracts))
        for number, file in enumerate(incoming):
            progress(f"load {file.name}", number, len(incoming))
            taken = _take_in(project, file)
            outcomes.append(loaded_outcome(taken) if isinstance(taken, LedgerRow) else taken)
        return RunOutcome(files=tuple(outcomes))


def generate_loaded(project: Project, contract: str | None, provider: Provider, progress: Progress) -> RunOutcome:
    """Steps 5 to 9: a mapping for every loaded file that has none; nothing is built."""
    with project.lock():
        write_contract_models(project.folder, list(project.contracts), read_layouts(project.folder))
        with connect(project.database, project.folder) as connection:
            cached = _cached_tables(project)
            waiting = [r for r in read_files(connection) if _as_cached(r, cached).state in ("loaded", "blocked")]
        outcomes, mapped = [], []
        for number, row in enumerate(waiting):
            progress(f"map {row.source_file}", number, len(waiting))
            found = _map(project, row, contract, provider)
            outcomes.append(found if isinstance(found, FileOutcome) else loaded_outcome(row, found))
            mapped += [found] if isinstance(found, Mapped) else []
        return RunOutcome(
            files=tuple(outcomes),
            layouts=tuple(layout_outcomes(project, [m.layout for m in mapped], samples=False)),
            notices=tuple(dict.fromkeys(n for m in mapped for n in m.notices)),
        )


@dataclass
class _Built:
    """Files on their way: the ledger rows and mappings of this run, by file."""

    mappings: dict[str, Mapped] = field(default_factory=dict)
    rows: dict[str, LedgerRow] = field(default_factory=dict)


def _take_in_and_map(
    project: Project,
    paths: Sequence[str],
    contract: str | None,
    source: str | None,
    provider: Provider,
    progress: Progress,
) -> tuple[list[FileOutcome], _Built]:
    """One file after the other, so that the second of a new layout finds the mapping of the first."""
    outcomes: list[FileOutcome] = []
    built = _Built()
    incoming = find_files(project.folder, paths, contract, source, list(project.contracts))
    for number, file in enumerate(incoming):
        progress(file.name, number, len(incoming))
        taken = _take_in(project, file)
        if isinstance(taken, FileOutcome) and (taken.file_id is None or not _to_be_mapped(project, taken, bool(paths))):
            outcomes.append(taken)
        else:
            row = taken if isinstance(taken, LedgerRow) else _ledger_row(project, taken)
            _map_into(project, row, file.contract, provider, outcomes, built)
    for row in _interrupted(project, built, outcomes):
        _map_into(project, row, row.contract, provider, outcomes, built)
    return outcomes, built


def _map_into(
    project: Project,
    row: LedgerRow,
    contract: str | None,
    provider: Provider,
    outcomes: list[FileOutcome],
    built: _Built,
) -> None:
    found = _map(project, row, contract, provider)
    if isinstance(found, FileOutcome):
        outcomes.append(found)
    else:
        built.mappings[row.file_id] = found
    built.rows[row.file_id] = row


def _take_in(project: Project, file: Incoming) -> LedgerRow | FileOutcome:
    """Load one file: its ledger row, or what is said of a file that is known or cannot be read."""
    try:
        if file.contract:
            project.contract(file.contract)
        digest = sha256(file.path)
        with connect(project.database, project.folder) as connection:
            known = read_files(connection, "sha256 = ?", digest)
            if known:
                return _known(connection, project, file, known[0])
            with read_incoming(file) as read:
                keep_original(project.folder, file.path, digest)
                layout = find_layout(
                    read_layouts(project.folder), file.contract, read.profile.headers, read.profile.shapes, file.source
                )
                name = LayoutName(file.source, "", fingerprint(read.profile.headers, read.profile.shapes))
                return load_file(
                    connection,
                    file,
                    read,
                    digest=digest,
                    contract=file.contract,
                    source=file.source,
                    raw_table=layout.raw_table if layout else name.raw_table,
                    layout=layout.short if layout else name.short,
                )
    except UsageError:
        raise
    except GoldsmithError as error:
        return FileOutcome(source_file=file.name, state="refused", message=str(error), source=file.source)
    except OSError as error:
        return FileOutcome(source_file=file.name, state="refused", message=f"{error.filename}: {error.strerror}")


def _known(connection: Connection, project: Project, file: Incoming, row: LedgerRow) -> FileOutcome:
    """A file whose content was loaded before: nothing to do, unless it still waits for a mapping or a person."""
    cached = _cached_tables(project)
    row = _as_cached(row, cached)
    outcome = replace(loaded_outcome(row), source_file=file.name)
    layout = cached.get((row.raw_table, row.contract))
    if row.state == "blocked":
        return outcome
    if layout and row.file_id in built_files(connection):
        built = file_outcome(connection, project, row, Mapped(layout, "cached"))
        if built.state in ("held", "failed"):
            return replace(built, source_file=file.name)
    same = "" if row.source_file == file.name else f" as {row.source_file}"
    return replace(outcome, state="known", message=f"loaded before{same}")


def _to_be_mapped(project: Project, outcome: FileOutcome, asked_for: bool) -> bool:
    """Whether a file that is loaded already still has a way to go: an interrupted one, or a blocked one named again."""
    row = _ledger_row(project, outcome)
    with connect(project.database, project.folder) as connection:
        unbuilt = row.state == "mapped" and row.file_id not in built_files(connection)
    return row.state == "loaded" or unbuilt or (row.state == "blocked" and asked_for)


def _ledger_row(project: Project, outcome: FileOutcome) -> LedgerRow:
    with connect(project.database, project.folder) as connection:
        return _as_cached(read_files(connection, "file_id = ?", outcome.file_id)[0], _cached_tables(project))


def _cached_tables(project: Project) -> dict[tuple[str, str | None], Layout]:
    """The layouts of the project's contracts by raw table and contract."""
    return {(x.raw_table, x.contract): x for x in read_layouts(project.folder) if x.contract in project.contracts}


def _as_cached(row: LedgerRow, cached: Mapping[tuple[str, str | None], Layout]) -> LedgerRow:
    """The ledger's row; blocked where its dbt model or its contract was deleted, for the project's folder is the cache."""
    if row.state != "mapped" or (row.raw_table, row.contract) in cached:
        return row
    message = "its dbt model or contract was deleted; name the file in goldsmith run, and it is mapped anew"
    return replace(row, state="blocked", message=message)


def _interrupted(project: Project, built: _Built, outcomes: Sequence[FileOutcome]) -> list[LedgerRow]:
    """Files that an earlier run loaded and did not come to map."""
    if not project.database.exists():
        return []
    seen = {*built.rows, *(o.file_id for o in outcomes)}
    with connect(project.database, project.folder) as connection:
        return [row for row in read_files(connection, "state = 'loaded'") if row.file_id not in seen]


def _map(project: Project, row: LedgerRow, contract: str | None, provider: Provider) -> Mapped | FileOutcome:
    try:
        return map_file(project, row, contract, provider)
    except UsageError:
        raise
    except GoldsmithError as error:
        return replace(loaded_outcome(row), state="blocked", message=str(error), rows_quarantined=row.rows_loaded)


def _build(project: Project, built: _Built, progress: Progress) -> tuple[str, ...]:
    """dbt for the contracts that this run touched: their new staging views, gold and quarantine, with their tests."""
    with connect(project.database, project.folder) as connection:
        unbuilt = read_files(
            connection, "state in ('mapped', 'blocked') and file_id not in (select file_id from raw._built)"
        )
        staged = staged_names(connection)
        mapped = read_files(connection, "file_id in (select file_id from raw._built where mapping != 'none')")
    cached = _cached_tables(project)
    stale = [*unbuilt, *(r for r in mapped if _as_cached(r, cached).state == "blocked")]
    touched = {m.layout.contract for m in built.mappings.values()}
    touched |= {r.contract for r in stale if r.contract in project.contracts and r.contract}
    if not touched:
        return ()
    fresh = {m.layout.dbt_model for m in built.mappings.values()}
    nodes = [
        x.dbt_model
        for x in cached.values()
        if x.contract in touched and (x.dbt_model in fresh or x.dbt_model not in staged)
    ]
    nodes += [n for c in sorted(touched) for n in (f"stg_{c}", c, f"quarantine_{c}")]
    done: list[str] = []

    def on_node(name: str) -> None:
        done.append(name)
        progress(f"dbt {name}", len(done), None)

    progress("dbt build", 0, None)
    results = run_dbt(
        project.folder,
        project.database,
        ["build", "--select", *nodes, "--exclude-resource-type", "unit_test"],
        on_node,
    )
    return tuple(f"dbt {r.resource_type} {r.name}: {r.message or r.status}" for r in results if r.failed)


def _not_built(row: LedgerRow, mapped: Mapped) -> FileOutcome:
    message = "dbt did not build it (see what failed); correct that, and dbt run"
    return replace(loaded_outcome(row, mapped), state="failed", message=message, rows_quarantined=row.rows_loaded)


def _outcome(
    project: Project, outcomes: Sequence[FileOutcome], built: _Built, failures: tuple[str, ...], notices: Sequence[str]
) -> RunOutcome:
    with connect(project.database, project.folder) as connection:
        rows = {r.file_id: r for r in read_files(connection)}
        in_gold = built_files(connection)
        files = [
            file_outcome(connection, project, rows[f], m) if f in in_gold else _not_built(rows[f], m)
            for f, m in built.mappings.items()
        ]
    touched = [f for f in (*files, *outcomes) if f.state not in ("known", "refused")]
    layouts = list({m.layout.dbt_model: m.layout for m in built.mappings.values()}.values())
    said = dict.fromkeys([*notices, *(n for m in built.mappings.values() for n in m.notices)])
    gold, quarantine = previews(project, {f.contract for f in touched if f.contract})
    return RunOutcome(
        files=tuple(sorted([*files, *outcomes], key=lambda f: f.source_file)),
        layouts=tuple(layout_outcomes(project, layouts)),
        gold=gold,
        quarantine=quarantine,
        notices=tuple(said),
        failures=failures,
    )
