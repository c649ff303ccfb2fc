"""Where a new layout parts from the nearest known dbt model: what reads something else there, and what is asked about it.

What a person wrote or approved goes to gold in no other meaning before a person has said so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from generator.candidate import Candidate, ColumnMapping, Question
from generator.contracts.contract import Contract
from generator.mapping.respecting import ROW_FILTER
from generator.mapping.starting import GIVEN_UP, Near, Start, reads_new, why_not
from generator.project.drift import Drift
from generator.project.written import Written, is_null, names_in, on_one_line, read_written, renamed
from generator.visible import plain

# Characters of a header, an expression and a reason that a person is shown.
HEADER, SQL, REASON = 80, 160, 240
EMPTY, ALL_ROWS = "empty", "all rows"
_READING = re.compile(r"\bparse_\w+\(\s*(\w+)\s*(?:,\s*'[^']*'\s*)*\)", re.IGNORECASE)
_WRAPPED = re.compile(r"\b(?:try\(\s*(\w+)\s*\)|cast\(\s*(\w+)\s+as\s+(?:date|timestamp)\s*\))", re.IGNORECASE)


@dataclass(frozen=True)
class Parting:
    """A gold column, or the row filter, that is from something else than in the known dbt model, in words.

    `why` is what a check says against the old one, '' if that was not tried. `question` is asked where a person had a hand
    in the old one.
    """

    name: str
    was: str
    now: str
    why: str = ""
    question: Question | None = None

    @property
    def text(self) -> str:
        """Both in a line."""
        return f"was {self.was}, is now {self.now}" + (f" ({self.why})" if self.why else "")


def partings(near: Near | None, start: Start | None, made: Candidate, contract: Contract) -> list[Parting]:
    """What of a new layout's mapping is other than in the known one of its source; nothing where none is near."""
    if near is None or not near.own:
        return []
    written = read_written(near.sql)
    if written is None or written.reshape:
        return list(_of_another_structure(near, made, contract))
    kept = start.still_kept(made) if start else {}
    failed = start.failed if start else {}
    found = [
        _column(near, name, old, made.columns[name], failed.get(name, ""))
        for name in contract.names
        if name not in kept and (old := on_one_line(written.expressions.get(name, "")))
    ]
    return [p for p in (*found, *_row_filter(near, written, start, made, contract)) if p]


def handed_down(near: Near | None, found: Sequence[Parting], contract: Contract) -> tuple[str, ...]:
    """The gold columns, and the row filter, in which a person had a hand, or is asked about it."""
    if near is None or not near.own:
        return ()
    filled = {p.name for p in found if p.was == EMPTY and p.question is None}
    return tuple(name for name in (*contract.names, ROW_FILTER) if near.by_hand(name) and name not in filled)


def _column(near: Near, name: str, old: str, new: ColumnMapping, failed: str) -> Parting | None:
    """A gold column that was not taken over, if it reads something else now, or might."""
    drift, by_hand = near.drift, near.by_hand(name)
    waiting = by_hand and not near.approved and any(q["column"] == name for q in near.questions)
    if is_null(old):
        if new.expression is None and not waiting:
            return None
        chosen = by_hand and (waiting or not reads_new(new, near))
        return _parting(near, name, EMPTY, _said(new, drift), "", "it was left out on purpose" if chosen else "")
    sources = _sources(old, drift)
    if by_hand:
        guessed = bool(set(sources) & {*drift.guessed, *drift.uncertain})
        same = not guessed and _reading(renamed(old, drift.names)) == _reading(new.expression or "")
    elif sources:
        same = {drift.names.get(s) for s in sources} == set(new.source_columns)
    else:
        same = old == new.expression
    if same and not (waiting if by_hand else failed):
        return None
    given_up = new.note.removeprefix(GIVEN_UP) if not new.expression and new.note.startswith(GIVEN_UP) else ""
    was, now = _listed(drift.before, sources) or _sql(old), _said(new, drift)
    if was == now:
        was, now = _sql(old), _sql(new.expression)
    why = failed or why_not(old, drift) or given_up or "the file says something else now"
    return _parting(near, name, was, now, failed or given_up, why if by_hand else "")


