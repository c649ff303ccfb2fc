"""Values of a sample made comparable: dates as days, numbers as floats that never reach gold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

# Half a cent, and what floats lose.
CLOSE = 0.005
ALIKE = 1e-9
# Of more columns than these no sum is looked for.
SUMMANDS = 4


def number(value: Any) -> float | None:
    """A value as a float, None if it is no number."""
    return float(value) if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else None


def floats(values: Sequence[Any]) -> list[float | None]:
    """Values as floats."""
    return [number(v) for v in values]


def day(value: Any) -> date | None:
    """A date or timestamp as a day, None if it is neither."""
    return value.date() if isinstance(value, datetime) else value if isinstance(value, date) else None


def close(a: float, b: float) -> bool:
    """Whether two amounts are the same to half a cent."""
    return abs(a - b) <= CLOSE + ALIKE * abs(b)


def sums(numbers: Sequence[float | None]) -> Iterator[float]:
    """Every sum and difference of some of the numbers; one of them by itself, with either sign, is one."""
    there = [n for n in numbers if n is not None][:SUMMANDS]
    for signs in product((0, 1, -1), repeat=len(there)):
        if any(signs):
            yield sum(s * n for s, n in zip(signs, there, strict=True))
