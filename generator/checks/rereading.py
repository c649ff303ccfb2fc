"""A second look at a mapping, by the parser that will run it: what DuckDB itself reads in the SQL that sqlglot let pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.checks.grammar import FUNCTIONS, WINDOW_FUNCTIONS

_RELATIONS = frozenset({"source", "reshaped"})
# In the tree of `json_serialize_sql` (DuckDB 2.0) an expression has a class and a type, all else only a type.
_CLASSES = frozenset(
    "BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR STAR TYPE WINDOW".split()
)
_TYPES = frozenset(
    "SELECT_NODE SET_OPERATION_NODE BASE_TABLE PIVOT ORDER_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING".split()
)
_OPERATIONS = frozenset(
    "COMPARE_IN OPERATOR_COALESCE OPERATOR_IS_NOT_NULL OPERATOR_IS_NULL OPERATOR_NOT OPERATOR_TRY".split()
)
_OPERATORS = frozenset("|| + - * / % ~~ !~~ ~~* !~~*".split())
_CASTS = frozenset("bigint boolean date decimal double int integer numeric string text timestamp varchar".split())
# What a node must not have, wherever it stands.
_NEVER = frozenset(
    "aggregates at_clause columns distinct exclude_list export_state filter filter_expr group_expressions having "
    "modifiers qualify relation_name rename_list replace_list sample schema schema_name".split()
)


def foreign(tree: Any, functions: frozenset[str], columns: frozenset[str]) -> str | None:
    """What in the tree of a SELECT is more than a mapping may hold, in a few words; None if nothing is.

    `functions` are the project's SQL functions, `columns` all columns that may be named, in lower case.
    """
    called = FUNCTIONS | WINDOW_FUNCTIONS | _OPERATORS | functions
    for place, node in _nodes("", tree):
        kind, type_ = node.get("class"), node.get("type", "BASE_TABLE")
        name = str(node.get("function_name") or node.get("table_name") or node.get("type_name") or "").lower()
        known = {
            "FUNCTION": name in called and not node.get("order_bys", {}).get("orders"),
            "WINDOW": name in called and bool(node.get("partitions")),
            "OPERATOR": type_ in _OPERATIONS,
            "TYPE": name in _CASTS,
            "STAR": place == "select_list",
            "COLUMN_REF": str(node.get("column_names", [""])[-1]).lower() in columns | _RELATIONS,
            None: type_ in _TYPES and (type_ != "BASE_TABLE" or "table_name" not in node or name in _RELATIONS),
        }.get(kind, kind in _CLASSES)
        union = type_ != "SET_OPERATION_NODE" or (node["setop_all"] and str(node["setop_type"]).startswith("UNION"))
        plain = node.get("aggregate_handling", "STANDARD_HANDLING") == "STANDARD_HANDLING"
        if not known or not union or not plain or any(node.get(never) for never in _NEVER):
            return f"{kind or type_} {name}".strip().lower().replace("_", " ")
    return None


def _nodes(place: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each node with the name of the list or field that it stands in; what a literal holds is no syntax."""
    todo = [(place, value)]
    while todo:
        place, node = todo.pop()
        if isinstance(node, dict):
            yield place, node
            todo += [(name, part) for name, part in node.items() if name != "literal"]
        elif isinstance(node, list):
            todo += [(place, part) for part in node]
