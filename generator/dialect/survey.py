"""The words of a file that are not ASCII, from all over it, and which bytes beyond ASCII it has at all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK = 1 << 16
_BEFORE = 200
_REACH = 1 << 13
_FIRST, _ALL = 800, 600  # words of the first chunk, and about how many of the others together
# Between words: what is never the second byte of a character, in any encoding that is told apart by words.
_WORD = re.compile(rb"[^\x00-\x2f\x3a-\x3f]+")
_ASCII_WORD = re.compile(rb"[A-Za-z]{3,}")
_ASCII = bytes(range(0x80))


@dataclass
class Survey:
    """Words with the offset of the first of each found, and every byte value beyond ASCII that the file has.

    `share` is about how many of all different words are among these, 0..1.
    """

    words: dict[bytes, int] = field(default_factory=dict)
    beyond_ascii: bytes = b""
    share: float = 1.0

    def take(self, data: bytes, start: int, offset: int, *, most: int, end: bool) -> None:
        """Up to `most` words that are new, from about `start` in data, which is at `offset` in the file.

        A word that data may hold in part is left out; the end of data may be the `end` of the file.
        """
        begin = max(0, start - _BEFORE)
        for match in _WORD.finditer(data, begin, start + _REACH):
            whole = (match.start() > begin or offset + begin == 0) and (match.end() < len(data) or end)
            cut = match.end() == start + _REACH
            if whole and not cut and not match[0].isascii() and match[0] not in self.words:
                self.words[match[0]] = offset + match.start()
                most -= 1
                if most <= 0:
                    return


def survey(path: Path, offset: int) -> Survey:
    """A file's words: of its head, of every n-th region, around each new byte value, and at `offset`, not ASCII."""
    found = Survey()
    chunks = path.stat().st_size // _CHUNK + 1
    every, most = 1 + chunks // _ALL, max(2, _ALL // chunks)
    with path.open("rb") as file:
        for number in range(chunks):
            data, at = file.read(_CHUNK), number * _CHUNK
            end = number == chunks - 1
            for value in sorted(set(data.translate(None, _ASCII + found.beyond_ascii))):
                found.beyond_ascii += bytes((value,))
                found.take(data, data.index(value), at, most=2, end=end)
            if number % every == 0 and not data.isascii():
                found.take(data, _first_beyond_ascii(data), at, most=most, end=end)
            if number == 0:
                for start in range(0, len(data), _REACH):
                    found.take(data, start, at, most=_FIRST * _REACH // _CHUNK, end=end)
                others = len(set(_ASCII_WORD.findall(data)))
                found.share = (1 + len(found.words)) / (1 + len(found.words) + others)
        file.seek(begin := max(0, offset - _BEFORE))
        around = file.read(_REACH)
        found.take(around, offset - begin, begin, most=_FIRST, end=len(around) < _REACH)
    if not found.words:  # no word in it has an end
        found.words[around[: _BEFORE * 2]] = begin
    return found


def _first_beyond_ascii(data: bytes) -> int:
    try:
        data.decode("ascii")
    except UnicodeDecodeError as error:
        return error.start
    return 0
