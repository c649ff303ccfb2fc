"""Imports go down only: a module knows its own layer and those below, and what is pure touches no database."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "generator"
# From the ground up; a package is a module here.
LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "errors naming violation difference outcome candidate visible budget entry yml yml_reading",
        "modes yml_places yml_edit cells contracts fingerprint letters quoting sql_functions workers finding formats comment",
        "dates numbers records",
        "alphabets kinds profile similarity",
        "request evolution odcs_types odcs",
        "codepages currencies delimiters headers matching mask privacy described example expressions render report "
        "written drift renewed",
        "balance",
        "directions amounts questions readings prompt answer checks",
        "offline chosen",
        "decoding survey encoding dialect blocks bodies footer utf8 sorting",
        "reading intake unpacking archive copying remote disk "
        "lock ledger texts history layouts staging_files pruning candidate_files project calls telemetry exporting providers "
        "sandbox dbt_runner dbt_profile throw_away",
        "load measuring comparing touched approving correcting learning",
        "judging shadow",
        "starting",
        "talking",
        "generate nearby recognising",
        "mapping listing standing past",
        "results counts versions noticed",
        "taking_in trial changes exchange",
        "map_files planned planning regenerating trying reviewing",
        "pipeline rebuilding",
        "checking",
        "terminal showing ending",
        "commands",
        "cli",
        "__main__",
    )
)
PURE = frozenset().union(*LAYERS[:8]) - {"sql_functions", "report"}
IMPURE = frozenset(
    {"duckdb", "dbt", "openai", "rich", "click", "subprocess", "socket", "sqlite3", "tempfile", "shutil"}
)
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """`generator/checks/text.py` -> `checks`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """Dotted names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide where a name comes from"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "generator" else (module,)


def layer(module: str) -> int:
    return next((i for i, names in enumerate(LAYERS) if module in names), len(LAYERS))


def test_every_module_has_its_place_in_the_layers_above() -> None:
    modules = [m for names in LAYERS for m in names]
    assert sorted(modules) == sorted({module_of(p) for p in FILES} - {"__init__"})


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    own = module_of(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "generator" and own != "__init__":
            assert layer(parts[1]) <= layer(own), f"{own} imports {parts[1]}, which is above it"


def test_no_two_modules_import_each_other() -> None:
    uses = {module_of(p): set[str]() for p in FILES}
    for path in FILES:
        uses[module_of(path)] |= {n.split(".")[1] for n in imported(path) if n.startswith("generator.")}
    open_, done = list(uses), set[str]()
    while ready := [m for m in open_ if uses[m] - {m} <= done]:
        done |= set(ready)
        open_ = [m for m in open_ if m not in done]
    assert open_ == []


@pytest.mark.parametrize("path", [p for p in FILES if module_of(p) in PURE], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_what_is_pure_touches_no_database_no_network_and_no_terminal(path: Path) -> None:
    assert {n.split(".")[0] for n in imported(path)} & IMPURE == set()


@pytest.mark.parametrize(
    ("library", "modules"),
    [
        ("duckdb", {"ledger", "load", "mapping", "results", "sandbox", "shadow", "trial"}),
        ("dbt", {"dbt_runner"}),
        ("openai", {"providers"}),
        ("genai_prices", {"providers"}),
        ("opentelemetry", {"telemetry", "exporting"}),
        ("fsspec", {"remote"}),
        ("botocore", {"remote"}),
        ("click", {"cli", "commands", "ending"}),
        ("rich", {"commands", "ending", "showing", "terminal"}),
    ],
)
def test_a_library_of_the_outer_world_is_met_where_it_belongs(library: str, modules: set[str]) -> None:
    found = {module_of(p) for p in FILES if any(n.split(".")[0] == library for n in imported(p))}
    assert found <= modules
    assert found


def test_the_openai_provider_is_imported_only_when_it_is_asked_for() -> None:
    for path in FILES:
        if module_of(path) == "providers":
            continue
        top = ast.parse(path.read_text(encoding="utf-8")).body
        names = [n.module for n in top if isinstance(n, ast.ImportFrom)]
        assert "generator.providers.openai" not in names
