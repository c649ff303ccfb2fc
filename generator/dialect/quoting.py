"""One line as cells: what quotes, doubled quotes and backslashes mean, and what they can mean where they are wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

INNER_QUOTE = "a quote inside a quoted cell is kept as text"
OUTER_QUOTES = "quotes around a cell with something before them are kept as text"
OPEN_QUOTE = "a quote that opens a cell and is not closed is kept as text"


class Patterns(NamedTuple):
    """What quoted cells of a syntax look like.

    Matched behind an opening quote or, within quotes, at the start of a line, and ending with the cell: `strict`, where
    all quotes inside are doubled or escaped; `lenient`, where a quote before neither delimiter nor line end is text;
    `hasty`, where a quote before a delimiter or line end is the end, even if it looks doubled or escaped. `inside` is
    the rest of a line in which the cell goes on and no quote is wrong, `rest` the well-formed rest of a line behind a
    closing quote, `sound` a well-formed line without an open cell. `escaped` is a backslash and what it protects.
    Blanks and tabs between a closing quote and the end of its cell are well-formed, too: a part of the cell.
    """

    strict: re.Pattern[str]
    lenient: re.Pattern[str]
    hasty: re.Pattern[str]
    inside: re.Pattern[str]
    rest: re.Pattern[str]
    sound: re.Pattern[str]
    escaped: re.Pattern[str]


@dataclass(frozen=True)
class Syntax:
    """How cells are written: `delimiter` of 1 to 4 characters; `quote` is `"`, `'` or '' for none.

    `escape` is how a quote is written inside quotes: the quote itself (doubled), or with a backslash before it.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'

    @property
    def backslash(self) -> bool:
        """Whether a backslash makes the quote, backslash, delimiter or line end after it a part of the cell."""
        return bool(self.quote) and self.escape == "\\"

    @cached_property
    def patterns(self) -> Patterns:
        """What its cells look like; only for a syntax that has quotes."""
        return _patterns(self)


@cache
def _patterns(syntax: Syntax) -> Patterns:
    """The compiled patterns of a syntax that has quotes."""
    q, d = re.escape(syntax.quote), re.escape(syntax.delimiter)
    padding = "[" + " \t".replace(syntax.delimiter[0], "") + "]*+"
    end = rf"{padding}(?:{d}|[\r\n]|\Z)"
    lone = rf"{q}(?!{end})"
    if syntax.backslash:
        bare = rf"(?:(?!{d})(?:\\{q}|[^{q}\r\n]))*+"
        other, pair = rf"[^{q}\\]*+", r"\\[\s\S]"
        hasty = rf"\\(?!{q}{end})[\s\S]|\\(?={q})|{lone}"
    else:
        bare = rf"[^{q}{d}\r\n]*+" if len(syntax.delimiter) == 1 else rf"(?:(?!{d})[^{q}\r\n])*+"
        other, pair = rf"[^{q}]*+", q + q
        hasty = rf"{q}{q}(?!{end})|{lone}"
        lone = rf"{q}(?!{q}|{end})"
    inside = rf"{other}(?:{pair}{other})*+"
    cell = rf"(?:{q}{inside}{q}{padding}|{bare})(?={end})"
    return Patterns(
        strict=re.compile(rf"{inside}{q}{padding}(?={end})"),
        lenient=re.compile(rf"{other}(?:(?:{pair}|{lone}){other})*+{q}{padding}"),
        hasty=re.compile(rf"{other}(?:(?:{hasty}){other})*+{q}{padding}"),
        inside=re.compile(rf"{inside}\Z"),
        rest=re.compile(rf"(?:{d}{cell})*+(?:{d}{q}{inside})?[\r\n]*\Z"),
        sound=re.compile(rf"{cell}(?:{d}{cell})*+\Z"),
        escaped=re.compile(rf"\\([{q}\\\r\n]|{d})"),
    )


def unquoted(syntax: Syntax, cell: str) -> str:
    """What a quoted cell says, of its text behind the opening quote up to its end; blanks behind the closing quote stay."""
    text, _, padding = cell.rpartition(syntax.quote)
    if syntax.backslash:
        return syntax.patterns.escaped.sub(r"\1", text) + padding
    return text.replace(syntax.quote * 2, syntax.quote) + padding


