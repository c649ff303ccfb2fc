"""Invented tables for the tests, profiled and evaluated as Goldsmith does it."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from generator.candidate import Candidate
from generator.columns.profile import LayoutProfile, build_profile
from generator.contracts.contract import Contract, load_contracts
from generator.database.sql_functions import create_functions_sql

ROOT = Path(__file__).parents[1]
LAYOUTS = ROOT.parent / "shared" / "layouts"


@cache
def shipped(name: str) -> Contract:
    """One of the four contracts of this repository."""
    return load_contracts(ROOT / "models" / "gold")[name]


@cache
def functions() -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that has the project's SQL functions."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute(create_functions_sql(ROOT / "macros"))
    return connection


def layout(text: str, *, delimiter: str = ",", has_header: bool = True, preamble: str = "") -> LayoutProfile:
    """The profile of a table written as CSV; blanks around its lines do not count."""
    rows = list(csv.reader((line.strip() for line in text.strip().splitlines()), delimiter=delimiter))
    headers = rows.pop(0) if has_header else [f"column_{i + 1}" for i in range(len(rows[0]))]
    return build_profile(
        headers, rows, source_file="file.csv", delimiter=delimiter, has_header=has_header, preamble=preamble
    )


def evaluate(profile: LayoutProfile, expression: str) -> list[Any]:
    """What a SQL expression over the profile's columns makes of its rows in DuckDB."""
    names = ", ".join(f'"{c.name}"' for c in profile.columns)
    marks = ", ".join("?" for _ in profile.columns)
    rows = list(zip(*(c.values for c in profile.columns), strict=True))
    table = f"(values {', '.join([f'({marks})'] * len(rows))}) as source({names})"
    found = functions().execute(f"select {expression} from {table}", [cell for row in rows for cell in row]).fetchall()
    return [value for (value,) in found]


def evaluated(profile: LayoutProfile, candidate: Candidate, column: str) -> list[Any]:
    """A gold column as a candidate makes it of the profile's rows; None for each if it has no expression."""
    return evaluate(profile, candidate.columns[column].expression or "null")
