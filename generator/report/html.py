"""The HTML report of a run: one self-contained page, made from a RunOutcome and nothing else.

Threat model: every text in a RunOutcome is hostile (headers, cells, file names, notes of an LLM). Three layers keep it
inert: Jinja2 autoescape, `visible` on every expression of the template (environment option `finalize`), and a content
security policy that allows no script and no external resource.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from generator.errors import UsageError
from generator.outcome import LAPSED, FileOutcome, LayoutOutcome, Preview, RunOutcome

KINDS = ("gold", "superseded", "quarantined", "filtered", "rejected")

# state -> tone of its badge, words on the badge, words in the summary sentence
STATES = {
    "gold": ("good", "in gold", "in gold"),
    "failed": ("warn", "over threshold", "in gold, but over the quarantine threshold"),
    "held": ("warn", "held", "held for review"),
    "blocked": ("bad", "blocked", "blocked"),
    "refused": ("bad", "refused", "refused"),
    "loaded": ("calm", "loaded", "loaded and not mapped"),
    "known": ("calm", "known", "loaded before"),
    "waiting": ("calm", "waiting", "still being written"),
}
NEEDS_A_PERSON = ("failed", "held", "blocked", "refused")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "blank"}

# Heights of the flow picture in rem: the rows read, the thinnest band, the line that a label needs.
_BAR, _THINNEST, _LINE = 3.2, 0.14, 1.6
_MARKS = 4  # combining marks on one letter; more would be painted over the neighbouring lines
_JOINERS = "\u200c\u200d"  # Persian, Indic scripts and emoji need them
_SHORT = {"\n": "↵", "\t": "⇥"}
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")


@dataclass(frozen=True)
class Band:
    """Rows of one kind, as a band of the flow picture. Lengths are rem; `path` is drawn 100 units wide."""

    kind: str
    rows: int
    share: str
    size: float
    slot: float
    top: float
    path: str


@dataclass(frozen=True)
class Flow:
    """Rows read and where they went. `difference`: rows accounted for minus rows read, 0 unless something is wrong."""

    read: int
    difference: int
    bands: tuple[Band, ...]
    height: float
    bar_top: float
    bar_size: float
    text: str


class ShownFile(NamedTuple):
    """A file on the page: its number, and the number of its layout if the run shows that."""

    number: int
    file: FileOutcome
    flow: Flow
    layout: int | None


class ShownLayout(NamedTuple):
    """A layout on the page: its number, and whether its mapping waits for review."""

    number: int
    layout: LayoutOutcome
    unreviewed: bool


def visible(value: object) -> object:
    """A text with every character that hides, reorders or controls made readable, e.g. `⟨U+202E⟩`.

    Values that are no text, and markup, pass through.
    """
    if not isinstance(value, str) or isinstance(value, Markup) or (value.isascii() and value.isprintable()):
        return value
    shown: list[str] = []
    marks = 0
    for char in value:
        category = unicodedata.category(char)
        marks = marks + 1 if category[0] == "M" else 0
        if char in _SHORT:
            shown.append(_SHORT[char])
        elif marks > _MARKS or (category in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _JOINERS):
            shown.append(f"⟨U+{ord(char):04X}⟩")
        else:
            shown.append(char)
    return "".join(shown)


def share(rows: int, total: int) -> str:
    """Percent of the total; never `100 %` or `0 %` by rounding."""
    if total <= 0:
        return ""
    percent = 100 * rows / total
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %".replace(".0 %", " %")


def flow(read: int, parts: Sequence[tuple[str, int]]) -> Flow:
    """Lay out the picture: one bar at the left, for each kind that has rows one band to the right."""
    accounted = sum(rows for _, rows in parts)
    kept = [(kind, rows) for kind, rows in parts if rows]
    if accounted < read:
        kept.append(("unaccounted", read - accounted))
    total = max(read, accounted, 1)
    sizes = [max(_THINNEST, _BAR * rows / total) for _, rows in kept]
    slots = [max(_LINE, size) for size in sizes]
    height = sum(slots)
    bar_top = left = (height - sum(sizes)) / 2
    right = 0.0
    bands = []
    for (kind, rows), size, slot in zip(kept, sizes, slots, strict=True):
        top = right + (slot - size) / 2
        path = (
            f"M2,{left:.2f} C50,{left:.2f} 50,{top:.2f} 98,{top:.2f} V{top + size:.2f} "
            f"C50,{top + size:.2f} 50,{left + size:.2f} 2,{left + size:.2f} Z"
        )
        bands.append(Band(kind, rows, share(rows, read), round(size, 2), round(slot, 2), round(top, 2), path))
        left += size
        right += slot
    text = f"{read:,} rows read: " + (", ".join(f"{rows:,} {kind}" for kind, rows in kept) or "none")
    return Flow(read, accounted - read, tuple(bands), round(height, 2), round(bar_top, 2), round(sum(sizes), 2), text)


def file_flow(files: Iterable[FileOutcome]) -> Flow:
    """The flow of one file, or of several as one."""
    chosen = tuple(files)
    parts = [(kind, sum(int(getattr(file, f"rows_{kind}")) for file in chosen)) for kind in KINDS]
    return flow(sum(file.rows_read for file in chosen), parts)


def unreviewed(layout: LayoutOutcome) -> bool:
    """Whether there is a mapping that no person has approved."""
    return bool(layout.columns) and (layout.review != "approved" or layout.standing == LAPSED)


def summary(files: Sequence[FileOutcome]) -> str:
    """The run in a sentence or two."""
    if not files:
        return "Nothing to do: no files were found."
    if all(file.state == "known" for file in files):
        return f"Nothing new: {_files(len(files))}, loaded before."
    counts = [(sum(file.state == state for file in files), words) for state, (_, _, words) in STATES.items()]
    told = f"{_files(len(files))}: " + ", ".join(f"{count:,} {words}" for count, words in counts if count) + "."
    wrong = sum(not file.balanced for file in files)
    if wrong:
        return f"{told} The rows of {_files(wrong)} do not add up."
    return f"{told} Every one of the {sum(file.rows_read for file in files):,} rows read is accounted for."


def reasons(files: Iterable[FileOutcome]) -> list[tuple[str, int, list[str]]]:
    """Why rows were quarantined: reason, rows, files; the most frequent first."""
    found: dict[str, tuple[int, list[str]]] = {}
    for file in files:
        for reason, rows in file.reasons:
            before, names = found.get(reason, (0, []))
            found[reason] = (before + rows, [*names, file.source_file])
    return sorted(((reason, *rest) for reason, rest in found.items()), key=lambda row: (-row[1], row[0]))


def by_why(unmapped: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Headers that were left out, grouped by the reason."""
    groups: dict[str, list[str]] = {}
    for header, why in unmapped:
        groups.setdefault(why, []).append(header)
    return groups


