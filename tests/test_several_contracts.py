"""Several contracts in one project: what a run or a check says of the one is not about the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import CHASE, EXAMPLES, SKELETON, LiveProject

pytestmark = pytest.mark.slow

ETSY = EXAMPLES / "orders/etsy/EtsySoldOrderItems2024.csv"


@pytest.fixture
def both(tmp_path: Path) -> LiveProject:
    """The committed layouts of banks, shops and address books."""
    project = LiveProject.copy(tmp_path / "project", *SKELETON, "models/staging")
    return project.keep_contracts("bank_transactions", "contacts", "orders")


def test_only_those_dbt_tests_run_that_need_nothing_but_what_is_built(both: LiveProject) -> None:
    # What dbt has no setting for, too, has the default that goldsmith has.
    both.edit("dbt_project.yml", "  min_confidence: 0.6\n", "")
    both.put("models/marts/total.sql", "select count(*) as n from {{ ref('orders') }}\n")
    for name, refs in {
        "with_another_contract": ("orders", "bank_transactions"),
        "with_a_mart": ("orders", "total"),
        "alone": ("orders", "quarantine_orders"),
    }.items():
        tables = " cross join ".join(f"(select 1 from {{{{ ref('{ref}') }}}} limit 1)" for ref in refs)
        both.put(f"tests/dbt/{name}.sql", f"select count(*) as n from {tables}\n")
    ran = both.goldsmith("run", ETSY, "--contract", "orders", "--json")
    failed = ["dbt test alone: Got 1 result, configured to fail if != 0"]
    assert ran.json["failures"] == failed
    assert [f["state"] for f in ran.json["files"]] == ["gold"]
    rebuilt = both.goldsmith("rebuild")
    assert (rebuilt.code, rebuilt.out.splitlines()[-1]) == (1, failed[0]), rebuilt


def test_what_dbt_cannot_build_of_one_contract_is_said_of_its_files_and_of_no_others(both: LiveProject) -> None:
    (etsy,) = (both.folder / "models/staging/etsy").glob("*.sql")
    both.edit(f"models/staging/etsy/{etsy.name}", "parse_timestamp(sale_date,", "no_such_function(sale_date,")
    refs = " cross join ".join(f"{{{{ ref('{ref}') }}}}" for ref in ("contacts", "bank_transactions"))
    both.put("tests/dbt/of_two.sql", f"select 1 as n from {refs} limit 1\n")
    files = [CHASE, ETSY, EXAMPLES / "orders/shopify/orders_export_1.csv", EXAMPLES / "contacts/google/contacts.csv"]
    samples = [both.put(f"samples/{f.relative_to(EXAMPLES)}", f.read_bytes()) for f in files]
    ran = both.goldsmith("check", *samples, "--json")
    assert ran.code == 1
    found = {f["path"]: (f["rule"], f["text"]) for f in ran.json}
    chase, broken, shopify, contacts = (found.pop(f"samples/{f.relative_to(EXAMPLES)}") for f in files)
    assert (chase[0], contacts[0]) == ("ok", "ok")
    assert broken[0] == shopify[0] == "contract"
    assert broken[1].startswith(f"dbt model {etsy.stem}: Runtime Error")
    assert "not built" not in broken[1]
    assert shopify[1].startswith(f"not built because of {etsy.stem}; ")
    assert found == {
        "tests/dbt/of_two.sql": ("contract", "dbt test of_two: Got 1 result, configured to fail if != 0"),
    }
