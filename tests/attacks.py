"""Attacks on the fence around what an LLM answers, by kind. `python tests/attacks.py` prints how many are through.

An attack is through if the checks let it pass, for SQL that must never run; if it stops or outlasts the query, for SQL
that may run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
from answer_attacks import ANSWERS, answered
from attack_sql import BOMBS, EXPRESSIONS, FILTERS, KEYS, PARSER_BOMBS, RESHAPE_BOMBS, RESHAPES, STOPPERS
from text_attacks import TEXTS, shown_raw

from generator.candidate import Candidate, ColumnMapping
from generator.checks import guarded, static_violations
from generator.checks.grammar import FUNCTIONS
from generator.contracts.contract import Column, Contract
from generator.database.sql_functions import create_functions_sql, function_names

MACROS = Path(__file__).parents[1] / "macros"
OURS = function_names(MACROS)
COLUMNS = frozenset({"name", "betrag", "datum", "date", "text"})
CONTRACT = Contract("notes", "", (Column("memo", "text"),))
# Attacks as an expression that are ordinary SQL where more is allowed.
NAMES_MORE = {"name, betrag"}
FINE_IN_A_RESHAPE = {"_file_id", *(sql for sql in EXPRESSIONS if 4000 < len(sql) < 5000)}
ODD = (
    "boom",
    "",
    "x",
    "9" * 28,
    "-9223372036854775808",
    "1e308",
    "nan",
    "\\",
    "%",
    "1,5",
    None,
    "2024-02-30",
    "a" * 300,
)


@dataclass(frozen=True)
class Kind:
    """`cases` of one kind; `through` tells whether one of them gets through."""

    name: str
    cases: Sequence[str]
    through: Callable[[str], bool]


def passes(**fields: object) -> bool:
    """Whether a candidate passes the static checks."""
    columns = fields.pop("columns", {"memo": ColumnMapping()})
    candidate = Candidate.model_validate({"columns": columns, **fields})
    return not static_violations(candidate, CONTRACT, COLUMNS, OURS)


def as_expression(sql: str) -> bool:
    """Whether an expression passes, as it is."""
    return passes(columns={"memo": ColumnMapping(expression=sql, source_columns=tuple(COLUMNS))})


def in_any_hole(sql: str) -> bool:
    """Whether an expression passes in any of the places where it could stand."""
    holes = [
        as_expression(sql),
        passes(row_filter=sql),
        passes(row_filter=f"({sql}) is not null"),
        sql not in NAMES_MORE and passes(row_filter=f"coalesce({sql}, 'x') = 'y'"),
    ]
    if sql not in FINE_IN_A_RESHAPE:
        holes.append(passes(reshape=f"select {KEYS}, name, {sql} as leak from source"))
        holes.append(passes(reshape=f"select {KEYS}, name from source where ({sql}) is not null"))
    return any(holes)


def called(function: str) -> bool:
    """Whether a function can be called in any way."""
    calls = (
        f"{function}(name)",
        f"{function}()",
        f"{function} ('x', name)",
        f"name.{function}()",
        f"try({function}(name))",
    )
    relation = f"select {KEYS}, x as name from {function}('x') as t(x)"
    return any(map(as_expression, calls)) or as_expression(f"({relation})") or passes(reshape=relation)


@cache
def rows(*cells: str | None) -> duckdb.DuckDBPyConnection:
    """A database whose `source` has every pair of these cells in two columns."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(create_functions_sql(MACROS))
    connection.execute("create table source (name varchar, betrag varchar, datum varchar, date varchar, text varchar)")
    pairs = [(a, b, a, b, a) for a in cells for b in cells]
    connection.executemany("insert into source values (?, ?, ?, ?, ?)", pairs)
    return connection


def stops(sql: str) -> bool:
    """Whether what passes runs on the rows of today, and an odd cell of tomorrow stops it."""
    for whole in (sql, f"case when name = 'boom' then cast({sql} as text) end"):
        mapping = ColumnMapping(expression=whole, source_columns=tuple(COLUMNS))
        candidate = guarded(Candidate(columns={"memo": mapping}))
        expression = candidate.columns["memo"].expression
        if not static_violations(candidate, CONTRACT, COLUMNS, OURS):
            query = f"select max(memo::text) from (select {expression} as memo from source)"
            if _runs(query, "12", "1,5") and not _runs(query, *ODD):
                return True
    return False


def _runs(query: str, *cells: str | None) -> bool:
    try:
        rows(*cells).execute(query).fetchall()
    except duckdb.Error:
        return False
    return True


def unlisted() -> list[str]:
    """Every function of the installed DuckDB that no mapping may call; operators are none."""
    found = duckdb.execute("select distinct function_name from duckdb_functions() order by 1").fetchall()
    return [name for (name,) in found if name.lower() not in FUNCTIONS | OURS and name[0].isalpha()]


KINDS = (
    Kind("SQL in every hole", EXPRESSIONS, in_any_hole),
    Kind("row filters", FILTERS, lambda sql: passes(row_filter=sql)),
    Kind("reshapes", RESHAPES, lambda sql: passes(reshape=sql)),
    Kind("functions of DuckDB", unlisted(), called),
    Kind("bombs", BOMBS, lambda sql: as_expression(sql) or passes(row_filter=f"({sql}) is not null")),
    Kind("bombs for a parser", PARSER_BOMBS, in_any_hole),
    Kind("bombs in a reshape", RESHAPE_BOMBS, lambda sql: passes(reshape=sql)),
    Kind("cells that stop the query", STOPPERS, stops),
    Kind("answers that are none", ANSWERS, answered),
    Kind("texts: Jinja, YAML, HTML, terminal, prompt", TEXTS, shown_raw),
)


def main() -> None:
    """Print the table; exit 1 if anything is through."""
    total = 0
    print("| kind | cases | through |\n| --- | ---: | ---: |")
    for kind in KINDS:
        found = [case for case in kind.cases if kind.through(case)]
        total += len(found)
        print(f"| {kind.name} | {len(kind.cases):,} | {len(found)} |")
        print("".join(f"    {case[:200]!r}\n" for case in found), end="", file=sys.stderr)
    print(f"| all | {sum(len(kind.cases) for kind in KINDS):,} | {total} |")
    sys.exit(bool(total))


if __name__ == "__main__":
    main()
