"""A mask keeps what tells the format of a cell, and nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.columns.mask import mask, way


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
        ("2024年1月2日 年月", "9999年9月9日 字字"),
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
    stand_ins = set("xXжЖλΛ字年月日あア한عשकก9")
    assert {c for c in mask(text) if unicodedata.category(c)[0] in "LN"} <= stand_ins


def test_words_that_are_kept_are_whole_words() -> None:
    assert mask("Konto: Kontor 12", frozenset({"konto"})) == "Konto: Xxxxxx 99"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna Berg", "Wilhelmine Haberkorn"),
        ("12,50", "1234,50"),
        ("a b c", "abc abc"),
        ("AB-12", "XYZ-9"),
    ],
)
def test_cells_that_are_written_alike_go_one_way(one: str, other: str) -> None:
    assert way(one) == way(other)


@pytest.mark.parametrize(("one", "other"), [("12,50", "-12,50"), ("Ab", "AB"), ("1.2", "1,2"), ("a", "字"), ("a", "9")])
def test_cells_that_are_written_differently_do_not(one: str, other: str) -> None:
    assert way(one) != way(other)


@given(st.text(max_size=40))
def test_a_way_tells_no_letter_and_no_digit(text: str) -> None:
    assert way(mask(text)) == way(text)
