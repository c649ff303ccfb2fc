"""Find the mapping of a loaded file, or keep the one that was made for it: steps 5 and 9 for one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Literal

from generator.columns.fingerprint import fingerprint
from generator.columns.profile import LayoutProfile
from generator.contracts.contract import Contract
from generator.database.ledger import Connection, LedgerRow, connect, read_files, update_file
from generator.errors import GoldsmithError
from generator.intake.archive import Original
from generator.mapping.generate import Bench, Generated
from generator.mapping.nearby import discarded, drift_meta, find_near, frozen, is_frozen, without
from generator.mapping.recognising import contract_of, example_for, profile_of
from generator.mapping.sandbox import Sandbox
from generator.mapping.starting import Near
from generator.mapping.verifying import reads
from generator.matcher.request import Example
from generator.project.drift import Drift
from generator.project.layouts import Layout, find_layout, read_layouts
from generator.project.project import Project
from generator.project.render import LayoutName, render_sql, render_yml
from generator.project.staging_files import write_contract_models, write_layout


@dataclass(frozen=True)
class Mapped:
    """A file with a mapping: which layout, and whether it was there or made now."""

    layout: Layout
    how: Literal["cached", "generated"]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unmapped:
    """A loaded file with a layout that no dbt model reads yet; an approved mapping as an example, and the known layout that
    it is nearly, if there are such.
    """

    row: LedgerRow
    contract: Contract
    profile: LayoutProfile
    example: Example | None = None
    near: Near | None = None

    @property
    def discarded(self) -> Mapping[str, str]:
        """The columns that the contract has left out, safe name -> header text: nobody is told of them."""
        return discarded(self.near)

    @property
    def name(self) -> LayoutName:
        """The names of the layout to be."""
        return LayoutName(self.row.source, self.contract.name, fingerprint(self.profile.headers, self.profile.shapes))


def find_mapping(
    project: Project,
    row: LedgerRow,
    contract_name: str | None,
    layouts: Sequence[Layout],
    settled: AbstractSet[str] | None = None,
) -> Mapped | Unmapped:
    """Step 5 for one loaded file: the cached layout that reads it, entered in the ledger, or what is known without one.

    `settled`: the dbt models that were there before any was asked about at the same time as this one, if not all.
    Raises GoldsmithError for a contract that is not clear, and for other columns where they are frozen; LockedError,
    DiskFullError, and what is wrong with the project, say nothing about the file.
    """
    found = look_up(project, row, contract_name, layouts, settled)
    if isinstance(found, Unmapped):
        return found
    with connect(project.database, project.folder) as connection:
        _adopt(connection, project, row, found, layouts)
    return Mapped(found, "cached")


def look_up(
    project: Project,
    row: LedgerRow,
    contract_name: str | None,
    layouts: Sequence[Layout],
    settled: AbstractSet[str] | None = None,
) -> Layout | Unmapped:
    """As `find_mapping`, with nothing entered anywhere."""
    with connect(project.database, project.folder) as connection:
        profile = profile_of(connection, row)
        contract = contract_of(project, profile, layouts, contract_name or row.contract)
        layout = find_layout(layouts, contract.name, profile.headers, profile.shapes, row.source)
    # The sandbox opens the database by itself.
    if layout and (_is_exact(layout, profile) or reads(project, row, contract, layout, profile)):
        return layout
    known = {x.dbt_model for x in layouts} if settled is None else settled
    near = find_near(layouts, contract, profile, row.source, known)
    if near and is_frozen(contract, near):
        with connect(project.database, project.folder) as connection:
            raise frozen(connection, row, contract, profile, near)
    return Unmapped(row, contract, profile, example_for(layouts, contract, profile), near)


def nearly(project: Project, row: LedgerRow, contract_name: str | None, layouts: Sequence[Layout]) -> Drift | None:
    """What a file has other than the known layout that it is nearly; None where none is near, or no contract is clear."""
    with connect(project.database, project.folder) as connection:
        profile = profile_of(connection, row)
    try:
        contract = contract_of(project, profile, layouts, contract_name or row.contract)
    except GoldsmithError:
        return None
    near = find_near(layouts, contract, profile, row.source, {x.dbt_model for x in layouts})
    return near.drift if near else None


def bench_of(project: Project, unmapped: Unmapped) -> Bench:
    """What candidates for a file's layout are judged with; its sandbox has a copy of the rows."""
    row = unmapped.row
    sandbox = Sandbox.of_file(project.functions_sql, project.database, f"raw.{row.raw_table}", row.file_id)
    profile = without(unmapped.profile, unmapped.discarded.keys())
    return Bench(profile, unmapped.contract, sandbox, project.function_names)


