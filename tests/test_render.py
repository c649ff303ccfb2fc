"""Rendering is pure: the same mapping gives the same bytes, and no text of a file becomes code in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
import sqlglot
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from invented import ROOT, layout, shipped

from generator.candidate import Candidate, ColumnMapping, Provenance, Question
from generator.columns.fingerprint import fingerprint
from generator.columns.profile import LayoutProfile, build_profile
from generator.contracts.contract import Contract, parse_contracts
from generator.database.sql_functions import create_functions_sql
from generator.matcher.offline import propose
from generator.project.render import (
    LayoutName,
    body_sha256,
    mapped_select,
    render_quarantine,
    render_quarantine_yml,
    render_sql,
    render_union,
    render_union_yml,
    render_yml,
)
from generator.yml.writing import dump_yml, load_yml

GOLDEN = Path(__file__).parent / "golden"
(SALES,) = parse_contracts(
    """
models:
  - name: sales
    config: {contract: {enforced: true}}
    columns:
      - {name: sold_on, data_type: date}
      - {name: amount, data_type: "decimal(18,2)"}
      - {name: kind, data_type: text}
      - {name: currency, data_type: text}
      - {name: note, data_type: text}
""",
    "sales.yml",
)
PROFILE = layout(
    """
    Datum;Größe {{ env_var('HOME') }};Art;{% raw %};Art
    31.01.2024;1,50;Verkauf;x;
    """,
    delimiter=";",
    preamble="Konto {# 12 #}",
)
CANDIDATE = Candidate(
    columns={
        "sold_on": ColumnMapping(
            expression="parse_date(datum, '%d.%m.%Y')", source_columns=("datum",), confidence=0.97, note="day first"
        ),
        "amount": ColumnMapping(
            expression="parse_decimal(groesse_env_var_home, ',')",
            source_columns=("groesse_env_var_home",),
            confidence=0.5,
            note="`{{ header }}` {% hurts %}",
        ),
        "kind": ColumnMapping(
            expression="case lower(clean_text(art)) when 'verkauf' then 'sale' when 'when ''else'' end' then 'odd' "
            "when 'rückgabe' then 'return' end",
            source_columns=("art",),
            confidence=0.9,
        ),
        "currency": ColumnMapping(expression="'EUR'", confidence=0.8, note="from the lines before the header"),
        "note": ColumnMapping(note="no column of this file was recognised for it"),
    },
    row_filter="coalesce(lower(clean_text(art_2)) not in ('offen'), true)",
    row_filter_note="`Art` says that these rows are no sales",
    reshape="select *\nfrom source\nwhere datum <> ''",
    unmapped={"raw": "nothing in the contract by this name", "art_2": "empty in this file"},
    questions=(Question(column="amount", text="is `{{ 1 }}` an amount?", readings=("yes", "no {% no %}")),),
)
BY = Provenance(provider="openai", llm="some-llm", prompt_version="3", attempts=2, tokens=1200, cost=0.0123)
NAME = LayoutName("kiosk", "sales", fingerprint(PROFILE.headers, PROFILE.shapes))


def rendered(name: LayoutName, candidate: Candidate, contract: Contract, profile: LayoutProfile) -> tuple[str, str]:
    sql = render_sql(name, candidate, contract)
    return sql, render_yml(name, candidate, contract, profile, BY, sql)


def plain(sql: str) -> str:
    """The SQL as dbt makes it of a staging dbt model."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    return environment.from_string(sql).render(
        source=lambda schema, table: f'"{schema}"."{table}"', contract_violations=lambda contract: "[]"
    )


# ---- golden ---------------------------------------------------------------------------------------------------------


def test_a_layout_is_rendered_to_the_byte_as_the_golden_pair() -> None:
    sql, yml = rendered(NAME, CANDIDATE, SALES, PROFILE)
    assert sql.encode() == (GOLDEN / "stg_kiosk__sales.sql").read_bytes()
    assert yml.encode() == (GOLDEN / "stg_kiosk__sales.yml").read_bytes()


def test_the_same_input_gives_the_same_bytes() -> None:
    assert rendered(NAME, CANDIDATE, SALES, PROFILE) == rendered(NAME, CANDIDATE.model_copy(), SALES, PROFILE)


