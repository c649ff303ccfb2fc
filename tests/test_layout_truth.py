"""The real files beside the repository are read as they are: encoding, delimiter, header, lines above it.

They are third parties' files and not part of the repository: without `../shared/layouts` there is nothing to test.
`python tests/intake_table.py layouts` prints the table.
"""

from __future__ import annotations

from typing import Any

import pytest
from layout_truth import compared, described

FILES = described()

pytestmark = pytest.mark.skipif(not FILES, reason="there is no ../shared/layouts")


@pytest.mark.parametrize("known", FILES, ids=lambda known: known["id"])
def test_a_real_file_is_read_as_it_is(known: dict[str, Any]) -> None:
    assert [wrong for wrong in compared(known).wrong if not wrong.startswith("footer_rows")] == []


def test_the_lines_after_the_data_are_known() -> None:
    """Where the description counts a total or a legal text as a row of data, more is found than it says."""
    facts = [fact for known in FILES for fact in compared(known).facts if fact[0] == "footer_rows"]
    assert sum(agrees for *_, agrees in facts) >= len(facts) - 3
    assert all(found >= true for _, found, true, _ in facts if isinstance(found, int) and isinstance(true, int))
