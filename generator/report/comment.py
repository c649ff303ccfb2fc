"""What a check found as Markdown: a comment on a pull request, and the summary of a job. Pure.

Threat: file names, headers, cells and what is made of them come from senders, and GitHub renders them beside the words of
the people of the project: links, mentions, HTML, broken tables. So whatever is not ours stands in code, where GitHub reads
no Markdown, no mention and no reference; and all in it that could end the code, or a table's cell, is a character reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from generator.difference import ColumnChange, Difference, RowExample
from generator.finding import ROWS, Checked, Finding, LayoutChange, verdict
from generator.outcome import LayoutOutcome, MappedColumn
from generator.visible import plain

# By this the workflow finds its comment again.
MARK = "<!-- goldsmith check -->"
# GitHub takes 65,536 characters.
ROOM = 60_000
CELL = 60
LAYOUTS = 20
FILES = 200
LISTED = 20

_WORDS = {
    "unknown-layout": "`goldsmith run` with this file makes a dbt model for it: review it, and commit the pair",
    "drift": "`goldsmith run` with this file makes a dbt model for it: review it, and commit the pair",
    "contract": "correct the dbt model, or ask the sender",
    "held": "`goldsmith review` asks what only a person can answer",
    "unreadable": "it cannot be loaded as it is",
    "list": "`goldsmith run` writes the list anew: commit it",
}
_HEADINGS = {"new": "No dbt model yet", "added": "Added", "changed": "Changed", "removed": "Removed"}


def as_markdown(checked: Checked) -> str:
    """The comment. It has room for what matters most; the rest is said to be left out."""
    text = f"{MARK}\n\n## goldsmith: {verdict(checked.findings)}"
    if checked.base:
        text += f"\n\nWhat this pull request touches, compared with {code(checked.base)}."
    for part, end in _PARTS:
        text = "\n\n".join([text, *part(checked, end - len(text))])
    return text + "\n"


def error_markdown(message: str) -> str:
    """The comment where a check could not run at all."""
    return f"{MARK}\n\n## goldsmith: the check could not run\n\n{code(message, 2000)}\n"


def _notes(checked: Checked, room: int) -> list[str]:
    kept, more = _fitting([f"Note: {code(notice, 500)}" for notice in checked.notices], room, "notes")
    return kept + more


def _needs_a_person(checked: Checked, room: int) -> list[str]:
    """The list of what is to be done: if it gets too long, with fewer bad rows to each."""
    reviews = [t for change in checked.layouts if (t := _to_review(change))]
    for rows in (None, 1, 0):
        todo = [*(_todo(finding, rows) for finding in checked.failed), *reviews]
        if sum(map(len, todo)) <= room:
            break
    return _listed("### What needs a person", todo, room, "in the job's log")


def _worth_a_look(checked: Checked, room: int) -> list[str]:
    looks = [look for finding in checked.findings if not finding.failed for look in _to_look_at(finding)]
    return _listed("### Worth a look", looks, room, "remarks", LISTED)


def _layouts(checked: Checked, room: int) -> list[str]:
    kept, more = _fitting(["\n\n".join(_change(change)) for change in checked.layouts], room, "layouts", LAYOUTS)
    return ["### Layouts", *kept, *more] if checked.layouts else []


def _all_files(checked: Checked, room: int) -> list[str]:
    if not checked.findings:
        return []
    files = f"{len(checked.findings)} file{'' if len(checked.findings) == 1 else 's'}"
    return [_folded(files, _files(checked.findings, room))]


# Each part, and how far the comment may reach with it: what one leaves is there for the next.
_PARTS = (
    (_notes, 8_000),
    (_needs_a_person, 34_000),
    (_worth_a_look, 38_000),
    (_layouts, 50_000),
    (_all_files, ROOM),
)


def _fitting(items: Sequence[str], room: int, what: str, most: int | None = None) -> tuple[list[str], list[str]]:
    """The first items that there is room for, and how many more there are."""
    kept = []
    for item in items[:most]:
        if len(item) + 2 <= room:
            kept.append(item)
            room -= len(item) + 2
    left = len(items) - len(kept)
    return kept, [f"And {left:,} more {what}."] if left else []


def _listed(heading: str, items: Sequence[str], room: int, what: str, most: int | None = None) -> list[str]:
    """A list under its heading; nothing, if it is empty."""
    kept, more = _fitting(items, room, what, most)
    return [heading, *(["\n".join(kept)] if kept else []), *more] if items else []


def _todo(finding: Finding, rows: int | None) -> str:
    what = (
        f"- [ ] {code(finding.path, 200)}: **{finding.rule}**, {code(finding.headline, 400)}; {_WORDS[finding.rule]}."
    )
    bad = [f"    - line {row.line}: {code('; '.join(row.reasons), 200)}" for row in finding.bad[:rows]]
    return "\n".join([what, *bad])


def _to_look_at(finding: Finding) -> list[str]:
    """What is other or doubtful in a file that would pass."""
    remarks = (*finding.outcome.changes, *finding.outcome.remarks) if finding.outcome else ()
    return [f"- {code(finding.path, 200)}: {code(remark, 300)}" for remark in remarks]


def _to_review(change: LayoutChange) -> str:
    """What is open about a layout that has a dbt model."""
    if change.how not in ("added", "changed") or change.layout is None or change.layout.review == "approved":
        return ""
    asked = "".join(f"\n    - {code(question, 300)}" for question in change.layout.questions)
    return (
        f"- [ ] {code(change.dbt_model)}: nobody has approved it as it is; `goldsmith review` walks through it.{asked}"
    )


def _change(change: LayoutChange) -> Iterator[str]:
    was = f" (was {code(change.was)})" if change.was else ""
    yield f"#### {_HEADINGS[change.how]}: {code(change.dbt_model)}{was}"
    if change.how != "new":
        yield code(change.path, 200)
    if change.note:
        yield f"Rows: {code(change.note, 500)}"
    if change.difference:
        yield from _difference(change.difference)
    if change.layout:
        mapping = "\n\n".join(_mapping(change.layout))
        yield _folded("The mapping", mapping) if change.how == "changed" else mapping


def _mapping(layout: LayoutOutcome) -> Iterator[str]:
    yield f"Onto {code(layout.contract)}, mapped by {code(layout.provider)}."
    mapped = [c for c in layout.columns if c.confidence is not None or c.source_columns]
    yield _table(("gold column", "from", "sure", "before → after"), map(_column, mapped))
    absent = [c.name for c in layout.columns if c not in mapped]
    if absent:
        yield f"Not in this layout: {', '.join(map(code, absent))}."
    if layout.unmapped:
        listed = [f"{code(header)} ({code(why, 100)})" if why else code(header) for header, why in layout.unmapped]
        yield f"Left out: {', '.join(listed[:LISTED])}{_more(listed, LISTED)}."
    if layout.questions:
        yield "\n".join(f"- Question: {code(question, 300)}" for question in layout.questions)


def _column(column: MappedColumn) -> list[str]:
    sure = "" if column.confidence is None else f"{column.confidence:.2f}"
    samples = "<br>".join(f"{code(before)} → {code(after)}" for before, after in column.samples)
    return [code(column.name), ", ".join(map(code, column.source_columns)), sure, samples or code(column.note, 100)]


def _difference(found: Difference) -> Iterator[str]:
    if found.failed_tests:
        yield "\n".join(f"- Fails the test {code(test, 300)}" for test in found.failed_tests[:LISTED])
    if found.empty:
        yield f"The same {found.rows_before:,} gold rows as before, and the same quarantine."
        return
    yield _table(
        ("rows", "before", "after"),
        [
            [
                "gold",
                f"{found.rows_before:,}",
                f"{found.rows_after:,} ({found.added:,} added, {found.removed:,} removed)",
            ],
            ["quarantined", f"{found.quarantined_before:,}", f"{found.quarantined_after:,}"],
            ["filtered", f"{found.filtered_before:,}", f"{found.filtered_after:,}"],
        ],
    )
    if found.differing:
        heads = ("gold column", "rows changed", "NULLs", "distinct", "examples")
        yield _table(heads, map(_changed, found.differing))
    reasons = [[code(reason, 100), f"{was:,}", f"{now:,}"] for reason, was, now in found.reasons if was != now]
    if reasons:
        yield _table(("quarantined because", "before", "after"), reasons[:LISTED])
    for word, rows in (("Added", found.added_examples), ("Removed", found.removed_examples)):
        yield from (f"{word}: {_row(row)}" for row in rows)


def _changed(column: ColumnChange) -> list[str]:
    examples = [
        f"line {cell.source_row} of {code(cell.source_file)}: {_cell(cell.before)} → {_cell(cell.after)}"
        for cell in column.examples
    ]
    nulls = f"{column.nulls_before:,} → {column.nulls_after:,}"
    distinct = f"{column.distinct_before:,} → {column.distinct_after:,}"
    return [code(column.column), f"{column.rows:,}", nulls, distinct, "<br>".join(examples)]


def _row(row: RowExample) -> str:
    cells = ", ".join(f"{code(name)} {_cell(cell)}" for name, cell in row.cells.items() if cell is not None)
    why = f" ({code('; '.join(row.reasons), 200)})" if row.reasons else ""
    return f"line {row.source_row} of {code(row.source_file)}{why}: {cells}"


def _cell(cell: str | None) -> str:
    return "NULL" if cell is None else code(cell)


def _files(findings: Sequence[Finding], room: int) -> str:
    heads = ("file", "result", "layout", *ROWS)
    shown = sorted(findings, key=lambda f: not f.failed)
    rows = [[code(f.path, 200), f.rule, code(f"{f.contract or '?'} {f.layout or ''}"), *_counts(f)] for f in shown]
    kept, more = _fitting([_line(row) for row in rows], room, "files", FILES)
    return "\n\n".join(["\n".join([_line(heads), _line(["---"] * len(heads)), *kept]), *more])


def _counts(finding: Finding) -> list[str]:
    return [str(getattr(finding.outcome, f"rows_{name}")) if finding.outcome else "" for name in ROWS]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(map(_line, [heads, ["---"] * len(heads), *rows]))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def _more(all_: Sequence[object], shown: int) -> str:
    return f" and {len(all_) - shown:,} more" if len(all_) > shown else ""


def code(text: str, limit: int = CELL) -> str:
    """A hostile text as code in Markdown, in a table, too; nothing for one without visible characters."""
    shown = plain(text, limit)
    if re.fullmatch(r"(?:[\w .,:;/()+%'\"=#@*?!{}~\[\]-]|[^\x00-\x7f])+", shown):
        return f"`{shown}`"
    escaped = "".join(c if c.isalnum() or c == " " or not c.isascii() else f"&#{ord(c)};" for c in shown)
    return f"<code>{escaped}</code>" if escaped else ""
