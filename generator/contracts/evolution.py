"""What has changed between two versions of a contract, in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from generator.columns.similarity import best
from generator.contracts.contract import TYPES, Column, Contract

Kind = Literal["added", "removed", "renamed", "type", "required", "values", "key", "threshold", "order", "rules"]
# What is in a type is in those after it, too, with nothing lost.
_WIDER = {
    "date": ("timestamp", "text"),
    "integer": ("decimal", "double", "text"),
    "decimal": ("text",),
    "double": ("text",),
    "boolean": ("text",),
    "timestamp": ("text",),
}
# Of so many words of a renamed column's aliases as many are the same.
_ALIKE = 0.5


@dataclass(frozen=True)
class Change:
    """One change. `column` is the gold column as it is called now, None where it is of the whole contract; `was` is its old
    name, where it has a new one.

    `touches`: what a layout writes into that column may have to be other than before; it is only made, or gone,
    looser or only another word otherwise.
    """

    kind: Kind
    text: str
    column: str | None = None
    touches: bool = False
    was: str | None = None


def compare(before: Contract, after: Contract) -> tuple[Change, ...]:
    """The changes that can be felt in gold, in order of the columns; those of the whole contract come last."""
    renamed = _renamed(before, after)
    found = [change for column in after.columns for change in _of_column(column, before, renamed)]
    found += [
        Change("removed", f"{name}: no longer in the contract; gold loses the column, raw keeps its cells", name)
        for name in before.names
        if name not in after.names and name not in renamed.values()
    ]
    found += _of_contract(before, after, renamed)
    if not found and before.rules != after.rules:
        found = [Change("rules", "constraints, data types or modes are written in another way")]
    return tuple(found)


def _renamed(before: Contract, after: Contract) -> dict[str, str]:
    """New name -> old name of columns that are most likely the same: of the same kind, with the same words."""
    gone = [c for c in before.columns if c.name not in after.names]
    found: dict[str, str] = {}
    for column in (c for c in after.columns if c.name not in before.names):
        alike = [c for c in gone if c.name not in found.values() and _same(c, column)]
        if alike:
            found[column.name] = alike[0].name
    return found


def _same(one: Column, other: Column) -> bool:
    if one.base_type != other.base_type:
        return False
    if one.description and one.description == other.description:
        return True
    mine, theirs = set(one.aliases), set(other.aliases)
    if mine and len(mine & theirs) >= _ALIKE * max(len(mine), len(theirs)):
        return True
    return (
        one.name.replace("_", " ") in theirs or best(one.name.replace("_", " "), [other.name.replace("_", " ")]) > 0.9
    )


def _of_column(column: Column, before: Contract, renamed: dict[str, str]) -> Iterator[Change]:
    name = column.name
    then = renamed.get(name, name)
    if then not in before.names:
        if column.not_null:
            yield Change(
                "added", f"{name}: new and required ({column.data_type}); every layout must fill it", name, True
            )
        else:
            yield Change("added", f"{name}: new ({column.data_type}); NULL for layouts that do not map it", name)
        return
    old = before.column(then)
    if then != name:
        yield Change("renamed", f"{name}: most likely {then} under a new name", name, True, then)
    if not (holds_all(old.data_type, column.data_type) and holds_all(column.data_type, old.data_type)):
        yield _of_type(old, column)
    if old.not_null != column.not_null:
        text = "required now; rows without it leave gold" if column.not_null else "may be empty now"
        yield Change("required", f"{name}: {text}", name, column.not_null)
    yield from _of_values(old, column)


def _of_type(old: Column, new: Column) -> Change:
    name, step = new.name, f"{old.data_type} -> {new.data_type}"
    if new.base_type == "text" and old.base_type in ("decimal", "double", "timestamp"):
        more = f"a mapping that reads a {old.base_type} does not have the file's text, so its rows leave gold"
        return Change("type", f"{name}: {step}, looser; {more}", name, True)
    if holds_all(new.data_type, old.data_type):
        return Change("type", f"{name}: {step}, looser", name)
    how = "stricter" if holds_all(old.data_type, new.data_type) else "not all values of the one are values of the other"
    return Change("type", f"{name}: {step}, {how}; what does not fit leaves gold", name, True)


def holds_all(wide: str, narrow: str) -> bool:
    """Whether every value of one data type of a contract is a value of the other, too."""
    one, other = TYPES.fullmatch(wide), TYPES.fullmatch(narrow)
    if not one or not other:
        return wide == narrow
    kinds = [Column("", data_type).base_type for data_type in (wide, narrow)]
    if kinds[0] == kinds[1] == "decimal":
        places = [(int(t["width"]) - int(t["scale"]), int(t["scale"])) for t in (one, other)]
        return places[0][0] >= places[1][0] and places[0][1] >= places[1][1]
    if kinds[0] == kinds[1] == "integer":
        return (wide, narrow) != ("integer", "bigint")
    if kinds[1] == "integer" and kinds[0] == "decimal":
        return int(one["width"]) - int(one["scale"]) >= (10 if narrow == "integer" else 19)
    return kinds[0] == kinds[1] or kinds[0] in _WIDER.get(kinds[1], ())


def _of_values(old: Column, new: Column) -> Iterator[Change]:
    name, then, now = new.name, old.accepted_values, new.accepted_values
    if then and not now:
        yield Change("values", f"{name}: any value is accepted now", name)
    elif now and not then:
        yield Change("values", f"{name}: only {_listed(now)} accepted now", name, True)
    else:
        added, removed = [v for v in now if v not in then], [v for v in then if v not in now]
        if added:
            yield Change("values", f"{name}: accepts {_listed(added)}, too", name, True)
        if removed:
            yield Change("values", f"{name}: accepts {_listed(removed)} no more; such rows leave gold", name, True)


def _of_contract(before: Contract, after: Contract, renamed: dict[str, str]) -> Iterator[Change]:
    if before.primary_key != after.primary_key:
        named = [_listed(key) if key else "none" for key in (before.primary_key, after.primary_key)]
        more = "; of rows with the same key the latest is in gold" if after.primary_key else ""
        yield Change("key", f"primary key: {named[0]} -> {named[1]}{more}")
    if before.max_quarantined != after.max_quarantined:
        yield Change("threshold", f"max_quarantined: {before.max_quarantined} -> {after.max_quarantined}")
    now = [renamed.get(n, n) for n in after.names]
    if [n for n in before.names if n in now] != [n for n in now if n in before.names]:
        yield Change("order", "the columns stand in another order")
    if before.modes.columns != after.modes.columns:
        yield Change("rules", f"files with other columns: {before.modes.columns} -> {after.modes.columns}")
    for column in after.columns:
        old = renamed.get(column.name, column.name)
        modes = before.modes.of(old, column.not_null), after.modes.of(column.name, column.not_null)
        if old in before.names and modes[0] != modes[1]:
            yield Change("rules", f"{column.name}: a bad cell: {modes[0]} -> {modes[1]}")
    if _constraints(before) != _constraints(after):
        yield Change("rules", "constraints changed")


def _constraints(contract: Contract) -> list[object]:
    """Its constraints but for not_null."""
    columns, constraints, *_ = json.loads(contract.rules or "[[], []]")
    named = [[name, [c for c in listed if c[0] != "not_null"]] for name, _, listed, _ in columns]
    return [*(n for n in named if n[1]), *constraints]


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values)
