"""`goldsmith check`: would these files pass?"""

from __future__ import annotations

import os
import sys

import click
from rich.console import Console

from generator.calls import Calls
from generator.commands.options import Settings, contract_option, global_options, provider_option, source_option
from generator.providers.choose import choose
from generator.terminal import progress_bar
from generator.visible import json_text, plain


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@contract_option
@source_option
@provider_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How findings are printed.")
@global_options
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
