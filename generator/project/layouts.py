"""The cache: layouts as the project's `models/staging` folder holds them, dbt model and yml side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from generator.candidate import Provenance
from generator.columns.fingerprint import DECIMALS, compatible, misread
from generator.contracts.contract import Contract
from generator.errors import UsageError
from generator.outcome import LAPSED
from generator.project.render import body_sha256, text_sha256
from generator.project.strays import Left, ensure_described, raw_table
from generator.project.texts import read_exactly
from generator.project.written import decimal_signs
from generator.yml.writing import entries, load_yml, meta_of


@dataclass(frozen=True)
class Layout:
    """One cached layout. `columns`: gold column -> {source_columns, confidence, note, provider, reviewed}, source columns
    as header texts; `provider` where it is another one than the layout's, `reviewed` where a person has said that it is
    right, and has not approved the layout yet.

    `headers` maps safe names to header texts, in order. `path` is the dbt model's file, `yml` the one that describes it,
    maybe among others. `review` is pending or approved, `reviewed` says who approved it by command, when, and the text
    with which `sha256`, or `sha256_crlf` where its lines end so; `sha256` is that of the dbt model's text now, as dbt
    computes it. `edited`: it is not as generated. `tested`: people have given it dbt tests in its yml. `questions` are open
    until it is approved, `answered` those that a person has answered one by one, or of a layout that it began with. `drift`:
    the known layout that it was nearly (`from`), the `changes` in words, the gold columns that were `kept`, those that are
    from something else than there (`changed`, in words), and those in which a person had a hand there (`by_hand`).
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
    tested: bool = False
    drift: Mapping[str, Any] | None = None
    answered: tuple[Mapping[str, Any], ...] = ()

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
        changed = [f"{name} {words}" for name, words in self.drift["changed"].items()]
        mapped = [name for name, mapping in self.columns.items() if mapping.get("confidence") is not None]
        kept = [name for name in mapped if name in self.drift["kept"]]
        others = [name for name in mapped if name not in kept]
        taken = f"all but {', '.join(others)}" if len(others) < len(kept) else ", ".join(kept)
        said = [*self.drift["changes"], *changed]
        taken = taken if others else "all else" if changed else "all"
        said += [f"taken over from it: {taken}"] if kept else []
        return f"nearly {self.drift['from']}: {'; '.join(said)}"

    @property
    def approved(self) -> bool:
        """Whether a person has approved it, by command or by hand, whatever was edited since."""
        return self.review == "approved"

    @property
    def edited_since_approved(self) -> bool:
        """Whether its text is another one than the one that was approved; of an approval by hand nobody knows."""
        return (
            self.approved
            and self.reviewed is not None
            and self.sha256 not in (self.reviewed["sha256"], self.reviewed["sha256_crlf"])
        )

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
    """Every layout of a project, in order of name.

    Raises UsageError for a yml that cannot be read, for a dbt model that lost its yml, and where two files are of one layout:
    its rows would be in gold twice.
    """
    folder = project / "models" / "staging"
    files = _dbt_models(folder)
    found: dict[str, Layout] = {}
    left = []
    for yml in _ymls(folder):
        for said in _described(yml, yml.stat().st_mtime_ns):
            name = said.name
            if name not in files:
                left.append(Left(yml, name, said.meta.contract, said.meta.fingerprint))
            else:
                path, *others = files[name]
                if others:
                    raise UsageError(
                        f"{path} and {others[0]}: two dbt models of one name, which dbt refuses; delete one"
                    )
                if name in found:
                    raise UsageError(f"{found[name].yml} and {yml}: both describe {name}, which dbt refuses; keep one")
                found[name] = _layout(said, path, yml)
    _ensure_read_once(found.values())
    undescribed = [path for name, paths in files.items() if name not in found for path in paths]
    ensure_described(undescribed, {(x.raw_table, x.contract) for x in found.values()}, left)
    return sorted(found.values(), key=lambda layout: layout.dbt_model)


def _ensure_read_once(layouts: Iterable[Layout]) -> None:
    """UsageError for two dbt models that read one raw table for one contract, such as one and its copy."""
    readers: dict[tuple[str, str], Layout] = {}
    for layout in layouts:
        other = readers.setdefault((layout.raw_table, layout.contract), layout)
        if other is not layout:
            raise UsageError(
                f"{other.path} and {layout.path}: both read raw.{layout.raw_table} for {layout.contract}, so each row would "
                "be in gold twice; delete one, and what the yml says of it"
            )


