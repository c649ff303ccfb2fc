"""Files with something wrong with them come to their clean table, to rejects, or are refused: never wrong in silence.

`python tests/intake_table.py pollution` prints the outcomes of some thousand files by kind. Random combinations are tried
here; `HYPOTHESIS_PROFILE=long` tries fifty times as many.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from corpus import Case, combinations, systematic
from hypothesis import HealthCheck, given, note, settings
from pollution import Draft
from verdict import DOUBTED, EQUAL, REFUSED, REJECTS, WRONG, database, judge

CASES = 50_000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1_000
# What share of a kind's files must come to the clean table, all of it; of every other kind all files must.
EQUAL_SHARES = {
    **dict.fromkeys(["one separator less", "one separator more", "a row in another delimiter"], 0.0),
    **dict.fromkeys(["extra quote, start", "extra quote, middle", "extra quote, end"], 0.97),
    **{"ragged rows": 0.1, "cut-off last line": 0.3, "unescaped quotes": 0.5, "second table after": 0.95},
}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with database() as connection:
        yield connection


def by_kind() -> dict[str, list[Case]]:
    """Fewer rows than the script has, so that it takes seconds."""
    found: dict[str, list[Case]] = defaultdict(list)
    for kind, name, draft in systematic(rows=12):
        found[kind].append((kind, name, draft))
    return found


KINDS = by_kind()


@pytest.mark.parametrize("kind", KINDS)
def test_no_polluted_file_is_wrong_in_silence(kind: str, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    verdicts = [(name, judge(warehouse, tmp_path / "file.csv", draft)) for _, name, draft in KINDS[kind]]
    # What is not equal lacks the record that was touched and no other, or is another reading, and says so.
    honest = (EQUAL, REJECTS, DOUBTED, REFUSED)
    assert [(name, verdict) for name, verdict in verdicts if verdict.what not in honest] == []
    loaded = [verdict.what for _, verdict in verdicts if verdict.what != REFUSED]
    assert loaded.count(EQUAL) >= EQUAL_SHARES.get(kind, 1.0) * len(loaded)


@given(combinations())
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_combination_of_pollutions_is_wrong_in_silence(
    warehouse: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory, case: tuple[str, Draft]
) -> None:
    name, draft = case
    note(name)
    verdict = judge(warehouse, tmp_path_factory.getbasetemp() / "combined.csv", draft)
    assert verdict.what != WRONG, f"{name}: {verdict.why}"
