"""What the text of a staging dbt model says: its expressions, as a person may have edited and reformatted them. Pure.

Only the skeleton is known: a CTE `mapped` that selects named columns, and perhaps one `reshaped`. The text is read by
its tokens, Jinja masked, so that what a person wrote between them (comments, layout, macros) stays byte for byte.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import dedent

from sqlglot import Dialect
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from generator.project.render import laid_out

_JINJA = re.compile(
    r"""\{\{(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|(?!\}\})[^"'])*+\}\}|\{\#.*?\#\}|\{%.*?%\}""", re.DOTALL
)
_NULL = re.compile(r"null|cast\(\s*null\s+as\s+[\w ,()]+\)|null\s*::[\w ,()]+", re.IGNORECASE)
_DUCKDB = Dialect.get_or_raise("duckdb")
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
# The SQL functions that are told a decimal sign, as their last argument.
_TOLD_A_SIGN = ("parse_decimal", "net_amount")
# Stands for Jinja that gives a value. In no name, so that a name that only dbt knows is seen as such.
_MASK = "\ue000"
# With any of these, a row of `mapped` is no longer a source row that a filter has let through.
_RESTRUCTURED = {
    *(TokenType.SELECT, TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT, TokenType.GROUP_BY, TokenType.HAVING),
    *(TokenType.QUALIFY, TokenType.ORDER_BY, TokenType.LIMIT, TokenType.OFFSET, TokenType.FETCH, TokenType.WINDOW),
}


@dataclass(frozen=True)
class Written:
    """`expressions`: gold column (lower case), and the skeleton's own columns -> its expression as written, Jinja kept.

    `row_filter` is the condition after `where`, `reshape` the body of the CTE `reshaped`.
    """

    expressions: Mapping[str, str]
    row_filter: str | None
    reshape: str | None


@dataclass(frozen=True)
class _Item:
    """A column of the select list: where its expression and all of it stand in the text, ends excluded."""

    name: str
    start: int
    end: int
    last: int


@dataclass(frozen=True)
class _Read:
    items: tuple[_Item, ...]
    written: Written


def read_written(sql: str) -> Written | None:
    """What a dbt model's text says; None where a person has restructured it so that it is not our skeleton any more."""
    read = _read(sql)
    return read.written if read else None


def with_expression(sql: str, column: str, expression: str) -> str:
    """The text with another expression for one column, which stands before `_raw` if it is new; all else as it is.

    Raises ValueError where the text is not our skeleton, or where the expression is not one alone.
    """
    read = _read(sql)
    if read is None:
        raise ValueError("the dbt model has another structure than goldsmith gave it")
    found = next((item for item in read.items if item.name == column), None)
    at = found or next((item for item in read.items if item.name == "_raw"), read.items[-1])
    indent = re.sub(r"\S.*", "", sql[sql.rfind("\n", 0, at.start) + 1 : at.start])
    new = expression if "\n" in expression else laid_out(expression).replace("\n", f"\n{indent}")
    if found is None:
        changed = f"{sql[: at.start]}{new} as {column}{_separator(sql, read.items, at, indent)}{sql[at.start :]}"
    elif found.end == found.last:
        changed = f"{sql[: found.start]}{new} as {column}{sql[found.last :]}"
    else:
        changed = f"{sql[: found.start]}{new}{sql[found.end :]}"
    wished = {**read.written.expressions, column: new}
    if not _one(_tokens(expression) or []) or read_written(changed) != Written(
        wished, read.written.row_filter, read.written.reshape
    ):
        raise ValueError(f"{expression!r} is not one SQL expression")
    return changed


def on_one_line(expression: str) -> str | None:
    """An expression without its line ends, indentation and comments; None for what is no SQL."""
    text, before = "", None
    for token in _tokens(expression) or []:
        apart = before is not None and token.start > before.end + 1
        tight = before is None or before.token_type in _OPENING or token.token_type in _CLOSING
        text += (" " if apart and not tight else "") + expression[token.start : token.end + 1]
        before = token
    return text or None


def is_null(expression: str) -> bool:
    """Whether an expression says that a column stays NULL."""
    return _NULL.fullmatch(expression) is not None


def names_in(expression: str) -> list[str]:
    """The names in an expression that may be columns, as they are written, in their order; calls are none."""
    return list(dict.fromkeys(token.text for token in _columns(expression)))


def decimal_signs(sql: str) -> dict[str, set[str]]:
    """By which decimal signs a text reads columns as numbers, by their names in lower case; '' for a sign that is no
    literal. A column that is read otherwise is not in it.
    """
    tokens, found = _tokens(sql) or [], defaultdict[str, set[str]](set)
    depths = list(_depths(tokens))
    for i, token in enumerate(tokens):
        if token.text.lower() in _TOLD_A_SIGN and tokens[i + 1 : i + 2] and tokens[i + 1].token_type in _OPENING:
            end = next((j for j in range(i + 2, len(tokens)) if depths[j] == depths[i]), len(tokens)) - 1
            sign = tokens[end].text if tokens[end].token_type == TokenType.STRING else ""
            for name in names_in(sql[tokens[i + 1].start + 1 : tokens[end].end + 1]):
                found[name.lower()].add(sign)
    return dict(found)


def renamed(expression: str, names: Mapping[str, str]) -> str:
    """An expression with other names for some columns; all at once, so that two may change places."""
    for token in reversed(_columns(expression)):
        if (name := names.get(token.text.lower())) is not None:
            expression = f"{expression[: token.start]}{name}{expression[token.end + 1 :]}"
    return expression


def _columns(expression: str) -> list[Token]:
    tokens = _tokens(expression) or []
    called = {i for i, token in enumerate(tokens[1:]) if token.token_type == TokenType.L_PAREN}
    return [token for i, token in enumerate(tokens) if i not in called and _name(token) is not None]


def _one(tokens: Sequence[Token]) -> bool:
    """Whether nothing in these tokens ends an expression."""
    outer = {token.token_type for token, depth in zip(tokens, _depths(tokens), strict=True) if not depth}
    return not {TokenType.ALIAS, TokenType.SEMICOLON, TokenType.COMMA} & outer


def _separator(sql: str, items: Sequence[_Item], at: _Item, indent: str) -> str:
    """What stands between columns here, so that leading commas stay leading."""
    i = items.index(at)
    between = sql[items[i - 1].last : at.start] if i else ""
    return between if re.fullmatch(r"\s*,\s*", between) else f",\n{indent}"


def _read(sql: str) -> _Read | None:
    tokens = _tokens(sql)
    mapped = _cte(tokens, "mapped") if tokens is not None else None
    if tokens is None or mapped is None:
        return None
    body = tokens[mapped.start : mapped.stop]
    blocks = (m.start() for m in _JINJA.finditer(sql) if m[0].startswith("{%"))
    if not body or body[0].token_type != TokenType.SELECT or any(body[0].start < b < body[-1].end for b in blocks):
        return None
    clauses = _clauses(body[1:])
    items = _items(clauses[0]) if clauses else None
    if clauses is None or items is None or len({item.name for item in items}) < len(items):
        return None
    reshaped = _cte(tokens, "reshaped")
    expressions = {item.name: sql[item.start : item.end] for item in items}
    return _Read(
        items,
        Written(
            expressions,
            sql[clauses[1][0].start : clauses[1][-1].end + 1] if clauses[1] else None,
            dedent(sql[tokens[reshaped.start - 1].end + 1 : tokens[reshaped.stop].start].strip("\n")).strip()
            if reshaped
            else None,
        ),
    )


def _tokens(sql: str) -> list[Token] | None:
    """The tokens of a text, Jinja as names or blanks of the same length; None for what is no SQL."""
    masked = _JINJA.sub(lambda m: (_MASK if m[0].startswith("{{") else " ") * len(m[0]), sql)
    try:
        return None if re.search(r"\{[{%#]", masked) else _DUCKDB.tokenize(masked)
    except TokenError:
        return None


def _cte(tokens: Sequence[Token], name: str) -> range | None:
    """Positions of the tokens in the parentheses of the one CTE of that name."""
    outer = [i for i, depth in enumerate(_depths(tokens)) if not depth]
    found = []
    for i in outer:
        if tokens[i].text.lower() == name and tokens[i + 1 : i + 2] and tokens[i + 1].token_type == TokenType.ALIAS:
            opening = i + 2
            while opening < len(tokens) and tokens[opening].text.lower() in ("not", "materialized"):
                opening += 1
            closing = next((j for j in outer if j > opening), len(tokens))
            if tokens[opening : opening + 1] and tokens[opening].token_type == TokenType.L_PAREN:
                found.append(range(opening + 1, closing))
    return found[0] if len(found) == 1 and found[0].stop < len(tokens) else None


def _depths(tokens: Sequence[Token]) -> Iterator[int]:
    """How many brackets are open around each token; a bracket itself counts with what is in it, the last one outside."""
    depth = 0
    for token in tokens:
        depth -= token.token_type in _CLOSING
        yield depth
        depth += token.token_type in _OPENING


def _clauses(body: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]] | None:
    """The select list and the condition of a plain `select ... from ... [where ...]`."""
    outer = [i for i, depth in enumerate(_depths(body)) if not depth]
    is_distinct = {i + 1 for i in outer if body[i].token_type == TokenType.DISTINCT}
    if 1 in is_distinct or any(body[i].token_type in _RESTRUCTURED for i in outer):
        return None
    froms = [i for i in outer if body[i].token_type == TokenType.FROM and i not in is_distinct]
    wheres = [i for i in outer if body[i].token_type == TokenType.WHERE]
    if len(froms) != 1 or len(wheres) > 1 or (wheres and wheres[0] < froms[0]):
        return None
    return body[: froms[0]], body[wheres[0] + 1 :] if wheres else []


def _items(tokens: Sequence[Token]) -> tuple[_Item, ...] | None:
    """The columns of a select list; None if one of them has no name of its own."""
    commas = [i for i, depth in enumerate(_depths(tokens)) if not depth and tokens[i].token_type == TokenType.COMMA]
    found = []
    for start, stop in zip([0, *(c + 1 for c in commas)], [*commas, len(tokens)], strict=True):
        part = tokens[start:stop]
        if not part:
            continue
        aliased = len(part) > 2 and part[-2].token_type == TokenType.ALIAS
        column = len(part) == 1 or (len(part) == 3 and part[1].token_type == TokenType.DOT)
        name = _name(part[-1])
        expression = part[:-2] if aliased else part
        if name is None or not (aliased or column) or not _one(expression):
            return None
        found.append(_Item(name, part[0].start, expression[-1].end + 1, part[-1].end + 1))
    return tuple(found) or None


def _name(token: Token) -> str | None:
    """The name that a token is, in lower case as DuckDB compares it."""
    bare = token.end - token.start + 1 == len(token.text) and re.fullmatch(r"[^\W\d]\w*", token.text)
    quoted = token.token_type == TokenType.IDENTIFIER and _MASK not in token.text
    return token.text.lower() if bare or quoted else None
