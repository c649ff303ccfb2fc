"""Source columns find their gold columns by name, shape and values; each is used once, and no doubt is guessed away."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import layout

from generator.columns.profile import ColumnProfile, LayoutProfile, build_profile
from generator.contracts.contract import parse_contracts
from generator.matcher.matching import (
    ACCEPT,
    CERTAIN,
    _hungarian,
    float_is_whole,
    known_share,
    match_columns,
    name_score,
    ranked,
    score,
    type_fit,
    value_key,
)

(STOCK,) = parse_contracts(
    """
models:
  - name: stock
    config:
      contract: {enforced: true}
      meta: {neutral_words: [product, the]}
    columns:
      - name: sku
        data_type: text
        constraints: [{type: not_null}]
        config: {meta: {aliases: [artikel, refno], unique: true}}
      - {name: name, data_type: text, config: {meta: {aliases: [title], weak_aliases: [label], decoys: [file name]}}}
      - {name: price, data_type: "decimal(18,2)", config: {meta: {aliases: [preis], decoys: [old price]}}}
      - {name: pieces, data_type: integer, config: {meta: {aliases: [stock, stück]}}}
      - {name: listed_on, data_type: date, config: {meta: {aliases: [listed]}}}
      - {name: email, data_type: text}
      - {name: made_on, data_type: date, constraints: [{type: not_null}]}
      - name: status
        data_type: text
        data_tests: [{accepted_values: {arguments: {values: [active, sold_out]}}}]
        config: {meta: {synonyms: {active: [aktiv], sold_out: [ausverkauft]}}}
