"""Load one file into its raw table: every column text, nothing cast, nothing trimmed, nothing lost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from generator.columns.profile import LayoutProfile, build_profile
from generator.database.ledger import LedgerRow, add_file
from generator.dialect.bodies import Bodies
from generator.dialect.detection import Dialect, detect_dialect
from generator.dialect.encoding import Encoding, detect_encoding
from generator.dialect.reading import read_file, read_sample
from generator.dialect.sorting import Reading, remarks_of
from generator.disk import is_full
from generator.errors import GoldsmithError
from generator.intake.files import Incoming
from generator.intake.unpacking import unpacked
from generator.project.render import AROUND, KEYS


@dataclass(frozen=True)
class ReadFile:
    """A file that was read but not loaded yet: how it is written, its profile, and where its rows wait.

    `path` is the plain file; `compression` how it was packed, '' if it was not. `remarks` is what is doubtful.
    """

    path: Path
    compression: str
    encoding: Encoding
    dialect: Dialect
    reading: Reading
    profile: LayoutProfile
    remarks: tuple[str, ...]


@contextmanager
def read_incoming(incoming: Incoming, scratch: Path | None = None) -> Iterator[ReadFile]:
    """Steps 2 and 3 for one file: dialect, records, profile. Its temporary files go when the context ends.

    They take as much room as the file, in `scratch`. Raises GoldsmithError for a file that cannot be read to the last
    record.
    """
    with tempfile.TemporaryDirectory(prefix="goldsmith-", dir=scratch) as folder:
        yield _read(incoming, Path(folder))


def _read(incoming: Incoming, folder: Path) -> ReadFile:
    try:
        path, compression = unpacked(incoming.path, folder)
        encoding = detect_encoding(path)
        dialect = detect_dialect(*read_sample(path, encoding.name))
        reading = read_file(path, encoding.name, dialect, folder)
    except UnicodeDecodeError as error:
        raise GoldsmithError(f"byte 0x{error.object[error.start]:02x} is not {error.encoding}") from None
    except OSError as error:
        if is_full(error):
            raise
        raise GoldsmithError(f"cannot be read: {error.strerror}") from None
    _refuse_a_wrong_table(dialect, reading)
    profile = build_profile(
        dialect.headers,
        reading.sample,
        source_file=incoming.name,
        delimiter=dialect.delimiter,
        has_header=dialect.has_header,
        preamble=reading.preamble,
        footer=reading.footer,
    )
    remarks = (*([encoding.remark] if encoding.remark else []), *dialect.remarks, *remarks_of(reading))
    return ReadFile(path, compression, encoding, dialect, reading, profile, remarks)


def _refuse_a_wrong_table(dialect: Dialect, reading: Reading) -> None:
    """Refuse a file of which most records do not fit the columns.

    Then the columns are rather misunderstood than the records wrong, and the few that fit would be wrong in silence.
    What is rejected for a better reason, such as a second table, does not count.
    """
    if reading.rows_read and not reading.rows_loaded:
        raise GoldsmithError(f"no data record: {reading.rows_read} read, all of them rejected")
    if reading.misfits > reading.rows_loaded:
        raise GoldsmithError(
            f"{reading.misfits} of {reading.misfits + reading.rows_loaded} records do not have the "
            f"{len(dialect.headers)} fields of the header on line {dialect.header_line}; this is no table, or its "
            "delimiter or quotes are not what they seem"
            if dialect.has_header
            else f"{reading.misfits} of {reading.misfits + reading.rows_loaded} records do not have "
            f"{len(dialect.headers)} fields; this is no table, or its delimiter or quotes are not what they seem"
        )


def load_file(
    connection: duckdb.DuckDBPyConnection,
    incoming: Incoming,
    read: ReadFile,
    *,
    digest: str,
    contract: str | None,
    source: str,
    raw_table: str,
    layout: str,
    loaded_at: datetime,
) -> LedgerRow:
    """Load a file that was read, in one transaction: raw rows, rejects, margins and its row in the ledger, or nothing.

    Raises GoldsmithError if DuckDB loads another number of rows than were read.
    """
    reading, dialect = read.reading, read.dialect
    row = LedgerRow(
        file_id=digest[:16],
        source_file=incoming.name,
        sha256=digest,
        bytes=incoming.path.stat().st_size,
        contract=contract,
        source=source,
        layout=layout,
        raw_table=raw_table,
        encoding=read.encoding.name,
        encoding_certainty=read.encoding.certainty,
        compression=read.compression,
        delimiter=dialect.delimiter,
        quotechar=dialect.syntax.quote,
        escapechar=dialect.syntax.escape,
        has_header=dialect.has_header,
        headers=dialect.headers,
        preamble_rows=dialect.preamble_rows,
        footer_rows=reading.footer_rows,
        rows_read=reading.rows_read,
        rows_loaded=reading.rows_loaded,
        rows_rejected=reading.rows_rejected,
        remarks=read.remarks,
        state="loaded",
        message="",
        loaded_at=loaded_at,
    )
    try:
        try:
            _load(connection, row, read)
        except _Misread:
            if not reading.bodies.lines:
                raise
            _load(connection, row, _read_again(read))
    except _Misread as error:
        raise GoldsmithError(str(error)) from None
    return row


class _Misread(Exception):
    """DuckDB did not load what was written for it."""


def _read_again(read: ReadFile) -> ReadFile:
    """The same file, every line of it read by the tokenizer: in the form in which DuckDB cannot misread anything."""
    folder = read.reading.bodies.folder / "again"
    folder.mkdir()
    return replace(read, reading=read_file(read.path, read.encoding.name, read.dialect, folder, fast=False))


def _load(connection: duckdb.DuckDBPyConnection, row: LedgerRow, read: ReadFile) -> None:
    columns = [c.name for c in read.profile.columns]
    names = [*KEYS, *AROUND, *columns]
    listed = ", ".join(f'"{n}" {"bigint" if n == "_source_row" else "varchar"}' for n in names)
    bodies, size = read.reading.bodies, _line_size(read.reading)
    try:
        # Every row knows its line, so that their order in the table says nothing, and to keep it takes time and memory.
        connection.execute("set preserve_insertion_order = false")
        connection.begin()
        connection.execute("create schema if not exists raw")
        connection.execute(f'create table if not exists raw."{row.raw_table}" ({listed})')
        around = [row.file_id, row.source_file, read.reading.preamble, read.reading.footer]
        into = f'insert into raw."{row.raw_table}" by name'
        fixed = "? as _file_id, ? as _source_file, ? as _preamble, ? as _footer"
        loaded = _count(
            connection,
            f"{into} select *, {fixed} from {_quoted(['_source_row', *columns], size)}",
            [*around, str(bodies.rows)],
        )
        if bodies.lines:
            loaded += _count(
                connection,
                f"""
                {into} select * replace ((?::bigint[])[file_index::bigint + 1] + _source_row as _source_row), {fixed}
                from {_as_they_are(read.dialect, columns)}
                """,
                [[base for _, base in bodies.lines], *around, [str(path) for path, _ in bodies.lines]],
            )
        _load_the_rest(connection, row, bodies, size)
        if loaded != row.rows_loaded:
            raise _Misread(f"{row.rows_loaded} records were read but {loaded} loaded; nothing was kept")
        add_file(connection, row)
        connection.commit()
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        _roll_back(connection)
        raise _Misread(f"could not be loaded: {str(error).splitlines()[0]}") from None
    except duckdb.Error as error:
        _roll_back(connection)
        if is_full(error) or isinstance(error, duckdb.FatalException):
            raise
        raise GoldsmithError(f"could not be loaded: {str(error).splitlines()[0]}") from None
    except BaseException:
        _roll_back(connection)
        raise
    finally:
        with suppress(duckdb.Error):
            connection.execute("reset preserve_insertion_order")


def _load_the_rest(connection: duckdb.DuckDBPyConnection, row: LedgerRow, bodies: Bodies, size: int) -> None:
    rejected = _count(
        connection,
        f"insert into raw._rejects by name select *, ? as file_id from {_quoted(['source_row', 'text', 'reason'], size)}",
        [row.file_id, str(bodies.rejects)],
    )
    if rejected != row.rows_rejected:
        raise _Misread(f"{row.rows_rejected} records were rejected but {rejected} kept; nothing was kept")
    connection.execute(
        f"insert into raw._margins by name select *, ? as file_id from {_quoted(['source_row', 'part', 'text'], size)}",
        [row.file_id, str(bodies.margins)],
    )


def _count(connection: duckdb.DuckDBPyConnection, sql: str, values: list[object]) -> int:
    """Run an insert; the number of rows that it inserted."""
    return int((connection.execute(sql, values).fetchone() or (0,))[0])


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    # Ctrl-C during a commit leaves no transaction to roll back, a full disk no database.
    with suppress(duckdb.TransactionException, duckdb.FatalException):
        connection.rollback()


def _columns(names: list[str]) -> str:
    """The columns of a file that is loaded; the first is a number."""
    types = ", ".join(f"'{n}': '{'VARCHAR' if i else 'BIGINT'}'" for i, n in enumerate(names))
    return f"auto_detect = false, header = false, strict_mode = true, new_line = '\\n', columns = {{{types}}}"


def _quoted(names: list[str], size: int) -> str:
    """A file that `BodyWriter` wrote field by field, all of them quoted, so that an empty cell is '' and never NULL."""
    options = "delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false"
    return f"read_csv(?, {_columns(names)}, {options}, max_line_size = {size})"


def _as_they_are(dialect: Dialect, columns: list[str]) -> str:
    """Files of numbered lines, as the source file has them."""
    delimiter = f"chr({ord(dialect.syntax.delimiter)})"
    quote = f"chr({ord(dialect.syntax.quote)})" if dialect.syntax.quote else "''"
    # An empty cell is '' and never NULL: for NULL a cell would have to be a line end, and no cell has one.
    options = f"delim = {delimiter}, quote = {quote}, escape = {quote}, nullstr = chr(10)"
    return f"read_csv(?, {_columns(['_source_row', *columns])}, {options})"


def _line_size(reading: Reading) -> int:
    """A bound in bytes for DuckDB's longest line: four bytes a character, a doubled quote is two; and the separators."""
    return max(2 << 20, reading.longest * 4 + (1 << 20))
