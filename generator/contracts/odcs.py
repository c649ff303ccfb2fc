"""A contract in the words of the Open Data Contract Standard (ODCS) and back. Pure: both are plain YAML documents.

What the standard has a word for is said with it. The rest of our contract goes along as two custom properties: `goldsmith`
is its `config.meta`, `dbt` what else dbt may have (tests, tags). What of a foreign contract has no place in ours is kept
under `config.meta.odcs`, and is there again when it is exported. So nothing is lost, whichever way.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from generator.contracts.odcs_types import data_type, logical_type
from generator.errors import UsageError
from generator.naming import safe_columns

VERSION = "v3.1.0"
# The standard wants a version; this one stands for none.
_UNVERSIONED = "0.0.0"
_PII = "pii"
# What may be seen by everybody; any other classification is taken for personal, so that no LLM is shown values.
_OPEN = ("public", "internal")
_KEYS: dict[str, dict[str, Any]] = {
    "_file_id": {"data_type": "varchar", "constraints": [{"type": "not_null"}]},
    "_source_file": {"data_type": "varchar"},
    "_source_row": {"data_type": "bigint", "constraints": [{"type": "not_null"}]},
    "_loaded_at": {"data_type": "timestamp"},
}
# What the standard's own words say of a dbt model or column; our custom property `dbt` says the rest.
_SAID = ("name", "description", "data_type", "columns")
_NOT_NULL = {"type": "not_null"}


def to_odcs(model: Mapping[str, Any]) -> dict[str, Any]:
    """A contract, as a dbt model of its yml, as an ODCS document."""
    name = str(model["name"])
    config = dict(model.get("config") or {})
    meta = dict(config.pop("meta", None) or {})
    foreign = dict(meta.pop("odcs", None) or {})
    key = list(meta.pop("primary_key", None) or [])
    version = str(meta.pop("version", None) or _UNVERSIONED)
    rest = {k: v for k, v in model.items() if k not in ("name", "description", "config", "columns")}
    if config != {"contract": {"enforced": True}}:
        rest["config"] = config
    schema = {
        **dict(foreign.get("schema") or {}),
        "name": name,
        "physicalType": "table",
        "logicalType": "object",
        **_described(model),
        "properties": [_property(column, key) for column in model.get("columns") or []],
    }
    schema["customProperties"] = _custom(schema, meta, rest)
    return {
        "apiVersion": VERSION,
        "kind": "DataContract",
        **_defaults(name),
        **dict(foreign.get("contract") or {}),
        "version": version,
        "schema": [_without_empty(schema)],
    }


def from_odcs(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The contracts of an ODCS document, as dbt models of a yml: one for each object of its `schema`.

    Raises UsageError for a column of a type that a gold table cannot have. Whether it is a contract is for
    `contracts.parse_contracts` to say.
    """
    schemas = [s for s in document.get("schema") or [] if isinstance(s, Mapping)]
    if not schemas:
        raise UsageError("it has no `schema:`, so there is no table in it")
    return [_model(document, schema) for schema in schemas]


def missing(document: Mapping[str, Any]) -> list[str]:
    """What the standard requires of every document, and this one does not say."""
    return [k for k in ("apiVersion", "id", "version", "status") if document.get(k) in (None, "")]


def not_enforced(document: Mapping[str, Any]) -> list[str]:
    """What of an ODCS document is kept, but nothing in Goldsmith acts on it; as paths."""
    found = [k for k in ("servers", "slaProperties", "team", "roles", "support", "price") if document.get(k)]
    for schema in document.get("schema") or []:
        name = _name(schema)
        found += [f"{name}.{k}" for k in ("quality", "relationships") if schema.get(k)]
        for given in schema.get("properties") or []:
            left = [q for q in given.get("quality") or [] if _valid_values(q) is None]
            found += [f"{name}.{_name(given)}.quality"] if left else []
    return found


def _name(element: Mapping[str, Any]) -> str:
    """What an object or a property is called in the database. UsageError for one without a name."""
    name = element.get("physicalName") or element.get("name")
    if not name:
        raise UsageError("an object or property of its `schema:` has no name; give it one")
    return str(name)


