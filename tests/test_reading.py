"""Every record of a file is loaded, rejected with its line and a reason, or kept as footer; nothing is dropped.

The files in `tests/data` are invented; beside each stands what must come out of it: `<name>.rows.csv` with the line of
each record, and `<name>.yml` with the dialect, the counts, the lines around the table and the rejects.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from invented import LAYOUTS

from generator.dialect import Dialect
from generator.encoding import detect_encoding
from generator.errors import GoldsmithError
from generator.intake import Incoming
from generator.load import read_incoming
from generator.reading import SAMPLE_ROWS, Reading, read_file

DATA = Path(__file__).parent / "data"
FILES = sorted(p for p in DATA.iterdir() if p.suffix in (".csv", ".txt", ".tsv") and not p.name.endswith(".rows.csv"))


@dataclass(frozen=True)
class Read:
    """A file as it was read: `rows` without, `lines` only the line of each record."""

    dialect: Dialect
    reading: Reading
    lines: list[int]
    rows: list[list[str]]
    rejects: list[list[str]]


def read(path: Path) -> Read:
    with read_incoming(Incoming(path, path.name, None, "source")) as file:
        with file.rows.open(encoding="utf-8", newline="") as opened:
            found = list(csv.reader(opened))
        with file.rejects.open(encoding="utf-8", newline="") as opened:
            rejects = list(csv.reader(opened))
        assert (len(found), len(rejects)) == (file.reading.rows_loaded, file.reading.rows_rejected)
        assert file.reading.rows_read == file.reading.rows_loaded + file.reading.rows_rejected
        assert all(len(row) == 1 + len(file.dialect.headers) for row in found)
        return Read(file.dialect, file.reading, [int(r[0]) for r in found], [r[1:] for r in found], rejects)


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """`written("a,b\\n")`: what is read from a file with that content."""

    def read_content(content: str | bytes) -> Read:
        path = tmp_path / "file.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read(path)

    return read_content


def described(path: Path, found: Read) -> dict[str, Any]:
    return {
        "encoding": detect_encoding(path),
        "delimiter": found.dialect.delimiter,
        "has_header": found.dialect.has_header,
        "headers": list(found.dialect.headers),
        "preamble_rows": found.dialect.preamble_rows,
        "footer_rows": found.reading.footer_rows,
        "rows_read": found.reading.rows_read,
        "rows_loaded": found.reading.rows_loaded,
        "rows_rejected": found.reading.rows_rejected,
        "preamble": found.reading.preamble,
        "footer": found.reading.footer,
        "rejects": [{"line": int(line), "text": text, "reason": why} for line, text, why in found.rejects],
    }


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_a_nasty_file_gives_the_raw_table_beside_it(path: Path) -> None:
    found = read(path)
    assert described(path, found) == yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))
    with path.with_suffix(".rows.csv").open(encoding="utf-8", newline="") as golden:
        assert [[str(line), *row] for line, row in zip(found.lines, found.rows, strict=True)] == list(
            csv.reader(golden)
        )


def test_every_nasty_file_has_its_raw_table_and_no_other_is_there() -> None:
    stems = {p.stem for p in FILES}
    assert len(stems) >= 12
    assert {p.name for p in DATA.iterdir()} == {
        name for p in FILES for name in (p.name, f"{p.stem}.yml", f"{p.stem}.rows.csv")
    }


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
    found = written("a;b\n1;2\n3;4;\n5;6;x\n7;8;\n9;8\n0;1\n")
    assert found.rows == [["1", "2"], ["3", "4"], ["7", "8"], ["9", "8"], ["0", "1"]]
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
    assert found.reading.longest == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n", "a header and no data record; nothing to load"),
        ("a,b\n\n\n", "a header and no data record; nothing to load"),
        ("a,b,c\na,b,c\n1,2\n", "no data record: 2 read, all of them rejected"),
        ("", "the file is empty; nothing to load"),
        ('a,b\n1,"x\n2,y\n', "line 2: a quote is opened here and not closed before the end of the file; mend the file"),
        (b"a,b\n1,\x00\x00\n", "binary data: a NUL byte at offset 6; this is no text file"),
    ],
    ids=["header", "blank lines", "rejects", "empty", "open quote", "binary"],
)
def test_a_file_without_a_readable_record_is_refused_in_one_line(written: Any, content: str, message: str) -> None:
    with pytest.raises(GoldsmithError) as refused:
        written(content)
    assert str(refused.value) == message


def test_a_cell_beyond_all_bounds_is_refused_with_its_line(written: Any) -> None:
    limit = csv.field_size_limit(1000)
    try:
        with pytest.raises(GoldsmithError, match="^line 2: cannot be split into fields: field larger than field limit"):
            written("a,b\n1," + "x" * 1001 + "\n")
    finally:
        csv.field_size_limit(limit)
    assert limit >= 100 << 20


def test_a_wrong_byte_beyond_the_sample_is_found_when_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 10 + b"1,\xff\n")
    dialect = Dialect(",", ("a", "b"), True, 0, 2, frozenset({2}))
    with pytest.raises(UnicodeDecodeError):
        read_file(path, "utf-8", dialect, tmp_path / "rows", tmp_path / "rejects")


def test_a_file_that_went_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GoldsmithError, match="^cannot be read: No such file or directory$"):
        read(tmp_path / "gone.csv")


# ---- real files, where they are ---------------------------------------------------------------------------------------


def real_layouts() -> list[dict[str, Any]]:
    """What third parties' files are in truth; their folder is not part of the repository."""
    lines = [line for path in sorted(LAYOUTS.glob("*/layouts.jsonl")) for line in path.open(encoding="utf-8")]
    return [json.loads(line) for line in lines]


@pytest.mark.skipif(not LAYOUTS.is_dir(), reason="there is no ../shared/layouts")
def test_there_are_real_files_to_read() -> None:
    assert len(real_layouts()) > 60


@pytest.mark.parametrize("truth", real_layouts(), ids=lambda x: x["id"])
def test_a_real_file_is_read_as_what_it_is(truth: dict[str, Any]) -> None:
    path = LAYOUTS / truth["file"]
    found = read(path)
    # Names of encodings differ where their characters do not: latin-1 and cp1252, UTF-8 with and without a mark.
    text = path.read_bytes().decode(detect_encoding(path))
    assert text == path.read_bytes().decode(truth["encoding"])
    header = tuple(h.strip() for h in truth["header"]) if truth["header"] else None
    dialect = found.dialect
    assert dialect.delimiter == truth["delimiter"]
    assert (dialect.headers if dialect.has_header else None) == header
    assert dialect.preamble_rows == truth["skip_rows"]
    # Third parties also count a column that is always empty, and name no footer where they skip totals by other means.
    assert truth["n_columns"] - 1 <= len(dialect.headers) <= truth["n_columns"]
    assert found.reading.footer_rows >= truth.get("footer_rows", 0)
    assert found.reading.rows_loaded > 0
