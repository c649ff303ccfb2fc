"""What a person sees of a change to a dbt model: its SQL, line by line, and what that makes of the rows. All hostile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff

from rich.console import Console
from rich.table import Table
from rich.text import Text

from generator.difference import ColumnChange, Difference, RowExample
from generator.visible import one_line, plain

CELL = 40
LINE = 200
REASONS = 8
_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def sql_changes(before: str, after: str, path: str, label: str) -> str:
    """A unified diff of two texts of a dbt model."""
    lines = unified_diff(before.splitlines(), after.splitlines(), path, f"{path}, {label}", lineterm="")
    return "\n".join(one_line(line, LINE) for line in lines)


def show_sql_changes(console: Console, changes: str) -> None:
    """A unified diff, with colours where there are any."""
    for line in changes.splitlines():
        console.print(Text(line, style=_STYLES.get(line[:1], "")))


def show_difference(console: Console, difference: Difference) -> None:
    """What another version makes of the rows: counts, columns, rows that come and go, with examples."""
    title = f"{difference.dbt_model}: {plain(difference.before)} → {plain(difference.after)}"
    console.print(Text(title, style="bold"))
    console.print(Text(difference.summary))
    for test in difference.failed_tests:
        console.print(Text(f"{plain(difference.after)} fails the test {plain(test, 400)}", style="red"))
    changed = difference.differing
    if changed:
        table = Table()
        for name in ("column", "rows changed", "NULL", "distinct"):
            table.add_column(name, justify="left" if name == "column" else "right")
        table.add_column("for example, before → after", overflow="fold")
        for column in changed:
            table.add_row(
                column.column,
                f"{column.rows:,}",
                _both(column.nulls_before, column.nulls_after),
                _both(column.distinct_before, column.distinct_after),
                Text("\n".join(_examples(column))),
            )
        console.print(table)
    for sign, rows, examples in (
        ("-", difference.removed, difference.removed_examples),
        ("+", difference.added, difference.added_examples),
    ):
        for line in _rows(sign, rows, examples):
            console.print(Text(line, style=_STYLES[sign]))
    moved = [(reason, before, after) for reason, before, after in difference.reasons if before != after]
    for reason, before, after in moved[:REASONS]:
        console.print(Text(f"quarantine: {plain(reason, 100)}: {_both(before, after)}", style="yellow"))


def _both(before: int, after: int) -> str:
    return f"{before:,} → {after:,}" if before != after else f"{after:,}"


def _examples(column: ColumnChange) -> Iterator[str]:
    for change in column.examples:
        where = f"{plain(change.source_file, 60)}:{change.source_row}"
        yield f"{_cell(change.before)} → {_cell(change.after)} ({where})"


def _rows(sign: str, rows: int, examples: tuple[RowExample, ...]) -> Iterator[str]:
    words = {"-": ("leaves", "leave", "now"), "+": ("comes into", "come into", "before")}[sign]
    if rows:
        yield f"{sign} {rows:,} row{'' if rows == 1 else 's'} {words[0 if rows == 1 else 1]} gold"
    for example in examples:
        reasons = plain("; ".join(example.reasons), 120)
        why = f" ({words[2]}: {reasons})" if reasons else ""
        yield f"    {plain(example.source_file, 60)}:{example.source_row}{why}: {_cells(example.cells)}"


def _cells(cells: Mapping[str, str | None]) -> str:
    return plain(", ".join(f"{name}={_cell(cell)}" for name, cell in cells.items() if cell is not None), LINE)


def _cell(cell: str | None) -> str:
    return "NULL" if cell is None else plain(cell, CELL) or "''"
