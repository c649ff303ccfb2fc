"""A fingerprint tells layouts apart, not files: order, names and formats count, values and row counts do not."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.columns.fingerprint import compatible, fingerprint, fits, misread
from generator.columns.profile import build_profile

SHAPES = [
    "text",
    "empty",
    "integer",
    "1,234.56",
    "1.234,56",
    "1.234",
    "YYYY-MM-DD",
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "NN/NN/YYYY",
]
COLUMNS = st.lists(st.tuples(st.text(max_size=10), st.sampled_from(SHAPES)), min_size=1, max_size=6)


def of_file(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    profile = build_profile(headers, rows, source_file="x.csv", delimiter=",", has_header=True)
    return fingerprint(profile.headers, profile.shapes)


@given(COLUMNS)
def test_a_fingerprint_is_a_hash_of_names_and_shapes_and_nothing_else(columns: list[tuple[str, str]]) -> None:
    headers, shapes = zip(*columns, strict=True)
    digest = fingerprint(headers, shapes)
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert digest == fingerprint(list(headers), list(shapes))
    assert digest == fingerprint([f" {h}\t" for h in headers], shapes)


@given(COLUMNS, COLUMNS)
def test_two_layouts_have_one_fingerprint_only_if_they_are_one(
    one: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    def digest(columns: list[tuple[str, str]]) -> str:
        return fingerprint(*zip(*columns, strict=True))

    def plain(columns: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(header.strip(), shape) for header, shape in columns]

    assert (digest(one) == digest(other)) == (plain(one) == plain(other))


def test_the_fingerprint_of_a_known_layout_never_changes() -> None:
    # Committed layouts are found by it: whoever changes it has to move them.
    assert fingerprint(["Währung", "Betrag"], ["text", "1.234,56"]).startswith("0bbf7e0b")


def test_texts_that_run_into_each_other_are_told_apart() -> None:
    assert fingerprint(["ab", "c"], ["text", "text"]) != fingerprint(["a", "bc"], ["text", "text"])
    assert fingerprint(['a","b'], ["text"]) != fingerprint(["a", "b"], ["text", "text"])


HEADERS = ["Date", "Payee", "Amount"]
ROWS = [["2024-01-02", "Baker", "-5.40"], ["2024-01-03", "Butcher", "-8.00"]]


@pytest.mark.parametrize(
    ("headers", "rows"),
    [
        (HEADERS, [["1999-12-31", "Somebody else", "1000000.00"]]),
        (HEADERS, ROWS * 50),
        (HEADERS, [["2024-01-02", "", "-5.40"], *ROWS]),
        ([" Date ", "Payee", "Amount\u00a0"], ROWS),
    ],
)
def test_other_values_and_other_row_counts_are_the_same_layout(headers: list[str], rows: list[list[str]]) -> None:
    assert of_file(headers, rows) == of_file(HEADERS, ROWS)


@pytest.mark.parametrize(
    ("headers", "rows"),
    [
        (["Date", "Amount", "Payee"], [[d, a, p] for d, p, a in ROWS]),
        (["Date", "Payee", "Value"], ROWS),
        (["date", "Payee", "Amount"], ROWS),
        ([*HEADERS, "Memo"], [[*row, ""] for row in ROWS]),
        (HEADERS, [["02.01.2024", "Baker", "-5.40"]]),
        (HEADERS, [["2024-01-02", "Baker", "-5,40"]]),
    ],
)
def test_other_names_orders_or_formats_are_another_layout(headers: list[str], rows: list[list[str]]) -> None:
    assert of_file(headers, rows) != of_file(HEADERS, ROWS)


@pytest.mark.parametrize(
    ("known", "new", "can_be"),
    [
        # An empty column fits anything, and a layout that has seen none yet takes anything.
        ("YYYY-MM-DD", "empty", True),
        ("empty", "YYYY-MM-DD", True),
        # Texts take any text; what was a date or number once must be one again.
        ("text", "integer", True),
        ("text", "DD/MM/YYYY", True),
        ("integer", "text", False),
        ("DD/MM/YYYY", "text", False),
        # Whole numbers are decimals without decimals, in either notation.
        ("1,234.56", "integer", True),
        ("1.234,56", "integer", True),
        ("integer", "1.234,56", True),
        ("1.234", "integer", True),
        ("1,234.56", "1.234,56", False),
        ("1,234.56", "1.234", False),
        ("1.234", "1,234.56", False),
        ("1,234.56", "YYYY-MM-DD", False),
        # A file whose dates cannot tell day and month fits the layout that knows, not the other way round.
        ("DD/MM/YYYY", "NN/NN/YYYY", True),
        ("MM/DD/YYYY", "NN/NN/YYYY", True),
        ("NN/NN/YYYY", "DD/MM/YYYY", False),
        ("DD/MM/YYYY", "MM/DD/YYYY", False),
        ("DD/MM/YYYY", "NN-NN-YYYY", False),
        ("DD/MM/YYYY hh:mm", "NN/NN/YYYY", False),
        ("YYYY-MM-DD", "YYYY-MM-DD hh:mm", False),
    ],
)
def test_a_file_fits_a_layout_whose_formats_could_be_its_own(known: str, new: str, can_be: bool) -> None:
    assert compatible([known], [new]) is can_be
    assert compatible(["text", known], ["text", new]) is can_be
    assert compatible([known, "text"], [new, "text"]) is can_be


@pytest.mark.parametrize(
    ("known", "new", "fits_too"),
    [
        ("integer", "1,234.56", True),
        ("integer", "1.234,56", False),
        ("integer", "1.234", False),
        ("1.234,56", "integer", True),
        ("empty", "1.234", True),
    ],
)
def test_whole_numbers_are_written_as_before_where_they_get_a_decimal_point(
    known: str, new: str, fits_too: bool
) -> None:
    assert fits(known, new) is fits_too


@pytest.mark.parametrize(
    ("known", "new", "signs", "wrong"),
    [
        ("integer", "1,234.56", {"."}, False),
        ("integer", "1,234.56", {","}, True),
        ("integer", "1.234,56", {","}, False),
        ("integer", "1.234,56", {"."}, True),
        ("empty", "1.234,56", {"."}, True),
        # Nobody knows what these are.
        ("integer", "1.234", {"."}, True),
        ("empty", "1.234", {","}, True),
        ("text", "1.234", {"."}, True),
        # Read in two ways, or in one that is not written in the dbt model.
        ("integer", "1,234.56", {".", ","}, True),
        ("integer", "1,234.56", {""}, True),
        # Not read as a number, whole, or as it has always been.
        ("integer", "1.234", set(), False),
        ("1.234,56", "integer", {","}, False),
        ("1.234", "1.234", {","}, False),
        ("empty", "text", {","}, False),
    ],
)
def test_numbers_in_a_notation_that_a_layout_has_never_seen_are_read_by_their_sign_or_not_at_all(
    known: str, new: str, signs: set[str], wrong: bool
) -> None:
    assert misread(known, new, signs) is wrong


@given(st.lists(st.sampled_from(SHAPES), max_size=6))
def test_a_layout_fits_itself_and_none_of_another_width(shapes: list[str]) -> None:
    assert compatible(shapes, shapes)
    assert not compatible(shapes, [*shapes, "empty"])
