"""The files in `examples/` through the real thing: an empty project, one run, and what came of each row."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from projects import EXAMPLES, ROOT, SKELETON, LiveProject, Ran

pytestmark = pytest.mark.slow

FILES = sorted(str(p.relative_to(EXAMPLES)) for p in EXAMPLES.rglob("*.csv"))
WOOCOMMERCE = "orders/woocommerce/orders-export-2024-03.csv"
# A later month of the second chase file: the same layout, other rows, one of them without an amount.
APRIL = """Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #
DEBIT,04/18/2024,CORNER DELI SPRINGFIELD IL    04/17,-11.25,DEBIT_CARD,8000.00,
CREDIT,04/17/2024,LAKESIDE TOOLWORKS  PAYROLL          PPD ID: 5550100777,2212.48,ACH_CREDIT,8011.25,
DEBIT,04/16/2024,CHECK 1045,-90.00,CHECK_PAID,5798.77,1045
DEBIT,04/15/2024,NON-CHASE ATM FEE-WITH,-3.00,FEE_TRANSACTION,5888.77,
DEBIT,04/15/2024,NON-CHASE ATM WITHDRAW,-60.00,ATM,5891.77,
DEBIT,04/12/2024,CORNER DELI SPRINGFIELD IL    04/11,-9.75,DEBIT_CARD,5951.77,
DEBIT,04/11/2024,CITY WATER WORKS WEB PMT,-41.10,ACH_DEBIT,5961.52,
DEBIT,04/10/2024,CORNER DELI SPRINGFIELD IL    04/09,-12.50,DEBIT_CARD,6002.62,
CREDIT,04/09/2024,REMOTE ONLINE DEPOSIT #          1,120.00,CHECK_DEPOSIT,6015.12,
DEBIT,04/08/2024,GROCER SPRINGFIELD IL    04/07,,DEBIT_CARD,5895.12,
"""


@dataclass(frozen=True)
class History:
    """The project, and what was seen on the way: after the first run, and after a second one."""

    project: LiveProject
    first: Ran
    status: dict[str, dict[str, Any]]
    tree: dict[str, str]
    reports: list[Path]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> History:
    """An empty project after `goldsmith run` with the examples in landing/."""
    project = LiveProject.copy(tmp_path_factory.mktemp("examples") / "project", *SKELETON)
    shutil.copytree(EXAMPLES, project.folder / "landing")
    first = project.goldsmith("run")
    reports = sorted((project.folder / "target/goldsmith").glob("*.html"))
    return History(project, first, project.status(), project.tree(), reports)


def test_all_of_it_is_in_gold_and_the_command_says_so(ran: History) -> None:
    assert ran.first.code == 0, ran.first
    assert {name: f["state"] for name, f in ran.status.items()} == dict.fromkeys(FILES, "gold")
    assert "offline (no OPENAI_API_KEY" in ran.first.said
    assert f"{len(FILES)} files: {len(FILES)} gold" in ran.first.said
    assert "46 read = 42 gold + 2 quarantined + 0 filtered + 2 rejected" in ran.first.said


@pytest.mark.parametrize("folder", ["models/staging", "models/quarantine"])
def test_what_the_examples_generate_is_what_is_committed_byte_for_byte(ran: History, folder: str) -> None:
    def files(root: Path) -> dict[str, bytes]:
        # unit_tests.yml is written by hand.
        found = [p for p in (root / folder).rglob("*") if p.is_file() and p.name != "unit_tests.yml"]
        return {str(p.relative_to(root)): p.read_bytes() for p in found}

    made, committed = files(ran.project.folder), files(ROOT)
    assert made.keys() == committed.keys()
    assert [name for name in made if made[name] != committed[name]] == []


def test_every_row_of_every_file_is_accounted_for(ran: History) -> None:
    kinds = ("gold", "superseded", "quarantined", "filtered", "rejected")
    wrong = [f for f in ran.status.values() if f["rows_read"] != sum(f[f"rows_{k}"] for k in kinds)]
    assert wrong == []
    assert ran.project.unbalanced() == []


def test_the_books_say_what_the_readme_of_the_examples_says(ran: History) -> None:
    readme = (ROOT / "examples/README.md").read_text(encoding="utf-8")
    section, said = "", {}
    for line in readme.splitlines():
        section = line.removeprefix("## ") if line.startswith("## ") else section
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 6 and cells[0].startswith("`"):
            said[section, cells[0].split("`")[1]] = sorted(int(n) for n in cells[2].split(","))
    counted: dict[tuple[str, str], list[int]] = {}
    for file in ran.status.values():
        counted.setdefault((file["contract"], file["source"]), []).append(file["rows_read"])
    assert {k: sorted(v) for k, v in counted.items()} == said


def test_the_second_file_of_a_layout_uses_the_mapping_of_the_first(ran: History) -> None:
    first, second = (f for f in FILES if "/sparkasse/" in f)
    assert ran.status[first]["layout"] == ran.status[second]["layout"]
    assert len(list((ran.project.folder / "models/staging/sparkasse").glob("*.sql"))) == 1


def test_bad_rows_are_where_they_belong_with_the_reason(ran: History) -> None:
    assert ran.status[WOOCOMMERCE]["rows_gold"] == 42
    quarantined = ran.project.query(
        "select _source_row, kind, reasons, row ->> 'order_number', row ->> 'order_total_amount', row ->> 'order_status' "
        "from quarantine.orders where _source_file = ? order by 1",
        WOOCOMMERCE,
    )
    assert quarantined == [
        (19, "violation", ["order_total: cannot be read"], "5036", "67.0O", "Completed"),
        (38, "violation", ["status: cannot be read"], "5072", "126.08", "At the engraver"),
    ]
    rejected = ran.project.query(
        "select source_row, left(text, 4), reason from raw._rejects inner join raw._files using (file_id) "
        "where source_file = ? order by 1",
        WOOCOMMERCE,
    )
    assert rejected == [
        (6, "5018", "49 fields where the layout has 48"),
        (33, "5063", "31 fields where the layout has 48"),
    ]
    bad = "select count(*) from gold.orders where _source_file = ? and order_id in ('5018', '5063', '5072')"
    assert ran.project.query(bad, WOOCOMMERCE) == [(0,)]


def test_rows_that_are_no_bookings_are_left_out_and_kept(ran: History) -> None:
    left_out = ran.project.query(
        "select row ->> 'state', kind, reasons from quarantine.bank_transactions where _source_file like '%revolut%' "
        "order by 1"
    )
    assert [(state, kind) for state, kind, _ in left_out] == [
        ("PENDING", "filtered"),
        ("REVERTED", "filtered"),
        ("REVERTED", "filtered"),
    ]


def test_a_gold_row_is_traced_to_its_file_and_line_by_one_query(ran: History) -> None:
    traced = ran.project.query(
        """
        select gold.order_id, files.source_file, gold._source_row, files.sha256, files.encoding
        from gold.orders as gold
        inner join raw._files as files on gold._file_id = files.file_id
        """
    )
    assert len(traced) == 131
    for order_id, name, row, sha256, encoding in traced:
        archived = (ran.project.folder / "archive" / sha256[:2] / sha256).read_bytes()
        assert hashlib.sha256(archived).hexdigest() == sha256
        assert archived == (EXAMPLES / name).read_bytes()
        assert order_id in archived.decode(encoding).splitlines()[row - 1]


def test_the_archive_cannot_be_written_to(ran: History) -> None:
    kept = [p for p in (ran.project.folder / "archive").rglob("*") if p.is_file() and p.suffix != ".json"]
    assert len(kept) == len(FILES)
    assert {p.stat().st_mode & 0o777 for p in kept} == {0o444}


def test_the_report_is_one_page_that_names_every_file(ran: History) -> None:
    (report,) = ran.reports
    assert f"report: {report}" in ran.first.said
    page = _Page()
    page.feed(report.read_text(encoding="utf-8"))
    assert [f for f in FILES if f not in page.text] == []
    assert [u for u in page.links if not u.startswith("#")] == []
    assert "script" not in page.tags
    for reason in ("order_total: cannot be read", "status: cannot be read", "49 fields where the layout has 48"):
        assert reason in page.text
    assert "unreviewed" in page.text


def test_a_second_run_does_nothing_and_says_so(ran: History) -> None:
    results = ran.project.folder / "target/run_results.json"
    before, built = results.read_bytes(), ran.project.query("select * from raw._built order by all")
    again = ran.project.goldsmith("run")
    assert again.code == 0
    assert f"{len(FILES)} files loaded before: nothing to do" in again.said
    assert results.read_bytes() == before, "dbt ran"
    assert ran.project.query("select * from raw._built order by all") == built
    assert ran.project.tree() == ran.tree
    assert sorted((ran.project.folder / "target/goldsmith").glob("*.html")) == ran.reports


@pytest.fixture(scope="module")
def april(ran: History) -> tuple[Ran, History, list[tuple[Any, ...]]]:
    """A new file of a known layout, run as JSON; with the gold rows that were there before it."""
    before = ran.project.query("select * from gold.bank_transactions order by all")
    ran.project.put("landing/bank_transactions/chase/April.csv", APRIL)
    return ran.project.goldsmith("--json", "run"), ran, before


def test_a_new_file_of_a_known_layout_makes_no_generation(april: tuple[Ran, History, list[Any]]) -> None:
    new, ran, before = april
    assert new.code == 0, new
    (file,) = (f for f in new.json["files"] if f["state"] != "known")
    assert file["source_file"] == "bank_transactions/chase/April.csv"
    assert (file["state"], file["mapping"], file["rows_gold"], file["rows_quarantined"]) == ("gold", "cached", 9, 1)
    assert file["reasons"] == [["amount: required, but empty", 1]]
    assert ran.project.tree() == ran.tree
    after = ran.project.query("select * from gold.bank_transactions where _source_file not like '%April%' order by all")
    assert after == before
    assert ran.project.unbalanced() == []


def test_its_bad_row_waits_in_quarantine_as_it_was(april: tuple[Ran, History, list[Any]]) -> None:
    ((line, reasons, description),) = april[1].project.query(
        "select _source_row, reasons, row ->> 'description' from quarantine.bank_transactions "
        "where _source_file = 'bank_transactions/chase/April.csv'"
    )
    assert (line, reasons) == (11, ["amount: required, but empty"])
    assert description == "GROCER SPRINGFIELD IL    04/07"


class _Page(HTMLParser):
    """The text, links and tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]

    def handle_data(self, data: str) -> None:
        self.text += data
