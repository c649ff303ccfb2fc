"""What can be wrong with a whole file: its style, its bytes, what stands around the table, a second table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from clean_tables import Table
from pollution import Cells, Draft, Line, Pollution, outside

# ---- style ----------------------------------------------------------------------------------------------------------


def _style(kind: str, name: str, **changes: object) -> Pollution:
    def apply(draft: Draft) -> None:
        draft.style = replace(draft.style, **changes)  # type: ignore[arg-type]

    return Pollution(kind, name, apply, early=True)


DELIMITERS = (";", "\t", "|", ":", "^", "~", " ", ", ", "; ", "||", "\x1f", "#", "&", "§", "::", "\\t")
STYLES = (
    *(_style("delimiter", repr(d), delimiter=d) for d in DELIMITERS[:-1]),
    _style("quote '", "'", quote="'", escape="'"),
    _style("backslash", "\\", escape="\\"),
    _style("backslash", "\\, every cell quoted", escape="\\", every=True),
    _style("every cell quoted", '"', every=True),
    _style("every cell quoted", "'", quote="'", escape="'", every=True),
)


# ---- bytes ----------------------------------------------------------------------------------------------------------


def _set(kind: str, name: str, **changes: object) -> Pollution:
    def apply(draft: Draft) -> None:
        for key, value in changes.items():
            setattr(draft, key, value)

    return Pollution(kind, name, apply)


def _mixed(ends: Sequence[str]) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        for i, line in enumerate(draft.lines):
            line.end = ends[i % len(ends)]

    return apply


def _final(kind: str, name: str, times: int) -> Pollution:
    def apply(draft: Draft) -> None:
        draft.final = draft.line_end * times

    return Pollution(kind, name, apply)


def _nul(row: int, column: int) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        index = draft.rows()[row]
        line = draft.lines[index]
        line.pieces[column] = "\0" + line.pieces[column]
        line.touched, draft.refusable = True, True
        line.other = lambda cells: tuple(c.replace("\0", "") for c in cells) == line.clean and "\0" in cells[column]

    return apply


def _unescaped(every: bool) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        style = replace(draft.style, escape="", every=every or draft.style.every)
        for i in draft.rows():
            line = draft.lines[i]
            before, line.pieces = line.pieces, style.cells(line.clean or ())
            # What looks like the end of a cell is one: then the record does not fit.
            line.touched = line.touched or line.pieces != before

    return apply


def _sep(delimiter: str | None) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        draft.lines.insert(0, outside(f"sep={delimiter or draft.style.delimiter}"))

    return apply


BYTES = (
    _set("line ends", "CRLF", line_end="\r\n"),
    _set("line ends", "CR", line_end="\r"),
    _set("line ends", "LF, CR", line_end="\n\r"),
    Pollution("unescaped quotes", "in quoted cells", _unescaped(every=False)),
    Pollution("unescaped quotes", "in quoted cells, every cell quoted", _unescaped(every=True)),
    Pollution("line ends", "mixed CRLF, LF", _mixed(("\r\n", "\n"))),
    Pollution("line ends", "mixed LF, CR", _mixed(("\n", "\n", "\r"))),
    Pollution("line ends", "mixed, all three", _mixed(("\r", "\n", "\r\n", "\r\n"))),
    _final("last newline", "missing", 0),
    _final("last newline", "doubled", 2),
    _final("last newline", "tripled", 3),
    _final("last newline", "twenty", 20),
    _set("byte order mark", "utf-8-sig", codec="utf-8-sig"),
    *(_set("unicode", c, codec=c) for c in ("utf-16", "utf-32", "utf-16-le", "utf-16-be")),
    _set("byte order mark", "utf-8 twice", codec="utf-8-sig", before=b"\xef\xbb\xbf"),
    Pollution(
        "end of file 0x1a", "after the last line end", lambda d: d.lines.append(Line("outside", text="\x1a", end=""))
    ),
    Pollution("sep=", "right", _sep(None)),
    *(Pollution("NUL", f"row {r} column {c}", _nul(r, c)) for r, c in ((0, 0), (3, 2), (9, 3))),
)


# ---- lines around the table -----------------------------------------------------------------------------------------


def _blank(indexes: Callable[[Draft], Iterable[int]], text: str = "") -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        for i in sorted(indexes(draft), reverse=True):
            draft.lines.insert(i, Line("blank", text=text))

    return apply


_PROSE = (
    "Monthly export",
    "Account: 0815",
    "Created on 2024-05-01 by Ann Lee, shop office",
    "All amounts in EUR; no warranty",
    "Period,2024-01-01,2024-03-31",
    'Note: see "help" for details',
    "----------------------------",
    "Page 1 of 3",
)


def _with_blanks(clean: Cells | None, cells: Cells) -> bool:
    return tuple(c.removeprefix(" ") for c in cells) == clean


def _preamble(count: int, form: str, blank: bool) -> Pollution:
    def apply(draft: Draft) -> None:
        delimiter, width = draft.style.delimiter, draft.table.width
        lines = []
        for i in range(count):
            text = _PROSE[i % len(_PROSE)]
            if form == "key and value":
                text = draft.style.cell(f"Key {i}") + delimiter + draft.style.cell(text)
            elif form == "padded":
                text = draft.style.cell(text) + delimiter * (width - 1)
            lines.append(outside(text))
        if blank:
            lines.append(Line("blank", text=delimiter * (width - 1) if form == "padded" else ""))
        if delimiter[1:] == " ":  # then commas without a blank say that the blanks are the cells' own
            for line in (draft.lines[i] for i in draft.rows()):
                line.other = line.other if line.touched else partial(_with_blanks, line.clean)
        draft.lines[:0] = lines

    return Pollution(f"preamble, {form}", f"{count} lines{' and a blank one' if blank else ''}", apply)


def _footer(name: str, form: Callable[[Draft], list[str]], blank: bool = False, **changes: bool) -> Pollution:
    def apply(draft: Draft) -> None:
        if blank:
            draft.lines.append(Line("blank", text=""))
        # Where blanks part cells, prose can have as many words as there are columns.
        draft.lines += [Line("outside", text=text, touched=draft.style.delimiter == " ") for text in form(draft)]
        for key, value in changes.items():
            setattr(draft, key, value)

    return Pollution("footer", name + (" after a blank line" if blank else ""), apply)


def _total(draft: Draft) -> list[str]:
    cells = ["Total", *[""] * (draft.table.width - 2), "4,711.00"]
    return [draft.style.delimiter.join(draft.style.cells(cells))]


def _comments(kind: str, name: str, text: str, at: Callable[[Draft], Iterable[int]]) -> Pollution:
    def apply(draft: Draft) -> None:
        for i in sorted(at(draft), reverse=True):
            # By chance its words can be as many as the columns.
            draft.lines.insert(i, Line("outside", text=text, touched=draft.style.delimiter == " "))

    return Pollution(kind, name, apply)


def _middle(draft: Draft) -> list[int]:
    rows = draft.rows()
    return [rows[len(rows) // 3], rows[2 * len(rows) // 3]]


def _pages(every: int) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        header = next((line for line in draft.lines if line.role == "header"), None)
        if header is None:
            return
        # A header that may be taken for data may be so on each page.
        again = Line("outside", text=header.written(draft.style.delimiter), touched=bool(draft.doubtful_headers))
        for i in draft.rows()[::-1]:
            if (i - draft.rows()[0]) % every == 0 and i != draft.rows()[0]:
                draft.lines.insert(i, replace(again))

    return apply


AROUND = (
    Pollution("blank lines", "leading 1", _blank(lambda d: [0])),
    Pollution("blank lines", "leading 5", _blank(lambda d: [0] * 5)),
    Pollution("blank lines", "after the header", _blank(lambda d: [d.rows()[0]])),
    Pollution("blank lines", "in between", _blank(_middle)),
    Pollution("blank lines", "after every row", _blank(lambda d: d.rows())),
    Pollution("blank lines", "of blanks in between", _blank(_middle, "   ")),
    *(_preamble(n, form, False) for n in (1, 2, 3, 5, 8, 13, 40) for form in ("prose", "key and value", "padded")),
    *(_preamble(n, form, True) for n in (1, 3, 8, 40) for form in ("prose", "key and value", "padded")),
    *(_footer("a total", _total, blank) for blank in (False, True)),
    *(_footer("prose", lambda d: ["All amounts without warranty."], blank) for blank in (False, True)),
    *(_footer("three lines", lambda d: ["-----", "80 records", "End of report"], blank) for blank in (False, True)),
    _footer("empty cells", lambda d: [d.style.delimiter * (d.table.width - 1)] * 3),
    _comments("comments", "before", "# exported by the shop", lambda d: [0]),
    _comments("comments", "two before", "# one, two", lambda d: [0, 0]),
    _comments("comments", "within", "# checked up to here", _middle),
    _comments("comments", "within, with delimiters", "# checked, see page 4, top", _middle),
    _comments("comments", "// within", "// checked up to here", _middle),
    _comments("comments", "first of the data", "# the data begin", lambda d: [d.rows()[0]]),
    _comments("comments", "last", "# the end", lambda d: [len(d.lines)]),
    *(Pollution("header on each page", f"every {n} rows", _pages(n)) for n in (3, 5, 10)),
)


# ---- second tables --------------------------------------------------------------------------------------------------

SECOND = {
    "fewer": ("city;people;area", ["Oslo;700000;480", "Rome;2800000;1285", "Bonn;330000;141"]),
    "more": (
        "k1;k2;k3;k4;k5;k6;k7;k8;k9;k10;k11;k12",
        [";".join(f"{r}{c}" for c in range(12)) for r in (1, 2, 3)],
    ),
}


def second_table(width: str, blank: bool, first: bool) -> Pollution:
    """Another table after the table, or before it."""

    def apply(draft: Draft) -> None:
        style = draft.style
        if width == "same":
            header = tuple(f"other {c}" for c in "abcdefghijklmnopq"[: draft.table.width])
            rows = [tuple(f"x{r}{c}" for c in range(len(header))) for r in (1, 2, 3)]
        else:
            text, texts = SECOND[width]
            header, rows = tuple(text.split(";")), [tuple(t.split(";")) for t in texts]
        # Of one width and without a blank line between, nobody can be sure; then it is enough that it is said.
        lines = [
            Line("outside", style.cells(cells), touched=width == "same" and not blank) for cells in (header, *rows)
        ]
        gap = [Line("blank", text="")] if blank else []
        alone = Draft(Table("second", header, tuple(rows)), style)
        alone.render()
        around = [
            replace(line, role="outside" if line.role in ("header", "row") else line.role) for line in draft.lines
        ]
        mine = draft.lines
        draft.lines = [*lines, *gap, *mine] if first else [*mine, *gap, *lines]
        other = replace(draft, headers=alone.headers, table=alone.table, said=True, others=[])
        other.lines = [*alone.lines, *gap, *around] if first else [*around, *gap, *alone.lines]
        draft.others, draft.said, draft.refusable = [other], True, True

    place = "before" if first else "after"
    return Pollution(f"second table {place}", f"{width} columns{', after a blank line' if blank else ''}", apply)


SECOND_TABLES = tuple(
    second_table(width, blank, first)
    for width in (*SECOND, "same")
    for blank in (True, False)
    for first in (False, True)
)
