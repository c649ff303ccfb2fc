"""Texts of many languages in all their encodings: read rightly, or said to be uncertain."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from languages import LANGUAGES, Language, csv_text, writable

from generator.dialect.alphabets import likelihood
from generator.dialect.codepages import SURE, judge
from generator.dialect.encoding import detect_encoding

CASES = [(language, encoding) for language in LANGUAGES for encoding in language.encodings]


def outcome(file: Path, language: Language, encoding: str, rows: int, seed: int) -> tuple[bool, bool]:
    """Whether the text came back, and whether the encoding was said to be certain."""
    text = writable(csv_text(language, rows, seed), encoding)
    file.write_bytes(text.encode(encoding))
    found = detect_encoding(file)
    assert (found.certainty < SURE) == bool(found.remark)
    return file.read_bytes().decode(found.name) == text, found.certainty >= SURE


@pytest.mark.parametrize(("rows", "least"), [(1, 0.97), (10, 1.0), (200, 1.0)])
def test_the_matrix_of_languages_and_encodings_is_read_rightly(tmp_path: Path, rows: int, least: float) -> None:
    got = Counter(outcome(tmp_path / "x.csv", *case, rows, seed) for case in CASES for seed in range(2))
    assert got[True, True] + got[True, False] >= least * got.total(), got
    assert got[False, True] == 0, "wrong, and said to be certain"
    if rows >= 10:
        assert got[True, True] >= 0.99 * got.total(), got


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].name} {case[1]}")
def test_one_word_is_never_misread_and_said_to_be_certain(case: tuple[Language, str]) -> None:
    language, encoding = case
    for phrase in language.phrases:
        text = writable(phrase, encoding)
        words = [word for word in text.encode(encoding).split(b" ") if not word.isascii()]
        if words and (verdict := judge(words)) is not None and verdict.certainty >= SURE:
            assert [w.decode(verdict.name) for w in words] == [w for w in text.split(" ") if not w.isascii()]


def test_encodings_that_read_a_file_alike_leave_no_doubt() -> None:
    verdict = judge(["Müller".encode("iso8859_15"), "Größe".encode("iso8859_15"), "Bäckerei".encode("iso8859_15")])
    assert verdict is not None
    assert (verdict.name, verdict.doubt) == ("cp1252", None)


@pytest.mark.parametrize(
    ("likelier", "than"),
    [
        ("Größe", "Grš§e"),
        ("5\u00a0000", "5á000"),
        ("it’s", "itís"),
        ("Částka", "Èástka"),
        ("Иванов", "хБЮМНБ"),
        ("Peña", "Peńa"),
        ("张伟", "ХЕО°"),
        ("工资", "꽁훙"),
        ("ﾔﾏﾀﾞ", "ÔÏÀÞ"),
    ],
)
def test_a_word_is_likelier_than_what_another_encoding_makes_of_it(likelier: str, than: str) -> None:
    assert likelihood([likelier]) > likelihood([than])
