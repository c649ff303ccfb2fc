"""The sandbox holds even where the static checks were bypassed, and says what the expressions give."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from generator.checks import ColumnResult
from generator.contracts.contract import Column, Contract
from generator.database.sql_functions import create_functions_sql
from generator.mapping.measuring import column_results
from generator.mapping.sandbox import MAX_ROWS, Sandbox, SandboxError

FUNCTIONS_SQL = create_functions_sql(Path(__file__).parents[1] / "macros")
CONTRACT = Contract(
    name="bookings",
    description="",
    columns=(
        Column("booked_on", "date", not_null=True),
        Column("amount", "decimal(18,2)", not_null=True),
        Column("memo", "text"),
        Column("status", "text", accepted_values=("paid", "it's open")),
        Column("paid_at", "timestamp"),
    ),
)
ROWS = [
    ("02.01.2024", "1,50", "a", "paid"),
    ("03.01.1924", "2,555", "a", "it's open"),
    ("soon", "12x", "", "lost"),
    ("", "n/a", "-", "lost"),
]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.of_rows(FUNCTIONS_SQL, ("datum", "betrag", "text", "status"), ROWS, timeout=2) as opened:
        yield opened


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / 'it\'s a "database".duckdb'
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.bank_1 as select case when range < 5 then 'one' else 'two' end as _file_id, "
            "'f.csv' as _source_file, range as _source_row, '' as _preamble, '' as _footer, 'v' || range as cell "
            "from range(10)"
        )
        connection.execute("create table raw.secret as select 'secret' as cell")
    return path


def test_rows_of_one_file_are_copied(database: Path) -> None:
    with Sandbox.of_file(FUNCTIONS_SQL, database, "raw.bank_1", "two", limit=3) as sandbox:
        assert sandbox.fetch("select cell from source order by _source_row") == [("v5",), ("v6",), ("v7",)]
        with pytest.raises(SandboxError, match="does not exist"):
            sandbox.fetch("select * from loaded.raw.secret")
        with pytest.raises(SandboxError, match="exactly one SELECT"):
            sandbox.fetch(f"attach '{str(database).replace(chr(39), chr(39) * 2)}' as again (read_only)")
        with pytest.raises(SandboxError, match="disabled by configuration"):
            sandbox.fetch(f"select * from read_blob('{str(database).replace(chr(39), chr(39) * 2)}')")
    with duckdb.connect(str(database)) as connection:
        assert connection.execute("select count(*) from raw.bank_1").fetchone() == (10,)


@pytest.mark.parametrize("table", ["raw.missing", 'raw.bank_1"; drop table raw.bank_1; --', "raw.bank_1 where true"])
def test_a_table_that_is_not_there(database: Path, table: str) -> None:
    with pytest.raises(SandboxError, match="duckdb"):
        Sandbox.of_file(FUNCTIONS_SQL, database, table, "one")
    with duckdb.connect(str(database)) as connection:
        assert connection.execute("select count(*) from raw.bank_1").fetchone() == (10,)


def test_a_database_that_is_open_for_writing(database: Path) -> None:
    with duckdb.connect(str(database)), pytest.raises(SandboxError, match="already attached"):
        Sandbox.of_file(FUNCTIONS_SQL, database, "raw.bank_1", "one")


def test_describe_binds_without_running(sandbox: Sandbox) -> None:
    sql = "select parse_decimal(betrag, ',') as amount, cast(datum as date) as booked_on, source as _raw from source"
    assert sandbox.describe(sql)[:2] == [("amount", "DECIMAL(38,10)"), ("booked_on", "DATE")]
    with pytest.raises(SandboxError, match='Referenced column "missing" not found'):
        sandbox.describe("select missing from source")


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/passwd')",
        "select * from read_blob('/etc/*')",
        "select * from read_csv('/etc/passwd', header = false, columns = {'a': 'varchar'})",
        "select * from read_csv_auto('/etc/passwd')",
        "select * from read_json('/etc/passwd')",
        "select * from read_parquet('s3://bucket/x.parquet')",
        "select * from parquet_scan('https://example.org/x.parquet')",
        "select * from glob('/etc/*')",
        "select * from '/etc/passwd'",
        'select * from "/etc/passwd"',
        "select * from '/etc/hosts.csv'",
        "select * from 'https://example.org/x.csv'",
        "select getenv('HOME')",
        "select * from duckdb_secrets()",
        "select * from sqlite_scan('/tmp/x.db', 't')",
        "select * from postgres_scan('host=localhost', 'public', 't')",
        "from query('copy source to ''/tmp/goldsmith.csv''')",
        "from query('attach ''/tmp/goldsmith.db''')",
        "from query_table('/etc/passwd')",
        "select nextval('s')",
        "select setseed(0.1) from missing",
        "with gone as (delete from source returning *) select * from gone",
        "with new as (insert into source (text) values ('x') returning *) select * from new",
        "with new as (update source set text = 'x' returning *) select * from new",
        "select * from sandbox_of_a_python_variable",
        "select * from FUNCTIONS_SQL",
    ],
)
def test_a_select_reaches_nothing(sandbox: Sandbox, sql: str) -> None:
    sandbox_of_a_python_variable = duckdb.sql("select 'a Python object' as leaked")
    assert sandbox_of_a_python_variable is not None
    with pytest.raises(SandboxError):
        sandbox.fetch(sql)
    assert sandbox.fetch("select count(*), count(nullif(text, '')) from source") == [(4, 3)]


@pytest.mark.parametrize(
    "sql",
    [
        "copy source to '/tmp/goldsmith.csv'",
        "copy (select 1) to '/dev/stdout'",
        "attach '/tmp/goldsmith.db'",
        "attach ':memory:' as other",
        "install httpfs",
        "load httpfs",
        "pragma database_list",
        "pragma version",
        "set memory_limit = '64GB'",
        "reset memory_limit",
        "create table other as select 1",
        "create or replace macro clean_text(x) as 'x'",
        "drop table source",
        "delete from source",
        "export database '/tmp/goldsmith'",
        "call pragma_version()",
        "checkpoint",
        "commit",
        "begin transaction",
        "prepare p as select 1",
        "vacuum",
        "use memory",
        "explain analyze select 1",
        "select 1; drop table source",
        "select 1; select 2",
        "",
        "-- nothing",
        "not sql at all",
    ],
)
def test_nothing_but_one_select(sandbox: Sandbox, sql: str) -> None:
    for run in (sandbox.fetch, sandbox.describe):
        with pytest.raises(SandboxError):
            run(sql)
    assert sandbox.fetch("select count(*) from source") == [(4,)]


def test_the_lock_itself_holds(sandbox: Sandbox) -> None:
    """Even a statement that is no SELECT would change no setting and reach no file."""
    connection = sandbox._connection
    for statement in (
        "set enable_external_access = true",
        "set memory_limit = '64GB'",
        "set lock_configuration = false",
        "set python_enable_replacements = true",
        "copy source to '/tmp/goldsmith.csv'",
        "attach '/tmp/goldsmith.db'",
        "install httpfs",
        "load httpfs",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(statement)


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) > 0 from duckdb_settings()",
        "select current_setting('threads') = 2",
        "from query('select true')",
        "select count(*) > 0 from duckdb_functions()",
        "select version() <> ''",
        "select write_log('a line in the log in memory') is null",
    ],
)
def test_what_duckdb_still_answers_is_stopped_by_the_static_checks_only(sandbox: Sandbox, sql: str) -> None:
    assert sandbox.fetch(sql) == [(True,)]


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from range(1000000000000) where range % 7 = 3",
        "with recursive r as (select 1 as n union all select n + 1 from r) select count(*) from r",
        "select count(*) from range(100000000) a, range(100000000) b where a.range = b.range + 1 and a.range % 3 = 1",
    ],
)
def test_a_heavy_query_is_interrupted(sql: str) -> None:
    with Sandbox.of_rows(FUNCTIONS_SQL, ("a",), [("x",)], timeout=0.3) as sandbox:
        started = time.monotonic()
        with pytest.raises(SandboxError, match=r"stopped after 0.3 s|Out of Memory"):
            sandbox.fetch(sql)
        assert time.monotonic() - started < 15
        assert sandbox.fetch("select a from source") == [("x",)]
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer)]


def test_memory_and_results_are_bounded(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="Out of Memory|stopped"):
        sandbox.fetch("select list(range || 'a long text to fill the memory') from range(30000000)")
    with pytest.raises(SandboxError, match="more than 200,000 rows"):
        sandbox.fetch("select range from range(1000000)")


def test_rows_are_bounded() -> None:
    with Sandbox.of_rows("", ("a",), [("x",)] * 3, timeout=2) as sandbox:
        assert sandbox.fetch("select _source_row, _source_file from source") == [(n, "file.csv") for n in (1, 2, 3)]
    assert MAX_ROWS == 100_000


def test_messages_carry_no_cells_and_no_control_characters() -> None:
    rows = [("Ms. Secret 4711\x1b[31m",), ("12.99",)]
    with Sandbox.of_rows(FUNCTIONS_SQL, ("a",), rows, timeout=2) as sandbox:
        for sql in ("select cast(a as date) from source", "select cast(a as decimal(18,2)) * 2 from source"):
            with pytest.raises(SandboxError) as caught:
                sandbox.fetch(sql)
            message = str(caught.value)
            assert "Secret" not in message and "4711" not in message and message.isprintable()
        with pytest.raises(SandboxError, match="DECIMAL"):
            sandbox.fetch("select cast(a as decimal(18,2)) from source")
        with pytest.raises(SandboxError) as caught:
            sandbox.fetch("select cast(a as decimal(3,2)) from source where a like '12%'")
        assert "12.99" not in str(caught.value)


def test_sql_that_holds_every_number_in_a_text_uncovers_no_cell() -> None:
    covering = "".join(f"{n:03}" for n in range(1000)) + "secret"
    with Sandbox.of_rows(FUNCTIONS_SQL, ("a",), [("471 Secret",)], timeout=2) as sandbox:
        with pytest.raises(SandboxError) as caught:
            sandbox.fetch(f"select case when a <> '{covering}' then cast(a as date) end from source")
        assert "471" not in str(caught.value) and "ecret" not in str(caught.value)


MAPPED = """
select
    parse_date(datum, '%d.%m.%Y') as booked_on,
    parse_decimal(betrag, ',') as amount,
    clean_text(text) as memo,
    clean_text(status) as status,
    cast(null as timestamp) as paid_at,
    source as _raw
