"""What a check is: a small function with a name and one line that says what it wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlglot import ErrorLevel, exp

from generator.candidate import Question
from generator.violation import Part, Violation

S = TypeVar("S")
# Where something is wrong, a gold column or a part of the candidate, and what.
Found = Iterator[tuple[str | Part, str]]


@dataclass(frozen=True)
class Check(Generic[S]):
    """One rule: `name` stands in its violations, `description` is what `goldsmith checks` prints."""

    name: str
    description: str
    find: Callable[[S], Found]

    def __call__(self, subject: S) -> list[Violation]:
        """The violations in a subject."""
        return [
            Violation(self.name, message, part=place)
            if isinstance(place, Part)
            else Violation(self.name, message, place)
            for place, message in self.find(subject)
        ]


def check(find: Callable[[S], Found]) -> Check[S]:
    """Make a check of a function: its name is the rule's name, its docstring the description."""
    return Check(find.__name__, (find.__doc__ or "").strip(), find)


@dataclass(frozen=True)
class Asking(Generic[S]):
    """One rule that finds no fault but a question for a person: the layout is held until it is answered."""

    name: str
    description: str
    find: Callable[[S], Iterator[Question]]


def asking(find: Callable[[S], Iterator[Question]]) -> Asking[S]:
    """Make an asking rule of a function."""
    return Asking(find.__name__, (find.__doc__ or "").strip(), find)


@dataclass(frozen=True)
class Step:
    """What goes wrong elsewhere than in a check, and stands in violations by this name, too."""

    name: str
    description: str


def quoted(text: str, limit: int = 80) -> str:
    """Untrusted text for a message: on one line, in printable characters, at most `limit` of them, in quotes."""
    flat = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return f"`{flat if len(flat) <= limit else flat[: limit - 1] + '…'}`"


def listed(names: Iterable[str], limit: int = 120) -> str:
    """Names in a message, sorted, at most `limit` of them."""
    ordered = sorted(names)
    return ", ".join(ordered[:limit]) + (", …" if len(ordered) > limit else "")


def shown(node: exp.Expr) -> str:
    """The SQL of a node for a message, or its kind: sqlglot cannot write every tree that makes no sense."""
    try:
        return quoted(node.sql("duckdb", unsupported_level=ErrorLevel.IGNORE))
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return quoted(type(node).__name__)
