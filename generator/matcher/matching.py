"""Which source column feeds which gold column: names, shapes and values scored, then assigned one to one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.columns.similarity import best
from generator.contracts.contract import Column, Contract
from generator.matcher.request import Ranked
from generator.naming import ascii_words

# Below this a nullable column stays NULL rather than being guessed.
ACCEPT = 0.6
WEAK = 0.78
CERTAIN = 0.97
# What an LLM is told for each gold column: so many source columns at most, of at least this score.
RANKED = 3
WORTH_A_LOOK = 0.3


@dataclass(frozen=True)
class Match:
    """One assigned pair. `confidence` is 0 to 1."""

    column: ColumnProfile
    confidence: float


def match_columns(profile: LayoutProfile, contract: Contract) -> dict[str, Match]:
    """The best one-to-one assignment of source columns to gold columns; gold columns without a match are not in it."""
    scores = {
        gold.name: {c.name: s for c in profile.columns if (s := score(c, gold, contract)) >= ACCEPT}
        for gold in contract.columns
    }
    assigned = _assign(scores, [c.name for c in profile.columns], contract)
    _complete_parts(profile, contract, assigned, scores)
    return {
        gold: Match(profile.column(name), min(CERTAIN, round(scores[gold][name], 2))) for gold, name in assigned.items()
    }


def ranked(profile: LayoutProfile, contract: Contract) -> dict[str, tuple[Ranked, ...]]:
    """For each gold column the source columns that fit it best, best first; none for one that nothing fits."""
    found = {}
    for gold in contract.columns:
        scores = [(round(score(c, gold, contract), 2), -c.position, c.name) for c in profile.columns]
        fitting = sorted((s for s in scores if s[0] >= WORTH_A_LOOK), reverse=True)[:RANKED]
        found[gold.name] = tuple(Ranked(name, value) for value, _, name in fitting)
    return found


def _complete_parts(
    profile: LayoutProfile, contract: Contract, assigned: dict[str, str], scores: dict[str, dict[str, float]]
) -> None:
    """`Name` beside `Vorname` is the last name: a weakly named whole is the one part of it that is missing."""
    for gold in contract.columns:
        missing = [p for p in gold.compose if p not in assigned]
        name = assigned.get(gold.name)
        if name and len(missing) == 1 and len(gold.compose) > 1:
            header = profile.column(name).header
            if best(header, gold.weak_aliases) > best(header, gold.aliases):
                scores[missing[0]][name] = scores[gold.name][name]
                assigned[missing[0]] = assigned.pop(gold.name)


def score(column: ColumnProfile, gold: Column, contract: Contract) -> float:
    """How well a source column fits a gold column, from 0 to 1."""
    name = name_score(column.header, gold, contract)
    return name * type_fit(column, gold) if name else 0.0


def name_score(header: str, gold: Column, contract: Contract) -> float:
    """How well a header names a gold column: its aliases, weaker ones for less, and nothing if it names a decoy better."""
    neutral = _words(contract.neutral_words)
    strong = best(header, [*gold.aliases, gold.name.replace("_", " ")], neutral)
    weak = WEAK * best(header, gold.weak_aliases, neutral)
    against = best(header, gold.decoys, neutral)
    found = max(strong, weak)
    return 0.0 if against >= max(strong, weak / WEAK) and against > 0.5 else found


@cache
def _words(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for text in texts for word in ascii_words(text))


def type_fit(column: ColumnProfile, gold: Column) -> float:
    """How well what is in a column fits a gold column's type: 1, or less; 0 if it cannot be that."""
    if not column.filled:
        # An empty column may carry a fitting name; one with values that does, too, is the better choice.
        return 0.0 if gold.not_null else 0.85
    fit = _value_fit(column, gold)
    if gold.not_null and column.filled < 0.9 * column.rows:
        # What must be there hardly comes from a column that often is empty.
        return 0.65 * fit
    return 0.8 * fit if gold.unique and column.distinct < column.filled else fit


