"""Taking files in: what is known is told by its content, what is new is loaded; all under one connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from generator.columns.fingerprint import fingerprint
from generator.contracts.contract import absent
from generator.database.ledger import Connection, LedgerRow, connect, has_database, read_files, update_file
from generator.database.lock import scratch
from generator.disk import is_full
from generator.errors import DiskFullError, GoldsmithError, LockedError, StillWritten, UsageError
from generator.intake.archive import Original, moment_after
from generator.intake.files import Incoming, ensure_quiet, sha256
from generator.intake.remote import fetched
from generator.mapping.cache import Mapped
from generator.outcome import FileOutcome, Progress
from generator.project.layouts import Layout, find_layout, read_layouts
from generator.project.project import Project
from generator.project.render import LayoutName
from generator.project.versions import wanted_version
from generator.run.counts import built_contracts, built_files, count_files, count_quarantined
from generator.run.load import ReadFile, load_file, read_incoming
from generator.run.results import file_outcome, loaded_outcome, verdict


class CachedTables(dict[tuple[str, str | None], Layout]):
    """The layouts of a project's contracts, by raw table and contract."""

    def __init__(self, project: Project, layouts: Sequence[Layout]) -> None:
        super().__init__({(x.raw_table, x.contract): x for x in layouts if x.contract in project.contracts})
        self.project = project


@dataclass(frozen=True)
class Taken:
    """What became of one incoming file. `row` is given where it has a way to go: to be mapped, or to be built."""

    file: Incoming
    outcome: FileOutcome
    row: LedgerRow | None = None


def take_in(
    project: Project, incoming: Sequence[Incoming], progress: Progress, again: bool = False, patience: float = 5.0
) -> list[Taken]:
    """Load every file that is new. With `again`, files that are blocked have a way to go once more.

    What is wrong with one file is its outcome; UsageError and DiskFullError end it all.
    """
    if not incoming:
        return []
    taken: list[Taken] = []
    with connect(project.database, project.folder, patience) as connection:
        before = _Before(connection, project)
        for number, file in enumerate(incoming):
            progress(f"load {file.name}", number, len(incoming))
            found = _take_in(connection, project, file, before, again)
            # What has just come from the archive is not said a second time of the same file in landing/.
            taken += [] if found.outcome.state == "known" and file.name in before.restored else [found]
    return taken


def left_in_archive(project: Project, layouts: Sequence[Layout]) -> tuple[list[Incoming], tuple[str, ...]]:
    """What the archive has and the database does not, and what is to be said of it.

    An earlier command was killed between the two, or the database was lost, or another database was given. What was
    decided on a file then is done again without asking anybody.
    """
    known: frozenset[str] = frozenset()
    if has_database(project.database):
        with connect(project.database, project.folder) as connection:
            known = frozenset(row.sha256 for row in read_files(connection))
    archive = project.archive
    originals, nameless = archive.originals(known)
    cached = cached_tables(project, layouts)
    found = [from_archive(o if _stands(o, cached) else replace(o, state="loaded", message="")) for o in originals]
    notices = []
    if found:
        notices.append(f"{_files(len(found))} that the database does not know: taken from the archive {archive.place}")
    if nameless:
        notices.append(
            f"{_files(len(nameless))} without a readable note left in the archive, {archive.where(nameless[0])} is one: "
            "load it under its name, or delete it"
        )
    return found, tuple(notices)


def from_archive(original: Original) -> Incoming:
    """An original as a file to be taken in."""
    return Incoming(Path(original.sha256), original.name, original.contract, original.source, original=original)


def _stands(original: Original, cached: CachedTables) -> bool:
    """Whether what was decided on a file can still be done: not so if its dbt model was deleted."""
    return original.state != "mapped" or (original.raw_table, original.contract) in cached


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def cached_tables(project: Project, layouts: Sequence[Layout]) -> CachedTables:
    """The layouts of the project's contracts by raw table and contract."""
    return CachedTables(project, layouts)


def as_cached(row: LedgerRow, cached: CachedTables) -> LedgerRow:
    """The ledger's row; blocked where its dbt model or its contract is gone, for the project's folder is the cache."""
    if row.state != "mapped" or (row.raw_table, row.contract) in cached:
        return row
    message = "its dbt model was deleted; name the file in goldsmith run, and it is mapped anew"
    if row.contract and row.contract not in cached.project.contracts:
        message = absent(cached.project.folder / "models" / "gold", row.contract)
    return replace(row, state="blocked", message=message)


class _Before:
    """What was there before any file is taken in: layouts, and what was built of earlier files."""

    def __init__(self, connection: Connection, project: Project) -> None:
        rows = read_files(connection)
        self.archive = project.archive
        self.scratch = scratch(project.database)
        self.layouts = read_layouts(project.folder)
        self.cached = cached_tables(project, self.layouts)
        self.project = project
        self.built = built_files(connection)
        self.quarantined = {
            name: count_quarantined(connection, name) for name in built_contracts(connection) & project.contracts.keys()
        }
        self.wanted: dict[str, str] = {}
        self.seen: set[str] = set()
        self.restored: set[str] = set()
        self.rows = {row.sha256: row for row in rows}
        self.sizes = {row.bytes for row in rows}
        self.latest = max((row.loaded_at for row in rows), default=None)

    def remember(self, row: LedgerRow) -> None:
        """Know a file that was loaded just now."""
        self.seen.add(row.sha256)
        self.rows[row.sha256] = row
        self.sizes.add(row.bytes)
        self.latest = max(self.latest or row.loaded_at, row.loaded_at)

    def is_built(self, row: LedgerRow, layout: Layout) -> bool:
        """Whether gold and quarantine have a file as its dbt model and its contract are now."""
        if layout.dbt_model not in self.wanted:
            self.wanted[layout.dbt_model] = wanted_version(self.project, layout)
        return layout.contract in self.quarantined and self.built.get(row.file_id) == self.wanted[layout.dbt_model]


