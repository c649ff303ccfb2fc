"""What became of a polluted file: loaded as it should be, with rejects, refused, or wrong in silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
from invented import ROOT
from pollution import Cells, Draft, Line

from generator.database.ledger import LedgerRow, ledger_sql
from generator.errors import GoldsmithError
from generator.intake.files import Incoming
from generator.run.load import load_file, read_incoming

EQUAL, REJECTS, OVER, REFUSED, WRONG = "equal", "rejects only", "too many rejects", "refused", "WRONG"
# Another table or header than the true one was found where nobody can be sure, and that is said; refused without need.
DOUBTED, NEEDLESS = "another reading, said", "refused needlessly"
_NUMBERS = count()


@dataclass(frozen=True)
class Loaded:
    """What the database holds of a file: its line in the ledger, its rows, rejects and margins by physical line."""

    ledger: LedgerRow
    rows: dict[int, Cells]
    rejects: dict[int, tuple[str, str]]
    margins: list[tuple[int, str, str]]

    @property
    def said(self) -> bool:
        """Whether a remark was made."""
        return bool(self.ledger.remarks)


@dataclass(frozen=True)
class Verdict:
    """`what` is one of the outcomes above, `why` says it of the first line that is not as it should be."""

    what: str
    why: str = ""
    said: bool = False


def database() -> duckdb.DuckDBPyConnection:
    """A warehouse in memory."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute(ledger_sql(ROOT))
    return connection


def load(connection: duckdb.DuckDBPyConnection, path: Path) -> Loaded:
    """Load a file and say what is there of it then. Raises GoldsmithError for a file that is refused."""
    incoming = Incoming(path, path.name, None, "source")
    number = next(_NUMBERS)
    table, digest = f"t_{number}", f"{number:016}".ljust(64, "0")
    with read_incoming(incoming) as read:
        row = load_file(
            connection,
            incoming,
            read,
            digest=digest,
            contract=None,
            source="s",
            raw_table=table,
            layout="0" * 8,
            loaded_at=datetime(2024, 1, 1),
        )

    def query(sql: str) -> list[Any]:
        return connection.execute(sql, [row.file_id]).fetchall()

    keys = "_file_id, _source_file, _preamble, _footer"
    found = query(f'select _source_row, * exclude (_source_row, {keys}) from raw."{table}" where _file_id = ?')
    rejects = query("select source_row, text, reason from raw._rejects where file_id = ?")
    margins = query("select source_row, part, text from raw._margins where file_id = ? order by source_row")
    connection.execute(f'drop table raw."{table}"')
    rows = {line: tuple(cells) for line, *cells in found}
    assert (len(rows), len(rejects)) == (len(found), len({line for line, *_ in rejects})), "two records of one line"
    return Loaded(row, rows, {line: (text, why) for line, text, why in rejects}, margins)


def judge(connection: duckdb.DuckDBPyConnection, path: Path, draft: Draft) -> Verdict:
    """Write the file, load it, compare."""
    path.write_bytes(draft.content())
    try:
        loaded = load(connection, path)
    except GoldsmithError as error:
        return Verdict(REFUSED if draft.refusable else NEEDLESS, str(error))
    order = (EQUAL, REJECTS, OVER, DOUBTED, WRONG)
    found = [_compare(loaded, reading) for reading in (draft, *draft.others)]
    best = min(found, key=lambda v: order.index(v.what))
    return best if best.what != WRONG else found[0]


