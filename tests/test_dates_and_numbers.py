"""How dates and numbers are written is read from the cells, and what they leave open stays open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from invented import functions

from generator.columns.cells import has_value
from generator.columns.dates import DateShape, date_shape, read_date, settle_dates
from generator.columns.numbers import number_parts, number_shape, read_number, settle_numbers

JAN_31 = datetime(2024, 1, 31)
EVENING = datetime(2024, 1, 31, 22, 15, 30)


def sql_values(function: str, cells: Sequence[str], argument: str) -> list[object]:
    found = functions().execute(f"select {function}(cell, '{argument}') from (select unnest(?) as cell)", [list(cells)])
    return [value for (value,) in found.fetchall()]


# ---- dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "form", "label", "moment"),
    [
        ("2024-01-31", "%Y-%m-%d", "YYYY-MM-DD", JAN_31),
        ("2024/1/31", "%Y/%m/%d", "YYYY/MM/DD", JAN_31),
        ("2024.01.31.", "%Y.%m.%d.", "YYYY.MM.DD.", JAN_31),
        ("2024. 1. 31.", "%Y. %m. %d.", "YYYY. MM. DD.", JAN_31),
        ("20240131", "%Y%m%d", "YYYYMMDD", JAN_31),
        ("31.01.2024", "%d.%m.%Y", "DD.MM.YYYY", JAN_31),
        ("31. 1. 2024", "%d. %m. %Y", "DD. MM. YYYY", JAN_31),
        ("31/1/2024", "%d/%m/%Y", "DD/MM/YYYY", JAN_31),
        ("31-01-2024", "%d-%m-%Y", "DD-MM-YYYY", JAN_31),
        ("31 01 2024", "%d %m %Y", "DD MM YYYY", JAN_31),
        ("01/31/2024", "%m/%d/%Y", "MM/DD/YYYY", JAN_31),
        ("31.01.24", "%d.%m.%y", "DD.MM.YY", JAN_31),
        ("1/31/24", "%m/%d/%y", "MM/DD/YY", JAN_31),
        ("31 Jan 2024", "%d %b %Y", "DD Mon YYYY", JAN_31),
        ("31-Jan-24", "%d-%b-%y", "DD-Mon-YY", JAN_31),
        ("31JAN2024", "%d%b%Y", "DDMonYYYY", JAN_31),
        ("31. Januar 2024", "%d. %b %Y", "DD. Mon YYYY", JAN_31),
        ("31 janv. 2024", "%d %b %Y", "DD Mon YYYY", JAN_31),
        ("31 de enero de 2024", "%d de %b de %Y", "DD de Mon de YYYY", JAN_31),
        ("31 января 2024", "%d %b %Y", "DD Mon YYYY", JAN_31),
        ("Jan 31, 2024", "%b %d, %Y", "Mon DD, YYYY", JAN_31),
        ("2024年1月31日", "%Y年%m月%d日", "YYYY年MM月DD日", JAN_31),
        ("2024-01-31 22:15", "%Y-%m-%d %H:%M", "YYYY-MM-DD hh:mm", EVENING.replace(second=0)),
        ("2024-01-31 22:15:30", "%Y-%m-%d %H:%M:%S", "YYYY-MM-DD hh:mm:ss", EVENING),
        ("2024-01-31T22:15:30Z", "%Y-%m-%dT%H:%M:%S%z", "YYYY-MM-DDThh:mm:sszone", EVENING),
        ("2024-02-01T00:15:30+02:00", "%Y-%m-%dT%H:%M:%S%z", "YYYY-MM-DDThh:mm:sszone", EVENING),
        ("2024-02-01 00:15:30+02", "%Y-%m-%d %H:%M:%S%z", "YYYY-MM-DD hh:mm:sszone", EVENING),
        ("2024-01-31 22:15:30 UTC", "%Y-%m-%d %H:%M:%S %z", "YYYY-MM-DD hh:mm:ss zone", EVENING),
        ("Jan 31, 2024 2:15:30 PM PST", "%b %d, %Y %I:%M:%S %p %z", "Mon DD, YYYY hh:mm:ss AM zone", EVENING),
        ("2024-01-31 22:15:30.250", "%Y-%m-%d %H:%M:%S.%f", "YYYY-MM-DD hh:mm:ss", EVENING.replace(microsecond=250000)),
        ("2024-01-31 22:15:30,250", "%Y-%m-%d %H:%M:%S,%f", "YYYY-MM-DD hh:mm:ss", EVENING.replace(microsecond=250000)),
        ("31.01.2024, 22:15:30", "%d.%m.%Y, %H:%M:%S", "DD.MM.YYYY, hh:mm:ss", EVENING),
        ("1/31/2024 10:15:30 PM", "%m/%d/%Y %I:%M:%S %p", "MM/DD/YYYY hh:mm:ss AM", EVENING),
    ],
)
def test_a_date_is_recognised_and_sql_reads_it_by_that_format(
    cell: str, form: str, label: str, moment: datetime
) -> None:
    shape = date_shape([cell, f" {cell}\u00a0", ""])
    assert shape is not None
    assert (shape.formats, shape.label, shape.share) == ((form,), label, 1.0)
    assert shape.has_time == (moment.time() != JAN_31.time())
    assert sql_values("parse_timestamp", [cell], form) == [moment]


@pytest.mark.parametrize("cell", ["20240131101530", "20240131101530[0:GMT]", "20240131101530.000[-5:EST]"])
def test_an_ofx_date_is_the_first_eight_characters_of_its_cell(cell: str) -> None:
    shape = date_shape([cell])
    assert shape is not None
    assert (shape.formats, shape.prefix) == (("%Y%m%d",), 8)
    assert read_date(cell, shape) == JAN_31.date()


@pytest.mark.parametrize(
    "cell",
    [
        "31.02",
        "2024-13-01",
        "2024-01-32",
        "13/13/2024",
        "0/1/2024",
        "32/1/2024",
        "20241301",
        "12345678",
        "1.2.3",
        "10:15",
    ]
    + ["2024", "text", "12,50", "31 Jan", "Q1 2024", "192.168.1.10"],
)
def test_what_is_no_date_is_not_taken_for_one(cell: str) -> None:
    assert date_shape([cell, cell]) is None


def test_a_column_is_of_dates_if_three_in_five_filled_cells_are() -> None:
    dates = ["31.01.2024"] * 3
    assert date_shape([*dates, "pending", "pending", "", "  ", "n/a"]) is not None
    assert date_shape([*dates, "pending", "pending", "pending"]) is None
    assert date_shape(["", "-", "NULL"]) is None


def test_the_share_counts_dates_of_the_one_form_only() -> None:
    shape = date_shape(["31.01.2024", "30.01.2024", "29.01.2024", "2024-01-28"])
    assert shape is not None
    assert shape.share == 0.75


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["01/02/2024"], {"%d/%m/%Y", "%m/%d/%Y"}),
        (["03/04/2024", "01/02/2024", "05/01/2024"], {"%d/%m/%Y", "%m/%d/%Y"}),
        (["01/02/2024", "13/02/2024"], {"%d/%m/%Y"}),
        (["01/02/2024", "02/13/2024"], {"%m/%d/%Y"}),
        (["13/02/2024", "02/13/2024"], {"%d/%m/%Y", "%m/%d/%Y"}),
        # Day after day in one reading, to and fro in the other.
        (["11/01/2024", "12/01/2024", "01/02/2024", "03/02/2024", "01/03/2024"], {"%d/%m/%Y"}),
        (["03/01/2024", "02/03/2024", "02/01/2024", "01/12/2024", "01/11/2024"], {"%m/%d/%Y"}),
        # Two days of work after each other, or the first of several months, a Saturday and a Sunday among them.
        (["06/03/2024", "06/04/2024", "06/05/2024", "06/06/2024", "06/07/2024", "06/10/2024"], {"%m/%d/%Y"}),
        # Years of two digits may stand first: they change least.
        (["24/03/11", "24/03/12", "24/04/02"], {"%y/%m/%d"}),
        (["11/03/24", "12/03/24", "13/04/24"], {"%d/%m/%y"}),
        (["03/11/98", "03/12/98"], {"%d/%m/%y", "%m/%d/%y"}),
    ],
)
def test_day_and_month_are_told_apart_by_evidence_only(cells: list[str], formats: set[str]) -> None:
    shape = date_shape(cells)
    assert shape is not None
    assert set(shape.formats) == formats
    assert bool(shape.evidence) == (len(formats) == 1)
    assert ("NN" in shape.label) == shape.ambiguous


def test_a_lone_date_with_a_short_year_may_begin_or_end_with_it() -> None:
    shape = date_shape(["24-03-15"])
    assert shape is not None
    assert shape.formats == ("%d-%m-%y", "%y-%m-%d")
    assert settle_dates([shape], locale_day_first=True) == [shape]
    settled, _ = settle_dates([shape, date_shape(["24-03-14 10:00", "24-03-15 10:00"])], locale_day_first=False)
    assert settled is not None
    assert settled.formats == ("%y-%m-%d",)


def in_order(days: Sequence[date]) -> bool:
    return all(a <= b for a, b in pairwise(days)) or all(a >= b for a, b in pairwise(days))


SMALL = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(2020, 2025))


@given(st.lists(SMALL, min_size=1, max_size=12), st.sampled_from("/-"))
def test_dates_with_small_parts_and_no_order_keep_both_readings(parts: list[tuple[int, int, int]], sep: str) -> None:
    days = [date(y, b, a) for a, b, y in parts]
    months = [date(y, a, b) for a, b, y in parts]
    assume(not in_order(days) and not in_order(months))
    assume(len({d.day for d in days}) > 1 and len({d.day for d in months}) > 1)
    shape = date_shape([f"{a:02}{sep}{b:02}{sep}{y}" for a, b, y in parts])
    assert shape is not None
    assert shape.formats == (f"%d{sep}%m{sep}%Y", f"%m{sep}%d{sep}%Y")
    (settled,) = settle_dates([shape], locale_day_first=False)
    assert settled == shape


@given(
    st.lists(st.dates(date(1970, 1, 1), date(2068, 12, 31)), min_size=1, max_size=12),
    st.sampled_from(
        ["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%Y%m%d", "%d-%b-%Y", "%b %d, %Y", "%m/%d/%Y %H:%M"]
    ),
)
def test_the_way_in_which_dates_were_written_is_always_among_the_readings(days: list[date], form: str) -> None:
    shape = date_shape([d.strftime(form) for d in days])
    assert shape is not None
    assert form in shape.formats or (shape.evidence and shape.evidence != "a part above 12")
    if any(d.day > 12 for d in days):
        assert shape.formats == (form,)
    if not shape.ambiguous and form in shape.formats:
        assert sql_values("parse_date", [d.strftime(form) for d in days], form) == days


def test_two_digit_years_turn_at_69_as_in_sql() -> None:
    shape = DateShape(("%d.%m.%y",), False, 1.0)
    cells = ["01.01.68", "01.01.69", "31.12.99", "31.12.00"]
    assert [read_date(c, shape) for c in cells] == sql_values("parse_date", cells, "%d.%m.%y")


OPEN = date_shape(["01/02/2024", "03/02/2024"])
OPEN_DOTTED = date_shape(["01.02.2024", "03.02.2024"])
KNOWN = date_shape(["28/02/2024"])
KNOWN_US = date_shape(["02/28/2024"])
KNOWN_TIME = date_shape(["28/02/2024 10:00"])
ISO = date_shape(["2024-02-28"])


@pytest.mark.parametrize(
    ("siblings", "locale_day_first", "form", "evidence"),
    [
        ([KNOWN], False, "%d/%m/%Y", "another date column of the file"),
        ([KNOWN_US], False, "%m/%d/%Y", "another date column of the file"),
        ([KNOWN_TIME], False, "%d/%m/%Y", "another date column of the file"),
        ([KNOWN_US], True, "%m/%d/%Y", "another date column of the file"),
        ([], True, "%d/%m/%Y", "semicolons and decimal commas are day-first"),
        ([ISO, None], False, None, ""),
        ([KNOWN, KNOWN_US], False, None, ""),
    ],
)
def test_an_open_column_is_settled_by_its_siblings_then_by_the_files_notation(
    siblings: list[DateShape | None], locale_day_first: bool, form: str | None, evidence: str
) -> None:
    settled = settle_dates([OPEN, *siblings], locale_day_first)
    assert settled[1:] == siblings
    assert settled[0] is not None
    assert settled[0].evidence == evidence
    assert settled[0].ambiguous == (form is None)
    assert form in (None, settled[0].formats[0])
    assert settled[0].label == {"%d/%m/%Y": "DD/MM/YYYY", "%m/%d/%Y": "MM/DD/YYYY", None: "NN/NN/YYYY"}[form]


def test_dotted_dates_are_day_first() -> None:
    (settled,) = settle_dates([OPEN_DOTTED], locale_day_first=False)
    assert settled is not None
    assert (settled.formats, settled.evidence) == (("%d.%m.%Y",), "dotted dates are day-first")


def test_a_sibling_written_another_way_settles_nothing() -> None:
    settled, _ = settle_dates([OPEN, date_shape(["28-02-2024"])], locale_day_first=False)
    assert settled is not None
    assert settled.ambiguous


# ---- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "separator", "value"),
    [
        ("1234.50", ".", 1234.5),
        ("1,234.50", ".", 1234.5),
        ("12,34,567.89", ".", 1234567.89),
        ("1.234,50", ",", 1234.5),
        ("1 234,50", ",", 1234.5),
        ("1\u202f234,50", ",", 1234.5),
        ("1'234.50", ".", 1234.5),
        ("1’234.50", ".", 1234.5),
        ("-5.00", ".", -5),
        ("- 5.00", ".", -5),
        ("−5,00", ",", -5),
        ("5,00-", ",", -5),
        ("+5.00", ".", 5),
        ("(5.00)", ".", -5),
        ("($1,234.50)", ".", -1234.5),
        ("5.00 DR", ".", -5),
        ("5.00CR", ".", 5),
        ("1,234.56dr", ".", -1234.56),
        ("-$76.00", ".", -76),
        ("$-76.00", ".", -76),
        ("+ £1,100.00", ".", 1100),
        ("€ 5", ".", 5),
        ("5,00 €", ",", 5),
        ("EUR 5,00", ",", 5),
        ("5,00 EUR", ",", 5),
        ("R$ 5,00", ",", 5),
        ("5,00 zł", ",", 5),
        ("5 kr.", ",", 5),
        ("¥500元", ".", None),
        (".23", ".", 0.23),
        (",50", ",", 0.5),
        ("5.", ".", 5),
        ("0.250", ".", 0.25),
        ("0.250", ",", None),
        ("1.23", ",", None),
        ("1,00", ".", None),
        ("1.234", ",", 1234),
        ("1.234", ".", 1.234),
    ],
)
def test_a_number_is_read_in_its_notation_as_sql_reads_it(cell: str, separator: str, value: float | None) -> None:
    assert read_number(cell, separator) == value
    (in_sql,) = sql_values("parse_decimal", [cell], separator)
    assert value is None or in_sql == Decimal(str(value))


@pytest.mark.parametrize(
    "cell",
    [
        "1e3",
        "1E5",
        "2.5%",
        "12abc",
        "--5",
        "+-5",
        "(-5.00)",
        "1_000",
        "0x10",
        "1.2.3,4",
        "",
        "-",
        "€",
        "EUR",
        "5 5 5,x",
        "½",
    ],
)
def test_what_is_no_number_is_refused(cell: str) -> None:
    assert read_number(cell, ".") is None
    assert read_number(cell, ",") is None
    assert number_shape([cell, cell]) is None


def test_the_parts_of_a_number_are_its_sign_its_digits_and_its_currency() -> None:
    assert number_parts("($1,234.50)") == (-1, "1,234.50", "$")
    assert number_parts("+5 EUR") == (1, "5", "EUR")
    assert number_parts("5") == (0, "5", None)


PIECES = ["1", "12", "123", "1234", "000", "0", "5", ".", ",", "'", "’", " ", "\u00a0", "\u202f", "-", "+", "(", ")"]
PIECES += [
    "−",
    "$",
    "€",
    "EUR",
    "USD",
    "kr",
    "kr.",
    "Fr.",
    "R$",
    "zł",
    " CR",
    "DR",
    "Cr",
    "%",
    "e3",
    "_",
    "¥",
    "元",
    "£",
]
NUMBER_LIKE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)


@given(st.lists(NUMBER_LIKE, min_size=50, max_size=100), st.sampled_from(".,"))
@settings(max_examples=60, deadline=None)
def test_arithmetic_never_reads_another_number_than_gold(cells: list[str], separator: str) -> None:
    for cell, value in zip(cells, sql_values("parse_decimal", cells, separator), strict=True):
        number = read_number(cell, separator)
        assert number is None or value is None or abs(Decimal(str(number)) - value) < Decimal("1e-6"), cell


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'")]))
def test_what_was_written_with_thousands_signs_is_read_back(value: Decimal, signs: tuple[str, str]) -> None:
    point, group = signs
    cell = f"{value:,.2f}".translate(str.maketrans({".": point, ",": group}))
    assert read_number(cell, point) == float(value)
    shape = number_shape([cell])
    assert shape is not None
    assert shape.separators == (point,)
    assert shape.negative == (cell[0] == "-")


@pytest.mark.parametrize(
    ("cells", "separators"),
    [
        (["1.234"], (".", ",")),
        (["1,234", "12,345"], (".", ",")),
        (["1.234", "1.5"], (".",)),
        (["1.234", "1,5"], (",",)),
        (["1.234", "0.250"], (".",)),
        (["1.234.567"], (",",)),
        (["1.234,5"], (",",)),
        (["1,234.5"], (".",)),
        (["12", "1234"], (".",)),
        (["1 234"], (".",)),
    ],
)
def test_a_decimal_sign_that_could_be_a_thousands_sign_stays_open(
    cells: list[str], separators: tuple[str, ...]
) -> None:
    shape = number_shape(cells)
    assert shape is not None
    assert shape.separators == separators


def test_an_open_number_column_is_settled_by_the_other_numbers_of_the_file() -> None:
    open_, comma, point, whole = (number_shape([c]) for c in ("1.234", "5,50", "5.50", "7"))
    assert settle_numbers([open_, whole]) == [open_, whole]
    assert [s.separators for s in settle_numbers([open_, comma, None]) if s] == [(",",), (",",)]
    assert [s.separators for s in settle_numbers([open_, point]) if s] == [(".",), (".",)]
    assert settle_numbers([open_, comma, point]) == [open_, comma, point]


def test_a_number_shape_counts_signs_zeros_and_decimals() -> None:
    shape = number_shape(["-5.00", "(1.2345)", "3.10 DR", "+2.00", "1.00 CR", "0.00", "7", ""])
    assert shape is not None
    assert (shape.negative, shape.plus, shape.zero, shape.decimals) == (3, 2, 1, 4)
    assert not shape.integers


@pytest.mark.parametrize(
    ("cells", "currency"),
    [
        (["5,00 €", "6,00 €", "7,00"], "€"),
        (["EUR 5", "EUR 6"], "EUR"),
        (["5 EUR", "6 USD"], None),
        (["5", "6"], None),
        (["R$ 5", "R$ 6"], "R$"),
    ],
)
def test_a_currency_is_that_of_all_cells_that_name_one(cells: list[str], currency: str | None) -> None:
    shape = number_shape(cells)
    assert shape is not None
    assert shape.currency == currency


def test_a_column_is_of_numbers_if_three_in_five_filled_cells_are() -> None:
    assert number_shape(["5", "6", "7", "x", "y", "", "-"]) is not None
    assert number_shape(["5", "6", "x", "y"]) is None
    assert number_shape([]) is None


@given(st.text(max_size=12))
def test_a_cell_has_a_value_exactly_where_sql_says_so(cell: str) -> None:
    assume("\x00" not in cell)
    (in_sql,) = functions().execute("select has_value(?::varchar)", [cell]).fetchone() or (None,)
    # SQL looks at categories of characters, this reader at letters and digits: emoji are no text here, and need not be.
    assert in_sql or not has_value(cell)


@pytest.mark.parametrize("read", [date_shape, number_shape])
@given(cells=st.lists(st.text(max_size=10), max_size=8))
def test_any_cells_have_a_shape_or_none(read: Callable[[Sequence[str]], object], cells: list[str]) -> None:
    assert read(cells) == read(cells)
