"""What the offline matcher makes of whole layouts: composed columns, currencies, accepted values, filters, questions."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import evaluate, evaluated, layout, shipped

from generator.columns.profile import build_profile
from generator.contracts.contract import Contract, parse_contracts
from generator.matcher.matching import ACCEPT
from generator.matcher.offline import propose

BANK, ORDERS, CONTACTS, PRODUCTS = (shipped(n) for n in ("bank_transactions", "orders", "contacts", "products"))

# ---- currency -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cells", "preamble", "expression", "sources"),
    [
        ("Betrag (EUR)", ["-5,40", "-8,00"], "", "'EUR'", ["betrag_eur"]),
        ("Amount in GBP", ["-5.40", "-8.00"], "", "'GBP'", ["amount_in_gbp"]),
        ("Amount (€)", ["-5.40", "-8.00"], "", "'EUR'", ["amount_eur"]),
        ("Amount", ["-€5.40", "-€8.00"], "", "'EUR'", []),
        ("Amount", ["-5.40 CHF", "-8.00 CHF"], "", "'CHF'", []),
        ("Betrag", ["-5,40", "-8,00"], "Konto;DE12\nWährung;EUR", "'EUR'", []),
        # A dollar is several countries', and what stands before the header must call itself a currency.
        ("Amount", ["-$5.40", "-$8.00"], "", None, []),
        ("Amount", ["-5.40 EUR", "-8.00 USD"], "", None, []),
        ("Betrag", ["-5,40", "-8,00"], "Konto;EUR Giro", None, []),
        ("Betrag", ["-5,40", "-8,00"], "Währung;EUR oder USD", None, []),
        ("Amount", ["-5.40", "-8.00"], "", None, []),
    ],
)
def test_a_currency_is_in_the_header_in_the_amounts_or_before_the_table(
    header: str, cells: list[str], preamble: str, expression: str | None, sources: list[str]
) -> None:
    rows = [["2024-01-02", "Baker", cells[0]], ["2024-01-03", "Butcher", cells[1]]]
    profile = build_profile(
        ["Date", "Payee", header], rows, source_file="x", delimiter=";", has_header=True, preamble=preamble
    )
    currency = propose(profile, BANK).columns["currency"]
    assert (currency.expression, list(currency.source_columns)) == (expression, sources)


def test_a_currency_column_is_read_and_another_currency_of_the_purchase_is_not() -> None:
    profile = layout("""
        Date,Payee,Amount,Original currency,Currency
        2024-01-02,Baker,-5.40,USD,eur
        2024-01-03,Butcher,-8.00,EUR,EUR
    """)
    candidate = propose(profile, BANK)
    assert candidate.columns["currency"].source_columns == ("currency",)
    assert evaluated(profile, candidate, "currency") == ["EUR", "EUR"]


# ---- several columns for one, or none -------------------------------------------------------------------------------


def test_a_full_name_is_composed_where_there_is_none() -> None:
    profile = layout("""
        First Name,Last Name,E-Mail
        Ann,Lee,ann@example.org
        ,Fox,bob@example.org
        ,,cy@example.org
    """)
    candidate = propose(profile, CONTACTS)
    mapping = candidate.columns["full_name"]
    assert mapping.source_columns == ("first_name", "last_name")
    assert mapping.confidence == min(candidate.columns[p].confidence for p in ("first_name", "last_name"))
    assert evaluated(profile, candidate, "full_name") == ["Ann Lee", "Fox", None]


def test_a_full_name_that_is_there_is_not_composed() -> None:
    profile = layout("First Name,Last Name,Full Name\nAnn,Lee,Dr Ann Lee\n")
    assert propose(profile, CONTACTS).columns["full_name"].source_columns == ("full_name",)


def test_half_a_name_is_no_full_name() -> None:
    assert propose(layout("First Name,E-Mail\nAnn,ann@example.org\n"), CONTACTS).columns["full_name"].expression is None


def test_a_date_and_a_time_of_day_make_one_timestamp() -> None:
    (shop,) = parse_contracts(
        """
models:
  - name: sales
    config: {contract: {enforced: true}}
    columns:
      - name: sold_at
        data_type: timestamp
        config: {meta: {aliases: [date], time_aliases: [time]}}
