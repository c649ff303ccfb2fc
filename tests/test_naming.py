"""Header texts become columns that any SQL takes without quotes; file names become sources."""

from __future__ import annotations

import re
from string import ascii_lowercase

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot.dialects.duckdb import DuckDB

from generator.naming import MAX_LENGTH, RESERVED, TAKEN, ascii_words, safe_columns, source_name

ANY_HEADERS = st.lists(
    st.one_of(
        st.text(max_size=80),
        st.text(alphabet="aA1_ ", max_size=5),
        st.sampled_from(sorted(RESERVED | TAKEN)),
        st.sampled_from(
            ["order_", "Order", "column_1", "column_2", "a_2", "a", "Straße", "STRASSE", "日期", "_file_id"]
        ),
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Währung", "waehrung"),
        ("Größe", "groesse"),
        ("ÜBERTRAG", "uebertrag"),
        ("Straße", "strasse"),
        ("Bénéficiaire", "beneficiaire"),
        ("Łódź", "lodz"),
        ("日期", "ri_qi"),
        ("Дата операции", "data_operatsii"),
        ("firstName", "first_name"),
        ("First Name", "first_name"),
        ("E-Mail", "e_mail"),
        ("Amount (EUR)", "amount_eur"),
        ("Auftraggeber/Empfänger", "auftraggeber_empfaenger"),
        ("2nd line", "c_2nd_line"),
        ("order", "order_"),
        ("SELECT", "select_"),
        ("_file_id", "file_id"),
        ("source", "source_"),
        ("{{ env_var('HOME') }}", "env_var_home"),
        ("a; drop table x --", "a_drop_table_x"),
        ("\ufeffDate", "date"),
        ("€", "eur"),
        ("STRAßE", "strasse"),
        ("ДАТА ОПЕРАЦИИ", "data_operatsii"),
        ("日期Date", "ri_qi_date"),
    ],
)
def test_a_header_becomes_a_readable_column(header: str, column: str) -> None:
    assert safe_columns([header]) == [column]


@pytest.mark.parametrize("header", ["", "  ", "\t", "---", "\u200b"])
def test_a_header_without_letters_is_named_by_its_position(header: str) -> None:
    assert safe_columns(["id", header]) == ["id", "column_2"]


def test_equal_headers_are_numbered_and_never_meet_a_header_that_looks_numbered() -> None:
    assert safe_columns(["Name", "name ", "NAME"]) == ["name", "name_2", "name_3"]
    assert len(set(safe_columns(["a_2", "a", "a", "a_2", "a_3"]))) == 5
    assert len(set(safe_columns(["column_2", "", "column_2", ""]))) == 4


def test_long_headers_that_differ_only_at_the_end_stay_apart() -> None:
    first, second = safe_columns(["x" * 200 + "1", "x" * 200 + "2"])
    assert first != second
    assert len(first) == MAX_LENGTH


@given(ANY_HEADERS)
def test_any_headers_become_unique_safe_columns(headers: list[str]) -> None:
    columns = safe_columns(headers)
    assert len(columns) == len(headers) == len(set(columns))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", c) for c in columns)
    assert not RESERVED & set(columns)
    assert not TAKEN & set(columns)
    assert columns == safe_columns(headers)


@given(ANY_HEADERS.filter(bool))
@settings(max_examples=40, deadline=None)
def test_any_columns_can_be_created_and_read_without_quotes(headers: list[str]) -> None:
    columns = safe_columns(headers)
    statement = f"select {', '.join(columns)} from t where {columns[0]} is not null"
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute(f"create table t ({', '.join(f'{c} varchar' for c in columns)})")
        assert [d[0] for d in connection.execute(statement).description] == columns
    assert [e.name for e in sqlglot.parse_one(statement, dialect="duckdb").expressions] == columns


@pytest.fixture(scope="module")
def keywords() -> dict[str, set[str]]:
    """The words of the installed DuckDB's grammar, by category."""
    with duckdb.connect(":memory:") as connection:
        found = connection.execute("select keyword_category, list(keyword_name) from duckdb_keywords() group by all")
        return {category: set(words) for category, words in found.fetchall()}


def test_reserved_words_are_those_of_the_installed_duckdb(keywords: dict[str, set[str]]) -> None:
    assert keywords["reserved"] | keywords["type_function"] == RESERVED


def test_every_word_of_either_grammar_is_safe_as_a_header(keywords: dict[str, set[str]]) -> None:
    words = {w.lower() for w in DuckDB.Tokenizer.KEYWORDS if w.replace("_", "").isalpha()}
    columns = safe_columns(sorted(words.union(*keywords.values())))
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"create table t ({', '.join(f'{c} varchar' for c in columns)})")
        for column in columns:
            sql = f"select trim({column}) as x, case when {column} like '%+%' then {column} end as y from t"
            connection.execute(sql)
            assert {c.name for c in sqlglot.parse_one(sql, dialect="duckdb").find_all(sqlglot.exp.Column)} == {column}


@pytest.mark.parametrize(
    ("stem", "source"),
    [
        ("n26-csv-transactions", "n26_csv_transactions"),
        ("Umsaetze_KtoNr538917600_EUR_02-03-2018_1503", "umsaetze_kto_eur"),
        ("export_2024-01-31 (2)", "export"),
        ("Überweisungen", "ueberweisungen"),
        ("2024-01-31", "source"),
        ("12345", "source"),
        ("", "source"),
        ("流水", "liu_shui"),
    ],
)
def test_a_source_is_named_after_its_file_without_dates_and_numbers(stem: str, source: str) -> None:
    assert source_name(stem) == source


@given(st.text(max_size=60))
def test_any_file_name_gives_a_safe_source(stem: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,29}", source_name(stem))
    assert source_name(stem) == source_name(stem)


@given(st.text(max_size=40), st.text(alphabet=ascii_lowercase, min_size=1, max_size=8))
def test_words_do_not_depend_on_what_stands_between_them(text: str, word: str) -> None:
    assert ascii_words(f"{text} | {word}") == [*ascii_words(text), word]
    assert ascii_words(" ".join(ascii_words(text))) == ascii_words(text)


def test_thousands_of_columns_of_one_name_are_told_apart_in_no_time() -> None:
    names = safe_columns(["a", "a 3", *["a"] * 20_000])
    assert names[:5] == ["a", "a_3", "a_2", "a_4", "a_5"]
    assert len(set(names)) == 20_002
