"""The files that DuckDB loads: a source file in two forms that cannot be misread, its rejects, and what is around it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from generator.dialect.blocks import numbered

Part = Literal["preamble", "header", "comment", "footer"]
# So many lines are in a file of numbered lines at most: their numbers begin anew in each, and are made only once.
LINES_A_FILE = 1 << 19


@dataclass
class Bodies:
    """What was written, in one folder.

    `rows`: records that the tokenizer read, every field quoted: line, then the cells. `lines`: lines as the file has
    them, each behind a number and a delimiter; that number plus the one given here is the line. `rejects`: line, text,
    reason. `margins`: line, part, text.
    """

    folder: Path
    lines: list[tuple[Path, int]] = field(default_factory=list)

    @property
    def rows(self) -> Path:
        """Records that the tokenizer read."""
        return self.folder / "rows.csv"

    @property
    def rejects(self) -> Path:
        """Records that do not fit."""
        return self.folder / "rejects.csv"

    @property
    def margins(self) -> Path:
        """Lines that are no records."""
        return self.folder / "margins.csv"


class BodyWriter:
    """Writes them. A context: the files are whole when it ends."""

    def __init__(self, bodies: Bodies, delimiter: bytes) -> None:
        self.bodies, self.delimiter = bodies, delimiter
        self.files = ExitStack()
        self.prefixes: list[bytes] = []
        self.body: BinaryIO | None = None
        self.base = 0

    def __enter__(self) -> BodyWriter:
        with ExitStack() as files:
            opened = [
                files.enter_context(path.open("w", encoding="utf-8", newline=""))
                for path in (self.bodies.rows, self.bodies.rejects, self.bodies.margins)
            ]
            self.rows, self.rejects, self.margins = (
                csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n") for file in opened
            )
            self.files = files.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self.files:
            self._end_body()

    def row(self, line: int, fields: Sequence[str]) -> None:
        """One record, with as many fields as there are columns."""
        self.rows.writerow([line, *fields])

    def reject(self, line: int, text: str, reason: str) -> None:
        """A record that is not loaded, and why."""
        self.rejects.writerow([line, text, reason])

    def margin(self, line: int, part: Part, text: str) -> None:
        """A line, or record, outside the data."""
        self.margins.writerow([line, part, text])

    def numbered_lines(self, first: int, lines: Sequence[bytes]) -> None:
        """Lines that follow each other, each of them a record; `first` is the number of the first of them."""
        at = first - self.base
        if self.body is None or at + len(lines) > LINES_A_FILE:
            self._end_body()
            path = self.bodies.folder / f"lines_{len(self.bodies.lines)}.csv"
            # Without a buffer: what is written is large, and one copy less.
            self.body = self.files.enter_context(path.open("wb", buffering=0))
            self.base, at = first, 0
            self.bodies.lines.append((path, first))
            new = True
        else:
            new = False
        for number in range(len(self.prefixes), at + len(lines)):
            self.prefixes.append(b"\n%d%b" % (number, self.delimiter))
        text = numbered(self.prefixes[at : at + len(lines)], lines)
        self._write(text[1:] if new else text)

    def _write(self, text: bytes) -> None:
        assert self.body is not None
        written = memoryview(text)
        while written:
            written = written[self.body.write(written) :]

    def _end_body(self) -> None:
        if self.body is not None:
            self._write(b"\n")
            self.body.close()
