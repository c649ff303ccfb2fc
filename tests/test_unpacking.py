"""Compressed files are unpacked to the byte or refused with the reason; an archive is hostile input."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import GoldsmithError
from generator.intake import unpacking
from generator.intake.unpacking import unpacked

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TABLE = b"day,amount\n2024-01-13,1.50\n2024-01-14,-2.00\n" * 50
CHECKED = {zstd.CompressionParameter.checksum_flag: 1}


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
        archive.comment = comment
    return packed.getvalue()


def zstd_packed(content: bytes) -> bytes:
    return zstd.compress(content, options=CHECKED)


def one_file(content: bytes) -> bytes:
    return zipped(("table.csv", content))


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd_packed, "zip": one_file}


def unpack(folder: Path, packed: bytes, name: str = "file.csv") -> tuple[bytes, str]:
    """What comes out, and how it was packed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(packed)
    inside = folder / "temporary"
    inside.mkdir()
    try:
        path, kind = unpacked(folder / name, inside)
        assert [p for p in folder.rglob("*") if p.is_file()] == list(dict.fromkeys([folder / name, path]))
        return path.read_bytes(), kind
    finally:
        shutil.rmtree(inside)


def refusal(folder: Path, packed: bytes) -> str:
    """Why it is not unpacked; nothing of it is left."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file.csv").write_bytes(packed)
    inside = folder / "temporary"
    inside.mkdir()
    with pytest.raises(GoldsmithError) as error:
        unpacked(folder / "file.csv", inside)
    assert list(inside.iterdir()) == []
    assert str(error.value).isprintable() and len(str(error.value)) < 300
    return str(error.value)


def unpacked_or_refused(folder: Path, packed: bytes) -> bytes | None:
    """What comes out, None if it is refused."""
    try:
        return unpack(folder, packed)[0]
    except GoldsmithError:
        return None


# ---- what is unpacked -----------------------------------------------------------------------------------------------


def test_a_plain_file_stays_where_it_is(tmp_path: Path) -> None:
    for content in (TABLE, b"", b"PK,BZh,Rar!\n1,2,3\n", b"BZhang,Li\n1,2\n", "\u1f8b,x\n".encode("utf-16")):
        assert unpack(tmp_path / str(len(content)), content) == (content, "")


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("name", ["file.csv", "file.zip", "file.gz"])
def test_what_is_packed_is_known_by_its_content_whatever_its_name(kind: str, name: str, tmp_path: Path) -> None:
    packed = PACKERS[kind](TABLE)
    assert unpack(tmp_path, packed, name) == (TABLE, kind)
    assert (tmp_path / name).read_bytes() == packed


@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=5000).map(b"x".__add__))
@settings(max_examples=60, deadline=None)
def test_any_content_comes_back_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, kind: str, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    assert unpack(folder, PACKERS[kind](content)) == (content, kind)


LARGE = b"".join(b"%d,%d\n" % (n, n * n) for n in range(400_000))


@pytest.mark.parametrize("kind", PACKERS)
def test_a_file_of_many_chunks_comes_back_to_the_byte(kind: str, tmp_path: Path) -> None:
    assert unpack(tmp_path, PACKERS[kind](LARGE)) == (LARGE, kind)


def test_archives_one_behind_the_other_are_one_file_where_the_format_says_so(tmp_path: Path) -> None:
    halves = TABLE[:500], TABLE[500:]
    assert unpack(tmp_path / "gzip", b"".join(map(gzip.compress, halves))) == (TABLE, "gzip")
    assert unpack(tmp_path / "zstd", b"".join(map(zstd_packed, halves))) == (TABLE, "zstd")
    skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    assert unpack(tmp_path / "skip", skipped + zstd_packed(TABLE)) == (TABLE, "zstd")
    assert unpack(tmp_path / "padded", gzip.compress(TABLE) + b"\x00" * 512) == (TABLE, "gzip")


def test_folders_and_what_macos_adds_are_no_members(tmp_path: Path) -> None:
    beside = [("a/", b""), ("a/b/", b""), ("__MACOSX/a/b/._t.csv", b"\x00\x05"), ("a/.DS_Store", b"Bud1")]
    assert unpack(tmp_path, zipped(*beside, ("a/b/t.csv", TABLE))) == (TABLE, "zip")


@pytest.mark.parametrize("comment", [b"", b"from the till", b"x" * 65535])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_archive_may_be_stored_and_have_a_comment(comment: bytes, method: int, tmp_path: Path) -> None:
    assert unpack(tmp_path, zipped(("t.csv", TABLE), method=method, comment=comment)) == (TABLE, "zip")


HOSTILE_NAMES = [
    *("../../../../etc/passwd", "/etc/passwd", "C:\\Windows\\x.csv", "..", "-rf.csv", "a\x1b[31m\n.csv", "CON", ".csv"),
    *("x" * 60000, "\u202egnp.csv", "{{ 1 }}.csv"),
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_the_name_of_a_member_is_never_a_path(name: str, tmp_path: Path) -> None:
    assert unpack(tmp_path / "a/b/c", zipped((name, TABLE))) == (TABLE, "zip")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["file.csv"]


def test_a_member_that_is_a_link_is_the_text_of_its_target(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("t.csv")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert unpack(tmp_path, packed.getvalue()) == (b"/etc/passwd", "zip")


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PACKERS)
def test_an_archive_that_is_cut_off_is_refused_wherever_it_ends(kind: str, tmp_path: Path) -> None:
    packed = PACKERS[kind](TABLE)
    for end in range(4, len(packed)):
        message = refusal(tmp_path / str(end), packed[:end])
        assert message.endswith("; fetch it again") and kind in message
        assert "cut off before its end" in message or kind == "zip"


@pytest.mark.parametrize("kind", PACKERS)
def test_a_byte_that_fell_over_never_gives_another_table(kind: str, tmp_path: Path) -> None:
    packed = bytearray(PACKERS[kind](TABLE))
    for offset in range(4, len(packed)):
        packed[offset] ^= 0x20
        # Some bytes are of no account: the time of day in a header.
        assert unpacked_or_refused(tmp_path / str(offset), bytes(packed)) in (TABLE, None)
        packed[offset] ^= 0x20


@given(st.sampled_from(sorted(PACKERS)), st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_becomes_of_an_archive_it_is_the_same_table_or_refused(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    packed = bytearray(PACKERS[kind](TABLE))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, len(packed)))
        packed[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    assert unpacked_or_refused(tmp_path_factory.mktemp("spoiled"), bytes(packed)) in (TABLE, None)


def test_the_one_member_of_a_zip_archive_may_have_no_name(tmp_path: Path) -> None:
    # What is behind a NUL is no part of a member's name.
    packed = zipped(("nameless", TABLE)).replace(b"nameless", b"\0ameless")
    assert unpacked_or_refused(tmp_path, packed) == TABLE


@pytest.mark.parametrize("kind", PACKERS)
def test_something_behind_an_archive_is_refused_and_not_left_out(kind: str, tmp_path: Path) -> None:
    packed = PACKERS[kind](TABLE)
    assert "something follows after its end" in refusal(tmp_path / "text", packed + b"more,rows\n1,2\n")
    if kind == "zip":
        assert "something follows after its end" in refusal(tmp_path / "two", packed + packed)


MANY = "the zip archive holds {}; unpack it and load the files by themselves"
ARCHIVES: dict[str, tuple[bytes, str]] = {
    "two tables": (zipped(("a.csv", TABLE), ("b.csv", TABLE)), MANY.format("2 files (a.csv, b.csv)")),
    "two of one name": (zipped(("a.csv", TABLE), ("a.csv ", b"")), MANY.format("2 files (a.csv, a.csv)")),
    "a table and a picture": (zipped(("a.csv", TABLE), ("b.png", b"")), MANY.format("2 files (a.csv, b.png)")),
    "many": (zipped(*((f"{n}.csv", b"") for n in range(50))), MANY.format("50 files (0.csv, 1.csv, 2.csv, …)")),
    "escape sequences": (zipped(("\x1b[31m\n", b""), ("b", b"")), MANY.format("2 files ([31m, b)")),
    "none": (zipped(), "the zip archive has no file in it; nothing to load"),
    "folders only": (zipped(("a/", b"")), "the zip archive has no file in it; nothing to load"),
    "workbook": (
        zipped(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>")),
        "this is no CSV file but an Excel workbook; save the sheet as CSV",
    ),
    "letter": (
        zipped(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<document/>")),
        "this is no CSV file but an Office document; save the sheet as CSV",
    ),
    "spreadsheet": (
        zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", b"<x/>")),
        "this is no CSV file but an OpenDocument file; save the sheet as CSV",
    ),
    "bzip2 in it": (
        zipped(("a.csv", TABLE), method=zipfile.ZIP_BZIP2),
        "the zip archive is packed by bzip2, not by deflate; unpack it and load the file in it",
    ),
    "lzma in it": (
        zipped(("a.csv", TABLE), method=zipfile.ZIP_LZMA),
        "the zip archive is packed by LZMA, not by deflate; unpack it and load the file in it",
    ),
    "bzip2": (bz2.compress(TABLE), "a bzip2 archive; unpack it and load the CSV file in it"),
    "xz": (lzma.compress(TABLE), "an xz archive; unpack it and load the CSV file in it"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "a 7z archive; unpack it and load the CSV file in it"),
    "rar": (b"Rar!\x1a\x07\x01" + bytes(100), "a rar archive; unpack it and load the CSV file in it"),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_what_is_not_one_table_is_refused_with_what_to_do(what: str, tmp_path: Path) -> None:
    packed, message = ARCHIVES[what]
    assert refusal(tmp_path, packed) == message


def tarred() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("t.csv")
        member.size = len(TABLE)
        archive.addfile(member, io.BytesIO(TABLE))
    return packed.getvalue()


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("inner", [*PACKERS, "tar", "bzip2"])
def test_an_archive_in_an_archive_is_refused(kind: str, inner: str, tmp_path: Path) -> None:
    inside = {"tar": lambda _: tarred(), "bzip2": bz2.compress, **PACKERS}[inner](TABLE)
    message = refusal(tmp_path, PACKERS[kind](inside))
    assert message.startswith(f"a {kind} archive with another in it") and inner in message
    assert message.endswith("; unpack it and load the CSV file in it")


@pytest.mark.parametrize("flag", [0x1, 0x41, 0x2001], ids=["password", "strong", "hidden names"])
def test_an_encrypted_archive_is_refused(flag: int, tmp_path: Path) -> None:
    packed = bytearray(one_file(TABLE))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", packed, packed.index(signature) + at, flag)
    assert refusal(tmp_path, bytes(packed)) == "the zip archive is encrypted; unpack it and load the file in it"


# ---- bombs ----------------------------------------------------------------------------------------------------------


class Zeros:
    """A reader of zeros without end, for the archives below."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        size = min(size if size >= 0 else self.left, self.left)
        self.left -= size
        return bytes(size)


