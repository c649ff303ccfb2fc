"""Which encoding a file is in: byte order marks, strict UTF-8, then detection; never a replacement character."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from pathlib import Path

from charset_normalizer import from_bytes

from generator.errors import GoldsmithError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook; save the sheet as CSV"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file; save the sheet as CSV"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "a SQLite database"),
    (b"PAR1", "a Parquet file"),
)
_CANDIDATES = [
    *("cp1252", "cp1250", "cp1251", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "koi8_r", "iso8859_2"),
    *("iso8859_15", "cp1253", "cp1254", "cp1257", "mac_roman", "cp850", "cp437"),
]
# The letters beyond ASCII of the languages that are written in each encoding, the likelier ones first.
_WESTERN = (
    *("äöüßéèêáàâçñóôøåëï", "àâæçéèêëîïôœùûüÿñó", "áéíñóúüçàèïò", "áâãàçéêíóôõúü", "àèéìíîòóùúçñ"),
    "åäöæøéüáóèàêôß",
)
_CENTRAL = ("ąćęłńóśźżäöüé", "áčďéěíňóřšťúůýžäľĺôŕöü", "áéíóöőúüűäß", "čćđšžäöü", "ăâîşţ")
_ALPHABETS = (
    *(("cp1252", _WESTERN), ("iso8859_15", _WESTERN), ("cp1250", _CENTRAL), ("iso8859_2", _CENTRAL)),
    *(("cp1254", ("çğıiöşüâîû",)), ("cp1257", ("ąčęėįšųūž", "āčēģīķļņšūž", "äöüõšž")), ("cp1252", ("áðéíóúýþæöø",))),
    *(("mac_roman", _WESTERN), ("cp850", _WESTERN)),
)
_SIGNS = "€£§°´‘’“”„‚–—…«»‹›·•²³½¼¾±µ×©®™¿¡¨ºª¢¥¹\u00a0\u00ad"
# A sign within a word, or many letters beyond ASCII in a row, come of reading another encoding.
_MISREAD = re.compile(
    r"[^\W\d_][£¿¡¹³§€„“”«»‹›•·…¢¥©®™][^\W\d_]|[£¹²³±][^\W\d_]|[^\W\d_][£¿¡]|(?:(?!\w)[^\x00-\x7f]|[^\W\d_a-zA-Z]){5}"
)
_CHUNK = 1 << 20
_SAMPLE = 1 << 18


def detect_encoding(path: Path) -> str:
    """Python's name of the file's encoding.

    Raises GoldsmithError, with what was found and where, for an empty or binary file or one that no encoding reads.
    """
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    if not head.strip():
        raise GoldsmithError("the file is empty; nothing to load")
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise GoldsmithError(f"this is no CSV file but {what}")
    for bom, name in _BOMS:
        if head.startswith(bom):
            _check(path, name)
            return name
    if b"\x00" in head:
        wide = _utf16_without_bom(head)
        if wide is None:
            raise GoldsmithError(f"binary data: a NUL byte at offset {head.index(0)}; this is no text file")
        _check(path, wide)
        return wide
    if (offset := _first_error(path, "utf-8")) is None:
        return "utf-8"
    if fitting := _by_alphabet(_sample(path, offset)):
        _check(path, fitting)
        return fitting
    best = from_bytes(_sample(path, offset), cp_isolation=_CANDIDATES, steps=10, chunk_size=2048).best()
    if best is None:
        raise GoldsmithError(f"no encoding reads it: byte 0x{_byte(path, offset):02x} at offset {offset} is not UTF-8")
    name = _plausible(best.encoding, _sample(path, offset))
    _check(path, name)
    return name


def _by_alphabet(sample: bytes) -> str | None:
    """The first single-byte encoding in which nearly all that is not ASCII is one language's letters, or signs.

    A detector that compares frequencies is told too little by the few accented letters of a bank statement.
    """
    for name, alphabets in _ALPHABETS:
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        letters = Counter(c.lower()[0] for c in re.findall(r"[^\x00-\x7f]", text) if c not in _SIGNS)
        fitting = max(sum(letters[c] for c in alphabet) for alphabet in alphabets)
        wrong = letters.total() - fitting + sum(1 for _ in _MISREAD.finditer(text))
        if wrong <= 0.03 * letters.total():
            return name
    return None


def _plausible(name: str, sample: bytes) -> str:
    """cp1252 instead of its look-alikes, where the bytes are Western letters in it.

    Short Western files give a detector too little: their few accented letters are letters in cp1250 or mac_roman, too.
    """
    if name in {"gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251", "koi8_r", "cp1253"}:
        return name
    high = {b for b in sample if b >= 0x80}
    western = set(bytes("ÄÖÜäöüßéèêëàâáãçñóòôõíìîïúùûåæøÅÆØÉÈÀÁÂÃÇÑÓÔÕÍÚÊŠšŽž€£§°´‘’“”–…ºª¿¡«»·²³", "cp1252"))
    return "cp1252" if high <= western else name


def _utf16_without_bom(head: bytes) -> str | None:
    odd, even = head[1:2000:2].count(0), head[0:2000:2].count(0)
    half = len(head[:2000]) // 2
    if odd > 0.6 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 * half and odd < 0.1 * half else None


def _sample(path: Path, offset: int) -> bytes:
    """The head of the file and the surroundings of the first byte that is not UTF-8."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
        if offset < _SAMPLE:
            return head
        file.seek(max(0, offset - 2000))
        return head[: _SAMPLE // 4] + b"\n" + file.read(_SAMPLE // 4)


def _first_error(path: Path, encoding: str) -> int | None:
    """Offset of the first byte that the encoding cannot read, None if it reads the whole file."""
    # The decoder that skips a byte order mark counts from behind it.
    decoder = codecs.getincrementaldecoder(encoding.removesuffix("-sig"))()
    done = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return done - pending + error.start
            if not chunk:
                return None
            done += len(chunk)


def _check(path: Path, encoding: str) -> None:
    offset = _first_error(path, encoding)
    if offset is not None:
        raise GoldsmithError(
            f"byte 0x{_byte(path, offset):02x} at offset {offset} is not {encoding}, as the rest of the file is"
        )


def _byte(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        file.seek(offset)
        return (file.read(1) or b"\0")[0]
