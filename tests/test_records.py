"""A text becomes records, whatever is wrong with its quotes: no character is lost, a stray quote costs its own line."""

from __future__ import annotations

import csv
import io
import re
import time
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.dialect.records import MAX_LINES_A_RECORD, Record, Syntax, records, split_lines

ANY_TEXT = st.text(st.sampled_from("ab1,;|'\"\\\n\r \x0b\x85\u2028ä"), max_size=60)
SYNTAXES = [
    Syntax(),
    Syntax(";", "'", "'"),
    Syntax(",", '"', "\\"),
    Syntax("||"),
    Syntax(", "),
    Syntax(",", ""),
    Syntax("\x1f"),
    Syntax("|", "'", "\\"),
]


def read(text: str, syntax: Syntax = Syntax(), widths: set[int] | None = None) -> list[Record]:  # noqa: B008
    return list(records(split_lines([text]), syntax, widths or ()))


def fields(text: str, syntax: Syntax = Syntax(), widths: set[int] | None = None) -> list[list[str]]:  # noqa: B008
    return [list(r.fields) for r in read(text, syntax, widths)]


def written(rows: list[list[str]], end: str = "\n", **how: object) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end, **how).writerows(rows)  # type: ignore[arg-type]
    return file.getvalue()


# ---- physical lines -------------------------------------------------------------------------------------------------


@given(ANY_TEXT, st.lists(st.integers(0, 60)))
def test_lines_end_where_python_ends_them_however_the_text_comes_in_pieces(text: str, cuts: list[int]) -> None:
    at = sorted({0, *cuts, len(text)})
    pieces = [text[a:b] for a, b in pairwise(at)]
    assert list(split_lines(pieces)) == list(io.StringIO(text, newline=""))


# ---- no character is lost -------------------------------------------------------------------------------------------


@given(ANY_TEXT, st.sampled_from(SYNTAXES), st.sets(st.integers(1, 4)))
def test_the_texts_and_the_line_ends_of_all_records_are_the_file(text: str, syntax: Syntax, widths: set[int]) -> None:
    rest, line = text, 1
    for record in read(text, syntax, widths):
        assert rest.startswith(record.text)
        assert record.line == line
        end = re.match(r"\r\n|\n|\r|\Z", rest[len(record.text) :])
        assert end
        line += len(list(io.StringIO(record.text + "x", newline="")))
        rest = rest[len(record.text) + end.end() :]
    assert not rest


@given(ANY_TEXT, st.sampled_from(SYNTAXES), st.sets(st.integers(1, 4)))
def test_every_character_of_a_record_is_in_its_fields_or_has_a_meaning(
    text: str, syntax: Syntax, widths: set[int]
) -> None:
    for record in read(text, syntax, widths):
        left = list(record.text)
        for char in "".join(record.fields):
            left.remove(char)
        assert set(left) <= {*syntax.delimiter, syntax.quote, "\\"}


@given(ANY_TEXT)
def test_the_numbers_of_lines_can_begin_anywhere(text: str) -> None:
    later = list(records(split_lines([text]), Syntax(), (), 100))
    assert later == [r._replace(line=r.line + 99) for r in read(text)]


# ---- what is well-formed is read as everybody reads it --------------------------------------------------------------

TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.text(st.sampled_from("ab,;|\"'\\\n\r "), max_size=6), min_size=width, max_size=width), max_size=6
    )
)


@given(TABLES, st.sampled_from(",;|\t"), st.sampled_from("\"'"), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_a_well_formed_file_is_read_as_by_the_csv_module(
    rows: list[list[str]], delimiter: str, quote: str, quoting: int
) -> None:
    text = written(rows, "\r\n", delimiter=delimiter, quotechar=quote, quoting=quoting)
    strict = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=True)
    found = read(text, Syntax(delimiter, quote, quote), {len(r) for r in rows})
    assert [list(r.fields) for r in found] == list(strict) == rows
    assert not any("kept as text" in r.mended for r in found)


