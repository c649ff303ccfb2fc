"""What a running balance proves of the amounts beside it. Pure arithmetic, on floats that never reach gold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from generator.columns.dates import read_date
from generator.columns.numbers import read_number
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.matcher.expressions import separator_of

Numbers = Sequence[float | None]
# A long file's sample is contiguous at its beginning only.
CONTIGUOUS = 2000
# Share of the steps of a running balance that must fit: banks leave out rows, and files join accounts.
FITTING = 0.8
CENT = 0.005


def numbers_of(column: ColumnProfile, profile: LayoutProfile) -> list[float | None]:
    """The column's cells as numbers, in file order; None where there is none."""
    separator = separator_of(column, profile)
    return [read_number(v, separator) if v else None for v in column.values]


def added(a: float | None, b: float | None) -> float | None:
    """The sum, an empty cell counting as nothing; None if both are empty."""
    return None if a is None and b is None else (a or 0.0) + (b or 0.0)


def proven_sign(profile: LayoutProfile, amounts: Numbers, balance: ColumnProfile | None) -> int:
    """1 if the balance runs with the amounts (in either order of time), -1 if against them, 0 if it proves nothing.

    Where both columns are named, one step that fits to the cent is enough. Equal amounts fit both ways: then the order
    of the dates decides which way time runs.
    """
    if balance is None:
        return 0
    return proof(amounts, numbers_of(balance, profile), least=1, order=order_of_time(profile))[0]


def proof(amounts: Numbers, balances: Numbers, least: int = 2, order: int = 0) -> tuple[int, float]:
    """The sign that the balance proves, and the share of steps from row to row that fit it.

    At least `least` steps, most of which must fit, and clearly fewer the other way round. `order` is 1 where the oldest
    row is first, -1 where it is last, 0 where that is not known; it only breaks ties.
    """
    pairs = list(zip(amounts, balances, strict=True))[:CONTIGUOUS]
    rows = [(a, b) for a, b in pairs if a is not None and b is not None]
    steps = [(p, q) for p, q in pairwise(rows) if p[0] or q[0]]
    if len(steps) < least:
        return 0, 0.0
    fits: dict[tuple[int, int], float] = {}
    for sign in (1, -1):
        forward = sum(abs(q[1] - p[1] - sign * q[0]) < CENT for p, q in steps)
        backward = sum(abs(p[1] - q[1] - sign * p[0]) < CENT for p, q in steps)
        fits[sign, 1], fits[sign, -1] = forward / len(steps), backward / len(steps)
    for orders in [(1, -1), *([(order,)] if order else [])]:
        share = {sign: max(fits[sign, o] for o in orders) for sign in (1, -1)}
        for sign in (1, -1):
            if share[sign] >= FITTING and share[sign] - share[-sign] > 0.15:
                return sign, share[sign]
    return 0, 0.0


def order_of_time(profile: LayoutProfile) -> int:
    """1 if the first date column runs from old to new, -1 if from new to old, 0 if neither."""
    column = next((c for c in profile.columns if c.date and not c.date.ambiguous), None)
    if column is None or column.date is None:
        return 0
    days = [d for v in column.values[:CONTIGUOUS] if (d := read_date(v, column.date))]
    return (days[-1] > days[0]) - (days[-1] < days[0]) if days else 0


def moves_by(profile: LayoutProfile, column: ColumnProfile, balance: ColumnProfile) -> bool:
    """Whether the balance moves by the column's amounts, whichever way: then they are amount and balance."""
    return runs_on(numbers_of(column, profile), numbers_of(balance, profile))


def runs_on(amounts: Numbers, totals: Numbers) -> bool:
    """Whether the totals move by the amounts, whichever way."""
    pairs = list(zip(amounts, totals, strict=True))[:CONTIGUOUS]
    rows = [(abs(a), b) for a, b in pairs if a is not None and b is not None]
    moves = [(abs(q[1] - p[1]), p[0], q[0]) for p, q in pairwise(rows)]
    fits = [sum(abs(move - (before, after)[i]) < CENT for move, before, after in moves) for i in (0, 1)]
    return len(moves) > 1 and max(fits) >= FITTING * len(moves)
