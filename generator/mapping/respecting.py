"""What a person wrote or approved, when it is judged on other rows: refused only if it cannot work there."""

from __future__ import annotations

from dataclasses import replace

from generator.candidate import Candidate, Question
from generator.checks import CANNOT_WORK, CHOSEN, DOUBTS
from generator.mapping.judging import Judgement
from generator.violation import Part, Violation

# What the row filter is called beside the gold columns.
ROW_FILTER = "row_filter"
# Rules about the rows that it leaves out.
_ABOUT_ROWS = frozenset({"many_left_out", "sound_left_out"})


def respecting(judgement: Judgement, candidate: Candidate, base: Candidate, by_hand: frozenset[str]) -> Judgement:
    """A judgement of a candidate without what only an LLM is to mind, for all that is in it by hand, as in `base`.

    What the rows say against that is a question, always in the same words, so that it is known when it was answered.
    """
    names = {n for n in by_hand - {ROW_FILTER} if candidate.columns.get(n) == base.columns[n]}
    rows = ROW_FILTER in by_hand and candidate.row_filter == base.row_filter

    def respected(violation: Violation) -> bool:
        concerned = violation.column in names or (rows and violation.part is Part.ROW_FILTER)
        return concerned and violation.rule not in CANNOT_WORK

    def asks_again(question: Question, rule: str) -> bool:
        return rule in CHOSEN | DOUBTS.keys() and (rows if rule in _ABOUT_ROWS else question.column in names)

    dropped = [v for v in judgement.violations if respected(v)]
    chosen = {q: judgement.rules[q] for q in judgement.questions if asks_again(q, judgement.rules.get(q, ""))}
    doubted = [(v.column, v.rule) for v in dropped] + [(q.column, rule) for q, rule in chosen.items()]
    doubts = [
        Question(column=column, text=_doubt(DOUBTS[rule]))
        for column, rule in dict.fromkeys(doubted)
        if column and rule in DOUBTS
    ]
    return replace(
        judgement,
        violations=tuple(v for v in judgement.violations if v not in dropped),
        questions=(*(q for q in judgement.questions if q not in chosen), *doubts),
    )


def _doubt(rule: str) -> str:
    return f"a person wrote or approved it, but here the rows are against a rule ({rule.rstrip('.')}): is it right?"
