"""The corpus of polluted files: every pollution by itself, and random combinations of them."""

from __future__ import annotations

from collections.abc import Iterator

from clean_tables import LANGUAGES, ORDERS, TABLES, Table
from header_pollutions import HEADERS
from hypothesis import strategies as st
from pollution import Draft, Pollution, polluted
from pollutions import AROUND, BYTES, SECOND_TABLES, STYLES
from row_pollutions import HEADER, QUOTES, RECORDS, everywhere, extra_quote, less, more, other_delimiter

Case = tuple[str, str, Draft]


def systematic(rows: int = 80) -> Iterator[Case]:
    """Every kind of pollution on every table, and those of one cell on every cell of one table: kind, name, file."""
    for table in TABLES:
        for pollution in (*STYLES, *BYTES, *AROUND, *HEADERS, *RECORDS, *SECOND_TABLES):
            if possible(table, pollution):
                yield case(table, pollution)
    for pollution in everywhere(rows, ORDERS.width):
        yield case(ORDERS, pollution)
    for table, codecs in LANGUAGES:
        for codec in codecs:
            draft = polluted(table)
            draft.codec = codec
            yield "encoding", codec, draft


def possible(table: Table, pollution: Pollution) -> bool:
    """Whether anything can be known: texts below texts are no other table."""
    return table.typed or not (pollution.kind.startswith("second table") and pollution.name == "same columns")


def case(table: Table, pollution: Pollution) -> Case:
    """One pollution of a table."""
    return pollution.kind, f"{table.name}: {pollution.name}", polluted(table, pollution)


# What leaves too little of a table for a second pollution to be told from it.
_ALONE = ("empty file", "header only", "one row", "two rows")


@st.composite
def combinations(draw: st.DrawFn) -> tuple[str, Draft]:
    """A file with one to three pollutions of different families, and their names."""
    table = draw(st.sampled_from(TABLES)).first(draw(st.integers(10, 30)))
    families = draw(
        st.lists(st.sampled_from("style header record around bytes".split()), min_size=1, max_size=3, unique=True)
    )
    chosen = []
    if "style" in families:
        chosen.append(draw(st.sampled_from(STYLES)))
    if "header" in families:
        chosen.append(draw(st.sampled_from([p for p in HEADERS if p.kind not in _ALONE])))
    if "record" in families:
        chosen.append(draw(_of_records(table, with_header="header" not in families)))
    if "around" in families:
        chosen.append(draw(st.sampled_from(AROUND)))
    if "bytes" in families:
        chosen.append(draw(st.sampled_from(BYTES)))
    chosen = [p for p in chosen if possible(table, p)]
    if any(p.kind == "unescaped quotes" for p in chosen):  # then nobody can say where a cell of many lines ends
        chosen = [p for p in chosen if p.kind != "line ends in cells"]
    if ("delimiter", "' '") in {(p.kind, p.name) for p in chosen} and any(p in HEADERS for p in chosen):
        # Without a good header, a line of prose that has as many words as there are columns may as well be one.
        chosen = [p for p in chosen if p not in AROUND]
    # Another table is put beside all that is there.
    chosen.sort(key=lambda p: p.kind.startswith("second table"))
    return " + ".join([table.name, *(f"{p.kind} {p.name}" for p in chosen)]), polluted(table, *chosen)


def _of_records(table: Table, with_header: bool) -> st.SearchStrategy[Pollution]:
    rows = st.integers(HEADER if with_header else 0, len(table.rows) - 1)
    columns, early = st.integers(0, table.width - 1), st.integers(0, table.width - 2)
    return st.one_of(
        st.sampled_from((*RECORDS, *SECOND_TABLES)),
        st.builds(less, rows, early),
        st.builds(more, rows, columns),
        st.builds(extra_quote, rows, columns, st.sampled_from(QUOTES)),
        st.builds(other_delimiter, rows, st.sampled_from(";\t|:")),
    )
