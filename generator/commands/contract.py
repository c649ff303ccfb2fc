"""Contracts: what a change of one means for what is there, and contracts that come from elsewhere or go there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from generator.changes.exchange import export_contract, import_contracts, write_new
from generator.changes.planned import ContractPlan, Planned
from generator.changes.planning import plans
from generator.commands.options import Settings, global_options
from generator.contracts.evolution import Change
from generator.project import history
from generator.report.terminal import progress_bar
from generator.visible import json_text, plain


@click.group()
@global_options
def contract(settings: Settings) -> None:
    """Plan a change of a contract; import and export contracts."""


@contract.command(name="plan")
@click.argument("name", required=False)
@click.option("--base", metavar="REF", help="The commit to compare with (default: the last one).")
@global_options
def plan_(settings: Settings, name: str | None, base: str | None) -> None:
    """What a changed contract means for each of its layouts, before anything is built. Writes nothing.

    Rows are counted by a trial: dbt builds the contract on all loaded rows in a throw-away database. Exit code 1 if a
    layout needs repair or is blocked.
    """
    with progress_bar(Console(stderr=True), settings.quiet or settings.as_json) as progress:
        found = plans(settings.usable, base, name, progress)
    if settings.as_json:
        click.echo(json_text([p.as_json() for p in found]))
    else:
        since = plain(base or ("the last commit" if history.head(settings.project.folder) else ""))
        for one in found:
            if not (settings.quiet and one.fine):
                _show(one, since)
        if not settings.quiet:
            click.echo(_summary(found, since))
    sys.exit(0 if all(p.fine for p in found) else 1)


@contract.command(name="export")
@click.argument("name")
@click.option("--to", type=click.Path(path_type=Path), metavar="FILE", help="Write it there (default: print it).")
@global_options
def export(settings: Settings, name: str, to: Path | None) -> None:
    """Print a contract as a document of the Open Data Contract Standard (ODCS). Nothing of it is lost."""
    text = export_contract(settings.project, name)
    if to is None:
        # A document, and as such UTF-8, whatever the terminal is.
        click.echo(text.encode(), nl=False)
        return
    write_new(to, text)
    if not settings.quiet:
        click.echo(str(to))


@contract.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@global_options
def import_(settings: Settings, file: Path) -> None:
    """Make contracts of a document of the Open Data Contract Standard (ODCS), in models/gold.

    What of it has no place in a contract is kept for the next export. Nothing is overwritten.
    """
    found = import_contracts(settings.project_dir.resolve(), file)
    if settings.as_json:
        written = {name: str(path) for name, path in found.contracts.items()}
        click.echo(
            json_text({"contracts": written, "kept_only": found.idle, "sql": found.sql, "missing": found.missing})
        )
    elif not settings.quiet:
        for name, path in found.contracts.items():
            click.echo(f"{name}: {path}")
        for sql in found.sql:
            click.echo(f"dbt will run this as SQL, so read it before: {plain(sql, 1000)}")
        if found.missing:
            click.echo(f"The standard wants it, and the document does not say: {', '.join(found.missing)}")
        if found.idle:
            listed = ", ".join(plain(idle) for idle in found.idle)
            click.echo(f"Kept for the next export, and not acted on: {listed}")


def _show(one: ContractPlan, since: str) -> None:
    name, now = one.contract.name, one.contract.version
    before = one.before.version if one.before else now
    version = f" (version {plain(before) or 'none'} -> {plain(now) or 'none'})" if before != now else ""
    version = version or (f" (version {plain(now)})" if now else "")
    click.echo(f"{name}{version}: " + (f"changed since {since}" if one.changes else _unchanged(one, since)))
    for change in one.changes:
        click.echo(f"  {_sign(change)} {plain(change.text, 1000)}")
    width = max((len(p.layout.dbt_model) for p in one.layouts), default=0)
    for planned in one.layouts:
        click.echo(f"  {planned.layout.dbt_model:{width}}  {planned.verdict:7}  {_rows(planned)}")
        for why in planned.why:
            click.echo(f"      {plain(why, 1000)}")
        for column, header in planned.could.items():
            click.echo(f"      {column}: {plain(header)!r} looks like it")
        if planned.command:
            click.echo(f"      {planned.command}")
    if one.failure:
        click.echo(f"  cannot be built: {plain(one.failure, 1000)}; the gold table stays as it is")


def _unchanged(one: ContractPlan, since: str) -> str:
    said = f"as in {since}" if one.before else "nothing earlier to compare with"
    return said if one.built else f"{said}; gold is not built from it yet"


def _sign(change: Change) -> str:
    return {"added": "+", "removed": "-"}.get(change.kind, "~")


def _rows(planned: Planned) -> str:
    tried = planned.tried
    if tried is None:
        return "no rows are loaded"
    before = f"{tried.before.gold:,}" if tried.before else "not built"
    after = f"{tried.after.gold:,}" if tried.after else "none"
    return f"{before} -> {after} of {tried.loaded:,} rows in gold"


def _summary(found: Sequence[ContractPlan], since: str) -> str:
    if not found:
        nothing = f"No contract has changed since {since}" if since else "No commit to compare with"
        return f"{nothing}; every layout knows all columns of its contract"
    layouts = [x for p in found for x in p.layouts]
    said = {
        "holds": ("holds", "hold"),
        "repair": ("needs repair", "need repair"),
        "blocked": ("is blocked", "are blocked"),
    }
    numbers = {verdict: sum(x.verdict == verdict for x in layouts) for verdict in said}
    parts = [f"{n:,} {said[v][n != 1]}" for v, n in numbers.items() if n]
    many = f"{len(layouts):,} layout{'' if len(layouts) == 1 else 's'}"
    return f"{many}: {', '.join(parts) or 'nothing to repair'}. Nothing was built; goldsmith run or dbt run builds it"
