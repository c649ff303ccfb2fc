"""The yml of a dbt model that is mapped anew: it says the new mapping, and all else in it stays byte for byte. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.project.render import UNREVIEWED
from generator.yml.edit import add_item, model_path, remove, set_value, value_at
from generator.yml.places import Path

# What one mapping has and another one may not have.
_PASSING = ("row_filter", "drift", "answered")


def renewed(
    text: str, dbt_model: str, told: Mapping[str, Any], descriptions: Mapping[str, str], *, whole: bool = True
) -> str:
    """The text with another mapping of a dbt model in it, pending. It is a `whole` one, or one of some gold columns.

    `told`: keys of `config.meta` and their values; of `columns` only those that are named change. `descriptions`: gold
    column -> which source columns it is now from; said where nobody has written something else. Raises ValueError where
    the text cannot be edited without another change, KeyError where it does not describe the dbt model.
    """
    model = model_path(text, dbt_model)
    meta = (*model, "config", "meta")
    before = value_at(text, meta)
    for name, value in told.get("columns", {}).items():
        text = set_value(text, (*meta, "columns", name), value)
    for key, value in told.items():
        if key not in ("columns", "review") and before.get(key) != value:
            text = set_value(text, (*meta, key), value)
    # An approval is one of the mapping that it was given to.
    for key in ("reviewed", *(_PASSING if whole else ())):
        if key in before and key not in told:
            text = remove(text, (*meta, key))
    text = set_value(text, (*meta, "review"), "pending")
    text = add_item(text, (*model, "config", "tags"), UNREVIEWED)
    return _with_descriptions(text, model, before.get("columns") or {}, descriptions)


def _with_descriptions(
    text: str, model: Path, before: Mapping[str, Mapping[str, Any]], descriptions: Mapping[str, str]
) -> str:
    columns = value_at(text, model).get("columns") or []
    for number, column in enumerate(columns):
        name = str(column.get("name")) if isinstance(column, dict) else ""
        if name in descriptions and column.get("description") in _ours(before.get(name) or {}):
            text = set_value(text, (*model, "columns", number, "description"), descriptions[name])
    return text


def _ours(mapping: Mapping[str, Any]) -> tuple[str, ...]:
    """What goldsmith wrote of a gold column that was mapped so."""
    headers = mapping.get("source_columns")
    if headers:
        return (f"From {', '.join(f'`{h}`' for h in headers)}.",)
    return "Not in this layout.", "The same for the whole file."