""",
    "stock.yml",
)


def matched(profile: LayoutProfile) -> dict[str, str]:
    return {gold: match.column.header for gold, match in match_columns(profile, STOCK).items()}


def column(cells: list[str], header: str = "x") -> ColumnProfile:
    profile = build_profile([header], [[c] for c in cells], source_file="x", delimiter=",", has_header=True)
    return profile.columns[0]


# ---- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "gold", "least", "most"),
    [
        ("sku", "sku", 0.99, 1.0),
        ("Artikel", "sku", 0.99, 1.0),
        ("Product Title", "name", 0.9, 0.93),
        ("Label", "name", 0.77, 0.79),
        ("File Name", "name", 0.0, 0.0),
        ("Old Price", "price", 0.0, 0.0),
        ("Price (old)", "price", 0.0, 1.0),
        ("Preis", "price", 0.99, 1.0),
        ("Colour", "price", 0.0, 0.0),
    ],
)
def test_a_name_counts_by_its_aliases_less_by_weak_ones_and_not_where_a_decoy_is_nearer(
    header: str, gold: str, least: float, most: float
) -> None:
    assert least <= name_score(header, STOCK.column(gold), STOCK) <= most


# ---- what is in the columns -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gold", "cells", "least", "most"),
    [
        # A date, a number or a whole number cannot come from anything else.
        ("listed_on", ["2024-01-02", "2024-01-03"], 1.0, 1.0),
        ("listed_on", ["soon", "later"], 0.0, 0.0),
        ("price", ["5.40", "1,200.00"], 1.0, 1.0),
        ("price", ["5.40", "6.40", "7.40", "on request"], 0.95, 0.99),
        ("price", ["cheap", "dear"], 0.0, 0.0),
        ("pieces", ["5", "7"], 1.0, 1.0),
        ("pieces", ["5.0", "7.00"], 1.0, 1.0),
        ("pieces", ["5,0", "7,00"], 1.0, 1.0),
        ("pieces", ["5.5", "7.25"], 0.0, 0.0),
        # A text may be anything, and rather is no date and no yes or no.
        ("name", ["Cup", "Plate"], 1.0, 1.0),
        ("name", ["2024-01-02", "2024-01-03"], 0.5, 0.7),
        ("name", ["true", "false"], 0.5, 0.5),
        # What must be there, or be unique, is worth less where it is not.
        ("sku", ["A1", "A2", "A3"], 1.0, 1.0),
        ("sku", ["A1", "A1", "A3"], 0.8, 0.8),
        ("sku", ["A1", "", ""], 0.5, 0.7),
        ("sku", ["", ""], 0.0, 0.0),
        ("name", ["", ""], 0.85, 0.85),
        ("made_on", ["2024-01-02", "", ""], 0.5, 0.7),
        ("made_on", ["soon", "", ""], 0.0, 0.0),
        # Accepted values and addresses are known by their looks.
        ("status", ["active", "Sold out", "AKTIV"], 1.0, 1.0),
        ("status", ["active", "new", "old"], 0.7, 0.7),
        ("email", ["ann@example.org", "bob@example.org", ""], 1.0, 1.0),
        ("email", ["Ann", "Bob"], 0.9, 0.9),
    ],
)
def test_a_column_fits_by_what_is_in_it(gold: str, cells: list[str], least: float, most: float) -> None:
    assert least <= type_fit(column(cells), STOCK.column(gold)) <= most


def test_the_score_is_name_times_fit() -> None:
    gold = STOCK.column("price")
    assert score(column(["5.40"], "Preis"), gold, STOCK) == pytest.approx(1.0, abs=0.01)
    assert score(column(["dear"], "Preis"), gold, STOCK) == 0.0
    assert score(column(["5.40"], "Colour"), gold, STOCK) == 0.0


@pytest.mark.parametrize(
    ("cell", "whole"),
    [
        ("5", True),
        ("-5", True),
        ("5.0", True),
        ("5,00", True),
        ("5.000", False),
        ("5.5", False),
        ("", False),
        ("x", False),
    ],
)
def test_whole_numbers_may_have_one_or_two_zeros_behind_the_sign(cell: str, whole: bool) -> None:
    assert float_is_whole(cell) is whole


def test_values_are_compared_without_case_underscores_and_hyphens() -> None:
    assert value_key(" Sold_Out ") == value_key("sold-out") == value_key("SOLD  OUT") == "sold out"
    assert known_share(column(["active", "AUSVERKAUFT", "sold-out", "new", ""]), STOCK.column("status")) == 0.75
    assert known_share(column(["", ""]), STOCK.column("status")) == 0.0


# ---- assignment -----------------------------------------------------------------------------------------------------


def test_each_gold_column_gets_the_column_that_is_meant() -> None:
    profile = layout("""
        Artikel,Title,Old Price,Preis,Stück,Listed,Status
        A1,Cup,9.00,4.50,10,2024-01-02,aktiv
        A2,Plate,9.00,6.50,0,2024-01-03,ausverkauft
    """)
    assert matched(profile) == {
        "sku": "Artikel",
        "name": "Title",
        "price": "Preis",
        "pieces": "Stück",
        "listed_on": "Listed",
        "status": "Status",
    }


def test_the_better_of_two_names_is_taken_wherever_it_stands() -> None:
    assert matched(layout("label,title\nbig,Cup\n"))["name"] == "title"
    assert matched(layout("title,label\nCup,big\n"))["name"] == "title"


def test_of_two_equal_columns_the_first_is_taken() -> None:
    assert match_columns(layout("title,title\na,b\n"), STOCK)["name"].column.name == "title"


def test_a_column_with_values_is_preferred_to_an_empty_one() -> None:
    assert match_columns(layout("title,Title\n,Cup\n"), STOCK)["name"].column.name == "title_2"


def test_a_required_column_has_the_first_choice() -> None:
    assert matched(layout("Refno Title\nA1\n")) == {"sku": "Refno Title"}


def test_nothing_is_matched_below_the_confidence_that_is_asked_for() -> None:
    assert matched(layout("colour,weight of the parcel with the label\nred,5\n")) == {}


WORDS = [
    "sku",
    "artikel",
    "name",
    "title",
    "label",
    "file name",
    "price",
    "old price",
    "stock",
    "listed",
    "status",
    "email",
]
HEADERS = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), min_size=1, max_size=10)
CELLS = st.sampled_from(["", "A1", "5", "5.40", "2024-01-02", "active", "ann@example.org", "true"])


@given(HEADERS, st.data())
def test_any_assignment_is_one_to_one_sure_enough_and_the_same_each_time(
    headers: list[str], data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(headers), max_size=len(headers)), min_size=1, max_size=4))
    profile = build_profile(headers, rows, source_file="x", delimiter=",", has_header=True)
    matches = match_columns(profile, STOCK)
    used = [m.column.name for m in matches.values()]
    assert len(used) == len(set(used))
    assert set(matches) <= set(STOCK.names)
    assert all(ACCEPT <= m.confidence <= CERTAIN for m in matches.values())
    assert matches == match_columns(profile, STOCK)


@given(st.integers(1, 4), st.integers(0, 2), st.data())
def test_the_assignment_is_the_cheapest_there_is(rows: int, more: int, data: st.DataObject) -> None:
    cost = st.lists(st.integers(-20, 20), min_size=rows + more, max_size=rows + more)
    costs = data.draw(st.lists(cost, min_size=rows, max_size=rows))
    found = _hungarian(costs)
    assert sorted(found) == list(range(rows))
    assert len(set(found.values())) == rows
    cheapest = min(sum(costs[r][c] for r, c in enumerate(p)) for p in permutations(range(rows + more), rows))
    assert sum(costs[r][c] for r, c in found.items()) == cheapest


# ---- ranking --------------------------------------------------------------------------------------------------------


def test_each_gold_column_has_the_three_columns_that_fit_it_best_with_their_scores() -> None:
    profile = layout("Label,Title,Label 2,Name,Preis\na,b,c,d,1.50")
    names = [(r.column, r.score) for r in ranked(profile, STOCK)["name"]]
    assert names == sorted(names, key=lambda pair: -pair[1]) and len(names) == 3
    assert {name for name, _ in names[:2]} == {"title", "name"}
    assert [r.column for r in ranked(profile, STOCK)["price"]] == ["preis"]


def test_a_gold_column_that_nothing_fits_has_no_rank() -> None:
    assert ranked(layout("Farbe\nrot"), STOCK) == dict.fromkeys(STOCK.names, ())


def test_of_columns_that_fit_alike_the_first_of_the_file_is_ranked_first() -> None:
    assert [r.column for r in ranked(layout("Preis,Price\n1.50,2.50"), STOCK)["price"]] == ["preis", "price"]
