"""Static checks of what could blow up: patterns that cells decide, texts and queries that multiply."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from generator.checks.check import Found, check, quoted, shown
from generator.checks.subject import Subject
from generator.checks.total import stoppable
from generator.checks.work import work

MAX_PATTERN = 200
MAX_REPLACEMENT = 50
MAX_PAD = 100
# How long a text may become, how much text may be written on the way to it (both in lengths of a cell), and how many
# nodes may run for a row: `case lower(clean_text(x)) when` over all currencies is 10,541. Measured at the limits: 0.3 s to
# prepare, 1 GB where all cells have 1,000 characters.
MAX_GROWTH = 100
MAX_WRITTEN = 500
MAX_WORK = {"expression": 12_000, "row_filter": 12_000, "reshape": 20_000}
# A pattern runs in time proportional to its states, and `{n}` makes n of one.
MAX_STATES = 500
# How many leading arguments of our SQL functions are cells (1 where not named); the others say how to read them.
CELL_ARGUMENTS = {"net_amount": 2}
# Functions whose last argument is a decimal sign; it goes into a pattern as it is.
DECIMAL_SIGN = frozenset({"net_amount", "parse_decimal"})


@check
def literal_arguments(subject: Subject) -> Found:
    """Patterns, replacements, lengths, formats and separators are short literals, so that no cell decides them."""
    for piece in subject.pieces:
        for node in piece.nodes:
            for what, argument, limit in _literals(node, subject.functions):
                if not _is_literal(argument, limit):
                    message = f"{shown(node)}: the {what} must be a literal of at most {limit} characters"
                    yield piece.place, piece.where + message
        # sqlglot makes the same node of date_trunc('day', x) and date_trunc(day, x), where `day` is a column.
        for word, _, argument in zip(piece.tokens, piece.tokens[1:], piece.tokens[2:], strict=False):
            if word.text.lower() == "date_trunc" and argument.kind != "literal":
                yield piece.place, f"{piece.where}{quoted(word.text)}: the unit must be a literal, such as 'month'"
        for node in piece.nodes:
            if isinstance(node, exp.Pad) and not _is_small(node.expression):
                yield piece.place, f"{piece.where}{shown(node)}: the length must be a number, at most {MAX_PAD}"
            signed = type(node) is exp.Anonymous and str(node.this).lower() in DECIMAL_SIGN
            if signed and not any(sign.name in (".", ",") for sign in node.expressions[-1:]):
                yield piece.place, f"{piece.where}{shown(node)}: the decimal sign is '.' or ','"


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
def small_patterns(subject: Subject) -> Found:
    """A pattern repeats nothing hundreds of times: each cell would be compared with each repetition."""
    for piece in subject.pieces:
        for node in piece.nodes:
            if isinstance(node, (exp.RegexpLike, exp.RegexpExtract, exp.RegexpReplace)) and (
                _states(node.expression.name) > MAX_STATES
            ):
                message = f"{shown(node)}: the pattern repeats too much; `{{n}}` may add up to {MAX_STATES} at most"
                yield piece.place, piece.where + message


def _states(pattern: str) -> int:
    """At most how many states a pattern has; a repeated group is taken for all that stands before it."""
    states, end = 0, 0
    for repeated in re.finditer(r"(.)\{(\d*),?(\d*)\}", pattern):
        states += repeated.start() - end
        count = max(int(n or 0) for n in repeated.groups()[1:])
        states = states * count if repeated[1] == ")" else states + count
        end = repeated.end()
    return states + len(pattern) - end


@check
def bounded_work(subject: Subject) -> Found:
    """No expression multiplies texts, or the query itself, level by level."""
    grown: dict[str, int] = {}
    # The reshape comes first: what it makes of a cell, expressions may make more of.
    for piece in sorted(subject.pieces, key=lambda p: p.kind != "reshape"):
        if piece.tree is None:
            continue
        if piece.kind == "reshape":
            for alias in piece.tree.find_all(exp.Alias):
                growth = work(alias, subject.functions, {}).growth
                grown[alias.alias] = max(growth, grown.get(alias.alias, 1))
        done = work(piece.tree, subject.functions, grown)
        if done.growth > MAX_GROWTH:
            yield (
                piece.place,
                f"{piece.where}it makes a text {done.growth:,} times as long; at most {MAX_GROWTH} is allowed",
            )
        if done.written > MAX_WRITTEN:
            yield (
                piece.place,
                f"{piece.where}it joins texts in too many steps; write one concat_ws(' ', a, b, c), or join fewer",
            )
        if done.nodes > MAX_WORK[piece.kind]:
            yield (
                piece.place,
                f"{piece.where}it is {done.nodes:,} parts when it runs, at most {MAX_WORK[piece.kind]:,} are allowed; "
                "`case x when`, between, in, nullif, split_part and the project's functions repeat what they are "
                "given: nest them less",
            )


@check
def goes_on(subject: Subject) -> Found:
    """What one odd cell could stop, and with it the query of every file, stands in try(...)."""
    for piece in subject.pieces:
        if piece.kind != "reshape" or piece.tree is None:
            continue
        for part in _computed(piece.tree):
            for node in stoppable(part):
                message = f"{shown(node)}: one odd cell could stop it, and with it every file; write try(...)"
                yield piece.place, piece.where + message


def _computed(tree: exp.Expr) -> Iterator[exp.Expr]:
    """What the SELECTs of a reshape compute for a row; of a window, what it is computed of."""
    for node in (*tree.find_all(exp.Alias), *tree.find_all(exp.Where)):
        inner = node.this
        while isinstance(inner, (exp.Window, exp.IgnoreNulls)):
            inner = inner.this
        window = isinstance(inner, (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue))
        yield from inner.iter_expressions() if window else [inner]
