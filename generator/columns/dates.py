"""How dates are written: the format shapes of cells and columns. Pure.

A column's shape is decided on all of its sampled cells. Where they leave two readings open, the shape says so: nothing
here guesses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise

from generator.columns.cells import clean, has_value

_TIME = (
    r"(?P<sep>[T ]|,? +)(?P<time>\d{1,2}:\d{2}(?P<sec>:\d{2}(?P<frac>[.,]\d{1,9})?)?)(?P<ampm> ?[AaPp]\.?[Mm]\.?)?"
    r"(?P<zone> ?(?:Z|UTC|GMT|[CEMP]DT|[EMP]ST|CES?T|MES?Z|[+-]\d{2}(?::?\d{2})?))?"
)
_MONTH = r"(?P<mon>[^\W\d_]{3,10}\.?)"
_DATES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern + rf"(?P<dot>\.)?(?:{_TIME})?"))
    for name, pattern in (
        ("ymd", r"(?P<a>(?:19|20)\d{2})(?P<s>[-/. ]|\. )(?P<b>\d{1,2})(?P=s)(?P<c>\d{1,2})"),
        ("xxy", r"(?P<a>\d{1,2})(?P<s>[-/. ]|\. )(?P<b>\d{1,2})(?P=s)(?P<c>(?:19|20)\d{2})"),
        ("xxy2", r"(?P<a>\d{1,2})(?P<s>[-/.]|\. )(?P<b>\d{1,2})(?P=s)(?P<c>\d{2})"),
        ("ymd8", r"(?P<a>(?:19|20)\d{2})(?P<b>0[1-9]|1[0-2])(?P<c>0[1-9]|[12]\d|3[01])"),
        ("dmony", rf"(?P<a>\d{{1,2}})(?P<s>[-/. ]|\. ?| de )?{_MONTH}(?P<s2>[-/. ]|,? | de )?(?P<c>(?:19|20)\d{{2}})"),
        ("dmony2", rf"(?P<a>\d{{1,2}})(?P<s>[-/. ])?{_MONTH}(?P<s2>[-/. ])(?P<c>\d{{2}})"),
        ("mondy", rf"{_MONTH} (?P<a>\d{{1,2}})(?P<s>,? )(?P<c>(?:19|20)\d{{2}})"),
        ("cjk", r"(?P<a>(?:19|20)\d{2})年(?P<b>\d{1,2})月(?P<c>\d{1,2})日"),
    )
)
# OFX dates: 20091224120000[0:GMT], also without the zone.
_OFX = re.compile(r"((?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))\d{6}(?:\.\d+)?(?:\[[^\]]*\])?")


@dataclass(frozen=True)
class DateShape:
    """How a column writes its dates.

    `formats` are the possible DuckDB strptime formats: one where it is known, two where day and month could be
    swapped. `prefix`, if set, is how many characters of the cell are the date (OFX: 8). `evidence` says how the order
    was decided. `share` of the filled cells are such dates, 0 to 1. `label` is the shape in words (`DD.MM.YYYY`).
    """

    formats: tuple[str, ...]
    has_time: bool
    share: float
    evidence: str = ""
    label: str = ""
    prefix: int | None = None

    @property
    def ambiguous(self) -> bool:
        """Whether the column could be read in two ways."""
        return len(self.formats) > 1


@dataclass(frozen=True)
class _Cell:
    """One cell read as a date: which pattern, its parts in order, and the format with `{1}`, `{2}` for the first two."""

    kind: str
    first: int
    second: int
    third: int
    template: str
    has_time: bool

    @property
    def readings(self) -> dict[str, date | None]:
        """The day under both readings of a date whose year stands last; None where there is no such day."""
        year = self.third + (0 if self.third > 99 else 1900 if self.third > 68 else 2000)
        return {"day": _day(year, self.second, self.first), "month": _day(year, self.first, self.second)}


# Columns repeat their cells.
@lru_cache(maxsize=1 << 12)
def _date_cell(text: str) -> _Cell | None:
    if match := _OFX.fullmatch(text):
        return _Cell("ofx", 0, 0, 0, "%Y%m%d", False)
    for kind, pattern in _DATES:
        match = pattern.fullmatch(text)
        if match:
            part = match.groupdict()
            body = _date_template(kind, part)
            first, second = (int(part["a"]), int(part["b"])) if part.get("b") else (int(part["a"]), 0)
            if kind in ("xxy", "xxy2") and not (1 <= min(first, second) <= 12 and 1 <= max(first, second) <= 31):
                return None
            if kind in ("ymd", "cjk") and not (1 <= second <= 12 and 1 <= int(part["c"]) <= 31):
                return None
            if kind.startswith(("dmon", "mond")) and not 1 <= first <= 31:
                return None
            template = body + (part["dot"] or "") + _time_template(part)
            return _Cell(kind, first, second, int(part["c"]), template, bool(part["time"]))
    return None


def _date_template(kind: str, part: dict[str, str | None]) -> str:
    s, s2 = part.get("s") or "", part.get("s2") or ""
    month = "%b"
    return {
        "ymd": f"%Y{s}%m{s}%d",
        "xxy": f"{{1}}{s}{{2}}{s}%Y",
        "xxy2": f"{{1}}{s}{{2}}{s}%y",
        "ymd8": "%Y%m%d",
        "dmony": f"%d{s}{month}{s2}%Y",
        "dmony2": f"%d{s}{month}{s2}%y",
        "mondy": f"{month} %d{s}%Y",
        "cjk": "%Y年%m月%d日",
    }[kind]


def _time_template(part: dict[str, str | None]) -> str:
    if not part["time"]:
        return ""
    clock = "%I" if part["ampm"] else "%H"
    seconds = f":%S{part['frac'][0] + '%f' if part['frac'] else ''}" if part["sec"] else ""
    ampm = (" %p" if part["ampm"].startswith(" ") else "%p") if part["ampm"] else ""
    zone = (" %z" if part["zone"].startswith(" ") else "%z") if part["zone"] else ""
    return f"{part['sep']}{clock}:%M{seconds}{ampm}{zone}"


def date_shape(cells: Sequence[str]) -> DateShape | None:
    """The date shape of a column, or None if fewer than 60 % of its filled cells are dates of one form.

    `cells` in file order. Order of day and month: a part above 12, then monotonic order; otherwise both readings.
    """
    filled = [clean(c) for c in cells if has_value(c)]
    if not filled:
        return None
    read = [d for d in map(_date_cell, filled) if d]
    counts = Counter(d.template for d in read)
    if not counts:
        return None
    template = min(counts, key=lambda t: (-counts[t], t))
    fitting = [d for d in read if d.template == template]
    share = len(fitting) / len(filled)
    if share < 0.6:
        return None
    has_time = fitting[0].has_time
    prefix = 8 if fitting[0].kind == "ofx" else None
    if "{1}" not in template:
        return DateShape((template,), has_time, share, "", _label(template), prefix)
    day_evidence = any(d.first > 12 for d in fitting)
    month_evidence = any(d.second > 12 for d in fitting)
    year_first = _year_first(fitting, template)
    day_first, month_first = template.format("", "%d", "%m"), template.format("", "%m", "%d")
    if year_first is not None:
        chosen = template.format("", "%y", "%m").replace("%m/%y", "%m/%d").replace("%m-%y", "%m-%d")
        if year_first:
            return DateShape((chosen,), has_time, share, "the first part changes least: the year", _label(chosen))
        open_to = (day_first, chosen) if day_evidence else (day_first, month_first, chosen)
        return DateShape(open_to, has_time, share, "", _label(day_first, ambiguous=True))
    if day_evidence != month_evidence:
        chosen = day_first if day_evidence else month_first
        return DateShape((chosen,), has_time, share, "a part above 12", _label(chosen))
    for evidence, order in () if day_evidence else _order_evidence(fitting):
        if order:
            chosen = day_first if order == "day" else month_first
            return DateShape((chosen,), has_time, share, evidence, _label(chosen))
    return DateShape((day_first, month_first), has_time, share, "", _label(day_first, ambiguous=True))


def _year_first(cells: Sequence[_Cell], template: str) -> bool | None:
    """Whether `24/03/05` begins with the year: True, None for no, False where the cells cannot tell.

    A year changes least of the three parts, a day most. Dotted dates end in the year.
    """
    if not re.match(r"\{1\}([-/])\{2\}\1%y", template):
        return None
    if any(c.first < 10 or c.second > 12 or not 1 <= c.third <= 31 for c in cells):
        return None
    first, third = (len({getattr(c, part) for c in cells}) for part in ("first", "third"))
    return None if third < first else first < third


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _order_evidence(cells: Sequence[_Cell]) -> Iterable[tuple[str, str | None]]:
    """What tells `day` first from `month` first, where no part is above 12: evidence in words, and the order or None."""
    days = {order: [c.readings[order] for c in cells] for order in ("day", "month")}
    sound = {order: [d for d in found if d] for order, found in days.items()}
    yield (
        "only this reading is in order of time",
        _only({o: len(set(d)) > 4 and len(d) == len(cells) and _one_way(d) for o, d in sound.items()}),
    )
    # A statement of one month, day after day. The other reading would have all bookings on one day of several months,
    # weekends included, and banks move regular bookings off weekends.
    other = {"day": "month", "month": "day"}
    yield (
        "the other reading has one day of each month only, weekends too",
        _only({o: _days_in_a_row(set(d)) and _one_day_of_months(set(sound[other[o]])) for o, d in sound.items()}),
    )


def _only(holds: dict[str, bool]) -> str | None:
    return next((o for o, v in holds.items() if v and sum(holds.values()) == 1), None)


def _one_way(days: Sequence[date]) -> bool:
    return all(a <= b for a, b in pairwise(days)) or all(a >= b for a, b in pairwise(days))


def _days_in_a_row(days: set[date]) -> bool:
    return len(days) > 2 and (max(days) - min(days)).days < 31 and not any(d.weekday() == 6 for d in days)


def _one_day_of_months(days: set[date]) -> bool:
    return len(days) > 2 and len({d.day for d in days}) == 1 and sum(d.weekday() > 4 for d in days) > 1


def _label(template: str, ambiguous: bool = False) -> str:
    """`%d.%m.%Y` -> `DD.MM.YYYY`; `NN/NN/YYYY` where day and month are open."""
    if ambiguous:
        template = template.replace("%d", "NN").replace("%m", "NN")
    for code, word in (
        *(("%Y", "YYYY"), ("%y", "YY"), ("%m", "MM"), ("%d", "DD"), ("%b", "Mon"), ("%H", "hh"), ("%I", "hh")),
        *(("%M", "mm"), ("%S", "ss"), (".%f", ""), (",%f", ""), ("%p", "AM"), ("%z", "zone")),
    ):
        template = template.replace(code, word)
    return template


def settle_dates(shapes: Sequence[DateShape | None], locale_day_first: bool) -> list[DateShape | None]:
    """Settle columns that are open by their siblings in the same file, then by the file's notation.

    A sibling that writes dates the same way and is known settles a column. Dotted dates are day-first in every country
    that writes them. `locale_day_first`: the file is delimited by semicolons *and* uses decimal commas, which no
    month-first country does.
    """
    known: dict[str, set[str]] = {}
    for shape in shapes:
        if shape and not shape.ambiguous:
            known.setdefault(_undirected(shape), set()).add(shape.formats[0][:2])
    return [_settled(s, known.get(_undirected(s), set()), locale_day_first) if s and s.ambiguous else s for s in shapes]


def _settled(shape: DateShape, known: set[str], locale_day_first: bool) -> DateShape:
    """An open shape settled, if it can be; `known` are the first parts (`%d`) of its siblings' formats."""
    day_first = shape.formats[0]
    if len(known) == 1 and (fitting := [f for f in shape.formats if f[:2] in known]):
        chosen, evidence = fitting[0], "another date column of the file"
    elif "." in day_first[:3]:
        chosen, evidence = day_first, "dotted dates are day-first"
    elif locale_day_first and not any(f.startswith("%y") for f in shape.formats):
        chosen, evidence = day_first, "semicolons and decimal commas are day-first"
    else:
        return shape
    return replace(shape, formats=(chosen,), evidence=evidence, label=_label(chosen))


def _undirected(shape: DateShape) -> str:
    """The date part of the format with its parts as the same sign: what siblings share; '' for one with month names."""
    match = re.match(r"%[dmyY](\W{1,2})%[dm]\1%[dyY]", shape.formats[0])
    return re.sub(r"%[dmy]", "N", match[0]) if match else ""


def read_date(cell: str, shape: DateShape, choice: int = 0) -> date | None:
    """A cell as a date under one reading of its column's shape; None if it is not one (month names: not read)."""
    text = clean(cell)[: shape.prefix]
    try:
        return datetime.strptime(text, shape.formats[choice]).date()
    except ValueError:
        return None
