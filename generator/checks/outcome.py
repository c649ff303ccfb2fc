"""What a candidate gave when it ran on the rows: what the checks of results look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlglot import exp

from generator.candidate import Candidate, ColumnMapping
from generator.checks.subject import Piece, used_columns
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.contracts.contract import Column, Contract
from generator.matcher.balance import numbers_of
from generator.matcher.directions import Amount

# Characters of a cell in a sample.
SAMPLE_CELL = 500


@dataclass(frozen=True)
class ColumnResult:
    """What one gold column gave on `rows` rows. Counts are rows.

    `data_type` is DuckDB's type of the expression. `unreadable`: NULL although a source cell held something, or changed
    by the contract's type. `not_accepted`: outside the accepted values. `out_of_range`: dates that cannot be meant.
    `distinct`: different values, NULL not counted. `examples`: at most three raw cells that could not be read.
    """

    name: str
    data_type: str
    rows: int
    nulls: int
    unreadable: int
    not_accepted: int
    out_of_range: int
    distinct: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """What becomes of the `source` rows, of which a reshape makes `total`.

    `filtered`: left out by the row filter; `sound` of these have all that may not be null. `keys`: different values of
    the primary key. `lost`: source rows of which the reshape leaves nothing, `repeated`: rows that it makes of one
    more than once, as far as gold can see. `moved`: source column -> rows on which it gives another cell in its name.
    """

    source: int = 0
    total: int = 0
    filtered: int = 0
    sound: int = 0
    keys: int = 0
    lost: int = 0
    repeated: int = 0
    moved: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """The first rows, before the row filter, column by column: lists of one length.

    `kept`: whether the row filter keeps the row. `gold`: gold column -> what it gives. `cells`: source column -> the
    beginnings of its cells. `readings`: source column -> what its dates or numbers are, once for each way they may be
    read. `amounts`: gold column with a sign -> what `amount_of` makes of the same source columns.
    """

    kept: Sequence[bool] = ()
    gold: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    cells: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    readings: Mapping[str, Sequence[Sequence[Any]]] = field(default_factory=dict)
    amounts: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What is judged: a candidate with what it gave. `max_quarantined` is a share, 0 to 1.

    `suggestion` is the offline matcher's candidate, `own` what `amount_of` says of the source columns of each gold
    column with a sign.
    """

    candidate: Candidate
    contract: Contract
    profile: LayoutProfile
    results: tuple[ColumnResult, ...]
    max_quarantined: float
    suggestion: Candidate = field(default_factory=lambda: Candidate(columns={}))
    own: Mapping[str, Amount] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows)
    sample: Sample = field(default_factory=Sample)

    def numbers(self, column: ColumnProfile) -> list[float | None]:
        """The sampled cells of a source column as numbers."""
        cells = tuple(c or "" for c in self.sample.cells[column.name])
        return numbers_of(replace(column, values=cells), self.profile)

    @property
    def judged(self) -> Iterator[tuple[Column, ColumnResult]]:
        """The columns that have an expression and rows."""
        for result in self.results:
            mapping = self.candidate.columns.get(result.name)
            if result.rows and mapping is not None and mapping.expression is not None:
                yield self.contract.column(result.name), result

    @cached_property
    def trees(self) -> dict[str, exp.Expr]:
        """The syntax trees of the gold columns' expressions."""
        found = {n: tree_of(m, n) for n, m in self.candidate.columns.items()}
        return {name: tree for name, tree in found.items() if tree is not None}

    @cached_property
    def used(self) -> dict[str, list[ColumnProfile]]:
        """Gold column -> the source columns of the layout in its expression."""
        names = {gold: used_columns(tree) for gold, tree in self.trees.items()}
        return {gold: [c for c in self.profile.columns if c.name in found] for gold, found in names.items()}


def differing(differs: Sequence[bool | None]) -> str | None:
    """`12 of 28 rows` where some differ; None counts as no row. One is enough: a rule that is wrong is so for each."""
    rows, count = sum(d is not None for d in differs), sum(bool(d) for d in differs)
    return f"{count:,} of {rows:,} rows" if count else None


def tree_of(mapping: ColumnMapping, gold: str) -> exp.Expr | None:
    """The syntax tree of a mapping's expression, if it has one that can be read."""
    return Piece("expression", mapping.expression, gold).tree if mapping.expression is not None else None
