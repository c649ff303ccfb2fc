"""What a person decides in a review, written into the two files of a layout; every other byte of them stays.

All functions raise KeyError or ValueError where a file cannot be edited so.
"""

from __future__ import annotations

from typing import Any

from generator.candidate import ColumnMapping
from generator.contracts import Column
from generator.layouts import Layout
from generator.render import origin, spaced
from generator.written import with_expression
from generator.yml import load_yml
from generator.yml_edit import add_item, model_path, remove, set_value
from generator.yml_places import Path

LEFT_OUT = "left out in review"


def corrected_sql(sql: str, gold: Column, mapping: ColumnMapping) -> str:
    """The dbt model with another expression for a gold column."""
    return with_expression(sql, gold.name, mapping.expression or f"cast(null as {spaced(gold.data_type)})")


def corrected_yml(yml: str, layout: Layout, gold: Column, mapping: ColumnMapping) -> str:
    """The yml with another mapping for a gold column, made by a person; what was asked about it is answered."""
    model = model_path(yml, layout.dbt_model)
    column: Path = (*model, "config", "meta", "columns", gold.name)
    headers = [layout.headers.get(c, c) for c in mapping.source_columns]
    said = {
        "source_columns": headers,
        "confidence": mapping.confidence if mapping.expression else None,
        "note": mapping.note,
        "provider": "person",
        "reviewed": True,
    }
    text = yml
    for key, value in said.items():
        text = set_value(text, (*column, key), value)
    text = _with_unmapped(text, (*model, "config", "meta", "unmapped"), layout, gold.name, mapping)
    text = _with_description(text, model, layout, gold.name, mapping)
    return without_questions(text, layout, gold.name)


def agreed_yml(yml: str, layout: Layout, column: str) -> str:
    """The yml in which a person has said that a gold column is right as it is mapped."""
    model = model_path(yml, layout.dbt_model)
    return without_questions(
        set_value(yml, (*model, "config", "meta", "columns", column, "reviewed"), True), layout, column
    )


def without_questions(yml: str, layout: Layout, column: str) -> str:
    """The yml without what was asked about a gold column."""
    asked: Path = (*model_path(yml, layout.dbt_model), "config", "meta", "questions")
    for number in reversed([i for i, q in enumerate(layout.questions) if q["column"] == column]):
        yml = remove(yml, (*asked, number))
    return yml


def with_alias(yml: str, contract: str, column: str, header: str) -> str:
    """The yml of a contract with one more header that means a column."""
    return add_item(yml, (*_column_of(yml, contract, column), "config", "meta", "aliases"), header)


def with_synonym(yml: str, contract: str, column: str, value: str, word: str) -> str:
    """The yml of a contract with one more way in which files write an accepted value."""
    return add_item(yml, (*_column_of(yml, contract, column), "config", "meta", "synonyms", value), word)


def _column_of(yml: str, contract: str, column: str) -> Path:
    model = model_path(yml, contract)
    columns = _at(yml, (*model, "columns"))
    return (*model, "columns", next(i for i, c in enumerate(columns) if c["name"] == column))


def _with_unmapped(yml: str, where: Path, layout: Layout, column: str, mapping: ColumnMapping) -> str:
    """The yml with `unmapped` made true: the columns that are used now are not in it, those not used any more are."""
    headers = {layout.headers.get(c, c) for c in mapping.source_columns}
    elsewhere = {h for name in layout.columns if name != column for h in _sources(layout, name)}
    # Of two columns with the same header, the second has its safe name beside it.
    seconds = {f"{layout.headers.get(c, c)} ({c})" for c in mapping.source_columns}
    for key in (seconds & set(layout.unmapped)) or (headers & set(layout.unmapped)):
        yml = remove(yml, (*where, key))
    for header in sorted(set(_sources(layout, column)) - headers - elsewhere):
        yml = set_value(yml, (*where, header), LEFT_OUT)
    return yml


def _sources(layout: Layout, column: str) -> tuple[str, ...]:
    """The headers that a gold column is from, as the yml says."""
    return tuple((layout.columns.get(column) or {}).get("source_columns") or ())


def _with_description(yml: str, model: Path, layout: Layout, column: str, mapping: ColumnMapping) -> str:
    """The yml with the description of a gold column, unless a person has written it."""
    described = (_at(yml, model).get("columns")) or []
    at = next((i for i, c in enumerate(described) if isinstance(c, dict) and c.get("name") == column), None)
    before = ColumnMapping(expression="made", source_columns=_sources(layout, column))
    ours = {origin(before, {}), origin(before.model_copy(update={"expression": None}), {})}
    if at is None or described[at].get("description") not in ours:
        return yml
    return set_value(yml, (*model, "columns", at, "description"), origin(mapping, layout.headers))


def _at(yml: str, path: Path) -> Any:
    value = load_yml(yml)
    for part in path:
        value = value[part]
    return value
