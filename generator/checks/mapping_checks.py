"""Static checks of what a candidate says about itself, against the contract and the layout."""

from __future__ import annotations

from collections import defaultdict

from sqlglot import exp

from generator.checks.check import Found, check, listed, quoted
from generator.checks.subject import AROUND, Subject, used_columns
from generator.violation import Part

MEASURES = {"decimal": "number", "integer": "number", "double": "number", "date": "date", "timestamp": "date"}
# Of names that are not there, as many stand in a message.
NAMED = 10
# Functions that take a part of a text: two gold columns may be two parts of the same cell.
_PARTS = (exp.RegexpExtract, exp.SplitPart, exp.Substring, exp.Left, exp.Right)


@check
def contract_columns(subject: Subject) -> Found:
    """Every column of the contract is answered, and no other; questions are about its columns."""
    wanted, given = set(subject.contract.names), set(subject.candidate.columns)
    for name in sorted(wanted - given):
        yield name, "this column of the contract is missing; answer it, with expression null if there is no source"
    for name in sorted(given - wanted):
        yield Part.ANSWER, f"{quoted(name)} is not a column of the contract; its columns are {listed(wanted)}"
    for question in subject.candidate.questions:
        if question.column not in wanted:
            yield Part.ANSWER, f"the question about {quoted(question.column)}: not a column of the contract"


@check
def required_columns(subject: Subject) -> Found:
    """A column that may not be null has an expression."""
    for column in subject.contract.required:
        mapping = subject.candidate.columns.get(column.name)
        if mapping is None:
            continue
        tree = subject.expressions.get(column.name)
        if mapping.expression is None or isinstance(tree, exp.Null):
            yield column.name, "this column may not be null, and there is no expression for it; give one"


@check
def declared_columns(subject: Subject) -> Found:
    """source_columns names columns of the layout only, and every column that the expression uses."""
    known = subject.source_columns | AROUND | (subject.available or frozenset())
    for name, mapping in subject.candidate.columns.items():
        declared = set(mapping.source_columns)
        if unknown := declared - known:
            named = listed(map(quoted, unknown), NAMED)
            yield name, f"source_columns has {named}, which is not a column of the layout: {listed(known)}"
        tree = subject.expressions.get(name)
        if tree is None:
            continue
        for missing in sorted((used_columns(tree) & known) - declared - AROUND):
            yield name, f"the expression uses {quoted(missing)}, which is not in source_columns; add it"
    if unknown := set(subject.candidate.unmapped) - subject.source_columns:
        yield Part.UNMAPPED, f"unmapped has {listed(map(quoted, unknown), NAMED)}, which is not a column of the layout"


@check
def used_once(subject: Subject) -> Found:
    """No source column is read whole as the number, or as the date, of two gold columns."""
    uses: dict[tuple[str, str], list[str]] = defaultdict(list)
    for column in subject.contract.columns:
        tree, kind = subject.expressions.get(column.name), MEASURES.get(column.base_type)
        if tree is None or kind is None:
            continue
        for name in sorted(whole_values(tree) - AROUND):
            uses[name, kind].append(column.name)
    for (name, kind), golds in uses.items():
        for gold in golds[1:]:
            message = f"it reads {quoted(name)}, which {golds[0]} reads as its {kind} too; "
            yield gold, message + "one of them has another source, or none (expression null)"


def whole_values(tree: exp.Expr) -> frozenset[str]:
    """The columns whose whole value is the result: not those in conditions, only cut up, or standing in for an empty one."""
    return frozenset(c.name.lower() for c in tree.find_all(exp.Column) if not _only_looked_at(c))


def _only_looked_at(column: exp.Column) -> bool:
    node: exp.Expr = column
    while node.parent is not None:
        parent = node.parent
        if isinstance(parent, _PARTS) and node.arg_key == "this":
            return True
        if isinstance(parent, exp.If) and node.arg_key == "this":
            return True
        if isinstance(parent, exp.Case) and node.arg_key == "this":
            return True
        # A regular price where no sale price is: it may well be the regular price of another gold column.
        if isinstance(parent, exp.Coalesce) and node.arg_key == "expressions":
            return True
        node = parent
    return False
