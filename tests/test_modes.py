"""What a contract does with columns and cells that it does not expect: evolve, freeze, discard_row, discard_value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from projects import SKELETON, LiveProject, Ran

from generator.contracts.contract import Contract, parse_contracts
from generator.contracts.modes import Modes
from generator.errors import UsageError

CONTRACT = """\
models:
  - name: sales
    config:
      contract: {{enforced: true}}
      meta: {{primary_key: [sale_id], schema_contract: {modes}}}
    columns:
      - {{name: sale_id, data_type: text}}
      - {{name: sold_on, data_type: date, constraints: [{{type: not_null}}]}}
      - {{name: memo, data_type: text}}
      - {{name: kind, data_type: text}}
"""


def sales(modes: str) -> Contract:
    (contract,) = parse_contracts(CONTRACT.format(modes=modes), "sales.yml")
    return contract


def test_without_a_word_columns_evolve_and_rows_are_discarded() -> None:
    for contract in (sales("{}"), sales("null"), sales("{groups: null}")):
        assert contract.modes == Modes("evolve", "discard_row", {})
        assert {contract.mode(c) for c in contract.columns} == {"discard_row"}


def test_a_group_has_its_own_mode_and_what_cannot_be_null_is_never_discarded_alone() -> None:
    contract = sales("{columns: freeze, data_type: discard_value, groups: [{of: [kind], data_type: freeze}]}")
    assert contract.modes.columns == "freeze"
    assert {c.name: contract.mode(c) for c in contract.columns} == {
        "sale_id": "discard_row",
        "sold_on": "discard_row",
        "memo": "discard_value",
        "kind": "freeze",
    }


@pytest.mark.parametrize(
    ("modes", "message"),
    [
        ("[freeze]", "schema_contract must be a mapping of columns, data_type, groups"),
        ("{tables: freeze}", "schema_contract: 'tables' is not known; it takes columns, data_type, groups"),
        ("{columns: no}", "columns is False; it must be evolve, freeze, discard_row, discard_value"),
        ("{columns: [freeze]}", "columns is ['freeze']; it must be"),
        ("{data_type: evolve}", "data_type is 'evolve'; it must be freeze, discard_row, discard_value"),
        ("{groups: {of: [memo]}}", "groups must be a list"),
        ("{groups: 0}", "groups must be a list"),
        ("{groups: false}", "groups must be a list"),
        ("{groups: ''}", "groups must be a list"),
        ("{groups: {}}", "groups must be a list"),
        ("{groups: [memo]}", "groups must be a mapping of of, data_type"),
        ("{groups: [{of: [memo]}]}", "a group names its columns and their mode"),
        ("{groups: [{of: memo, data_type: freeze}]}", "a group names its columns and their mode"),
        ("{groups: [{of: [{}], data_type: freeze}]}", "groups names {}, which is no column of it"),
        ("{groups: [{of: [note], data_type: freeze}]}", "groups names 'note', which is no column of it"),
        ("{groups: [{of: [memo, memo], data_type: freeze}]}", "column memo is in two groups"),
        ("{groups: [{of: [sold_on], data_type: discard_value}]}", "sold_on cannot be NULL, so its values cannot"),
        ("{groups: [{of: [sale_id], data_type: discard_value}]}", "sale_id cannot be NULL, so its values cannot"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_that_names_it(modes: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        sales(modes)
    assert str(error.value).startswith("sales.yml: contract sales: schema_contract")
    assert message in str(error.value)


# The real commands, and dbt alone.

HEADER = "Datum;Text;Betrag;Saldo"
BOOKINGS = [f"{day:02}.01.2024;Laden {day};-{day},50;{1000 - day},00" for day in range(1, 21)]
YML = "models/gold/bank_transactions.yml"
FROZEN = "{columns: freeze, groups: [{of: [balance], data_type: discard_value}, {of: [booked_on], data_type: freeze}]}"


def statement(header: str, rows: list[str], year: int) -> str:
    return "\n".join([header, *rows]).replace("2024", str(year)) + "\n"


def with_row(at: int, row: str) -> list[str]:
    return [*BOOKINGS[:at], row, *BOOKINGS[at + 1 :]]


def set_modes(project: LiveProject, modes: str) -> None:
    lines = (project.folder / YML).read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("        schema_contract:")]
    at = kept.index("      meta:\n") + 1
    project.put(YML, "".join([*kept[:at], f"        schema_contract: {modes}\n", *kept[at:]]))


@dataclass(frozen=True)
class Lived:
    """What commands said, and what was in the tables after each: (file, kind) -> rows, `gold` and `balance` among kinds."""

    run: Ran
    files: dict[str, dict[str, Any]]
    tables: dict[str, dict[tuple[str, str], int]]
    unbalanced: list[str]
    yml: str


def tables(project: LiveProject) -> dict[tuple[str, str], int]:
    found = project.query(
        """
        select _source_file, kind, count(*) from quarantine.bank_transactions group by all
        union all select _source_file, 'gold', count(*) from gold.bank_transactions group by all
        union all select _source_file, 'balance', count(balance) from gold.bank_transactions group by all
        """
    )
    return {(Path(name).stem, kind): n for name, kind, n in found}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Files with a bad balance, with a bad date, and with a new column, under one mode after the other."""
    project = LiveProject.copy(tmp_path_factory.mktemp("modes") / "project", *SKELETON)
    project.keep_contracts("bank_transactions")
    set_modes(project, FROZEN)
    bad = with_row(4, "05.01.2024;Laden 5;-5,50;viel")
    project.put("landing/bank_transactions/x/good.csv", statement(HEADER, BOOKINGS, 2024))
    project.put("landing/bank_transactions/x/value.csv", statement(HEADER, bad, 2023))
    frozen = ["morgen;Laden;-1,50;2,00" if i == 6 else row for i, row in enumerate(bad)]
    project.put("landing/bank_transactions/x/frozen.csv", statement(HEADER, frozen, 2022))
    found, unbalanced = {}, []

    def look(name: str) -> None:
        found[name] = tables(project)
        unbalanced.extend(project.unbalanced())

    new = [f"{row};{'x' if i == 3 else ''}" for i, row in enumerate(BOOKINGS)]
    project.put("landing/bank_transactions/x/new.csv", statement(f"{HEADER};Neu", new, 2021))
    ran = project.goldsmith("run", "--json")
    files = {Path(f["source_file"]).stem: f for f in ran.json["files"]}
    look("freeze")
    set_modes(project, "{columns: discard_row, data_type: discard_value}")
    project.goldsmith("generate")
    project.dbt("run")
    look("discard_row")
    set_modes(project, "{columns: discard_value}")
    project.dbt("run")
    look("discard_value")
    (yml,) = [p for p in project.folder.glob("models/staging/x/*.yml") if "Neu" in p.read_text(encoding="utf-8")]
    return Lived(ran, files, found, unbalanced, yml.read_text(encoding="utf-8"))


