"""Checks of the sign of money: outflow is negative, and the file has to say which is which."""

from __future__ import annotations

from collections.abc import Iterator

from generator.balance import order_of_time, proof
from generator.candidate import Question
from generator.checks.check import Found, asking, check
from generator.checks.outcome import Outcome, differing
from generator.checks.values import floats
from generator.contracts import Column
from generator.matching import match_columns

READINGS = ("money in: the amount as written", "money out: the amount negated")


@check
def amount_signs(outcome: Outcome) -> Found:
    """Money in is positive and money out negative, as flags, a pair of columns, a balance or written signs tell."""
    for gold in _signed(outcome):
        own = outcome.own.get(gold.name)
        ours = outcome.sample.amounts.get(gold.name)
        if own is not None and own.question is None and ours is not None:
            pairs = zip(floats(outcome.sample.gold[gold.name]), floats(ours), outcome.sample.kept, strict=True)
            differs = [None if a is None or b is None or not kept else _sign(a) != _sign(b) for a, b, kept in pairs]
            if rows := differing(differs):
                yield gold.name, f"{rows} have another sign than the file tells: {own.mapping.note}"
        elif _proven(outcome, gold) < 0:
            yield gold.name, "the running balance falls where this rises: negate it"


@asking
def unproven_sign(outcome: Outcome) -> Iterator[Question]:
    """Nothing in the file proves which amounts are money in and which money out."""
    for gold in _signed(outcome):
        own = outcome.own.get(gold.name)
        if own is not None and own.question is not None:
            yield own.question
        elif gold.name not in outcome.sample.amounts and _proven(outcome, gold) == 0:
            headers = " and ".join(f"`{c.header}`" for c in outcome.used.get(gold.name, [])) or "the file"
            text = f"is a number without a minus in {headers} money in or money out? (nothing in the file proves it)"
            yield Question(column=gold.name, text=text, readings=READINGS)


def _signed(outcome: Outcome) -> list[Column]:
    """The gold columns with a sign that are mapped."""
    return [c for c in outcome.contract.columns if c.sign and c.name in outcome.sample.gold]


def _sign(amount: float) -> int:
    return (amount > 0) - (amount < 0)


def _proven(outcome: Outcome, gold: Column) -> int:
    """What a column named as the balance proves of the amounts: 1 for their sign, -1 against it, 0 nothing."""
    matches = match_columns(outcome.profile, outcome.contract) if outcome.profile.has_header else {}
    match = matches.get((gold.sign.balance if gold.sign else None) or "")
    if match is None or match.column.name not in outcome.sample.cells:
        return 0
    if match.column in outcome.used.get(gold.name, []):
        return 0
    amounts = floats(outcome.sample.gold[gold.name])
    return proof(amounts, outcome.numbers(match.column), least=1, order=order_of_time(outcome.profile))[0]
