"""What the database and the staging folder say after a run: counts for each file, mappings with samples, previews."""

from __future__ import annotations

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import duckdb

from generator.contracts import Column
from generator.layouts import Layout
from generator.ledger import LedgerRow, connect
from generator.mapping import Mapped
from generator.outcome import FileOutcome, LayoutOutcome, MappedColumn, Preview, State
from generator.project import Project

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
        review=layout.review if layout else "",
        encoding=row.encoding,
        delimiter=row.delimiter,
        rows_read=row.rows_read,
        rows_quarantined=row.rows_loaded if blocked else 0,
        rows_rejected=row.rows_rejected,
    )


def file_outcome(
    connection: duckdb.DuckDBPyConnection, project: Project, row: LedgerRow, mapped: Mapped
) -> FileOutcome:
    """A built file, reconciled: each of its source rows is in exactly one count."""
    layout = mapped.layout
    contract = project.contracts[layout.contract]
    gold = _count(connection, f'gold."{contract.name}"', row.file_id)
    kinds = _kinds(connection, contract.name, row.file_id)
    both = _in_both(connection, contract.name, row.file_id)
    quarantined = kinds.get("violation", 0) + kinds.get("held", 0) + kinds.get("blocked", 0)
    bad = quarantined + row.rows_rejected
    held = layout.held_because(contract, project.min_confidence)
    state: State = "gold"
    message = ""
    if held:
        state, message = "held", held_message(project, layout, held)
    elif row.rows_read and bad > contract.max_quarantined * row.rows_read:
        share = bad / row.rows_read
        state, message = (
            "failed",
            f"{share:.0%} of the rows are quarantined or rejected, over {contract.max_quarantined:.0%}",
        )
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
        review="edited" if layout.edited else layout.review,
        encoding=row.encoding,
        delimiter=row.delimiter,
        rows_read=row.rows_read,
        rows_gold=gold - both,
        rows_superseded=kinds.get("superseded", 0),
        rows_quarantined=quarantined,
        rows_filtered=kinds.get("filtered", 0),
        rows_rejected=row.rows_rejected,
        reasons=_reasons(connection, contract.name, row.file_id),
        questions=tuple(f"{q['column']}: {q['text']}" for q in layout.questions) if held else (),
    )


def held_message(project: Project, layout: Layout, why: str) -> str:
    """Why a layout is held, and how a person answers."""
    path = layout.path.relative_to(project.folder)
    return f"{why} Correct {path} if need be, set `review: approved` in the .yml beside it, and dbt run"


def _count(connection: duckdb.DuckDBPyConnection, table: str, file_id: str) -> int:
    found = connection.execute(f"select count(distinct _source_row) from {table} where _file_id = ?", [file_id])
    return int((found.fetchone() or (0,))[0])


def _kinds(connection: duckdb.DuckDBPyConnection, contract: str, file_id: str) -> dict[str, int]:
    return dict(
        connection.execute(
            f'select kind, count(distinct _source_row) from quarantine."{contract}" where _file_id = ? group by kind',
            [file_id],
        ).fetchall()
    )


def _in_both(connection: duckdb.DuckDBPyConnection, contract: str, file_id: str) -> int:
    """Source rows of which a reshape made several, some good and some not: they count as quarantined."""
    found = connection.execute(
        f"""
        select count(distinct gold._source_row)
        from gold."{contract}" as gold
        inner join quarantine."{contract}" as quarantine using (_file_id, _source_row)
        where gold._file_id = ?
        """,
        [file_id],
    ).fetchone()
    return int((found or (0,))[0])


def _reasons(connection: duckdb.DuckDBPyConnection, contract: str, file_id: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        connection.execute(
            f"""
            select reason, count(*) from (
                select unnest(reasons) as reason from quarantine."{contract}" where _file_id = ?
                union all
                select reason from raw._rejects where file_id = ?
            ) group by reason order by count(*) desc, reason
            """,
            [file_id, file_id],
        ).fetchall()
    )


def staged_names(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The layouts whose staging view is in the database."""
    return frozenset(name for (name,) in connection.execute("select layout from raw._staged").fetchall())


def built_contracts(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The contracts whose gold and quarantine tables are in the database."""
    found = connection.execute(
        """
        select table_name from information_schema.tables where table_schema = 'gold'
        intersect
        select table_name from information_schema.tables where table_schema = 'quarantine'
        """
    ).fetchall()
    return frozenset(name for (name,) in found)


def built_files(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The files that gold and quarantine were built from, under whichever version of their mapping."""
    found = connection.execute("select file_id from raw._built group by file_id having count(*) > 1").fetchall()
    return frozenset(file_id for (file_id,) in found)


def layout_outcomes(project: Project, layouts: Sequence[Layout], samples: bool = True) -> list[LayoutOutcome]:
    """Each layout as a person checks it, with sample cells before and after where its view can be read."""
    found = []
    with connect(project.database, project.folder) as connection:
        staged = staged_names(connection) if samples else frozenset()
        for layout in layouts:
            contract = project.contract(layout.contract)
            shown = _samples(connection, layout, contract.columns) if layout.dbt_model in staged else {}
            expressions = _expressions(layout.path)
            columns = tuple(
                MappedColumn(
                    name=c.name,
                    data_type=c.data_type,
                    source_columns=tuple((layout.columns.get(c.name) or {}).get("source_columns") or ()),
                    expression=expressions.get(c.name, ""),
                    confidence=(layout.columns.get(c.name) or {}).get("confidence"),
                    note=(layout.columns.get(c.name) or {}).get("note") or "",
                    samples=shown.get(c.name, ()),
                )
                for c in contract.columns
            )
            found.append(
                LayoutOutcome(
                    layout=layout.short,
                    dbt_model=layout.dbt_model,
                    source=layout.source,
                    contract=layout.contract,
                    state="held" if layout.held_because(contract, project.min_confidence) else "gold",
                    review="edited" if layout.edited else layout.review,
                    provider=layout.provider,
                    path=str(layout.path.relative_to(project.folder)),
                    columns=columns,
                    unmapped=tuple(layout.unmapped.items()),
                    questions=tuple(f"{q['column']}: {q['text']}" for q in layout.questions),
                )
            )
    return found


def _expressions(path: Path) -> dict[str, str]:
    """Gold column -> its line in the dbt model, for showing."""
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        expression, as_, name = line.strip().rstrip(",").rpartition(" as ")
        if as_ and name.isidentifier():
            found.setdefault(name, expression)
    return found


def _samples(
    connection: duckdb.DuckDBPyConnection, layout: Layout, columns: Sequence[Column]
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
                    "where kind in ('violation', 'held', 'blocked')",
                )
            )
    return tuple(p for p in gold if p), tuple(p for p in quarantine if p)


def _preview(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], where: str) -> Preview | None:
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
