"""The approved mapping of the layout that is most like another one: what an LLM is shown as an example. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby, islice

from generator.columns.profile import LayoutProfile
from generator.columns.similarity import best
from generator.contracts.contract import Contract
from generator.matcher.request import Example
from generator.naming import ascii_words

ALIKE = 0.9
# Of a long list of values so many lines are enough to show how it is written.
ARMS = 6
_TEXT = re.compile(r"'(?:[^']|'')*'")
_TEXT_OR_REMARK = re.compile(rf"(?P<text>{_TEXT.pattern})|--[^\n]*|/\*.*?\*/", re.DOTALL)
# Quotes that are no text's, and templates.
_ODD = re.compile(r"[\"'`${}]")
_MAPPED = re.compile(r"\bmapped as \(\s*select\s+(?P<select>.*?)\n\)", re.DOTALL)
# What the skeleton of every staging dbt model passes on, and columns that have no source.
_SKELETON = re.compile(r"\s*(?:_file_id|_source_file|_source_row|\w+ as _raw|cast\(null as .*\) as \w+|from \w+),?\s*")


def nearest_example(
    approved: Sequence[tuple[Mapping[str, str], str]], contract: Contract, profile: LayoutProfile
) -> Example | None:
    """Of the approved layouts of a contract the one whose headers are most like this one's; None where there is none.

    `approved`: (header texts by safe name, the text of the staging dbt model) of each.
    """
    examples = [Example(headers, sql) for headers, text in approved if (sql := mapped_columns(text))]
    headers = tuple(dict.fromkeys(profile.headers))
    neutral = frozenset(word for text in contract.neutral_words for word in ascii_words(text))
    return min(examples, key=lambda e: (-_likeness(headers, tuple(e.headers.values()), neutral), e.sql), default=None)


def _likeness(headers: Sequence[str], others: Sequence[str], neutral: frozenset[str]) -> float:
    """The share of headers that both layouts have, 0 to 1."""
    shared = sum(best(header, others, neutral) >= ALIKE for header in headers)
    return shared / max(1, len(headers) + len(others) - shared)


def mapped_columns(model: str) -> str:
    """The expressions and the filter of a staging dbt model, line by line, without its skeleton and comments.

    '' for what people have edited beyond that: of templates and of a quoting that is not understood nothing is passed on.
    """
    plain = _TEXT_OR_REMARK.sub(lambda found: found["text"] or "", model)
    mapped = _MAPPED.search(plain)
    if mapped is None or _ODD.search(_TEXT.sub("", mapped["select"])):
        return ""
    lines = (line.strip() for line in mapped["select"].splitlines() if line.strip() and not _SKELETON.fullmatch(line))
    groups = groupby(lines, key=lambda line: line.startswith("when "))
    return "\n".join(line for arms, group in groups for line in islice(group, ARMS if arms else None))
