"""The raw text of untrusted SQL, before any parser sees it.

Two parsers (sqlglot here, DuckDB later) never agree on everything. So the text may only use an alphabet on which they
cannot differ: ASCII words, plain numbers, '…' literals without escapes, and a closed list of signs. Comments, quoted
identifiers, dollar quotes, parameters, brackets and braces do not exist in it, and parentheses balance: a text that
stands in parentheses cannot leave them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot.dialects.duckdb import DuckDB

from generator.checks.check import quoted

MAX_DEPTH = 25
JINJA = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
# Words that something must follow: without it the text would reach for what stands behind it in our skeleton.
DANGLING = frozenset(
    "and as between by case distinct else from ilike in is like not or select then union unpivot when where".split()
)
# Words that are types to sqlglot. Before a parenthesis it tries each as a function, too: nested, that doubles its time at
# each level. Only the sizes of types stand there.
TYPES = frozenset(
    words.lower().split()[-1] for words, kind in DuckDB.Tokenizer.KEYWORDS.items() if kind in DuckDB.Parser.TYPE_TOKENS
)
_SIGNS = "( ) , . = < > + - * / % <= >= <> != || :: *- /- =-"
SIGNS = frozenset(_SIGNS.split())
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
    | (?P<literal>'(?:[^']|'')*')
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?![\w.]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign>[-+*/<>=!%|:]+|[(),.])""",
    re.VERBOSE,
)
_INSTEAD = {
    ";": "one expression, no statement separator",
    '"': "column names go unquoted",
    "`": "column names go unquoted",
    "$": "no dollar quotes and no parameters",
    "?": "no parameters",
    "[": "no lists and slices; take parts of a text with substr, left, right",
    "{": "no structs and no templates",
    "--": "no comments",
    "/*": "no comments",
    "->": "no lambdas and no JSON paths",
    "=>": "no named arguments",
    ":=": "no named arguments",
    "'": "this quote is never closed; write '' for a quote inside a text",
}


@dataclass(frozen=True)
class Token:
    """`kind` is literal, number, word or sign; `text` as written."""

    kind: str
    text: str


def problems(sql: str, limit: int) -> list[str]:
    """What is wrong with the raw text, each in a sentence; at most one of a kind."""
    found = []
    if len(sql) > limit:
        return [f"it has {len(sql):,} characters; at most {limit:,} are allowed"]
    if not sql.strip():
        return ["it is empty; give an expression, or null where there is none"]
    if match := JINJA.search(sql):
        found.append(f"{quoted(match[0])} is a template mark; only plain SQL is allowed, no Jinja anywhere in it")
    hidden = next((c for c in sql if unicodedata.category(c)[0] == "C" and c not in "\t\r\n"), None)
    hidden = hidden or next((c for c in sql if c in "\u2028\u2029"), None)
    if hidden:
        found.append(f"U+{ord(hidden):04X} is an invisible or control character; only printable text is allowed")
    return found or list(_token_problems(sql))


def tokens(sql: str) -> list[Token]:
    """The tokens of a text without problems, blanks left out."""
    return [Token(str(m.lastgroup), m[0]) for m in _TOKEN.finditer(sql) if m.lastgroup != "blank"]


def _token_problems(sql: str) -> Iterator[str]:
    position, depth, deepest = 0, 0, 0
    before = Token("", "(")
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None or (match.lastgroup == "sign" and match[0] not in SIGNS):
            yield _not_allowed(sql, position)
            return
        token = Token(str(match.lastgroup), match[0])
        if problem := _misplaced(token, before):
            yield problem
            return
        depth += {"(": 1, "case": 1, ")": -1, "end": -1}.get(token.text.lower(), 0)
        deepest = max(deepest, depth)
        if depth < 0:
            yield f"there is one {quoted(token.text)} too many at {quoted(sql[max(0, position - 30) : position + 1])}"
            return
        sized = token.text == "(" and before.kind == "word" and before.text.strip().lower() in TYPES
        if token.kind == "blank":
            before = Token(before.kind, before.text + " ")
        else:
            before = Token("sized", before.text.strip() + "(") if sized else token
        position = match.end()
    if before.text.strip().lower() in DANGLING or (before.kind == "sign" and before.text.strip() != ")"):
        yield f"it ends with {quoted(before.text.strip())}, and there is nothing after it"
    if depth:
        yield "a parenthesis or a `case` is not closed"
    if deepest > MAX_DEPTH:
        yield f"it nests {deepest} deep; at most {MAX_DEPTH} parentheses and cases deep is allowed"


def _misplaced(token: Token, before: Token) -> str | None:
    """What is wrong with a token after another one; `before` ends in a blank where one stands between them."""
    if token.kind == "literal":
        if "\n" in token.text or "\r" in token.text:
            return f"the text {quoted(token.text)} goes over a line end; a text stands on one line"
        if before.kind == "literal" or (before.kind == "word" and not before.text.endswith(" ")):
            return f"{quoted(before.text + token.text)}: no prefixed and no adjacent texts; join texts with ||"
    if before.kind == "sized" and token.kind not in ("number", "blank"):
        return f"{quoted(before.text.strip())}: a type is no function; write cast(... as text) or parse_*"
    opening = before.text.strip()
    if (opening, token.text) in {("(", ","), (",", ","), (",", ")")}:
        return f"there is nothing between `{opening}` and `{token.text}`"
    return None


def _not_allowed(sql: str, position: int) -> str:
    pair, one = sql[position : position + 2], sql[position]
    why = _INSTEAD.get(pair) or _INSTEAD.get(one) or "only words, numbers, 'texts' and plain operators are allowed"
    code = "" if one.isascii() else f" (U+{ord(one):04X})"
    return f"not allowed at {quoted(sql[position : position + 20])}{code}: {why}"
