"""Checks of what a candidate gives, cell by cell: it must be what stands there, read and not made up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from generator.candidate import Question
from generator.checks.check import Found, asking, check, quoted
from generator.checks.mapping_checks import MEASURES
from generator.checks.outcome import Outcome, differing
from generator.checks.subject import used_columns
from generator.checks.values import close, day, floats, number, sums
from generator.columns.profile import ColumnProfile
from generator.contracts.contract import Column
from generator.matcher.questions import open_readings, says_cents

FACTORS = (100.0, 1000.0)
# Where a year may stand that is not in the cells, and how many days one such year hardly has.
YEARS = frozenset({"_preamble", "_footer", "_source_file"})
LONG = 200


@check
def reads_the_cell(outcome: Outcome) -> Found:
    """A date or number is the one that stands in its source column, up to sign; or a sum or difference of several."""
    for gold, columns in _measured(outcome):
        values = outcome.sample.gold[gold.name]
        if _factor(outcome, gold, columns):
            continue
        differs = [_differs(outcome, gold, v, _read(outcome, columns, row), columns) for row, v in enumerate(values)]
        if rows := differing([d if k else None for d, k in zip(differs, outcome.sample.kept, strict=True)]):
            how = " and ".join(dict.fromkeys(f"{quoted(c.header)} read {_form(c)}" for c in columns))
            yield gold.name, f"{rows} differ from {how}: give what the cell says, without arithmetic of your own"


@asking
def factor_of_cells(outcome: Outcome) -> Iterator[Question]:
    """A number is a hundred or a thousand times its cell, or a part of it, and the header does not say cents."""
    for gold, columns in _measured(outcome):
        factor = _factor(outcome, gold, columns)
        if factor and not (factor == 0.01 and says_cents(columns[0].header)):
            how = f"multiplied by {factor:g}" if factor > 1 else f"divided by {1 / factor:g}"
            text = f"are the numbers in `{columns[0].header}` to be {how}?"
            yield Question(column=gold.name, text=text, readings=("as written", how))


@asking
def open_to_readings(outcome: Outcome) -> Iterator[Question]:
    """Day and month, decimal and thousands sign, or cents, that the file leaves open in a column that is read."""
    for gold in outcome.contract.columns:
        columns = outcome.used.get(gold.name, [])
        for question in open_readings(gold, [c.name for c in columns], outcome.profile):
            if question.readings[0] != "as written" or not _factor(outcome, gold, columns):
                yield question
        days = [d for v in outcome.sample.gold.get(gold.name, ()) if (d := day(v))]
        expression = outcome.candidate.columns[gold.name].expression or ""
        unseen = bool(days) and not any(c.date for c in columns) and "%d" in expression and "%m" in expression
        if unseen and all(d.day <= 12 for d in days) and len({d.day for d in days}) > 1:
            headers = " and ".join(f"`{c.header}`" for c in columns) or "the file"
            yield Question(column=gold.name, text=f"are the dates in {headers} day first or month first?")


@asking
def year_beside_the_table(outcome: Outcome) -> Iterator[Question]:
    """Dates take their year from beside the table, and seem to belong to more than one."""
    for gold, tree in ((outcome.contract.column(n), t) for n, t in outcome.trees.items()):
        if MEASURES.get(gold.base_type) != "date" or not used_columns(tree) & YEARS:
            continue
        days = [d for v in outcome.sample.gold.get(gold.name, ()) if (d := day(v))]
        if days and ({1, 12} <= {d.month for d in days} or (max(days) - min(days)).days > LONG):
            text = f"the year of {gold.name} stands beside the table: do all rows belong to it?"
            yield Question(column=gold.name, text=text)


@check
def contract_key(outcome: Outcome) -> Found:
    """Key columns are given and filled, and tell the rows apart; so does a column that is unique by the contract."""
    contract, results = outcome.contract, {r.name: r for r in outcome.results}
    for name in contract.primary_key:
        result = results.get(name)
        if name not in outcome.trees:
            yield name, "this column is in the primary key: give an expression"
        elif result and result.rows and result.nulls > outcome.max_quarantined * result.rows:
            yield name, f"this column is in the primary key, and is null in {result.nulls:,} of {result.rows:,} rows"
    kept = outcome.rows.total - outcome.rows.filtered
    whole = bool(contract.primary_key) and set(contract.primary_key) <= set(outcome.trees)
    if whole and kept > 3 and outcome.rows.keys <= max(1, 0.1 * kept):
        message = (
            f"the primary key has {outcome.rows.keys:,} different values in {kept:,} rows; take what tells rows apart"
        )
        yield contract.primary_key[0], message
    for gold, result in outcome.judged:
        filled = result.rows - result.nulls
        if gold.unique and filled > 3 and filled - result.distinct > outcome.max_quarantined * filled:
            yield gold.name, f"this is an id, and has {result.distinct:,} different values in {filled:,} rows"


def _measured(outcome: Outcome) -> Iterator[tuple[Column, list[ColumnProfile]]]:
    """Gold columns with dates or numbers -> the source columns in them that we can read, too."""
    for gold in outcome.contract.columns:
        columns = [c for c in outcome.used.get(gold.name, []) if c.name in outcome.sample.readings]
        kind = MEASURES.get(gold.base_type)
        fitting = [c for c in columns if (c.date is not None) == (kind == "date")]
        if kind and fitting and gold.name in outcome.sample.gold:
            yield gold, fitting


def _read(outcome: Outcome, columns: Sequence[ColumnProfile], row: int) -> list[list[Any]]:
    """What each column says on a row, in each way it may be read."""
    return [[way[row] for way in outcome.sample.readings[c.name]] for c in columns]


def _differs(
    outcome: Outcome, gold: Column, value: Any, read: list[list[Any]], columns: Sequence[ColumnProfile]
) -> bool | None:
    """Whether a value is none of the readings; None where there is nothing to compare."""
    if MEASURES[gold.base_type] == "date":
        days = [d for ways in read for w in ways if (d := day(w))]
        given = day(value)
        # A zone may move the day.
        zoned = any(c.date and "%z" in c.date.formats[0] for c in columns)
        slack = timedelta(days=1 if zoned else 0)
        return None if not days or given is None else all(abs(given - d) > slack for d in days)
    given_number = number(value)
    ways = [[number(w) for w in column] for column in read]
    if given_number is None or not any(w is not None for column in ways for w in column):
        return None
    choices = [[column[i] if i < len(column) else column[0] for column in ways] for i in range(max(map(len, ways)))]
    return not any(close(given_number, s) for chosen in choices for s in _meant(outcome, gold, chosen))


def _meant(outcome: Outcome, gold: Column, chosen: list[float | None]) -> Iterator[float]:
    """What the numbers of a row may mean: a discount may be written with a minus, a balance is what it is."""
    if gold.sign or len(chosen) > 1:
        yield from sums(chosen)
    elif chosen[0] is not None:
        yield chosen[0]
        if gold.name not in {c.sign.balance for c in outcome.contract.columns if c.sign}:
            yield abs(chosen[0])


def _factor(outcome: Outcome, gold: Column, columns: Sequence[ColumnProfile]) -> float | None:
    """What nearly all values are times their one column's numbers, if that is a hundred or a thousand, or a part of them."""
    if len(columns) != 1 or columns[0].number is None or columns[0].name not in outcome.sample.readings:
        return None
    given = floats(outcome.sample.gold.get(gold.name, ()))
    read = floats(outcome.sample.readings[columns[0].name][0])
    pairs = [(abs(g), abs(r)) for g, r in zip(given, read, strict=True) if g and r]
    for factor in (f for size in FACTORS for f in (size, 1 / size)):
        if pairs and sum(close(g, r * factor) for g, r in pairs) >= 0.9 * len(pairs):
            return factor
    return None


def _form(column: ColumnProfile) -> str:
    if column.date:
        return f"as {' or '.join(column.date.formats)}"
    signs = column.number.separators if column.number else (".",)
    return f"with decimal sign {' or '.join(signs)}"
