"""`goldsmith check`: would these files pass? It says so for each, in words, and leaves no trace."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from projects import CHASE, EXAMPLES, SKELETON, LiveProject, Ran

pytestmark = pytest.mark.slow

UNKNOWN = "Posting date,Payee,Amount,Colour\n" + "".join(
    f"2024-01-{d},Shop {d},-{d}.50,{'red blue'.split()[d % 2]}\n" for d in range(10, 30)
)


@dataclass(frozen=True)
class Checked:
    """A project, its files' hashes before anything was checked, and what was checked in it."""

    project: LiveProject
    before: dict[str, str]
    known: Ran
    unknown: Ran
    drift: Ran
    bad: Ran
    together: Ran


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """The committed layouts of the bank contract, and four checks."""
    folder = tmp_path_factory.mktemp("check")
    project = LiveProject.copy(folder / "project", *SKELETON, "models/staging").keep_contracts("bank_transactions")
    (project.folder / "home").mkdir()
    inbox = folder / "inbox"
    inbox.mkdir()
    (folder / "tmp").mkdir()
    known = shutil.copy(CHASE, inbox / "chase.csv")
    (inbox / "unknown.csv").write_text(UNKNOWN, encoding="utf-8")
    (inbox / "ambiguous.csv").write_text(
        "Date,Payee,Amount\n01/02/2024,A,-4.20\n03/04/2024,B,-5.20\n", encoding="utf-8"
    )
    lines = CHASE.read_text(encoding="utf-8").splitlines()
    drift = [lines[0] + ",Reward Points", *(f"{line},{i}" for i, line in enumerate(lines[1:]))]
    (inbox / "drift.csv").write_text("\n".join(drift), encoding="utf-8")
    bad = [lines[0], *(line.replace("/2024,", "/24 ?,") if i % 5 == 0 else line for i, line in enumerate(lines[1:]))]
    (inbox / "bad.csv").write_text("\n".join(bad), encoding="utf-8")
    new = inbox / "new"
    new.mkdir()
    (new / "a.csv").write_text("\n".join(drift), encoding="utf-8")
    (new / "b.csv").write_text("\n".join(drift[:-1]), encoding="utf-8")
    shutil.copy(new / "a.csv", new / "copy.csv")
    (new / "unknown.csv").write_text(UNKNOWN, encoding="utf-8")
    wider = (
        UNKNOWN.replace("Colour\n", "Colour,Shape\n").replace("red\n", "red,round\n").replace("blue\n", "blue,flat\n")
    )
    (new / "wider.csv").write_text(wider, encoding="utf-8")
    nordic = EXAMPLES / "bank_transactions/nordic/bevaegelser.csv"
    before = project.everything()

    def check(*arguments: str | Path) -> Ran:
        return project.goldsmith("check", *arguments, "--contract", "bank_transactions", TMPDIR=str(folder / "tmp"))

    return Checked(
        project,
        before,
        check(known, nordic, "--source", "nordic"),
        check(inbox / "unknown.csv", inbox / "ambiguous.csv"),
        check(inbox / "drift.csv"),
        check(inbox / "bad.csv", "--format", "json"),
        check(new, "--source", "newcomer", "--format", "json"),
    )


def test_known_layouts_pass(checked: Checked) -> None:
    assert checked.known.code == 0, checked.known
    assert checked.known.out.splitlines() == [
        "ok   bevaegelser.csv: layout 24ae6c58 of bank_transactions: 23 rows read, 23 gold, 0 quarantined, 0 filtered, "
        "0 rejected",
        "ok   chase.csv: layout ec185f7c of bank_transactions: 27 rows read, 27 gold, 0 quarantined, 0 filtered, "
        "0 rejected",
    ]


def test_an_unknown_layout_fails_with_the_mapping_that_would_be_made(checked: Checked) -> None:
    assert checked.unknown.code == 1
    _, line = checked.unknown.out.splitlines()
    assert line.startswith("FAIL unknown.csv: no dbt model reads this layout; offline would map ")
    for mapped in ("booked_on <- Posting date", "amount <- Amount", "description <- Payee"):
        assert mapped in line
    assert "20 gold" in line and "goldsmith run" in line


