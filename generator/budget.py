"""What calls of an LLM may cost: limits, prices, and whether the next call fits. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Spent:
    """Tokens, in and out together, and US dollars."""

    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.tokens + other.tokens, self.usd + other.usd)

    def __str__(self) -> str:
        return f"{self.tokens:,} tokens, {dollars(self.usd)}"


@dataclass(frozen=True)
class Limits:
    """The most that may be spent on one file, in one run, and on one day (UTC); None is no limit."""

    tokens_per_file: int | None = 150_000
    tokens_per_run: int | None = 2_000_000
    tokens_per_day: int | None = 10_000_000
    usd_per_file: float | None = 1
    usd_per_run: float | None = 20
    usd_per_day: float | None = 50

    @property
    def money(self) -> bool:
        """Whether any of them is in US dollars, so that prices have to be known."""
        return any(getattr(self, f.name) is not None for f in fields(self) if f.name.startswith("usd"))


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return (self.input * tokens_in + self.output * tokens_out) / 1_000_000


def over_limit(limits: Limits, spent: Mapping[str, Spent], more: Spent) -> str | None:
    """Which limit `more` would break, in words; None if it fits. `spent`: what `file`, `run` and `day` have used."""
    for scope, used in spent.items():
        tokens, usd = getattr(limits, f"tokens_per_{scope}"), getattr(limits, f"usd_per_{scope}")
        if tokens is not None and used.tokens + more.tokens > tokens:
            return _broken(f"tokens_per_{scope}", f"{tokens:,}", f"{used.tokens:,}", f"{more.tokens:,}")
        if usd is not None and used.usd + more.usd > usd:
            return _broken(f"usd_per_{scope}", dollars(usd), dollars(used.usd), dollars(more.usd))
    return None


def _broken(name: str, limit: str, used: str, more: str) -> str:
    return (
        f"not asked: {name} is {limit}, {used} used, and one more call may take {more}; raise llm_limits: {name} in "
        "dbt_project.yml"
    )


def estimate(text: str) -> int:
    """Tokens of a text, rather too many than too few: a third of its bytes."""
    return math.ceil(len(text.encode("utf-8", "replace")) / 3)


def dollars(usd: float) -> str:
    """An amount with at least cents, and as many digits as a small one needs: `$20.00`, `$0.041`, `$0.00012`."""
    digits = 2 if usd == 0 or usd >= 0.1 else min(8, 1 - math.floor(math.log10(usd)))
    return f"${usd:,.{digits}f}"
