"""The ledger `raw._files`: one row a file, and the only place that knows what was loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import duckdb
import jinja2

from generator.errors import GoldsmithError, LockedError, UsageError

Connection: TypeAlias = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class LedgerRow:
    """One file as the ledger knows it; the columns of `raw._files` in their order.

    `state`: loaded (in raw, mapping not tried yet), mapped (a staging dbt model reads it), blocked (no mapping found).
    What is in gold and quarantine is for those tables to say.
    """

    file_id: str
    source_file: str
    sha256: str
    bytes: int
    contract: str | None
    source: str
    layout: str
    raw_table: str
    encoding: str
    delimiter: str
    quotechar: str
    has_header: bool
    headers: tuple[str, ...]
    preamble_rows: int
    footer_rows: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    state: str
    message: str
    loaded_at: datetime


COLUMNS = ", ".join(f.name for f in fields(LedgerRow))


@contextmanager
def connect(database: Path, project: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the project's database, with the ledger's tables there. Raises UsageError where it cannot open."""
    try:
        connection = duckdb.connect(str(database))
    except duckdb.Error as error:
        problem = str(error).splitlines()[0]
        if "lock" in problem:
            raise LockedError(f"{database}: in use by another process; wait for it, or end it") from None
        raise UsageError(f"{database}: cannot be opened as a DuckDB database: {problem}; see GOLDSMITH_DB") from None
    try:
        connection.execute(ledger_sql(project))
        yield connection
    finally:
        connection.close()


def ledger_sql(project: Path) -> str:
    """The statements of the project's `macros/ledger.sql`, which dbt runs, too."""
    path = project / "macros" / "ledger.sql"
    try:
        module = jinja2.Environment(autoescape=False).from_string(path.read_text(encoding="utf-8")).module
        return str(vars(module)["duckdb__create_ledger"]())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; --project-dir must be a Goldsmith dbt project") from None


def read_files(connection: duckdb.DuckDBPyConnection, where: str = "true", *values: object) -> list[LedgerRow]:
    """The ledger's rows that satisfy a condition, in the order in which they were loaded."""
    found = connection.execute(
        f"select {COLUMNS} from raw._files where {where} order by loaded_at, file_id", list(values)
    ).fetchall()
    names = [f.name for f in fields(LedgerRow)]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return [LedgerRow(**{**row, "headers": tuple(row["headers"] or ())}) for row in rows]


def add_file(connection: duckdb.DuckDBPyConnection, row: LedgerRow) -> None:
    """Enter a file; inside the transaction that loads it."""
    values = [getattr(row, f.name) for f in fields(LedgerRow)]
    marks = ", ".join("?" for _ in values)
    connection.execute(
        f"insert into raw._files ({COLUMNS}) values ({marks})", [list(v) if isinstance(v, tuple) else v for v in values]
    )


def update_file(connection: duckdb.DuckDBPyConnection, file_id: str, **changes: object) -> None:
    """Change columns of one file's row."""
    unknown = set(changes) - {f.name for f in fields(LedgerRow)}
    if unknown:
        raise GoldsmithError(f"the ledger has no column {min(unknown)}")
    assignments = ", ".join(f"{name} = ?" for name in changes)
    connection.execute(f"update raw._files set {assignments} where file_id = ?", [*changes.values(), file_id])
