"""A DuckDB in which untrusted SQL meets a copy of the rows, and nothing else.

Threat model: the static checks are the wall in front; this is the one behind it, for what they might let through. The
database is in memory and holds only `source` (a copy of some rows of one file) and the project's SQL functions. It is
locked before any untrusted text arrives: no file system, no network, no extensions, no Python objects, no settings to
change, bounded memory and threads. Statements must be a single SELECT, run in a read-only transaction, for a bounded
time, and give a bounded number of rows. What DuckDB still answers in there (`duckdb_settings()`, `query('...')`) tells
nothing worth having; only the static checks refuse it. Nor does the interrupt stop a long step inside DuckDB: a text of
gigabytes ends seconds later, and binding a tower of macros (`split_part` 16 deep) never; `bounded_work` refuses those.

Messages of DuckDB quote cells. They go back to the provider, so what is not in the SQL is masked.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from generator.checks import foreign
from generator.columns.mask import mask
from generator.database.ledger import patiently
from generator.errors import GoldsmithError, LockedError
from generator.matcher.expressions import identifier, literal
from generator.visible import plain

MAX_ROWS = 100_000
MAX_RESULT_ROWS = 200_000
TIMEOUT = 20.0
_LIMITS = (
    "set threads = 2",
    "set memory_limit = '512MB'",
    "set temp_directory = ''",
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set allow_community_extensions = false",
    "set python_enable_replacements = false",
    "set enable_external_access = false",
    "set lock_configuration = true",
)
# Messages of these speak of names and syntax; those of all other errors quote values.
_ABOUT_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException)
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
# Texts, names and numbers as a whole: what is only a part of one might be made to cover any cell.
_SAID = re.compile(r"'((?:[^']|'')*)'|(\d[\d.]*)|(\w+)")


class SandboxError(GoldsmithError):
    """SQL that DuckDB refused, that failed on the rows, or that took too long."""


class Sandbox:
    """A locked DuckDB with the rows in `source`. Make it with `of_file` or `of_rows`, use it in a `with` block."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, timeout: float) -> None:
        """Take a filled in-memory connection and lock it. `timeout` is in seconds, for each statement."""
        self._connection = connection
        self._timeout = timeout
        for setting in _LIMITS:
            connection.execute(setting)

    @classmethod
    def of_file(
        cls,
        functions_sql: str,
        database: Path,
        raw_table: str,
        file_id: str,
        limit: int = MAX_ROWS,
        timeout: float = TIMEOUT,
    ) -> Self:
        """A sandbox with the first rows of one file, copied from a raw table (`raw.shopify_3f2a9c1e`).

        The database must not be open for writing: in this process SandboxError says so, and LockedError if another
        program has it and keeps it.
        """
        connection = duckdb.connect(":memory:")
        table = ".".join(identifier(part) for part in raw_table.split("."))
        try:
            attach = f"attach {literal(str(database))} as loaded (read_only)"
            patiently(database, lambda: connection.execute(attach))
            connection.execute(
                f"create table source as select * from loaded.{table} where _file_id = ? order by _source_row limit ?",
                [file_id, min(limit, MAX_ROWS)],
            )
            connection.execute("detach loaded")
            connection.execute(functions_sql)
        except duckdb.Error as error:
            connection.close()
            raise SandboxError(f"{database}: {_first_line(error)}") from None
        except LockedError:
            connection.close()
            raise
        return cls(connection, timeout)

    @classmethod
    def of_rows(
        cls,
        functions_sql: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[str | None]],
        timeout: float = TIMEOUT,
    ) -> Self:
        """A sandbox with the given rows, all text but `_source_row`; row keys that are not given are made up."""
        keys = [k for k in ("_file_id", "_source_file", "_source_row", "_preamble", "_footer") if k not in columns]
        made_up = {"_file_id": "file", "_source_file": "file.csv", "_preamble": "", "_footer": ""}
        connection = duckdb.connect(":memory:")
        types = [f"{identifier(c)} {'bigint' if c == '_source_row' else 'varchar'}" for c in (*columns, *keys)]
        connection.execute(f"create table source ({', '.join(types)})")
        filled = [[*row, *(made_up.get(k, number) for k in keys)] for number, row in enumerate(rows, start=1)]
        if filled:
            connection.executemany(f"insert into source values ({', '.join('?' * len(types))})", filled[:MAX_ROWS])
        connection.execute(functions_sql)
        return cls(connection, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def reread(self, sql: str, functions: frozenset[str], names: frozenset[str]) -> None:
        """SandboxError if DuckDB reads more in a mapping than may be in one; see `checks.rereading`."""
        ((text,),) = self._connection.execute("select json_serialize_sql(?)", [sql]).fetchall()
        tree = json.loads(text)
        if tree["error"]:
            raise SandboxError(plain(f"DuckDB cannot read it: {tree['error_message']}"))
        if more := foreign(tree["statements"], functions, names):
            raise SandboxError(f"DuckDB reads {more} in it, which is not allowed; write it plainly")

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """Name and DuckDB type of each column of a SELECT, without running it."""
        self._require_select(sql)
        return [(str(name), str(kind)) for name, kind, *_ in self._run(f"describe {sql}", sql)]

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, at most 200,000 of them."""
        self._require_select(sql)
        return self._run(sql, sql)

    def _require_select(self, sql: str) -> None:
        try:
            statements = self._connection.extract_statements(sql)
        except duckdb.Error as error:
            raise SandboxError(_message(error, sql)) from None
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            kinds = ", ".join(s.type.name for s in statements) or "nothing"
            raise SandboxError(f"exactly one SELECT is allowed here, this is {kinds}")

    def _run(self, statement: str, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement; `sql` is what the provider knows of it, for messages."""
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            self._connection.interrupt()

        timer = threading.Timer(self._timeout, stop)
        timer.daemon = True
        try:
            self._connection.execute("begin transaction read only")
            timer.start()
            try:
                rows = self._connection.execute(statement).fetchmany(MAX_RESULT_ROWS + 1)
            finally:
                timer.cancel()
                timer.join()
                self._connection.rollback()
        except duckdb.Error as error:
            if stopped.is_set():
                raise SandboxError(f"it was stopped after {self._timeout:g} s; write something simpler") from None
            raise SandboxError(_message(error, sql)) from None
        if len(rows) > MAX_RESULT_ROWS:
            raise SandboxError(f"it gives more than {MAX_RESULT_ROWS:,} rows")
        return rows


def _first_line(error: Exception) -> str:
    line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line.strip())[:300]


def _message(error: duckdb.Error, sql: str) -> str:
    """What DuckDB says, on one line; values are masked unless they stand in the SQL."""
    line = _first_line(error)
    if isinstance(error, _ABOUT_SQL):
        return line
    known = frozenset(part.lower() for match in _SAID.finditer(sql) for part in match.groups() if part)
    parts, end = [], 0
    for match in _QUOTED.finditer(line):
        inner = match[0][1:-1]
        parts += [_digits(line[end : match.start()], known), match[0] if inner.lower() in known else mask(match[0])]
        end = match.end()
    return "".join([*parts, _digits(line[end:], known)])


def _digits(text: str, known: frozenset[str]) -> str:
    """A text with its numbers masked, but for those in the SQL and in names of types."""
    return re.sub(r"(?<![A-Za-z])\d[\d.]*", lambda n: n[0] if n[0] in known else mask(n[0]), text)
