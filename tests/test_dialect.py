"""Delimiter, preamble, header and width are told from the text alone."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.dialect import MAX_LINES_A_RECORD, Dialect, detect_dialect, records
from generator.errors import GoldsmithError


def dialect(text: str, complete: bool = True) -> Dialect:
    return detect_dialect(text, complete)


# ---- delimiter ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_the_one_that_makes_a_table(delimiter: str, end: str) -> None:
    rows = [["Date", "Payee", "Amount"], ["2024-01-31", "Baker", "-5.00"], ["2024-02-01", "Butcher", "7.10"]]
    found = dialect(end.join(delimiter.join(row) for row in rows) + end)
    assert found == Dialect(delimiter, ("Date", "Payee", "Amount"), True, 0, 2, frozenset({3}))


@pytest.mark.parametrize(
    ("text", "delimiter", "headers"),
    [
        (
            "Datum;Betrag;Text\n01.02.2024;-5,00;Miete, kalt\n02.02.2024;7,10;Lohn, netto\n",
            ";",
            ("Datum", "Betrag", "Text"),
        ),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";", ("a", "b")),
        ("name,note\nAnn,a;b;c\nBob,d;e;f\n", ",", ("name", "note")),
        ('name,note\nAnn,"a;b"\nBob,"d;e"\n', ",", ("name", "note")),
        ("name|size\nAnn, Lee|5\nBob, Fox|6\n", "|", ("name", "size")),
        ("time,who\n10:15,x\n10:16,y\n", ",", ("time", "who")),
        ("a\tb\nx y, z\t1\nu v, w\t2\n", "\t", ("a", "b")),
    ],
)
def test_delimiters_within_cells_do_not_mislead(text: str, delimiter: str, headers: tuple[str, ...]) -> None:
    found = dialect(text)
    assert (found.delimiter, found.headers) == (delimiter, headers)


@pytest.mark.parametrize(
    "body",
    ["hello\nworld\n", "hello, world\nplain\nplain\nyes, no; maybe\nplain\n", "plain\nplain\n1, 5\nplain\nplain\n"],
)
def test_texts_in_one_column_stay_in_one_column(body: str) -> None:
    found = dialect(f"note\n{body}")
    assert (found.headers, found.widths, found.data_line) == (("note",), frozenset({1}), 2)
    assert all(len(r.fields) == 1 for r in records(io.StringIO(body), found.delimiter))


# ---- header ---------------------------------------------------------------------------------------------------------

TABLE = "Date;Payee;Amount\n31.01.2024;Baker;-5,00\n30.01.2024;Butcher;7,10\n"


@pytest.mark.parametrize(
    ("preamble", "lines"),
    [
        ("", 0),
        ("Account statement\n", 1),
        ("Account:;DE12345\nFrom:;01.01.2024\n\n", 3),
        ("Account;DE12345\nBalance;1.234,56;EUR;gross\n", 2),
        ('"Account";"DE12 3456 (checking)"\n"Balance";"1.234,56"\n\n\n', 4),
        ("Statement\n" * 30, 30),
        ("Kontoauszug;;\nKonto 123;;\n;;\n", 3),
        ('"A title\nover two lines"\n', 2),
    ],
)
def test_the_lines_before_the_header_are_counted(preamble: str, lines: int) -> None:
    found = dialect(preamble + TABLE)
    assert found == Dialect(";", ("Date", "Payee", "Amount"), True, lines, lines + 2, frozenset({3}))


def test_blank_lines_between_header_and_data_belong_to_neither() -> None:
    found = dialect(TABLE.replace("Amount\n", "Amount\n\n\n"))
    assert (found.preamble_rows, found.has_header) == (0, True)
    assert found.data_line in (2, 4)


@pytest.mark.parametrize(
    ("text", "width", "preamble"),
    [
        ("31.01.2024,Baker,-5.00\n30.01.2024,Butcher,7.10\n", 3, 0),
        ("2024-01-31,-5.00\n", 2, 0),
        ("1,ann@example.org\n2,bob@example.org\n", 2, 0),
        ("Statement\n31.01.2024,Baker,-5.00\n30.01.2024,Butcher,7.10\n", 3, 1),
        ("10:15,a\n10:16,b\n", 2, 0),
    ],
)
def test_data_without_a_header_is_no_header(text: str, width: int, preamble: int) -> None:
    found = dialect(text)
    assert not found.has_header
    assert found.headers == tuple(f"column_{i + 1}" for i in range(width))
    assert (found.preamble_rows, found.data_line) == (preamble, preamble + 1)


@pytest.mark.parametrize(
    ("text", "headers", "widths"),
    [
        # A delimiter at the end of each line, of the data lines, or of the header.
        ("a;b;\n1;2;\n3;4;\n", ("a", "b", ""), {3}),
        ("a;b\n1;2;\n3;4;\n", ("a", "b"), {2, 3}),
        ("a;b;\n1;2\n3;4\n", ("a", "b", ""), {2, 3}),
        # A last column without a name, and last columns that are left out where they are empty.
        ("a;b\n1;2;x\n3;4;y\n", ("a", "b", "column_3"), {3}),
        ("a;b;c\n1;2;3\n4;5\n6;7\n", ("a", "b", "c"), {2, 3}),
        ("a;b;c;d\n1;2\n3;4\n", ("a", "b", "c", "d"), {2, 4}),
        (" a ;\u00a0b\u00a0\n1;2\n", ("a", "b"), {2}),
    ],
)
def test_headers_cover_every_column_that_holds_something(text: str, headers: tuple[str, ...], widths: set[int]) -> None:
    found = dialect(text)
    assert found.headers == headers
    assert found.widths == widths


def test_one_line_cut_off_by_accident_is_no_habit() -> None:
    found = dialect("a;b;c\n" + "1;2;3\n" * 20 + "4;5\n" + "1;2;3\n" * 20)
    assert found.widths == {3}


def test_a_header_alone_is_a_header() -> None:
    found = dialect("Date;Payee;Amount\n")
    assert (found.has_header, found.headers) == (True, ("Date", "Payee", "Amount"))


def test_hostile_headers_are_kept_as_they_are() -> None:
    found = dialect('"{{ env_var(\'HOME\') }}","a""b","x;drop"\n1,2,3\n')
    assert found.headers == ("{{ env_var('HOME') }}", 'a"b', "x;drop")


@pytest.mark.parametrize("text", ["\n\n\n", " \n \n", "\r\n\r\n"])
def test_a_text_of_blank_lines_is_refused(text: str) -> None:
    with pytest.raises(GoldsmithError, match="nothing but blank lines; nothing to load"):
        dialect(text)


# ---- records --------------------------------------------------------------------------------------------------------


def test_a_record_knows_the_line_on_which_it_starts() -> None:
    found = list(records(io.StringIO('a,"b\nc\r\nd"\r\n\n"e",f\n', newline=""), ","))
    assert [(r.line, r.fields) for r in found] == [(1, ("a", "b\nc\r\nd")), (4, ()), (5, ("e", "f"))]


@pytest.mark.parametrize("text", ['a,b\n1,"x\n2,y\n', 'a,b\n"1,x\n2,y\n3,z\n', 'a,b\n1,x\n2,"', '"a,b\n1,2\n', '"'])
def test_a_quote_that_is_never_closed_is_refused_and_not_read_to_the_end(text: str) -> None:
    line = next(i for i, row in enumerate(text.splitlines(), 1) if '"' in row)
    with pytest.raises(GoldsmithError, match=f"^line {line}: a quote is opened here and not closed before the end"):
        list(records(io.StringIO(text, newline=""), ","))


def test_a_file_with_an_open_quote_is_not_taken_for_another_dialect() -> None:
    assert dialect('a,b\n1,"x\n2,y\n').headers == ("a", "b")
    with pytest.raises(GoldsmithError, match="^line 1: a quote is opened here"):
        dialect('"a,b\n1,2\n')


def test_a_quote_that_swallows_hundreds_of_lines_is_refused_where_it_opens() -> None:
    text = 'a,b\n1,"x\n' + "2,y\n" * MAX_LINES_A_RECORD + '3,"z\n'
    with pytest.raises(GoldsmithError, match=f"^line 2: .* not closed before {MAX_LINES_A_RECORD} lines further on"):
        list(records(io.StringIO(text, newline=""), ","))


def test_a_sample_may_end_within_a_quote() -> None:
    text = "a,b\n" + '1,"x\ny"\n' * 50
    assert dialect(text[: text.rindex("y")], complete=False).headers == ("a", "b")


def test_quotes_that_nobody_doubled_lose_no_record() -> None:
    found = list(records(io.StringIO('name,size\nTV,5" wide\nPipe,"3" wide"\n'), ","))
    assert [len(r.fields) for r in found] == [2, 2, 2]


@given(st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=4), max_size=6), st.sampled_from(",;\t|"))
def test_what_the_csv_module_wrote_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    file.seek(0)
    assert [list(r.fields) for r in records(file, delimiter)] == rows


@given(st.text("ab1,;|\t\"'\n\r .", max_size=60))
def test_any_text_has_a_dialect_or_is_refused(text: str) -> None:
    try:
        found = dialect(text)
    except GoldsmithError:
        return
    assert found.headers
    assert found.preamble_rows < found.data_line
    assert found == dialect(text)
