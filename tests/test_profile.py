"""A profile says what a layout's columns look like, from the sampled cells alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import layout

from generator.columns.profile import build_profile

STATEMENT = layout(
    """
    Buchungstag;Valuta;Betrag;Stück;Notiz;Leer
    01.02.2024;01/02/2024;1.234,56;5;a;
    13.02.2024;02/02/2024;-5,40;7;b;-
    14.02.2024;;7,00;;b;NULL
    """,
    delimiter=";",
)


def test_each_column_has_its_shape() -> None:
    assert STATEMENT.headers == ("Buchungstag", "Valuta", "Betrag", "Stück", "Notiz", "Leer")
    assert STATEMENT.shapes == ("DD.MM.YYYY", "DD/MM/YYYY", "1.234,56", "integer", "text", "empty")
    assert [c.name for c in STATEMENT.columns] == ["buchungstag", "valuta", "betrag", "stueck", "notiz", "leer"]
    assert [c.position for c in STATEMENT.columns] == list(range(6))


def test_rows_filled_cells_and_values_are_counted() -> None:
    assert [(c.rows, c.filled, c.distinct) for c in STATEMENT.columns] == [
        *((3, 3, 3), (3, 2, 2), (3, 3, 3), (3, 2, 2), (3, 3, 2), (3, 0, 2)),
    ]
    assert STATEMENT.column("valuta").values == ("01/02/2024", "02/02/2024", "")
    assert STATEMENT.column("notiz").frequent == (("b", 2), ("a", 1))


def test_a_column_is_found_by_its_safe_name_only() -> None:
    assert STATEMENT.column("stueck").header == "Stück"
    with pytest.raises(KeyError):
        STATEMENT.column("Stück")


def test_a_column_of_dates_is_not_one_of_numbers_too() -> None:
    (column,) = layout("day\n20240131\n20240201\n").columns
    assert column.date is not None
    assert column.number is None
    assert column.shape == "YYYYMMDD"


@pytest.mark.parametrize(
    ("text", "delimiter", "shapes"),
    [
        # Semicolons with decimal commas are written where days come first; one of the two alone says nothing.
        ("day;amount\n01/02/2024;5,40\n", ";", ("DD/MM/YYYY", "1.234,56")),
        ("day;amount\n01/02/2024;5.40\n", ";", ("NN/NN/YYYY", "1,234.56")),
        ('day,amount\n01/02/2024,"5,40"\n', ",", ("NN/NN/YYYY", "1.234,56")),
        ("day;pieces\n01/02/2024;5\n", ";", ("NN/NN/YYYY", "integer")),
        # A thousands sign alone stays open unless another column of the file knows.
        ("weight;pieces\n1.234;5\n", ";", ("1.234", "integer")),
        ("weight;price\n1.234;5,40\n", ";", ("1.234,56", "1.234,56")),
        ("weight;price\n1.234;5.40\n", ";", ("1,234.56", "1,234.56")),
    ],
)
def test_columns_that_cannot_tell_ask_the_file(text: str, delimiter: str, shapes: tuple[str, ...]) -> None:
    assert layout(text, delimiter=delimiter).shapes == shapes


def test_at_most_twenty_frequent_values_are_kept_the_most_frequent_first() -> None:
    (column,) = build_profile(
        ["v"], [[f"v{i % 30:02}"] for i in range(95)], source_file="x", delimiter=",", has_header=True
    ).columns
    assert len(column.frequent) == 20
    assert column.frequent[:6] == (*((f"v0{i}", 4) for i in range(5)), ("v05", 3))


@given(st.lists(st.lists(st.text(max_size=6), min_size=3, max_size=3), max_size=8))
def test_any_rows_have_a_profile_and_always_the_same(rows: list[list[str]]) -> None:
    made = [build_profile(["a", "a", ""], rows, source_file="x", delimiter=",", has_header=True) for _ in range(2)]
    assert made[0] == made[1]
    for column in made[0].columns:
        assert len(column.values) == column.rows == len(rows)
        assert column.filled <= sum(map(bool, column.values)) <= column.rows
        assert column.distinct == len(set(column.values) - {""})
        assert (column.shape == "empty") == (column.filled == 0)
