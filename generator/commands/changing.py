"""Mappings that change: regenerate writes a candidate beside a dbt model, diff shows what a version makes of the rows."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from generator.changes.past import version_at
from generator.changes.planning import plan
from generator.changes.regenerating import CANDIDATE, CURRENT, Regenerated, compared, regenerate
from generator.changes.shadow import Version, shadow_run
from generator.commands.options import Settings, global_options, provider_option, record_option
from generator.database.lock import hold
from generator.errors import DiskFullError, GoldsmithError, LockedError, UsageError
from generator.llm.calls import Calls
from generator.llm.exporting import exporter
from generator.project import candidate_files, history
from generator.project.layouts import Layout
from generator.project.listing import find_all_listed, find_listed
from generator.project.project import Project
from generator.providers.choose import choose
from generator.report.showing import show_difference, show_sql_changes, sql_changes
from generator.report.terminal import output, progress_bar
from generator.visible import json_text, plain

NOTHING = "Nothing to do: every layout gives what its contract wants; name a LAYOUT to have it mapped anew"
COMPARED = "the working copy"


@click.command(name="regenerate")
@click.argument("layouts", nargs=-1, metavar="[LAYOUT]...")
@click.option("--column", "columns", multiple=True, metavar="NAME", help="Ask for this gold column only; repeatable.")
@click.option("--accept", is_flag=True, help="Put the candidate in the place of the dbt model.")
@click.option("--commit", is_flag=True, help="With --accept: commit the two files.")
@provider_option
@record_option
@global_options
def regenerate_(
    settings: Settings,
    layouts: tuple[str, ...],
    columns: tuple[str, ...],
    accept: bool,
    commit: bool,
    provider: str | None,
    record: bool,
) -> None:
    """Map a layout anew, as a candidate beside its dbt model, and show what that would change.

    LAYOUT is its first digits or its dbt model's name; without one, the layouts that a changed contract leaves in need of
    repair, and only the columns that it touches. Nothing is replaced but by --accept, and then by the candidate as it is.
    """
    project = settings.usable
    if commit and not accept:
        raise UsageError("--commit commits what --accept replaces; say both")
    if accept and (columns or not layouts):
        raise UsageError("--accept takes the candidate as it is: name its LAYOUT, and no --column")
    named = find_all_listed(project, layouts)
    if accept:
        _accept(settings, project, named, commit)
        return
    with hold(project.database, "goldsmith regenerate"):
        wanted = [(layout, columns) for layout in named] or _in_need(project, columns)
        if not wanted:
            click.echo("[]" if settings.as_json else NOTHING)
            return
        _regenerate(settings, project, wanted, provider, record)


def _in_need(project: Project, columns: tuple[str, ...]) -> list[tuple[Layout, tuple[str, ...]]]:
    """The layouts that a changed contract leaves in need of repair, with the columns that it touches."""
    if columns:
        raise UsageError("--column: name the LAYOUT whose column is to be mapped anew")
    return [(p.layout, tuple(p.columns)) for p in plan(project) if p.verdict == "repair" and p.columns]


def _regenerate(
    settings: Settings,
    project: Project,
    wanted: Sequence[tuple[Layout, tuple[str, ...]]],
    provider_name: str | None,
    record: bool,
) -> None:
    calls = Calls(project.folder)
    provider, notice = choose(provider_name, project, os.environ, calls, record=record)
    sending = exporter(os.environ)
    made: list[Regenerated] = []
    failures: list[tuple[Layout, GoldsmithError]] = []
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        for number, (layout, columns) in enumerate(wanted):
            progress(f"map {layout.dbt_model}", number, len(wanted))
            try:
                proposed = regenerate(project, layout, columns, provider)
                made.append(proposed if proposed.same else compared(project, proposed))
            except (LockedError, DiskFullError):
                raise
            except GoldsmithError as error:
                if len(wanted) == 1 and isinstance(error, UsageError):
                    raise
                failures.append((layout, error))
    provider.finished()
    notices = (notice, *(n for one in made for n in one.notices), *sending.finish())
    spending = calls.spending(project.limits)
    if settings.as_json:
        blocked = [{"dbt_model": x.dbt_model, "layout": x.short, "failure": str(why)} for x, why in failures]
        click.echo(json_text([*(_as_json(project, one) for one in made), *blocked]))
    elif not settings.quiet:
        console = output()
        for line in dict.fromkeys(notices):
            console.print(Text(plain(line, 400), style="dim"))
        for one in made:
            _show(console, project, one)
        if spending:
            console.print(Text(f"LLM: {spending.newest}"))
    for layout, why in failures:
        click.echo(f"goldsmith: {layout.dbt_model}: {plain(why, 2000)}", err=True)
    sys.exit(max((why.exit_code for _, why in failures), default=0))


def _show(console: Console, project: Project, made: Regenerated) -> None:
    layout = made.layout
    if made.same:
        console.print(Text(f"{layout.dbt_model}: mapped anew, the same SQL; no candidate is needed", style="bold"))
        return
    show_sql_changes(console, _sql_changes(project, made))
    if made.difference:
        show_difference(console, made.difference)
    else:
        console.print(Text(f"not compared: {plain(made.note, 1000)}", style="red"))
    where = candidate_files.shown_at(layout).relative_to(project.folder)
    console.print(
        Text(
            f"candidate: {where}\n  goldsmith regenerate {layout.short} --accept   puts it in the place of the dbt model"
        )
    )


def _as_json(project: Project, made: Regenerated) -> dict[str, Any]:
    layout = made.layout
    return {
        "dbt_model": layout.dbt_model,
        "layout": layout.short,
        "columns": list(made.columns),
        "candidate": None if made.same else str(candidate_files.shown_at(layout).relative_to(project.folder)),
        "sql": _sql_changes(project, made),
        "difference": made.difference.as_json() if made.difference else None,
        "note": made.note,
        "notices": list(made.notices),
    }


def _sql_changes(project: Project, made: Regenerated) -> str:
    path = str(made.layout.path.relative_to(project.folder))
    return sql_changes(made.before.sql, made.after.sql, path, CANDIDATE)


def _accept(settings: Settings, project: Project, layouts: Sequence[Layout], commit: bool) -> None:
    """Put all of these candidates in place, or none; and in one commit."""
    if commit:
        history.ensure_commits(project.folder)
    shared = [yml for yml, count in Counter(x.yml for x in layouts).items() if count > 1]
    if shared:
        raise UsageError(
            f"{shared[0]}: has several of these layouts; accept one, and have the others made anew from it"
        )
    with hold(project.database, "goldsmith regenerate"):
        for layout in layouts:
            candidate_files.ensure_acceptable(layout)
        paths = {layout.dbt_model: candidate_files.accept(layout) for layout in layouts}
        if commit:
            changed = [path for pair in paths.values() for path in pair]
            history.commit_layouts(project.folder, changed, "Map {} anew", list(paths))
    done = "replaced and committed" if commit else "replaced"
    if settings.as_json:
        replaced = {name: [str(p.relative_to(project.folder)) for p in pair] for name, pair in paths.items()}
        click.echo(json_text([{"dbt_model": n, "replaced": p, "committed": commit} for n, p in replaced.items()]))
    elif not settings.quiet:
        for layout in layouts:
            where = " and ".join(str(p.relative_to(project.folder)) for p in paths[layout.dbt_model])
            click.echo(f"{where}: {done}; dbt run builds it, goldsmith approve {layout.short} says it is right")


@click.command()
@click.argument("layout")
@click.argument("refs", nargs=-1, metavar="[REF [REF]]")
@global_options
def diff(settings: Settings, layout: str, refs: tuple[str, ...]) -> None:
    """Show what another version of a dbt model makes of the loaded rows: a shadow run, nothing is changed.

    Compares the candidate with the dbt model as it is; without a candidate, the dbt model with the last commit's; with a
    REF, that commit's with the dbt model; with two, the one with the other.
    """
    project = settings.usable
    if len(refs) > 2:
        raise UsageError("goldsmith diff LAYOUT [REF [REF]]: at most two commits can be compared")
    found = find_listed(project, layout)
    before, after = _versions(project, found, refs)
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        progress(f"build {found.dbt_model} twice", 0, None)
        difference = shadow_run(project, found, before, after)
    path = str(found.path.relative_to(project.folder))
    changes = sql_changes(before.sql, after.sql, path, after.label)
    if settings.as_json:
        click.echo(json_text({**difference.as_json(), "sql": changes}))
        return
    console = output()
    show_sql_changes(console, changes)
    show_difference(console, difference)


def _versions(project: Project, layout: Layout, refs: Sequence[str]) -> tuple[Version, Version]:
    now = candidate_files.current(layout)
    if len(refs) == 2:
        return version_at(project, layout, refs[0]), version_at(project, layout, refs[1])
    if refs:
        return version_at(project, layout, refs[0]), Version(COMPARED, now.sql, now.yml)
    proposed = candidate_files.candidate(layout)
    if proposed:
        return Version(CURRENT, now.sql, now.yml), Version(CANDIDATE, proposed.sql, proposed.yml)
    if history.head(project.folder) is None:
        raise UsageError(
            f"{layout.dbt_model}: has no candidate, and there is no commit to compare with; goldsmith regenerate "
            f"{layout.short} makes a candidate"
        )
    return version_at(project, layout, "HEAD"), Version(COMPARED, now.sql, now.yml)
