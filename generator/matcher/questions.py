"""What a mapping leaves open, and what it leaves out, in words for a person. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from statistics import median

from generator.candidate import ColumnMapping, Question
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.columns.similarity import best
from generator.contracts.contract import Column, Contract
from generator.matcher.matching import ACCEPT, name_score, value_key
from generator.naming import ascii_words

_CENTS = frozenset({"cent", "cents", "minor", "pence", "centimes", "centavos", "ore", "rappen", "kopeks"})


def open_readings(gold: Column, sources: Iterable[str], profile: LayoutProfile) -> list[Question]:
    """What the source columns of a mapping leave open: day and month, decimal point and thousands sign, cents."""
    questions = []
    for column in (c for name in sources for c in profile.columns if c.name == name):
        if column.date and column.date.ambiguous and gold.base_type in ("date", "timestamp"):
            questions.append(
                Question(
                    column=gold.name,
                    text=f"are the dates in `{column.header}` day first or month first?",
                    readings=tuple(column.date.formats),
                )
            )
        if gold.data_type.endswith(",2)") and _minor_units(column):
            questions.append(
                Question(
                    column=gold.name,
                    text=f"are the whole numbers in `{column.header}` amounts in cents?",
                    readings=("as written", "divided by 100"),
                )
            )
        if column.number and len(column.number.separators) > 1 and gold.base_type in ("decimal", "double"):
            questions.append(
                Question(
                    column=gold.name,
                    text=f"is the sign in the numbers of `{column.header}` a decimal or a thousands sign?",
                    readings=("decimal point", "decimal comma"),
                )
            )
    return questions


def says_cents(header: str) -> bool:
    """Whether a header says that its numbers are cents."""
    return bool(_CENTS & set(ascii_words(header)))


def _minor_units(column: ColumnProfile) -> bool:
    """Whether whole numbers may be cents: prices of whole euros are small or round, amounts in cents neither."""
    if not column.number or not column.number.integers:
        return False
    amounts = {abs(int(v)) for v in column.values if v.lstrip("+-").isdigit()} - {0}
    odd = sum(a % 100 != 0 for a in amounts)
    return len(amounts) > 2 and median(amounts) >= 1000 and odd >= 0.3 * len(amounts)


def unexplained(profile: LayoutProfile, contract: Contract, columns: Mapping[str, ColumnMapping]) -> dict[str, str]:
    """Why each source column that no mapping uses was probably left out, by safe name."""
    used = {s for m in columns.values() for s in m.source_columns}
    reasons = {}
    for column in profile.columns:
        if column.name in used:
            continue
        if not column.filled:
            reasons[column.name] = "empty in this file"
            continue
        score, gold = max((name_score(column.header, g, contract), g.name) for g in contract.columns)
        near = f"nearest is {gold} with {score:.2f}, and another column feeds it or its values do not fit"
        reasons[column.name] = near if score >= ACCEPT else "nothing in the contract by this name"
    return reasons


def no_data(
    profile: LayoutProfile, contract: Contract, used: Collection[str]
) -> tuple[ColumnProfile, list[str]] | None:
    """The column whose cells say that some rows are no data, in the contract's words, and those cells.

    It is named as the contract says, or it is a date column in use, with such words where there is no date.
    """
    states = {value_key(v) for v in contract.leave_out_values}
    for column in profile.columns:
        named = best(column.header, contract.leave_out_headers) >= 0.9 and column.distinct <= 12 and column.filled
        present = sorted({v for v in column.values if value_key(v) in states})
        if present and (named or (column.date and column.name in used)):
            return column, present
    return None
