"""Where each record belongs: to the rows, or to the rejects with a reason; counted, and sampled for the profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from generator.columns.cells import clean
from generator.dialect.blocks import Regular
from generator.dialect.bodies import Bodies, BodyWriter
from generator.dialect.detection import Dialect
from generator.dialect.footer import filled, header_again
from generator.dialect.records import Record, records

# Rows kept in memory for the profile: all of the first, then one in a hundred, up to twice as many; fewer of a table
# that is very wide, and of a cell no more than it takes to see what it holds.
SAMPLE_ROWS = 5_000
_SAMPLE_CELLS = 500_000
SAMPLE_CELL = 250
_LINES_NAMED = 5


@dataclass
class Reading:
    """What was read. Row counts are records; `preamble` and `footer` the lines around the data, as text.

    `sample` are rows as the file has them, in file order. `longest` is the largest record that the tokenizer read, in
    characters. `misfits` are the rejects for which there is no better reason than their number of fields.
    `short` are the loaded records that leave out the last columns.
    `second_table` is the line where one begins, 0 if none does. `mended`: what was taken literally -> how often, and the
    first lines.
    """

    bodies: Bodies
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    misfits: int = 0
    short: int = 0
    footer_rows: int = 0
    preamble: str = ""
    footer: str = ""
    second_table: int = 0
    mended: dict[str, tuple[int, list[int]]] = field(default_factory=dict)
    sample: list[tuple[str, ...]] = field(default_factory=list)
    longest: int = 0


def sample_rows(columns: int) -> int:
    """How many of the first rows of a table with so many columns are sampled; beyond them, as many at most."""
    return min(SAMPLE_ROWS, max(1, _SAMPLE_CELLS // max(1, columns)))


class Sorter:
    """Writes each record to where it belongs, and counts. `used` are the columns that the sampled rows fill."""

    def __init__(self, dialect: Dialect, reading: Reading, out: BodyWriter) -> None:
        self.dialect, self.reading, self.out = dialect, reading, out
        self.used: set[int] = set()
        self.sample_rows = sample_rows(len(dialect.headers))

    def write(self, record: Record) -> None:
        """One data record: to the rows, padded or without its trailing delimiter, or to the rejects."""
        wanted, width = len(self.dialect.headers), len(record.fields)
        again = header_again(record, self.dialect)
        if again or width not in self.dialect.widths or any(clean(f) for f in record.fields[wanted:]):
            fields = f"{width} field{'s' if width != 1 else ''} where the layout has {wanted}"
            self.reading.misfits += not again
            self.reject(record, "the header again" if again else fields)
            return
        self.reading.rows_read += 1
        self.reading.rows_loaded += 1
        self.reading.short += width < wanted
        self.reading.longest = max(self.reading.longest, len(record.text))
        self._say_mended(record)
        fields_ = self._fitted(record.fields)
        self.out.row(record.line, fields_)
        if self._sampled(self.reading.rows_loaded):
            self._sample(fields_)

    def write_lines(self, first: int, regular: Regular) -> None:
        """Regular lines that follow each other; `first` is the number of the first of them."""
        if not regular.lines:
            return
        before, count = self.reading.rows_loaded, len(regular.lines)
        syntax, widths = self.dialect.syntax, self.dialect.widths
        ahead = range(before + 1, min(before + count, self.sample_rows) + 1)
        beyond = range(max(before, self.sample_rows) // 100 * 100 + 100, before + count + 1, 100)
        for number in (*ahead, *beyond):
            if self._sampled(number):
                (record,) = records(texts([regular.lines[number - before - 1]]), syntax, widths)
                self._sample(self._fitted(record.fields))
        self.reading.rows_read += count
        self.reading.rows_loaded += count
        self.reading.short += count if regular.extra < 0 else 0
        self.out.numbered_lines(first, self._padded(regular))

    def reject(self, record: Record, reason: str) -> None:
        """A record that is not loaded."""
        self.reading.rows_read += 1
        self.reading.rows_rejected += 1
        self.reading.longest = max(self.reading.longest, len(record.text))
        self.out.reject(record.line, record.text, f"{reason}; {record.mended}" if record.mended else reason)

    def _fitted(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        wanted = len(self.dialect.headers)
        return fields[:wanted] + ("",) * (wanted - len(fields))

    def _padded(self, regular: Regular) -> list[bytes]:
        if regular.extra >= 0:
            return regular.cells_only()
        missing = self.dialect.syntax.delimiter.encode() * -regular.extra
        return [line + missing for line in regular.lines]

    def _say_mended(self, record: Record) -> None:
        if record.mended:
            count, lines = self.reading.mended.get(record.mended, (0, []))
            self.reading.mended[record.mended] = (count + 1, [*lines, record.line][:_LINES_NAMED])

    def _sampled(self, number: int) -> bool:
        """Whether the loaded row of that number belongs to the sample."""
        beyond = number % 100 == 0 and len(self.reading.sample) < 2 * self.sample_rows
        return number <= self.sample_rows or beyond

    def _sample(self, fields: tuple[str, ...]) -> None:
        self.reading.sample.append(tuple(f[:SAMPLE_CELL] for f in fields))
        if len(self.used) < len(fields):
            self.used |= filled(fields)


def texts(lines: Sequence[bytes]) -> Iterator[str]:
    """Lines without line ends as the tokenizer takes them."""
    return (f"{line.decode()}\n" for line in lines)


def remarks_of(reading: Reading) -> tuple[str, ...]:
    """What is doubtful about the records of a file, for a person to read."""
    found = [f"{_on_lines(*where)}: {what}" for what, where in reading.mended.items()]
    if reading.second_table:
        found.append(f"a second table begins on line {reading.second_table}; all from there on is rejected")
    if 0 < reading.short < reading.rows_loaded:
        found.append(
            f"{reading.short} of {reading.rows_loaded} records leave out the last columns; they are empty there"
        )
    if not reading.rows_read:
        found.append("a header and no data record")
    return tuple(found)


def _on_lines(count: int, first: Sequence[int]) -> str:
    """`line 4`, or the first of many and their number."""
    more = f" and {count - len(first)} more" if count > len(first) else ""
    return f"line{'s' if count > 1 else ''} {', '.join(map(str, first))}{more}"