def _value_fit(column: ColumnProfile, gold: Column) -> float:
    base = gold.base_type
    if base in ("date", "timestamp"):
        return 0.9 + 0.1 * column.date.share if column.date else 0.0
    if base in ("decimal", "double"):
        return 0.9 + 0.1 * column.number.share if column.number else 0.0
    if base == "integer":
        return 1.0 if column.number and _whole(column) else 0.0
    if gold.accepted_values:
        return 1.0 if known_share(column, gold) >= 0.9 else 0.7
    if "email" in gold.name:
        addresses = sum("@" in v for v in column.values if v) / column.filled
        return 1.0 if addresses > 0.5 else 0.9
    if gold.repeats and column.filled > 1 and column.distinct > 0.5 * column.filled:
        # The account of a statement is the same on its rows; one that changes is the other party's.
        return 0.5
    if base == "text" and all(v.lower() in ("true", "false") for v in column.values if v):
        return 0.5
    if gold.by_shape and column.filled > 2 and column.distinct <= max(1, 0.1 * column.filled):
        # A text that is the same on most rows describes the file or a kind of row, not the row.
        return 0.7
    if base == "text" and column.date and not gold.time_aliases:
        return 0.6
    return 1.0


def _whole(column: ColumnProfile) -> bool:
    number = column.number
    return number is not None and (number.integers or all(float_is_whole(v) for v in column.values if v))


def float_is_whole(cell: str) -> bool:
    """Whether a cell is an integer, possibly written with one or two zeros after a decimal sign."""
    head, _, tail = cell.replace(",", ".").partition(".")
    return head.lstrip("+-").isdigit() and set(tail) <= {"0"} and len(tail) < 3


def value_key(text: str) -> str:
    """A value as accepted values and synonyms are compared: lower case, `_`, `-` and blanks alike."""
    return " ".join(text.lower().replace("_", " ").replace("-", " ").split())


def value_map(gold: Column) -> dict[str, str]:
    """How each accepted value may be written -> the accepted value."""
    known = {value_key(v): v for v in gold.accepted_values}
    for value, written in gold.synonyms.items():
        known.update({value_key(w): value for w in written})
    return known


def known_share(column: ColumnProfile, gold: Column) -> float:
    """Share of the filled cells that are accepted values or synonyms of one."""
    known = value_map(gold)
    filled = [v for v in column.values if v]
    return sum(value_key(v) in known for v in filled) / len(filled) if filled else 0.0


def _assign(scores: Mapping[str, Mapping[str, float]], order: Sequence[str], contract: Contract) -> dict[str, str]:
    """The assignment with the largest sum of scores (Hungarian method; equal ones by the order of the columns)."""
    golds = [g for g in scores if scores[g]]
    columns = [c for c in order if any(c in scores[g] for g in golds)]
    if not golds:
        return {}
    # A column of its own for each gold column stands for "none": worth less than any match that is good enough.
    wide = [*columns, *(f"none:{g}" for g in golds)]
    # A required column has the first choice.
    weight = {c.name: 3.0 if c.not_null else 1.0 for c in contract.columns}
    cost = [
        [-weight[g] * scores[g].get(c, 0.0 if c.startswith("none:") else -9.0) + 1e-6 * i for i, c in enumerate(wide)]
        for g in golds
    ]
    return {golds[row]: wide[at] for row, at in _hungarian(cost).items() if not wide[at].startswith("none:")}


def _hungarian(cost: Sequence[Sequence[float]]) -> dict[int, int]:
    """Row -> column of the cheapest assignment; there are at least as many columns as rows. O(rows² · columns)."""
    rows, columns = len(cost), len(cost[0])
    by_row, by_column = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner = [0] * (columns + 1)
    for row in range(1, rows + 1):
        owner[0], at = row, 0
        slack, previous, used = [float("inf")] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
        while owner[at]:
            used[at], current, delta, following = True, owner[at], float("inf"), 0
            for j in range(1, columns + 1):
                if used[j]:
                    continue
                reduced = cost[current - 1][j - 1] - by_row[current] - by_column[j]
                if reduced < slack[j]:
                    slack[j], previous[j] = reduced, at
                if slack[j] < delta:
                    delta, following = slack[j], j
            for j in range(columns + 1):
                if used[j]:
                    by_row[owner[j]] += delta
                    by_column[j] -= delta
                else:
                    slack[j] -= delta
            at = following
        while at:
            owner[at], at = owner[previous[at]], previous[at]
    return {owner[j] - 1: j - 1 for j in range(1, columns + 1) if owner[j]}
