"""A reshape: one SELECT over `source`, or a UNION ALL of such, read into relations and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from generator.checks.check import listed, quoted, shown

ROW_KEYS = ("_file_id", "_source_file", "_source_row")
PASSED_ON = frozenset({*ROW_KEYS, "_preamble", "_footer"})
# Names of the relations in the staging dbt model: a column so named would stand in for the whole row.
RELATIONS = frozenset({"source", "reshaped", "mapped"})
MAX_BRANCHES = 60
MAX_OUTPUTS = 1_000
# Rows made of one, in all SELECTs together: what is quick on the rows of today is slow on a file a thousand times longer.
MAX_ROWS = 1_000
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Reshape:
    """`outputs` are the names of the columns it gives, `problems` what is wrong with it, each in a sentence."""

    outputs: frozenset[str]
    problems: tuple[str, ...]


def read_reshape(tree: exp.Expr, columns: frozenset[str]) -> Reshape:
    """Read the tree of a reshape over a `source` that has these columns."""
    problems: list[str] = []
    branches = list(_branches(tree, problems))
    if len(branches) > MAX_BRANCHES:
        problems.append(f"it joins {len(branches)} SELECTs; at most {MAX_BRANCHES} are allowed")
    rows = sum(
        max([1, *(len(e.expressions) for e in branch.find_all(exp.In) if _is_unpivot(e))]) for branch in branches
    )
    if rows > MAX_ROWS:
        problems.append(f"it makes {rows:,} rows of one; at most {MAX_ROWS:,} are allowed")
    outputs = [_outputs(branch, columns, problems) for branch in branches]
    first = outputs[0] if outputs else []
    if len(first) > MAX_OUTPUTS:
        problems.append(f"it gives {len(first)} columns; at most {MAX_OUTPUTS} are allowed")
    by_name = isinstance(tree, exp.Union) and bool(tree.args.get("by_name"))
    for other in outputs[1:]:
        if set(other) != set(first) or (other != first and not by_name):
            problems.append(
                "the SELECTs of a UNION ALL must give the same columns in the same order, each with its name; "
                f"one gives {quoted(', '.join(other), 200)}, the first {quoted(', '.join(first), 200)}"
            )
    return Reshape(frozenset(first), tuple(dict.fromkeys(problems)))


def _is_unpivot(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.Pivot)


def _branches(tree: exp.Expr, problems: list[str]) -> Iterator[exp.Select]:
    """The SELECTs of the union, from left to right; a union is left-deep, so no recursion on that side."""
    right: list[exp.Select] = []
    while isinstance(tree, exp.Union):
        if tree.args.get("distinct"):
            problems.append("UNION drops rows that look alike; use UNION ALL")
        branch = tree.expression
        if isinstance(branch, exp.Select):
            right.append(branch)
        else:
            problems.append("only UNION ALL of plain SELECTs is allowed, without parentheses")
        tree = tree.this
    if isinstance(tree, exp.Select):
        yield tree
    yield from reversed(right)


def _outputs(select: exp.Select, columns: frozenset[str], problems: list[str]) -> list[str]:
    relation = _relation(select, columns, problems)
    names: list[str] = []
    for projection in select.expressions:
        if isinstance(projection, exp.Star):
            names += sorted(relation)
        elif isinstance(projection, exp.Alias) and isinstance(projection.args.get("alias"), exp.Identifier):
            name = projection.alias
            if not _NAME.fullmatch(name) or name in RELATIONS:
                problems.append(
                    f"{quoted(name)} is no name for a column: use lower case letters, digits and underscores, "
                    f"starting with a letter, none of {listed(RELATIONS)}"
                )
            names.append(name)
        elif isinstance(projection, exp.Column):
            names.append(projection.name.lower())
        else:
            problems.append(f"{shown(projection)} has no name; write `... as name`")
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        problems.append(f"it gives {listed(twice)} twice; each name once")
    missing = [k for k in ROW_KEYS if k not in names]
    if missing:
        problems.append(f"it must pass on {', '.join(missing)} as they are, so that each row can be traced")
    used = {c.name.lower() for part in _parts(select) for c in part.find_all(exp.Column)}
    unknown = used - relation
    if unknown:
        problems.append(f"no such column: {listed(quoted(u) for u in unknown)}; there are {listed(relation)}")
    return names


def _parts(select: exp.Select) -> list[exp.Expr]:
    where = select.args.get("where")
    return [*select.expressions, *([where] if where else [])]


def _relation(select: exp.Select, columns: frozenset[str], problems: list[str]) -> frozenset[str]:
    """The columns that a SELECT reads: those of `source`, unpivoted or not."""
    origin = select.args.get("from_")
    table = origin.this if isinstance(origin, exp.From) else None
    plain = isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier)
    if not isinstance(table, exp.Table) or not plain or table.name.lower() != "source" or table.args.get("db"):
        found = shown(table) if isinstance(table, exp.Expr) else "none"
        problems.append(f"each SELECT reads the relation `source` and no other; one reads {found}")
        return columns
    pivots = table.args.get("pivots") or []
    if not pivots:
        return columns
    pivot = pivots[0]
    fields, values = pivot.args.get("fields") or [], pivot.expressions
    wanted = "UNPIVOT must read `source unpivot (value for name in (column, column, ...))`"
    if len(pivots) > 1 or not pivot.args.get("unpivot") or len(fields) != 1 or len(values) != 1:
        problems.append(wanted)
        return columns
    label = fields[0].this
    if not isinstance(fields[0], exp.In) or not isinstance(label, (exp.Identifier, exp.Column)):
        problems.append(wanted)
        return columns
    cells = [e.this if isinstance(e, exp.PivotAlias) else e for e in fields[0].expressions]
    names = [c.name.lower() for c in cells if isinstance(c, exp.Column)]
    if (
        len(set(names)) < len(cells)
        or not set(names) <= columns - PASSED_ON
        or not isinstance(values[0], (exp.Identifier, exp.Column))
    ):
        problems.append(f"{wanted}; the columns are some of {listed(columns - PASSED_ON)}")
        return columns
    new = {label.name, values[0].name}
    for name in new:
        if not _NAME.fullmatch(name) or name in RELATIONS or name in columns:
            problems.append(f"{quoted(name)} is no new name; use lower case letters, digits and underscores")
    return (columns - set(names)) | new


def window_problems(tree: exp.Expr) -> Iterator[str]:
    """What is wrong with the windows of a reshape."""
    for window in tree.find_all(exp.Window):
        inner = window.this.this if isinstance(window.this, exp.IgnoreNulls) else window.this
        if not isinstance(inner, (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue)):
            yield f"{shown(window)}: only lag, lead, first_value and last_value go over a window"
        parts = {c.name.lower() for c in window.args.get("partition_by") or [] if isinstance(c, exp.Column)}
        if "_file_id" not in parts or not window.args.get("order"):
            yield (
                f"{shown(window)}: rows of other files are in `source` too; write "
                "`over (partition by _file_id order by _source_row)`"
            )
        spec = window.args.get("spec")
        numbers = [spec.args.get("start"), spec.args.get("end")] if spec else []
        numbers += [inner.args.get("offset")] if isinstance(inner, (exp.Lag, exp.Lead)) else []
        if any(isinstance(n, exp.Expr) and not (isinstance(n, exp.Literal) and n.is_int) for n in numbers):
            yield f"{shown(window)}: how many rows a window looks back or ahead is a plain number"
    for call in tree.find_all(exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue):
        holder = call.parent.parent if isinstance(call.parent, exp.IgnoreNulls) else call.parent
        if not isinstance(holder, exp.Window):
            yield f"{shown(call)} needs `over (partition by _file_id order by _source_row)`"
