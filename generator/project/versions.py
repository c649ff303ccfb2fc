"""Under which version of its mapping a layout's rows are to be in gold, as dbt works it out while it builds."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from generator.project.layouts import Layout
from generator.project.project import Project

_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+).*?\{%-?\s*endmacro\s*-?%\}", re.DOTALL)
_DECIDING = ("functions/*.sql", "contract.sql", "gold.sql", "modes.sql", "violations.sql")


def wanted_version(project: Project, layout: Layout) -> str:
    """What the dbt macro `contract_layouts` calls `mapping`: it changes with the dbt model, its name, the columns that feed
    it, the contract, the macros, and what holds it.

    A layout whose contract is gone has none, ''.
    """
    contract = project.contracts.get(layout.contract)
    if contract is None:
        return ""
    # The yml has a word joiner between the brackets of Jinja, which is taken out where Python reads it.
    held = project.held_because(layout, contract)
    held = held.replace("\u2060", "")
    macros = _deciding_macros(project.folder)
    return _md5(f"{layout.dbt_model}{layout.sha256}{contract.rules}{macros}{_feeding(layout)}{held}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


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


def _deciding_macros(folder: Path) -> str:
    """As the dbt macro `deciding_macros`."""
    files = [file for pattern in _DECIDING for file in (folder / "macros").glob(pattern)]
    return _macros(tuple((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=8)
def _macros(files: tuple[tuple[Path, int], ...]) -> str:
    """The checksum of the macros in files, each with the time of its last change, so that a changed one is read anew."""
    texts = [file.read_bytes().decode("utf-8", "replace") for file, _ in files]
    found = {macro[1]: macro[0] for text in texts for macro in _MACRO.finditer(text)}
    return _md5("\n".join(found[name] for name in sorted(found)))


def wanted_versions(project: Project, layouts: Iterable[Layout]) -> dict[str, str]:
    """The version of each of these layouts, by its dbt model."""
    return {layout.dbt_model: wanted_version(project, layout) for layout in layouts}
