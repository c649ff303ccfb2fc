"""Steps 6 to 8: ask a provider for a mapping, check it, send back what is wrong, and end in a mapping or in Blocked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from generator.candidate import Candidate, ColumnMapping, Provenance
from generator.checks import guarded
from generator.contracts import Contract
from generator.errors import GoldsmithError
from generator.judging import Judgement, judge
from generator.matching import ranked
from generator.offline import propose
from generator.profile import LayoutProfile
from generator.providers import Answer, BadAnswer, Provider, ProviderError
from generator.providers.offline import OfflineProvider
from generator.questions import unexplained
from generator.request import Example, Request
from generator.sandbox import Sandbox
from generator.starting import Near, Start, starting_point
from generator.violation import Part, Violation
from generator.visible import plain

# Characters of a violation that a person is shown: lists of what is allowed are for LLMs.
SHOWN = 240


class Blocked(GoldsmithError):
    """No mapping passed the checks; the message says which gold column failed and why."""


@dataclass(frozen=True)
class Generated:
    """A mapping that passed, and who made it. `kept` are the gold columns that were taken over from a known dbt model,
    `refused` those of it that fail a check on the new rows, and how.
    """

    candidate: Candidate
    provenance: Provenance
    notices: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """What a layout's candidates are judged with: its profile, its contract, its rows, the project's SQL functions."""

    profile: LayoutProfile
    contract: Contract
    sandbox: Sandbox
    functions: frozenset[str]
    _judged: dict[str, Judgement] = field(default_factory=dict)

    @cached_property
    def suggestion(self) -> Candidate:
        """The offline matcher's candidate."""
        return propose(self.profile, self.contract)

    def judge(self, candidate: Candidate) -> Judgement:
        """Everything that is wrong with a candidate, and what it leaves open; each is run once."""
        key = candidate.model_dump_json()
        if key not in self._judged:
            self._judged[key] = judge(
                candidate, self.profile, self.contract, self.sandbox, self.functions, suggestion=self.suggestion
            )
        return self._judged[key]


def first_request(
    profile: LayoutProfile,
    contract: Contract,
    suggestion: Candidate,
    layout: str = "",
    example: Example | None = None,
) -> Request:
    """What a provider is asked first: all columns of the contract."""
    return Request(
        contract,
        profile,
        suggestion,
        contract.names,
        ranking=ranked(profile, contract),
        example=example,
        layout=layout,
    )


def generate(
    bench: Bench,
    provider: Provider,
    max_attempts: int,
    layout: str = "",
    example: Example | None = None,
    near: Near | Start | None = None,
) -> Generated:
    """A mapping of this layout onto the contract that passed every check on the rows in the sandbox.

    What of the nearest known dbt model holds here is taken over and not asked for. Columns that passed are kept and not
    asked for again; what the provider cannot mend, the offline matcher may; a nullable column that nobody can make stays
    NULL with the reason. `layout` names the layout for logs and limits. Raises Blocked where a required column is left.
    """
    start = starting_point(near, bench.contract, bench.suggestion, bench.judge) if isinstance(near, Near) else near
    suggestion = start.candidate if start else bench.suggestion
    request = first_request(bench.profile, bench.contract, suggestion, layout, example)
    if start and start.kept:
        asked = tuple(name for name in request.asked if name not in start.kept)
        request = replace(request, asked=asked, kept=suggestion, taken_over=frozenset(start.kept))
    talk = _talk(bench, provider, request, max_attempts) if request.asked else _Talk.of(start)
    mended = [_mended(talk.best, suggestion)] if talk.best else []
    left: tuple[Violation, ...] = ()
    matched = [suggestion, bench.suggestion] if start else [suggestion]
    for candidate in [*mended, *(_Passed(c, frozenset(c.columns)) for c in matched)]:
        found, judgement = _without_failures(candidate.candidate, bench)
        if not judgement.violations:
            finished = _finished(found, judgement, bench, start)
            kept = start.still_kept(finished) if start else {}
            by = talk.provenance(finished, candidate.failed, kept)
            return Generated(finished, by, tuple(talk.notices), tuple(kept), start.failed if start else {})
        left = judgement.violations
    raise Blocked(_message(left, provider, talk, bench.contract))


@dataclass(frozen=True)
class _Passed:
    """A candidate without what failed: those gold columns have no expression, and count as the offline matcher's."""

    candidate: Candidate
    failed: frozenset[str]
    filter_failed: bool = False

    def better_than(self, other: _Passed | None, required: Iterable[str]) -> bool:
        """Whether more has passed; of two alike, the later one was made knowing the earlier one."""
        return other is None or self._rank(required) >= other._rank(required)

    def _rank(self, required: Iterable[str]) -> tuple[int, int]:
        return -len(self.failed & set(required)), -len(self.failed) - self.filter_failed


@dataclass
class _Talk:
    """What was asked and answered about one layout: what it cost, and the best that passed.

    `violations` are those of the last answer, `failure` says why there was none, where the provider could not answer.
    """

    provider: str
    attempts: int = 0
    tokens: int = 0
    cost: float = 0.0
    llm: str | None = None
    prompt_version: str | None = None
    best: _Passed | None = None
    violations: tuple[Violation, ...] = ()
    failure: str = ""
    notices: list[str] = field(default_factory=list)

    def paid(self, by: Answer | ProviderError) -> None:
        """Count an attempt, and what the answer, or the lack of one, has cost; what was not even asked is none."""
        self.attempts += not (isinstance(by, ProviderError) and by.tries == 0)
        self.tokens += by.tokens
        self.cost += by.cost

    @classmethod
    def of(cls, start: Start | None) -> _Talk:
        """What there is to say where nobody needs to be asked: all is taken over."""
        by = start.provenance if start else Provenance()
        best = _Passed(start.candidate, frozenset()) if start else None
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