def _dbt_models(folder: Path) -> dict[str, list[Path]]:
    """The files of each dbt model's name."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.sql")):
        found.setdefault(path.stem, []).append(path)
    return found


def described_without_sql(project: Path, contract: str, fingerprint: str) -> tuple[Path, str] | None:
    """The yml that still describes a layout whose dbt model was deleted, and what it calls the dbt model."""
    folder = project / "models" / "staging"
    files = {p.stem for p in folder.rglob("*.sql")}
    for path in _ymls(folder):
        for said in _described(path, path.stat().st_mtime_ns):
            if (said.meta.contract, said.meta.fingerprint) == (contract, fingerprint) and said.name not in files:
                return path, said.name
    return None


def _ymls(folder: Path) -> list[Path]:
    """The files in which dbt looks for descriptions."""
    return sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")])


def read_again(layout: Layout) -> Layout:
    """A layout as its two files are now. Raises UsageError where they cannot be read, or one is gone."""
    for said in _described(layout.yml, layout.yml.stat().st_mtime_ns) if layout.yml.exists() else ():
        if said.name == layout.dbt_model and layout.path.exists():
            return _layout(said, layout.path, layout.yml)
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
    sha256_crlf: str = ""


class _Drift(BaseModel):
    from_: str = Field(alias="from")
    changes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    discarded: tuple[str, ...] = ()
    changed: dict[str, str] = Field(default_factory=dict)
    by_hand: tuple[str, ...] = ()


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
    answered: tuple[_Asked, ...] = ()
    review: str = "pending"
    reviewed: _Reviewed | None = None
    provenance: Provenance = Provenance()
    drift: _Drift | None = None
    body_sha256: str | None = None


@dataclass(frozen=True)
class _Described:
    """What a yml says of a layout."""

    name: str
    meta: _Meta
    tested: bool


@lru_cache(maxsize=4096)
def _described(path: Path, changed: int) -> list[_Described]:
    """The layouts in one yml; other dbt models in it are passed over.

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
                found.append(_Described(str(model.get("name")), _Meta.model_validate(meta), _tested(model)))
            except ValidationError as error:
                first = error.errors()[0]
                where = f"config.meta.{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}"
                raise UsageError(f"{path}: {model.get('name')}: {where}; restore it or delete both files") from None
    return found


def _tested(model: dict[str, Any]) -> bool:
    """Whether an entry of a yml has dbt tests, for the dbt model or a column."""
    return any(said.get(word) for said in (model, *entries(model, "columns")) for word in ("data_tests", "tests"))


def _layout(said: _Described, sql: Path, yml: Path) -> Layout:
    meta = said.meta
    exact = read_exactly(sql)
    text = exact.replace("\r\n", "\n")
    raw = raw_table(text)
    if raw is None:
        raise UsageError(f"{sql}: reads no raw table; it must select from {{{{ source('raw', ...) }}}}")
    return Layout(
        dbt_model=said.name,
        path=sql,
        yml=yml,
        source=meta.source,
        contract=meta.contract,
        fingerprint=meta.fingerprint,
        raw_table=raw,
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
        tested=said.tested,
        drift=meta.drift.model_dump(mode="json", by_alias=True) if meta.drift else None,
        answered=tuple(question.model_dump(mode="json") for question in meta.answered),
    )


def _unset(column: _Column) -> set[str]:
    return {field for field in ("provider", "reviewed") if not getattr(column, field)}


def find_layout(
    layouts: Sequence[Layout], contract: str | None, headers: Sequence[str], shapes: Sequence[str], source: str
) -> Layout | None:
    """The cached layout that a file belongs to: same headers in the same order, formats alike, and no numbers that its dbt
    model would take for others.

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
        and not _misreads(layout, shapes)
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


def _misreads(layout: Layout, shapes: Sequence[str]) -> bool:
    """Whether a column that held no decimals has some now, with another decimal sign than the dbt model's, as it is now."""
    new = {n: (k, s) for n, k, s in zip(layout.headers, layout.shapes, shapes, strict=True) if k != s and s in DECIMALS}
    signs = decimal_signs(layout.path.read_text(encoding="utf-8")) if new else {}
    return any(misread(*pair, signs.get(name, set())) for name, pair in new.items())
