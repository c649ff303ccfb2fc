"""Which of two readers reads a line, the one that proves blocks or the tokenizer, changes nothing but the time it takes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from invented import ROOT

from generator.columns.profile import build_profile
from generator.database.ledger import ledger_sql
from generator.dialect import bodies, reading
from generator.dialect.blocks import Prover
from generator.dialect.detection import Dialect
from generator.dialect.encoding import Encoding
from generator.dialect.reading import read_file
from generator.dialect.records import Syntax
from generator.dialect.sorting import Reading
from generator.intake.files import Incoming
from generator.run.load import ReadFile, load_file

NUMBERS = count()
HEADERS = ("id", "name", "city")


def dialect(syntax: Syntax, headers: tuple[str, ...] = HEADERS, widths: frozenset[int] | None = None) -> Dialect:
    return Dialect(
        syntax=syntax,
        headers=headers,
        has_header=True,
        header_line=1,
        preamble_rows=0,
        data_line=2,
        widths=widths or frozenset({len(headers)}),
        comment="#",
        remarks=(),
    )


# ---- both readers give the same ---------------------------------------------------------------------------------------


@dataclass
class Both:
    """Loads a content twice into a database in memory: with blocks as small as can be, and by the tokenizer alone."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def load(self, content: bytes, how: Dialect, fast: bool) -> tuple[Reading, list[Any]]:
        """What was read, and all that the database holds of it."""
        number = next(NUMBERS)
        path, folder = self.folder / "file.csv", self.folder / f"read_{number}"
        path.write_bytes(content)
        folder.mkdir()
        found = read_file(path, "utf-8", how, folder, fast)
        profile = build_profile(how.headers, found.sample, source_file="f", delimiter=",", has_header=True)
        read = ReadFile(path, "", Encoding("utf-8", 1.0), how, found, profile, ())
        row = load_file(
            self.connection,
            Incoming(path, "file.csv", None, "source"),
            read,
            digest=f"{number:016}" + "0" * 48,
            contract=None,
            source="source",
            raw_table="both",
            layout="0" * 8,
            loaded_at=datetime(2024, 1, 1),
        )
        held = [
            self.connection.execute(f"select {what} where {key} = ? order by all", [row.file_id]).fetchall()
            for key, what in [
                ("_file_id", "* exclude (_file_id) from raw.both"),
                ("file_id", "source_row, text, reason from raw._rejects"),
                ("file_id", "source_row, part, text from raw._margins"),
            ]
        ]
        self.connection.execute("drop table raw.both")
        shutil.rmtree(folder)
        return found, held

    def same(self, content: bytes, how: Dialect) -> int:
        """How many lines were not read by the tokenizer; all else must be equal."""
        proved: list[int] = []
        with pytest.MonkeyPatch.context() as patch:
            for module, name, value in [
                *((reading, "BLOCK", 192), (reading, "PIECE", 48), (reading, "TAIL", 3)),
                (bodies, "LINES_A_FILE", 16),
            ]:
                patch.setattr(module, name, value)
            write = bodies.BodyWriter.numbered_lines
            patch.setattr(
                bodies.BodyWriter, "numbered_lines", lambda s, n, lines: (proved.append(len(lines)), write(s, n, lines))
            )
            by_blocks, one = self.load(content, how, True)
            alone = sum(proved)
            by_tokenizer, other = self.load(content, how, False)
        assert one == other
        assert alone == sum(proved)
        for name in (
            "sample",
            "rows_read",
            "rows_loaded",
            "rows_rejected",
            "misfits",
            "short",
            "footer_rows",
            "footer",
            "mended",
        ):
            assert getattr(by_blocks, name) == getattr(by_tokenizer, name), name
        return alone


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute(ledger_sql(ROOT))
        yield Both(connection, tmp_path_factory.mktemp("both"))


