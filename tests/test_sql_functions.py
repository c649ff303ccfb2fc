"""The SQL functions on a real DuckDB: what they read, what they refuse, and what holds for every text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.database.sql_functions import create_functions_sql, function_names
from generator.errors import UsageError

MACROS = Path(__file__).parents[1] / "macros"
FUNCTIONS = {
    "clean_text",
    "has_value",
    "parse_decimal",
    "parse_integer",
    "parse_date",
    "parse_timestamp",
    "parse_boolean",
    "net_amount",
}
property_test = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute(create_functions_sql(MACROS))
        connection.execute("set TimeZone = 'America/New_York'")
        yield connection


@pytest.fixture(scope="module")
def call(connection: duckdb.DuckDBPyConnection) -> Any:
    """`call("parse_date", cell, "%Y")`: the function on a column that holds the cell, its other arguments literals."""

    def evaluate(function: str, cell: str | None, *literals: str) -> Any:
        arguments = ", ".join(["cell", *("'" + literal.replace("'", "''") + "'" for literal in literals)])
        row = connection.execute(f"select {function}({arguments}) from (select ?::varchar as cell)", [cell]).fetchone()
        assert row is not None
        return row[0]

    return evaluate


BLANKS = "\u00a0\t\u2003\u202f\u200b\ufeff\r\n\x0b\u3000"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Anna", "Anna"),
        ("  Anna  Lee ", "Anna  Lee"),
        (f"{BLANKS}Anna\u00a0Lee{BLANKS}", "Anna\u00a0Lee"),
        ("\ufeff", None),
        ("", None),
        (None, None),
        (BLANKS, None),
        ("NULL", None),
        (" NULL ", None),
        ("\\N", None),
        ("#N/A", None),
        ("N/A", None),
        ("(Null)", None),
        ("<NULL>", None),
        ("[null]", None),
        ("Null", "Null"),
        ("null", "null"),
        ("\\n", "\\n"),
        ("n/a", "n/a"),
        ("None", "None"),
        ("-", "-"),
        ("NULL NULL", "NULL NULL"),
        ("👩‍👩‍👧 ", "👩‍👩‍👧"),
        ("a\n b ", "a\n b"),
    ],
)
def test_clean_text(call: Any, cell: str | None, expected: str | None) -> None:
    assert call("clean_text", cell) == expected


@pytest.mark.parametrize(
    "cell", ["a", "0", " x ", "Nan a", "nulls", "日本", "✓", "½", "-5", "(none yet)", "no", "false"]
)
def test_has_value(call: Any, cell: str) -> None:
    assert call("has_value", cell) is True


@pytest.mark.parametrize(
    "cell",
    [None, "", " ", BLANKS, "null", "NULL", "None", " NaN ", "n/a", "N/A", "na", "#N/A", "nil", "\\n", "\\N", "(null)"]
    + ["-", "--", "–", "—", "−", "/", ".", "?", "...", "*", "_", "$ -", "()", "- -", "=", "\x00"],
)
def test_has_no_value(call: Any, cell: str | None) -> None:
    assert call("has_value", cell) is False


@pytest.mark.parametrize(
    ("cell", "sep", "expected"),
    [
        ("0", ".", "0"),
        ("007", ".", "7"),
        (" 12.50\u00a0", ".", "12.5"),
        (".23", ".", "0.23"),
        ("-.23", ".", "-0.23"),
        ("5.", ".", "5"),
        ("5,", ",", "5"),
        ("+5", ".", "5"),
        ("5+", ".", "5"),
        ("-5", ".", "-5"),
        ("- 5", ".", "-5"),
        ("−5", ".", "-5"),
        ("5-", ".", "-5"),
        ("5 -", ".", "-5"),
        ("1.234,56-", ",", "-1234.56"),
        ("(5)", ".", "-5"),
        ("( 5.00 )", ".", "-5"),
        ("12.50 DR", ".", "-12.5"),
        ("12.50Dr", ".", "-12.5"),
        ("12.50 cr", ".", "12.5"),
        ("12.50 EUR DR", ".", "-12.5"),
        ("1,234.56", ".", "1234.56"),
        ("1.234.567", ",", "1234567"),
        ("1 234,5", ",", "1234.5"),
        ("1\u202f234,5", ",", "1234.5"),
        ("1\u00a0234\u00a0567", ".", "1234567"),
        ("1'234.50", ".", "1234.5"),
        ("1’234,50", ",", "1234.5"),
        ("12,34,567.89", ".", "1234567.89"),
        ("1234567.89", ".", "1234567.89"),
        ("1.234", ".", "1.234"),
        ("$76.00", ".", "76"),
        ("76.00$", ".", "76"),
        ("-$76.00", ".", "-76"),
        ("$-76.00", ".", "-76"),
        ("$ -76.00", ".", "-76"),
        ("+ £1,100.00", ".", "1100"),
        ("($85.00)", ".", "-85"),
        ("$(85.00)", ".", "-85"),
        ("(85.00 EUR)", ".", "-85"),
        ("(85.00) EUR", ".", "-85"),
        ("5 €-", ".", "-5"),
        ("5- €", ".", "-5"),
        ("1.234,56- EUR", ",", "-1234.56"),
        ("EUR 5-", ".", "-5"),
        ("EUR-5", ".", "-5"),
        ("USD5", ".", "5"),
        ("$5.00 USD", ".", "5"),
        ("$ 5- USD", ".", "-5"),
        ("CA$5.00 CAD", ".", "5"),
        ("US$5", ".", "5"),
        ("R$ 1.234,50", ",", "1234.5"),
        ("12,50 kr", ",", "12.5"),
        ("kr. 12,50", ",", "12.5"),
        ("12,50 zł", ",", "12.5"),
        ("12,50 Kč", ",", "12.5"),
        ("1 250 Ft", ",", "1250"),
        ("Fr. 12.50", ".", "12.5"),
        ("Fr.12.50", ".", "12.5"),
        ("Rs.500", ".", "500"),
        ("¥500", ".", "500"),
        ("500円", ".", "500"),
        ("500元", ".", "500"),
        ("500원", ".", "500"),
        ("500 руб.", ".", "500"),
        ("12,5 лв", ",", "12.5"),
        ("12,5 TL", ",", "12.5"),
        ("₹12,34,567", ".", "1234567"),
        ("USD.50", ".", "0.5"),
        ("5 IDR", ".", "5"),
        ("5 CRC", ".", "5"),
        ("1.0123456789", ".", "1.0123456789"),
        ("9" * 28, ".", "9" * 28),
        ("1,000,000,000,000,000,000,000,000,000.5", ".", "1" + "0" * 27 + ".5"),
    ],
)
def test_parse_decimal(call: Any, cell: str, sep: str, expected: str) -> None:
    assert call("parse_decimal", cell, sep) == Decimal(expected)


@pytest.mark.parametrize(
    ("cell", "sep"),
    [(None, "."), ("", "."), (" ", "."), ("-", "."), ("()", "."), (".", "."), (",", ","), ("$", "."), ("EUR", ".")]
    + [
        ("1e3", "."),
        ("1E3", "."),
        ("1_000", "."),
        ("12abc", "."),
        ("12AEUR", "."),
        ("1AUSD", "."),
        ("S€5", "."),
        ("abc", "."),
        ("0x1F", "."),
        ("NaN", "."),
    ]
    + [("inf", "."), ("Infinity", "."), ("--5", "."), ("-5-", "."), ("(-5)", "."), ("(5", "."), ("5)", ".")]
    + [("-5 DR", "."), ("(5) CR", "."), ("+-5", "."), ("1.2.3", "."), ("1,2,3", ","), ("1,00", "."), ("1.23", ",")]
    + [("1,234,56", "."), ("1234,567", "."), ("0,123", "."), ("0.123", ","), ("1 23", "."), ("1 2345", ".")]
    + [("1'234 567", "."), ("1,234 567", "."), ("1.234,567,890", ","), ("5 %", "."), ("5%", "."), ("1/2", ".")]
    + [("5 eur", "."), ("5 XYZ", "."), ("5 EURO", "."), ("EUR 5 USD", "."), ("€5 $", "."), ("5 pcs", ".")]
    + [("5.-", "."), ("5,-", ","), ("5,--", ","), ("½", "."), ("\u0663", "."), ("5\n6", "."), ("5\x00", ".")]
    + [("1.01234567891", "."), ("9" * 29, "."), ("10:30", "."), ("2024-01-05", "."), ("5", ";"), ("5;5", ";")],
)
def test_parse_decimal_refuses(call: Any, cell: str | None, sep: str) -> None:
    assert call("parse_decimal", cell, sep) is None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("5", 5), (" 5 ", 5), ("-5", -5), ("−5", -5), ("- 5", -5), ("+5", 5), ("5.0", 5), ("5,00", 5), ("-5.00", -5)]
    + [("1 234", 1234), ("1\u202f234\u202f567", 1234567), ("1'234", 1234), ("1’234,0", 1234), ("007", 7), ("-0", 0)]
    + [("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63))],
)
def test_parse_integer(call: Any, cell: str, expected: int) -> None:
    assert call("parse_integer", cell) == expected


@pytest.mark.parametrize(
    "cell",
    [None, "", "-", "2.5", "5.5", "5.000", "5.", ".0", "1,000", "1.000", "1e3", "1_000", "1 23", "12 pcs", "5-", "(5)"]
    + ["--5", "0x1F", "9223372036854775808", "5.0.0", "1'23", "0 123", "1'234 567", "€5", "\u0663"],
)
def test_parse_integer_refuses(call: Any, cell: str | None) -> None:
    assert call("parse_integer", cell) is None


@pytest.mark.parametrize(
    ("cell", "format", "expected"),
    [
        ("05.01.2024", "%d.%m.%Y", date(2024, 1, 5)),
        ("5.1.2024", "%d.%m.%Y", date(2024, 1, 5)),
        ("\ufeff 05.01.2024\u00a0", "%d.%m.%Y", date(2024, 1, 5)),
        ("2024-01-05", "%Y-%m-%d", date(2024, 1, 5)),
        ("20240105", "%Y%m%d", date(2024, 1, 5)),
        ("1/2/24", "%m/%d/%y", date(2024, 1, 2)),
        ("1/2/24", "%-m/%-d/%y", date(2024, 1, 2)),
        ("01/02/68", "%d/%m/%y", date(2068, 2, 1)),
        ("01/02/69", "%d/%m/%y", date(1969, 2, 1)),
        ("29.02.2024", "%d.%m.%Y", date(2024, 2, 29)),
        ("2024年1月5日", "%Y年%m月%d日", date(2024, 1, 5)),
        ("05.01.2024 23:59", "%d.%m.%Y %H:%M", date(2024, 1, 5)),
        ("05.01.2024  23:59", "%d.%m.%Y %H:%M", date(2024, 1, 5)),
        ("2024-01-05T23:59:59.123Z", "%Y-%m-%dT%H:%M:%S.%fZ", date(2024, 1, 5)),
        ("2024-01-05T23:59:59-11:00", "%Y-%m-%dT%H:%M:%S%z", date(2024, 1, 5)),
        ("5 Jan 2024", "%d %b %Y", date(2024, 1, 5)),
        ("5 January 2024", "%d %b %Y", date(2024, 1, 5)),
        ("5 JAN. 2024", "%d %B %Y", date(2024, 1, 5)),
        ("05JAN24", "%d%b%y", date(2024, 1, 5)),
        ("Sept. 5, 2024", "%b %d, %Y", date(2024, 9, 5)),
        ("Friday, January 5, 2024", "%A, %B %d, %Y", date(2024, 1, 5)),
        ("Fr., 5. Jan. 2024", "%a, %d. %b %Y", date(2024, 1, 5)),
        ("mar. 5 mars 2024", "%a %d %b %Y", date(2024, 3, 5)),
        ("5 de marzo de 2024", "%d de %B de %Y", date(2024, 3, 5)),
        ("05.01.2024 (Fr.)", "%d.%m.%Y (%a)", date(2024, 1, 5)),
        ("ma\u0308rz 5 2024", "%b %d %Y", date(2024, 3, 5)),
        ("01.01.1900", "%d.%m.%Y", date(1900, 1, 1)),
        ("31.12.2199", "%d.%m.%Y", date(2199, 12, 31)),
        ("01/2024", "%m/%Y", date(2024, 1, 1)),
    ],
)
def test_parse_date(call: Any, cell: str, format: str, expected: date) -> None:
    assert call("parse_date", cell, format) == expected


@pytest.mark.parametrize(
    ("cell", "format"),
    [(None, "%d.%m.%Y"), ("", "%d.%m.%Y"), ("-", "%d.%m.%Y"), ("31.02.2024", "%d.%m.%Y"), ("29.02.2023", "%d.%m.%Y")]
    + [("05.13.2024", "%d.%m.%Y"), ("00.01.2024", "%d.%m.%Y"), ("05.01.24", "%d.%m.%Y"), ("5.1.5", "%d.%m.%y")]
    + [
        ("05.01.2024", "%d.%m.%y"),
        ("05.01.2024x", "%d.%m.%Y"),
        ("x05.01.2024", "%d.%m.%Y"),
        ("005.01.2024", "%d.%m.%Y"),
    ]
    + [("05-01-2024", "%d.%m.%Y"), ("05x01x2024", "%d.%m.%Y"), ("05.01.2024 10:00", "%d.%m.%Y")]
    + [("05.01.2024", "%d.%m.%Y %H:%M"), ("05.01.2024 25:00", "%d.%m.%Y %H:%M"), ("05.01.2024 10:60", "%d.%m.%Y %H:%M")]
    + [("2024115", "%Y%m%d"), ("202415", "%Y%m%d"), ("20240230", "%Y%m%d"), ("01.01.1899", "%d.%m.%Y")]
    + [("01.01.2200", "%d.%m.%Y"), ("epoch", "%d.%m.%Y"), ("infinity", "%Y-%m-%d"), ("-infinity", "%Y")]
    + [("5 Smarch 2024", "%d %b %Y"), ("5 ja 2024", "%d %b %Y"), ("5 1 2024", "%d %b %Y"), ("30 Feb 2024", "%d %b %Y")]
    + [("2024-01-05T10:00:00 somewhere", "%Y-%m-%dT%H:%M:%S %z"), ("13:00 PM 2024-01-05", "%I:%M %p %Y-%m-%d")]
    + [("05.01.", "%d.%m."), ("10:00", "%H:%M"), ("05.01.2024", "%Q"), ("05.01.2024", ""), ("05.01.2024", "%")]
    + [("\u0665.1.2024", "%d.%m.%Y"), ("05.01.2024", "%x"), ("2023-366", "%Y-%j")],
)
def test_parse_date_refuses(call: Any, cell: str | None, format: str) -> None:
    assert call("parse_date", cell, format) is None


MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "de_AT": "Jänner Feber März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "fr short": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "es short": "ene. feb. mar. abr. may. jun. jul. ago. sept. oct. nov. dic.",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "it short": "gen feb mar apr mag giu lug ago set ott nov dic",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "pt short": "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "nl short": "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "no": "januar februar mars april mai juni juli august september oktober november desember",
    "fi": "tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu",
    "fi of": "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta "
    "lokakuuta marraskuuta joulukuuta",
    "pl": "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień",
    "pl of": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "pl short": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "cs": "leden únor březen duben květen červen červenec srpen září říjen listopad prosinec",
    "cs of": "ledna února března dubna května června července srpna září října listopadu prosince",
    "hu": "január február március április május június július augusztus szeptember október november december",
    "hu short": "jan. febr. márc. ápr. máj. jún. júl. aug. szept. okt. nov. dec.",
    "ro": "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    "tr": "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
    "tr upper": "OCAK ŞUBAT MART NİSAN MAYIS HAZİRAN TEMMUZ AĞUSTOS EYLÜL EKİM KASIM ARALIK",
    "tr short": "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    "ru": "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
    "ru of": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "ru short": "янв. февр. мар. апр. мая июн. июл. авг. сент. окт. нояб. дек.",
    "no accents": "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
}


@pytest.mark.parametrize("language", MONTHS)
@pytest.mark.parametrize("case", [str, str.upper, str.title])
def test_month_names(connection: duckdb.DuckDBPyConnection, language: str, case: Any) -> None:
    cells = [f"5 {case(name)} 2024" for name in MONTHS[language].split()]
    query = "select parse_date(cell, '%d %B %Y') from (select unnest(?::varchar[]) as cell)"
    assert [row[0] for row in connection.execute(query, [cells]).fetchall()] == [
        date(2024, month, 5) for month in range(1, 13)
    ]


@pytest.mark.parametrize(
    ("cell", "format", "expected"),
    [
        ("2024-01-05 10:20:30", "%Y-%m-%d %H:%M:%S", datetime(2024, 1, 5, 10, 20, 30)),
        ("05.01.2024 9:05", "%d.%m.%Y %H:%M", datetime(2024, 1, 5, 9, 5)),
        ("05.01.2024, 09:05 Uhr", "%d.%m.%Y, %H:%M Uhr", datetime(2024, 1, 5, 9, 5)),
        ("05.01.2024", "%d.%m.%Y", datetime(2024, 1, 5)),
        ("1/5/24 12:00 AM", "%m/%d/%y %I:%M %p", datetime(2024, 1, 5)),
        ("1/5/24 3:05\u202fPM", "%m/%d/%y %I:%M %p", datetime(2024, 1, 5, 15, 5)),
        ("2024-01-05, 3:05:00 p.m.", "%Y-%m-%d, %I:%M:%S %p", datetime(2024, 1, 5, 15, 5)),
        ("Jan 5, 2024 3:05 pm", "%b %d, %Y %I:%M %p", datetime(2024, 1, 5, 15, 5)),
        ("2024-01-05T10:20:30.5", "%Y-%m-%dT%H:%M:%S.%f", datetime(2024, 1, 5, 10, 20, 30, 500000)),
        ("2024-01-05T10:20:30.1234567", "%Y-%m-%dT%H:%M:%S.%f", datetime(2024, 1, 5, 10, 20, 30, 123456)),
        ("20240105102030", "%Y%m%d%H%M%S", datetime(2024, 1, 5, 10, 20, 30)),
        ("2024-01-05T10:20:30Z", "%Y-%m-%dT%H:%M:%S%z", datetime(2024, 1, 5, 10, 20, 30)),
        ("2024-01-05T10:20:30Z", "%Y-%m-%dT%H:%M:%SZ", datetime(2024, 1, 5, 10, 20, 30)),
        ("2024-01-05T10:20:30.123z", "%Y-%m-%dT%H:%M:%S.%f%z", datetime(2024, 1, 5, 10, 20, 30, 123000)),
        ("2024-01-05T10:20:30+02:00", "%Y-%m-%dT%H:%M:%S%z", datetime(2024, 1, 5, 8, 20, 30)),
        ("2024-01-05 10:20:30 +0200", "%Y-%m-%d %H:%M:%S %z", datetime(2024, 1, 5, 8, 20, 30)),
        ("2024-01-05 10:20:30+02", "%Y-%m-%d %H:%M:%S %z", datetime(2024, 1, 5, 8, 20, 30)),
        ("2024-01-05 23:20:30 -0530", "%Y-%m-%d %H:%M:%S %z", datetime(2024, 1, 6, 4, 50, 30)),
        ("2024-01-05 10:20:30 UTC", "%Y-%m-%d %H:%M:%S %Z", datetime(2024, 1, 5, 10, 20, 30)),
        ("2024-01-05 10:20:30 UTC", "%Y-%m-%d %H:%M:%S UTC", datetime(2024, 1, 5, 10, 20, 30)),
        ("2024-01-05 10:20:30 GMT+0200", "%Y-%m-%d %H:%M:%S %z", datetime(2024, 1, 5, 8, 20, 30)),
        ("2024-07-05 10:20:30 PDT", "%Y-%m-%d %H:%M:%S %Z", datetime(2024, 7, 5, 17, 20, 30)),
        ("2024-07-05 10:20:30 CEST", "%Y-%m-%d %H:%M:%S %Z", datetime(2024, 7, 5, 8, 20, 30)),
        ("Wed Aug 07 13:08:45 +0000 2024", "%a %b %d %H:%M:%S %z %Y", datetime(2024, 8, 7, 13, 8, 45)),
        ("Fri, 5 Jan 2024 10:20:30 +0100", "%a, %d %b %Y %H:%M:%S %z", datetime(2024, 1, 5, 9, 20, 30)),
    ],
)
def test_parse_timestamp(call: Any, cell: str, format: str, expected: datetime) -> None:
    assert call("parse_timestamp", cell, format) == expected


@pytest.mark.parametrize(
    ("cell", "format"),
    [("2024-01-05 24:00:00", "%Y-%m-%d %H:%M:%S"), ("2024-01-05 10:20", "%Y-%m-%d %H:%M:%S")]
    + [("2024-01-05 10:20:30", "%Y-%m-%d %H:%M:%S %z"), ("2024-01-05 10:20:30+02:00", "%Y-%m-%d %H:%M:%S")]
    + [("2024-01-05 10:20:30 CST", "%Y-%m-%d %H:%M:%S %Z"), ("2024-01-05 10:20:30 +99:99", "%Y-%m-%d %H:%M:%S %z")]
    + [("2024-01-05 15:00 PM", "%Y-%m-%d %H:%M %p"), ("2024-01-05 00:30 AM", "%Y-%m-%d %I:%M %p")]
    + [("2024-02-30 10:00:00", "%Y-%m-%d %H:%M:%S"), ("20240105 11500", "%Y%m%d %H%M%S"), (None, "%Y"), ("", "%Y")],
)
def test_parse_timestamp_refuses(call: Any, cell: str | None, format: str) -> None:
    assert call("parse_timestamp", cell, format) is None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("true TRUE True t yes Y 1 ja oui si sí SÍ", True),
        ("false FALSE f no N 0 nein NON", False),
        ("2 maybe x - null 10 yesno tru 1.0 да", None),
    ],
)
def test_parse_boolean(call: Any, cells: str, expected: bool | None) -> None:
    assert {call("parse_boolean", f" {cell}\u00a0") for cell in cells.split()} == {expected}


@pytest.mark.parametrize(
    ("inflow", "outflow", "expected"),
    [("5.50", "", "5.5"), ("", "5.50", "-5.5"), ("5.50", "0.00", "5.5"), ("0", "5.50", "-5.5"), ("0", "0", "0")]
    + [("-", "5", "-5"), ("€5", None, "5"), ("n/a", "1,000.00", "-1000"), ("0", "", "0"), ("9" * 28, "", "9" * 28)]
    + [("5", "6", None), ("-5", "", None), ("", "-5", None), ("", "(5)", None), ("x", "5", None), ("5", "x", None)]
    + [("", "", None), (None, None, None), ("-", "n/a", None), ("1,5", "", None), ("x", "", None)],
)
def test_net_amount(
    connection: duckdb.DuckDBPyConnection, inflow: str | None, outflow: str | None, expected: str | None
) -> None:
    # The column names are those of the function's own parameters and of the name inside its lambda.
    query = "select net_amount(pair, inflow, '.') from (select ?::varchar as pair, ?::varchar as inflow)"
    row = connection.execute(query, [inflow, outflow]).fetchone()
    assert row == (None if expected is None else Decimal(expected),)


def test_functions_work_in_a_view_filter_and_aggregate(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table cells as select '05.01.2024' as format, '(1,5)' as x, 'NULL' as sep")
    connection.execute(
        """
        create view staged as
        select
            parse_date(format, '%d.%m.%Y') as day,
            parse_decimal(clean_text(replace(x, ')', ' EUR)')), ',') as amount,
            net_amount(sep, ltrim(rtrim(x, ')'), '('), ',') as net,
            case when has_value(sep) then 'filled' else 'empty' end as state
        from cells
        where parse_timestamp(format, '%d.%m.%Y') > timestamp '2024-01-01' and not has_value(sep)
        """
    )
    row = connection.execute("select max(day), sum(amount), sum(net), any_value(state) from staged").fetchone()
    assert row == (date(2024, 1, 5), Decimal("-1.5"), Decimal("-1.5"), "empty")
    types = [column[1] for column in connection.execute("describe staged").fetchall()]
    assert types == ["DATE", "DECIMAL(38,10)", "DECIMAL(38,10)", "VARCHAR"]


GROUPINGS = {".": ["", ",", " ", "\u00a0", "\u202f", "'", "’"], ",": ["", ".", " ", "\u00a0", "\u202f", "'", "’"]}
SIGNED = {
    "-": ["-{}", "- {}", "−{}", "{}-", "{} -", "({})", "{} DR", "{}Dr"],
    "+": ["{}", "+{}", "{}+", "{} CR", " {}\u00a0"],
}
CURRENCIES = ["{}", "{}", "${}", "€ {}", "{} €", "{}EUR", "CHF {}", "{} kr", "{} zł", "R$ {}", "Fr. {}", "{}円"]


@settings(property_test, max_examples=150)
@given(data=st.data())
def test_an_amount_in_any_notation_is_read_exactly(call: Any, data: st.DataObject) -> None:
    sep = data.draw(st.sampled_from([".", ","]))
    digits = str(data.draw(st.integers(0, 10**28 - 1)))
    decimals = data.draw(st.text("0123456789", max_size=10))
    grouping = data.draw(st.sampled_from(GROUPINGS[sep]))
    number = f"{int(digits):,}".replace(",", grouping) + (sep + decimals if decimals else "")
    sign = data.draw(st.sampled_from(["-", "+"]))
    written = data.draw(st.sampled_from(SIGNED[sign])).format(data.draw(st.sampled_from(CURRENCIES)).format(number))
    assert call("parse_decimal", written, sep) == Decimal(f"{sign}{digits}.{decimals or 0}")


DATE_FORMATS = [
    *["%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y", "%Y%m%d", "%d%m%Y", "%d-%b-%Y", "%B %d, %Y", "%A, %d. %B %Y", "%d%b%Y"],
    *["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%d/%m/%Y %I:%M %p", "%Y/%m/%d %H.%M", "%Y%m%d%H%M%S", "%-d.%-m.%Y"],
]
SHORT_YEARS = ["%d.%m.%y", "%m/%d/%y", "%y%m%d", "%d %b %y"]


@property_test
@given(day=st.dates(date(1900, 1, 1), date(2199, 12, 31)), clock=st.times(), format=st.sampled_from(DATE_FORMATS))
def test_a_date_in_any_format_is_read_exactly(call: Any, day: date, clock: time, format: str) -> None:
    assert call("parse_date", datetime.combine(day, clock).strftime(format), format) == day


@property_test
@given(day=st.dates(date(1969, 1, 1), date(2068, 12, 31)), format=st.sampled_from(SHORT_YEARS))
def test_a_two_digit_year_is_1969_to_2068(call: Any, day: date, format: str) -> None:
    assert call("parse_date", day.strftime(format), format) == day


@property_test
@given(year=st.integers(1900, 2199), month=st.integers(0, 13), day=st.integers(0, 32))
def test_only_days_that_exist_are_read(call: Any, year: int, month: int, day: int) -> None:
    try:
        expected = date(year, month, day)
    except ValueError:
        expected = None
    assert call("parse_date", f"{day}/{month}/{year}", "%d/%m/%Y") == expected
    moment = call("parse_timestamp", f"{day}/{month}/{year} 1:30 +01:00", "%d/%m/%Y %H:%M %z")
    assert moment == (expected and datetime.combine(expected, time(0, 30)))


@property_test
@given(
    moment=st.datetimes(datetime(1901, 1, 1), datetime(2198, 12, 31)),
    offset=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    format=st.sampled_from(["%Y-%m-%dT%H:%M:%S.%f%z", "%d.%m.%Y %H:%M:%S.%f %z", "%b %d %Y %I:%M:%S.%f %p %z"]),
)
def test_a_timestamp_with_an_offset_is_read_as_utc(call: Any, moment: datetime, offset: timezone, format: str) -> None:
    zoned = moment.replace(tzinfo=offset)
    assert call("parse_timestamp", zoned.strftime(format), format) == zoned.astimezone(UTC).replace(tzinfo=None)


amount_parts = [*"0123456789.,.,--+()'’ \u00a0€$¤−CRDReE%", "EUR", "kr", "1.000", "1,000", "Fr.", "zł"]
amount_like = st.lists(st.sampled_from(amount_parts), max_size=8).map("".join)
texts = st.lists(st.text() | amount_like | st.text(st.sampled_from("0123456789-/.: TZ+AMPmaijun")), max_size=30)


@settings(property_test, max_examples=30)
@given(cells=texts)
def test_no_text_raises(connection: duckdb.DuckDBPyConnection, cells: list[str]) -> None:
    query = """
        select
            clean_text(cell), has_value(cell), parse_decimal(cell, '.'), parse_decimal(cell, ','), parse_integer(cell),
            parse_boolean(cell), parse_date(cell, '%d. %B %Y'), parse_date(cell, '%Y%m%d'), net_amount(cell, cell, '.'),
            parse_timestamp(cell, '%d/%m/%y %I:%M %p %z'), parse_timestamp(cell, '%Y-%m-%d')
        from (select unnest(?::varchar[]) as cell)
    """
    cleaned = [row[0] for row in connection.execute(query, [cells]).fetchall()]
    assert len(cleaned) == len(cells)
    assert all(text is None or text == text.strip() != "" for text in cleaned)


LETTERS_OF_AN_AMOUNT = re.compile(r"[A-Z]{3}|kr|zł|Kč|Ft|Rs|TL|Fr\.|лв|руб\.|[元円원]|[A-Z]{1,2}(?=\$)|[CcDd][Rr]")


@settings(property_test, max_examples=150)
@given(cells=st.lists(st.text() | amount_like, max_size=60), sep=st.sampled_from([".", ","]))
def test_an_amount_uses_every_digit_and_no_unknown_letter(
    connection: duckdb.DuckDBPyConnection, cells: list[str], sep: str
) -> None:
    query = f"select cell, parse_decimal(cell, '{sep}') from (select unnest(?::varchar[]) as cell)"
    for cell, value in connection.execute(query, [cells]).fetchall():
        if value is not None:
            assert not re.search(r"[^\W\d_]|%", LETTERS_OF_AN_AMOUNT.sub("", cell))
            whole, _, decimals = cell.replace("Fr.", "").partition(sep)
            digits = [re.sub(r"\D", "", part) for part in (whole, decimals)]
            assert abs(value) == Decimal(f"{digits[0] or 0}.{digits[1] or 0}")


def test_the_files_the_functions_and_their_documentation_agree() -> None:
    folder = MACROS / "functions"
    assert function_names(MACROS) == FUNCTIONS
    assert {f"{name}.sql" for name in FUNCTIONS} <= {file.name for file in folder.iterdir()}
    defined = {
        name for file in folder.glob("*.sql") for name in re.findall(r"{% macro (\w+)\(", file.read_text("utf-8"))
    }
    assert {f"create_{name}" for name in FUNCTIONS} | {f"duckdb__create_{name}" for name in FUNCTIONS} <= defined
    documented = yaml.safe_load((folder / "functions.yml").read_text("utf-8"))["macros"]
    assert {macro["name"] for macro in documented} == defined
    assert all(macro["description"] for macro in documented)


def test_no_month_name_stands_for_two_months(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(create_functions_sql(MACROS))  # again: the functions are replaced
    meanings: dict[str, set[int]] = {}
    for names in MONTHS.values():
        for month, name in enumerate(names.split(), 1):
            meanings.setdefault(name.lower(), set()).add(month)
    assert [name for name, months in meanings.items() if len(months) > 1] == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no SQL functions in .*: copy"),
        ({"a.sql": "{% macro duckdb__create_functions() %}"}, "do not render: .*; fix"),
        ({"a.sql": "{% macro duckdb__create_functions() %}{{ missing }}{% endmacro %}"}, "'missing' is undefined"),
        ({"a.sql": "{% macro other() %}{% endmacro %}"}, "'duckdb__create_functions' is undefined"),
        ({"a.sql": "{% macro duckdb__create_functions() %}{{ ''.__class__.mro() }}{% endmacro %}"}, "unsafe"),
        ({"a.sql": "{% macro duckdb__create_functions() %}{{ 1 + '1' }}{% endmacro %}"}, "do not render"),
    ],
)
def test_functions_that_cannot_be_rendered(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        (tmp_path / "functions").mkdir(exist_ok=True)
        (tmp_path / "functions" / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=message) as caught:
        create_functions_sql(tmp_path)
    assert "\n" not in str(caught.value)
