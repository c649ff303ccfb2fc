"""A second look at a mapping, by the parser that will run it: what DuckDB itself reads in the SQL that sqlglot let pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.checks.grammar import FUNCTIONS, WINDOW_FUNCTIONS

_RELATIONS = frozenset({"source", "reshaped"})
# In the tree of `json_serialize_sql` (DuckDB 2.0), expressions have a class and a type, all else only a type.
_CLASSES = frozenset(
    "BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR STAR TYPE WINDOW".split()
)
_TYPES = frozenset(
    "SELECT_NODE SET_OPERATION_NODE BASE_TABLE PIVOT ORDER_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING".split()
)
_OPERATORS = frozenset("|| + - * / % ~~ !~~ ~~* !~~*".split())
# What a node must not have, wherever it stands.
_NEVER = frozenset(
    "aggregates at_clause distinct exclude_list export_state filter filter_expr group_expressions having modifiers "
    "qualify relation_name rename_list replace_list sample".split()
)


def foreign(tree: Any, functions: frozenset[str]) -> str | None:
    """What in the tree of a SELECT is more than a mapping may hold, in a few words; None if nothing is.

    `functions` are the project's SQL functions.
    """
    called = FUNCTIONS | WINDOW_FUNCTIONS | _OPERATORS | functions
    for node in _nodes(tree):
        kind = node.get("class")
        known = kind in _CLASSES if kind else node.get("type", "BASE_TABLE") in _TYPES
        if not known:
            return str(kind or node["type"])
        if kind in ("FUNCTION", "WINDOW") and (
            str(node["function_name"]).lower() not in called
            or node["schema"]
            or node.get("order_bys", {}).get("orders")
        ):
            return f"the function {node['function_name']}"
        if "table_name" in node and (str(node["table_name"]).lower() not in _RELATIONS or node["schema_name"]):
            return f"the relation {node['table_name']}"
        if more := sorted(name for name in _NEVER if node.get(name)):
            return more[0]
        if node.get("setop_all") is False:
            return "a union that drops rows"
    return None


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    todo = [value]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            yield node
            # What a literal holds is no syntax.
            todo += [part for name, part in node.items() if name != "literal"]
        elif isinstance(node, list):
            todo += node
