"""The nearest known dbt model as the starting point of a new layout: what of it holds there is not asked again.

Taken over are expressions as they are now, edits of people included, whose source columns are all there, written as
before, if they pass the checks on the new rows; what a person wrote or approved, if it can work there at all. What nobody
but the offline matcher has said is not: it costs nothing to say it anew, from the new rows.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from generator.candidate import Candidate, ColumnMapping, Provenance, Question
from generator.checks import guarded
from generator.contracts.contract import Contract
from generator.mapping.judging import Judgement
from generator.mapping.respecting import ROW_FILTER, respecting
from generator.naming import ascii_words
from generator.project.correcting import PERSON
from generator.project.drift import Drift
from generator.project.written import Written, is_null, names_in, on_one_line, read_written, renamed
from generator.violation import Part

# How sure a mapping is that a person wrote or approved.
SURE = 0.95
MATCHER = "offline"
# What the note of a gold column begins with where nothing passed the checks.
GIVEN_UP = "left out: "
Judge: TypeAlias = Callable[[Candidate], Judgement]


@dataclass(frozen=True)
class Near:
    """The known layout that a new one is nearly, and what changed. `sql` is its dbt model's text, `columns` and
    `questions` are what its yml says of the mapping, `approved` and `edited` what people did with it.

    `own`: it is of the same source; others may mean another thing by the same headers. `discarding`: new columns are not
    to be mapped. `answered` are questions that a person has answered, of it or of those that it began with,
    `handed_down` the gold columns (and the row filter) in which a person had a hand there.
    """

    drift: Drift
    own: bool
    discarding: bool
    sql: str
    columns: Mapping[str, Mapping[str, Any]]
    questions: Sequence[Mapping[str, Any]]
    approved: bool
    edited: bool
    provenance: Provenance
    answered: Sequence[Mapping[str, Any]] = ()
    handed_down: frozenset[str] = frozenset()

    def by_hand(self, name: str) -> bool:
        """Whether a person has had a hand in a gold column, or in the row filter."""
        told = self.columns.get(name) or {}
        decided = told.get("reviewed") or told.get("provider") == PERSON
        return bool(self.approved or self.edited or decided or name in self.handed_down)


@dataclass(frozen=True)
class Start:
    """Where the mapping of a new layout begins: `candidate` has what is kept, and the offline matcher's for the rest.

    `kept` are the gold columns that are not asked for, with who made each, `failed` those (and the row filter) that fail a
    check here, and how. `by_hand` are those of the kept, and the row filter if it is, in which a person had a hand.
    `answered` are questions that a person has answered before, `waiting` those that were asked of what is kept by hand, and
    are not answered.
    """

    candidate: Candidate
    kept: Mapping[str, str]
    answered: frozenset[Question]
    provenance: Provenance
    failed: Mapping[str, str] = field(default_factory=dict)
    by_hand: frozenset[str] = frozenset()
    waiting: tuple[Question, ...] = ()

    def still_kept(self, candidate: Candidate) -> dict[str, str]:
        """What of `kept` a later candidate has as it was taken over."""
        return {
            name: maker for name, maker in self.kept.items() if candidate.columns[name] == self.candidate.columns[name]
        }

    def still_open(self, questions: Sequence[Question]) -> tuple[Question, ...]:
        """The questions but for those that were answered on what is kept, and those that have waited before."""
        found = dict.fromkeys([*self.waiting, *questions])
        return tuple(q for q in found if q not in self.answered or q.column not in self.kept)

    def answered_of(self, kept: Container[str]) -> tuple[Question, ...]:
        """What has been answered on these gold columns, in an order of its own."""
        return tuple(sorted((q for q in self.answered if q.column in kept), key=lambda q: (q.column, q.text)))

    def judging(self, judge: Judge) -> Judge:
        """The same judge, for whom what is kept by hand is refused only if it cannot work."""
        return lambda candidate: respecting(judge(candidate), candidate, self.candidate, self.by_hand)


def starting_point(near: Near, contract: Contract, suggestion: Candidate, judge: Judge) -> Start | None:
    """What of the nearest dbt model holds for a new layout; None where nothing can.

    `suggestion` is the offline matcher's candidate for the new layout, `judge` judges candidates on its rows.
    """
    written = read_written(near.sql) if near.own else None
    if written is None or written.reshape:
        return None
    kept = _taken_over(near, written, contract, suggestion)
    told = written.row_filter if near.by_hand(ROW_FILTER) or near.provenance.provider != MATCHER else None
    row_filter = adapted(on_one_line(told) or told, near.drift) if told else None
    refused = {ROW_FILTER: why_not(told, near.drift)} if told and not row_filter else {}
    while kept or refused or row_filter:
        candidate = guarded(_merged(near, kept, row_filter, suggestion))
        by_hand = frozenset(filter(near.by_hand, [*kept, *([ROW_FILTER] if row_filter else [])]))
        violations = respecting(judge(candidate), candidate, candidate, by_hand).violations
        at_fault = [v.message for v in violations if v.part is Part.ROW_FILTER]
        if row_filter and at_fault:
            row_filter, refused[ROW_FILTER] = None, at_fault[0]
            continue
        failed = {v.column: v.message for v in reversed(violations) if v.column in kept}
        if not failed:
            asked = [_adapted_question(q, near.drift) for q in near.questions]
            answered = [_adapted_question(q, near.drift) for q in near.answered]
            return Start(
                candidate,
                {name: _maker(near, name) for name in kept},
                frozenset(answered + asked if near.approved else answered),
                near.provenance,
                refused,
                by_hand,
                () if near.approved else tuple(q for q in asked if q.column in by_hand),
            )
        refused |= {name: why for name, why in failed.items() if name and kept[name].expression}
        kept = {name: mapping for name, mapping in kept.items() if name not in failed}
    return None


def _taken_over(near: Near, written: Written, contract: Contract, suggestion: Candidate) -> dict[str, ColumnMapping]:
    """The mappings of the known layout that can hold: gold column -> mapping, in the new layout's names."""
    open_ = set() if near.approved else {q["column"] for q in near.questions}
    required = {c.name for c in contract.required}
    kept = {}
    for name in contract.names:
        expression = on_one_line(written.expressions.get(name, ""))
        by_hand = near.by_hand(name)
        if expression is None or (not by_hand and (name in open_ or _maker(near, name) == MATCHER)):
            continue
        told = near.columns.get(name) or {}
        sure = told.get("confidence")
        # What is said of an empty column is not said of the expression that a person has written for it.
        said = told.get("note") if (sure is None) == is_null(expression) else None
        note = ": ".join(filter(None, (f"as in {near.drift.origin}", said)))
        if is_null(expression):
            # What is new may be what was missing; what was there before, a person has left out.
            new = near.drift.new and not near.discarding
            suggested = suggestion.columns[name]
            left_out = by_hand and suggested.source_columns and not reads_new(suggested, near)
            if name not in required and (not new or left_out):
                kept[name] = ColumnMapping(note=note)
            continue
        here = adapted(expression, near.drift, suggestion.columns[name].source_columns)
        if here is None or _said_by_header(expression, near.drift, suggestion.columns[name]):
            continue
        kept[name] = ColumnMapping(
            expression=here,
            source_columns=_sources(expression, near.drift),
            confidence=max(sure or 0.0, SURE) if near.approved or sure is None else sure,
            note=note,
        )
    return kept


