"""The cache as `goldsmith layouts` lists it: cached layouts with their files, and blocked ones from the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generator.database.ledger import LedgerRow, connect, has_database, read_files
from generator.errors import UsageError
from generator.project.candidate_files import candidate
from generator.project.layouts import Layout, read_layouts
from generator.project.project import Project


def list_layouts(project: Project) -> list[dict[str, Any]]:
    """Each layout as plain JSON types; source columns as original header texts.

    `state`: gold, held (waits for a person) or blocked (loaded, but without a mapping).
    """
    files: dict[tuple[str, str | None], list[LedgerRow]] = defaultdict(list)
    if has_database(project.database):
        with connect(project.database, project.folder) as connection:
            for row in read_files(connection):
                files[row.raw_table, row.contract].append(row)
    found: list[dict[str, Any]] = []
    for layout in read_layouts(project.folder):
        contract = project.contracts.get(layout.contract)
        held = contract is not None and project.held_because(layout, contract)
        found.append(
            {
                "layout": layout.short,
                "dbt_model": layout.dbt_model,
                "source": layout.source,
                "contract": layout.contract,
                "state": "held" if held else "gold",
                "files": [r.source_file for r in files.pop((layout.raw_table, layout.contract), [])],
                "review": layout.review,
                "reviewed": layout.reviewed,
                "standing": layout.standing,
                "edited": layout.edited,
                "candidate": candidate(layout) is not None,
                "columns": {name: dict(mapping) for name, mapping in layout.columns.items()},
                "unmapped": dict(layout.unmapped),
                "drift": dict(layout.drift) if layout.drift else None,
                "questions": [dict(q) for q in layout.questions],
            }
        )
    for (_, contract_name), rows in files.items():
        found.append(
            {
                "layout": rows[0].layout,
                "dbt_model": None,
                "source": rows[0].source,
                "contract": contract_name,
                "state": "blocked" if any(r.state == "blocked" for r in rows) else "loaded",
                "files": [r.source_file for r in rows],
                "review": None,
                "reviewed": None,
                "standing": "",
                "edited": False,
                "candidate": False,
                "columns": {},
                "unmapped": {},
                "drift": None,
                "questions": [{"text": r.message} for r in rows[:1] if r.message],
            }
        )
    return found


def find_listed(project: Project, name: str) -> Layout:
    """The layout of that name, or whose fingerprint or dbt model's name begins so.

    Raises UsageError if that is none or several.
    """
    return find_all_listed(project, [name])[0]


def find_all_listed(project: Project, names: Sequence[str]) -> list[Layout]:
    """The layouts of these names, each once. Raises UsageError as `find_listed`."""
    layouts = read_layouts(project.folder)
    return list({x.dbt_model: x for x in (_named(project.folder, layouts, name) for name in names)}.values())


def _named(folder: Path, layouts: Sequence[Layout], name: str) -> Layout:
    fitting = [x for x in layouts if x.dbt_model == name]
    fitting = fitting or [x for x in layouts if x.fingerprint.startswith(name) or x.dbt_model.startswith(name)]
    if not fitting:
        raise UsageError(f"{name}: no such layout; see goldsmith layouts")
    if len(fitting) > 1:
        several = ", ".join(f"{x.dbt_model} ({x.path.relative_to(folder)})" for x in fitting[:5])
        raise UsageError(f"{name}: several layouts: {several}; name one of them")
    return fitting[0]
