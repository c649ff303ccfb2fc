"""How likely a text is in any language: facts about letters, by which readings of the same bytes are compared."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from functools import cache

from generator.dialect.letters import BESIDE, FIRST, FREQUENT, LAST, LATIN, OTHERS, RARE, SIGNS, VOWELS

_INSIDE_WORDS = frozenset("’·\u00ad´\u00a0")  # signs that may stand between two letters
_BESIDE_NUMBERS = frozenset("£€½¼¾²³±×")
# Letters that are a word by themselves in some language, and marks that follow a letter.
_WORDS = frozenset("àáâåæèéêíóôöøúüœавикосуяіїйεηοו\u0300\u0301\u0303\u0309\u0323")
_OPENING = frozenset("„“«¿¡")
# Latin letters that stand for their likenesses in other alphabets.
_ALIKE = frozenset("aceiopxyABCEHIKMOPTXY")
# Natural logarithms of how likely each of these is; found by trying out, on texts that no test has.
ASCII = -2.0  # for each letter or digit that an encoding of two bytes a character might have eaten
_KATAKANA = -3.8
_CONTROL, _UNKNOWN, _WRONG = -16.0, -11.0, -18.0
_ASIDE = 0.03  # the share of letters that are another language's: names from abroad
# A language in Latin script has its letters beyond ASCII singly, most of them.
_NEIGHBOURS = {
    **dict.fromkeys(LATIN, -3.5),
    **dict.fromkeys(("cs", "sk", "pl", "is", "hu", "lt", "lv"), -2.0),
    "vi": -0.7,
}
_BROKEN_CASE = -5.0  # "aB", "ABc"
_MIXED = -6.0  # two scripts in a word, or a letter of another script than most of the text
_GLUED = -5.0  # a letter on a digit, a sign within a word
_MISPLACED = -4.0  # a letter beside others than it stands by
_ON_LATIN = -2.5  # an East Asian character on a Latin letter


def _weights(table: str) -> dict[str, float]:
    shares = {entry[0]: float(entry[1:]) for entry in table.split()}
    return {letter: share / sum(shares.values()) for letter, share in shares.items()}


def _ranked(letters: str) -> dict[str, float]:
    """Shares for letters of which only the order is known: they fall about exponentially in most alphabets."""
    shares = {letter: math.exp(-4 * rank / len(letters)) for rank, letter in enumerate(letters)}
    return {letter: share / sum(shares.values()) for letter, share in shares.items()}


def _logarithms(languages: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Of each letter's share in a language of which some words are in another one of these."""
    every = {letter for shares in languages.values() for letter in shares}
    aside = {a: _ASIDE * sum(s.get(a, 0) for s in languages.values()) / len(languages) for a in every}
    return {
        name: {letter: math.log(aside[letter] + (1 - _ASIDE) * shares.get(letter, 0)) for letter in every}
        for name, shares in languages.items()
    }


_SCRIPTS = tuple(
    _logarithms(languages)
    for languages in (
        {name: _weights(table) for name, table in LATIN.items()},
        *({n: _ranked(OTHERS[n]) for n in names.split()} for names in ("ru uk bg sr mk be", "el", "he", "ar fa", "th")),
    )
)
_SCRIPT_OF = {
    letter: number for number, script in enumerate(_SCRIPTS) for shares in script.values() for letter in shares
}
_LATIN_SCRIPT = 0


@cache
def _east_asian(char: str) -> float | None:
    """The logarithm of the share of a Chinese, Japanese or Korean character; None for any other."""
    code = ord(char)
    if 0x3040 <= code < 0x3100:
        return -4.5
    if 0x3000 <= code < 0x3020 or 0xFF01 <= code < 0xFF61 or 0xFFE0 <= code < 0xFFE7:
        return -5.0
    if 0xAC00 <= code < 0xD7A4:
        first, rest = divmod(code - 0xAC00, len(VOWELS) * len(LAST))
        vowel, last = divmod(rest, len(LAST))
        return math.log(FIRST[first] * VOWELS[vowel] * LAST[last] / 1e6)
    if 0x4E00 <= code < 0xA000:
        return _ideograph(char)
    return None if code < 0x3100 or 0xE000 <= code < 0xF900 else -16.0


def _half_width(char: str, before: str) -> float:
    """Katakana of half width, as banks write them: small ones, the long vowel and the voice marks follow others."""
    if char in "ﾞﾟ":
        return _KATAKANA + (0 if before in ("ﾊﾋﾌﾍﾎ" if char == "ﾟ" else "ｳｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ") else _GLUED)
    if char in "ｧｨｩｪｫｬｭｮｯｰ":
        return _KATAKANA + (0 if "ｱ" <= before <= "ﾟ" else _GLUED)
    return (
        _KATAKANA + (_MISPLACED if char in "｡｢｣､･ｦ" else 0) + (_GLUED if before.isascii() and before.isalpha() else 0)
    )


