"""Hundreds of wrong mappings made of right ones: none that changes what is required passes in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from wrong_mappings import Judged, examples, judged, loaded, table

# A pair of columns with a running balance; a flag.
SOME = ("barclays", "mint")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """What becomes of the wrong mappings of some examples."""
    files = {name: path for name, path in examples().items() if path.parts[-2] in SOME}
    return list(judged(loaded(tmp_path_factory.mktemp("wrong"), files)))


def test_no_wrong_date_or_amount_is_silent(found: list[Judged]) -> None:
    assert {Path(one.file).parts[-2] for one in found} == set(SOME)
    assert [(one.file, one.kind) for one in found if one.verdict == "silent" and one.changes_required] == []


def test_hardly_any_other_mistake_is_silent(found: list[Judged]) -> None:
    silent = [one for one in found if one.verdict == "silent"]
    assert len(found) > 80
    assert len(silent) <= 0.05 * len(found), table(found)
