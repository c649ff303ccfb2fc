"""Judge a candidate before it becomes a dbt model. Pure: parses and compares, never runs anything.

Threat model. The SQL of a candidate (expressions, row filter, reshape) is written by a language model that has read
headers and cells which an attacker may have written: take it as the attacker's. It ends up in a dbt model that runs with
the rights of the person who runs dbt, on all rows and without a sandbox, and dbt runs Jinja over it first. So nothing
may pass that reads a file, a setting, another relation or another file's rows, calls anything unlisted, changes anything,
leaves its place in our skeleton, is a template, or grows beyond its input. Five walls, each failing closed and each by
itself enough for most attacks:

1. `text`: an alphabet on which no two SQL parsers can differ; no Jinja, comments, quoted names or dollar quotes in it.
2. `grammar`: closed lists of functions (by the names in the text, not by what a parser makes of them), of syntax nodes
   with their arguments, and of types.
3. known columns only, one relation only, literal patterns and formats, bounded work.
4. `rereading`: the parser of DuckDB reads the mapping too, and must see no more in it than is listed.
5. `sandbox`: the rest runs on a copy of the rows in a locked, read-only, in-memory DuckDB with limits, before dbt does.

And `total`: what an odd cell of a later file could stop, and dbt's query with it, stands in `try(...)`.

Violations go back to the provider, so no message carries a cell: examples are masked. Texts that are no SQL (notes,
reasons, questions) are not judged here: like headers they are data, and whoever writes them down escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from generator.candidate import Candidate, Question
from generator.checks import (
    amount_checks,
    cell_checks,
    choice_checks,
    limit_checks,
    mapping_checks,
    result_checks,
    row_checks,
    sql_checks,
    value_checks,
    word_checks,
)
from generator.checks.check import Asking, Check, Step
from generator.checks.outcome import ColumnResult, Outcome, Rows, Sample
from generator.checks.rereading import foreign
from generator.checks.subject import Subject
from generator.checks.total import guarded
from generator.contracts.contract import Contract
from generator.violation import Violation

__all__ = [
    "CANNOT_WORK",
    "CHOSEN",
    "DOUBTS",
    "Asking",
    "Check",
    "ColumnResult",
    "Outcome",
    "Rows",
    "Sample",
    "Subject",
    "all_checks",
    "foreign",
    "found",
    "guarded",
    "questions",
    "static_violations",
]

S = TypeVar("S")

ANSWER = Step("answer", "The answer is one JSON object with the fields and gold columns that were asked for.")
SANDBOX = Step(
    "sandbox",
    "DuckDB reads the mapping as the checks did, binds it, and runs it on the rows in a locked database, within limits "
    "of time and memory.",
)
# What a piece of SQL must keep before it runs at all.
SAFETY: tuple[Check[Subject], ...] = (
    sql_checks.plain_text,
    sql_checks.one_expression,
    sql_checks.allowed_functions,
    sql_checks.allowed_syntax,
    sql_checks.known_columns,
    sql_checks.every_word_understood,
    sql_checks.boolean_filter,
    sql_checks.sound_reshape,
    limit_checks.literal_arguments,
    limit_checks.small_patterns,
    limit_checks.bounded_work,
    limit_checks.goes_on,
    cell_checks.read_not_cast,
    cell_checks.texts_stay_texts,
    cell_checks.total_division,
)
MAPPING_CHECKS: tuple[Check[Subject], ...] = (
    cell_checks.no_default,
    mapping_checks.contract_columns,
    mapping_checks.required_columns,
    mapping_checks.declared_columns,
    mapping_checks.used_once,
)
RESULT_CHECKS: tuple[Check[Outcome], ...] = (
    result_checks.keeps_rows,
    result_checks.right_type,
    result_checks.readable,
    result_checks.not_null,
    result_checks.accepted_values,
    result_checks.plausible_dates,
    result_checks.varies,
    choice_checks.named_in_contract,
    choice_checks.swapped_columns,
    choice_checks.no_running_balance,
    choice_checks.every_column_explained,
    value_checks.reads_the_cell,
    value_checks.contract_key,
    word_checks.contract_words,
    word_checks.text_from_source,
    word_checks.evidenced_constant,
    row_checks.every_row_accounted,
    row_checks.cells_stay_in_their_rows,
    row_checks.left_out_rows,
    row_checks.no_data_left_out,
    amount_checks.amount_signs,
)
ASKED: tuple[Asking[Outcome], ...] = (
    choice_checks.which_column,
    value_checks.open_to_readings,
    value_checks.factor_of_cells,
    value_checks.year_beside_the_table,
    row_checks.many_left_out,
    row_checks.sound_left_out,
    row_checks.reshaped_values,
    amount_checks.unproven_sign,
)

# What a person wrote or approved is not refused for how an LLM is to write, nor asked about again for what was chosen in
# it. These alone say that it cannot work on other rows,
CANNOT_WORK = frozenset(
    {
        *(rule.name for rule in SAFETY),
        SANDBOX.name,
        result_checks.keeps_rows.name,
        result_checks.right_type.name,
        result_checks.readable.name,
        result_checks.not_null.name,
        result_checks.accepted_values.name,
    }
)
# these, by what they say, that the rows speak against it,
DOUBTS = {
    result_checks.plausible_dates.name: result_checks.plausible_dates.description,
    choice_checks.no_running_balance.name: choice_checks.no_running_balance.description,
    value_checks.contract_key.name: value_checks.contract_key.description,
    amount_checks.amount_signs.name: amount_checks.amount_signs.description,
    row_checks.many_left_out.name: row_checks.many_left_out.description,
}
# and these ask what whoever wrote it has chosen.
CHOSEN = frozenset(
    {
        choice_checks.which_column.name,
        value_checks.factor_of_cells.name,
        row_checks.sound_left_out.name,
        row_checks.reshaped_values.name,
        amount_checks.unproven_sign.name,
    }
)


def found(checks: Iterable[Check[S]], subject: S) -> list[Violation]:
    """The violations that some checks find."""
    return [violation for check in checks for violation in check(subject)]


def questions(outcome: Outcome) -> dict[Question, str]:
    """What only a person can decide, and the candidate does not ask by itself, with the name of the rule."""
    asked: dict[Question, str] = {}
    for asking in ASKED:
        for question in asking.find(outcome):
            asked.setdefault(question, asking.name)
    return {q: name for q, name in asked.items() if q not in outcome.candidate.questions}


def static_violations(
    candidate: Candidate, contract: Contract, source_columns: frozenset[str], functions: frozenset[str]
) -> list[Violation]:
    """Everything that is wrong with a candidate as it is written.

    `source_columns` are the layout's safe names, `functions` the names of the project's SQL functions.
    """
    return found([*SAFETY, *MAPPING_CHECKS], Subject(candidate, contract, source_columns, functions))


def all_checks() -> list[Step | Check[Subject] | Check[Outcome] | Asking[Outcome]]:
    """Every rule in the order in which they are applied, with `name` and `description`."""
    return [ANSWER, *SAFETY, *MAPPING_CHECKS, SANDBOX, *RESULT_CHECKS, *ASKED]
