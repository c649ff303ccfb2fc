"""A candidate with its SQL read once: what the static checks look at."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError

from generator.candidate import Candidate
from generator.checks import text
from generator.checks.grammar import FUNCTIONS, RESHAPE_KEYWORDS, WINDOW_FUNCTIONS
from generator.checks.reshape import Reshape, read_reshape
from generator.contracts.contract import Contract
from generator.violation import Part

# It warns on the terminal, with the text, of what it does not know. That is refused here anyway.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

MAX_EXPRESSION = 4_000
MAX_RESHAPE = 20_000
MAX_NODES = {"expression": 1_500, "row_filter": 1_500, "reshape": 10_000}
_SQLGLOT_CALLS = frozenset(
    {name.lower() for calls in (DuckDB.Parser.FUNCTIONS, DuckDB.Parser.FUNCTION_PARSERS) for name in calls}
    | {words.lower().split()[-1] for words in DuckDB.Tokenizer.KEYWORDS if words.isascii()}
) - (FUNCTIONS | WINDOW_FUNCTIONS | RESHAPE_KEYWORDS)
KEYS = frozenset({"_file_id", "_source_file", "_source_row"})
AROUND = frozenset({"_preamble", "_footer", "_source_file", "_source_row"})


@dataclass(frozen=True)
class Piece:
    """One hole that a candidate fills: `kind` is expression, row_filter or reshape; `column` its gold column, if any."""

    kind: str
    sql: str
    column: str | None = None

    @property
    def place(self) -> str | Part:
        """The gold column, or the part of the candidate, that a violation is tied to."""
        return self.column if self.column is not None else Part(self.kind)

    @property
    def where(self) -> str:
        """How a message on this piece begins."""
        return "" if self.kind == "expression" else f"in the {self.kind}: "

    @cached_property
    def text_problems(self) -> list[str]:
        """What is wrong with the raw text."""
        return text.problems(self.sql, MAX_RESHAPE if self.kind == "reshape" else MAX_EXPRESSION)

    @cached_property
    def tokens(self) -> list[text.Token]:
        """The tokens; none where the raw text has problems."""
        return [] if self.text_problems else text.tokens(self.sql)

    @cached_property
    def called(self) -> frozenset[str]:
        """The words before an opening parenthesis, in lower case: functions, and some keywords."""
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return frozenset(word.text.lower() for word, after in pairs if word.kind == "word" and after.text == "(")

    @cached_property
    def tree(self) -> exp.Expr | None:
        """The syntax tree; None where the text has problems or is not exactly one expression (one SELECT).

        A call that sqlglot would read in a way of its own, and a join, are not read, since they are refused anyway:
        nested, some of them double its time at each level.
        """
        if self.text_problems or self.called & _SQLGLOT_CALLS or any(t.text.lower() == "join" for t in self.tokens):
            return None
        return _select(self.sql) if self.kind == "reshape" else _expression(self.sql)

    @property
    def nodes(self) -> Iterator[exp.Expr]:
        """Every node of the tree."""
        return iter(()) if self.tree is None else self.tree.walk()


@dataclass(frozen=True)
class Subject:
    """What is judged. `source_columns` are the layout's safe names, `functions` the project's SQL functions."""

    candidate: Candidate
    contract: Contract
    source_columns: frozenset[str]
    functions: frozenset[str]
    pieces: tuple[Piece, ...] = field(init=False)

    def __post_init__(self) -> None:
        candidate = self.candidate
        pieces = [
            Piece("expression", m.expression, n) for n, m in candidate.columns.items() if m.expression is not None
        ]
        if candidate.row_filter is not None:
            pieces.append(Piece("row_filter", candidate.row_filter))
        if candidate.reshape is not None:
            pieces.append(Piece("reshape", candidate.reshape))
        object.__setattr__(self, "pieces", tuple(pieces))

    @property
    def expressions(self) -> dict[str, exp.Expr]:
        """The trees of the gold columns' expressions that could be read."""
        return {p.column: p.tree for p in self.pieces if p.column is not None and p.tree is not None}

    @cached_property
    def reshape(self) -> Reshape | None:
        """The reshape as relations and outputs; None where there is none, or none that could be read."""
        tree = next((p.tree for p in self.pieces if p.kind == "reshape"), None)
        return None if tree is None else read_reshape(tree, self.source_columns | AROUND | KEYS)

    @property
    def names(self) -> frozenset[str]:
        """Every name in the trees, lower case: no other parser may see more of them."""
        trees = (p.tree for p in self.pieces if p.tree is not None)
        return KEYS | {str(i.this).lower() for tree in trees for i in tree.find_all(exp.Identifier)}

    @cached_property
    def available(self) -> frozenset[str] | None:
        """The columns that an expression may use; None where a reshape that cannot be read hides them."""
        if self.candidate.reshape is None:
            return self.source_columns | AROUND
        return self.reshape.outputs if self.reshape is not None and not self.reshape.problems else None


def used_columns(tree: exp.Expr) -> frozenset[str]:
    """Names of the columns in a tree, lower case: DuckDB does not tell them apart."""
    return frozenset(c.name.lower() for c in tree.find_all(exp.Column))


def _expression(sql: str) -> exp.Expr | None:
    """The tree of a text that is one expression: in parentheses that it cannot leave, since its own ones balance."""
    tree = _parse(f"select (\n{sql}\n) as gold from source")
    projections = tree.expressions if isinstance(tree, exp.Select) else []
    alias = projections[0] if len(projections) == 1 else None
    paren = alias.this if isinstance(alias, exp.Alias) and alias.alias == "gold" else None
    inside = paren.this if type(paren) is exp.Paren else paren
    return inside if isinstance(inside, exp.Expr) else None


def _select(sql: str) -> exp.Expr | None:
    tree = _parse(sql)
    return tree if sql.lstrip()[:6].lower() == "select" and isinstance(tree, (exp.Select, exp.Union)) else None


def _parse(sql: str) -> exp.Expr | None:
    """The tree of exactly one statement. A parser that fails in any way it knows has not understood: None."""
    try:
        trees = sqlglot.parse(sql, read="duckdb")
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, LookupError):
        return None
    return trees[0] if len(trees) == 1 else None
