"""A contract and a layout as facts for a prompt: one mapping a line, with what tells something and nothing else. Pure."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

from generator.columns.mask import mask, way
from generator.columns.profile import ColumnProfile
from generator.contracts.contract import Column, Contract
from generator.llm.privacy import CLEAR_VALUES, Disclosure

MAX_HEADER = 120
MAX_LINES = 12
MAX_LINE = 120
# A column of so few different values, each there a few times, shows all of them.
FEW = 8
OFTEN = 3
LOOK_AT = 200
# The more columns a layout has, the fewer and the shorter are the samples: (columns, samples, characters).
_SAMPLES = ((30, 4, 50), (60, 3, 36), (1_000_000, 2, 24))


def described_contract(contract: Contract) -> list[dict[str, Any]]:
    """The contract, then each of its columns."""
    return [{"contract": contract.name, "description": contract.description}, *map(_gold, contract.columns)]


def _gold(column: Column) -> dict[str, Any]:
    listed_in_full = () if column.unit == "iso4217" else column.accepted_values
    facts = {
        "name": column.name,
        "type": column.data_type,
        "required": column.not_null,
        "description": column.description,
        "unit": column.unit,
        "accepted_values": listed_in_full,
        "different_on_each_row": column.unique,
        "joined_from": column.compose,
    }
    return {k: v for k, v in facts.items() if v}


def described_layout(disclosure: Disclosure) -> list[dict[str, Any]]:
    """The file as a whole, then each column that holds something, then the names of those that are empty."""
    profile = disclosure.profile
    limit, length = next((limit, length) for upto, limit, length in _SAMPLES if len(profile.columns) <= upto)
    if disclosure.mode == "headers":
        return [{"delimiter": profile.delimiter}, *(_format(c) for c in profile.columns)]
    filled = [_column(c, disclosure, limit, length) for c in profile.columns if c.filled]
    empty = {c.name: c.header[:MAX_HEADER] for c in profile.columns if not c.filled}
    return [_file(disclosure), *filled, *([{"empty": empty}] if empty else [])]


def _file(disclosure: Disclosure) -> dict[str, Any]:
    profile = disclosure.profile
    facts = {
        "_source_file": disclosure.line(profile.source_file),
        "delimiter": profile.delimiter,
        "rows": max((c.rows for c in profile.columns), default=0),
        "_preamble": _lines(profile.preamble, disclosure),
        "_footer": _lines(profile.footer, disclosure),
    }
    return {k: v for k, v in facts.items() if v}


def _lines(text: str, disclosure: Disclosure) -> list[str]:
    """The lines around the table that tell something: with a digit, or with a word that may be told."""
    told = ((line, disclosure.line(line)) for line in text.splitlines())
    kept = (shown for line, shown in told if shown != mask(line) or any(c.isdigit() for c in line))
    return [line[:MAX_LINE] for line in islice(kept, MAX_LINES)]


def _named(column: ColumnProfile) -> dict[str, Any]:
    header = {} if says_the_same(column.name, column.header) else {"header": column.header[:MAX_HEADER]}
    return {"name": column.name, **header}


def says_the_same(name: str, header: str) -> bool:
    """Whether a header is the safe name but for blanks and capitals."""
    return header.lower().replace(" ", "_") == name


def _format(column: ColumnProfile) -> dict[str, Any]:
    """What the names, the shape and the formats of a column tell, without any count."""
    facts = _named(column) | {"shape": column.shape}
    if column.date:
        facts["date"] = column.date.formats
    if column.number:
        facts["decimal"] = "".join(column.number.separators)
    return facts


def _column(column: ColumnProfile, disclosure: Disclosure, limit: int, length: int) -> dict[str, Any]:
    facts = _named(column)
    if column.filled < column.rows:
        facts["filled"] = column.filled
    facts["distinct"] = column.distinct
    if column.date:
        facts["date"] = column.date.formats
        if column.date.prefix:
            facts["date_is_left"] = column.date.prefix
        if column.date.share == 1 and disclosure.mode == "shapes":
            return facts
    if column.number:
        number = column.number
        counts = {"negative": number.negative, "plus": number.plus, "zero": number.zero}
        facts |= {"decimal": "".join(number.separators), **{k: n for k, n in counts.items() if n}}
        if currency := disclosure.currency(column):
            facts["currency"] = currency
    return {**facts, "seen": _seen(column, disclosure, limit, length)}


def _seen(column: ColumnProfile, disclosure: Disclosure, limit: int, length: int) -> dict[str, int]:
    """How the cells are written -> the number of cells, the most frequent first: ways of writing, or all values."""
    repeated = column.distinct <= FEW and column.filled >= OFTEN * column.distinct and not column.number
    in_full = repeated or disclosure.is_open(column)
    named, ways = Counter[str](), dict[str, Counter[str]]()
    for cell, count in Counter(value[:LOOK_AT] for value in column.values if value).items():
        text = disclosure.cell(cell, column)
        text = text if len(text) <= length else text[:length] + "…"
        if in_full or disclosure.is_named(cell, column):
            named[text] += count
        else:
            ways.setdefault(way(cell), Counter())[text] += count
    written = Counter(named)
    for texts in sorted(ways.values(), key=lambda texts: -texts.total())[:limit]:
        written[texts.most_common(1)[0][0]] += texts.total()
    return dict(written.most_common(CLEAR_VALUES))
