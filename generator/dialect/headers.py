"""Which line of a table is its header, told from what the rows below it hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.columns.cells import clean, has_value
from generator.columns.kinds import Body, label_like
from generator.dialect.quoting import Syntax, read_alone
from generator.dialect.records import Record
from generator.naming import column_name

# A header is sought among so many records; data records that do not fit may stand between it and the first that does.
_REACH = 20


@dataclass(frozen=True)
class Start:
    """Where a table starts: the index of its header among the records and its cells, or None and the first row's index."""

    header: int | None
    cells: Sequence[str] = ()
    begin: int = 0


def find_start(rows: Sequence[Record], first: int, body: Body, syntax: Syntax) -> Start:
    """The header of a table, or the first row if the data begin without one.

    `rows` are records that are not blank, `first` the index of the first that has the table's width.
    """
    begin = next((i for i in range(first, len(rows)) if _begins(rows, i, body)), None) if body.typed else None
    if begin is None:
        return _first_labels(rows, first, body, syntax)
    above = range(begin - 1, max(-1, begin - 1 - _REACH), -1)
    found = [(i, cells) for i in above if (cells := _header_cells(rows[i], body, syntax, i in (0, begin - 1)))]
    # Rows with wrong or empty cells can stand between; a header has words where the rows hold something else.
    found.sort(key=lambda x: (body.fit(x[1])[0] > 0, not body.fit(x[1])[1], tuple(x[1]) != rows[x[0]].fields))
    if found:
        return Start(*found[0])
    return Start(None, (), next(i for i in range(first, begin + 1) if i == begin or _could_be_row(rows[i], body)))


def _could_be_row(record: Record, body: Body) -> bool:
    """Whether nothing says that a record above the data is none of them."""
    fields = record.fields
    full = len(fields) == len(body.kinds) and 2 * sum(map(has_value, fields)) > body.filled
    return full and not body.is_no_row(fields)


def _begins(rows: Sequence[Record], i: int, body: Body) -> bool:
    """Whether the data begin with a record: it is a row, and no nearly empty line above a header."""
    fields = rows[i].fields
    if len(fields) != len(body.kinds) or not body.is_row(fields):
        return False
    if 2 * sum(map(has_value, fields)) > body.filled:
        return True
    later = rows[i + 1 : i + 1 + _REACH]
    return not any(label_like(r.fields, 0.8) and body.is_no_row(r.fields) for r in later)


def _header_cells(record: Record, body: Body, syntax: Syntax, nearest: bool) -> Sequence[str]:
    """The cells of a line above the data if it can be the header, else none; of the `nearest` half may be empty."""
    width = len(body.kinds)
    fields = record.fields
    if len(fields) == width:
        filled, labels = sum(map(has_value, fields)), label_like(fields)
        named = (
            (labels or (nearest and label_like(fields, 0.3))) and not body.fit(fields)[0] and not body.recurs(fields)
        )
        return fields if named or (body.is_no_row(fields) and (labels or filled >= min(2, width))) else ()
    if len(fields) > 1 and _near(fields, width, body):
        return fields
    return split_otherwise(record, width, body, syntax)


def _near(fields: Sequence[str], width: int, body: Body) -> bool:
    """Whether a line of another width than the rows can be their header."""
    if sum(clean(f).endswith((",", ";")) for f in fields) > 1:
        return False
    short = len(fields) >= width or all(len(f.split()) < 5 and not re.search(r"\d{4}", f) for f in fields)
    return short and len(fields) >= max(2, width / 2, width - 3) and label_like(fields) and not body.is_row(fields)


def split_otherwise(record: Record, width: int, body: Body, syntax: Syntax) -> Sequence[str]:
    """The cells of a line that is the header in another delimiter than the rows' one, or with a wrong quote; or none."""
    own = read_alone(syntax, record.text, ())[0]
    if len(own) > 1 and _near(own, width, body):
        return own
    found = (c for c in splits(record, width, syntax) if label_like(c) and not body.is_row(c))
    return next((c for c in found if not any(clean(f).endswith((":", ".", ",")) for f in c)), ())


def splits(record: Record, width: int, syntax: Syntax) -> Iterator[Sequence[str]]:
    """The cells of a line under each delimiter that gives as many as the table is wide."""
    for delimiter in (syntax.delimiter, ",", ";", "\t", "|", ":", " ") if width > 1 else ():
        cells = read_alone(Syntax(delimiter, syntax.quote, syntax.escape), record.text, ())[0]
        if len(cells) == width:
            yield cells


def _first_labels(rows: Sequence[Record], first: int, body: Body, syntax: Syntax) -> Start:
    """The start of a table that holds nothing but texts: its first line that is filled is the header, if it can be."""
    width = len(body.kinds)
    full = [i for i in range(first, min(len(rows), first + 200)) if len(rows[i].fields) == width]
    counts = {i: sum(map(has_value, rows[i].fields)) for i in full}
    at = next((i for i in full if 2 * counts[i] >= min(body.filled, width) or width < 3), first)
    for i in range(at - 1, max(-1, at - 4), -1):
        if cells := _labels_above(rows, i, at, body, syntax):
            return Start(i, cells)
    fields = rows[at].fields
    below = full[full.index(at) + 1] if full[-1] > at else at
    # Above the names there can be a line that groups them.
    if _names(rows[below].fields, body) and not _names(fields, body) and counts[at] < counts[below] == width:
        return Start(below, rows[below].fields)
    alike = len({clean(f) for f in fields}) == 1 < len(fields) and len(rows) > at + 1 and has_value(fields[0])
    return Start(at, fields) if _names(fields, body) or alike else Start(None, (), at)


def _names(fields: Sequence[str], body: Body) -> bool:
    """Whether a line can be the header of texts: there is nothing like it below."""
    return (label_like(fields, 0.49) or body.is_strange(fields)) and not body.recurs(fields)


def _labels_above(rows: Sequence[Record], i: int, at: int, body: Body, syntax: Syntax) -> Sequence[str]:
    """The cells of a line above the first row of texts if it is the header, though not as wide; else none.

    A line of a preamble may stand there, too, if the first row is a header itself.
    """
    fields, width = rows[i].fields, len(body.kinds)
    if body.recurs(fields) or len(fields) == width:
        return ()
    if len(fields) > 1 and _near(fields, width, body):
        sure = body.recurs(rows[at].fields) or (i == 0 and at == 1 and len(fields) >= width - 1)
        return fields if sure else ()
    cells = split_otherwise(rows[i], width, body, syntax)
    return () if body.recurs(cells) else cells


def header_names(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> tuple[tuple[str, ...], str]:
    """The header texts, blanks trimmed, for all columns that hold something, and what is doubtful about them, or ''.

    Rows that are longer than the header get `column_N` for what it does not name, unless that is always empty (a
    delimiter at the end of each line). `rows` have the width.
    """
    texts = [clean(h) for h in header]
    filled = [t for t in texts if t]
    if len(texts) > width == len(filled) and any(not t for t in texts[:width]):
        return tuple(filled), f"the header has {len(texts)} cells and the rows {width}: its empty cells were left out"
    if len(texts) > width and any(texts[width:]):
        return tuple(texts), f"the header has {len(texts)} names and the rows {width} cells: the last columns are empty"
    used = next((p for p in range(width, len(texts), -1) if any(clean(r[p - 1]) for r in rows)), len(texts))
    doubt = ""
    if used > len(texts):
        doubt = (
            f"the header has {len(texts)} names and the rows {used} cells: the names were given to the first columns, "
            "which can be wrong"
        )
    return tuple(texts) + tuple(column_name(p) for p in range(len(texts), used)), doubt
