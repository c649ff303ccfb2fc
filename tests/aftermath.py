"""Invented files for a run, and all that it leaves behind: to be compared with a run that nobody disturbed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from projects import SKELETON, LiveProject


def files() -> dict[str, str | bytes]:
    """Two layouts of a bank, one file with faults, one layout from two senders, and orders."""
    days = range(10, 28)
    shop = "".join(f"2024-01-{d},Shop {d},-{d}.50\n" for d in days)
    german = "".join(f"{d}.02.2024;Laden {d};-{d},25;EUR\n" for d in days)
    dirty = shop.replace("-11.50", "12 Taler").replace("-13.50", "zwölf").replace("-14.50", "-14.50,x,y,z")
    orders = "".join(
        f"A-{i},2024-05-{i:02} 10:00:00,paid,a{i}@example.com,SKU-{i},{i},{i * 10}.00,EUR\n" for i in range(1, 20)
    )
    head = "Booking date,Description,Amount\n"
    return {
        "bank_transactions/shop/january.csv": head + shop,
        "bank_transactions/shop/dirty.csv": head + dirty,
        "bank_transactions/laden/februar.csv": "Buchungstag;Verwendungszweck;Betrag;Währung\n" + german,
        "bank_transactions/other/march.csv": head + shop.replace("-01-", "-03-"),
        "bank_transactions/shop/shapes.csv": "colour,shape\nred,round\nblue,square\n",
        "bank_transactions/shop/picture.csv": b"\x89PNG\r\n\x1a\n\x00\x00",
        "orders/web/may.csv": "Order Number,Order Date,Status,Customer Email,SKU,Quantity,Order Total,Currency\n"
        + orders,
    }


def landed(folder: Path) -> LiveProject:
    """A project with all of these in landing/, and a place of its own for temporary files."""
    project = LiveProject.copy(folder / "project", *SKELETON).keep_contracts("bank_transactions", "orders")
    for name, text in files().items():
        project.put(f"landing/{name}", text)
    return project


def facts(project: LiveProject) -> dict[str, Any]:
    """All that a run leaves behind, but for the times: tables row by row, dbt models, archive, and stray files."""
    names = project.query(
        "select schema_name || '.\"' || table_name || '\"' from duckdb_tables() where database_name = 'test' order by 1"
    )
    tables = {}
    for (name,) in names:
        columns = [d for (d, *_) in project.query(f"describe {name}") if d not in ("loaded_at", "_loaded_at")]
        tables[name] = project.query(
            f"select {', '.join(f'{c}' for c in map(quoted, columns))} from {name} order by all"
        )
    archive = {}
    for path in sorted(p for p in (project.folder / "archive").rglob("*") if p.is_file()):
        content: Any = hashlib.sha256(path.read_bytes()).hexdigest()
        if path.suffix == ".json":
            content = {k: v for k, v in json.loads(path.read_text(encoding="utf-8")).items() if k != "taken_at"}
        archive[str(path.relative_to(project.folder))] = content
    beside = sorted(p.name for p in project.folder.iterdir() if p.is_file())
    return {**tables, "dbt project": project.tree(), "archive": archive, "beside": beside}


def quoted(name: str) -> str:
    return f'"{name}"'


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What is not as it should be, one line a row or file."""
    lines = []
    for part in sorted({*found, *expected}):
        is_, should = ({repr(x) for x in listed(side.get(part))} for side in (found, expected))
        lines += [f"{part}: {x} is there" for x in is_ - should] + [f"{part}: {x} is missing" for x in should - is_]
        if not lines and found.get(part) != expected.get(part):
            lines.append(f"{part}: something is there twice")
    return lines


def listed(part: Any) -> list[Any]:
    return list(part.items()) if isinstance(part, dict) else part or []
