"""A contract is read from its yml; whatever is wrong in it is one line that names file, contract and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import ROOT

from generator.contracts.contract import Column, Contract, Sign, load_contracts, parse_contracts
from generator.errors import UsageError

GOLD = ROOT / "models" / "gold"
SALES = """\
models:
  - name: sales
    description: One row a sale.
    config:
      contract: {enforced: true}
      meta:
        primary_key: [sale_id]
        max_quarantined: 0.2
        neutral_words: [the, shop]
        leave_out: {headers: [state], values: [void, "no"]}
    columns:
      - {name: _file_id, data_type: varchar}
      - name: sale_id
        data_type: TEXT
        description: The number on the receipt.
        constraints: [{type: not_null}]
        config: {meta: {aliases: [receipt, 4711], unique: true, decoys: [shop id]}}
      - name: amount
        data_type: decimal(18, 2)
        config:
          meta:
            sign: {outflow: [refund], inflow: [sale], balance: balance}
      - {name: balance, data_type: "numeric(18,2)"}
      - name: kind
        data_type: varchar
        data_tests: [not_null, {accepted_values: {arguments: {values: [sale, refund]}}}]
        config: {meta: {synonyms: {refund: [return, "off"]}, pii: true, unit: x, by_shape: true, repeats: true}}
      - {name: first_name, data_type: text}
      - {name: full_name, data_type: text, config: {meta: {compose: [first_name, kind]}}}
      - {name: sold_at, data_type: timestamp, config: {meta: {time_aliases: [time], fallback: [date], weak_aliases: [at]}}}
"""
COLUMN = """\
models:
  - name: sales
    config: {contract: {enforced: true}}
    columns:
      - name: kind
