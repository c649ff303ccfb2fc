"""Read a file record by record into a canonical form that a loader cannot misread; count and sort out what does not fit.

This is the independent reader: it counts records with Python's csv module, DuckDB then loads what it wrote, and the two
numbers must agree.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generator.cells import clean
from generator.dialect import Dialect, Record, records
from generator.naming import ascii_words

# How many characters decide the dialect; a preamble longer than this is not expected.
SAMPLE_CHARACTERS = 1 << 18
# Rows kept in memory for the profile: all of the first, then one in a hundred, up to twice as many.
SAMPLE_ROWS = 5_000
_TAIL = 30
_TOTALS = frozenset(
    "total totals sum summe gesamt gesamtsumme somme totale totaal suma summa celkem osszesen itogo he_ji "
    "he_ji_jin_e zong_ji ren_min_bi_he_ji endsaldo closing_balance end_of_report grand_total".split()
)


@dataclass
class Reading:
    """What was read. Row counts are records; `preamble` and `footer` the lines around the data, as text.

    `sample` are rows as the file has them, in file order. `longest` is the largest record in characters.
    """

    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    footer_rows: int = 0
    preamble: str = ""
    footer: str = ""
    sample: list[tuple[str, ...]] = field(default_factory=list)
    longest: int = 0


def read_sample(path: Path, encoding: str) -> tuple[str, bool]:
    """The first characters of a file, and whether they are all of it."""
    with path.open(encoding=encoding, newline="") as file:
        text = file.read(SAMPLE_CHARACTERS)
        return text, not file.read(1)


def read_file(path: Path, encoding: str, dialect: Dialect, rows: Path, rejects: Path) -> Reading:
    """Write a file's data records to `rows` and its rejects to `rejects`, both as UTF-8 CSV with every field quoted.

    `rows` has the physical line as its first field, then exactly one field for each header. `rejects` has line, text,
    reason. Raises GoldsmithError for a file that cannot be split into records, UnicodeDecodeError for a wrong byte.
    """
    reading = Reading()
    with (
        path.open(encoding=encoding, newline="") as file,
        rows.open("w", encoding="utf-8", newline="") as rows_file,
        rejects.open("w", encoding="utf-8", newline="") as rejects_file,
    ):
        sink = _Sink(dialect, reading, rows_file, rejects_file)
        tail: deque[tuple[Record, bool]] = deque()
        after_blank = False
        for record in records(file, dialect.delimiter):
            if record.line < dialect.data_line:
                continue
            if record.blank and (len(dialect.headers) > 1 or not record.fields):
                after_blank = True
                continue
            # A blank line parts the table from what does not fit it, as long as nothing fits again.
            after_blank = after_blank and len(record.fields) not in dialect.widths
            tail.append((record, after_blank))
            if len(tail) > _TAIL:
                sink.write(tail.popleft()[0])
        footer_at = _footer_start(list(tail), dialect, sink.used)
        for i, (record, _) in enumerate(tail):
            if i < footer_at:
                sink.write(record)
        footer = [record for record, _ in list(tail)[footer_at:]]
        reading.footer_rows = len(footer)
        reading.footer = "\n".join(dialect.delimiter.join(r.fields) for r in footer)
    reading.preamble = _first_lines(path, encoding, dialect.preamble_rows)
    return reading


class _Sink:
    """Writes each record to where it belongs, and counts."""

    def __init__(self, dialect: Dialect, reading: Reading, rows: io.TextIOBase, rejects: io.TextIOBase) -> None:
        self.dialect, self.reading = dialect, reading
        self.used: set[int] = set()
        self.rows = csv.writer(rows, quoting=csv.QUOTE_ALL, lineterminator="\n")
        self.rejects = csv.writer(rejects, quoting=csv.QUOTE_ALL, lineterminator="\n")

    def write(self, record: Record) -> None:
        """One data record: to the rows, padded or without its trailing delimiter, or to the rejects."""
        reading, wanted = self.reading, len(self.dialect.headers)
        fields, width = record.fields, len(record.fields)
        reading.rows_read += 1
        again = _header_again(record, self.dialect)
        if again or width not in self.dialect.widths or any(clean(f) for f in fields[wanted:]):
            reading.rows_rejected += 1
            reason = (
                "the header again"
                if again
                else f"{width} field{'s' if width != 1 else ''} where the layout has {wanted}"
            )
            self.rejects.writerow([record.line, self.dialect.delimiter.join(fields), reason])
            return
        fields = fields[:wanted] + ("",) * (wanted - width)
        if len(self.used) < wanted:
            self.used |= _filled(record)
        reading.rows_loaded += 1
        reading.longest = max(reading.longest, sum(map(len, fields)))
        self.rows.writerow([record.line, *fields])
        if reading.rows_loaded <= SAMPLE_ROWS or (
            reading.rows_loaded % 100 == 0 and len(reading.sample) < 2 * SAMPLE_ROWS
        ):
            reading.sample.append(fields)


def _footer_start(tail: Sequence[tuple[Record, bool]], dialect: Dialect, used: set[int]) -> int:
    """Index in the tail from which on every record is footer; `used` are the columns that the records before it fill."""
    start = len(tail)
    while start:
        record, after_blank = tail[start - 1]
        before = used.union(*(_filled(r) for r, _ in tail[: start - 1]))
        # What fills only columns that no record before it fills is no further record of that table. Where records fill
        # but one or two columns, that can be chance.
        apart = len(before) > 2 and not _filled(record) & before
        # A lone text above a footer belongs to it; as the last line of the file it may be a record that was cut off.
        alone = start < len(tail) and len(record.fields) == 1 < len(dialect.headers)
        if not (apart or alone or _is_footer(record, after_blank, dialect)):
            break
        start -= 1
    return start


def _filled(record: Record) -> set[int]:
    return {i for i, f in enumerate(record.fields) if clean(f)}


def _is_footer(record: Record, after_blank: bool, dialect: Dialect) -> bool:
    """Whether a record at the end of the file is no data: empty, a total, or prose after the table.

    A data record that was cut off is none of these: it is a reject.
    """
    texts = [clean(f) for f in record.fields if clean(f)]
    if not texts or _header_again(record, dialect):
        return True
    total = "_".join(ascii_words(texts[0])) in _TOTALS or ascii_words(texts[0])[:1] == ["total"]
    if len(record.fields) in dialect.widths:
        return total and record.filled < 0.6
    prose = len(record.fields) == 1 and len(dialect.headers) > 1 and bool(re.search(r"[^\W\d_]{2,}\W", texts[0]))
    return total or after_blank or prose


def _header_again(record: Record, dialect: Dialect) -> bool:
    """Whether a record repeats the header: two exports were joined, or a spreadsheet repeats it on each page."""
    return dialect.has_header and tuple(clean(f) for f in record.fields) == dialect.headers


def _first_lines(path: Path, encoding: str, count: int) -> str:
    with path.open(encoding=encoding, newline="") as file:
        return "\n".join(line.rstrip("\r\n") for _, line in zip(range(count), file, strict=False))
