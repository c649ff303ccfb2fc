"""Checks of what a candidate gives when it runs on the rows of the layout."""

from __future__ import annotations

import re
from datetime import date

from generator.checks.check import Found, check, listed, quoted
from generator.checks.outcome import Outcome
from generator.checks.subject import Piece, used_columns
from generator.columns.mask import mask
from generator.contracts.contract import Column
from generator.violation import Part

EARLIEST, LATEST = date(1950, 1, 1), date(2100, 12, 31)
# A date of birth is pii, and may be older.
EARLIEST_PII = date(1900, 1, 1)
MAX_OUT_OF_RANGE = 0.05
CONSTANT_ROWS = 3
MANY_DISTINCT = 5
_LOSSLESS = {
    "text": r"VARCHAR|TINYINT|SMALLINT|INTEGER|BIGINT|DATE|BOOLEAN",
    "decimal": r"DECIMAL\(\d+,\d+\)|TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT",
    "integer": r"TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT",
    "double": r"DOUBLE|FLOAT|DECIMAL\(\d+,\d+\)|TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT",
    "date": r"DATE",
    "timestamp": r"TIMESTAMP|DATE",
    "boolean": r"BOOLEAN",
}
_HOW = {
    "text": "a text; use clean_text or cast(... as text)",
    "decimal": "a decimal number; use parse_decimal",
    "integer": "an integer; use parse_integer",
    "double": "a number; use parse_decimal",
    "date": "a date; use parse_date, or cast(... as date) on a timestamp",
    "timestamp": "a timestamp without zone; use parse_timestamp",
    "boolean": "true or false; use parse_boolean or a condition",
}
_CHOOSES = re.compile(r"\b(?:case|regexp_extract|split_part|left|right|substr|substring)\b", re.IGNORECASE)


def lossless(column: Column, data_type: str) -> bool:
    """Whether each value of a DuckDB type has its place in the contract's type, but for scale and overflow."""
    return data_type.strip('"') == "NULL" or bool(re.fullmatch(_LOSSLESS[column.base_type], data_type))


def earliest(column: Column) -> date:
    """The first day that a date of this column can mean."""
    return EARLIEST_PII if column.pii else EARLIEST


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} rows ({part / whole:.1%})"


@check
def keeps_rows(outcome: Outcome) -> Found:
    """The row filter and the reshape leave something."""
    had = any(c.rows for c in outcome.profile.columns)
    if had and outcome.results and not any(r.rows for r in outcome.results):
        what = "row_filter" if outcome.candidate.row_filter else "reshape"
        yield Part(what), f"the {what} leaves no row at all; correct it"


@check
def right_type(outcome: Outcome) -> Found:
    """An expression's type can be cast to the contract's type without loss."""
    for column, result in outcome.judged:
        if not lossless(column, result.data_type):
            yield (
                column.name,
                (
                    f"the expression gives {result.data_type}, the contract wants {column.data_type}: "
                    f"{_HOW[column.base_type]}"
                ),
            )


@check
def readable(outcome: Outcome) -> Found:
    """Cells that hold something are read, but for the share that may be quarantined."""
    for column, result in outcome.judged:
        if result.unreadable > outcome.max_quarantined * result.rows:
            shown = ", ".join(quoted(mask(e), 60) for e in result.examples[:3])
            yield (
                column.name,
                (
                    f"{_share(result.unreadable, result.rows)} hold something that gives no {column.data_type}"
                    + (f", such as {shown} (letters and digits replaced)" if shown else "")
                    + "; read this format too, or take another source"
                ),
            )


@check
def not_null(outcome: Outcome) -> Found:
    """A column that may not be null is filled, but for the share that may be quarantined."""
    for column, result in outcome.judged:
        if not column.not_null:
            continue
        if result.nulls == result.rows:
            yield column.name, f"this column may not be null, and gives nothing on any of {result.rows:,} rows"
        elif result.nulls > outcome.max_quarantined * result.rows:
            yield (
                column.name,
                (
                    f"this column may not be null, and is null in {_share(result.nulls, result.rows)}; "
                    "if those rows are no records, leave them out with row_filter"
                ),
            )


@check
def accepted_values(outcome: Outcome) -> Found:
    """Values are those that the contract accepts, but for the share that may be quarantined."""
    for column, result in outcome.judged:
        if column.accepted_values and result.not_accepted > outcome.max_quarantined * result.rows:
            yield (
                column.name,
                (
                    f"{_share(result.not_accepted, result.rows)} are none of the accepted values "
                    f"{listed(column.accepted_values)}; map each with case"
                ),
            )


@check
def plausible_dates(outcome: Outcome) -> Found:
    """Dates lie between 1950 and 2100 (dates of birth from 1900)."""
    for column, result in outcome.judged:
        if result.out_of_range > MAX_OUT_OF_RANGE * result.rows:
            yield (
                column.name,
                (
                    f"{_share(result.out_of_range, result.rows)} are dates before {earliest(column).year} or after "
                    f"{LATEST.year}; the format reads them wrongly"
                ),
            )


@check
def varies(outcome: Outcome) -> Found:
    """A number or date, or a text taken as it is, does not come out the same on every row of a varying source."""
    for column, result in outcome.judged:
        expression = outcome.candidate.columns[column.name].expression or ""
        if result.distinct != 1 or result.rows <= CONSTANT_ROWS or result.rows - result.nulls <= CONSTANT_ROWS:
            continue
        if column.base_type == "boolean" or (column.base_type == "text" and _CHOOSES.search(expression)):
            continue
        tree = Piece("expression", expression, column.name).tree
        used = used_columns(tree) if tree is not None else frozenset()
        distinct = [c.distinct for c in outcome.profile.columns if c.name in used]
        if distinct and min(distinct) >= MANY_DISTINCT:
            yield (
                column.name,
                (
                    f"it gives the same value on all {result.rows:,} rows, although {listed(used)} has at least "
                    f"{min(distinct)} different ones; the expression loses them"
                ),
            )
