"""Read a file into forms that a loader cannot misread; count and sort out what does not fit.

This is the independent reader: it counts records, DuckDB then loads what it wrote, and the two numbers must agree.
Blocks of lines that are proved to be regular are passed on as they are; all others go through the tokenizer. Which of
the two reads a line changes nothing but the time it takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from generator.dialect.blocks import Prover, Regular
from generator.dialect.bodies import Bodies, BodyWriter, Part
from generator.dialect.detection import Dialect, another_header
from generator.dialect.footer import footer_start
from generator.dialect.records import Record, records, split_lines
from generator.dialect.sorting import Reading, Sorter, texts
from generator.dialect.utf8 import Utf8Lines

# How many characters decide the dialect.
SAMPLE_CHARACTERS = 1 << 18
# Bytes that are proved at once, and the pieces of those that cannot be: what fits the processor's cache is fastest.
BLOCK = 1 << 17
PIECE = 1 << 13
TAIL = 30
# So many blank lines between rows, and one more says nothing of what comes after it.
_SPACED = 3


def read_sample(path: Path, encoding: str) -> tuple[str, bool]:
    """The first characters of a file, and whether they are all of it."""
    with path.open(encoding=encoding, newline="") as file:
        text = file.read(SAMPLE_CHARACTERS).lstrip("\ufeff")
        return text, not file.read(1)


def read_file(path: Path, encoding: str, dialect: Dialect, folder: Path, fast: bool = True) -> Reading:
    """Write a file's records, rejects and margins into a folder.

    With `fast` false the tokenizer reads all of it. Raises GoldsmithError for a file that is not made of lines,
    UnicodeDecodeError for a wrong byte.
    """
    reading = Reading(Bodies(folder))
    with path.open("rb") as file, BodyWriter(reading.bodies, dialect.syntax.delimiter.encode()) as out:
        _Reader(Utf8Lines(file, encoding), dialect, out, reading, fast).read()
    return reading


class _Reader:
    """Goes through the file once. `tail` are the last records, which may be footer: with whether they follow a blank line
    and what comes there fits no more. `held` are the same as regular lines, the first of them on line `held_at`.
    `spaced` counts the blank lines between two rows."""

    def __init__(self, lines: Utf8Lines, dialect: Dialect, out: BodyWriter, reading: Reading, fast: bool) -> None:
        self.lines, self.dialect, self.out, self.reading = lines, dialect, out, reading
        prover = Prover(dialect)
        self.prover = prover if fast and prover.possible else None
        self.sink = Sorter(dialect, reading, out)
        self.tail: deque[tuple[Record, bool]] = deque()
        self.held = Regular([], 0)
        self.held_at = 0
        self.gap = self.apart = False
        self.others = self.spaced = 0
        self.preamble: list[str] = []

    def read(self) -> None:
        """All of the file."""
        while block := self.lines.take(BLOCK):
            regular = self._regular(block)
            if regular:
                self._pass_on(regular)
            elif self.prover and len(block) > 2 * PIECE and not self.lines.again and not self.reading.second_table:
                self.lines.put_back(block, PIECE)
            else:
                self._tokenize(block)
        self._release()
        if not self.reading.second_table:
            self._end_table()
        self.reading.preamble = "\n".join(self.preamble)

    def _regular(self, block: bytes) -> Regular | None:
        # After a blank line another table may begin, and that is seen record by record.
        if not self.prover or self.lines.line < self.dialect.data_line or self.gap or self.reading.second_table:
            return None
        found = self.prover.prove(block) if len(block) <= 8 * BLOCK else None
        return found if found and len(found.lines) > TAIL else None

    def _pass_on(self, regular: Regular) -> None:
        """Regular lines; the last of them wait, for they may be the last of the file."""
        while self.tail:
            self.sink.write(self.tail.popleft()[0])
        self.apart, self.others = False, 0
        lines = regular.lines
        if self.held.extra != regular.extra:
            self.sink.write_lines(self.held_at, self.held)
            self.held = Regular([], regular.extra)
        first = self.held_at if self.held.lines else self.lines.line
        self.sink.write_lines(first, Regular(self.held.lines + lines[:-TAIL], regular.extra))
        self.lines.line += len(lines)
        self.held, self.held_at = Regular(lines[-TAIL:], regular.extra), self.lines.line - TAIL

    def _release(self) -> None:
        """Make records of the lines that wait."""
        if self.held.lines:
            found = records(texts(self.held.lines), self.dialect.syntax, self.dialect.widths, self.held_at)
            self.tail.extend((record, False) for record in found)
            self.held = Regular([], 0)

    def _tokenize(self, block: bytes) -> None:
        """The records of a block, and of as many blocks after it as the last of them needs."""
        self._release()
        feed = _Feed(self.lines, block)
        lines = iter(feed)
        while self.lines.line <= self.dialect.preamble_rows and (line := next(lines, None)) is not None:
            text = line.rstrip("\r\n")
            self.preamble.append(text)
            self._margin(self.lines.line, "preamble", text)
            self.lines.line += 1
        for record in records(lines, self.dialect.syntax, self.dialect.widths, self.lines.line):
            self.lines.line = record.line + 1 + _line_ends(record.text)
            self._take(record)

    def _take(self, record: Record) -> None:
        dialect, reading = self.dialect, self.reading
        if record.line < dialect.data_line:
            if record.text:
                self._margin(record.line, "header", record.text)
        elif dialect.comment and record.text.startswith(dialect.comment):
            if len(dialect.headers) > 1 and len(record.fields) in dialect.widths:
                # It can be a row, and a row is never put aside without being counted.
                self.sink.reject(record, f"begins with {dialect.comment} as comments do, with the cells of a row")
            else:
                self._margin(record.line, "comment", record.text)
        elif record.blank and (len(dialect.headers) > 1 or not record.fields):
            self.gap = True
        elif reading.second_table:
            self.sink.reject(record, self._second())
        elif self.gap and another_header(record, dialect, self._rows()):
            self._end_table()
            reading.second_table = record.line
            self.sink.reject(record, self._second())
        else:
            self._queue(record)

    def _queue(self, record: Record) -> None:
        """A record that may be footer or not."""
        fits = len(record.fields) in self.dialect.widths
        # A blank line parts the table from what does not fit it, as long as nothing fits again; where blank lines part
        # rows from rows, it says nothing.
        self.spaced += self.gap and fits and bool(self.reading.rows_read or self.tail)
        self.apart, self.gap = (self.apart or (self.gap and self.spaced < _SPACED)) and not fits, False
        self.others = self.others + 1 if self.apart else 0
        self.tail.append((record, self.apart))
        if self.others == TAIL:
            # So many are no footer.
            self.reading.second_table = self.tail[-TAIL][0].line
        while len(self.tail) > (0 if self.reading.second_table else TAIL):
            first = self.tail.popleft()[0]
            if 0 < self.reading.second_table <= first.line:
                self.sink.reject(first, self._second())
            else:
                self.sink.write(first)

    def _second(self) -> str:
        return f"a second table begins on line {self.reading.second_table}"

    def _rows(self) -> list[tuple[str, ...]]:
        """Some rows of the table, to compare a record with."""
        return [*self.reading.sample[:TAIL], *(record.fields for record, _ in self.tail)]

    def _end_table(self) -> None:
        """The records that wait are the last of the table: rows, and behind them its footer."""
        tail = list(self.tail)
        at = footer_start(tail, self.dialect, self.sink.used)
        for record, _ in tail[:at]:
            self.sink.write(record)
        for record, _ in tail[at:]:
            self._margin(record.line, "footer", record.text)
        self.reading.footer_rows = len(tail) - at
        self.reading.footer = "\n".join(record.text for record, _ in tail[at:])
        self.tail.clear()

    def _margin(self, line: int, part: Part, text: str) -> None:
        self.reading.longest = max(self.reading.longest, len(text))
        self.out.margin(line, part, text)


class _Feed:
    """Physical lines for the tokenizer: a block, and more as long as a record is not at its end where a block is.

    The reader's line number says how far records have come.
    """

    def __init__(self, lines: Utf8Lines, block: bytes) -> None:
        self.lines, self.block = lines, block

    def __iter__(self) -> Iterator[str]:
        handed = self.lines.line - 1
        block = self.block
        while block:
            for line in split_lines([block.decode()]):
                handed += 1
                yield line
            if self.lines.line > handed:
                return
            block = self.lines.take(BLOCK)


def _line_ends(text: str) -> int:
    """How many lines end within the text of a record."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")
