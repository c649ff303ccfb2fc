"""Every record of a file is loaded, rejected with its line and a reason, or kept as footer; nothing is dropped."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generator.dialect import utf8
from generator.dialect.detection import Dialect
from generator.dialect.reading import read_file
from generator.dialect.records import Syntax
from generator.dialect.sorting import SAMPLE_CELL, SAMPLE_ROWS, Reading, sample_rows
from generator.errors import GoldsmithError
from generator.intake.files import Incoming
from generator.run.load import read_incoming


@dataclass(frozen=True)
class Read:
    """A file as it was read: `rows` without, `lines` only the line of each record."""

    dialect: Dialect
    reading: Reading
    lines: list[int]
    rows: list[list[str]]
    rejects: list[list[str]]
    margins: list[list[str]]
    remarks: tuple[str, ...]


def read(path: Path) -> Read:
    with read_incoming(Incoming(path, path.name, None, "source")) as file:
        bodies, dialect = file.reading.bodies, file.dialect
        found = cells(bodies.rows)
        for lines, base in bodies.lines:
            found += [[str(int(n) + base), *row] for n, *row in cells(lines, dialect.delimiter)]
        found.sort(key=lambda row: int(row[0]))
        rejects = cells(bodies.rejects)
        assert (len(found), len(rejects)) == (file.reading.rows_loaded, file.reading.rows_rejected)
        assert file.reading.rows_read == file.reading.rows_loaded + file.reading.rows_rejected
        assert all(len(row) == 1 + len(dialect.headers) for row in found)
        return Read(
            dialect,
            file.reading,
            [int(r[0]) for r in found],
            [r[1:] for r in found],
            rejects,
            cells(bodies.margins),
            file.remarks,
        )


def cells(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened, delimiter=delimiter))


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """`written("a,b\\n")`: what is read from a file with that content."""

    def read_content(content: str | bytes) -> Read:
        path = tmp_path / "file.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read(path)

    return read_content


# ---- rejects --------------------------------------------------------------------------------------------------------


def test_a_record_that_does_not_fit_the_columns_is_rejected_with_line_text_and_reason(written: Any) -> None:
    found = written("id,name,city\n1,Ann,Rome\n2,Bob\n3,Cy,Oslo,extra\n4\n5,Eve,Bonn\n6,Fay,Kiel\n")
    assert found.rows == [["1", "Ann", "Rome"], ["5", "Eve", "Bonn"], ["6", "Fay", "Kiel"]]
    assert found.lines == [2, 6, 7]
    assert found.rejects == [
        ["3", "2,Bob", "2 fields where the layout has 3"],
        ["4", "3,Cy,Oslo,extra", "4 fields where the layout has 3"],
        ["5", "4", "1 field where the layout has 3"],
    ]


def test_a_last_line_that_was_cut_off_is_rejected_and_no_footer(written: Any) -> None:
    found = written("id,name,city\n" + "1,Ann,Rome\n" * 40 + "2,B")
    assert found.rejects == [["42", "2,B", "2 fields where the layout has 3"]]
    assert found.reading.footer_rows == 0


def test_a_cut_off_line_stays_a_reject_after_a_blank_line_further_up(written: Any) -> None:
    found = written("id,name,city\n1,Ann,Rome\n\n2,Bob,Oslo\n3,Cy,Bonn\n4,D\n")
    assert found.rejects == [["6", "4,D", "2 fields where the layout has 3"]]


def test_a_header_that_comes_again_is_rejected_wherever_it_stands(written: Any) -> None:
    found = written("id,name\n1,Ann\n2,Bob\nid,name\n3,Cy\n4,Di\n" + "5,Ed\n" * 40)
    assert found.rejects == [["4", "id,name", "the header again"]]
    assert len(found.rows) == 44


def test_more_cells_than_columns_are_a_reject_unless_the_rest_is_empty(written: Any) -> None:
    found = written("a;b\n1;2\n3;4;\n5;6;x\n7;8;\n9;8\n0;1\n2;3\n")
    assert found.rows == [["1", "2"], ["3", "4"], ["7", "8"], ["9", "8"], ["0", "1"], ["2", "3"]]
    assert found.rejects == [["4", "5;6;x", "3 fields where the layout has 2"]]


def test_cells_beyond_the_header_become_a_column_where_most_records_have_them(written: Any) -> None:
    found = written("a;b\n1;2;\n3;4;x\n5;6;\n")
    assert found.dialect.headers == ("a", "b", "column_3")
    assert found.rows == [["1", "2", ""], ["3", "4", "x"], ["5", "6", ""]]


# ---- footers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [3, 100])
@pytest.mark.parametrize(
    ("footer", "count"),
    [
        (";;;\n", 1),
        ("Summe;;;35,00\n", 1),
        ("\nEnd of the statement, thank you.\n", 1),
        ("This export was made on 2024-01-31.\n", 1),
        ("\nBalance;35,00;EUR;gross;net\nAs of;31.01.2024\n", 2),
        ("Total;3\n\n;;\n", 2),
        ("----------\n3 records\nExported by: Ann Lee\n", 3),
    ],
)
def test_totals_and_prose_after_the_table_are_its_footer(written: Any, rows: int, footer: str, count: int) -> None:
    found = written("Date;Payee;Memo;Amount\n" + "31.01.2024;Baker;Bread;-5,00\n" * rows + footer)
    assert (found.reading.footer_rows, len(found.rows), found.rejects) == (count, rows, [])
    assert found.reading.footer.splitlines() == [line for line in footer.splitlines() if line]


def test_a_payee_called_total_is_no_footer(written: Any) -> None:
    found = written("Payee;Date;Amount\nBaker;31.01.2024;-5,00\nTotal;01.02.2024;-60,00\n")
    assert [row[0] for row in found.rows] == ["Baker", "Total"]


def test_sparse_records_at_the_end_are_records(written: Any) -> None:
    found = written("name,email,phone\nAnn,,\nBob,,\n,cy@example.org,\n,,555-0100\n")
    assert found.reading.footer_rows == 0
    assert found.rows[2:] == [["", "cy@example.org", ""], ["", "", "555-0100"]]


# ---- cells ----------------------------------------------------------------------------------------------------------


def test_cells_are_kept_to_the_last_blank(written: Any) -> None:
    found = written('a,b\n" x ",\u00a0y\n"NULL",""\n"q ""q"" q",\'z\'\n')
    assert found.rows == [[" x ", "\u00a0y"], ["NULL", ""], ['q "q" q', "'z'"]]


def test_line_ends_within_quotes_are_kept_and_counted(written: Any) -> None:
    found = written('a,b\r\n1,"x\r\ny\nz"\r\n2,w\r\n')
    assert found.rows == [["1", "x\r\ny\nz"], ["2", "w"]]
    assert found.lines == [2, 5]


def test_an_empty_cell_of_a_single_column_is_a_record(written: Any) -> None:
    found = written('name\nAnn\n""\n\nBob\n')
    assert found.rows == [["Ann"], [""], ["Bob"]]


def test_the_records_of_a_long_file_are_sampled_beyond_its_head(written: Any) -> None:
    found = written("id,name\n" + "".join(f"{i},x\n" for i in range(SAMPLE_ROWS + 1000)))
    assert len(found.reading.sample) == SAMPLE_ROWS + 10
    assert found.reading.sample[-1] == (str(SAMPLE_ROWS + 999), "x")


def test_of_a_wide_table_fewer_rows_are_sampled_and_of_a_long_cell_its_beginning(written: Any) -> None:
    assert [sample_rows(columns) for columns in (1, 100, 101, 5000, 10**6)] == [5000, 5000, 4950, 100, 1]
    found = written("id,text\n1," + "x" * 1000 + "\n2,y\n")
    assert found.reading.sample == [("1", "x" * SAMPLE_CELL), ("2", "y")]
    assert found.rows[0] == ["1", "x" * 1000]


# ---- mended records and second tables -----------------------------------------------------------------------------


TABLE = "id;name;city\n" + "".join(f"{i};Ann;Rome\n" for i in range(1, 41))


def test_records_whose_quotes_were_mended_are_loaded_and_named(written: Any) -> None:
    found = written(TABLE + '41;"Bob;Oslo\n' + "42;Cy;Bonn\n" * 40)
    assert found.rows[40] == ["41", '"Bob', "Oslo"]
    assert found.remarks == ("line 42: a quote that opens a cell and is not closed is kept as text",)


def test_of_many_mended_records_the_first_are_named_and_the_rest_counted(written: Any) -> None:
    found = written(TABLE + '41;"Bob;Oslo\n42;Cy;Bonn\n' * 9)
    (remark,) = found.remarks
    assert remark.startswith("lines 42, 44, 46, 48, 50 and 4 more: ")


def test_a_mended_record_that_does_not_fit_is_rejected(written: Any) -> None:
    found = written(TABLE + '41;"Bob\n' + "42;Cy;Bonn\n" * 40)
    (reject,) = found.rejects
    assert reject[:2] == ["42", '41;"Bob']
    assert "where the layout has 3" in reject[2]


@pytest.mark.parametrize("rows", [1, 100])
@pytest.mark.parametrize("total", ["", "Total;;\n"])
def test_a_second_table_of_the_same_width_is_rejected_with_all_that_follows(
    written: Any, rows: int, total: str
) -> None:
    found = written(TABLE + total + "\nsku;label;colour\n" + "1;Hat;red\n" * rows + "\n1;Cap;blue\n")
    line = 43 + bool(total)
    assert len(found.rows) == 40
    assert found.rejects[0] == [str(line), "sku;label;colour", f"a second table begins on line {line}"]
    assert {reason for _, _, reason in found.rejects} == {f"a second table begins on line {line}"}
    assert [text for _, text, _ in found.rejects[1:]] == ["1;Hat;red"] * rows + ["1;Cap;blue"]
    assert f"a second table begins on line {line}; all from there on is rejected" in found.remarks
    assert found.reading.footer == total.strip()


def test_a_second_table_of_another_width_is_rejected_even_where_a_record_of_it_would_fit(written: Any) -> None:
    found = written(TABLE + "0;Ann;Rome\n" * 60 + "\nsku;label\n" + "1;Hat\n" * 40 + "1;Hat;red\n" + "1;Cap\n" * 40)
    assert len(found.rows) == 100
    assert len(found.rejects) == 82
    assert {reason for _, _, reason in found.rejects} == {"a second table begins on line 103"}


def test_a_second_table_larger_than_the_first_does_not_refuse_the_file(written: Any) -> None:
    found = written(TABLE + "\nsku;label;colour\n" + "1;Hat;red\n" * 90)
    assert (len(found.rows), len(found.rejects)) == (40, 91)


# ---- refused, or nothing in it ------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["id,name\n", "id,name", "id,name\n\n\n"])
def test_a_header_and_no_record_is_an_empty_table_with_a_remark(written: Any, content: str) -> None:
    found = written(content)
    assert (found.dialect.headers, found.rows, found.rejects) == (("id", "name"), [], [])
    assert found.margins == [["1", "header", "id,name"]]
    assert "a header and no data record" in found.remarks


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,c\na,b,c\n1,2\n", "no data record: 2 read, all of them rejected"),
        ("", "the file is empty; nothing to load"),
    ],
    ids=["rejects", "empty"],
)
def test_a_file_without_a_readable_record_is_refused_in_one_line(written: Any, content: str, message: str) -> None:
    with pytest.raises(GoldsmithError) as refused:
        written(content)
    assert str(refused.value) == message


def test_a_file_of_which_most_records_do_not_fit_its_header_is_refused(written: Any) -> None:
    # The sample ends with the good ones.
    good = "id,name,city\n" + "12345678,Ann Miller,Rome\n" * 12_000
    found = written(good + "1,Ann\n" * 12_000)
    assert (len(found.rows), len(found.rejects)) == (12_000, 12_000)
    with pytest.raises(
        GoldsmithError, match="^12001 of 24001 records do not have the 3 fields of the header on line 1; "
    ):
        written(good + "1,Ann\n" * 12_001)


def test_a_line_beyond_all_bounds_is_refused_with_its_number(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utf8, "MAX_LINE", 1 << 20)
    with pytest.raises(GoldsmithError, match="^line 3: longer than 1 MB; is this a CSV file[?]$"):
        written("a,b\n1,2\n3," + "x" * (3 << 20))


def test_a_wrong_byte_beyond_the_sample_is_found_when_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 10 + b"1,\xff\n")
    dialect = Dialect(Syntax(), ("a", "b"), True, 1, 0, 2, frozenset({2}))
    with pytest.raises(UnicodeDecodeError):
        read_file(path, "utf-8", dialect, tmp_path)


def test_a_file_that_went_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GoldsmithError, match="^cannot be read: No such file or directory$"):
        read(tmp_path / "gone.csv")
