"""What stands at the end of a file and is no data: totals, prose, empty lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generator.columns.cells import clean
from generator.columns.kinds import kind
from generator.dialect.detection import Dialect
from generator.dialect.records import Record
from generator.naming import ascii_words

_TOTALS = frozenset(
    "total totals sum summe gesamt gesamtsumme somme totale totaal suma summa celkem osszesen itogo he_ji "
    "he_ji_jin_e zong_ji ren_min_bi_he_ji endsaldo closing_balance end_of_report grand_total".split()
)
# Old programs end a text file with it.
_END_OF_FILE = "\x1a"
_NO_WORD = ("date", "number", "code")
_DELIMITERS = ",;\t|:"
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")


def footer_start(tail: Sequence[tuple[Record, bool]], dialect: Dialect, used: set[int]) -> int:
    """Index in the tail from which on every record is footer; `used` are the columns that the records before it fill."""
    start = len(tail)
    while start:
        record, after_blank = tail[start - 1]
        before = used.union(*(filled(r.fields) for r, _ in tail[: start - 1]))
        # What fills only columns that no record before it fills is no further record of that table. Where records fill
        # but one or two columns, that can be chance.
        apart = len(before) > 2 and not filled(record.fields) & before
        # A lone text above a footer belongs to it; as the last line of the file it may be a record that was cut off.
        alone = start < len(tail) and len(record.fields) == 1 < len(dialect.headers) and not _damaged(record, dialect)
        if not (apart or alone or _is_footer(record, after_blank, dialect)):
            break
        start -= 1
    return start


def filled(fields: Sequence[str]) -> set[int]:
    """The columns that hold something."""
    return {i for i, f in enumerate(fields) if clean(f)}


def _is_footer(record: Record, after_blank: bool, dialect: Dialect) -> bool:
    """Whether a record at the end of the file is no data: empty, a total, or prose after the table.

    A data record that was cut off is none of these: it is a reject.
    """
    texts = [clean(f) for f in record.fields if clean(f)]
    if not texts or texts == [_END_OF_FILE] or header_again(record, dialect):
        return True
    words = ascii_words(texts[0])
    named = "_".join(words) in _TOTALS
    total = named or words[:1] == ["total"]
    if len(record.fields) in dialect.widths:
        return (named and record.filled < 1) or (total and record.filled < 0.6)
    return total or (not _damaged(record, dialect) and (after_blank or _is_prose(record, dialect)))


def _is_prose(record: Record, dialect: Dialect) -> bool:
    return len(record.fields) == 1 < len(dialect.headers) and bool(re.search(r"[^\W\d_]{2,}\W", record.fields[0]))


def _damaged(record: Record, dialect: Dialect) -> bool:
    """Whether a record that does not fit is a row all the same: cut off, with a quote astray, in another delimiter."""
    columns, text = len(dialect.headers), record.text
    if len(record.fields) > 1:
        return kind(record.fields[0]) in _NO_WORD
    # A line that is kept as one cell though delimiters are in it was not split.
    unsplit = record.fields[0] == text and dialect.delimiter in text
    # The colons of a time part nothing.
    return unsplit or any(_like_cells(parts, columns) for parts in map(_TIME.sub("", text).split, _DELIMITERS))


def _like_cells(parts: Sequence[str], columns: int) -> bool:
    """Whether the pieces of a line are cells, not clauses: prose has a blank behind a comma and begins with a word."""
    if kind(parts[0]) in _NO_WORD:
        return len(parts) >= max(2, columns - 1)
    return len(parts) >= columns > 1 and not any(part.startswith(" ") for part in parts[1:])


def header_again(record: Record, dialect: Dialect) -> bool:
    """Whether a record repeats the header: two exports were joined, or a spreadsheet repeats it on each page."""
    return dialect.has_header and tuple(clean(f) for f in record.fields) == dialect.headers
