"""Mask cells so that their format can be told and nothing else. Pure. What may stay in clear is decided in `privacy`."""

from __future__ import annotations

import re
import unicodedata

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
# Behind a digit these are no words but tell a date, as its dots do elsewhere.
_DATE_MARK = re.compile(r"(?<=\d)[年月日]")


def mask(text: str, keep: frozenset[str] = frozenset()) -> str:
    """Each letter becomes the stand-in of its script, each digit `9`; blanks, punctuation and currency signs stay.

    So do the length, the marks of `2024年1月2日`, and the words in `keep` (casefolded).
    """
    if not keep:
        masked = text.translate(_STAND_INS)
        for mark in _DATE_MARK.finditer(text):
            masked = f"{masked[: mark.start()]}{mark[0]}{masked[mark.end() :]}"
        return masked
    parts, end = [], 0
    for word in _WORD.finditer(text):
        parts += [mask(text[end : word.start()]), word[0] if word[0].casefold() in keep else mask(word[0])]
        end = word.end()
    return "".join([*parts, mask(text[end:])])


class _StandIns(dict[int, str]):
    """The stand-in of each character, by its code: made when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _stand_in(chr(code))
        return self[code]


_STAND_INS = _StandIns()


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


def way(cell: str) -> str:
    """What two cells share that are written alike: their masks, where a run of the same character or word counts once."""
    runs = re.sub(r"(\w)\1+", r"\1", mask(cell))
    return re.sub(r"(\b\w+)(?:\s+\1\b)+", r"\1", runs)
