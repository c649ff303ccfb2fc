"""The main job and what tells of it: run, load, generate, status, rebuild, report."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from generator.changes.regenerating import compared, waiting
from generator.commands.options import (
    Settings,
    contract_option,
    global_options,
    paths_argument,
    provider_option,
    record_option,
    source_option,
)
from generator.llm.calls import Calls, read_spending
from generator.llm.exporting import exporter
from generator.llm.prompt import shown
from generator.outcome import RunOutcome
from generator.project.project import Project
from generator.providers import Provider
from generator.providers.choose import choose
from generator.report.html import write_report
from generator.report.terminal import (
    output,
    progress_bar,
    show_errors,
    show_failures,
    show_rebuilt,
    show_run,
    show_status,
)
from generator.run import pipeline
from generator.visible import json_text

NO_FILES = "Nothing to do: no file in landing/. Put CSV files there, or name them: goldsmith run FILE"


@click.command()
@paths_argument
@contract_option
@source_option
@provider_option
@record_option
@global_options
def run(
    settings: Settings,
    paths: tuple[str, ...],
    contract: str | None,
    source: str | None,
    provider: str | None,
    record: bool,
) -> None:
    """Load files, map new layouts, build and test gold, and report.

    PATH is a file, a folder or - (standard input); without one, everything new in landing/. A file in
    landing/CONTRACT/SOURCE/ needs no options.
    """
    project = settings.usable
    if contract:
        project.contract(contract)
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        outcome = _asking(
            project,
            provider,
            record,
            lambda chosen: pipeline.run(project, paths, contract, source, chosen, progress),
        )
    report = None
    if any(f.state not in ("known", "waiting") for f in outcome.files):
        report = write_report(outcome, project.folder / "target" / "goldsmith", time.strftime("run-%Y%m%d-%H%M%S"))
    _finish(settings, outcome, report)


@click.command()
@paths_argument
@contract_option
@source_option
@global_options
def load(settings: Settings, paths: tuple[str, ...], contract: str | None, source: str | None) -> None:
    """Load files into raw tables, as text, and no further."""
    project = settings.usable
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        outcome = pipeline.load(project, paths, contract, source, progress)
    _finish(settings, outcome, None)


@click.command()
@contract_option
@provider_option
@record_option
@click.option("--show-prompt", is_flag=True, help="Print exactly what an LLM would be sent, and send nothing.")
@global_options
def generate(settings: Settings, contract: str | None, provider: str | None, record: bool, show_prompt: bool) -> None:
    """Map every loaded layout that has no dbt model yet; dbt run builds them."""
    project = settings.usable
    nothing = "Nothing to do: every loaded file has a mapping"
    if show_prompt:
        prompts = pipeline.prompts_for_loaded(project, contract)
        if settings.as_json:
            click.echo(json_text([asdict(p) | {"sha256": p.sha256} for p in prompts]))
        else:
            click.echo("\n\n".join(map(shown, prompts)) or nothing)
        return
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        outcome = _asking(
            project, provider, record, lambda chosen: pipeline.generate_loaded(project, contract, chosen, progress)
        )
    _finish(settings, outcome, None, nothing)


@click.command()
@global_options
def status(settings: Settings) -> None:
    """Show every file, its state, its size and where its rows are, and what LLMs took."""
    project = settings.project
    outcome = _everything(project)
    if settings.as_json:
        files, archived = outcome.as_json()["files"], project.archive.digests()
        click.echo(json_text([{**f, "archived": f["sha256"] in archived} for f in files]))
    else:
        show_status(output(), outcome, project.archive)


@click.command()
@global_options
def rebuild(settings: Settings) -> None:
    """Make the database again from the archive and the dbt models. No LLM is asked.

    The old database is replaced when the new one is whole; if a file cannot be rebuilt, it stays. Exit code 0: replaced.
    """
    from generator.run.rebuilding import rebuild as rebuild_database

    project = settings.usable
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        failures = rebuild_database(project, progress)
    notice = f"made again from the archive {project.archive.place}: {project.database}"
    outcome = replace(pipeline.everything(project), notices=(notice,), failures=failures)
    if settings.as_json:
        click.echo(json_text(outcome.as_json()))
    elif settings.quiet:
        show_failures(output(), failures)
    else:
        show_rebuilt(output(), outcome, project.archive)
    sys.exit(1 if failures else 0)


@click.command()
@global_options
def report(settings: Settings) -> None:
    """Write the HTML report of everything that is loaded, and print its path.

    What candidates of goldsmith regenerate would change is in it, too.
    """
    project = settings.project
    outcome = _everything(project)
    candidates = [compared(project, made) for made in waiting(project)]
    outcome = replace(
        outcome,
        differences=tuple(made.difference for made in candidates if made.difference),
        notices=(
            *outcome.notices,
            *(f"{m.layout.dbt_model}: candidate not compared: {m.note}" for m in candidates if m.note),
        ),
    )
    click.echo(write_report(outcome, project.folder / "target" / "goldsmith", "report"))


def _everything(project: Project) -> RunOutcome:
    """All files, and what LLMs took in all runs."""
    return replace(pipeline.everything(project), spending=read_spending(project.folder, project.limits, time.time()))


def _asking(project: Project, name: str | None, record: bool, work: Callable[[Provider], RunOutcome]) -> RunOutcome:
    """What `work` does with the provider of that name, with who that is, and what asking it took."""
    calls = Calls(project.folder)
    provider, notice = choose(name, project, os.environ, calls, record=record)
    sending = exporter(os.environ)
    outcome = work(provider)
    notices = (notice, *outcome.notices, *sending.finish())
    return replace(outcome, notices=notices, spending=calls.spending(project.limits))


def _finish(settings: Settings, outcome: RunOutcome, report: Path | None, nothing: str = NO_FILES) -> None:
    if settings.as_json:
        click.echo(json_text({**outcome.as_json(), "report": str(report) if report else None}))
    elif settings.quiet:
        show_errors(output(), outcome)
    else:
        console = output()
        show_run(console, outcome, settings.verbose, nothing)
        if report:
            console.print(Text(f"report: {report}"))
    fine = all(f.fine for f in outcome.files) and not outcome.failures
    sys.exit(0 if fine else 1)
