"""What changed between two versions of a contract, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.contracts.contract import Contract, parse_contracts
from generator.contracts.evolution import compare, holds_all
from generator.yml.writing import dump_yml

YML = """
models:
  - name: orders
    description: One row an order.
    config:
      contract: {enforced: true}
      meta: {max_quarantined: 0.1}
    columns:
      - {name: _file_id, data_type: varchar}
      - {name: order_id, data_type: text, constraints: [{type: not_null}]}
      - {name: total, data_type: 'decimal(18,2)'}
      - name: status
        data_type: text
        data_tests: [{accepted_values: {arguments: {values: [open, paid]}}}]
      - {name: note, data_type: text, description: What was said., config: {meta: {aliases: [remark, comment]}}}
"""


def contract(text: str = YML) -> Contract:
    (found,) = parse_contracts(text, "orders.yml")
    return found


def said(*replaced: tuple[str, str]) -> list[tuple[str, str | None, bool, str]]:
    text = YML
    for old, new in replaced:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return [(c.kind, c.column, c.touches, c.text) for c in compare(contract(), contract(text))]


FEE = "      - {name: fee, data_type: double}\n      - name: status"
REQUIRED = "      - {name: fee, data_type: double, constraints: [{type: not_null}]}\n      - name: status"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "      - name: status",
            FEE,
            ("added", "fee", False, "fee: new (double); NULL for layouts that do not map it"),
        ),
        (
            "      - name: status",
            REQUIRED,
            ("added", "fee", True, "fee: new and required (double); every layout must fill it"),
        ),
        (
            "      - {name: total, data_type: 'decimal(18,2)'}\n",
            "",
            ("removed", "total", False, "total: no longer in the contract; gold loses the column, raw keeps its cells"),
        ),
        ("decimal(18,2)", "decimal(20,4)", ("type", "total", False, "total: decimal(18,2) -> decimal(20,4), looser")),
        (
            "decimal(18,2)",
            "integer",
            (
                "type",
                "total",
                True,
                "total: decimal(18,2) -> integer, stricter; what does not fit leaves gold",
            ),
        ),
        (
            "decimal(18,2)",
            "date",
            (
                "type",
                "total",
                True,
                "total: decimal(18,2) -> date, not all values of the one are values of the other; what does not fit leaves "
                "gold",
            ),
        ),
        (
            "'decimal(18,2)'}",
            "'decimal(18,2)', constraints: [{type: not_null}]}",
            ("required", "total", True, "total: required now; rows without it leave gold"),
        ),
        (
            ", constraints: [{type: not_null}]}",
            "}",
            ("required", "order_id", False, "order_id: may be empty now"),
        ),
        ("[open, paid]", "[open, paid, late]", ("values", "status", True, "status: accepts late, too")),
        (
            "'decimal(18,2)'",
            "text",
            (
                "type",
                "total",
                True,
                "total: decimal(18,2) -> text, looser; a mapping that reads a decimal does not have the file's text, so "
                "its rows leave gold",
            ),
        ),
        (
            "[open, paid]",
            "[paid]",
            ("values", "status", True, "status: accepts open no more; such rows leave gold"),
        ),
        (
            "\n        data_tests: [{accepted_values: {arguments: {values: [open, paid]}}}]",
            "",
            ("values", "status", False, "status: any value is accepted now"),
        ),
        (
            "name: note",
            "name: remarks",
            ("renamed", "remarks", True, "remarks: most likely note under a new name"),
        ),
        (
            "max_quarantined: 0.1",
            "primary_key: [order_id], max_quarantined: 0.1",
            ("key", None, False, "primary key: none -> order_id; of rows with the same key the latest is in gold"),
        ),
        ("0.1", "0.02", ("threshold", None, False, "max_quarantined: 0.1 -> 0.02")),
        (
            "max_quarantined: 0.1",
            "schema_contract: {groups: [{of: [note], data_type: discard_value}]}",
            ("rules", None, False, "note: a bad cell: discard_row -> discard_value"),
        ),
        (
            "max_quarantined: 0.1",
            "schema_contract: {columns: freeze}",
            ("rules", None, False, "files with other columns: evolve -> freeze"),
        ),
        (
            "'decimal(18,2)'}",
            "'decimal(18,2)', constraints: [{type: check, expression: total > 0}]}",
            ("rules", None, False, "constraints changed"),
        ),
    ],
)
def test_a_change_is_said_in_words(old: str, new: str, expected: tuple[str, str | None, bool, str]) -> None:
    assert said((old, new)) == [expected]


def test_the_order_of_columns_is_said_and_words_for_people_are_not() -> None:
    total = "      - {name: total, data_type: 'decimal(18,2)'}\n"
    assert said((total, ""), ("      - {name: order_id", f"{total}      - {{name: order_id")) == [
        ("order", None, False, "the columns stand in another order")
    ]
    assert said(("One row an order.", "A line."), ("[remark, comment]", "[remark, comment, bemerkung]")) == []
    assert said(("{name: _file_id, data_type: varchar}", "{name: _file_id, data_type: text}")) == [
        ("rules", None, False, "constraints, data types or modes are written in another way")
    ]


def test_another_column_in_the_place_of_one_is_no_new_name_for_it() -> None:
    kinds = [
        kind
        for kind, *_ in said(("name: note, data_type: text, description: What was said.", "name: due, data_type: date"))
    ]
    assert kinds == ["added", "removed"]


types = st.sampled_from(["text", "date", "timestamp", "boolean", "integer", "bigint", "double"]) | st.builds(
    lambda width, scale: f"decimal({width},{min(scale, width)})", st.integers(1, 38), st.integers(0, 38)
)


@given(types, types, types)
def test_holding_all_values_is_an_order(one: str, two: str, three: str) -> None:
    assert holds_all(one, one) and holds_all("text", one)
    if holds_all(one, two) and holds_all(two, three):
        assert holds_all(one, three)


columns = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abcdef"), "data_type": types},
        optional={
            "constraints": st.sampled_from([[{"type": "not_null"}], []]),
            "description": st.sampled_from(["one", "two"]),
        },
    ),
    min_size=1,
    unique_by=lambda c: str(c["name"]),
)


@given(columns, columns)
def test_a_contract_has_changed_only_where_it_has(
    before: list[dict[str, object]], after: list[dict[str, object]]
) -> None:
    one, other = (
        contract(dump_yml({"models": [{"name": "x", "config": {"contract": {"enforced": True}}, "columns": listed}]}))
        for listed in (before, after)
    )
    assert compare(one, one) == ()
    assert bool(compare(one, other)) == (one.rules != other.rules)
    new = {c.column for c in compare(one, other) if c.kind in ("added", "renamed")}
    assert new == set(other.names) - set(one.names)
