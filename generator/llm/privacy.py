"""What of a file may leave the machine in a prompt, by mode. Pure; what is not let through here goes out masked.

Threat model: whoever runs the LLM must learn the form of the data and nothing that is in them. `shapes`: cells are
masked but for texts that the contract itself names, and small closed lists that feed a column with accepted values.
`values`: cells are real but in columns that may hold personal data. `headers`: nothing that depends on cells but the
formats. Headers go out in every mode, and so do the words that headers and contract have in common with other texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from generator.columns.mask import mask
from generator.columns.numbers import number_parts
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.columns.similarity import best
from generator.contracts.contract import Column, Contract
from generator.matcher.matching import value_key, value_map
from generator.matcher.request import Privacy, Ranked

# A source column of this score for a column with accepted values shows its values, if they are few and short.
CLEAR_SCORE = 0.5
CLEAR_VALUES = 20
CLEAR_LENGTH = 40
# So few different values may be labels of what stands beside them.
LABELS = 8
# A header that names a column of the contract without doubt.
NAMED = 0.95
# Addresses, account and card numbers, telephone numbers: more of them than this share make a column personal.
_PERSONAL = re.compile(r"[^\s@]+@[^\s@]+|[A-Z]{2}\d{2}[A-Z0-9 ]{10,}|\+?[\d ()/-]{9,}")
MANY_ALIKE = 0.2
_WORD = re.compile(r"[^\W\d_]+")
_DIRECTION = re.compile(r"\b(?:CR|DR)$", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d{3,}\b")
# A strptime format or a separator: directives, signs, and the letters that dates are written with.
_FORMAT = re.compile(r"(?:%-?[A-Za-z]|%(?!-?[A-Za-z])|[^\w%]|_|T|Z|de|[年月日])*")
# Letters that are no escape of a pattern; single ones belong to classes such as [a-z].
_RUN = re.compile(r"(?<![\\%])[^\W\d_]{2,}|\d{2,}")


@dataclass(frozen=True)
class Disclosure:
    """What may be told of one layout. `ranking`: gold column -> the source columns that may feed it, best first."""

    contract: Contract
    profile: LayoutProfile
    ranking: Mapping[str, tuple[Ranked, ...]] = field(default_factory=dict)
    mode: Privacy = "shapes"

    @cached_property
    def values(self) -> frozenset[str]:
        """The cell texts that the contract names, as keys: accepted values, words for a direction, states of a row."""
        found: set[str] = set(self.contract.leave_out_values)
        for column in self.contract.columns:
            found.update(column.accepted_values, *column.synonyms.values())
            if column.sign:
                found.update(column.sign.outflow_values, column.sign.inflow_values)
        return frozenset(map(value_key, found))

    @cached_property
    def labels(self) -> frozenset[str]:
        """The names that the contract has for its columns, as keys."""
        return frozenset(value_key(name) for column in self.contract.columns for name in _names(column))

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the contract and of the headers, casefolded."""
        texts: set[str] = {*self.values, *self.contract.leave_out_headers, *self.profile.headers}
        for column in self.contract.columns:
            texts.update(_names(column), column.weak_aliases, column.decoys, column.time_aliases)
            if column.sign:
                texts.update(column.sign.outflow, column.sign.inflow, column.sign.flag)
        return frozenset(word.casefold() for text in texts for word in _WORD.findall(text))

    def line(self, text: str) -> str:
        """A line around the table, or the file's name: words of contract and headers stay, all else is masked."""
        return mask(text, self.words)

    def cell(self, text: str, column: ColumnProfile) -> str:
        """A cell as it may be shown."""
        if self.is_named(text, column) or self.is_open(column):
            return text
        if self.mode == "values" and not self.is_personal(column):
            return text
        direction = _DIRECTION.search(text) if column.number and number_parts(text) else None
        return mask(text) if direction is None else mask(text[: direction.start()]) + direction[0]

    def is_named(self, text: str, column: ColumnProfile) -> bool:
        """Whether a cell is, as a whole, a text of the contract; of few different ones, such as `Mobile`, also a name.

        A number is none (`1` may be a state and an amount) but where states are wanted.
        """
        if column.number and column.name not in self._feeding:
            return False
        key = value_key(text)
        return key in self.values or (column.distinct <= LABELS and key in self.labels)

    def currency(self, column: ColumnProfile) -> str | None:
        """The currency that a column's numbers are written with: a sign, or a code that the contract knows."""
        sign = column.number.currency if column.number else None
        return sign if sign and (value_key(sign) in self.values or mask(sign) == sign) else None

    def is_open(self, column: ColumnProfile) -> bool:
        """Whether a column is a closed list that feeds a gold column with accepted values, and nothing personal."""
        return column.name in self._open

    def is_personal(self, column: ColumnProfile) -> bool:
        """Whether a column may hold personal data: it ranks for a column that does, or its header or cells are like it."""
        return column.name in self._personal

    @cached_property
    def _feeding(self) -> frozenset[str]:
        """The source columns that rank first for a gold column with accepted values."""
        golds = (gold.name for gold in self.contract.columns if gold.accepted_values)
        firsts = (ranked for gold in golds for ranked in self.ranking.get(gold, ())[:1])
        return frozenset(ranked.column for ranked in firsts if ranked.score >= CLEAR_SCORE)

    @cached_property
    def _open(self) -> frozenset[str]:
        closed = {c.name for c in self.profile.columns if _is_closed_list(c)}
        return (self._feeding & closed) - self._personal

    @cached_property
    def _personal(self) -> frozenset[str]:
        ranked = {r.column for gold in self.contract.columns if gold.pii for r in self.ranking.get(gold.name, ())}
        return frozenset(ranked | {c.name for c in self.profile.columns if self._is_like(c)})

    @cached_property
    def _personal_words(self) -> frozenset[frozenset[str]]:
        """The words of each name of a personal column, and of its decoys: those are as personal as the column itself."""
        personal = [gold for gold in self.contract.columns if gold.pii]
        names = (name for gold in personal for name in (*_names(gold), *gold.weak_aliases, *gold.decoys))
        return frozenset(frozenset(_words(name)) for name in names if _words(name))

    def _is_like(self, column: ColumnProfile) -> bool:
        """Whether a column's header or cells are like those of a personal gold column."""
        if any(best(column.header, _names(gold)) >= NAMED for gold in self.contract.columns if not gold.pii):
            return False
        words = set(_words(column.header))
        if any(name <= words for name in self._personal_words):
            return True
        alike = sum(bool(_PERSONAL.fullmatch(value)) for value in column.values)
        return bool(self._personal_words) and not column.date and alike > MANY_ALIKE * column.filled

    def meanings(self, gold: str, sources: Iterable[str]) -> dict[str, str]:
        """The accepted value that the contract gives to each text of these columns that it names."""
        known = value_map(self.contract.column(gold)) if self.mode != "headers" else {}
        columns = (c for c in self.profile.columns if c.name in sources)
        return {v: known[value_key(v)] for c in columns for v, _ in c.frequent if value_key(v) in known}

    def sql(self, text: str) -> str:
        """SQL with its literals masked, but for formats, signs, and words of contract and headers."""
        return _LITERAL.sub(lambda literal: self._literal(literal[0]), text)

    def tells_cells(self, sql: str) -> bool:
        """Whether SQL has a literal that is no format and no sign: it may tell what is in a cell."""
        return any(not _FORMAT.fullmatch(literal[1:-1]) for literal in _LITERAL.findall(sql))

    def _literal(self, literal: str) -> str:
        if literal[0] != "'":
            return mask(literal)
        text = literal[1:-1]
        if _FORMAT.fullmatch(text) or value_key(text) in self.values:
            return literal
        return "'" + _RUN.sub(lambda run: run[0] if run[0].casefold() in self.words else mask(run[0]), text) + "'"


def _is_closed_list(column: ColumnProfile) -> bool:
    few = 0 < column.distinct <= CLEAR_VALUES and all(len(v) <= CLEAR_LENGTH for v in column.values)
    return few and not column.date and not column.number


def _names(gold: Column) -> tuple[str, ...]:
    return (gold.name.replace("_", " "), *gold.aliases)


def _words(text: str) -> Iterable[str]:
    return [word.casefold() for word in _WORD.findall(text)]
