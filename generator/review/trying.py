"""What a mapping of one gold column would give on the loaded rows of a layout, while the others stay as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generator.candidate import Candidate, ColumnMapping, Question
from generator.columns.profile import ColumnProfile
from generator.contracts.contract import Column
from generator.mapping.generate import Bench
from generator.mapping.sandbox import SandboxError
from generator.mapping.standing import BenchAmong
from generator.matcher.chosen import mapping_from
from generator.matcher.expressions import identifier
from generator.matcher.readings import read_as
from generator.project.correcting import LEFT_OUT

SAMPLES = 4
_CELL = 60
_LOOKED_AT = 2000

# Cells before, joined by ` | `, and the gold value after, '' for NULL.
Samples = tuple[tuple[str, str], ...]


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
    objections: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Trial:
    """The mapping `stands` as it is, and the rows to try another one on; no `bench` where none are loaded."""

    stands: Candidate
    bench: Bench | None

    @property
    def sources(self) -> tuple[ColumnProfile, ...]:
        """The source columns that there are to choose from."""
        return self.bench.profile.columns if self.bench else ()

    def samples(self, gold: Column, mapping: ColumnMapping) -> Samples:
        """What a mapping makes of the first different cells; nothing where it cannot be tried."""
        if self.bench is None or not mapping.expression:
            return ()
        relation = f"(\n{self.stands.reshape}\n) as source" if self.stands.reshape else "source"
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
        """What these of the source columns would make of a gold column."""
        if self.bench is None:
            raise ValueError("no rows are loaded")
        mapping, questions = mapping_from(self.bench.profile, self.bench.contract, gold, sources)
        return self.proposed(gold, mapping, questions)

    def left_out(self, gold: Column) -> Proposal:
        """The gold column as NULL."""
        return self.proposed(gold, ColumnMapping(note=LEFT_OUT))

    def proposed(self, gold: Column, mapping: ColumnMapping, questions: Sequence[Question] = ()) -> Proposal:
        """Another mapping of a gold column, judged; `questions` are open in any case."""
        bench, stands, samples = self.bench, self.stands, self.samples(gold, mapping)
        if bench is None:
            return Proposal(gold, mapping, samples, questions=tuple(questions))
        among = BenchAmong(
            bench.profile, bench.contract, bench.sandbox, bench.functions, stands=stands, asked=(gold.name,)
        )
        judgement = among.judge(stands.model_copy(update={"columns": {**stands.columns, gold.name: mapping}}))
        objections = tuple(v.message for v in judgement.violations if v.column == gold.name)
        # Which column it is has just been said.
        asked = [q for q in judgement.questions if not _asks_which(q)]
        return Proposal(gold, mapping, samples, objections, tuple(dict.fromkeys([*questions, *asked])))

    def _read_as(self, gold: Column, mapping: ColumnMapping, reading: str, question: Question) -> ColumnMapping | None:
        """A mapping under a reading; None where nobody knows what that means for it."""
        note = f"{reading} (answered in review)"
        if self.bench and _asks_which(question):
            named = re.findall(r"`([^`]*)`", reading)
            sources = [c for c in self.sources if c.header in named]
            if {c.name for c in sources} == set(mapping.source_columns):
                return mapping
            made = mapping_from(self.bench.profile, self.bench.contract, gold, sources)[0] if sources else None
            return made.model_copy(update={"note": note}) if made else None
        headers = {c.name: c.header for c in self.sources}
        expression = mapping.expression and read_as(mapping.expression, reading, question.readings, headers)
        update = {"expression": expression, "confidence": 1.0, "note": note}
        return mapping.model_copy(update=update) if expression else None


def _asks_which(question: Question) -> bool:
    """Whether a question is which source column it is."""
    return bool(question.readings) and all(r.startswith("in `") for r in question.readings)
