"""A file that nearly fits a known layout: the real commands say what changed and begin with the dbt model as it is."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from projects import EXAMPLES, SKELETON, LiveProject, Ran

EXPORT = EXAMPLES / "orders/woocommerce/orders-export-2024-03.csv"
KNOWN = "stg_woocommerce__orders_0679d258"
DRIFT = f"nearly {KNOWN}: new column `Loyalty <b>`; missing column `Order Shipping Amount`; `Order Number` is now"
ANN = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ann"}
PATH = f"models/staging/woocommerce/{KNOWN}.sql"


@dataclass(frozen=True)
class Lived:
    """What the commands said: the files of the run by name, and the new layout."""

    files: dict[str, dict[str, Any]]
    approved: dict[str, dict[str, Any]]
    sql: str
    layout: dict[str, Any]
    show: Ran
    check: Ran
    report: str
    unbalanced: list[str]


def written(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A dbt model edited by hand, a file of its layout, one with other values and encoding, and one with other columns."""
    project = LiveProject.copy(tmp_path_factory.mktemp("drift") / "project", *SKELETON, "models/staging")
    project.keep_contracts("orders")
    project.edit(PATH, "clean_text(sku) as item_sku", "lower(clean_text(sku)) as item_sku")
    project.edit(
        PATH, "cast(null as text) as channel_order_ref", "clean_text(coupons_used) as channel_order_ref /* ours */"
    )
    text = EXPORT.read_text(encoding="utf-8-sig")
    header, *rows = list(csv.reader(io.StringIO(text)))
    number = header.index("Order Number")
    project.put("landing/orders/woocommerce/1.csv", text)

    def later(by: int) -> list[list[str]]:
        return [[f"{by}{c}" if i == number else c for i, c in enumerate(row)] for row in rows]

    other = [["Versandt" if c == "Completed" and i < 20 else c for c in row] for i, row in enumerate(later(2))]
    project.put("landing/orders/woocommerce/2.csv", written([header, *other]).encode("utf-16"))
    renamed = ["Order Numbers" if h == "Order Number" else h for h in header]
    gone = header.index("Order Shipping Amount")

    def drifted(by: int, *more: str) -> str:
        table = [[*renamed, *more], *([*row, *("7" for _ in more)] for row in later(by))]
        return written([[cell for i, cell in enumerate(row) if i != gone] for row in table])

    project.put("landing/orders/woocommerce/3.csv", drifted(3, "Loyalty <b>"))
    check = project.goldsmith("check", "landing/orders/woocommerce/3.csv")
    ran = project.goldsmith("run", "--json")
    files = {Path(f["source_file"]).stem: f for f in ran.json["files"]}
    new = files["3"]["layout"]
    (layout,) = [x for x in project.goldsmith("layouts", "--json").json if x["layout"] == new]
    sql = (project.folder / f"models/staging/woocommerce/{layout['dbt_model']}.sql").read_text(encoding="utf-8")
    report = max((project.folder / "target/goldsmith").glob("*.html")).read_text(encoding="utf-8")
    show = project.goldsmith("show", new)
    project.goldsmith("approve", new, **ANN)
    project.put("landing/orders/woocommerce/4.csv", drifted(4, "Loyalty <b>", "Tier"))
    approved = {Path(f["source_file"]).stem: f for f in project.goldsmith("run", "--json").json["files"]}
    return Lived(files, approved, sql, layout, show, check, report, project.unbalanced())


def test_the_run_says_what_changed_and_what_was_taken_over(lived: Lived) -> None:
    (said,) = lived.files["3"]["changes"]
    assert said.startswith(f"{DRIFT} `Order Numbers` (a similar name); ")
    assert lived.files["3"]["mapping"] == "generated"


def test_edits_of_people_are_in_the_new_dbt_model_whatever_an_llm_is_to_mind(lived: Lived) -> None:
    assert "lower(clean_text(sku)) as item_sku" in lived.sql
    assert "clean_text(coupons_used) as channel_order_ref" in lived.sql
    assert "clean_text(order_numbers) as order_id" in lived.sql
    assert "channel_order_ref" in lived.layout["drift"]["kept"]
    assert lived.layout["drift"]["from"] == KNOWN
    assert {"item_sku", "shipping"} <= set(lived.layout["drift"]["by_hand"])


def test_where_what_a_person_edited_is_gone_the_layout_is_held_with_a_question(lived: Lived) -> None:
    (said,) = lived.files["3"]["changes"]
    assert "; shipping was `Order Shipping Amount`, is now empty; taken over from it: all else" in said
    assert lived.files["3"]["state"] == "held"
    (question,) = lived.layout["questions"]
    assert question["column"] == "shipping"
    assert question["text"] == (
        f"{KNOWN} reads `Order Shipping Amount`; not taken over: `Order Shipping Amount` is gone. Here it is empty: is that "
        "right?"
    )


