"""Compare what two versions of a dbt model gave: gold and quarantine of each, row by row, in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generator.database.ledger import Connection
from generator.difference import CellChange, ColumnChange, Difference, RowExample
from generator.matcher.expressions import identifier

EXAMPLES = 3
CELL = 200
_KEYS = ("_file_id", "_source_file", "_source_row")
_OURS = (*_KEYS, "_loaded_at")
# Types within one of these compare by value; across them, as text.
_ALIKE = (frozenset({"DECIMAL", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT"}), frozenset({"DATE", "TIMESTAMP"}))


@dataclass(frozen=True)
class Side:
    """One version: its label, and the schema that has its tables `gold` and `quarantine`."""

    label: str
    schema: str


def compare(connection: Connection, dbt_model: str, contract: str, before: Side, after: Side) -> Difference:
    """How two versions differ. Rows are told by file, source row and, where a reshape made several of one, by content.

    Temporary tables are made in the connection.
    """
    old, new = _types(connection, before), _types(connection, after)
    columns = list(dict.fromkeys([*new, *old]))
    _take(connection, "were", before, [_cell(column, old, new) for column in columns])
    _take(connection, "are", after, [_cell(column, new, old) for column in columns])
    _pair(connection, columns)
    moved = [_only(connection, columns, *sides) for sides in (("b", "a", before), ("a", "b", after))]
    quarantines = [_quarantine(connection, side) for side in (before, after)]
    counts = [_count(connection, name) for name in ("were", "are")]
    return Difference(
        dbt_model=dbt_model,
        contract=contract,
        before=before.label,
        after=after.label,
        rows_before=counts[0],
        rows_after=counts[1],
        added=moved[0][0],
        added_examples=moved[0][1],
        removed=moved[1][0],
        removed_examples=moved[1][1],
        changed=_changes(connection, columns),
        quarantined_before=quarantines[0].rows,
        quarantined_after=quarantines[1].rows,
        quarantine_before=quarantines[0].reasons,
        quarantine_after=quarantines[1].reasons,
        filtered_before=quarantines[0].filtered,
        filtered_after=quarantines[1].filtered,
    )


def _types(connection: Connection, side: Side) -> dict[str, str]:
    """Gold column -> its type."""
    described = connection.execute(f"describe {side.schema}.gold").fetchall()
    return {str(name): str(kind) for name, kind, *_ in described if name not in _OURS}


def _take(connection: Connection, table: str, side: Side, cells: Sequence[str]) -> None:
    connection.execute(
        f"create or replace temp table {table} as select {', '.join([*_KEYS, *cells])} from {side.schema}.gold"
    )


def _cell(column: str, own: Mapping[str, str], other: Mapping[str, str]) -> str:
    """A column as it is compared: of the other's type where only that has it, as text where the types are not alike."""
    name = identifier(column)
    mine, theirs = own.get(column), other.get(column)
    if mine is None:
        return f"cast(null as {theirs}) as {name}"
    bases = {kind.split("(")[0] for kind in (mine, theirs) if kind}
    if len(bases) == 1 or any(bases <= family for family in _ALIKE):
        return name
    return f"cast({name} as varchar) as {name}"


def _pair(connection: Connection, columns: Sequence[str]) -> None:
    """`pairs`: the rows that are not alike on both sides, as structs b (before) and a (after), NULL where there is none."""
    names = ", ".join(map(identifier, columns))
    cells = ", ".join(f"{identifier(c)} := {identifier(c)}" for c in columns)
    left, right = (
        f"""
        select {", ".join(_KEYS)}, struct_pack({cells}) as {alias},
            row_number() over (partition by _file_id, _source_row order by {names}) as number
        from (select * from {one} except all select * from {other})
        """
        for alias, one, other in (("b", "were", "are"), ("a", "are", "were"))
    )
    connection.execute(
        "create or replace temp table pairs as "
        f"select * from ({left}) full join ({right}) using (_file_id, _source_file, _source_row, number)"
    )


def _only(
    connection: Connection, columns: Sequence[str], absent: str, there: str, other: Side
) -> tuple[int, tuple[RowExample, ...]]:
    """How many rows the one side has alone, the first of them, and why the other side has them not in gold."""
    total = connection.execute(f"select count(*) from pairs where {absent} is null").fetchall()[0][0]
    cells = ", ".join(f"left(cast({there}.{identifier(c)} as varchar), {CELL})" for c in columns)
    found = connection.execute(
        f"""
        with first as (
            select * from pairs where {absent} is null order by _source_file, _source_row, number limit {EXAMPLES}
        ),
        why as (
            select _file_id, _source_row, list_distinct(flatten(list(reasons))) as reasons
            from {other.schema}.quarantine group by all
        )
        select _source_file, _source_row, reasons, {cells} from first left join why using (_file_id, _source_row)
        order by _source_file, _source_row, number
        """
    ).fetchall()
    return total, tuple(
        RowExample(file, row, dict(zip(columns, values, strict=True)), tuple(sorted(reasons or ())))
        for file, row, reasons, *values in found
    )


def _changes(connection: Connection, columns: Sequence[str]) -> tuple[ColumnChange, ...]:
    if not columns:
        return ()
    names = [identifier(c) for c in columns]
    differing = ", ".join(f"count(*) filter (where {_differs(name)})" for name in names)
    (rows,) = connection.execute(f"select {differing} from pairs").fetchall()
    statistics = ", ".join(f"count(*) - count({name}), count(distinct {name})" for name in names)
    ((were,), (are,)) = (connection.execute(f"select {statistics} from {side}").fetchall() for side in ("were", "are"))
    return tuple(
        ColumnChange(
            column=column,
            rows=rows[i],
            nulls_before=were[2 * i],
            nulls_after=are[2 * i],
            distinct_before=were[2 * i + 1],
            distinct_after=are[2 * i + 1],
            examples=_examples(connection, names[i]) if rows[i] else (),
        )
        for i, column in enumerate(columns)
    )


def _examples(connection: Connection, name: str) -> tuple[CellChange, ...]:
    found = connection.execute(
        f"""
        select _source_file, _source_row, left(cast(b.{name} as varchar), {CELL}), left(cast(a.{name} as varchar), {CELL})
        from pairs where {_differs(name)} order by _source_file, _source_row, number limit {EXAMPLES}
        """
    ).fetchall()
    return tuple(CellChange(*row) for row in found)


def _differs(name: str) -> str:
    return f"a is not null and b is not null and b.{name} is distinct from a.{name}"


@dataclass(frozen=True)
class _Quarantine:
    rows: int
    filtered: int
    reasons: tuple[tuple[str, int], ...]


def _quarantine(connection: Connection, side: Side) -> _Quarantine:
    """What a side keeps out of gold; a value that was discarded leaves its row in gold."""
    ((rows, filtered),) = connection.execute(
        f"""
        select
            count(distinct (_file_id, _source_row)) filter (where kind not in ('filtered', 'discarded_value')),
            count(distinct (_file_id, _source_row)) filter (where kind = 'filtered')
        from {side.schema}.quarantine
        """
    ).fetchall()
    reasons = connection.execute(
        f"""
        select reason, count(*) from (select unnest(reasons) as reason from {side.schema}.quarantine where kind != 'filtered')
        group by all order by count(*) desc, reason
        """
    ).fetchall()
    return _Quarantine(rows, filtered, tuple((str(reason), int(n)) for reason, n in reasons))


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])
