"""What changed between a known layout and a new one, in words, and what of its dbt model holds there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import layout, shipped

from generator.candidate import Candidate, ColumnMapping, Provenance, Question
from generator.columns.profile import LayoutProfile, build_profile
from generator.mapping.judging import Judgement
from generator.mapping.nearby import discarded
from generator.mapping.parting import handed_down, partings
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


def near_to(new: LayoutProfile, sql: str = MODEL, **changes: Any) -> Near:
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
    return replace(near, **changes)


def start(after: str, *violations: Violation, new: LayoutProfile | None = None, **changes: Any) -> Start | None:
    new = new or profile(after)
    return starting_point(near_to(new, **changes), BANK, propose(new, BANK), Judge(violations))


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
    every = start(REORDERED, *(Violation("right_type", "no", name) for name in ALL))
    assert every and not every.kept


def test_what_a_person_wrote_or_approved_is_refused_only_where_it_cannot_work() -> None:
    taste = [Violation("text_from_source", "no", name) for name in ALL]
    assert expressions(start(REORDERED, *taste)) == ALL
    assert expressions(start(REORDERED, *taste, approved=False, edited=True)) == ALL
    llm = start(REORDERED, *taste, approved=False, provenance=Provenance(provider="openai"))
    assert llm and not llm.kept
    one = {"amount": {**COLUMNS["amount"], "reviewed": True}}
    assert expressions(start(REORDERED, *taste, approved=False, columns=one)) == {"amount": ALL["amount"]}


def test_the_judge_of_all_later_candidates_respects_what_is_kept_by_hand_and_nothing_else() -> None:
    found = start(REORDERED)
    assert found
    chosen = Question(column="amount", text="in this, or in that?")
    reading = Question(column="booked_on", text="day first?")
    said = Judgement(
        (
            Violation("reads_the_cell", "no", "amount"),
            Violation("amount_signs", "2 rows", "amount"),
            Violation("readable", "no", "balance"),
            Violation("left_out_rows", "no", part=Part.ROW_FILTER),
        ),
        (chosen, reading),
        {chosen: "which_column", reading: "open_to_readings"},
    )
    judged = found.judging(lambda _: said)(found.candidate)
    assert [v.rule for v in judged.violations] == ["readable"]
    assert judged.questions[0] == reading
    (doubt,) = judged.questions[1:]
    assert doubt.column == "amount" and "running balance proves" in doubt.text and "2 rows" not in doubt.text
    other = ColumnMapping(expression="parse_decimal(betrag, ',')", source_columns=("betrag",))
    columns = {**found.candidate.columns, "amount": other}
    anew = found.candidate.model_copy(update={"columns": columns, "row_filter": None})
    assert found.judging(lambda _: said)(anew) == said


def test_what_a_person_left_out_stays_so_and_what_is_new_may_be_what_was_missing() -> None:
    model = MODEL.replace("clean_text(text) as description", "cast(null as text) as description")
    kept = expressions(start("Datum;Text;Betrag;Saldo;Ort\n31.01.2024;a;-1,50;3,00;Ulm", sql=model))
    assert kept["description"] is None and "memo" not in kept
    new = start("Datum;Text;Betrag;Saldo;Verwendungszweck\n31.01.2024;a;-1,50;3,00;Ulm", sql=model)
    assert "memo" not in expressions(new)


def test_a_currency_that_stood_in_a_header_goes_with_it() -> None:
    before = cached("Datum;Text;Betrag EUR;Saldo\n31.01.2024;Miete;-1,50;3,00")
    new = profile("Datum;Text;Betrag USD;Saldo\n31.01.2024;a;-1,50;3,00")
    sql = MODEL.replace("betrag,", "betrag_eur,")
    assert "currency" not in expressions(start("", sql=sql, drift=drift(before, new), new=new))
    same = profile("Text;Datum;Betrag EUR;Saldo\na;31.01.2024;-1,50;3,00")
    assert expressions(start("", sql=sql, drift=drift(before, same), new=same))["currency"] == "'EUR'"


def test_a_filter_that_fails_a_check_is_left_behind_and_the_columns_are_not() -> None:
    found = start(REORDERED, Violation("keeps_rows", "no", part=Part.ROW_FILTER))
    assert expressions(found) == ALL
    assert found and found.candidate.row_filter is None
    assert found.failed == {"row_filter": "no"}
    chosen = start(REORDERED, Violation("left_out_rows", "no", part=Part.ROW_FILTER))
    assert chosen and chosen.candidate.row_filter == "text <> 'Summe'"
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
    assert pending and "booked_on" in pending.kept and pending.still_open(()) == (asked,)
    machine = Provenance(provider="openai")
    made = start(REORDERED, questions=(question,), approved=False, provenance=machine)
    assert made and "booked_on" not in made.kept and made.still_open(()) == ()
    before = start(REORDERED, answered=(question,), approved=False, edited=True)
    assert before and before.still_open((asked,)) == () and before.answered_of(before.kept) == (asked,)
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


# What reads something else, and what is asked about that.

NO_PAYEE = "Datum;Kram;Betrag;Saldo\n31.01.2024;a;-1,50;3,00"


def parted(after: str, *violations: Violation, **changes: Any) -> dict[str, tuple[str, str]]:
    """What reads something else where the matcher answers for the rest: what is said, and asked."""
    new = profile(after)
    near = near_to(new, **changes)
    begun = starting_point(near, BANK, propose(new, BANK), Judge(violations))
    found = partings(near, begun, begun.candidate if begun else propose(new, BANK), BANK)
    return {p.name: (p.text, p.question.text if p.question else "") for p in found}


def test_where_nobody_had_a_hand_it_is_said_what_reads_something_else_and_not_asked() -> None:
    sql = MODEL.replace("where text <> 'Summe'", "").replace("'EUR' as", "cast(null as text) as")
    machine: dict[str, Any] = {"approved": False, "columns": {}, "sql": sql}
    assert parted(NO_PAYEE, **machine) == {"description": ("was `Text`, is now empty", "")}
    moved = "Datum;Verwendungszweck;Betrag;Saldo\n31.01.2024;a;-1,50;3,00"
    assert parted(moved, **machine) == {
        "description": ("was `Text`, is now empty", ""),
        "memo": ("was empty, is now `Verwendungszweck`", ""),
    }
    # The same column in another format.
    assert parted("Datum;Text;Betrag;Saldo\n2024-01-31;a;-1,50;3,00", **machine) == {}


def test_what_a_person_wrote_or_approved_and_is_not_taken_over_is_asked_about() -> None:
    said, asked = parted(NO_PAYEE)["description"]
    assert said == "was `Text`, is now empty"
    assert asked == (
        "stg_a__bank_transactions_1 reads `Text`; not taken over: `Text` is gone, and only its place says that it is now "
        "`Kram`. Here it is empty: is that right?"
    )
    failed = parted(REORDERED, Violation("readable", "3 of 9 rows cannot be read", "amount"))
    assert list(failed) == ["amount"]
    assert failed["amount"] == (
        "was `-parse_decimal(betrag, ',')`, is now `parse_decimal(betrag, ',')` (3 of 9 rows cannot be read)",
        "stg_a__bank_transactions_1 reads `-parse_decimal(betrag, ',')`; not taken over: 3 of 9 rows cannot be read. "
        "Here it reads `parse_decimal(betrag, ',')`: is that right?",
    )


def test_an_edit_that_another_format_breaks_is_asked_about_and_a_plain_reading_is_not() -> None:
    found = parted("Datum;Text;Betrag;Saldo\n2024-01-31;a;-1.50;3.00")
    assert list(found) == ["amount"]
    assert "`Betrag` is written in another way" in found["amount"][1]


def test_a_row_filter_of_a_person_that_is_not_taken_over_is_asked_about() -> None:
    said, asked = parted("Datum;Betrag;Saldo\n31.01.2024;-1,50;3,00")["row_filter"]
    assert said.startswith("was `text <> 'Summe'`, is now all rows")
    assert asked.startswith(
        "stg_a__bank_transactions_1 keeps only rows with `text <> 'Summe'`; not taken over: `Text` is gone"
    )


def test_of_a_structure_of_a_person_nothing_is_taken_over_in_silence() -> None:
    sql = MODEL.replace("mapped as", "staged as")
    (question,) = [asked for _, asked in parted(REORDERED, sql=sql).values() if asked]
    assert "has a structure of its own" in question
    assert not any(asked for _, asked in parted(REORDERED, sql=sql, approved=False).values())


def test_what_a_person_had_a_hand_in_is_known_in_the_third_layout_too() -> None:
    def third(**changes: Any) -> Start | None:
        return start(REORDERED, approved=False, **changes)

    assert expressions(third(handed_down=frozenset({"description"})))["description"] == "clean_text(text)"
    waiting = {"column": "description", "text": "here it reads `Text`: is that right?", "readings": []}
    held = third(handed_down=frozenset({"description"}), questions=(waiting,))
    assert held and [q.text for q in held.still_open(())] == ["here it reads `Text`: is that right?"]
    empty = MODEL.replace("clean_text(text) as description", "cast(null as text) as description")
    again = parted(
        "Datum;Payee;Betrag;Saldo\n31.01.2024;a;-1,50;3,00",
        sql=empty,
        approved=False,
        handed_down=frozenset({"description"}),
        questions=({**waiting, "text": "here it is empty: is that right?"},),
    )
    assert "leaves it empty; not taken over" in again["description"][1]


def test_what_is_handed_down_is_all_that_a_person_decided() -> None:
    new = profile(NO_PAYEE)
    near = near_to(new)
    begun = starting_point(near, BANK, propose(new, BANK), Judge())
    assert begun
    found = partings(near, begun, begun.candidate, BANK)
    assert set(handed_down(near, found, BANK)) == {*BANK.names, "row_filter"}
    assert handed_down(replace(near, approved=False), found, BANK) == ()


def test_what_is_only_guessed_to_be_an_old_column_and_not_read_is_discarded_as_a_new_one() -> None:
    new = profile(NO_PAYEE)
    near = near_to(new, discarding=True)
    made = propose(new, BANK)
    assert discarded(near) == {}
    assert discarded(near, made) == {"kram": "Kram"}
    read = made.columns["description"].model_copy(update={"source_columns": ("kram",)})
    assert discarded(near, made.model_copy(update={"columns": {**made.columns, "description": read}})) == {}


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
