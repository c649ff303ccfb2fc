"""How large prompts are: an invented statement of 7 columns, an invented export of 100, and every real file at hand.

    python tests/prompt_sizes.py

Tokens are estimated as for the budget: bytes / 3, rounded up, which is more than any tokenizer makes of such texts.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asked import first_request, prompt_for, real_files, request_for, told

from generator.budget import estimate
from generator.columns.profile import LayoutProfile, build_profile

STATEMENT = ("Buchungstag", "Valuta", "Auftraggeber/Empfänger", "Verwendungszweck", "Betrag", "Währung", "Saldo")
PAYEES = ("Bäckerei Sonnenschein", "Stadtwerke Neustadt", "Haberkorn, Wilhelmine", "Café am Markt 12")
PARTS = ("Order", "Billing", "Shipping", "Lineitem", "Tax", "Refund", "Customer", "Payment", "Discount", "Device")
FACTS = ("Name", "Street", "City", "Zip", "Phone", "Amount", "Created at", "Status", "Reference", "Notes")


def statement() -> LayoutProfile:
    """A bank statement of 7 columns and 40 rows."""
    rows = [
        [
            f"{1 + i % 28:02}.0{1 + i % 6}.2024",
            f"{1 + i % 28:02}.0{1 + i % 6}.2024",
            PAYEES[i % 4],
            f"Rechnung {4711 + 37 * i} vom {1 + i % 28:02}.0{1 + i % 6}.",
            f"{'-' if i % 3 else ''}{1 + i * 7 % 1000},{i * 13 % 100:02}",
            "EUR",
            f"{1 + i % 9}.{i * 31 % 1000:03},{i * 17 % 100:02}",
        ]
        for i in range(40)
    ]
    return build_profile(STATEMENT, rows, source_file="umsaetze.csv", delimiter=";", has_header=True)


def export() -> LayoutProfile:
    """A shop's export of 100 columns and 200 rows."""
    headers = [f"{part} {fact}" for part in PARTS for fact in FACTS]
    rows = [
        [
            cell
            for j in range(len(PARTS))
            for cell in (
                f"{PAYEES[(i + j) % 4]} {'& Co.' * (i % 3)}",
                f"Am Bach {i * j % 99}{'a' * (i % 2)}",
                f"Neustadt{'-Süd' * (i % 2)}",
                f"{10000 + i * 37}",
                f"+49 555 {i:04}{'-12' * (i % 3)}",
                f"{'-' * (i % 2)}{i * 7}.{i % 100:02}",
                f"2024-03-{1 + i % 28:02} 12:{i % 60:02}:00 +0100",
                ("open", "paid", "in transit")[i % 3],
                f"R-{i * 977}{'/B' * (i % 2)}",
                "" if i % 5 else f"Bitte {'nicht ' * (i % 4)}klingeln, {i} mal.",
            )
        ]
        for i in range(200)
    ]
    return build_profile(headers, rows, source_file="export.csv", delimiter=",", has_header=True)


def sizes() -> tuple[tuple[str, LayoutProfile], tuple[str, LayoutProfile]]:
    """The two invented layouts, each with its contract."""
    return ("bank_transactions", statement()), ("orders", export())


def _row(name: str, columns: int, system: str, user: str, private: str) -> str:
    cells = (
        name,
        columns,
        f"{len(system):,}",
        f"{estimate(system):,}",
        f"{len(user):,}",
        f"{estimate(user):,}",
        private,
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    print("| layout | columns | system: characters | tokens | user: characters | tokens | bytes of cells |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for contract, profile in sizes():
        request = first_request(contract, profile)
        prompt = prompt_for(request)
        private = sum(len(run.encode()) for run in told(request, prompt))
        print(_row(f"invented, {contract}", len(profile.columns), prompt.system, prompt.user, str(private)))
    asked = [(path, request_for(contract, path)) for contract, path in real_files()]
    found = [(path, request, prompt_for(request)) for path, request in asked if request]
    for path, request, prompt in sorted(found, key=lambda f: -len(f[2].user))[:3]:
        private = sum(len(run.encode()) for run in told(request, prompt))
        print(_row(path.name[:40], len(request.profile.columns), prompt.system, prompt.user, str(private)))
    total = sum(len(run.encode()) for _, request, prompt in found for run in told(request, prompt))
    print(f"\nbytes of cells in the prompts of {len(found)} files under `shapes`: {total}")
