"""Mask cells so that their format can be told and nothing else: what a prompt may carry of a file. Pure.

Threat model: the prompt leaves the machine. A letter or a digit of a cell goes out only where the whole cell is a text
of the gold contract, or where the column is a small closed list that `clear_values` lets through.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from generator.candidate import Candidate
from generator.contracts import Contract
from generator.profile import ColumnProfile, LayoutProfile

SAMPLE_LENGTH = 60
LOOK_AT = 200
FLAG_VALUES = 8
FLAG_LENGTH = 16
CLEAR_LENGTH = 40
CLEAR_CONFIDENCE = 0.5

# Lower and upper stand-in for each script; one character where the script has no case.
_SCRIPTS = {
    "CJK": "字",
    "IDEOGRAPHIC": "字",
    "HIRAGANA": "あ",
    "KATAKANA": "ア",
    "HANGUL": "한",
    "CYRILLIC": "жЖ",
    "GREEK": "λΛ",
    "ARABIC": "ع",
    "HEBREW": "ש",
    "DEVANAGARI": "क",
    "THAI": "ก",
}
_WORD = re.compile(r"[^\W\d_]+")
_DIRECTION = re.compile(r"\b(?:CR|DR)\b", re.IGNORECASE)
_DATES = {
    "Y": "2031",
    "y": "31",
    "-y": "31",
    "H": "14",
    "-H": "14",
    "I": "02",
    "-I": "2",
    "p": "PM",
    "M": "05",
    "-M": "5",
    "S": "09",
    "-S": "9",
    "f": "000000",
    "g": "000",
    "n": "000000000",
    "z": "+0200",
    "Z": "UTC",
    "%": "%",
}
_DAYS = {
    (27, 12): {"b": "Dec", "B": "December", "a": "Sat", "A": "Saturday", "j": "361", "-j": "361"},
    (3, 4): {"b": "Apr", "B": "April", "a": "Thu", "A": "Thursday", "j": "093", "-j": "93"},
}


@dataclass(frozen=True)
class Sample:
    """One way in which a column's cells are written, masked. `share` of the filled cells are like it, 0 to 1."""

    text: str
    share: float


def mask(text: str, keep: frozenset[str] = frozenset()) -> str:
    """Each letter becomes the stand-in of its script, each digit `9`; blanks, punctuation and currency signs stay.

    The length stays. Words in `keep` (casefolded) stay in clear.
    """
    if not keep:
        return "".join(map(_stand_in, text))
    parts, end = [], 0
    for word in _WORD.finditer(text):
        parts += [mask(text[end : word.start()]), word[0] if word[0].casefold() in keep else mask(word[0])]
        end = word.end()
    return "".join([*parts, mask(text[end:])])


@lru_cache(maxsize=4096)
def _stand_in(character: str) -> str:
    category = unicodedata.category(character)
    if character in "\t\n\r\N{REPLACEMENT CHARACTER}" or category[0] in "PZ" or category in {"Sc", "Sm", "Sk"}:
        return character
    if category[0] == "N":
        return "9"
    if category[0] == "S":
        return "□"
    if category[0] == "C":
        return "\N{REPLACEMENT CHARACTER}"
    names = re.split("[ -]", unicodedata.name(character, ""))
    script = next((_SCRIPTS[n] for n in names[:2] if n in _SCRIPTS), "xX")
    return script[-1] if category in {"Lu", "Lt"} else script[0]


def sample_cells(column: ColumnProfile, limit: int = 5, known: frozenset[str] = frozenset()) -> tuple[Sample, ...]:
    """Masked samples that cover the different ways in which the cells are written, the most frequent way first.

    `known` are casefolded texts that stay in clear where they are the whole cell: words of the contract.
    """
    ways: dict[str, Counter[str]] = {}
    for cell in filter(None, (value[:LOOK_AT] for value in column.values)):
        text = cell if cell.casefold() in known else _mask_cell(cell, column)
        ways.setdefault(_way(text), Counter())[_short(text)] += 1
    filled = sum(way.total() for way in ways.values())
    ranked = sorted(ways.values(), key=lambda way: -way.total())[:limit]
    return tuple(Sample(way.most_common(1)[0][0], round(way.total() / filled, 2)) for way in ranked)


def _mask_cell(cell: str, column: ColumnProfile) -> str:
    """As `mask`; where the column holds numbers, the words that tell a sign stay."""
    if column.number is None:
        return mask(cell)
    parts, end = [], 0
    for word in _DIRECTION.finditer(cell):
        parts += [mask(cell[end : word.start()]), word[0]]
        end = word.end()
    return "".join([*parts, mask(cell[end:])])


