"""How intake reads the real files of ../shared/layouts, against what is known of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invented import LAYOUTS

from generator.columns.cells import clean
from generator.errors import GoldsmithError
from generator.intake.files import Incoming
from generator.run.load import ReadFile, read_incoming


@dataclass(frozen=True)
class Compared:
    """A file, and for each fact that is known of it: its name, what was found, what is true, whether they agree."""

    file: str
    facts: tuple[tuple[str, object, object, bool], ...]

    @property
    def wrong(self) -> list[str]:
        """What does not agree."""
        return [f"{name} is {found!r}, not {true!r}" for name, found, true, agrees in self.facts if not agrees]


def described() -> list[dict[str, Any]]:
    """What is known of each file: the lines of layouts.jsonl whose file is there."""
    lines = [line for path in sorted(LAYOUTS.glob("*/layouts.jsonl")) for line in path.open(encoding="utf-8")]
    found = [json.loads(line) for line in lines]
    return [x for x in found if (LAYOUTS / x["file"]).exists()]


def compared(known: dict[str, Any]) -> Compared:
    """Read a file and compare."""
    path = LAYOUTS / known["file"]
    try:
        with read_incoming(Incoming(path, path.name, None, "source")) as read:
            return Compared(known["file"], tuple(_facts(path, known, read)))
    except GoldsmithError as error:
        return Compared(known["file"], (("refused", str(error), "", False),))


def _facts(path: Path, known: dict[str, Any], read: ReadFile) -> Iterator[tuple[str, object, object, bool]]:
    dialect, true = read.dialect, known["encoding"]
    encoding = read.encoding.name
    yield "encoding", encoding, true, _text(path, encoding) == _text(path, true)
    delimiter = dialect.delimiter
    # A blank that follows each comma may be of the delimiter or of the cell.
    yield "delimiter", delimiter, known["delimiter"], (delimiter.rstrip(" ") or " ") == known["delimiter"]
    header = [clean(h) for h in known["header"] or ()]
    found = list(dialect.headers) if dialect.has_header else []
    yield "header", found, header, found == header
    if not header:
        yield "columns", len(dialect.headers), known["n_columns"], len(dialect.headers) == known["n_columns"]
    yield "skip_rows", dialect.preamble_rows, known["skip_rows"], dialect.preamble_rows == known["skip_rows"]
    footer = known.get("footer_rows")
    if footer is not None:
        yield "footer_rows", read.reading.footer_rows, footer, read.reading.footer_rows == footer


def _text(path: Path, encoding: str) -> str:
    """Two encodings that give the same text are both right."""
    return path.read_bytes().decode(encoding).removeprefix("\ufeff")
