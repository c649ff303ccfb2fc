"""The fingerprint of a layout: a hash of its ordered headers and each column's format shape. Pure.

Never values, never row counts: the next file of the same layout has the same fingerprint, or a compatible one (an empty
column fits any shape, integers fit a column of decimals).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

# `1.234,56`, `1,234.56`: the shapes of decimals; `integer` fits both.
NUMBERS = frozenset({"1,234.56", "1.234,56", "1.234", "integer"})


def fingerprint(headers: Sequence[str], shapes: Sequence[str]) -> str:
    """Hex sha256 of the layout. Headers are compared as they are written, but for outer blanks."""
    document = json.dumps([[h.strip(), s] for h, s in zip(headers, shapes, strict=True)], ensure_ascii=False)
    return hashlib.sha256(document.encode()).hexdigest()


def compatible(known: Sequence[str], new: Sequence[str]) -> bool:
    """Whether a file of shapes `new` can be of the layout with shapes `known`; both in column order.

    A text column takes any text, so any shape fits it; dates and decimals must be written as they were.
    """
    return len(known) == len(new) and all(fits(k, n) for k, n in zip(known, new, strict=True))


def fits(known: str, new: str) -> bool:
    """The same of one column's shapes."""
    if known == new or "empty" in (known, new) or known == "text":
        return True
    if known in NUMBERS and new in NUMBERS:
        return "integer" in (known, new)
    return _undirected(known) == _undirected(new) and "NN" in new


def _undirected(shape: str) -> str:
    """A date shape with day and month as the same sign: a file whose dates cannot tell fits the layout that knows."""
    return shape.replace("DD", "NN").replace("MM", "NN")
