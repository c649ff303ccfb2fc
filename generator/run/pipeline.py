"""The path of a file, on one screen: take in, map, build, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from generator.database.dbt_runner import NodeResult, run_dbt
from generator.database.ledger import Connection, LedgerRow, connect, has_database, read_files
from generator.database.lock import PATIENCE, hold
from generator.database.sql_functions import describe_functions
from generator.intake.files import Incoming, find_files
from generator.llm.prompt import Prompt, build_prompt
from generator.mapping.cache import Mapped, Unmapped, bench_of, look_up
from generator.mapping.generate import opening
from generator.matcher.request import Request
from generator.outcome import Failure, FileOutcome, Progress, RunOutcome
from generator.project.layouts import Layout, read_layouts
from generator.project.project import Project
from generator.project.staging_files import write_contract_models
from generator.project.versions import wanted_versions
from generator.providers import Provider
from generator.run.counts import Counts, built_contracts, built_files, count_files, outdated_contracts, staged_versions
from generator.run.map_files import Done, map_all
from generator.run.noticed import noticed
from generator.run.results import file_outcome, layout_outcomes, loaded_outcome, previews
from generator.run.taking_in import CachedTables, as_cached, cached_tables, left_in_archive, take_in

NOT_BUILT = "dbt did not build it (see what failed); correct that, and dbt run"


def run(
    project: Project,
    paths: Sequence[str],
    contract: str | None,
    source: str | None,
    provider: Provider,
    progress: Progress,
) -> RunOutcome:
    """The main job: everything that is new becomes gold, or is said to be held, blocked or refused."""
    incoming = find_files(project.folder, paths, contract, source, list(project.contracts))
    return run_files(project, incoming, provider, progress, again=bool(paths))


def run_files(
    project: Project, incoming: Sequence[Incoming], provider: Provider, progress: Progress, again: bool = False
) -> RunOutcome:
    """The same for files that were found. With `again`, those of them that are blocked are tried once more."""
    with hold(project.database, "goldsmith run"):
        layouts = read_layouts(project.folder)
        write_contract_models(project.folder, list(project.contracts), layouts)
        left, said = left_in_archive(project, layouts)
        taken = take_in(project, [*left, *incoming], progress, again)
        waiting = [(t.row, t.file.contract) for t in taken if t.row]
        waiting += [(row, row.contract) for row in _interrupted(project, layouts, {row.file_id for row, _ in waiting})]
        done = Done([t.outcome for t in taken if not t.row])
        map_all(project, waiting, provider, progress, done)
        provider.finished()
        _take_again(project, done)
        failed = _build(project, done.mapped, progress)
        return _outcome(project, done, failed, said)


def load(
    project: Project, paths: Sequence[str], contract: str | None, source: str | None, progress: Progress
) -> RunOutcome:
    """Files into raw; nothing is mapped. It waits for its turn."""
    with hold(project.database, "goldsmith load", lambda owner: progress(owner, 0, None)):
        incoming = find_files(project.folder, paths, contract, source, list(project.contracts))
        left, said = left_in_archive(project, read_layouts(project.folder))
        taken = take_in(project, [*left, *incoming], progress, patience=PATIENCE)
        return RunOutcome(files=tuple(t.outcome for t in taken), notices=said)


def generate_loaded(project: Project, contract: str | None, provider: Provider, progress: Progress) -> RunOutcome:
    """A mapping for every loaded file that has none; nothing is built."""
    with hold(project.database, "goldsmith generate"):
        layouts = read_layouts(project.folder)
        write_contract_models(project.folder, list(project.contracts), layouts)
        cached = cached_tables(project, layouts)
        with connect(project.database, project.folder) as connection:
            rows = [as_cached(row, cached) for row in read_files(connection)]
        done = Done([])
        waiting = [(row, contract) for row in rows if row.state in ("loaded", "blocked")]
        map_all(project, waiting, provider, progress, done)
        provider.finished()
        return RunOutcome(
            files=(*done.outcomes, *(loaded_outcome(row, found) for row, found in done.mapped)),
            layouts=tuple(layout_outcomes(project, done.layouts, samples=False)),
            notices=done.notices,
        )


def prompts_for_loaded(project: Project, contract: str | None) -> list[Prompt]:
    """The first prompt for each loaded layout that has no dbt model; nothing is asked and nothing written."""
    with hold(project.database, "goldsmith generate"):
        layouts = read_layouts(project.folder)
        cached = cached_tables(project, layouts)
        with connect(project.database, project.folder) as connection:
            rows = [as_cached(row, cached) for row in read_files(connection)]
        waiting = [row for row in rows if row.state in ("loaded", "blocked") and row.rows_loaded]
        found = [look_up(project, row, contract, layouts) for row in waiting]
        requests = {x.name.dbt_model: _opening(project, x) for x in found if isinstance(x, Unmapped)}
    functions = describe_functions(project.folder / "macros")
    return [build_prompt(request, functions, project.privacy) for request in requests.values() if request.asked]


def _opening(project: Project, unmapped: Unmapped) -> Request:
    """What is asked first about a layout."""
    bench = bench_of(project, unmapped)
    with bench.sandbox:
        request, _ = opening(bench, unmapped.name.dbt_model, unmapped.example, unmapped.near)
    return request


def everything(project: Project) -> RunOutcome:
    """All files that were ever loaded, as the database has them now."""
    if not has_database(project.database):
        return RunOutcome()
    layouts = read_layouts(project.folder)
    with connect(project.database, project.folder) as connection:
        cached = cached_tables(project, layouts)
        rows = [as_cached(row, cached) for row in read_files(connection)]
        mapped = [(r, Mapped(cached[r.raw_table, r.contract], "cached")) for r in rows if r.state == "mapped"]
        built = {f.file_id: f for f in _built_outcomes(connection, project, mapped, loaded_outcome)}
        contracts = built_contracts(connection)
    used = [x for x in cached.values() if x.raw_table in {r.raw_table for r in rows}]
    gold, quarantine = previews(project, contracts)
    return RunOutcome(
        files=tuple(built.get(r.file_id) or loaded_outcome(r) for r in rows),
        layouts=tuple(layout_outcomes(project, used)),
        gold=gold,
        quarantine=quarantine,
    )


def _interrupted(project: Project, layouts: Sequence[Layout], seen: Iterable[str]) -> list[LedgerRow]:
    """Files that an earlier command loaded and did not come to map, or mapped and did not come to build; and those of
    which the dbt model or the contract was changed since they were built."""
    cached = cached_tables(project, layouts)
    with connect(project.database, project.folder) as connection:
        rows = read_files(connection, "state = 'loaded'")
        rows += [row for row in _unbuilt(connection, project, cached) if as_cached(row, cached).state == "mapped"]
    return [row for row in rows if row.file_id not in seen]


def _take_again(project: Project, done: Done) -> None:
    """Files whose dbt model was deleted take the mapping that a new file of their layout has just got."""
    blocked = {outcome.file_id for outcome in done.outcomes if outcome.state == "blocked"}
    if not blocked or not done.mapped:
        return
    cached = cached_tables(project, read_layouts(project.folder))
    with connect(project.database, project.folder) as connection:
        rows = [row for row in read_files(connection, "state = 'mapped'") if row.file_id in blocked]
    again = {row.file_id: (row, cached[row.raw_table, row.contract]) for row in rows if as_cached(row, cached) is row}
    done.outcomes = [outcome for outcome in done.outcomes if outcome.file_id not in again]
    done.mapped += [(row, Mapped(layout, "cached")) for row, layout in again.values()]


def _build(project: Project, mapped: Sequence[tuple[LedgerRow, Mapped]], progress: Progress) -> tuple[Failure, ...]:
    """dbt for the contracts that have something to build: new staging views, gold and quarantine, with their tests."""
    cached = cached_tables(project, read_layouts(project.folder))
    with connect(project.database, project.folder) as connection:
        staged = staged_versions(connection)
        unbuilt = {(row.raw_table, row.contract) for row in _unbuilt(connection, project, cached)}
        touched = {contract for _, contract in unbuilt} | outdated_contracts(connection)
        loaded = {(row.raw_table, row.contract) for row in read_files(connection, "state = 'mapped'")}
    contracts = sorted(project.contracts.keys() & touched)
    if not contracts:
        return ()
    concerned = {key: x for key, x in cached.items() if x.contract in contracts and key in loaded}
    wanted = wanted_versions(project, concerned.values())
    # Tests that people gave a layout are to pass before its rows are in gold, also where its view is there already.
    nodes = [
        x.dbt_model
        for key, x in concerned.items()
        if staged.get(x.dbt_model) != wanted[x.dbt_model] or (x.tested and key in unbuilt)
    ]
    beside = {n: c for c in contracts for n in (f"stg_{c}", c, f"quarantine_{c}")}
    nodes += beside
    done: list[str] = []

    def on_node(name: str) -> None:
        done.append(name)
        progress(f"dbt {name}", len(done), None)

    progress("dbt build", 0, None)
    # A test that needs what this run does not build, such as another contract's gold, would fail for that.
    options = ("--exclude-resource-type", "unit_test", "--indirect-selection", "buildable")
    results = run_dbt(project.folder, project.database, ["build", "--select", *nodes, *options], on_node)
    contract_of = {x.dbt_model: x.contract for x in concerned.values()} | beside
    return tuple(_failure(r, contract_of) for r in results if r.failed)


def _failure(result: NodeResult, contract_of: Mapping[str, str]) -> Failure:
    about = (result.name,) if result.name in contract_of else result.needs
    contracts = sorted({contract_of[name] for name in about if name in contract_of})
    text = f"dbt {result.resource_type} {result.name}: {result.message or result.status}"
    return Failure(text, about, tuple(contracts), result.path)


def _unbuilt(connection: Connection, project: Project, cached: CachedTables) -> list[LedgerRow]:
    """The files that gold and quarantine do not have as their mapping and their contract are now, whoever did not come to
    build them."""
    built, rows = built_files(connection), read_files(connection, "state in ('mapped', 'blocked')")
    used = {(row.raw_table, row.contract) for row in rows}
    wanted = wanted_versions(project, [layout for key, layout in cached.items() if key in used])
    found = []
    for row in rows:
        layout = cached.get((row.raw_table, row.contract)) if row.state == "mapped" else None
        version = built.get(row.file_id)
        # Blocked; or its dbt model was deleted, and its rows go back to quarantine.
        stale = version != wanted[layout.dbt_model] if layout else row.state == "mapped" and version != "none"
        found += [row] if version is None or stale else []
    return found


def _outcome(project: Project, done: Done, failed: tuple[Failure, ...], notices: Sequence[str]) -> RunOutcome:
    files = list(done.outcomes)
    if done.mapped:
        with connect(project.database, project.folder) as connection:
            now = {row.file_id: row for row in read_files(connection)}
            mapped = [(now[row.file_id], m) for row, m in done.mapped]
            built = _built_outcomes(connection, project, mapped, _not_built)
            built = _as_before(connection, project, built, mapped) if failed else built
            files += _noticed(connection, project, built, mapped)
    touched = {f.contract for f in files if f.contract and f.state not in ("known", "refused")}
    gold, quarantine = previews(project, touched) if touched else ((), ())
    return RunOutcome(
        files=tuple(sorted(files, key=lambda f: f.source_file)),
        layouts=tuple(layout_outcomes(project, done.layouts)) if done.layouts else (),
        gold=gold,
        quarantine=quarantine,
        notices=tuple(dict.fromkeys([*notices, *done.notices])),
        failures=failed,
    )


def _noticed(
    connection: Connection,
    project: Project,
    files: Sequence[FileOutcome],
    mapped: Sequence[tuple[LedgerRow, Mapped]],
) -> list[FileOutcome]:
    """The built files, with what is other in each than in those before it."""
    built = built_contracts(connection)
    found = []
    for file, (row, one) in zip(files, mapped, strict=True):
        bad = {reason.partition(":")[0] for reason, _ in file.reasons}
        contract = project.contracts[one.layout.contract]
        new = noticed(connection, contract, one.layout, row, bad) if contract.name in built else ()
        found.append(replace(file, changes=file.changes + new))
    return found


def _built_outcomes(
    connection: Connection,
    project: Project,
    mapped: Sequence[tuple[LedgerRow, Mapped]],
    otherwise: Callable[[LedgerRow, Mapped], FileOutcome],
) -> list[FileOutcome]:
    """The outcome of each mapped file: by what gold and quarantine hold, `otherwise` where they were not built from it."""
    built = built_files(connection)
    counts: dict[str, Counts] = {}
    for contract in built_contracts(connection) & {m.layout.contract for _, m in mapped}:
        files = [
            r.file_id for r, m in mapped if m.layout.contract == contract and built.get(r.file_id, "none") != "none"
        ]
        counts |= count_files(connection, contract, files)
    return [
        file_outcome(project, r, m, counts[r.file_id]) if r.file_id in counts else otherwise(r, m) for r, m in mapped
    ]


def _as_before(
    connection: Connection, project: Project, files: Sequence[FileOutcome], mapped: Sequence[tuple[LedgerRow, Mapped]]
) -> list[FileOutcome]:
    """The files, failed where gold and quarantine still have them by another version of their mapping."""
    built, wanted = built_files(connection), wanted_versions(project, [m.layout for _, m in mapped])
    message = "dbt did not build it as it is now (see what failed), gold has it as before; correct that, and dbt run"
    return [
        replace(file, state="failed", message=message)
        if built.get(row.file_id, "none") not in ("none", wanted[one.layout.dbt_model])
        else file
        for file, (row, one) in zip(files, mapped, strict=True)
    ]


def _not_built(row: LedgerRow, mapped: Mapped) -> FileOutcome:
    return replace(loaded_outcome(row, mapped), state="failed", message=NOT_BUILT, rows_quarantined=row.rows_loaded)
