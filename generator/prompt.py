"""What a provider is asked, in words. Pure: same request, same messages, byte for byte.

The file's texts are untrusted and private: they go out masked, and fenced as data.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from generator.answer import answer_schema
from generator.candidate import Candidate
from generator.contracts import Column, Contract
from generator.mask import clear_values, invented_dates, known_values, known_words, mask, sample_cells
from generator.profile import ColumnProfile, LayoutProfile
from generator.request import Privacy, Request
from generator.violation import Violation
from generator.visible import UNSEEN

PROMPT_VERSION = "mapping-1"
MAX_TEXT = 500
MAX_HEADER = 120
MAX_LINES = 15
MAX_LINE = 160


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
    system, user = (m["content"] for m in messages(request, functions))
    schema = answer_schema(request.contract, request.asked)
    return Prompt(PROMPT_VERSION, system, user, schema, request.layout, request.attempt)


def messages(request: Request, functions: str) -> list[dict[str, str]]:
    """The chat for one attempt: system and user. `functions` lists the SQL functions, each with an example."""
    template = files("generator").joinpath("prompts", "mapping.md").read_text(encoding="utf-8")
    system = template.replace("{functions}", functions.strip())
    return [{"role": "system", "content": system}, {"role": "user", "content": _user_text(request)}]


def _user_text(request: Request) -> str:
    contract, profile = request.contract, request.profile
    parts = [
        f"Map the layout onto these gold columns of the contract: {', '.join(request.asked)}.",
        _fence("contract", {"contract": contract.name, "description": contract.description}, _gold(request)),
        _fence("layout", _around(profile, contract), _source(request)),
        _fence("suggestion", _rest(request.suggestion), _mappings(request.suggestion, request.asked)),
    ]
    if request.kept is not None:
        others = tuple(name for name in request.kept.columns if name not in request.asked)
        parts.append("These parts passed every check and are kept; fit the new ones to them.")
        parts.append(_fence("kept", _rest(request.kept), _mappings(request.kept, others)))
    if request.previous is not None:
        parts.append("This is what you answered before.")
        parts.append(_fence("previous", _rest(request.previous), _mappings(request.previous, request.asked)))
    if request.violations:
        parts.append("Your previous answer was checked, and this is wrong with it. Correct it.")
        parts.append(_fence("violations", {}, [_violation(v) for v in request.violations]))
    parts.append(f"Answer for exactly these gold columns: {', '.join(request.asked)}.")
    return "\n\n".join(parts) + "\n"


def _fence(name: str, head: dict[str, Any], items: list[dict[str, Any]]) -> str:
    """JSON, one item a line, between tags that nothing inside can close."""
    lines = [_json(head)] if head else []
    return "\n".join([f"<{name}>", *lines, *map(_json, items), f"</{name}>"])


def _json(value: Any) -> str:
    """One line of JSON without `<` and without control, format, private or surrogate characters."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(_escaped(c) if c == "<" or unicodedata.category(c) in UNSEEN else c for c in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 127 else f"\\u{ord(character):04x}"


def _gold(request: Request) -> list[dict[str, Any]]:
    return [_gold_column(c, request.contract) for c in request.contract.columns if c.name in request.asked]


def _gold_column(column: Column, contract: Contract) -> dict[str, Any]:
    facts = {
        "name": column.name,
        "type": column.data_type,
        "required": column.not_null,
        "key": column.name in contract.primary_key,
        "description": column.description,
        "unit": column.unit,
        "accepted_values": column.accepted_values,
        "synonyms": dict(column.synonyms),
    }
    return {k: v for k, v in facts.items() if v or k == "required"}


def _around(profile: LayoutProfile, contract: Contract) -> dict[str, Any]:
    """What is true of the file as a whole. Its name and the lines around the table keep only known words."""
    keep = known_words(contract, profile)
    return {
        "_source_file": mask(profile.source_file, keep),
        "delimiter": profile.delimiter,
        "has_header": profile.has_header,
        "rows_sampled": max((c.rows for c in profile.columns), default=0),
        "_preamble": [mask(line, keep)[:MAX_LINE] for line in profile.preamble.splitlines()[:MAX_LINES]],
        "_footer": [mask(line, keep)[:MAX_LINE] for line in profile.footer.splitlines()[:MAX_LINES]],
    }


def _source(request: Request) -> list[dict[str, Any]]:
    known = known_values(request.contract)
    limit = 5 if len(request.profile.columns) <= 40 else 3
    return [_source_column(column, request, known, limit) for column in request.profile.columns]


def _source_column(column: ColumnProfile, request: Request, known: frozenset[str], limit: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": column.name,
        "header": column.header[:MAX_HEADER],
        "shape": column.shape,
        "filled": column.filled,
        "distinct": column.distinct,
    }
    if column.date:
        facts["date"] = {
            "formats": column.date.formats,
            "ambiguous": column.date.ambiguous,
            "has_time": column.date.has_time,
            "share": round(column.date.share, 2),
            "evidence": column.date.evidence,
            "invented": invented_dates(column.date.formats),
            **({"date_is_left": column.date.prefix} if column.date.prefix else {}),
        }
    if column.number:
        facts["number"] = {
            "decimal": column.number.separators,
            "decimals": column.number.decimals,
            "negative": column.number.negative,
            "plus": column.number.plus,
            "zero": column.number.zero,
            "share": round(column.number.share, 2),
            **({"currency": column.number.currency} if column.number.currency else {}),
        }
    if clear := clear_values(column, request.contract, request.suggestion):
        return {**facts, "values": dict(clear)}
    return {**facts, "samples": {s.text: s.share for s in sample_cells(column, limit, known)}}


def _mappings(candidate: Candidate, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Expressions without notes: a note may speak of cells."""
    found = [(name, candidate.columns[name]) for name in names if name in candidate.columns]
    return [
        {
            "column": name,
            "expression": mapping.expression,
            "source_columns": mapping.source_columns,
            "confidence": round(mapping.confidence, 2),
        }
        for name, mapping in found
    ]


def _rest(candidate: Candidate) -> dict[str, Any]:
    facts = {
        "row_filter": candidate.row_filter,
        "reshape": candidate.reshape,
        "open_questions": sorted({q.column for q in candidate.questions}),
    }
    return {k: v for k, v in facts.items() if v}


def _violation(violation: Violation) -> dict[str, Any]:
    return {"column": violation.column, "rule": violation.rule, "message": violation.message}