def numeric(preview: Preview) -> list[bool]:
    """For each column of a preview, whether it holds only numbers."""
    columns = [[row[index] for row in preview.rows if row[index]] for index in range(len(preview.columns))]
    return [bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells) for cells in columns]


def render_report(outcome: RunOutcome, title: str) -> str:
    """The page. Pure: the same outcome and title give the same text."""
    environment = Environment(
        loader=PackageLoader("generator.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": "{:,}".format, "numeric": numeric, "by_why": by_why}
    layouts = [ShownLayout(number, entry, unreviewed(entry)) for number, entry in enumerate(outcome.layouts, 1)]
    numbers: dict[tuple[str | None, ...], int] = {
        (layout.source, layout.contract, layout.layout): number for number, layout, _ in layouts
    }
    files = [
        ShownFile(number, file, file_flow([file]), numbers.get((file.source, file.contract, file.layout)))
        for number, file in enumerate(outcome.files, 1)
    ]
    wrong = [shown for shown in files if not shown.file.balanced]
    waiting = wrong + [shown for shown in files if shown.file.balanced and shown.file.state in NEEDS_A_PERSON]
    return environment.get_template("report.html.j2").render(
        outcome=outcome,
        title=title,
        summary=summary(outcome.files),
        whole=file_flow(outcome.files),
        files=files,
        layouts=layouts,
        wrong=wrong,
        waiting=waiting,
        reasons=reasons(outcome.files),
        kinds=KINDS,
        states=STATES,
        delimiters=DELIMITERS,
    )


def write_report(outcome: RunOutcome, folder: Path, name: str) -> Path:
    """Write `<folder>/<name>.html` in one step: a reader sees the old page or the new one, never half of it."""
    path = folder / f"{name}.html"
    unfinished = folder / f".{name}.{os.getpid()}.tmp"
    page = render_report(outcome, f"Goldsmith {name}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_text(page, encoding="utf-8")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write the report {path}: {error.strerror}; make the folder writable") from error
    return path


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"