def test_a_layout_has_its_names_from_source_contract_and_fingerprint() -> None:
    name = LayoutName("kiosk", "sales", "3f2a9c1e" + "0" * 56)
    assert (name.short, name.dbt_model, name.raw_table, name.folder) == (
        "3f2a9c1e",
        "stg_kiosk__sales_3f2a9c1e",
        "kiosk_3f2a9c1e",
        "models/staging/kiosk",
    )


# ---- the SQL --------------------------------------------------------------------------------------------------------


def test_the_dbt_model_runs_and_makes_every_gold_column() -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute(create_functions_sql(ROOT / "macros"))
        keys = "'f' as _file_id, 'x.csv' as _source_file, 2 as _source_row"
        cells = ", ".join(f"'{c.values[0]}' as {c.name}" for c in PROFILE.columns)
        connection.execute(f'create schema raw; create table raw."{NAME.raw_table}" as select {keys}, {cells}')
        found = connection.execute(plain(render_sql(NAME, CANDIDATE, SALES)))
        names = [d[0] for d in found.description]
        row = dict(zip(names, found.fetchone() or (), strict=True))
    assert names == ["_file_id", "_source_file", "_source_row", *SALES.names, "_violations"]
    assert (str(row["sold_on"]), float(row["amount"]), row["kind"]) == ("2024-01-31", 1.5, "sale")
    assert (row["currency"], row["note"]) == ("EUR", None)


def test_what_is_checked_is_what_is_rendered() -> None:
    body = mapped_select(CANDIDATE, SALES, "reshaped", "    ")
    assert body in render_sql(NAME, CANDIDATE, SALES)


def test_a_long_case_is_laid_out_without_touching_its_texts() -> None:
    sql = render_sql(NAME, CANDIDATE, SALES)
    assert "        case lower(clean_text(art))\n            when 'verkauf' then 'sale'\n" in sql
    assert "            when 'when ''else'' end' then 'odd'\n" in sql


def test_the_lines_are_clean() -> None:
    for text in (
        *rendered(NAME, CANDIDATE, SALES, PROFILE),
        render_union("sales", ["b", "a"]),
        render_quarantine("sales"),
    ):
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert not re.search(r"[ \t]+$|\r", text, re.MULTILINE)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
@example(["{{ config(materialized='table') }}", "'; drop table x; --", "*/ select 1", "order", "a\nb"])
@settings(max_examples=60, deadline=None)
def test_any_headers_give_sql_of_one_statement_that_parses(headers: list[str]) -> None:
    profile = build_profile(
        [*headers, "Amount", "Date"],
        [[*("x" for _ in headers), "-5.40", "2024-01-02"]],
        source_file="x",
        delimiter=",",
        has_header=True,
    )
    bank = shipped("bank_transactions")
    candidate = propose(profile, bank)
    name = LayoutName("x", bank.name, fingerprint(profile.headers, profile.shapes))
    sql, yml = rendered(name, candidate, bank, profile)
    (statement,) = sqlglot.parse(plain(sql), dialect="duckdb")
    assert statement is not None
    assert {t.name for t in statement.find_all(sqlglot.exp.Table)} == {"source", "mapped", name.raw_table}
    assert plain(yml) == yml.removesuffix("\n")


# ---- the yml --------------------------------------------------------------------------------------------------------