@dataclass
class Cells:
    """The cells of a line, or of a part of it, under one reading.

    `wrong` are quoted cells whose quotes are not well-formed, as they stand in the file; `bare` unquoted cells with a
    quote in them. `open_at` is where the text of a last cell begins that stays open, else -1.
    """

    fields: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    open_at: int = -1


def read_cells(syntax: Syntax, line: str, at: int, closer: re.Pattern[str]) -> Cells:
    """The cells of a line from `at` on; the closer is one of the first three patterns.

    With `strict` a cell whose quotes are not well-formed is read as if it had none.
    """
    quote, delimiter, strict = syntax.quote, syntax.delimiter, syntax.patterns.strict
    found, stop = Cells(), len(line.rstrip("\r\n"))
    while True:
        if line.startswith(quote, at):
            match = closer.match(line, at + 1)
            if match is None and closer is not strict:
                found.open_at = at + 1
                return found
        else:
            match = None
        if match is not None:
            sound = closer is strict or strict.match(line, at + 1, match.end())
            if not sound:
                found.wrong.append(line[at : match.end()])
            end = match.end()
            found.fields.append(unquoted(syntax, line[at + 1 : end]))
        else:
            end = line.find(delimiter, at, stop)
            end = stop if end < 0 else end
            cell = line[at:end]
            if quote in cell:
                (found.wrong if cell.startswith(quote) else found.bare).append(cell)
            found.fields.append(_bare(syntax, cell) if syntax.backslash else cell)
        if end >= stop:
            return found
        at = end + len(delimiter)


def _bare(syntax: Syntax, cell: str) -> str:
    """An unquoted cell without its backslashes, if there is none in it that stands for itself: `C:\\temp` is kept."""
    pattern = syntax.patterns.escaped
    return cell if "\\" in pattern.sub("", cell) else pattern.sub(r"\1", cell)


def read_alone(syntax: Syntax, text: str, widths: Collection[int]) -> tuple[list[str], str, bool]:
    """A line without its line end as one record: fields, what was taken literally ('' if nothing), whether it fits.

    A line that is not well-formed is read in the first way that is plausible and gives one of the widths; in any that
    is plausible if no widths are known. If there is none, the fields are of none of these widths.
    """
    pattern = syntax.patterns
    lenient = read_cells(syntax, text, 0, pattern.lenient)
    if lenient.open_at < 0 and not lenient.wrong and not _torn(lenient.bare):
        around = (
            re.compile(rf"[^\w{syntax.quote}]*{syntax.quote}.*{syntax.quote}\W*", re.DOTALL) if lenient.bare else None
        )
        mended = OUTER_QUOTES if around and any(map(around.fullmatch, lenient.bare)) else ""
        return lenient.fields, mended, not widths or len(lenient.fields) in widths
    for cells, mended in _mendings(syntax, text, lenient):
        if not widths or len(cells.fields) in widths:
            return cells.fields, mended, True
    return no_fields(syntax, text, widths), "", False


def no_fields(syntax: Syntax, text: str, widths: Collection[int]) -> list[str]:
    """A line that cannot be split for sure, as fields of none of the widths."""
    fields = text.split(syntax.delimiter)
    if len(fields) not in widths:
        return fields
    return [text, *[""] * max(widths)] if 1 in widths else [text]


def _mendings(syntax: Syntax, text: str, lenient: Cells) -> Iterator[tuple[Cells, str]]:
    """What a line can mean whose quotes are wrong, likeliest first; one wrong quote is likelier than two."""
    opening = syntax.delimiter + syntax.quote
    if lenient.open_at < 0 and lenient.wrong and not lenient.bare and not any(opening in w for w in lenient.wrong):
        yield lenient, INNER_QUOTE
    for closer, mended in ((syntax.patterns.hasty, INNER_QUOTE), (syntax.patterns.strict, OPEN_QUOTE)):
        cells = read_cells(syntax, text, 0, closer)
        if cells.open_at < 0 and len(cells.wrong) + len(cells.bare) == 1:
            yield cells, mended


def _torn(bare: list[str]) -> bool:
    """Whether unquoted cells look like a quoted one whose delimiter got lost: `5.00"Lamp`, ` brass"`. Not `5" wide`."""
    begun = next((i for i, cell in enumerate(bare) if re.search(r"[\"']\S", cell)), len(bare))
    return any(cell[-1] in "\"'" for cell in bare[begun + 1 :])
