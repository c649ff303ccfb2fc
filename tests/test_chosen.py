"""The mapping of one gold column from the columns that a person has chosen for it."""

from __future__ import annotations

import pytest
from invented import layout, shipped

from generator.candidate import ColumnMapping, Question
from generator.columns.profile import LayoutProfile
from generator.contracts.contract import Contract
from generator.matcher.chosen import knowing, mapping_from, unknown_values

BANK, ORDERS = shipped("bank_transactions"), shipped("orders")
STATEMENT = layout(
    "Day;Clock;Debit;Credit;Payee;Purpose;Money;Stage\n"
    "31.01.2024;10:15;5,40;;Baker;Rolls;-5,40;paid\n"
    "01.02.2024;11:20;;8,00;Butcher;;8,00;bezahltt\n"
    "02.02.2024;12:00;7,10;;Baker;Cake;-7,10;gone\n"
    "13.02.2024;12:30;;17,10;Mill;;-17,10;gone\n",
    delimiter=";",
)
AMBIGUOUS = layout("Day,Amount\n01/02/2024,-5.40\n03/04/2024,-8.00\n02/03/2024,7.10\n")


def made(
    profile: LayoutProfile, contract: Contract, gold: str, *columns: str
) -> tuple[ColumnMapping, tuple[Question, ...]]:
    return mapping_from(profile, contract, contract.column(gold), [profile.column(c) for c in columns])


@pytest.mark.parametrize(
    ("contract", "gold", "columns", "expression"),
    [
        (BANK, "booked_on", ("day",), "parse_date(day, '%d.%m.%Y')"),
        (ORDERS, "ordered_at", ("day", "clock"), "parse_timestamp(concat_ws(' ', day, clock), '%d.%m.%Y %H:%M')"),
        (BANK, "memo", ("payee", "purpose"), "nullif(concat_ws(' ', clean_text(payee), clean_text(purpose)), '')"),
        (BANK, "amount", ("money",), "parse_decimal(money, ',')"),
        (BANK, "amount", ("debit", "credit"), "net_amount(credit, debit, ',')"),
        (BANK, "balance", ("money", "credit"), "coalesce(parse_decimal(money, ','), parse_decimal(credit, ','))"),
    ],
)
def test_columns_make_an_expression(contract: Contract, gold: str, columns: tuple[str, ...], expression: str) -> None:
    mapping, questions = made(STATEMENT, contract, gold, *columns)
    assert (mapping.expression, set(mapping.source_columns)) == (expression, set(columns))
    assert (mapping.confidence, questions) == (1.0, ())


def test_what_a_choice_leaves_open_is_asked() -> None:
    mapping, (question,) = made(AMBIGUOUS, BANK, "booked_on", "day")
    assert mapping.expression == "parse_date(day, '%d/%m/%Y')"
    assert question.readings == ("%d/%m/%Y", "%m/%d/%Y")
    _, (question,) = made(STATEMENT, BANK, "amount", "debit")
    assert question.text.startswith("is a number without a minus in `Debit` money in or money out?")


def test_values_that_are_not_accepted_are_told_and_learnt() -> None:
    status, stage = ORDERS.column("status"), STATEMENT.column("stage")
    assert unknown_values(stage, status) == ("gone", "bezahltt")
    assert unknown_values(stage, ORDERS.column("order_id")) == ()
    knows = knowing(status, {"gone": "failed", "bezahltt": "paid"})
    assert unknown_values(stage, knows) == ()
    assert knows.synonyms["paid"] == (*status.synonyms["paid"], "bezahltt")
    expression = mapping_from(STATEMENT, ORDERS, knows, [stage])[0].expression or ""
    assert "when 'gone' then 'failed'" in expression and "when 'bezahltt' then 'paid'" in expression
