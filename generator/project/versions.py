"""Under which version of its mapping a layout's rows are to be in gold, as dbt works it out while it builds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from generator.project.layouts import Layout
from generator.project.project import Project


def wanted_version(project: Project, layout: Layout) -> str:
    """What the dbt macro `contract_layouts` calls `mapping`: it changes with the dbt model, its name, the columns that feed
    it, the contract, and what holds it.

    A layout whose contract is gone has none, ''.
    """
    contract = project.contracts.get(layout.contract)
    if contract is None:
        return ""
    # The yml has a word joiner between the brackets of Jinja, which is taken out where Python reads it.
    held = project.held_because(layout, contract)
    held = held.replace("\u2060", "")
    said = f"{layout.dbt_model}{layout.sha256}{contract.rules}{_feeding(layout)}{held}"
    return hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()


def _feeding(layout: Layout) -> str:
    """As the dbt macro `feeding`."""
    raw_columns: dict[str, list[str]] = {}
    for raw, header in layout.headers.items():
        raw_columns.setdefault(header, []).append(raw)
    found = [
        [name, [raw for header in mapping.get("source_columns") or () for raw in raw_columns.get(header, [])]]
        for name, mapping in layout.columns.items()
    ]
    return json.dumps([found, (layout.drift or {}).get("discarded", [])])


def wanted_versions(project: Project, layouts: Iterable[Layout]) -> dict[str, str]:
    """The version of each of these layouts, by its dbt model."""
    return {layout.dbt_model: wanted_version(project, layout) for layout in layouts}
