"""What an answer to a question means for an expression."""

from __future__ import annotations

import pytest

from generator.matcher.readings import read_as

DATES = ("%d/%m/%Y", "%m/%d/%Y")
SIGNS = ("decimal point", "decimal comma")
MONEY = ("money in: the amount as written", "money out: the amount negated")
CENTS = ("as written", "divided by 100")
PAIR = ("Soll is money out", "Haben is money out")
HEADERS = {"soll": "Soll", "haben": "Haben"}


@pytest.mark.parametrize(
    ("expression", "readings", "expected"),
    [
        ("parse_date(d, '%d/%m/%Y')", DATES, ("parse_date(d, '%d/%m/%Y')", "parse_date(d, '%m/%d/%Y')")),
        (
            "parse_timestamp(concat_ws(' ', d, t), '%m/%d/%Y %H:%M')",
            DATES,
            (
                "parse_timestamp(concat_ws(' ', d, t), '%d/%m/%Y %H:%M')",
                "parse_timestamp(concat_ws(' ', d, t), '%m/%d/%Y %H:%M')",
            ),
        ),
        ("parse_date(d, '%d/%m/%y')", DATES, (None, None)),
        ("my_own(d)", DATES, (None, None)),
        ("parse_decimal(a, '.')", SIGNS, ("parse_decimal(a, '.')", "parse_decimal(a, ',')")),
        ("abs(net_amount(a, b, ','))", SIGNS, ("abs(net_amount(a, b, '.'))", "abs(net_amount(a, b, ','))")),
        ("a::decimal(18, 2)", SIGNS, (None, None)),
        ("parse_decimal(a, '.')", MONEY, ("parse_decimal(a, '.')", "-parse_decimal(a, '.')")),
        ("-parse_decimal(a, '.')", MONEY, ("parse_decimal(a, '.')", "-parse_decimal(a, '.')")),
        ("case when x then -f(a) end", MONEY, ("case when x then -f(a) end", "-(case when x then -f(a) end)")),
        ("-(case when x then -f(a) end)", MONEY, ("case when x then -f(a) end", "-(case when x then -f(a) end)")),
        ("-f(a) + f(b)", MONEY, ("-f(a) + f(b)", "-(-f(a) + f(b))")),
        ("-(a) + (b)", MONEY, ("-(a) + (b)", "-(-(a) + (b))")),
        ("parse_decimal(a, '.')", CENTS, ("parse_decimal(a, '.')", "parse_decimal(a, '.') / 100")),
        ("parse_decimal(a, '.') / 100", CENTS, ("parse_decimal(a, '.')", "parse_decimal(a, '.') / 100")),
        ("(f(a) + f(b)) * 0.01", CENTS, ("f(a) + f(b)", "((f(a) + f(b))) / 100")),
        ("net_amount(haben, soll, ',')", PAIR, ("net_amount(haben, soll, ',')", "net_amount(soll, haben, ',')")),
        ("net_amount(soll, haben, ',')", PAIR, ("net_amount(haben, soll, ',')", "net_amount(soll, haben, ',')")),
        ("clean_text(a)", ("in `A`", "in `B`"), (None, None)),
        ("clean_text(a)", ("yes", "no"), (None, None)),
    ],
)  # fmt: skip
def test_an_expression_under_each_reading(
    expression: str, readings: tuple[str, ...], expected: tuple[str | None, ...]
) -> None:
    assert tuple(read_as(expression, r, readings, HEADERS) for r in readings) == expected
