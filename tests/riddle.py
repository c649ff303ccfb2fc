"""A bank statement whose headers tell the offline matcher nothing, and what an LLM may answer about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from invented import shipped

# Gold column -> expression, and the source columns it uses.
Columns = Mapping[str, tuple[str, Sequence[str]]]

# Two orders of day and month, which only an LLM would know.
RIDDLE = "wann;wofuer;wieviel\n" + "".join(f"{d:02}.01.2024;Laden {d};-{d},50\n" for d in range(1, 29))
# The same for everybody.
PLAIN = "Booking date,Payee,Amount\n" + "".join(f"2024-01-{d:02},Shop {d},-{d}.50\n" for d in range(1, 29))
RIGHT: Columns = {
    "booked_on": ("parse_date(wann, '%d.%m.%Y')", ["wann"]),
    "description": ("clean_text(wofuer)", ["wofuer"]),
    "amount": ("parse_decimal(wieviel, ',')", ["wieviel"]),
}
WRONG: Columns = {**RIGHT, "amount": ("parse_decimal(wieviel, '.')", ["wieviel"])}


def answer(columns: Columns, names: Sequence[str] = (), **more: Any) -> str:
    """An answer for these gold columns of the bank contract (default: all), null where nothing is given."""
    mapped: dict[str, Any] = {}
    for name in names or shipped("bank_transactions").names:
        expression, sources = columns.get(name, (None, []))
        mapped[name] = {
            "source_columns": list(sources),
            "note": "so I say",
            "expression": expression,
            "confidence": 0.9 if expression else 0.0,
        }
    rest: dict[str, Any] = {"reshape": None, "row_filter_note": "", "row_filter": None, "unmapped": [], "questions": []}
    return json.dumps({**rest, "columns": mapped, **more})