def test_of_an_unknown_layout_it_is_said_what_keeps_rows_out_of_gold(checked: Checked) -> None:
    line, _ = checked.unknown.out.splitlines()
    assert "0 rejected; 2 × booked_on: are the dates in `Date` day first or month first?); make and review one" in line


def test_an_added_column_is_named_as_drift(checked: Checked) -> None:
    assert checked.drift.code == 1
    (line,) = checked.drift.out.splitlines()
    assert line.startswith(
        "FAIL drift.csv: nearly stg_chase__bank_transactions_ec185f7c: new column `Reward Points`; offline would map "
    )


def test_every_file_of_a_new_layout_fails_and_a_copy_as_the_file_that_it_is_a_copy_of(checked: Checked) -> None:
    assert checked.together.code == 1
    found = {f["file"]: f for f in checked.together.json}
    assert {name: f["rule"] for name, f in found.items()} == {
        "a.csv": "drift",
        "b.csv": "drift",
        "copy.csv": "drift",
        "unknown.csv": "unknown-layout",
        "wider.csv": "drift",
    }
    assert found["copy.csv"]["rows"] == found["a.csv"]["rows"]
    assert "; the same as a.csv; offline would map " in found["copy.csv"]["text"]
    for name in ("a.csv", "b.csv"):
        assert found[name]["text"].startswith(
            "nearly stg_chase__bank_transactions_ec185f7c: new column `Reward Points`"
        )
    assert re.match(r"nearly stg_newcomer__\w+, new in this check, too: new column `Shape`", found["wider.csv"]["text"])


def test_rows_that_break_the_contract_fail_with_their_reasons(checked: Checked) -> None:
    assert checked.bad.code == 1
    (finding,) = checked.bad.json
    assert (finding["file"], finding["contract"], finding["failed"]) == ("bad.csv", "bank_transactions", True)
    assert finding["rule"] == "contract"
    first, *_ = finding["bad"]
    assert first["reasons"] == ["booked_on: cannot be read: `Posting Date` '03/29/24 ?'"]
    assert finding["text"].startswith(
        "22% of the rows are quarantined or rejected, over 10%; 6 × booked_on: cannot be read; 27 rows read, 21 gold"
    )


def test_it_writes_nothing_and_leaves_nothing(checked: Checked) -> None:
    assert checked.project.everything() == checked.before
    assert list((checked.project.folder.parent / "tmp").iterdir()) == []


def test_files_in_landing_keep_their_contract_and_source(checked: Checked) -> None:
    project = LiveProject(checked.project.folder)
    name = "landing/bank_transactions/nordic/april.csv"
    project.put(name, (EXAMPLES / "bank_transactions/nordic/bevaegelser.csv").read_bytes())
    ran = project.goldsmith("check", name, "--json")
    assert ran.code == 0, ran
    assert [(f["rule"], f["layout"]) for f in ran.json] == [("ok", "24ae6c58")]


def test_what_to_do_next_works_after_a_check_that_has_loaded_nothing(checked: Checked) -> None:
    project = LiveProject(checked.project.folder)
    bare = project.put("samples/bank_transactions/x y/z.csv", "a,b\n1,2\n")
    new = project.put("samples/bank_transactions/new one.csv", UNKNOWN)
    ran = project.goldsmith("check", bare, new, GIT_CEILING_DIRECTORIES=str(project.folder.parent))
    unknown, blocked = ran.out.splitlines()
    words = "goldsmith run 'samples/bank_transactions/{}' --contract bank_transactions --source {}"
    assert blocked.endswith(f"then: {words.format('x y/z.csv', 'x_y')}")
    assert f"`{words.format('new one.csv', 'new_one')}`" in unknown


@pytest.mark.parametrize("words", [("check",), ("check", "nowhere.csv"), ("check", "x", "--format", "xml")])
def test_wrong_usage_is_exit_code_2(words: tuple[str, ...], checked: Checked) -> None:
    ran = checked.project.goldsmith(*words)
    assert (ran.code, ran.out) == (2, "")
