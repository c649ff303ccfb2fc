"""Judge a candidate: its SQL as it is written, then piece by piece what it gives on the rows of the sandbox.

One piece that fails keeps no other from being judged: a column that may not run, or cannot, counts as NULL, and a row
filter as none. Only where the reshape fails nothing runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from generator.candidate import Candidate, ColumnMapping, Question
from generator.checks import MAPPING_CHECKS, RESULT_CHECKS, SAFETY, Outcome, Subject, found, questions
from generator.columns.profile import LayoutProfile
from generator.contracts.contract import Contract
from generator.mapping.measuring import column_results, counted_rows, mapped_sql, sampled_rows
from generator.mapping.sandbox import Sandbox, SandboxError
from generator.matcher.amounts import amount_of
from generator.matcher.offline import propose
from generator.violation import Part, Violation


@dataclass(frozen=True)
class Judgement:
    """What is wrong with a candidate, and what only a person can decide and the candidate does not ask by itself.

    `rules`: question -> the name of the rule that asks it.
    """

    violations: tuple[Violation, ...]
    questions: tuple[Question, ...] = ()
    rules: Mapping[Question, str] = field(default_factory=dict)


def judge(
    candidate: Candidate,
    profile: LayoutProfile,
    contract: Contract,
    sandbox: Sandbox,
    functions: frozenset[str],
    suggestion: Candidate | None = None,
) -> Judgement:
    """All violations of a candidate and all questions that it leaves open.

    `suggestion` is the offline matcher's candidate, made here if it is not at hand.
    """
    suggestion = suggestion or propose(profile, contract)
    subject = Subject(candidate, contract, frozenset(c.name for c in profile.columns), functions)
    unsafe = found(SAFETY, subject)
    violations = [*unsafe, *found(MAPPING_CHECKS, subject)]
    runnable = _without(candidate, contract, unsafe)
    try:
        outcome = _outcome(runnable, profile, subject, sandbox, suggestion) if runnable else None
    except SandboxError as error:
        failed = list(_located(runnable, contract, sandbox)) if runnable else []
        violations += failed or [Violation("sandbox", str(error))]
        runnable = _without(runnable, contract, failed) if runnable and failed else None
        try:
            outcome = _outcome(runnable, profile, subject, sandbox, suggestion) if runnable else None
        except SandboxError as again:
            return Judgement((*violations, Violation("sandbox", str(again))))
    if outcome is None:
        return Judgement(tuple(violations))
    # The results of a column that did not run say nothing.
    run = {n for n, m in outcome.candidate.columns.items() if m.expression}
    left = {n for n, m in candidate.columns.items() if m.expression} - run
    more = [v for v in found(RESULT_CHECKS, outcome) if v.column not in left]
    asked = questions(outcome)
    return Judgement((*violations, *more), tuple(asked), asked)


def _without(candidate: Candidate, contract: Contract, failed: Sequence[Violation]) -> Candidate | None:
    """The candidate without the pieces that failed; None where the reshape did: all others stand on it."""
    columns = {v.column for v in failed}
    parts = {v.part for v in failed}
    if Part.RESHAPE in parts:
        return None
    given = {n: candidate.columns.get(n, ColumnMapping()) for n in contract.names}
    kept = {n: m.model_copy(update={"expression": None}) if n in columns else m for n, m in given.items()}
    row_filter = None if Part.ROW_FILTER in parts else candidate.row_filter
    return candidate.model_copy(update={"columns": kept, "row_filter": row_filter})


def _outcome(
    candidate: Candidate, profile: LayoutProfile, subject: Subject, sandbox: Sandbox, suggestion: Candidate
) -> Outcome:
    """What a candidate gives. Raises SandboxError."""
    contract, sql = subject.contract, mapped_sql(candidate, subject.contract)
    sandbox.reread(sql, subject.functions, subject.names)
    sources = {name: mapping.source_columns for name, mapping in candidate.columns.items()}
    results = column_results(sandbox, sql, contract, sources)
    amounts = {
        gold.name: amount_of(profile, contract, gold, sources[gold.name])
        for gold in contract.columns
        if gold.sign and candidate.columns[gold.name].expression
    }
    own = {name: amount for name, amount in amounts.items() if amount is not None}
    return Outcome(
        candidate,
        contract,
        profile,
        tuple(results),
        contract.max_quarantined,
        suggestion,
        own,
        counted_rows(sandbox, candidate, contract, profile),
        sampled_rows(sandbox, candidate, contract, profile, own),
    )


def _located(candidate: Candidate, contract: Contract, sandbox: Sandbox) -> Iterator[Violation]:
    """The pieces that fail by themselves."""
    relation = f"(\n{candidate.reshape}\n) as source" if candidate.reshape else "source"
    if problem := _problem(sandbox, f"select count(*) from {relation}"):
        yield Violation("sandbox", f"in the reshape: {problem}", part=Part.RESHAPE)
        return
    for name in contract.names:
        expression = candidate.columns[name].expression
        if expression and (problem := _problem(sandbox, f"select count({expression}) from {relation}")):
            yield Violation("sandbox", problem, name)
    if candidate.row_filter and (
        problem := _problem(sandbox, f"select count(*) from {relation} where {candidate.row_filter}")
    ):
        yield Violation("sandbox", f"in the row_filter: {problem}", part=Part.ROW_FILTER)


def _problem(sandbox: Sandbox, sql: str) -> str | None:
    try:
        sandbox.fetch(sql)
    except SandboxError as error:
        return str(error)
    return None