""",
        "sales.yml",
    )
    profile = layout("Date,Time\n2024-01-31,9:05 PM\n2024-02-01,12:00 AM\n")
    candidate = propose(profile, shop)
    assert candidate.columns["sold_at"].source_columns == ("date", "time")
    assert evaluated(profile, candidate, "sold_at") == [datetime(2024, 1, 31, 21, 5), datetime(2024, 2, 1)]


def test_a_regular_price_stands_in_where_the_sale_price_is_empty() -> None:
    profile = layout("SKU,Name,Sale price,Regular price\nA1,Cup,4.00,5.00\nA2,Plate,,9.00\nA3,Fork,,2.00\n")
    candidate = propose(profile, PRODUCTS)
    assert evaluated(profile, candidate, "price") == [Decimal(4), Decimal(9), Decimal(2)]


# ---- accepted values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["paid", "Refunded", "PENDING", "paid"], ["paid", "refunded", "pending", "paid"]),
        (["Bezahlt", "paid", "Storniert", "paid"], ["paid", "paid", "cancelled", "paid"]),
    ],
)
def test_statuses_become_accepted_values_and_an_unknown_one_never_does(written: list[str], expected: list[str]) -> None:
    header = "Name,Created at,Financial Status\n"
    profile = layout(header + "\n".join(f"#{i},2024-01-{i:02},{s}" for i, s in enumerate(written, 1)))
    candidate = propose(profile, ORDERS)
    assert evaluated(profile, candidate, "status") == expected
    later = layout(header + "#9,2024-01-09,no such status\n")
    assert evaluated(later, candidate, "status")[0] not in ORDERS.column("status").accepted_values


def test_a_column_of_unknown_values_is_left_out_and_says_what_to_do() -> None:
    profile = layout("Order ID,Status\n1,apple\n2,pear\n3,plum\n")
    status = propose(profile, ORDERS).columns["status"]
    assert status.expression is None
    assert "add synonyms to the contract" in status.note


# ---- filters --------------------------------------------------------------------------------------------------------


def kept(text: str) -> list[bool]:
    profile = layout(text)
    return evaluate(profile, propose(profile, BANK).row_filter or "true")


def test_bookings_that_never_happened_are_filtered_with_a_reason() -> None:
    text = """
        Date,Payee,Amount,State
        2024-01-02,Baker,-5.40,COMPLETED
        2024-01-03,Butcher,-8.00,DECLINED
        2024-01-04,Grocer,-9.00,
        2024-01-05,Shop,-2.00,pending
    """
    assert kept(text) == [True, False, True, False]
    assert "`State` says that these rows are no bookings" in propose(layout(text), BANK).row_filter_note


def test_nothing_is_filtered_by_words_in_other_columns() -> None:
    text = "Date,Payee,Amount,Category\n2024-01-02,Pending Ltd,-5.40,void\n2024-01-03,Declined,-8.00,pending\n"
    assert propose(layout(text), BANK).row_filter is None


# ---- questions ------------------------------------------------------------------------------------------------------


def test_dates_that_can_be_read_in_two_ways_are_asked_about_with_both_readings() -> None:
    candidate = propose(layout("Date,Payee,Amount\n01/02/2024,Baker,-5.40\n03/02/2024,Butcher,-8.00\n"), BANK)
    (question,) = candidate.questions
    assert (question.column, question.readings) == ("booked_on", ("%d/%m/%Y", "%m/%d/%Y"))


def test_a_sign_in_numbers_that_can_be_read_in_two_ways_is_asked_about() -> None:
    candidate = propose(layout("SKU,Name,Price\nA1,Cup,1.234\nA2,Plate,2.500\n"), PRODUCTS)
    assert [q.column for q in candidate.questions] == ["price"]


def test_a_column_that_feeds_nothing_asks_nothing() -> None:
    candidate = propose(
        layout("Date,Due Date,Payee,Amount\n2024-01-02,01-02-2024,Baker,-5.40\n2024-01-03,03-02-2024,A,-8.00\n"), BANK
    )
    assert candidate.questions == ()


# ---- what is left out -----------------------------------------------------------------------------------------------


def test_every_column_that_is_left_out_says_why() -> None:
    profile = layout("""
        Date,Value Date,Payee,Amount,Colour,Empty
        2024-01-02,2024-01-03,Baker,-5.40,red,
        2024-01-03,2024-01-04,Butcher,-8.00,blue,
    """)
    candidate = propose(profile, BANK)
    assert set(candidate.unmapped) == {"value_date", "colour", "empty"}
    assert candidate.unmapped["empty"] == "empty in this file"
    assert candidate.unmapped["colour"] == "nothing in the contract by this name"
    assert candidate.unmapped["value_date"].startswith("nearest is booked_on")


def test_an_empty_column_is_mapped_by_its_name_with_the_format_of_the_other_dates() -> None:
    profile = layout("Order ID,Created at,Paid at,Total\n1,31.01.2024 10:00,,5.00\n2,30.01.2024 11:00,,6.00\n")
    paid_at = propose(profile, ORDERS).columns["paid_at"]
    assert paid_at.expression == "parse_timestamp(paid_at, '%d.%m.%Y %H:%M')"
    assert "empty in this file" in paid_at.note


def test_a_required_column_without_a_source_has_no_expression() -> None:
    candidate = propose(layout("Colour,Size\nred,5\n"), ORDERS)
    assert candidate.columns["order_id"].expression is None
    assert all(m.expression is None for m in candidate.columns.values())


# ---- files without header -------------------------------------------------------------------------------------------


def test_a_statement_without_header_is_told_by_shapes() -> None:
    profile = layout(
        """
        02.01.2024;Baker in the long main street of the town;-5,40;EUR
        03.01.2024;Butcher at the market place;-8,00;EUR
        13.01.2024;Employer and sons, salary of January;2.100,00;EUR
        """,
        delimiter=";",
        has_header=False,
    )
    candidate = propose(profile, BANK)
    assert {g: m.source_columns for g, m in candidate.columns.items() if m.expression} == {
        "booked_on": ("column_1",),
        "amount": ("column_3",),
        "description": ("column_2",),
        "currency": ("column_4",),
    }
    assert evaluated(profile, candidate, "booked_on")[2] == date(2024, 1, 13)
    assert candidate.questions == ()


def test_a_file_without_header_is_not_guessed_for_a_contract_without_amounts() -> None:
    candidate = propose(layout("1,Ann,ann@example.org\n2,Bob,bob@example.org\n", has_header=False), CONTACTS)
    assert all(m.expression is None for m in candidate.columns.values())


# ---- any layout -----------------------------------------------------------------------------------------------------

CELLS = st.sampled_from(
    ["", "Ann Lee", "5", "-5.40", "1.234,56", "2024-01-02", "01/02/2024", "paid", "pending", "EUR", "ann@example.org"]
    + ["DEBIT", "+5.00", "10:15", "true", "'; drop table x; --", "{{ 1 }}", "€5", "31.12.2024 10:00"]
)


@given(st.sampled_from([BANK, ORDERS, CONTACTS, PRODUCTS]), st.booleans(), st.data())
@settings(max_examples=80, deadline=None)
def test_any_proposal_is_complete_runs_and_hides_nothing(
    contract: Contract, has_header: bool, data: st.DataObject
) -> None:
    names = [alias for c in contract.columns for alias in (*c.aliases[:6], *c.weak_aliases[:3], *c.decoys[:2])]
    headers = data.draw(st.lists(st.one_of(st.sampled_from(names), st.text(max_size=5)), min_size=1, max_size=8))
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(headers), max_size=len(headers)), min_size=1, max_size=6))
    profile = build_profile(headers, rows, source_file="x", delimiter=",", has_header=has_header)
    candidate = propose(profile, contract)
    assert candidate == propose(profile, contract)
    assert tuple(candidate.columns) == contract.names
    columns = {c.name for c in profile.columns}
    used = {s for m in candidate.columns.values() for s in m.source_columns}
    assert used <= columns
    assert set(candidate.unmapped) == columns - used
    asked = {q.column for q in candidate.questions}
    for name, mapping in candidate.columns.items():
        if mapping.expression is None:
            assert mapping.note
            continue
        assert mapping.confidence >= ACCEPT or name in asked
        # It runs, in DuckDB, on the rows from which it was made.
        assert len(evaluated(profile, candidate, name)) == len(rows)
    assert set(evaluate(profile, candidate.row_filter or "true")) <= {True, False}
