"""Delimiter, preamble, header and width are told from the text alone."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.dialect.detection import Dialect, another_header, detect_dialect
from generator.dialect.records import Record, Syntax, records, split_lines
from generator.errors import GoldsmithError


def dialect(text: str, complete: bool = True) -> Dialect:
    return detect_dialect(text, complete)


# ---- delimiter ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_the_one_that_makes_a_table(delimiter: str, end: str) -> None:
    rows = [["Date", "Payee", "Amount"], ["2024-01-31", "Baker", "-5.00"], ["2024-02-01", "Butcher", "7.10"]]
    found = dialect(end.join(delimiter.join(row) for row in rows) + end)
    assert found == Dialect(Syntax(delimiter), ("Date", "Payee", "Amount"), True, 1, 0, 2, frozenset({3}))


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
    assert all(len(r.fields) == 1 for r in records(io.StringIO(body), found.syntax))


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
    table = Dialect(Syntax(";"), ("Date", "Payee", "Amount"), True, lines + 1, lines, lines + 2, frozenset({3}))
    assert found == table


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


# ---- rarer delimiters, quotes, escapes ------------------------------------------------------------------------------

ORDERS = [
    ["day", "time", "item", "amount", "note"],
    ["2024-01-31", "08:15", "Lamp, brass", "12,50", ""],
    ["2024-02-01", "09:00", 'Pipe, 5" wide', "3,00", "it's late"],
    ["2024-02-02", "10:45", "Mug; blue", "4,25", "C:\\photos\\"],
    ["2024-02-03", "11:30", "Hook", "1,00", "see https://example.com/?a=1"],
    ["2024-02-04", "12:05", "Rope | 12 m", "7,75", "New York, NY"],
]


def written(rows: list[list[str]], syntax: Syntax, every: bool = False) -> str:
    """Rows as CSV; a cell is quoted where it holds a character of the syntax."""

    def cell(text: str) -> str:
        if not every and not any(c in text for c in (*syntax.delimiter, syntax.quote, "\n", "\r")):
            return text
        if syntax.backslash:
            text = text.replace("\\", "\\\\").replace(syntax.quote, "\\" + syntax.quote)
        else:
            text = text.replace(syntax.quote, 2 * syntax.quote)
        return syntax.quote + text + syntax.quote

    return "".join(syntax.delimiter.join(map(cell, row)) + "\n" for row in rows)


def loaded(text: str, found: Dialect) -> list[list[str]]:
    """The cells of all records behind the header."""
    lines = records(split_lines([text]), found.syntax, found.widths)
    return [list(r.fields) for r in lines if r.line >= found.data_line and not r.blank]


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize(
    "delimiter", [",", ";", "\t", "|", ", ", "; ", "||", "::", "\x1f", "\x01", "^", "~", "§", ":", " ", "#", "&"]
)
def test_a_table_is_found_in_any_delimiter_and_quotes(delimiter: str, quote: str, every: bool) -> None:
    syntax = Syntax(delimiter, quote, quote)
    text = written(ORDERS, syntax, every)
    found = dialect(text)
    assert (found.syntax, found.headers) == (syntax, tuple(ORDERS[0]))
    assert loaded(text, found) == ORDERS[1:]
    assert found.delimiter == delimiter.strip(" ") or delimiter == " "


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("every", [False, True])
def test_backslashes_are_escapes_where_one_stands_before_a_quote_within_a_cell(quote: str, every: bool) -> None:
    syntax = Syntax(",", quote, "\\")
    text = written(ORDERS, syntax, every)
    assert dialect(text).syntax == syntax
    assert loaded(text, dialect(text)) == ORDERS[1:]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n'tis so,the dogs'\nit's,5\n'tis,6\n",
        'a,b\n"C:\\photos\\",1\n"D:\\",2\n',
        'a,b\n1,"x, y"\n2,\'z\'\n3,"it\'s, ""so"""\n',
        'a,b\n5" wide,1\n3" wide,2\n',
    ],
)
def test_apostrophes_are_no_quotes_and_paths_no_escapes(text: str) -> None:
    assert dialect(text).syntax == Syntax(",")
    assert {len(row) for row in loaded(text, dialect(text))} == {2}


