"""What can be wrong with single records, or with where a table ends: separators, quotes, cut-off lines, second tables."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from operator import eq

from pollution import Cells, Draft, Line, Pollution, columns

HEADER = -1


def _line(draft: Draft, row: int) -> Line:
    """The record of a row of the clean table, or the header."""
    line = draft.lines[draft.header() if row == HEADER else draft.rows()[row]]
    line.touched = True
    return line


def _header_doubt(draft: Draft, *headers: Cells) -> None:
    """A polluted header: other readings of it are honest if something is said."""
    draft.doubtful_headers = [*headers, columns(draft.table.width), columns(draft.table.width + 1)]
    draft.refusable = True


# ---- separators -----------------------------------------------------------------------------------------------------


def less(row: int, column: int) -> Pollution:
    """One separator less: two cells run into one."""

    def apply(draft: Draft) -> None:
        line = _line(draft, row)
        line.pieces[column : column + 2] = ["".join(line.pieces[column : column + 2])]
        if row == HEADER:
            names = draft.table.header
            header = (*names[:column], names[column] + names[column + 1], *names[column + 2 :])
            _header_doubt(draft, (*header, f"column_{len(names)}"), header)

    return Pollution("one separator less" + " (header)" * (row == HEADER), f"row {row} column {column}", apply)


def more(row: int, column: int) -> Pollution:
    """One separator more: an empty cell after a cell."""

    def apply(draft: Draft) -> None:
        line = _line(draft, row)
        line.pieces.insert(column + 1, "")
        clean = line.clean or ()
        line.other = partial(eq, (*clean[: column + 1], "", *clean[column + 1 :]))  # the header may be longer
        names = draft.table.header
        if row == HEADER:
            _header_doubt(draft, (*names[: column + 1], "", *names[column + 1 :]))
            if column == len(names) - 1:
                draft.headers.append((*names, ""))

    return Pollution("one separator more" + " (header)" * (row == HEADER), f"row {row} column {column}", apply)


def other_delimiter(row: int, delimiter: str) -> Pollution:
    """A record that is written in another delimiter."""

    def apply(draft: Draft) -> None:
        line = _line(draft, row)
        if draft.style.delimiter.strip() == delimiter:
            return  # `;` among `; ` is no other delimiter
        style = replace(draft.style, delimiter=delimiter)
        line.text = delimiter.join(style.cells(line.clean or ()))
        if draft.style.delimiter == " ":  # by chance its words can be as many as the columns
            line.other = partial(eq, tuple(line.text.split(" ")))
        if row == HEADER:
            _header_doubt(draft)

    return Pollution("a row in another delimiter" + " (header)" * (row == HEADER), f"row {row} {delimiter!r}", apply)


def ragged(seed: int, share: float) -> Pollution:
    """Records that lack cells at their end, or have some more."""

    def apply(draft: Draft) -> None:
        chance = random.Random(seed)
        width = draft.table.width
        for row in range(len(draft.table.rows)):
            if chance.random() >= share:
                continue
            line = _line(draft, row)
            change = chance.choice((-3, -2, -1, -1, 1, 2)) if width > 3 else chance.choice((-1, 1))
            if change > 0:
                line.pieces += [f"more{i}" for i in range(change)]
                wider = (*(line.clean or ()), *line.pieces[width:])
                line.other = partial(eq, wider)  # the header may have as many
            else:
                del line.pieces[change:]
                line.said = partial(_shorter, (line.clean or ())[:change])

    return Pollution("ragged rows", f"seed {seed}, share {share}", apply)


def _shorter(kept: Cells, cells: Cells) -> bool:
    """Whether cells are the first ones of a row, and the others empty."""
    return cells[: len(kept)] == kept and not any(cells[len(kept) :])


def trailing(everywhere: bool) -> Pollution:
    """A delimiter at the end of each line, or of each but the header."""

    def apply(draft: Draft) -> None:
        for line in draft.lines:
            if line.pieces and (everywhere or line.role == "row"):
                line.pieces.append("")
        unnamed = f"column_{draft.table.width + 1}"
        draft.doubtful_headers += [(*names, unnamed) for names in draft.headers]
        draft.headers += [
            (*names, unnamed if names[-1:] == (f"column_{draft.table.width}",) else "") for names in draft.headers
        ]

    return Pollution("trailing delimiters", "everywhere" if everywhere else "all but the header", apply)


# ---- quotes ---------------------------------------------------------------------------------------------------------


def extra_quote(row: int, column: int, where: str) -> Pollution:
    """A quote that was never meant: at the start, in the middle or at the end of a cell as it is written."""

    def apply(draft: Draft) -> None:
        line, quote = _line(draft, row), draft.style.quote
        piece = line.pieces[column]
        at = {"start": 0, "middle": len(piece) // 2, "end": len(piece)}[where]
        line.pieces[column] = piece[:at] + quote + piece[at:]
        line.other = _quote_kept(line.clean or (), column, quote)
        if row == HEADER:
            names, text = draft.table.header, draft.table.header[column]
            at = {"start": 0, "middle": len(text) // 2, "end": len(text)}[where]
            draft.headers.append((*names[:column], text[:at] + quote + text[at:], *names[column + 1 :]))
            _header_doubt(draft, names)

    return Pollution(f"extra quote, {where}" + " (header)" * (row == HEADER), f"row {row} column {column}", apply)


def _quote_kept(clean: Cells, column: int, quote: str) -> Callable[[Cells], bool]:
    """Whether cells are the clean ones but for one quote more in a column."""

    def kept(cells: Cells) -> bool:
        others = cells[:column] == clean[:column] and cells[column + 1 :] == clean[column + 1 :]
        if not others or len(cells) != len(clean):
            return False
        found, wanted = cells[column], clean[column]
        return found.replace(quote, "") == wanted.replace(quote, "") and found.count(quote) > wanted.count(quote)

    return kept


# ---- ends -----------------------------------------------------------------------------------------------------------


def _same_but_quotes(text: str, delimiter: str, cells: Cells) -> bool:
    return delimiter.join(cells).replace('"', "") == text.replace('"', "")


def cut_off(characters: int) -> Pollution:
    """The file ends that many characters before the end of its last line."""

    def apply(draft: Draft) -> None:
        line = _line(draft, len(draft.table.rows) - 1)
        text = line.written(draft.style.delimiter)
        left = max(1, len(text) - characters)
        kept, lengths = [], [len(p) for p in line.pieces]
        for piece, length in zip(line.pieces, lengths, strict=True):
            if left < 0:
                break
            kept.append(piece[:left])
            left -= length + len(draft.style.delimiter)
        line.pieces, draft.final = kept, ""
        # A quote that is open then can be read as text, and delimiters behind it as such.
        line.said = partial(_same_but_quotes, draft.style.delimiter.join(kept), draft.style.delimiter)
        if len(kept) == len(lengths):  # nobody can know that cells are shorter than they were
            clean = line.clean or ()
            literal = (*clean[:-1], kept[-1])
            line.clean = (*clean[:-1], kept[-1].strip(draft.style.quote) if kept[-1].count('"') > 1 else kept[-1])
            line.other = lambda cells: cells == literal
        elif len(kept) == 1:  # one word may as well be a footer
            line.role = "outside"

    return Pollution("cut-off last line", f"{characters} characters", apply)


def long_cell(row: int, column: int, length: int) -> Pollution:
    """A very long cell."""

    def apply(draft: Draft) -> None:
        line = draft.lines[draft.rows()[row]]
        cells = list(line.clean or ())
        cells[column] = "lorem, ipsum " * (length // 13)
        line.clean, line.pieces = tuple(cells), draft.style.cells(cells)

    return Pollution("very long cell", f"{length} characters", apply)


def line_ends_in_cells(seed: int, count: int, end: str) -> Pollution:
    """Cells of several lines."""

    def apply(draft: Draft) -> None:
        chance = random.Random(seed)
        for row in chance.sample(range(len(draft.table.rows)), min(count, len(draft.table.rows))):
            line = draft.lines[draft.rows()[row]]
            cells = list(line.clean or ())
            column = chance.randrange(len(cells))
            cells[column] += end * chance.choice((1, 1, 2)) + chance.choice(
                ("x", "second line, of two", 'a "word"', "")
            )
            line.clean, line.pieces = tuple(cells), draft.style.cells(cells)

    return Pollution("line ends in cells", f"{count} times {end!r}, seed {seed}", apply)


QUOTES = ("start", "middle", "end")


def everywhere(rows: int, width: int) -> Iterator[Pollution]:
    """Separators and quotes for every row (the header, too) and column of a table."""
    for row in range(HEADER, rows):
        for column in range(width):
            if column < width - 1:
                yield less(row, column)
            yield more(row, column)
            for where in QUOTES:
                yield extra_quote(row, column, where)
        for delimiter in ";\t|:":
            yield other_delimiter(row, delimiter)


RECORDS = (
    *(ragged(seed, share) for seed in range(5) for share in (0.05, 0.15)),
    *(trailing(everywhere) for everywhere in (True, False)),
    *(cut_off(n) for n in range(1, 60, 3)),
    *(long_cell(3, 1, n) for n in (10_000, 300_000, 3_000_000)),
    *(
        line_ends_in_cells(s, n, e)
        for s, n, e in ((1, 1, "\n"), (2, 5, "\n"), (3, 5, "\r\n"), (4, 9, "\n"), (5, 3, "\n\n"))
    ),
)