def _talk(bench: Bench, provider: Provider, request: Request, max_attempts: int) -> _Talk:
    """Ask, judge, and ask again for what failed, until nothing does or the attempts are used up."""
    talk = _Talk(provider.name)
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
        candidate = _noted(guarded(answer.candidate), bench.contract)
        talk.violations = bench.judge(candidate).violations
        provider.judged(request, talk.violations)
        passed = _passed(candidate, talk.violations)
        if passed and passed.better_than(talk.best, [c.name for c in bench.contract.required]):
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


def _passed(candidate: Candidate, violations: Sequence[Violation]) -> _Passed | None:
    """The parts of a candidate that passed; None where it failed as a whole."""
    parts = {v.part for v in violations}
    if parts & {Part.RESHAPE, Part.ANSWER}:
        return None
    failed = frozenset(v.column for v in violations if v.column)
    candidate = _without(candidate, dict.fromkeys(failed, ""))
    if Part.ROW_FILTER in parts:
        candidate = candidate.model_copy(update={"row_filter": None, "row_filter_note": ""})
    return _Passed(candidate, failed, Part.ROW_FILTER in parts)


def _repair(request: Request, candidate: Candidate, passed: _Passed | None, violations: Sequence[Violation]) -> Request:
    """The request for what failed; where that is the answer as a whole, for all of it."""
    asked = tuple(n for n in request.contract.names if n in passed.failed) if passed else request.contract.names
    return replace(
        request,
        asked=asked,
        kept=passed.candidate if passed else None,
        violations=tuple(violations),
        previous=candidate,
    )


def _mended(passed: _Passed, suggestion: Candidate) -> _Passed:
    """What passed, with the matcher's answer where something failed; a reshape has columns that the matcher cannot know."""
    candidate, failed = passed.candidate, passed.failed
    if candidate.reshape:
        return passed
    columns = {n: suggestion.columns[n] if n in failed else m for n, m in candidate.columns.items()}
    questions = tuple(q for q in suggestion.questions if q.column in failed)
    update: dict[str, object] = {"columns": columns, "questions": candidate.questions + questions}
    if passed.filter_failed:
        update |= {"row_filter": suggestion.row_filter, "row_filter_note": suggestion.row_filter_note}
    return replace(passed, candidate=candidate.model_copy(update=update))


def _without_failures(candidate: Candidate, bench: Bench) -> tuple[Candidate, Judgement]:
    """The candidate with NULL for every nullable column that fails, and the judgement of what is left."""
    while True:
        judgement = bench.judge(candidate)
        nullable = {c.name for c in bench.contract.columns if not c.not_null}
        empty = {name for name in nullable if not candidate.columns[name].expression}
        # Nothing more can be asked: what is unexplained, or could have been mapped and is not, is no failure now.
        failures = tuple(v for v in judgement.violations if v.part is not Part.UNMAPPED and v.column not in empty)
        given_up = {v.column: f"left out: {v.message}" for v in failures if v.column in nullable}
        if not given_up:
            break
        candidate = _without(candidate, {name: why for name, why in given_up.items() if name})
    if not failures and not any(m.expression for m in candidate.columns.values()):
        failures = (Violation("no_match", "no column of this file was recognised"),)
    return candidate, replace(judgement, violations=failures)


def _without(candidate: Candidate, notes: Mapping[str, str]) -> Candidate:
    """The candidate with NULL for these gold columns, for the reasons that stand beside them."""
    columns = {n: ColumnMapping(note=notes[n]) if n in notes else m for n, m in candidate.columns.items()}
    questions = tuple(q for q in candidate.questions if q.column not in notes)
    return candidate.model_copy(update={"columns": columns, "questions": questions})


def _finished(candidate: Candidate, judgement: Judgement, bench: Bench, start: Start | None) -> Candidate:
    """The candidate with all that is open asked, and all that is left out explained."""
    reasons = unexplained(bench.profile, bench.contract, candidate.columns)
    questions = tuple(dict.fromkeys([*candidate.questions, *judgement.questions]))
    return candidate.model_copy(
        update={
            "questions": start.still_open(questions) if start else questions,
            "unmapped": {name: candidate.unmapped.get(name) or why for name, why in reasons.items()},
        }
    )


def _message(left: Sequence[Violation], provider: Provider, talk: _Talk, contract: Contract) -> str:
    """What was wrong with the last answer, or why there was none; then what the matcher could not do either."""
    tries = f" after {talk.attempts} attempts" if talk.attempts > 1 else ""
    required = {c.name for c in contract.required}
    told = sorted(talk.violations or left, key=lambda v: v.column not in required)
    what = "; ".join(dict.fromkeys(f"{v.column or v.part}: {plain(v.message, SHOWN)}" for v in told[:3]))
    if talk.failure:
        missing = ", ".join(dict.fromkeys(v.column or str(v.part) for v in left))
        what = f"{talk.failure}. The offline matcher cannot map {missing} either"
    return (
        f"no mapping by {provider.name}{tries}: {what}. Name the columns in the contract's aliases, or ask "
        "another --provider; then: goldsmith generate && dbt run"
    )
