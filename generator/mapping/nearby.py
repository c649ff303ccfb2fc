"""The known layout that a file's new one is nearly, and what the contract lets a file with other columns do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from generator.candidate import Candidate
from generator.columns.mask import mask
from generator.columns.profile import LayoutProfile
from generator.contracts.contract import Contract
from generator.database.ledger import Connection, LedgerRow
from generator.errors import MAP_AND_BUILD, Frozen
from generator.llm.privacy import Disclosure
from generator.mapping.generate import Generated
from generator.mapping.starting import Near
from generator.matcher.expressions import identifier
from generator.matcher.matching import ranked
from generator.project.drift import nearest
from generator.project.layouts import Layout
from generator.project.written import names_in
from generator.visible import plain

# Characters of a header or a cell that a person is shown.
SHOWN = 80


def find_near(
    layouts: Sequence[Layout], contract: Contract, profile: LayoutProfile, source: str, settled: AbstractSet[str]
) -> Near | None:
    """The nearest known layout, if one is near. Of other sources only those whose dbt model is `settled`: which of the
    layouts that are asked about at the same time comes first is chance.
    """
    candidates = [x for x in layouts if x.source == source or x.dbt_model in settled]
    found = nearest(candidates, contract.name, profile, source)
    if found is None:
        return None
    layout, drift = found
    return Near(
        drift=drift,
        own=layout.source == source,
        discarding=layout.source == source and contract.modes.columns in ("discard_row", "discard_value"),
        sql=layout.path.read_text(encoding="utf-8"),
        columns=layout.columns,
        questions=layout.questions,
        approved=layout.approved,
        edited=layout.edited,
        provenance=layout.provenance,
        answered=layout.answered,
        handed_down=frozenset((layout.drift or {}).get("by_hand", ())),
    )


def is_frozen(contract: Contract, near: Near) -> bool:
    """Whether the contract freezes the columns of its layouts, and a file that is nearly one of them has others."""
    return contract.modes.columns == "freeze" and near.own and near.drift.columns


def frozen(connection: Connection, row: LedgerRow, contract: Contract, profile: LayoutProfile, near: Near) -> Frozen:
    """What is said of such a file, with the first cell in a new column; masked where that may hold personal data."""
    said = [plain(change, 3 * SHOWN) for change in near.drift.changes]
    told = Disclosure(contract, profile, ranked(profile, contract))
    new = {c.name: c for c in profile.columns}
    for name, header in near.drift.added.items():
        cell = connection.execute(
            f"select _source_row, {identifier(name)} from raw.{identifier(row.raw_table)} "
            f"where _file_id = ? and trim({identifier(name)}) != '' order by _source_row limit 1",
            [row.file_id],
        ).fetchone()
        if cell:
            shown = mask(cell[1]) if told.is_personal(new[name]) else cell[1]
            said.append(f"`{plain(header, SHOWN)}` holds {plain(repr(shown), SHOWN)} in line {cell[0]}")
            break
    return Frozen(
        f"gold.{contract.name} is frozen for other columns, and this file is not as those of {near.drift.origin}: "
        f"{'; '.join(said)}. Correct the file, or allow it in models/gold/{contract.name}.yml (schema_contract, columns: "
        f"evolve); then: {MAP_AND_BUILD}",
        near.drift.origin,
    )


def discarded(near: Near | None, made: Candidate | None = None) -> Mapping[str, str]:
    """The columns of a new layout that the contract has left out: safe name -> header text.

    What is only guessed to be a column that was there before is new, too, if the mapping that was `made` does not read it.
    """
    if near is None or not near.discarding:
        return {}
    drift = near.drift
    if made is None:
        return drift.added
    read = {s for mapping in made.columns.values() for s in mapping.source_columns}
    read |= {name.lower() for name in names_in(made.row_filter or "")}
    unread = {drift.names[old] for old in drift.guessed} - read
    return {name: header for name, header in drift.after.items() if name in drift.added or name in unread}


def without(profile: LayoutProfile, columns: AbstractSet[str]) -> LayoutProfile:
    """A layout as if it had not these columns."""
    return replace(profile, columns=tuple(c for c in profile.columns if c.name not in columns))


def drift_meta(near: Near | None, made: Generated) -> dict[str, Any] | None:
    """What the yml of a new layout says of the known one that it is nearly."""
    if near is None:
        return None
    left_out = list(discarded(near, made.candidate))
    return {
        "from": near.drift.origin,
        "changes": list(near.drift.changes),
        **({"changed": dict(made.changed)} if made.changed else {}),
        "kept": list(made.kept),
        **({"by_hand": list(made.by_hand)} if made.by_hand else {}),
        **({"discarded": left_out} if left_out else {}),
    }