def _compare(loaded: Loaded, draft: Draft) -> Verdict:
    said, ledger = loaded.said, loaded.ledger
    counts = (ledger.rows_read, ledger.rows_loaded, ledger.rows_rejected)
    if counts != (len(loaded.rows) + len(loaded.rejects), len(loaded.rows), len(loaded.rejects)):
        return Verdict(WRONG, f"the ledger's counts are {counts}", said)
    problem, by_line = _header_problem(loaded, draft), {}
    if problem:
        doubted = any("header" in remark or "table" in remark for remark in ledger.remarks)
        return Verdict(DOUBTED if doubted else WRONG, problem, said)
    rejected: list[Line] = []
    for number, line, text in draft.texts():
        if line.role == "blank" and not text:
            continue  # between mixed line ends it may be no line of its own
        by_line[number] = line
        problem = _line_problem(loaded, draft, number, line, text)
        if problem:
            return Verdict(
                DOUBTED if draft.refusable and said else WRONG,
                f"line {number} ({line.role}): {problem}: {text[:150]!r}",
                said,
            )
        if line.role == "row" and number in loaded.rejects:
            rejected.append(line)
    strange = [n for n in (*loaded.rows, *loaded.rejects) if n not in by_line]
    if strange:
        return Verdict(WRONG, f"there is no record at line {strange[0]}", said)
    if draft.said and not (said or loaded.rejects):
        return Verdict(WRONG, "loaded without a remark", said)
    if not rejected:
        return Verdict(EQUAL, "", said)
    innocent = [n for n, line in by_line.items() if n in loaded.rejects and line.role == "row" and not line.touched]
    if innocent:
        return Verdict(OVER, f"{len(innocent)} innocent rows rejected, the first is line {innocent[0]}", said)
    return Verdict(REJECTS, "", said)


def _header_problem(loaded: Loaded, draft: Draft) -> str:
    if loaded.ledger.headers in draft.headers:
        return ""
    if loaded.ledger.headers in draft.doubtful_headers:
        return "" if loaded.said else f"the header is {loaded.ledger.headers}, and nothing was said"
    return f"the header is {loaded.ledger.headers}"


def _line_problem(loaded: Loaded, draft: Draft, number: int, line: Line, text: str) -> str:
    """What is wrong with what became of a line; '' if nothing is."""
    # Of two byte order marks the second is text.
    cells, around = loaded.rows.get(number), {(at, kept.lstrip("\ufeff")): part for at, part, kept in loaded.margins}
    if number in loaded.rejects and loaded.rejects[number][0] != text:
        return f"rejected with another text: {loaded.rejects[number][0][:150]!r}"
    if line.role == "header":
        kept = loaded.ledger.headers in draft.headers or (number, text) in around or number in loaded.rejects
        return "" if kept or (cells and _fits(cells, line)) or loaded.said else "the header is lost"
    if line.role == "row":
        if cells is not None:
            if _fits(cells, line) or (line.touched and loaded.said and (line.said(cells) or _literal(cells, line))):
                return ""
            return f"loaded as {tuple(c[:40] for c in cells)}"
        if number in loaded.rejects or (line.touched and loaded.ledger.headers == line.clean):
            return ""
        if line.touched and loaded.said and around.get((number, text)) == "preamble":
            return ""
        return "kept beside the data only" if (number, text) in around else "lost"
    if cells is not None:
        if line.touched and loaded.said:
            return ""
        return f"loaded as data: {tuple(c[:40] for c in cells)}"
    # Where a margin is kept line by line, a record of several lines is on several.
    lines = list(enumerate(text.split("\n"), number))
    kept = number in loaded.rejects or (number, text) in around or set(lines) <= set(around)
    return "" if kept or not text.strip() or line.role == "blank" else "lost"


def _fits(cells: Cells, line: Line) -> bool:
    """Whether cells are what they should be; a longer header gives empty cells at the end."""
    clean = line.clean or ()
    shorter = cells[: len(clean)]
    return line.other(cells) or (not any(cells[len(clean) :]) and (shorter == clean or line.other(shorter)))


def _literal(cells: Cells, line: Line) -> bool:
    """Whether cells are the clean ones or, quotes and all, as they stand in the file."""
    pieces, clean = line.pieces, line.clean or ()
    if not len(cells) == len(pieces) == len(clean):
        return False
    return all(
        c in (p, wanted) or line.other((*clean[:i], c, *clean[i + 1 :]))
        for i, (c, p, wanted) in enumerate(zip(cells, pieces, clean, strict=True))
    )