def _ideograph(char: str) -> float:
    """Ideographs stand in the national sets in two levels: those in use, and the rest."""
    if char in FREQUENT:
        return -6.6
    if any(_within(char, name, end) for name, end in (("gb2312", 0xD8), ("big5", 0xC7), ("euc_jp", 0xD0))):
        return -9.3
    return -13.0 if any(_within(char, name, 0x100) for name in ("gb2312", "big5", "euc_jp")) else -15.0


def _within(char: str, encoding: str, end: int) -> bool:
    try:
        return char.encode(encoding)[0] < end
    except UnicodeEncodeError:
        return False


def likelihood(words: Iterable[str], latin: Collection[str] = LATIN) -> float:
    """The natural logarithm of how likely these words beyond ASCII are, in the language that fits them best.

    `latin` are the languages in Latin script that it can be. Comparable between readings of the same bytes only.
    """
    letters: tuple[Counter[tuple[str, str, str]], ...] = tuple(Counter() for _ in _SCRIPTS)
    total = 0.0
    for word in words:
        total += _count(word, letters)
    main = max(range(len(letters)), key=lambda n: letters[n].total())
    for number, found in enumerate(letters):
        if found:
            languages = latin if number == _LATIN_SCRIPT else _SCRIPTS[number]
            total += max(_fit(found, number, name) + RARE.get(name, 0) for name in languages)
            total += 0 if number == main else _MIXED * found.total()
    return total


def _count(word: str, letters: tuple[Counter[tuple[str, str, str]], ...]) -> float:
    """What is to be said of a word in any language. Its letters are counted, with those beside them, by script."""
    total, two_before, before = 0.0, " ", " "
    for char, after in zip(word, f"{word[1:]} ", strict=True):
        if char > "\x7f":
            total += _anywhere(char, before, after, letters)
            if char.islower() and before.isupper() and two_before.isupper():
                total += _BROKEN_CASE
        else:
            total += ASCII
            if char.isalpha() and before > "\x7f" and _breaks_case(before, char, two_before):
                total += _BROKEN_CASE
        two_before, before = before, char
    return total


def _breaks_case(before: str, char: str, two_before: str) -> bool:
    return (before.islower() and char.isupper()) or (before.isupper() and two_before.isupper() and char.islower())


def _anywhere(char: str, before: str, after: str, letters: tuple[Counter[tuple[str, str, str]], ...]) -> float:
    if (sign := SIGNS.get(char)) is not None:
        if char == "\u00a0" and before.isdigit() and after.isdigit():
            return -0.5
        return sign + (_GLUED if _is_glued(char, before, after) else 0)
    lower = char if char == "İ" else char.lower()
    if (script := _SCRIPT_OF.get(lower)) is not None:
        letters[script][(before.lower()[:1], lower, after.lower()[:1])] += 1
        total = _GLUED if before.isdigit() or after.isdigit() else 0.0
        total += _BROKEN_CASE if char.isupper() and before.islower() else 0
        total += 0 if before.isalpha() or after.isalpha() or char in _WORDS else _MISPLACED
        if script == _LATIN_SCRIPT:
            return total
        return total + sum(_MIXED / (2 if c in _ALIKE else 1) for c in (before, after) if c.isascii() and c.isalpha())
    if "｡" <= char <= "ﾟ":
        return _half_width(char, before)
    if (share := _east_asian(char)) is not None:
        return share + sum(_ON_LATIN for c in (before, after) if c.isascii() and c.isalpha())
    if char == "\ufffd" or "\x80" <= char < "\xa0":
        return _WRONG
    return _CONTROL if unicodedata.category(char)[0] == "C" else _UNKNOWN


def _is_glued(sign: str, before: str, after: str) -> bool:
    """Whether a sign stands where none of its kind does: within a word, or an amount's or a quotation's on a word."""
    if sign in _BESIDE_NUMBERS:
        return before.isalpha() or after.isalpha()
    if sign == "°":
        return before.isalpha() and before not in "nN"
    if sign in _OPENING:
        return before.isalpha()
    if sign in "”»":
        return after.isalpha()
    if sign == "’" and after.isalpha():  # l’eau, it’s; in Greek it ends a word
        alone = before.isascii() and before.lower() not in "ldjmtsncvoe" and after.lower() not in "stmdlrvy"
        return alone or not before.isalpha() or "\u0370" <= after < "\u0400"
    return before.isalpha() and after.isalpha() and sign not in _INSIDE_WORDS


def _fit(letters: Counter[tuple[str, str, str]], script: int, language: str) -> float:
    shares, neighbours = _SCRIPTS[script][language], _NEIGHBOURS.get(language, 0.0)
    total = 0.0
    for (before, letter, after), count in letters.items():
        each = shares[letter]
        if neighbours and before > "\x7f" and before.isalpha() and letter != "ß":
            each += neighbours
        if beside := BESIDE.get((language, letter)):
            each += 0 if _stands(before, beside[0]) and _stands(after, beside[1]) else _MISPLACED
        total += count * each
    return total


def _stands(char: str, among: str) -> bool:
    return not among or (char in among if char.isalpha() else "$" in among)
