"""The project's SQL functions, rendered from its dbt macros: one source for dbt and for the sandbox."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from generator.errors import UsageError

_CREATED = re.compile(r"^create or replace macro (\w+)\(", re.MULTILINE)


def create_functions_sql(macros: Path) -> str:
    """The `create or replace macro` statements of `<macros>/functions/*.sql`, as `dbt run` executes them on start.

    `macros` is the `macros` folder of a project. The dispatching macros, which need dbt, are not called.
    """
    folder = macros / "functions"
    files = sorted(folder.glob("*.sql"))
    if not files:
        raise UsageError(f"no SQL functions in {folder}: copy macros/functions from the goldsmith repository")
    return _rendered(folder, tuple((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=8)
def _rendered(folder: Path, files: tuple[tuple[Path, int], ...]) -> str:
    """The statements in files, each with the time of its last change, so that a changed one is read anew."""
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    try:
        text = "\n".join(file.read_text(encoding="utf-8") for file, _ in files)
        return environment.from_string(text + "{{ duckdb__create_functions() }}").render().strip()
    except (TemplateError, OSError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(
            f"the SQL functions in {folder} do not render: {reason}; fix the macro or restore the folder from git"
        ) from error


def function_names(macros: Path) -> frozenset[str]:
    """The names of the SQL functions that `create_functions_sql` creates."""
    return frozenset(_CREATED.findall(create_functions_sql(macros)))


def describe_functions(macros: Path) -> str:
    """What each function does, a paragraph each, from the dbt docs beside the macros: what an LLM is told."""
    path = macros / "functions" / "functions.yml"
    names = function_names(macros)
    try:
        documented = yaml.safe_load(path.read_text(encoding="utf-8"))["macros"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise UsageError(f"{path}: missing or not readable; restore it from the goldsmith repository") from None
    texts = [m["description"] for m in documented if m["name"].removeprefix("create_") in names]
    return "\n\n".join(" ".join(str(t).split()) for t in texts)
