"""What was in the file is in the raw table to the last cell, and every number in the ledger can be counted again."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from invented import ROOT

from generator.database.ledger import LedgerRow, connect, read_files, update_file
from generator.errors import GoldsmithError, UsageError
from generator.intake.files import Incoming
from generator.run.load import ReadFile, load_file, read_incoming

NUMBERS = count()
many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Warehouse:
    """A temporary database and a folder for the file that is loaded next."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def load(self, content: bytes | str, table: str | None = None, name: str = "file.csv") -> LedgerRow:
        """Load a file with that content; a table of its own unless one is named."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        incoming = Incoming(path, name, None, "source")
        number = next(NUMBERS)
        digest = hashlib.sha256(f"{number}".encode() + path.read_bytes()).hexdigest()
        with read_incoming(incoming) as read:
            return load_file(
                self.connection,
                incoming,
                read,
                digest=digest,
                contract=None,
                source="source",
                raw_table=table or f"t_{number}",
                layout=digest[:8],
                loaded_at=datetime(2024, 1, 1),
            )

    def rows(self, row: LedgerRow) -> list[tuple[str, ...]]:
        """The cells of a loaded file, in file order."""
        return self.query(
            f'select * exclude (_file_id, _source_file, _source_row, _preamble, _footer) from raw."{row.raw_table}" '
            "where _file_id = ? order by _source_row",
            row.file_id,
        )

    def rejects(self, row: LedgerRow) -> list[tuple[Any, ...]]:
        """Line, text and reason of a file's rejects."""
        sql = "select source_row, text, reason from raw._rejects where file_id = ? order by source_row"
        return self.query(sql, row.file_id)

    def margins(self, row: LedgerRow) -> list[tuple[Any, ...]]:
        """Line, part and text of what is around a file's data."""
        sql = "select source_row, part, text from raw._margins where file_id = ? order by source_row"
        return self.query(sql, row.file_id)

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(values)).fetchall()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    folder = tmp_path_factory.mktemp("load")
    with connect(folder / "test.duckdb", ROOT) as connection:
        connection.execute("set threads = 1")
        yield Warehouse(connection, folder)


# ---- round trips ----------------------------------------------------------------------------------------------------

