"""What `goldsmith check` says: a finding a file, and the layouts that a pull request adds or changes. Pure: facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from generator.difference import Difference
from generator.outcome import FileOutcome, LayoutOutcome

Rule = Literal["ok", "unknown-layout", "drift", "contract", "held", "unreadable", "list"]


@dataclass(frozen=True)
class BadRow:
    """A row that would not come to gold: the line of the file on which it starts, from 1, and why."""

    line: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What is said of one file. `file` is what the ledger would call it, `path` where it is in the repository; of a file from
    elsewhere the same as `file`.

    `rule` says what is wrong: no dbt model reads it (`unknown-layout`; `drift` where one nearly does), its rows break the
    `contract`, its mapping is `held`, it is `unreadable`, or it is a `list` of layouts that is not what the folder holds.
    `headline` says it in a sentence, `details` what follows from it. `bad` are the first of its bad rows.
    """

    file: str
    path: str
    rule: Rule
    headline: str
    details: str = ""
    contract: str | None = None
    layout: str | None = None
    outcome: FileOutcome | None = None
    bad: tuple[BadRow, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it would not pass."""
        return self.rule != "ok"

    @property
    def text(self) -> str:
        """All of it, on one line."""
        return "; ".join(filter(None, (self.headline, self.details)))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types; the rows of the file by what becomes of them."""
        rows = {name: getattr(self.outcome, f"rows_{name}") for name in ROWS} if self.outcome else {}
        return {
            "file": self.file,
            "path": self.path,
            "rule": self.rule,
            "text": self.text,
            "contract": self.contract,
            "layout": self.layout,
            "rows": rows,
            "bad": [asdict(row) for row in self.bad],
            "failed": self.failed,
        }


ROWS = ("read", "gold", "superseded", "quarantined", "filtered", "rejected")


@dataclass(frozen=True)
class LayoutChange:
    """A layout that is new, or that a pull request adds, changes or removes. `path` is that of its dbt model.

    `new`: no dbt model of it is in the project, `layout` is the mapping that would be made. `was`: what its dbt model was
    called, if that was something else. `difference` is what the change
    does to the rows of the files that were checked; where there is none, `note` says why.
    """

    how: Literal["new", "added", "changed", "removed"]
    dbt_model: str
    path: str
    layout: LayoutOutcome | None = None
    difference: Difference | None = None
    note: str = ""
    was: str = ""


@dataclass(frozen=True)
class Checked:
    """All that one check found. `notices` are lines for the person. `base` is what it was compared with, if anything."""

    findings: tuple[Finding, ...] = ()
    layouts: tuple[LayoutChange, ...] = ()
    notices: tuple[str, ...] = ()
    base: str | None = None

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What would not pass."""
        return tuple(f for f in self.findings if f.failed)


def shown(root: Path, path: Path) -> str:
    """A path relative to the repository's top folder, as GitHub wants it; outside of it, as it is. It may hold bytes that
    are no text.
    """
    named = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return named.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def counted(file: FileOutcome) -> str:
    """What becomes of the rows of a file, in words."""
    parts = f"{file.rows_read} rows read, {file.rows_gold} gold, {file.rows_quarantined} quarantined, "
    parts += f"{file.rows_filtered} filtered, {file.rows_rejected} rejected"
    return f"{parts}, {file.rows_superseded} superseded" if file.rows_superseded else parts


def verdict(findings: Sequence[Finding]) -> str:
    """All of it in a line."""
    failed = sum(f.failed for f in findings)
    files = f"{len(findings):,} file{'' if len(findings) == 1 else 's'}"
    if not findings:
        return "nothing to check"
    return f"{failed:,} of {files} would not pass" if failed else f"{files} would pass"
