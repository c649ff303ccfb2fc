"""Checks of the words that a candidate gives: those of the cells, of the contract, or written somewhere in the file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from generator.checks.check import Found, check, listed, quoted
from generator.checks.outcome import SAMPLE_CELL, Outcome, differing
from generator.checks.subject import AROUND, used_columns
from generator.columns.mask import mask
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.contracts.contract import Column
from generator.matcher.currencies import SIGNS, codes_in_cells
from generator.matcher.expressions import literal
from generator.matcher.matching import value_key, value_map

_WORD = re.compile(r"\w+")


@check
def contract_words(outcome: Outcome) -> Found:
    """A cell that the contract knows, as an accepted value or a synonym of one, becomes that value."""
    for gold in outcome.contract.columns:
        columns = [c for c in outcome.used.get(gold.name, []) if c.name in outcome.sample.cells]
        if not gold.accepted_values or not columns or gold.name not in outcome.sample.gold:
            continue
        known = value_map(gold)
        differs: list[bool | None] = []
        for row, value in enumerate(outcome.sample.gold[gold.name]):
            keys = [value_key(outcome.sample.cells[c.name][row] or "") for c in columns]
            meant = {known[k] for k in keys if k in known}
            differs.append(value not in meant if meant and value is not None else None)
        if rows := differing(differs):
            yield (
                gold.name,
                f"{rows} give another value than the contract's synonyms: {_example(outcome, gold, columns)}",
            )


@check
def text_from_source(outcome: Outcome) -> Found:
    """A text holds only what is in its cells: parts and joins of them, in their case and with no word added."""
    for gold in outcome.contract.columns:
        tree = outcome.trees.get(gold.name)
        if tree is None or gold.base_type != "text" or gold.accepted_values:
            continue
        names = used_columns(tree) - AROUND
        if not names or not names <= set(outcome.sample.cells):
            continue
        profile = outcome.profile
        around = _around(profile)
        differs: list[bool | None] = []
        for row, text in enumerate(outcome.sample.gold.get(gold.name, ())):
            cells = [outcome.sample.cells[n][row] or "" for n in sorted(names)]
            if not isinstance(text, str) or any(len(c) >= SAMPLE_CELL for c in cells):
                differs.append(None)
                continue
            there = "\n".join([*cells, *("".join(c.split()) for c in cells), around])
            differs.append(any(w not in there for w in _WORD.findall(text)))
        if rows := differing(differs):
            yield gold.name, f"{rows} hold words that {listed(names)} does not: keep texts as they are written"


@check
def evidenced_constant(outcome: Outcome) -> Found:
    """A value that comes from no cell, and every currency, is written in the file, in its name, or as a sign."""
    profile = outcome.profile
    around = _around(profile)
    for gold in outcome.contract.columns:
        tree, currency = outcome.trees.get(gold.name), gold.unit == "iso4217"
        if tree is None or isinstance(tree, exp.Null) or (used_columns(tree) and not currency):
            continue
        cells = {c for s in outcome.used[gold.name] for c in outcome.sample.cells.get(s.name, ()) if c}
        text = "\n".join([around, *sorted(cells)])
        words = {w.lower() for w in _WORD.findall(text.replace("_", " "))}
        in_cells = codes_in_cells(profile.columns, gold) if currency else set()
        for value in sorted({str(v) for v in outcome.sample.gold.get(gold.name, ()) if v is not None} - in_cells):
            written = [value, *gold.synonyms.get(value, ()), *(s for s, code in SIGNS.items() if code == value)]
            if not any(_says(text, words, w) for w in written):
                shown = quoted(value) if literal(value) in tree.sql("duckdb") else quoted(mask(value))
                yield gold.name, f"nothing in the file says {shown}; give what a cell says, or null"
                break


def _around(profile: LayoutProfile) -> str:
    """What the file says beside its cells."""
    headers = profile.headers if profile.has_header else ()
    return "\n".join((profile.preamble, profile.footer, profile.source_file, *headers))


def _example(outcome: Outcome, gold: Column, columns: Sequence[ColumnProfile]) -> str:
    """The contract's own words that occur, with what they mean: no other cell is told."""
    known = value_map(gold)
    found = sorted({k for c in columns for v in c.values if (k := value_key(v)) in known})
    return ", ".join(f"{quoted(k)} is {known[k]}" for k in found[:10])


def _says(text: str, words: set[str], written: str) -> bool:
    """Whether a text has all the words of another one; a sign counts as it is."""
    parts = [w.lower() for w in _WORD.findall(written)]
    # Scripts without blanks part no words.
    return all(p in words for p in parts) if parts and written.isascii() else written in text
