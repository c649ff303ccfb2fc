"""Checks of which rows a candidate keeps: none is lost by accident, and none left out for what it says."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from generator.candidate import Question
from generator.checks.cell_checks import COMPARISON
from generator.checks.check import Found, asking, check, listed, quoted
from generator.checks.mapping_checks import MEASURES
from generator.checks.outcome import Outcome
from generator.checks.subject import AROUND, Piece, used_columns
from generator.matcher.matching import value_key
from generator.matcher.questions import no_data
from generator.violation import Part

# A row filter that leaves out more than this share of the rows is asked about.
MANY = 0.25


@check
def every_row_accounted(outcome: Outcome) -> Found:
    """A reshape without a condition keeps every row of the file, whatever it makes of it."""
    lost, reshape = outcome.rows.lost, outcome.candidate.reshape
    tree = Piece("reshape", reshape).tree if reshape else None
    if lost and tree is not None and tree.find(exp.Where) is None:
        yield Part.RESHAPE, f"the reshape leaves nothing of {lost:,} rows of the file; keep them, or say where they go"


@check
def cells_stay_in_their_rows(outcome: Outcome) -> Found:
    """A reshape gives no cell of another row, nor anything else it made, under the name of a source column."""
    for name, count in outcome.rows.moved.items():
        message = f"the reshape gives another {quoted(name)} than the row has, on {count:,} rows"
        yield Part.RESHAPE, f"{message}; give what you move or make a name of its own"


@check
def left_out_rows(outcome: Outcome) -> Found:
    """A row filter leaves out no sound row for the size of a number or date, or for what feeds another gold column."""
    tree = _filter(outcome)
    if tree is None or not outcome.rows.sound or _all_stated(outcome, tree):
        return
    texts = {
        c.name for c in outcome.contract.columns if c.base_type == "text" and not c.accepted_values and not c.repeats
    }
    feeding = {c.name for gold, columns in outcome.used.items() if gold not in texts for c in columns}
    rows = f"it leaves out {outcome.rows.sound:,} rows that have all that the contract requires"
    for node in tree.walk():
        if not isinstance(node, COMPARISON):
            continue
        decides = used_columns(node)
        if _sizes(node):
            yield Part.ROW_FILTER, f"{rows}, by a number or date in {listed(decides)}: such rows are data; keep them"
        elif found := decides & feeding:
            yield (
                Part.ROW_FILTER,
                f"{rows}, by {listed(found)}, which feeds a gold column: such rows are data; keep them",
            )


@check
def no_data_left_out(outcome: Outcome) -> Found:
    """Rows whose state is one that the contract leaves out (pending, declined) are left out."""
    used = {c.name for columns in outcome.used.values() for c in columns}
    found = no_data(outcome.profile, outcome.contract, used)
    if found is None or found[0].name not in outcome.sample.cells:
        return
    column, present = found
    states = {value_key(v) for v in present}
    cells = zip(outcome.sample.cells[column.name], outcome.sample.kept, strict=True)
    kept = sum(keeps and value_key((cell or "").strip()) in states for cell, keeps in cells)
    if kept:
        said = listed(quoted(p) for p in present)
        yield (
            Part.ROW_FILTER,
            f"{kept:,} rows are kept whose {quoted(column.header)} is {said}: the contract leaves them out",
        )


@asking
def many_left_out(outcome: Outcome) -> Iterator[Question]:
    """More than a quarter of the rows are left out, or a reshape loses or repeats some; no threshold counts them."""
    rows = outcome.rows
    if rows.filtered > MANY * rows.total:
        yield _asked(outcome, f"the row filter leaves out {rows.filtered} of {rows.total} rows")
    if rows.repeated:
        yield _asked(outcome, f"the reshape gives {rows.repeated} rows more than once", "are they different data")
    if rows.lost and outcome.candidate.reshape:
        yield _asked(outcome, f"the reshape leaves nothing of {rows.lost} of {rows.source} rows")


@asking
def sound_left_out(outcome: Outcome) -> Iterator[Question]:
    """Rows that have all that the contract requires are left out, and not for a state that the contract names."""
    tree, rows = _filter(outcome), outcome.rows
    if tree is None or not rows.sound or rows.filtered > MANY * rows.total or _all_stated(outcome, tree):
        return
    yield _asked(outcome, f"the row filter leaves out {rows.sound} of {rows.total} rows that could be data")


@asking
def reshaped_values(outcome: Outcome) -> Iterator[Question]:
    """A required date or number comes from what a reshape made, so that it is compared with no cell."""
    there = {c.name for c in outcome.profile.columns} | AROUND
    for gold in outcome.contract.required if outcome.candidate.reshape else ():
        tree = outcome.trees.get(gold.name)
        made = used_columns(tree) - there if tree is not None and gold.base_type in MEASURES else None
        if made:
            text = f"the file is reshaped first: is {gold.name}, made of {listed(made)}, right?"
            yield Question(column=gold.name, text=text)


def _asked(outcome: Outcome, what: str, asked: str = "are they no data") -> Question:
    gold = (outcome.contract.required or outcome.contract.columns)[0]
    why = f" ({note})" if (note := outcome.candidate.row_filter_note) else ""
    return Question(column=gold.name, text=f"{what}{why}: {asked}?")


def _filter(outcome: Outcome) -> exp.Expr | None:
    return Piece("row_filter", outcome.candidate.row_filter).tree if outcome.candidate.row_filter else None


def _all_stated(outcome: Outcome, tree: exp.Expr) -> bool:
    """Whether each sound row that the filter leaves out has a state that the contract leaves out, too."""
    sample, states = outcome.sample, {value_key(v) for v in outcome.contract.leave_out_values}
    required = [sample.gold.get(c.name) for c in outcome.contract.required]
    left = [i for i, kept in enumerate(sample.kept) if not kept and all(v and v[i] is not None for v in required)]
    deciding = [sample.cells[name] for name in sorted(used_columns(tree)) if name in sample.cells]
    return bool(left) and all(any(value_key((c[i] or "").strip()) in states for c in deciding) for i in left)


def _sizes(node: exp.Expr) -> bool:
    """Whether a comparison is one of sizes, or with a number or date as it is written."""
    sides = list(node.iter_expressions())
    written = any(isinstance(s, (exp.Cast, exp.Neg)) or (isinstance(s, exp.Literal) and not s.is_string) for s in sides)
    return isinstance(node, (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)) or written
