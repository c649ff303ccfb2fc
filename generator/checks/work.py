"""How much work an expression makes of a row, measured on its syntax tree: nodes to run, and texts to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

# DuckDB writes the argument of a macro (all of our functions are), the operand of CASE and of BETWEEN, and a short IN out
# again for each use of it, and its optimizer then compares the copies: the numbers are measured.
OUR_COPIES = 7
OUR_NODES = 50
COPIES: dict[type[exp.Expr], int] = {exp.Between: 4, exp.In: 4, exp.Nullif: 2, exp.SplitPart: 4}
_JOINS = (exp.DPipe, exp.Concat, exp.ConcatWs)


@dataclass(frozen=True)
class Work:
    """What a node makes of one row, with all below it.

    `nodes` is how many DuckDB runs, `growth` how many times as long as a cell its text can be, `written` how many cells'
    lengths of text are written on the way to it.
    """

    nodes: int
    growth: int
    written: int


def work(tree: exp.Expr, functions: frozenset[str], grown: Mapping[str, int]) -> Work:
    """The work of a tree. `functions` are our SQL functions, `grown` tells which columns are longer than a cell."""
    done: dict[int, Work] = {}
    # Breadth first, backwards: children before their parents, and no recursion on long chains.
    for node in reversed(list(tree.bfs())):
        done[id(node)] = _work(node, done, functions, grown)
    return done[id(tree)]


def _work(node: exp.Expr, done: Mapping[int, Work], functions: frozenset[str], grown: Mapping[str, int]) -> Work:
    ours = type(node) is exp.Anonymous and str(node.this).lower() in functions
    nodes, written = OUR_NODES if ours else 1, 0
    growths = [0]
    for child in node.iter_expressions():
        part = done[id(child)]
        copies = _copies(node, child, ours)
        nodes += copies * part.nodes
        written += copies * part.written
        growths.append(part.growth)
    if isinstance(node, exp.Column):
        growths.append(grown.get(node.name.lower(), 1))
    growth = sum(growths) if isinstance(node, _JOINS) else max(growths) * _factor(node)
    return Work(nodes, growth, written + (growth if growth > 1 else 0))


def _copies(node: exp.Expr, child: exp.Expr, ours: bool) -> int:
    if ours:
        return OUR_COPIES
    if child.arg_key != "this":
        return 1
    return max(1, len(node.args["ifs"])) if isinstance(node, exp.Case) else COPIES.get(type(node), 1)


def _factor(node: exp.Expr) -> int:
    """How many times as long as its text the result of a node can be, at most."""
    if not isinstance(node, (exp.Replace, exp.RegexpReplace)):
        return 1
    replacement = node.args.get("replacement")
    length = len(replacement.name) if isinstance(replacement, exp.Literal) else 0
    if isinstance(node, exp.RegexpReplace):
        return 1 + length
    return max(1, -(-length // max(1, len(node.expression.name))))
