"""How alike a header and an alias are. Pure; the offline matcher's sense of names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from rapidfuzz import fuzz

from generator.naming import ascii_words

# Abbreviations that stand for one word in any export.
_SAME = {
    **dict.fromkeys(("nr", "no", "num", "nbr", "numero", "nummer"), "number"),
    **dict.fromkeys(("qty", "quantities"), "quantity"),
    **dict.fromkeys(("amt",), "amount"),
    **dict.fromkeys(("addr", "adress", "address1"), "address"),
    **dict.fromkeys(("tel", "telephone"), "phone"),
    **dict.fromkeys(("acct",), "account"),
    **dict.fromkeys(("desc", "descr"), "description"),
    **dict.fromkeys(("cust",), "customer"),
    **dict.fromkeys(("dt",), "date"),
    **dict.fromkeys(("ccy", "curr"), "currency"),
    **dict.fromkeys(("prod",), "product"),
    **dict.fromkeys(("mail",), "email"),
    **dict.fromkeys(("img",), "image"),
    **dict.fromkeys(("zipcode",), "zip"),
}


@cache
def _words(text: str) -> tuple[str, ...]:
    joined = re.sub(r"\be mail\b", "email", " ".join(ascii_words(re.sub(r"(?<=\w)\s*#", " number ", text))))
    return tuple(_SAME.get(w, w) for w in joined.split())


@cache
def _forms(text: str) -> tuple[tuple[str, ...], ...]:
    """The words of a text as it is, and without what stands in brackets: `Birthday (yyyy-mm-dd)` -> `birthday`."""
    bare = re.sub(r"[(\[（【].*?[)\]）】]", " ", text)
    return tuple(dict.fromkeys(f for f in (_words(text), _words(bare)) if f))


@cache
def similarity(header: str, alias: str, neutral: frozenset[str] = frozenset()) -> float:
    """From 0 to 1: 1 for the same words, less for neutral words around them, plurals, typos or further words."""
    return max((_alike(h, _words(alias), neutral) for h in _forms(header)), default=0.0)


def _alike(header: Sequence[str], alias: Sequence[str], neutral: frozenset[str]) -> float:
    if not alias:
        return 0.0
    one, other = "".join(header), "".join(alias)
    if one == other:
        return 1.0
    if _singular(one) == _singular(other):
        return 0.97
    bare = [w for w in header if w not in neutral]
    bare_alias = [w for w in alias if w not in neutral]
    if bare and bare_alias and _singular("".join(bare)) == _singular("".join(bare_alias)):
        return 0.92 if len(header) - len(bare) + len(alias) - len(bare_alias) < 3 else 0.85
    if min(len(one), len(other)) >= 6 and fuzz.ratio(one, other, score_cutoff=90):
        return 0.8 if re.findall(r"\d+", one) == re.findall(r"\d+", other) else 0.0
    return _contained(bare or list(header), list(alias))


def _contained(header: list[str], alias: list[str]) -> float:
    """The alias among further words: the more of the header it is, the better; numbered columns are others."""
    size = len(alias)
    found = any(header[i : i + size] == alias for i in range(len(header) - size + 1))
    rest = sum(map(len, header)) - sum(map(len, alias))
    if not found or rest < 0 or any(w.isdigit() for w in header if w not in alias):
        return 0.0
    return 0.4 + 0.42 * sum(map(len, alias)) / sum(map(len, header))


def _singular(text: str) -> str:
    return text[:-1] if text.endswith("s") and len(text) > 4 and not text.endswith("ss") else text


def best(header: str, aliases: Sequence[str], neutral: frozenset[str] = frozenset()) -> float:
    """The best similarity of a header to any of the aliases, 0 if there are none; earlier aliases win ties."""
    names = tuple(aliases)
    near = _Near.of(names, neutral).to(header)
    return max((similarity(header, names[i], neutral) - 1e-4 * i for i in near), default=0.0)


class _Near:
    """Which of many aliases a header can be like at all: few share a word with it, or are about as long."""

    def __init__(self, aliases: tuple[str, ...], neutral: frozenset[str]) -> None:
        self._neutral = neutral
        self._by_word: dict[str, set[int]] = {}
        self._by_length: dict[int, set[int]] = {}
        self._by_bare: dict[int, set[int]] = {}
        for i, alias in enumerate(aliases):
            words = _words(alias)
            for word in words:
                self._by_word.setdefault(word, set()).add(i)
            self._by_length.setdefault(sum(map(len, words)), set()).add(i)
            self._by_bare.setdefault(self._bare(words), set()).add(i)

    @staticmethod
    @cache
    def of(aliases: tuple[str, ...], neutral: frozenset[str]) -> _Near:
        """The index of these aliases."""
        return _Near(aliases, neutral)

    def to(self, header: str) -> set[int]:
        """The aliases that are near to a header, by their places."""
        found: set[int] = set()
        for words in _forms(header):
            for word in words:
                found |= self._by_word.get(word, set())
            length, bare = sum(map(len, words)), self._bare(words)
            # As far apart as two texts of a fuzzy ratio of 90 can be, or a plural.
            for size in range(int(length / 1.25) - 1, int(length * 1.25) + 3):
                found |= self._by_length.get(size, set())
            for size in (bare - 1, bare, bare + 1):
                found |= self._by_bare.get(size, set())
        return found

    def _bare(self, words: Sequence[str]) -> int:
        """The letters of a text without neutral words."""
        return sum(len(w) for w in words if w not in self._neutral)
