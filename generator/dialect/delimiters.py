"""Which delimiter, quote and escape make a table of a text. Pure.

Each way of writing is tried on the same lines and rated: how many records have one width, one after another, and
whether their cells are one thing each.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from generator.columns.cells import clean
from generator.columns.kinds import Body, column_kinds, kind, label_like
from generator.dialect.records import Record, Syntax, records

COMMON = (",", ";", "\t", "|")
# What else is found in files, and how much less likely it is than a common delimiter that makes the same table.
_RARE = {"||": 0.9, "::": 0.9, "\x1f": 0.95, "\x01": 0.95, "^": 0.8, "~": 0.8, "§": 0.8, "¦": 0.8, "&": 0.6}
# Signs that are hardly ever in a cell.
_STRANGE = ("\x1f", "\x01", "^", "~", "§", "¦")
_WITHIN_TEXTS = {"#": 0.6, ":": 0.6, " ": 0.5}
DELIMITERS = (*COMMON, *_RARE, *_WITHIN_TEXTS)
_RATED_ROWS = 200
# So many characters decide, unless what they hold is no table yet.
_RATED_CHARACTERS = 1 << 16


_QUOTED_PARTS = re.compile(r"([\"'])\W{1,2}\1")


@dataclass(frozen=True)
class Table:
    """Records read in one syntax: `rows` are those that are not blank, of which `first` to `last` hold the table.

    `width` is the number of fields that most records of the table have; 1 for texts with a delimiter now and then.
    """

    syntax: Syntax
    records: tuple[Record, ...]
    rows: tuple[Record, ...]
    width: int
    first: int
    last: int
    rating: float

    @property
    def body(self) -> list[tuple[str, ...]]:
        """The fields of the records that have the width, from the first to the last of the table."""
        return [r.fields for r in self.rows[self.first : self.last + 1] if len(r.fields) == self.width]


def best_table(lines: Sequence[str], complete: bool, only: str = "") -> Table:
    """The table that some lines are under the syntax that suits them best; `only` is a delimiter that is known.

    `complete` says that nothing comes after the lines: otherwise the last record is left out, for it may be cut off.
    """
    sizes = list(accumulate(map(len, lines)))
    first = lines[: bisect_left(sizes, _RATED_CHARACTERS)]
    last = lines[bisect_left(sizes, sizes[-1] - _RATED_CHARACTERS) :]
    if not 1 < len(first) < len(lines):
        return _best(lines, complete, only)
    table = _best(first, False, only)
    whole = table.width > 1 and table.last >= 0.9 * (len(table.rows) - 1) and len(table.body) > 20
    if whole or (table.width == 1 and _best(last, complete, only).width == 1):
        syntax = table.syntax if whole else _one_column("".join(lines), table.syntax)
        return _table(lines, syntax, complete)
    return _best(lines, complete, only)


def _best(lines: Sequence[str], complete: bool, only: str) -> Table:
    text = "".join(lines)
    filled = sum(not line.isspace() for line in lines)
    tables = []
    for delimiter in (only,) if only else (*DELIMITERS, *_spaced(lines)):
        if only or delimiter in COMMON or 2 * text.count(delimiter) >= filled:
            tables += [_table(lines, syntax, complete) for syntax in _syntaxes(text, delimiter)]
    table = max(tables, key=lambda t: (t.rating, t.syntax.delimiter[1:] == " "))
    if table.width == 1 and not only:
        return _table(lines, _one_column(text, table.syntax), complete)
    double = replace(table.syntax, delimiter=2 * table.syntax.delimiter)
    doubled = (t for t in tables if t.syntax == double and t.width > 1)
    return next(doubled, table) if not any(c for fields in table.body for c in fields[1::2]) else table


def _one_column(text: str, syntax: Syntax) -> Syntax:
    """The syntax of texts in one column: with a delimiter that is in none of them, outside quotes at least."""
    bare = re.sub(r'(?:^|(?<=[\r\n]))"(?:[^"]|"")*"', "", text)
    free = next((d for d in (*COMMON, "\x1f", "\x01") if d not in bare), syntax.delimiter)
    return Syntax(free, syntax.quote, syntax.escape)


def _spaced(lines: Sequence[str]) -> list[str]:
    """Delimiters that have a blank after them wherever they stand outside quotes, in most lines: `, `."""
    found = []
    for quoted in (r'"[^"]*"|\'[^\']*\'', r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''):
        bare = [re.sub(quoted, "", line) for line in lines]
        for delimiter in (*COMMON, ":"):
            close = re.compile(rf"{re.escape(delimiter)}(?! |[\r\n]|\Z)")
            with_it = sum(delimiter + " " in line for line in bare)
            if with_it and sum(bool(close.search(line)) for line in bare) <= 0.2 * with_it:
                found.append(delimiter + " ")
    return sorted(set(found))


def reread(table: Table, lines: Sequence[str], complete: bool, widths: frozenset[int]) -> Table:
    """The same table, records with wrong quotes read as the widths decide."""
    return _table(lines, table.syntax, complete, widths)


def _syntaxes(text: str, delimiter: str) -> list[Syntax]:
    """The ways in which cells between such delimiters may be quoted: the usual one, and those for which there are signs."""
    d, found = re.escape(delimiter), [Syntax(delimiter)]
    if re.search(rf"(?:^|{d}|[\r\n])'(?=[^\r\n]*'(?:{d}|[\r\n]|\Z))", text):
        found.append(Syntax(delimiter, "'", "'"))
    for syntax in tuple(found):
        q = syntax.quote
        # `\"` before anything but the end of the cell, or as `\""` at its end, is no doubled quote.
        if re.search(rf"(?<!\\)(?:\\\\)*\\{q}(?:(?!{q}|{d}|[\r\n]|\Z)|{q}(?={d}|[\r\n]|\Z))", text):
            found.append(Syntax(delimiter, q, "\\"))
    return found


def _table(lines: Sequence[str], syntax: Syntax, complete: bool, widths: frozenset[int] = frozenset()) -> Table:
    found = tuple(records(lines, syntax, widths))
    found = found if complete or len(found) < 3 else found[:-1]
    rows = tuple(r for r in found if not r.blank)
    width, first, last = _densest(rows)
    table = Table(syntax, found, rows, width, first, last, 0.0)
    return Table(syntax, found, rows, width, first, last, _rating(table))


def _densest(rows: Sequence[Record]) -> tuple[int, int, int]:
    """The width of the table among the records, and its first and last record.

    For each width there is a stretch in which it prevails; wide and long ones count more, and so does one at the end.
    """
    counts = [len(r.fields) for r in rows]
    best: tuple[float, int, int, int] = (0.0, 1, 0, max(0, len(rows) - 1))
    for width in set(counts) - {0, 1}:
        hits, first, last = _stretch(counts, width)
        at_end = last >= 0.9 * (len(rows) - 1)
        weight = hits * (width - 1) ** 0.7 * (1.5 if at_end else 1.0 if width > 2 else 0.7)
        texts_before, texts_after = counts[:first].count(1), counts[last + 1 :].count(1)
        lone = (
            hits <= 1 and len(rows) > 2 and not (width > 2 and first == len(rows) - 1 and label_like(rows[-1].fields))
        )
        between = [r.text for r in rows[first : last + 1] if len(r.fields) == 1]
        prose = width == 2 and 5 * sum(" " in t.strip() for t in between) > last - first
        texts = texts_after > hits or prose or (width == 2 and texts_before > 5 * hits)
        if not lone and not texts and (weight, width) > best[:2]:
            best = (weight, width, first, last)
    _, width, first, last = best
    return width, first, last


def _stretch(counts: Sequence[int], width: int) -> tuple[float, int, int]:
    """Where most records have a width: how many more they are than the others, and the first and last of them."""
    best, begin, total, at = (0.0, 0, 0), 0, 0.0, 0
    for at, count in enumerate(counts):
        total += 1.0 if count == width else -0.9 if count < 2 else -0.4
        if total <= 0:
            total, begin = 0.0, at + 1
        elif total > best[0]:
            best = (total, begin, at)
    return best


def _rating(table: Table) -> float:
    """How table-like a file is in a syntax, 0 to 1.3: more if the first record of the table is surely a header."""
    rows, width, delimiter = table.rows, table.width, table.syntax.delimiter
    if not rows:
        return 0.0
    if width < 2:
        return 0.02 + 0.01 * sum(len(r.fields) == 1 for r in rows) / len(rows)
    body = table.body
    inside, before = table.last - table.first + 1, sum(len(r.fields) == 1 for r in rows[: table.first])
    proved = len(body) > 2 and label_like(body[0]) and Body(body[1:_RATED_ROWS]).is_no_row(body[0])
    outside = len(rows) - inside - (0.97 * before if proved else 0)
    steady = len(body) / (inside + 0.3 * outside)
    cells = [clean(c) for fields in body[:_RATED_ROWS] for c in fields]
    others = re.compile("[" + re.escape("".join(d for d in (*COMMON, *_STRANGE) if d not in delimiter)) + "]")
    typed = [kind(c) not in ("", "text", "code") for c in cells]
    whole = sum(t or _is_whole(c, others) for c, t in zip(cells, typed, strict=True)) / len(cells)
    sound, quote = table.syntax.patterns.sound, table.syntax.quote
    wrong = sum(bool(r.mended) or (quote in r.text and not sound.match(r.text)) for r in rows) / len(rows)
    rating = steady**2 * whole**2 * (1 - 1 / (width + 1)) * (1 - 0.7 * wrong) * (0.7 + 0.3 * sum(typed) / len(cells))
    rating *= 1.3 if proved else 1.0 if label_like(body[0]) else 0.6
    return rating * _likelihood(table, len(body) / inside, body)


def _is_whole(cell: str, others: re.Pattern[str]) -> bool:
    """Whether a cell looks like one value: no other delimiter in it, no quotes around it or its parts."""
    around = len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "\"'"
    return not around and not others.search(cell) and not _QUOTED_PARTS.search(cell)


def _likelihood(table: Table, steady: float, body: Sequence[Sequence[str]]) -> float:
    """How likely a delimiter and quote are before anything else is known; 0 for rare ones without signs of a table."""
    syntax, width, delimiter = table.syntax, table.width, table.syntax.delimiter.rstrip(" ") or " "
    quote, cut = syntax.quote, re.escape(syntax.delimiter)
    # A cell that has to be quoted, for there is a delimiter or a quote in it.
    needed = re.compile(
        rf"(?:^|{cut}){quote}[^{quote}]*(?:{cut}|{quote}{quote}|\\{quote})[^{quote}]*{quote}(?:{cut}|$)"
    )
    quoted = 1.0 if quote == '"' or any(needed.search(r.text) for r in table.rows) else 0.98
    if delimiter in COMMON:
        return quoted
    if steady < 0.8:
        return 0.0
    quotes = [
        r for r in table.rows if len(r.fields) == width and quote in r.text and syntax.patterns.sound.match(r.text)
    ]
    delimited = len(quotes) > 0.1 * len(table.rows)
    if delimiter in _RARE:
        signs = width > 2 or len(body) > 2 or delimited or (delimiter != "&" and len(table.rows) == len(body) > 1)
        return _RARE[delimiter] * quoted if signs else 0.0
    kinds = column_kinds(body[1:] or body)
    typed = (
        any(kinds)
        if width > 2
        else all(kinds) and label_like(body[0]) and kind(table.rows[-1].text) in ("text", "code", "address")
    )
    signs = (delimited and steady > 0.9) or typed or (width > 2 and len(body) > 3 and delimiter != " ")
    return _WITHIN_TEXTS[delimiter] * quoted if signs else 0.0
