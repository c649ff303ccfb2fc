"""Speed and memory, measured and printed, never asserted: `make bench [MEGABYTES=10]`.

An invented bank file goes through each step. What counts are the ratios within one run: machines differ.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[1]
HEADER = "Buchungstag;Valuta;Auftraggeber;Verwendungszweck;Betrag;Waehrung;Saldo\n"


def write_file(path: Path, megabytes: int) -> int:
    """Invent a bank file of about that size; returns its number of rows."""
    chance, balance, rows = random.Random(1), 0, 0
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        while file.tell() < megabytes << 20:
            for _ in range(1000):
                cents = chance.randint(-90_000, 60_000)
                balance, rows = balance + cents, rows + 1
                day = f"{date(2020, 1, 1) + timedelta(days=rows // 600 % 1800):%d.%m.%Y}"
                texts = (day, day, f"Firma {rows % 977} GmbH", f"Rechnung {rows}", euros(cents), "EUR", euros(balance))
                file.write(";".join(texts) + "\n")
    return rows


def euros(cents: int) -> str:
    """An amount as German banks write it."""
    whole = f"{abs(cents) // 100:,}".replace(",", ".")
    return f"{'-' if cents < 0 else ''}{whole},{abs(cents) % 100:02d}"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """How long a command takes; it must succeed."""
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


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
        rows = write_file(first, megabytes)
        second.write_text(first.read_text(encoding="utf-8").replace("Rechnung", "Invoice"), encoding="utf-8")
        environment = {**os.environ, "GOLDSMITH_DB": str(project / "bench.duckdb")}
        goldsmith = [str(Path(sys.executable).with_name("goldsmith")), "--project-dir", str(project)]
        started = time.perf_counter()
        duckdb.execute(f"create table bare as select * from read_csv('{first}', all_varchar = true, delim = ';')")
        bare = time.perf_counter() - started
        timed = {
            "start (--help)": seconds([*goldsmith, "--help"], environment),
            "load": seconds([*goldsmith, "load", str(first), "--source", "bench"], environment),
            "generate": seconds([*goldsmith, "generate", "--contract", "bank_transactions"], environment),
            "run, the rest of it": seconds([*goldsmith, "run"], environment),
            "run, next file of the layout": seconds([*goldsmith, "run", str(second), "--source", "bench"], environment),
        }
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{megabytes} MB, {rows:,} rows; DuckDB's bare read_csv into a table: {bare:.2f} s")
    for name, took in timed.items():
        print(f"{name:30} {took:6.2f} s  {took / bare:6.1f} times the bare read")
    print(f"peak memory of a step: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
