"""Which expressions no cell can stop. What is not surely one of them is put into `try(...)`, which gives NULL instead.

A cell of a later file must not stop dbt's query of every file: `nullif(text, 0)` does as soon as one cell is no number,
`a * b` on two huge ones. Listed is what never fails; what the list forgets is wrapped without need, and no more.
Each operation is wrapped by itself: DuckDB (2.0) computes what two expressions have in common before both, and what it
takes out of `try(a * b - c)` in this way fails outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from sqlglot import ErrorLevel, exp

from generator.candidate import Candidate
from generator.checks.grammar import NODES
from generator.checks.subject import Piece

_TEXTS = frozenset({"text", "literal", "null"})
_NUMBERS = frozenset({"decimal", "integer", "number", "null"})
_GIVES = {
    **{"clean_text": "text", "has_value": "boolean", "net_amount": "decimal", "parse_boolean": "boolean"},
    **{"parse_date": "date", "parse_decimal": "decimal", "parse_integer": "integer", "parse_timestamp": "timestamp"},
    **{"prefix": "boolean", "suffix": "boolean", "strip_accents": "text"},
}
_TEXT_FUNCTIONS = (exp.Lower, exp.Upper, exp.Trim, exp.Replace, exp.RegexpExtract)
_JOINS = (exp.DPipe, exp.Concat, exp.ConcatWs)
_LOOKS = (exp.Like, exp.ILike, exp.RegexpLike, exp.Contains, exp.StartsWith, exp.EndsWith)
_COMPARES = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In)
_PARTS = (exp.Left, exp.Right, exp.Substring, exp.SplitPart)
_MAX_PART = 10_000
_MAX_DIGITS = 9


def guarded(candidate: Candidate) -> Candidate:
    """The candidate with `try(...)` around what a cell could stop in its expressions and its row filter.

    What cannot be parsed, or has syntax that is not allowed, stays as it is: it is refused anyway.
    """
    made = _made(candidate.reshape)
    columns = {
        name: mapping.model_copy(update={"expression": _guarded("expression", mapping.expression, made)})
        for name, mapping in candidate.columns.items()
    }
    row_filter = _guarded("row_filter", candidate.row_filter, made)
    return candidate.model_copy(update={"columns": columns, "row_filter": row_filter})


def stoppable(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The operations over columns of text that a cell could stop, and that do not stand in `try(...)`."""
    kinds = _Kinds({})
    for node in _upwards(tree):
        if not kinds.learn(node) and not isinstance(node.parent, exp.Try):
            yield node


def _guarded(kind: str, sql: str | None, made: Mapping[str, str]) -> str | None:
    tree = Piece(kind, sql).tree if sql is not None else None
    if tree is None or not all(map(_is_allowed, tree.walk())):
        return sql
    root, kinds, wrapped = exp.Paren(this=tree.copy()), _Kinds(made), list[exp.Expr]()
    for node in list(_upwards(root.this)):
        if not kinds.learn(node) and not isinstance(node, exp.Try) and not isinstance(node.parent, exp.Try):
            around = exp.Try()
            node.replace(around)
            around.set("this", node)
            kinds.learn(around)
            wrapped.append(around)
    if not wrapped:
        return sql
    return f"try({sql})" if wrapped == [root.this] else _written(root.this)


def _is_allowed(node: exp.Expr) -> bool:
    arguments = NODES.get(type(node))
    return arguments is not None and all(name in arguments for name, value in node.args.items() if value)


def _written(tree: exp.Expr) -> str:
    """The SQL of a tree in lower case; sqlglot writes its own words large."""
    sql = tree.sql("duckdb", unsupported_level=ErrorLevel.IGNORE)
    return re.sub(r"'(?:[^']|'')*'|[A-Z_]+", lambda m: m[0] if m[0][0] == "'" else m[0].lower(), sql)


def _made(reshape: str | None) -> dict[str, str]:
    """The kinds of columns that a reshape makes; those of `source` are texts."""
    tree = Piece("reshape", reshape).tree if reshape is not None else None
    made: dict[str, str] = {}
    for alias in tree.find_all(exp.Alias) if tree is not None else ():
        kinds = _Kinds({})
        kind = [kinds.learn(node) for node in _upwards(alias.this)][-1]
        made[alias.alias] = kind if made.get(alias.alias, kind) == kind else ""
    return made


