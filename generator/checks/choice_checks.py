"""Checks of which source column feeds which gold column, by what the contract and the file say of them."""

from __future__ import annotations

from collections.abc import Iterator

from generator.candidate import Question
from generator.checks.check import Found, asking, check, listed, quoted
from generator.checks.mapping_checks import MEASURES, whole_values
from generator.checks.outcome import Outcome
from generator.checks.subject import Piece, used_columns
from generator.checks.values import floats
from generator.columns.profile import ColumnProfile
from generator.columns.similarity import best
from generator.contracts.contract import Column
from generator.matcher.balance import runs_on
from generator.matcher.matching import name_score, type_fit
from generator.violation import Part

NAMED = 0.95
FITS = 0.9
# A header that names another gold column must do so by this much.
CLEARLY = 0.25


@check
def named_in_contract(outcome: Outcome) -> Found:
    """A column that the contract names as an alias, and that fits, is taken unless it feeds another gold column."""
    feeding = {c.name for columns in outcome.used.values() for c in columns} | _in_reshape(outcome)
    for gold in outcome.contract.columns:
        used, certain = outcome.used.get(gold.name, []), _suggested(outcome, gold)
        free_text = gold.base_type == "text" and not gold.accepted_values
        if not certain or not all(_named(c, gold) and type_fit(c, gold) >= FITS for c in certain):
            continue
        if any(c.name in feeding for c in certain) or any(_named(c, gold) for c in used):
            continue
        if gold.name in outcome.trees and free_text:
            continue
        headers = " and ".join(quoted(c.header) for c in certain)
        yield gold.name, f"the contract has {headers} as an alias of {gold.name}, and what is in it fits: take it"


@check
def swapped_columns(outcome: Outcome) -> Found:
    """A column that the contract calls something else is not taken for this one."""
    for gold in outcome.contract.columns:
        column = _whole(outcome, gold)
        if column is None:
            continue
        better = [c for c in _suggested(outcome, gold) if c is not column]
        if not better or _named(column, gold) or not outcome.profile.has_header:
            continue
        scores = [
            (name_score(column.header, g, outcome.contract), g.name)
            for g in outcome.contract.columns
            if g is not gold and type_fit(column, g)
        ]
        other, name = max(scores, default=(0.0, ""))
        instead = " and ".join(quoted(c.header) for c in better)
        if best(column.header, gold.decoys) >= FITS:
            yield gold.name, f"the contract says that {quoted(column.header)} is no {gold.name}; {instead} fits"
        elif other >= FITS and name_score(column.header, gold, outcome.contract) <= other - CLEARLY:
            yield gold.name, f"{quoted(column.header)} names {name} by the contract; {instead} fits {gold.name}"


@check
def no_running_balance(outcome: Outcome) -> Found:
    """A column whose values add up the amounts of another one is not taken for the amounts."""
    for gold in outcome.contract.columns:
        column = _whole(outcome, gold) if gold.sign else None
        if column is not None and (amount := _amount_of_balance(outcome, gold, column)):
            message = f"{quoted(column.header)} is the running balance of {quoted(amount.header)}: take the amounts"
            yield gold.name, message


@check
def every_column_explained(outcome: Outcome) -> Found:
    """Every source column that holds something is used, or `unmapped` says why it is not."""
    if not outcome.candidate.columns:
        return
    candidate = outcome.candidate
    said = {s for m in candidate.columns.values() for s in m.source_columns} | set(candidate.unmapped)
    tree = Piece("row_filter", candidate.row_filter).tree if candidate.row_filter else None
    said |= _in_reshape(outcome) | (used_columns(tree) if tree is not None else frozenset())
    if left := [c.name for c in outcome.profile.columns if c.filled and c.name not in said]:
        yield Part.UNMAPPED, f"nothing is said of {listed(left)}: use them, or say in unmapped why not"


@asking
def which_column(outcome: Outcome) -> Iterator[Question]:
    """A required date or number is read from another column than the matcher would take, and they differ."""
    for gold in outcome.contract.required:
        kind = MEASURES.get(gold.base_type)
        used = [c for c in outcome.used.get(gold.name, []) if _holds(c, kind)]
        other = [c for c in _suggested(outcome, gold) if _holds(c, kind)]
        if kind is None or not used or not other or {c.name for c in used} == {c.name for c in other}:
            continue
        if len(used) == len(other) == 1 and used[0].values == other[0].values:
            continue
        one, two = (" and ".join(f"`{c.header}`" for c in columns) for columns in (used, other))
        yield Question(
            column=gold.name, text=f"is {gold.name} in {one}, or in {two}?", readings=(f"in {one}", f"in {two}")
        )


def _whole(outcome: Outcome, gold: Column) -> ColumnProfile | None:
    """The one source column whose whole value a gold column is."""
    tree = outcome.trees.get(gold.name)
    values = whole_values(tree) if tree is not None else frozenset()
    return next((c for c in outcome.used.get(gold.name, []) if values == {c.name}), None)


def _in_reshape(outcome: Outcome) -> frozenset[str]:
    """The source columns that a reshape names."""
    tree = Piece("reshape", outcome.candidate.reshape).tree if outcome.candidate.reshape else None
    return used_columns(tree) if tree is not None else frozenset()


def _suggested(outcome: Outcome, gold: Column) -> list[ColumnProfile]:
    """The source columns that the matcher takes for a gold column."""
    mapping = outcome.suggestion.columns.get(gold.name)
    names = mapping.source_columns if mapping and mapping.expression else ()
    return [c for c in outcome.profile.columns if c.name in names]


def _named(column: ColumnProfile, gold: Column) -> bool:
    """Whether a header is an alias of a gold column, or of a direction of its amounts."""
    sign = (*gold.sign.outflow, *gold.sign.inflow, *gold.sign.flag) if gold.sign else ()
    return best(column.header, [*gold.aliases, gold.name.replace("_", " "), *sign]) >= NAMED


def _holds(column: ColumnProfile, kind: str | None) -> bool:
    return column.date is not None if kind == "date" else column.number is not None


def _amount_of_balance(outcome: Outcome, gold: Column, column: ColumnProfile) -> ColumnProfile | None:
    """The column whose amounts the values of a gold column add up, so that they are its balance."""
    totals = floats(outcome.sample.gold.get(gold.name, ()))
    if len({t for t in totals if t is not None}) < 3:
        return None
    for other in outcome.profile.columns:
        if other is column or other.number is None or other.name not in outcome.sample.cells:
            continue
        amounts = outcome.numbers(other)
        if runs_on([a or None for a in amounts], totals) and not runs_on(totals, amounts):
            return other
    return None