def _parting(near: Near, name: str, was: str, now: str, failed: str, asked: str) -> Parting:
    """A gold column, with the question if a person is to be asked; `asked` is why the old one is not taken over."""
    before = "leaves it empty" if was == EMPTY else f"reads {was}"
    after = "it is empty" if now == EMPTY else f"it reads {now}"
    text = f"{near.drift.origin} {before}; not taken over: {plain(asked, REASON)}. Here {after}: is that right?"
    return Parting(name, was, now, plain(failed, REASON), Question(column=name, text=text) if asked else None)


def _row_filter(
    near: Near, written: Written, start: Start | None, made: Candidate, contract: Contract
) -> Iterator[Parting]:
    """The row filter, if it is another one."""
    old, new = on_one_line(written.row_filter or ""), made.row_filter
    failed = start.failed.get(ROW_FILTER, "") if start else ""
    if start and old and not failed and new == start.candidate.row_filter:
        return
    if on_one_line(new or "") == (renamed(old, near.drift.names) if old else None):
        return
    was, now = (_sql(f) if f else ALL_ROWS for f in (old, new))
    question = None
    if near.by_hand(ROW_FILTER):
        why = failed or (why_not(old, near.drift) if old else "") or "there was none"
        before, after = (what if what == ALL_ROWS else f"only rows with {what}" for what in (was, now))
        text = f"{near.drift.origin} keeps {before}; not taken over: {plain(why, REASON)}. Here it keeps {after}: "
        question = Question(column=_first(contract), text=f"{text}is that right?")
    yield Parting(ROW_FILTER, was, now, plain(failed, REASON), question)


def _of_another_structure(near: Near, made: Candidate, contract: Contract) -> Iterator[Parting]:
    """What the yml says of a dbt model of which no column can be taken over by itself; one question for all of them."""
    for name in contract.names:
        told = (near.columns.get(name) or {}).get("source_columns") or ()
        new = made.columns[name]
        if told and sorted(told) != sorted(near.drift.after.get(s, s) for s in new.source_columns):
            yield Parting(name, " and ".join(f"`{plain(h, HEADER)}`" for h in told), _said(new, near.drift))
    if any(near.by_hand(name) for name in contract.names):
        text = (
            f"{near.drift.origin}, which a person wrote or approved, has a structure of its own, so that nothing of it is "
            "taken over: is what is here instead right?"
        )
        question = Question(column=_first(contract), text=text)
        yield Parting("the whole", "a structure of its own", "mapped anew", question=question)


def _said(mapping: ColumnMapping, drift: Drift) -> str:
    """What a new mapping reads, in words."""
    if mapping.expression is None:
        return EMPTY
    return _listed(drift.after, mapping.source_columns) or _sql(mapping.expression)


def _listed(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    return " and ".join(f"`{plain(headers[name], HEADER)}`" for name in names if name in headers)


def _sql(expression: str | None) -> str:
    return f"`{plain(expression, SQL)}`" if expression else EMPTY


def _sources(expression: str, drift: Drift) -> tuple[str, ...]:
    """The columns of the known layout that an expression reads."""
    return tuple(dict.fromkeys(n.lower() for n in names_in(expression) if n.lower() in drift.before))


def _reading(expression: str) -> str:
    """An expression but for the formats of the dates and numbers that it reads."""
    text = " ".join(expression.lower().split())
    while (shorter := _WRAPPED.sub(lambda m: m[1] or m[2], _READING.sub(r"\1", text))) != text:
        text = shorter
    return text


def _first(contract: Contract) -> str:
    return (contract.required or contract.columns)[0].name
