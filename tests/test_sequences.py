"""Random sequences of files, edits, approvals and changes of contracts: edits are kept, gold is true, books balance.

Few of them; `SEQUENCES=10000 python tests/sequences.py` tries many.
"""

from __future__ import annotations

import pytest
from lives import EDITS, Life, edited, effects
from promises import Promise
from sequences import try_batch

pytestmark = pytest.mark.slow


def test_what_must_hold_holds_after_any_sequence() -> None:
    try_batch(0, projects=2, lives=6)


def test_a_record_that_gold_must_not_hold_is_known() -> None:
    promise = Promise("readings")
    row = next(iter(Life.born(1, "readings").file(Life.born(1, "readings").shapes[0], False).rows.values()))
    assert promise.keeps(row.values)
    assert not promise.changed("kwh whole").keeps(row.values)
    assert not promise.keeps({**row.values, "kind": "dusk"})
    assert promise.changed("accept dusk").keeps({**row.values, "kind": "dusk"})


def test_an_edit_is_seen_in_the_text_that_it_makes() -> None:
    sql = "    mapped as (\n    select\n        clean_text(meter) as meter,\n        x as kwh\n    from source\n)\n"
    for edit in EDITS:
        text = edited(sql, edit)
        assert text is None or not edit.mark or effects(text) == [edit]
