"""Invented lives of sources: what files come, in which layouts, and what people do to the dbt models that read them.

A life is one random sequence. Many live in one project, each with a source and headers of its own, so that they cannot
meet: one dbt build serves all. What gold must hold is known here, row by row, without asking goldsmith.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

ROWS = 12
Values = dict[str, str | date | Decimal | None]


@dataclass(frozen=True)
class Shape:
    """How a source writes its files: header text -> what is in the column, and the formats of dates and numbers."""

    headers: tuple[tuple[str, str], ...]
    day: str = "%Y-%m-%d"
    comma: bool = False

    def cell(self, what: str, row: Row) -> str:
        """One cell of a file."""
        value = row.values.get(what)
        if what in row.wrong:
            return row.wrong[what]
        if isinstance(value, date):
            return value.strftime(self.day)
        text = "" if value is None else str(value)
        return text.replace(".", ",") if self.comma and isinstance(value, Decimal) else text

    def written(self, rows: list[Row]) -> str:
        """A file, its cells parted by semicolons."""
        lines = [";".join(header for header, _ in self.headers)]
        lines += [";".join(self.cell(what, row) for _, what in self.headers) + row.surplus for row in rows]
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class Row:
    """What a record says, in truth. `wrong`: column -> a cell that cannot be read; `surplus` makes it no record at all."""

    values: Values
    wrong: dict[str, str] = field(default_factory=dict)
    surplus: str = ""


@dataclass(frozen=True)
class File:
    """A file that came: its records by line, and what its layout has."""

    name: str
    shape: Shape
    rows: dict[int, Row]


@dataclass(frozen=True)
class Edit:
    """A change by hand to a dbt model: `find` is replaced, once; `effect` is what each `mark` in a dbt model then does to a
    record on its way to gold, also where the expression was taken over by another dbt model: None leaves it out.
    """

    find: str
    replacement: str | Callable[[re.Match[str]], str]
    mark: str = ""
    effect: Callable[[int, Values], Values | None] = lambda line, values: values


def _quieter(line: int, values: Values) -> Values:
    return {**values, "meter": str(values["meter"]).lower()}


def _doubled(line: int, values: Values) -> Values:
    kwh = values["kwh"]
    return {**values, "kwh": 2 * kwh if isinstance(kwh, Decimal) else kwh}


EDITS = (
    Edit(r"\A", "-- Looked at by Ann: {{ 'fine' }}.\n"),
    Edit(r"\n\Z", "\n-- That is all.\n\n"),
    Edit(r"(clean_text\(\w+\))( (?i:as) meter\b)", r"lower(\1)\2", "lower(clean_text(meter", _quieter),
    Edit(r"(parse_decimal\([^)]*\))( (?i:as) kwh\b)", r"\1 /* both ways */ * 2\2", " * 2", _doubled),
    Edit(
        r"( {4}(?i:from source))\n\)",
        r"\1\n    where _source_row % 2 = 0\n)",
        "_source_row % 2 = 0",
        lambda line, values: None if line % 2 else values,
    ),
    Edit(r"(?s)with source as.*", lambda m: _reformatted(m[0])),
    Edit(r"(?m)^( +)(\w.*) as kwh,$", r"\1-- What the meter says.\n\1(\n\1    \2\n\1) as kwh,"),
)


def _reformatted(sql: str) -> str:
    """As a formatter does that likes capitals and commas in front."""
    loud = re.sub(r"\b(with|select|from|as|where|exclude)\b", lambda m: m[0].upper(), sql)
    return re.sub(r",\n( +)(?=\S)", lambda m: f"\n{m[1][:-2]}, ", loud)


@dataclass
class Life:
    """A source: the shapes it has used, the files that came, and what happened."""

    source: str
    contract: str
    shapes: list[Shape]
    files: dict[str, File] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    count: int = 0

    @classmethod
    def born(cls, number: int, contract: str) -> Life:
        """A new source, with headers that no other has."""
        headers = (("Meter", "meter"), ("Read on", "read_on"), ("kWh", "kwh"), ("Kind", "kind"))
        own = (f"Remark {number}", "remark")
        return cls(f"s{number}", contract, [Shape((*headers, own))])

    def file(self, shape: Shape, bad: bool) -> File:
        """A new file of a shape. With `bad`, one record has a cell that cannot be read and one has a field too many."""
        self.count += 1
        chance = random.Random(f"{self.source} {self.count}")
        start = date(2024, 1, 13) + timedelta(days=self.count)
        rows = {}
        for i in range(ROWS):
            rows[i + 2] = Row(
                {
                    "meter": f"{self.source.upper()}-{chance.randrange(40):03}",
                    "read_on": start + timedelta(days=30 * i),
                    "kwh": Decimal(chance.randrange(10_000)) / 100 + Decimal("0.01") * (i == 0),
                    "kind": chance.choice(("day", "night")),
                    "remark": f"note {self.count}-{i}",
                    "more": f"more {i}",
                }
            )
        if bad:
            rows[3] = replace(rows[3], wrong={chance.choice(("kwh", "read_on", "kind")): "dusk"})
            rows[4] = replace(rows[4], surplus=";x;y")
        name = f"{self.contract}/{self.source}/f{self.count:03}.csv"
        self.files[name] = File(name, shape, rows)
        return self.files[name]

    def drifted(self, how: Drift) -> Shape:
        """The latest shape, changed."""
        last = self.shapes[-1]
        headers = list(last.headers)
        if how == "added":
            headers.insert(2, (f"More {len(self.shapes)}", "more"))
        elif how == "dropped":
            headers = [h for h in headers if h[1] not in ("kind", "more")]
        elif how == "renamed":
            headers = [("Meter no" if h == "Meter" else "Meter" if h == "Meter no" else h, w) for h, w in headers]
        elif how == "reordered":
            headers = [headers[-1], *headers[:-1]]
        changed = replace(last, headers=tuple(headers))
        if how == "format":
            changed = replace(changed, day="%d.%m.%Y" if last.day == "%Y-%m-%d" else "%Y-%m-%d", comma=not last.comma)
        self.shapes.append(changed)
        return changed


Drift = Literal["added", "dropped", "renamed", "reordered", "format"]


def effects(sql: str) -> list[Edit]:
    """The edits that a dbt model has, whoever made them."""
    return [edit for edit in EDITS if edit.mark for _ in range(sql.count(edit.mark))]


def edited(text: str, edit: Edit) -> str | None:
    """A dbt model after an edit; None where there is nothing to edit."""
    found = re.sub(edit.find, edit.replacement, text, count=1)
    return found if found != text else None
