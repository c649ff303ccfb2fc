"""Approve layouts: who did, when, and which text of the dbt model, in the yml that describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.errors import UsageError
from generator.project.layouts import Layout
from generator.project.render import UNREVIEWED, approved_sha256
from generator.project.texts import read_exactly, replace_exactly
from generator.yml.edit import model_path, remove, set_value, value_at
from generator.yml.places import Path as Place


@dataclass(frozen=True)
class Approval:
    """A layout that is approved: by whom, when (ISO 8601), the hashes of its text; `new` if it was not before."""

    layout: Layout
    by: str
    at: str
    hashes: Mapping[str, str]
    new: bool

    @property
    def said(self) -> dict[str, str]:
        """What the yml says of it."""
        return {"by": self.by, "at": self.at, **self.hashes}


def approve(layouts: Sequence[Layout], by: str, at: str) -> tuple[Approval, ...]:
    """Approve layouts as they are now; what was approved as it is stays so. Writes nothing if one of them cannot be.

    Raises UsageError for a yml that cannot be edited.
    """
    before: dict[Path, str] = {}
    after: dict[Path, str] = {}
    approvals = []
    for layout in layouts:
        yml = layout.yml
        before.setdefault(yml, read_exactly(yml))
        hashes = approved_sha256(read_exactly(layout.path))
        old = layout.reviewed if layout.approved and not layout.edited_since_approved else None
        approval = Approval(layout, *((old["by"], old["at"]) if old else (by, at)), hashes, new=not old)
        after[yml] = approved_yml(layout, after.get(yml, before[yml]), approval)
        approvals.append(approval)
    for yml, text in after.items():
        if text != before[yml]:
            replace_exactly(yml, before[yml], text)
    return tuple(approvals)


def approved_yml(layout: Layout, yml: str, approval: Approval) -> str:
    """The yml of a layout that is approved. Raises UsageError for one that cannot be edited."""
    try:
        return _edited(layout.dbt_model, yml, approval)
    except (KeyError, ValueError) as error:
        raise UsageError(f"{layout.yml}: {error}; set `review: approved` in it by hand") from None


def _edited(dbt_model: str, yml: str, approval: Approval) -> str:
    where = model_path(yml, dbt_model)
    meta: Place = (*where, "config", "meta")
    text = set_value(yml, (*meta, "review"), "approved")
    text = set_value(text, (*meta, "reviewed"), approval.said, after="review")
    config = value_at(text, (*where, "config"))
    for name, column in (config["meta"].get("columns") or {}).items():
        if isinstance(column, dict) and "reviewed" in column:
            text = remove(text, (*meta, "columns", name, "reviewed"))
    tags = config.get("tags")
    if isinstance(tags, list) and UNREVIEWED in tags:
        text = remove(text, (*where, "config", "tags", tags.index(UNREVIEWED)))
    return text
