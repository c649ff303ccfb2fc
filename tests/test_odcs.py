"""Contracts in the words of the Open Data Contract Standard: there and back, and from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from open_data_contract_standard.model import OpenDataContractStandard
from projects import ROOT, LiveProject

from generator.contracts.contract import parse_contracts
from generator.contracts.odcs import from_odcs, not_enforced, to_odcs
from generator.contracts.odcs_types import data_type
from generator.errors import UsageError
from generator.yml.writing import dump_yml, load_yml

STANDARD = jsonschema.Draft201909Validator(json.loads(OpenDataContractStandard.json_schema()))
SHIPPED = sorted((ROOT / "models/gold").glob("*.yml"))
FOREIGN = """
apiVersion: v3.0.2
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
version: 1.4.0
status: active
domain: seller
tenant: shop
servers: [{server: prod, type: postgres, host: db.example.com, port: 5432, database: shop, schema: public}]
slaProperties: [{property: latency, value: 4, unit: d}]
schema:
  - name: Payments
    physicalName: payments
    physicalType: table
    description: One row a payment.
    quality: [{metric: rowCount, mustBeGreaterThan: 0}]
    properties:
      - {name: Payment ID, physicalName: payment_id, logicalType: string, physicalType: varchar(32), primaryKey: true,
         primaryKeyPosition: 1}
      - {name: Zahlungsdatum, physicalType: timestamptz, required: true, businessName: Paid on}
      - {name: amount, logicalType: number, physicalType: 'NUMBER(12, 2)', description: 'What {{ was }} paid.'}
      - {name: payer, logicalType: string, classification: restricted}
      - name: state
        logicalType: string
        quality:
          - {metric: invalidValues, arguments: {validValues: [done, failed]}, mustBe: 0}
          - {metric: nullValues, mustBe: 0}
