"""How a CSV file is written: delimiter, preamble, header row, width. Decided on a sample, pure."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from generator.cells import clean, has_value
from generator.dates import date_shape
from generator.errors import GoldsmithError
from generator.naming import column_name
from generator.numbers import number_parts

DELIMITERS = (",", ";", "\t", "|")
QUOTE = '"'
# A quoted cell over more lines than this is a quote that was never closed: it would swallow the rest of the file.
MAX_LINES_A_RECORD = 200
_NOT_A_LABEL = re.compile(r"\S+@\S+\.\w+|https?://\S+|[0-9a-fA-F-]{16,}|\d{1,2}:\d{2}(:\d{2})?")

csv.field_size_limit(1 << 27)


@dataclass(frozen=True)
class Record:
    """One record of the file: the physical line on which it starts (from 1) and its fields; a blank line has none."""

    line: int
    fields: tuple[str, ...]

    @property
    def blank(self) -> bool:
        """Whether the line holds nothing at all."""
        return not any(clean(f) for f in self.fields) and len(self.fields) < 2

    @property
    def filled(self) -> float:
        """Share of fields that hold something."""
        return sum(bool(clean(f)) for f in self.fields) / len(self.fields) if self.fields else 0.0


@dataclass(frozen=True)
class Dialect:
    """How the file is to be read.

    `headers` are the original texts (`column_1`, ... where `has_header` is false). `data_line` is the first physical
    line after the header, `preamble_rows` the number of lines before it. `widths` are the numbers of fields that data
    records have as a habit: shorter ones leave out the last columns, longer ones end in a delimiter. Any other number
    is a record that cannot be split into the columns.
    """

    delimiter: str
    headers: tuple[str, ...]
    has_header: bool
    preamble_rows: int
    data_line: int
    widths: frozenset[int]


def records(lines: Iterable[str], delimiter: str) -> Iterator[Record]:
    """The records of a text, quotes and line breaks inside them undone. Raises GoldsmithError for an open quote."""
    at_end = False

    def with_a_blank_line() -> Iterator[str]:
        # The csv module ends an open quote with the file and says nothing; a line that is swallowed, too, tells.
        nonlocal at_end
        yield from lines
        at_end = True
        yield "\n"

    reader = csv.reader(with_a_blank_line(), delimiter=delimiter, quotechar=QUOTE, doublequote=True)
    line = 1
    try:
        for fields in reader:
            if at_end and not fields:
                return
            if at_end or reader.line_num - line >= MAX_LINES_A_RECORD:
                end = "the end of the file" if at_end else f"{MAX_LINES_A_RECORD} lines further on"
                raise GoldsmithError(f"line {line}: a quote is opened here and not closed before {end}; mend the file")
            yield Record(line, tuple(fields))
            line = reader.line_num + 1
    except csv.Error as error:
        raise GoldsmithError(f"line {line}: cannot be split into fields: {error}") from None


def detect_dialect(sample: str, complete: bool) -> Dialect:
    """The dialect of a file, from its first lines; `complete` says that they are all of it."""
    parsed = {d: _sample_records(sample, d, complete) for d in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda d: (_score(parsed[d], d), -DELIMITERS.index(d)))
    found = parsed[delimiter]
    rows = [r for r in found if not r.blank]
    if not rows:
        deque(records(io.StringIO(sample, newline=""), delimiter), maxlen=0)  # raises where it is no blank line
        raise GoldsmithError("nothing but blank lines; nothing to load")
    width = _width(rows)
    at = _header_index(rows, width)
    if at is None:
        first = next(i for i, r in enumerate(rows) if len(r.fields) == width)
        data_line = rows[first].line
        headers = tuple(map(column_name, range(width)))
        return Dialect(delimiter, headers, False, data_line - 1, data_line, frozenset({width}))
    header, body = rows[at], rows[at + 1 :]
    headers = _headers(header.fields, [r.fields for r in body if len(r.fields) == width], width)
    after = next((r.line for r in found if r.line > header.line), header.line + 1)
    return Dialect(delimiter, headers, True, header.line - 1, after, _habits(body) | {len(headers), width})


def _sample_records(sample: str, delimiter: str, complete: bool) -> list[Record]:
    """The records of a sample up to the first that cannot be read, without the last of an incomplete one."""
    found: list[Record] = []
    try:
        for record in records(io.StringIO(sample, newline=""), delimiter):
            found.append(record)
    except GoldsmithError:
        return found
    return found if complete or len(found) < 3 else found[:-1]


def _score(found: Sequence[Record], delimiter: str) -> float:
    """How table-like a file looks under a delimiter: records of one width, cells that are one thing each."""
    rows = [r for r in found if not r.blank]
    if not rows:
        return 0.0
    width = _width(rows)
    if width < 2:
        return 0.01 * sum(len(r.fields) == 1 for r in rows) / len(rows)
    table = [r for r in rows if len(r.fields) == width]
    cells = [clean(c) for r in table[:100] for c in r.fields]
    others = re.compile("[" + re.escape("".join(d for d in DELIMITERS if d != delimiter)) + "]")
    whole = sum(not c or not others.search(c) or _typed(c) for c in cells) / len(cells)
    return (len(table) / len(rows)) * whole**2 * (1 - 1 / (width + 1))


def _width(rows: Sequence[Record]) -> int:
    """The most frequent number of fields, the larger if two are as frequent; 1 for texts with a delimiter now and then."""
    counts = Counter(len(r.fields) for r in rows if len(r.fields) > 1)
    if not counts:
        return 1
    width = max(counts, key=lambda w: (counts[w], w))
    at = [i for i, r in enumerate(rows) if len(r.fields) == width]
    between = rows[at[0] : at[-1] + 1]
    scattered = 2 * sum(len(r.fields) > 1 for r in between) <= len(between)
    return 1 if scattered or (counts.total() == 1 and width == 2 and len(rows) > 2) else width


def _habits(body: Sequence[Record]) -> frozenset[int]:
    """The widths that at least a fifth of the records have; a line cut off by accident is no habit."""
    counts = Counter(len(r.fields) for r in body)
    return frozenset(w for w, n in counts.items() if w > 1 and n >= max(2, 0.2 * len(body)))


def _typed(cell: str) -> bool:
    return number_parts(cell) is not None or date_shape([cell]) is not None


def _label_like(record: Record) -> bool:
    """Whether a record could be a header: different texts, none of them a number, date, address or id."""
    texts = [clean(f) for f in record.fields if clean(f)]
    return (
        len(texts) >= min(2, len(record.fields))
        and record.filled > 0.5
        and len(set(texts)) >= 0.8 * len(texts)
        and all(not _typed(t) and not _NOT_A_LABEL.fullmatch(t) and any(c.isalpha() for c in t) for t in texts)
    )


def _header_index(rows: Sequence[Record], width: int) -> int | None:
    """Which record is the header; None if the data begins without one."""
    for i, record in enumerate(rows[:200]):
        widest = all(len(r.fields) <= len(record.fields) for r in rows)
        if widest and len(record.fields) > width and _label_like(record) and record.filled > 0.8:
            return i
    for i, record in enumerate(rows[:200]):
        if len(record.fields) != width:
            continue
        if _label_like(record):
            return i
        if i and _label_like(rows[i - 1]) and len(rows[i - 1].fields) >= max(2, width // 2):
            return i - 1
        later = next((k for k, r in enumerate(rows[i + 1 : i + 30], i + 1) if _label_like(r) and r.filled > 0.8), None)
        typed = sum(_typed(clean(f)) for f in record.fields if has_value(f))
        # A preamble saved by a spreadsheet has the table's width, and is nearly empty.
        return later if later is not None and record.filled < 0.5 and typed < 3 else None
    return 0 if _label_like(rows[0]) and len(rows) == 1 else None


def _headers(header: Sequence[str], body: Sequence[Sequence[str]], width: int) -> tuple[str, ...]:
    """The header texts, blanks trimmed, for all columns that hold something.

    Data records that are longer than the header get `column_N` for what it does not name, unless that is always empty
    (a delimiter at the end of each line).
    """
    texts = [clean(h) for h in header]
    for position in range(len(texts), width):
        if any(clean(r[position]) for r in body):
            texts.extend(column_name(p) for p in range(len(texts), position + 1))
    return tuple(texts)
