"""What a provider is asked, in words. Pure: same request, same prompt, byte for byte.

The texts are in `prompts/`. The system part is the same for every layout of a project, so that endpoints can cache it; the
user part begins with contract and layout, which are the same in each attempt. What comes from the file is private and
untrusted: it goes out as `privacy` lets it, fenced as data.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from generator.candidate import Candidate, ColumnMapping
from generator.checks import MAPPING_CHECKS, SAFETY
from generator.checks.grammar import FUNCTIONS
from generator.llm.answer import answer_schema
from generator.llm.described import described_contract, described_layout, says_the_same
from generator.llm.privacy import Disclosure
from generator.matcher.request import Example, Privacy, Request
from generator.violation import Violation
from generator.visible import UNSEEN


@cache
def prompt_text(name: str) -> str:
    """One of the texts in `prompts/`."""
    return files("generator.llm").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


MAX_SQL = 500
# The checks that look at a candidate's SQL and at no row, and what `read_answer` says.
_ABOUT_SQL = frozenset({*(check.name for check in (*SAFETY, *MAPPING_CHECKS)), "answer"})
# The first line of the prompt names its version, for logs and recordings; it does not go out.
PROMPT_VERSION = prompt_text("mapping").partition("\n")[0].removeprefix("version: ")


@dataclass(frozen=True)
class Prompt:
    """What goes out for one attempt, whatever the endpoint's API: two texts and the JSON schema of the answer.

    `layout` and `attempt` are for logs and limits; they do not go out and are not in the hash.
    """

    version: str
    system: str
    user: str
    schema: Mapping[str, Any]
    layout: str = ""
    attempt: int = 1

    @property
    def sha256(self) -> str:
        """What an answer is recorded under: the same texts and schema, the same hash."""
        asked = {"version": self.version, "system": self.system, "user": self.user, "schema": self.schema}
        return hashlib.sha256(json.dumps(asked, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def build_prompt(request: Request, functions: str, privacy: Privacy = "shapes") -> Prompt:
    """The prompt of one attempt. `functions` lists the SQL functions, each with an example."""
    schema = answer_schema(request.contract, request.asked)
    system, user = _system(functions, privacy), _user(request, privacy)
    return Prompt(PROMPT_VERSION, system, user, schema, request.layout, request.attempt)


def shown(prompt: Prompt) -> str:
    """Exactly what goes out, for people: system part, user part, and the JSON schema of the answer."""
    schema = json.dumps(prompt.schema, indent=1, ensure_ascii=False)
    parts = (("system", prompt.system), ("user", prompt.user), ("schema", f"{schema}\n"))
    return "\n".join(f"==== {name}\n{text}" for name, text in parts)


def _system(functions: str, privacy: Privacy) -> str:
    template = prompt_text("mapping").partition("\n")[2].lstrip()
    sql = _filled(
        prompt_text("duckdb"), functions=functions, allowed=", ".join(f"`{name}`" for name in sorted(FUNCTIONS))
    )
    return _filled(template, cells=prompt_text(f"cells_{privacy}"), sql=sql, answer=prompt_text("answer"))


def _user(request: Request, privacy: Privacy) -> str:
    disclosure = Disclosure(request.contract, request.profile, request.ranking, privacy)
    kept = request.own(request.kept)
    given = [
        _fenced("contract", described_contract(request.contract)),
        _fenced("layout", described_layout(disclosure)),
        _fenced("suggestion", _suggested(request, disclosure)),
        _fenced("example", _example(request.example, disclosure)),
    ]
    checked = [
        _fenced("kept", _answered(kept, [n for n in request.contract.names if n not in request.asked], None)),
        _fenced("previous", _answered(request.own(request.previous), request.asked, kept)),
        _fenced("violations", [_violation(v, privacy) for v in request.violations]),
    ]
    return _filled(
        prompt_text("repair" if request.violations else "layout"),
        given=_joined(given),
        checked=_joined(checked),
        asked=", ".join(request.asked) or "none (`columns` is {})",
    )


def _suggested(request: Request, disclosure: Disclosure) -> list[dict[str, Any]]:
    """What the matcher found for each gold column. Its notes and questions name headers, never cells."""
    suggestion, told = request.suggestion, disclosure.mode != "headers"
    doubts = {q.column: q.text if told else "" for q in suggestion.questions}
    columns = []
    for name in request.contract.names:
        facts: dict[str, Any] = {"column": name}
        facts["ranked"] = {ranked.column: ranked.score for ranked in request.ranking.get(name, ())}
        mapping = suggestion.columns.get(name, ColumnMapping())
        if mapping.expression:
            sql = _sql(mapping.expression, disclosure)
            facts["expression"] = sql
            if not sql:
                facts |= {"reads": mapping.source_columns, "values": disclosure.meanings(name, mapping.source_columns)}
            facts |= {
                "confidence": round(mapping.confidence, 2),
                "note": mapping.note if told and name not in request.taken_over else "",
            }
        columns.append({k: v for k, v in facts.items() if v})
    doubted = {name: doubts[name] for name in request.contract.names if name in doubts}
    head = {"row_filter": _sql(suggestion.row_filter, disclosure), "doubts": doubted}
    return [*_some(head), *(c for c in columns if len(c) > 1)]


def _sql(sql: str | None, disclosure: Disclosure) -> str | None:
    """SQL of the matcher as it may be told; None for what is too long to be worth it: a list of all states, say."""
    if sql is None or len(sql) > MAX_SQL or (disclosure.mode == "headers" and disclosure.tells_cells(sql)):
        return None
    return sql if disclosure.mode == "values" else disclosure.sql(sql)


def _example(example: Example | None, disclosure: Disclosure) -> list[Any]:
    """The approved mapping of another layout: the headers behind its names, and its SQL, line by line."""
    if example is None:
        return []
    used = set(re.findall(r"\w+", example.sql))
    headers = {n: header for n, header in example.headers.items() if n in used and not says_the_same(n, header)}
    return [*_some({"headers": headers}), *disclosure.sql(example.sql).splitlines()]


def _answered(candidate: Candidate | None, names: Sequence[str], kept: Candidate | None) -> list[dict[str, Any]]:
    """What an LLM has answered for some gold columns, in its own words but for the notes; beside `kept`, what differs."""
    if candidate is None:
        return []
    head = {
        "row_filter": candidate.row_filter if kept is None or kept.row_filter != candidate.row_filter else None,
        "reshape": candidate.reshape if kept is None or kept.reshape != candidate.reshape else None,
    }
    found = ((name, candidate.columns[name]) for name in names if name in candidate.columns)
    columns = ({"column": name, "expression": m.expression, "source_columns": m.source_columns} for name, m in found)
    return [*_some(head), *columns]


def _some(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """The facts that say something; none where none does."""
    found = {k: v for k, v in facts.items() if v}
    return [found] if found else []


def _violation(violation: Violation, privacy: Privacy) -> dict[str, Any]:
    """What is wrong. What checks say of rows (counts, masked cells) is not told where nothing of cells may be."""
    where = {"column": violation.column} if violation.column else {"part": violation.part}
    told = privacy != "headers" or violation.rule in _ABOUT_SQL
    return {**where, "rule": violation.rule, **({"message": violation.message} if told else {})}


def _fenced(name: str, items: Sequence[Any]) -> str:
    """JSON, one item a line, between tags that nothing inside can close; '' where there is nothing."""
    return "\n".join([f"<{name}>", *map(_json, items), f"</{name}>"]) if items else ""


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(filter(None, blocks))


def _json(value: Any) -> str:
    """One line of JSON without `<` and without control, format, private or surrogate characters."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "".join(_escaped(c) if c == "<" or unicodedata.category(c) in UNSEEN else c for c in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 127 else f"\\u{ord(character):04x}"


def _filled(template: str, **parts: str) -> str:
    """A text with its `{placeholders}` filled; what is filled in is not looked into again."""
    return re.sub(r"\{(\w+)\}", lambda hole: parts[hole[1]].strip(), template)
