"""Under which version of its mapping a layout's rows are to be in gold, as dbt works it out while it builds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from generator.layouts import Layout
from generator.project import Project


def wanted_version(project: Project, layout: Layout) -> str:
    """What the dbt macro `contract_layouts` calls `mapping`: it changes with the dbt model, the contract, and what holds it.

    A layout whose contract is gone has none, ''.
    """
    contract = project.contracts.get(layout.contract)
    if contract is None:
        return ""
    text = layout.path.read_bytes().decode("utf-8", "replace").strip()
    checksum = hashlib.sha256(text.encode()).hexdigest()
    # The yml has a word joiner between the brackets of Jinja, which is taken out where Python reads it.
    held = layout.held_because(contract, project.min_confidence, hold_unreviewed=project.hold_unreviewed)
    held = held.replace("\u2060", "")
    return hashlib.md5(f"{checksum}{contract.rules}{held}".encode(), usedforsecurity=False).hexdigest()


def wanted_versions(project: Project, layouts: Iterable[Layout]) -> dict[str, str]:
    """The version of each of these layouts, by its dbt model."""
    return {layout.dbt_model: wanted_version(project, layout) for layout in layouts}
