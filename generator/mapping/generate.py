"""Steps 6 to 8: ask a provider for a mapping, check it, send back what is wrong, and end in a mapping or in Blocked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from generator.candidate import Candidate, Provenance, Question
from generator.columns.profile import LayoutProfile
from generator.contracts.contract import Contract
from generator.errors import MAP_AND_BUILD, GoldsmithError
from generator.mapping.judging import Judgement, judge
from generator.mapping.parting import Parting, handed_down, partings
from generator.mapping.sandbox import Sandbox
from generator.mapping.starting import GIVEN_UP, Near, Start, starting_point
from generator.mapping.talking import Passed, Talk, talk_about, without
from generator.matcher.matching import ranked
from generator.matcher.offline import propose
from generator.matcher.questions import unexplained
from generator.matcher.request import Example, Request
from generator.providers import Provider
from generator.violation import Part, Violation
from generator.visible import plain

# Characters of a violation that a person is shown: lists of what is allowed are for LLMs.
SHOWN = 240


class Blocked(GoldsmithError):
    """No mapping passed the checks; the message says which gold column failed and why."""


@dataclass(frozen=True)
class Generated:
    """A mapping that passed, and who made it. `kept` are the gold columns that were taken over from a known dbt model,
    `changed` those that are from something else than there, in words, `by_hand` those in which a person had a hand there.
    `answered` are the questions that a person has answered on what is kept.
    """

    candidate: Candidate
    provenance: Provenance
    notices: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    changed: Mapping[str, str] = field(default_factory=dict)
    by_hand: tuple[str, ...] = ()
    answered: tuple[Question, ...] = ()


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


def opening(
    bench: Bench, layout: str = "", example: Example | None = None, near: Near | Start | None = None
) -> tuple[Request, Start | None]:
    """What is asked first, and what of the nearest known dbt model holds, so that it is not."""
    start = starting_point(near, bench.contract, bench.suggestion, bench.judge) if isinstance(near, Near) else near
    suggestion = start.candidate if start else bench.suggestion
    request = first_request(bench.profile, bench.contract, suggestion, layout, example)
    if start and start.kept:
        asked = tuple(name for name in request.asked if name not in start.kept)
        request = replace(request, asked=asked, kept=suggestion, taken_over=frozenset(start.kept))
    return request, start


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
    request, start = opening(bench, layout, example, near)
    suggestion = request.suggestion
    judge = start.judging(bench.judge) if start else bench.judge
    talk = talk_about(request, provider, judge, max_attempts) if request.asked else Talk.of(start)
    mended = [_mended(talk.best, suggestion)] if talk.best else []
    left: tuple[Violation, ...] = ()
    matched = [suggestion, bench.suggestion] if start else [suggestion]
    for candidate in [*mended, *(Passed(c, frozenset(c.columns)) for c in matched)]:
        found, judgement = _without_failures(candidate.candidate, bench.contract, judge)
        if not judgement.violations:
            known = near if isinstance(near, Near) else None
            parted = partings(known, start, found, bench.contract)
            finished = _finished(found, judgement, bench, start, parted)
            kept = start.still_kept(finished) if start else {}
            return Generated(
                finished,
                talk.provenance(finished, candidate.failed, kept),
                tuple(talk.notices),
                tuple(kept),
                {p.name: p.text for p in parted},
                handed_down(known, parted, bench.contract),
                start.answered_of(kept) if start else (),
            )
        left = judgement.violations
    raise Blocked(_message(left, provider, talk, bench.contract))


def _mended(passed: Passed, suggestion: Candidate) -> Passed:
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


def _without_failures(
    candidate: Candidate, contract: Contract, judge: Callable[[Candidate], Judgement]
) -> tuple[Candidate, Judgement]:
    """The candidate with NULL for every nullable column that fails, and the judgement of what is left."""
    while True:
        judgement = judge(candidate)
        nullable = {c.name for c in contract.columns if not c.not_null}
        empty = {name for name in nullable if not candidate.columns[name].expression}
        # Nothing more can be asked: what is unexplained, or could have been mapped and is not, is no failure now.
        failures = tuple(v for v in judgement.violations if v.part is not Part.UNMAPPED and v.column not in empty)
        given_up = {v.column: f"{GIVEN_UP}{v.message}" for v in failures if v.column in nullable}
        if not given_up:
            break
        candidate = without(candidate, {name: why for name, why in given_up.items() if name})
    if not failures and not any(m.expression for m in candidate.columns.values()):
        failures = (Violation("no_match", "no column of this file was recognised"),)
    return candidate, replace(judgement, violations=failures)


def _finished(
    candidate: Candidate, judgement: Judgement, bench: Bench, start: Start | None, parted: Sequence[Parting]
) -> Candidate:
    """The candidate with all that is open asked, and all that is left out explained."""
    reasons = unexplained(bench.profile, bench.contract, candidate.columns)
    questions = tuple(dict.fromkeys([*candidate.questions, *judgement.questions]))
    questions = start.still_open(questions) if start else questions
    return candidate.model_copy(
        update={
            "questions": (*(p.question for p in parted if p.question), *questions),
            "unmapped": {name: candidate.unmapped.get(name) or why for name, why in reasons.items()},
        }
    )


def _message(left: Sequence[Violation], provider: Provider, talk: Talk, contract: Contract) -> str:
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
        f"another --provider; then: {MAP_AND_BUILD}"
    )