def test_pairs_of_backslashes_that_could_be_escapes_are_kept_and_it_is_said() -> None:
    found = dialect('a,b\n"C:\\\\temp\\\\x",1\n"y, z",2\n')
    assert found.syntax == Syntax(",")
    assert found.remarks[0].startswith("all backslashes come in pairs; they are kept so")


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_first_line_of_excel_decides_on_the_delimiter_and_is_preamble(line: str) -> None:
    found = dialect(f"{line}\na,1;b,2\nx,1;y,2\nz,1;w,2\n")
    assert (found.delimiter, found.preamble_rows) == (";", 1)
    assert found.headers == ("a,1", "b,2")


def test_a_first_line_of_excel_that_names_an_absent_delimiter_is_not_believed() -> None:
    found = dialect("sep=;\na,b\n1,2\n")
    assert (found.delimiter, found.headers, found.preamble_rows) == (",", ("a", "b"), 1)
    assert found.remarks == ("line 1 says that the delimiter is ';', but it is in no other line",)


# ---- comments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["#", "//", "%"])
def test_comment_lines_are_known_by_their_sign(sign: str) -> None:
    rows = "1,Ann,5.40\n2,Bob,7.00\n3,Cy,1.25\n" * 3
    assert dialect(f"{sign} exported, today\n{sign} two\nid,name,amount\n{rows}").comment == sign
    assert dialect(f"id,name,amount\n{rows}{sign} checked\n{rows}").comment == sign
    assert dialect(f"id,name,amount\n{sign} the data\n{rows}").headers == ("id", "name", "amount")


def test_a_sign_that_begins_the_rows_is_part_of_them() -> None:
    assert dialect("order,amount\n" + "".join(f"#{i},5.40\n" for i in range(9)) + "#end\n").comment == ""
    assert dialect("#,name\n1,Ann\n2,Bob\n").headers == ("#", "name")


def test_a_comment_that_has_the_cells_of_a_row_is_said() -> None:
    found = dialect("# by the shop\nid,name\n1,Ann\n#2,Bob\n3,Cy\n4,Di\n")
    assert found.comment == "#"
    assert found.remarks == ("line 4 begins with # as comments do, but has the cells of a row",)


# ---- headers that are hard to tell ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("Region,2022,2023\nNorth,10.5,11\nSouth,7,8.25\n", ("Region", "2022", "2023")),
        ("Region,Unit,2021,2022,2023\nNorth,kt,1,2,3\nSouth,kt,4,5,7\n", ("Region", "Unit", "2021", "2022", "2023")),
        ("Name,Q1 2023,Q2 2023\nAnn,1,2\nBob,3,4\n", ("Name", "Q1 2023", "Q2 2023")),
        ("when,1,2,3\n2024-01-02,0.5,0.75,9\n2024-01-03,4,4,4\n", ("when", "1", "2", "3")),
        ("id,name,name,,amount,\n1,Ann,Lee,x,5.40,a\n2,Bob,Reed,,7.00,b\n", ("id", "name", "name", "", "amount", "")),
        ("x,x,x\n1,a,2024-01-02\n2,b,2024-01-03\n", ("x", "x", "x")),
        (",Größe,,Farbe,\n1,groß,3.00,rot,\n2,klein,4.00,,7\n", ("", "Größe", "", "Farbe", "")),
        ("№,цена\n1,3.00\n2,4.00\n", ("№", "цена")),
        ("name,city,city\nAnn,Rome,x\nBob,Oslo,y\n", ("name", "city", "city")),
        ("name,city,2021\nAnn,Rome,x\nBob,Oslo,y\n", ("name", "city", "2021")),
        ("Order,,Who,\nid,day,name,city\n1,2024-01-02,Ann,Rome\n2,2024-01-03,Bob,Oslo\n", ("id", "day", "name", "city")),
    ],
)  # fmt: skip
def test_a_header_is_told_by_what_the_rows_below_it_hold(text: str, headers: tuple[str, ...]) -> None:
    assert dialect(text).headers == headers


