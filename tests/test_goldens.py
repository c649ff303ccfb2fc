"""Every nasty file in `tests/data` comes to the raw table beside it, with what is said of it. See goldens.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from goldens import DATA, FILES, golden, taken_in
from verdict import database


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with database() as connection:
        yield connection


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_a_nasty_file_gives_the_raw_table_beside_it(path: Path, warehouse: duckdb.DuckDBPyConnection) -> None:
    assert taken_in(warehouse, path) == golden(path)


def test_every_nasty_file_has_its_raw_table_and_no_other_is_there() -> None:
    stems = {p.stem for p in FILES}
    assert len(stems) == len(FILES) >= 50
    names = {name for p in FILES for name in (p.name, f"{p.stem}.yml", f"{p.stem}.rows.csv")}
    assert {p.name for p in DATA.iterdir()} == names
