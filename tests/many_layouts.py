"""Many invented banks: files of as many layouts as are wanted, each with the dbt model that the matcher makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from invented import shipped

from generator.candidate import Provenance
from generator.columns.fingerprint import fingerprint
from generator.contracts.contract import load_contracts
from generator.intake.files import Incoming
from generator.matcher.offline import propose
from generator.project.layouts import read_layouts
from generator.project.render import LayoutName, render_sql, render_yml
from generator.project.staging_files import write_contract_models, write_layout
from generator.run.load import read_incoming

CONTRACT = "bank_transactions"
CITIES = "aachen bremen celle dresden essen fulda goslar halle ilmenau jena kassel lindau mainz neuss ulm".split()
KINDS = "bank volksbank stadtbank landbank kreditbank genossenbank privatbank".split()
# What the banks call their columns, and how they write their dates.
HEADERS = (
    (("Buchungstag", "Auftraggeber", "Verwendungszweck", "Betrag", "Waehrung"), "{0:02d}.02.2024", ";", "{1},{0:02d}"),
    (("Booking date", "Payee", "Reference", "Amount", "Currency"), "2024-02-{0:02d}", ",", "{1}.{0:02d}"),
    (("Date", "Description", "Memo", "Amount", "Currency"), "{0:02d}/02/2024", ",", "{1}.{0:02d}"),
)


def source(number: int) -> str:
    """The bank whose layout has that number: each bank has had some, one after the other."""
    number %= len(CITIES) * len(KINDS)
    return f"{CITIES[number % len(CITIES)]}_{KINDS[number // len(CITIES)]}"


def table(number: int) -> str:
    """A file of the layout with that number: no other has its headers."""
    headers, day, delimiter, amount = HEADERS[number % len(HEADERS)]
    last = f"{source(number)} id {number // (len(CITIES) * len(KINDS)) + 1}".title()
    lines = [delimiter.join([*headers, last])]
    for row in range(1, 21):
        cells = (day.format(row), f"Shop {row}", f"Invoice {row}", amount.format(row, -number - row), "EUR", f"K{row}")
        lines.append(delimiter.join(cells))
    return "\n".join(lines) + "\n"


def write_file(project: Path, number: int) -> Path:
    """The file in the project's folder of samples."""
    path = project / "samples" / CONTRACT / source(number) / f"layout {number}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(table(number), encoding="utf-8")
    return path


def write_layouts(project: Path, numbers: Iterable[int]) -> None:
    """Files and dbt models, and the lists of them."""
    contract = shipped(CONTRACT)
    for number in numbers:
        path = write_file(project, number)
        with read_incoming(Incoming(path, path.name, CONTRACT, source(number))) as read:
            profile = read.profile
        name = LayoutName(source(number), CONTRACT, fingerprint(profile.headers, profile.shapes))
        candidate = propose(profile, contract)
        sql = render_sql(name, candidate, contract)
        write_layout(project, name, sql, render_yml(name, candidate, contract, profile, Provenance(), sql))
    write_contract_models(project, list(load_contracts(project / "models" / "gold")), read_layouts(project))
