"""What a run did: the facts that the terminal, the JSON output and the HTML report all show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from generator.budget import dollars
from generator.difference import Difference

State = Literal["gold", "held", "blocked", "refused", "known", "loaded", "failed", "waiting"]


class Progress(Protocol):
    """Where the steps say what they are at; `total` is the number of steps, where it is known."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


@dataclass(frozen=True)
class MappedColumn:
    """One gold column of a layout. `samples` are pairs (raw cells joined by ` | `, gold value as text), at most three.

    `provider` is who mapped the column, where that is another one than mapped the layout.
    """

    name: str
    data_type: str
    source_columns: tuple[str, ...]
    expression: str
    confidence: float | None
    note: str
    samples: tuple[tuple[str, str], ...] = ()
    provider: str = ""


@dataclass(frozen=True)
class FileOutcome:
    """What happened to one file.

    `state`: gold (in gold, quarantine within the threshold), failed (in gold, but over the threshold), held (waits for a
    person), blocked (no mapping), refused (could not be read at all), loaded (in raw, nothing asked beyond), known
    (same content was loaded before), waiting (still being written; the next run takes it). `named`: the command line named
    the file; others were found in a folder. `remarks`: what is doubtful about how it was read. `changes`: what is other in
    it than in the files before it, or, if its layout is new, than in the known one that it is nearly. `near`: the dbt model
    of that one, where the file has no mapping. Row counts are
    distinct source rows; `quarantined` counts the rows that wait in a held or blocked layout too, so read = gold +
    superseded + quarantined + filtered + rejected.
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
    changes: tuple[str, ...] = ()
    near: str = ""
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


# How the review of a mapping stands that was approved, and edited since.
LAPSED = "edited since approved"


@dataclass(frozen=True)
class LayoutOutcome:
    """A layout that the run used: the mapping as a person checks it. `unmapped`: original header -> why.

    `review` is pending or approved, `reviewed` says by whom, when, and which text; `standing` says it all in words.

    `llm` is who was asked for it, '' if nobody; `attempts`, `tokens` and `usd` are what that took. `drift`: the known
    layout that it was nearly, what changed, and what was taken over, '' if it was near none.
    """

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
    standing: str = ""
    reviewed: Mapping[str, str] | None = None
    edited: bool = False
    llm: str = ""
    attempts: int = 0
    tokens: int = 0
    usd: float = 0.0
    drift: str = ""

    @property
    def spent(self) -> str:
        """What the mapping took, in words; '' if no LLM was asked."""
        if not self.tokens:
            return ""
        return f"{_many(self.attempts, 'attempt')}, {self.tokens:,} tokens, {dollars(self.usd)}"


@dataclass(frozen=True)
class Spending:
    """What the calls of an LLM took, in one run or for one layout: `name` is the run's id, or the dbt model.

    `began` is when the first of them did (UTC). `usd` is US dollars, None where no price is known. `uncounted` of the
    `calls` are in it with the most that they may have taken: nobody knows more of them.
    """

    name: str
    began: str
    llms: tuple[str, ...]
    calls: int
    uncounted: int
    tokens: int
    usd: float | None

    @property
    def cost(self) -> str:
        """US dollars, or why there are none."""
        return "no price known" if self.usd is None else dollars(self.usd)


@dataclass(frozen=True)
class LLMSpending:
    """What calls of an LLM took, in this run or in all runs of a project: by run and by layout, newest first.

    Of today (UTC) it has what all runs took, and how much of it they may.
    """

    runs: tuple[Spending, ...]
    layouts: tuple[Spending, ...]
    today_tokens: int
    today_usd: float
    tokens_per_day: int | None
    usd_per_day: float | None

    @property
    def today(self) -> str:
        """Today's share of the limit, in words: of money, or of tokens where they cost nothing."""
        if self.today_usd:
            limit = "" if self.usd_per_day is None else f" of {dollars(self.usd_per_day)}"
            return f"today {dollars(self.today_usd)}{limit}"
        limit = "" if self.tokens_per_day is None else f" of {self.tokens_per_day:,}"
        return f"today {self.today_tokens:,}{limit} tokens"

    @property
    def newest(self) -> str:
        """What the newest run took, in words, with today's share of the limits."""
        run = self.runs[0]
        unsure = f", {run.uncounted} of them counted at the most that they may have taken" if run.uncounted else ""
        return f"{_many(run.calls, 'call')}{unsure}, {run.tokens:,} tokens, {run.cost} ({self.today})"

    @property
    def total(self) -> str:
        """What all runs took together, in words."""
        calls, tokens = sum(r.calls for r in self.runs), sum(r.tokens for r in self.runs)
        usd = dollars(sum(r.usd or 0.0 for r in self.runs))
        return f"{_many(calls, 'call')} in {_many(len(self.runs), 'run')}, {tokens:,} tokens, {usd} ({self.today})"


@dataclass(frozen=True)
class Preview:
    """A few rows of one table, as text. `total` is the number of rows in the table."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


@dataclass(frozen=True)
class Failure:
    """What dbt reports of one node. `about`: the dbt models that it concerns, the node itself or those that it tests;
    `contracts`: those to which they belong; `path`: the node's file, relative to the project.
    """

    text: str
    about: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    path: str = ""


@dataclass(frozen=True)
class RunOutcome:
    """Everything that one run did. `notices` are lines for the person, such as which provider was used and why.

    `spending` is None where no LLM was asked. `differences`: what candidates that wait would change.
    """

    files: tuple[FileOutcome, ...] = ()
    layouts: tuple[LayoutOutcome, ...] = ()
    gold: tuple[Preview, ...] = ()
    quarantine: tuple[Preview, ...] = ()
    notices: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    spending: LLMSpending | None = None
    differences: tuple[Difference, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The run as plain JSON types."""
        from dataclasses import asdict

        return asdict(self) | {"failures": [failure.text for failure in self.failures]}


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
