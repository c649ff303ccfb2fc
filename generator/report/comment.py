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
    "no-yml": "restore the yml that was beside it",
}
_HEADINGS = {"new": "No dbt model yet", "added": "Added", "changed": "Changed", "removed": "Removed"}


def as_markdown(checked: Checked) -> str:
    """The comment. It has room for what matters most; the rest is said to be left out."""
    blocks = [MARK, f"## goldsmith: {verdict(checked.findings)}", *_blocks(checked)]
    kept: list[str] = []
    for block in blocks:
        if sum(map(len, kept)) + len(block) > ROOM:
            kept.append("_More is in the job's log: a comment has no room for it._")
            break
        kept.append(block)
    return "\n\n".join(kept) + "\n"


def _blocks(checked: Checked) -> Iterator[str]:
    if checked.base:
        yield f"What this pull request touches, compared with {code(checked.base)}."
    yield from (f"Note: {code(notice, 500)}" for notice in checked.notices)
    todo = [*map(_todo, checked.failed), *(t for change in checked.layouts if (t := _to_review(change)))]
    if todo:
        yield "### What needs a person"
        yield "\n".join(todo[:FILES])
    looks = [look for finding in checked.findings if not finding.failed for look in _to_look_at(finding)]
    if looks:
        yield "### Worth a look"
        yield "\n".join(looks[:LISTED] + _and_more(looks, LISTED, "remarks"))
    if checked.layouts:
        yield "### Layouts"
        for change in checked.layouts[:LAYOUTS]:
            yield from _change(change)
        yield from _and_more(checked.layouts, LAYOUTS, "layouts")
    if checked.findings:
        yield _folded(f"{len(checked.findings)} files", _files(checked.findings))


def _todo(finding: Finding) -> str:
    what = (
        f"- [ ] {code(finding.path, 200)}: **{finding.rule}**, {code(finding.headline, 400)}; {_WORDS[finding.rule]}."
    )
    rows = [f"    - line {row.line}: {code('; '.join(row.reasons), 200)}" for row in finding.bad]
    return "\n".join([what, *rows])


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
    yield f"#### {_HEADINGS[change.how]}: {code(change.dbt_model)}"
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


def _files(findings: Sequence[Finding]) -> str:
    heads = ("file", "result", "layout", *ROWS)
    shown = sorted(findings, key=lambda f: not f.failed)[:FILES]
    rows = [[code(f.path, 200), f.rule, code(f"{f.contract or '?'} {f.layout or ''}"), *_counts(f)] for f in shown]
    return "\n\n".join([_table(heads, rows), *_and_more(findings, FILES, "files")])


def _counts(finding: Finding) -> list[str]:
    return [str(getattr(finding.outcome, f"rows_{name}")) if finding.outcome else "" for name in ROWS]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def _and_more(all_: Sequence[object], shown: int, what: str) -> list[str]:
    return [f"And {len(all_) - shown:,} more {what}."] if len(all_) > shown else []


def _more(all_: Sequence[object], shown: int) -> str:
    return f" and {len(all_) - shown:,} more" if len(all_) > shown else ""


def code(text: str, limit: int = CELL) -> str:
    """A hostile text as code in Markdown, in a table, too; nothing for one without visible characters."""
    shown = plain(text, limit)
    if re.fullmatch(r"(?:[\w .,:;/()+%'\"=#@*?!{}~\[\]-]|[^\x00-\x7f])+", shown):
        return f"`{shown}`"
    escaped = "".join(c if c.isalnum() or c == " " or not c.isascii() else f"&#{ord(c)};" for c in shown)
    return f"<code>{escaped}</code>" if escaped else ""
