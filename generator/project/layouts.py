"""The cache: layouts as the project's `models/staging` folder holds them, dbt model and yml side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from generator.candidate import Provenance
from generator.columns.fingerprint import compatible
from generator.contracts.contract import Contract
from generator.errors import UsageError
from generator.outcome import LAPSED
from generator.project.render import body_sha256, text_sha256
from generator.project.texts import read_exactly
from generator.yml.writing import entries, load_yml, meta_of


@dataclass(frozen=True)
class Layout:
    """One cached layout. `columns`: gold column -> {source_columns, confidence, note, provider, reviewed}, source columns
    as header texts; `provider` where it is another one than the layout's, `reviewed` where a person has said that it is
    right, and has not approved the layout yet.

    `headers` maps safe names to header texts, in order. `path` is the dbt model's file, `yml` the one that describes it,
    maybe among others. `review` is pending or approved, `reviewed` says who approved it by command, when, and the text
    with which `sha256`; `sha256` is that of the dbt model's text now, as dbt computes it. `edited`: it is not as generated.
    `drift`: the known layout that it was nearly (`from`), the `changes` in words, the gold columns that were `kept`,
    and those that were `refused`, as they fail a check on its rows.
    """

    dbt_model: str
    path: Path
    yml: Path
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
    reviewed: Mapping[str, str] | None
    sha256: str
    provenance: Provenance
    edited: bool
    drift: Mapping[str, Any] | None = None

    @property
    def provider(self) -> str:
        """Who mapped it."""
        return self.provenance.provider

    @property
    def short(self) -> str:
        """What people call the layout."""
        return self.fingerprint[:8]

    @property
    def drifted(self) -> str:
        """What it has other than the known layout that it was nearly when it was mapped, in words; '' if it was near none."""
        if not self.drift:
            return ""
        kept = self.drift["kept"]
        taken = f"; taken over from it: {', '.join(kept)}" if kept else ""
        refused = "".join(f"; {name} is not: {why}" for name, why in self.drift["refused"].items())
        return f"nearly {self.drift['from']}: {'; '.join(self.drift['changes'])}{taken}{refused}"

    @property
    def approved(self) -> bool:
        """Whether a person has approved it, by command or by hand, whatever was edited since."""
        return self.review == "approved"

    @property
    def edited_since_approved(self) -> bool:
        """Whether its text is another one than the one that was approved; of an approval by hand nobody knows."""
        return self.approved and self.reviewed is not None and self.reviewed["sha256"] != self.sha256

    @property
    def standing(self) -> str:
        """How its review stands, in words."""
        if self.edited_since_approved:
            return LAPSED
        return ("approved" if self.approved else "unreviewed") + (", edited" if self.edited else "")

    def held_because(self, contract: Contract, min_confidence: float, *, hold_unreviewed: bool) -> str:
        """Why it is held out of gold, '' if it is not; the same rule as the dbt macro of that name."""
        if self.approved:
            return "edited since it was approved" if hold_unreviewed and self.edited_since_approved else ""
        for question in self.questions:
            return f"{question['column']}: {question['text']}"
        for column in contract.required:
            mapping = self.columns.get(column.name) or {}
            confidence = None if mapping.get("reviewed") else mapping.get("confidence")
            if confidence is not None and confidence < min_confidence:
                return f"{column.name}: mapped with confidence {confidence}, below {min_confidence}"
        return "not reviewed yet" if hold_unreviewed else ""


def read_layouts(project: Path) -> list[Layout]:
    """Every layout of a project, in order of name. Raises UsageError for a yml that cannot be read."""
    folder = project / "models" / "staging"
    files = {p.stem: p for p in sorted(folder.rglob("*.sql"))}
    found = []
    for path in _ymls(folder):
        for name, meta in _metas(path, path.stat().st_mtime_ns):
            if name in files:
                found.append(_layout(name, meta, files[name], path))
    return sorted(found, key=lambda layout: layout.dbt_model)


def without_yml(project: Path, layouts: Sequence[Layout]) -> list[Path]:
    """The dbt models of layouts that no yml describes any more; of other dbt models nobody says that they need one."""
    known = {layout.path for layout in layouts}
    found = sorted((project / "models" / "staging").rglob("*.sql"))
    return [p for p in found if p not in known and b"contract_violations(" in p.read_bytes()]


def described_without_sql(project: Path, contract: str, fingerprint: str) -> tuple[Path, str] | None:
    """The yml that still describes a layout whose dbt model was deleted, and what it calls the dbt model."""
    folder = project / "models" / "staging"
    files = {p.stem for p in folder.rglob("*.sql")}
    for path in _ymls(folder):
        for name, meta in _metas(path, path.stat().st_mtime_ns):
            if (meta.contract, meta.fingerprint) == (contract, fingerprint) and name not in files:
                return path, name
    return None


def _ymls(folder: Path) -> list[Path]:
    """The files in which dbt looks for descriptions."""
    return sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")])


def read_again(layout: Layout) -> Layout:
    """A layout as its two files are now. Raises UsageError where they cannot be read, or one is gone."""
    for name, meta in _metas(layout.yml, layout.yml.stat().st_mtime_ns) if layout.yml.exists() else ():
        if name == layout.dbt_model and layout.path.exists():
            return _layout(name, meta, layout.path, layout.yml)
    raise UsageError(f"{layout.path}: was taken away meanwhile")


class _Column(BaseModel):
    source_columns: tuple[str, ...] = ()
    confidence: float | None = None
    note: str | None = None
    provider: str | None = None
    reviewed: bool = False


class _Asked(BaseModel):
    column: str
    text: str
    readings: tuple[str, ...] = ()


class _Reviewed(BaseModel):
    by: str = ""
    # Without its quotes YAML reads a time.
    at: Annotated[str, BeforeValidator(str)] = ""
    sha256: str


class _Drift(BaseModel):
    from_: str = Field(alias="from")
    changes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    discarded: tuple[str, ...] = ()
    refused: dict[str, str] = Field(default_factory=dict)


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
    reviewed: _Reviewed | None = None
    provenance: Provenance = Provenance()
    drift: _Drift | None = None
    body_sha256: str | None = None


@lru_cache(maxsize=4096)
def _metas(path: Path, changed: int) -> list[tuple[str, _Meta]]:
    """Names and meta of the layouts in one yml; other dbt models in it are passed over.

    `changed` is the time of its last change, so that a changed file is read anew.
    """
    try:
        models = entries(load_yml(path.read_text(encoding="utf-8")), "models")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise UsageError(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML; correct it") from None
    found = []
    for model in models:
        meta = meta_of(model)
        if "fingerprint" in meta:
            try:
                found.append((str(model.get("name")), _Meta.model_validate(meta)))
            except ValidationError as error:
                first = error.errors()[0]
                where = f"config.meta.{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}"
                raise UsageError(f"{path}: {model.get('name')}: {where}; restore it or delete both files") from None
    return found


def _layout(name: str, meta: _Meta, sql: Path, yml: Path) -> Layout:
    exact = read_exactly(sql)
    text = exact.replace("\r\n", "\n")
    raw = re.search(r"source\(\s*['\"]raw['\"]\s*,\s*['\"]([^'\"]+)['\"]\s*\)", text)
    if not raw:
        raise UsageError(f"{sql}: reads no raw table; it must select from {{{{ source('raw', ...) }}}}")
    return Layout(
        dbt_model=name,
        path=sql,
        yml=yml,
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
        reviewed=meta.reviewed.model_dump() if meta.reviewed else None,
        sha256=text_sha256(exact),
        provenance=meta.provenance,
        edited=body_sha256(text) != meta.body_sha256,
        drift=meta.drift.model_dump(mode="json", by_alias=True) if meta.drift else None,
    )


def _unset(column: _Column) -> set[str]:
    return {field for field in ("provider", "reviewed") if not getattr(column, field)}


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
