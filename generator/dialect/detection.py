"""How a CSV file is written: delimiter, preamble, header row, width. Decided on a sample, pure.

What cannot be known for sure is decided for the likeliest, and said in a remark.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from generator.columns.cells import clean
from generator.columns.kinds import Body, label_like
from generator.dialect.delimiters import Table, best_table, reread
from generator.dialect.headers import Start, find_start, header_names, splits
from generator.dialect.records import Record, Syntax, split_lines
from generator.errors import GoldsmithError
from generator.naming import column_name

_SEPARATOR_LINE = re.compile(r'"?sep=(.|\\t)"?[\r\n]*', re.IGNORECASE)
_LONE_BACKSLASH = re.compile(r"(?<!\\)(?:\\\\)*+\\(?!\\)")
_COMMENTS = ("#", "//", "%")


@dataclass(frozen=True)
class Dialect:
    """How the file is to be read.

    `headers` are the original texts (`column_1`, ... where `has_header` is false), `header_line` is the physical line
    of the header (0 if there is none). `data_line` is the first physical line after the header, `preamble_rows` the
    number of lines before it. `widths` are the numbers of fields that data records have as a habit: shorter ones leave
    out the last columns, longer ones end in a delimiter. Any other number is a record that cannot be split into the
    columns. `comment` is what comment lines begin with, '' if there are none. `remarks` say what is doubtful.
    """

    syntax: Syntax
    headers: tuple[str, ...]
    has_header: bool
    header_line: int
    preamble_rows: int
    data_line: int
    widths: frozenset[int]
    comment: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def delimiter(self) -> str:
        """The sign between cells, without the blank that may follow it everywhere."""
        return self.syntax.delimiter.rstrip(" ") or " "


def detect_dialect(sample: str, complete: bool) -> Dialect:
    """The dialect of a file, from its first characters; `complete` says that they are all of it.

    Raises GoldsmithError for a file of blank lines.
    """
    lines = list(split_lines([sample]))
    declared, remarks = _declared(lines)
    lines[:1] = ["\n"] * bool(declared or remarks) or lines[:1]
    table = best_table(lines, complete, declared) if any(map(clean, lines)) else None
    if not table or not table.rows:
        raise GoldsmithError("nothing but blank lines; nothing to load")
    again = reread(table, lines, complete, frozenset({table.width})) if any(r.mended for r in table.rows) else table
    table = again if again.width == table.width else table
    if table.width == 1 and not complete:
        remarks.append(f"nothing in the first {len(sample)} characters is a table; every line was taken for one cell")
    if "\\\\" in sample and not table.syntax.backslash and not _LONE_BACKSLASH.search(sample):
        remarks.append("all backslashes come in pairs; they are kept so, but one of each two could be an escape")
    body = Body(_settled_rows(table.body), table.body[0] if table.body else ())
    start = find_start(table.rows, table.first, body, table.syntax)
    if start.header is None:
        return _without_header(table, start, remarks)
    return _with_header(table, start, body, remarks)


def another_header(record: Record, dialect: Dialect, rows: Sequence[Sequence[str]]) -> bool:
    """Whether a record that follows a blank line begins a second table of the same width: it names columns.

    It does if it is not the header again, and has words in columns that hold numbers, dates and the like in `rows`, a
    sample of the rows before it.
    """
    fields, headers = record.fields, dialect.headers
    if len(fields) != len(headers) or tuple(map(clean, fields)) == headers or not label_like(fields, 0.8):
        return False
    before = [r for r in rows if len(r) == len(headers)]
    return len(before) > 1 and Body(before).is_no_row(fields)


def _declared(lines: Sequence[str]) -> tuple[str, list[str]]:
    """The delimiter that a first line `sep=;` gives, as Excel writes it; a remark if it is in no other line."""
    match = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if not match:
        return "", []
    delimiter = match[1].replace("\\t", "\t")
    if any(delimiter in line for line in lines[1:]) or len(lines) == 1:
        return delimiter, []
    return "", [f"line 1 says that the delimiter is {delimiter!r}, but it is in no other line"]


def _settled_rows(rows: Sequence[tuple[str, ...]]) -> Sequence[Sequence[str]]:
    """Some rows that tell what the columns hold: from the later half, where there is no header and no preamble."""
    header = next((r for r in rows if label_like(r)), None)
    # A header that comes again on each page is no row.
    later = [r for r in rows[len(rows) // 2 :] if r != header] or rows
    return later[:: 1 + len(later) // 300]


def _without_header(table: Table, start: Start, remarks: list[str]) -> Dialect:
    """The dialect of data that begin without a header; their columns are numbered."""
    rows, first = table.rows, start.begin
    while first and _misfit(rows[first - 1], table):
        first -= 1
    data_line = rows[first].line
    if len(rows) == 1:
        remarks.append(f"line {data_line} is the only one; it was taken for data, not for a header")
    elif first:
        remarks.append(f"no header was found; lines before line {data_line} were taken for text before the data")
    else:
        remarks.append("no header was found; the columns are numbered")
    headers = tuple(map(column_name, range(table.width)))
    comment = _comment(rows[:first], rows[first:], frozenset({table.width}), remarks)
    widths = frozenset({table.width})
    return Dialect(table.syntax, headers, False, 0, data_line - 1, data_line, widths, comment, tuple(remarks))


def _misfit(record: Record, table: Table) -> bool:
    """Whether a line above the data looks like a row with delimiters too many or too few, or with other ones."""
    width, count = table.width, len(record.fields)
    if width > 2 and count > 1 and abs(count - width) == 1:
        return True
    return (count == 1 and record.text.count(table.syntax.delimiter) >= max(2, width - 2)) or (
        count != width and any(splits(record, width, table.syntax))
    )


def _with_header(table: Table, start: Start, body: Body, remarks: list[str]) -> Dialect:
    """The dialect of a table whose header is known."""
    at = start.header or 0
    header, below = table.rows[at], table.rows[at + 1 :]
    headers, doubt = header_names(start.cells, [r.fields for r in below if len(r.fields) == table.width], table.width)
    if tuple(start.cells) != header.fields:
        remarks.append(f"line {header.line}: the header is not written as the rows are; it was split by itself")
    if header.mended:
        remarks.append(f"line {header.line}: {header.mended} (the header)")
    elif any(len(h) > 1 and h[0] == h[-1] == table.syntax.quote for h in headers):
        remarks.append(f"line {header.line}: names in the header have quotes around them; they were kept")
    if doubt:
        remarks.append(f"line {header.line}: {doubt}")
    if not below:
        remarks.append(f"line {header.line} was taken for a header, with no row below it")
    elif not body.typed:
        remarks.append(f"line {header.line} was taken for the header; all columns hold texts, so it could be data")
    after = _other_tables(table.rows[table.last + 1 :], 2)
    rows = [r for r in (table.rows[at + 1 : table.last + 1] if after else below) if r.text != header.text]
    widths = _habits(rows) | {len(headers), table.width}
    remarks += _other_tables(table.rows[:at], 3) + after + _headers_below(below, header, body)
    data_line = next((r.line for r in table.records if r.line > header.line), header.line + 1 + header.text.count("\n"))
    comment = _comment(table.rows[:at], below, widths, remarks)
    return Dialect(
        table.syntax, headers, True, header.line, header.line - 1, data_line, widths, comment, tuple(remarks)
    )


def _headers_below(rows: Sequence[Record], header: Record, body: Body) -> list[str]:
    """A remark for the first lines of the table's width below its header that name columns, and others than it does."""
    wide = (r for r in rows if len(r.fields) == len(body.kinds) and r.fields != header.fields)
    found = (r.line for r in wide if body.is_no_row(r.fields) and label_like(r.fields, 0.8))
    return [f"line {line} looks like the header of another table" for line in islice(found, 3)]


