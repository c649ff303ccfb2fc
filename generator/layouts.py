"""The cache: layouts as the project's `models/staging` folder holds them, dbt model and yml side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.candidate import Provenance
from generator.contracts import Contract
from generator.errors import UsageError
from generator.fingerprint import compatible
from generator.render import (
    LayoutName,
    body_sha256,
    load_yml,
    render_quarantine,
    render_quarantine_yml,
    render_union,
    render_union_yml,
)


@dataclass(frozen=True)
class Layout:
    """One cached layout. `columns`: gold column -> {source_columns, confidence, note, provider}, source columns as header
    texts; `provider` where it is another one than the layout's.

    `headers` maps safe names to header texts, in order. `path` is the dbt model's file.
    """

    dbt_model: str
    path: Path
    source: str
    contract: str
    fingerprint: str
    raw_table: str
    has_header: bool
    headers: Mapping[str, str]
    shapes: tuple[str, ...]
    columns: Mapping[str, Mapping[str, Any]]
    unmapped: Mapping[str, str]
    questions: tuple[Mapping[str, Any], ...]
    review: str
    provenance: Provenance
    edited: bool

    @property
    def provider(self) -> str:
        """Who mapped it."""
        return self.provenance.provider

    @property
    def short(self) -> str:
        """What people call the layout."""
        return self.fingerprint[:8]

    def held_because(self, contract: Contract, min_confidence: float) -> str:
        """Why it is held out of gold, '' if it is not; the same rule as the dbt macro of that name."""
        if self.review == "approved":
            return ""
        for question in self.questions:
            return f"{question['column']}: {question['text']}"
        for column in contract.required:
            confidence = (self.columns.get(column.name) or {}).get("confidence")
            if confidence is not None and confidence < min_confidence:
                return f"{column.name}: mapped with confidence {confidence}, below {min_confidence}"
        return ""


def read_layouts(project: Path) -> list[Layout]:
    """Every layout of a project, in order of name. Raises UsageError for a yml that cannot be read."""
    folder = project / "models" / "staging"
    files = {p.stem: p for p in sorted(folder.rglob("*.sql"))}
    found = []
    for path in sorted(folder.rglob("*.yml")):
        for name, meta in _metas(path):
            if name in files:
                found.append(_layout(name, meta, files[name], path))
    return sorted(found, key=lambda layout: layout.dbt_model)


class _Column(BaseModel):
    source_columns: tuple[str, ...] = ()
    confidence: float | None = None
    note: str | None = None
    provider: str | None = None


class _Asked(BaseModel):
    column: str
    text: str
    readings: tuple[str, ...] = ()


class _Meta(BaseModel):
    """`config.meta` of a staging dbt model as `render` writes it; people may add what they like."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    contract: str
    source: str
    fingerprint: str
    headers: dict[str, str]
    shapes: tuple[str, ...]
    has_header: bool = True
    columns: dict[str, _Column] = Field(default_factory=dict)
    unmapped: dict[str, str] = Field(default_factory=dict)
    questions: tuple[_Asked, ...] = ()
    review: str = "pending"
    provenance: Provenance = Provenance()
    body_sha256: str | None = None


def _metas(path: Path) -> list[tuple[str, _Meta]]:
    """Names and meta of the layouts in one yml; other dbt models in it are passed over."""
    try:
        document = _document(path, path.stat().st_mtime_ns)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise UsageError(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML; correct it") from None
    models = document.get("models") if isinstance(document, dict) else None
    found = []
    for model in models if isinstance(models, list) else []:
        config = model.get("config") if isinstance(model, dict) else None
        meta = config.get("meta") if isinstance(config, dict) else None
        if isinstance(meta, dict) and "fingerprint" in meta:
            try:
                found.append((str(model.get("name")), _Meta.model_validate(meta)))
            except ValidationError as error:
                first = error.errors()[0]
                where = f"config.meta.{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}"
                raise UsageError(f"{path}: {model.get('name')}: {where}; restore it or delete both files") from None
    return found


@lru_cache(maxsize=4096)
def _document(path: Path, changed: int) -> Any:
    """The yml in a file; `changed` is the time of its last change, so that a changed file is read anew."""
    return load_yml(path.read_text(encoding="utf-8"))


def _layout(name: str, meta: _Meta, sql: Path, yml: Path) -> Layout:
    text = sql.read_text(encoding="utf-8")
    raw = re.search(r"source\(\s*['\"]raw['\"]\s*,\s*['\"]([^'\"]+)['\"]\s*\)", text)
    if not raw:
        raise UsageError(f"{sql}: reads no raw table; it must select from {{{{ source('raw', ...) }}}}")
    return Layout(
        dbt_model=name,
        path=sql,
        source=meta.source,
        contract=meta.contract,
        fingerprint=meta.fingerprint,
        raw_table=raw[1],
        has_header=meta.has_header,
        headers=meta.headers,
        shapes=meta.shapes,
        columns={name: column.model_dump(mode="json", exclude=_unset(column)) for name, column in meta.columns.items()},
        unmapped=meta.unmapped,
        questions=tuple(question.model_dump(mode="json") for question in meta.questions),
        review=meta.review,
        provenance=meta.provenance,
        edited=body_sha256(text) != meta.body_sha256,
    )


def _unset(column: _Column) -> set[str]:
    return set() if column.provider else {"provider"}


def find_layout(
    layouts: Sequence[Layout], contract: str | None, headers: Sequence[str], shapes: Sequence[str], source: str
) -> Layout | None:
    """The cached layout that a file belongs to: same headers in the same order, formats alike.

    A file without header is told by its formats alone, and those are no one's own: there the source must be the same,
    too. Of several, the one that fits most exactly.
    """
    fitting = [
        layout
        for layout in layouts
        if contract in (None, layout.contract)
        and list(layout.headers.values()) == list(headers)
        and (layout.has_header or layout.source == source)
        and compatible(layout.shapes, shapes)
    ]
    return min(
        fitting,
        key=lambda layout: (
            sum(a != b for a, b in zip(layout.shapes, shapes, strict=True)),
            layout.source != source,
            layout.dbt_model,
        ),
        default=None,
    )


def write_layout(project: Path, name: LayoutName, sql: str, yml: str) -> Path:
    """Write a new layout's two files; returns the dbt model's path. Files that are there are never overwritten."""
    folder = project / name.folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.dbt_model}.sql"
    if path.exists():
        raise UsageError(f"{path}: is there already, and may have been edited; delete it to have it generated again")
    _write(path.with_suffix(".yml"), yml)
    _write(path, sql)
    return path


def write_contract_models(project: Path, contracts: Sequence[str], layouts: Sequence[Layout]) -> None:
    """Write what every contract has beside gold: the union of its layouts and its quarantine, where they changed."""
    for contract in contracts:
        listed = [layout.dbt_model for layout in layouts if layout.contract == contract]
        quarantine = project / "models" / "quarantine" / f"quarantine_{contract}.sql"
        union = project / "models" / "staging" / f"stg_{contract}.sql"
        _write(union, render_union(contract, listed))
        _write(union.with_suffix(".yml"), render_union_yml(contract))
        _write(quarantine, render_quarantine(contract))
        _write(quarantine.with_suffix(".yml"), render_quarantine_yml(contract))


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)
