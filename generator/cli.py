"""The command line. Each command is a few lines over the pipeline; errors are one line, and an exit code."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from generator import pipeline
from generator.calls import Calls, read_spending
from generator.checks import Asking, all_checks
from generator.ending import one_line_endings
from generator.exporting import exporter
from generator.listing import find_listed, list_layouts
from generator.outcome import RunOutcome
from generator.project import Project, open_project
from generator.prompt import shown
from generator.providers import Provider
from generator.providers.choose import PROVIDERS, choose
from generator.report import write_report
from generator.results import layout_outcomes
from generator.terminal import output, progress_bar, show_layout, show_layouts, show_rebuilt, show_run, show_status
from generator.visible import json_text, plain

NO_FILES = "Nothing to do: no file in landing/. Put CSV files there, or name them: goldsmith run FILE"


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


def _global_options(command: Callable[..., Any]) -> Callable[..., Any]:
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="goldsmith-csv", prog_name="goldsmith")
@_global_options
def cli(settings: Settings) -> None:
    """Turn CSV files of any layout into tables that keep a gold contract.

    \b
    goldsmith run                 everything new in landing/
    goldsmith run bank.csv        one file; the contract is found by its columns
    goldsmith check new.csv       would it pass? (for CI; writes nothing)

    Exit codes: 0 all files are in gold, or a folder's file is still being written and waits for the next run, 1 something
    was blocked, held, refused or over its threshold, 2 wrong usage or configuration, 3 another run holds the database.
    """


_paths = click.argument("paths", nargs=-1, metavar="[PATH]...")
_contract = click.option("--contract", metavar="NAME", help="The contract (models/gold/NAME.yml).")
_source = click.option("--source", metavar="NAME", help="Who sent the files; names the dbt models.")
_provider = click.option(
    "--provider",
    type=click.Choice(PROVIDERS),
    help="Who maps a new layout (default: openai if OPENAI_API_KEY is set, else offline).",
)
_record = click.option("--record", is_flag=True, help="Keep the LLM's answers in recordings/, for --provider replay.")


@cli.command()
@_paths
@_contract
@_source
@_provider
@_record
@_global_options
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
    project = settings.project
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


@cli.command()
@_paths
@_contract
@_source
@_global_options
def load(settings: Settings, paths: tuple[str, ...], contract: str | None, source: str | None) -> None:
    """Load files into raw tables, as text, and no further."""
    project = settings.project
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        outcome = pipeline.load(project, paths, contract, source, progress)
    _finish(settings, outcome, None)


@cli.command()
@_contract
@_provider
@_record
@click.option("--show-prompt", is_flag=True, help="Print exactly what an LLM would be sent, and send nothing.")
@_global_options
def generate(settings: Settings, contract: str | None, provider: str | None, record: bool, show_prompt: bool) -> None:
    """Map every loaded layout that has no dbt model yet; dbt run builds them."""
    project = settings.project
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


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@_contract
@_source
@_provider
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How findings are printed.")
@_global_options
def check(
    settings: Settings,
    paths: tuple[str, ...],
    contract: str | None,
    source: str | None,
    provider: str | None,
    form: str,
) -> None:
    """Would these files pass? Runs all steps in a throw-away copy and writes nothing.

    Exit code 1, with a finding for each, for a layout that no dbt model reads, drift, or a contract that fails.
    """
    from generator.checking import check_files

    project = settings.project
    if contract:
        project.contract(contract)
    chosen, _ = choose(provider, project, os.environ, Calls(project.folder))
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        findings = check_files(project, paths, contract, source, chosen, progress)
    if settings.as_json or form == "json":
        click.echo(json_text([f.as_json() for f in findings]))
    else:
        for finding in findings:
            if finding.failed or not settings.quiet:
                click.echo(f"{'FAIL' if finding.failed else 'ok':4} {plain(finding.file)}: {plain(finding.text, 2000)}")
    sys.exit(1 if any(f.failed for f in findings) else 0)


@cli.group(invoke_without_command=True)
@_global_options
def layouts(settings: Settings) -> None:
    """List the layouts that have a dbt model, and those that are blocked."""
    if click.get_current_context().invoked_subcommand is None:
        _list(settings)


@layouts.command(name="list")
@_global_options
def list_(settings: Settings) -> None:
    """List the layouts."""
    _list(settings)


def _list(settings: Settings) -> None:
    found = list_layouts(settings.project)
    if settings.as_json:
        click.echo(json_text(found))
    else:
        show_layouts(output(), found)


@click.command()
@click.argument("layout")
@_global_options
def show(settings: Settings, layout: str) -> None:
    """Show one layout's mapping, with samples. LAYOUT is its first digits or its dbt model's name."""
    project = settings.project
    (outcome,) = layout_outcomes(project, [find_listed(project, layout)])
    if settings.as_json:
        click.echo(json_text(RunOutcome(layouts=(outcome,)).as_json()["layouts"][0]))
    else:
        show_layout(output(), outcome)


cli.add_command(show)
layouts.add_command(show)


@cli.command()
@_global_options
def status(settings: Settings) -> None:
    """Show every file, its state, its size and where its rows are, and what LLMs took."""
    project = settings.project
    outcome = _everything(project)
    if settings.as_json:
        files, archived = outcome.as_json()["files"], project.archive.digests()
        click.echo(json_text([{**f, "archived": f["sha256"] in archived} for f in files]))
    else:
        show_status(output(), outcome, project.archive)


@cli.command()
@_global_options
def rebuild(settings: Settings) -> None:
    """Make the database again from the archive and the dbt models. No LLM is asked.

    The old database is replaced when the new one is whole; if a file cannot be rebuilt, it stays. Exit code 0: replaced.
    """
    from generator.rebuilding import rebuild as rebuild_database

    project = settings.project
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        failures = rebuild_database(project, progress)
    notice = f"made again from the archive {project.archive.place}: {project.database}"
    outcome = replace(pipeline.everything(project), notices=(notice,), failures=failures)
    if settings.as_json:
        click.echo(json_text(outcome.as_json()))
    elif not settings.quiet:
        show_rebuilt(output(), outcome, project.archive)
    sys.exit(1 if failures else 0)


@cli.command()
@_global_options
def report(settings: Settings) -> None:
    """Write the HTML report of everything that is loaded, and print its path."""
    project = settings.project
    click.echo(write_report(_everything(project), project.folder / "target" / "goldsmith", "report"))


@cli.command()
@_global_options
def checks(settings: Settings) -> None:
    """List the checks that a mapping must pass before it becomes a dbt model, and what is asked about."""
    rules = [
        {"name": c.name, "outcome": "question" if isinstance(c, Asking) else "violation", "description": c.description}
        for c in all_checks()
    ]
    if settings.as_json:
        click.echo(json_text(rules))
    else:
        for rule in rules:
            click.echo(f"{rule['name']} ({rule['outcome']})\n    {rule['description']}")


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
    elif not settings.quiet:
        console = output()
        show_run(console, outcome, settings.verbose, nothing)
        if report:
            console.print(Text(f"report: {report}"))
    fine = all(f.fine for f in outcome.files) and not outcome.failures
    sys.exit(0 if fine else 1)


def main() -> None:
    """Run the command line: what a user can cause ends in one line and an exit code, never in a traceback."""
    with one_line_endings():
        cli(standalone_mode=False)
