"""What a changed contract means for a layout, as a person and a program read it: facts and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from generator.changes.trial import Rows, Tried
from generator.contracts.contract import Contract
from generator.contracts.evolution import Change
from generator.project.layouts import Layout

Verdict = Literal["holds", "repair", "blocked"]


@dataclass(frozen=True)
class Planned:
    """What becomes of one layout. `columns` are the gold columns that its mapping has to say anew, `why` says so in words.

    `could`: gold column -> a header that may feed it, of columns that are NULL without anything being wrong.
    `tried`: its rows before and after, None where none are loaded.
    """

    layout: Layout
    verdict: Verdict
    columns: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    could: Mapping[str, str] = field(default_factory=dict)
    tried: Tried | None = None

    @property
    def command(self) -> str:
        """What a person runs next, '' where nothing is to be done."""
        columns = self.columns or tuple(self.could)
        if not columns:
            return ""
        return " ".join(["goldsmith regenerate", self.layout.short, *(f"--column {c}" for c in columns)])


@dataclass(frozen=True)
class ContractPlan:
    """What has changed in one contract, and what that means for its layouts.

    `before` is None for a contract that is new, or where there is nothing to compare with. `built`: whether gold is as the
    contract and its layouts are now. `failure` is what dbt says where gold could not be built from them at all.
    """

    contract: Contract
    before: Contract | None
    changes: tuple[Change, ...]
    layouts: tuple[Planned, ...]
    built: bool = True
    failure: str = ""

    @property
    def fine(self) -> bool:
        """Whether it can be built as it is, and nothing is left to do."""
        return not self.failure and all(p.verdict == "holds" for p in self.layouts)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "contract": self.contract.name,
            "version": self.contract.version,
            "version_before": self.before.version if self.before else None,
            "changes": [{"kind": c.kind, "column": c.column, "text": c.text} for c in self.changes],
            "built": self.built,
            "failure": self.failure,
            "layouts": [_as_json(p) for p in self.layouts],
        }


def _as_json(planned: Planned) -> dict[str, Any]:
    tried = planned.tried
    return {
        "layout": planned.layout.short,
        "dbt_model": planned.layout.dbt_model,
        "verdict": planned.verdict,
        "columns": list(planned.columns),
        "why": list(planned.why),
        "could": dict(planned.could),
        "command": planned.command,
        "files": tried.files if tried else 0,
        "rows_loaded": tried.loaded if tried else 0,
        "before": _rows_json(tried.before) if tried else None,
        "after": _rows_json(tried.after) if tried else None,
    }


def _rows_json(rows: Rows | None) -> dict[str, Any] | None:
    return {"gold": rows.gold, "quarantine": dict(rows.kinds), "reasons": dict(rows.reasons)} if rows else None
