"""What a provider is asked, and how its answer is read. Pure: same request, same messages, byte for byte.

Both directions are untrusted: the file's texts go out masked and fenced as data, the answer is read strictly.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.candidate import Candidate, ColumnMapping, Question
from generator.contracts import Column, Contract
from generator.errors import GoldsmithError
from generator.mask import clear_values, invented_dates, known_values, known_words, mask, sample_cells
from generator.profile import ColumnProfile, LayoutProfile
from generator.violation import Violation

PROMPT_VERSION = "mapping-1"
MAX_ANSWER = 200_000
MAX_TEXT = 500
MAX_HEADER = 120
MAX_LINES = 15
MAX_LINE = 160


@dataclass(frozen=True)
class Request:
    """What a provider is asked for one layout.

    `suggestion` is the offline matcher's candidate. `asked` are the gold columns wanted now: all of them at first,
    those that failed in a repair. `kept` is what passed already, `violations` what was wrong with the last attempt,
    `previous` the candidate of that attempt, where there was one: the chat is not remembered.
    """

    contract: Contract
    profile: LayoutProfile
    suggestion: Candidate
    asked: tuple[str, ...]
    kept: Candidate | None = None
    violations: tuple[Violation, ...] = ()
    previous: Candidate | None = None


class ProviderError(GoldsmithError):
    """A provider could not answer: what happened, what to do. `tokens` and `cost` (US dollars) were spent on it."""

    def __init__(self, message: str, *, tokens: int = 0, cost: float = 0.0) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.cost = cost


class BadAnswer(ProviderError):
    """The answer is not a candidate. The message is meant for the next attempt as well as for a person."""


# ---- the question ---------------------------------------------------------------------------------------------------


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
    return "".join(_escaped(c) if c == "<" or unicodedata.category(c) in _UNSEEN else c for c in text)


_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


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


# ---- the answer -----------------------------------------------------------------------------------------------------


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Mapping(_Strict):
    source_columns: tuple[str, ...]
    note: str
    expression: str | None
    confidence: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)


class _Unmapped(_Strict):
    column: str
    why: str


class _Question(_Strict):
    column: str
    text: str
    readings: tuple[str, ...]


class _Answer(_Strict):
    columns: dict[str, _Mapping]
    row_filter: str | None
    row_filter_note: str
    reshape: str | None
    unmapped: tuple[_Unmapped, ...]
    questions: tuple[_Question, ...]


def answer_schema(contract: Contract, asked: tuple[str, ...]) -> dict[str, Any]:
    """The strict JSON schema of an answer: every field required, nothing besides. Reasons come before conclusions."""
    text, nullable = {"type": "string"}, {"type": ["string", "null"]}
    texts = {"type": "array", "items": text}
    mapping = _object({"source_columns": texts, "note": text, "expression": nullable, "confidence": {"type": "number"}})
    names = [name for name in contract.names if name in asked]
    question = _object({"column": {"type": "string", "enum": names}, "text": text, "readings": texts})
    return _object(
        {
            "reshape": nullable,
            "row_filter_note": text,
            "row_filter": nullable,
            "columns": _object(dict.fromkeys(names, mapping)),
            "unmapped": {"type": "array", "items": _object({"column": text, "why": text})},
            "questions": {"type": "array", "items": question},
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_answer(text: str, request: Request) -> Candidate:
    """The answer as a candidate, merged with what is kept. BadAnswer where it is not exactly what was asked."""
    answer = _parse(text)
    unknown = sorted(set(answer.columns) - set(request.contract.names))
    if unknown:
        raise BadAnswer(f"the contract has no columns {_plain(', '.join(unknown))}; leave them out of the answer")
    missing = [name for name in request.asked if name not in answer.columns]
    if missing:
        raise BadAnswer(f"the answer leaves out the gold columns {', '.join(missing)}; answer null with a note instead")
    kept = request.kept or Candidate(columns={})
    new = {name: _mapping(answer.columns[name]) for name in request.asked}
    columns = {name: new.get(name) or kept.columns.get(name) or ColumnMapping() for name in request.contract.names}
    used = {source for mapping in columns.values() for source in mapping.source_columns}
    unmapped = {**kept.unmapped, **{_plain(u.column): _plain(u.why) for u in answer.unmapped}}
    questions = tuple(q for q in kept.questions if q.column not in request.asked) + tuple(
        Question(column=q.column, text=_plain(q.text), readings=tuple(map(_plain, q.readings)))
        for q in answer.questions
        if q.column in request.asked
    )
    # What passed was checked with this filter and this reshaping: they change only if they were at fault themselves.
    fixed = request.kept is not None and all(v.column is not None for v in request.violations)
    filter_kept = fixed and not _said(answer.row_filter)
    return Candidate(
        columns=columns,
        row_filter=kept.row_filter if filter_kept else _said(answer.row_filter),
        row_filter_note=kept.row_filter_note if filter_kept else _plain(answer.row_filter_note),
        reshape=kept.reshape if fixed else _said(answer.reshape),
        unmapped={column: why for column, why in unmapped.items() if column not in used},
        questions=questions,
    )


def _parse(text: str) -> _Answer:
    if len(text) > MAX_ANSWER:
        raise BadAnswer(f"the answer has {len(text)} characters, more than {MAX_ANSWER}; answer shorter")
    try:
        json.loads(text, object_pairs_hook=_unique)
        return _Answer.model_validate_json(text)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}" for e in error.errors()[:5])
        raise BadAnswer(f"the answer does not have the fields that were asked: {_plain(found)}") from None
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"the answer is not one complete JSON object: {_plain(str(error))}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is there twice")
    return found


def only_object(text: str) -> str:
    """The one answer object in a text with prose or fences around it; BadAnswer if there is none, or another one."""
    decoder, found, at = json.JSONDecoder(), [], text.find("{")
    for _ in range(50):
        if at < 0 or len(text) > MAX_ANSWER:
            break
        end = at + 1
        try:
            value, end = decoder.raw_decode(text, at)
            if "columns" in value:
                found.append(text[at:end])
        except (ValueError, RecursionError):
            pass
        at = text.find("{", end)
    if len(found) != 1:
        count = len(found) or "no"
        raise BadAnswer(f"the answer holds {count} complete JSON objects with `columns`; answer exactly one")
    return found[0]


def _mapping(answer: _Mapping) -> ColumnMapping:
    expression = _said(answer.expression)
    return ColumnMapping(
        expression=expression,
        source_columns=answer.source_columns if expression else (),
        confidence=answer.confidence if expression else 0.0,
        note=_plain(answer.note),
    )


def _said(text: str | None) -> str | None:
    """None for an empty text and for the word null, which LLMs write where they mean none."""
    stripped = (text or "").strip()
    return None if stripped.lower() in {"", "null", "none"} else stripped


def _plain(text: str) -> str:
    """One line of at most 500 visible characters: notes reach terminals, yml and HTML."""
    visible = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    line = " ".join(visible.split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"
