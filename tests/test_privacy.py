"""What of a file leaves the machine: no cell under `shapes`, by test on every file at hand; what may, and where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from asked import disguised, first_request, prompt_for, real_files, request_for, told
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import layout, shipped
from judged import judged_candidate

from generator.candidate import Candidate, ColumnMapping
from generator.columns.profile import ColumnProfile, LayoutProfile, build_profile
from generator.contracts.contract import Column, Contract, Sign
from generator.llm.privacy import Disclosure
from generator.matcher.request import Privacy, Ranked, Request

CONTRACT = Contract(
    name="orders",
    description="",
    columns=(
        Column(
            "status",
            "text",
            accepted_values=("paid", "on_hold"),
            aliases=("customer status",),
            synonyms={"paid": ("bezahlt",)},
        ),
        Column("amount", "decimal(18,2)", sign=Sign(outflow=("debit",), outflow_values=("Soll",))),
        Column("customer_name", "text", aliases=("customer name", "kunde"), decoys=("supplier name",), pii=True),
    ),
    leave_out_values=("declined",),
)


def told_of(
    header: str, cells: list[str], gold: str = "status", score: float = 0.9, mode: Privacy = "shapes"
) -> tuple[Disclosure, ColumnProfile]:
    """A layout of one column that ranks for a gold column."""
    profile = build_profile([header], [[c] for c in cells], source_file="f.csv", delimiter=",", has_header=True)
    column = profile.columns[0]
    return Disclosure(CONTRACT, profile, {gold: (Ranked(column.name, score),)}, mode), column


def cells_of(disclosure: Disclosure, column: ColumnProfile) -> list[str]:
    return [disclosure.cell(cell, column) for cell in column.values]


# ---- every file at hand ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("contract", "path"), real_files(), ids=lambda x: getattr(x, "name", x))
def test_no_cell_of_a_file_is_in_its_prompt(contract: str, path: Path) -> None:
    request = request_for(contract, path)
    if request is None:
        return
    prompt = prompt_for(request)
    assert told(request, prompt) == set()
    other = prompt_for(disguised(request))
    assert other.user == prompt.user, "other letters and digits of the same kinds make another prompt"


@pytest.mark.parametrize(
    ("contract", "path"),
    [f for f in real_files() if "examples" in f[1].parts][::2],
    ids=lambda x: getattr(x, "name", x),
)
def test_no_cell_is_in_what_a_repair_says_of_a_wrong_answer(contract: str, path: Path) -> None:
    request = request_for(contract, path)
    assert request is not None
    for turn in range(3):
        wrong = wrong_answer(request, turn)
        violations = judged_candidate(wrong, request.profile, request.contract).violations
        assert violations
        repair = replace(request, violations=violations, previous=wrong, kept=Candidate(columns={}))
        assert told(repair, prompt_for(repair)) == set()


def wrong_answer(request: Request, turn: int) -> Candidate:
    """Each gold column read from a column of the file, one after the other, in a way that mostly does not fit."""
    date = ("parse_date({}, '%Y-%m-%d')", "parse_timestamp({}, '%m/%d/%Y')", "try_cast(upper({}) as date)")[turn]
    number = ("parse_decimal({}, '.')", "parse_decimal({}, ',')", "try_cast({} as integer)")[turn]
    text = ("upper(clean_text({}))", "case {} when 'x' then 'y' else 'Zzz' end", "left({}, 2)")[turn]
    kinds = {"date": date, "timestamp": date, "decimal": number, "integer": number, "double": number}
    columns = {}
    for at, gold in enumerate(request.contract.columns):
        source = request.profile.columns[(at * 3 + turn) % len(request.profile.columns)].name
        expression = kinds.get(gold.base_type, text).format(source)
        columns[gold.name] = ColumnMapping(expression=expression, source_columns=(source,), confidence=1)
    first = request.profile.columns[turn].name
    return Candidate(columns=columns, row_filter=f"clean_text({first}) > 'm'", row_filter_note="why not")


def test_the_test_above_would_find_a_cell() -> None:
    files = [request_for(*file) for file in real_files() if "examples" in file[1].parts]
    found = [told(request, prompt_for(request, "values")) for request in files if request]
    assert len(found) > 15 and all(found)


TEXTS = st.text(st.sampled_from("abcdefgABCDEFGäöüß0123456789 .,-/@:'\"<>{}漢字жщ"), max_size=24)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["Soll", "-1,50", "2,00", "paid"])), min_size=3, max_size=40),
    TEXTS,
)
def test_other_letters_and_digits_of_the_same_kind_make_the_same_prompt(
    rows: list[tuple[str, str, str]], around: str
) -> None:
    profile = build_profile(
        ["Empfänger", "Verwendung", "Betrag"],
        rows,
        source_file=around,
        delimiter=",",
        has_header=True,
        preamble=around,
        footer=around,
    )
    request = first_request("bank_transactions", profile)
    assert prompt_for(disguised(request)).user == prompt_for(request).user


# ---- what may be in clear -------------------------------------------------------------------------------------------


def test_a_closed_list_is_in_clear_where_its_column_ranks_first_for_one_with_accepted_values() -> None:
    cells = ["Paid", "Teilbezahlt", "Paid"]
    assert cells_of(*told_of("Status", cells)) == cells
    assert cells_of(*told_of("Status", cells, score=0.4)) == ["Paid", "Xxxxxxxxxxx", "Paid"]
    assert cells_of(*told_of("Status", cells, gold="amount")) == ["Paid", "Xxxxxxxxxxx", "Paid"]


def test_a_column_that_ranks_second_is_masked() -> None:
    disclosure, column = told_of("Zustand", ["Teilbezahlt", "offen"])
    ranking = {"status": (Ranked("other", 0.95), Ranked("zustand", 0.94))}
    assert cells_of(replace(disclosure, ranking=ranking), column) == ["Xxxxxxxxxxx", "xxxxx"]


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("many", [f"state {chr(97 + i)}{chr(97 + j)}" for i in range(7) for j in range(3)]),
        ("long", ["a state that takes a whole sentence to be told", "y"]),
        ("dates", ["2024-01-02", "2024-01-03"]),
        ("numbers", ["12,50", "13,50"]),
        ("Kunde", ["Anna", "Otto"]),
        ("Status of customer name", ["Anna", "Otto"]),
    ],
)
def test_any_other_list_is_masked(header: str, cells: list[str]) -> None:
    disclosure, column = told_of(header, cells)
    assert not disclosure.is_open(column)
    assert not set(cells_of(disclosure, column)) & set(cells)


def test_a_column_that_ranks_for_personal_data_is_masked_however_well_it_ranks_elsewhere() -> None:
    disclosure, column = told_of("s", ["Offen", "Zu"])
    both = {**disclosure.ranking, "customer_name": (Ranked("s", 0.3),)}
    assert disclosure.is_open(column)
    assert cells_of(replace(disclosure, ranking=both), column) == ["Xxxxx", "Xx"]


def test_a_column_that_the_contract_names_is_not_taken_for_personal_data() -> None:
    disclosure, column = told_of("Customer status", ["Neu", "Alt"])
    assert disclosure.is_open(column)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Supplier name", ["Bäcker", "Stadt"]),
        ("Kontakt", ["a.b@example.com", "c@example.org"]),
        ("Gegenseite", ["DE02120300000000202051", "XX00 1234 5678 9012 3456"]),
        ("Ruf", ["+49 555 0100-12", "(555) 555-0100"]),
        ("Karte", ["4111111111111111", "5500000000000004"]),
    ],
)
def test_what_looks_like_personal_data_is_masked_even_where_values_go_out(header: str, cells: list[str]) -> None:
    told = cells_of(*told_of(header, cells, gold="amount", score=0.1, mode="values"))
    assert not set(told) & set(cells)


def test_without_a_ranking_nothing_is_in_clear_but_the_texts_of_the_contract() -> None:
    disclosure, column = told_of("Status", ["Paid", "on-hold", "SOLL", "Declined", "Teilbezahlt"])
    bare = replace(disclosure, ranking={})
    assert cells_of(bare, column) == ["Paid", "on-hold", "SOLL", "Declined", "Xxxxxxxxxxx"]


def test_a_name_of_a_gold_column_is_in_clear_as_a_label_and_not_among_many_texts() -> None:
    labels = ["Kunde", "Amount", "Chef"]
    assert cells_of(*told_of("Art", labels, gold="amount")) == ["Kunde", "Amount", "Xxxx"]
    many = [*labels, *(f"Wort {chr(97 + i)}" for i in range(9))]
    assert cells_of(*told_of("Art", many, gold="amount"))[:3] == ["Xxxxx", "Xxxxxx", "Xxxx"]


def test_a_text_of_the_contract_is_in_clear_only_as_a_whole_cell() -> None:
    assert cells_of(*told_of("Text", ["bezahlt von Anna"], gold="amount")) == ["xxxxxxx xxx Xxxx"]


def test_a_number_is_no_text_of_the_contract_but_where_states_are_wanted() -> None:
    contract = shipped("products")
    table = layout("Published,Bestand\n1,1\n0,25\n1,1")
    disclosure = Disclosure(contract, table, {"status": (Ranked("published", 0.9),)})
    assert [cells_of(disclosure, column) for column in table.columns] == [["1", "0", "1"], ["9", "99", "9"]]


def test_a_hostile_cell_takes_no_time() -> None:
    profile = build_profile(["a"], [["@." * 50_000]] * 50, source_file="f", delimiter=",", has_header=True)
    assert Disclosure(CONTRACT, profile, mode="values").cell("b", profile.columns[0]) == "b"


def test_a_number_keeps_the_letters_that_tell_its_direction_and_a_text_does_not() -> None:
    amounts = ["-1.234,56 €", "12,50 CR", "7,00 DR", "(85,00)"]
    assert cells_of(*told_of("Betrag", amounts)) == ["-9.999,99 €", "99,99 CR", "9,99 DR", "(99,99)"]
    assert cells_of(*told_of("Text", ["Anna CR", "B DR"], gold="amount")) == ["Xxxx XX", "X XX"]


def test_a_currency_is_told_where_it_is_a_sign_or_the_contract_knows_it() -> None:
    contract = shipped("bank_transactions")

    def currency(cells: list[str]) -> str | None:
        profile = build_profile(["Betrag"], [[c] for c in cells], source_file="f", delimiter=";", has_header=True)
        return Disclosure(contract, profile).currency(profile.columns[0])

    assert [currency([f"{n},50 {sign}" for n in range(9)]) for sign in ("€", "EUR", "QQQ")] == ["€", "EUR", None]


def test_lines_around_the_table_keep_the_words_of_headers_and_contract() -> None:
    disclosure, _ = told_of("Kontostand", ["1"])
    assert disclosure.line("Kontostand: 12 Anna, Kunde 77; paid") == "Kontostand: 99 Xxxx, Kunde 99; paid"


# ---- SQL ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "parse_date(a, '%d.%m.%Y')",
        "parse_timestamp(a, '%Y-%m-%dT%H:%M:%SZ')",
        "parse_date(a, '%Y年%m月%d日')",
        "parse_date(a, '%d de %B de %Y')",
        "nullif(concat_ws(' ', a, b), '')",
        "case lower(clean_text(a)) when 'bezahlt' then 'paid' when 'on hold' then 'on_hold' end",
        "left(a, 8)",
        r"regexp_extract(_preamble, 'Kunde:\s*([a-z]\d)', 1)",
    ],
)
def test_sql_keeps_formats_and_the_words_of_the_contract(sql: str) -> None:
    assert told_of("a", ["1"])[0].sql(sql) == sql


@pytest.mark.parametrize(
    ("sql", "masked"),
    [
        ("a = 'Anna Haberkorn'", "a = 'Xxxx Xxxxxxxxx'"),
        ("a = 'O''Hara'", "a = 'O''Xxxx'"),
        ("a <> '4711'", "a <> '9999'"),
        ("parse_decimal(a, '.') > 2500.75", "parse_decimal(a, '.') > 9999.75"),
        ("starts_with(a, 'DE89')", "starts_with(a, 'XX99')"),
    ],
)
def test_sql_loses_every_other_literal(sql: str, masked: str) -> None:
    assert told_of("a", ["1"])[0].sql(sql) == masked


# ---- the other modes ------------------------------------------------------------------------------------------------

TABLE = """
Buchungstag,Kunde,Status,Betrag,Art
27.03.2024,Wilhelmine Haberkorn,bezahlt,"-1.234,56",Brötchen
28.03.2024,Otto Vogel,offen,"12,00",Strom
29.03.2024,Otto Vogel,offen,"13,00",Strom
"""


def profile_of(text: str) -> LayoutProfile:
    return replace(
        layout(text, preamble="Konto 4711 Haberkorn"), source_file="haberkorn_4711.csv", footer="Summe 99,99"
    )


def test_values_are_told_but_not_of_personal_columns_nor_around_the_table() -> None:
    user = prompt_for(first_request("orders", profile_of(TABLE)), "values").user
    assert "Strom" in user and "1.234,56" in user
    assert not any(word in user.casefold() for word in ("haberkorn", "vogel", "4711"))


def test_headers_are_told_and_formats_and_nothing_else() -> None:
    request = first_request("orders", profile_of(TABLE))
    user = prompt_for(request, "headers").user
    layout_lines = user.partition("<layout>\n")[2].partition("\n</layout>")[0].splitlines()
    assert layout_lines == [
        '{"delimiter":","}',
        '{"name":"buchungstag","shape":"DD.MM.YYYY","date":["%d.%m.%Y"]}',
        '{"name":"kunde","shape":"text"}',
        '{"name":"status","shape":"text"}',
        '{"name":"betrag","shape":"1.234,56","decimal":","}',
        '{"name":"art","shape":"text"}',
    ]
    assert not any(word in user for word in ("bezahlt", "offen", "99,99", "_preamble", "xxx"))


def test_under_headers_fewer_rows_and_other_cells_make_the_same_prompt() -> None:
    lines = TABLE.strip().splitlines()
    other = "\n".join([*lines[:2], lines[2].replace("offen", "bezahlt"), *lines[3:]] * 1)
    users = {prompt_for(first_request("orders", profile_of(text)), "headers").user for text in (TABLE, other)}
    assert len(users) == 1
