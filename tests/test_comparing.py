"""Two versions' gold and quarantine, compared row by row: every row is the same, changed, added or removed, and counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.changes.comparing import Side, compare
from generator.difference import Difference

Row = tuple[Any, ...]
Refused = tuple[str, int, str, list[str]]


def difference(
    before: Sequence[Row],
    after: Sequence[Row],
    columns: tuple[str, str] = ("day date, amount decimal(18, 2)",) * 2,
    refused: tuple[Sequence[Refused], Sequence[Refused]] = ((), ()),
) -> Difference:
    """Rows are (file, line, cells...); the columns of both sides are as in `create table`. Refused: file, line, kind, why."""
    with duckdb.connect(":memory:") as connection:
        for schema, kinds, rows, left in zip(("one", "two"), columns, (before, after), refused, strict=True):
            keys = "_file_id varchar, _source_file varchar, _source_row bigint"
            connection.execute(f"create schema {schema}")
            connection.execute(f"create table {schema}.gold ({keys}, _loaded_at timestamp, {kinds})")
            connection.execute(f"create table {schema}.quarantine ({keys}, kind varchar, reasons varchar [])")
            for file, line, *cells in rows:
                marks = ", ".join("?" for _ in cells)
                connection.execute(
                    f"insert into {schema}.gold values (?, ?, ?, now()::timestamp, {marks})",
                    [file, f"{file}.csv", line, *cells],
                )
            for file, line, kind, why in left:
                connection.execute(
                    f"insert into {schema}.quarantine values (?, ?, ?, ?, ?)", [file, f"{file}.csv", line, kind, why]
                )
        return compare(connection, "stg_x", "x", Side("then", "one"), Side("now", "two"))


def test_the_same_rows_in_another_order_are_no_difference() -> None:
    rows: list[Row] = [("f", 2, "2024-01-31", "1.00"), ("f", 3, None, None), ("g", 2, "2024-02-01", "3")]
    found = difference(rows, rows[::-1])
    assert found.empty
    assert found.differing == ()
    assert (found.rows_before, found.rows_after, found.before, found.after) == (3, 3, "then", "now")
    assert found.summary == "the same 3 gold rows, the same quarantine"


def test_a_changed_cell_is_told_with_its_file_line_and_both_values() -> None:
    found = difference(
        [("f", 2, "2024-01-31", "1.00"), ("f", 3, "2024-01-30", "2.00"), ("f", 4, "2024-01-29", "2.00")],
        [("f", 2, "2024-01-31", "-1.00"), ("f", 3, "2024-01-30", None), ("f", 4, "2024-01-29", "2.00")],
    )
    (amount,) = found.differing
    assert (amount.column, amount.rows) == ("amount", 2)
    assert [(e.source_file, e.source_row, e.before, e.after) for e in amount.examples] == [
        ("f.csv", 2, "1.00", "-1.00"),
        ("f.csv", 3, "2.00", None),
    ]
    assert (amount.nulls_before, amount.nulls_after, amount.distinct_before, amount.distinct_after) == (0, 1, 2, 2)
    assert (found.added, found.removed) == (0, 0)


def test_a_row_that_leaves_gold_says_why_and_one_that_comes_why_it_was_not_there() -> None:
    found = difference(
        [("f", 2, "2024-01-31", "1.00")],
        [("f", 3, "2024-01-30", "2.00")],
        refused=(
            [("f", 3, "violation", ["amount: cannot be read"]), ("f", 9, "filtered", ["left out by the mapping"])],
            [("f", 2, "violation", ["day: cannot be read"]), ("f", 4, "discarded_value", ["day: cannot be read"])],
        ),
    )
    assert (found.added, found.removed) == (1, 1)
    (came,), (left,) = found.added_examples, found.removed_examples
    assert (came.source_row, came.reasons, came.cells) == (
        3,
        ("amount: cannot be read",),
        {"day": "2024-01-30", "amount": "2.00"},
    )
    assert (left.source_row, left.reasons) == (2, ("day: cannot be read",))
    assert (found.quarantined_before, found.quarantined_after) == (1, 1)
    assert (found.filtered_before, found.filtered_after) == (1, 0)
    assert found.reasons == (("day: cannot be read", 0, 2), ("amount: cannot be read", 1, 0))
    assert json.loads(json.dumps(found.as_json()))["removed"] == 1


def test_of_several_rows_of_one_source_row_only_the_one_that_changed_counts() -> None:
    before: list[Row] = [("f", 2, "2024-01-01", n) for n in ("1", "2", "2", "3")]
    after: list[Row] = [("f", 2, "2024-01-01", n) for n in ("1", "2", "3", "4")]
    found = difference(before, after)
    assert [(c.column, c.rows) for c in found.changed] == [("day", 0), ("amount", 1)]
    assert (found.added, found.removed, found.rows_after) == (0, 0, 4)


def test_a_new_column_was_null_and_one_that_is_gone_becomes_null() -> None:
    found = difference(
        [("f", 2, "a", "x")], [("f", 2, "x", "n")], columns=("old text, same text", "same text, new text")
    )
    assert {c.column: (c.rows, c.nulls_before, c.nulls_after) for c in found.changed} == {
        "same": (0, 0, 0),
        "new": (1, 1, 0),
        "old": (1, 0, 1),
    }


def test_numbers_of_another_type_compare_by_value_and_other_types_as_text() -> None:
    kinds = ("day text, amount decimal(18, 2)", "day date, amount decimal(18, 4)")
    found = difference([("f", 2, "2024-01-31", "1.5")], [("f", 2, "2024-01-31", "1.5")], columns=kinds)
    assert found.empty


CELLS = st.tuples(st.sampled_from(("f", "g")), st.integers(2, 4), st.sampled_from((None, "2024-01-01", "2024-02-29")))
ROWS = st.lists(st.tuples(CELLS, st.sampled_from((None, "1.00", "2.00"))).map(lambda r: (*r[0], r[1])), max_size=8)


@settings(deadline=None, max_examples=40)
@given(ROWS, ROWS)
def test_every_row_is_the_same_changed_added_or_removed(before: list[Row], after: list[Row]) -> None:
    found = difference(before, after)
    assert found.rows_after - found.rows_before == found.added - found.removed
    assert found.empty == (Counter(before) == Counter(after))
    lines = [Counter(row[:2] for row in side) for side in (before, after)]
    assert (found.added, found.removed) == ((lines[1] - lines[0]).total(), (lines[0] - lines[1]).total())
    moved = (Counter(before) - Counter(after)).total() - found.removed
    assert all(c.rows <= moved for c in found.changed)
    assert moved == 0 or any(c.rows for c in found.changed)
    back = difference(after, before)
    assert (back.added, back.removed) == (found.removed, found.added)
    assert [c.rows for c in back.changed] == [c.rows for c in found.changed]
