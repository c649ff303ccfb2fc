"""Static checks of what could blow up: patterns that cells decide, texts and queries that multiply."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from generator.checks.check import check, quoted, shown
from generator.checks.subject import Subject

Found = Iterator[tuple[str | None, str]]

MAX_PATTERN = 200
MAX_REPLACEMENT = 50
MAX_PAD = 100
# How often one cell may grow, in all: replace and regexp_replace can multiply a text at every level.
MAX_GROWTH = 100
# DuckDB writes macros (all of ours are) and the operand of CASE out in full: each level multiplies the query.
MACROS = frozenset({"nullif", "split_part"})
MAX_MACRO_DEPTH = 3
MAX_MACRO_CALLS = 60
# How many leading arguments of our SQL functions are cells (1 where not named); the others say how to read them.
CELL_ARGUMENTS = {"net_amount": 2}


@check
def literal_arguments(subject: Subject) -> Found:
    """Patterns, replacements, lengths, formats and separators are short literals, so that no cell decides them."""
    for piece in subject.pieces:
        for node in piece.nodes:
            for what, argument, limit in _literals(node, subject.functions):
                if not _is_literal(argument, limit):
                    message = f"{shown(node)}: the {what} must be a literal of at most {limit} characters"
                    yield piece.column, piece.where + message
        # sqlglot makes the same node of date_trunc('day', x) and date_trunc(day, x), where `day` is a column.
        for word, _, argument in zip(piece.tokens, piece.tokens[1:], piece.tokens[2:], strict=False):
            if word.text.lower() == "date_trunc" and argument.kind != "literal":
                yield piece.column, f"{piece.where}{quoted(word.text)}: the unit must be a literal, such as 'month'"
        for node in piece.nodes:
            if isinstance(node, exp.Pad) and not _is_small(node.expression):
                yield piece.column, f"{piece.where}{shown(node)}: the length must be a number, at most {MAX_PAD}"


def _literals(node: exp.Expr, functions: frozenset[str]) -> Iterator[tuple[str, object, int]]:
    """The arguments of a node that must be literals, as (what, argument, longest)."""
    if isinstance(node, (exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpExtract, exp.RegexpReplace)):
        yield "pattern", node.expression, MAX_PATTERN
    if isinstance(node, exp.Replace):
        yield "text to be replaced", node.expression, MAX_PATTERN
    if isinstance(node, (exp.Replace, exp.RegexpReplace)):
        yield "replacement", node.args.get("replacement"), MAX_REPLACEMENT
    if isinstance(node, exp.ConcatWs):
        yield "separator", node.expressions[0], MAX_REPLACEMENT
    if isinstance(node, exp.Pad) and node.args.get("fill_pattern"):
        yield "filling", node.args["fill_pattern"], MAX_REPLACEMENT
    for options in ("flag", "modifiers", "parameters"):
        if node.args.get(options):
            yield "list of options", node.args[options], 5
    if isinstance(node, exp.Anonymous) and str(node.this).lower() in functions:
        for argument in node.expressions[CELL_ARGUMENTS.get(str(node.this).lower(), 1) :]:
            yield "format or separator", argument, MAX_PATTERN


def _is_literal(argument: object, limit: int) -> bool:
    return isinstance(argument, exp.Literal) and argument.is_string and len(argument.name) <= limit


def _is_small(argument: object) -> bool:
    return isinstance(argument, exp.Literal) and argument.is_int and int(argument.name) <= MAX_PAD


@check
def bounded_work(subject: Subject) -> Found:
    """No expression multiplies texts, or the query itself, level by level."""
    for piece in subject.pieces:
        calls = 0
        for node in piece.nodes:
            calls += _is_macro(node, subject.functions)
            growth, depth = _growth(node), int(_is_macro(node, subject.functions))
            if growth == 1 and not depth:
                continue
            child, parent = node, node.parent
            while parent is not None:
                growth *= _growth(parent)
                depth += _is_macro(parent, subject.functions) and (
                    type(parent) is not exp.Case or child.arg_key == "this"
                )
                child, parent = parent, parent.parent
            if growth > MAX_GROWTH:
                yield (
                    piece.column,
                    f"{piece.where}{shown(node)}: the replacements make a text {growth} times as long",
                )
                break
            if depth > MAX_MACRO_DEPTH:
                yield (
                    piece.column,
                    (
                        f"{piece.where}{shown(node)} stands {depth} calls deep; nest at most {MAX_MACRO_DEPTH} of the "
                        "project's functions, nullif, split_part and `case ... when`"
                    ),
                )
                break
        if calls > MAX_MACRO_CALLS:
            yield piece.column, f"{piece.where}it makes {calls} calls; at most {MAX_MACRO_CALLS} are allowed"


def _is_macro(node: exp.Expr, functions: frozenset[str]) -> bool:
    if isinstance(node, exp.Case):
        return node.this is not None
    name = str(node.this).lower() if type(node) is exp.Anonymous else ""
    return name in functions or name in MACROS or isinstance(node, (exp.Nullif, exp.SplitPart))


def _growth(node: exp.Expr) -> int:
    """How many times as long as its text the result of a node can be, at most."""
    if not isinstance(node, (exp.Replace, exp.RegexpReplace)):
        return 1
    replacement = node.args.get("replacement")
    length = len(replacement.name) if isinstance(replacement, exp.Literal) else 0
    if isinstance(node, exp.RegexpReplace):
        return 1 + length
    return max(1, -(-length // max(1, len(node.expression.name))))
