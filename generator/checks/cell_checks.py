"""Static checks of how cells are read: nothing guessed in silence, and no cell that stops the query of every file."""

from __future__ import annotations

from sqlglot import exp

from generator.checks import grammar
from generator.checks.check import Found, check, shown
from generator.checks.subject import Subject

# What a function of ours has read, or what only looks at a text, is no raw cell any more.
_READ = (exp.Anonymous, exp.Length, exp.StrPosition)
_TEXT_FUNCTIONS = frozenset({"clean_text", "strip_accents"})
_TEXTS = (exp.Lower, exp.Upper, exp.Trim, exp.Left, exp.Right, exp.Substring)
_LOGIC = (exp.And, exp.Or, exp.Not)
COMPARISON = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In)


@check
def read_not_cast(subject: Subject) -> Found:
    """A cell becomes a number or date by parse_*, not by a cast: casts round in silence, or stop the query."""
    for piece in subject.pieces:
        for cast in piece.nodes:
            if not isinstance(cast, exp.Cast) or cast.to.this is exp.DataType.Type.TEXT:
                continue
            cells = list(cast.this.find_all(exp.Column))
            safe = isinstance(cast, exp.TryCast) or cast.to.this in (
                exp.DataType.Type.DATE,
                exp.DataType.Type.TIMESTAMPNTZ,
            )
            unread = any(not _is_read(c, cast) for c in cells)
            if unread and cast.to.this in grammar.NUMERIC_TYPES:
                yield (
                    piece.place,
                    (
                        f"{shown(cast)}: casts lie ('2.5' as integer is 3, '1e3' is 1000); use parse_decimal or parse_integer"
                    ),
                )
            elif cells and (not safe or (unread and not isinstance(cast, exp.TryCast))):
                yield (
                    piece.place,
                    (
                        f"{shown(cast)}: one cell that cannot be cast stops the query of every file; use parse_date, "
                        "parse_timestamp, parse_boolean, or try_cast"
                    ),
                )


@check
def texts_stay_texts(subject: Subject) -> Found:
    """A raw cell is compared with texts and never taken as a condition: one odd cell would stop the query."""
    for piece in subject.pieces:
        for node in piece.nodes:
            sides = (
                [c for c in node.iter_expressions() if not isinstance(c, exp.Paren)]
                if isinstance(node, COMPARISON)
                else []
            )
            if any(_is_text(s) for s in sides) and any(_is_other(s) for s in sides):
                yield (
                    piece.place,
                    f"{shown(node)}: the cell is a text; compare it with a text, or read it with parse_*",
                )
            conditions = list(node.iter_expressions()) if isinstance(node, _LOGIC) else []
            if isinstance(node, exp.If) and not (isinstance(node.parent, exp.Case) and node.parent.this is not None):
                conditions.append(node.this)
            for cell in conditions:
                if _is_text(cell):
                    yield piece.place, f"{shown(cell)} is a text and no condition; use parse_boolean, or compare it"


@check
def total_division(subject: Subject) -> Found:
    """The divisor of % is a number, since dividing by an empty or zero cell would stop the query."""
    for piece in subject.pieces:
        for node in piece.nodes:
            if isinstance(node, exp.Mod):
                divisor = node.expression
                if not isinstance(divisor, exp.Literal) or divisor.is_string or not float(divisor.name):
                    yield piece.place, f"{shown(node)}: what stands after % must be a number other than 0"


@check
def no_default(subject: Subject) -> Found:
    """No literal stands in for a cell that is empty, unknown or cannot be read: what is not there stays null."""
    for piece in subject.pieces:
        if piece.kind != "expression":
            continue
        for node in piece.nodes:
            others = node.expressions if isinstance(node, exp.Coalesce) else []
            if isinstance(node, exp.Case):
                others = [node.args.get("default")]
            for default in others:
                if default is not None and _stands_in(default, node) and any(node.find_all(exp.Column)):
                    yield (
                        piece.place,
                        f"{shown(default)} would stand for a cell that is empty, unknown or unreadable: leave it null "
                        "(net_amount takes two columns of which one is empty)",
                    )


def _stands_in(default: exp.Expr, node: exp.Expr) -> bool:
    """Whether a default is a value of its own, and reaches the result; a factor of 1 or -1, or an empty text, is none."""
    if isinstance(default, (exp.Paren, exp.Cast)):
        return _stands_in(default.this, node)
    literal = default.this if isinstance(default, exp.Neg) else default
    if not isinstance(literal, (exp.Literal, exp.Boolean)) or literal.name == "":
        return False
    if isinstance(node, exp.Case) and isinstance(node.parent, (exp.Mul, exp.Paren, exp.Try)) and literal.name == "1":
        return False
    while node.parent is not None:
        if isinstance(node, COMPARISON) or (isinstance(node.parent, exp.If) and node.arg_key == "this"):
            return False
        if isinstance(node.parent, exp.Case) and node.arg_key == "this":
            return False
        node = node.parent
    return True


def _is_text(node: exp.Expr) -> bool:
    if isinstance(node, exp.Column):
        return node.name.lower() != "_source_row"
    return isinstance(node, _TEXTS) or _is_text_function(node)


def _is_text_function(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).lower() in _TEXT_FUNCTIONS


def _is_other(node: exp.Expr) -> bool:
    """A number, a date or a boolean as it is written."""
    if isinstance(node, (exp.Neg, exp.Paren)):
        return _is_other(node.this)
    if isinstance(node, exp.Literal):
        return not node.is_string
    return isinstance(node, exp.Boolean) or (isinstance(node, exp.Cast) and node.to.this is not exp.DataType.Type.TEXT)


def _is_read(column: exp.Column, cast: exp.Expr) -> bool:
    """Whether something between the column and the cast reads the cell, or only looks at it."""
    node: exp.Expr | None = column
    while node is not None and node is not cast:
        if isinstance(node, _READ) and not _is_text_function(node):
            return True
        if isinstance(node.parent, exp.If) and node.arg_key == "this":
            return True
        node = node.parent
    return False
