"""Which of the encodings from before Unicode some words are in: the likeliest text, and how sure that is. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from generator.dialect.alphabets import ASCII, likelihood

# Python's names, the likelier ones first, with the natural logarithm of how likely each is beforehand.
_PRIORS = {
    "cp1252": 0.0,
    **dict.fromkeys(("cp1250", "cp1251", "gb18030", "shift_jis", "big5", "euc_kr"), -1.5),
    **dict.fromkeys(("cp1253", "cp1254", "cp1255", "cp1256", "cp874", "iso8859_15"), -2.0),
    **dict.fromkeys(("iso8859_2", "iso8859_7", "iso8859_9", "koi8_r", "euc_jp"), -2.5),
    **dict.fromkeys(("cp1257", "koi8_u", "mac_roman", "cp850", "cp852", "cp866", "iso8859_5"), -3.5),
    **dict.fromkeys(("cp1258", "cp437", "iso8859_13", "mac_cyrillic"), -4.5),
    "mac_latin2": -7.0,
}
# The languages in Latin script that each is made for; names from elsewhere may be in any text.
_WESTERN = tuple("de fr es pt it nl en sv da no fi is ca ga sq".split())
_CENTRAL = tuple("pl cs sk hu ro hr sl sq".split())
_BALTIC = ("et", "lv", "lt")
_LANGUAGES = {
    **dict.fromkeys(("cp1250", "iso8859_2", "cp852", "mac_latin2"), _CENTRAL),
    **dict.fromkeys(("cp1257", "iso8859_13"), _BALTIC),
    **dict.fromkeys(("cp1254", "iso8859_9"), ("tr",)),
    **dict.fromkeys(("cp1252", "iso8859_15"), (*_WESTERN, "et")),
    "cp1258": ("vi",),
}
_FOR_WESTERN = ("cp1252", "iso8859_15", "mac_roman", "cp850", "cp437")
_MANY = 0.1
# The same encoding with more characters, as Windows or a later standard has it.
EXTENDED = {"shift_jis": "cp932", "big5": "cp950", "euc_kr": "cp949", "euc_jp": "euc_jis_2004"}
MULTIBYTE = frozenset(("gb18030", *EXTENDED, *EXTENDED.values()))
# Below this certainty another reading is to be named. Neighbouring letters are not independent of each other, so that
# logarithms count for half: 0.95 is a text about 360 times as likely as the next one. In the tests' matrix of languages
# and in 2,600 files of frequent words and names no file of 10 rows or more was read wrongly with a certainty above it.
SURE = 0.95
_HALF = 0.5
_ENOUGH = 3  # so many words are to say that a file is no text
_HOPELESS = -9.5  # a character's mean likelihood in what is no text in any known language
_STRANGE = -4.2  # and in a word that is worth another look
_MUCH_LIKELIER = 7.0
_LONG_ENOUGH = 3
_MAX_STRANGE = 40


@dataclass(frozen=True)
class Reading:
    """The words as one encoding has them; `score` is the logarithm of how likely they are."""

    name: str
    words: tuple[str, ...]
    score: float


@dataclass(frozen=True)
class Doubt:
    """A word, by its place among the words, that would be another in another encoding."""

    place: int
    text: str
    other: str
    other_text: str


@dataclass(frozen=True)
class Verdict:
    """An encoding, 0..1 how sure it is that no other text was meant, and what else it could be, if anything."""

    name: str
    certainty: float
    doubt: Doubt | None = None


def judge(words: Sequence[bytes], share: float = 1.0) -> Verdict | None:
    """What these words, each with bytes beyond ASCII, are; None if they are no text in any known language.

    `share` is theirs among all words of the text.
    """
    best, *others = readings(words, share)
    wrong = _wrong(best.words)
    if len(words) >= _ENOUGH and (not is_text(best.words) or wrong > max(_ENOUGH, 0.1 * sum(map(len, best.words)))):
        return None
    certainty = 1 / (1 + sum(math.exp(_HALF * (other.score - best.score)) for other in others))
    if (doubt := _stranger(words, best)) is not None:
        return Verdict(best.name, min(certainty, _HALF), doubt)
    return Verdict(best.name, certainty, None if certainty >= SURE else _difference(best, others[0]))


def is_text(words: Sequence[str]) -> bool:
    """Whether words can be of any known language."""
    return likelihood(words) >= sum(_least(word, _HOPELESS) for word in words)


def readings(words: Sequence[bytes], share: float = 1.0) -> list[Reading]:
    """The different texts that these words can be, the likeliest first; each with the first encoding that has it.

    U+FFFD stands where an encoding has no character: a wrong byte makes a reading unlikely, not impossible.
    """
    rated: dict[tuple[str, ...], Reading] = {}
    for encoding, prior in _PRIORS.items():
        name, text = decoded(words, encoding)
        score = prior + likelihood(text, _LANGUAGES.get(encoding, _WESTERN)) + _rarity(encoding, share)
        before = rated.get(text)
        rated[text] = Reading(before.name, text, max(before.score, score)) if before else Reading(name, text, score)
    return sorted(rated.values(), key=lambda reading: -reading.score)


def decoded(words: Sequence[bytes], name: str) -> tuple[str, tuple[str, ...]]:
    """The words in that encoding, or in its extended form where only that has them all or has other characters."""
    text = tuple(word.decode(name, "replace") for word in words)
    if (extended := EXTENDED.get(name)) is None:
        return name, text
    more = tuple(word.decode(extended, "replace") for word in words)
    if more == text or _wrong(more) > _wrong(text) or (name == "euc_jp" and not _wrong(text)):
        return name, text
    return extended, more


def _rarity(encoding: str, share: float) -> float:
    """What speaks against an encoding if few words are beyond ASCII: outside Western languages most or many of them are."""
    if encoding in _FOR_WESTERN or share >= _MANY:
        return 0.0
    return max(-8.0, math.log(share / _MANY) * (2 if encoding in _LANGUAGES else 3))


def _wrong(words: Sequence[str]) -> int:
    return sum(word.count("\ufffd") for word in words)


def _difference(best: Reading, other: Reading) -> Doubt:
    """The word that speaks most for the other reading."""
    places = [n for n, (a, b) in enumerate(zip(best.words, other.words, strict=True)) if a != b]
    place = max(places, key=lambda n: likelihood([other.words[n]]) - likelihood([best.words[n]]))
    return Doubt(place, best.words[place], other.name, other.words[place])


def _stranger(words: Sequence[bytes], best: Reading) -> Doubt | None:
    """A word that is no word as it was read, and is one in another encoding: another export, or another program."""
    if best.name in MULTIBYTE:  # rare ideographs are many, and any two letters are one
        return None
    latin = _LANGUAGES.get(best.name, _WESTERN)
    fits = {n: likelihood([word], latin) for n, word in enumerate(best.words) if len(word) >= _LONG_ENOUGH}
    strange = [n for n, fit in fits.items() if fit < _least(best.words[n], _STRANGE)]
    for place in sorted(strange, key=fits.__getitem__)[:_MAX_STRANGE]:
        likeliest = readings([words[place]])[0]
        if likeliest.name not in MULTIBYTE and likeliest.score > fits[place] + _MUCH_LIKELIER:
            return Doubt(place, best.words[place], likeliest.name, likeliest.words[0])
    return None


def _least(word: str, each: float) -> float:
    """What a word's likelihood comes to if each character beyond ASCII has that one."""
    beyond = sum(1 for char in word if char > "\x7f")
    return each * beyond + ASCII * (len(word) - beyond)
