"""Load one file into its raw table: every column text, nothing cast, nothing trimmed, nothing lost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from generator.dialect import QUOTE, Dialect, detect_dialect
from generator.encoding import detect_encoding
from generator.errors import GoldsmithError
from generator.intake import Incoming
from generator.ledger import LedgerRow, add_file
from generator.profile import LayoutProfile, build_profile
from generator.reading import Reading, read_file, read_sample
from generator.render import AROUND, KEYS


@dataclass(frozen=True)
class ReadFile:
    """A file that was read but not loaded yet: its dialect, its profile, and where its canonical rows wait."""

    encoding: str
    dialect: Dialect
    reading: Reading
    profile: LayoutProfile
    rows: Path
    rejects: Path


@contextmanager
def read_incoming(incoming: Incoming) -> Iterator[ReadFile]:
    """Steps 2 and 3 for one file: dialect, records, profile. Its temporary files go when the context ends.

    Raises GoldsmithError for a file that cannot be read to the last record.
    """
    with tempfile.TemporaryDirectory(prefix="goldsmith-") as folder:
        rows, rejects = Path(folder) / "rows.csv", Path(folder) / "rejects.csv"
        try:
            encoding = detect_encoding(incoming.path)
            dialect = detect_dialect(*read_sample(incoming.path, encoding))
            reading = read_file(incoming.path, encoding, dialect, rows, rejects)
        except UnicodeDecodeError as error:
            raise GoldsmithError(f"byte 0x{error.object[error.start]:02x} is not {error.encoding}") from None
        except OSError as error:
            raise GoldsmithError(f"cannot be read: {error.strerror}") from None
        if reading.rows_loaded == 0:
            raise GoldsmithError(
                f"no data record: {reading.rows_read} read, all of them rejected"
                if reading.rows_read
                else "a header and no data record; nothing to load"
            )
        profile = build_profile(
            dialect.headers,
            reading.sample,
            source_file=incoming.name,
            delimiter=dialect.delimiter,
            has_header=dialect.has_header,
            preamble=reading.preamble,
            footer=reading.footer,
        )
        yield ReadFile(encoding, dialect, reading, profile, rows, rejects)


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
) -> LedgerRow:
    """Load a file that was read, in one transaction: raw rows, rejects and its row in the ledger, or nothing.

    Raises GoldsmithError if DuckDB loads another number of rows than were read.
    """
    file_id, reading = digest[:16], read.reading
    columns = [c.name for c in read.profile.columns]
    names = [*KEYS, *AROUND, *columns]
    listed = ", ".join(f'"{n}" {"bigint" if n == "_source_row" else "varchar"}' for n in names)
    types = "{" + ", ".join(f"'{n}': 'VARCHAR'" for n in ["_source_row", *columns]) + "}"
    connection.begin()
    try:
        connection.execute("create schema if not exists raw")
        connection.execute(f'create table if not exists raw."{raw_table}" ({listed})')
        connection.execute(
            f"""
            insert into raw."{raw_table}" by name
            select * replace (_source_row::bigint as _source_row), ? as _file_id, ? as _source_file,
                ? as _preamble, ? as _footer
            from read_csv(?, columns = {types}, {_READ_OPTIONS}, max_line_size = {_line_size(reading)})
            """,
            [file_id, incoming.name, reading.preamble, reading.footer, str(read.rows)],
        )
        connection.execute(
            f"""
            insert into raw._rejects
            select ?, line::bigint, text, reason
            from read_csv(?, columns = {{'line': 'VARCHAR', 'text': 'VARCHAR', 'reason': 'VARCHAR'}}, {_READ_OPTIONS})
            """,
            [file_id, str(read.rejects)],
        )
        (loaded,) = connection.execute(
            f'select count(*) from raw."{raw_table}" where _file_id = ?', [file_id]
        ).fetchone() or (0,)
        if loaded != reading.rows_loaded:
            raise GoldsmithError(f"{reading.rows_loaded} records were read but {loaded} loaded; nothing was kept")
        row = LedgerRow(
            file_id=file_id,
            source_file=incoming.name,
            sha256=digest,
            bytes=incoming.path.stat().st_size,
            contract=contract,
            source=source,
            layout=layout,
            raw_table=raw_table,
            encoding=read.encoding,
            delimiter=read.dialect.delimiter,
            quotechar=QUOTE,
            has_header=read.dialect.has_header,
            headers=read.dialect.headers,
            preamble_rows=read.dialect.preamble_rows,
            footer_rows=reading.footer_rows,
            rows_read=reading.rows_read,
            rows_loaded=reading.rows_loaded,
            rows_rejected=reading.rows_rejected,
            state="loaded",
            message="",
            loaded_at=datetime.now(UTC).replace(tzinfo=None),
        )
        add_file(connection, row)
        connection.commit()
        return row
    except duckdb.Error as error:
        _roll_back(connection)
        raise GoldsmithError(f"could not be loaded: {str(error).splitlines()[0]}") from None
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    # Ctrl-C during a commit leaves no transaction to roll back.
    with suppress(duckdb.TransactionException):
        connection.rollback()


# The canonical form of `reading`: every field quoted, so that an empty cell is '' and never NULL.
_READ_OPTIONS = (
    "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n', "
    "allow_quoted_nulls = false, strict_mode = true"
)


def _line_size(reading: Reading) -> int:
    """A bound in bytes for DuckDB's longest line: four bytes a character, a doubled quote is two; and the separators."""
    return max(2 << 20, reading.longest * 4 + (1 << 20))