ROWS = "1,Ann,Rome,5.40\n2,Bob,Oslo,7.00\n3,Cy,Bonn,1.25\n"


@pytest.mark.parametrize(
    ("header", "names", "remark"),
    [
        ("id,name,city", ("id", "name", "city", "column_4"), "line 1: the header has 3 names and the rows 4 cells"),
        ("id,namecity,amount", ("id", "namecity", "amount", "column_4"), "line 1: the header has 3 names"),
        (
            "id,,name,city,amount",
            ("id", "name", "city", "amount"),
            "line 1: the header has 5 cells and the rows 4: its",
        ),
        ("id,name,city,amount,tax", ("id", "name", "city", "amount", "tax"), "line 1: the header has 5 names and the"),
        ("id;name;city;amount", ("id", "name", "city", "amount"), "line 1: the header is not written as the rows are"),
        ("id\tname\tcity\tamount", ("id", "name", "city", "amount"), "line 1: the header is not written as the rows"),
        ('id,"name,city,amount', ("id", '"name', "city", "amount"), "line 1: a quote that opens a cell and is not"),
    ],
)
@pytest.mark.parametrize("preamble", ["", "Exported by Ann Lee\n\n"])
def test_a_header_that_does_not_suit_the_rows_is_kept_and_it_is_said(
    header: str, names: tuple[str, ...], remark: str, preamble: str
) -> None:
    found = dialect(f"{preamble}{header}\n{ROWS}")
    assert (found.has_header, found.headers) == (True, names)
    assert found.remarks[0].startswith(remark.replace("line 1", f"line {found.header_line}"))
    assert found.header_line == found.preamble_rows + 1


def test_a_header_of_texts_is_told_by_what_comes_again_below_it() -> None:
    rows = "Ann,Rome,cat,sleeps\nBob,Oslo,dog,barks\nCy,Rome,cat,barks\nDi,Oslo,dog,sleeps\n"
    assert dialect(f"name,city\n{rows}").headers == ("name", "city", "column_3", "column_4")
    assert dialect(f"name,city,pet,note\n{rows}").headers == ("name", "city", "pet", "note")
    assert not dialect(rows).has_header


