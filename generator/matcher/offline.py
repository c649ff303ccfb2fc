"""The offline matcher: a candidate for a layout from names, shapes, values and arithmetic. Pure and deterministic.

What it is not sure of it leaves NULL with a note, or asks.
"""

from __future__ import annotations

import re

from generator.candidate import Candidate, ColumnMapping, Question
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.columns.similarity import best
from generator.contracts.contract import Column, Contract
from generator.matcher.amounts import signed_amount
from generator.matcher.currencies import code_in_header, codes_in_cells, labelled_codes
from generator.matcher.expressions import literal, moment, simple
from generator.matcher.matching import Match, known_share, match_columns, type_fit, value_key, value_map
from generator.matcher.questions import no_data, open_readings, unexplained

# How many states of the contract a row filter names beside those that occur.
STATES = 12


def propose(profile: LayoutProfile, contract: Contract) -> Candidate:
    """The matcher's candidate for a layout; a required column it cannot make has no expression."""
    matches = match_columns(profile, contract) if profile.has_header else _by_shape(profile, contract)
    columns: dict[str, ColumnMapping] = {}
    questions: list[Question] = []
    for gold in contract.columns:
        if gold.sign:
            amount = signed_amount(profile, contract, gold, matches)
            if amount:
                columns[gold.name] = amount.mapping
                questions.extend([amount.question] if amount.question else [])
                if amount.balance is not None and gold.sign.balance:
                    matches.setdefault(gold.sign.balance, Match(amount.balance, 0.8))
    for gold in contract.columns:
        if gold.name not in columns:
            match = matches.get(gold.name)
            columns[gold.name] = _mapping(match, gold, profile, matches) if match else _nothing()
    for gold in contract.columns:
        if gold.unit == "iso4217":
            columns[gold.name] = _currency(gold, contract, columns, profile)
        elif gold.compose and columns[gold.name].expression is None:
            columns[gold.name] = _composed(gold, columns)
        if columns[gold.name].expression:
            questions.extend(open_readings(gold, columns[gold.name].source_columns, profile))
    row_filter, note = _row_filter(profile, contract, columns)
    return Candidate(
        columns={c.name: columns[c.name] for c in contract.columns},
        row_filter=row_filter,
        row_filter_note=note,
        unmapped=unexplained(profile, contract, columns),
        questions=tuple(questions),
    )


def _nothing() -> ColumnMapping:
    return ColumnMapping(note="no column of this file was recognised for it")


def _mapping(match: Match, gold: Column, profile: LayoutProfile, matches: dict[str, Match]) -> ColumnMapping:
    column = match.column
    if gold.accepted_values and column.filled and (share := known_share(column, gold)) < 0.9:
        known = value_map(gold)
        unknown = {v for v in column.values if v and value_key(v) not in known}
        return ColumnMapping(
            note=f"`{column.header}` fits by name, but {share:.0%} of its values are accepted ones; "
            f"add synonyms to the contract ({len(unknown)} unknown)",
        )
    taken = {m.column.name for m in matches.values()}
    if column.date and not column.date.has_time and (time := _time_of_day(gold, profile, taken)):
        return ColumnMapping(
            expression=moment(column, gold, profile, time),
            source_columns=(column.name, time.name),
            confidence=match.confidence,
            note="date and time of day from two columns",
        )
    if gold.fallback and column.filled < column.rows:
        others = [c for c in profile.columns if c is not column and c.filled and best(c.header, gold.fallback) >= 0.9]
        if others and type_fit(others[0], gold):
            return ColumnMapping(
                expression=f"coalesce({simple(column, gold, profile)}, {simple(others[0], gold, profile)})",
                source_columns=(column.name, others[0].name),
                confidence=match.confidence,
                note=f"`{others[0].header}` where `{column.header}` is empty",
            )
    note = "" if column.filled else "empty in this file: mapped by its name alone"
    if column.date and column.date.evidence:
        note = f"day and month told apart by {column.date.evidence}"
    return ColumnMapping(
        expression=simple(column, gold, profile),
        source_columns=(column.name,),
        confidence=match.confidence,
        note=note,
    )


