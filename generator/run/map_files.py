"""Steps 5 to 9 for the files of a run: known layouts all together, new ones a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from generator.database.ledger import LedgerRow, connect
from generator.errors import DiskFullError, Frozen, GoldsmithError, LockedError, UsageError
from generator.llm import telemetry
from generator.mapping.cache import Mapped, Unmapped, adopt_known, bench_of, block, find_mapping, keep, nearly
from generator.mapping.generate import Blocked, Generated, generate
from generator.outcome import FileOutcome, Progress
from generator.project.drift import OVERLAP, Drift, overlap
from generator.project.layouts import Layout, read_layouts
from generator.project.project import Project
from generator.providers import Provider
from generator.run.results import loaded_outcome
from generator.run.taking_in import cached_tables
from generator.workers import Workers

NOTHING_TO_LEARN = "a header and no rows: nothing to learn a mapping from; it is mapped once a file with rows is"
# A file, and the contract that was named for it.
Waiting: TypeAlias = tuple[LedgerRow, str | None]


@dataclass
class Done:
    """What has come of the files of this run so far: those that are finished, and those that have a mapping."""

    outcomes: list[FileOutcome]
    mapped: list[tuple[LedgerRow, Mapped]] = field(default_factory=list)

    @property
    def layouts(self) -> list[Layout]:
        """The layouts of the mapped files."""
        return list({m.layout.dbt_model: m.layout for _, m in self.mapped}.values())

    @property
    def notices(self) -> tuple[str, ...]:
        """What was said while the mappings were made, each line once."""
        return tuple(dict.fromkeys(n for _, m in self.mapped for n in m.notices))


def map_all(project: Project, waiting: Sequence[Waiting], provider: Provider, progress: Progress, done: Done) -> None:
    """One new layout after the other, or as many beside each other as the provider may be asked about.

    The files of a layout that is known, also since just now, take its mapping together. What is made is written as soon
    as it is there, whatever becomes of the others.
    """
    layouts, total, new = read_layouts(project.folder), len(waiting), True
    settled = {x.dbt_model for x in layouts}
    # In the order in which they came, whoever was interrupted meanwhile: the first of a layout names it. Of a header
    # without rows no mapping can be learned: it comes last, and takes what the others have.
    left = sorted(waiting, key=lambda one: (one[0].rows_loaded == 0, one[0].loaded_at))
    asked = _Asked(project, provider)
    while left or asked.workers.busy:
        if new:
            left, new = _adopt_all(project, left, layouts, done), False
            continue
        # Files with the same headers may be of one layout, and of one source with nearly the same begin where another one
        # ends: the second waits for what comes of the first.
        ready = next((one for one in left if not asked.concerns(one[0])), None)
        if asked.workers.full or ready is None:
            found = asked.settled(layouts, done)
            if found:
                new, layouts = True, read_layouts(project.folder)
            continue
        row, contract = ready
        left.remove(ready)
        progress(f"map {row.source_file}", total - len(left) - 1, total)
        if row.rows_loaded == 0:
            outcome = replace(loaded_outcome(row), message=NOTHING_TO_LEARN)
            done.outcomes.append(_nearly(outcome, nearly(project, row, contract, layouts)))
            continue
        try:
            found_mapping = find_mapping(project, row, contract, layouts, settled)
        except (UsageError, LockedError, DiskFullError):
            raise
        except GoldsmithError as error:
            near = error.near if isinstance(error, Frozen) else ""
            _block(project, row, contract or row.contract, str(error), done, near=near)
            continue
        if isinstance(found_mapping, Mapped):
            done.mapped.append((row, found_mapping))
        elif reason := asked.blocked.get(found_mapping.name.dbt_model):
            # The same layout again: it would only be paid for again.
            _block(project, row, found_mapping.contract.name, reason, done, found_mapping)
        else:
            asked.begin(found_mapping)


class _Asked:
    """The layouts that the provider is being asked about, and those that it could not map."""

    def __init__(self, project: Project, provider: Provider) -> None:
        self.workers: Workers[Unmapped, Generated | Blocked] = Workers(provider.at_once)
        self.rows: list[LedgerRow] = []
        self.blocked: dict[str, str] = {}
        self._project = project
        self._provider = provider

    def concerns(self, row: LedgerRow) -> bool:
        """Whether what is asked about may turn out to be the layout of this file, or one that it is nearly."""
        return any(
            row.headers == other.headers
            or (row.source == other.source and overlap(row.headers, other.headers) >= OVERLAP)
            for other in self.rows
        )

    def begin(self, unmapped: Unmapped) -> None:
        """Ask about a layout. The copy of its rows is made here: only one thread has the database."""
        bench = bench_of(self._project, unmapped)

        def call() -> Generated | Blocked:
            name = unmapped.name.dbt_model
            try:
                with bench.sandbox, telemetry.mapping(name, unmapped.contract.name):
                    return generate(
                        bench, self._provider, self._project.max_attempts, name, unmapped.example, unmapped.near
                    )
            except Blocked as error:
                return error

        self.rows.append(unmapped.row)
        self.workers.start(unmapped, call)

    def settled(self, layouts: Sequence[Layout], done: Done) -> bool:
        """Wait for the next layout and keep what came of it; whether that is a mapping."""
        unmapped, made = self.workers.wait()
        self.rows.remove(unmapped.row)
        if isinstance(made, Blocked):
            self.blocked[unmapped.name.dbt_model] = str(made)
            _block(self._project, unmapped.row, unmapped.contract.name, str(made), done, unmapped)
            return False
        done.mapped.append((unmapped.row, keep(self._project, unmapped, made, layouts)))
        return True


def _block(
    project: Project,
    row: LedgerRow,
    contract: str | None,
    message: str,
    done: Done,
    unmapped: Unmapped | None = None,
    near: str = "",
) -> None:
    """Enter a file that no mapping onto the contract was found for, and say so. `near`: a dbt model that `message` names."""
    blocked = block(project, row, contract, message, unmapped.name if unmapped else None)
    drift = unmapped.near.drift if unmapped and unmapped.near else None
    done.outcomes.append(_nearly(replace(loaded_outcome(blocked), near=near), drift))


def _nearly(outcome: FileOutcome, drift: Drift | None) -> FileOutcome:
    """The outcome of a file without a mapping, with what is other in it than in a known layout, if it is near one."""
    if drift is None:
        return outcome
    return replace(outcome, near=drift.origin, changes=(f"nearly {drift.origin}: {'; '.join(drift.changes)}",))


def _adopt_all(project: Project, waiting: Sequence[Waiting], layouts: Sequence[Layout], done: Done) -> list[Waiting]:
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
