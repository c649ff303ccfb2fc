"""Ask, check, repair: what passed is kept, what failed is asked for again, and it always ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.candidate import Candidate, ColumnMapping, Provenance, Question
from generator.columns.profile import LayoutProfile, build_profile
from generator.contracts.contract import Contract, load_contracts
from generator.database.sql_functions import create_functions_sql, function_names
from generator.llm.prompt import build_prompt, shown
from generator.mapping.generate import Bench, Blocked, Generated, first_request, generate
from generator.mapping.judging import Judgement
from generator.mapping.sandbox import Sandbox
from generator.mapping.starting import Near, starting_point
from generator.project.drift import drift
from generator.providers import Answer, BadAnswer, Provider, ProviderError, Request
from generator.violation import Part, Violation

ROOT = Path(__file__).parents[1]
BANK = load_contracts(ROOT / "models" / "gold")["bank_transactions"]
HEADERS = ["wann", "wofuer", "wieviel", "art"]
ROWS = [[f"{day:02}.01.2024", f"Laden {day}", f"-{day},50", "x" if day % 9 else "Summe"] for day in range(1, 29)]
RIGHT = {
    "booked_on": ColumnMapping(
        expression="parse_date(wann, '%d.%m.%Y')", source_columns=("wann",), confidence=0.9, note="the day"
    ),
    "amount": ColumnMapping(
        expression="parse_decimal(wieviel, ',')", source_columns=("wieviel",), confidence=0.9, note="the amount"
    ),
    "description": ColumnMapping(
        expression="clean_text(wofuer)", source_columns=("wofuer",), confidence=0.9, note="the payee"
    ),
}
UNMAPPED = {"art": "no kind is asked for"}


def mapped(contract: Contract = BANK, **changes: str | None) -> Candidate:
    """The right candidate with other expressions for some columns."""
    columns = {
        name: RIGHT.get(name, ColumnMapping(note="not there")).model_copy(
            update={"expression": changes[name]} if name in changes else {}
        )
        for name in contract.names
    }
    return Candidate(columns=columns, unmapped=UNMAPPED)


@dataclass
class Scripted(Provider):
    """Answers with candidates or errors in turn, the last one again and again, and remembers what it was asked."""

    script: Sequence[Candidate | ProviderError]
    name: str = "scripted"
    at_once: int = 1
    asked: list[Request] = field(default_factory=list)
    learned: list[tuple[str, ...]] = field(default_factory=list)

    def propose(self, request: Request) -> Answer:
        self.asked.append(request)
        said = self.script[min(len(self.asked), len(self.script)) - 1]
        if isinstance(said, ProviderError):
            raise said
        kept = request.kept.columns if request.kept else {}
        columns = {n: said.columns[n] if n in request.asked else kept[n] for n in request.contract.names}
        return Answer(said.model_copy(update={"columns": columns}), "an-llm", 100, 0.25, "mapping-0")

    def judged(self, request: Request, violations: tuple[Violation, ...]) -> None:
        self.learned.append(tuple(v.rule for v in violations))


def profile(headers: Sequence[str] = HEADERS, rows: Sequence[Sequence[str]] = ROWS) -> LayoutProfile:
    return build_profile(headers, rows, source_file="a.csv", delimiter=";", has_header=True)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    macros = ROOT / "macros"
    with Sandbox.of_rows(create_functions_sql(macros), HEADERS, ROWS) as sandbox:
        yield Bench(profile(), BANK, sandbox, function_names(macros))


def ask(bench: Bench, *script: Candidate | ProviderError) -> tuple[Generated, Scripted]:
    provider = Scripted(script)
    return generate(bench, provider, 3, "stg_a__bank_transactions_12345678"), provider


SQL = """\
with source as (select * from {{ source('raw', 'a_1') }}),
mapped as (
    select
        parse_date(wann, '%d.%m.%Y') as booked_on,
        parse_decimal(wieviel, ',') as amount,
        clean_text(wofuer) as description,
        cast(null as text) as memo,
        cast(null as text) as currency,
        cast(null as text) as account,
        cast(null as decimal(18, 2)) as balance,
        source as _raw
    from source
)
select * exclude (_raw), {{ contract_violations('bank_transactions') }} as _violations from mapped
"""


@dataclass(frozen=True)
class Known:
    """A known layout whose columns have these headers."""

    headers: dict[str, str]
    shapes: tuple[str, ...] = profile().shapes
    dbt_model: str = "stg_a__bank_transactions_1"
    source: str = "a"
    contract: str = "bank_transactions"
    review: str = "pending"
    has_header: bool = True


def near(**headers: str) -> Near:
    """The nearest known layout, with other headers than the file for some of its columns."""
    return Near(
        drift=drift(Known({name: headers.get(name, name) for name in HEADERS}), profile()),
        own=True,
        discarding=False,
        sql=SQL,
        columns={name: {"confidence": 0.9} for name in RIGHT},
        questions=(),
        approved=False,
        edited=False,
        provenance=Provenance(provider="openai", llm="an-llm", tokens=500),
    )


def test_where_all_of_a_known_dbt_model_holds_nobody_is_asked(bench: Bench) -> None:
    provider = Scripted([mapped()])
    made = generate(bench, provider, 3, near=near())
    assert provider.asked == []
    assert expressions(made) == {n: m.expression for n, m in RIGHT.items()}
    assert (made.provenance.provider, made.provenance.tokens, made.provenance.others) == ("openai", 0, {})
    assert made.kept == BANK.names


def test_only_what_does_not_hold_is_asked_and_each_column_says_who_made_it(bench: Bench) -> None:
    provider = Scripted([mapped()])
    made = generate(bench, provider, 3, near=near(wofuer="Zweck der Zahlung"))
    (request,) = provider.asked
    assert request.asked == ("description", "memo", "currency", "account", "balance")
    assert expressions(made) == {n: m.expression for n, m in RIGHT.items()}
    assert made.kept == ("booked_on", "amount")
    assert (made.provenance.provider, made.provenance.others) == (
        "scripted",
        {"booked_on": "openai", "amount": "openai"},
    )
    assert made.candidate.columns["amount"].note == "as in stg_a__bank_transactions_1"


def test_what_a_person_wrote_into_a_known_dbt_model_is_told_no_llm_in_clear(bench: Bench) -> None:
    secret = "case when clean_text(wofuer) = 'Praxis Dr. Geheim' then 'Arzt' else clean_text(wofuer) end"
    known = replace(near(wann="Tag"), sql=SQL.replace("clean_text(wofuer) as d", f"{secret} as d"), edited=True)
    start = starting_point(known, BANK, bench.suggestion, lambda _: Judgement(()))
    assert start and start.candidate.columns["description"].expression == secret
    asked = tuple(n for n in BANK.names if n not in start.kept)
    request = replace(
        first_request(bench.profile, BANK, start.candidate),
        asked=asked,
        kept=start.candidate,
        taken_over=frozenset(start.kept),
    )
    violations = (Violation("readable", "no", asked[0]), Violation("row_filter", "no", part=Part.ROW_FILTER))
    for told in (request, replace(request, violations=violations, previous=start.candidate)):
        assert "Geheim" not in shown(build_prompt(told, ""))
    # Of what it answered itself it is told all.
    own = replace(request, taken_over=frozenset(), violations=violations)
    assert "Geheim" in shown(build_prompt(own, ""))


def expressions(made: Generated) -> dict[str, str]:
    return {n: m.expression for n, m in made.candidate.columns.items() if m.expression}


def test_a_right_answer_is_taken_as_it_is_with_what_it_cost(bench: Bench) -> None:
    made, provider = ask(bench, mapped())
    assert expressions(made) == {n: m.expression for n, m in RIGHT.items()}
    by = made.provenance
    assert (by.provider, by.llm, by.attempts, by.tokens, by.cost, by.others) == (
        "scripted",
        "an-llm",
        1,
        100,
        0.25,
        {},
    )
    assert [r.attempt for r in provider.asked] == [1]
    assert provider.asked[0].asked == BANK.names
    assert provider.learned == [()]


def test_only_what_failed_is_asked_for_again_with_what_is_wrong(bench: Bench) -> None:
    made, provider = ask(bench, mapped(amount="parse_decimal(wieviel, '.')"), mapped())
    assert expressions(made)["amount"] == "parse_decimal(wieviel, ',')"
    second = provider.asked[1]
    assert (second.attempt, second.asked) == (2, ("amount",))
    assert second.kept is not None and second.kept.columns["booked_on"] == RIGHT["booked_on"]
    assert second.kept.columns["amount"].expression is None
    assert {v.column for v in second.violations} == {"amount"}
    assert second.previous is not None and second.previous.columns["amount"].expression == "parse_decimal(wieviel, '.')"
    assert (made.provenance.attempts, made.provenance.tokens, made.provenance.cost) == (2, 200, 0.5)


def test_one_bad_column_does_not_hide_what_is_wrong_with_another(bench: Bench) -> None:
    bad = mapped(amount="read_text('/etc/passwd')", booked_on="parse_date(wann, '%m/%d/%Y')")
    _, provider = ask(bench, bad, mapped())
    assert provider.asked[1].asked == ("booked_on", "amount")


def test_what_passed_once_stays_though_a_later_answer_is_worse(bench: Bench) -> None:
    first = mapped(amount="parse_decimal(wieviel, '.')")
    made, provider = ask(bench, first, BadAnswer("no JSON", tokens=7), mapped())
    assert expressions(made) == {n: m.expression for n, m in RIGHT.items()}
    assert provider.asked[2].asked == ("amount",)
    assert made.provenance.tokens == 207


def test_a_nullable_column_that_never_passes_is_null_with_the_reason(bench: Bench) -> None:
    made, provider = ask(bench, mapped(description="upper(clean_text(wofuer)) || 'x'"))
    assert len(provider.asked) == 3
    assert made.candidate.columns["description"].expression is None
    assert made.candidate.columns["description"].note
    assert expressions(made)["amount"] == "parse_decimal(wieviel, ',')"


def test_the_matcher_mends_a_column_and_it_is_said() -> None:
    headers, macros = ["Buchungstag", "wofuer", "Betrag", "art"], ROOT / "macros"
    with Sandbox.of_rows(create_functions_sql(macros), ["buchungstag", "wofuer", "betrag", "art"], ROWS) as sandbox:
        known = Bench(profile(headers), BANK, sandbox, function_names(macros))
        right = {
            "booked_on": ("parse_date(buchungstag, '%d.%m.%Y')", "buchungstag"),
            "amount": ("parse_decimal(betrag, '.')", "betrag"),
            "description": ("clean_text(wofuer)", "wofuer"),
        }
        columns = {n: ColumnMapping(note="not there") for n in BANK.names} | {
            n: ColumnMapping(expression=e, source_columns=(s,), confidence=0.9) for n, (e, s) in right.items()
        }
        made, provider = ask(known, Candidate(columns=columns, unmapped=UNMAPPED))
    assert len(provider.asked) == 3
    assert expressions(made)["amount"] == "parse_decimal(betrag, ',')"
    assert expressions(made)["description"] == "clean_text(wofuer)"
    assert (made.provenance.provider, made.provenance.others) == ("scripted", {"amount": "offline"})


def test_a_row_filter_that_fails_costs_no_column(bench: Bench) -> None:
    bad = mapped().model_copy(update={"row_filter": "wofuer in (select 1)", "row_filter_note": "sums"})
    good = mapped().model_copy(update={"row_filter": "clean_text(art) = 'x'", "row_filter_note": "sums"})
    made, provider = ask(bench, bad, good)
    assert provider.asked[1].asked == ()
    assert provider.asked[1].kept is not None
    assert made.candidate.row_filter == "clean_text(art) = 'x'"


def test_an_llm_that_cannot_answer_leaves_the_layout_to_the_matcher_which_cannot_either(bench: Bench) -> None:
    with pytest.raises(Blocked, match="scripted: it is down. The offline matcher cannot map booked_on, amount either"):
        ask(bench, ProviderError("it is down"))


def test_what_was_paid_for_before_it_went_down_is_kept(bench: Bench) -> None:
    made, _ = ask(bench, mapped(description="'x'"), ProviderError("it is down", tokens=9))
    assert "description" not in expressions(made)
    assert made.provenance.tokens == 109
    assert made.notices == ("scripted: it is down",)


def test_a_required_column_that_never_passes_blocks_the_layout(bench: Bench) -> None:
    provider = Scripted([mapped(amount="(select 1)")])
    with pytest.raises(Blocked, match="no mapping by scripted after 3 attempts: amount: "):
        generate(bench, provider, 3)
    assert len(provider.asked) == 3


def test_what_the_llm_leaves_unexplained_is_explained_without_another_call(bench: Bench) -> None:
    made, provider = ask(bench, mapped().model_copy(update={"unmapped": {}}))
    assert len(provider.asked) == 1
    assert made.candidate.unmapped["art"]


def test_questions_of_the_llm_stay(bench: Bench) -> None:
    question = Question(column="amount", text="is it in euros?", readings=("yes", "no"))
    made, _ = ask(bench, mapped().model_copy(update={"questions": (question,)}))
    assert question in made.candidate.questions


def test_a_question_about_a_text_that_may_be_null_is_a_note_and_holds_nothing(bench: Bench) -> None:
    question = Question(column="currency", text="what is the currency?", readings=("EUR", "USD"))
    made, _ = ask(bench, mapped().model_copy(update={"questions": (question,)}))
    assert made.candidate.questions == ()
    assert made.candidate.columns["currency"].note == "not there open: what is the currency?"


def test_the_first_request_has_all_that_a_prompt_is_made_of() -> None:
    request = first_request(profile(), BANK, mapped(), "a_layout")
    assert (request.asked, request.kept, request.violations, request.attempt) == (BANK.names, None, (), 1)
    assert request.layout == "a_layout"
    assert set(request.ranking) <= set(BANK.names)


JUNK = st.sampled_from(
    [
        None,
        "",
        "wann",
        "nope",
        "'2024-01-01'",
        "parse_date(wann, '%d.%m.%Y')",
        "parse_date(wann, '%m.%d.%Y')",
        "parse_decimal(wieviel, ',')",
        "parse_decimal(wieviel, '.')",
        "clean_text(wofuer)",
        "lower(clean_text(wofuer))",
        "coalesce(parse_decimal(wieviel, ','), 0)",
        "(select 1)",
        "{{ x }}",
        "1 +",
    ]
)
FILTERS = st.sampled_from(
    [None, "true", "art = 'x'", "wieviel", "1 = 2", "parse_decimal(wieviel, ',') < -9", "nope = 1"]
)
RESHAPES = st.sampled_from(
    [None, None, None, "select * from source", "select * from source where art = 'x'", "delete from source", "select 1"]
)


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    columns = {
        name: ColumnMapping(expression=draw(JUNK) or None, source_columns=("wann", "wofuer", "wieviel"), confidence=0.9)
        for name in BANK.names
    }
    return Candidate(columns=columns, row_filter=draw(FILTERS), reshape=draw(RESHAPES))


@given(st.lists(st.one_of(candidates(), st.just(BadAnswer("?")), st.just(ProviderError("!"))), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_it_always_ends_and_what_it_ends_in_passes_every_check(
    bench: Bench, script: list[Candidate | ProviderError]
) -> None:
    provider = Scripted(script)
    try:
        made = generate(bench, provider, 3)
    except Blocked:
        pass
    else:
        assert [v for v in bench.judge(made.candidate).violations if v.part != "unmapped"] == []
        assert all(made.candidate.columns[c.name].expression for c in BANK.required)
        assert made.candidate.unmapped.keys() | {
            s for m in made.candidate.columns.values() for s in m.source_columns
        } >= set(HEADERS)
    assert 1 <= len(provider.asked) <= 3
