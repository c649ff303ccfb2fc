"""The path of a file, on one screen: take in, map, build, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from generator.counts import Counts, built_contracts, built_files, count_files, outdated_contracts, staged_versions
from generator.dbt_runner import run_dbt
from generator.errors import DiskFullError, GoldsmithError, LockedError, UsageError
from generator.intake import find_files
from generator.layouts import Layout, read_layouts, write_contract_models
from generator.ledger import Connection, LedgerRow, connect, has_database, read_files
from generator.lock import PATIENCE, hold
from generator.mapping import Mapped, adopt_known, map_file
from generator.outcome import FileOutcome, Progress, RunOutcome
from generator.project import Project
from generator.providers import Provider
from generator.results import file_outcome, layout_outcomes, loaded_outcome, previews
from generator.taking_in import CachedTables, as_cached, cached_tables, left_in_archive, take_in

NOTHING_TO_LEARN = "a header and no rows: nothing to learn a mapping from; it is mapped once a file with rows is"


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
    with hold(project.database, "goldsmith run"):
        layouts = read_layouts(project.folder)
        write_contract_models(project.folder, list(project.contracts), layouts)
        incoming = find_files(project.folder, paths, contract, source, list(project.contracts))
        left, said = left_in_archive(project, layouts)
        taken = take_in(project, [*left, *incoming], progress, again=bool(paths))
        waiting = [(t.row, t.file.contract) for t in taken if t.row]
        waiting += [(row, row.contract) for row in _interrupted(project, layouts, {row.file_id for row, _ in waiting})]
        done = _Done([t.outcome for t in taken if not t.row])
        _map_all(project, waiting, provider, progress, done)
        failures = _build(project, done.mapped, progress)
        return _outcome(project, done, failures, [*notices, *said])


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
        done = _Done([])
        waiting = [(row, contract) for row in rows if row.state in ("loaded", "blocked")]
        _map_all(project, waiting, provider, progress, done)
        return RunOutcome(
            files=(*done.outcomes, *(loaded_outcome(row, found) for row, found in done.mapped)),
            layouts=tuple(layout_outcomes(project, done.layouts, samples=False)),
            notices=done.notices,
        )


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


@dataclass
class _Done:
    """What has come of the files of this run so far: those that are finished, and those that have a mapping."""

    outcomes: list[FileOutcome]
    mapped: list[tuple[LedgerRow, Mapped]] = field(default_factory=list)

    @property
    def layouts(self) -> list[Layout]:
        return list({m.layout.dbt_model: m.layout for _, m in self.mapped}.values())

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for _, m in self.mapped for n in m.notices))


def _interrupted(project: Project, layouts: Sequence[Layout], seen: Iterable[str]) -> list[LedgerRow]:
    """Files that an earlier command loaded and did not come to map, or mapped and did not come to build."""
    cached = cached_tables(project, layouts)
    with connect(project.database, project.folder) as connection:
        rows = read_files(connection, "state = 'loaded'")
        rows += [row for row in _unbuilt(connection, cached) if as_cached(row, cached).state == "mapped"]
    return [row for row in rows if row.file_id not in seen]


def _map_all(
    project: Project,
    waiting: Sequence[tuple[LedgerRow, str | None]],
    provider: Provider,
    progress: Progress,
    done: _Done,
) -> None:
    """One new layout after the other: the files of one that is known, also since just now, take its mapping together."""
    layouts, total, new = read_layouts(project.folder), len(waiting), True
    # In the order in which they came, whoever was interrupted meanwhile: the first of a layout names it. Of a header
    # without rows no mapping can be learned: it comes last, and takes what the others have.
    left = sorted(waiting, key=lambda one: (one[0].rows_loaded == 0, one[0].loaded_at))
    while left:
        if new:
            left, new = _adopt_all(project, left, layouts, done), False
            continue
        row, contract = left.pop(0)
        progress(f"map {row.source_file}", total - len(left) - 1, total)
        if row.rows_loaded == 0:
            done.outcomes.append(replace(loaded_outcome(row), message=NOTHING_TO_LEARN))
            continue
        try:
            found = map_file(project, row, contract, provider, layouts)
        except (UsageError, LockedError, DiskFullError):
            raise
        except GoldsmithError as error:
            done.outcomes.append(loaded_outcome(replace(row, state="blocked", message=str(error))))
        else:
            done.mapped.append((row, found))
            new = found.how == "generated"
            layouts = read_layouts(project.folder) if new else layouts


def _adopt_all(
    project: Project, waiting: Sequence[tuple[LedgerRow, str | None]], layouts: Sequence[Layout], done: _Done
) -> list[tuple[LedgerRow, str | None]]:
    """Give the files of known layouts their mapping, under one connection; returns the others."""
    cached = cached_tables(project, layouts)
    left = []
    with connect(project.database, project.folder) as connection:
        for row, contract in waiting:
            # A file that is mapped already was left by a command that did not come to build it.
            found = cached.get((row.raw_table, row.contract)) if row.state == "mapped" else None
            found = found or adopt_known(connection, project, row, contract, layouts)
            if found:
                done.mapped.append((row, Mapped(found, "cached")))
            else:
                left.append((row, contract))
    return left


def _build(project: Project, mapped: Sequence[tuple[LedgerRow, Mapped]], progress: Progress) -> tuple[str, ...]:
    """dbt for the contracts that have something to build: new staging views, gold and quarantine, with their tests."""
    cached = cached_tables(project, read_layouts(project.folder))
    with connect(project.database, project.folder) as connection:
        staged = staged_versions(connection)
        touched = {row.contract for row in _unbuilt(connection, cached)} | outdated_contracts(connection)
    fresh = {m.layout.dbt_model for _, m in mapped}
    contracts = sorted(project.contracts.keys() & touched)
    if not contracts:
        return ()
    nodes = [
        x.dbt_model
        for x in cached.values()
        if x.contract in contracts and (x.dbt_model in fresh or x.dbt_model not in staged)
    ]
    nodes += [n for c in contracts for n in (f"stg_{c}", c, f"quarantine_{c}")]
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


def _unbuilt(connection: Connection, cached: CachedTables) -> list[LedgerRow]:
    """The files that gold and quarantine do not have as their mapping is now, whoever was interrupted."""
    built, staged = built_files(connection), staged_versions(connection)
    found = []
    for row in read_files(connection, "state in ('mapped', 'blocked')"):
        layout = cached.get((row.raw_table, row.contract)) if row.state == "mapped" else None
        version = built.get(row.file_id)
        # Blocked; or its dbt model was deleted, and its rows go back to quarantine.
        stale = version != staged.get(layout.dbt_model) if layout else row.state == "mapped" and version != "none"
        found += [row] if version is None or stale else []
    return found


def _outcome(project: Project, done: _Done, failures: tuple[str, ...], notices: Sequence[str]) -> RunOutcome:
    files = list(done.outcomes)
    if done.mapped:
        with connect(project.database, project.folder) as connection:
            now = {row.file_id: row for row in read_files(connection)}
            mapped = [(now[row.file_id], m) for row, m in done.mapped]
            files += _built_outcomes(connection, project, mapped, _not_built)
    touched = {f.contract for f in files if f.contract and f.state not in ("known", "refused")}
    gold, quarantine = previews(project, touched) if touched else ((), ())
    return RunOutcome(
        files=tuple(sorted(files, key=lambda f: f.source_file)),
        layouts=tuple(layout_outcomes(project, done.layouts)) if done.layouts else (),
        gold=gold,
        quarantine=quarantine,
        notices=tuple(dict.fromkeys([*notices, *done.notices])),
        failures=failures,
    )


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


def _not_built(row: LedgerRow, mapped: Mapped) -> FileOutcome:
    message = "dbt did not build it (see what failed); correct that, and dbt run"
    return replace(loaded_outcome(row, mapped), state="failed", message=message, rows_quarantined=row.rows_loaded)
