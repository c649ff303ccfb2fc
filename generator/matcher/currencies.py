"""What in a file tells a currency: codes and signs in headers, cells and the lines around the table. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generator.columns.profile import ColumnProfile
from generator.contracts.contract import Column

_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_LABEL = re.compile(r"(?i)w[äa]hrung|currency|devise|moneda|divisa|valuta|币种")
# Signs that belong to one currency; $, kr and ¥ are several countries'.
SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₽": "RUB",
    "zł": "PLN",
    "Kč": "CZK",
    "Ft": "HUF",
    "R$": "BRL",
    "₺": "TRY",
}


def codes_in(text: str, gold: Column) -> set[str]:
    """The codes that stand in a text as words of their own."""
    return {c for c in _CODE.findall(text) if c in gold.accepted_values}


def code_in_header(header: str, gold: Column) -> str | None:
    """The one code, or sign in parentheses, in the header of an amount."""
    found = [*sorted(codes_in(header, gold)), *(code for sign, code in SIGNS.items() if f"({sign})" in header)]
    return found[0] if len(found) == 1 else None


def codes_in_cells(amounts: Sequence[ColumnProfile], gold: Column) -> set[str]:
    """The codes of the signs or codes that stand in the cells of amounts, '' for what is no one currency's."""
    signs = {c.number.currency for c in amounts if c.number and c.number.currency}
    return {SIGNS.get(s, s if s in gold.accepted_values else "") for s in signs}


def labelled_codes(lines: str, gold: Column) -> set[str]:
    """The codes on lines that speak of a currency."""
    return {code for line in lines.splitlines() if _LABEL.search(line) for code in codes_in(line, gold)}