def _defaults(name: str) -> dict[str, Any]:
    return {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"goldsmith:{name}")), "name": name, "status": "active"}


def _property(column: Mapping[str, Any], key: list[str]) -> dict[str, Any]:
    name, physical = str(column["name"]), str(column.get("data_type", ""))
    config = dict(column.get("config") or {})
    meta = dict(config.pop("meta", None) or {})
    foreign = dict(meta.pop("odcs", None) or {})
    constraints, tests = list(column.get("constraints") or []), list(column.get("data_tests") or [])
    rest = {
        k: v
        for k, v in column.items()
        if k not in ("name", "data_type", "description", "config", "constraints", "data_tests")
    }
    rest |= {"config": config} if config else {}
    given: dict[str, Any] = {
        **foreign,
        "name": name,
        "physicalType": physical,
        "logicalType": logical_type(physical),
        **_described(column),
        "required": _NOT_NULL in constraints,
    }
    if name in key:
        given |= {"primaryKey": True, "primaryKeyPosition": key.index(name) + 1}
    if meta.get("unique") is True:
        given["unique"] = meta.pop("unique")
    if meta.get("pii") is True:
        given.setdefault("classification", _PII)
    accepted = next((t for t in tests if (v := _accepted(t)) is not None and v), None)
    if accepted is not None:
        quality = {
            "type": "library",
            "metric": "invalidValues",
            "arguments": {"validValues": _accepted(accepted)},
            "mustBe": 0,
        }
        given["quality"] = [quality, *(given.get("quality") or [])]
    other = {
        "constraints": [c for c in constraints if c != _NOT_NULL],
        "data_tests": [t for t in tests if t is not accepted],
    }
    given["customProperties"] = _custom(given, meta, rest | _without_empty(other))
    return _without_empty(given)