def test_the_next_layout_knows_the_answer_and_the_edits(lived: Lived) -> None:
    assert (lived.approved["3"]["state"], lived.approved["4"]["state"]) == ("gold", "gold")
    (said,) = lived.approved["4"]["changes"]
    assert said.endswith("new column `Tier`; taken over from it: all")


def test_show_and_the_report_say_it_too(lived: Lived) -> None:
    assert f"drift: nearly {KNOWN}: new column `Loyalty <b>`" in lived.show.said
    assert f"nearly {KNOWN}" in lived.report
    assert "Loyalty &lt;b&gt;" in lived.report
    assert "Loyalty <b>" not in lived.report


def test_check_names_the_drift(lived: Lived) -> None:
    assert lived.check.code == 1
    assert f"{DRIFT} `Order Numbers`" in lived.check.said


def test_a_new_value_and_another_encoding_are_said_of_a_file_of_a_known_layout(lived: Lived) -> None:
    assert lived.files["2"]["layout"] == "0679d258"
    encoding, value = lived.files["2"]["changes"]
    assert encoding == "its encoding is utf-16, that of the file before it utf-8"
    assert value.startswith("`Order Status` has new values: 'Versandt' (")
    assert value.endswith(f"status does not take them: name them in its synonyms or accepted_values, or in {KNOWN}.sql")


def test_every_row_is_accounted_for(lived: Lived) -> None:
    assert lived.unbalanced == []


# What a known layout reads of later files of its headers, and what is said of those that no dbt model can be made for.

MONEY, ORDERS = "landing/bank_transactions/", "landing/orders/"
MEMO, WHOLE = "Date,Payee,Amount,Memo\n", "Buchungstag;Empfänger;Betrag;Währung\n"
FIRST = {
    f"{MONEY}whole/1.csv": WHOLE + "13.01.2024;Shop;-350;EUR\n14.01.2024;Wage;900;EUR\n15.01.2024;Fuel;-40;EUR\n",
    f"{MONEY}comma/1.csv": "Date,Payee,Amount,Balance\n2024-01-13,Shop,-5.00,95\n2024-01-14,Fuel,-20.00,75\n",
    f"{MONEY}memo/1.csv": MEMO + "".join(f"2024-01-{day},Shop {day},-{day}.50,\n" for day in range(10, 30)),
    f"{MONEY}flag/1.csv": "Date,Description,Amount,Type\n2024-01-13,Shop,5.00,debit\n2024-01-14,Wage,20.00,credit\n",
    f"{ORDERS}paid/1.csv": "Order ID,Order Date,Total,Paid at\n1,2024-01-13,10.00,\n2,2024-01-14,11.00,\n",
}
LATER = {
    f"{MONEY}whole/2.csv": WHOLE + "13.02.2024;Shop;-1.350;EUR\n14.02.2024;Wage;2.900;EUR\n15.02.2024;Fuel;-40;EUR\n",
    f"{MONEY}comma/2.csv": 'Date,Payee,Amount,Balance\n2024-02-13,Shop,-5.00,"95,50"\n2024-02-14,Fuel,-20.00,"1.115,50"\n',
    f"{MONEY}comma/3.csv": "Date,Payee,Amount,Balance\n2024-03-13,Shop,-5.00,95.50\n2024-03-14,Fuel,-20.00,115.50\n",
    f"{MONEY}memo/some.csv": MEMO
    + "".join(f"2024-02-{day},Shop,-{day}.50,m\n".replace("-20.50", "none") for day in range(10, 30)),
    f"{MONEY}memo/many.csv": MEMO
    + "".join(f"2024-03-{day},Shop,{'none' if day % 4 == 0 else -day},m\n" for day in range(10, 30)),
    f"{MONEY}memo/header.csv": MEMO,
    f"{MONEY}memo/city.csv": "Date,Payee,Amount,Memo,City\n",
    f"{MONEY}memo/other.csv": "Colour,Taste\n",
    f"{MONEY}memo/gone.csv": "Date,Payee,Memo\n2024-04-13,Shop,m\n2024-04-14,Wage,m\n",
    f"{MONEY}flag/2.csv": "Date,Description,Amount,Type\n2024-02-13,Shop,5.00,Sortie\n2024-02-14,Wage,20.00,credit\n",
    f"{ORDERS}paid/2.csv": "Order ID,Order Date,Total,Paid at\n3,2024-01-13,10.00,13/01/2024\n4,2024-01-14,9.00,31/01/2024\n",
}  # fmt: skip


