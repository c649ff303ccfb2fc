"""The options that commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from generator.project.needed import ensure_usable
from generator.project.project import Project, open_project
from generator.providers.choose import PROVIDERS


@dataclass(frozen=True)
class Settings:
    """The global options, wherever on the command line they stood."""

    project_dir: Path = Path()
    as_json: bool = False
    quiet: bool = False
    verbose: bool = False

    @property
    def project(self) -> Project:
        """The project of --project-dir."""
        return open_project(self.project_dir, os.environ)

    @property
    def usable(self) -> Project:
        """The same, for what loads or builds. Raises UsageError that names all that it lacks for that."""
        return ensure_usable(self.project)


def global_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Take the global options before or after the command's name; those after it win."""

    @click.option("--project-dir", type=click.Path(path_type=Path), help="The dbt project (default: here).")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
    @click.option("-v", "--verbose", is_flag=True, help="Print more.")
    @wraps(command)
    def with_options(project_dir: Path | None, as_json: bool, quiet: bool, verbose: bool, **rest: Any) -> Any:
        context = click.get_current_context()
        before = context.obj or Settings()
        context.obj = replace(
            before,
            project_dir=project_dir or before.project_dir,
            as_json=as_json or before.as_json,
            quiet=quiet or before.quiet,
            verbose=verbose or before.verbose,
        )
        return context.invoke(command, context.obj, **rest)

    return with_options


paths_argument = click.argument("paths", nargs=-1, metavar="[PATH]...")
contract_option = click.option("--contract", metavar="NAME", help="The contract (models/gold/NAME.yml).")
source_option = click.option("--source", metavar="NAME", help="Who sent the files; names the dbt models.")
provider_option = click.option(
    "--provider",
    type=click.Choice(PROVIDERS),
    help="Who maps a new layout (default: openai if OPENAI_API_KEY is set, else offline).",
)
record_option = click.option(
    "--record", is_flag=True, help="Keep the LLM's answers in recordings/, for --provider replay."
)
commit_option = click.option("--commit", is_flag=True, help="Commit exactly the files that this changes.")
