"""A small gold contract that changes, and what it lets into gold: known here without asking goldsmith."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

import yaml
from lives import Values

Change = Literal[
    "add note", "drop note", "accept dusk", "refuse dusk", "kwh tenths", "kwh cents", "kwh whole", "kind required",
    "kind optional", "drop kind", "add kind", "version"
]  # fmt: skip


@dataclass(frozen=True)
class Promise:
    """A contract of meter readings. With a `key`, gold holds one row a meter: the latest."""

    name: str
    key: bool = False
    kwh: str = "decimal(18,2)"
    accepted: tuple[str, ...] = ("day", "night")
    columns: tuple[str, ...] = ("meter", "read_on", "kwh", "kind")
    required: frozenset[str] = field(default=frozenset({"meter", "read_on"}))
    version: int = 1

    def changed(self, change: Change) -> Promise:
        """The contract after a change; itself where there is nothing to change."""
        what, _, word = change.partition(" ")
        if what == "version":
            return replace(self, version=self.version + 1)
        if what == "kwh":
            kinds = {"tenths": "decimal(18,1)", "cents": "decimal(18,2)", "whole": "integer"}
            return replace(self, kwh=kinds[word])
        if what in ("accept", "refuse"):
            return replace(self, accepted=("day", "night", *(["dusk"] if what == "accept" else [])))
        if what == "kind":
            optional = self.required - {"kind"}
            return replace(
                self, required=optional | {"kind"} if word == "required" and "kind" in self.columns else optional
            )
        kept = tuple(c for c in self.columns if c != word)
        if what == "add":
            return replace(self, columns=(*kept, word))
        return replace(self, columns=kept, required=self.required - {word})

    @property
    def types(self) -> dict[str, str]:
        """Gold column -> DuckDB type, in order."""
        named = {"meter": "VARCHAR", "read_on": "DATE", "kwh": self.kwh.upper(), "kind": "VARCHAR", "note": "VARCHAR"}
        own = {"_file_id": "VARCHAR", "_source_file": "VARCHAR", "_source_row": "BIGINT", "_loaded_at": "TIMESTAMP"}
        return own | {c: named[c] for c in self.columns}

    @property
    def yml(self) -> str:
        """The contract as its yml."""
        data_types = {"meter": "text", "read_on": "date", "kwh": self.kwh, "kind": "text", "note": "text"}
        columns: list[dict[str, Any]] = [
            {"name": "_file_id", "data_type": "varchar", "constraints": [{"type": "not_null"}]},
            {"name": "_source_file", "data_type": "varchar"},
            {"name": "_source_row", "data_type": "bigint", "constraints": [{"type": "not_null"}]},
            {"name": "_loaded_at", "data_type": "timestamp"},
        ]
        for name in self.columns:
            column: dict[str, Any] = {"name": name, "data_type": data_types[name]}
            if name in self.required:
                column |= {"constraints": [{"type": "not_null"}], "data_tests": ["not_null"]}
            if name == "kind":
                accepted = {"accepted_values": {"arguments": {"values": list(self.accepted)}}}
                column["data_tests"] = [*column.get("data_tests", []), accepted]
            if name == "meter":
                column["config"] = {"meta": {"aliases": ["meter no"]}}
            columns.append(column)
        meta = {"version": self.version, **({"primary_key": ["meter"]} if self.key else {})}
        config = {"contract": {"enforced": True}, "meta": meta}
        return yaml.safe_dump({"models": [{"name": self.name, "config": config, "columns": columns}]}, sort_keys=False)

    def keeps(self, values: Values) -> bool:
        """Whether gold may hold such a record: all of `columns` are in it, None for those without a value."""
        if any(values[c] is None for c in self.required):
            return False
        kwh, kind = values["kwh"], values.get("kind")
        places = {"integer": 0, "decimal(18,1)": 1, "decimal(18,2)": 2}[self.kwh]
        whole = not isinstance(kwh, Decimal) or kwh == round(kwh, places)
        return whole and ("kind" not in self.columns or kind is None or kind in self.accepted)
