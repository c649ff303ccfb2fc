"""The nasty files in `tests/data`, all invented, and what must come of them.

Beside each file stands its raw table, `<name>.rows.csv` (the physical line of each record, then its cells), and
`<name>.yml` with what the ledger says of it, its rejects and the lines around its data; or `refused:` with the reason.

    python tests/goldens.py          # writes them for files that have none; the others it leaves as they are

To change what must come of a file, delete its two goldens, run this, and read the diff: each line of it is a change in
what users get.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import duckdb
import yaml
from verdict import Loaded, database, load

from generator.errors import GoldsmithError

DATA = Path(__file__).parent / "data"
FILES = sorted(p for p in DATA.iterdir() if p.suffix in (".csv", ".txt", ".tsv") and not p.name.endswith(".rows.csv"))
_FACTS = (
    *("encoding", "delimiter", "quotechar", "escapechar", "has_header", "headers", "preamble_rows", "footer_rows"),
    *("rows_read", "rows_loaded", "rows_rejected", "remarks"),
)


def taken_in(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[dict[str, Any], list[list[str]]]:
    """What the yml says of a file, and its raw table."""
    try:
        loaded = load(connection, path)
    except GoldsmithError as error:
        return {"refused": str(error)}, []
    return dict(_facts(loaded)), [[str(line), *cells] for line, cells in sorted(loaded.rows.items())]


def _facts(loaded: Loaded) -> Iterator[tuple[str, Any]]:
    for name in _FACTS:
        value = getattr(loaded.ledger, name)
        yield name, list(value) if isinstance(value, tuple) else value
    yield "rejects", [{"line": at, "text": text, "reason": why} for at, (text, why) in sorted(loaded.rejects.items())]
    yield "margins", [{"line": line, "part": part, "text": text} for line, part, text in loaded.margins]


def golden(path: Path) -> tuple[dict[str, Any], list[list[str]]]:
    """What the goldens of a file say."""
    with path.with_suffix(".rows.csv").open(encoding="utf-8", newline="") as rows:
        return yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8")), list(csv.reader(rows))


def write_golden(path: Path, facts: dict[str, Any], rows: list[list[str]]) -> None:
    """Write the goldens of a file."""
    text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=120)
    path.with_suffix(".yml").write_text(text, encoding="utf-8")
    with path.with_suffix(".rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    with database() as warehouse:
        for nasty in FILES:
            if not nasty.with_suffix(".yml").exists():
                write_golden(nasty, *taken_in(warehouse, nasty))
                print(f"{nasty.name}: written, read it")