@given(TABLES, st.sampled_from(",;|"), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_backslashes_are_read_as_by_the_csv_module(rows: list[list[str]], delimiter: str, quoting: int) -> None:
    how = {"delimiter": delimiter, "doublequote": False, "escapechar": "\\"}
    text = written(rows, "\r\n", quoting=quoting, **how)
    assert list(csv.reader(io.StringIO(text, newline=""), **how)) == rows  # type: ignore[call-overload]
    assert fields(text, Syntax(delimiter, '"', "\\"), {len(r) for r in rows}) == rows


@given(TABLES, st.sampled_from(["||", ", ", "::", "<=>"]))
def test_delimiters_of_several_characters_part_cells(rows: list[list[str]], delimiter: str) -> None:
    quoted = [['"' + c.replace('"', '""') + '"' for c in row] for row in rows]
    text = "".join(delimiter.join(row) + "\r\n" for row in quoted)
    assert fields(text, Syntax(delimiter), {len(r) for r in rows}) == rows


def test_without_a_quote_character_quotes_are_text() -> None:
    assert fields('"a",b"\n', Syntax(",", "")) == [['"a"', 'b"']]


def test_an_empty_line_has_no_field_and_a_line_of_blanks_one() -> None:
    assert fields('\n  \n""\n,\n') == [[], ["  "], [""], ["", ""]]
    assert [r.blank for r in read('\n  \n""\n,\n')] == [True, True, True, False]


# ---- cells of several lines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_well_formed_cell_is_never_taken_apart_even_if_its_lines_look_like_records(end: str) -> None:
    rows = [["a", "b", "c"], ["1", end.join(["x", "2,y,z", "3,y,z", '4,"y",z', "5,y,z"]), "w"], ["6", "7", "8"]]
    found = read(written(rows, end), widths={3})
    assert [list(r.fields) for r in found] == rows
    assert [r.line for r in found] == [1, 2, 7]


def test_a_cell_of_which_each_line_would_be_a_record_is_kept_whole_and_it_is_said() -> None:
    (_, found) = read('a,b\n1,"x\n2,y\n3,z"\n', widths={2})
    assert found.fields == ("1", "x\n2,y\n3,z")
    assert found.mended == "a quoted cell runs over lines that would be records by themselves"


def test_a_long_cell_is_kept_whole() -> None:
    long = "\n".join(str(i) for i in range(MAX_LINES_A_RECORD - 1))
    assert fields(written([["a", long, "b"], ["c", "d", "e"]]), widths={3}) == [["a", long, "b"], ["c", "d", "e"]]


def test_a_quote_that_is_closed_too_far_away_is_a_stray_one() -> None:
    text = 'a,"b\n' + "1,2\n" * MAX_LINES_A_RECORD + '3,"4\n'
    found = read(text, widths={2})
    assert (len(found), found[0].fields) == (MAX_LINES_A_RECORD + 2, ("a", '"b'))


def test_a_wrong_quote_in_a_cell_of_two_lines_is_text_where_nothing_else_fits() -> None:
    (found,) = read('1,"he said "hi" to\nme, only, to me",x\n', widths={3})
    assert found.fields == ("1", 'he said "hi" to\nme, only, to me', "x")
    assert found.mended == "a quote inside a quoted cell is kept as text"


# ---- blanks behind a closing quote ----------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('x,"-1,099.14"\t,CNY', ["x", "-1,099.14\t", "CNY"]),
        ('x,"-1,099.14"\t\t,"A, B"', ["x", "-1,099.14\t\t", "A, B"]),
        ('"a, b" ,"c, d"  ,"e, f" ', ["a, b ", "c, d  ", "e, f "]),
        ('"a ""b"", c" ,"",""\t', ['a "b", c ', "", "\t"]),
        ('"a\nb, c" ,"d\n"\t,e', ["a\nb, c ", "d\n\t", "e"]),
    ],
)
def test_blanks_between_a_closing_quote_and_the_end_of_its_cell_are_text_of_a_quoted_cell(
    line: str, cells: list[str], end: str
) -> None:
    text = "".join(part + end for part in ("a,b,c", line.replace("\n", end), '1,"2, 3",4'))
    for widths in ({3}, set[int]()):
        found = read(text, widths=widths)
        assert [list(r.fields) for r in found] == [
            ["a", "b", "c"],
            [c.replace("\n", end) for c in cells],
            ["1", "2, 3", "4"],
        ]
        assert not any(r.mended for r in found)


def test_a_blank_that_is_the_delimiter_ends_the_cell_behind_a_closing_quote() -> None:
    assert fields('"a b"\t"c"\t"d"\n', Syntax("\t"), {3}) == [["a b", "c", "d"]]
    assert fields('"a b" "c" "d"\n', Syntax(" "), {3}) == [["a b", "c", "d"]]
    assert fields('"a, b"\t, "c" , d\n', Syntax(", "), {3}) == [["a, b\t", "c ", "d"]]


# ---- quotes that are wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('"abc"def",x,y', ['abc"def', "x", "y"]),
        ('"a "big" one","a "small" one",y', ['a "big" one', 'a "small" one', "y"]),
        ('"abc"",x,y', ['abc"', "x", "y"]),
        ('"a,b"",x,y', ['a,b"', "x", "y"]),
        ('""abc",x,y', ['"abc', "x", "y"]),
        ('"abc,x,y', ['"abc', "x", "y"]),
        ('x,"abc,y', ["x", '"abc', "y"]),
        ('x,y,"abc', ["x", "y", '"abc']),
        ('"abc,"x, y",z', ['"abc', "x, y", "z"]),
        ('x,","a ""fine"", b"', ["x", '"', 'a "fine", b']),
        ('5" wide,3" high,x', ['5" wide', '3" high', "x"]),
    ],
)
def test_a_wrong_quote_is_kept_as_text_and_it_is_said(line: str, cells: list[str]) -> None:
    found = read(f'a,b,c\n{line}\n1,"2, 3",4\n', widths={3})
    assert [list(r.fields) for r in found] == [["a", "b", "c"], cells, ["1", "2, 3", "4"]]
    assert bool(found[1].mended) == (line[0] != "5")


