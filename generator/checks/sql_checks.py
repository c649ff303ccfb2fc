"""Static checks of the SQL of a candidate: text, syntax, functions, columns."""

from __future__ import annotations

from sqlglot import exp

from generator.checks import grammar
from generator.checks.check import Found, check, listed, quoted, shown
from generator.checks.reshape import window_problems
from generator.checks.subject import MAX_NODES, Subject, used_columns
from generator.violation import Part


@check
def plain_text(subject: Subject) -> Found:
    """SQL is plain, short, printable text: no Jinja, no comments, no quoting tricks, balanced parentheses."""
    for piece in subject.pieces:
        for problem in piece.text_problems:
            yield piece.place, piece.where + problem


@check
def one_expression(subject: Subject) -> Found:
    """An expression or filter is exactly one SQL expression, a reshape exactly one SELECT, of bounded size."""
    for piece in subject.pieces:
        if piece.text_problems:
            continue
        what = "SELECT over the relation `source`" if piece.kind == "reshape" else "SQL expression"
        if piece.tree is None:
            yield piece.place, f"{piece.where}{quoted(piece.sql)} is not exactly one {what} that can be parsed"
        elif sum(1 for _ in piece.nodes) > MAX_NODES[piece.kind]:
            yield piece.place, f"{piece.where}it is too long; write one simple {what}"


@check
def allowed_functions(subject: Subject) -> Found:
    """Only listed functions are called: the project's SQL functions and harmless scalar ones."""
    plain = grammar.FUNCTIONS | subject.functions
    for piece in subject.pieces:
        reshape = piece.kind == "reshape"
        allowed = plain | grammar.WINDOW_FUNCTIONS if reshape else plain
        words = grammar.RESHAPE_KEYWORDS if reshape else grammar.KEYWORDS
        called = {str(n.this).lower() for n in piece.nodes if type(n) is exp.Anonymous}
        for name in sorted((piece.called - words | called) - allowed):
            yield piece.place, f"{piece.where}{quoted(name)} is not an allowed function; allowed: {listed(allowed)}"


@check
def allowed_syntax(subject: Subject) -> Found:
    """Only listed syntax is used: no subqueries, windows, aggregates, stars, lambdas, tables or exotic types."""
    for piece in subject.pieces:
        allowed = grammar.RESHAPE_NODES if piece.kind == "reshape" else grammar.NODES
        for node in piece.nodes:
            problem = _node_problem(node, allowed)
            if problem:
                yield piece.place, piece.where + problem
                break


def _node_problem(node: exp.Expr, allowed: dict[type[exp.Expr], frozenset[str]]) -> str | None:
    arguments = allowed.get(type(node))
    if arguments is None:
        return f"{shown(node)} is {type(node).__name__} syntax, which is not allowed; use column names, texts, " + (
            "numbers, operators, case, cast and the allowed functions"
        )
    extra = [name for name, value in node.args.items() if value and name not in arguments]
    if extra:
        return f"{shown(node)}: {extra[0].rstrip('_')} is not allowed in it; write it plainly"
    if type(node) in (exp.Star, exp.Alias) and not (
        isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
    ):
        return f"{shown(node)} is not allowed where it stands"
    if isinstance(node, exp.Alias) and isinstance(node.this, exp.Star):
        return f"{shown(node)}: a star has no name"
    if isinstance(node, exp.Var) and not isinstance(node.parent, (exp.DateTrunc, exp.TimestampTrunc)):
        return f"{shown(node)} is not allowed where it stands"
    if isinstance(node, exp.In) and not node.expressions:
        return f"{shown(node)}: there is nothing in the list"
    if isinstance(node, exp.DataTypeParam) and not isinstance(node.this, exp.Literal):
        return f"{shown(node)}: the size of a type is a number"
    if isinstance(node, exp.DataType) and node.this not in grammar.TYPES:
        return f"{shown(node)} is not an allowed type; allowed: {grammar.TYPE_NAMES}"
    if isinstance(node, exp.Column) and node.table.lower() not in ("", "source"):
        return f"{shown(node)}: write the column's name alone"
    return None


@check
def known_columns(subject: Subject) -> Found:
    """An expression uses only the layout's columns (or the reshape's), and _preamble, _footer, _source_file/row."""
    if subject.available is None:
        return
    for piece in subject.pieces:
        if piece.kind == "reshape" or piece.tree is None:
            continue
        for name in sorted(used_columns(piece.tree) - subject.available):
            known = listed(subject.available)
            yield piece.place, f"{piece.where}{quoted(name)} is not a column of the layout; there are {known}"


@check
def every_word_understood(subject: Subject) -> Found:
    """Each word of the text is a function, a name in the syntax tree, or a listed keyword: nothing was misread."""
    for piece in subject.pieces:
        if piece.tree is None:
            continue
        keywords = grammar.RESHAPE_SYNTAX_WORDS if piece.kind == "reshape" else grammar.SYNTAX_WORDS
        names = {str(i.this).lower() for i in piece.tree.find_all(exp.Identifier)}
        for word, after in zip(piece.tokens, [*piece.tokens[1:], None], strict=True):
            called = after is not None and after.text == "("
            if word.kind == "word" and not called and word.text.lower() not in keywords | names:
                yield (
                    piece.place,
                    f"{piece.where}{quoted(word.text)} is not allowed where it stands; write it plainly",
                )


@check
def boolean_filter(subject: Subject) -> Found:
    """A row filter, and what stands after `where` in a reshape, is a condition."""
    for piece in subject.pieces:
        if piece.tree is None or piece.kind == "expression":
            continue
        wheres = [piece.tree] if piece.kind == "row_filter" else [w.this for w in piece.tree.find_all(exp.Where)]
        for condition in wheres:
            if not _is_condition(condition):
                yield (
                    piece.place,
                    f"{piece.where}{shown(condition)} is not a condition; compare it with something",
                )


def _is_condition(tree: exp.Expr) -> bool:
    todo: list[exp.Expr] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, (exp.Paren, exp.Not, exp.Try)):
            todo.append(node.this)
        elif isinstance(node, exp.Connector):
            todo += [node.left, node.right]
        elif isinstance(node, exp.Coalesce):
            todo += [node.this, *node.expressions]
        elif isinstance(node, exp.Case):
            todo += [*(branch.args["true"] for branch in node.args["ifs"]), *filter(None, [node.args.get("default")])]
        elif isinstance(node, exp.Anonymous):
            if str(node.this).lower() not in grammar.BOOLEAN_FUNCTIONS:
                return False
        elif not isinstance(
            node,
            (exp.Predicate, exp.Boolean, exp.RegexpLike, exp.Contains, exp.StartsWith, exp.EndsWith),
        ):
            return False
    return True


@check
def sound_reshape(subject: Subject) -> Found:
    """A reshape reads `source` only, keeps _file_id, _source_file, _source_row, and stays within each file."""
    tree = next((p.tree for p in subject.pieces if p.kind == "reshape"), None)
    if tree is None or subject.reshape is None:
        return
    for problem in (*subject.reshape.problems, *window_problems(tree)):
        yield Part.RESHAPE, f"in the reshape: {problem}"
