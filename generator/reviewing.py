"""A layout under review: what there is to decide, what each decision would give on the loaded rows, and writing it.

Every decision is written at once, so that a review that is broken off keeps what was said. A file that somebody else
changes meanwhile is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from generator.approving import Approval, approve
from generator.candidate import Candidate, ColumnMapping, Question
from generator.chosen import mapping_from
from generator.contracts import Column, Contract, parse_contracts
from generator.correcting import LEFT_OUT, agreed_yml, corrected_sql, corrected_yml, with_alias, with_synonym
from generator.errors import UsageError
from generator.expressions import identifier
from generator.generate import Bench
from generator.layouts import Layout, read_again, read_layouts
from generator.ledger import LedgerRow, connect, has_database, read_files
from generator.mapping import bench_of
from generator.profile import ColumnProfile, LayoutProfile
from generator.project import Project
from generator.readings import read_as
from generator.regenerating import to_map
from generator.sandbox import SandboxError
from generator.standing import BenchAmong, standing
from generator.texts import read_exactly, replace_exactly
from generator.written import read_written
from generator.yml_edit import model_path

SAMPLES = 4
_CELL = 60
_LONGEST_ALIAS = 80
_LOOKED_AT = 2000

Samples = tuple[tuple[str, str], ...]


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


@dataclass(frozen=True)
class Reading:
    """One answer to a question: the mapping that it means, None where nobody can tell; what that gives.

    `current`: it is read so now.
    """

    text: str
    mapping: ColumnMapping | None
    samples: Samples
    current: bool


@dataclass(frozen=True)
class Proposal:
    """Another mapping of a gold column, with what it gives, what the checks say of it and what it leaves open."""

    gold: Column
    mapping: ColumnMapping
    samples: Samples
    objections: tuple[str, ...]
    questions: tuple[Question, ...]


def waiting(project: Project, layouts: Sequence[Layout] | None = None) -> list[Layout]:
    """The layouts that wait for a person, of these or of all: least certain first."""
    found = read_layouts(project.folder) if layouts is None else layouts
    pending = [x for x in found if not x.approved or x.edited_since_approved]
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
        self.contract: Contract = project.contract(layout.contract)
        self._sql = read_exactly(layout.path)
        self._yml = read_exactly(layout.yml)

    @property
    def editable(self) -> bool:
        """Whether single columns can be changed: a person may have given the dbt model another structure."""
        return read_written(self._sql) is not None

    @property
    def sources(self) -> tuple[ColumnProfile, ...]:
        """The source columns that there are to choose from; none where nothing is loaded."""
        return self.bench.profile.columns if self.bench else ()

    @property
    def row_filter(self) -> str | None:
        """The condition that a row must meet, as the dbt model has it."""
        written = read_written(self._sql)
        return written.row_filter if written else None

    def decisions(self) -> list[Decision]:
        """All gold columns, least certain first; those that the layout does not have come last."""
        candidate, written = self._candidate(), read_written(self._sql)
        found = []
        for gold in self.contract.columns:
            told = self.layout.columns.get(gold.name) or {}
            mapping = candidate.columns[gold.name]
            found.append(
                Decision(
                    gold=gold,
                    expression=written.expressions.get(gold.name, "") if written else "",
                    mapping=mapping,
                    headers=tuple(told.get("source_columns") or ()),
                    questions=tuple(
                        Question.model_validate(q) for q in self.layout.questions if q["column"] == gold.name
                    ),
                    samples=self.samples(gold, mapping),
                    agreed=bool(told.get("reviewed")),
                )
            )
        return sorted(found, key=lambda d: (not d.questions, not d.mapped, d.mapping.confidence))

    def readings(self, gold: Column, mapping: ColumnMapping, question: Question) -> list[Reading]:
        """The answers to a question, with what each gives on the same cells."""
        found = []
        for text in question.readings:
            read = self._read_as(gold, mapping, text, question)
            samples = self.samples(gold, read) if read else ()
            current = read is not None and read.expression == mapping.expression
            found.append(Reading(text, read, samples, current))
        return found

    def chosen(self, gold: Column, sources: Sequence[ColumnProfile]) -> Proposal:
        """What these source columns would make of a gold column; rows must be loaded."""
        mapping, questions = mapping_from(self._profile, self.contract, gold, sources)
        return self.proposed(gold, mapping, questions)

    def left_out(self, gold: Column) -> Proposal:
        """The gold column as NULL."""
        return self.proposed(gold, ColumnMapping(note=LEFT_OUT))

    def proposed(self, gold: Column, mapping: ColumnMapping, questions: Sequence[Question] = ()) -> Proposal:
        """Another mapping of a gold column, judged among the others as they stand; `questions` are open in any case."""
        samples = self.samples(gold, mapping)
        if self.bench is None:
            return Proposal(gold, mapping, samples, (), tuple(questions))
        stands = self._candidate()
        bench = self.bench
        among = BenchAmong(
            bench.profile, bench.contract, bench.sandbox, bench.functions, stands=stands, asked=(gold.name,)
        )
        judgement = among.judge(stands.model_copy(update={"columns": {**stands.columns, gold.name: mapping}}))
        objections = tuple(v.message for v in judgement.violations if v.column == gold.name)
        # Which column it is has just been said.
        asked = [q for q in judgement.questions if not _asks_which(q)]
        return Proposal(gold, mapping, samples, objections, tuple(dict.fromkeys([*questions, *asked])))

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
        """Approve the layout as it is now."""
        (approval,) = approve([self.layout], by, at)
        self._reload()
        return approval

    def contract_file(self) -> Path:
        """The yml in which the contract is."""
        folder = self.project.folder / "models" / "gold"
        for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
            try:
                model_path(read_exactly(path), self.contract.name)
                return path
            except KeyError:
                continue
        raise UsageError(f"{folder}: no yml in it has the contract {self.contract.name}")

    def may_learn(self, gold: Column, header: str) -> bool:
        """Whether a header can become one of the words that mean a gold column: new, plain, and not said to be another."""
        known = [
            w.strip().lower()
            for c in self.contract.columns
            for w in (*c.aliases, *(c.decoys if c.name == gold.name else ()))
        ]
        return 0 < len(header) <= _LONGEST_ALIAS and header.strip().lower() not in known and "{" not in header

    def learn_alias(self, gold: Column, header: str) -> Path:
        """Add a header to the words of the contract that mean a gold column; returns the contract's file."""
        return self._learn(lambda text: with_alias(text, self.contract.name, gold.name, header))

    def learn_synonym(self, gold: Column, value: str, word: str) -> Path:
        """Add a word to those with which files write an accepted value; returns the contract's file."""
        return self._learn(lambda text: with_synonym(text, self.contract.name, gold.name, value, word))

    def samples(self, gold: Column, mapping: ColumnMapping) -> Samples:
        """What a mapping makes of the first different cells; nothing where it cannot be tried."""
        if self.bench is None or not mapping.expression:
            return ()
        reshape = self._candidate().reshape
        relation = f"(\n{reshape}\n) as source" if reshape else "source"
        cells = [f"coalesce(left(source.{identifier(c)}, {_CELL}), '')" for c in mapping.source_columns]
        before = f"concat_ws(' | ', {', '.join(cells)})" if cells else "''"
        after = f"cast(try_cast(({mapping.expression}) as {gold.data_type}) as varchar)"
        first = f"select {before} as before, {after} as after, _source_row as place from {relation}"
        try:
            rows = self.bench.sandbox.fetch(
                f"select before, any_value(after) from ({first} order by place limit {_LOOKED_AT}) as looked_at "
                f"where has_value(before) or after is not null group by before order by min(place) limit {SAMPLES}"
            )
        except SandboxError:
            return ()
        return tuple((str(a).strip(), "" if b is None else str(b)) for a, b in rows)

    @property
    def _profile(self) -> LayoutProfile:
        if self.bench is None:
            raise UsageError(f"{self.layout.dbt_model}: no rows of it are loaded; goldsmith run FILE loads some")
        return self.bench.profile

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

    def _read_as(self, gold: Column, mapping: ColumnMapping, reading: str, question: Question) -> ColumnMapping | None:
        """A mapping under a reading; None where nobody knows what that means for it."""
        note = f"{reading} (answered in review)"
        if _asks_which(question):
            named = re.findall(r"`([^`]*)`", reading)
            sources = [c for c in self.sources if c.header in named]
            if {c.name for c in sources} == set(mapping.source_columns):
                return mapping
            made = mapping_from(self._profile, self.contract, gold, sources)[0] if sources else None
            return made.model_copy(update={"note": note}) if made else None
        if not mapping.expression:
            return None
        expression = read_as(mapping.expression, reading, question.readings, self.layout.headers)
        update = {"expression": expression, "confidence": 1.0, "note": note}
        return mapping.model_copy(update=update) if expression else None

    def _replace(self, make: Callable[[], tuple[str, str]]) -> None:
        layout = self.layout
        try:
            sql, yml = make()
        except (KeyError, ValueError) as error:
            raise UsageError(f"{layout.path}: {error}; edit it, and the yml beside it, by hand") from None
        if read_exactly(layout.path) != self._sql:
            raise UsageError(f"{layout.path}: was changed meanwhile, and is left as it is now; do it again")
        # The yml first: should it end between the two, what it says of the column is not true, and the rows show it.
        if yml != self._yml:
            replace_exactly(layout.yml, self._yml, yml)
        if sql != self._sql:
            replace_exactly(layout.path, self._sql, sql)
        self._reload()

    def _reload(self) -> None:
        self.layout = read_again(self.layout)
        self._sql, self._yml = read_exactly(self.layout.path), read_exactly(self.layout.yml)

    def _learn(self, make: Callable[[str], str]) -> Path:
        """Edit the contract's yml; returns its path."""
        path = self.contract_file()
        text = read_exactly(path)
        try:
            learned = make(text)
            parse_contracts(learned, str(path))
        except (KeyError, ValueError, StopIteration) as error:
            raise UsageError(f"{path}: {error}; add it by hand") from None
        if learned != text:
            replace_exactly(path, text, learned)
        return path


def _asks_which(question: Question) -> bool:
    """Whether a question is which source column it is."""
    return bool(question.readings) and all(r.startswith("in `") for r in question.readings)
