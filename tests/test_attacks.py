"""What an attacker would write into a mapping, a header, a cell or an answer. None of it is through: see attacks.py."""

from __future__ import annotations

import json
import random
from typing import Any

import duckdb
import pytest
from attacks import COLUMNS, KINDS, OURS, Kind, as_expression, passes, stops

from generator.candidate import Candidate, ColumnMapping
from generator.checks import guarded
from generator.checks.grammar import FUNCTIONS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_nothing_is_through(kind: Kind) -> None:
    assert [case for case in kind.cases if kind.through(case)] == []


def test_the_list_is_long_enough() -> None:
    assert sum(len(set(kind.cases)) for kind in KINDS) >= 1_500


@pytest.mark.parametrize("name", ["memo; drop", "{{ x }}", '"memo"', "</td>", "memo\n"])
def test_no_made_up_name_is_through(name: str) -> None:
    assert not passes(columns={"memo": ColumnMapping(), name: ColumnMapping()})
    assert not passes(columns={"memo": ColumnMapping(expression="'x'", source_columns=(name,))})
    assert not passes(unmapped={name: "why"})
    assert not passes(questions=[{"column": name, "text": "?"}])


def test_what_no_cell_can_stop_stays_as_it_is_and_the_rest_is_tried() -> None:
    for honest in (
        "clean_text(name)",
        "parse_date(datum, '%d.%m.%Y')",
        "-parse_decimal(betrag, ',')",
        "parse_decimal(betrag, ',') * -1",
        "parse_decimal(betrag, ',') / 100",
        "net_amount(name, betrag, ',')",
        "coalesce(clean_text(name), nullif(trim(text), ''))",
        "case when text = 'S' then -parse_decimal(betrag, ',') else parse_decimal(betrag, ',') end",
        "regexp_extract(text, '([A-Z]{3})', 1)",
        "try_cast(datum as date)",
    ):
        assert _guarded(honest) == honest
    assert _guarded("parse_decimal(betrag, ',') * 100") == "try(parse_decimal(betrag, ',') * 100)"
    assert _guarded("nullif(name, 0)") == "try(nullif(name, 0))"
    assert _guarded("abs(parse_integer(name) - 1)") == "try(abs(try(parse_integer(name) - 1)))"
    for refused in ("not sql at all", "(select content from read_text('/etc/passwd'))", "max(name) * 2", "{{ x }} * 2"):
        assert _guarded(refused) == refused


def _guarded(sql: str) -> str | None:
    return guarded(Candidate(columns={"memo": ColumnMapping(expression=sql)})).columns["memo"].expression


WORDS = [
    *("name", "betrag", "text", "date", "source", ".", ",", "(", ")", "'x'", "''", "'a%'", "1", "2.5", "||", "+", "-"),
    *("*", "/", "%", "=", "<", ">", "<>", "::", "and", "or", "not", "in", "is", "null", "like", "between", "case"),
    *("when", "then", "else", "end", "as", "from", "select", "distinct", "cast", "try_cast", "over", "filter", "where"),
    *("order", "by", "interval", "collate", "at", "values", "array", "lower", "coalesce", "concat_ws", "date_trunc"),
    *("trim", "both", "clean_text", "parse_decimal", "has_value", "round", "substring", "for", "extract", "row", "any"),
    *("unnest", "columns", "integer", "decimal", "timestamp", "escape", "exists", "union", "all", "lambda", "using"),
]


def test_what_passes_is_what_duckdb_sees() -> None:
    """Random texts: the checks fail only by a violation, DuckDB reads what passes as they did, and no cell stops it."""
    dice = random.Random(7)
    connection = duckdb.connect()
    operators = {"||", "+", "-", "*", "/", "%", "~~", "!~~", "~~*", "!~~*"}
    passed = 0
    for _ in range(4000):
        sql = (
            " ".join(_sentence(dice, 3)) if dice.random() < 0.8 else " ".join(dice.choices(WORDS, k=dice.randint(1, 9)))
        )
        if dice.random() < 0.5:
            words = sql.split(" ")
            words[dice.randrange(len(words))] = dice.choice(WORDS)
            sql = " ".join(words)
        if not as_expression(sql):
            continue
        row = connection.execute("select json_serialize_sql(?)", [f"select {sql} as memo from source"]).fetchone()
        parsed = json.loads(row[0]) if row else {}
        if parsed["error"]:
            continue
        passed += 1
        (statement,) = parsed["statements"]
        seen = list(_objects(statement["node"]))
        assert len(statement["node"]["select_list"]) == 1, sql
        assert not [o for o in seen if o.get("class") in ("SUBQUERY", "WINDOW", "LAMBDA", "STAR", "PARAMETER")], sql
        columns = {".".join(o["column_names"]).lower() for o in seen if o.get("class") == "COLUMN_REF"}
        assert columns <= COLUMNS | {f"source.{c}" for c in COLUMNS}, sql
        called = {o["function_name"].lower() for o in seen if o.get("class") == "FUNCTION"}
        assert called <= FUNCTIONS | OURS | operators, sql
        assert not stops(sql), sql
    assert passed > 200


def _sentence(dice: random.Random, depth: int) -> list[str]:
    """A random expression that is nearly right."""
    if depth == 0 or dice.random() < 0.2:
        return [dice.choice(["name", "betrag", "text", "date", "source . name", "'x'", "1", "null"])]
    inner = [_sentence(dice, depth - 1) for _ in range(3)]
    shape = dice.choice(
        [
            ["lower", "(", 0, ")"],
            ["clean_text", "(", 0, ")"],
            ["parse_decimal", "(", 0, ",", "','", ")"],
            ["coalesce", "(", 0, ",", 1, ")"],
            ["substring", "(", 0, ",", "1", ",", "2", ")"],
            ["date_trunc", "(", "'day'", ",", 0, ")"],
            ["trim", "(", 0, ")"],
            [0, "||", 1],
            [0, "=", 1],
            ["case", "when", 0, "=", 1, "then", 2, "end"],
            ["cast", "(", 0, "as", "text", ")"],
            [0, "in", "(", "'x'", ",", "'y'", ")"],
            [0, "like", "'a%'"],
            [0, "is", "null"],
            ["(", 0, ")"],
            ["not", 0],
            [0, "*", 1],
            [0, "-", "1"],
            [0, "and", 1],
            [0, "between", 1, "and", 2],
            ["abs", "(", 0, ")"],
            ["try", "(", 0, ")"],
            ["nullif", "(", 0, ",", 1, ")"],
            ["parse_integer", "(", 0, ")"],
            ["lpad", "(", 0, ",", "5", ",", "'x'", ")"],
            ["try_cast", "(", 0, "as", "decimal", ")"],
        ]
    )
    words: list[str] = []
    for part in shape:
        words += inner[part] if isinstance(part, int) else [str(part)]
    return words


def _objects(value: object) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(o for v in value.values() for o in _objects(v))]
    return [o for v in value for o in _objects(v)] if isinstance(value, list) else []
