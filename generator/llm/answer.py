"""How a provider's answer is read. Pure and strict: the answer is untrusted, whoever wrote it."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.candidate import Candidate, ColumnMapping, Question
from generator.contracts.contract import Contract
from generator.matcher.request import BadAnswer, Request
from generator.violation import Part
from generator.visible import plain

MAX_ANSWER = 200_000
MAX_TEXT = 500


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Mapping(_Strict):
    source_columns: tuple[str, ...] = Field(max_length=100)
    note: str
    expression: str | None
    confidence: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)


class _Unmapped(_Strict):
    column: str
    why: str


class _Question(_Strict):
    column: str
    text: str
    readings: tuple[str, ...] = Field(max_length=10)


class _Answer(_Strict):
    columns: dict[str, _Mapping]
    row_filter: str | None
    row_filter_note: str
    reshape: str | None
    unmapped: tuple[_Unmapped, ...]
    questions: tuple[_Question, ...] = Field(max_length=20)


def answer_schema(contract: Contract, asked: tuple[str, ...]) -> dict[str, Any]:
    """The strict JSON schema of an answer: every field required, nothing besides. Reasons come before conclusions."""
    text, nullable = {"type": "string"}, {"type": ["string", "null"]}
    texts = {"type": "array", "items": text}
    mapping = _object({"source_columns": texts, "note": text, "expression": nullable, "confidence": {"type": "number"}})
    names = [name for name in contract.names if name in asked]
    # In a repair of the row filter alone no column is asked for, and strict schemas have no empty enum.
    name = {"type": "string", "enum": names} if names else text
    question = _object({"column": name, "text": text, "readings": texts})
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
        raise BadAnswer(
            f"the contract has no columns {plain(', '.join(unknown), MAX_TEXT)}; leave them out of the answer"
        )
    missing = [name for name in request.asked if name not in answer.columns]
    if missing:
        raise BadAnswer(f"the answer leaves out the gold columns {', '.join(missing)}; answer null with a note instead")
    kept = request.kept or Candidate(columns={})
    new = {name: _mapping(answer.columns[name]) for name in request.asked}
    columns = {name: new.get(name) or kept.columns.get(name) or ColumnMapping() for name in request.contract.names}
    used = {source for mapping in columns.values() for source in mapping.source_columns}
    unmapped = {**kept.unmapped, **{plain(u.column, MAX_TEXT): plain(u.why, MAX_TEXT) for u in answer.unmapped}}
    questions = tuple(q for q in kept.questions if q.column not in request.asked) + tuple(
        Question(column=q.column, text=plain(q.text, MAX_TEXT), readings=tuple(plain(r, MAX_TEXT) for r in q.readings))
        for q in answer.questions
        if q.column in request.asked
    )
    # What passed was checked with this reshaping, so there is nothing kept where it was at fault; a filter may be mended.
    fixed = request.kept is not None
    at_fault = any(v.part is Part.ROW_FILTER for v in request.violations)
    filter_kept = fixed and not at_fault and not _said(answer.row_filter)
    return Candidate(
        columns=columns,
        row_filter=kept.row_filter if filter_kept else _said(answer.row_filter),
        row_filter_note=kept.row_filter_note if filter_kept else plain(answer.row_filter_note, MAX_TEXT),
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
        raise BadAnswer(f"the answer does not have the fields that were asked: {plain(found, MAX_TEXT)}") from None
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"the answer is not one complete JSON object: {plain(str(error), MAX_TEXT)}") from None


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
        note=plain(answer.note, MAX_TEXT),
    )


def _said(text: str | None) -> str | None:
    """None for an empty text and for the word null, which LLMs write where they mean none."""
    stripped = (text or "").strip()
    return None if stripped.lower() in {"", "null", "none"} else stripped
