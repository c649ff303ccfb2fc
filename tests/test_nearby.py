"""What a contract that freezes its columns says of a file that has others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
from invented import layout, shipped

from generator.columns.profile import LayoutProfile
from generator.mapping.nearby import frozen
from generator.mapping.starting import Near
from generator.project.drift import drift

BEFORE = "Customer ID,Last Name,City\n1,Berg,Bonn"


def said(after: str) -> str:
    """The error of a file that has other columns than `BEFORE`."""
    old, new = layout(BEFORE), layout(after)
    near = cast(Near, SimpleNamespace(drift=drift(cast(Any, Known(old)), new)))
    connection = duckdb.connect(":memory:")
    connection.execute("create schema raw")
    columns = ", ".join(f"'{c.values[0]}' as {c.name}" for c in new.columns)
    connection.execute(f"create table raw.crm_1 as select 'f' as _file_id, 2 as _source_row, {columns}")
    row = cast(Any, SimpleNamespace(raw_table="crm_1", file_id="f"))
    return str(frozen(connection, row, shipped("contacts"), new, near))


class Known:
    """A known layout of a profile."""

    dbt_model, source, contract, review, has_header = "stg_crm__contacts_1", "crm", "contacts", "pending", True

    def __init__(self, profile: LayoutProfile) -> None:
        self.headers = {c.name: c.header for c in profile.columns}
        self.shapes = profile.shapes


@pytest.mark.parametrize(
    ("column", "cell", "shown"),
    [
        ("Email 2", "ann.private@home.example", "'xxx.xxxxxxx@xxxx.xxxxxxx'"),
        ("Reach", "ann.private@home.example", "'xxx.xxxxxxx@xxxx.xxxxxxx'"),
        ("Club", "gold", "'gold'"),
    ],
)
def test_the_first_cell_of_a_new_column_is_shown_and_masked_if_it_may_be_personal(
    column: str, cell: str, shown: str
) -> None:
    assert f"`{column}` holds {shown} in line 2" in said(f"Customer ID,Last Name,City,{column}\n1,Berg,Bonn,{cell}")
