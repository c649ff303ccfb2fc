"""The fingerprint of a layout: a hash of its ordered headers and each column's format shape. Pure.

Never values, never row counts: the next file of the same layout has the same fingerprint, or a compatible one (an empty
column fits any shape, integers fit a column of decimals).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

# The shapes of numbers that are not all whole -> their decimal sign; None for numbers that do not tell it.
DECIMALS = {"1,234.56": ".", "1.234,56": ",", "1.234": None}
NUMBERS = frozenset({*DECIMALS, "integer"})


def fingerprint(headers: Sequence[str], shapes: Sequence[str]) -> str:
    """Hex sha256 of the layout. Headers are compared as they are written, but for outer blanks."""
    document = json.dumps([[h.strip(), s] for h, s in zip(headers, shapes, strict=True)], ensure_ascii=False)
    return hashlib.sha256(document.encode()).hexdigest()


def compatible(known: Sequence[str], new: Sequence[str]) -> bool:
    """Whether a file of shapes `new` can be of the layout with shapes `known`; both in column order.

    A text column takes any text, so any shape fits it; dates and decimals must be written as they were. What was whole or
    empty told no decimal sign: there `misread` has the last word.
    """
    return len(known) == len(new) and all(
        fits(k, n) or (k == "integer" and n in DECIMALS) for k, n in zip(known, new, strict=True)
    )


def misread(known: str, new: str, signs: AbstractSet[str]) -> bool:
    """Whether a column that was of shape `known`, and is read by these decimal `signs`, may hold other numbers than they
    make of it now that its shape is `new`. Without a sign it is not read as a number.
    """
    return known != new and new in DECIMALS and bool(signs) and set(signs) != {DECIMALS[new]}


def fits(known: str, new: str) -> bool:
    """Whether a column of shape `known` is written as before if its shape is `new`: whole numbers may get a decimal point."""
    if known == new or "empty" in (known, new) or known == "text":
        return True
    if known in NUMBERS and new in NUMBERS:
        return new == "integer" or (known, new) == ("integer", "1,234.56")
    return _undirected(known) == _undirected(new) and "NN" in new


def _undirected(shape: str) -> str:
    """A date shape with day and month as the same sign: a file whose dates cannot tell fits the layout that knows."""
    return shape.replace("DD", "NN").replace("MM", "NN")
