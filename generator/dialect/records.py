"""A text as records: quotes and line breaks inside them undone, what cannot be undone kept as it stands. Pure.

Not the csv module alone: it reads `"abc"def"` as `abcdef"`, and an open quote as one cell to the end of the file. Here a
stray quote costs at most its own line, and every character of the file is in exactly one record's text.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from generator.columns.cells import clean
from generator.dialect.quoting import INNER_QUOTE, Cells, Syntax, no_fields, read_alone, read_cells, unquoted

# A quoted cell over more lines or characters than this is a quote that was never closed.
MAX_LINES_A_RECORD = 10_000
_MAX_CHARACTERS_A_RECORD = 1 << 26
# The same where a quote inside the cell already says that something is wrong.
_MAX_LINES_IN_DOUBT = 200
LINES_LIKE_RECORDS = "a quoted cell runs over lines that would be records by themselves"

__all__ = ["Record", "Syntax", "records", "split_lines"]
csv.field_size_limit(1 << 27)


class Record(NamedTuple):
    """One record: the physical line on which it starts (from 1), its fields (none of an empty line), its exact text.

    The text is without the line end after it. `mended` says what was taken literally, '' if nothing.
    """

    line: int
    fields: tuple[str, ...]
    text: str
    mended: str = ""

    @property
    def blank(self) -> bool:
        """Whether the line holds nothing at all."""
        return len(self.fields) < 2 and not any(clean(f) for f in self.fields)

    @property
    def filled(self) -> float:
        """Share of fields that hold something."""
        return sum(bool(clean(f)) for f in self.fields) / len(self.fields) if self.fields else 0.0


def split_lines(chunks: Iterable[str]) -> Iterator[str]:
    """The physical lines of a text that comes in pieces, with their line ends: `\\n`, `\\r\\n`, a lone `\\r`."""
    held: list[str] = []
    for chunk in chunks:
        # A `\r` at the end of a chunk may be half of a line end: it waits for what comes after it.
        text = held.pop() + chunk if held and held[-1].endswith("\r") else chunk
        for line in io.StringIO(text, newline=""):
            if held and held[-1].endswith("\r"):
                yield "".join(held)
                held.clear()
            held.append(line)
            if line.endswith("\n"):
                yield "".join(held)
                held.clear()
    if held:
        yield "".join(held)


def records(
    lines: Iterable[str], syntax: Syntax, widths: Collection[int] = (), first_line: int = 1
) -> Iterator[Record]:
    """The records of physical lines that have their line ends; `first_line` is the number of the first of them.

    `widths` are the numbers of fields that records have; none where they are not known yet. They decide how a record
    is read whose quotes are not well-formed. Nothing is raised for content, and no character is lost.
    """
    return _Reader(iter(lines), syntax, frozenset(widths), first_line).records()


class _Reader:
    """Reads on from line to line. `ahead` are lines that were looked at and not used; `number` the current line's."""

    def __init__(self, lines: Iterator[str], syntax: Syntax, widths: frozenset[int], number: int) -> None:
        self.lines, self.syntax, self.widths, self.number = lines, syntax, widths, number
        self.ahead: deque[str] = deque()
        self.held = 0
        self.fitting: dict[int, bool] = {}
        # How many cells of one record may run over line ends.
        self.most = max(widths, default=5)
        # A cell that was opened found no end up to the line `open_to`: one that is opened in between finds none there,
        # either. `wrong_at` is the last of these lines that has a wrong quote. So looking ahead takes linear time.
        self.open_to = self.wrong_at = 0
        self.feed: deque[str] = deque()
        # Well-formed lines are read by the csv module, which is fast and, told to be strict, drops nothing.
        self.strict = (
            csv.reader(iter(self.feed.popleft, None), delimiter=syntax.delimiter, quotechar=syntax.quote, strict=True)
            if len(syntax.delimiter) == 1 and syntax.quote and not syntax.backslash
            else None
        )

    def records(self) -> Iterator[Record]:
        """All records, in order."""
        delimiter, quote, ahead, lines = self.syntax.delimiter, self.syntax.quote, self.ahead, self.lines
        backslash = self.syntax.backslash
        while (line := self._taken() if ahead else next(lines, None)) is not None:
            if not quote or (quote not in line and not (backslash and "\\" in line)):
                text = line.rstrip("\r\n")
                yield Record(self.number, tuple(text.split(delimiter)) if text else (), text)
                self.number += 1
                continue
            record, more = self._quoted(line)
            yield record
            for _ in range(more):
                self._taken()
            self.number += 1 + more
            if not ahead:
                self.fitting.clear()

    def _taken(self) -> str:
        line = self.ahead.popleft()
        self.held -= len(line)
        return line

    def _quoted(self, line: str) -> tuple[Record, int]:
        """The record that begins with a line in which there is a quote, and how many of the lines ahead are its own."""
        text = line.rstrip("\r\n")
        pattern = self.syntax.patterns
        if pattern.sound.match(text):
            return Record(self.number, self._sound_cells(text), text), 0
        cells = read_cells(self.syntax, line, 0, pattern.lenient)
        spanning = self._spanning(line, cells) if cells.open_at >= 0 else None
        if spanning:
            return spanning
        fields, mended, _ = read_alone(self.syntax, text, self.widths)
        if text == line and cells.open_at >= 0 and self.syntax.delimiter in text[cells.open_at :]:
            # The last line has no end: the cell may have been cut off, and what is left of it holds delimiters.
            fields, mended = no_fields(self.syntax, text, self.widths), ""
        return Record(self.number, tuple(fields), text, mended), 0

    def _sound_cells(self, text: str) -> tuple[str, ...]:
        """The cells of a well-formed line."""
        if self.strict is not None:
            self.feed.append(text)
            with suppress(csv.Error):
                return tuple(next(self.strict))
        return tuple(read_cells(self.syntax, text, 0, self.syntax.patterns.strict).fields)

    def _spanning(self, first: str, cells: Cells) -> tuple[Record, int] | None:
        """The record over several lines that begins with `first`, and how many lines more it has; None for a stray quote.

        `cells` are those of the first line, the last of which is open.
        """
        pattern, quote = self.syntax.patterns, self.syntax.quote
        fields, start, opened, again, index = cells.fields, cells.open_at, 0, 0, max(0, self.open_to - self.number)
        doubt = not pattern.inside.match(first, start) or (index > 0 and self.wrong_at > self.number)
        while start >= 0:
            index += 1
            line = self._line(first, index)
            limit = _MAX_LINES_IN_DOUBT if doubt else MAX_LINES_A_RECORD
            if line is None or index >= limit or self.held > _MAX_CHARACTERS_A_RECORD or again > self.most:
                # Cells that were closed in between would be missing in a record that begins later.
                self.open_to = self.open_to if opened else self.number + index - 1
                return None
            if quote in line:
                match = pattern.lenient.match(line)
                sound = (pattern.strict if match else pattern.inside).match(line)
                if match:
                    fields.append(self._cell(first, opened, start, index, match.end()))
                    sound = sound and pattern.rest.match(line, match.end())
                    start, opened, again = -1, index, again + 1
                    if match.end() < len(line.rstrip("\r\n")):
                        more = read_cells(self.syntax, line, match.end() + len(self.syntax.delimiter), pattern.lenient)
                        fields, start = fields + more.fields, more.open_at
                if not sound:
                    doubt, self.wrong_at = True, self.number + index
            if doubt and start >= 0 and self._fits(first, index):
                return None
        return self._judged(first, fields, index, doubt)

    def _judged(self, first: str, fields: list[str], index: int, doubt: bool) -> tuple[Record, int] | None:
        """A record over `index` lines more than the first, unless these lines make better records by themselves."""
        fits = not self.widths or len(fields) in self.widths
        alone = (self._fits(first, i) for i in range(index + 1))
        mended = INNER_QUOTE if doubt else ""
        if doubt:
            if not self.widths or not fits or any(alone):
                return None
        elif not fits:
            if 2 * sum(alone) > index + 1:
                return None
        elif max(self.widths, default=1) > 1 and all(alone):
            mended = LINES_LIKE_RECORDS
        text = "".join([first, *islice(self.ahead, index)]).rstrip("\r\n")
        return Record(self.number, tuple(fields), text, mended), index

    def _line(self, first: str, index: int) -> str | None:
        """The line that is `index` lines further on than the current one; None behind the end."""
        if index == 0:
            return first
        while len(self.ahead) < index:
            line = next(self.lines, None)
            if line is None:
                return None
            self.ahead.append(line)
            self.held += len(line)
        return self.ahead[index - 1]

    def _cell(self, first: str, opened: int, start: int, index: int, end: int) -> str:
        """What a cell says that goes from one line to another, behind its opening quote at `start`."""
        lines = [first, *islice(self.ahead, index)][opened:]
        lines[-1] = lines[-1][:end]
        lines[0] = lines[0][start:]
        return unquoted(self.syntax, "".join(lines))

    def _fits(self, first: str, index: int) -> bool:
        """Whether a line would be a record of the right width by itself."""
        at = self.number + index
        if at not in self.fitting:
            text = (self._line(first, index) or "").rstrip("\r\n")
            self.fitting[at] = bool(self.widths) and read_alone(self.syntax, text, self.widths)[2]
        return self.fitting[at]