def _model(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    name = _safe(_name(schema))
    meta, rest, custom = _ours(schema)
    properties = [p for p in schema.get("properties") or [] if isinstance(p, Mapping)]
    columns = [_column(p) for p in properties]
    keys = [
        (p.get("primaryKeyPosition") or 0, n, c["name"])
        for n, (p, c) in enumerate(zip(properties, columns, strict=True))
        if p.get("primaryKey")
    ]
    if keys:
        meta["primary_key"] = [column for *_, column in sorted(keys)]
    if (version := str(document.get("version") or _UNVERSIONED)) != _UNVERSIONED:
        meta["version"] = version
    defaults = _defaults(name)
    kept = {
        "contract": {
            k: v
            for k, v in document.items()
            if k not in ("apiVersion", "kind", "version", "schema") and defaults.get(k) != v
        },
        "schema": _left(schema, ("properties", "logicalType", "physicalType"), custom),
    }
    if odcs := _without_empty(kept):
        meta["odcs"] = odcs
    described = schema.get("description")
    if not described and isinstance(purpose := document.get("description"), Mapping):
        described = purpose.get("purpose")
    config = dict(rest.pop("config", None) or {"contract": {"enforced": True}})
    there = {c["name"] for c in columns}
    own = [{"name": k, **v} for k, v in _KEYS.items() if k not in there]
    return {
        "name": name,
        **({"description": described} if described else {}),
        "config": config | ({"meta": meta} if meta else {}),
        **rest,
        "columns": own + columns,
    }


def _column(given: Mapping[str, Any]) -> dict[str, Any]:
    name = _safe(_name(given))
    meta, rest, custom = _ours(given)
    constraints, tests = rest.pop("constraints", None) or [], rest.pop("data_tests", None) or []
    if given.get("required") or given.get("primaryKey"):
        constraints = [dict(_NOT_NULL), *constraints]
    quality = [q for q in given.get("quality") or [] if isinstance(q, Mapping)]
    accepted = next((v for q in quality if (v := _valid_values(q))), None) or _enumerated(given)
    if accepted:
        tests = [{"accepted_values": {"arguments": {"values": accepted}}}, *tests]
    if given.get("unique") is True:
        meta["unique"] = True
    classified = str(given.get("classification") or "").lower()
    if classified and classified not in _OPEN:
        meta.setdefault("pii", True)
    if not any(c.get("property") == "goldsmith" for c in custom):
        meta |= _header_words(given, name)
    left = _left(
        given, ("logicalType", "physicalType", "required", "unique", "primaryKey", "primaryKeyPosition"), custom
    )
    if left.get("classification") == _PII:
        del left["classification"]
    left["quality"] = [q for q in quality if not _valid_values(q)]
    if odcs := _without_empty(left):
        meta["odcs"] = odcs
    config = dict(rest.pop("config", None) or {}) | ({"meta": meta} if meta else {})
    described = {"description": given["description"]} if given.get("description") else {}
    column = {
        "name": name,
        "data_type": data_type(given),
        **described,
        "constraints": constraints,
        "data_tests": tests,
    }
    return _without_empty(column | rest | {"config": config})


def _header_words(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a foreign contract calls the column: headers may, too."""
    words = [given.get("name"), given.get("businessName")]
    words += [s.get("synonym") for s in given.get("synonyms") or [] if isinstance(s, Mapping)]
    found = list(dict.fromkeys(str(w) for w in words if w and str(w) not in (name, name.replace("_", " "))))
    return {"aliases": found} if found else {}


def _ours(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[Mapping[str, Any]]]:
    """Our two custom properties of an element, and all of them."""
    custom = [c for c in given.get("customProperties") or [] if isinstance(c, Mapping)]
    values = {c.get("property"): c.get("value") for c in custom}
    meta, rest = (dict(v) if isinstance(v := values.get(k), Mapping) else {} for k in ("goldsmith", "dbt"))
    for key, kind, said in (
        ("config", Mapping, "mapping"),
        ("constraints", list, "list"),
        ("data_tests", list, "list"),
    ):
        if rest.get(key) is not None and not isinstance(rest[key], kind):
            raise UsageError(f"{_name(given)}: the custom property dbt: {key} must be a {said}")
    return meta, {k: v for k, v in rest.items() if k not in _SAID}, custom


def _left(given: Mapping[str, Any], taken: Iterable[str], custom: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What of an element has no place in a contract of ours."""
    names = {"name", "description", "customProperties", *taken}
    left = {k: v for k, v in given.items() if k not in names}
    left["customProperties"] = [dict(c) for c in custom if c.get("property") not in ("goldsmith", "dbt")]
    return _without_empty(left)


def _custom(element: Mapping[str, Any], meta: Mapping[str, Any], rest: Mapping[str, Any]) -> list[Any]:
    ours = [{"property": k, "value": dict(v)} for k, v in (("goldsmith", meta), ("dbt", rest)) if v]
    return [*(element.get("customProperties") or []), *ours]


def _described(node: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": node["description"]} if node.get("description") else {}


def _accepted(test: Any) -> list[Any] | None:
    """The values of an `accepted_values` test that says nothing else."""
    if isinstance(test, Mapping) and list(test) == ["accepted_values"]:
        body = test["accepted_values"]
        if isinstance(body, Mapping) and list(body) == ["arguments"] and list(body["arguments"]) == ["values"]:
            return list(body["arguments"]["values"])
    return None


def _valid_values(check: Mapping[str, Any]) -> list[Any] | None:
    """The values of a check of the standard's library that allows no others."""
    arguments = check.get("arguments")
    if "invalidValues" in (check.get("metric"), check.get("rule")) and check.get("mustBe", 0) == 0:
        values = arguments.get("validValues") if isinstance(arguments, Mapping) else None
        return list(values) if isinstance(values, list) else None
    return None


def _enumerated(given: Mapping[str, Any]) -> list[Any]:
    return [e["value"] for e in given.get("enum") or [] if isinstance(e, Mapping) and "value" in e]


def _safe(name: str) -> str:
    """A name as contracts write it; the project's own columns keep theirs."""
    return name if name in _KEYS or re.fullmatch(r"[a-z][a-z0-9_]*", name) else safe_columns([name])[0]


def _without_empty(given: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in given.items() if v not in (None, [], {})}
