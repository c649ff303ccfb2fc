"""Checks of the sign of money: outflow is negative, and the file has to say which is which."""

from __future__ import annotations

from collections.abc import Iterator

from generator.candidate import Question
from generator.checks.check import Found, asking, check
from generator.checks.outcome import Outcome, differing
from generator.checks.values import floats
from generator.columns.cells import clean
from generator.contracts.contract import Column, Sign
from generator.matcher.balance import order_of_time, proof
from generator.matcher.directions import flag_of
from generator.matcher.matching import match_columns

READINGS = ("money in: the amount as written", "money out: the amount negated")


@check
def amount_signs(outcome: Outcome) -> Found:
    """Money in is positive and money out negative, as a flag, a pair of columns or a running balance proves."""
    for gold in _signed(outcome):
        own = outcome.own.get(gold.name)
        if own is None or gold.name not in outcome.sample.amounts:
            if _proven(outcome, gold) < 0:
                yield gold.name, "the running balance, or a flag, says the opposite of every sign: negate it"
        elif own.question is None and own.proven and (rows := _turned(outcome, gold)):
            yield gold.name, f"{rows} have another sign than the file tells: {own.mapping.note}"


@asking
def unproven_sign(outcome: Outcome) -> Iterator[Question]:
    """Nothing in the file proves which amounts are money in and which money out."""
    for gold in _signed(outcome):
        own = outcome.own.get(gold.name)
        if own is None or gold.name not in outcome.sample.amounts:
            why = "" if _proven(outcome, gold) else "nothing in the file proves it"
        elif own.question is not None:
            why = ""
            yield own.question
        else:
            turned = not own.proven and _turned(outcome, gold)
            why = f"{turned} have another sign than is written" if turned else ""
        if why:
            headers = " and ".join(f"`{c.header}`" for c in outcome.used.get(gold.name, [])) or "the file"
            text = f"is a number without a minus in {headers} money in or money out? ({why})"
            yield Question(column=gold.name, text=text, readings=READINGS)


def _turned(outcome: Outcome, gold: Column) -> str | None:
    """The rows whose sign is not that of our own amount of the same columns."""
    given, own = (floats(v) for v in (outcome.sample.gold[gold.name], outcome.sample.amounts[gold.name]))
    pairs = zip(given, own, outcome.sample.kept, strict=True)
    return differing([None if a is None or b is None or not kept else _sign(a) != _sign(b) for a, b, kept in pairs])


def _signed(outcome: Outcome) -> list[Column]:
    """The gold columns with a sign that are mapped."""
    return [c for c in outcome.contract.columns if c.sign and c.name in outcome.sample.gold]


def _sign(amount: float) -> int:
    return (amount > 0) - (amount < 0)


def _proven(outcome: Outcome, gold: Column) -> int:
    """What a named balance, or else a flag, proves of the amounts: 1 for their sign, -1 against it, 0 nothing."""
    profile, amounts = outcome.profile, floats(outcome.sample.gold[gold.name])
    sign = gold.sign or Sign()
    matches = match_columns(profile, outcome.contract) if profile.has_header else {}
    balance = matches.get(sign.balance or "")
    if balance and balance.column.name in outcome.sample.cells and balance.column not in outcome.used[gold.name]:
        proven = proof(amounts, outcome.numbers(balance.column), least=1, order=order_of_time(profile))[0]
        if proven:
            return proven
    flag = flag_of(profile, sign, set())
    if flag is None or flag.column.name not in outcome.sample.cells or not (flag.outflow and flag.inflow):
        return 0
    said = {**{clean(v): -1 for v in flag.outflow}, **{clean(v): 1 for v in flag.inflow}}
    cells = zip(amounts, outcome.sample.cells[flag.column.name], strict=True)
    votes = [_sign(a) * said[clean(c)] for a, c in cells if a and c and clean(c) in said]
    return votes[0] if votes and len(set(votes)) == 1 else 0
