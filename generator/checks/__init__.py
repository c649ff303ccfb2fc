"""Judge a candidate before it becomes a dbt model. Pure: parses and compares, never runs anything.

Threat model. The SQL of a candidate (expressions, row filter, reshape) is written by a language model that has read
headers and cells which an attacker may have written: take it as the attacker's. It ends up in a dbt model that runs with
the rights of the person who runs dbt, on all rows and without a sandbox, and dbt runs Jinja over it first. So nothing
may pass that reads a file, a setting, another relation or another file's rows, calls anything unlisted, changes anything,
leaves its place in our skeleton, is a template, or grows beyond its input. Four walls, each failing closed and each by
itself enough for most attacks:

1. `text`: an alphabet on which no two SQL parsers can differ; no Jinja, comments, quoted names or dollar quotes in it.
2. `grammar`: closed lists of functions (by the names in the text, not by what a parser makes of them), of syntax nodes
   with their arguments, and of types.
3. known columns only, one relation only, literal patterns and formats, bounded growth.
4. `sandbox`: the rest runs on a copy of the rows in a locked, read-only, in-memory DuckDB with limits, before dbt does.

Violations go back to the provider, so no message carries a cell: examples are masked. Texts that are no SQL (notes,
reasons, questions) are not judged here: like headers they are data, and whoever writes them down escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from generator.candidate import Candidate
from generator.checks import cell_checks, limit_checks, mapping_checks, result_checks, sql_checks
from generator.checks.check import Check
from generator.checks.result_checks import ColumnResult, Outcome
from generator.checks.subject import Subject
from generator.contracts import Contract
from generator.profile import LayoutProfile
from generator.violation import Violation

__all__ = ["CHECKS", "RESULT_CHECKS", "Check", "ColumnResult", "result_violations", "static_violations"]

CHECKS: tuple[Check[Subject], ...] = (
    sql_checks.plain_text,
    sql_checks.one_expression,
    sql_checks.allowed_functions,
    sql_checks.allowed_syntax,
    sql_checks.known_columns,
    sql_checks.every_word_understood,
    sql_checks.boolean_filter,
    sql_checks.sound_reshape,
    limit_checks.literal_arguments,
    limit_checks.bounded_work,
    mapping_checks.contract_columns,
    mapping_checks.required_columns,
    mapping_checks.declared_columns,
    mapping_checks.used_once,
    cell_checks.read_not_cast,
    cell_checks.texts_stay_texts,
    cell_checks.total_division,
)
RESULT_CHECKS: tuple[Check[Outcome], ...] = (
    result_checks.keeps_rows,
    result_checks.right_type,
    result_checks.readable,
    result_checks.not_null,
    result_checks.accepted_values,
    result_checks.plausible_dates,
    result_checks.varies,
)


def static_violations(
    candidate: Candidate, contract: Contract, source_columns: frozenset[str], functions: frozenset[str]
) -> list[Violation]:
    """Everything that is wrong with a candidate as it is written. Nothing may run while this is not empty.

    `source_columns` are the layout's safe names, `functions` the names of the project's SQL functions.
    """
    subject = Subject(candidate, contract, source_columns, functions)
    return [violation for check in CHECKS for violation in check(subject)]


def result_violations(
    candidate: Candidate,
    contract: Contract,
    profile: LayoutProfile,
    results: Sequence[ColumnResult],
    max_quarantined: float,
) -> list[Violation]:
    """Everything that is wrong with what a candidate gave on the rows. `max_quarantined` is a share, 0 to 1."""
    outcome = Outcome(candidate, contract, profile, tuple(results), max_quarantined)
    return [violation for check in RESULT_CHECKS for violation in check(outcome)]
