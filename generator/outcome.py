"""What a run did: the facts that the terminal, the JSON output and the HTML report all show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

State = Literal["gold", "held", "blocked", "refused", "known", "loaded", "failed", "waiting"]


class Progress(Protocol):
    """Where the steps say what they are at; `total` is the number of steps, where it is known."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


@dataclass(frozen=True)
class MappedColumn:
    """One gold column of a layout. `samples` are pairs (raw cells joined by ` | `, gold value as text), at most three."""

    name: str
    data_type: str
    source_columns: tuple[str, ...]
    expression: str
    confidence: float | None
    note: str
    samples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class FileOutcome:
    """What happened to one file.

    `state`: gold (in gold, quarantine within the threshold), failed (in gold, but over the threshold), held (waits for a
    person), blocked (no mapping), refused (could not be read at all), loaded (in raw, nothing asked beyond), known
    (same content was loaded before), waiting (still being written; the next run takes it). `named`: the command line named
    the file; others were found in a folder. `remarks`: what is doubtful about how it was read. Row counts are distinct
    source rows; `quarantined` counts the rows that wait in a held or blocked layout too, so read = gold + superseded +
    quarantined + filtered + rejected.
    """

    source_file: str
    state: State
    message: str = ""
    file_id: str | None = None
    contract: str | None = None
    source: str | None = None
    layout: str | None = None
    mapping: Literal["cached", "generated", ""] = ""
    provider: str = ""
    review: str = ""
    encoding: str = ""
    delimiter: str = ""
    rows_read: int = 0
    rows_gold: int = 0
    rows_superseded: int = 0
    rows_quarantined: int = 0
    rows_filtered: int = 0
    rows_rejected: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    questions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    named: bool = False
    bytes: int = 0
    sha256: str = ""

    @property
    def fine(self) -> bool:
        """Whether nobody has to do anything about the file: what the exit code says."""
        return self.state in ("gold", "known", "loaded") or (self.state == "waiting" and not self.named)

    @property
    def balanced(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.rows_read == (
            self.rows_gold + self.rows_superseded + self.rows_quarantined + self.rows_filtered + self.rows_rejected
        )


@dataclass(frozen=True)
class LayoutOutcome:
    """A layout that the run used: the mapping as a person checks it. `unmapped`: original header -> why."""

    layout: str
    dbt_model: str
    source: str
    contract: str
    state: str
    review: str
    provider: str
    path: str
    columns: tuple[MappedColumn, ...]
    unmapped: tuple[tuple[str, str], ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """A few rows of one table, as text. `total` is the number of rows in the table."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


@dataclass(frozen=True)
class RunOutcome:
    """Everything that one run did. `notices` are lines for the person, such as which provider was used and why."""

    files: tuple[FileOutcome, ...] = ()
    layouts: tuple[LayoutOutcome, ...] = ()
    gold: tuple[Preview, ...] = ()
    quarantine: tuple[Preview, ...] = ()
    notices: tuple[str, ...] = ()
    failures: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The run as plain JSON types."""
        from dataclasses import asdict

        return asdict(self)
