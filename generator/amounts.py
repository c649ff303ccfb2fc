"""Signed amounts: how a file tells money in from money out, and the expression that makes outflow negative. Pure.

The sign is never assumed. It is written (a minus on some amounts), told by a flag or by a pair of columns, or proven by
the running balance; where none of these is there, the amount comes with a question and the layout is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from generator.balance import added, moves_by, numbers_of, proof, proven_sign
from generator.candidate import ColumnMapping, Question
from generator.contracts import Column, Contract, Sign
from generator.expressions import decimal, literal, separator_of
from generator.matching import ACCEPT, Match, match_columns, value_key
from generator.naming import ascii_words
from generator.profile import ColumnProfile, LayoutProfile
from generator.similarity import best


@dataclass(frozen=True)
class Amount:
    """The mapping of a signed column, with the question that stays open, if one does."""

    mapping: ColumnMapping
    question: Question | None = None
    balance: ColumnProfile | None = None


def signed_amount(profile: LayoutProfile, contract: Contract, gold: Column, matches: dict[str, Match]) -> Amount | None:
    """The mapping of a column with `meta.sign`, or None if the file has nothing for it."""
    sign = gold.sign
    if sign is None:
        return None
    balance = matches.get(sign.balance or "")
    others = {m.column.name: m.confidence for name, m in matches.items() if name != gold.name}
    taken = set(others)
    single = matches.get(gold.name)
    pair = _named_pair(profile, sign, others) if profile.has_header else None
    if single and not (pair and not _has_signs(single.column)):
        if flag := _flag(profile, sign, taken | {single.column.name}):
            return _flagged(profile, gold, sign, single, flag)
        return _single(profile, gold, sign, single, balance.column if balance else None)
    if pair:
        for name in [n for n, m in matches.items() if m.column in pair[:2]]:
            del matches[name]
        return _paired(profile, gold, *pair, balance.column if balance else None)
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
        if pair := _named_pair(replace(profile, columns=tuple(columns)), gold.sign, {}):
            return _paired(profile, gold, *pair, total)
        if len(amounts) == 2:
            return _unnamed_pair(profile, gold, *amounts) if _exclusive(profile, *amounts) else None
    if flag := _flag(profile, gold.sign, {amounts[0].name}):
        return _flagged(profile, gold, gold.sign, Match(amounts[0], 0.9), flag)
    return _single(profile, gold, gold.sign, Match(amounts[0], 0.9), total)


# ---- one column -----------------------------------------------------------------------------------------------------


def _single(profile: LayoutProfile, gold: Column, sign: Sign, match: Match, balance: ColumnProfile | None) -> Amount:
    column, expression = match.column, decimal(match.column, profile)
    number = column.number
    if _has_signs(column):
        proven = proven_sign(profile, numbers_of(column, profile), balance)
        if proven:
            note = "the running balance proves the sign" + ("" if proven > 0 else ": it is turned")
            return _amount(expression if proven > 0 else f"-{expression}", [column], max(match.confidence, 0.9), note)
        if not _mostly_positive(column):
            return _amount(expression, [column], match.confidence, "signed as written")
        if any(best(h, sign.account_headers) >= 0.9 for h in profile.headers):
            note = "signed as written, on a statement of an account"
            return _amount(expression, [column], min(match.confidence, 0.8), note)
        if _words_agree(profile, sign, column):
            return _amount(expression, [column], min(match.confidence, 0.8), "signed as written, as the texts say")
        return _asked(gold, column, expression, "most amounts have no minus, as where purchases are shown without one")
    if number and 0 < number.plus < column.filled:
        written_in = f"{column.name} like '%+%' or lower(clean_text({column.name})) like '%cr'"
        plus = f"case when {written_in} then {expression} else -{expression} end"
        note = "a plus marks money in, all other amounts are money out"
        return _amount(plus, [column], min(match.confidence, 0.75), note)
    return _asked(gold, column, expression, "no amount has a sign, and no column tells money in from money out")


def _asked(gold: Column, column: ColumnProfile, expression: str, why: str) -> Amount:
    question = Question(
        column=gold.name,
        text=f"is a number without a minus in `{column.header}` money in or money out? ({why})",
        readings=("money in: the amount as written", "money out: the amount negated"),
    )
    return Amount(
        ColumnMapping(expression=expression, source_columns=(column.name,), confidence=0.5, note=why), question
    )


def _has_signs(column: ColumnProfile) -> bool:
    return bool(column.number and column.number.negative)


def _mostly_positive(column: ColumnProfile) -> bool:
    """At most half of the amounts are negative: on most accounts more bookings go out than come in."""
    number = column.number
    return bool(number and number.negative <= 0.5 * (column.filled - number.zero))


def _words_agree(profile: LayoutProfile, sign: Sign, column: ColumnProfile) -> bool:
    """Whether the texts of the rows say what the written signs say: `Dividend` beside a plus, `Fee` beside a minus."""
    out_words, in_words = ({w for t in ts for w in ascii_words(t)} for ts in (sign.outflow_words, sign.inflow_words))
    texts = [c for c in profile.columns if c.shape == "text" and c is not column]
    agree = against = 0
    for row, number in enumerate(numbers_of(column, profile)):
        words = {w for c in texts for w in ascii_words(c.values[row])}
        votes = bool(words & in_words) - bool(words & out_words)
        if number and votes:
            agree, against = agree + ((number > 0) == (votes > 0)), against + ((number > 0) != (votes > 0))
    return agree >= 3 and agree >= 0.8 * (agree + against)


# ---- amount and flag ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Flag:
    column: ColumnProfile
    outflow: tuple[str, ...]
    inflow: tuple[str, ...]
    share: float


def _flag(profile: LayoutProfile, sign: Sign, taken: set[str]) -> _Flag | None:
    """The column that tells the direction: by its values, the best named first; both directions or a telling name."""
    out_keys, in_keys = ({value_key(v) for v in vs} for vs in (sign.outflow_values, sign.inflow_values))
    found: list[tuple[float, int, _Flag]] = []
    for column in profile.columns:
        if not column.filled or column.number or column.date or column.distinct > 12:
            continue
        counts = dict(column.frequent)
        outflow = tuple(sorted(v for v in counts if value_key(v) in out_keys))
        inflow = tuple(sorted(v for v in counts if value_key(v) in in_keys))
        share = sum(counts[v] for v in (*outflow, *inflow)) / column.filled
        named = best(column.header, sign.flag)
        both = bool(outflow and inflow)
        if share >= 0.5 and (both or (named > ACCEPT and share >= 0.9) or (share == 1 and not profile.has_header)):
            found.append((share + named + both, -column.position, _Flag(column, outflow, inflow, share)))
    return max(found, key=lambda f: f[:2])[2] if found else None


def _flagged(profile: LayoutProfile, gold: Column, sign: Sign, match: Match, flag: _Flag) -> Amount:
    column, expression = match.column, decimal(match.column, profile)
    if _has_signs(column):
        return _flag_beside_signs(profile, gold, sign, match, flag)
    out_all, in_all = _both_directions(flag, sign)
    arms = "".join(
        f" when lower(clean_text({flag.column.name})) in ({', '.join(map(literal, values))}) then {minus}{expression}"
        for values, minus in ((out_all, "-"), (in_all, ""))
    )
    note = f"direction by `{flag.column.header}`"
    return _amount(f"case{arms} end", [column, flag.column], min(match.confidence, 0.92), note)


def _both_directions(flag: _Flag, sign: Sign) -> tuple[list[str], list[str]]:
    """The flag's words for out and in: those that occur, and those of the contract that would be written alike."""
    latin = all(v.isascii() for v in (*flag.outflow, *flag.inflow))
    length = 2 if max(len(v) for v in (*flag.outflow, *flag.inflow)) <= 2 else 99
    known = [
        sorted(
            {v.lower() for v in seen}
            | {w.lower() for w in words if w.isascii() == latin and len(w) <= length and not seen}
        )
        for seen, words in ((flag.outflow, sign.outflow_values), (flag.inflow, sign.inflow_values))
    ]
    return known[0], known[1]


