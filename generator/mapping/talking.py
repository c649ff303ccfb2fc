"""A talk with a provider about one layout: ask, judge, ask again for what failed. What passed is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from generator.candidate import Candidate, ColumnMapping, Provenance
from generator.checks import guarded
from generator.contracts.contract import Contract
from generator.mapping.judging import Judgement
from generator.mapping.starting import Start
from generator.matcher.request import Request
from generator.providers import Answer, BadAnswer, Provider, ProviderError
from generator.providers.offline import OfflineProvider
from generator.violation import Part, Violation


@dataclass(frozen=True)
class Passed:
    """A candidate without what failed: those gold columns have no expression, and count as the offline matcher's."""

    candidate: Candidate
    failed: frozenset[str]
    filter_failed: bool = False

    def better_than(self, other: Passed | None, required: Iterable[str]) -> bool:
        """Whether more has passed; of two alike, the later one was made knowing the earlier one."""
        return other is None or self._rank(required) >= other._rank(required)

    def _rank(self, required: Iterable[str]) -> tuple[int, int]:
        return -len(self.failed & set(required)), -len(self.failed) - self.filter_failed


@dataclass
class Talk:
    """What was asked and answered about one layout: what it cost, and the best that passed.

    `violations` are those of the last answer, `failure` says why there was none, where the provider could not answer.
    """

    provider: str
    attempts: int = 0
    tokens: int = 0
    cost: float = 0.0
    llm: str | None = None
    prompt_version: str | None = None
    best: Passed | None = None
    violations: tuple[Violation, ...] = ()
    failure: str = ""
    notices: list[str] = field(default_factory=list)

    def paid(self, by: Answer | ProviderError) -> None:
        """Count an attempt, and what the answer, or the lack of one, has cost; what was not even asked is none."""
        self.attempts += not (isinstance(by, ProviderError) and by.tries == 0)
        self.tokens += by.tokens
        self.cost += by.cost

    @classmethod
    def of(cls, start: Start | None) -> Talk:
        """What there is to say where nobody needs to be asked: all is taken over."""
        by = start.provenance if start else Provenance()
        best = Passed(start.candidate, frozenset()) if start else None
        return cls(by.provider, llm=by.llm, prompt_version=by.prompt_version, best=best)

    def provenance(self, candidate: Candidate, mended: frozenset[str], kept: Mapping[str, str]) -> Provenance:
        """Who made a candidate: the provider, but for the columns that the matcher mended; the matcher, if all are its.

        `kept`: what was taken over, and who made that.
        """
        made = {name for name, mapping in candidate.columns.items() if mapping.expression} - set(kept)
        offline = bool(made) and made <= mended
        provider = OfflineProvider.name if offline else self.provider
        others = {**kept, **dict.fromkeys(made & mended, OfflineProvider.name)}
        return Provenance(
            provider=provider,
            llm=None if offline else self.llm,
            prompt_version=None if offline else self.prompt_version,
            attempts=self.attempts,
            tokens=self.tokens,
            cost=round(self.cost, 6),
            others={n: others[n] for n in candidate.columns if others.get(n, provider) != provider},
        )


def talk_about(
    request: Request, provider: Provider, judge: Callable[[Candidate], Judgement], max_attempts: int
) -> Talk:
    """Ask, judge, and ask again for what failed, until nothing does or the attempts are used up."""
    talk = Talk(provider.name)
    while talk.attempts < max_attempts:
        request = replace(request, attempt=talk.attempts + 1)
        try:
            answer = provider.propose(request)
        except BadAnswer as error:
            talk.paid(error)
            talk.notices.append(f"{provider.name}: {error}")
            talk.violations = (Violation("answer", str(error)),)
            provider.judged(request, talk.violations)
            request = replace(request, violations=talk.violations)
            continue
        except ProviderError as error:
            talk.paid(error)
            talk.failure = str(error)
            talk.notices.append(f"{provider.name}: {error}")
            break
        talk.paid(answer)
        talk.llm, talk.prompt_version = answer.llm, answer.prompt_version
        talk.notices.extend(answer.notices)
        candidate = _noted(guarded(answer.candidate), request.contract)
        talk.violations = judge(candidate).violations
        provider.judged(request, talk.violations)
        passed = _passed(candidate, talk.violations)
        if passed and passed.better_than(talk.best, [c.name for c in request.contract.required]):
            talk.best = passed
        # Of what is only unexplained the matcher knows something to say; and the matcher itself says the same again.
        if all(v.part is Part.UNMAPPED for v in talk.violations) or answer.candidate == request.suggestion:
            break
        request = _repair(request, candidate, passed, talk.violations)
    return talk


def _noted(candidate: Candidate, contract: Contract) -> Candidate:
    """The candidate with what is asked about texts that may be null as notes: no layout waits for a person for these."""
    keys = {*contract.primary_key, *(c.name for c in contract.required)}
    texts = {c.name for c in contract.columns if c.base_type == "text"} - keys
    open_ = {q.column: f"open: {q.text}" for q in candidate.questions if q.column in texts}
    columns = {
        n: m.model_copy(update={"note": " ".join(filter(None, (m.note, open_[n])))}) if n in open_ else m
        for n, m in candidate.columns.items()
    }
    questions = tuple(q for q in candidate.questions if q.column not in open_)
    return candidate.model_copy(update={"columns": columns, "questions": questions})


def _passed(candidate: Candidate, violations: Sequence[Violation]) -> Passed | None:
    """The parts of a candidate that passed; None where it failed as a whole."""
    parts = {v.part for v in violations}
    if parts & {Part.RESHAPE, Part.ANSWER}:
        return None
    failed = frozenset(v.column for v in violations if v.column)
    candidate = without(candidate, dict.fromkeys(failed, ""))
    if Part.ROW_FILTER in parts:
        candidate = candidate.model_copy(update={"row_filter": None, "row_filter_note": ""})
    return Passed(candidate, failed, Part.ROW_FILTER in parts)


def _repair(request: Request, candidate: Candidate, passed: Passed | None, violations: Sequence[Violation]) -> Request:
    """The request for what failed; where that is the answer as a whole, for all of it."""
    asked = tuple(n for n in request.contract.names if n in passed.failed) if passed else request.contract.names
    return replace(
        request,
        asked=asked,
        kept=passed.candidate if passed else None,
        violations=tuple(violations),
        previous=candidate,
    )


def without(candidate: Candidate, notes: Mapping[str, str]) -> Candidate:
    """The candidate with NULL for these gold columns, for the reasons that stand beside them."""
    columns = {n: ColumnMapping(note=notes[n]) if n in notes else m for n, m in candidate.columns.items()}
    questions = tuple(q for q in candidate.questions if q.column not in notes)
    return candidate.model_copy(update={"columns": columns, "questions": questions})
