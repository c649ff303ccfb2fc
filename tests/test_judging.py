"""Rules that need the file: which column feeds which, what the cells say, which rows stay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from invented import layout, shipped
from judged import answered, judged, judged_candidate, rules

from generator.candidate import ColumnMapping, Question
from generator.contracts.contract import Column, Contract
from generator.matcher.offline import propose
from generator.violation import Part, Violation

BANK, ORDERS = shipped("bank_transactions"), shipped("orders")
STATEMENT = layout(
    """
    Booking date;Value date;Payee;Purpose;Amount;Balance;Currency;Status;Code
    30.01.2024;29.01.2024;Baker;bread rolls;-5,40;994,60;EUR;booked;A
    31.01.2024;31.01.2024;Ann Lee;rent;900,00;1.894,60;EUR;booked;B
    01.02.2024;02.02.2024;Butcher;meat;-20,00;1.874,60;EUR;booked;A
    13.02.2024;14.02.2024;City Water;water;-74,60;1.800,00;EUR;booked;A
    14.02.2024;15.02.2024;Cinema;two seats;-30,00;1.770,00;EUR;booked;B
    """,
    delimiter=";",
)
RIGHT: dict[str, str | None] = {
    "booked_on": "parse_date(booking_date, '%d.%m.%Y')",
    "amount": "parse_decimal(amount, ',')",
    "description": "clean_text(payee)",
    "memo": "clean_text(purpose)",
    "currency": "upper(clean_text(currency))",
    "balance": "parse_decimal(balance, ',')",
}
WINDOW = "over (partition by _file_id order by _source_row)"


def of(column: str, expression: str | None) -> list[tuple[str, str]]:
    """The rules that an answer breaks which is right but for one column."""
    return rules(judged(STATEMENT, BANK, {**RIGHT, column: expression}))


def test_a_right_answer_has_no_violation_and_leaves_nothing_open() -> None:
    judgement = judged(STATEMENT, BANK, RIGHT)
    assert (judgement.violations, judgement.questions) == ((), ())


def test_the_matcher_s_own_answer_is_judged_as_right() -> None:
    judgement = judged_candidate(propose(STATEMENT, BANK), STATEMENT, BANK)
    assert (judgement.violations, judgement.questions) == ((), ())


# ---- piece by piece -------------------------------------------------------------------------------------------------


def test_one_answer_gives_the_violations_of_all_columns() -> None:
    wrong = {
        "booked_on": "read_text('/etc/passwd')",
        "amount": "parse_decimal(value_date, ',')",
        "description": "upper(payee)",
        "balance": "parse_decimal(nothing, ',')",
    }
    found = judged(STATEMENT, BANK, {**RIGHT, **wrong})
    assert {v.column for v in found.violations} == set(wrong)


def test_a_row_filter_that_is_refused_keeps_no_column_from_being_judged() -> None:
    found = judged(STATEMENT, BANK, {**RIGHT, "description": "upper(payee)"}, row_filter="payee")
    assert ("boolean_filter", "row_filter") in rules(found)
    assert ("text_from_source", "description") in rules(found)


def test_pieces_that_fail_on_the_rows_are_each_named() -> None:
    huge = "* 999999999" * 3
    columns = {
        **RIGHT,
        "amount": f"parse_decimal(amount, ',') {huge}",
        "balance": f"parse_decimal(balance, ',') {huge}",
        "memo": "upper(purpose)",
    }
    found = rules(judged(STATEMENT, BANK, columns))
    assert {("sandbox", "amount"), ("sandbox", "balance"), ("text_from_source", "memo")} <= set(found)


def test_nothing_runs_where_the_reshape_is_refused() -> None:
    found = judged(STATEMENT, BANK, {**RIGHT, "memo": "upper(purpose)"}, reshape="select 1 from other")
    assert {v.part for v in found.violations} == {Part.RESHAPE}


def test_an_answer_without_a_column_of_the_contract_is_judged_all_the_same() -> None:
    candidate = answered(STATEMENT, BANK, {**RIGHT, "amount": "-parse_decimal(amount, ',')"})
    columns = {n: m for n, m in candidate.columns.items() if n != "account"} | {"made_up": ColumnMapping()}
    found = rules(judged_candidate(candidate.model_copy(update={"columns": columns}), STATEMENT, BANK))
    assert found == [
        ("contract_columns", "account"),
        ("contract_columns", "answer"),
        ("amount_signs", "amount"),
    ]


def test_a_violation_of_a_column_has_no_other_part() -> None:
    assert Violation("rule", "message", "amount").part is Part.COLUMN
    assert Violation("rule", "message", part=Part.RESHAPE).column is None


# ---- which column ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "column", "expression"),
    [
        ("named_in_contract", "booked_on", "parse_date(value_date, '%d.%m.%Y')"),
        ("named_in_contract", "currency", None),
        ("named_in_contract", "balance", None),
        ("swapped_columns", "amount", "parse_decimal(balance, ',')"),
        ("swapped_columns", "balance", "parse_decimal(amount, ',')"),
        ("swapped_columns", "memo", "clean_text(payee)"),
    ],
)
def test_the_contract_s_names_are_facts(rule: str, column: str, expression: str | None) -> None:
    assert (rule, column) in of(column, expression)


def test_a_text_may_be_another_than_the_matcher_would_take() -> None:
    assert of("description", "clean_text(code)") == []
    assert of("memo", "concat_ws(' ', purpose, code)") == []


def test_the_running_balance_is_not_the_amount_whatever_it_is_called() -> None:
    profile = layout("""
        Date,Payee,X,Y
        2024-01-30,Baker,-5.40,994.60
        2024-01-31,Ann Lee,900.00,1894.60
        2024-02-01,Butcher,-20.00,1874.60
        2024-02-13,City Water,-74.60,1800.00
    """)
    columns = {"booked_on": "parse_date(date, '%Y-%m-%d')", "description": "clean_text(payee)"}
    assert rules(judged(profile, BANK, {**columns, "amount": "parse_decimal(y, '.')"})) == [
        ("no_running_balance", "amount")
    ]
    assert judged(profile, BANK, {**columns, "amount": "parse_decimal(x, '.')"}).violations == ()


def test_a_required_column_that_is_not_the_matcher_s_is_asked_about() -> None:
    profile = layout("""
        Date,Value date,Payee,Amount
        2024-01-30,2024-01-29,Baker,-5.40
        2024-01-31,2024-01-31,Butcher,-20.00
    """)
    columns = {"description": "clean_text(payee)", "amount": "parse_decimal(amount, '.')"}
    other = judged(profile, BANK, {**columns, "booked_on": "parse_date(value_date, '%Y-%m-%d')"})
    assert other.violations == ()
    assert [q.text for q in other.questions] == ["is booked_on in `Value date`, or in `Date`?"]
    assert judged(profile, BANK, {**columns, "booked_on": "parse_date(date, '%Y-%m-%d')"}).questions == ()


def test_every_column_is_used_or_explained() -> None:
    found = judged(STATEMENT, BANK, RIGHT, unmapped={"value_date": "not the booking date", "status": "all the same"})
    (violation,) = found.violations
    assert (violation.rule, violation.part) == ("every_column_explained", Part.UNMAPPED)
    assert "code" in violation.message
    assert judged(STATEMENT, BANK, RIGHT, unmapped={"value_date": "", "status": "", "code": ""}).violations == ()


# ---- what the cells say ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        ("booked_on", "cast(date_trunc('month', parse_date(booking_date, '%d.%m.%Y')) as date)"),
        ("amount", "parse_decimal(amount, ',') + 1"),
        ("amount", "parse_decimal(amount, ',') * 1.19"),
        ("amount", "greatest(parse_decimal(amount, ','), 0)"),
        ("balance", "abs(parse_decimal(balance, ',')) * -1"),
    ],
)
def test_a_date_or_number_is_what_its_cell_says(column: str, expression: str) -> None:
    assert ("reads_the_cell", column) in of(column, expression)


def test_a_message_on_cells_has_counts_and_no_cell() -> None:
    (violation,) = judged(STATEMENT, BANK, {**RIGHT, "amount": "parse_decimal(amount, ',') + 1"}).violations
    assert violation.message.startswith("5 of 5 rows differ from `Amount` read with decimal sign ,")


def test_a_difference_of_two_columns_is_no_arithmetic_of_its_own() -> None:
    profile = layout("""
        Date,Payee,Amount,Fee,Balance
        2024-01-30,Baker,-5.40,0.00,994.60
        2024-01-31,Ann Lee,900.00,0.00,1894.60
        2024-02-01,Abroad,-20.00,1.00,1873.60
        2024-02-02,Abroad,-50.00,1.50,1822.10
    """)
    columns = {
        "booked_on": "parse_date(date, '%Y-%m-%d')",
        "amount": "parse_decimal(amount, '.') - parse_decimal(fee, '.')",
        "balance": "parse_decimal(balance, '.')",
        "description": "clean_text(payee)",
    }
    assert judged(profile, BANK, columns).violations == ()


def test_a_hundred_times_the_cell_is_asked_about_unless_the_header_says_cents() -> None:
    text = "Date,Payee,{},Account\n2024-01-30,Baker,-540,1\n2024-01-31,Butcher,-2000,1\n2024-02-01,Ann,-701,1\n"
    columns = {
        "booked_on": "parse_date(date, '%Y-%m-%d')",
        "description": "clean_text(payee)",
        "account": "clean_text(account)",
    }
    plain, cents = layout(text.format("Amount")), layout(text.format("Amount (cents)"))
    divided = "parse_decimal({}, '.') * 0.01"
    asked = judged(plain, BANK, {**columns, "amount": divided.format("amount")})
    assert asked.violations == ()
    assert [q.text for q in asked.questions] == ["are the numbers in `Amount` to be divided by 100?"]
    said = judged(cents, BANK, {**columns, "amount": divided.format("amount_cents")})
    assert (said.violations, said.questions) == ((), ())


@pytest.mark.parametrize(
    "expression", ["upper(payee)", "lower(clean_text(payee))", "'To ' || payee", "replace(payee, 'a', 'o')"]
)
def test_a_text_holds_only_what_is_in_its_cells(expression: str) -> None:
    assert of("description", expression) == [("text_from_source", "description")]


@pytest.mark.parametrize(
    "expression",
    [
        "concat_ws(' / ', payee, purpose)",
        "regexp_replace(clean_text(purpose), '\\s+', ' ', 'g')",
        "split_part(purpose, ' ', 1)",
        "case when code = 'A' then clean_text(purpose) else clean_text(code) end",
    ],
)
def test_parts_and_joins_of_cells_are_fine(expression: str) -> None:
    assert of("memo", expression) == []


def test_a_constant_is_written_in_the_file() -> None:
    rows = "Date,Payee,{}\n2024-01-30,Baker,{}5.40\n2024-01-31,Butcher,{}20.00\n"
    columns = {"booked_on": "parse_date(date, '%Y-%m-%d')", "description": "clean_text(payee)"}

    def of_currency(header: str, sign: str, preamble: str = "") -> list[tuple[str, str]]:
        profile = layout(rows.format(header, sign, sign), preamble=preamble)
        name = profile.columns[2].name
        return rules(judged(profile, BANK, {**columns, "amount": f"parse_decimal({name}, '.')", "currency": "'EUR'"}))

    assert of_currency("Amount", "-") == [("evidenced_constant", "currency")]
    assert of_currency("Amount EUR", "-") == []
    assert of_currency("Amount", "-€") == []
    assert of_currency("Amount", "-", "All amounts in euro") == []


def test_the_contract_s_synonyms_are_facts() -> None:
    profile = layout("""
        Order ID,Date,Status
        A1,2024-01-30,paid
        A2,2024-01-31,refunded
        A3,2024-02-01,PAID
    """)
    columns = {"order_id": "clean_text(order_id)", "ordered_at": "parse_timestamp(date, '%Y-%m-%d')"}
    turned = "case lower(status) when 'paid' then 'refunded' when 'refunded' then 'paid' end"
    assert rules(judged(profile, ORDERS, {**columns, "status": turned})) == [("contract_words", "status")]
    assert judged(profile, ORDERS, {**columns, "status": "lower(clean_text(status))"}).violations == ()


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        ("amount", "coalesce(parse_decimal(amount, ','), 0)"),
        ("booked_on", "coalesce(parse_date(booking_date, '%d.%m.%Y'), cast('2024-01-01' as date))"),
        ("memo", "coalesce(clean_text(purpose), 'none')"),
        ("currency", "case when has_value(currency) then currency else 'EUR' end"),
    ],
)
def test_no_literal_stands_for_a_cell_that_is_not_there(column: str, expression: str) -> None:
    assert ("no_default", column) in of(column, expression)


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        ("memo", "coalesce(clean_text(purpose), clean_text(code))"),
        ("memo", "concat(purpose, ' ', coalesce(code, ''))"),
        ("memo", "case when coalesce(code, 'B') = 'B' then purpose else code end"),
        ("amount", "(case when code = 'nothing' then -1 else 1 end) * parse_decimal(amount, ',')"),
    ],
)
def test_what_only_looks_like_a_default(column: str, expression: str) -> None:
    assert of(column, expression) == []


KEYED = Contract(
    name="parcels",
    description="",
    columns=(Column("parcel", "text"), Column("label", "text", unique=True), Column("note", "text")),
    primary_key=("parcel",),
)


def test_a_key_is_given_and_tells_rows_apart() -> None:
    profile = layout("a,b,c\n1,x,k\n2,x,k\n3,y,k\n4,z,k\n5,z,k\n")
    assert rules(judged(profile, KEYED, {"label": "a"})) == [("contract_key", "parcel")]
    assert rules(judged(profile, KEYED, {"parcel": "c", "label": "a"})) == [("contract_key", "parcel")]
    assert rules(judged(profile, KEYED, {"parcel": "a", "label": "b"})) == [("contract_key", "label")]
    assert rules(judged(profile, KEYED, {"parcel": "case when a = '1' then a end", "label": "a"})) == [
        ("readable", "parcel"),
        ("contract_key", "parcel"),
    ]
    assert judged(profile, KEYED, {"parcel": "a", "label": "a"}).violations == ()


# ---- which rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row_filter",
    [
        "coalesce(parse_decimal(amount, ',') > 0, true)",
        "parse_decimal(amount, ',') <> 900",
        "parse_date(booking_date, '%d.%m.%Y') >= cast('2024-02-01' as date)",
        "_source_row <> 3",
        "currency <> 'EUR' or payee <> 'Cinema' or amount <> '-30,00'",
    ],
)
def test_no_sound_row_is_left_out_for_what_it_says(row_filter: str) -> None:
    found = judged(STATEMENT, BANK, RIGHT, row_filter=row_filter)
    assert ("left_out_rows", "row_filter") in rules(found)


def test_a_sound_row_left_out_by_a_word_of_its_own_is_asked_about() -> None:
    found = judged(STATEMENT, BANK, RIGHT, row_filter="payee <> 'Cinema'", row_filter_note="no films")
    assert found.violations == ()
    assert [q.text for q in found.questions] == [
        "the row filter leaves out 1 of 5 rows that could be data (no films): are they no data?"
    ]


def test_a_row_filter_may_leave_out_what_is_no_record() -> None:
    profile = layout("""
        Date,Payee,Amount,Account
        2024-01-30,Baker,-5.40,1
        2024-01-31,Butcher,-20.00,1
        2024-02-01,Butcher,-21.00,1
        2024-02-02,Butcher,-22.00,1
        2024-02-03,Butcher,-23.00,1
        ,Total,-25.40,
    """)
    columns = {
        "booked_on": "parse_date(date, '%Y-%m-%d')",
        "amount": "parse_decimal(amount, '.')",
        "description": "clean_text(payee)",
        "account": "clean_text(account)",
    }
    found = judged(profile, BANK, columns, row_filter="has_value(date)")
    assert (found.violations, found.questions) == ((), ())


def test_many_rows_left_out_are_asked_about() -> None:
    found = judged(STATEMENT, BANK, RIGHT, row_filter="code <> 'B'")
    assert [q.text for q in found.questions] == ["the row filter leaves out 2 of 5 rows: are they no data?"]


def test_rows_whose_state_the_contract_leaves_out_are_left_out() -> None:
    header, *rows = STATEMENT.headers, *zip(*(c.values for c in STATEMENT.columns), strict=True)
    text = "\n".join(";".join(r) for r in [header, *rows]).replace("booked;B", "Pending;B")
    pending = layout(text, delimiter=";")
    found = judged(pending, BANK, RIGHT)
    assert rules(found) == [("no_data_left_out", "row_filter")]
    assert "2 rows are kept whose `Status` is `Pending`" in found.violations[0].message
    assert judged(pending, BANK, RIGHT, row_filter="lower(status) <> 'pending'").violations == ()


KEYS = "_file_id, _source_file, _source_row"
ALL = "booking_date, value_date, payee, purpose, amount, balance, currency, status, code"


def test_a_reshape_keeps_every_row_and_leaves_cells_where_they_are() -> None:
    same = f"select {KEYS}, {ALL} from source"
    assert judged(STATEMENT, BANK, RIGHT, reshape=same).violations == ()
    moved = same.replace(" amount,", f" lag(amount) {WINDOW} as amount,")
    assert ("cells_stay_in_their_rows", "reshape") in rules(judged(STATEMENT, BANK, RIGHT, reshape=moved))
    twice = judged(STATEMENT, BANK, RIGHT, reshape=f"{same} union all {same}")
    assert [q.text for q in twice.questions] == ["the reshape gives 5 rows more than once: are they different data?"]
    cut = judged(STATEMENT, BANK, RIGHT, reshape=f"{same} where code = 'A'")
    assert "the reshape leaves nothing of 2 of 5 rows: are they no data?" in [q.text for q in cut.questions]


def test_what_a_reshape_has_read_is_no_cell_any_more() -> None:
    day = "parse_date(booking_date, '%d.%m.%Y') as day"
    read = f"select {KEYS}, {day}, payee, purpose, amount, balance, currency from source"
    found = judged(STATEMENT, BANK, {**RIGHT, "booked_on": "day"}, reshape=read)
    assert found.violations == ()
    assert [q.text for q in found.questions] == ["the file is reshaped first: is booked_on, made of day, right?"]
    named = read.replace(" as day", " as booking_date")
    assert ("cells_stay_in_their_rows", "reshape") in rules(
        judged(STATEMENT, BANK, {**RIGHT, "booked_on": "booking_date"}, reshape=named)
    )


def test_rows_that_a_reshape_loses_without_a_condition() -> None:
    profile = layout(
        """
        Day;Jan;Feb
        1;5,40;
        2;;6,00
        3;;
        4;7,00;8,00
    """,
        delimiter=";",
    )
    profile = replace(
        profile, columns=tuple(replace(c, values=tuple(v or "" for v in c.values)) for c in profile.columns)
    )
    contract = Contract("months", "", (Column("pieces", "decimal(18,2)", not_null=True), Column("month", "text")))
    unpivot = (
        f"select {KEYS}, day, nullif(v, '') as v, m from source unpivot (v for m in (jan, feb)) where has_value(v)"
    )
    columns = {"pieces": "parse_decimal(v, ',')", "month": "m"}
    found = judged(profile, contract, columns, reshape=unpivot)
    assert [q.text for q in found.questions] == [
        "the reshape leaves nothing of 1 of 4 rows: are they no data?",
        "the file is reshaped first: is pieces, made of v, right?",
    ]


# ---- the sign of money ----------------------------------------------------------------------------------------------


def test_a_running_balance_decides_on_the_sign() -> None:
    assert of("amount", "-parse_decimal(amount, ',')") == [("amount_signs", "amount")]
    assert of("amount", "abs(parse_decimal(amount, ','))") == [("amount_signs", "amount")]


FLAGGED = layout("""
    Date,Payee,Amount,Type
    2024-01-30,Baker,5.40,Debit
    2024-01-31,Ann Lee,900.00,Credit
    2024-02-01,Butcher,20.00,Debit