"""


def sales() -> Contract:
    (contract,) = parse_contracts(SALES, "models/gold/sales.yml")
    return contract


# ---- what is read ---------------------------------------------------------------------------------------------------


def test_a_contract_has_its_columns_in_order_without_those_of_the_project() -> None:
    contract = sales()
    assert contract.names == ("sale_id", "amount", "balance", "kind", "first_name", "full_name", "sold_at")
    assert [c.name for c in contract.required] == ["sale_id"]
    assert contract.column("kind").name == "kind"
    with pytest.raises(KeyError):
        contract.column("_file_id")


def test_what_dbt_has_no_word_for_is_read_from_meta() -> None:
    contract = sales()
    assert (contract.primary_key, contract.max_quarantined) == (("sale_id",), 0.2)
    assert (contract.neutral_words, contract.leave_out_headers) == (("the", "shop"), ("state",))
    assert contract.leave_out_values == ("void", "no")
    assert contract.column("sale_id").aliases == ("receipt", "4711")
    assert contract.column("amount").sign == Sign(outflow=("refund",), inflow=("sale",), balance="balance")
    kind = contract.column("kind")
    assert (kind.accepted_values, kind.synonyms) == (("sale", "refund"), {"refund": ("return", "off")})
    assert (kind.pii, kind.by_shape, kind.repeats, kind.not_null) == (True, True, True, False)
    assert contract.column("full_name").compose == ("first_name", "kind")
    sold_at = contract.column("sold_at")
    assert (sold_at.time_aliases, sold_at.fallback, sold_at.weak_aliases) == (("time",), ("date",), ("at",))


@pytest.mark.parametrize(
    ("data_type", "base"),
    [
        ("text", "text"),
        ("varchar", "text"),
        ("decimal(18,2)", "decimal"),
        ("numeric( 10 , 4 )", "decimal"),
        ("bigint", "integer"),
        ("integer", "integer"),
        ("double", "double"),
        ("timestamp", "timestamp"),
        ("date", "date"),
        ("boolean", "boolean"),
    ],
)
def test_each_type_has_its_base(data_type: str, base: str) -> None:
    (contract,) = parse_contracts(f"{COLUMN}        data_type: {data_type}\n", "sales.yml")
    assert contract.column("kind").base_type == base


def test_dbt_models_without_an_enforced_contract_are_none_of_ours() -> None:
    text = "models:\n  - name: a\n  - {name: b, config: {contract: {enforced: false}}}\n  - {name: c, config: {tags: [x]}}\n"
    assert parse_contracts(text, "other.yml") == []
    assert parse_contracts("", "empty.yml") == []
    assert parse_contracts("version: 2\nsources: []\n", "sources.yml") == []


# ---- what ships -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bank_transactions", "orders", "contacts", "products"])
def test_the_contracts_that_ship_can_be_read_and_have_a_dbt_model(name: str) -> None:
    contract = load_contracts(GOLD)[name]
    assert (GOLD / f"{name}.sql").exists()
    assert contract.description
    assert contract.required or name == "contacts"
    for column in contract.columns:
        assert column.description, column.name
        assert column.aliases, column.name
        assert set(column.synonyms) <= set(column.accepted_values), column.name


def test_there_are_no_other_contracts() -> None:
    assert sorted(load_contracts(GOLD)) == ["bank_transactions", "contacts", "orders", "products"]


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ("{accepted_values: {values: [sale, refund]}}", ("sale", "refund")),
        ("{dbt.accepted_values: {arguments: {values: [refund]}}}", ("refund",)),
        ("{name: kinds, test_name: accepted_values, arguments: {values: [refund, 7]}}", ("refund", "7")),
        (
            "{accepted_values: {values: [sale, refund, void]}}, {accepted_values: {values: [refund, sale]}}",
            ("sale", "refund"),
        ),
        (
            "{accepted_values: {values: [refund]}}, {accepted_values: {values: [x], config: {enabled: false}}}",
            ("refund",),
        ),
    ],
)
def test_accepted_values_are_those_of_all_data_tests_of_the_column(tests: str, expected: tuple[str, ...]) -> None:
    old = "{accepted_values: {arguments: {values: [sale, refund]}}}"
    (contract,) = parse_contracts(SALES.replace(old, tests), "sales.yml")
    assert contract.column("kind").accepted_values == expected


# ---- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # Types and names.
        ("TEXT", "txet", "contract sales: column sale_id: data_type 'txet' is not known; use text, date, timestamp"),
        ("        data_type: varchar\n", "", "contract sales: column kind: data_type None is not known"),
        ("decimal(18, 2)", "decimal", "contract sales: column amount: data_type 'decimal' is not known"),
        ("decimal(18, 2)", "decimal(99,2)", "contract sales: column amount: data_type 'decimal(99,2)' is not known"),
        ("decimal(18, 2)", "decimal(4,8)", "contract sales: column amount: data_type 'decimal(4,8)' is not known"),
        (
            "name: sales",
            "name: Sales",
            "the contract's name 'Sales' must be lower case letters, digits and underscores",
        ),
        ("name: sales", "name: null", "the contract's name 'None' must be lower case letters"),
        ("name: balance", "name: My Balance", "contract sales: the column's name 'My Balance' must be lower case"),
        ("name: balance", "name: order", "contract sales: the column's name 'order' must be lower case"),
        ("{name: balance, ", "{", "contract sales: the column's name None must be lower case"),
        ("name: first_name", "name: kind", "contract sales: column kind is there twice"),
        # References.
        ("[sale_id]", "[sale]", "contract sales: primary_key names sale, which is no column of it"),
        ("compose: [first_name", "compose: [given_name", "contract sales: full_name names given_name, which is no"),
        ("balance: balance", "balance: saldo", "contract sales: amount names saldo, which is no column of it"),
        (
            "refund: [return",
            "refnud: [return",
            "contract sales: column kind: synonyms names refnud, which is no accepted",
        ),
        # Lists and mappings.
        ("[sale_id]", "sale_id", "contract sales: primary_key must be a list of texts"),
        ("[receipt, 4711]", "receipt", "contract sales: column sale_id: aliases must be a list of texts"),
        (
            "[receipt, 4711]",
            "[receipt, no]",
            "column sale_id: aliases must be a list of texts (quote words such as 'no'",
        ),
        ("[receipt, 4711]", "[receipt, null]", "column sale_id: aliases must be a list of texts"),
        ("[the, shop]", "the shop", "contract sales: neutral_words must be a list of texts"),
        ('values: [void, "no"]', "values: void", "contract sales: leave_out.values must be a list of texts"),
        ('{headers: [state], values: [void, "no"]}', "[void]", "contract sales: leave_out must be a mapping"),
        ('{refund: [return, "off"]}', "[return]", "contract sales: column kind: synonyms must be a mapping"),
        ("{outflow: [refund], inflow: [sale], balance: balance}", "[out]", "column amount: sign must be a mapping"),
        ("outflow: [refund]", "outfow: [refund]", "column amount: sign: outfow is not known; it takes outflow, inflow"),
        ("outflow: [refund]", "outflow: refund", "column amount: sign.outflow must be a list of texts"),
        ("{values: [sale, refund]}", "{values: sale}", "column kind: accepted_values must be a list of texts"),
        ("{arguments: {values: [sale, refund]}}", "[sale]", "column kind: accepted_values must be a mapping"),
        ("{values: [sale, refund]}", "{values: []}", "column kind: accepted_values: no value is accepted; name one"),
        ("[not_null, {acc", "{not_null: {acc", None),
        ("[{type: not_null}]", "not_null", "contract sales: column sale_id: constraints must be a list"),
        (
            "{meta: {compose: [first_name, kind]}}",
            "[meta]",
            "contract sales: column full_name: config must be a mapping",
        ),
        (
            "{meta: {compose: [first_name, kind]}}",
            "{meta: x}",
            "contract sales: column full_name: meta must be a mapping",
        ),
        (
            "      - {name: _file_id, data_type: varchar}",
            "      - _file_id",
            "contract sales: columns must be a list of mappings",
        ),
        ("max_quarantined: 0.2", "max_quarantined: 20", "max_quarantined is 20; it must be a share from 0 to 1"),
        ("max_quarantined: 0.2", "max_quarantined: true", "max_quarantined is True; it must be a share from 0 to 1"),
        ("max_quarantined: 0.2", "max_quarantined: all", "max_quarantined is 'all'; it must be a share from 0 to 1"),
        # YAML.
        ("[the, shop]", "[the, shop", "models/gold/sales.yml:10: not valid YAML"),
        ("        primary_key", "\tprimary_key", "models/gold/sales.yml:7: not valid YAML"),
        ("One row a sale.", "\x07", "models/gold/sales.yml: not valid YAML"),
    ],
)
def test_a_mistake_in_a_contract_is_one_line_that_says_where(old: str, new: str, message: str | None) -> None:
    assert old in SALES
    with pytest.raises(UsageError) as error:
        parse_contracts(SALES.replace(old, new, 1), "models/gold/sales.yml")
    said = str(error.value)
    assert said.startswith("models/gold/sales.yml")
    assert "\n" not in said
    assert (message or "not valid YAML") in said


@pytest.mark.parametrize("text", ["models: sales\n", "- models\n", "models\n", "models: {name: sales}\n"])
def test_a_yml_without_a_list_of_dbt_models_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="^x.yml: `models:` must be a list of dbt models; see models/gold/orders.yml$"):
        parse_contracts(text, "x.yml")


@pytest.mark.parametrize("columns", ["", "    columns: []\n", "    columns: [{name: _file_id, data_type: varchar}]\n"])
def test_a_contract_without_columns_is_refused(columns: str) -> None:
    text = f"models:\n  - name: sales\n    config: {{contract: {{enforced: true}}}}\n{columns}"
    with pytest.raises(UsageError, match="^x.yml: contract sales: no columns; name each with its data_type$"):
        parse_contracts(text, "x.yml")


VALUES = st.sampled_from(["[]", "{}", "x", "5", "null", "true", "[x]", "[{x: y}]", "{x: y}", "{values: x}", "[[x]]"])
KEYS = ["name", "data_type", "constraints", "data_tests", "config", "meta", "columns", "description", "sign", "aliases"]
KEYS += [
    "synonyms",
    "compose",
    "accepted_values",
    "arguments",
    "leave_out",
    "primary_key",
    "neutral_words",
    "unit",
    "pii",
]


@given(st.sampled_from(KEYS), VALUES, st.integers(0, 20))
@settings(max_examples=200)
def test_any_other_value_in_any_place_is_a_contract_or_one_line(key: str, value: str, place: int) -> None:
    lines = SALES.splitlines(keepends=True)
    at = [i for i, line in enumerate(lines) if f"{key}:" in line]
    line = lines[at[place % len(at)]]
    before = line.partition(f"{key}:")[0]
    # What belonged to the key goes: deeper lines, and the rest of its own.
    start = lines.index(line)
    end = next(
        (i for i in range(start + 1, len(lines)) if len(lines[i]) - len(lines[i].lstrip()) <= len(before)), len(lines)
    )
    closing = "}" * (before.count("{") - before.count("}")) + "]" * (before.count("[") - before.count("]"))
    text = "".join([*lines[:start], f"{before}{key}: {value}{closing}\n", *lines[end:]])
    said = ""
    try:
        parse_contracts(text, "sales.yml")
    except UsageError as error:
        said = str(error)
    assert not said or said.startswith("sales.yml")
    assert "\n" not in said


# ---- folders --------------------------------------------------------------------------------------------------------


def test_all_contracts_of_a_folder_are_loaded_by_name(tmp_path: Path) -> None:
    (tmp_path / "sales.yml").write_text(SALES, encoding="utf-8")
    (tmp_path / "more.yaml").write_text(SALES.replace("name: sales", "name: more"), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not mine", encoding="utf-8")
    assert list(load_contracts(tmp_path)) == ["more", "sales"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "{folder}: no contract in it; write <contract>.yml and <contract>.sql there"),
        ({"a.yml": b"models: []\n"}, "{folder}: no contract in it; write <contract>.yml and <contract>.sql there"),
        (
            {"a.yml": SALES.encode(), "b.yml": SALES.encode()},
            "{folder}/b.yml: contract sales is there twice; rename one",
        ),
        ({"a.yml": SALES.replace("sale.", "S\u00e4le.").encode("cp1252")}, "{folder}/a.yml: not UTF-8"),
        ({"a.yml": None}, "{folder}/a.yml: Is a directory"),
    ],
)
def test_a_folder_that_cannot_be_loaded_is_named(tmp_path: Path, files: dict[str, bytes | None], message: str) -> None:
    for name, content in files.items():
        if content is None:
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError) as error:
        load_contracts(tmp_path)
    assert str(error.value).startswith(message.format(folder=tmp_path))
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder; a Goldsmith project keeps its contracts there"):
        load_contracts(tmp_path / "models")


def test_base_types_are_those_that_the_matcher_knows() -> None:
    assert {
        Column("x", t).base_type for c in load_contracts(GOLD).values() for t in {k.data_type for k in c.columns}
    } <= {
        *("text", "decimal", "integer", "double", "date", "timestamp", "boolean"),
    }
