"""What an endpoint may send in place of an answer. `answered` tells whether a text is taken for one that it is not."""

from __future__ import annotations

import json
from typing import Any

from asked import first_request
from invented import layout, shipped

from generator.checks import static_violations
from generator.llm.answer import MAX_ANSWER, only_object, read_answer
from generator.matcher.request import BadAnswer

CONTRACT = shipped("bank_transactions")
REQUEST = first_request(
    CONTRACT.name, layout("Booking date,Payee,Amount\n2024-01-31,Baker,-5.40\n2024-01-30,Butcher,-8.00\n")
)
GOOD: dict[str, Any] = {
    "reshape": None,
    "row_filter_note": "",
    "row_filter": None,
    "columns": {
        name: {"source_columns": [], "note": "", "expression": None, "confidence": 0.0} for name in CONTRACT.names
    },
    "unmapped": [],
    "questions": [],
}


def _with(**fields: Any) -> str:
    return json.dumps({**GOOD, **fields})


def _column(name: str = "memo", **fields: Any) -> str:
    columns = {**GOOD["columns"], name: {**GOOD["columns"]["memo"], **fields}}
    return _with(columns=columns)


_WHOLE = json.dumps(GOOD)
ANSWERS = [
    *("", " ", "null", "true", "0", "NaN", '""', "[]", "{}", "[[[", "{" * 100_000, "[" * 100_000, '{"a":' * 50_000),
    *(
        f"[{_WHOLE}]",
        _WHOLE[:-1],
        _WHOLE[:-40],
        _WHOLE + "}",
        _WHOLE + _WHOLE,
        f"{_WHOLE}\n{_WHOLE}",
        "\ufeff" + _WHOLE,
    ),
    *(
        f"Sure! {_WHOLE} And another: {_WHOLE}",
        f"```json\n{_WHOLE}\n```\n```json\n{_WHOLE}\n```",
        "I cannot help with that.",
    ),
    *("<answer>" + _WHOLE, _WHOLE.replace('"reshape"', "'reshape'", 1), _WHOLE.replace("null", "undefined", 1)),
    _WHOLE.replace('"questions"', '"columns": {}, "questions"'),
    _WHOLE.replace('"questions"', '"row_filter": "true", "questions"'),
    _WHOLE.replace('"memo": {', '"memo": {"expression": "1", ', 1),
    _with(columns={}),
    _with(columns=[]),
    _with(columns=None),
    _with(columns={**GOOD["columns"], "__proto__": GOOD["columns"]["memo"]}),
    _with(columns={**GOOD["columns"], "amount; drop": GOOD["columns"]["memo"]}),
    _with(columns={k: v for k, v in GOOD["columns"].items() if k != "amount"}),
    _with(columns=dict.fromkeys(CONTRACT.names, "parse_date(x)")),
    _with(columns=dict.fromkeys(CONTRACT.names)),
    _with(__proto__={"approved": True}),
    _with(review="approved"),
    _with(contract={"columns": []}),
    _with(violations=[]),
    _with(tool_calls=[{"name": "shell", "arguments": "id"}]),
    _with(row_filter=True),
    _with(row_filter=["true"]),
    _with(row_filter={"$ref": "#"}),
    _with(reshape=0),
    _with(row_filter_note=None),
    _with(unmapped={"payee": "why"}),
    _with(unmapped=[{"column": "payee"}]),
    _with(unmapped=[{"column": "payee", "why": None}]),
    _with(unmapped=[{"column": "payee", "why": "x", "approved": True}]),
    _with(unmapped=[{"column": f"c{n}", "why": ""} for n in range(100_000)]),
    _with(unmapped=[{"column": "x", "why": ""}] * 20_000),
    _with(questions=[{"column": "amount", "text": "x" * MAX_ANSWER, "readings": []}]),
    _with(questions=[{"column": "amount", "text": "?", "readings": "many"}]),
    _with(questions=["amount?"]),
    _with(questions=None),
    _column(confidence=1.01),
    _column(confidence=-0.01),
    _column(confidence="1.0"),
    _column(confidence=True),
    _column(confidence=None),
    _column(confidence=float("nan")),
    _column(confidence=float("inf")),
    _column().replace("0.0", "1e999", 1),
    _column().replace("0.0", "-Infinity", 1),
    _column().replace("0.0", "0x1", 1),
    _column().replace("0.0", "1" * 5_000, 1),
    _column(source_columns="payee"),
    _column(source_columns=[None]),
    _column(source_columns={"0": "payee"}),
    _column(note=["x"]),
    _column(note=None),
    _column(expression=1),
    _column(expression=["clean_text(payee)"]),
    _column(expression={"sql": "clean_text(payee)"}),
    _column(expression="clean_text(payee)", trusted=True),
    _column(note="PLACE").replace("PLACE", "\\ud800"),
    _column(note="PLACE").replace("PLACE", "\\x41"),
    _column(note="PLACE").replace("PLACE", "\x00"),
    _column(note="PLACE").replace("PLACE", "a\nb"),
    # A whole answer that is refused by the checks: nothing required is there, or names that are not.
    _WHOLE,
    _column(expression="clean_text(payee)", source_columns=["payee"] * 1_000 + ["{{ x }}"]),
    _column(expression="clean_text(payee)", source_columns=[]),
    _column("amount", expression="(select 1)", source_columns=[]),
    _with(unmapped=[{"column": "'; drop table raw._files; --", "why": ""}]),
    _with(row_filter="payee"),
    _with(reshape="select * from read_text('/etc/passwd')"),
]


def answered(text: str) -> bool:
    """Whether a text is taken for a mapping that may be used, by itself or out of what stands around it."""
    for read in (str, only_object):
        try:
            candidate = read_answer(read(text), REQUEST)
        except BadAnswer as error:
            if not str(error).isprintable() or len(str(error)) > 1_000:
                return True
            continue
        columns = frozenset(c.name for c in REQUEST.profile.columns)
        if not static_violations(candidate, CONTRACT, columns, frozenset({"clean_text"})):
            return True
    return False
