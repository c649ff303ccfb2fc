"""Candidates for invented tables, judged as Goldsmith does it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from invented import ROOT

from generator.candidate import Candidate, ColumnMapping
from generator.columns.profile import LayoutProfile
from generator.contracts.contract import Contract
from generator.database.sql_functions import create_functions_sql
from generator.mapping.judging import Judgement, judge
from generator.mapping.sandbox import Sandbox

FUNCTIONS = frozenset(
    "clean_text has_value parse_decimal parse_integer parse_date parse_timestamp parse_boolean net_amount".split()
)


@cache
def functions_sql() -> str:
    """The SQL that creates the project's functions."""
    return create_functions_sql(ROOT / "macros")


def answered(profile: LayoutProfile, contract: Contract, columns: Mapping[str, str | None], **fields: Any) -> Candidate:
    """A candidate with these expressions, that declares what it uses and explains the rest."""
    names = [c.name for c in profile.columns]
    known = [*names, *re.findall(r"\bas (\w+)", fields.get("reshape") or "")]
    made = {
        gold: ColumnMapping(
            expression=columns.get(gold),
            source_columns=tuple(n for n in known if re.search(rf"\b{n}\b", columns.get(gold) or "")),
            confidence=0.9,
        )
        for gold in contract.names
    }
    return Candidate(columns=made, **{"unmapped": dict.fromkeys(names, "not needed"), **fields})


def judged(profile: LayoutProfile, contract: Contract, columns: Mapping[str, str | None], **fields: Any) -> Judgement:
    """What is wrong with such a candidate on the profile's rows, and what is open."""
    return judged_candidate(answered(profile, contract, columns, **fields), profile, contract)


def judged_candidate(candidate: Candidate, profile: LayoutProfile, contract: Contract) -> Judgement:
    """The judgement of a candidate on the profile's rows."""
    rows = list(zip(*(c.values for c in profile.columns), strict=True))
    with Sandbox.of_rows(functions_sql(), [c.name for c in profile.columns], rows) as sandbox:
        return judge(candidate, profile, contract, sandbox, FUNCTIONS)


def rules(judgement: Judgement) -> list[tuple[str, str]]:
    """The rules that are broken, each with the gold column or the part of the candidate."""
    return [(v.rule, v.column or v.part.value) for v in judgement.violations]
