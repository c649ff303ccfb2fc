"""The ledger `raw._files`: one row a file, and the only place that knows what was loaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import duckdb
import jinja2

from generator.database.dbt_profile import bounds
from generator.database.lock import held_elsewhere
from generator.disk import disk_full, is_full
from generator.errors import GoldsmithError, UsageError

Connection: TypeAlias = duckdb.DuckDBPyConnection
# Another program may look into the database between two steps of ours: so many seconds are waited for it.
GLANCE = 5.0
# The bytes of a DuckDB file with nothing in it: three headers.
_SMALLEST = 3 * 4096


@dataclass(frozen=True)
class LedgerRow:
    """One file as the ledger knows it; the columns of `raw._files` in their order.

    `state`: loaded (in raw, mapping not tried yet), mapped (a staging dbt model reads it), blocked (no mapping found).
    What is in gold and quarantine is for those tables to say. `encoding_certainty` is from 0 to 1; it, `compression` and
    `escapechar` are None in rows of databases that did not have these columns yet. `remarks` say what is doubtful.
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
    encoding_certainty: float | None
    compression: str | None
    delimiter: str
    quotechar: str
    escapechar: str | None
    has_header: bool
    headers: tuple[str, ...]
    preamble_rows: int
    footer_rows: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    remarks: tuple[str, ...]
    state: str
    message: str
    loaded_at: datetime


COLUMNS = ", ".join(f.name for f in fields(LedgerRow))


@contextmanager
def connect(database: Path, project: Path, patience: float = GLANCE) -> Iterator[Connection]:
    """A connection to the project's database, with the ledger's tables there.

    It keeps to the memory and threads that dbt's profile gives DuckDB. Raises LockedError if another program has the
    database for longer than `patience` in seconds, UsageError if it is damaged, DiskFullError if there is no room to
    write to it.
    """
    connection = _open(database, patience)
    try:
        _set_bounds(connection, project)
        connection.execute(ledger_sql(project))
        yield connection
    except duckdb.Error as error:
        if is_full(error):
            raise disk_full(error, database) from None
        if isinstance(error, (duckdb.IOException, duckdb.FatalException)):
            raise _damaged(database, error) from None
        raise
    finally:
        connection.close()


def _set_bounds(connection: Connection, project: Path) -> None:
    """The same bounds as for dbt, so that what fits for one fits for the other."""
    for name, value in bounds(project).items():
        try:
            connection.execute(f"set {name} = ?", [value])
        except duckdb.Error as error:
            problem = str(error).splitlines()[0]
            raise UsageError(f"profiles.yml: settings: {name}: {value}: {problem}") from None


def has_database(database: Path) -> bool:
    """Whether there is one to look into: a command that only looks must not make one, for another may be about to."""
    return database.is_file() and database.stat().st_size >= _SMALLEST


def patiently(database: Path, attempt: Callable[[], Connection], patience: float = GLANCE) -> Connection:
    """What `attempt` gives, tried again as long as another program has the database open.

    Raises LockedError if that lasts longer than `patience` in seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return attempt()
        except duckdb.Error as error:
            locked = held_elsewhere(database, str(error))
            if not locked:
                raise
            if time.monotonic() > deadline:
                raise locked from None
        time.sleep(0.05)


def _open(database: Path, patience: float) -> Connection:
    while True:
        try:
            return patiently(database, lambda: duckdb.connect(str(database)), patience)
        except duckdb.Error as error:
            if is_full(error):
                raise disk_full(error, database) from None
            if not _unfinished(database):
                raise _damaged(database, error) from None


def _unfinished(database: Path) -> bool:
    """Take away a file that DuckDB was making when it was killed, or had no room; nothing was ever in it."""
    if not database.is_file() or has_database(database):
        return False
    begun = database.read_bytes()
    if begun[8:12] != b"DUCK" and begun.strip(b"\0"):
        return False
    database.unlink()
    return True


def _damaged(database: Path, error: duckdb.Error) -> UsageError:
    problem = str(error).splitlines()[0]
    return UsageError(
        f"{database}: cannot be opened as a DuckDB database: {problem}; "
        "goldsmith rebuild makes it anew from the archive, or let GOLDSMITH_DB name another"
    )


def ledger_sql(project: Path) -> str:
    """The statements of the project's `macros/ledger.sql`, which dbt runs, too."""
    path = project / "macros" / "ledger.sql"
    try:
        module = jinja2.Environment(autoescape=False).from_string(path.read_text(encoding="utf-8")).module
        return str(vars(module)["duckdb__create_ledger"]())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; --project-dir must be a Goldsmith dbt project") from None


@dataclass(frozen=True)
class Relations:
    """Tables and views as `schema.name`: what was made of the raw rows. Staging views come and go with their dbt models."""

    tables: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """Both."""
        return self.tables | self.views


def relations(connection: Connection) -> Relations:
    """What dbt, or anybody, made in the database."""
    found = connection.execute(
        """
        select table_schema || '.' || table_name, table_type from information_schema.tables
        where table_schema not in ('raw', 'staging')
        """
    ).fetchall()
    tables = frozenset(name for name, kind in found if kind != "VIEW")
    return Relations(tables, frozenset(name for name, _ in found) - tables)


def read_files(connection: duckdb.DuckDBPyConnection, where: str = "true", *values: object) -> list[LedgerRow]:
    """The ledger's rows that satisfy a condition, in the order in which they were loaded."""
    found = connection.execute(
        f"select {COLUMNS} from raw._files where {where} order by loaded_at, file_id", list(values)
    ).fetchall()
    names = [f.name for f in fields(LedgerRow)]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    lists = ("headers", "remarks")
    return [LedgerRow(**{**row, **{name: tuple(row[name] or ()) for name in lists}}) for row in rows]


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
