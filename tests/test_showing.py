"""What a person sees of a change: what differs, with examples, and nothing that a terminal would obey."""

from __future__ import annotations

import unicodedata
from io import StringIO

import pytest
from rich.console import Console

from generator.difference import CellChange, ColumnChange, Difference, RowExample
from generator.report.showing import show_difference, show_sql_changes, sql_changes
from generator.visible import UNSEEN

HOSTILE = "[red]\x1b[31mx\u202ey\x07[/red]\u2028" + "z" * 500


def shown(difference: Difference) -> str:
    console = Console(file=StringIO(), width=140)
    show_difference(console, difference)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def difference(text: str = "a") -> Difference:
    change = ColumnChange("amount", 2, 0, 1, 3, 2, (CellChange(text, 7, "1.00", None), CellChange(text, 9, "", text)))
    same = ColumnChange("memo", 0, 4, 4, 1, 1)
    row = RowExample(text, 8, {"amount": "2.00", "memo": None, "description": text}, (text,))
    return Difference(
        *("stg_x", "sales", text, "candidate"),
        rows_before=4,
        rows_after=3,
        removed=1,
        removed_examples=(row,),
        changed=(change, same),
        quarantined_after=1,
        quarantine_before=(("memo: cannot be read", 2),),
        quarantine_after=((text, 1), ("memo: cannot be read", 2)),
        failed_tests=(text,),
    )


def test_what_differs_is_told_and_what_does_not_is_not() -> None:
    text = shown(difference())
    assert "gold rows 4 → 3 (0 added, 1 removed, amount changed in 2), quarantined 0 → 1, filtered 0 → 0" in text
    assert "1.00 → NULL (a:7)" in text
    assert "'' → a (a:9)" in text
    assert "- 1 row leaves gold" in text
    assert "a:8 (now: a): amount=2.00, description=a" in text
    assert "quarantine: a: 0 → 1" in text
    assert "cannot be read" not in text and "memo" not in text


def test_no_difference_is_one_line() -> None:
    text = shown(Difference("stg_x", "sales", "current", "candidate", 4, 4))
    assert text == "stg_x: current → candidate\nthe same 4 gold rows, the same quarantine\n"


@pytest.mark.parametrize("before", ["select 1\n", f"select '{HOSTILE}'\n"])
def test_hostile_texts_are_shown_and_not_obeyed(before: str) -> None:
    console = Console(file=StringIO(), width=140)
    changes = sql_changes(before, f"select 2 -- {HOSTILE}\n\tas x\n", f"models/{HOSTILE}.sql", "candidate")
    show_sql_changes(console, changes)
    assert isinstance(console.file, StringIO)
    text = shown(difference(HOSTILE)) + console.file.getvalue()
    assert "[red]" in text
    assert not [c for c in text if unicodedata.category(c) in UNSEEN and c != "\n"]
    assert "+select 2" in text and "-select" in text


def test_tests_that_another_version_fails_are_said_though_the_rows_are_the_same() -> None:
    same = Difference(
        "stg_x", "sales", "current", "candidate", 4, 4, failed_tests=("not_null_stg_x_mine: no column mine",)
    )
    said = shown(same).splitlines()
    assert said[1:] == [
        "the same 4 gold rows, the same quarantine",
        "candidate fails the test not_null_stg_x_mine: no column mine",
    ]
