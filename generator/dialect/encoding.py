"""Which encoding a file is in: byte order marks, strict UTF-8, then the likeliest text; never a replacement character."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from generator.dialect.alphabets import likelihood
from generator.dialect.codepages import EXTENDED, MULTIBYTE, SURE, Doubt, is_text, judge, readings
from generator.dialect.decoding import bytes_at, check, cut_off, first_error, is_cut_off, line_of
from generator.dialect.survey import Survey, survey
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
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x19\x80-\x84\ufffe\uffff]")
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_HEAD = 1 << 16
_SHOWN = 30
# UTF-8 of UTF-8 that was taken for cp1252, as in "MÃ¼ller"; and what is ASCII only on the face of it.
_TWICE = re.compile(r"[\w'’-]{0,40}[ÂÃ][\u0080-\u00bfŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™][\w'’-]{0,40}")
_ESCAPED = (
    (re.compile(rb"\x1b\$[@B].{1,200}?\x1b\([BJ]"), "iso2022_jp"),
    (re.compile(rb"(?<![\w+/])\w{0,40}\+[A-Za-z0-9+/]{3,200}-\w{0,40}"), "utf-7"),
)
# Of words that are UTF-8 among others that are not: a file of two encodings from that share on, else a doubtful word.
_TWO_ENCODINGS = 0.1
_LIKELIER = 5.0


@dataclass(frozen=True)
class Encoding:
    """Python's name of an encoding; how certain it is that no other text was meant, 0..1; what else it might be.

    The certainty is 1 for Unicode, which is recognised by its form. For other encodings see `codepages`: below
    `codepages.SURE` there is a remark with a word that another encoding would read otherwise.
    """

    name: str
    certainty: float = 1.0
    remark: str = ""


def detect_encoding(path: Path) -> Encoding:
    """The file's encoding, which reads every byte of it.

    Raises GoldsmithError, with what was found and where, for an empty or binary file, one that no encoding reads, one
    that is cut off within a character, and one that changes its encoding.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip() and path.stat().st_size <= _HEAD:
        raise GoldsmithError("the file is empty; nothing to load")
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise GoldsmithError(f"this is no CSV file but {what}")
    name = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    name = name or (_wide_without_mark(head) if b"\x00" in head else None)
    if name is not None:
        check(path, name)
        return Encoding(name)
    offset = first_error(path, "utf-8")
    if offset is None:
        return Encoding("utf-8", remark=_remark_on_unicode(head))
    if bytes_at(path, offset, 1) == b"\x00":
        raise GoldsmithError(f"binary data: a NUL byte at offset {offset}; this is no text file")
    if _is_ebcdic(head):
        raise GoldsmithError("this is EBCDIC, a mainframe's encoding; convert the file to UTF-8")
    return _before_unicode(path, offset)


def _before_unicode(path: Path, offset: int) -> Encoding:
    """For a file whose byte at `offset` is not UTF-8."""
    found = survey(path, offset)
    words = list(found.words)
    misfit = _unicode_among(path, found, offset)
    verdict = judge(words, found.share)
    if verdict is None:
        byte = bytes_at(path, offset, 1)[0]
        raise GoldsmithError(
            f"no encoding reads it as words: byte 0x{byte:02x} at offset {offset}, line {line_of(path, offset)}, is not "
            "UTF-8; if this is text, save it as UTF-8"
        )
    name = _checked(path, verdict.name, found)
    certainty, doubt = verdict.certainty, verdict.doubt
    if doubt is None and misfit is not None:
        place, text = misfit
        certainty, doubt = min(certainty, 0.5), Doubt(place, words[place].decode(name), "utf-8", text)
    if doubt is None:
        return Encoding(name, certainty)
    line = line_of(path, found.words[words[doubt.place]])
    return Encoding(
        name,
        certainty,
        f"read as {name}, which is not certain: '{_short(doubt.text)}' in line {line} would be "
        f"'{_short(doubt.other_text)}' in {doubt.other}; if that is right, save the file as UTF-8",
    )


