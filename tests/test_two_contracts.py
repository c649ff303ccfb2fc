"""Two contracts in one project: what a run or a check of the one says is not about the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import EXAMPLES, SKELETON, LiveProject

pytestmark = pytest.mark.slow

ETSY = EXAMPLES / "orders/etsy/EtsySoldOrderItems2024.csv"


@pytest.fixture
def both(tmp_path: Path) -> LiveProject:
    """The committed layouts of banks and shops."""
    project = LiveProject.copy(tmp_path / "project", *SKELETON, "models/staging")
    return project.keep_contracts("bank_transactions", "orders")


def test_only_those_dbt_tests_run_that_need_nothing_but_what_is_built(both: LiveProject) -> None:
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
