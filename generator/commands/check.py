"""`goldsmith check`: would these files pass?"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from generator.commands.options import Settings, contract_option, global_options, provider_option, source_option
from generator.errors import GoldsmithError, UsageError
from generator.llm.calls import Calls
from generator.providers.choose import choose_on_demand
from generator.report import formats
from generator.report.comment import as_markdown, error_markdown
from generator.report.terminal import progress_bar

FORMATS = ("text", "json", "junit", "github", "markdown")


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@contract_option
@source_option
@provider_option
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How findings are printed.")
@click.option("--base", metavar="REF", help="Check only what a pull request against this branch or commit touches.")
@global_options
def check(
    settings: Settings,
    paths: tuple[str, ...],
    contract: str | None,
    source: str | None,
    provider: str | None,
    form: str,
    base: str | None,
) -> None:
    """Would these files pass? Runs all steps in a throw-away copy and writes nothing.

    PATH is a file, a folder or -. With --base, only CSV files that a pull request touches, and those whose dbt model or
    contract it touches; without a PATH then, of all files that git knows in the project's folder.

    --format github also writes the Markdown to the job's summary, $GITHUB_STEP_SUMMARY.

    Exit code 1, with a finding for each, for a layout that no dbt model reads, drift, or a contract that fails.
    """
    from generator.changes.checking import check_files

    began, start = datetime.now(UTC), time.monotonic()
    with _said_on_github() if form == "github" else nullcontext():
        if not paths and base is None:
            raise UsageError("name files or folders to check, or --base REF for what a pull request touches")
        project = settings.usable
        if contract:
            project.contract(contract)
        chosen = choose_on_demand(provider, project, os.environ, Calls(project.folder))
        with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
            shown = form in ("github", "markdown") and not settings.as_json
            checked = check_files(project, paths, contract, source, chosen, progress, base, layouts=shown)
    said: str | bytes
    if settings.as_json or form == "json":
        said = formats.as_json(checked)
    elif form == "junit":
        # It says of itself that it is UTF-8.
        said = formats.as_junit(checked, began, time.monotonic() - start).encode()
    elif form == "markdown":
        said = as_markdown(checked)
    elif form == "github":
        said = formats.as_github(checked)
        _summarise(as_markdown(checked))
    else:
        said = formats.as_text(checked, settings.quiet)
    click.echo(said, nl=False)
    sys.exit(1 if checked.failed else 0)


@contextmanager
def _said_on_github() -> Iterator[None]:
    """Where a check cannot run, that is an annotation, too, and in the job's summary, from where the comment is."""
    try:
        yield
    except GoldsmithError as error:
        click.echo(formats.error_github(str(error)), nl=False)
        _summarise(error_markdown(str(error)))
        raise


def _summarise(markdown: str) -> None:
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown)