@pytest.mark.parametrize(
    "line",
    [
        '1,"2, 3"4,5',  # a delimiter got lost behind a quoted cell
        '1"2, 3",4',  # and before one
        '"a, b",c',  # well-formed, so it is not read in another way to make it fit
        '"a", b",c,d',
        '1,2,"a","b',
    ],
)
def test_what_could_only_be_made_to_fit_by_chance_does_not_fit(line: str) -> None:
    found = read(f"a,b,c\n{line}\n1,2,3\n", widths={3})
    assert [len(r.fields) == 3 for r in found] == [True, False, True]
    assert found[1].text == line


def test_a_cell_that_the_end_of_the_file_cuts_off_is_not_split_at_its_delimiters() -> None:
    assert len(read('a,b,c\n1,2,3\n4,"5,6', widths={3})[2].fields) == 1
    assert len(read('a,b,c\n1,2,3\n4,5,"6', widths={3})[2].fields) == 3


def test_quotes_around_a_cell_that_has_something_before_them_are_kept_and_it_is_said() -> None:
    (found,) = read('a, "b"\n', widths={2})
    assert (found.fields, found.mended) == (
        ("a", ' "b"'),
        "quotes around a cell with something before them are kept as text",
    )


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (r'"5\" pipe",x', ['5" pipe', "x"]),
        (r'"C:\\tools\\",x', ["C:\\tools\\", "x"]),
        (r'"C:\tools\",x', ["C:\\tools\\", "x"]),
        (r"C:\tools\,x", ["C:\\tools\\", "x"]),
        (r"a\"b\\,x", ['a"b\\', "x"]),
        (r"a\"b\c,x", [r"a\"b\c", "x"]),
        (r"\N,x", [r"\N", "x"]),
        ('"a\\\nb",x', ["a\nb", "x"]),
    ],
)
def test_a_backslash_protects_what_could_end_the_cell_and_is_text_elsewhere(line: str, cells: list[str]) -> None:
    assert fields(f"a,b\n{line}\n1,2\n", Syntax(",", '"', "\\"), {2})[1] == cells


ROWS = [
    ["day", "what", "how much", "note"],
    ["2024-01-02", "lamp, brass", "12.50", ""],
    ["2024-01-03", 'pipe 5"', "-3.00", 'Ann said "fine", then left'],
    ["2024-01-04", "", "1,000.00", ", or so"],
    ["2024-01-05", "mug", "4.00", "x"],
    ["", '"', "", '""'],
    ["2024-01-06", "a;b", "7.25", "see https://example.com/?a=1,2"],
]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("row", "column"), product(range(len(ROWS)), range(4)))
def test_a_stray_quote_anywhere_costs_at_most_its_own_line(quoting: int, end: str, row: int, column: int) -> None:
    lines = [written([cells], "", quoting=quoting) for cells in ROWS]
    pieces = [written([[c]], "", quoting=quoting) if c else '""' * (quoting == csv.QUOTE_ALL) for c in ROWS[row]]
    assert ",".join(pieces) == lines[row]
    for at in range(len(pieces[column]) + 1):
        piece = pieces[column][:at] + '"' + pieces[column][at:]
        stray = ",".join([*pieces[:column], piece, *pieces[column + 1 :]])
        for widths in ({4}, set[int]()):
            found = read(end.join([*lines[:row], stray, *lines[row + 1 :], ""]), widths=widths)
            assert [r.line for r in found] == list(range(1, len(ROWS) + 1))
            assert [list(r.fields) for r in found if r.line != row + 1] == ROWS[:row] + ROWS[row + 1 :]
            assert found[row].text == stray


CELLS = st.text(st.sampled_from('ab1 ,"'), max_size=6)


@given(
    st.integers(2, 5).flatmap(lambda w: st.lists(st.lists(CELLS, min_size=w, max_size=w), min_size=2, max_size=8)),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.data(),
)
def test_a_stray_quote_in_any_table_costs_at_most_its_own_line(
    rows: list[list[str]], quoting: int, data: st.DataObject
) -> None:
    lines = [written([cells], quoting=quoting) for cells in rows]
    row = data.draw(st.integers(0, len(rows) - 1))
    at = data.draw(st.integers(0, len(lines[row]) - 1))
    lines[row] = lines[row][:at] + '"' + lines[row][at:]
    found = {r.line: list(r.fields) for r in read("".join(lines), widths={len(rows[0])})}
    assert [found.get(i + 1) for i in range(len(rows)) if i != row] == rows[:row] + rows[row + 1 :]


# ---- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", ['a,"b,c,d', '"a""', 'b","c', '"', '"a', 'x,"",""y', "a,b,c", '"a","b ""c""",d', 'a,"b "c" d",e']
)
@pytest.mark.parametrize("widths", [set(), {2}, {3}, {7}])
def test_time_grows_with_the_file_and_no_faster(line: str, widths: set[int]) -> None:
    def seconds(times: int) -> float:
        text = f"{line}\n" * times
        start = time.process_time()
        assert sum(1 for _ in records(split_lines([text]), Syntax(), widths)) > 0
        return time.process_time() - start

    # Looking ahead for the end of a cell has a bound that is not reached by the shorter file in each case.
    assert seconds(8_000) < 16 * seconds(2_000) + 0.5