def _other_tables(rows: Sequence[Record], least: int) -> list[str]:
    """A remark for each group of lines beside the table that looks like a table of its own, `least` columns wide."""
    found = []
    for width, group in groupby(rows, key=lambda r: len(r.fields)):
        filled = [r for r in group if r.filled > 0.5]
        # Two cells a line are rather what a bank writes above a table: account, period, balance.
        columns = max((sum(map(bool, map(clean, r.fields))) for r in filled), default=0)
        if min(width, columns) >= least and len(filled) > 1 and label_like(filled[0].fields):
            found.append(f"lines {filled[0].line} to {filled[-1].line} look like another table")
    return found


def _habits(body: Sequence[Record]) -> frozenset[int]:
    """The widths that at least a fifth of the records have; a line cut off by accident is no habit, nor are comments."""
    counts = Counter(len(r.fields) for r in body if not r.text.startswith(_COMMENTS))
    return frozenset(w for w, n in counts.items() if w > 1 and n >= max(2, 0.2 * len(body)))


def _comment(before: Sequence[Record], body: Sequence[Record], widths: frozenset[int], remarks: list[str]) -> str:
    """What comment lines begin with: a sign seen before the header, or in a line that does not fit; '' if there are none.

    A sign with which many rows begin that do fit is part of them: `#1001`. Where it is a few, a remark is added.
    """
    fitting = [r for r in body if len(r.fields) in widths]
    for sign in _COMMENTS:
        above = any(r.text.startswith(sign) for r in before)
        among = any(r.text.startswith(sign) for r in body if len(r.fields) not in widths)
        like_rows = [r.line for r in fitting if r.text.startswith(sign)]
        if (above or among) and len(like_rows) <= (0.5 if above else 0.1) * len(fitting):
            if like_rows:
                remarks.append(f"line {like_rows[0]} begins with {sign} as comments do, but has the cells of a row")
            return sign
        spaced = [r.line for r in fitting if r.text.startswith(f"{sign} ")]
        if spaced and len(spaced) < 0.5 * len(fitting):
            remarks.append(
                f"line {spaced[0]} begins with {sign} as comments do; it has the cells of a row and was loaded"
            )
    return ""