from source
"""
SOURCES = {"booked_on": ("datum",), "amount": ("betrag",), "memo": ("text", "not_there"), "status": ("status",)}


def test_column_results(sandbox: Sandbox) -> None:
    assert column_results(sandbox, MAPPED, CONTRACT, SOURCES) == [
        ColumnResult("booked_on", "DATE", 4, 2, 1, 0, 1, 2, ("soon",)),
        ColumnResult("amount", "DECIMAL(38,10)", 4, 2, 2, 0, 0, 2, ("12x", "2,555")),
        ColumnResult("memo", "VARCHAR", 4, 1, 0, 0, 0, 2),
        ColumnResult("status", "VARCHAR", 4, 0, 0, 2, 0, 3),
        ColumnResult("paid_at", "TIMESTAMP", 4, 4, 0, 0, 0, 0),
    ]


def test_column_results_of_wrong_types_and_of_no_rows(sandbox: Sandbox) -> None:
    wrong = MAPPED.replace("parse_decimal(betrag, ',')", "{'a': betrag}").replace("clean_text(text)", "1.5::double")
    types = {r.name: r.data_type for r in column_results(sandbox, wrong, CONTRACT, SOURCES)}
    assert types["amount"] == "STRUCT(a VARCHAR)" and types["memo"] == "DOUBLE"
    assert {r.rows for r in column_results(sandbox, MAPPED + " where false", CONTRACT, SOURCES)} == {0}
    with pytest.raises(SandboxError, match="does not give paid_at, _raw"):
        column_results(sandbox, MAPPED.split(",\n    cast(null")[0] + " from source", CONTRACT, SOURCES)


def test_overflow_is_unreadable() -> None:
    with Sandbox.of_rows(
        FUNCTIONS_SQL, ("datum", "betrag", "text", "status"), [("", "9" * 20, "", "")], timeout=5
    ) as sandbox:
        amount = column_results(sandbox, MAPPED, CONTRACT, SOURCES)[1]
        assert (amount.nulls, amount.unreadable, amount.examples) == (0, 1, ("9" * 20,))


def test_two_functions_at_once_do_not_share_a_timer() -> None:
    """The timer of a statement that has ended stops nothing later."""
    with Sandbox.of_rows("", ("a",), [("x",)], timeout=0.2) as sandbox:
        sandbox.fetch("select a from source")
        time.sleep(0.3)
        assert sandbox.fetch("select count(*) from range(1000000)") == [(1_000_000,)]


FOREIGN = [
    "select * from read_text('/etc/passwd')",
    "select * from source join reshaped on true",
    "select (select 1) as x from source",
    "select exists (from source) as x from source",
    "select a in (select a from source) as x from source",
    "values (1)",
    "select * from (select a from source) as t",
    "select a from source order by a",
    "select a from source limit 1",
    "select distinct a from source",
    "select a from source, source as other",
    "select a from source tablesample 10%",
    "select a from source at (version => 1)",
    "describe source",
    "with recursive r as (select 1 as n union all select n from r) select a from source",
    "select a from '/etc/passwd'",
    "select a from raw.source",
    "select main.lower(a) from source",
    "select current_date from source",
    "select session_user from source",
    "select rowid from source",
    "select columns('a') from source",
    "select * exclude (a) from source",
    "select * replace (1 as a) from source",
    "select * rename (a as b) from source",
    "select unnest(a) from source",
    "select max(a) from source",
    "select max(a) over () from source",
    "select lag(a) over (order by a) from source",
    "select lower(distinct a) from source",
    "select lower(a order by a) from source",
    "select lower(a) filter (where true) from source",
    "select a from source group by all",
    "select a from source having true",
    "select a from source qualify true",
    "select a from source union select a from source",
    "select a from source except all select a from source",
    "select a from source intersect all select a from source",
    "select a from source pivot (max(a) for a in ('x'))",
    "select {'x': a} from source",
    "select [a] from source",
    "select a[1] from source",
    "select [x for x in [a]] from source",
    "select list_transform([a], lambda x: x) from source",
    "select $1 from source",
    "select interval 1 day from source",
    "select cast(a as json) from source",
    "select cast(a as struct(x integer)) from source",
    "select a collate nocase from source",
    "select getenv(a) from source",
]


@pytest.mark.parametrize("sql", FOREIGN)
def test_what_duckdb_reads_beyond_the_lists_is_refused_whatever_another_parser_made_of_it(sql: str) -> None:
    with Sandbox.of_rows(FUNCTIONS_SQL, ("a",), [("x",)], timeout=2) as sandbox, pytest.raises(SandboxError):
        sandbox.reread(sql, frozenset({"clean_text"}), frozenset({"a", "x", "n"}))


def test_a_whole_mapping_is_read_alike(sandbox: Sandbox) -> None:
    mapping = """
with reshaped as (
    select *, lag(a ignore nulls) over (partition by _file_id order by _source_row desc) as before
    from source unpivot include nulls (value for label in (b, c as 'C')) where a <> ''
    union all by name
    select _file_id, _source_row, a, before, label, value from source
)
select
    try(parse_decimal(value, ',') * 2) as amount,
    case lower(clean_text(a)) when 'x' then 'y' else null end as status,
    coalesce(before, label)::text as note,
    source as _raw
from reshaped
where not (a like 'x%' or a is null) and a in ('x', 'y') and a between 'a' and 'z' and a is distinct from 'literal'
"""
    names = frozenset("a b c before value label _file_id _source_row".split())
    sandbox.reread(mapping, frozenset({"clean_text", "parse_decimal"}), names)
