"""One line of the log of calls, and what many of them say together. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from generator.budget import Limits, Spent
from generator.outcome import LLMSpending, Spending


class Broken(BaseModel):
    """A rule that an answer broke, and for which gold column."""

    rule: str
    column: str | None = None


class Entry(BaseModel):
    """One line. `time` is when the call began (UTC), `tokens` and `usd` count in full what is charged for it.

    `usd` is missing where no price is known. `counted`: whether the endpoint said what it used. `error`: its kind.
    """

    model_config = ConfigDict(frozen=True)

    event: Literal["asked", "answered", "judged"]
    time: str
    run: str
    layout: str
    attempt: int
    call: str = ""
    prompt_version: str = ""
    prompt_sha256: str = ""
    provider: str = ""
    host: str = ""
    llm: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens: int | None = None
    usd: float | None = None
    counted: bool | None = None
    seconds: float | None = None
    tries: int | None = None
    finish: str | None = None
    error: str | None = None
    violations: tuple[Broken, ...] | None = None


def last_of_each(lines: Iterable[bytes]) -> dict[str, Entry]:
    """Call -> its last entry. What is no entry is passed over: a reservation comes before its call, so no call is lost."""
    found = {}
    for line in lines:
        try:
            entry = Entry.model_validate_json(line)
        except ValidationError:
            continue
        if entry.call:
            found[entry.call] = entry
    return found


def spent(entries: Iterable[Entry]) -> Spent:
    """What calls are charged with."""
    return sum((Spent(e.tokens or 0, e.usd or 0.0) for e in entries), Spent())


def spending(calls: Sequence[Entry], today: Iterable[Entry], limits: Limits) -> LLMSpending:
    """What calls took, by run and by layout, beside what all calls of the day did."""
    of_day = spent(today)
    return LLMSpending(
        runs=_by(lambda e: e.run, calls),
        layouts=_by(lambda e: e.layout, calls),
        today_tokens=of_day.tokens,
        today_usd=of_day.usd,
        tokens_per_day=limits.tokens_per_day,
        usd_per_day=limits.usd_per_day,
    )


def _by(name: Callable[[Entry], str], calls: Iterable[Entry]) -> tuple[Spending, ...]:
    groups: dict[str, list[Entry]] = {}
    for call in calls:
        groups.setdefault(name(call), []).append(call)
    return tuple(_took(group, entries) for group, entries in reversed(groups.items()))


def _took(name: str, entries: Sequence[Entry]) -> Spending:
    charged = spent(entries)
    return Spending(
        name=name,
        began=entries[0].time,
        llms=tuple(dict.fromkeys(e.llm for e in entries)),
        calls=len(entries),
        uncounted=sum(not e.counted for e in entries),
        tokens=charged.tokens,
        usd=None if any(e.usd is None for e in entries) else charged.usd,
    )
