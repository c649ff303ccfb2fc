"""Steps 6 to 8: ask a provider for a mapping, check it, send back what is wrong, and end in a mapping or in Blocked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generator.candidate import Candidate, ColumnMapping, Provenance, Question
from generator.checks import result_violations, static_violations
from generator.contracts import Contract
from generator.errors import GoldsmithError
from generator.offline import propose
from generator.profile import LayoutProfile
from generator.providers import BadAnswer, Provider, ProviderError, Request
from generator.providers.offline import OfflineProvider
from generator.render import mapped_select
from generator.sandbox import Sandbox, SandboxError, column_results
from generator.violation import Violation

# A row filter that leaves out more than this share of the rows is asked about.
MANY = 0.25


class Blocked(GoldsmithError):
    """No mapping passed the checks; the message says which gold column failed and why."""


@dataclass(frozen=True)
class Generated:
    """A mapping that passed, and who made it."""

    candidate: Candidate
    provenance: Provenance
    notices: tuple[str, ...] = ()


def generate(
    profile: LayoutProfile,
    contract: Contract,
    provider: Provider,
    sandbox: Sandbox,
    functions: frozenset[str],
    max_attempts: int,
) -> Generated:
    """A mapping of this layout onto the contract that passed every check on the rows in the sandbox.

    Columns that passed are kept and not asked for again; what a provider cannot mend, the offline matcher may; a
    nullable column that nobody can make stays NULL with the reason. Raises Blocked where a required column is left.
    """
    suggestion = propose(profile, contract)
    asked, kept, violations, previous = contract.names, None, tuple[Violation, ...](), None
    attempts = tokens = 0
    cost, llm, version = 0.0, None, None
    notices: list[str] = []
    while attempts < max_attempts:
        attempts += 1
        try:
            answer = provider.propose(Request(contract, profile, suggestion, asked, kept, violations, previous))
        except BadAnswer as error:
            tokens, cost = tokens + error.tokens, cost + error.cost
            violations = (Violation("answer", str(error)),)
            continue
        except ProviderError as error:
            tokens, cost = tokens + error.tokens, cost + error.cost
            notices.append(f"{provider.name}: {error}")
            break
        tokens, cost = tokens + answer.tokens, cost + answer.cost
        llm, version = answer.llm, answer.prompt_version
        notices.extend(answer.notices)
        previous, violations = answer.candidate, tuple(judge(answer.candidate, profile, contract, sandbox, functions))
        if not violations or answer.candidate == suggestion:
            break
        failed = {v.column for v in violations}
        asked = contract.names if None in failed else tuple(n for n in contract.names if n in failed)
        kept = None if None in failed else answer.candidate
    by = Provenance(
        provider=provider.name, llm=llm, prompt_version=version, attempts=attempts, tokens=tokens, cost=round(cost, 6)
    )
    if previous is not None and not violations:
        return Generated(_asking_for_left_out(previous, contract, sandbox), by, tuple(notices))
    best = _mended(previous, suggestion, violations) if previous is not None else suggestion
    if best is suggestion:
        by = by.model_copy(update={"provider": OfflineProvider.name, "llm": None, "prompt_version": None})
    mended, left = _without_failures(best, profile, contract, sandbox, functions)
    if left:
        raise Blocked(_message(left, provider, attempts, notices))
    return Generated(_asking_for_left_out(mended, contract, sandbox), by, tuple(notices))


def _asking_for_left_out(candidate: Candidate, contract: Contract, sandbox: Sandbox) -> Candidate:
    """The candidate with a question if its row filter leaves out many rows: they count against no threshold."""
    if candidate.row_filter is None:
        return candidate
    relation = f"({candidate.reshape})" if candidate.reshape else "source"
    ((rows, kept),) = sandbox.fetch(
        f"select count(*), count(*) filter (where {candidate.row_filter}) from {relation} as source"
    )
    if rows - kept <= MANY * rows:
        return candidate
    column = (contract.required or contract.columns)[0].name
    text = f"the row filter leaves out {rows - kept} of {rows} rows ({candidate.row_filter_note}): are they no data?"
    return candidate.model_copy(update={"questions": (*candidate.questions, Question(column=column, text=text))})


def judge(
    candidate: Candidate, profile: LayoutProfile, contract: Contract, sandbox: Sandbox, functions: frozenset[str]
) -> list[Violation]:
    """All violations of a candidate, cheap checks first; it runs only if none of those found anything."""
    columns = frozenset(c.name for c in profile.columns)
    if found := static_violations(candidate, contract, columns, functions):
        return found
    sources = {name: mapping.source_columns for name, mapping in candidate.columns.items()}
    select = mapped_select(candidate, contract, "reshaped" if candidate.reshape else "source")
    sql = f"with reshaped as ({candidate.reshape})\n{select}" if candidate.reshape else select
    try:
        results = column_results(sandbox, sql, contract, sources)
    except SandboxError as error:
        return [_located(error, candidate, contract, sandbox)]
    return result_violations(candidate, contract, profile, results, contract.max_quarantined)


def _located(error: SandboxError, candidate: Candidate, contract: Contract, sandbox: Sandbox) -> Violation:
    """The failure tied to the first gold column that fails by itself, so that only that one is asked for again."""
    relation = f"({candidate.reshape})" if candidate.reshape else "source"
    for column in contract.columns:
        expression = candidate.columns[column.name].expression
        if expression:
            try:
                sandbox.fetch(f"select count({expression}) from {relation} as source")
            except SandboxError as alone:
                return Violation("sandbox", str(alone), column.name)
    return Violation("sandbox", str(error))


def _mended(candidate: Candidate, suggestion: Candidate, violations: Sequence[Violation]) -> Candidate:
    """The candidate with the offline matcher's answer where it failed; the matcher's alone if it failed as a whole."""
    failed = {v.column for v in violations}
    if None in failed or candidate.reshape:
        return suggestion
    columns = {n: suggestion.columns[n] if n in failed else m for n, m in candidate.columns.items()}
    kept = tuple(q for q in candidate.questions if q.column not in failed)
    asked = tuple(q for q in suggestion.questions if q.column in failed)
    return candidate.model_copy(update={"columns": columns, "questions": kept + asked})


def _without_failures(
    candidate: Candidate, profile: LayoutProfile, contract: Contract, sandbox: Sandbox, functions: frozenset[str]
) -> tuple[Candidate, list[Violation]]:
    """The candidate with NULL for every nullable column that fails, and the violations that are left."""
    while found := judge(candidate, profile, contract, sandbox, functions):
        given_up = {
            v.column: v.message
            for v in found
            if v.column and not contract.column(v.column).not_null and candidate.columns[v.column].expression
        }
        if not given_up:
            return candidate, found
        columns = {
            n: ColumnMapping(note=f"left out: {given_up[n]}") if n in given_up else m
            for n, m in candidate.columns.items()
        }
        questions = tuple(q for q in candidate.questions if q.column not in given_up)
        candidate = candidate.model_copy(update={"columns": columns, "questions": questions})
    if not any(m.expression for m in candidate.columns.values()):
        return candidate, [Violation("no_match", "no column of this file was recognised")]
    return candidate, []


def _message(left: Sequence[Violation], provider: Provider, attempts: int, notices: Sequence[str]) -> str:
    what = "; ".join(dict.fromkeys(f"{v.column or 'mapping'}: {v.message}" for v in left[:3]))
    tries = f" after {attempts} attempts" if attempts > 1 else ""
    said = f" ({notices[-1]})" if notices else ""
    return (
        f"no mapping by {provider.name}{tries}: {what}{said}. Name the columns in the contract's aliases, or ask "
        "another --provider; then: goldsmith generate && dbt run"
    )
