"""The mapping of one gold column from the source columns that a person has chosen for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from generator.candidate import ColumnMapping, Question
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.contracts.contract import Column, Contract
from generator.matcher.amounts import amount_of
from generator.matcher.expressions import moment, simple
from generator.matcher.matching import value_key, value_map
from generator.matcher.questions import open_readings

_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?")


def mapping_from(
    profile: LayoutProfile, contract: Contract, gold: Column, columns: Sequence[ColumnProfile]
) -> tuple[ColumnMapping, tuple[Question, ...]]:
    """How these source columns make a gold column, and what that leaves open.

    A signed amount from one or two columns, a time with the date before it, texts joined with a blank; of other columns
    the first that is filled.
    """
    names = tuple(c.name for c in columns)
    amount = amount_of(profile, contract, gold, names) if gold.sign else None
    if amount is not None:
        found = amount.mapping
        asked = [amount.question] if amount.question else []
        asked += [q for q in open_readings(gold, names, profile) if q not in asked]
        return found.model_copy(update={"confidence": 1.0}), tuple(asked)
    mapping = ColumnMapping(
        expression=_expression(gold, columns, profile), source_columns=names, confidence=1.0, note="chosen in review"
    )
    return mapping, tuple(open_readings(gold, names, profile))


def unknown_values(column: ColumnProfile, gold: Column) -> tuple[str, ...]:
    """The frequent values of a source column that are no accepted value of a gold column, however they are written."""
    known = value_map(gold)
    return tuple(v for v, _ in column.frequent if value_key(v) not in known) if gold.accepted_values else ()


def knowing(gold: Column, words: Mapping[str, str]) -> Column:
    """A gold column with more ways in which files write its accepted values: word -> accepted value."""
    more = {value: tuple(w for w, v in words.items() if v == value) for value in words.values()}
    return replace(gold, synonyms={**gold.synonyms, **{v: (*gold.synonyms.get(v, ()), *ws) for v, ws in more.items()}})


def _expression(gold: Column, columns: Sequence[ColumnProfile], profile: LayoutProfile) -> str:
    first = columns[0]
    if len(columns) == 1:
        return simple(first, gold, profile)
    if gold.base_type in ("date", "timestamp") and len(columns) == 2 and _is_time(columns[1]):
        return moment(first, gold, profile, columns[1])
    if gold.base_type == "text" and not gold.accepted_values:
        return f"nullif(concat_ws(' ', {', '.join(simple(c, gold, profile) for c in columns)}), '')"
    return f"coalesce({', '.join(simple(c, gold, profile) for c in columns)})"


def _is_time(column: ColumnProfile) -> bool:
    return bool(column.filled) and all(_TIME.fullmatch(v) for v in column.values if v)