def _time_of_day(gold: Column, profile: LayoutProfile, taken: set[str]) -> ColumnProfile | None:
    times = [
        c
        for c in profile.columns
        if c.name not in taken
        and c.filled
        and best(c.header, gold.time_aliases) >= 0.9
        and all(re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?", v) for v in c.values if v)
    ]
    return times[0] if times else None


def _composed(gold: Column, columns: dict[str, ColumnMapping]) -> ColumnMapping:
    """A column made of others that are there, such as a full name."""
    parts = [columns[p] for p in gold.compose if columns[p].expression]
    if len(parts) < len(gold.compose):
        return columns[gold.name]
    joined = ", ".join(str(p.expression) for p in parts)
    return ColumnMapping(
        expression=f"nullif(concat_ws(' ', {joined}), '')",
        source_columns=tuple(c for p in parts for c in p.source_columns),
        confidence=min(p.confidence for p in parts),
        note=f"joined from {' and '.join(gold.compose)}",
    )


def _currency(
    gold: Column, contract: Contract, columns: dict[str, ColumnMapping], profile: LayoutProfile
) -> ColumnMapping:
    """The currency of the amounts: in their header, which is surest; in a column; in the cells; before the header."""
    money = {s for c in contract.columns if c.base_type == "decimal" for s in columns[c.name].source_columns}
    amounts = [c for c in profile.columns if c.name in money]
    headed = {c.name: code for c in amounts if (code := code_in_header(c.header, gold))}
    if len(set(headed.values())) == 1:
        code = next(iter(headed.values()))
        return ColumnMapping(
            expression=literal(code), source_columns=tuple(headed), confidence=0.9, note="from the header of the amount"
        )
    if columns[gold.name].expression:
        return columns[gold.name]
    codes = codes_in_cells(amounts, gold)
    if len(codes) == 1 and (code := codes.pop()):
        return ColumnMapping(expression=literal(code), confidence=0.85, note="from the sign in the amounts")
    found = labelled_codes(profile.preamble, gold)
    if len(found) == 1:
        return ColumnMapping(expression=literal(found.pop()), confidence=0.8, note="from the lines before the header")
    return columns[gold.name]


def _row_filter(
    profile: LayoutProfile, contract: Contract, columns: dict[str, ColumnMapping]
) -> tuple[str | None, str]:
    """A condition that leaves out rows whose state says that they are no data, and what they are."""
    found = no_data(profile, contract, {s for m in columns.values() for s in m.source_columns})
    if found is None:
        return None, ""
    column, present = found
    words = {value_key(v): v for v in contract.leave_out_values}.values()
    script = _ideographic(present[0])
    # A date column that holds states holds few of them.
    known = [] if column.date else [w.lower() for w in words if _ideographic(w) == script][:STATES]
    values = sorted({*known, *(v.lower() for v in present)})
    listed = ", ".join(literal(v) for v in values)
    condition = f"coalesce(lower(clean_text({column.name})) not in ({listed}), true)"
    return condition, f"`{column.header}` says that these rows are no bookings"


def _ideographic(text: str) -> bool:
    return any(ord(c) >= 0x2E80 for c in text)


def _by_shape(profile: LayoutProfile, contract: Contract) -> dict[str, Match]:
    """A file without header: required dates are its first dates; texts by how long and varied they are."""
    found: dict[str, Match] = {}
    dates = [c for c in profile.columns if c.date]
    for gold, column in zip(
        [c for c in contract.required if c.base_type in ("date", "timestamp")], dates, strict=False
    ):
        found[gold.name] = Match(column, 0.9 if len(dates) == 1 else 0.65)
    if not any(c.sign for c in contract.columns):
        return found
    texts = [c for c in profile.columns if c.shape == "text" and c.filled > 0.5 * c.rows]
    by_detail = sorted(texts, key=lambda c: (-c.distinct * sum(map(len, c.values)), c.position))
    free = [c for c in contract.columns if c.by_shape]
    for gold, column in zip(free, by_detail, strict=False):
        found[gold.name] = Match(column, 0.6)
    for gold in contract.columns:
        if gold.unit == "iso4217":
            codes = [c for c in texts if known_share(c, gold) == 1.0]
            if codes:
                found = {k: m for k, m in found.items() if m.column is not codes[0]}
                found[gold.name] = Match(codes[0], 0.75)
    return found
