"""Speed and memory, measured and printed, never asserted: `make bench [MEGABYTES=10]`.

An invented bank file goes through each step, each in a process of its own. What counts are the ratios within one run:
machines differ.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
HEADER = "Buchungstag;Valuta;Auftraggeber;Verwendungszweck;Betrag;Waehrung;Saldo\n"
BLOCK_ROWS = 100_000
BARE = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[2])
started = time.perf_counter()
connection.execute("create table bare as select * from read_csv(?, all_varchar = true)", [sys.argv[1]])
connection.close()
print(time.perf_counter() - started)
"""


class Measured(NamedTuple):
    """What a process took: wall-clock seconds from its start to its end, its peak memory in MB, what it printed."""

    seconds: float
    memory: float
    output: str


def block_of_rows(invoice: str) -> str:
    """Bookings of a bank, invented."""
    chance, balance, lines = random.Random(1), 0, []
    for row in range(BLOCK_ROWS):
        cents = chance.randint(-90_000, 60_000)
        balance += cents
        day = f"{date(2020, 1, 1) + timedelta(days=row // 60 % 1800):%d.%m.%Y}"
        texts = (day, day, f"Firma {row % 977} GmbH", f"{invoice} {row}", euros(cents), "EUR", euros(balance))
        lines.append(";".join(texts) + "\n")
    return "".join(lines)


def write_file(path: Path, megabytes: int, invoice: str) -> int:
    """Write a bank file of about that size, the same rows over and over; returns their number."""
    lines = block_of_rows(invoice).splitlines(keepends=True)
    block, rows = "".join(lines).encode(), 0
    with path.open("wb") as file:
        file.write(HEADER.encode())
        while (left := (megabytes << 20) - file.tell()) > 0:
            if left < len(block):
                lines = lines[: 1 + left * len(lines) // len(block)]
                block = "".join(lines).encode()
            file.write(block)
            rows += len(lines)
    return rows


def euros(cents: int) -> str:
    """An amount as German banks write it."""
    whole = f"{abs(cents) // 100:,}".replace(",", ".")
    return f"{'-' if cents < 0 else ''}{whole},{abs(cents) % 100:02d}"


def measured(command: Sequence[str], environment: Mapping[str, str]) -> Measured:
    """Run a command, which must succeed."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode()
    assert process.returncode == 0, said
    return Measured(took, usage.ru_maxrss / 1024, said)


def main() -> None:
    """Measure and print."""
    megabytes = int(os.environ.get("MEGABYTES", "10"))
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as folder:
        project = Path(folder) / "project"
        for part in ("macros", "models", "seeds"):
            shutil.copytree(ROOT / part, project / part)
        for part in ("dbt_project.yml", "profiles.yml"):
            shutil.copy2(ROOT / part, project / part)
        first, second = Path(folder) / "first.csv", Path(folder) / "second.csv"
        rows = write_file(first, megabytes, "Rechnung")
        write_file(second, megabytes, "Invoice")
        environment = {**os.environ, "GOLDSMITH_DB": str(project / "bench.duckdb")}
        goldsmith = [str(Path(sys.executable).with_name("goldsmith")), "--project-dir", str(project)]
        plain = measured([sys.executable, "-c", BARE, str(first), str(Path(folder) / "bare.duckdb")], environment)
        bare = float(plain.output)
        steps = {
            "start (--help)": ["--help"],
            "load": ["load", str(first), "--source", "bench"],
            "generate": ["generate", "--contract", "bank_transactions"],
            "run, the rest of it": ["run"],
            "run, next file of the layout": ["run", str(second), "--source", "bench"],
        }
        print(f"{megabytes} MB, {rows:,} rows")
        print(f"{'DuckDB, bare read_csv to a table':34}{bare:7.2f} s {'':19}{plain.memory:7,.0f} MB", flush=True)
        for name, arguments in steps.items():
            took = measured([*goldsmith, *arguments], environment)
            speed = f"  {rows / took.seconds:,.0f} rows/s" if name == "load" else ""
            ratio = f"{took.seconds / bare:6.2f} times that"
            print(f"{name:34}{took.seconds:7.2f} s {ratio:19}{took.memory:7,.0f} MB{speed}", flush=True)


if __name__ == "__main__":
    main()
