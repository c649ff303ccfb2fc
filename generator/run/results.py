"""What the database and the staging folder say after a run: counts for each file, mappings with samples, previews."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import duckdb

from generator.columns.mask import mask
from generator.contracts.contract import Column, Contract
from generator.database.ledger import Connection, LedgerRow, connect, has_database
from generator.mapping.cache import Mapped
from generator.outcome import FileOutcome, LayoutOutcome, MappedColumn, Preview, State
from generator.project.layouts import Layout
from generator.project.project import Project
from generator.project.written import on_one_line, read_written
from generator.run.counts import WAITING, Counts, Freezing, staged_versions

PREVIEW_ROWS = 5
SAMPLES = 3
CELL = 60


def loaded_outcome(row: LedgerRow, mapped: Mapped | None = None) -> FileOutcome:
    """What the ledger knows of a file; beyond loading only that a blocked file's rows wait in quarantine."""
    layout = mapped.layout if mapped else None
    blocked = row.state == "blocked" and not mapped
    return FileOutcome(
        source_file=row.source_file,
        state="blocked" if blocked else "loaded",
        message="" if mapped else row.message or "",
        file_id=row.file_id,
        contract=layout.contract if layout else row.contract,
        source=row.source,
        layout=layout.short if layout else row.layout,
        mapping=mapped.how if mapped else "",
        provider=layout.provider if layout else "",
        review=layout.standing if layout else "",
        encoding=row.encoding,
        delimiter=row.delimiter,
        bytes=row.bytes,
        sha256=row.sha256,
        rows_read=row.rows_read,
        rows_quarantined=row.rows_loaded if blocked else 0,
        rows_rejected=row.rows_rejected,
        remarks=row.remarks,
        changes=_changes(mapped),
    )


def file_outcome(project: Project, row: LedgerRow, mapped: Mapped, counts: Counts) -> FileOutcome:
    """A built file, reconciled: each of its source rows is in exactly one count."""
    layout = mapped.layout
    contract = project.contracts[layout.contract]
    state, message = verdict(project, row, layout, counts.quarantined)
    if counts.freezing:
        state, message = "failed", _frozen_message(contract, layout, counts.freezing)
    return FileOutcome(
        source_file=row.source_file,
        state=state,
        message=message,
        file_id=row.file_id,
        contract=contract.name,
        source=row.source,
        layout=layout.short,
        mapping=mapped.how,
        provider=layout.provider,
        review=layout.standing,
        encoding=row.encoding,
        delimiter=row.delimiter,
        bytes=row.bytes,
        sha256=row.sha256,
        rows_read=row.rows_read,
        rows_gold=counts.gold - counts.both,
        rows_superseded=counts.kinds.get("superseded", 0),
        rows_quarantined=counts.quarantined,
        rows_filtered=counts.kinds.get("filtered", 0),
        rows_rejected=row.rows_rejected,
        remarks=row.remarks,
        changes=_changes(mapped),
        reasons=counts.reasons,
        questions=tuple(f"{q['column']}: {q['text']}" for q in layout.questions) if state == "held" else (),
    )


def _changes(mapped: Mapped | None) -> tuple[str, ...]:
    """What a layout that was just mapped has other than the known one that it is nearly."""
    return (mapped.layout.drifted,) if mapped and mapped.how == "generated" and mapped.layout.drifted else ()


def held_message(project: Project, layout: Layout, why: str) -> str:
    """Why a layout is held, and how a person answers."""
    path = layout.path.relative_to(project.folder)
    why = why if why.endswith((".", "?", "!")) else f"{why}."
    return (
        f"{why} Answer with goldsmith review {layout.short}; or correct {path} if need be, goldsmith approve "
        f"{layout.short}, and dbt run"
    )


def _frozen_message(contract: Contract, layout: Layout, freezing: Freezing) -> str:
    """Which table, column, row and value keep a file out of gold, and what a person can do."""
    cells = violating_cells(contract, layout, freezing.violation, freezing.cells) or "no cell"
    return (
        f"gold.{contract.name} is frozen for {freezing.violation}: line {freezing.line}, {cells}. "
        f"Correct the file, the mapping, or schema_contract in models/gold/{contract.name}.yml, and dbt run"
    )


def violating_cells(contract: Contract, layout: Layout, violation: str, cells: Mapping[str, Any]) -> str:
    """The cells of a raw row that feed the gold column of a violation, with their headers; '' where none does."""
    name = violation.partition(":")[0]
    if name not in contract.names:
        return ""
    headers = (layout.columns.get(name) or {}).get("source_columns") or ()
    found = {header: str(cells.get(safe)) for safe, header in layout.headers.items() if header in headers}
    # What is said goes to logs and to pull requests.
    pii = contract.column(name).pii
    return " and ".join(f"`{header}` {(mask(cell) if pii else cell)!r}" for header, cell in found.items())


def verdict(project: Project, row: LedgerRow, layout: Layout, quarantined: int) -> tuple[State, str]:
    """The state of a built file of which so many rows are quarantined, and why if that is not gold."""
    contract = project.contracts[layout.contract]
    held = project.held_because(layout, contract)
    if held:
        return "held", held_message(project, layout, held)
    bad = quarantined + row.rows_rejected
    if row.rows_read and bad > contract.max_quarantined * row.rows_read:
        share = bad / row.rows_read
        return "failed", f"{share:.0%} of the rows are quarantined or rejected, over {contract.max_quarantined:.0%}"
    return "gold", ""


