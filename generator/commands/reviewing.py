"""A person's word on layouts: approve them, and review what waits."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from generator.commands.asking import Quit, as_asked, ask, change, line, settle
from generator.commands.options import Settings, commit_option, global_options
from generator.project import history
from generator.project.layouts import Layout
from generator.project.listing import find_all_listed
from generator.project.project import Project
from generator.review.approving import Approval, approve
from generator.review.reviewing import Review, files_of, open_review, waiting
from generator.visible import json_text, plain

FILES = 3


@click.command(name="approve")
@click.argument("layouts", nargs=-1, required=True, metavar="LAYOUT...")
@commit_option
@global_options
def approve_(settings: Settings, layouts: tuple[str, ...], commit: bool) -> None:
    """Approve layouts as they are now, with your name from git. LAYOUT is its first digits or its dbt model's name.

    A held layout goes to gold at the next goldsmith run or dbt run.
    """
    project = settings.project
    if commit:
        history.ensure_commits(project.folder)
    approvals = approve(find_all_listed(project, layouts), history.who(project.folder), now())
    if commit:
        paths = list(dict.fromkeys(path for a in approvals for path in (a.layout.path, a.layout.yml)))
        history.commit_layouts(project.folder, paths, "Approve {}", [a.layout.dbt_model for a in approvals])
    if settings.as_json:
        click.echo(json_text([as_json(a) for a in approvals]))
    elif not settings.quiet:
        for approval in approvals:
            show_approval(approval)


@click.command()
@click.argument("layouts", nargs=-1, metavar="[LAYOUT]...")
@global_options
def review(settings: Settings, layouts: tuple[str, ...]) -> None:
    """Go through what waits for your approval, least certain first, column by column.

    Each answer is written at once: break off with q, Ctrl-C or the end of input, and what was said is kept. With --json
    nothing is asked; what would be is printed.
    """
    project = settings.project
    found = find_all_listed(project, layouts) if layouts else waiting(project)
    if settings.as_json:
        click.echo(json_text([_to_ask(project, layout) for layout in found]))
        return
    if not found:
        click.echo("Nothing to review: every layout is approved")
        return
    by = history.who(project.folder)
    try:
        for number, layout in enumerate(found, 1):
            click.echo(
                f"\n{number} of {len(found)}: {plain(layout.dbt_model)} ({layout.standing}, mapped by {layout.provider})"
            )
            with open_review(project, layout) as one:
                _review(one, by)
    except Quit:
        click.echo("Broken off. What was said is kept")
    except click.Abort as abort:
        if not isinstance(abort.__context__, EOFError):
            raise
        click.echo("\nNo more answers. What was said is kept")
        sys.exit(1)
    click.echo("goldsmith run, or dbt run, builds what was changed or approved")


def _review(review: Review, by: str) -> None:
    """One layout: each column that it has, what is mapped to nothing, and the approval."""
    _show_layout(review)
    passed, rest = [], False
    decisions = [d for d in review.decisions() if d.mapped or d.questions]
    if agreed := [d.gold.name for d in decisions if d.agreed]:
        click.echo(f"  settled before: {', '.join(agreed)}")
    for decision in decisions:
        if decision.agreed:
            continue
        if rest and not decision.questions:
            review.agree(decision.gold)
            click.echo(f"  accepted: {decision.gold.name}")
            continue
        answer = settle(review, decision)
        rest = rest or answer == "r"
        passed += [decision.gold.name] if answer == "s" else []
    _map_more(review)
    if passed:
        click.echo(f"\nPassed over: {', '.join(passed)}")
    if ask("\nApprove it?", {"y": "yes", "n": "no, leave it pending", "q": "quit"}) == "y":
        show_approval(review.approve(by, now()))


def _show_layout(review: Review) -> None:
    layout, project = review.layout, review.project
    files = [row.source_file for row in files_of(project, layout)]
    more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
    click.echo(f"  {layout.path.relative_to(project.folder)}")
    click.echo(
        f"  files: {', '.join(plain(f, 80) for f in files[:FILES])}{more}" if files else "  no file of it is loaded"
    )
    why = project.held_because(layout, review.contract)
    if why and not layout.questions:
        click.echo(f"  held: {plain(why)}")
    drift = layout.drift or {"changes": ()}
    for said in drift["changes"]:
        click.echo(f"  other than {plain(drift['from'])}: {plain(said)}")
    if review.row_filter:
        click.echo(f"  only rows with: {plain(review.row_filter, 400)}")
    if not review.editable:
        click.echo("  the dbt model has another structure than goldsmith gave it: its columns are changed by hand")


def _map_more(review: Review) -> None:
    """Show the gold columns that the layout does not have, and what of the file is not used; map what the person names."""
    while True:
        missing = {d.gold.name: d.gold for d in review.decisions() if not d.mapped}
        click.echo(f"\nNot in this layout: {', '.join(missing) or 'nothing'}")
        for header, why in review.layout.unmapped.items():
            click.echo(f"  not used: {plain(header, 60)}: {plain(why, 120)}")
        if not (missing and review.trial.sources and review.editable):
            return
        name = line("Map one of them? (its name; Enter for none, q quit)", missing)
        if not name:
            return
        if name in missing:
            change(review, missing[name])
        else:
            click.echo(f"  {plain(name, 60)} is not one of them")


def _to_ask(project: Project, layout: Layout) -> dict[str, object]:
    """What would be asked about a layout, as plain JSON types."""
    with open_review(project, layout) as one:
        return {
            "layout": layout.short,
            "dbt_model": layout.dbt_model,
            "standing": layout.standing,
            "files": [row.source_file for row in files_of(project, layout)],
            "row_filter": one.row_filter,
            "columns": [as_asked(one, decision) for decision in one.decisions()],
            "unmapped": dict(layout.unmapped),
        }


def show_approval(approval: Approval) -> None:
    """Say that a layout is approved, and what that answers."""
    was = "approved" if approval.new else "approved before"
    click.echo(f"{was}: {plain(approval.layout.dbt_model)}, by {plain(approval.by)}, {plain(approval.at)}")
    for question in approval.layout.questions if approval.new else ():
        click.echo(f"  as it is mapped: {plain(question['column'])}: {plain(question['text'], 300)}")


def as_json(approval: Approval) -> dict[str, object]:
    """An approval as plain JSON types."""
    layout = approval.layout
    return {
        "layout": layout.short,
        "dbt_model": layout.dbt_model,
        "review": "approved",
        "reviewed": approval.said,
        "new": approval.new,
        "path": str(layout.yml),
    }


def now() -> str:
    """The time here with its zone, to the second, as ISO 8601."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
