"""What a person decides in a review, written into the two files of a layout; every other byte of them stays.

All functions raise KeyError or ValueError where a file cannot be edited so.
"""

from __future__ import annotations

from typing import Any

from generator.candidate import ColumnMapping
from generator.contracts.contract import Column
from generator.project.layouts import Layout
from generator.project.render import origin, spaced
from generator.project.renewed import renewed
from generator.project.written import with_expression
from generator.yml.edit import add_item, model_path, remove, set_value, value_at
from generator.yml.places import Path

LEFT_OUT = "left out in review"
# Who made a mapping that a person has chosen.
PERSON = "person"


def corrected_sql(sql: str, gold: Column, mapping: ColumnMapping) -> str:
    """The dbt model with another expression for a gold column."""
    return with_expression(sql, gold.name, mapping.expression or f"cast(null as {spaced(gold.data_type)})")


def corrected_yml(yml: str, layout: Layout, gold: Column, mapping: ColumnMapping) -> str:
    """The yml with another mapping for a gold column, made by a person; what was asked about it is answered."""
    model = model_path(yml, layout.dbt_model)
    before = (value_at(yml, (*model, "config", "meta", "columns")) or {}).get(gold.name) or {}
    said = {
        **before,
        "source_columns": [layout.headers.get(c, c) for c in mapping.source_columns],
        "confidence": mapping.confidence if mapping.expression else None,
        "note": mapping.note,
        "provider": PERSON,
        "reviewed": True,
    }
    told: dict[str, Any] = {"columns": {gold.name: said}, "unmapped": _unmapped(layout, gold.name, mapping)}
    described = {gold.name: origin(mapping, layout.headers)}
    return without_questions(renewed(yml, layout.dbt_model, told, described, whole=False), layout, gold.name)


def agreed_yml(yml: str, layout: Layout, column: str) -> str:
    """The yml in which a person has said that a gold column is right as it is mapped."""
    model = model_path(yml, layout.dbt_model)
    return without_questions(
        set_value(yml, (*model, "config", "meta", "columns", column, "reviewed"), True), layout, column
    )


def without_questions(yml: str, layout: Layout, column: str) -> str:
    """The yml in which what was asked about a gold column is answered, so that the next layout does not ask it again."""
    meta: Path = (*model_path(yml, layout.dbt_model), "config", "meta")
    answers = [dict(q) for q in layout.questions if q["column"] == column]
    for number in reversed([i for i, q in enumerate(layout.questions) if q["column"] == column]):
        yml = remove(yml, (*meta, "questions", number))
    return set_value(yml, (*meta, "answered"), [*map(dict, layout.answered), *answers]) if answers else yml


def with_alias(yml: str, contract: str, column: str, header: str) -> str:
    """The yml of a contract with one more header that means a column."""
    return add_item(yml, (*_column_of(yml, contract, column), "config", "meta", "aliases"), header)


def with_synonym(yml: str, contract: str, column: str, value: str, word: str) -> str:
    """The yml of a contract with one more way in which files write an accepted value."""
    return add_item(yml, (*_column_of(yml, contract, column), "config", "meta", "synonyms", value), word)


def _column_of(yml: str, contract: str, column: str) -> Path:
    model = model_path(yml, contract)
    columns = value_at(yml, (*model, "columns"))
    return (*model, "columns", next(i for i, c in enumerate(columns) if c["name"] == column))


def _unmapped(layout: Layout, column: str, mapping: ColumnMapping) -> dict[str, str]:
    """Why source columns are not used: those that are used now are not in it, those that are not any more are."""
    headers = {layout.headers.get(c, c) for c in mapping.source_columns}
    elsewhere = {h for name in layout.columns if name != column for h in _sources(layout, name)}
    # Of two columns with the same header, the second has its safe name beside it.
    seconds = {f"{layout.headers.get(c, c)} ({c})" for c in mapping.source_columns}
    used = (seconds & set(layout.unmapped)) or headers
    left = sorted(set(_sources(layout, column)) - headers - elsewhere)
    return {h: why for h, why in layout.unmapped.items() if h not in used} | dict.fromkeys(left, LEFT_OUT)


def _sources(layout: Layout, column: str) -> tuple[str, ...]:
    """The headers that a gold column is from, as the yml says."""
    return tuple((layout.columns.get(column) or {}).get("source_columns") or ())
