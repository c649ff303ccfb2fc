"""What becomes of files that cannot simply go to gold: held, blocked, failed, refused, and those without a contract."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from projects import SKELETON, LiveProject, Ran

pytestmark = pytest.mark.slow

BANK = "bank_transactions"
AMBIGUOUS = f"{BANK}/ambiguous/statement.csv"
FINE = f"{BANK}/fine/statement.csv"
TALER, OVER, UNREADABLE = (f"{BANK}/taler/{n}.csv" for n in ("1-few-bad", "2-many-bad", "3-most-bad"))
BOGUS = f"{BANK}/bogus/shapes.csv"
CLEAR, TIE, NEITHER = "webshop.csv", "people-or-things.csv", "neither.csv"


def bookings(amounts: Iterable[str], date: str = "Booking date", first: int = 1) -> str:
    lines = [f"2024-01-{i % 28 + 1:02},Shop {i + first},{a}\n" for i, a in enumerate(amounts)]
    return f"{date},Description,Amount\n" + "".join(lines)


def some_bad(bad: Iterable[int], first: int) -> str:
    """Forty bookings; those with these numbers are in a currency that nobody knows."""
    wrong = set(bad)
    return bookings(("12 Taler" if i in wrong else f"-{first + i}.50" for i in range(40)), first=first)


FILES = {
    AMBIGUOUS: "Date,Description,Amount\n"
    + "".join(f"0{m}/0{d}/2024,Shop {m},-{m}.50\n" for m, d in ((2, 1), (5, 3), (4, 2), (1, 6), (7, 5), (8, 7))),
    FINE: bookings((f"-{i}.25" for i in range(1, 21)), date="Posting date"),
    TALER: some_bad({3, 17}, 1),
    OVER: some_bad({3, 17, 5, 9, 20, 30, 35}, 50),
    UNREADABLE: some_bad(range(3, 30), 90),
    BOGUS: "colour,shape\nred,round\nblue,square\n",
    CLEAR: "Order Number,Order Date,Status,Customer Email,SKU,Quantity,Order Total,Currency\n"
    + "".join(
        f"A-{i},2024-05-{i:02} 10:00:00,paid,a{i}@example.com,SKU-{i},{i},{i * 10}.00,EUR\n" for i in range(1, 9)
    ),
    TIE: "Name,Tags\nAnna,x\nBert,y\n",
    NEITHER: "a,b\nx,y\nz,w\n",
}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveProject, Ran]:
    """A project after one run with all of these files in landing/."""
    project = LiveProject.copy(tmp_path_factory.mktemp("states") / "project", *SKELETON)
    for name, text in FILES.items():
        project.put(f"landing/{name}", text)
    return project, project.goldsmith("run", "--json")


@pytest.fixture(scope="module")
def project(landed: tuple[LiveProject, Ran]) -> LiveProject:
    return landed[0]


@pytest.fixture(scope="module")
def files(landed: tuple[LiveProject, Ran]) -> dict[str, dict[str, Any]]:
    """What the run said of each file."""
    return {f["source_file"]: f for f in landed[1].json["files"]}


@pytest.fixture(scope="module")
def status(project: LiveProject) -> dict[str, dict[str, Any]]:
    """What `goldsmith status` says of each file, before anything is answered."""
    return project.status()


@pytest.fixture(scope="module")
def listed(project: LiveProject) -> list[dict[str, Any]]:
    """What `goldsmith layouts` lists, before anything is answered."""
    found = project.goldsmith("layouts", "--json").json
    assert isinstance(found, list)
    return found


STATES = {
    AMBIGUOUS: "held",
    FINE: "gold",
    TALER: "gold",
    OVER: "failed",
    UNREADABLE: "blocked",
    BOGUS: "blocked",
    CLEAR: "gold",
    TIE: "blocked",
    NEITHER: "blocked",
}


def test_each_file_has_its_state_and_one_is_enough_for_exit_code_1(
    landed: tuple[LiveProject, Ran], files: dict[str, dict[str, Any]]
) -> None:
    assert landed[1].code == 1
    assert {name: f["state"] for name, f in files.items()} == STATES


def test_status_says_the_same_later(files: dict[str, Any], status: dict[str, Any]) -> None:
    same = (
        "state",
        "message",
        "contract",
        "layout",
        "questions",
        "reasons",
        "rows_read",
        "rows_gold",
        "rows_quarantined",
    )
    assert {n: {k: f[k] for k in same} for n, f in status.items()} == {
        n: {k: f[k] for k in same} for n, f in files.items()
    }


@pytest.mark.parametrize("name", FILES)
def test_every_row_of_every_state_is_counted(name: str, files: dict[str, Any], status: dict[str, Any]) -> None:
    for file in (files[name], status[name]):
        parts = ("gold", "superseded", "quarantined", "filtered", "rejected")
        assert file["rows_read"] == sum(file[f"rows_{p}"] for p in parts) > 0


def test_every_row_of_every_state_is_in_its_table(project: LiveProject) -> None:
    assert project.unbalanced() == []
    kinds = project.query(f"select distinct _source_file, kind from quarantine.{BANK} order by all")
    assert dict(kinds) == {
        AMBIGUOUS: "held",
        BOGUS: "blocked",
        TALER: "violation",
        OVER: "violation",
        UNREADABLE: "blocked",
    }
    assert len(kinds) == 5


def test_dates_that_can_be_read_in_two_ways_are_asked_about(
    files: dict[str, Any], status: dict[str, Any], listed: list[dict[str, Any]]
) -> None:
    question = "booked_on: are the dates in `Date` day first or month first?"
    for file in (files[AMBIGUOUS], status[AMBIGUOUS]):
        assert (file["questions"], file["rows_gold"]) == ([question], 0)
        advice = r"Answer with goldsmith review \w{8}; or correct .*, goldsmith approve \w{8}, and dbt run$"
        assert re.search(advice, file["message"])
    (layout,) = (x for x in listed if x["files"] == [AMBIGUOUS])
    assert (layout["state"], layout["review"]) == ("held", "pending")
    assert f"booked_on: {layout['questions'][0]['text']}" == question
    assert set(layout["questions"][0]["readings"]) == {"%d/%m/%Y", "%m/%d/%Y"}


def test_a_file_that_no_mapping_reads_says_what_to_do_and_is_listed(
    files: dict[str, Any], listed: list[dict[str, Any]]
) -> None:
    message = files[BOGUS]["message"]
    assert "booked_on: " in message and "amount: " in message
    assert "aliases" in message and "goldsmith generate" in message
    (layout,) = (x for x in listed if x["files"] == [BOGUS])
    assert (layout["state"], layout["columns"], layout["contract"]) == ("blocked", {}, BANK)
    assert layout["questions"] == [{"text": message}]


def test_blocked_rows_wait_with_all_their_cells(project: LiveProject) -> None:
    rows = project.query(
        f"select reasons, row ->> 'colour', row ->> 'shape' from quarantine.{BANK} where _source_file = ? order by 2",
        BOGUS,
    )
    assert rows == [
        (["no mapping: goldsmith status says why"], "blue", "square"),
        (["no mapping: goldsmith status says why"], "red", "round"),
    ]


def test_an_unknown_currency_is_refused_row_by_row_with_the_reason(project: LiveProject, files: dict[str, Any]) -> None:
    assert (files[TALER]["rows_gold"], files[TALER]["reasons"]) == (38, [["amount: cannot be read", 2]])
    assert project.query(
        f"select _source_row, row ->> 'amount' from quarantine.{BANK} where _source_file = ? order by 1", TALER
    ) == [(5, "12 Taler"), (19, "12 Taler")]


def test_too_many_bad_rows_fail_the_file_and_the_good_ones_are_in_gold(files: dict[str, Any]) -> None:
    file = files[OVER]
    assert (file["mapping"], file["rows_gold"], file["rows_quarantined"]) == ("cached", 33, 7)
    assert file["message"] == "18% of the rows are quarantined or rejected, over 10%"


def test_a_contract_that_is_not_named_is_found_where_it_is_clear(files: dict[str, Any]) -> None:
    assert (files[CLEAR]["contract"], files[CLEAR]["rows_gold"]) == ("orders", 8)


@pytest.mark.parametrize("name", [TIE, NEITHER])
def test_a_contract_that_is_not_clear_is_a_question(name: str, files: dict[str, Any], project: LiveProject) -> None:
    assert files[name]["contract"] is None
    assert files[name]["message"].startswith("which contract? none fits clearly (")
    assert "--contract NAME" in files[name]["message"] and "contacts" in files[name]["message"]
    assert project.query("select contract, state from raw._files where source_file = ?", name) == [(None, "blocked")]


def test_what_waits_is_said_again_and_changes_nothing(
    project: LiveProject, files: dict[str, Any], listed: list[dict[str, Any]]
) -> None:
    before, built = project.tree(), project.query("select * from raw._built order by all")
    again = project.goldsmith("run", "--json")
    assert again.code == 1
    waiting = {f["source_file"]: f["message"] for f in again.json["files"] if f["state"] != "known"}
    assert waiting == {n: f["message"] for n, f in files.items() if f["state"] in ("held", "blocked", "failed")}
    assert (project.tree(), project.query("select * from raw._built order by all")) == (before, built)


def test_naming_the_contract_answers_the_question(
    project: LiveProject, status: dict[str, Any], listed: list[dict[str, Any]]
) -> None:
    named = project.goldsmith("run", f"landing/{TIE}", "--contract", "contacts", "--json")
    assert named.code == 0, named
    assert [(f["state"], f["rows_gold"]) for f in named.json["files"]] == [("gold", 2)]
    assert project.query("select full_name, tags from gold.contacts order by 1") == [("Anna", "x"), ("Bert", "y")]


def test_an_approved_layout_is_in_gold_after_dbt_run(
    project: LiveProject, status: dict[str, Any], listed: list[dict[str, Any]]
) -> None:
    others = f"select * from gold.{BANK} where _source_file != '{AMBIGUOUS}' order by all"
    before = project.query(others)
    (path,) = (project.folder / "models/staging/ambiguous").glob("*.yml")
    project.edit(str(path.relative_to(project.folder)), "review: pending", "review: approved")
    assert project.dbt("run").code == 0
    gold = project.query(
        f"select strftime(booked_on, '%Y-%m-%d'), amount::varchar from gold.{BANK} where _source_file = ? "
        "order by _source_row",
        AMBIGUOUS,
    )
    assert len(gold) == 6
    assert gold[0] in [("2024-01-02", "-2.50"), ("2024-02-01", "-2.50")]
    assert project.query(others) == before
    assert project.unbalanced() == []
    file = project.status()[AMBIGUOUS]
    assert (file["state"], file["rows_gold"], file["questions"], file["review"]) == ("gold", 6, [], "approved")


def test_a_failed_file_is_said_again_until_it_is_mended(project: LiveProject) -> None:
    again = project.goldsmith("run", str(project.folder / "landing" / OVER), "--json")
    assert again.code == 1
    (file,) = again.json["files"]
    assert (file["state"], file["rows_gold"], file["rows_quarantined"]) == ("failed", 33, 7)


def test_a_file_that_was_mapped_and_not_built_is_built_and_said_in_full(skeleton: LiveProject) -> None:
    skeleton.keep_contracts(BANK)
    skeleton.put(f"landing/{AMBIGUOUS}", FILES[AMBIGUOUS])
    assert skeleton.goldsmith("load").code == 0
    assert skeleton.goldsmith("generate", "--contract", BANK).code == 0
    ran = skeleton.goldsmith("run", "--json")
    assert ran.code == 1
    assert [(f["state"], f["rows_quarantined"]) for f in ran.json["files"]] == [("held", 6)]


HEADER_ONLY, LATER = f"{BANK}/fine/empty.csv", f"{BANK}/later/empty.csv"


def test_a_header_without_rows_takes_the_mapping_of_its_layout_or_waits_for_one(skeleton: LiveProject) -> None:
    skeleton.keep_contracts(BANK)
    head = "Posting date,Description,Amount\n"
    skeleton.put(f"landing/{LATER}", head)
    ran = skeleton.goldsmith("run", "--json")
    assert ran.code == 0, ran
    (file,) = ran.json["files"]
    assert (file["state"], file["rows_read"]) == ("loaded", 0)
    assert "nothing to learn a mapping from" in file["message"]

    skeleton.put(f"landing/{FINE}", FILES[FINE])
    skeleton.put(f"landing/{HEADER_ONLY}", f"{head}\n")
    ran = skeleton.goldsmith("run", "--json")
    assert ran.code == 0, ran
    assert {f["source_file"]: (f["state"], f["rows_gold"]) for f in ran.json["files"]} == {
        FINE: ("gold", 20),
        HEADER_ONLY: ("gold", 0),
        LATER: ("gold", 0),
    }
    assert {f["state"] for f in skeleton.goldsmith("run", "--json").json["files"]} == {"known"}
    assert skeleton.unbalanced() == []


def test_a_file_that_was_mapped_for_another_contract_leaves_the_first_one(skeleton: LiveProject) -> None:
    skeleton.keep_contracts(BANK, "contacts")
    path = skeleton.put("inbox/shapes.csv", "colour,shape\nred,round\nblue,square\n")
    assert skeleton.goldsmith("run", str(path), "--contract", BANK).code == 1
    assert skeleton.query(f"select kind, count(*) from quarantine.{BANK} group by all") == [("blocked", 2)]
    named = skeleton.goldsmith("run", str(path), "--contract", "contacts", "--json")
    assert [f["contract"] for f in named.json["files"]] == ["contacts"]
    assert skeleton.query(f"select count(*) from quarantine.{BANK}") == [(0,)]
    assert skeleton.unbalanced() == []


def test_a_file_that_was_built_for_gold_alone_is_built_to_the_end_whoever_names_it(skeleton: LiveProject) -> None:
    skeleton.keep_contracts(BANK)
    assert skeleton.goldsmith("run", str(skeleton.put("inbox/fine.csv", FILES[FINE])), "--contract", BANK).code == 0
    # As it is after a run that was killed between the two tables.
    skeleton.change(f"delete from raw._built where relation like '%quarantine%'; drop table quarantine.{BANK}")
    assert skeleton.goldsmith("run", "--json").code == 0
    assert skeleton.unbalanced() == []
    assert [f["state"] for f in skeleton.status().values()] == ["gold"]