@pytest.mark.parametrize(
    ("text", "has_header", "remark"),
    [
        ("Date,Payee,Amount\n", True, "line 1 was taken for a header, with no row below it"),
        ("2024-01-31,Baker,-5.00\n", False, "line 1 is the only one; it was taken for data, not for a header"),
        ("Ann,Rome\nBob,Oslo\n", True, "line 1 was taken for the header; all columns hold texts, so it could be data"),
        ("1,5.00\n2,6.00\n", False, "no header was found; the columns are numbered"),
        ("Text\n1,5.00\n2,6.00\n", False, "no header was found; lines before line 2 were taken for text before the data"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_of_the_header_is_said(text: str, has_header: bool, remark: str) -> None:
    found = dialect(text)
    assert (found.has_header, found.remarks) == (has_header, (remark,))


def test_a_row_that_does_not_fit_is_no_header_and_stays_behind_it() -> None:
    for first in ("1,Ann,Rome 5.40", "1;Ann;Rome;5.40", "1,,Ann,Rome,5.40", '1,"Ann,Rome,5.40'):
        found = dialect(f"id,name,city,amount\n{first}\n{ROWS}")
        assert (found.headers, found.data_line) == (("id", "name", "city", "amount"), 2)
        assert dialect(f"{first}\n{ROWS}").data_line == 1


# ---- what stands around the table -----------------------------------------------------------------------------------

SAID = "Note: see the terms, part 2\nPeriod,2024-01-01,2024-03-31\nAll amounts in EUR; no warranty\n-----\n"


@pytest.mark.parametrize("times", [1, 5, 500])
@pytest.mark.parametrize("padded", [False, True])
def test_a_preamble_of_any_length_does_not_hide_the_header(times: int, padded: bool) -> None:
    said = "".join(f'"{line}",,,\n' for line in SAID.splitlines()) if padded else SAID
    found = dialect(said * times + "id,name,city,amount\n" + ROWS * (10 + times))
    assert (found.headers, found.preamble_rows) == (("id", "name", "city", "amount"), 4 * times)


def test_tables_beside_the_table_are_named() -> None:
    other = "code,people,area,since\nA,1,2,3\nB,4,5,6\n"
    before = dialect(f"{other}\nid,name,city,amount,day\n" + "1,Ann,Rome,5.40,2024-01-02\n" * 9)
    assert before.headers == ("id", "name", "city", "amount", "day")
    assert before.remarks == ("lines 1 to 3 look like another table",)
    after = dialect("id,name,city,amount,day\n" + "1,Ann,Rome,5.40,2024-01-02\n" * 9 + f"\n{other}")
    assert after.remarks == ("lines 12 to 14 look like another table",)
    assert after.widths == {5}
    same = dialect("id,name,city,amount\n" + ROWS * 9 + "code,people,area,since\n")
    assert same.remarks == ("line 29 looks like the header of another table",)


def test_a_second_table_begins_where_words_stand_in_columns_of_numbers() -> None:
    found = dialect(f"id,name,city,amount\n{ROWS}")
    rows = [r.split(",") for r in ROWS.splitlines()]

    def begins(line: str) -> bool:
        return another_header(Record(9, tuple(line.split(",")), line), found, rows)

    assert begins("code,people,area,since")
    assert not begins("id,name,city,amount")
    assert not begins("4,Di,Kiel,2.00")
    assert not begins("code,people,area")
    assert not begins("Total,,,14.65")


def test_the_rows_of_a_large_sample_decide_without_reading_all_of_it_in_all_ways() -> None:
    text = "id;name\n" + "".join(f'{i};"Ann, {i}"\n' for i in range(20_000))
    found = dialect(text, complete=False)
    assert found == Dialect(Syntax(";"), ("id", "name"), True, 1, 0, 2, frozenset({2}))


@given(
    st.lists(
        st.tuples(st.dates(), st.decimals(-999, 999, places=2), st.text("ab ,;|'\"\\\n:", max_size=8)),
        min_size=2,
        max_size=12,
    ),
    st.sampled_from([",", ";", "\t", "|", "||", "^", "\x1f"]),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_a_table_of_dates_amounts_and_any_texts_is_read_back_or_something_is_said(
    rows: list[tuple[object, object, str]], delimiter: str, every: bool, end: str
) -> None:
    table = [["day", "amount", "note"], *([str(d), str(a), t.strip() or "x"] for d, a, t in rows)]
    text = written(table, Syntax(delimiter), every).replace("\n", end)
    found = dialect(text)
    if found.syntax == Syntax(delimiter):
        assert found.headers == ("day", "amount", "note")
        assert loaded(text, found) == [[c.replace("\n", end) for c in row] for row in table[1:]]
    else:
        # Only where no cell tells that quotes are not doubled, or are another sign.
        assert found.delimiter == delimiter
        assert any("\\" in row[2] or "'" in row[2] for row in table)


# ---- any text -------------------------------------------------------------------------------------------------------


@given(st.text("ab1,;|\t\"'\n\r .", max_size=60))
def test_any_text_has_a_dialect_or_is_refused(text: str) -> None:
    try:
        found = dialect(text)
    except GoldsmithError:
        return
    assert found.headers
    assert found.preamble_rows < found.data_line
    assert found == dialect(text)
