"""What can be wrong with a header, and with files of which little more than a header is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pollution import Cells, Draft, Line, Pollution, columns

# ---- the header -----------------------------------------------------------------------------------------------------


def _no_header(draft: Draft) -> None:
    del draft.lines[draft.header()]
    draft.headers = [columns(draft.table.width)]
    if not draft.table.typed:  # all texts: the first row may as well be the header
        first = draft.lines[draft.rows()[0]]
        draft.headers.append(first.clean or ())
        first.touched = True


def _header(change: Callable[[Cells], Cells], *, doubtful: bool = False) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        header = change(draft.table.header)
        width = draft.table.width
        draft.lines[draft.header()].pieces = draft.style.cells(header)
        draft.headers = [header + columns(width)[len(header) :]]
        if doubtful:  # the header line may be taken for data, if that is said
            draft.doubtful_headers = [columns(len(header))]
            draft.lines[draft.header()].clean = header

    return apply


def _other_delimiter_in_header(delimiter: str) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        line = draft.lines[draft.header()]
        line.text = delimiter.join(replace(draft.style, delimiter=delimiter).cells(draft.table.header))
        draft.doubtful_headers, draft.refusable = [columns(draft.table.width)], True
        if delimiter.endswith(draft.style.delimiter):  # then it is in the rows' delimiter, with a sign more
            more = delimiter.removesuffix(draft.style.delimiter)
            draft.headers.append((*(n + more for n in draft.table.header[:-1]), draft.table.header[-1]))

    return apply


def _two_lines(upper: Callable[[Cells], Cells]) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        above = upper(draft.table.header)
        at = draft.header()
        draft.lines.insert(at, Line("outside", draft.style.cells(above)))
        joined = tuple(f"{a} {b}".strip() for a, b in zip(above, draft.table.header, strict=True))
        filled = tuple(a or b for a, b in zip(above, draft.table.header, strict=True))
        draft.headers += [joined]
        draft.doubtful_headers = [above, filled]

    return apply


def _only(count: int) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        del draft.lines[draft.rows()[count] :]
        if not count:
            draft.said = draft.refusable = True

    return apply


def _empty(text: bytes) -> Callable[[Draft], None]:
    def apply(draft: Draft) -> None:
        draft.lines, draft.before, draft.refusable, draft.headers = [], text, True, []

    return apply


HEADERS = (
    Pollution("no header", "", _no_header),
    Pollution("header names", "two alike", _header(lambda h: (h[0], h[1], h[1], *h[3:]))),
    Pollution("header names", "all alike", _header(lambda h: ("x",) * len(h), doubtful=True)),
    Pollution("header names", "one empty", _header(lambda h: (*h[:2], "", *h[3:]))),
    Pollution("header names", "first empty", _header(lambda h: ("", *h[1:]))),
    Pollution("header names", "last empty", _header(lambda h: (*h[:-1], ""))),
    Pollution(
        "header names", "half of them empty", _header(lambda h: tuple(n if i % 2 else "" for i, n in enumerate(h)))
    ),
    Pollution("header names", "years", _header(lambda h: (*h[:2], *(str(2019 + i) for i in range(len(h) - 2))))),
    Pollution("header names", "numbers", _header(lambda h: tuple(str(i + 1) for i in range(len(h))), doubtful=True)),
    Pollution("header names", "very long", _header(lambda h: tuple(n * 200 for n in h))),
    Pollution("header names", "with blanks around", _header(lambda h: h)),
    *(Pollution("header shorter", f"by {n}", _header(lambda h, n=n: h[:-n])) for n in (1, 2)),
    *(
        Pollution("header longer", f"by {n}", _header(lambda h, n=n: (*h, *(f"more {i}" for i in range(n)))))
        for n in (1, 2)
    ),
    *(
        Pollution("header in another delimiter", repr(d), _other_delimiter_in_header(d))
        for d in (";", "\t", "|", " ", ":", ", ")
    ),
    Pollution(
        "header of two lines", "groups", _two_lines(lambda h: tuple("" if i % 3 else "Group" for i in range(len(h))))
    ),
    Pollution("header of two lines", "units", _two_lines(lambda h: tuple(f"[{n[:2]}]" for n in h))),
    Pollution("header of two lines", "the first one sparse", _two_lines(lambda h: ("Export", *("",) * (len(h) - 1)))),
    Pollution("one row", "", _only(1)),
    Pollution("two rows", "", _only(2)),
    Pollution("header only", "", _only(0)),
    Pollution("empty file", "no byte", _empty(b"")),
    Pollution("empty file", "line ends", _empty(b"\r\n\r\n")),
    Pollution("empty file", "byte order mark", _empty(b"\xef\xbb\xbf")),
    Pollution("empty file", "blanks", _empty(b"   \n \t \n")),
)
