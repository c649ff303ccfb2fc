"""What a contract does with what it does not expect, after dlt's words: `meta.schema_contract`. Pure.

A file with other columns than its layout (`columns`): evolve makes a new layout, freeze blocks the file, discard_row and
discard_value take the mapping as it is and quarantine the rows that hold something in a new column, or let that be.
A cell that cannot be read or is not accepted (`data_type`): discard_row quarantines its row, discard_value its value
alone, freeze its file. The dbt macros read the same yml, so that `dbt run` does the same by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from generator.errors import UsageError

ColumnsMode: TypeAlias = Literal["evolve", "freeze", "discard_row", "discard_value"]
CellsMode: TypeAlias = Literal["freeze", "discard_row", "discard_value"]


@dataclass(frozen=True)
class Modes:
    """The modes of a contract. `cells`: gold column -> its own mode, where it is another than `data_type`."""

    columns: ColumnsMode = "evolve"
    data_type: CellsMode = "discard_row"
    cells: Mapping[str, CellsMode] = field(default_factory=dict)

    def of(self, column: str, required: bool) -> CellsMode:
        """What is done with a bad cell of a gold column; of one that cannot be NULL no value is discarded alone."""
        found = self.cells.get(column, self.data_type)
        return "discard_row" if required and found == "discard_value" else found


def parse_modes(raw: Any, columns: Sequence[str], required: Sequence[str], here: str) -> Modes:
    """The modes in a contract's meta. `required`: columns that cannot be NULL. UsageError names what is wrong."""
    given = _mapping(raw, here, ("columns", "data_type", "groups"))
    cells: dict[str, CellsMode] = {}
    groups = given.get("groups")
    groups = [] if groups is None else groups
    if not isinstance(groups, list):
        raise UsageError(f"{here}: groups must be a list, such as - {{of: [memo], data_type: discard_value}}")
    for group in groups:
        named = _mapping(group, f"{here}: groups", ("of", "data_type"))
        of = named.get("of")
        if not isinstance(of, list) or not of or "data_type" not in named:
            raise UsageError(
                f"{here}: a group names its columns and their mode: {{of: [memo], data_type: discard_value}}"
            )
        for name in of:
            if name not in columns:
                raise UsageError(f"{here}: groups names {name!r}, which is no column of it")
            if name in cells:
                raise UsageError(f"{here}: column {name} is in two groups; leave it in one")
            cells[name] = _mode(named, "data_type", CellsMode, "discard_row", here)
            if name in required and cells[name] == "discard_value":
                raise UsageError(
                    f"{here}: {name} cannot be NULL, so its values cannot be discarded alone; discard_row or freeze"
                )
    return Modes(
        columns=_mode(given, "columns", ColumnsMode, "evolve", here),
        data_type=_mode(given, "data_type", CellsMode, "discard_row", here),
        cells=cells,
    )


def _mapping(raw: Any, here: str, known: Sequence[str]) -> dict[str, Any]:
    if raw is not None and not isinstance(raw, dict):
        raise UsageError(f"{here} must be a mapping of {', '.join(known)}")
    if unknown := [key for key in raw or {} if key not in known]:
        raise UsageError(f"{here}: {unknown[0]!r} is not known; it takes {', '.join(known)}")
    return raw or {}


def _mode(given: Mapping[str, Any], key: str, modes: Any, default: Any, here: str) -> Any:
    found = given.get(key, default)
    if found not in get_args(modes):
        raise UsageError(f"{here}: {key} is {found!r}; it must be {', '.join(get_args(modes))}")
    return found
