"""Cells as text: what is blank, what holds something to be read. Pure."""

from __future__ import annotations

BLANKS = " \t\r\n\v\f\u00a0\u2007\u2009\u202f\u200b\ufeff\u3000"
NULL_WORDS = frozenset({"null", "none", "nan", "n/a", "na", "#n/a", "nil", "(null)", "<null>", "[null]", "\\n"})


def clean(cell: str) -> str:
    """The cell without outer blanks of any kind."""
    return cell.strip(BLANKS)


def has_value(cell: str) -> bool:
    """Whether a cell holds something to be read; the same rule as the SQL function of that name."""
    text = clean(cell)
    return any(map(str.isalnum, text)) and text.lower() not in NULL_WORDS