def test_a_discarded_value_is_null_in_gold_and_waits_in_quarantine(lived: Lived) -> None:
    after = lived.tables["freeze"]
    assert (after["value", "gold"], after["value", "balance"], after["value", "discarded_value"]) == (20, 19, 1)
    file = lived.files["value"]
    assert (file["state"], file["rows_gold"], file["rows_quarantined"]) == ("gold", 20, 0)
    assert file["reasons"] == [["balance: cannot be read (the value is left out)", 1]]


def test_a_bad_cell_in_a_frozen_column_keeps_its_file_out_of_gold_and_no_other(lived: Lived) -> None:
    after = lived.tables["freeze"]
    assert after["frozen", "frozen"] == 20
    assert ("frozen", "gold") not in after
    assert (after["good", "gold"], after["good", "balance"]) == (20, 20)
    file = lived.files["frozen"]
    assert (file["state"], file["rows_gold"], file["rows_quarantined"]) == ("failed", 0, 20)
    assert file["message"].startswith(
        "gold.bank_transactions is frozen for booked_on: cannot be read: line 8, `Datum` 'morgen'."
    )
    assert lived.run.code == 1


def test_other_columns_are_refused_where_they_are_frozen(lived: Lived) -> None:
    file = lived.files["new"]
    assert (file["state"], file["rows_quarantined"]) == ("blocked", 20)
    assert file["message"].startswith("gold.bank_transactions is frozen for other columns")
    assert "new column `Neu`; `Neu` holds 'x' in line 5" in file["message"]
    assert lived.tables["freeze"]["new", "blocked"] == 20


def test_rows_with_something_in_a_new_column_are_discarded_where_that_is_the_mode(lived: Lived) -> None:
    after = lived.tables["discard_row"]
    assert (after["new", "gold"], after["new", "violation"]) == (19, 1)
    assert (after["value", "gold"], after["value", "balance"], after["value", "discarded_value"]) == (20, 19, 1)
    # The date cannot be NULL: its row goes, as without a word.
    assert (after["frozen", "gold"], after["frozen", "violation"], after["frozen", "discarded_value"]) == (19, 1, 1)


def test_the_values_of_a_new_column_alone_are_left_out_where_that_is_the_mode(lived: Lived) -> None:
    after = lived.tables["discard_value"]
    assert after["new", "gold"] == 20
    assert ("new", "violation") not in after
    # A bad cell discards its row again.
    assert (after["frozen", "gold"], after["frozen", "violation"]) == (18, 2)
    assert "Neu: 'schema_contract, columns: discard_row'" in lived.yml
    assert "discarded: [neu]" in lived.yml


def test_every_row_is_accounted_for_under_every_mode(lived: Lived) -> None:
    assert lived.unbalanced == []
    for file in lived.files.values():
        parts = ("gold", "superseded", "quarantined", "filtered", "rejected")
        assert file["rows_read"] == sum(file[f"rows_{part}"] for part in parts)
