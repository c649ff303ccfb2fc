"""dbt models of layouts that no yml describes any more: one was renamed without the other, or the yml was deleted.

A layout is known by its yml, so such a dbt model, and whatever people wrote into it, would be passed over in silence, and
the layout mapped anew.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from generator.errors import UsageError

_SOURCE = re.compile(r"source\(\s*['\"]raw['\"]\s*,\s*['\"]([^'\"]+)['\"]\s*\)")
_CONTRACT = re.compile(r"contract_violations\(\s*['\"]([^'\"]+)['\"]\s*\)")


@dataclass(frozen=True)
class Left:
    """What a yml says of a dbt model that has no file."""

    yml: Path
    dbt_model: str
    contract: str
    fingerprint: str


def raw_table(sql: str) -> str | None:
    """The raw table that a dbt model reads."""
    found = _SOURCE.search(sql)
    return found[1] if found else None


def ensure_described(
    undescribed: Iterable[Path], known: Collection[tuple[str, str]], without_file: Iterable[Left]
) -> None:
    """UsageError for a file that reads a raw table as a layout does, where none of the `known` (raw table and contract)
    does: a copy beside the layout itself is a draft, and anything without violations is something else.
    """
    for path in undescribed:
        sql = path.read_bytes().decode("utf-8", "replace")
        table = raw_table(sql)
        if table is None or "_violations" not in sql:
            continue
        contracts = set(_CONTRACT.findall(sql))
        if any(table == read and (not contracts or contract in contracts) for read, contract in known):
            continue
        for left in without_file:
            if table.endswith(f"_{left.fingerprint[:8]}") and (not contracts or left.contract in contracts):
                raise UsageError(
                    f"{path}: reads raw.{table}, which {left.yml} says {left.dbt_model} does; write `name: {path.stem}` "
                    "there, or rename the file, or delete it to have it generated again"
                )
        raise UsageError(
            f"{path}: reads raw.{table}, and no yml describes it; put its yml back (git checkout), or delete it to have it "
            "generated again"
        )
