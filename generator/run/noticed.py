"""What is other in a file than in those of its layout that came before, in words for a person."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from generator.contracts.contract import Column, Contract
from generator.database.ledger import Connection, LedgerRow
from generator.matcher.expressions import identifier, literal
from generator.naming import safe_columns
from generator.project.layouts import Layout

# So many new values of a column are named.
NAMED = 3


def noticed(
    connection: Connection, contract: Contract, layout: Layout, row: LedgerRow, bad: AbstractSet[str]
) -> tuple[str, ...]:
    """How a built file is written otherwise than the one before it, and new values where only some are accepted, or tell the
    direction of an amount.

    `bad`: the gold columns that have violations. The first file of a layout has nothing new.
    """
    earlier = connection.execute(
        """
        select encoding, delimiter from raw._files
        where raw_table = ? and contract = ? and state = 'mapped' and loaded_at < ?
        order by loaded_at desc, file_id limit 1
        """,
        [row.raw_table, row.contract, row.loaded_at],
    ).fetchone()
    if earlier is None:
        return ()
    said = []
    if earlier[0] != row.encoding:
        said.append(f"its encoding is {row.encoding}, that of the file before it {earlier[0]}")
    if earlier[1] != row.delimiter:
        said.append(f"its cells are parted by {row.delimiter!r}, those of the file before it by {earlier[1]!r}")
    for gold in contract.columns:
        if gold.name in bad and (gold.accepted_values or gold.sign):
            said += _new_values(connection, gold, layout, row)
    return tuple(said)


def _new_values(connection: Connection, gold: Column, layout: Layout, row: LedgerRow) -> Iterator[str]:
    headers = (layout.columns.get(gold.name) or {}).get("source_columns") or ()
    shapes = dict(zip(layout.headers, layout.shapes, strict=True))
    # An amount is new in every row; the words beside it are not.
    columns = [
        name
        for name in safe_columns(row.headers)
        if layout.headers.get(name) in headers and (shapes[name] == "text" or not gold.sign)
    ]
    if columns:
        cells = ", ".join(f"row ->> {literal(name)}" for name in columns)
        found = connection.execute(
            f"""
            select cells, count(*) from (
                select [{cells}] as cells from quarantine."{layout.contract}"
                where _file_id = $file and len(list_filter(reasons, lambda reason: starts_with(reason, $column))) > 0
            )
            where cells not in (
                select [{", ".join(map(identifier, columns))}] from raw.{identifier(row.raw_table)}
                where _file_id in (select file_id from raw._files where loaded_at < $loaded)
            )
            group by cells order by count(*) desc, cells
            """,
            {"file": row.file_id, "column": f"{gold.name}: ", "loaded": row.loaded_at},
        ).fetchall()
        if found:
            named = " and ".join(f"`{layout.headers[name]}`" for name in columns)
            values = ", ".join(f"{' | '.join(map(str, cells))!r} ({n:,} ×)" for cells, n in found[:NAMED])
            more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
            where = "sign (outflow_values, inflow_values)" if gold.sign else "synonyms or accepted_values"
            yield (
                f"{named} has new values: {values}{more}; {gold.name} does not take them: name them in its {where}, or in "
                f"{layout.path.name}"
            )
