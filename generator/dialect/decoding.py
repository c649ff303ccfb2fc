"""Where a file cannot be read in an encoding: the byte, its line, and whether the file was cut off there."""

from __future__ import annotations

import codecs
from pathlib import Path

from generator.errors import GoldsmithError

_CHUNK = 1 << 20


def first_error(path: Path, encoding: str) -> int | None:
    """Offset of the first byte that the encoding cannot read, None if it reads the whole file.

    In UTF-8 a NUL byte counts as one: no text has it, and binary files do.
    """
    # The decoder that skips a byte order mark counts from behind it.
    decoder = codecs.getincrementaldecoder(encoding.removesuffix("-sig"))()
    utf8 = encoding == "utf-8"
    done = pending = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            nul = chunk.find(0) if utf8 else -1
            if pending or not utf8 or not chunk.isascii() or not chunk:
                try:
                    decoder.decode(chunk[:nul] if nul >= 0 else chunk, final=not chunk or nul >= 0)
                except UnicodeDecodeError as error:
                    return done - pending + error.start
                pending = len(decoder.getstate()[0])
            if nul >= 0:
                return done + nul
            if not chunk:
                return None
            done += len(chunk)


def check(path: Path, encoding: str) -> None:
    """Raises GoldsmithError, with the first wrong byte and its place, if the encoding does not read the whole file."""
    offset = first_error(path, encoding)
    if offset is None:
        return
    if is_cut_off(path, encoding, offset):
        raise cut_off(path, encoding, offset)
    raise GoldsmithError(
        f"byte 0x{bytes_at(path, offset, 1)[0]:02x} at offset {offset} is not {encoding}, as the rest of the file is "
        f"(line {line_of(path, offset)}); correct it there, or save the file as UTF-8"
    )


def is_cut_off(path: Path, encoding: str, offset: int) -> bool:
    """Whether what cannot be read is the beginning of a character at the very end of the file."""
    rest = bytes_at(path, offset, 5)
    if len(rest) > 3:
        return False
    with path.open("rb") as file:
        mark = file.read(4)
    wide = {codecs.BOM_UTF16_BE: "utf-16-be", codecs.BOM_UTF16_LE: "utf-16-le"}
    name = wide.get(mark[:2], encoding) if encoding == "utf-16" else encoding.removesuffix("-sig")
    try:
        return codecs.getincrementaldecoder(name)().decode(rest) == ""
    except UnicodeDecodeError:
        return False


def cut_off(path: Path, encoding: str, offset: int) -> GoldsmithError:
    return GoldsmithError(
        f"the file ends within a character: byte 0x{bytes_at(path, offset, 1)[0]:02x} at offset {offset}, line "
        f"{line_of(path, offset)}, begins one in {encoding} and nothing follows; the file was cut off, get the whole of it"
    )


def bytes_at(path: Path, offset: int, count: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(count)


def line_of(path: Path, offset: int) -> int:
    """The line, from 1, in which a byte of the file is."""
    feeds = returns = 0
    with path.open("rb") as file:
        while offset > 0 and (chunk := file.read(min(_CHUNK, offset))):
            feeds, returns = feeds + chunk.count(b"\n"), returns + chunk.count(b"\r")
            offset -= len(chunk)
    return 1 + (feeds or returns)
