"""What a person sees in a terminal: progress, what happened to each file, tables. All data is hostile here, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from generator.intake.archive import Archive
from generator.outcome import Failure, FileOutcome, LayoutOutcome, Preview, RunOutcome
from generator.visible import plain

CELL = 32
REMARKS = 3
STYLES = {
    "gold": "green",
    "known": "dim",
    "loaded": "cyan",
    "held": "yellow",
    "blocked": "red",
    "refused": "red",
    "failed": "red",
    "waiting": "yellow",
}


def output() -> Console:
    """Standard output: as wide as the terminal, and wide enough for tables where it goes to a file or a pipe."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


@contextmanager
def progress_bar(console: Console, quiet: bool) -> Iterator[ProgressLine]:
    """A bar on a terminal, one line a step elsewhere, nothing if quiet."""
    if quiet or not console.is_terminal:
        yield ProgressLine(None)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        yield ProgressLine(bar)


class ProgressLine:
    """Takes the steps of the pipeline and moves the bar."""

    def __init__(self, bar: Bar | None) -> None:
        self.bar = bar
        self.task = bar.add_task("starting", total=None) if bar else None

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Show a step; `done` of `total` are behind it."""
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, description=plain(step, 50), completed=done, total=total)


def show_run(console: Console, outcome: RunOutcome, verbose: bool, nothing: str) -> None:
    """Everything a run did: notices, files with their reconciliation, gold and quarantine; `nothing` if it had no file."""
    for notice in outcome.notices:
        console.print(Text(plain(notice, 400), style="dim"))
    fresh = [f for f in outcome.files if f.state != "known"]
    known = len(outcome.files) - len(fresh)
    _show_files(console, outcome, fresh if not verbose else outcome.files)
    for file in outcome.files if not verbose else ():
        if file.state == "known" and " as " in file.message:
            console.print(Text(f"{plain(file.source_file, 100)}: {plain(file.message, 200)}", style="dim"))
    if known:
        console.print(Text(f"{known} file{'s' if known != 1 else ''} loaded before: nothing to do", style="dim"))
    if not outcome.files:
        console.print(Text(nothing))
    for preview in outcome.gold:
        if preview.total:
            show_preview(console, preview)
    for preview in outcome.quarantine:
        if preview.total:
            show_preview(console, preview)
    show_failures(console, outcome.failures)
    if fresh:
        console.print(_summary(fresh))
    if outcome.spending:
        console.print(Text(f"LLM: {outcome.spending.newest}"))


def show_errors(console: Console, outcome: RunOutcome) -> None:
    """Of a run only what its exit code says: the files that somebody has to do something about, and what failed in dbt."""
    _show_files(console, outcome, [f for f in outcome.files if not f.fine])
    show_failures(console, outcome.failures)


def show_failures(console: Console, failures: Sequence[Failure]) -> None:
    """What failed in dbt, a line each."""
    for failure in failures:
        console.print(Text(plain(failure.text, 500), style="red"))


def _show_files(console: Console, outcome: RunOutcome, files: Sequence[FileOutcome]) -> None:
    took = {(x.source, x.contract, x.layout): x.spent for x in outcome.layouts}
    for file in files:
        console.print(_file_line(file, took.get((file.source or "", file.contract or "", file.layout or ""), "")))


def _file_line(file: FileOutcome, took: str) -> Text:
    """What happened to a file. `took`: what making its mapping took, in words."""
    line = Text()
    line.append(f"{file.state:8}", style=STYLES.get(file.state, ""))
    line.append(plain(file.source_file, 70), style="bold")
    if file.contract or file.layout:
        line.append(f"\n         {file.contract or 'no contract yet'}, {file.source} {file.layout}", style="dim")
        made = f"mapped by {file.provider}" + (f" ({took})" if took else "")
        how = {"cached": "known layout", "generated": made}.get(file.mapping, "")
        line.append(f", {how}" if how else "", style="dim")
        line.append(f", {file.review}" if file.review and file.review != "approved" else "", style="yellow")
    if file.state in ("gold", "held", "failed", "blocked") and file.file_id:
        sign = "=" if file.balanced else "≠"
        line.append(
            f"\n         {file.rows_read} read {sign} {_parts(file)}", style="" if file.balanced else "bold red"
        )
    elif file.state == "loaded":
        line.append(f"\n         {file.rows_read} read, {file.rows_rejected} rejected")
    for reason, count in file.reasons[:4]:
        line.append(f"\n         {count} × {plain(reason, 100)}", style="yellow")
    if file.message:
        line.append(f"\n         {plain(file.message, 600)}", style=STYLES.get(file.state, ""))
    for change in file.changes:
        line.append(f"\n         drift: {plain(change, 1200)}", style="yellow")
    line.append(_remarks(file))
    return line


def _remarks(file: FileOutcome) -> Text:
    """What is doubtful about how a file was read, a line each."""
    more = len(file.remarks) - REMARKS
    shown = [plain(remark, 200) for remark in file.remarks[:REMARKS]]
    shown += [f"{more} more: goldsmith status --json has them"] if more > 0 else []
    return Text("".join(f"\n         remark: {remark}" for remark in shown), style="yellow")


def _parts(file: FileOutcome) -> str:
    parts = f"{file.rows_gold} gold + {file.rows_quarantined} quarantined + {file.rows_filtered} filtered"
    parts += f" + {file.rows_rejected} rejected"
    return f"{parts} + {file.rows_superseded} superseded" if file.rows_superseded else parts


def _summary(files: Sequence[FileOutcome]) -> Text:
    states = {s: sum(f.state == s for f in files) for s in STYLES}
    counted = ", ".join(f"{n} {s}" for s, n in states.items() if n)
    rows = sum(f.rows_gold for f in files)
    return Text(f"\n{len(files)} file{'s' if len(files) != 1 else ''}: {counted}; {rows} rows in gold", style="bold")


def show_preview(console: Console, preview: Preview) -> None:
    """A few rows of a table: as many columns as fit, those that are empty in all of the rows left out."""
    filled = [i for i in range(len(preview.columns)) if any(r[i] for r in preview.rows)]
    cells = {i: [plain(r[i], CELL) for r in preview.rows] for i in filled}
    shown: list[int] = []
    room = console.width - 4
    for i in filled:
        room -= 3 + max(len(preview.columns[i]), *(len(c) for c in cells[i]))
        if room < 0 and shown:
            break
        shown.append(i)
    more = f", and {len(filled) - len(shown)} more columns" if len(shown) < len(filled) else ""
    rows = "row" if preview.total == 1 else "rows"
    title = f"{preview.table}: {preview.total} {rows}{more}"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for i in shown:
        table.add_column(preview.columns[i], no_wrap=True)
    for row in range(len(preview.rows)):
        table.add_row(*[Text(cells[i][row]) for i in shown])
    console.print(table)


def show_layouts(console: Console, layouts: Sequence[dict[str, object]]) -> None:
    """The cache as a table."""
    if not layouts:
        console.print("No layouts yet: goldsmith run FILE makes the first one.")
        return
    table = Table()
    for name in ("layout", "source", "contract", "state", "review", "files", "columns"):
        table.add_column(name)
    for layout in layouts:
        columns = layout["columns"]
        mapped = sum(bool(c["source_columns"]) for c in columns.values()) if isinstance(columns, dict) else 0
        files = layout["files"]
        table.add_row(
            *(Text(plain(layout[k] or "", 50)) for k in ("layout", "source", "contract", "state")),
            Text(f"{layout['standing']}{', candidate' if layout['candidate'] else ''}"),
            str(len(files) if isinstance(files, list) else 0),
            str(mapped),
        )
    console.print(table)


def show_layout(console: Console, layout: LayoutOutcome) -> None:
    """One layout: the mapping with samples, what was left out, what is asked."""
    standing = f"{layout.state}, {layout.standing}, mapped by {layout.provider}"
    console.print(Text(plain(f"{layout.dbt_model} ({standing})"), style="bold"))
    console.print(Text(plain(layout.path, 500), style="dim"))
    if layout.spent:
        console.print(Text(f"LLM: {plain(layout.llm, 100)}, {layout.spent}" if layout.llm else f"LLM: {layout.spent}"))
    table = Table(show_lines=True)
    for name in ("gold column", "from", "expression", "sure", "before → after"):
        table.add_column(name, overflow="fold")
    for column in layout.columns:
        samples = "\n".join(f"{plain(a, 40)} → {plain(b, 30)}" for a, b in column.samples)
        table.add_row(
            Text(column.name + (f" (by {plain(column.provider, 20)})" if column.provider else "")),
            Text(plain(", ".join(column.source_columns), 80)),
            Text(plain(column.expression, 160)),
            "" if column.confidence is None else f"{column.confidence:.2f}",
            Text(samples or plain(column.note, 120)),
        )
    console.print(table)
    if layout.drift:
        console.print(Text(f"drift: {plain(layout.drift, 1200)}"))
    for header, why in layout.unmapped:
        console.print(Text(f"left out: {plain(header, 60)}: {plain(why, 120)}", style="dim"))
    for question in layout.questions:
        console.print(Text(f"question: {plain(question, 300)}", style="yellow"))


def show_status(console: Console, outcome: RunOutcome, archive: Archive) -> None:
    """Every file with its state, size and counts, and what is in the archive."""
    archived = archive.digests()
    unknown = len(archive.originals({f.sha256 for f in outcome.files if f.sha256})[0])
    if not outcome.files:
        console.print("Nothing loaded yet.")
    else:
        console.print(_status_table(outcome.files))
        console.print(Text(_totals(outcome.files, archive.place), style="bold"))
    if outcome.spending:
        console.print(Text(f"LLM: {outcome.spending.total}"))
    gone = [f for f in outcome.files if f.sha256 not in archived]
    for file in gone:
        text = (
            f"{plain(file.source_file, 60)}: its original is not in the archive; restore it, goldsmith rebuild needs it"
        )
        console.print(Text(text, style="red"))
    if unknown:
        text = (
            f"{_number(unknown, 'file')} in the archive {archive.place} that the database does not know: goldsmith run "
        )
        console.print(
            Text(plain(text + "takes them in, goldsmith rebuild makes the database again", 400), style="yellow")
        )
    waiting = [f for f in outcome.files if f.state in ("held", "blocked", "failed")]
    for file in waiting:
        console.print(Text(f"{file.state}: {plain(file.source_file, 60)}: {plain(file.message, 400)}", style="yellow"))
    for file in outcome.files:
        if file.remarks:
            console.print(Text(plain(file.source_file, 60)) + _remarks(file))


def show_rebuilt(console: Console, outcome: RunOutcome, archive: Archive) -> None:
    """What a rebuilt database holds, and what dbt's tests say of it."""
    for notice in outcome.notices:
        console.print(Text(plain(notice, 400)))
    show_status(console, outcome, archive)
    show_failures(console, outcome.failures)


def _status_table(files: Sequence[FileOutcome]) -> Table:
    table = Table()
    table.add_column("id")
    for name in ("file", "contract", "layout", "state"):
        table.add_column(name, overflow="fold")
    for name in ("size", "read", "gold", "quarantined", "filtered", "rejected"):
        table.add_column(name, justify="right")
    for f in files:
        counts = (f.rows_read, f.rows_gold, f.rows_quarantined, f.rows_filtered, f.rows_rejected)
        texts = (f.sha256[:8], plain(f.source_file, 60), f.contract or "", f.layout or "")
        table.add_row(
            *map(Text, texts), Text(f.state, style=STYLES.get(f.state, "")), _size(f.bytes), *map(str, counts)
        )
    return table


def _totals(files: Sequence[FileOutcome], archive: str) -> str:
    read, gold = sum(f.rows_read for f in files), sum(f.rows_gold for f in files)
    sizes = _size(sum(f.bytes for f in files))
    return f"{_number(len(files), 'file')}, {sizes}: {read} rows read, {gold} in gold; originals in {plain(archive)}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _size(number: int) -> str:
    """Bytes in the largest unit that leaves a digit before the point."""
    size = float(number)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
