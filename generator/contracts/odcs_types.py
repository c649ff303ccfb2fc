"""Data types of a contract in the words of the Open Data Contract Standard, and of other databases. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator.contracts.contract import TYPES, Column
from generator.errors import UsageError

_LOGICAL = {
    "text": "string",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
    "integer": "integer",
    "double": "number",
    "decimal": "number",
}
_FROM_LOGICAL = {
    "string": "text",
    "date": "date",
    "timestamp": "timestamp",
    "time": "text",
    "boolean": "boolean",
    "integer": "bigint",
    "number": "double",
}
# Other databases' names of our types.
_PHYSICAL = {
    "text": r"(var|n|nvar)?char(acter)?( varying)?|string|text|clob|uuid|time",
    "timestamp": r"timestamp\w*|datetime\w*|timestamp with(out)? time zone",
    "boolean": r"bool|bit",
    "integer": r"int|int4|int32|smallint|tinyint|int2|int16",
    "bigint": r"int8|int64|long|hugeint",
    "double": r"float\d?|real|double precision|float64",
    "date": r"date\d*",
}


def logical_type(physical: str) -> str:
    """The standard's word for one of our data types."""
    return _LOGICAL.get(Column("", physical.lower()).base_type, "string")


def data_type(given: Mapping[str, Any]) -> str:
    """The data type of a contract for a property of the standard. UsageError for one that a gold table cannot have."""
    physical = re.sub(r"\s+", " ", str(given.get("physicalType") or "")).strip().lower()
    if TYPES.fullmatch(physical):
        return physical
    sized = re.fullmatch(r"(?:number|numeric|decimal|dec)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)", physical)
    if sized:
        return f"decimal({sized[1]},{sized[2] or 0})"
    bare = re.sub(r"\s*\(.*\)", "", physical)
    for data_type, pattern in _PHYSICAL.items():
        if bare == data_type or re.fullmatch(pattern, bare):
            return data_type
    logical = str(given.get("logicalType") or "")
    if logical not in _FROM_LOGICAL:
        raise UsageError(
            f"column {given.get('name')!r}: type {physical or logical or 'none'!r} is none that a gold table can have; say "
            "physicalType: text, date, timestamp, boolean, integer, bigint, double or decimal(18,2)"
        )
    return _FROM_LOGICAL[logical]
