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
    return max((similarity(header, a, neutral) - 1e-4 * i for i, a in enumerate(aliases)), default=0.0)
