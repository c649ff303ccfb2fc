"""A layout under review: what there is to decide, what each decision would give on the loaded rows, and writing it.

Every decision is written at once, so that a review that is broken off keeps what was said. A file that somebody else
changes meanwhile is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from generator.candidate import Candidate, ColumnMapping, Question
from generator.changes.regenerating import to_map
from generator.contracts.contract import Column
from generator.database.ledger import LedgerRow, connect, has_database, read_files
from generator.errors import UsageError
from generator.mapping.cache import bench_of
from generator.mapping.generate import Bench
from generator.mapping.standing import standing
from generator.project.correcting import agreed_yml, corrected_sql, corrected_yml
from generator.project.layouts import Layout, read_again, read_layouts
from generator.project.project import Project
from generator.project.texts import read_exactly, replace_exactly
from generator.project.written import read_written
from generator.review.approving import Approval, approve
from generator.review.trying import Proposal, Samples, Trial


@dataclass(frozen=True)
class Decision:
    """A gold column as a person decides on it. `expression` is as it is written, `mapping` what is known of it.

    `agreed`: a person has said so already.
    """

    gold: Column
    expression: str
    mapping: ColumnMapping
    headers: tuple[str, ...]
    questions: tuple[Question, ...]
    samples: Samples
    agreed: bool

    @property
    def mapped(self) -> bool:
        """Whether the gold column has anything in this layout."""
        return bool(self.mapping.expression or self.headers)


def waiting(project: Project) -> list[Layout]:
    """The layouts that wait for a person, least certain first; those without a contract wait for that."""
    known = [x for x in read_layouts(project.folder) if x.contract in project.contracts]
    pending = [x for x in known if not x.approved or x.edited_since_approved]
    return sorted(pending, key=lambda x: (not x.questions, _least_sure(x), x.dbt_model))


def _least_sure(layout: Layout) -> float:
    sure = [c["confidence"] for c in layout.columns.values() if c.get("confidence") is not None]
    return min(sure, default=1.0)


def files_of(project: Project, layout: Layout) -> list[LedgerRow]:
    """The loaded files of a layout."""
    if not has_database(project.database):
        return []
    with connect(project.database, project.folder) as connection:
        return read_files(connection, "raw_table = ? and contract = ?", layout.raw_table, layout.contract)


@contextmanager
def open_review(project: Project, layout: Layout) -> Iterator[Review]:
    """A review of one layout, with a copy of rows of its largest file where some are loaded."""
    if not any(row.rows_loaded for row in files_of(project, layout)):
        yield Review(project, layout, None)
        return
    bench = bench_of(project, to_map(project, layout, project.contract(layout.contract)))
    with bench.sandbox:
        yield Review(project, layout, bench)


class Review:
    """The decisions on one layout. All that writes raises UsageError where a file cannot be edited, or was meanwhile."""

    def __init__(self, project: Project, layout: Layout, bench: Bench | None) -> None:
        """`bench` has the rows to try things on, None where nothing is loaded."""
        self.project = project
        self.layout = layout
        self.bench = bench
        self.contract = project.contract(layout.contract)
        self._sql = read_exactly(layout.path)
        self._yml = read_exactly(layout.yml)

    @property
    def editable(self) -> bool:
        """Whether single columns can be changed: a person may have given the dbt model another structure."""
        return read_written(self._sql) is not None

    @property
    def trial(self) -> Trial:
        """Where another mapping of a gold column is tried."""
        return Trial(self._candidate(), self.bench)

    @property
    def row_filter(self) -> str | None:
        """The condition that a row must meet, as the dbt model has it."""
        written = read_written(self._sql)
        return written.row_filter if written else None

    def decisions(self) -> list[Decision]:
        """All gold columns, least certain first; those that the layout does not have come last."""
        trial, written = self.trial, read_written(self._sql)
        found = []
        for gold in self.contract.columns:
            told = self.layout.columns.get(gold.name) or {}
            mapping = trial.stands.columns[gold.name]
            found.append(
                Decision(
                    gold=gold,
                    expression=written.expressions.get(gold.name, "") if written else "",
                    mapping=mapping,
                    headers=tuple(told.get("source_columns") or ()),
                    questions=tuple(
                        Question.model_validate(q) for q in self.layout.questions if q["column"] == gold.name
                    ),
                    samples=trial.samples(gold, mapping),
                    agreed=bool(told.get("reviewed")),
                )
            )
        return sorted(found, key=lambda d: (not d.questions, not d.mapped, d.mapping.confidence))

    def write(self, proposal: Proposal) -> None:
        """Put a proposal into the two files."""
        gold, mapping = proposal.gold, proposal.mapping
        self._replace(
            lambda: (corrected_sql(self._sql, gold, mapping), corrected_yml(self._yml, self.layout, gold, mapping))
        )

    def agree(self, gold: Column) -> None:
        """Write down that a gold column is right as it is mapped."""
        self._replace(lambda: (self._sql, agreed_yml(self._yml, self.layout, gold.name)))

    def approve(self, by: str, at: str) -> Approval:
        """Approve the layout as it was shown."""
        self._ensure_unchanged()
        (approval,) = approve([self.layout], by, at)
        self._reload()
        return approval

    def _candidate(self) -> Candidate:
        if self.editable:
            return standing(self.layout, self._sql, self.contract)
        columns = {n: self.layout.columns.get(n) or {} for n in self.contract.names}
        return Candidate(
            columns={
                n: ColumnMapping(confidence=c.get("confidence") or 0.0, note=c.get("note") or "")
                for n, c in columns.items()
            }
        )

    def _replace(self, make: Callable[[], tuple[str, str]]) -> None:
        layout = self.layout
        try:
            sql, yml = make()
        except (KeyError, ValueError) as error:
            raise UsageError(f"{layout.path}: {error}; edit it, and the yml beside it, by hand") from None
        self._ensure_unchanged()
        # The yml first: should it end between the two, what it says of the column is not true, and the rows show it.
        if yml != self._yml:
            replace_exactly(layout.yml, self._yml, yml)
        if sql != self._sql:
            replace_exactly(layout.path, self._sql, sql)
        self._reload()

    def _ensure_unchanged(self) -> None:
        if read_exactly(self.layout.path) != self._sql:
            raise UsageError(f"{self.layout.path}: was changed meanwhile, and is left as it is now; do it again")

    def _reload(self) -> None:
        self.layout = read_again(self.layout)
        self._sql, self._yml = read_exactly(self.layout.path), read_exactly(self.layout.yml)