def keep(project: Project, unmapped: Unmapped, made: Generated, layouts: Sequence[Layout]) -> Mapped:
    """Step 9: write the dbt model and the yml of a new mapping, and enter it in the ledger."""
    name, contract = unmapped.name, unmapped.contract
    with connect(project.database, project.folder) as connection:
        # Of a layout of that name that was deleted, a view may be left; it is to be built anew, whatever comes between.
        connection.execute("delete from raw._staged where layout = ?", [name.dbt_model])
    left_out = dict.fromkeys(
        discarded(unmapped.near, made.candidate), f"schema_contract, columns: {contract.modes.columns}"
    )
    candidate = made.candidate.model_copy(update={"unmapped": {**made.candidate.unmapped, **left_out}})
    sql = render_sql(name, candidate, contract)
    drift = drift_meta(unmapped.near, made)
    yml = render_yml(name, candidate, contract, unmapped.profile, made.provenance, sql, drift, made.answered)
    path = write_layout(project.folder, name, sql, yml)
    now = read_layouts(project.folder)
    write_contract_models(project.folder, list(project.contracts), now)
    layout = next(x for x in now if x.path == path)
    with connect(project.database, project.folder) as connection:
        _adopt(connection, project, unmapped.row, layout, layouts)
    return Mapped(layout, "generated", made.notices)


def block(
    project: Project, row: LedgerRow, contract: str | None, message: str, name: LayoutName | None = None
) -> LedgerRow:
    """Enter in the ledger that no mapping of a file was found, and why. `name`: the layout that none was found for; the rows
    of a file that was loaded beside those of another one, whose dbt model does not read it, leave that one's table.
    """
    place = {"layout": name.short, "raw_table": name.raw_table} if name else {}
    decision: dict[str, Any] = {"contract": contract, "state": "blocked", "message": message, **place}
    with connect(project.database, project.folder) as connection:
        connection.begin()
        _move(connection, row, decision.get("raw_table", row.raw_table))
        _decide(connection, project, row, **decision)
        connection.commit()
    return replace(row, **decision)


def adopt_known(
    connection: Connection, project: Project, row: LedgerRow, contract_name: str | None, layouts: Sequence[Layout]
) -> Layout | None:
    """The cached layout that a loaded file has to the last format, entered in the ledger; None if there is none.

    A file without rows has no formats: its headers are enough.
    """
    if row.rows_loaded and row.layout not in {x.short for x in layouts}:
        return None
    profile = profile_of(connection, row)
    try:
        contract = contract_of(project, profile, layouts, contract_name or row.contract)
    except GoldsmithError:
        return None
    layout = find_layout(layouts, contract.name, profile.headers, profile.shapes, row.source)
    if layout is None or (row.rows_loaded and not _is_exact(layout, profile)):
        return None
    _adopt(connection, project, row, layout, layouts)
    return layout


def _decide(connection: Connection, project: Project, row: LedgerRow, **decision: Any) -> None:
    """Enter what was decided on a file; first in the archive, so that a lost database takes no decision with it."""
    project.archive.describe(Original.of(replace(row, **decision)))
    update_file(connection, row.file_id, **decision)


def _is_exact(layout: Layout, profile: LayoutProfile) -> bool:
    return layout.fingerprint == fingerprint(profile.headers, profile.shapes)


def _adopt(connection: Connection, project: Project, row: LedgerRow, layout: Layout, layouts: Sequence[Layout]) -> None:
    """Enter the mapping in the ledger; rows that were loaded beside the layout's table move into it.

    A raw table that neither a file nor one of the `layouts` needs any more goes.
    """
    connection.begin()
    _move(connection, row, layout.raw_table)
    _decide(
        connection,
        project,
        row,
        contract=layout.contract,
        layout=layout.short,
        raw_table=layout.raw_table,
        state="mapped",
        message="",
    )
    needed = {layout.raw_table, *(x.raw_table for x in layouts)}
    if row.raw_table not in needed and not read_files(connection, "raw_table = ?", row.raw_table):
        connection.execute(f'drop table raw."{row.raw_table}"')
    connection.commit()


def _move(connection: Connection, row: LedgerRow, raw_table: str) -> None:
    """Bring the rows of a file into another raw table, which is made if there is none."""
    if row.raw_table != raw_table:
        connection.execute(
            f'create table if not exists raw."{raw_table}" as select * from raw."{row.raw_table}" where false'
        )
        connection.execute(
            f'insert into raw."{raw_table}" by name select * from raw."{row.raw_table}" where _file_id = ?',
            [row.file_id],
        )
        connection.execute(f'delete from raw."{row.raw_table}" where _file_id = ?', [row.file_id])
