"""What a check finds in `models/staging` itself: lists of layouts that are not what the folder holds, or not in git."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from generator.finding import Finding, shown
from generator.project import history
from generator.project.layouts import Layout
from generator.project.project import Project


def lists(project: Project, known: Sequence[Layout], root: Path) -> list[Finding]:
    """A finding for each `stg_<contract>` that lists other layouts than the folder holds: dbt would miss some, or fail."""
    found = []
    for contract in project.contracts:
        path = _list_of(project, contract)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        listed = _listed(text)
        there = {x.dbt_model for x in known if x.contract == contract}
        parts = [f"lacks {', '.join(sorted(there - listed))}"] if there - listed else []
        parts += (
            [f"lists {', '.join(sorted(listed - there))}, which the folder does not have"] if listed - there else []
        )
        if parts:
            said = f"{' and '.join(parts)}; goldsmith run makes it anew, commit it"
            found.append(Finding(path.name, shown(root, path), "list", said, contract=contract))
    return found


def uncommitted(project: Project, known: Sequence[Layout], root: Path) -> list[Finding]:
    """A finding for each list that is to be committed without the files of a layout in it: `git commit -a` does that."""
    tracked = history.tracked(project.folder)
    found = []
    for contract in project.contracts:
        path = _list_of(project, contract)
        listed = _listed(history.staged_text(project.folder, path) or "")
        files = sorted({p for x in known if x.dbt_model in listed for p in (x.path, x.yml)} - tracked)
        if files:
            named = " ".join(shlex.quote(shown(root, p)) for p in files)
            said = f"lists what git does not have yet: git add {named}"
            found.append(Finding(path.name, shown(root, path), "list", said, contract=contract))
    return found


def _list_of(project: Project, contract: str) -> Path:
    return project.folder / "models" / "staging" / f"stg_{contract}.sql"


def _listed(union: str) -> set[str]:
    """The layouts that the text of a `stg_<contract>` names."""
    return set(re.findall(r"ref\(\s*['\"](\w+)['\"]", union))
