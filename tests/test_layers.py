"""Imports go down only: a module knows its own layer and those below, and what is pure touches no database."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "generator"
# From the ground up. `words` and `doors` are the modules of the package itself.
ROOMS = (
    "words",
    "yml",
    "columns",
    "contracts",
    "dialect",
    "database",
    "intake",
    "matcher",
    "checks",
    "project",
    "llm",
    "providers",
    "mapping",
    "run",
    "changes",
    "review",
    "report",
    "commands",
    "doors",
)
DOORS = {"__main__", "cli", "ending"}
PURE = (
    "yml columns contracts dialect matcher checks "
    "budget candidate difference errors finding naming outcome violation visible "
    "project.drift project.render project.renewed project.written "
    "llm.answer llm.described llm.entry llm.example llm.privacy llm.prompt "
    "report.comment report.formats"
).split()
IMPURE = frozenset(
    {"duckdb", "dbt", "openai", "rich", "click", "subprocess", "socket", "sqlite3", "tempfile", "shutil"}
)
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """`generator/checks/text.py` -> `checks.text`, `generator/checks/__init__.py` -> `checks`."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES if path != PACKAGE / "__init__.py"}


def room_of(module: str) -> str:
    """The package that a module is in."""
    if (PACKAGE / module.split(".")[0]).is_dir():
        return module.split(".")[0]
    return "doors" if module in DOORS else "words"


def imported(path: Path) -> Iterator[str]:
    """Dotted names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide where a name comes from"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name.removeprefix("generator.") in MODULES else str(node.module)


def used(path: Path) -> set[str]:
    """The modules of ours that a file imports."""
    return {name.removeprefix("generator.") for name in imported(path) if name.startswith("generator.")}


def test_every_package_has_its_place_in_the_order_above() -> None:
    assert {room_of(module) for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_only(module: str) -> None:
    own = ROOMS.index(room_of(module))
    above = {name for name in used(MODULES[module]) if ROOMS.index(room_of(name)) > own}
    assert above == set(), f"{module} is below them"


def test_no_two_modules_import_each_other() -> None:
    uses = {module: used(path) for module, path in MODULES.items()}
    open_, done = list(uses), set[str]()
    while ready := [m for m in open_ if uses[m] - {m} <= done]:
        done |= set(ready)
        open_ = [m for m in open_ if m not in done]
    assert open_ == []


@pytest.mark.parametrize("module", [m for m in MODULES if {m, room_of(m)} & {*PURE}])
def test_what_is_pure_touches_no_database_no_network_and_no_terminal(module: str) -> None:
    assert {n.split(".")[0] for n in imported(MODULES[module])} & IMPURE == set()


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("duckdb", "changes.shadow changes.trial database.ledger mapping.sandbox run.load run.results"),
        ("dbt", "database.dbt_runner"),
        ("openai", "providers.faults providers.openai"),
        ("genai_prices", "providers.prices"),
        ("opentelemetry", "llm.exporting llm.telemetry"),
        ("fsspec", "intake.remote"),
        ("botocore", "intake.remote"),
        ("click", "cli commands ending"),
        ("rich", "commands ending report.showing report.terminal"),
    ],
)
def test_a_library_of_the_outer_world_is_met_where_it_belongs(library: str, homes: str) -> None:
    found = {m for m, path in MODULES.items() if any(n.split(".")[0] == library for n in imported(path))}
    assert {m if m in homes.split() else room_of(m) for m in found} == {*homes.split()}


def test_the_openai_provider_is_imported_only_when_it_is_asked_for() -> None:
    for module, path in MODULES.items():
        if room_of(module) == "providers":
            continue
        top = ast.parse(path.read_text(encoding="utf-8")).body
        names = [n.module for n in top if isinstance(n, ast.ImportFrom)]
        assert "generator.providers.openai" not in names
