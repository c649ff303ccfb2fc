"""What changed between a known layout and a new one, in words, and what of its dbt model holds there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import layout, shipped

from generator.candidate import Candidate, Provenance, Question
from generator.columns.profile import LayoutProfile, build_profile
from generator.mapping.judging import Judgement
from generator.mapping.starting import Near, Start, starting_point
from generator.matcher.offline import propose
from generator.naming import safe_columns
from generator.project.drift import Drift, drift, nearest
from generator.project.render import LayoutName, render_yml
from generator.violation import Part, Violation
from generator.yml.writing import load_yml

BANK = shipped("bank_transactions")
BEFORE = """
    Datum;Text;Betrag;Saldo
    31.01.2024;Miete;-1,50;3,00
    28.01.2024;Lohn;2,50;4,50
"""


@dataclass(frozen=True)
class Cached:
    """A known layout."""

    headers: dict[str, str]
    shapes: tuple[str, ...]
    dbt_model: str = "stg_a__bank_transactions_1"
    source: str = "a"
    contract: str = "bank_transactions"
    review: str = "pending"
    has_header: bool = True


def profile(text: str) -> LayoutProfile:
    return layout(text, delimiter=";")


def cached(text: str = BEFORE, **changes: Any) -> Cached:
    known = profile(text)
    return replace(Cached({c.name: c.header for c in known.columns}, known.shapes), **changes)


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        (BEFORE, ("the same columns, but its dbt model does not read these rows",)),
        ("Datum;Text;Betrag;Saldo;Ort\n31.01.2024;a;-1,50;3,00;Ulm", ("new column `Ort`",)),
        ("Datum;Text;Betrag\n31.01.2024;a;-1,50", ("missing column `Saldo`",)),
        ("Datum;Betrag;Text;Saldo\n31.01.2024;-1,50;a;3,00", ("the columns are in another order",)),
        ("datum;Text;BETRAG*;Saldo\n31.01.2024;a;-1,50;3,00", (
            "2 headers are only spelled in another way: `Datum` is now `datum`",)),
        ("Datum;Text;Betrag %;Saldo\n31.01.2024;a;-1,50;3,00", (
            "`Betrag` is now `Betrag %` (a similar name)",)),
        ("Buchung;Text;Betrag;Saldo\n31.01.2024;a;-1,50;3,00", (
            "`Datum` is perhaps now `Buchung` (the same place, DD.MM.YYYY as before)",)),
        ("Buchung;Text;Betrag;Saldo\n2024-01-31;a;-1,50;3,00", ("new column `Buchung`", "missing column `Datum`")),
        ("Datum;Text;Betrag;Saldo\n2024-01-31;a;-1.50;3.00", (
            "`Datum` is now written as YYYY-MM-DD, it was DD.MM.YYYY",
            "`Betrag` is now written as 1,234.56, it was 1.234,56",
            "`Saldo` is now written as 1,234.56, it was 1.234,56")),
        ("Datum;Text;Text;Betrag;Saldo\n31.01.2024;a;b;-1,50;3,00", ("`Text` is there twice now, it was once",)),
    ],
)  # fmt: skip
def test_a_change_is_said_in_words(after: str, changes: tuple[str, ...]) -> None:
    assert drift(cached(), profile(after)).changes == changes


def test_a_header_in_other_letters_is_the_same_column_and_no_change_of_columns() -> None:
    shouted = drift(cached(), profile(BEFORE.upper()))
    assert (shouted.share, shouted.columns) == (1.0, False)
    assert shouted.changes == ("4 headers are only spelled in another way: `Datum` is now `DATUM`",)
    near = nearest([cached()], "bank_transactions", profile("DA TUM;_Text;BETRAG*;saldo\n31.01.2024;a;-1,50;3,00"), "a")
    assert near and set(near[1].names) == {"datum", "text", "betrag", "saldo"}


def test_of_a_header_that_is_there_more_often_the_first_is_guessed_to_be_the_old_one() -> None:
    twice = drift(cached(), profile("Datum;Text;Betrag;Saldo;Text\n31.01.2024;a;-1,50;3,00;b"))
    assert (twice.names["text"], twice.guessed, twice.added) == ("text", {"text"}, {"text_2": "Text"})
    assert twice.columns and not twice.renamed
    before = cached("Datum;Text;Text;Betrag;Saldo\n31.01.2024;a;b;-1,50;3,00")
    once = drift(before, profile(BEFORE))
    assert (once.changes, once.dropped) == (("`Text` is there once now, it was twice",), {"text_2": "Text"})


def test_of_many_renamed_columns_one_more_is_one() -> None:
    before, after = (";".join(f"{stem} {c}x{c}" for c in "abcdefg") for stem in ("Name", "Names"))
    row = ";".join("abcdefg")
    changes = drift(cached(f"{before}\n{row}"), profile(f"{after}\n{row}")).changes
    assert changes[-1] == "1 more column is renamed"


def test_of_many_changes_some_are_named_and_the_others_counted() -> None:
    wide = ";".join(f"neu{i}" for i in range(50))
    row = ";".join("x" for _ in range(50))
    (said,) = drift(cached(), profile(f"Datum;Text;Betrag;Saldo;{wide}\n31.01.2024;a;-1,50;3,00;{row}")).changes
    assert said.endswith("`neu5` and 44 more")


def test_of_several_near_layouts_the_own_one_is_nearest_then_the_one_with_most_in_common() -> None:
    new = profile("Datum;Text;Betrag;Saldo;Ort\n31.01.2024;a;-1,50;3,00;Ulm")
    own = cached()
    far = cached("Datum;Text;Betrag;Saldo;X;Y\n31.01.2024;a;-1,50;3,00;1;2", dbt_model="stg_a__bank_transactions_0")
    other = cached("Datum;Text;Betrag;Saldo;Ort\n01/31/2024;a;-1,50;3,00;Ulm", source="b", dbt_model="stg_b")
    contacts = cached(contract="contacts", dbt_model="stg_c")
    headless = cached(has_header=False, dbt_model="stg_d")
    known = [contacts, far, other, headless, own]
    found = [nearest(known[i:], "bank_transactions", new, "a") for i in range(5)]
    assert [f and f[0].dbt_model for f in found] == [own.dbt_model] * 5
    assert nearest([contacts, headless], "bank_transactions", new, "a") is None
    # Of another source only what is nearly all the same.
    assert nearest([far], "bank_transactions", new, "b") is None
    assert nearest([own, other], "bank_transactions", new, "c") is not None
    assert nearest([own], "bank_transactions", replace(new, has_header=False), "a") is None


HEADERS = st.lists(st.text(max_size=6), min_size=1, max_size=8)


@given(HEADERS, HEADERS, st.data())
def test_every_column_is_kept_or_new_or_gone(before: list[str], after: list[str], data: st.DataObject) -> None:
    cells = st.sampled_from(["", "x", "1,50", "1.50", "31.01.2024", "7"])

    def made(headers: list[str]) -> LayoutProfile:
        row = data.draw(st.lists(cells, min_size=len(headers), max_size=len(headers)))
        return build_profile(headers, [row], source_file="f", delimiter=";", has_header=True)

    old, new = made(before), made(after)
    known = Cached({c.name: c.header for c in old.columns}, old.shapes)
    found = drift(known, new)
    assert list(known.headers) == safe_columns(before)
    assert {*found.names, *found.dropped} == set(known.headers)
    assert not found.names.keys() & found.dropped.keys()
    assert len(set(found.names.values())) == len(found.names)
    assert {*found.names.values(), *found.added} == {c.name for c in new.columns}
    assert found.guessed <= found.names.keys() and found.unlike <= found.names.keys()
    assert 0 <= found.share <= 1
    assert found.changes and all(found.changes)
    same = drift(known, old)
    assert (same.share, same.columns, same.reordered) == (1.0, False, False)


# What of the known dbt model holds.

MODEL = """\
with source as (select * from {{ source('raw', 'a_1') }}),
mapped as (
    select
        _file_id, _source_file, _source_row,
        parse_date(datum, '%d.%m.%Y') as booked_on,
        -- the bank's sign is the other one
        -parse_decimal(
            betrag, ','
        ) as amount,
        clean_text(text) as description,
        cast(null as text) as memo,
        'EUR' as currency,
        cast(null as text) as account,
        parse_decimal(saldo, ',') as balance,
        source as _raw
    from source
    where text <> 'Summe'
)
select * exclude (_raw), {{ contract_violations('bank_transactions') }} as _violations from mapped
"""
COLUMNS: dict[str, dict[str, Any]] = {
    "booked_on": {"confidence": 0.4, "note": "the day"},
    "amount": {"confidence": 0.97, "provider": "openai"},
    "description": {"confidence": 0.97},
    "memo": {"confidence": None, "note": "not there"},
    "currency": {"confidence": None},
    "balance": {"confidence": 0.9},
}


@dataclass
class Judge:
    """Finds these violations as long as there is something in their column."""

    violations: tuple[Violation, ...] = ()
    seen: list[Candidate] = field(default_factory=list)

    def __call__(self, candidate: Candidate) -> Judgement:
        self.seen.append(candidate)
        same = [
            v
            for v in self.violations
            if v.column is None or (candidate.columns[v.column].note or "").startswith("as in")
        ]
        return Judgement(
            tuple(v for v in same if v.part is not Part.ROW_FILTER or "Summe" in (candidate.row_filter or ""))
        )


def start(after: str, *violations: Violation, sql: str = MODEL, **changes: Any) -> Start | None:
    new = profile(after)
    near = Near(
        drift=drift(cached(), new),
        own=True,
        discarding=False,
        sql=sql,
        columns=COLUMNS,
        questions=(),
        approved=True,
        edited=False,
        provenance=Provenance(provider="offline"),
    )
    return starting_point(replace(near, **changes), BANK, propose(new, BANK), Judge(violations))


def expressions(found: Start | None) -> dict[str, str | None]:
    assert found
    return {name: found.candidate.columns[name].expression for name in found.kept}


ALL = {
    "booked_on": "parse_date(datum, '%d.%m.%Y')",
    "amount": "-parse_decimal(betrag, ',')",
    "description": "clean_text(text)",
    "memo": None,
    "currency": "'EUR'",
    "account": None,
    "balance": "parse_decimal(saldo, ',')",
}
REORDERED = "Text;Datum;Betrag;Saldo\na;31.01.2024;-1,50;3,00"


def test_where_only_the_order_changed_all_is_taken_over_edits_included() -> None:
    found = start(REORDERED)
    assert expressions(found) == ALL
    assert found
    assert found.kept["amount"] == "openai"
    assert found.candidate.row_filter == "text <> 'Summe'"
    booked = found.candidate.columns["booked_on"]
    assert (booked.expression, booked.source_columns) == (ALL["booked_on"], ("datum",))
    assert (booked.confidence, booked.note) == (0.95, "as in stg_a__bank_transactions_1: the day")


def test_what_was_empty_is_asked_where_columns_are_new_unless_these_are_discarded() -> None:
    new = "Datum;Text;Betrag;Saldo;Ort\n31.01.2024;a;-1,50;3,00;Ulm"
    assert set(ALL) - set(expressions(start(new))) == {"memo", "account"}
    assert expressions(start(new, discarding=True)) == ALL


def test_what_is_renamed_is_adapted_and_what_is_guessed_needs_the_matcher() -> None:
    renamed = start("datum;Text;Betrags;Saldo\n31.01.2024;a;-1,50;3,00")
    assert expressions(renamed)["booked_on"] == "parse_date(datum, '%d.%m.%Y')"
    assert expressions(renamed)["amount"] == "-parse_decimal(betrags, ',')"
    assert "description" not in expressions(start("Datum;Kram;Betrag;Saldo\n31.01.2024;a;-1,50;3,00"))
    guessed = start("Datum;Text;Umsatz;Saldo\n31.01.2024;a;-1,50;3,00")
    assert expressions(guessed)["amount"] == "-parse_decimal(umsatz, ',')"


@pytest.mark.parametrize(
    ("after", "asked"),
    [
        ("Datum;Text;Betrag\n31.01.2024;a;-1,50", {"balance"}),
        ("Datum;Text;Betrag;Saldo\n2024-01-31;a;-1,50;3,00", {"booked_on"}),
        ("Datum;Text;Betrag;Saldo\n31.01.2024;a;-1.50;3.00", {"amount", "balance"}),
        # It may be the one or the other.
        ("Datum;Text;Text;Betrag;Saldo\n31.01.2024;a;b;-1,50;3,00", {"description", "memo", "account"}),
    ],
)
def test_only_what_changed_is_asked(after: str, asked: set[str]) -> None:
    assert set(ALL) - set(expressions(start(after))) == asked


def test_what_fails_a_check_is_asked_and_said() -> None:
    found = start(REORDERED, Violation("readable", "3 of 9 rows cannot be read", "amount"))
    assert set(ALL) - set(expressions(found)) == {"amount"}
    assert found and found.failed == {"amount": "3 of 9 rows cannot be read"}
    every = start(REORDERED, *(Violation("x", "no", name) for name in ALL))
    assert every and not every.kept


def test_a_filter_that_fails_a_check_is_left_behind_and_the_columns_are_not() -> None:
    found = start(REORDERED, Violation("left_out_rows", "no", part=Part.ROW_FILTER))
    assert expressions(found) == ALL
    assert found and found.candidate.row_filter is None
    assert found.failed == {"row_filter": "no"}
    gone = start("Datum;Betrag;Saldo\n31.01.2024;-1,50;3,00")
    assert gone and set(gone.failed) == {"row_filter"}


def test_what_only_the_matcher_has_said_it_says_anew() -> None:
    assert set(expressions(start(REORDERED, approved=False))) == {"amount"}
    assert expressions(start(REORDERED, approved=False, edited=True)) == ALL
    assert set(expressions(start(REORDERED, approved=False, provenance=Provenance(provider="openai")))) == set(ALL)


def test_an_open_question_is_not_answered_by_taking_over_and_an_answered_one_not_asked_again() -> None:
    question = {"column": "booked_on", "text": "is `Datum` the day?", "readings": []}
    asked = Question(column="booked_on", text="is `Datum` the day?")
    pending = start(REORDERED, questions=(question,), approved=False, edited=True)
    assert pending and "booked_on" not in pending.kept
    approved = start(REORDERED, questions=(question,))
    other = Question(column="amount", text="is `Datum` the day?")
    assert approved and approved.still_open((asked, other)) == (other,)
    renamed = start("datum;Text;Betrag;Saldo\n31.01.2024;a;-1,50;3,00", questions=(question,))
    assert renamed and renamed.still_open((Question(column="booked_on", text="is `datum` the day?"),)) == ()


@pytest.mark.parametrize(
    "sql",
    [
        MODEL.replace("mapped as", "staged as"),
        MODEL.replace("mapped as", "reshaped as (select * from source),\nmapped as"),
        "select 1",
    ],
)
def test_a_dbt_model_of_another_structure_is_no_starting_point(sql: str) -> None:
    assert start(REORDERED, sql=sql) is None


def test_another_source_may_mean_another_thing_by_the_same_headers() -> None:
    assert start(REORDERED, own=False) is None
    assert isinstance(drift(cached(), profile(REORDERED)), Drift)


@given(st.text(max_size=40))
def test_a_hostile_header_in_a_change_is_a_text_in_the_yml(header: str) -> None:
    after = build_profile(
        ["Datum", "Text", "Betrag", "Saldo", f"x{header}{{{{ env_var('HOME') }}}}"],
        [["31.01.2024", "a", "-1,50", "3,00", "7"]],
        source_file="f",
        delimiter=";",
        has_header=True,
    )
    found = drift(cached(), after)
    meta = {"from": found.origin, "changes": list(found.changes), "kept": []}
    name = LayoutName("a", BANK.name, "0" * 64)
    yml = render_yml(name, propose(after, BANK), BANK, after, Provenance(provider="offline"), "", meta)
    assert "{{" not in yml
    assert load_yml(yml)["models"][0]["config"]["meta"]["drift"] == meta