""")
BASE = {"booked_on": "parse_date(date, '%Y-%m-%d')", "description": "clean_text(payee)"}


def test_a_flag_that_the_contract_knows_decides_on_the_sign() -> None:
    case = "case type when '{}' then -parse_decimal(amount, '.') when '{}' then parse_decimal(amount, '.') end"
    right = judged(FLAGGED, BANK, {**BASE, "amount": case.format("Debit", "Credit")})
    assert (right.violations, right.questions) == ((), ())
    for wrong in (case.format("Credit", "Debit"), "parse_decimal(amount, '.')", "-parse_decimal(amount, '.')"):
        assert rules(judged(FLAGGED, BANK, {**BASE, "amount": wrong})) == [("amount_signs", "amount")]


def test_a_pair_that_the_contract_names_decides_on_the_sign() -> None:
    profile = layout("""
        Date,Payee,Debit,Credit
        2024-01-30,Baker,5.40,
        2024-01-31,Ann Lee,,900.00
        2024-02-01,Butcher,20.00,
    """)
    right = judged(profile, BANK, {**BASE, "amount": "net_amount(credit, debit, '.')"})
    assert (right.violations, right.questions) == ((), ())
    wrong = judged(profile, BANK, {**BASE, "amount": "net_amount(debit, credit, '.')"})
    assert rules(wrong) == [("amount_signs", "amount")]


def test_amounts_that_nothing_gives_a_sign_are_asked_about_whoever_is_sure() -> None:
    profile = layout("Date,Payee,Amount\n2024-01-30,Baker,5.40\n2024-01-31,Ann,900.00\n2024-02-01,Butcher,20.00\n")
    for expression in ("parse_decimal(amount, '.')", "-parse_decimal(amount, '.')"):
        judgement = judged(profile, BANK, {**BASE, "amount": expression})
        assert judgement.violations == ()
        assert [q.column for q in judgement.questions] == ["amount"]
        assert "money in or money out?" in judgement.questions[0].text


def test_a_flag_that_the_contract_does_not_know_is_asked_about() -> None:
    profile = layout("""
        Date,Payee,Amount,Richtig
        2024-01-30,Baker,5.40,alpha
        2024-01-31,Ann Lee,900.00,beta
        2024-02-01,Butcher,20.00,alpha
    """)
    case = "case richtig when 'alpha' then -parse_decimal(amount, '.') when 'beta' then parse_decimal(amount, '.') end"
    judgement = judged(profile, BANK, {**BASE, "amount": case})
    assert judgement.violations == ()
    assert [q.column for q in judgement.questions] == ["amount"]


# ---- what stays open ------------------------------------------------------------------------------------------------


def test_dates_that_can_be_read_in_two_ways_are_asked_about_in_any_answer() -> None:
    profile = layout(
        "Date,Payee,Amount,Balance\n01/02/2024,Baker,-5.40,94.60\n03/02/2024,Ann,-4.60,90.00\n01/02/2024,Cy,-1.00,89.00\n"
    )
    columns = {
        "description": "clean_text(payee)",
        "amount": "parse_decimal(amount, '.')",
        "balance": "parse_decimal(balance, '.')",
    }
    for form in ("%d/%m/%Y", "%m/%d/%Y"):
        judgement = judged(profile, BANK, {**columns, "booked_on": f"parse_date(date, '{form}')"})
        assert judgement.violations == ()
        assert [q.text for q in judgement.questions] == ["are the dates in `Date` day first or month first?"]


def test_a_date_taken_out_of_a_text_is_asked_about_if_it_can_be_read_in_two_ways() -> None:
    profile = layout(
        "Booking,Payee,Amount\non 01/02/2024,Baker,-5.40\non 03/04/2024,Ann,-4.60\non 05/06/2024,Cy,-1.00\n"
    )
    columns = {
        "booked_on": "parse_date(right(booking, 10), '%d/%m/%Y')",
        "description": "clean_text(payee)",
        "amount": "parse_decimal(amount, '.')",
    }
    judgement = judged(profile, BANK, columns)
    assert judgement.violations == ()
    assert [q.text for q in judgement.questions] == ["are the dates in `Booking` day first or month first?"]


def test_a_question_that_the_candidate_asks_by_itself_is_not_asked_twice() -> None:
    text = "the row filter leaves out 2 of 5 rows: are they no data?"
    own = (Question(column="booked_on", text=text),)
    assert judged(STATEMENT, BANK, RIGHT, row_filter="code <> 'B'", questions=own).questions == ()


def test_signs_that_are_only_likely_are_asked_about_where_an_answer_turns_them() -> None:
    profile = layout("""
        Date,Payee,Amount
        2024-01-30,Baker,-5.40
        2024-01-31,Ann Lee,900.00
        2024-02-01,Butcher,-20.00
    """)
    assert judged(profile, BANK, {**BASE, "amount": "parse_decimal(amount, '.')"}).questions == ()
    turned = judged(profile, BANK, {**BASE, "amount": "-parse_decimal(amount, '.')"})
    assert turned.violations == ()
    assert "3 of 3 rows have another sign than is written" in turned.questions[0].text


def test_a_flag_proves_the_signs_of_amounts_that_only_the_answer_can_read() -> None:
    profile = layout("""
        Date,Payee,Amount,Type
        2024-01-30,Baker,<5.40>,Debit
        2024-01-31,Ann Lee,<900.00>,Credit
        2024-02-01,Butcher,<20.00>,Debit
    """)
    number = "parse_decimal(replace(replace(amount, '<', ''), '>', ''), '.')"
    case = f"case type when '{{}}' then -{number} when '{{}}' then {number} end"
    right = judged(profile, BANK, {**BASE, "amount": case.format("Debit", "Credit")})
    assert (right.violations, right.questions) == ((), ())
    assert rules(judged(profile, BANK, {**BASE, "amount": case.format("Credit", "Debit")})) == [
        ("amount_signs", "amount")
    ]


def test_a_year_from_beside_the_table_is_asked_about_where_rows_seem_to_be_of_two() -> None:
    text = "Day,Payee,Amount\n{},Baker,-5.40\n{},Ann,9.00\n{},Butcher,-20.00\n"
    dated = "parse_date(concat(left(_source_file, 0), '2024/', day), '%Y/%m/%d')"
    for days, asked in ((("01/29", "01/30", "02/13"), False), (("12/29", "12/30", "01/13"), True)):
        profile = layout(text.format(*days))
        judgement = judged(profile, BANK, {**BASE, "booked_on": dated, "amount": "parse_decimal(amount, '.')"})
        assert ("the year of booked_on stands beside the table" in str(judgement.questions)) is asked


def test_rows_left_out_for_a_state_of_the_contract_are_no_sound_rows() -> None:
    profile = layout("""
        Date,Payee,Amount,Flow,Status
        2024-01-30,Baker,5.40,out,done
        2024-01-31,Ann Lee,900.00,in,done
        2024-02-01,Butcher,20.00,out,failed
        2024-02-02,Butcher,21.00,out,done
        2024-02-03,Butcher,22.00,out,done
        2024-02-03,Own account,23.00,neither,done
        2024-02-04,Butcher,24.00,out,done
        2024-02-05,Butcher,25.00,out,done
    """)
    amount = "case flow when 'out' then -parse_decimal(amount, '.') when 'in' then parse_decimal(amount, '.') end"
    found = judged(profile, BANK, {**BASE, "amount": amount}, row_filter="flow in ('out', 'in') and status <> 'failed'")
    assert (found.violations, found.questions) == ((), ())
