"""What stands of a dbt model while some of its columns are asked for again: nothing of it is judged, all of it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from generator.candidate import Candidate, ColumnMapping, Provenance
from generator.contracts.contract import Contract
from generator.errors import UsageError
from generator.mapping.generate import Bench
from generator.mapping.judging import Judgement
from generator.mapping.starting import Start
from generator.project.layouts import Layout
from generator.project.written import is_null, on_one_line, read_written
from generator.violation import Part

# Where these fail nothing was run, and so nothing was judged.
_AS_A_WHOLE = (Part.RESHAPE, Part.ANSWER)


def standing(layout: Layout, sql: str, contract: Contract) -> Candidate:
    """A dbt model as a candidate: what its text says now, edits included, with what the yml says of it.

    UsageError for one that a person has given another structure.
    """
    written = read_written(sql)
    if written is None:
        raise UsageError(
            f"{layout.path}: has another structure than goldsmith gave it, so that single columns cannot be replaced; "
            f"edit it, or have all of it made anew beside it: goldsmith regenerate {layout.short}"
        )
    names = {header: name for name, header in reversed(tuple(layout.headers.items()))}
    columns = {}
    for gold in contract.names:
        told = layout.columns.get(gold) or {}
        expression = on_one_line(written.expressions.get(gold, "")) or None
        columns[gold] = ColumnMapping(
            expression=None if expression is None or is_null(expression) else expression,
            source_columns=tuple(names.get(h, h) for h in told.get("source_columns") or ()),
            confidence=told.get("confidence") or 0.0,
            note=told.get("note") or "",
        )
    return Candidate(columns=columns, row_filter=written.row_filter, reshape=written.reshape)


def start_among(candidate: Candidate, asked: Sequence[str], suggestion: Candidate, provider: str) -> Start:
    """The point to start from: what stands, and the offline matcher's answer for the columns that are asked."""
    columns = {n: suggestion.columns[n] if n in asked else m for n, m in candidate.columns.items()}
    return Start(
        candidate=candidate.model_copy(update={"columns": columns}),
        kept={name: provider for name in columns if name not in asked},
        failed={},
        answered=frozenset(),
        provenance=Provenance(provider=provider),
    )


@dataclass(frozen=True, kw_only=True)
class BenchAmong(Bench):
    """Judges the `asked` columns of a candidate among those that stand, and says nothing of these."""

    stands: Candidate
    asked: tuple[str, ...]

    def judge(self, candidate: Candidate) -> Judgement:
        """What is wrong with the asked columns, and what they leave open."""
        asked = {n: m for n, m in candidate.columns.items() if n in self.asked}
        merged = self.stands.model_copy(update={"columns": {**self.stands.columns, **asked}})
        judgement = super().judge(merged)
        return replace(
            judgement,
            violations=tuple(
                v for v in judgement.violations if v.column in asked or (v.column is None and v.part in _AS_A_WHOLE)
            ),
            questions=tuple(q for q in judgement.questions if q.column in asked),
        )