def _flag_beside_signs(profile: LayoutProfile, gold: Column, sign: Sign, match: Match, flag: _Flag) -> Amount:
    """Amounts are signed, and a flag tells the direction, too: they agree, or one of them is turned."""
    column, expression = match.column, decimal(match.column, profile)
    out_keys, in_keys = set(flag.outflow), set(flag.inflow)
    agree = against = 0
    for value, number in zip(flag.column.values, numbers_of(column, profile), strict=True):
        if number and (value in out_keys or value in in_keys):
            same = (number < 0) == (value in out_keys)
            agree, against = agree + same, against + (not same)
    if agree >= 0.67 * (agree + against):
        note = f"signed as written; `{flag.column.header}` agrees"
        return _amount(expression, [column], match.confidence, note)
    if not agree and against > 1 and flag.outflow and flag.inflow:
        note = f"turned: `{flag.column.header}` says the opposite of the written sign on every row"
        return _amount(f"-{expression}", [column], min(match.confidence, 0.8), note)
    return _asked(gold, column, expression, f"`{flag.column.header}` and the written signs contradict each other")


# ---- a pair of columns ----------------------------------------------------------------------------------------------


def _named_pair(
    profile: LayoutProfile, sign: Sign, taken: dict[str, float]
) -> tuple[ColumnProfile, ColumnProfile, float] | None:
    """(outflow, inflow, confidence) by their names; both hold numbers or nothing, and differ.

    `taken`: columns that were matched to something else -> how well; a better name takes them back.
    """
    free = [
        c
        for c in profile.columns
        if (c.number or not c.filled)
        and max(best(c.header, sign.outflow), best(c.header, sign.inflow)) > taken.get(c.name, 0.0)
    ]
    outs = [(best(c.header, sign.outflow), -c.position, c) for c in free]
    ins = [(best(c.header, sign.inflow), -c.position, c) for c in free]
    pairs = [
        (out[0] + into[0], out[1] + into[1], out[2], into[2], min(out[0], into[0]))
        for out in outs
        for into in ins
        if out[2] is not into[2]
        and out[0] >= ACCEPT
        and into[0] >= ACCEPT
        and best(out[2].header, sign.inflow) < out[0]
        and best(into[2].header, sign.outflow) < into[0]
        and (out[2].filled or into[2].filled)
    ]
    if not pairs:
        return None
    _, _, outflow, inflow, confidence = max(pairs, key=lambda p: p[:2])
    return outflow, inflow, min(confidence, 0.95)