def _way(masked: str) -> str:
    """What two cells share that are written alike: runs of the same character and of the same word count once."""
    runs = re.sub(r"(\w)\1+", r"\1", masked)
    return re.sub(r"(\b\w+)(?:\s+\1\b)+", r"\1", runs)


def _short(text: str) -> str:
    return text if len(text) <= SAMPLE_LENGTH else text[:SAMPLE_LENGTH] + "…"


def invented_dates(formats: tuple[str, ...]) -> tuple[str, ...]:
    """A made-up date for each DuckDB strptime format; its day is above 12 only where the format is known."""
    day, month = (27, 12) if len(formats) == 1 else (3, 4)
    texts = {
        **_DATES,
        **_DAYS[day, month],
        "d": f"{day:02}",
        "-d": str(day),
        "m": f"{month:02}",
        "-m": str(month),
    }
    return tuple(re.sub(r"%(-?.)", lambda d: texts.get(d[1], d[0]), f) for f in formats)


def known_values(contract: Contract) -> frozenset[str]:
    """The cell texts that the contract itself names, casefolded: accepted values, synonyms, words for a direction."""
    found: set[str] = set()
    for column in contract.columns:
        found.update(column.accepted_values, column.synonyms, *column.synonyms.values())
        if column.sign:
            found.update(column.sign.outflow_values, column.sign.inflow_values)
    return frozenset(text.casefold() for text in found)


def known_words(contract: Contract, profile: LayoutProfile) -> frozenset[str]:
    """The words of the contract and of the headers, casefolded: they may stay in the lines around the table."""
    texts: set[str] = {*known_values(contract), *(c.header for c in profile.columns)}
    for column in contract.columns:
        texts.update(_names(column.name, column.aliases, column.weak_aliases, column.decoys, column.time_aliases))
        if column.sign:
            texts.update(_names("", column.sign.outflow, column.sign.inflow, column.sign.flag))
    return frozenset(word.casefold() for text in texts for word in _WORD.findall(text))


def _names(name: str, *lists: tuple[str, ...]) -> Iterable[str]:
    return [name, *(text for texts in lists for text in texts)]


def clear_values(column: ColumnProfile, contract: Contract, suggestion: Candidate) -> tuple[tuple[str, int], ...]:
    """The frequent values that may go out in clear, with counts; () for nearly every column.

    Let through: a closed list that is suggested for a gold column with accepted values, and a flag (2 to 8 short words
    that repeat). Never a column suggested for a pii column, or with a header that means one.
    """
    uses = [
        (gold, suggestion.columns[gold.name].confidence)
        for gold in contract.columns
        if gold.name in suggestion.columns and column.name in suggestion.columns[gold.name].source_columns
    ]
    if any(gold.pii for gold, _ in uses) or _means_pii(column.header, contract):
        return ()
    # An amount may be a source of a closed list, too (`EUR` from the header `Betrag (EUR)`): numbers but 1 and 0 stay.
    amounts = column.number is not None and any(len(value) > 1 for value, _ in column.frequent)
    if column.date or amounts or not 0 < column.distinct <= len(column.frequent):
        return ()
    accepted = any(gold.accepted_values and confidence >= CLEAR_CONFIDENCE for gold, confidence in uses)
    closed = accepted and all(len(value) <= CLEAR_LENGTH for value, _ in column.frequent)
    return column.frequent if closed or _is_flag(column) else ()


def _means_pii(header: str, contract: Contract) -> bool:
    words = set(_words(header))
    names = [name for c in contract.columns if c.pii for name in _names(c.name, c.aliases, c.weak_aliases)]
    return any(set(_words(name)) <= words for name in names if _words(name))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _is_flag(column: ColumnProfile) -> bool:
    """Few short values that repeat. Digits are none but a single one, and two capitalised words could be a name."""
    values = [value for value, _ in column.frequent if value]
    repeated = column.filled >= max(10, 3 * column.distinct)
    return repeated and 2 <= column.distinct <= FLAG_VALUES and all(_is_flag_value(value) for value in values)


def _is_flag_value(value: str) -> bool:
    words = value.split()
    if len(value) > FLAG_LENGTH or len(words) > 2 or "@" in value:
        return False
    if len(words) == 2 and not words[1].islower():
        return False
    return len(value) == 1 or not any(character.isnumeric() for character in value)
