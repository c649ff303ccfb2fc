"""`goldsmith rebuild`: the database made again from the archive and the committed dbt models, and then put in its place.

It is made in a folder beside the database, under the same file name, which the views of DuckDB hold. Until the last step,
one renaming, the old database is as it was.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from generator.database.dbt_runner import run_dbt
from generator.database.ledger import LedgerRow, Relations, connect, read_files, relations
from generator.database.lock import hold, scratch
from generator.errors import GoldsmithError, UsageError
from generator.intake.archive import Original
from generator.outcome import Failure, Progress
from generator.project.layouts import read_layouts
from generator.project.project import Project
from generator.project.staging_files import write_contract_models
from generator.run.taking_in import from_archive, take_in

# So many reasons are named, where a database cannot be rebuilt.
NAMED = 20


@dataclass(frozen=True)
class _Old:
    """What the database has before: its ledger, and what dbt made in it."""

    rows: tuple[LedgerRow, ...] = ()
    made: Relations = field(default_factory=Relations)
    readable: bool = True


def rebuild(project: Project, progress: Progress) -> tuple[Failure, ...]:
    """Replace the database by one made from the archive; returns what dbt's tests found, and what else is to be said.

    Raises GoldsmithError that names what cannot be rebuilt; then, and whenever it is interrupted, the old database stays.
    """
    with hold(project.database, "goldsmith rebuild"):
        old = _read_old(project)
        originals = _originals(project, old)
        fresh = _aside(project)
        _load(fresh, originals, progress)
        failures = _build(fresh, old, progress)
        progress("replace the database", 0, None)
        _replace(fresh, project, old)
    return failures


def _read_old(project: Project) -> _Old:
    if not project.database.exists():
        return _Old()
    try:
        with connect(project.database, project.folder) as connection:
            return _Old(tuple(read_files(connection)), relations(connection))
    except UsageError:
        # Damaged: a reason to rebuild it.
        return _Old(readable=False)


def _originals(project: Project, old: _Old) -> list[Original]:
    """All originals, with what was last decided on each. The ledger knows that best, as long as it is there."""
    archive = project.archive
    there = archive.digests()
    problems = []
    for row in old.rows:
        if row.sha256 in there:
            archive.describe(Original.of(row))
        else:
            problems.append(f"{row.source_file}: its original is not in the archive ({archive.where(row.sha256)})")
    originals, nameless = archive.originals()
    problems += [f"{archive.where(digest)}: no readable note beside it says what it is" for digest in nameless]
    if not originals and not problems:
        raise GoldsmithError(
            f"{archive.place}: the archive is empty, nothing to rebuild from; goldsmith run FILE fills it"
        )
    _stop_at(problems, "Restore from a backup what is missing, or delete what is not wanted")
    return originals


def _stop_at(problems: Sequence[str], advice: str) -> None:
    if problems:
        more = f"; and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        listed = "; ".join(problems[:NAMED])
        raise GoldsmithError(f"cannot be rebuilt, the database stays as it is: {listed}{more}. {advice}")


def _aside(project: Project) -> Project:
    """The project with a database of the same file name elsewhere: beside the old one, where the lock's owner clears up."""
    folder = scratch(project.database) / "rebuild"
    folder.mkdir()
    return replace(project, database=folder / project.database.name)


def _load(fresh: Project, originals: Sequence[Original], progress: Progress) -> None:
    """Load every original as it was loaded before; its hash is verified as it is fetched."""
    taken = take_in(fresh, [from_archive(o) for o in originals], progress)
    refused = [f"{t.file.name}: {t.outcome.message}" for t in taken if t.outcome.state == "refused"]
    _stop_at(refused, "What is deleted from the archive is not rebuilt")


def _build(fresh: Project, old: _Old, progress: Progress) -> tuple[Failure, ...]:
    """dbt for the contracts that have files, with their tests; for the whole project, if the old database had more of it.

    A failed test is said; it says nothing about rebuilding.
    """
    layouts = read_layouts(fresh.folder)
    write_contract_models(fresh.folder, list(fresh.contracts), layouts)
    with connect(fresh.database, fresh.folder) as connection:
        contracts = {row.contract for row in read_files(connection) if row.state != "loaded"} & fresh.contracts.keys()
    nodes = [x.dbt_model for x in layouts if x.contract in contracts]
    nodes += [n for c in sorted(c for c in contracts if c) for n in (f"stg_{c}", c, f"quarantine_{c}")]
    # A test that needs more than these would fail for want of that.
    selected = ["--select", *nodes, "--indirect-selection", "buildable"]
    failures = _run_dbt(fresh, selected, progress) if nodes else ()
    if not old.made.all <= _made(fresh).all:
        _run_dbt(fresh, ["--exclude-resource-type", "test"], progress)
        lost = sorted(old.made.tables - _made(fresh).tables)
        _stop_at(
            [f"{name}: a table that nothing in this project makes" for name in lost], "Drop it, or copy it elsewhere"
        )
    return failures


def _run_dbt(fresh: Project, options: Sequence[str], progress: Progress) -> tuple[Failure, ...]:
    done: list[str] = []

    def on_node(name: str) -> None:
        done.append(name)
        progress(f"dbt {name}", len(done), None)

    progress("dbt build", 0, None)
    command = ["build", "--exclude-resource-type", "unit_test", *options]
    failed = [r for r in run_dbt(fresh.folder, fresh.database, command, on_node) if r.failed]
    said = {r.name: f"dbt {r.resource_type} {r.name}: {r.message or r.status}" for r in failed}
    _stop_at([said[r.name] for r in failed if r.resource_type != "test"], "Correct that, and rebuild")
    return tuple(Failure(text) for text in said.values())


def _made(project: Project) -> Relations:
    with connect(project.database, project.folder) as connection:
        return relations(connection)


def _replace(fresh: Project, project: Project, old: _Old) -> None:
    """Put the new database where the old one is, in one step; one that cannot be read is kept beside it as `.damaged`."""
    database, log = project.database, project.database.with_name(f"{project.database.name}.wal")
    damaged = database.with_name(f"{database.name}.damaged")
    if database.exists() and old.readable:
        # Nobody else may have it now, and what waits in its log goes into the file.
        with connect(database, project.folder):
            pass
    elif database.exists():
        damaged.unlink(missing_ok=True)
        os.link(database, damaged)
    if log.exists():
        # DuckDB would take it for the new database's, and refuse to open that.
        log.replace(damaged.with_name(f"{damaged.name}.wal"))
    fresh.database.replace(database)