def test_the_yml_says_where_each_column_comes_from_in_the_words_of_the_file() -> None:
    sql, yml = rendered(NAME, CANDIDATE, SALES, PROFILE)
    document = load_yml(yml)
    (model,), (raw,) = document["models"], document["sources"]
    meta = model["config"]["meta"]
    assert model["name"] == NAME.dbt_model
    assert list(meta["headers"].values()) == list(PROFILE.headers)
    assert list(meta["headers"]) == [c.name for c in PROFILE.columns]
    assert tuple(meta["shapes"]) == PROFILE.shapes
    assert meta["columns"]["amount"] == {
        "source_columns": ["Größe {{ env_var('HOME') }}"],
        "confidence": 0.5,
        "note": "`{{ header }}` {% hurts %}",
    }
    assert meta["columns"]["note"]["confidence"] is None
    assert meta["unmapped"]["{% raw %}"] == "nothing in the contract by this name"
    assert meta["questions"] == [q.model_dump(mode="json") for q in CANDIDATE.questions]
    assert meta["row_filter"] == CANDIDATE.row_filter_note
    assert meta["provenance"] == {
        **{
            "provider": "openai",
            "llm": "some-llm",
            "prompt_version": "3",
            "attempts": 2,
            "tokens": 1200,
            "cost": 0.0123,
        }
    }
    assert (meta["review"], meta["body_sha256"]) == ("pending", body_sha256(sql))
    assert [c["name"] for c in model["columns"]] == list(SALES.names)
    (table,) = raw["tables"]
    assert table["name"] == NAME.raw_table
    assert [c["name"] for c in table["columns"]][5:] == [c.name for c in PROFILE.columns]


def test_an_edited_dbt_model_has_another_hash() -> None:
    sql = render_sql(NAME, CANDIDATE, SALES)
    assert body_sha256(sql) != body_sha256(sql.replace("0.97", "0.98") + "\n")


def test_all_texts_of_the_yml_are_inert_for_jinja() -> None:
    _, yml = rendered(NAME, CANDIDATE, SALES, PROFILE)
    assert not re.search(r"\{[{%#]", yml)
    assert plain(yml) == yml.removesuffix("\n")


PIECES = ["\u2060", "\x85", "{", "}", "%", "#", "a", " ", "{{", "{%", "{#", "'", '"', "\n", ":", "-"]
JINJA = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
TEXTS = st.one_of(JINJA, st.text(max_size=12))
PLAIN = st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats(0, 1))


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4))


DOCUMENTS = st.recursive(PLAIN, nested)


@given(DOCUMENTS)
@example("{{{ x }}}")
@example({"{%": ["{#", {"{{{{": "{{% {# #} %}}"}]})
@example(["yes", "no", "null", "1", "1.5", "2024-01-02", "~", "", " a ", "- b", "? c", "!!python/object:os.system"])
@settings(max_examples=300, deadline=None)
def test_any_document_comes_back_and_holds_no_jinja(document: Any) -> None:
    text = dump_yml(document)
    assert not re.search(r"\{[{%#]", text)
    assert load_yml(text) == document


@pytest.mark.parametrize("text", ["a\u2060b", "{\u2060{ x }}", "\u2060", "{\u2060\u2060%", "{{\u2060{"])
def test_a_word_joiner_of_the_file_itself_survives(text: str) -> None:
    assert load_yml(dump_yml([text])) == [text]
    assert not re.search(r"\{[{%#]", dump_yml([text]))


@pytest.mark.parametrize(
    "text", ["a\x85b", "\x85", "a\u2028b", "a \u2029 b", "\ufeff", "\x00", "\x1b", "a\rb", "\U0001f642"]
)
def test_line_ends_and_controls_of_any_kind_survive(text: str) -> None:
    assert load_yml(dump_yml({text: [text]})) == {text: [text]}


def test_yml_of_a_stranger_makes_no_objects() -> None:
    with pytest.raises(yaml.YAMLError):
        load_yml("!!python/object/apply:os.system ['true']")


# ---- what every contract has beside gold ----------------------------------------------------------------------------


def test_the_union_lists_the_layouts_in_order_and_may_be_empty() -> None:
    made = render_union("sales", ["stg_b__sales_2", "stg_a__sales_1"])
    assert made.index("ref('stg_a__sales_1')") < made.index("ref('stg_b__sales_2')")
    assert "union_layouts('sales', [])" in render_union("sales", [])
    (model,) = load_yml(render_union_yml("sales"))["models"]
    assert model["name"] == "stg_sales"


def test_the_quarantine_of_a_contract_is_described_column_by_column() -> None:
    assert render_quarantine("sales") == "{{ quarantine_rows('sales') }}\n"
    (model,) = load_yml(render_quarantine_yml("sales"))["models"]
    assert model["name"] == "quarantine_sales"
    assert all(c["description"] for c in model["columns"])
