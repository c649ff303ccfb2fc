"""Signed amounts: which columns hold them, by their names or by arithmetic, and the expression that signs them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from generator.candidate import ColumnMapping, Question
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.contracts.contract import Column, Contract, Sign
from generator.matcher.balance import added, moves_by, numbers_of, proof
from generator.matcher.directions import (
    Amount,
    amount_from,
    asked,
    flag_of,
    flagged_amount,
    has_signs,
    named_pair,
    paired_amount,
    single_amount,
)
from generator.matcher.expressions import decimal, separator_of
from generator.matcher.matching import Match, match_columns


def signed_amount(profile: LayoutProfile, contract: Contract, gold: Column, matches: dict[str, Match]) -> Amount | None:
    """The mapping of a column with `meta.sign`, or None if the file has nothing for it."""
    sign = gold.sign
    if sign is None:
        return None
    balance = matches.get(sign.balance or "")
    others = {m.column.name: m.confidence for name, m in matches.items() if name != gold.name}
    taken = set(others)
    single = matches.get(gold.name)
    pair = named_pair(profile, sign, others) if profile.has_header else None
    if single and not (pair and not has_signs(single.column)):
        if flag := flag_of(profile, sign, taken | {single.column.name}):
            return flagged_amount(profile, gold, sign, single, flag)
        return single_amount(profile, gold, sign, single, balance.column if balance else None)
    if pair:
        for name in [n for n, m in matches.items() if m.column in pair[:2]]:
            del matches[name]
        return paired_amount(profile, gold, *pair, balance.column if balance else None)
    return None if profile.has_header else _by_arithmetic(profile, gold, sign, taken)


def amount_of(profile: LayoutProfile, contract: Contract, gold: Column, names: Sequence[str]) -> Amount | None:
    """The signed amount that these source columns are, whoever chose them; None where they are no amount or pair.

    The running balance decides, then what the file says: flags, the names of a pair, written signs.
    """
    columns = [c for c in profile.columns if c.name in names and (c.number or not c.filled)]
    amounts = [c for c in columns if c.number]
    if gold.sign is None or not 1 <= len(amounts) <= 2:
        return None
    others = [c for c in profile.columns if c.number and c.number.decimals and c not in columns]
    proven = [
        p for b in others for p in _proven_by(profile, b, amounts) if len(p[1].mapping.source_columns) == len(amounts)
    ]
    if proven:
        return max(proven, key=lambda p: p[0])[1]
    matches = match_columns(profile, contract) if profile.has_header else {}
    balance = matches.get(gold.sign.balance or "")
    total = balance.column if balance and balance.column not in columns else None
    if len(columns) == 2:
        if pair := named_pair(replace(profile, columns=tuple(columns)), gold.sign, {}):
            return paired_amount(profile, gold, *pair, total)
        if len(amounts) == 2:
            return _unnamed_pair(profile, gold, *amounts) if _exclusive(profile, *amounts) else None
    if flag := flag_of(profile, gold.sign, {amounts[0].name}):
        return flagged_amount(profile, gold, gold.sign, Match(amounts[0], 0.9), flag)
    return single_amount(profile, gold, gold.sign, Match(amounts[0], 0.9), total)


# ---- no header: arithmetic tells ------------------------------------------------------------------------------------


def _by_arithmetic(profile: LayoutProfile, gold: Column, sign: Sign, taken: set[str]) -> Amount | None:
    """The amount of a file without header: what the running balance proves, else what the signs leave no doubt of."""
    money = [
        c for c in profile.columns if c.number and c.number.decimals and c.number.share > 0.8 and c.name not in taken
    ]
    money = money or [c for c in profile.columns if c.number and c.name not in taken and c.number.decimals]
    whole = [c for c in profile.columns if c.number and not c.number.decimals and c.name not in taken]
    balances = [c for c in reversed(money) if c.filled > 0.9 * c.rows]
    proven = [p for b in balances for p in _proven_by(profile, b, [c for c in [*money, *whole] if c is not b])]
    if proven:
        return max(proven, key=lambda p: p[0])[1]
    pairs = [(a, b) for a in money for b in money if a.position < b.position and _exclusive(profile, a, b)]
    if len(pairs) == 1:
        return _unnamed_pair(profile, gold, *pairs[0])
    full = [c for c in money if c.filled > 0.9 * c.rows] or money
    steps = {c.name: b for b in balances for c in full if c is not b and moves_by(profile, c, b)}
    unsigned = [c for c in full if c.name in steps and not has_signs(c)]
    signed = [c for c in full if has_signs(c) and c.name not in {b.name for b in steps.values()}]
    if len(signed) == 1 and len(full) <= 2:
        chosen, others = signed[0], [c for c in full if c is not signed[0]]
        if others and others[0].position < chosen.position:
            # The balance stands last: a sign there says nothing about the amounts.
            return asked(gold, chosen, decimal(chosen, profile), "it could be the balance, too")
    elif len(full) == 1 or unsigned:
        chosen, others = (unsigned or full)[0], []
    else:
        return None
    if flag := flag_of(profile, sign, taken):
        return flagged_amount(profile, gold, sign, Match(chosen, 0.8 if has_signs(chosen) else 0.75), flag)
    amount = single_amount(profile, gold, sign, Match(chosen, 0.65 if others else 0.8), None)
    balance = steps.get(chosen.name) or (others[0] if others else None)
    return Amount(amount.mapping, amount.question, balance)


def _proven_by(
    profile: LayoutProfile, balance: ColumnProfile, others: Sequence[ColumnProfile]
) -> list[tuple[float, Amount]]:
    """Every amount, or pair, whose running sum the column could be, with the share of steps that fit."""
    total = numbers_of(balance, profile)
    found = []
    for column in others:
        direction, share = proof(numbers_of(column, profile), total)
        # Of amounts without a sign, those that fit say nothing about those that do not.
        if column.filled > 0.9 * column.rows and direction and has_signs(column):
            expression = decimal(column, profile)
            mapped = amount_from(
                expression if direction > 0 else f"-{expression}", [column], 0.9, "proven by the running balance"
            )
            found.append((share, Amount(mapped.mapping, None, balance)))
    for first, second in [(a, b) for a in others for b in others if a.position < b.position]:
        if not _exclusive(profile, first, second):
            continue
        one, two = numbers_of(first, profile), numbers_of(second, profile)
        if has_signs(first) or has_signs(second):
            direction, share = proof([added(a, b) for a, b in zip(one, two, strict=True)], total)
            if direction > 0:
                found.append((share, Amount(_own_signs(profile, first, second).mapping, None, balance)))
            continue
        direction, share = proof(
            [added(b, -a if a is not None else None) for a, b in zip(one, two, strict=True)], total
        )
        if direction:
            outflow, inflow = (first, second) if direction > 0 else (second, first)
            expression = f"net_amount({inflow.name}, {outflow.name}, '{separator_of(inflow, profile)}')"
            mapped = amount_from(expression, [inflow, outflow], 0.9, "direction proven by the running balance")
            found.append((share, Amount(mapped.mapping, None, balance)))
    return found


def _unnamed_pair(profile: LayoutProfile, gold: Column, a: ColumnProfile, b: ColumnProfile) -> Amount:
    if has_signs(a) != has_signs(b):
        return _own_signs(profile, a, b)
    expression = f"net_amount({b.name}, {a.name}, '{separator_of(a, profile)}')"
    text = f"which of `{a.header}` and `{b.header}` is money in, and which money out?"
    readings = (f"{a.header} is money out", f"{b.header} is money out")
    mapping = ColumnMapping(
        expression=expression, source_columns=(b.name, a.name), confidence=0.5, note="the file has no header"
    )
    return Amount(mapping, Question(column=gold.name, text=text, readings=readings))


def _own_signs(profile: LayoutProfile, a: ColumnProfile, b: ColumnProfile) -> Amount:
    parts = [f"nullif({decimal(c, profile)}, 0)" for c in (a, b)]
    amount = amount_from(f"coalesce({', '.join(parts)})", [a, b], 0.8, "two columns, each with its own sign")
    return replace(amount, proven=False)


def _exclusive(profile: LayoutProfile, a: ColumnProfile, b: ColumnProfile) -> bool:
    """Whether each row has an amount in exactly one of the two columns, and both are used."""
    pairs = list(zip(numbers_of(a, profile), numbers_of(b, profile), strict=True))
    one = sum(bool(x) != bool(y) for x, y in pairs)
    used = any(x for x, _ in pairs) and any(y for _, y in pairs)
    return used and len(pairs) > 2 and one >= 0.9 * len(pairs)
