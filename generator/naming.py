"""Names: header texts become safe SQL columns, file names become sources. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count, pairwise

from anyascii import anyascii

# German readers expect the two-letter forms; anyascii would give the bare vowel.
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})

# `duckdb_keywords()` of DuckDB 2.0, categories reserved and type_function: not usable as a bare column name everywhere.
# A test compares this set with the installed DuckDB.
RESERVED = frozenset(
    "all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast "
    "check collate collation column columns concurrently constraint create cross default deferrable desc describe "
    "distinct do else end except false fetch for foreign freeze from full generated glob group having ilike in "
    "initially inner intersect into is isnull join lambda lateral leading left like limit map natural not notnull "
    "null offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary "
    "qualify references returning right select semi show similar some struct summarize symmetric table "
    "tablesample then to trailing true try_cast tuple union unique unpack unpivot using variadic verbose when "
    "where window with".split()
)
# Names of our skeleton, and words that sqlglot, which checks the SQL, does not take as bare column names.
TAKEN = frozenset(
    "source reshaped mapped staged between values map insert drop alter grant revoke install rollback force if "
    "setof uncache xor regexp rlike partitioned_by connect_by_root current_date current_datetime current_time "
    "current_timestamp current_user current_role current_catalog session_user localtime localtimestamp".split()
)
MAX_LENGTH = 60


def ascii_words(text: str) -> list[str]:
    """The words of a text in lower-case ASCII: `Währung` -> [`waehrung`], `firstName` -> [`first`, `name`]."""
    parted = "".join(f" {b}" if b.isupper() and _ends_a_word(a) else b for a, b in pairwise(f" {text}"))
    # In lower case, so that only what anyascii capitalises is parted once more: a syllable for each Chinese character.
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", anyascii(parted.lower().translate(_UMLAUTS)))
    return re.findall(r"[a-z0-9]+", text.lower())


def _ends_a_word(char: str) -> bool:
    """Whether a capital after it begins a word; not so in `STRAßE`."""
    return char.isalnum() and not char.isupper() and char != "ß"


def column_name(position: int) -> str:
    """The name, and the header text, of a column without header; `position` counts from 0."""
    return f"column_{position + 1}"


def safe_columns(headers: Sequence[str]) -> list[str]:
    """Unique snake_case names, one for each header, none of them a reserved word or starting with an underscore."""
    names: dict[str, None] = {}
    numbers: dict[str, int] = {}
    for position, header in enumerate(headers):
        name = "_".join(ascii_words(header))[:MAX_LENGTH].strip("_") or column_name(position)
        if name[0].isdigit():
            name = f"c_{name}"
        if name in RESERVED | TAKEN:
            name = f"{name}_"
        if name in names:
            # Names are only added, so that of each the numbers below the last one stay taken.
            number = next(i for i in count(numbers.get(name, 2)) if f"{name}_{i}" not in names)
            numbers[name] = number
            name = f"{name}_{number}"
        names[name] = None
    return list(names)


def source_name(stem: str) -> str:
    """A source named after a file: words without dates and long numbers, at most 30 characters."""
    words = [w for w in ascii_words(stem) if re.fullmatch(r"[a-z]+\d{0,2}", w) and len(w) > 1]
    name = "_".join(words)[:30].strip("_")
    return name if name and not name[0].isdigit() else f"source_{name}".rstrip("_")