def _upwards(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The expressions of a tree, those inside before those around them; no recursion on long chains."""
    parts = (exp.Identifier, exp.DataType, exp.DataTypeParam, exp.Var, exp.If)
    return (node for node in reversed(list(tree.bfs())) if not isinstance(node, parts))


class _Kinds:
    """Kinds of expressions: text, literal (of a text), number (a short literal), decimal, integer, date, ..., null.

    "" is the kind of an expression that a cell might stop.
    """

    def __init__(self, columns: Mapping[str, str]) -> None:
        """`columns` tells the kinds of the columns that are no texts."""
        self._columns = columns
        self._known: dict[int, str] = {}

    def learn(self, node: exp.Expr) -> str:
        """The kind of an expression whose parts were learned before."""
        kind = self._known[id(node)] = self._kind(node)
        return kind

    def of(self, node: object) -> str:
        """The kind of an expression that was learned."""
        return self._known.get(id(node), "")

    def _kind(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Paren):
            return self.of(node.this)
        if isinstance(node, exp.Try):
            return self.of(node.this) or self._tried(node.this)
        if isinstance(node, exp.Column):
            name = node.name.lower()
            return self._columns.get(name, "integer" if name == "_source_row" else "text")
        if isinstance(node, exp.Literal):
            return "literal" if node.is_string else "number" if len(node.name) <= _MAX_DIGITS else ""
        if isinstance(node, exp.Null):
            return "null"
        if isinstance(node, exp.Anonymous):
            name = str(node.this).lower()
            return _GIVES.get(name, "") if self._all(node.expressions, _TEXTS) else ""
        if isinstance(node, (exp.Cast, exp.TryCast)):
            return self._cast(node)
        if isinstance(node, exp.Case):
            return self._case(node)
        return self._condition(node) or self._text(node) or self._number(node)

    def _tried(self, node: exp.Expr) -> str:
        """The kind of what an expression gives where it does not fail; "" where that is not clear."""
        if isinstance(node, exp.Paren):
            return self._tried(node.this)
        if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Mod)):
            return self._common(node.iter_expressions()) if self._all(node.iter_expressions(), _NUMBERS) else ""
        if isinstance(node, (exp.Neg, exp.Abs, exp.Nullif)):
            return self.of(node.this)
        return "text" if isinstance(node, (*_TEXT_FUNCTIONS, *_JOINS, *_PARTS, exp.RegexpReplace, exp.Pad)) else ""

    def _condition(self, node: exp.Expr) -> str:
        parts = [p for p in node.iter_expressions() if not isinstance(p, exp.Var)]
        if isinstance(node, _LOOKS):
            total = self._all(parts, _TEXTS)
        elif isinstance(node, _COMPARES):
            total = bool(self._common(parts))
        elif isinstance(node, exp.Is):
            total = bool(self.of(node.this)) and isinstance(node.expression, exp.Null)
        else:
            logic = isinstance(node, (exp.And, exp.Or, exp.Not))
            total = isinstance(node, exp.Boolean) or (logic and self._all(parts, frozenset({"boolean", "null"})))
        return "boolean" if total else ""

    def _text(self, node: exp.Expr) -> str:
        parts = list(node.iter_expressions())
        if isinstance(node, _JOINS):
            return "text" if all(map(self.of, parts)) else ""
        if isinstance(node, exp.RegexpReplace) and "\\" in node.args["replacement"].name:
            return ""
        if isinstance(node, (exp.RegexpReplace, *_TEXT_FUNCTIONS)):
            return "text" if self._all([p for p in parts if not _is_count(p)], _TEXTS) else ""
        if isinstance(node, exp.Pad):
            filling = node.args.get("fill_pattern")
            return "text" if self.of(node.this) in _TEXTS and (filling is None or filling.name) else ""
        if isinstance(node, _PARTS):
            return "text" if self._all([p for p in parts if not _is_count(p)], _TEXTS) else ""
        return ""

    def _number(self, node: exp.Expr) -> str:
        this = self.of(node.this)
        if isinstance(node, (exp.Length, exp.StrPosition)):
            return "integer" if self._all(node.iter_expressions(), _TEXTS) else ""
        if isinstance(node, (exp.Neg, exp.Abs)):
            return this if this in ("decimal", "number", "null") else ""
        if isinstance(node, exp.Round):
            digits = node.args.get("decimals")
            return "decimal" if this == "decimal" and (digits is None or _is_count(digits)) else ""
        if isinstance(node, exp.Div) or (isinstance(node, exp.Mul) and _is_one(node.expression)):
            return "decimal" if self._all(node.iter_expressions(), _NUMBERS) else ""
        if isinstance(node, (exp.DateTrunc, exp.TimestampTrunc)):
            return "timestamp" if this in ("date", "timestamp") else ""
        if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif)):
            return self._common(node.iter_expressions())
        return ""

    def _cast(self, node: exp.Cast) -> str:
        this, to = self.of(node.this), node.to.this
        if to is exp.DataType.Type.TEXT:
            return "text" if this else ""
        wanted = {exp.DataType.Type.DATE: "date", exp.DataType.Type.TIMESTAMPNTZ: "timestamp"}.get(to, "")
        if isinstance(node, exp.TryCast):
            return (wanted or ("boolean" if to is exp.DataType.Type.BOOLEAN else "decimal")) if this in _TEXTS else ""
        moment = this in ("date", "timestamp", "null") or (this == "literal" and _is_moment(node.this.name))
        return wanted if moment else ""

    def _case(self, node: exp.Case) -> str:
        branches = node.args["ifs"]
        conditions = [b.this for b in branches]
        default = node.args.get("default")
        decided = (
            self._common([node.this, *conditions])
            if node.this is not None
            else self._all(conditions, frozenset({"boolean", "null"}))
        )
        return self._common([*(b.args["true"] for b in branches), *([default] if default else [])]) if decided else ""

    def _all(self, nodes: Iterable[object], kinds: frozenset[str]) -> bool:
        return all(self.of(n) in kinds for n in nodes)

    def _common(self, nodes: Iterable[object]) -> str:
        """The kind that all these have, or are made without fail; "" if none."""
        kinds = set(map(self.of, nodes))
        if kinds <= _TEXTS:
            return "text"
        if kinds <= _NUMBERS:
            return "decimal" if "decimal" in kinds else "integer"
        rest = kinds - {"null"}
        return rest.pop() if len(rest) == 1 else ""


def _is_count(node: object) -> bool:
    """A small whole number, as it is written."""
    if isinstance(node, exp.Neg):
        return _is_count(node.this)
    return isinstance(node, exp.Literal) and node.is_int and int(node.name) <= _MAX_PART


def _is_one(node: exp.Expr) -> bool:
    """1 or -1."""
    return _is_one(node.this) if isinstance(node, (exp.Neg, exp.Paren)) else node.name == "1"


def _is_moment(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False
