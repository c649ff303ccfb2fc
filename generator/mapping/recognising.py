"""What a loaded file looks like, and which contract it is for."""

from __future__ import annotations

from collections.abc import Sequence

from generator.columns.profile import LayoutProfile, build_profile
from generator.contracts.contract import Contract
from generator.database.ledger import Connection, LedgerRow
from generator.dialect.sorting import SAMPLE_CELL, sample_rows
from generator.errors import GoldsmithError, UsageError
from generator.llm.example import nearest_example
from generator.matcher.matching import match_columns
from generator.matcher.request import Example
from generator.project.layouts import Layout
from generator.project.project import Project

# The best contract must fit a file without a named one so many times better than the next.
CLEARLY = 1.25


def profile_of(connection: Connection, row: LedgerRow) -> LayoutProfile:
    """The profile of a loaded file, from the same sample as when it was read."""
    first = sample_rows(len(row.headers))
    rows = connection.execute(
        f"""
        select
            _preamble, _footer,
            left(columns(* exclude (_file_id, _source_file, _source_row, _preamble, _footer)), {SAMPLE_CELL})
        from raw."{row.raw_table}"
        where _file_id = $file and _source_row in (
            select _source_row
            from (
                select _source_row, row_number() over (order by _source_row) as number
                from raw."{row.raw_table}" where _file_id = $file
            )
            where number <= {first} or number % 100 = 0
            order by number limit {2 * first}
        )
        order by _source_row
        """,
        {"file": row.file_id},
    ).fetchall()
    preamble, footer = (str(text or "") for text in rows[0][:2]) if rows else ("", "")
    return build_profile(
        row.headers,
        [cells for _, _, *cells in rows],
        source_file=row.source_file,
        delimiter=row.delimiter,
        has_header=row.has_header,
        preamble=preamble,
        footer=footer,
    )


def contract_of(project: Project, profile: LayoutProfile, layouts: Sequence[Layout], name: str | None) -> Contract:
    """The contract that was named, or the one of a cached layout, or the one that clearly fits best."""
    if name:
        try:
            return project.contract(name)
        except UsageError as error:
            raise GoldsmithError(str(error)) from None
    known = {x.contract for x in layouts if list(x.headers.values()) == list(profile.headers) and x.has_header}
    if len(known) == 1:
        return project.contract(known.pop())
    scores = sorted(((contract_fit(profile, c), n) for n, c in project.contracts.items()), reverse=True)
    best, second = scores[0], scores[1] if len(scores) > 1 else (0.0, "")
    if best[0] and best[0] >= CLEARLY * second[0]:
        return project.contract(best[1])
    listed = ", ".join(f"{n} {s:.2f}" for s, n in scores)
    raise GoldsmithError(
        f"which contract? none fits clearly ({listed}); say --contract NAME, or use landing/<contract>/"
    )


def contract_fit(profile: LayoutProfile, contract: Contract) -> float:
    """How well a file fits a contract, 0 to 1: the share of its filled columns that are matched, by confidence.

    0 where a required column has no match, unless it is an amount, which may be made of several.
    """
    matches = match_columns(profile, contract)
    if any(c.name not in matches and not c.sign for c in contract.required):
        return 0.0
    filled = sum(bool(c.filled) for c in profile.columns)
    return sum(m.confidence for m in matches.values() if m.column.filled) / filled if filled else 0.0


def example_for(layouts: Sequence[Layout], contract: Contract, profile: LayoutProfile) -> Example | None:
    """The nearest approved mapping onto the same contract."""
    approved = [x for x in layouts if x.contract == contract.name and x.approved]
    return nearest_example([(x.headers, x.path.read_text(encoding="utf-8")) for x in approved], contract, profile)
