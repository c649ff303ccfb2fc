"""The profile of a layout: what its columns look like, from a sample of its rows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from generator.columns.cells import clean, has_value
from generator.columns.dates import DateShape, date_shape, settle_dates
from generator.columns.numbers import NumberShape, number_shape, settle_numbers
from generator.naming import safe_columns


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a layout.

    `name` is the safe SQL name, `header` the original text (`column_3` where the file has no header), `position`
    counts from 0. `shape` is the format shape that the fingerprint uses (`DD.MM.YYYY`, `1.234,56`, `integer`, `text`,
    `empty`, ...). `rows` sampled, `filled` of them hold something, `distinct` different values. `values` are the sampled
    cells in file order, trimmed ('' where empty). `frequent` are the most frequent values with counts, at most 20.
    `date` and `number` are set where the column holds dates or numbers, and say how they are written.
    """

    name: str
    header: str
    position: int
    shape: str
    rows: int
    filled: int
    distinct: int
    values: tuple[str, ...]
    frequent: tuple[tuple[str, int], ...]
    date: DateShape | None = None
    number: NumberShape | None = None


@dataclass(frozen=True)
class LayoutProfile:
    """A layout as providers see it. `preamble` and `footer` are the lines before the header and after the data."""

    columns: tuple[ColumnProfile, ...]
    source_file: str
    delimiter: str
    has_header: bool
    preamble: str = ""
    footer: str = ""

    def column(self, name: str) -> ColumnProfile:
        """The column with that safe name; KeyError where there is none."""
        return {c.name: c for c in self.columns}[name]

    @property
    def headers(self) -> tuple[str, ...]:
        """The original header texts in order."""
        return tuple(c.header for c in self.columns)

    @property
    def shapes(self) -> tuple[str, ...]:
        """The format shapes in order."""
        return tuple(c.shape for c in self.columns)


def build_profile(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    source_file: str,
    delimiter: str,
    has_header: bool,
    preamble: str = "",
    footer: str = "",
) -> LayoutProfile:
    """The profile of a layout from sampled rows, each with one cell for each header, in file order."""
    cells = [[clean(row[i]) for row in rows] for i in range(len(headers))]
    numbers = settle_numbers([number_shape(c) for c in cells])
    commas = any(n and n.separators == (",",) and not n.integers for n in numbers)
    dates = settle_dates([date_shape(c) for c in cells], locale_day_first=delimiter == ";" and commas)
    columns = []
    for i, (name, header) in enumerate(zip(safe_columns(headers), headers, strict=True)):
        date, number = dates[i], numbers[i] if not dates[i] else None
        counts = Counter(c for c in cells[i] if c)
        columns.append(
            ColumnProfile(
                name=name,
                header=header,
                position=i,
                shape=_shape(cells[i], date, number),
                rows=len(rows),
                filled=sum(has_value(c) for c in cells[i]),
                distinct=len(counts),
                values=tuple(cells[i]),
                frequent=tuple(sorted(counts.items(), key=lambda p: (-p[1], p[0]))[:20]),
                date=date,
                number=number,
            )
        )
    return LayoutProfile(tuple(columns), source_file, delimiter, has_header, preamble, footer)


def _shape(cells: Sequence[str], date: DateShape | None, number: NumberShape | None) -> str:
    if not any(has_value(c) for c in cells):
        return "empty"
    if date:
        return date.label
    if number:
        if number.integers:
            return "integer"
        return "1.234" if len(number.separators) > 1 else "1,234.56" if number.separators == (".",) else "1.234,56"
    return "text"