"""


def same(one: object, other: object) -> bool:
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def there_and_back(model: dict[str, Any]) -> dict[str, Any]:
    document = yaml.safe_load(yaml.safe_dump(to_odcs(model)))
    assert [e.message for e in STANDARD.iter_errors(document)] == []
    (found,) = from_odcs(document)
    return found


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_contract_comes_back_as_it_was(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    (model,) = load_yml(text)["models"]
    found = there_and_back(model)
    assert same(found, model)
    assert parse_contracts(dump_yml({"models": [found]}), "back") == parse_contracts(text, "there")


words = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=8)
columns = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True),
        "data_type": st.sampled_from(
            ["text", "date", "timestamp", "integer", "bigint", "double", "decimal(9,2)", "varchar"]
        ),
    },
    optional={
        "description": words,
        "constraints": st.lists(
            st.sampled_from([{"type": "not_null"}, {"type": "check", "expression": "x > 0"}]),
            min_size=1,
            unique_by=lambda c: c["type"],
        ),
        "data_tests": st.sampled_from(
            [
                ["not_null"],
                ["unique", {"accepted_values": {"arguments": {"values": ["a"]}, "config": {"severity": "warn"}}}],
            ]
        )
        | st.lists(words, min_size=1).map(lambda v: [{"accepted_values": {"arguments": {"values": v}}}]),
        "tags": st.lists(words, min_size=1),
        "config": st.fixed_dictionaries(
            {
                "meta": st.dictionaries(
                    st.sampled_from(["aliases", "decoys", "mine"]), st.lists(words, min_size=1), min_size=1
                )
                | st.fixed_dictionaries({"pii": st.booleans(), "unique": st.booleans()})
            }
        ),
    },
)
models = st.fixed_dictionaries(
    {
        "name": st.just("things"),
        "columns": st.lists(columns, min_size=1, max_size=5, unique_by=lambda c: str(c["name"])),
        "config": st.fixed_dictionaries(
            {"contract": st.just({"enforced": True})},
            optional={
                "tags": st.lists(words, min_size=1),
                "meta": st.fixed_dictionaries(
                    {"max_quarantined": st.floats(0, 1)}, optional={"version": st.sampled_from(["1", "2.1.0"])}
                ),
            },
        ),
    },
    optional={"description": words, "constraints": st.just([{"type": "unique", "columns": ["a"]}])},
)


@given(models)
def test_nothing_of_a_contract_is_lost_there_and_back(model: dict[str, Any]) -> None:
    own = [{"name": k} for k in ("_file_id", "_source_file", "_source_row", "_loaded_at")]
    model = {**model, "columns": [{**k, "data_type": "text"} for k in own] + model["columns"]}
    model["config"] = {
        **model["config"],
        "meta": {**model["config"].get("meta", {}), "primary_key": [model["columns"][-1]["name"]]},
    }
    key = model["columns"][-1]
    key["constraints"] = [{"type": "not_null"}, *(c for c in key.get("constraints", []) if c["type"] != "not_null")]
    found = there_and_back(model)

    def sorted_lists(column: dict[str, Any]) -> dict[str, Any]:
        lists = {k: sorted(column[k], key=str) for k in ("constraints", "data_tests") if k in column}
        return {**column, **lists}

    assert same(
        {**found, "columns": [sorted_lists(c) for c in found["columns"]]},
        {**model, "columns": [sorted_lists(c) for c in model["columns"]]},
    )


def test_a_contract_from_elsewhere_says_the_same_in_our_words_and_keeps_the_rest() -> None:
    document = yaml.safe_load(FOREIGN)
    (model,) = from_odcs(document)
    text = dump_yml({"models": [model]})
    (contract,) = parse_contracts(text, "payments")
    assert [(c.name, c.data_type, c.not_null) for c in contract.columns] == [
        ("payment_id", "text", True),
        ("zahlungsdatum", "timestamp", True),
        ("amount", "decimal(12,2)", False),
        ("payer", "text", False),
        ("state", "text", False),
    ]
    assert (contract.name, contract.version, contract.primary_key) == ("payments", "1.4.0", ("payment_id",))
    assert contract.column("payment_id").aliases == ("Payment ID",)
    assert contract.column("zahlungsdatum").aliases == ("Zahlungsdatum", "Paid on")
    assert contract.column("payer").pii
    assert contract.column("state").accepted_values == ("done", "failed")
    assert not_enforced(document) == ["servers", "slaProperties", "payments.quality", "payments.state.quality"]
    assert "{{" not in text

    again = to_odcs(model)
    assert STANDARD.is_valid(again)
    for kept in ("id", "status", "domain", "tenant", "servers", "slaProperties"):
        assert again[kept] == document[kept]
    (schema,), (before,) = again["schema"], document["schema"]
    assert schema["quality"] == before["quality"]
    properties = {p["name"]: p for p in schema["properties"]}
    assert properties["payer"]["classification"] == "restricted"
    assert [q["metric"] for q in properties["state"]["quality"]] == ["invalidValues", "nullValues"]
    assert from_odcs(again) == [model]


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"physicalType": "VARCHAR(255)"}, "text"),
        ({"physicalType": "character varying (10)"}, "text"),
        ({"physicalType": "Decimal(18, 2)"}, "decimal(18, 2)"),
        ({"physicalType": "NUMBER(10)"}, "decimal(10,0)"),
        ({"physicalType": "TIMESTAMP WITH TIME ZONE"}, "timestamp"),
        ({"physicalType": "int8"}, "bigint"),
        ({"physicalType": "bool"}, "boolean"),
        ({"physicalType": "geography", "logicalType": "string"}, "text"),
        ({"logicalType": "integer"}, "bigint"),
        ({"logicalType": "number"}, "double"),
    ],
)
def test_a_type_of_another_database_is_one_of_ours(given_: dict[str, str], expected: str) -> None:
    assert data_type(given_) == expected


def test_a_type_that_gold_cannot_have_is_refused() -> None:
    with pytest.raises(UsageError, match=r"column 'lines': type 'array' is none that a gold table can have"):
        data_type({"name": "lines", "logicalType": "array"})


def test_export_and_import_as_commands(tmp_path: Path) -> None:
    project = LiveProject.copy(tmp_path / "project", "dbt_project.yml", "profiles.yml", "macros")
    for path in (ROOT / "models/gold").glob("orders.*"):
        project.put(f"models/gold/{path.name}", path.read_bytes())
    contracts = {p.name: load_yml(p.read_text(encoding="utf-8")) for p in SHIPPED}
    assert project.goldsmith("contract", "export", "orders", "--to", "orders.odcs.yml").out == "orders.odcs.yml\n"
    again = project.goldsmith("contract", "export", "orders", "--to", "orders.odcs.yml")
    assert again.code == 2 and "is there already" in again.err
    assert project.goldsmith("contract", "export", "orders").out == (project.folder / "orders.odcs.yml").read_text()
    there = project.goldsmith("contract", "import", "orders.odcs.yml")
    assert there.code == 2 and "contract orders is there already, in" in there.err

    for suffix in ("yml", "sql"):
        (project.folder / f"models/gold/orders.{suffix}").unlink()
    assert project.goldsmith("contract", "import", "orders.odcs.yml").code == 0
    assert same(load_yml((project.folder / "models/gold/orders.yml").read_text()), contracts["orders.yml"])
    assert (project.folder / "models/staging/stg_orders.sql").exists()

    project.put("payments.yml", FOREIGN)
    ran = project.goldsmith("contract", "import", "payments.yml")
    assert ran.code == 0
    assert "The standard wants it" not in ran.out
    assert ran.out.endswith(
        "Kept for the next export, and not acted on: servers, slaProperties, payments.quality, payments.state.quality\n"
    )
    assert project.dbt("parse").code == 0


HOOK = "customProperties: [{property: dbt, value: {config: {contract: {enforced: true}, pre_hook: drop}}}]"
KIND = "kind: DataContract\n"
TABLE = f"{KIND}schema: [{{{{name: {{}}, properties: [{{{{name: a, logicalType: date}}}}]}}}}]"
BOMB = "x: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"x{n}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "wrong.yml:1: not valid YAML"),
        ("[1, 2]", "no data contract: it must say `kind: DataContract`"),
        (KIND, "it has no `schema:`"),
        (f"{KIND}servers: 3", "not of the Open Data Contract Standard: servers: input should be a valid list"),
        (f"{KIND}schema: [{{name: x}}]", "contract x: no columns"),
        (f"{KIND}schema: [{{name: x, properties: [{{name: a, logicalType: map}}]}}]", "column 'a': type 'map'"),
        (
            f"{KIND}schema: [{{name: x, properties: [{{name: a, logicalType: date}}], {HOOK}}}]",
            "x: config.pre_hook is no",
        ),
        (
            f"{KIND}schema: [{{name: x, customProperties: [{{property: dbt, value: {{config: y}}}}]}}]",
            "x: the custom property dbt: config must be a mapping",
        ),
        (
            f"{KIND}schema: [{{name: x, properties: [{{name: a, customProperties: "
            "[{property: dbt, value: {constraints: 3}}]}]}]",
            "a: the custom property dbt: constraints must be a list",
        ),
        (f"{KIND}apiVersion: v2.2.2", "is of version 'v2.2.2' of the standard; only v3"),
        (f"{KIND}schema: [{{properties: [{{name: a, logicalType: date}}]}}]", "an object or property of its `schema:`"),
        (f"{KIND}schema: [{{name: x, properties: [{{logicalType: date}}]}}]", "an object or property of its `schema:`"),
        (TABLE.format("stg_orders"), "stg_orders: names that begin with stg_ or quarantine_ are taken"),
        (TABLE.format("items"), "stg_items.sql is a dbt model of the name stg_items; rename one"),
        ("[" * 5000, "wrong.yml"),
        (f"{KIND}{BOMB}", "its references to itself"),
    ],
)
def test_what_is_no_contract_is_refused_in_one_line_and_nothing_is_written(
    tmp_path: Path, text: str, message: str
) -> None:
    project = LiveProject.copy(tmp_path / "project", "dbt_project.yml", "macros", "models/gold/orders.yml")
    project.put("models/own/stg_items.sql", "select 1 as a")
    path = project.put("wrong.yml", text)
    before = project.tree()
    ran = project.goldsmith("contract", "import", str(path))
    assert ran.code == 2, ran
    assert message in ran.err and ran.err.count("\n") == 1
    assert project.tree() == before


def test_the_name_of_a_foreign_contract_is_no_path(tmp_path: Path) -> None:
    project = LiveProject.copy(tmp_path / "project", "dbt_project.yml", "macros", "models/gold/orders.yml")
    project.put("odd.yml", f"{KIND}schema: [{{name: ../../x, properties: [{{name: a, logicalType: date}}]}}]")
    assert project.goldsmith("contract", "import", "odd.yml").out == (
        f"x: {project.folder}/models/gold/x.yml\n"
        "The standard wants it, and the document does not say: apiVersion, id, version, status\n"
    )
