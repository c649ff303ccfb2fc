"""Blocks of whole lines that are proved to be regular, at the speed of memory. Pure.

Most lines of most files are plain: as many cells as all others, quotes where they belong. That is proved here for a
thousand lines at a time, with a few operations on bytes. What is not proved is no error: the tokenizer reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from generator.dialect.detection import Dialect


class Regular(NamedTuple):
    """Lines without their line ends, each of them one record.

    `extra` is how many more cells than columns each has, all of them empty; less than 0 where the last are left out.
    """

    lines: list[bytes]
    extra: int

    def cells_only(self) -> list[bytes]:
        """The lines without the delimiters of their extra cells."""
        return [line[: -self.extra] for line in self.lines] if self.extra > 0 else self.lines


class Prover:
    """Proves that blocks are regular under one dialect. `possible` is false for dialects of which it proves nothing."""

    def __init__(self, dialect: Dialect) -> None:
        syntax = dialect.syntax
        self.delimiter, self.quote = syntax.delimiter.encode(), syntax.quote.encode()
        self.possible = len(self.delimiter) == 1 and len(self.quote) <= 1
        if not self.possible:
            return
        self.widths, self.columns = dialect.widths, len(dialect.headers)
        self.backslash, self.comment = syntax.backslash, dialect.comment.encode()
        kept = b"\0\r\n" + self.delimiter + self.quote + (b"\\" if syntax.backslash else b"")
        self.ordinary = bytes(b for b in range(256) if b not in kept)
        self.header = _header_again(dialect, self.delimiter, self.quote)
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        self.cell = re.compile(
            rb"%b(?<![^%b\r\n].)[^%b\r\n]*+(?:%b%b[^%b\r\n]*+)*+%b(?![^%b\r\n])" % (q, d, q, q, q, q, q, d)
        )

    def prove(self, block: bytes) -> Regular | None:
        """The lines of a block that begins with a record and ends with a line end; None if they are not proved."""
        end = b"\r\n" if block.endswith(b"\r\n") else block[-1:]
        kept = block.translate(None, self.ordinary)
        if self.quote and self.quote in kept:
            kept = self._without_quotes(block, kept, end)
        unit = kept[: kept.find(end[:1])] + end
        width, count = len(unit) - len(end) + 1, len(kept) // len(unit)
        # Equality says that there is no quote, no other line end, and the same number of delimiters in each line.
        if end not in (b"\n", b"\r\n", b"\r") or width not in self.widths or kept != unit * count:
            return None
        if unit.count(self.delimiter) != width - 1 or not self._plain_text(block, end, width):
            return None
        extra = width - self.columns
        if extra > 0 and block.count(self.delimiter * extra + end) != count:
            return None
        lines = block.split(end)
        lines.pop()
        # A line end of two bytes may have been counted where the two did not stand together.
        return Regular(lines, extra) if len(lines) == count else None

    def _without_quotes(self, block: bytes, kept: bytes, end: bytes) -> bytes:
        """What is kept of a block without the quotes, if each is where it belongs; else with quotes."""
        d, q = self.delimiter, self.quote
        if self.backslash:
            return kept if q * 2 in block or b"\\" in kept else self._by_pattern(block)
        plain = kept.replace(q * 2, b"")
        # Cells that begin and cells that end with a quote: as many as there are pairs, and only then is each quote one
        # of the two and each quoted cell without a quote or delimiter inside.
        pairs = (len(kept) - len(plain)) // 2
        opening = block.count(d + q) + block.count(end[-1:] + q) + block.startswith(q)
        if q not in plain and opening == pairs == block.count(q + d) + block.count(q + end):
            return plain
        return self._by_pattern(block)

    def _by_pattern(self, block: bytes) -> bytes:
        return self.cell.sub(b"", block).translate(None, self.ordinary)

    def _plain_text(self, block: bytes, end: bytes, width: int) -> bool:
        """Whether no line is blank, a comment, or the header once more."""
        if width == 1 and (self.columns > 1 or block.startswith(end) or end + end in block):
            return False
        if self.comment and (block.startswith(self.comment) or end[-1:] + self.comment in block):
            return False
        return self.header is None or self.header[0] not in block or not self.header[1].search(block)


def _header_again(dialect: Dialect, delimiter: bytes, quote: bytes) -> tuple[bytes, re.Pattern[bytes]] | None:
    """A text that stands in every line that repeats the header, and a pattern that finds at least all such lines."""
    headers = [h.encode() for h in dialect.headers]
    if not dialect.has_header or any(b"\n" in h or b"\r" in h for h in headers):
        return None
    odd = [b"\\" in h or delimiter in h or bool(quote and quote in h) for h in headers]
    d = re.escape(delimiter)
    cells = [rb"[^\r\n]*?" if o else re.escape(h) for h, o in zip(headers, odd, strict=True)]
    between = rb"[^%b\r\n]*%b[^%b\r\n]*?" % (d, d, d)
    longest = max((h for h, o in zip(headers, odd, strict=True) if not o), key=len, default=b"")
    return longest, re.compile(between.join(cells))


def numbered(prefixes: Sequence[bytes], lines: Sequence[bytes]) -> bytes:
    """Each line behind its prefix."""
    both = [b""] * (2 * len(lines))
    both[0::2] = prefixes
    both[1::2] = lines
    return b"".join(both)
