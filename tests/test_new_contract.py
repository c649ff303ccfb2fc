"""A fifth contract is one yml and one dbt model of one line; a contract with a primary key holds one row a key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import SKELETON, LiveProject, Ran

pytestmark = pytest.mark.slow

INVOICES = """\
models:
  - name: invoices
    description: One row an invoice that we sent.
    config:
      contract: {enforced: true}
      meta:
        max_quarantined: 0.5
        primary_key: []
    columns:
      - name: _file_id
        data_type: varchar
        description: The file this row came from.
        constraints: [{type: not_null}]
      - name: _source_file
        data_type: varchar
        description: Name of that file.
      - name: _source_row
        data_type: bigint
        description: Line of the file on which the record starts.
      - name: _loaded_at
        data_type: timestamp
        description: When the file was loaded.
      - name: invoice_no
        data_type: text
        description: Number of the invoice.
        constraints: [{type: not_null}]
        data_tests: [not_null]
        config:
          meta: {aliases: [invoice number, invoice, rechnungsnummer, rechnung nr]}
      - name: issued_on
        data_type: date
        description: The day on it.
        constraints: [{type: not_null}]
        config:
          meta: {aliases: [invoice date, date, rechnungsdatum]}
      - name: total
        data_type: decimal(18,2)
        description: What is to be paid.
        config:
          meta: {aliases: [amount, gross, gesamtbetrag]}
      - name: paid
        data_type: boolean
        description: Whether it was paid.
        config:
          meta: {aliases: [bezahlt]}
      - name: state
        data_type: text
        description: Where it is.
        data_tests:
          - accepted_values:
              arguments:
                values: [open, closed]
        config:
          meta:
            aliases: [zustand]
            synonyms: {open: [offen], closed: [erledigt]}
"""
FIRST = """Rechnungsnummer;Rechnungsdatum;Gesamtbetrag;Bezahlt;Zustand;Bemerkung
R-1;31.01.2024;1.190,00;ja;erledigt;
R-2;14.02.2024;59,50;nein;offen;Mahnung
R-3;15.02.2024;12,-;ja;erledigt;
R-4;30.02.2024;99,00;nein;offen;
R-5;29.02.2024;-20,00;ja;erledigt;Gutschrift
R-6;01.03.2024;5,00;vielleicht;offen;
"""
SECOND = """Rechnungsnummer;Rechnungsdatum;Gesamtbetrag;Bezahlt;Zustand;Bemerkung
R-2;14.02.2024;59,50;ja;erledigt;
R-5;29.02.2024;-25,00;ja;erledigt;korrigiert
R-7;02.03.2024;7,00;nein;offen;
R-7;02.03.2024;7,70;nein;offen;doppelt
R-8;02.13.2024;8,00;nein;offen;
"""


@pytest.fixture
def with_invoices(skeleton: LiveProject) -> LiveProject:
    skeleton.put("models/gold/invoices.yml", INVOICES)
    skeleton.put("models/gold/invoices.sql", "{{ gold_rows() }}\n")
    return skeleton


def run(project: LiveProject, name: str, text: str) -> Ran:
    project.put(f"landing/invoices/office/{name}", text)
    return project.goldsmith("run", f"landing/invoices/office/{name}", "--json")


def test_a_fifth_contract_needs_a_yml_and_a_dbt_model_of_one_line(with_invoices: LiveProject) -> None:
    ran = run(with_invoices, "1.csv", FIRST)
    (file,) = ran.json["files"]
    assert (ran.code, file["state"], file["rows_gold"], file["rows_quarantined"]) == (0, "gold", 3, 3), ran
    assert with_invoices.query(
        "select invoice_no, issued_on::varchar, total::varchar, paid, state from gold.invoices order by 1"
    ) == [
        ("R-1", "2024-01-31", "1190.00", True, "closed"),
        ("R-2", "2024-02-14", "59.50", False, "open"),
        ("R-5", "2024-02-29", "-20.00", True, "closed"),
    ]
    assert with_invoices.query(
        "select row ->> 'rechnungsnummer', kind, reasons from quarantine.invoices order by 1"
    ) == [
        ("R-3", "violation", ["total: cannot be read"]),
        ("R-4", "violation", ["issued_on: cannot be read"]),
        ("R-6", "violation", ["paid: cannot be read"]),
    ]
    assert with_invoices.unbalanced() == []
    for command in (("--warn-error", "run"), ("--warn-error", "test")):
        dbt = with_invoices.dbt(*command)
        assert dbt.code == 0, dbt.out[-3000:]
    manifest = json.loads((with_invoices.folder / "target/manifest.json").read_text(encoding="utf-8"))
    assert manifest["parent_map"]["model.goldsmith.invoices"] == ["model.goldsmith.stg_invoices"]


def test_with_a_primary_key_the_latest_row_wins_and_the_others_stay_traceable(with_invoices: LiveProject) -> None:
    project = with_invoices.keep_contracts("invoices")
    project.edit("models/gold/invoices.yml", "primary_key: []", "primary_key: [invoice_no]")
    assert run(project, "1.csv", FIRST).code == 0
    ran = run(project, "2.csv", SECOND)
    (file,) = ran.json["files"]
    assert (file["rows_read"], file["rows_gold"], file["rows_superseded"], file["rows_quarantined"]) == (5, 3, 1, 1)
    gold = "select invoice_no, total::varchar, paid, _source_file, _source_row from gold.invoices order by 1"
    first, second = "invoices/office/1.csv", "invoices/office/2.csv"
    wins = [
        ("R-1", "1190.00", True, first, 2),
        ("R-2", "59.50", True, second, 2),
        ("R-5", "-25.00", True, second, 3),
        ("R-7", "7.70", False, second, 5),
    ]
    assert project.query(gold) == wins
    superseded = project.query(
        "select _source_file, _source_row, row ->> 'invoice_no', reasons[1] from quarantine.invoices "
        "where kind = 'superseded' order by 1, 2"
    )
    reason = "superseded by a later row of the same invoice_no"
    assert superseded == [(first, 3, "R-2", reason), (first, 6, "R-5", reason), (second, 4, "R-7", reason)]
    assert project.unbalanced() == []
    status = project.status()
    parts = ("gold", "superseded", "quarantined", "filtered", "rejected")
    assert {n: [f[f"rows_{p}"] for p in parts] for n, f in status.items()} == {
        first: [1, 2, 3, 0, 0],
        second: [3, 1, 1, 0, 0],
    }
    assert project.dbt("run", "--full-refresh").code == 0
    assert project.query(gold) == wins


def test_a_file_without_a_named_contract_is_matched_against_the_users_own_contracts(tmp_path: Path) -> None:
    project = LiveProject.copy(tmp_path / "project", *SKELETON).keep_contracts("invoices")
    project.put("models/gold/invoices.yml", INVOICES)
    project.put("models/gold/invoices.sql", "{{ gold_rows() }}\n")
    outside = project.put("elsewhere/office.csv", FIRST)
    ran = project.goldsmith("run", outside, "--json")
    assert [(f["contract"], f["source"], f["rows_gold"]) for f in ran.json["files"]] == [("invoices", "office", 3)]
