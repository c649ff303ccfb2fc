"""Compressed files: gzip, zstd, and zip with one file in it; known by their first bytes, whatever their name.

Threat model: an archive is hostile. It may unpack to more than any disk holds, want gigabytes of memory for a window or
a list of members, hide a second file behind the first, or name its member `../../etc/passwd`. So it is unpacked in
chunks and under limits, all of it has to be in order to its last byte, and no name from it is ever used as a path.
"""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from generator.errors import GoldsmithError
from generator.visible import plain

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Four times the largest file that Goldsmith is tested with; beyond that somebody should have a look first.
MAX_BYTES = 20 * 10**9
# Real tables reach some hundreds to one; a bomb of zeros 1,030 with gzip or zip (no more is possible), millions with zstd.
MAX_RATIO = 1000
# Up to this size an archive may unpack to whatever it likes: so much is on any disk, and a small table of one row repeated
# is no bomb.
HARMLESS = 100 * 10**6
# So much of the disk stays free for the raw table and everybody else.
SPARE = 10**9

_CHUNK = 1 << 20
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"))
_OTHERS = (
    *((b"\xfd7zXZ\x00", "an xz"), (b"7z\xbc\xaf\x27\x1c", "a 7z"), (b"Rar!\x1a\x07", "a rar")),
    *((b"\x04\x22\x4d\x18", "an lz4"), (b"\x1f\x9d", "a compress (.Z)"), (b"PK\x07\x08", "a split zip")),
)
_METHODS = {9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "zstd", 95: "xz"}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_DAMAGED = (
    *(zlib.error, zstd.ZstdError, gzip.BadGzipFile, zipfile.BadZipFile),
    # What zipfile lets through of a damaged list of members.
    *(NotImplementedError, ValueError, OverflowError, struct.error),
)


def unpacked(path: Path, folder: Path) -> tuple[Path, str]:
    """The plain file and how it was packed: gzip, zstd or zip, and then it is a new file in `folder`; or '', and itself.

    Raises GoldsmithError for what is damaged, encrypted, a bomb, no single file, or packed in a way that is not known;
    OSError for a file that cannot be read and a disk that is full.
    """
    kind = _packing(path)
    if not kind:
        return path, ""
    target = folder / "unpacked"
    try:
        with _opened(kind, path) as source:
            _copy(source, target, path.stat().st_size)
        inner = _packing(target, f"a {kind} archive with another in it: ")
        if inner:
            raise GoldsmithError(
                f"a {kind} archive with another in it ({inner}); unpack it and load the CSV file in it"
            )
    except EOFError:
        target.unlink(missing_ok=True)
        raise GoldsmithError(f"the {kind} archive is cut off before its end; fetch it again") from None
    except _DAMAGED as error:
        target.unlink(missing_ok=True)
        raise GoldsmithError(_damage(kind, error)) from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target, kind


def _packing(path: Path, before: str = "") -> str:
    """gzip, zstd, zip, or '' for a plain file. Raises GoldsmithError for archives that are not unpacked here."""
    with path.open("rb") as file:
        head = file.read(512)
    if head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:
        # A frame to be skipped, before the data: parallel compressors write one.
        return "zstd"
    other = next((what for magic, what in _OTHERS if head.startswith(magic)), "")
    if head[:3] == b"BZh" and head[4:10] == b"1AY&SY":
        other = "a bzip2"
    if head[257:262] == b"ustar" and b"\x00" in head[:257]:
        other = "a tar"
    if other:
        raise GoldsmithError(f"{before}{other} archive; unpack it and load the CSV file in it")
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")


def _damage(kind: str, error: BaseException) -> str:
    if "too much memory" in str(error):
        return "the zstd archive needs over 128 MB of memory (made with --long?); unpack it and load the file in it"
    return f"the {kind} archive is damaged, or something follows after its end ({plain(error, 100)}); fetch it again"


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def _opened(kind: str, path: Path) -> Iterator[_Source]:
    if kind == "zip":
        with (
            closing(_InChunks(io.FileIO(path))) as listed,
            zipfile.ZipFile(listed) as archive,
            archive.open(_only_member(path, archive)) as member,
        ):
            yield member
    else:
        with path.open("rb") as packed:
            yield gzip.GzipFile(fileobj=packed) if kind == "gzip" else zstd.ZstdFile(packed)


class _InChunks(io.BufferedReader):
    """A file that nobody reads in one go: zipfile would take a list of members of any length into memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(_CHUNK + 1 if size is None or size < 0 else min(size, _CHUNK + 1))
        if len(chunk) > _CHUNK:
            raise zipfile.BadZipFile("its list of members is longer than 1 MB")
        return chunk


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file in a zip archive."""
    members = [m for m in archive.infolist() if not _beside(m)]
    names = {m.filename for m in archive.infolist()}
    if "[Content_Types].xml" in names:
        what = "an Excel workbook" if any(n.startswith("xl/") for n in names) else "an Office document"
        raise GoldsmithError(f"this is no CSV file but {what}; save the sheet as CSV")
    if {"mimetype", "content.xml"} <= names:
        raise GoldsmithError("this is no CSV file but an OpenDocument file; save the sheet as CSV")
    if len(members) != 1:
        raise GoldsmithError(_how_many(members))
    (member,) = members
    if member.flag_bits & _ENCRYPTED:
        raise GoldsmithError("the zip archive is encrypted; unpack it and load the file in it")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        how = _METHODS.get(member.compress_type, f"method {member.compress_type}")
        raise GoldsmithError(f"the zip archive is packed by {how}, not by deflate; unpack it and load the file in it")
    _nothing_else(path, archive)
    return member


def _beside(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a folder, or what macOS adds to each file."""
    parts = member.filename.split("/")
    # Python 3.11 looks at the last character of a name without asking whether there is one.
    return member.filename.endswith("/") or parts[0] == "__MACOSX" or parts[-1] == ".DS_Store"


def _how_many(members: list[zipfile.ZipInfo]) -> str:
    if not members:
        return "the zip archive has no file in it; nothing to load"
    names = ", ".join(plain(m.filename, 40) for m in members[:3])
    more = ", …" if len(members) > 3 else ""
    return f"the zip archive holds {len(members)} files ({names}{more}); unpack it and load the files by themselves"


def _nothing_else(path: Path, archive: zipfile.ZipFile) -> None:
    """Whether the archive is all there is in the file: of two zip files one behind the other, zipfile sees the last."""
    end = 22 + len(archive.comment)
    with path.open("rb") as file:
        file.seek(-end, io.SEEK_END)
        last = file.read(4)
    if last != b"PK\x05\x06" or min(m.header_offset for m in archive.infolist()) != 0:
        raise zipfile.BadZipFile("not all of the file belongs to it")


def _copy(source: _Source, target: Path, packed: int) -> None:
    """Unpack within the limits. `packed`: size of the archive in bytes."""
    total = 0
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            total += len(chunk)
            _check_limits(total, packed, target.parent)
            file.write(chunk)


def _check_limits(total: int, packed: int, folder: Path) -> None:
    if total <= HARMLESS:
        return
    if total > MAX_BYTES:
        raise GoldsmithError(f"unpacks to more than {MAX_BYTES // 10**9} GB; unpack it, and load it in parts")
    if total > MAX_RATIO * packed:
        raise GoldsmithError(
            f"unpacks to more than {MAX_RATIO:,} times its size, as archive bombs do; if it is good, unpack it yourself"
        )
    if shutil.disk_usage(folder).free < SPARE:
        raise GoldsmithError(f"no room to unpack it: under 1 GB is left for {folder}; make room there")