def layout_outcomes(project: Project, layouts: Sequence[Layout], samples: bool = True) -> list[LayoutOutcome]:
    """Each layout as a person checks it, with sample cells before and after where its view can be read."""
    shown: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {}
    if samples and layouts and has_database(project.database):
        with connect(project.database, project.folder) as connection:
            staged = staged_versions(connection)
            shown = {
                x.dbt_model: _samples(connection, x, project.contract(x.contract).columns)
                for x in layouts
                if x.dbt_model in staged
            }
    return [_layout_outcome(project, layout, shown.get(layout.dbt_model, {})) for layout in layouts]


def _layout_outcome(
    project: Project, layout: Layout, samples: Mapping[str, tuple[tuple[str, str], ...]]
) -> LayoutOutcome:
    contract = project.contract(layout.contract)
    held = project.held_because(layout, contract)
    expressions = _expressions(layout.path)
    columns = tuple(
        MappedColumn(
            name=c.name,
            data_type=c.data_type,
            source_columns=tuple((layout.columns.get(c.name) or {}).get("source_columns") or ()),
            expression=expressions.get(c.name, ""),
            confidence=(layout.columns.get(c.name) or {}).get("confidence"),
            note=(layout.columns.get(c.name) or {}).get("note") or "",
            samples=samples.get(c.name, ()),
            provider=(layout.columns.get(c.name) or {}).get("provider") or "",
        )
        for c in contract.columns
    )
    return LayoutOutcome(
        layout=layout.short,
        dbt_model=layout.dbt_model,
        source=layout.source,
        contract=layout.contract,
        state="held" if held else "gold",
        review=layout.review,
        reviewed=layout.reviewed,
        edited=layout.edited,
        standing=layout.standing,
        provider=layout.provider,
        path=str(layout.path.relative_to(project.folder)),
        columns=columns,
        unmapped=tuple(layout.unmapped.items()),
        questions=tuple(f"{q['column']}: {q['text']}" for q in layout.questions),
        llm=layout.provenance.llm or "",
        attempts=layout.provenance.attempts,
        tokens=layout.provenance.tokens,
        usd=layout.provenance.cost,
        drift=layout.drifted,
    )


def _expressions(path: Path) -> dict[str, str]:
    """Gold column -> its expression in the dbt model, for showing; none where a person has given it another structure."""
    written = read_written(path.read_text(encoding="utf-8"))
    return {name: on_one_line(sql) or sql for name, sql in written.expressions.items()} if written else {}


def _samples(
    connection: Connection, layout: Layout, columns: Sequence[Column]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Gold column -> pairs of raw cells and gold value, from the first rows that give one."""
    values = ", ".join(f'try_cast(staged."{c.name}" as {c.data_type}) as "{c.name}"' for c in columns)
    safe = {header: name for name, header in reversed(list(layout.headers.items()))}
    try:
        rows = connection.execute(
            f"""
            select {values}, to_json(cells) as _cells
            from staging."{layout.dbt_model}" as staged
            inner join raw."{layout.raw_table}" as cells using (_file_id, _source_row)
            order by staged._file_id, staged._source_row limit 50
            """
        )
        described = [d[0] for d in rows.description]
        fetched = [dict(zip(described, r, strict=True)) for r in rows.fetchall()]
    except duckdb.Error:
        return {}
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for name in (c.name for c in columns):
        headers = (layout.columns.get(name) or {}).get("source_columns") or []
        pairs = []
        for row in fetched:
            cells = json.loads(row["_cells"])
            before = " | ".join(str(cells.get(safe.get(h, h)) or "").strip() for h in headers)
            after = "" if row.get(name) is None else str(row[name])
            if (before or after) and (before, after) not in pairs:
                pairs.append((before, after))
        found[name] = tuple(pairs[:SAMPLES])
    return found


def previews(project: Project, contracts: AbstractSet[str]) -> tuple[tuple[Preview, ...], tuple[Preview, ...]]:
    """The newest rows of gold and of quarantine, for each of these contracts that the project still has."""
    gold, quarantine = [], []
    with connect(project.database, project.folder) as connection:
        for contract in sorted(project.contracts.keys() & contracts):
            columns = [*project.contracts[contract].names, "_source_file", "_source_row"]
            gold.append(_preview(connection, f'gold."{contract}"', columns, ""))
            quarantine.append(
                _preview(
                    connection,
                    f'quarantine."{contract}"',
                    ["kind", "reasons", "_source_file", "_source_row", "row"],
                    f"where kind in {WAITING}",
                )
            )
    return tuple(p for p in gold if p), tuple(p for p in quarantine if p)


def _preview(connection: Connection, table: str, columns: Sequence[str], where: str) -> Preview | None:
    listed = ", ".join(f'"{c}"' for c in columns)
    try:
        (total,) = connection.execute(f"select count(*) from {table} {where}").fetchone() or (0,)
        rows = connection.execute(
            f"select {listed} from {table} {where} order by _loaded_at desc, _file_id, _source_row limit {PREVIEW_ROWS}"
        ).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        # Not built yet, or not since the contract has changed.
        return None
    return Preview(table.replace('"', ""), tuple(columns), tuple(tuple(_text(c) for c in r) for r in rows), total)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return "; ".join(map(str, cell)) if isinstance(cell, list) else str(cell)
