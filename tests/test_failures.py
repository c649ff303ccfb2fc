"""The failure table: what the user sees, what is asked and paid, and what becomes of the layout, for both APIs."""

from __future__ import annotations

from pathlib import Path

import pytest
from failures import APIS, CASES, KEY, Case, landed, run
from projects import LiveProject
from riddle import PLAIN, RIDDLE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LiveProject]:
    return {text: landed(tmp_path_factory.mktemp("landed") / "project", text) for text in (RIDDLE, PLAIN)}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_behaviour_of_an_endpoint_ends_as_the_table_says(
    case: Case, api: str, projects: dict[str, LiveProject], tmp_path: Path
) -> None:
    seen = run(case, api, projects[case.text], tmp_path / "project")
    assert (seen.state, seen.requests, seen.attempts) == (case.state, case.requests, case.attempts), seen
    assert case.says in seen.said
    if seen.state == "blocked":
        assert seen.said.startswith("no mapping by openai")
    # A try whose answer is lost is charged with the 16,000 tokens that the answer may have had, and with the prompt.
    assert seen.tokens_out == 200 * case.paid + 16_000 * case.lost
    assert seen.tokens_in == 1000 * case.paid or (case.lost and seen.tokens_in > 1000 * (case.paid + case.lost))
    assert seen.usd == pytest.approx((2 * seen.tokens_in + 8 * seen.tokens_out) / 1_000_000)
    assert seen.said.isprintable() and len(seen.said) < 2000
    assert "Traceback" not in seen.output
    models = list((seen.project.folder / "models/staging").glob("*/*.sql"))
    assert len(models) == (seen.state != "blocked")
    files = [p for p in seen.project.folder.rglob("*") if p.is_file()]
    assert KEY not in seen.output and [p for p in files if KEY.encode() in p.read_bytes()] == []
