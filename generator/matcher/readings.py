"""What an answer to a question means for an expression: the same cells, read in the other way. Pure.

Only the readings that goldsmith itself asks about are understood; what an LLM asks in its own words is for a person to
write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_DECIMAL_SIGNS = {"decimal point": "'.'", "decimal comma": "','"}
_SIGN = re.compile(r"'[.,]'(?=\s*\))")
_FACTOR = re.compile(r"(divided|multiplied) by ([\d.]+)")
_SCALED = re.compile(r"(?P<whole>.+?)\s*[*/]\s*[\d.]+", re.DOTALL)
_CALL = re.compile(r"\w+\([^()]*\)")
_NET = re.compile(r"(net_amount\(\s*)(\w+)(\s*,\s*)(\w+)", re.IGNORECASE)
_AS_WRITTEN, _NEGATED = "money in: the amount as written", "money out: the amount negated"


def read_as(expression: str, reading: str, readings: Sequence[str], headers: Mapping[str, str]) -> str | None:
    """An expression under one of a question's readings; None where nobody knows what that reading means for it.

    `headers`: safe column name -> header text.
    """
    if all("%" in r for r in readings):
        return _with_format(expression, reading, readings)
    if reading in _DECIMAL_SIGNS:
        return _SIGN.sub(_DECIMAL_SIGNS[reading], expression) if _SIGN.search(expression) else None
    if _AS_WRITTEN in readings and reading in (_AS_WRITTEN, _NEGATED):
        plain = _without_minus(expression)
        return plain if reading == _AS_WRITTEN else f"-{_whole(plain)}"
    if "as written" in readings and (reading == "as written" or _FACTOR.fullmatch(reading)):
        return _scaled(expression, reading)
    if net := _NET.search(expression):
        return _directed(expression, net, reading, headers)
    return None


def _with_format(expression: str, reading: str, readings: Sequence[str]) -> str | None:
    """With another date format, which may be followed by a time of day."""
    written = [r for r in readings if re.search(rf"'{re.escape(r)}(?=['\s])", expression)]
    return re.sub(rf"'{re.escape(written[0])}(?=['\s])", f"'{reading}", expression) if len(written) == 1 else None


def _without_minus(expression: str) -> str:
    bare = expression.removeprefix("-").strip()
    if bare == expression or not (_CALL.fullmatch(bare) or _in_parentheses(bare)):
        return expression
    return bare[1:-1] if _in_parentheses(bare) else bare


def _in_parentheses(text: str) -> bool:
    """Whether one pair of parentheses is around all of a text."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if not depth:
            return text.startswith("(") and place == len(text) - 1
    return False


def _whole(expression: str) -> str:
    return expression if _CALL.fullmatch(expression) else f"({expression})"


def _scaled(expression: str, reading: str) -> str:
    scaled = _SCALED.fullmatch(expression)
    plain = scaled["whole"] if scaled else expression
    if reading == "as written":
        return plain[1:-1] if scaled and _in_parentheses(plain) else plain
    factor = _FACTOR.fullmatch(reading)
    return f"{_whole(plain)} {'/' if reading.startswith('divided') else '*'} {factor[2] if factor else ''}"


def _directed(expression: str, net: re.Match[str], reading: str, headers: Mapping[str, str]) -> str | None:
    """`net_amount(in, out)` with the column that the reading names as money out."""
    inflow, outflow = net[2], net[4]
    for out, other in ((outflow, inflow), (inflow, outflow)):
        if reading == f"{headers.get(out)} is money out":
            return f"{expression[: net.start()]}{net[1]}{other}{net[3]}{out}{expression[net.end() :]}"
    return None
