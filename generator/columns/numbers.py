"""How numbers are written: signs, currencies, decimal and thousands signs. Pure.

A column's shape is decided on all of its sampled cells. Where they cannot tell a decimal from a thousands sign, the
shape says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from generator.columns.cells import BLANKS, clean, has_value

_CODE = r"(?:\b[A-Z]{3}\b|R\$|kr\.?|zł|Kč|Ft|Fr\.|元|円|원|руб\.?|лв\.?|TL)"
_CURRENCY = re.compile(rf"[$€£¥₹₽₩₪₺₫₴₦฿¢￥]|{_CODE}")
_DIGITS = re.compile(r"\d[\d., '\u2019\u00a0\u202f\u2009]*\d|[.,]?\d+|\d+[.,]?")
_DIRECTION = re.compile(r"(?<![^\W\d_])(?:CR|DR|Cr|Dr|cr|dr)$")


@dataclass(frozen=True)
class NumberShape:
    """How a column writes its numbers.

    `separators` are the possible decimal signs (`.`, `,`): both where the column cannot tell. `negative` and `plus`
    count cells with an explicit minus (or parentheses, or DR) and an explicit plus (or CR); `zero` those that are 0.
    `decimals` is the largest number of decimal digits, `currency` the ISO code or sign in the cells, if all agree.
    `share` of the filled cells are such numbers, 0 to 1. `integers`: no cell has a decimal or thousands sign.
    """

    separators: tuple[str, ...]
    share: float
    negative: int = 0
    plus: int = 0
    zero: int = 0
    decimals: int = 0
    currency: str | None = None
    integers: bool = False


# Columns repeat their cells.
@lru_cache(maxsize=1 << 12)
def number_parts(cell: str) -> tuple[int, str, str | None] | None:
    """A cell as (sign, digits with separators, currency), or None: `($1,234.50)` -> (-1, `1,234.50`, `$`).

    The sign is -1 or +1 where one is written, 0 where none is.
    """
    text = clean(cell)
    sign = 0
    if text.startswith("(") and text.endswith(")"):
        sign, text = -1, text[1:-1].strip(BLANKS)
    if match := _DIRECTION.search(text):
        sign, text = -1 if "d" in match[0].lower() else 1, text[: match.start()]
    currency = None
    for _ in range(4):
        text = text.strip(BLANKS)
        if text[:1] in ("-", "\u2212", "+") or text[-1:] in ("-", "\u2212", "+"):
            if sign:
                return None
            at_start = text[0] in "-\u2212+"
            sign = 1 if (text[0] if at_start else text[-1]) == "+" else -1
            text = text[1:] if at_start else text[:-1]
        elif currency is None and (match := _CURRENCY.match(text)):
            currency, text = match[0], text[match.end() :]
        elif currency is None and (found := [m for m in _CURRENCY.finditer(text) if m.end() == len(text)]):
            currency, text = found[0][0], text[: found[0].start()]
        else:
            break
    return (sign, text, currency) if _DIGITS.fullmatch(text) else None


# No group of thousands begins with a zero: `0.250` is a quarter, whoever wrote it.
_GROUPS = {
    ".": re.compile(
        r"(?:[1-9]\d{0,2}(?:([,' \u2019\u00a0\u202f\u2009])\d{3}(?:\1\d{3})*)|\d+|[1-9]\d?(?:,\d{2})+,\d{3})?(?:\.\d*)?"
    ),
    ",": re.compile(r"(?:[1-9]\d{0,2}(?:([.' \u2019\u00a0\u202f\u2009])\d{3}(?:\1\d{3})*)|\d+)?(?:,\d*)?"),
}


def number_shape(cells: Sequence[str]) -> NumberShape | None:
    """The number shape of a column, or None if fewer than 60 % of its filled cells are numbers of one notation."""
    filled = [clean(c) for c in cells if has_value(c)]
    parts = [p for p in map(number_parts, filled) if p]
    if not filled or len(parts) < 0.6 * len(filled):
        return None
    fits = {sep: [p for p in parts if pattern.fullmatch(p[1])] for sep, pattern in _GROUPS.items()}
    most = max(len(f) for f in fits.values())
    if most < 0.6 * len(filled):
        return None
    separators = tuple(sep for sep in (".", ",") if len(fits[sep]) == most)
    fitting = fits[separators[0]]
    if len(separators) == 2 and all(_same_either_way(p[1]) for p in fitting):
        separators = (".",)
    currencies = {p[2] for p in fitting if p[2]}
    separator = separators[0]
    return NumberShape(
        separators=separators,
        share=most / len(filled),
        negative=sum(p[0] < 0 for p in fitting),
        plus=sum(p[0] > 0 for p in fitting),
        zero=sum(not re.search("[1-9]", p[1]) for p in fitting),
        decimals=max((len(p[1].partition(separator)[2]) for p in fitting), default=0),
        currency=currencies.pop() if len(currencies) == 1 else None,
        integers=all(p[1].isdigit() for p in fitting),
    )


def _same_either_way(digits: str) -> bool:
    """Whether the digits mean the same under both decimal signs: no point and no comma, or nothing but blanks."""
    return "." not in digits and "," not in digits


def settle_numbers(shapes: Sequence[NumberShape | None]) -> list[NumberShape | None]:
    """Settle columns such as `1.234`, which cannot tell, by the other number columns of the file.

    Columns of plain integers say nothing and take no part; their separator stays `.`, which reads them either way.
    """
    known = {s.separators[0] for s in shapes if s and len(s.separators) == 1 and not s.integers and s.decimals}
    if len(known) != 1:
        return list(shapes)
    separator = known.pop()
    return [replace(s, separators=(separator,)) if s and (len(s.separators) == 2 or s.integers) else s for s in shapes]


def read_number(cell: str, separator: str) -> float | None:
    """A cell as a float, for arithmetic that finds balances; never for values that reach gold."""
    parts = number_parts(cell)
    if not parts or not _GROUPS[separator].fullmatch(parts[1]):
        return None
    digits = re.sub(r"[^\d,.]", "", parts[1]).replace("," if separator == "." else ".", "").replace(",", ".")
    return (-1 if parts[0] < 0 else 1) * float(digits) if digits.strip(".") else None
