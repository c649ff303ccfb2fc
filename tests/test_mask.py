"""What leaves the machine: masks, samples, and the values let through in clear."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.candidate import Candidate, ColumnMapping
from generator.contracts import Column, Contract, Sign
from generator.mask import (
    SAMPLE_LENGTH,
    clear_values,
    invented_dates,
    known_values,
    known_words,
    mask,
    sample_cells,
)
from generator.profile import ColumnProfile, build_profile

CONTRACT = Contract(
    name="orders",
    description="",
    columns=(
        Column("status", "text", accepted_values=("paid",), synonyms={"paid": ("bezahlt",)}),
        Column("amount", "decimal(18,2)", sign=Sign(outflow=("debit",), outflow_values=("Soll",))),
        Column("customer_name", "text", aliases=("customer name", "kunde"), pii=True),
    ),
)


def column(header: str, cells: list[str]) -> ColumnProfile:
    return build_profile([header], [[c] for c in cells], source_file="f.csv", delimiter=",", has_header=True).columns[0]


def suggested(gold: str, source: str, confidence: float = 0.9) -> Candidate:
    return Candidate(columns={gold: ColumnMapping(expression=source, source_columns=(source,), confidence=confidence)})


NOTHING = Candidate(columns={})


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Anna Müller-Ößt", "Xxxx Xxxxxx-Xxx"),
        ("DE89 3704 0044", "XX99 9999 9999"),
        ("-1.234,56 €", "-9.999,99 €"),
        ("a.b+c@d.org", "x.x+x@x.xxx"),
        ("张三 12", "字字 99"),
        ("Иван ΑβΓ", "Жжжж ΛλΛ"),
        ("カード、ひらがな 한국", "アアア、ああああ 한한"),
        ("٣٤ ½ Ⅷ", "99 9 9"),
        ("\u00a0x\ty\n", "\u00a0x\tx\n"),
        ("a\u200bb\x1b[0m\ue000\U000e0041", "x\ufffdx\ufffd[9x\ufffd\ufffd"),
        ("🇩🇪 Ⓐ", "□□ □"),
        ("", ""),
    ],
)
def test_a_mask_keeps_what_tells_the_format_and_nothing_else(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(st.text())
def test_a_mask_keeps_the_length_and_masks_twice_the_same(text: str) -> None:
    assert len(mask(text)) == len(text)
    assert mask(mask(text)) == mask(text)


@given(st.text())
def test_no_letter_and_no_digit_passes_a_mask(text: str) -> None:
    stand_ins = set("xXжЖλΛ字あア한عשकก9")
    assert {c for c in mask(text) if unicodedata.category(c)[0] in "LN"} <= stand_ins


def test_words_that_are_kept_are_whole_words() -> None:
    assert mask("Konto: Kontor 12", frozenset({"konto"})) == "Konto: Xxxxxx 99"


def test_samples_cover_the_ways_of_writing_the_most_frequent_first() -> None:
    cells = ["Anna Berg", "Otto Vogel", "Ida Stein", "a@b.de", "", "?"]
    samples = sample_cells(column("c", cells))
    assert [(s.text, s.share) for s in samples] == [("Xxxx Xxxx", 0.6), ("x@x.xx", 0.2), ("?", 0.2)]


def test_samples_are_at_most_as_many_and_as_long_as_wanted() -> None:
    cells = ["x" * 1000, "1-1", "1/1", "1.1.", "a b", "#", "(1)"]
    samples = sample_cells(column("c", cells), limit=3)
    assert len(samples) == 3
    assert samples[0].text == "x" * SAMPLE_LENGTH + "…"


def test_numbers_keep_signs_separators_currency_and_direction() -> None:
    samples = sample_cells(column("c", ["-1.234,56 €", "12,50 CR", "7,00 DR", "(85,00)"]))
    assert [s.text for s in samples] == ["-9.999,99 €", "99,99 CR", "9,99 DR", "(99,99)"]


def test_direction_words_are_masked_where_the_column_holds_no_numbers() -> None:
    assert [s.text for s in sample_cells(column("c", ["Cr Anna"]))] == ["Xx Xxxx"]


def test_a_cell_that_the_contract_names_stays_in_clear_and_only_as_a_whole() -> None:
    samples = sample_cells(column("c", ["Bezahlt", "bezahlt von Anna"]), known=known_values(CONTRACT))
    assert [s.text for s in samples] == ["Bezahlt", "xxxxxxx xxx Xxxx"]


@pytest.mark.parametrize(
    ("formats", "invented"),
    [
        (("%d.%m.%Y",), ("27.12.2031",)),
        (("%d/%m/%Y", "%m/%d/%Y"), ("03/04/2031", "04/03/2031")),
        (("%Y-%m-%dT%H:%M:%S.%f%z",), ("2031-12-27T14:05:09.000000+0200",)),
        (("%-d %b %y, %I:%M %p",), ("27 Dec 31, 02:05 PM",)),
        (("%Y年%m月%d日",), ("2031年12月27日",)),
        (("%q %%",), ("%q %",)),
    ],
)
def test_invented_dates_are_written_in_the_format(formats: tuple[str, ...], invented: tuple[str, ...]) -> None:
    assert invented_dates(formats) == invented


def test_words_of_the_contract_and_of_headers_are_known_around_the_table() -> None:
    profile = build_profile(["Valuta"], [["1"]], source_file="f", delimiter=",", has_header=True)
    assert {"status", "paid", "bezahlt", "soll", "debit", "customer", "kunde", "valuta"} <= known_words(
        CONTRACT, profile
    )


def test_a_closed_list_goes_out_where_the_gold_column_has_accepted_values() -> None:
    status = column("Status", ["Partially refunded", "Paid", "Paid"])
    assert clear_values(status, CONTRACT, suggested("status", "status")) == (("Paid", 2), ("Partially refunded", 1))
    assert clear_values(status, CONTRACT, suggested("status", "status", confidence=0.3)) == ()
    assert clear_values(status, CONTRACT, NOTHING) == ()


def test_a_flag_goes_out_where_its_values_are_few_short_and_repeated() -> None:
    assert clear_values(column("S/H", ["S", "H"] * 5), CONTRACT, NOTHING) == (("H", 5), ("S", 5))
    assert clear_values(column("收支", ["支出", "收入"] * 5), CONTRACT, NOTHING)
    assert clear_values(column("Art", ["Money in", "Money out"] * 5), CONTRACT, NOTHING)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("too rare", ["S", "H"]),
        ("one value", ["Anna"] * 20),
        ("many values", [f"v{chr(97 + i)}" for i in range(9)] * 5),
        ("long", ["a very long value it is", "x"] * 10),
        ("full names", ["Anna Berg", "Otto Vogel"] * 10),
        ("addresses", ["a@b.de", "c@d.de"] * 10),
        ("codes", ["DE12", "DE34"] * 10),
        ("amounts", ["12,50", "13,50"] * 10),
        ("dates", ["2024-01-02", "2024-01-03"] * 10),
        ("Kunde", ["Anna", "Otto"] * 10),
        ("Name of customer", ["Anna", "Otto"] * 10),
    ],
)
def test_anything_else_stays_masked(header: str, cells: list[str]) -> None:
    assert clear_values(column(header, cells), CONTRACT, NOTHING) == ()


def test_a_column_that_is_suggested_for_pii_stays_masked_whatever_else_it_is() -> None:
    both = Candidate(
        columns={
            "status": ColumnMapping(expression="s", source_columns=("s",), confidence=1.0),
            "customer_name": ColumnMapping(expression="s", source_columns=("s",), confidence=0.1),
        }
    )
    assert clear_values(column("s", ["Paid", "Open"] * 10), CONTRACT, both) == ()


def test_a_long_list_stays_masked_even_for_accepted_values() -> None:
    cells = [f"status {chr(97 + i)}" for i in range(21)]
    assert clear_values(column("Status", cells), CONTRACT, suggested("status", "status")) == ()


def test_amounts_stay_masked_where_their_header_names_the_currency() -> None:
    contract = Contract(
        "bank",
        "",
        (
            Column("amount", "decimal(18,2)", not_null=True),
            Column("currency", "text", accepted_values=("EUR", "USD"), unit="iso4217"),
        ),
    )
    rows = [["-34,95"], ["1.684,91"], ["-34,95"], ["12,00"]] * 5
    profile = build_profile(["Betrag (EUR)"], rows, source_file="f.csv", delimiter=";", has_header=True)
    suggestion = Candidate(
        columns={
            "amount": ColumnMapping(
                expression="parse_decimal(betrag_eur, ',')", source_columns=("betrag_eur",), confidence=0.9
            ),
            "currency": ColumnMapping(expression="'EUR'", source_columns=("betrag_eur",), confidence=0.9),
        }
    )
    assert clear_values(profile.columns[0], contract, suggestion) == ()
