"""`goldsmith check`: would these files pass? All steps in a throw-away copy of the project; nothing is written."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

from generator.changes.changes import layout_changes
from generator.changes.staged import lists, uncommitted
from generator.changes.touched import affected, incoming, samples, touched_since
from generator.database.ledger import connect, has_database
from generator.errors import MAP_AND_BUILD
from generator.finding import BadRow, Checked, Finding, Rule, counted, shown
from generator.intake.files import PACKED, Incoming
from generator.outcome import Failure, FileOutcome, LayoutOutcome, Progress, RunOutcome
from generator.project import history
from generator.project.layouts import Layout, read_layouts
from generator.project.project import Project
from generator.project.throw_away import throw_away
from generator.providers import Provider
from generator.run import pipeline
from generator.run.counts import WAITING, built_contracts
from generator.run.results import violating_cells

BAD_ROWS = 5
UNREAD = "no dbt model reads this layout"


def check_files(
    project: Project,
    paths: Sequence[str],
    contract: str | None,
    source: str | None,
    provider: Provider,
    progress: Progress,
    base: str | None = None,
    *,
    layouts: bool = False,
) -> Checked:
    """A finding a file, and one for each list of layouts that is not what the folder holds.

    With `base`, of the files at the `paths` (else of all that git knows of) only those that a pull request against it
    touches, or whose dbt model or contract it touches. What is new or changed of `layouts` is only worked out where it is
    wanted: it takes dbt to compare rows.
    """
    root = history.repository(project.folder) or project.folder
    known = read_layouts(project.folder)
    touched = touched_since(project, base, known) if base is not None else None
    named = list(paths) if paths or not touched else [str(p) for p in samples(project)]
    files = incoming(project, named, contract, source) if named else []
    files = _told_apart(affected(files, touched, known) if touched else files, root)
    with throw_away(project) as copy:
        outcome = pipeline.run_files(copy, files, provider, progress) if files else RunOutcome()
        bad = _bad_rows(copy, outcome.files)
        changes = layout_changes(project, copy, outcome, touched, root) if layouts else ()
    at = {f.name: shown(root, f.path) if f.path.is_relative_to(root) else f.name for f in files}
    packed = {f.name for f in files if f.path.suffix.lower() in PACKED}
    findings = [
        replace(f, path=at[f.file], bad=() if f.file in packed else bad.get(f.file, ()))
        for f in _findings(outcome, {x.dbt_model for x in known}, {f.name: _command(project, f, root) for f in files})
    ]
    found = [
        *lists(project, known, root),
        *(uncommitted(project, known, root) if base is not None else ()),
    ]
    found += _of_several(project, outcome.failures, root)
    return Checked((*found, *_with_copies(outcome.files, findings, at)), changes, outcome.notices, base)


def _command(project: Project, file: Incoming, root: Path) -> str:
    """What loads a file in earnest: the folder of samples names nothing to `goldsmith run`."""
    if file.remote or not file.path.is_relative_to(root):
        return "goldsmith run"
    named = {"--contract": file.contract, "--source": file.source}
    if file.path.is_relative_to(project.folder / "landing"):
        named = {}
    options = [word for option, value in named.items() if value for word in (option, value)]
    return shlex.join(["goldsmith", "run", shown(root, file.path), *options])


def _findings(outcome: RunOutcome, committed: AbstractSet[str], commands: Mapping[str, str]) -> list[Finding]:
    """A finding for each file that is no copy of another one.

    `committed`: the dbt models that the project has. `commands`: what would load each file, as a check has loaded nothing.
    """
    mapped = {(x.layout, x.contract): _near_committed(x, committed) for x in outcome.layouts}
    found = []
    for file in outcome.files:
        layout = mapped.get((file.layout or "", file.contract or ""))
        if layout and layout.dbt_model not in committed:
            # To the run, the second file of a new layout is one of a known layout.
            file = replace(file, mapping="generated")
        if file.state != "known":
            failures = _failures_of(file, layout, outcome)
            command = commands[file.source_file]
            message = file.message.replace(MAP_AND_BUILD, command)
            if message == pipeline.NOT_BUILT:
                message = "" if failures else "dbt did not build it (see what failed)"
            found.append(_finding(replace(file, message=message), layout, failures, command))
    return found


def _failures_of(file: FileOutcome, layout: LayoutOutcome | None, outcome: RunOutcome) -> str:
    """What dbt reports of a file's contract; of other layouts only that nothing was built because of them."""
    layouts = {x.dbt_model for x in outcome.layouts}
    said = []
    for failure in outcome.failures:
        if failure.contracts != (file.contract,):
            continue
        others = set(failure.about) <= layouts and (layout is None or layout.dbt_model not in failure.about)
        said.append(f"not built because of {', '.join(failure.about)}" if others else failure.text)
    return "; ".join(dict.fromkeys(said))