def adapted(expression: str, drift: Drift, suggested: Sequence[str] = ()) -> str | None:
    """An expression in the new layout's names; None where a column it reads is gone, written in another way, or only
    guessed to be the same one and not what the offline matcher suggests.
    """
    used = {name.lower() for name in names_in(expression)}
    guessed = {drift.names[name] for name in used & drift.guessed}
    # Of two columns with the same header the matcher takes the first one, too, for no better reason.
    if used & {*drift.unlike, *drift.dropped, *drift.uncertain} or not guessed <= set(suggested):
        return None
    return renamed(expression, drift.names)


def why_not(expression: str, drift: Drift) -> str:
    """Why an expression is not taken over by its columns alone, in words; '' if nothing speaks against it."""
    used = {name.lower() for name in names_in(expression)}
    after = {r.before: r.after for r in drift.renamed}
    for old, header in drift.before.items():
        if old not in used:
            continue
        if old in drift.uncertain:
            return f"it cannot be told which of the columns `{header}` is meant"
        if old in drift.dropped:
            return f"`{header}` is gone"
        if old in drift.guessed:
            return f"`{header}` is gone, and only its place says that it is now `{after[header]}`"
        if old in drift.unlike:
            return f"`{header}` is written in another way"
    return ""


def reads_new(mapping: ColumnMapping, near: Near) -> bool:
    """Whether a mapping reads a column that the known layout did not have, or had perhaps by another name."""
    return bool(set(mapping.source_columns) & near.drift.new)


def _said_by_header(expression: str, drift: Drift, suggested: ColumnMapping) -> bool:
    """Whether a constant, such as a currency, stood in a header that is there no more, and another one stands there now."""
    if names_in(expression) or not suggested.expression or suggested.expression == expression:
        return False
    before, after = (set(ascii_words(" ".join(headers))) for headers in (drift.before.values(), drift.after.values()))
    return bool(set(ascii_words(expression)) & (before - after))


def _adapted_question(asked: Mapping[str, Any], drift: Drift) -> Question:
    """A question of the known layout as it is asked of the new one, whose headers may be written in another way."""
    question = Question.model_validate(asked)
    text = question.text
    for before, after in (*((r.before, r.after) for r in drift.renamed), *drift.respelled):
        text = text.replace(f"`{before}`", f"`{after}`")
    return question.model_copy(update={"text": text})


def _sources(expression: str, drift: Drift) -> tuple[str, ...]:
    return tuple(dict.fromkeys(drift.names[n.lower()] for n in names_in(expression) if n.lower() in drift.names))


def _merged(near: Near, kept: Mapping[str, ColumnMapping], row_filter: str | None, suggestion: Candidate) -> Candidate:
    """What is kept, and the offline matcher's for the rest."""
    used = {source for mapping in kept.values() for source in mapping.source_columns}
    return suggestion.model_copy(
        update={
            "columns": {name: kept.get(name, mapping) for name, mapping in suggestion.columns.items()},
            "row_filter": row_filter or suggestion.row_filter,
            "row_filter_note": f"as in {near.drift.origin}" if row_filter else suggestion.row_filter_note,
            "unmapped": {name: why for name, why in suggestion.unmapped.items() if name not in used},
            "questions": tuple(q for q in suggestion.questions if q.column not in kept),
        }
    )


def _maker(near: Near, name: str) -> str:
    return str((near.columns.get(name) or {}).get("provider") or near.provenance.provider)