SYNTAXES = st.sampled_from(
    [Syntax(), Syntax(";"), Syntax("\t", '"'), Syntax(";", "'", "'"), Syntax(",", '"', "\\"), Syntax("|", "", "")]
)
PLAIN = st.sampled_from(["a", "5", "", "x y", "é", "日本", "\u00a0", "\\", "id", "NULL", "\\N"])
# What is written for one cell; D and Q stand for the delimiter and the quote.
GOOD = st.one_of(
    PLAIN,
    PLAIN,
    PLAIN,
    st.sampled_from(["Qa bQ", "QQ", "QaDbQ", "QaQQbQ", "QQQaQQQ", "QQQQ", "QQQQQQ", "QaDQQbQQQ", "QDQ"]),
)
WILD = st.one_of(
    GOOD,
    st.sampled_from(["Qa\nbQ", "Q\r\nQ", "aQb", "QaQb", "Qa", "aQ", "Q", "QQa", "aQQb", " QaQ", "QaQ ", "\x00", "\\Q"]),
    st.text(st.sampled_from("aQD \n\r\\"), max_size=6),
)
BETWEEN = st.sampled_from(
    [[""], ["#D"], ["idDnameDcity"], ["QidQDname Dcity"], ["x"], ["aDbDcDd"], ["aDb"], ["", "skuDlabelDcolour"]]
)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, Dialect]:
    """A header and lines; most of them have as many cells as it has, and many are repeated."""
    syntax = draw(SYNTAXES)
    usual, widths = draw(st.sampled_from([(3, {3}), (3, {3}), (4, {3, 4}), (3, {3, 4}), (2, {2, 3})]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    written = ["idDnameDcity"]
    for wild in draw(st.lists(st.sampled_from([False, False, True]), min_size=1, max_size=12)):
        cells = draw(st.lists(WILD if wild else GOOD, min_size=min(usual, 3), max_size=min(usual, 3)))
        line = "D".join(cells) + ("D" if usual == 4 else "")
        written += [line] * draw(st.sampled_from([1, 3] if wild else [1, 8, 20]))
        written += draw(BETWEEN) if draw(st.integers(0, 5)) == 5 else []
    text = end.join(written) + draw(st.sampled_from([end, end, "", "\n"]))
    text = text.replace("D", syntax.delimiter).replace("Q", syntax.quote or '"')
    return text.encode(), dialect(syntax, widths=frozenset(widths))


@given(files())
@example((b"id,name,city\n" + b'a,"b""c",\n' * 9 + b'a,"b",c\n' * 9 + b"a,b,c\n" * 9, dialect(Syntax())))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_blocks_and_tokenizer_read_the_same_of_any_file(both: Both, file: tuple[bytes, Dialect]) -> None:
    both.same(*file)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(
    ("lines", "widths"),
    [
        ([b"a,b,c"], {3}),
        ([b'a,"b b",c', b"a,,c", b'"","",""'], {3}),
        ([b'a,"b,""c""",d', b'"""x""",",",""""'], {3}),
        ([b"a,b,c,", b"d,e,f,"], {3, 4}),
        ([b"a,b", b"c,d"], {2, 3}),
    ],
    ids=["plain", "quotes", "quotes inside quotes", "delimiter at the end", "last column left out"],
)
def test_regular_lines_do_not_go_through_the_tokenizer(
    both: Both, lines: list[bytes], widths: set[int], end: bytes
) -> None:
    content = end.join([b"id,name,city", *(lines * 40)[:60], b""])
    assert both.same(content, dialect(Syntax(), widths=frozenset(widths))) > 20


def test_blocks_beside_irregular_lines_are_regular_again(both: Both) -> None:
    plain = b"1,Ann,Rome\n" * 30
    content = b"id,name,city\n" + plain + b'2,"Bob\nBo",Oslo\n' + plain + b"3\n\n" + plain + b"id,name,city\n" + plain
    assert 60 < both.same(content, dialect(Syntax())) < 120


def test_a_second_table_of_regular_lines_is_seen_by_both(both: Both) -> None:
    # So many rows before it that the blank line is the last of a piece in one of them.
    for rows in range(40, 50):
        content = b"id,name,city\n" + b"1,Ann,Rome\n" * rows + b"\nsku,label,colour\n" + b"7,H,r\n" * 60
        assert both.same(content, dialect(Syntax())) < rows
        found, _ = both.load(content, dialect(Syntax()), True)
        assert (found.second_table, found.rows_loaded, found.rows_rejected) == (rows + 3, rows, 61)


# ---- what is not proved -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        *('a"b"c,d,e', '"a"b,c,d', 'a,"b,c', '"a""b,c",d', '"a"";"b",c,d', 'a,"b"c",d', '"a,"b",c",d'),
        *("a,b", "a,b,c,d", "", "#a,b,c", "id,name,city", ' "id", name ,city', "a\rb,c,d", "a,b,c\r", "a\0,b,c"),
    ],
)
def test_a_block_with_such_a_line_is_for_the_tokenizer(lines: str) -> None:
    plain = b"1,Ann,Rome\n" * 3
    prover = Prover(dialect(Syntax()))
    assert prover.prove(plain) is not None
    assert prover.prove(plain + lines.encode() + b"\n" + plain) is None


def test_a_line_that_only_holds_the_header_texts_is_no_header() -> None:
    plain = b"1,Ann,Rome\n" * 3
    found = Prover(dialect(Syntax())).prove(plain + b"name,id,city\n" + plain)
    assert found is not None
    assert len(found.lines) == 7


@pytest.mark.parametrize("syntax", [Syntax("||"), Syntax("§")])
def test_nothing_is_proved_of_delimiters_that_are_not_one_byte(syntax: Syntax) -> None:
    assert not Prover(dialect(syntax)).possible
