"""What cells, columns and rows hold, so that a line can be told that is none of the rows: a header. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from generator.columns.cells import clean, has_value
from generator.columns.dates import date_shape
from generator.columns.numbers import number_parts

_NOT_A_LABEL = re.compile(r"\S+@\S+\.\w+|https?://\S+|[0-9a-fA-F-]{16,}|\d{1,2}:\d{2}(:\d{2})?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_KINDS = (
    ("time", re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp]\.?[Mm]\.?)?")),
    ("address", re.compile(r"\S+@\S+\.\w+|(?:https?|ftp)://\S+|www\.\S+")),
    ("code", re.compile(r"(?=\S*\d)[^\W_][\w./-]*")),
)


@lru_cache(maxsize=1 << 15)
def kind(cell: str) -> str:
    """What a cell holds: `number`, `date`, `time`, `address`, `code` (letters and digits), `text`, or '' for nothing."""
    text = clean(cell)
    if not has_value(text):
        return ""
    if number_parts(text.removesuffix("%")) is not None:
        return "number"
    if date_shape([text]) is not None:
        return "date"
    return next((name for name, pattern in _KINDS if pattern.fullmatch(text)), "text")


def column_kinds(rows: Sequence[Sequence[str]]) -> list[str]:
    """The kind that at least three fifths of the filled cells of a column have; '' for texts and mixtures."""
    found = []
    for cells in zip(*rows, strict=True):
        counts = Counter(k for k in map(kind, cells) if k)
        name, most = counts.most_common(1)[0] if counts else ("", 0)
        found.append(name if name != "text" and most >= 0.6 * counts.total() else "")
    return found


class Body:
    """What the rows of a table hold, column by column, so that a line can be told that is none of them."""

    def __init__(self, rows: Sequence[Sequence[str]], top: Sequence[str] = ()) -> None:
        self.kinds, self.top = column_kinds(rows), tuple(top)
        self.rows = [tuple(map(clean, r)) for r in rows]
        years = [sum(bool(_YEAR.fullmatch(clean(c))) for c in cells) for cells in zip(*rows, strict=True)]
        self.years = [2 * n > len(rows) for n in years]
        counts = sorted(sum(map(has_value, row)) for row in rows)
        self.filled = counts[len(counts) * 3 // 4] if counts else 0

    @property
    def typed(self) -> bool:
        """Whether any column holds something else than texts."""
        return any(self.kinds)

    def fit(self, fields: Sequence[str]) -> tuple[int, int]:
        """In how many columns a line's cell is of the column's kind, and in how many it is not. Years can be labels."""
        labels = self._labels(fields)
        pairs = [
            (kind(cell), wanted, i in labels)
            for i, (cell, wanted) in enumerate(zip(fields, self.kinds, strict=False))
            if wanted and (has_value(cell) or _label(clean(cell)))
        ]
        fits = sum(_alike(found, wanted) and not label for found, wanted, label in pairs)
        return fits, len(pairs) - fits

    def is_strange(self, fields: Sequence[str]) -> bool:
        """Whether a line has years and texts where the rows have nothing but texts."""
        texts = [clean(f) for f in fields]
        years = {i for i, t in enumerate(texts) if _YEAR.fullmatch(t) and not self.years[i]}
        return bool(years) and all(_label(t) for i, t in enumerate(texts) if i not in years)

    def _labels(self, fields: Sequence[str]) -> set[int]:
        """Where a line has years above columns that hold none, or the topmost line numbers that count up by one."""
        texts = [clean(f) for f in fields]
        years = {i for i, t in enumerate(texts[: len(self.years)]) if _YEAR.fullmatch(t) and not self.years[i]}
        counted = [i for i, t in enumerate(texts) if t.isdecimal()]
        steps = {int(texts[b]) - int(texts[a]) for a, b in pairwise(counted)}
        return years | (set(counted) if tuple(fields) == self.top and len(counted) > 2 and steps == {1} else set())

    def is_row(self, fields: Sequence[str]) -> bool:
        """Whether a line can be one of the rows."""
        fits, others = self.fit(fields)
        return fits > 0 and fits >= others and len(fields) >= len(self.kinds)

    def recurs(self, fields: Sequence[str]) -> bool:
        """Whether two cells of a line are found again in one column or another of other lines: it is no header."""
        texts = tuple(map(clean, fields))
        others = set[str]().union(*(r for r in self.rows if r != texts))
        return sum(t in others for t in set(texts) if t) >= min(2, len(texts))

    def is_no_row(self, fields: Sequence[str]) -> bool:
        """Whether a line has words where the rows have numbers, dates and the like."""
        fits, others = self.fit(fields)
        return others > fits


def _alike(found: str, wanted: str) -> bool:
    return found == wanted or (found, wanted) == ("number", "code")


def label_like(fields: Sequence[str], filled: float = 0.5) -> bool:
    """Whether cells could be a header: different texts, none of them a number, date, address or id.

    More than `filled` of them must hold something.
    """
    texts = [clean(f) for f in fields if clean(f)]
    return (
        len(texts) >= min(2, len(fields))
        and len(texts) > filled * len(fields)
        and len(set(texts)) >= 0.6 * len(texts)
        and all(map(_label, texts))
    )


def _label(text: str) -> bool:
    """Whether a text could name a column: one with letters that is no address or id, or a sign such as `#` or `№`."""
    if any(c.isalpha() for c in text):
        return kind(text) not in ("number", "date") and not _NOT_A_LABEL.fullmatch(text)
    return bool(text) and all(c in "#%" or unicodedata.category(c) in ("So", "Sc") for c in text)
