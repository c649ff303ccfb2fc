"""The cache as a person sees it: layouts, show, and the checks that a mapping must pass."""

from __future__ import annotations

import click

from generator.checks import Asking, all_checks
from generator.commands.options import Settings, global_options
from generator.outcome import RunOutcome
from generator.project.listing import find_listed, list_layouts
from generator.report.terminal import output, show_layout, show_layouts
from generator.run.results import layout_outcomes
from generator.visible import json_text


@click.group(invoke_without_command=True)
@global_options
def layouts(settings: Settings) -> None:
    """List the layouts that have a dbt model, and those that are blocked."""
    if click.get_current_context().invoked_subcommand is None:
        _list(settings)


@layouts.command(name="list")
@global_options
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
@global_options
def show(settings: Settings, layout: str) -> None:
    """Show one layout's mapping, with samples. LAYOUT is its first digits or its dbt model's name."""
    project = settings.project
    (outcome,) = layout_outcomes(project, [find_listed(project, layout)])
    if settings.as_json:
        click.echo(json_text(RunOutcome(layouts=(outcome,)).as_json()["layouts"][0]))
    else:
        show_layout(output(), outcome)


@click.command()
@global_options
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