def _take_in(connection: Connection, project: Project, file: Incoming, before: _Before, again: bool) -> Taken:
    try:
        if file.contract and not file.original:
            project.contract(file.contract)
        with _local(project, file) as here:
            if here.original:
                row = as_cached(_restore(connection, here, here.original, before), before.cached)
                before.restored.add(file.name)
            elif row_before := _loaded_before(here, before):
                taken = _known(connection, project, file, as_cached(row_before, before.cached), before, again)
                before.seen.add(row_before.sha256)
                return taken
            else:
                row = _load(connection, here, before)
        before.remember(row)
        return Taken(file, loaded_outcome(row), None if row.state == "blocked" else row)
    except (UsageError, LockedError, DiskFullError):
        raise
    except StillWritten as error:
        outcome = FileOutcome(source_file=file.name, state="waiting", message=str(error), source=file.source)
        return Taken(file, replace(outcome, named=file.named))
    except GoldsmithError as error:
        return Taken(file, FileOutcome(source_file=file.name, state="refused", message=str(error), source=file.source))
    except OSError as error:
        if is_full(error):
            raise
        message = f"{error.filename}: {error.strerror}"
        return Taken(file, FileOutcome(source_file=file.name, state="refused", message=message, source=file.source))


@contextmanager
def _local(project: Project, file: Incoming) -> Iterator[Incoming]:
    """The file with a path on this machine; what is elsewhere is fetched, one at a time."""
    if file.original:
        with project.archive.fetched(file.original.sha256) as path:
            yield replace(file, path=path)
    elif file.remote:
        with fetched(file.remote, scratch(project.database) / "fetched") as path:
            yield replace(file, path=path)
    else:
        ensure_quiet(file.path)
        yield file


def _loaded_before(file: Incoming, before: _Before) -> LedgerRow | None:
    """The ledger's row of the same content; a file of a new size need not be read for that."""
    if file.path.stat().st_size not in before.sizes:
        return None
    return before.rows.get(sha256(file.path))


def _load(connection: Connection, file: Incoming, before: _Before) -> LedgerRow:
    """Archive and load a new file: it is copied while it is read."""
    with before.archive.copying(file.path) as copy, read_incoming(file, before.scratch) as read:
        headers, shapes = read.profile.headers, read.profile.shapes
        layout = find_layout(before.layouts, file.contract, headers, shapes, file.source)
        name = LayoutName(file.source, "", fingerprint(headers, shapes))
        original = Original(
            sha256=copy.sha256,
            name=file.name,
            contract=file.contract,
            source=file.source,
            taken_at=moment_after(before.latest),
            layout=layout.short if layout else name.short,
            raw_table=layout.raw_table if layout else name.raw_table,
        )
        copy.keep(original)
        return _load_original(connection, file, read, original)


def _restore(connection: Connection, file: Incoming, original: Original, before: _Before) -> LedgerRow:
    """Load a file of the archive as it was loaded before, with what was decided on it then."""
    with read_incoming(file, before.scratch) as read:
        row = _load_original(connection, file, read, original)
    if original.state == "loaded":
        return row
    update_file(connection, row.file_id, state=original.state, message=original.message)
    return replace(row, state=original.state, message=original.message)


def _load_original(connection: Connection, file: Incoming, read: ReadFile, original: Original) -> LedgerRow:
    return load_file(
        connection,
        file,
        read,
        digest=original.sha256,
        contract=original.contract,
        source=original.source,
        raw_table=original.raw_table,
        layout=original.layout,
        loaded_at=original.taken_at,
    )


def _known(
    connection: Connection, project: Project, file: Incoming, row: LedgerRow, before: _Before, again: bool
) -> Taken:
    """A file whose content was loaded before: nothing to do, unless it was interrupted or waits for a person."""
    same = "" if row.source_file == file.name else f" as {row.source_file}"
    outcome = replace(loaded_outcome(row), source_file=file.name)
    known = replace(outcome, state="known", message=f"loaded before{same}")
    if row.sha256 in before.seen:
        return Taken(file, known)
    if row.state == "blocked":
        return Taken(file, outcome, row if again else None)
    layout = before.cached.get((row.raw_table, row.contract))
    if layout is None or not before.is_built(row, layout):
        return Taken(file, known, row)
    quarantined = before.quarantined[layout.contract].get(row.file_id, 0)
    if verdict(project, row, layout, quarantined)[0] == "gold":
        return Taken(file, known)
    counts = count_files(connection, layout.contract, [row.file_id])[row.file_id]
    return Taken(file, replace(file_outcome(project, row, Mapped(layout, "cached"), counts), source_file=file.name))
