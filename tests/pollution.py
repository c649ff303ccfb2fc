"""Polluted CSV files with their known clean table, and what an honest intake may make of each of their lines.

A file is made in steps: a table and a style give lines; pollutions change style, lines or bytes, one each. Every line
keeps what it is (header, row, or outside the table), so that it can be said of each what became of it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from clean_tables import Table

Cells = tuple[str, ...]
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Style:
    """How cells become a line. `escape` is the quote itself (doubled), a backslash, or '': quotes are left as they are."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    every: bool = False

    def cell(self, text: str) -> str:
        """One cell as it stands in the file."""
        special = (*self.delimiter.strip(" "), self.quote, "\n", "\r", self.delimiter)
        if not (self.every or any(s and s in text for s in special)):
            return text
        if self.escape == "\\":
            text = text.replace("\\", "\\\\").replace(self.quote, "\\" + self.quote)
        elif self.escape:
            text = text.replace(self.quote, self.quote * 2)
        return f"{self.quote}{text}{self.quote}"

    def cells(self, row: Iterable[str]) -> list[str]:
        """The cells of a row as they stand in the file."""
        return [self.cell(c) for c in row]


@dataclass
class Line:
    """One record of the file, or one line outside the table.

    `clean`: the cells that it should come to (None outside). `pieces`: its cells as written; `text` is given where they
    are none. A touched row may be rejected, or come to `other` cells, or to `said` ones if there is a remark; a touched
    line outside the table may be loaded if there is one. `end` where it is another than the file's.
    """

    role: str
    pieces: list[str] = field(default_factory=list)
    clean: Cells | None = None
    touched: bool = False
    other: Callable[[Cells], bool] = lambda cells: False
    said: Callable[[Cells], bool] = lambda cells: False
    end: str | None = None
    text: str | None = None

    def written(self, delimiter: str) -> str:
        """The line as it stands in the file, without its end."""
        return self.text if self.text is not None else delimiter.join(self.pieces)


@dataclass
class Draft:
    """A file in the making.

    `headers`: what its header may be, the best first. `said`: a loaded file must carry a remark, or have rejects.
    `refusable`: an honest intake may refuse it. `others`: the same file under another reading (a second table).
    """

    table: Table
    style: Style = Style()
    lines: list[Line] = field(default_factory=list)
    line_end: str = "\n"
    final: str | None = None
    codec: str = "utf-8"
    before: bytes = b""
    headers: list[Cells] = field(default_factory=list)
    doubtful_headers: list[Cells] = field(default_factory=list)
    said: bool = False
    refusable: bool = False
    others: list[Draft] = field(default_factory=list)

    def render(self) -> None:
        """Write the table in the style."""
        self.headers = [self.table.header]
        self.lines = [Line("header", self.style.cells(self.table.header), self.table.header)]
        self.lines += [Line("row", self.style.cells(row), row) for row in self.table.rows]

    def texts(self) -> Iterator[tuple[int, Line, str]]:
        """The physical line on which each line starts (from 1), the line, and its text."""
        written = self._written()
        ends = [found.end() for found in _LINE_END.finditer("".join(text + end for _, text, end in written))]
        offset = 0
        for line, text, end in written:
            yield bisect(ends, offset) + 1, line, text
            offset += len(text) + len(end)

    def content(self) -> bytes:
        """The file."""
        return self.before + "".join(text + end for _, text, end in self._written()).encode(self.codec)

    def _written(self) -> list[tuple[Line, str, str]]:
        """Each line, its text, its line end."""
        ends = [self.line_end if line.end is None else line.end for line in self.lines]
        if self.final is not None:
            ends[-1:] = [self.final]
        return [(line, line.written(self.style.delimiter), end) for line, end in zip(self.lines, ends, strict=True)]

    def rows(self) -> list[int]:
        """Where in `lines` the data rows are."""
        return [i for i, line in enumerate(self.lines) if line.role == "row"]

    def header(self) -> int:
        """Where in `lines` the header is."""
        return next(i for i, line in enumerate(self.lines) if line.role == "header")


@dataclass(frozen=True)
class Pollution:
    """One thing that is wrong with a file. `early` ones change the style or the table, before the lines are written."""

    kind: str
    name: str
    apply: Callable[[Draft], None]
    early: bool = False


def polluted(table: Table, *pollutions: Pollution) -> Draft:
    """The file that the pollutions make of a table."""
    draft = Draft(table)
    for pollution in pollutions:
        if pollution.early:
            pollution.apply(draft)
    draft.render()
    for pollution in pollutions:
        if not pollution.early:
            pollution.apply(draft)
    return draft


def outside(text: str) -> Line:
    """A line that belongs to no table."""
    return Line("outside", text=text)


def columns(width: int) -> Cells:
    """What columns without a header are called."""
    return tuple(f"column_{i + 1}" for i in range(width))
