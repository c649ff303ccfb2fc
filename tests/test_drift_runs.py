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
