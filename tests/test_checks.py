"""Each rule on a mapping that keeps it and on one that breaks it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

import pytest

from generator import checks
from generator.candidate import Candidate, ColumnMapping, Question
from generator.checks import ColumnResult, Outcome, all_checks, found, result_checks, static_violations
from generator.checks.check import Asking, Check, Step
from generator.columns.profile import ColumnProfile, LayoutProfile
from generator.contracts.contract import Column, Contract
from generator.violation import Violation

FUNCTIONS = frozenset(
    {
        *("clean_text", "has_value", "parse_decimal", "parse_integer", "parse_date", "parse_timestamp"),
        *("parse_boolean", "net_amount"),
    }
)
COLUMNS = frozenset(
    {"datum", "wert", "betrag", "saldo", "soll", "haben", "art", "text", "comment", "date", "jan", "feb"}
)
CONTRACT = Contract(
    name="bookings",
    description="",
    columns=(
        Column("booked_on", "date", not_null=True),
        Column("amount", "decimal(18,2)", not_null=True),
        Column("balance", "decimal(18,2)"),
        Column("memo", "text"),
        Column("other_memo", "text"),
        Column("pieces", "integer"),
        Column("paid", "boolean"),
        Column("paid_at", "timestamp"),
        Column("status", "text", accepted_values=("paid", "refunded")),
        Column("born_on", "date", pii=True),
    ),
)
NULL = ColumnMapping(note="no source")
GOOD: dict[str, ColumnMapping] = {
    **dict.fromkeys(CONTRACT.names, NULL),
    "booked_on": ColumnMapping(expression="parse_date(datum, '%d.%m.%Y')", source_columns=("datum",)),
    "amount": ColumnMapping(expression="parse_decimal(betrag, ',')", source_columns=("betrag",)),
}


def candidate(changes: Mapping[str, ColumnMapping | str | None] | None = None, **fields: Any) -> Candidate:
    """A good candidate with some gold columns changed; a text is an expression that declares every source column."""
    columns = dict(GOOD)
    for name, change in (changes or {}).items():
        if isinstance(change, str):
            change = ColumnMapping(expression=change, source_columns=tuple(sorted(COLUMNS)))
        if change is None:
            columns.pop(name)
        else:
            columns[name] = change
    return Candidate(columns=columns, **fields)


def static(changed: Candidate) -> list[Violation]:
    return static_violations(changed, CONTRACT, COLUMNS, FUNCTIONS)


def of_memo(expression: str) -> list[Violation]:
    return static(candidate({"memo": expression}))


def rules(violations: list[Violation]) -> set[str]:
    return {v.rule for v in violations}


def test_a_good_candidate_has_no_violation() -> None:
    assert static(candidate()) == []


def test_every_check_is_listed_with_a_name_and_one_line() -> None:
    modules = [importlib.import_module(f"generator.checks.{m.name}") for m in pkgutil.iter_modules(checks.__path__)]
    made = {v.name for m in [*modules, checks] for v in vars(m).values() if isinstance(v, (Check, Asking, Step))}
    assert sorted(rule.name for rule in all_checks()) == sorted(made)
    for rule in all_checks():
        assert rule.description.endswith(".") and "\n" not in rule.description


ALLOWED = [
    "clean_text(text)",
    "CLEAN_TEXT(Text)",
    "source.text",
    "comment",
    "cast(_source_row as text)",
    "_preamble",
    "'EUR'",
    "null",
    "coalesce(clean_text(text), clean_text(comment))",
    "nullif(clean_text(text), 'none')",
    "concat(text, ' ', comment)",
    "concat_ws('; ', text, comment)",
    "text || ' -- ' || comment",
    "lower(trim(text)) || upper(ltrim(rtrim(text)))",
    "replace(replace(text, '.', ''), ',', '.')",
    "left(text, 2) || right(text, 2) || substr(text, 1, 3) || substring(text, 2)",
    "split_part(text, ';', 2)",
    "cast(length(text) as text)",
    "cast(strpos(text, 'x') as text)",
    "case when contains(text, 'x') or starts_with(text, 'y') or ends_with(text, 'z') then 'a' end",
    "case when suffix(text, 'x') or prefix(text, 'y') then 'a' when has_value(text) then 'b' end",
    "case when regexp_matches(text, '^\\d+$') then text end",
    "regexp_extract(text, '([A-Z]{3})', 1)",
    "regexp_extract(_preamble, 'Konto: (\\w+)', 1)",
    "regexp_replace(text, '\\s+', ' ', 'g')",
    "greatest(text, comment) || least(text, comment)",
    "lpad(text, 5, '0') || rpad(text, 5, ' ')",
    "strip_accents(text)",
    "try_cast(text as date)::text",
    "case lower(clean_text(art)) when 's' then 'debit' when 'h' then 'credit' end",
    "case when text in ('a', 'b') and not (comment not in ('c')) then text end",
    "case when text between 'a' and 'b' then text end",
    "case when text like 'a%' or text not like '%b' or text ilike '%c%' then text end",
    "case when text is null or comment is not null then text end",
    "case when text is distinct from comment then text end",
    "case when parse_decimal(betrag, ',') * 2 - 1 >= -0.5 then text end",
    "cast(cast(parse_timestamp(datum, '%Y-%m-%d %H:%M') as date) as text)",
    "cast(date_trunc('month', parse_date(datum, '%d.%m.%Y')) as text)",
    "cast(abs(round(parse_decimal(betrag, ','), 2)) as text)",
    "try(parse_decimal(soll, ',') * parse_integer(art))::text",
    "text\n    || comment",
    "case lower(clean_text(art)) " + " ".join(f"when 'c{n}' then 'C{n}'" for n in range(170)) + " end",
    "'it''s'",
    "'Größe: 5 €'",
]


@pytest.mark.parametrize("expression", ALLOWED)
def test_allowed_expressions(expression: str) -> None:
    assert of_memo(expression) == []


@pytest.mark.parametrize(
    ("rule", "expression", "says"),
    [
        ("plain_text", "", "empty"),
        ("plain_text", "x" * 4001, "4,001 characters"),
        ("plain_text", "text || '{{ 1 }}'", "no Jinja"),
        ("plain_text", "text -- hidden", "no comments"),
        ("plain_text", "text /* hidden */", "no comments"),
        ("plain_text", "text; select 1", "no statement separator"),
        ("plain_text", "$$text$$", "no dollar quotes"),
        ("plain_text", '"text"', "unquoted"),
        ("plain_text", "text[1:3]", "substr"),
        ("plain_text", "e'\\n'", "prefixed"),
        ("plain_text", "'a' 'b'", "adjacent"),
        ("plain_text", "'a", "never closed"),
        ("plain_text", "text || '\x07'", "U+0007"),
        ("plain_text", "text || '\u202e'", "U+202E"),
        ("plain_text", "te\u00a0xt", "U+00A0"),
        ("plain_text", "'a\nb'", "line end"),
        ("plain_text", "lower(text", "not closed"),
        ("plain_text", "text) as memo, (text", "one `)` too many"),
        ("plain_text", "(" * 30 + "text" + ")" * 30, "30 deep"),
        ("one_expression", "text comment art", "not exactly one SQL expression"),
        ("one_expression", "text + + * 1", "not exactly one SQL expression"),
        ("allowed_syntax", "text, comment", "Tuple"),
        ("one_expression", "+".join(["1"] * 1000), "too long"),
        ("allowed_functions", "read_text(text)", "`read_text` is not an allowed function; allowed: abs"),
        ("allowed_functions", "make_date(1, 2, 3)", "make_date"),
        ("allowed_functions", "text.reverse()", "reverse"),
        ("plain_text", "decimal('1')", "`decimal(`: a type is no function"),
        ("plain_text", "date (" * 24 + "text" + ")" * 24, "a type is no function"),
        ("allowed_syntax", "(select 'x')", "Subquery"),
        ("allowed_syntax", "text as memo", "Alias"),
        ("plain_text", "*", "ends with `*`"),
        ("plain_text", "text in", "ends with `in`"),
        ("plain_text", ", text", "nothing between"),
        ("allowed_syntax", "case when text in () then 'a' end", "nothing in the list"),
        ("allowed_syntax", "text::decimal(1, case when text = 'a' then 1 end)", "a number"),
        ("plain_text", "double precision (" * 24 + "text" + ")" * 24, "a type is no function"),
        ("allowed_syntax", "case when text like 'a' escape 'b' then 'c' end", "Escape"),
        ("allowed_syntax", "lower(distinct text)", "Distinct"),
        ("allowed_syntax", "current_date", "CurrentDate"),
        ("allowed_syntax", "interval '1' day", "Interval"),
        ("allowed_syntax", "text collate nocase", "Collate"),
        ("allowed_syntax", "case when text in comment then 'a' end", "field is not allowed"),
        ("allowed_syntax", "lower(text) over ()", "Window"),
        ("allowed_syntax", "try_cast(text as json)", "not an allowed type; allowed: text"),
        ("allowed_syntax", "other.text", "column's name alone"),
        ("allowed_syntax", "main.source.text", "db is not allowed"),
        ("known_columns", "clean_text(missing)", "`missing` is not a column of the layout; there are _footer"),
        ("known_columns", "_file_id", "_file_id"),
        ("known_columns", "source", "source"),
        ("literal_arguments", "regexp_matches(text, comment)::text", "pattern must be a literal"),
        ("literal_arguments", f"regexp_extract(text, '{'a' * 201}')", "at most 200"),
        ("literal_arguments", "replace(text, 'a', comment)", "replacement"),
        ("literal_arguments", "replace(text, comment, 'a')", "replaced"),
        ("literal_arguments", "lpad(text, 1000000, 'x')", "at most 100"),
        ("literal_arguments", "rpad(text, length(comment), 'x')", "at most 100"),
        ("literal_arguments", "concat_ws(text, comment, comment)", "separator"),
        ("literal_arguments", "case when text like comment then 'a' end", "pattern"),
        ("literal_arguments", "parse_date(datum, text)::text", "format"),
        ("literal_arguments", "net_amount(soll, haben, text)::text", "separator"),
        ("literal_arguments", "date_trunc(text, parse_date(datum, '%Y'))::text", "unit"),
        ("bounded_work", "replace(replace(text, 'a', 'aaaaaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaaaa')", "225 times"),
        (
            "bounded_work",
            "regexp_replace(regexp_replace(text, '', '\\0aaaaaaaaa', 'g'), '', 'aaaaaaaaa', 'g')",
            "times",
        ),
        ("bounded_work", "nullif(" * 14 + "text" + ", 'a')" * 14, "nest them less"),
        ("bounded_work", "clean_text(" * 5 + "text" + ")" * 5, "nest them less"),
        ("bounded_work", "(" * 9 + "text" + " between 'a' and 'b')::text" * 9, "nest them less"),
        (
            "bounded_work",
            "case case text " + "when 'a' then 'b' " * 80 + "end " + "when 'a' then 'b' " * 80 + "end",
            "parts",
        ),
        ("bounded_work", " || ".join(["text"] * 40), "write one concat_ws"),
        ("bounded_work", "concat(" + ", ".join(["text"] * 101) + ")", "101 times"),
        ("small_patterns", "regexp_extract(text, '(.{1,30}){30}', 1)", "repeats too much"),
        ("literal_arguments", "parse_decimal(text, '\\')::text", "'.' or ','"),
        ("declared_columns", "missing", "not a column"),
        ("read_not_cast", "cast(betrag as decimal(18,2))::text", "casts lie"),
        ("read_not_cast", "try_cast(clean_text(betrag) as integer)::text", "casts lie"),
        ("read_not_cast", "betrag::date::text", "stops the query"),
        ("read_not_cast", "cast(parse_decimal(betrag, ',') as integer)::text", "stops the query"),
        ("texts_stay_texts", "case when art = 1 then 'a' end", "compare it with a text"),
        ("texts_stay_texts", "case when lower(art) in (1, 2) then 'a' end", "compare it with a text"),
        ("texts_stay_texts", "case when datum > date '2024-01-01' then 'a' end", "compare it with a text"),
        ("texts_stay_texts", "case when art then 'a' end", "no condition"),
        ("texts_stay_texts", "case when not art then 'a' end", "no condition"),
        ("total_division", "(parse_integer(art) % parse_integer(text))::text", "other than 0"),
        ("total_division", "(parse_integer(art) % 0)::text", "other than 0"),
    ],
)
def test_refused_expressions(rule: str, expression: str, says: str) -> None:
    violations = of_memo(expression)
    if rule == "declared_columns":
        changed = ColumnMapping(expression="'x'", source_columns=(expression,))
        violations = static(candidate({"memo": changed}))
    assert any(v.rule == rule and v.column == "memo" and says in v.message for v in violations), violations


def test_a_used_column_must_be_declared() -> None:
    changed = ColumnMapping(expression="text || comment || _preamble", source_columns=("text",))
    assert [str(v) for v in static(candidate({"memo": changed}))] == [
        "memo: declared_columns: the expression uses `comment`, which is not in source_columns; add it"
    ]


def test_messages_show_hostile_text_without_control_characters() -> None:
    for violation in of_memo("text \x1b[31m \u202e"):
        assert violation.message.isprintable()


@pytest.mark.parametrize(
    "row_filter",
    [
        "art = 'x'",
        "not has_value(art)",
        "clean_text(text) is not null and (art <> 'y' or _source_row > 3)",
        "coalesce(art <> 'pending', true)",
        "regexp_matches(datum, '^\\d')",
        "case when art = 'x' then true else parse_boolean(text) end",
        "text not like 'Saldo%'",
    ],
)
def test_row_filters_that_are_conditions(row_filter: str) -> None:
    assert static(candidate(row_filter=row_filter)) == []


@pytest.mark.parametrize("row_filter", ["text", "1", "clean_text(text)", "coalesce(art, 'x')", "'true'", "null"])
def test_row_filters_that_are_no_condition(row_filter: str) -> None:
    violations = static(candidate(row_filter=row_filter))
    assert "boolean_filter" in rules(violations)
    assert {v.column for v in violations} == {None}


def test_the_contract_is_answered_column_by_column() -> None:
    changed = candidate({"memo": None, "extra": "text"}, questions=(Question(column="nothing", text="?"),))
    found = [v for v in static(changed) if v.rule == "contract_columns"]
    assert [v.column for v in found] == ["memo", None, None]
    assert "`extra`" in found[1].message and "`nothing`" in found[2].message


@pytest.mark.parametrize("expression", [None, "null"])
def test_a_required_column_has_an_expression(expression: str | None) -> None:
    violations = static(candidate({"amount": ColumnMapping(expression=expression)}))
    assert [(v.rule, v.column) for v in violations] == [("required_columns", "amount")]


def test_unmapped_names_columns_of_the_layout() -> None:
    assert rules(static(candidate(unmapped={"text": "free text"}))) == set()
    assert rules(static(candidate(unmapped={"</td>": "x"}))) == {"declared_columns"}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"balance": "parse_decimal(betrag, ',')"}, True),
        ({"pieces": "parse_integer(betrag)"}, True),
        ({"paid_at": "parse_timestamp(datum, '%d.%m.%Y')"}, True),
        ({"balance": "parse_decimal(saldo, ',')"}, False),
        ({"memo": "clean_text(text)", "other_memo": "clean_text(text)"}, False),
        ({"memo": "clean_text(betrag)"}, False),
        ({"amount": "coalesce(parse_decimal(betrag, ','), parse_decimal(saldo, ','))"}, False),
        (
            {
                "amount": "case art when 's' then -parse_decimal(betrag, ',') else parse_decimal(betrag, ',') end",
                "balance": "case when art = 's' then -parse_decimal(saldo, ',') else parse_decimal(saldo, ',') end",
            },
            False,
        ),
        (
            {
                "amount": "parse_decimal(regexp_extract(text, 'A (\\S+)', 1), ',')",
                "balance": "parse_decimal(regexp_extract(text, 'B (\\S+)', 1), ',')",
            },
            False,
        ),
    ],
)
def test_no_column_is_the_number_or_the_date_of_two(changes: dict[str, str], broken: bool) -> None:
    violations = static(candidate(changes))
    assert rules(violations) == ({"used_once"} if broken else set()), violations


KEYS = "_file_id, _source_file, _source_row"
WINDOW = "over (partition by _file_id order by _source_row)"


@pytest.mark.parametrize(
    "reshape",
    [
        f"select {KEYS}, datum, betrag from source",
        "select * from source where has_value(betrag)",
        f"select {KEYS}, datum, monat, betrag2 as betrag from source unpivot (betrag2 for monat in (jan, feb))",
        f"select {KEYS}, datum, v as betrag from source unpivot include nulls (v for m in (jan as 'Januar', feb))",
        f"select {KEYS}, datum, soll as betrag from source union all select {KEYS}, datum, haben as betrag from source",
        f"select {KEYS}, datum, jan as betrag from source union all by name select feb as betrag, datum, {KEYS} from source",
        f"select *, lead(text) {WINDOW} as next_text from source",
        f"select {KEYS}, last_value(datum ignore nulls) {WINDOW} as datum, betrag from source",
        f"select {KEYS}, lag(datum, 1) {WINDOW} as datum, first_value(betrag) {WINDOW} as betrag from source",
    ],
)
def test_sound_reshapes(reshape: str) -> None:
    changes = {n: GOOD[n] for n in ("booked_on", "amount")}
    assert static(candidate(changes, reshape=reshape)) == []


@pytest.mark.parametrize(
    ("reshape", "says"),
    [
        ("select datum, betrag from source", "must pass on _file_id, _source_file, _source_row"),
        (f"select {KEYS}, datum, betrag from other", "relation `source` and no other"),
        (f"select {KEYS}, datum, betrag from main.source", ""),
        (f"select {KEYS}, datum, betrag from source as s", ""),
        (f"select {KEYS}, datum, betrag from source, source", ""),
        (f"select {KEYS}, datum, betrag from source limit 5", "limit is not allowed"),
        (f"select distinct {KEYS}, datum, betrag from source", "distinct is not allowed"),
        (f"select {KEYS}, datum, betrag from source order by datum", ""),
        (f"select {KEYS}, datum, betrag from source group by all", "group is not allowed"),
        (f"with a as (select 1) select {KEYS}, datum, betrag from source", ""),
        ("from source", "exactly one SELECT"),
        ("unpivot source on jan, feb into name a value b", "exactly one SELECT"),
        (f"select {KEYS}, datum, betrag from source union select {KEYS}, datum, betrag from source", "UNION ALL"),
        (f"select {KEYS}, datum, betrag from source except select {KEYS}, datum, betrag from source", ""),
        (
            f"select {KEYS}, datum, betrag from source union all select {KEYS}, betrag, datum from source",
            "same columns in the same order",
        ),
        (f"select {KEYS}, datum, lag(betrag) over (order by _source_row) as betrag from source", "rows of other files"),
        (
            f"select {KEYS}, datum, lag(betrag) over (partition by _file_id) as betrag from source",
            "rows of other files",
        ),
        (f"select {KEYS}, datum, sum(betrag) {WINDOW} as betrag from source", "`sum` is not an allowed function"),
        (f"select {KEYS}, datum, lag(betrag) as betrag from source", "needs `over"),
        (f"select {KEYS}, datum, missing as betrag from source", "no such column"),
        (f"select {KEYS}, datum, betrag || '' from source", "has no name"),
        (f"select {KEYS}, datum, betrag as _raw, betrag from source", "is no name for a column"),
        (f"select {KEYS}, datum, betrag, text as reshaped from source", "is no name for a column"),
        (f"select {KEYS}, datum, betrag, text as betrag from source", "betrag twice"),
        ("select _file_id, _source_file, 1 as _source_row, datum, betrag from source", "is no name for a column"),
        ("select * exclude (text) from source", "not allowed"),
        ("select * replace (text as datum) from source", "not allowed"),
        ("select columns('.*') from source", "columns"),
        (f"select {KEYS}, datum, v as betrag from source pivot (max(betrag) for art in ('a'))", ""),
        (f"select {KEYS}, datum, v as betrag from source unpivot (v for m in (jan, missing))", "UNPIVOT must"),
        (f"select {KEYS}, datum, text as betrag from source unpivot (text for m in (jan))", "no new name"),
        (f"select {KEYS}, datum, read_text('/etc/passwd') as betrag from source", "read_text"),
    ],
)
def test_refused_reshapes(reshape: str, says: str) -> None:
    violations = [v for v in static(candidate(reshape=reshape)) if v.column is None]
    assert any("in the reshape: " in v.message and says in v.message for v in violations), violations


def test_expressions_see_the_columns_of_the_reshape() -> None:
    reshape = f"select {KEYS}, datum, betrag from source"
    violations = static(candidate({"memo": "clean_text(text)"}, reshape=reshape))
    assert [(v.rule, v.column) for v in violations] == [("known_columns", "memo")]


# ---- results --------------------------------------------------------------------------------------------------------


def a_column(name: str, distinct: int) -> ColumnProfile:
    return ColumnProfile(name, name, 0, "text", 100, 100, distinct, (), ())


PROFILE = LayoutProfile(
    tuple(a_column(name, 1 if name == "art" else 80) for name in sorted(COLUMNS)), "bookings.csv", ";", True
)


def a_result(name: str, data_type: str, **counts: Any) -> ColumnResult:
    fields: dict[str, Any] = {"rows": 100, "nulls": 0, "unreadable": 0, "not_accepted": 0, "out_of_range": 0}
    return ColumnResult(name, data_type, **{**fields, "distinct": 80, **counts})


def violations_of(
    judged: Candidate, result: ColumnResult, profile: LayoutProfile = PROFILE, max_quarantined: float = 0.1
) -> list[Violation]:
    of_results = [v for v in vars(result_checks).values() if isinstance(v, Check)]
    return found(of_results, Outcome(judged, CONTRACT, profile, (result,), max_quarantined))


def judge(result: ColumnResult, expression: str = "clean_text(text)", **fields: Any) -> list[Violation]:
    judged = candidate({result.name: expression}, **fields)
    return violations_of(judged, result)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (
            "readable",
            a_result("amount", "DECIMAL(38,10)", unreadable=10),
            a_result("amount", "DECIMAL(38,10)", unreadable=11),
        ),
        ("not_null", a_result("amount", "DECIMAL(38,10)", nulls=10), a_result("amount", "DECIMAL(38,10)", nulls=11)),
        ("not_null", a_result("balance", "DECIMAL(38,10)", nulls=90), a_result("amount", "DECIMAL(38,10)", nulls=100)),
        (
            "accepted_values",
            a_result("status", "VARCHAR", not_accepted=10),
            a_result("status", "VARCHAR", not_accepted=11),
        ),
        (
            "plausible_dates",
            a_result("booked_on", "DATE", out_of_range=5),
            a_result("booked_on", "DATE", out_of_range=6),
        ),
        ("varies", a_result("amount", "DECIMAL(38,10)", distinct=2), a_result("amount", "DECIMAL(38,10)", distinct=1)),
        ("varies", a_result("memo", "VARCHAR", distinct=1, nulls=98), a_result("memo", "VARCHAR", distinct=1)),
        ("right_type", a_result("amount", "DECIMAL(38,10)"), a_result("amount", "VARCHAR")),
        ("right_type", a_result("amount", "BIGINT"), a_result("amount", "DOUBLE")),
        ("right_type", a_result("pieces", "BIGINT"), a_result("pieces", "DECIMAL(38,10)")),
        ("right_type", a_result("booked_on", "DATE"), a_result("booked_on", "TIMESTAMP")),
        ("right_type", a_result("paid_at", "DATE"), a_result("paid_at", "TIMESTAMP WITH TIME ZONE")),
        ("right_type", a_result("paid", "BOOLEAN"), a_result("paid", "VARCHAR")),
        ("right_type", a_result("memo", "VARCHAR"), a_result("memo", "STRUCT(a VARCHAR)")),
        ("right_type", a_result("memo", '"NULL"', nulls=100), a_result("memo", "DECIMAL(38,10)")),
    ],
)
def test_results(rule: str, good: ColumnResult, bad: ColumnResult) -> None:
    assert judge(good) == []
    assert [(v.rule, v.column) for v in judge(bad)] == [(rule, bad.name)]


def test_a_constant_is_fine_where_it_is_meant() -> None:
    memo, status = (a_result(name, "VARCHAR", distinct=1) for name in ("memo", "status"))
    assert judge(memo, "'EUR'") == []
    assert judge(memo, "clean_text(art)") == []
    assert judge(memo, "regexp_extract(text, '[A-Z]{3}')") == []
    assert judge(status, "case when has_value(text) then 'paid' end") == []


def test_examples_are_masked() -> None:
    (violation,) = judge(a_result("amount", "DECIMAL(38,10)", unreadable=50, examples=("Secret 12,5\x1b",)))
    assert "`Xxxxxx 99,9\N{REPLACEMENT CHARACTER}`" in violation.message
    assert "50 of 100 rows (50.0%)" in violation.message


def test_a_filter_that_keeps_nothing() -> None:
    nothing = a_result("amount", "DECIMAL(38,10)", rows=0, distinct=0)
    assert [(v.rule, v.column) for v in judge(nothing, row_filter="art = 'x'")] == [("keeps_rows", None)]
    empty = LayoutProfile((), "empty.csv", ";", True)
    assert violations_of(candidate(), nothing, empty) == []


def test_the_threshold_is_the_callers() -> None:
    result = a_result("amount", "DECIMAL(38,10)", unreadable=1)
    assert violations_of(candidate(), result) == []
    assert rules(violations_of(candidate(), result, max_quarantined=0.0)) == {"readable"}
