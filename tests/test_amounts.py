"""The sign of an amount is written, told by a column or proven by the balance; otherwise it is a question.

Each case is a small invented statement, mapped by the offline matcher and evaluated in DuckDB.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from invented import evaluated, layout, shipped

from generator.candidate import Candidate
from generator.columns.profile import LayoutProfile, build_profile
from generator.matcher.offline import propose

BANK = shipped("bank_transactions")


def amounts(profile: LayoutProfile, candidate: Candidate) -> list[float | None]:
    return [None if v is None else float(v) for v in evaluated(profile, candidate, "amount")]


CASES = {
    "signed as written": (
        """
        Booking Date,Payee,Amount
        2024-01-02,Baker,-5.40
        2024-01-03,Butcher,(8.00)
        2024-01-31,Employer,"2,100.00"
        """,
        "parse_decimal(amount, '.')",
        ["amount"],
        [-5.4, -8.0, 2100.0],
    ),
    "a debit and a credit column": (
        """
        Date,Description,Debit,Credit,Balance
        2024-01-02,Baker,5.40,,94.60
        2024-01-03,Butcher,8.00,,86.60
        2024-01-31,Employer,,2100.00,2186.60
        """,
        "net_amount(credit, debit, '.')",
        ["credit", "debit"],
        [-5.4, -8.0, 2100.0],
    ),
    "a debit and a credit column of which one is empty": (
        """
        Date,Description,Paid out,Paid in
        2024-01-02,Baker,£5.40,
        2024-01-03,Butcher,£8.00,
        """,
        "net_amount(paid_in, paid_out, '.')",
        ["paid_in", "paid_out"],
        [-5.4, -8.0],
    ),
    "a pair in which the debits have their own minus": (
        """
        Date;Description;Debit;Credit
        02.01.2024;Baker;-5,40;
        03.01.2024;Butcher;-8,00;
        31.01.2024;Employer;;2.100,00
        """,
        "coalesce(nullif(parse_decimal(credit, ','), 0), nullif(parse_decimal(debit, ','), 0))",
        ["credit", "debit"],
        [-5.4, -8.0, 2100.0],
    ),
    "a flag beside unsigned amounts": (
        """
        Date,Payee,Amount,Debit/Credit
        2024-01-02,Baker,5.40,D
        2024-01-03,Butcher,8.00,D
        2024-01-31,Employer,2100.00,C
        """,
        "case when lower(clean_text(debit_credit)) in ('d') then -parse_decimal(amount, '.') "
        "when lower(clean_text(debit_credit)) in ('c') then parse_decimal(amount, '.') end",
        ["amount", "debit_credit"],
        [-5.4, -8.0, 2100.0],
    ),
    "a flag beside amounts that agree with it": (
        """
        Date,Payee,Amount,Debit/Credit
        2024-01-02,Baker,-5.40,Debit
        2024-01-03,Butcher,-8.00,Debit
        2024-01-31,Employer,2100.00,Credit
        """,
        "parse_decimal(amount, '.')",
        ["amount"],
        [-5.4, -8.0, 2100.0],
    ),
    "a flag that turns the amounts": (
        """
        Date,Payee,Amount,Debit/Credit
        2024-01-02,Baker,5.40,Debit
        2024-01-03,Butcher,8.00,Debit
        2024-01-31,Employer,-2100.00,Credit
        """,
        "-parse_decimal(amount, '.')",
        ["amount"],
        [-5.4, -8.0, 2100.0],
    ),
    "a plus on what comes in": (
        """
        Date,Payee,Amount
        2024-01-02,Baker,£5.40
        2024-01-03,Butcher,£8.00
        2024-01-31,Employer,"+ £2,100.00"
        """,
        "case when amount like '%+%' or lower(clean_text(amount)) like '%cr' then parse_decimal(amount, '.') "
        "else -parse_decimal(amount, '.') end",
        ["amount"],
        [-5.4, -8.0, 2100.0],
    ),
    "CR on what comes in": (
        """
        Date,Payee,Amount
        2024-01-02,Baker,5.40
        2024-01-03,Butcher,8.00
        2024-01-31,Employer,"2,100.00CR"
        """,
        "case when amount like '%+%' or lower(clean_text(amount)) like '%cr' then parse_decimal(amount, '.') "
        "else -parse_decimal(amount, '.') end",
        ["amount"],
        [-5.4, -8.0, 2100.0],
    ),
    "a balance that proves the sign, the oldest booking first": (
        """
        Date,Payee,Amount,Balance
        2024-01-02,Employer,100.00,600.00
        2024-01-03,Refund,50.00,650.00
        2024-01-04,Baker,-7.00,643.00
        """,
        "parse_decimal(amount, '.')",
        ["amount"],
        [100.0, 50.0, -7.0],
    ),
    "a balance that proves the sign, the newest booking first": (
        """
        Date,Payee,Amount,Balance
        2024-01-04,Baker,-7.00,643.00
        2024-01-03,Refund,50.00,650.00
        2024-01-02,Employer,100.00,600.00
        """,
        "parse_decimal(amount, '.')",
        ["amount"],
        [-7.0, 50.0, 100.0],
    ),
    "a balance that turns the sign": (
        """
        Date,Payee,Amount,Balance
        2024-01-02,Baker,100.00,500.00
        2024-01-03,Butcher,50.00,450.00
        2024-01-04,Employer,-700.00,1150.00
        """,
        "-parse_decimal(amount, '.')",
        ["amount"],
        [-100.0, -50.0, 700.0],
    ),
    "mostly positive amounts whose texts agree with the sign": (
        """
        Date,Payee,Amount
        2024-01-02,Dividend of ACME,12.00
        2024-01-03,Interest,3.00
        2024-01-04,Salary,2100.00
        2024-01-05,ATM fee,-2.00
        """,
        "parse_decimal(amount, '.')",
        ["amount"],
        [12.0, 3.0, 2100.0, -2.0],
    ),
}


@pytest.mark.parametrize(("text", "expression", "sources", "expected"), CASES.values(), ids=CASES.keys())
def test_an_amount_is_signed_by_what_the_file_says(
    text: str, expression: str, sources: list[str], expected: list[float]
) -> None:
    profile = layout(text, delimiter=";" if ";" in text else ",")
    candidate = propose(profile, BANK)
    mapping = candidate.columns["amount"]
    assert (mapping.expression, list(mapping.source_columns)) == (expression, sources)
    assert [q for q in candidate.questions if q.column == "amount"] == []
    assert mapping.confidence >= 0.75
    assert amounts(profile, candidate) == expected


HEADERLESS = {
    "one signed column": (
        "2024-01-02,Baker,-5.40\n2024-01-03,Butcher,-8.00\n2024-01-31,Employer,2100.00\n",
        [-5.4, -8, 2100],
    ),
    "a signed column and a balance": (
        "2024-01-02,Baker,-5.40,94.60\n2024-01-03,Butcher,-8.00,86.60\n2024-01-31,Employer,2100.00,2186.60\n",
        [-5.4, -8, 2100],
    ),
    "a pair of columns and a balance, the newest first": (
        "2024-01-31,Employer,,2100.00,2186.60\n2024-01-03,Butcher,8.00,,86.60\n2024-01-02,Baker,5.40,,94.60\n",
        [2100, -8, -5.4],
    ),
    "a pair of columns the other way round and a balance": (
        "2024-01-02,Baker,,5.40,94.60\n2024-01-03,Butcher,,8.00,86.60\n2024-01-31,Employer,2100.00,,2186.60\n",
        [-5.4, -8, 2100],
    ),
    "a pair of columns of which one has its own minus": (
        "2024-01-02,Baker,-5.40,\n2024-01-03,Butcher,-8.00,\n2024-01-31,Employer,,2100.00\n",
        [-5.4, -8, 2100],
    ),
    "unsigned amounts and a flag": (
        "2024-01-02,Baker,5.40,debit\n2024-01-03,Butcher,8.00,debit\n2024-01-31,Employer,2100.00,credit\n",
        [-5.4, -8, 2100],
    ),
}


@pytest.mark.parametrize(("text", "expected"), HEADERLESS.values(), ids=HEADERLESS.keys())
def test_a_file_without_header_tells_its_amounts_by_arithmetic(text: str, expected: list[float]) -> None:
    profile = layout(text, has_header=False)
    candidate = propose(profile, BANK)
    assert candidate.questions == ()
    assert amounts(profile, candidate) == expected


def test_the_column_that_proved_the_amount_is_the_balance() -> None:
    profile = layout(HEADERLESS["a signed column and a balance"][0], has_header=False)
    assert propose(profile, BANK).columns["balance"].source_columns == ("column_4",)


QUESTIONS: dict[str, tuple[str, bool, str]] = {
    "no amount has a sign": (
        "Date,Payee,Amount\n2024-01-02,Baker,5.40\n2024-01-03,Butcher,8.00\n",
        True,
        "money in or",
    ),
    "most amounts have no sign, as on a card": (
        "Date,Payee,Amount\n2024-01-02,Baker,5.40\n2024-01-03,Butcher,8.00\n2024-01-04,Shop,9.00\n2024-01-05,Payment,-50.00\n",
        True,
        "most amounts have no minus",
    ),
    "the flag contradicts the signs": (
        "Date,Payee,Amount,Debit/Credit\n2024-01-02,A,-5.40,Debit\n2024-01-03,B,8.00,Debit\n2024-01-04,C,-2.00,Credit\n",
        True,
        "contradict each other",
    ),
    "some rows fill both columns": (
        "Date,Payee,Debit,Credit\n2024-01-02,A,5.40,1.00\n2024-01-03,B,8.00,\n2024-01-04,C,,3.00\n",
        True,
        "some rows fill both",
    ),
    "a credit with a minus": (
        "Date,Payee,Debit,Credit\n2024-01-02,A,5.40,\n2024-01-03,B,8.00,\n2024-01-04,C,,-3.00\n",
        True,
        "have a sign where none is expected",
    ),
    "the balance contradicts the names of the pair": (
        "Date,Payee,Debit,Credit,Balance\n2024-01-02,A,5.40,,105.40\n2024-01-03,B,8.00,,113.40\n2024-01-04,C,,3.00,110.40\n",
        True,
        "contradicts the names",
    ),
    "no header, and no amount has a sign": ("2024-01-02,Baker,5.40\n2024-01-03,Butcher,8.00\n", False, "money in or"),
    "no header, and a pair without a balance": (
        "2024-01-02,Baker,5.40,\n2024-01-03,Butcher,8.00,\n2024-01-31,Employer,,2100.00\n",
        False,
        "which of",
    ),
}


@pytest.mark.parametrize(("text", "has_header", "asked"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_sign_that_nothing_tells_is_a_question_and_below_the_confidence_for_gold(
    text: str, has_header: bool, asked: str
) -> None:
    candidate = propose(layout(text, has_header=has_header), BANK)
    (question,) = [q for q in candidate.questions if q.column == "amount"]
    assert asked in question.text
    assert candidate.columns["amount"].confidence == 0.5


def test_a_file_without_money_has_no_amount() -> None:
    candidate = propose(layout("Date,Payee\n2024-01-02,Baker\n"), BANK)
    assert candidate.columns["amount"].expression is None
    assert candidate.columns["amount"].note


def test_one_step_of_a_balance_proves_nothing() -> None:
    candidate = propose(layout("Date,Payee,Amount,Balance\n2024-01-02,A,5.00,95.00\n2024-01-03,B,5.00,90.00\n"), BANK)
    assert [q.column for q in candidate.questions] == ["amount"]


def test_equal_amounts_to_and_fro_prove_nothing() -> None:
    rows = "".join(f"2024-01-0{i},A,5.00,{100 + i % 2 * 5}.00\n" for i in range(1, 9))
    candidate = propose(layout("Date,Payee,Amount,Balance\n" + rows), BANK)
    assert [q.column for q in candidate.questions] == ["amount"]


# ---- any statement --------------------------------------------------------------------------------------------------

MONEY = st.decimals(Decimal("-999.99"), Decimal("999.99"), places=2).filter(bool)
KINDS = ["signed", "turned", "pair", "own signs", "flag", "plus marks"]


def statement(kind: str, money: list[Decimal], newest_first: bool, balance: bool, header: bool) -> LayoutProfile:
    """A bank statement with these bookings, written in one of the ways in which banks write it."""
    headers: list[str] = ["Booking date", "Payee"]
    total, rows = Decimal("1000.00"), []
    for i, amount in enumerate(money):
        total += amount
        cells: dict[str, Any] = {"Booking date": f"2024-01-{i + 10}", "Payee": f"Shop {'abcdefghij'[i % 10]}"}
        out, into = (-amount, "") if amount < 0 else ("", amount)
        cells |= {
            "signed": {"Amount": amount},
            "turned": {"Amount": -amount},
            "pair": {"Debit": out, "Credit": into},
            "own signs": {"Debit": amount if out else "", "Credit": into},
            "flag": {"Amount": abs(amount), "Debit/Credit": "Debit" if out else "Credit"},
            "plus marks": {"Amount": abs(amount) if out else f"+{amount}"},
            "flagless": {"Amount": abs(amount)},
        }[kind]
        cells |= {"Balance": total} if balance else {}
        headers = list(cells)
        rows.append([str(c) for c in cells.values()])
    rows = rows[::-1] if newest_first else rows
    names = headers if header else [f"column_{i + 1}" for i in range(len(headers))]
    return build_profile(names, rows, source_file="x.csv", delimiter=",", has_header=header)


@given(st.lists(MONEY, min_size=3, max_size=10), st.sampled_from(KINDS), st.booleans(), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_wrong_sign_never_goes_without_a_question(
    money: list[Decimal], kind: str, newest_first: bool, balance: bool, header: bool
) -> None:
    # Amounts that are turned in the whole file look like any others unless something else is there to tell.
    assume(kind != "turned" or balance)
    # Nor can a file tell which column is which where it has no names and money went one way only.
    assume(header or (any(m > 0 for m in money) and any(m < 0 for m in money)))
    profile = statement(kind, money, newest_first, balance, header)
    candidate = propose(profile, BANK)
    if candidate.columns["amount"].expression is None or any(q.column == "amount" for q in candidate.questions):
        return
    expected = [float(m) for m in (money[::-1] if newest_first else money)]
    assert amounts(profile, candidate) == expected


UNSIGNED_BESIDE_A_BALANCE = {
    "one of ten goes the other way": (True, [-5, -8, -12, -80, -3, -7, -9, -11, 25, -4], "flagless"),
    "one of ten goes the other way, without header": (False, [-5, -8, -12, -80, -3, -7, -9, -11, 25, -4], "flagless"),
    "a plus marks the one that goes the other way": (True, [-5, -8, -12, -80, 25], "plus marks"),
    "a flag says so for the first row only": (False, [-5, 8, 12], "flag"),
    "a flag says so for one row": (False, [-5, -8, -12, -80, -3, -7, -9, 25], "flag"),
    "the balance is the only column with a minus": (False, [-600, -500, 25, -3], "flagless"),
}


@pytest.mark.parametrize(("header", "money", "kind"), UNSIGNED_BESIDE_A_BALANCE.values(), ids=UNSIGNED_BESIDE_A_BALANCE)
def test_a_balance_turns_unsigned_amounts_only_if_none_goes_the_other_way(
    header: bool, money: list[int], kind: str
) -> None:
    decimals = [Decimal(m) + Decimal("0.25") for m in money]
    profile = statement(kind, decimals, newest_first=False, balance=True, header=header)
    candidate = propose(profile, BANK)
    asked = any(q.column == "amount" for q in candidate.questions)
    assert asked or amounts(profile, candidate) == [float(m) for m in decimals]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_statement_with_names_and_a_balance_needs_no_question(kind: str, newest_first: bool) -> None:
    money = [Decimal(m) for m in ("-5.40", "-8.00", "-12.30", "2100.00", "-80.00", "-3.10", "25.00")]
    profile = statement(kind, money, newest_first, balance=True, header=True)
    candidate = propose(profile, BANK)
    assert candidate.questions == ()
    assert amounts(profile, candidate) == [float(m) for m in (money[::-1] if newest_first else money)]
