"""A text file as UTF-8, whole lines at a time, whatever its encoding; never more of it in memory than needed."""

from __future__ import annotations

import codecs
from collections import deque
from typing import BinaryIO

from generator.errors import GoldsmithError

# A line of more bytes than this is no line of a table.
MAX_LINE = 1 << 28
_PASSED_THROUGH = {"utf-8": b"", "ascii": b"", "utf-8-sig": codecs.BOM_UTF8}


class Utf8Lines:
    """Gives out a file block by block. `line` is the number of the first line that its reader has not dealt with;
    `again` says whether the block that was taken last had been put back before."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self.file, self.line = file, 1
        name = codecs.lookup(encoding).name
        mark = _PASSED_THROUGH.get(name)
        self.decoder = codecs.getincrementaldecoder(encoding)() if mark is None else None
        self.rest = b""
        # A file that was saved twice with a mark has two of them, and none is text.
        while mark and not self.rest and (head := file.read(len(mark))):
            self.rest = b"" if head == mark else head
        self.waiting: deque[bytes] = deque()
        self.again = False

    def take(self, size: int) -> bytes:
        """The next lines, about `size` bytes of them and at least one; b'' behind the end.

        Only the end of the file may come without a line end. Raises UnicodeDecodeError for a wrong byte where the
        encoding is none that DuckDB reads, and GoldsmithError for a line without end.
        """
        self.again = bool(self.waiting)
        if self.again:
            return self.waiting.popleft()
        data, self.rest = self.rest, b""
        while chunk := self._read(max(size, len(data))):
            data += chunk
            if end := _last_end(data, len(data)):
                self.rest = data[end:]
                return data[:end]
            if len(data) > MAX_LINE:
                raise GoldsmithError(f"line {self.line}: longer than {MAX_LINE >> 20} MB; is this a CSV file?")
        return data

    def put_back(self, block: bytes, size: int) -> None:
        """Give a block out once more, in pieces of about `size` bytes."""
        start = 0
        pieces = []
        while len(block) - start > size:
            end = _last_end(block, start + size, start) or _last_end(block, len(block), start)
            if not end:
                break
            pieces.append(block[start:end])
            start = end
        self.waiting.extendleft(reversed([p for p in (*pieces, block[start:]) if p]))

    def _read(self, size: int) -> bytes:
        while chunk := self.file.read(size):
            if self.decoder is None:
                return chunk
            if text := self.decoder.decode(chunk):
                return text.encode()
        if self.decoder is None:
            return b""
        decoder, self.decoder = self.decoder, None
        return decoder.decode(b"", final=True).encode()


def _last_end(data: bytes, stop: int, start: int = 0) -> int:
    """Where the last whole line before `stop` ends; 0 if there is none.

    A carriage return right before `stop` may be half of a line end, and line feeds are preferred to them.
    """
    return data.rfind(b"\n", start, stop) + 1 or data.rfind(b"\r", start, stop - 1) + 1