@dataclass(frozen=True)
class Later:
    """What `check` and then `run` said of the later files, by source and name, and what came of them."""

    project: LiveProject
    check: dict[str, dict[str, Any]]
    files: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Later:
    project = LiveProject.copy(tmp_path_factory.mktemp("later") / "project", *SKELETON)
    project.keep_contracts("bank_transactions", "orders")
    for path, text in FIRST.items():
        project.put(path, text)
    assert project.goldsmith("run").code == 0
    for path, text in LATER.items():
        project.put(path, text)
    check = project.goldsmith("check", *LATER, "--format", "json").json
    files = project.goldsmith("run", "--json").json["files"]

    def by_name(said: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
        return {file[key].partition("/")[2].removesuffix(".csv"): file for file in said}

    return Later(project, by_name(check, "file"), by_name(files, "source_file"))


def gold(later: Later, column: str, file: str, contract: str = "bank_transactions") -> list[str]:
    rows = later.project.query(
        f"select {column}::text from gold.{contract} where _source_file = ? order by _source_row",
        f"{contract}/{file}.csv",
    )
    return [value for (value,) in rows]


def test_thousands_are_no_decimals_because_the_layout_has_seen_whole_numbers_only(later: Later) -> None:
    file = later.files["whole/2"]
    assert (file["state"], file["mapping"]) == ("held", "generated")
    assert file["questions"] == ["amount: is the sign in the numbers of `Betrag` a decimal or a thousands sign?"]
    assert "`Betrag` is now written as 1.234, it was integer" in file["changes"][0]
    assert gold(later, "amount", "whole/2") == []


def test_another_decimal_sign_is_another_variant_and_the_same_one_is_not(later: Later) -> None:
    assert "`Balance` is now written as 1.234,56, it was integer" in later.files["comma/2"]["changes"][0]
    assert gold(later, "balance", "comma/2") == ["95.50", "1115.50"]
    assert later.files["comma/3"]["mapping"] == "cached"
    assert gold(later, "balance", "comma/3") == ["95.50", "115.50"]


def test_dates_where_there_were_none_are_another_variant_if_the_dbt_model_does_not_read_them(later: Later) -> None:
    assert later.files["paid/2"]["mapping"] == "generated"
    assert gold(later, "paid_at", "paid/2", "orders") == ["2024-01-13 00:00:00", "2024-01-31 00:00:00"]


def test_a_few_bad_rows_make_no_other_layout(later: Later) -> None:
    file = later.files["memo/some"]
    assert (file["state"], file["mapping"], file["rows_gold"], file["rows_quarantined"]) == ("gold", "cached", 19, 1)


def test_a_file_that_no_dbt_model_reads_waits_beside_the_rows_of_the_known_layout(later: Later) -> None:
    file = later.files["memo/many"]
    assert (file["state"], file["rows_quarantined"]) == ("blocked", 20)
    assert file["layout"] != later.files["memo/some"]["layout"]
    assert gold(later, "amount", "memo/many") == []
    assert later.project.unbalanced() == []


def test_of_a_blocked_file_it_is_said_what_is_other_than_in_the_layout_that_it_is_nearly(later: Later) -> None:
    known = f"stg_memo__bank_transactions_{later.files['memo/some']['layout']}"
    assert later.files["memo/gone"]["state"] == "blocked"
    assert later.files["memo/gone"]["near"] == known
    assert later.files["memo/gone"]["changes"] == [f"nearly {known}: missing column `Amount`"]
    found = later.check["memo/gone"]
    assert found["rule"] == later.check["memo/many"]["rule"] == "drift"
    assert found["text"].startswith(
        f"nearly {known}: missing column `Amount`; none could be made: no mapping by offline"
    )


def test_a_header_is_enough_to_tell_a_known_layout_from_a_drift(later: Later) -> None:
    rules = {name: later.check[f"memo/{name}"]["rule"] for name in ("header", "city", "other")}
    assert rules == {"header": "ok", "city": "drift", "other": "unknown-layout"}
    assert "new column `City`; a header and no rows" in later.check["memo/city"]["text"]
    assert later.files["memo/city"]["state"] == later.files["memo/other"]["state"] == "loaded"


def test_a_new_word_for_the_direction_of_an_amount_is_named(later: Later) -> None:
    (said,) = later.files["flag/2"]["changes"]
    assert said == (
        "`Type` has new values: 'Sortie' (1 ×); amount does not take them: name them in its sign (outflow_values, "
        f"inflow_values), or in stg_flag__bank_transactions_{later.files['flag/2']['layout']}.sql"
    )


def test_quarantine_has_the_name_of_a_renamed_dbt_model_as_a_rebuild_would(later: Later) -> None:
    layout = later.files["flag/2"]["layout"]
    folder, name = later.project.folder / "models/staging/flag", f"stg_flag__bank_transactions_{layout}"
    before = later.project.query("select file_id, mapping from raw._built")
    for path in (folder / f"{name}.sql", folder / f"{name}.yml"):
        text = path.read_text(encoding="utf-8").replace(f"name: {name}\n", "name: flags\n")
        path.with_stem("flags").write_text(text, encoding="utf-8")
        path.unlink()
    later.project.goldsmith("run")
    assert later.project.query(
        "select distinct layout from quarantine.bank_transactions where _source_file like '%flag/2.csv'"
    ) == [("flags",)]
    # Of the other layouts nothing was built anew.
    now = {f for f, _ in set(later.project.query("select file_id, mapping from raw._built")) - set(before)}
    files = later.project.query("select file_id from raw._files where source = 'flag' and state = 'mapped'")
    assert {(f,) for f in now} == set(files)
