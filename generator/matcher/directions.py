"""How one column, a column with a flag, or a pair of columns tells money in from money out. Pure.

The sign is never assumed. It is written (a minus on some amounts), told by a flag or by a pair of columns, or proven by
the running balance; where none of these is there, the amount comes with a question and the layout is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from generator.candidate import ColumnMapping, Question
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.columns.similarity import best
from generator.contracts.contract import Column, Sign
from generator.matcher.balance import numbers_of, proven_sign
from generator.matcher.expressions import decimal, literal, separator_of
from generator.matcher.matching import ACCEPT, Match, value_key
from generator.naming import ascii_words


@dataclass(frozen=True)
class Amount:
    """The mapping of a signed column, with the question that stays open, if one does.

    `proven`: a flag, a pair or a balance tells the direction; otherwise the written signs are likely what they seem.
    """

    mapping: ColumnMapping
    question: Question | None = None
    balance: ColumnProfile | None = None
    proven: bool = True


def amount_from(expression: str, columns: Sequence[ColumnProfile], confidence: float, note: str) -> Amount:
    """An amount without a question."""
    return Amount(
        ColumnMapping(
            expression=expression,
            source_columns=tuple(c.name for c in columns),
            confidence=round(confidence, 2),
            note=note,
        )
    )


# ---- one column -----------------------------------------------------------------------------------------------------


def single_amount(
    profile: LayoutProfile, gold: Column, sign: Sign, match: Match, balance: ColumnProfile | None
) -> Amount:
    """The amount of one column: by what the balance proves, by its written signs, or with a question."""
    column, expression = match.column, decimal(match.column, profile)
    number = column.number
    if has_signs(column):
        proven = proven_sign(profile, numbers_of(column, profile), balance)
        if proven:
            note = "the running balance proves the sign" + ("" if proven > 0 else ": it is turned")
            return amount_from(
                expression if proven > 0 else f"-{expression}", [column], max(match.confidence, 0.9), note
            )
        if not _mostly_positive(column):
            return _likely(expression, column, match.confidence, "signed as written")
        if any(best(h, sign.account_headers) >= 0.9 for h in profile.headers):
            note = "signed as written, on a statement of an account"
            return _likely(expression, column, min(match.confidence, 0.8), note)
        if _words_agree(profile, sign, column):
            return _likely(expression, column, min(match.confidence, 0.8), "signed as written, as the texts say")
        return asked(gold, column, expression, "most amounts have no minus, as where purchases are shown without one")
    if number and 0 < number.plus < column.filled:
        written_in = f"{column.name} like '%+%' or lower(clean_text({column.name})) like '%cr'"
        plus = f"case when {written_in} then {expression} else -{expression} end"
        note = "a plus marks money in, all other amounts are money out"
        return _likely(plus, column, min(match.confidence, 0.75), note)
    return asked(gold, column, expression, "no amount has a sign, and no column tells money in from money out")


def _likely(expression: str, column: ColumnProfile, confidence: float, note: str) -> Amount:
    return replace(amount_from(expression, [column], confidence, note), proven=False)


def asked(gold: Column, column: ColumnProfile, expression: str, why: str) -> Amount:
    """An amount with the question which direction a number without a minus is."""
    question = Question(
        column=gold.name,
        text=f"is a number without a minus in `{column.header}` money in or money out? ({why})",
        readings=("money in: the amount as written", "money out: the amount negated"),
    )
    return Amount(
        ColumnMapping(expression=expression, source_columns=(column.name,), confidence=0.5, note=why), question
    )


def has_signs(column: ColumnProfile) -> bool:
    """Whether some number of a column has a minus."""
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


def flag_of(profile: LayoutProfile, sign: Sign, taken: set[str]) -> _Flag | None:
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


def flagged_amount(profile: LayoutProfile, gold: Column, sign: Sign, match: Match, flag: _Flag) -> Amount:
    """The amount of a column whose direction a flag tells."""
    column, expression = match.column, decimal(match.column, profile)
    if has_signs(column):
        return _flag_beside_signs(profile, gold, sign, match, flag)
    out_all, in_all = _both_directions(flag, sign)
    arms = "".join(
        f" when lower(clean_text({flag.column.name})) in ({', '.join(map(literal, values))}) then {minus}{expression}"
        for values, minus in ((out_all, "-"), (in_all, ""))
    )
    note = f"direction by `{flag.column.header}`"
    return amount_from(f"case{arms} end", [column, flag.column], min(match.confidence, 0.92), note)


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
        return amount_from(expression, [column], match.confidence, note)
    if not agree and against > 1 and flag.outflow and flag.inflow:
        note = f"turned: `{flag.column.header}` says the opposite of the written sign on every row"
        return amount_from(f"-{expression}", [column], min(match.confidence, 0.8), note)
    return asked(gold, column, expression, f"`{flag.column.header}` and the written signs contradict each other")


# ---- a pair of columns ----------------------------------------------------------------------------------------------


def named_pair(
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


def paired_amount(
    profile: LayoutProfile,
    gold: Column,
    outflow: ColumnProfile,
    inflow: ColumnProfile,
    confidence: float,
    balance: ColumnProfile | None,
) -> Amount:
    """The amount of a column for money out and one for money in."""
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
        return amount_from(f"coalesce({', '.join(parts)})", columns, confidence, f"{note}, with its own minus")
    expression = f"net_amount({inflow.name}, {outflow.name}, '{separator}')"
    numbers = [None if o is None and i is None else (i or 0) - (o or 0) for o, i in zip(outs, ins, strict=True)]
    proven = proven_sign(profile, numbers, balance)
    if proven < 0:
        return asked(gold, outflow, expression, "the running balance contradicts the names of the columns")
    return amount_from(expression, columns, max(confidence, 0.95) if proven else confidence, note)
