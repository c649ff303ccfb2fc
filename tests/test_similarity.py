"""How alike two names are: equal words first, then neutral words, plurals, typos, and words among others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.columns.similarity import best, similarity
from generator.matcher.matching import ACCEPT

NEUTRAL = frozenset({"transaction", "the", "of"})


@pytest.mark.parametrize(
    ("header", "alias"),
    [
        ("Booking Date", "booking date"),
        ("booking_date", "Booking Date"),
        ("bookingDate", "booking date"),
        ("BUCHUNGSTAG", "Buchungstag"),
        ("WÄHRUNG", "währung"),
        ("Waehrung", "Währung"),
        ("E-Mail", "email"),
        ("e mail", "E-mail"),
        ("Order #", "order number"),
        ("Order No.", "order number"),
        ("Qty", "quantity"),
        ("Tel", "phone"),
        ("Birthday (yyyy-mm-dd)", "birthday"),
        ("金额（元）", "金额"),
        ("金额(元)", "金额(元)"),
    ],
)
def test_the_same_words_are_the_same_name_however_they_are_written(header: str, alias: str) -> None:
    assert similarity(header, alias) == 1.0


@pytest.mark.parametrize(
    ("header", "alias", "least", "most"),
    [
        ("Customer Number 1", "customer number 2", 0.0, 0.0),
        ("Orders", "order", 0.95, 0.99),
        ("Transaction Date", "date", 0.9, 0.95),
        ("Descripton", "description", 0.75, 0.85),
        ("Shipping Street", "street", 0.5, 0.7),
        ("Street of the buyer or of whoever pays", "street", 0.4, 0.55),
        ("Address 2", "address 1", 0.0, 0.0),
        ("Line 2", "line", 0.0, 0.0),
        ("Option 1 Name", "option 2 name", 0.0, 0.0),
        ("Valuation", "value", 0.0, 0.0),
        ("Payee", "Amount", 0.0, 0.0),
        ("Update", "date", 0.0, 0.0),
    ],
)
def test_names_that_differ_are_alike_by_how_they_differ(header: str, alias: str, least: float, most: float) -> None:
    assert least <= similarity(header, alias, NEUTRAL) <= most


def test_a_numbered_column_is_never_taken_for_its_neighbour() -> None:
    assert similarity("email 2", "email 3") < ACCEPT
    assert similarity("email 2", "email") < ACCEPT
    assert similarity("email", "email 2") < ACCEPT


def test_the_best_alias_counts_and_of_two_the_earlier() -> None:
    assert best("Date", ["Amount", "Date"]) == pytest.approx(1.0, abs=0.001)
    assert best("Date", ["Date", "Amount"]) > best("Date", ["Amount", "Date"])
    assert best("Date", []) == 0.0


@given(st.text(max_size=20), st.text(max_size=20))
def test_likeness_is_from_0_to_1_and_1_for_a_name_itself(header: str, alias: str) -> None:
    assert 0.0 <= similarity(header, alias) <= 1.0
    assert similarity(header, header) in (0.0, 1.0)
    assert similarity(header.upper(), header.upper()) == similarity(header.upper(), header.upper().lower())
