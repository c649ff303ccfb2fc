"""`goldsmith check`: would these files pass? All steps in a throw-away copy of the project; nothing is written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from generator import pipeline
from generator.layouts import Layout, read_layouts
from generator.outcome import FileOutcome, LayoutOutcome, Progress
from generator.project import Project
from generator.providers import Provider

# What dbt needs of a project; data, archives and build results stay where they are.
_PARTS = ("dbt_project.yml", "profiles.yml", "packages.yml", "macros", "models", "seeds")


@dataclass(frozen=True)
class Finding:
    """What is said of one file. `rule` is `ok`, `unknown-layout`, `drift`, `contract`, `held` or `unreadable`."""

    file: str
    rule: str
    text: str
    contract: str | None = None
    layout: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the file would not pass."""
        return self.rule != "ok"

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "failed": self.failed}


def check_files(
    project: Project,
    paths: Sequence[str],
    contract: str | None,
    source: str | None,
    provider: Provider,
    progress: Progress,
) -> list[Finding]:
    """One finding a file."""
    known = read_layouts(project.folder)
    with tempfile.TemporaryDirectory(prefix="goldsmith-check-") as folder:
        copy = Path(folder) / "project"
        copy.mkdir()
        for part in _PARTS:
            original = project.folder / part
            if original.is_dir():
                shutil.copytree(original, copy / part)
            elif original.exists():
                shutil.copy2(original, copy / part)
        absolute = [p if p == "-" else str(Path(p).absolute()) for p in paths]
        # Files in the project's landing folder keep the contract and source that its folders name.
        (copy / "landing").symlink_to((project.folder / "landing").resolve(), target_is_directory=True)
        throw_away = replace(
            project, folder=copy.resolve(), database=copy.resolve() / "check.duckdb", archive_at="archive"
        )
        outcome = pipeline.run(throw_away, absolute, contract, source, provider, progress)
    layouts = {(x.layout, x.contract): x for x in outcome.layouts}
    failures = "; ".join(outcome.failures)
    return [_finding(f, layouts.get((f.layout or "", f.contract or "")), known, failures) for f in outcome.files]


def _finding(file: FileOutcome, layout: LayoutOutcome | None, known: Sequence[Layout], failures: str) -> Finding:
    def found(rule: str, text: str) -> Finding:
        return Finding(file.source_file, rule, text, file.contract, file.layout)

    counts = f"{file.rows_read} rows read, {file.rows_gold} gold, {file.rows_quarantined} quarantined, "
    counts += f"{file.rows_filtered} filtered, {file.rows_rejected} rejected"
    reasons = "; ".join(f"{n} × {reason}" for reason, n in file.reasons[:3])
    if file.state in ("refused", "waiting"):
        return found("unreadable", file.message)
    if file.state == "known":
        return found("ok", file.message)
    if file.state == "blocked":
        return found("unknown-layout", f"no dbt model reads this layout, and none could be made: {file.message}")
    if file.mapping == "generated" and layout is not None:
        mapped = ", ".join(f"{c.name} <- {' + '.join(c.source_columns)}" for c in layout.columns if c.source_columns)
        drift = _drift(layout, known)
        advice = "make and review one with `goldsmith run` before files of it arrive"
        would = f"{layout.provider} would map {mapped} ({counts})"
        if drift:
            return found("drift", f"{drift}; {would}; {advice}")
        return found("unknown-layout", f"no dbt model reads this layout; {would}; {advice}")
    if file.state == "held":
        return found("held", file.message)
    if file.state == "failed" or failures:
        return found("contract", "; ".join(t for t in (file.message, reasons, failures, counts) if t))
    return found("ok", f"layout {file.layout} of {file.contract}: {counts}")


def _drift(layout: LayoutOutcome, known: Sequence[Layout]) -> str:
    """What changed against the nearest known layout of the contract, '' if none is near."""
    headers = {h for c in layout.columns for h in c.source_columns} | {h for h, _ in layout.unmapped}
    near = [
        (len(headers & set(x.headers.values())) / len(headers | set(x.headers.values())), x.dbt_model, x)
        for x in known
        if x.contract == layout.contract and x.has_header
    ]
    if not near:
        return ""
    share, _, nearest = max(near, key=lambda n: n[:2])
    if share < 0.6:
        return ""
    before = set(nearest.headers.values())
    added, missing = sorted(headers - before), sorted(before - headers)
    parts = [f"new columns {', '.join(added)}"] if added else []
    parts += [f"missing columns {', '.join(missing)}"] if missing else []
    changed = "; ".join(parts) or "the same columns in another order, or with other formats"
    return f"nearly {nearest.dbt_model}: {changed}"