def _checked(path: Path, name: str, found: Survey) -> str:
    """The encoding, or its extended form, that reads every byte of the file. Raises GoldsmithError if neither does."""
    if name in EXTENDED:
        if first_error(path, name) is None:
            return name
        name = EXTENDED[name]
    if name in MULTIBYTE or "\ufffd" in found.beyond_ascii.decode(name, "replace"):
        check(path, name)
    return name


def _unicode_among(path: Path, found: Survey, offset: int) -> tuple[int, str] | None:
    """A word that is UTF-8, in a file that is not: its place and text.

    Raises GoldsmithError if there are many: the file is cut off, damaged, or made of two.
    """
    words = list(found.words)
    unicode = {place: text for place, word in enumerate(words) if (text := _utf8(word)) is not None}
    if not unicode:
        return None
    legacy = readings([words[place] for place in unicode])[0]
    if likelihood(unicode.values()) < legacy.score + _LIKELIER:
        return None
    if is_cut_off(path, "utf-8", offset):
        raise cut_off(path, "UTF-8", offset)
    place, text = next(iter(unicode.items()))
    if len(unicode) < _TWO_ENCODINGS * len(words):
        return place, text
    others = [word for n, word in enumerate(words) if n not in unicode]
    verdict = judge(others)
    like = f"; that part reads as {verdict.name}" if verdict and verdict.certainty >= SURE else ""
    raise GoldsmithError(
        f"byte 0x{bytes_at(path, offset, 1)[0]:02x} at offset {offset}, line {line_of(path, offset)}, is not UTF-8, but "
        f"'{_short(text)}' in line {line_of(path, found.words[words[place]])} is{like}: the file is damaged there or made of "
        "two; save all of it as UTF-8, or load the parts as files of their own"
    )


def _utf8(word: bytes) -> str | None:
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _wide_without_mark(head: bytes) -> str:
    """UTF-16 or UTF-32 without a mark: the one in which most of the text is ASCII, as delimiters and digits are.

    Raises GoldsmithError if it is neither.
    """
    shares = {name: _ascii_share(head[: len(head) // 4 * 4], name) for name in _WIDE}
    name = max(shares, key=lambda n: shares[n])
    if shares[name] < 0.1:
        raise GoldsmithError(f"binary data: a NUL byte at offset {head.index(0)}; this is no text file")
    return name


def _ascii_share(data: bytes, name: str) -> float:
    """The share of ASCII in data in that encoding; 0 if it cannot be that, or has control characters."""
    try:
        text = codecs.lookup(name).incrementaldecoder().decode(data)
    except UnicodeDecodeError:
        return 0.0
    if not text or _NO_TEXT.search(text) or not is_text(text[:2000].split()):
        return 0.0
    return sum(map(str.isascii, text)) / len(text)


def _is_ebcdic(head: bytes) -> bool:
    text = head.decode("cp500")
    return sum(1 for c in text if "\x20" <= c < "\x7f" or c in "\r\n\x85\t") > 0.97 * len(text)


def _remark_on_unicode(head: bytes) -> str:
    """On text that is UTF-8 and has marks of another encoding within it; it stands as it is."""
    if head.isascii():
        for form, name in _ESCAPED:
            for found in form.findall(head):
                text = _read(found, name)
                if text is not None and not text.isascii() and is_text([text]):
                    return f"'{_short(found.decode())}' would be '{_short(text)}' in {name}; loaded as it stands"
        return ""
    for twice in _TWICE.findall(head.decode("utf-8", "ignore")):
        once = _utf8(twice.encode("cp1252", "replace"))
        if once is not None:
            return f"'{_short(twice)}' may be '{_short(once)}', written as UTF-8 twice; loaded as it stands"
    return ""


def _read(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeDecodeError, ValueError):
        return None


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