def bomb(kind: str, path: Path, size: int) -> Path:
    """An archive of that many zeros, packed as tightly as its format can."""
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("t.csv", "w") as member:
            shutil.copyfileobj(Zeros(size), member, 1 << 20)
        return path
    packed = gzip.GzipFile(path, "wb") if kind == "gzip" else zstd.ZstdFile(path, "wb")
    with packed:
        shutil.copyfileobj(Zeros(size), packed, 1 << 20)
    return path


@pytest.mark.parametrize("kind", PACKERS)
def test_a_bomb_is_refused_long_before_it_has_gone_off(kind: str, tmp_path: Path) -> None:
    path = bomb(kind, tmp_path / "bomb.csv", 300 * 10**6)
    assert path.stat().st_size * unpacking.MAX_RATIO < 300 * 10**6
    message = refusal(tmp_path, path.read_bytes())
    assert message.startswith("unpacks to more than 1,000 times its size, as archive bombs do; if it is good, unpack")


def test_a_small_table_of_one_row_repeated_is_no_bomb(tmp_path: Path) -> None:
    table = b"a,b\n" + b"0,0\n" * 5_000_000
    packed = zstd.compress(table, 19)
    assert len(packed) * unpacking.MAX_RATIO < len(table) < unpacking.HARMLESS
    assert unpack(tmp_path, packed) == (table, "zstd")