def _paired(
    profile: LayoutProfile,
    gold: Column,
    outflow: ColumnProfile,
    inflow: ColumnProfile,
    confidence: float,
    balance: ColumnProfile | None,
) -> Amount:
    outs, ins = numbers_of(outflow, profile), numbers_of(inflow, profile)
    separator = next((separator_of(c, profile) for c in (outflow, inflow) if c.filled), ".")
    both = sum(bool(o) and bool(i) for o, i in zip(outs, ins, strict=True))
    signs = {x > 0 for x in outs if x}
    columns = [inflow, outflow]
    note = f"`{inflow.header}` is money in, `{outflow.header}` money out"
    if both or any(x and x < 0 for x in ins) or len(signs) > 1:
        expression = f"net_amount({inflow.name}, {outflow.name}, '{separator}')"
        why = "some rows fill both, or have a sign where none is expected"
        question = Question(column=gold.name, text=f"how are {note} to be combined? ({why})")
        return Amount(
            ColumnMapping(
                expression=expression, source_columns=tuple(c.name for c in columns), confidence=0.5, note=why
            ),
            question,
        )
    if signs == {False}:
        parts = [f"nullif(parse_decimal({c.name}, '{separator}'), 0)" for c in columns]
        return _amount(f"coalesce({', '.join(parts)})", columns, confidence, f"{note}, with its own minus")
    expression = f"net_amount({inflow.name}, {outflow.name}, '{separator}')"
    numbers = [None if o is None and i is None else (i or 0) - (o or 0) for o, i in zip(outs, ins, strict=True)]
    proven = proven_sign(profile, numbers, balance)
    if proven < 0:
        return _asked(gold, outflow, expression, "the running balance contradicts the names of the columns")
    return _amount(expression, columns, max(confidence, 0.95) if proven else confidence, note)


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
    unsigned = [c for c in full if c.name in steps and not _has_signs(c)]
    signed = [c for c in full if _has_signs(c) and c.name not in {b.name for b in steps.values()}]
    if len(signed) == 1 and len(full) <= 2:
        chosen, others = signed[0], [c for c in full if c is not signed[0]]
        if others and others[0].position < chosen.position:
            # The balance stands last: a sign there says nothing about the amounts.
            return _asked(gold, chosen, decimal(chosen, profile), "it could be the balance, too")
    elif len(full) == 1 or unsigned:
        chosen, others = (unsigned or full)[0], []
    else:
        return None
    if flag := _flag(profile, sign, taken):
        return _flagged(profile, gold, sign, Match(chosen, 0.8 if _has_signs(chosen) else 0.75), flag)
    amount = _single(profile, gold, sign, Match(chosen, 0.65 if others else 0.8), None)
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
        if column.filled > 0.9 * column.rows and direction and _has_signs(column):
            expression = decimal(column, profile)
            mapped = _amount(
                expression if direction > 0 else f"-{expression}", [column], 0.9, "proven by the running balance"
            )
            found.append((share, Amount(mapped.mapping, None, balance)))
    for first, second in [(a, b) for a in others for b in others if a.position < b.position]:
        if not _exclusive(profile, first, second):
            continue
        one, two = numbers_of(first, profile), numbers_of(second, profile)
        if _has_signs(first) or _has_signs(second):
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
            mapped = _amount(expression, [inflow, outflow], 0.9, "direction proven by the running balance")
            found.append((share, Amount(mapped.mapping, None, balance)))
    return found


def _exclusive(profile: LayoutProfile, a: ColumnProfile, b: ColumnProfile) -> bool:
    """Whether each row has an amount in exactly one of the two columns, and both are used."""
    pairs = list(zip(numbers_of(a, profile), numbers_of(b, profile), strict=True))
    one = sum(bool(x) != bool(y) for x, y in pairs)
    used = any(x for x, _ in pairs) and any(y for _, y in pairs)
    return used and len(pairs) > 2 and one >= 0.9 * len(pairs)


def _unnamed_pair(profile: LayoutProfile, gold: Column, a: ColumnProfile, b: ColumnProfile) -> Amount:
    if _has_signs(a) != _has_signs(b):
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
    return _amount(f"coalesce({', '.join(parts)})", [a, b], 0.8, "two columns, each with its own sign")


def _amount(expression: str, columns: Sequence[ColumnProfile], confidence: float, note: str) -> Amount:
    return Amount(
        ColumnMapping(
            expression=expression,
            source_columns=tuple(c.name for c in columns),
            confidence=round(confidence, 2),
            note=note,
        )
    )