def _of_several(project: Project, failed: Sequence[Failure], root: Path) -> list[Finding]:
    """A finding for each failure that concerns no one contract, so no file."""
    found = []
    for failure in (f for f in failed if len(f.contracts) != 1):
        path = project.folder / failure.path
        found.append(Finding(path.name, shown(root, path), "contract", failure.text))
    return found


def _near_committed(layout: LayoutOutcome, committed: AbstractSet[str]) -> LayoutOutcome:
    """A layout with the drift from a known one; if that was made by this check, it is said."""
    origin, _, changes = layout.drift.partition(":")
    if not layout.drift or origin.removeprefix("nearly ") in committed:
        return layout
    return replace(layout, drift=f"{origin}, new in this check, too:{changes}")


def _with_copies(files: Sequence[FileOutcome], findings: Sequence[Finding], at: Mapping[str, str]) -> list[Finding]:
    """A finding for each of the files: for one with the same bytes as another, that of the other."""
    by_file = {f.file: f for f in findings}
    by_bytes = {f.sha256: by_file[f.source_file] for f in files if f.state != "known" and f.sha256}
    found = []
    for file in files:
        if file.state != "known":
            found.append(by_file[file.source_file])
            continue
        first = by_bytes[file.sha256]
        found.append(
            replace(
                first,
                file=file.source_file,
                path=at[file.source_file],
                details="; ".join(filter(None, (f"the same as {first.path}", first.details))),
            )
        )
    return found


def _told_apart(files: Sequence[Incoming], root: Path) -> list[Incoming]:
    """The files, each with a name of its own: of those with the same one, it is the path."""
    names = Counter(file.name for file in files)
    return [replace(f, name=shown(root, f.path)) if names[f.name] > 1 and not f.remote else f for f in files]


def _bad_rows(copy: Project, files: Sequence[FileOutcome]) -> dict[str, tuple[BadRow, ...]]:
    """The first rows of each file that violate the contract, with the cells, or could not be split into columns."""
    if not has_database(copy.database):
        return {}
    found: dict[str, tuple[BadRow, ...]] = {}
    layouts = {(x.short, x.contract): x for x in read_layouts(copy.folder)}
    with connect(copy.database, copy.folder) as connection:
        built = built_contracts(connection)
        for file in (f for f in files if f.file_id and f.state in ("gold", "failed")):
            quarantined = (
                f"""
                select _source_row, reasons, row
                from quarantine."{file.contract}" where _file_id = $file and kind in {WAITING}
                """
                if file.contract in built
                else "select null::bigint, null::varchar[], null::json where false"
            )
            rows = connection.execute(
                f"""
                select * from (
                    {quarantined}
                    union all
                    select source_row, [reason], null from raw._rejects where file_id = $file
                ) order by 1 limit {BAD_ROWS}
                """,
                {"file": file.file_id},
            ).fetchall()
            layout = layouts.get((file.layout or "", file.contract or ""))
            found[file.source_file] = tuple(
                BadRow(line, tuple(_with_cells(copy, layout, reason, row) for reason in reasons or ()))
                for line, reasons, row in rows
            )
    return found


def _with_cells(copy: Project, layout: Layout | None, reason: str, row: str | None) -> str:
    """Why a row is bad, with the cells that say so."""
    cells = violating_cells(copy.contract(layout.contract), layout, reason, json.loads(row)) if layout and row else ""
    return f"{reason}: {cells}" if cells else reason


def _finding(file: FileOutcome, layout: LayoutOutcome | None, failures: str, command: str) -> Finding:
    def found(rule: Rule, headline: str, details: str = "") -> Finding:
        return Finding(file.source_file, "", rule, headline, details, file.contract, file.layout, file)

    if file.state in ("refused", "waiting"):
        return found("unreadable", file.message)
    if file.state in ("blocked", "loaded"):
        said = "; ".join(file.changes) or ("" if file.near else UNREAD)
        why = f"none could be made: {file.message}" if file.state == "blocked" else file.message
        return found("drift" if file.near else "unknown-layout", said or file.message, why if said else "")
    if file.mapping == "generated" and layout is not None:
        mapped = ", ".join(f"{c.name} <- {' + '.join(c.source_columns)}" for c in layout.columns if c.source_columns)
        bad = [f"{n} × {reason}" for reason, n in file.reasons[:3]]
        would = f"{layout.provider} would map {mapped} ({'; '.join([counted(file), *bad])})"
        details = f"{would}; make and review one with `{command}` before files of it arrive"
        if layout.drift:
            return found("drift", layout.drift, details)
        return found("unknown-layout", UNREAD, details)
    if file.state == "held":
        return found("held", file.message)
    if file.state == "failed" or failures:
        reasons = [f"{n} × {reason}" for reason, n in file.reasons[:3]]
        said = "; ".join(filter(None, (file.message, *reasons, failures)))
        return found("contract", said, counted(file))
    return found("ok", f"layout {file.layout} of {file.contract}: {counted(file)}", "; ".join(file.changes))