LETTERS = st.characters(categories=["Lu", "Ll", "Lo"], max_codepoint=0x9FFF)
WORDS = st.text(LETTERS, min_size=1, max_size=8)
CELLS = st.one_of(
    st.just(""),
    WORDS,
    st.text(st.sampled_from("ab ,;|\t\"'\r\n.-0123456789äß日€\u00a0🙂"), max_size=12),
    st.integers(-(10**6), 10**6).map(str),
    st.dates().map(str),
    st.sampled_from(
        ["NULL", "\\N", "total", "1.234,56", " ", '"', '""', "{{ x }}", "a\\", "#", "\u2028", "\x1a", "\x7f"]
    ),
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A header of words, and records that a key begins: what is empty to the last column may be a footer."""
    headers = draw(st.lists(st.lists(WORDS, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=6, unique=True))
    width = len(headers)
    rows = draw(st.lists(st.lists(CELLS, min_size=width - 1, max_size=width - 1), min_size=1, max_size=12))
    return [headers, *([f"k{i}", *row] for i, row in enumerate(rows))]


def written(table: Sequence[Sequence[str]], delimiter: str, end: str, quoting: int) -> tuple[list[list[str]], str]:
    """A table as CSV. The csv module leaves other line ends than its own without quotes, so there are none."""
    other = {"\n": "\r", "\r": "\n"}.get(end, "")
    kept = [[cell.replace(other, "") for cell in row] for row in table]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(kept)
    return kept, file.getvalue()


@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.booleans(),
)
@many
def test_any_table_comes_back_cell_by_cell(
    warehouse: Warehouse,
    table: list[list[str]],
    delimiter: str,
    end: str,
    quoting: int,
    encoding: str,
    ended: bool,
) -> None:
    kept, text = written(table, delimiter, end, quoting)
    row = warehouse.load((text if ended else text.removesuffix(end)).encode(encoding))
    assert list(row.headers) == kept[0]
    assert [list(cells) for cells in warehouse.rows(row)] == kept[1:]
    assert (row.rows_read, row.rows_loaded, row.rows_rejected, row.footer_rows) == (len(kept) - 1, len(kept) - 1, 0, 0)
    assert row.delimiter == delimiter or len(kept[0]) == 1


GERMAN = st.lists(st.sampled_from(["Währung", "Größe", "Müller", "5 €", "Straße 7", "Öl"]), min_size=1, max_size=3)


@given(st.lists(GERMAN, min_size=1, max_size=8), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
@settings(max_examples=30, deadline=None)
def test_tables_in_a_western_encoding_come_back_cell_by_cell(
    warehouse: Warehouse, texts: list[list[str]], quoting: int
) -> None:
    table = [["Schlüssel", "Empfänger", "Betrag"], *([f"k{i}", "; ".join(t), "-5,40"] for i, t in enumerate(texts))]
    _, text = written(table, ";", "\r\n", quoting)
    row = warehouse.load(text.encode("cp1252"))
    assert row.encoding == "cp1252"
    assert [list(cells) for cells in warehouse.rows(row)] == table[1:]


@st.composite
def polluted(draw: st.DrawFn) -> tuple[int, list[str]]:
    """The width of a table and its lines: records `k<n>`, among them others of any width, `x<n>`, and blank lines."""
    width = draw(st.integers(2, 5))
    other = st.integers(1, 8).map(lambda n: ["x", *["y"] * (n - 1)])
    record = st.just(["k", *["5"] * (width - 1)])
    lines = draw(st.lists(st.one_of(record, record, other, st.just([])), min_size=1, max_size=40))
    return width, [",".join([f"{cells[0]}{i}", *cells[1:]]) if cells else "" for i, cells in enumerate(lines)]


def loaded_or_refused(warehouse: Warehouse, content: str, why: str) -> LedgerRow | None:
    """What was loaded, or None for a file that was refused for that reason."""
    try:
        return warehouse.load(content)
    except GoldsmithError as error:
        if why not in str(error):
            raise
        return None


@given(
    polluted(), st.sampled_from(["", "Statement of January\nfor Ann\n"]), st.sampled_from(["", "\nTotal,9\nThe end.\n"])
)
@many
def test_no_line_of_any_polluted_file_is_lost(
    warehouse: Warehouse, table: tuple[int, list[str]], preamble: str, footer: str
) -> None:
    width, lines = table
    header = ",".join(["id", "name", "city", "note", "unit"][:width])
    content = "\n".join([f"{preamble}{header}", *lines]) + "\n" + footer
    fitting = sum(line.count(",") == width - 1 for line in lines)
    assume(2 * fitting >= sum(map(bool, lines)) and fitting)
    row = loaded_or_refused(warehouse, content, "this is no table")
    if row is None:
        # As if there were no header, and a table of the other width.
        return
    raw, rejects = warehouse.rows(row), warehouse.rejects(row)
    assert (row.rows_loaded, row.rows_rejected) == (len(raw), len(rejects))
    assert row.rows_read == row.rows_loaded + row.rows_rejected
    around = warehouse.query(f'select any_value(_preamble), any_value(_footer) from raw."{row.raw_table}"')[0]
    kept = {",".join(cells).rstrip(",") for cells in raw} | {text for _, text, _ in rejects}
    kept |= set("\n".join(around).splitlines()) | {",".join(row.headers[:width]), ""}
    assert {header, *lines} <= kept


@pytest.mark.parametrize("rows", [20, 3000])
def test_what_is_around_the_data_is_kept_exactly_as_it_stands(warehouse: Warehouse, rows: int) -> None:
    before = 'Statement "of" January\n\n'
    content = f'{before} id;"name" \n' + "1;Ann\n# a comment\n" * 3 + "2;Bob\n" * rows + '\n"Total";\nThe "end"'
    row = warehouse.load(content)
    assert (row.headers, row.rows_loaded, row.footer_rows) == (("id", "name"), rows + 3, 2)
    assert warehouse.margins(row) == [
        (1, "preamble", 'Statement "of" January'),
        (2, "preamble", ""),
        (3, "header", ' id;"name" '),
        *((line, "comment", "# a comment") for line in (5, 7, 9)),
        (rows + 11, "footer", '"Total";'),
        (rows + 12, "footer", 'The "end"'),
    ]


# ---- the ledger -----------------------------------------------------------------------------------------------------

STATEMENT = (
    "Account;DE12\n\nDate;Payee;Amount\n2024-01-02;Baker;-5,40\n2024-01-03;Butcher\n2024-01-04;;-8,00\nTotal;;\n"
)


def test_the_ledger_says_what_was_loaded_and_how(warehouse: Warehouse) -> None:
    row = warehouse.load(STATEMENT, name="statement.csv")
    assert read_files(warehouse.connection, "file_id = ?", row.file_id) == [row]
    assert (row.encoding, row.encoding_certainty, row.compression) == ("utf-8", 1.0, "")
    assert (row.delimiter, row.quotechar, row.escapechar, row.has_header) == (";", '"', '"', True)
    assert (row.headers, row.preamble_rows, row.footer_rows) == (("Date", "Payee", "Amount"), 2, 1)
    assert (row.rows_read, row.rows_loaded, row.rows_rejected) == (3, 2, 1)
    assert (row.source_file, row.bytes, row.state, row.message) == ("statement.csv", len(STATEMENT), "loaded", "")
    assert row.file_id == row.sha256[:16]
    assert warehouse.rejects(row) == [(5, "2024-01-03;Butcher", "2 fields where the layout has 3")]


def test_every_cell_is_text_and_every_row_knows_its_file_its_line_and_what_stood_around(warehouse: Warehouse) -> None:
    row = warehouse.load(STATEMENT)
    described = warehouse.query(f'describe raw."{row.raw_table}"')
    types = {name: kind for name, kind, *_ in described}
    assert types.pop("_source_row") == "BIGINT"
    assert set(types.values()) == {"VARCHAR"}
    found = warehouse.query(
        f'select _file_id, _source_file, _source_row, _preamble, _footer from raw."{row.raw_table}"'
    )
    assert found == [(row.file_id, "file.csv", line, "Account;DE12\n", "Total;;") for line in (4, 6)]
    assert warehouse.rows(row)[1] == ("2024-01-04", "", "-8,00")


def test_a_second_file_of_a_layout_joins_the_first_in_its_table(warehouse: Warehouse) -> None:
    first = warehouse.load("id,name\n1,Ann\n", table="shared", name="one.csv")
    second = warehouse.load("id,name\n2,Bob\n3,Cy\n", table="shared", name="two.csv")
    assert (warehouse.rows(first), warehouse.rows(second)) == ([("1", "Ann")], [("2", "Bob"), ("3", "Cy")])


def test_hostile_headers_become_columns_and_stay_in_the_ledger(warehouse: Warehouse) -> None:
    row = warehouse.load('"a""; drop table x","{{ x }}",a,A,,select\n1,2,3,4,5,6\n')
    assert row.headers == ('a"; drop table x', "{{ x }}", "a", "A", "", "select")
    assert warehouse.rows(row) == [("1", "2", "3", "4", "5", "6")]


@pytest.mark.parametrize("piece", ['"', "🙂"])
def test_a_cell_of_many_megabytes_is_loaded(warehouse: Warehouse, piece: str) -> None:
    cell = piece * 2_000_000
    row = warehouse.load(f'id,text\n1,"{cell.replace(chr(34), chr(34) * 2)}"\n2,x\n')
    sql = f"select length(text), md5(text) from raw.\"{row.raw_table}\" where id = '1'"
    assert warehouse.query(sql) == [(len(cell), hashlib.md5(cell.encode()).hexdigest())]


def test_a_file_with_thousands_of_columns_is_loaded(warehouse: Warehouse) -> None:
    headers = [f"c{i}" for i in range(2000)]
    row = warehouse.load(",".join(headers) + "\n" + ",".join(["x"] * 2000) + "\n")
    assert warehouse.rows(row) == [("x",) * 2000]


# ---- all or nothing -------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(warehouse: Warehouse) -> Iterator[tuple[Incoming, ReadFile]]:
    """A file that was read and is not loaded yet."""
    path = warehouse.folder / "waiting.csv"
    path.write_text("id,name\n1,Ann\n2,Bob,x\n", encoding="utf-8")
    incoming = Incoming(path, "waiting.csv", None, "source")
    with read_incoming(incoming) as read:
        yield incoming, read


def into(warehouse: Warehouse, incoming: Incoming, read: ReadFile, digest: str = "f" * 64) -> LedgerRow:
    return load_file(
        warehouse.connection,
        incoming,
        read,
        digest=digest,
        contract=None,
        source="source",
        raw_table="waiting",
        layout="0" * 8,
        loaded_at=datetime(2024, 1, 1),
    )


def nothing_was_kept(warehouse: Warehouse) -> bool:
    tables = warehouse.query("select table_name from duckdb_tables() where table_name = 'waiting'")
    return not (tables or read_files(warehouse.connection, "source_file = 'waiting.csv'"))


def test_a_file_of_which_another_number_of_rows_arrives_is_refused_as_a_whole(
    warehouse: Warehouse, waiting: tuple[Incoming, ReadFile]
) -> None:
    incoming, read = waiting
    read.reading.rows_loaded += 1
    with pytest.raises(GoldsmithError, match="^2 records were read but 1 loaded; nothing was kept$"):
        into(warehouse, incoming, read)
    assert nothing_was_kept(warehouse)


@pytest.mark.parametrize("lost", ["rows", "rejects", "margins"])
def test_a_file_that_duckdb_cannot_load_leaves_nothing_behind(
    warehouse: Warehouse, waiting: tuple[Incoming, ReadFile], lost: str
) -> None:
    incoming, read = waiting
    getattr(read.reading.bodies, lost).unlink()
    with pytest.raises(GoldsmithError, match="^could not be loaded: [^\n]*$"):
        into(warehouse, incoming, read)
    assert nothing_was_kept(warehouse)


def test_the_same_file_is_not_loaded_twice(warehouse: Warehouse) -> None:
    row = warehouse.load("id,name\n1,Ann\n2,Bob\n", table="once", name="once.csv")
    incoming = Incoming(warehouse.folder / "once.csv", "once.csv", None, "source")
    with read_incoming(incoming) as read, pytest.raises(GoldsmithError, match="^could not be loaded: "):
        into(warehouse, incoming, read, digest=row.sha256)
    assert len(warehouse.rows(row)) == 2


def test_the_temporary_files_go_with_the_context(waiting: tuple[Incoming, ReadFile], warehouse: Warehouse) -> None:
    with read_incoming(waiting[0]) as read:
        folder = read.reading.bodies.folder
        assert read.reading.bodies.rows.exists()
    assert not folder.exists()


# ---- lines that are loaded as they are -----------------------------------------------------------------------------


LONG = "id,name\n" + "".join(f"{i},Ann {i}\n" for i in range(20_000))


@pytest.fixture
def long(warehouse: Warehouse) -> Iterator[tuple[Incoming, ReadFile]]:
    """A file, most lines of which are loaded as they are."""
    path = warehouse.folder / "long.csv"
    path.write_text(LONG, encoding="utf-8")
    incoming = Incoming(path, "long.csv", None, "source")
    with read_incoming(incoming) as read:
        assert read.reading.bodies.lines
        yield incoming, read


@pytest.mark.parametrize(
    "wrong",
    [b'\n900000,1,"A" nn\n', b"\n900000,1,Ann,x\n", b"\n900000\n", b"\nx,1,Ann\n", b"\n900000,1,\xff\n", b"\n9,1,A\n"],
)
def test_lines_that_duckdb_does_not_read_as_they_were_counted_are_read_once_more_by_the_tokenizer(
    warehouse: Warehouse, long: tuple[Incoming, ReadFile], wrong: bytes
) -> None:
    incoming, read = long
    with read.reading.bodies.lines[-1][0].open("ab") as lines:
        lines.write(wrong)
    row = into(warehouse, incoming, read)
    try:
        assert warehouse.rows(row) == [(f"{i}", f"Ann {i}") for i in range(20_000)]
    finally:
        warehouse.connection.execute("drop table raw.waiting")
        warehouse.connection.execute("delete from raw._files where raw_table = 'waiting'")


def test_every_line_of_a_long_file_has_its_number(warehouse: Warehouse) -> None:
    row = warehouse.load(LONG.replace("77,Ann", '77,"Ann').replace("77\n", '\n77"\n\n'))
    lines = warehouse.query(f'select id::int, _source_row, name from raw."{row.raw_table}" order by _source_row')
    # A record whose number ends in 77 is two lines long, and a blank one follows.
    shift, line = [], 2
    for i in range(20_000):
        shift.append(line)
        line += 3 if str(i).endswith("77") else 1
    assert [(i, line) for i, line, _ in lines] == list(enumerate(shift))
    assert lines[77][2] == "Ann \n77"


@pytest.mark.parametrize("cell", ["", '""'])
def test_an_empty_cell_of_a_long_file_is_empty_and_never_null(warehouse: Warehouse, cell: str) -> None:
    row = warehouse.load("id,name,city\n" + f"1,{cell},Rome\n2,NULL,{cell}\n" * 5000)
    assert set(warehouse.rows(row)) == {("1", "", "Rome"), ("2", "NULL", "")}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_long_file_in_any_encoding_comes_back_cell_by_cell(warehouse: Warehouse, encoding: str, end: str) -> None:
    table = [["Schlüssel", "Empfänger", "Betrag"], *([f"{i}", "Müller; Söhne", "-5,40"] for i in range(9000))]
    _, text = written(table, ";", end, csv.QUOTE_MINIMAL)
    row = warehouse.load(text.encode(encoding))
    assert list(row.headers) == table[0]
    assert [list(cells) for cells in warehouse.rows(row)] == table[1:]


# ---- the database ---------------------------------------------------------------------------------------------------


def test_the_ledger_refuses_a_column_that_it_does_not_have(warehouse: Warehouse) -> None:
    row = warehouse.load("id,name\n1,Ann\n")
    update_file(warehouse.connection, row.file_id, state="mapped", contract="orders")
    (changed,) = read_files(warehouse.connection, "file_id = ?", row.file_id)
    assert (changed.state, changed.contract) == ("mapped", "orders")
    with pytest.raises(GoldsmithError, match="the ledger has no column colour"):
        update_file(warehouse.connection, row.file_id, colour="red")


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "goldsmith.duckdb"
    path.write_text("this is no database, but a text of some length\n" * 200, encoding="utf-8")
    with pytest.raises(
        UsageError, match=rf"^{path}: cannot be opened as a DuckDB database: [^\n]*let GOLDSMITH_DB name another$"
    ):
        connect(path, ROOT).__enter__()


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ledger.sql: No such file or directory; --project-dir must be"):
        connect(tmp_path / "new.duckdb", tmp_path).__enter__()


def test_a_database_of_before_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    lacking = ("encoding_certainty", "compression", "escapechar", "remarks")
    with connect(tmp_path / "old.duckdb", ROOT) as connection:
        row = Warehouse(connection, tmp_path).load("id,name\n1,Ann\n", table="old")
        connection.execute("drop table raw._margins")
        for column in lacking:
            connection.execute(f"alter table raw._files drop column {column}")
    with connect(tmp_path / "old.duckdb", ROOT) as connection:
        (found,) = read_files(connection)
        assert found == replace(row, encoding_certainty=None, compression=None, escapechar=None, remarks=())
        assert Warehouse(connection, tmp_path).load("id,name\n2,Bob\n", table="old").rows_loaded == 1


@pytest.fixture
def bounded(tmp_path: Path) -> Path:
    """A project whose profile gives DuckDB little memory."""
    (tmp_path / "macros").mkdir()
    shutil.copy2(ROOT / "macros" / "ledger.sql", tmp_path / "macros")
    (tmp_path / "dbt_project.yml").write_text("profile: small\n", encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(
        "small:\n  target: \"{{ env_var('NO_SUCH_TARGET', 'dev') }}\"\n  outputs:\n    dev:\n      type: duckdb\n"
        "      settings: {memory_limit: 300MB, threads: \"{{ env_var('N', '1') | as_number }}\", search_path: main}\n",
        encoding="utf-8",
    )
    return tmp_path


def test_our_connections_keep_to_the_memory_that_the_profile_gives_dbt(bounded: Path) -> None:
    with connect(bounded / "new.duckdb", bounded) as connection:
        asked = "select current_setting('memory_limit'), current_setting('threads'), current_setting('search_path')"
        assert connection.execute(asked).fetchone() == ("286.1 MiB", 1, "")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("300MB", "lots", "profiles.yml: settings: memory_limit: lots: "),
        ("'1'", "", "profiles.yml: the environment variable N is not set"),
        ("as_number", "as_nothing", "profiles.yml: .*as_nothing"),
    ],
)
def test_a_profile_that_cannot_be_kept_to_is_said_in_one_line(
    bounded: Path, before: str, after: str, message: str
) -> None:
    path = bounded / "profiles.yml"
    path.write_text(path.read_text(encoding="utf-8").replace(before, after).replace("'N', )", "'N')"), encoding="utf-8")
    with pytest.raises(UsageError, match=f"^{message}[^\n]*$"):
        connect(bounded / "new.duckdb", bounded).__enter__()


def test_without_a_profile_duckdb_has_its_own_bounds(bounded: Path) -> None:
    (bounded / "profiles.yml").write_text("[]", encoding="utf-8")
    with connect(bounded / "new.duckdb", bounded) as connection:
        assert connection.execute("select current_setting('memory_limit')").fetchone() != ("286.1 MiB",)
