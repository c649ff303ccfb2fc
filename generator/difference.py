"""What another version of a dbt model, or of its contract, makes of the same loaded rows. Pure: facts and their words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class CellChange:
    """One gold cell of one source row before and after, as text; None is NULL."""

    source_file: str
    source_row: int
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ColumnChange:
    """What became of one gold column.

    `rows` counts the rows that are in gold before and after and differ here; the other counts are of all gold rows. A
    column that one of the contracts does not have is NULL there.
    """

    column: str
    rows: int
    nulls_before: int
    nulls_after: int
    distinct_before: int
    distinct_after: int
    examples: tuple[CellChange, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing about the column changed."""
        return not self.rows and (self.nulls_before, self.distinct_before) == (self.nulls_after, self.distinct_after)


@dataclass(frozen=True)
class RowExample:
    """A row that is in gold on one side only: its cells there, and why it is not in gold on the other side."""

    source_file: str
    source_row: int
    cells: Mapping[str, str | None]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What two versions make of the same loaded rows. `before` and `after` name the versions.

    `rows_*` are gold rows, `added` and `removed` those that only the one or the other has. `quarantined_*` and
    `filtered_*` count source rows, `quarantine_*` how often each reason is given: (reason, rows), most frequent first.
    `failed_tests`: what dbt says of the tests in the dbt model's yml that the version after does not pass.
    """

    dbt_model: str
    contract: str
    before: str
    after: str
    rows_before: int
    rows_after: int
    added: int = 0
    removed: int = 0
    added_examples: tuple[RowExample, ...] = ()
    removed_examples: tuple[RowExample, ...] = ()
    changed: tuple[ColumnChange, ...] = field(default=())
    quarantined_before: int = 0
    quarantined_after: int = 0
    quarantine_before: tuple[tuple[str, int], ...] = ()
    quarantine_after: tuple[tuple[str, int], ...] = ()
    filtered_before: int = 0
    filtered_after: int = 0
    failed_tests: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether both versions make the same gold and the same quarantine."""
        return (
            not self.added
            and not self.removed
            and all(column.same for column in self.changed)
            and self.quarantine_before == self.quarantine_after
            and (self.quarantined_before, self.filtered_before) == (self.quarantined_after, self.filtered_after)
        )

    @property
    def differing(self) -> tuple[ColumnChange, ...]:
        """The columns that are not the same."""
        return tuple(column for column in self.changed if not column.same)

    @property
    def reasons(self) -> tuple[tuple[str, int, int], ...]:
        """Why rows are in quarantine: (reason, rows before, rows after), those that changed most first."""
        before, after = dict(self.quarantine_before), dict(self.quarantine_after)
        found = [(reason, before.get(reason, 0), after.get(reason, 0)) for reason in before | after]
        return tuple(sorted(found, key=lambda row: (-abs(row[2] - row[1]), row[0])))

    @property
    def summary(self) -> str:
        """The difference in a line."""
        if self.empty:
            return f"the same {self.rows_before:,} gold rows, the same quarantine"
        parts = [f"{self.added:,} added", f"{self.removed:,} removed"]
        parts += [f"{c.column} changed in {c.rows:,}" for c in self.changed if c.rows]
        return (
            f"gold rows {self.rows_before:,} → {self.rows_after:,} ({', '.join(parts)}), "
            f"quarantined {self.quarantined_before:,} → {self.quarantined_after:,}, "
            f"filtered {self.filtered_before:,} → {self.filtered_after:,}"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types, with `empty` and `summary`."""
        return {**asdict(self), "empty": self.empty, "summary": self.summary}