@pytest.mark.parametrize("kind", PACKERS)
def test_a_file_over_the_limit_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "HARMLESS", 10**6)
    monkeypatch.setattr(unpacking, "MAX_BYTES", 2 * 10**6)
    assert refusal(tmp_path, PACKERS[kind](LARGE)).startswith(
        "unpacks to more than 0 GB; unpack it, and load it in parts"
    )


@pytest.mark.parametrize("kind", PACKERS)
def test_the_disk_is_not_filled(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "HARMLESS", 10**6)
    monkeypatch.setattr(unpacking, "SPARE", shutil.disk_usage(tmp_path).total)
    assert refusal(tmp_path, PACKERS[kind](LARGE)).startswith("no room to unpack it: under 1 GB is left for ")


def unpacked_within(megabytes: int, path: Path) -> str:
    """What a process says that may have so much memory and no more."""
    program = f"""
        import resource, sys, tempfile
        from pathlib import Path
        from generator.errors import GoldsmithError
        from generator.intake.unpacking import unpacked
        with open("/proc/self/status") as file:
            used = next(int(line.split()[1]) for line in file if line.startswith("VmSize")) * 1024
        resource.setrlimit(resource.RLIMIT_AS, (used + {megabytes} * 2**20,) * 2)
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(unpacked(Path(sys.argv[1]), Path(folder))[0].stat().st_size)
            except GoldsmithError as error:
                print(error)
    """
    words = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
@pytest.mark.parametrize("kind", PACKERS)
def test_unpacking_takes_little_memory_however_large_the_file(kind: str, tmp_path: Path) -> None:
    path = bomb(kind, tmp_path / "file.csv", 95 * 10**6)
    assert unpacked_within(40, path) == "95000000"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
def test_a_list_of_a_million_members_is_not_read_into_memory(tmp_path: Path) -> None:
    names = one_file(b"")
    at = names.index(b"PK\x01\x02")
    entry, end = names[at : names.index(b"PK\x05\x06")], names[names.index(b"PK\x05\x06") :]
    count = 1_000_000
    (tmp_path / "file.csv").write_bytes(
        names[:at] + entry * count + end[:8] + struct.pack("<HHII", 0xFFFF, 0xFFFF, len(entry) * count, at) + end[20:]
    )
    assert "its list of members is longer than 1 MB" in unpacked_within(40, tmp_path / "file.csv")


def test_a_frame_that_wants_a_gigabyte_of_memory_is_refused(tmp_path: Path) -> None:
    window: dict[int, int] = {zstd.CompressionParameter.window_log: 30}
    packer = zstd.ZstdCompressor(options=window)
    packed = packer.compress(TABLE) + packer.flush()
    assert refusal(tmp_path, packed).startswith("the zstd archive needs over 128 MB of memory (made with --long?)")


def test_an_archive_that_cannot_be_opened_is_an_error_of_its_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        unpacked(tmp_path / "gone.csv", tmp_path)
