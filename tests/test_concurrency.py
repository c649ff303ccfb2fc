"""Many processes and one database: one writer at a time, who says so, and nobody is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from projects import LiveProject

from generator.database.lock import Owner, hold, owner_of
from generator.errors import INTERRUPTED, LockedError

pytestmark = pytest.mark.slow

BANK = "landing/bank_transactions/shop"
HEAD = "Booking date,Description,Amount\n"


def rows(number: int) -> str:
    return HEAD + "".join(f"2024-01-{d},Shop {number} {d},-{d}.50\n" for d in range(10, 20))


@pytest.fixture
def bank(skeleton: LiveProject) -> LiveProject:
    return skeleton.keep_contracts("bank_transactions")


@contextmanager
def running(project: LiveProject, program: str) -> Iterator[subprocess.Popen[str]]:
    """Another Python process, from when it has said a line until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(project.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    assert process.stdout.readline()
    try:
        yield process
    finally:
        process.communicate()


HOLDS_THE_LOCK = """
import sys; from pathlib import Path; from generator.database.lock import hold
with hold(Path(sys.argv[1]), "goldsmith run"): print("held", flush=True); sys.stdin.read()
"""
HAS_IT_OPEN = """
import duckdb, sys
with duckdb.connect(sys.argv[1]): print("open", flush=True); sys.stdin.read()
"""


# ---- the lock and the note beside it --------------------------------------------------------------------------------


def test_the_owner_is_named_with_its_command_and_for_how_long(tmp_path: Path) -> None:
    database = tmp_path / "x.duckdb"
    with hold(database, "goldsmith run"):
        assert re.fullmatch(
            rf"process {os.getpid()} \(goldsmith run\) since \d\d:\d\d:\d\d, 0 s", str(owner_of(database))
        )
    assert owner_of(database) is None
    assert re.search(r" since \d\d:\d\d:\d\d, 42 s$", str(Owner(1, "x", time.time() - 42)))
    assert re.search(r" since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, 20 h$", str(Owner(1, "x", time.time() - 72000)))


NOTES = {
    "nothing": b"",
    "text": b"process 4711 since 10:30:00",
    "binary": bytes(range(256)) * 99,
    "deep": b"[" * 5000,
    "no pid": b'{"command": "goldsmith run", "since": 1}',
    "a text for a pid": b'{"pid": "x", "command": "goldsmith run", "since": 1}',
    "a pid too large": b'{"pid": 1e400, "command": "goldsmith run", "since": 1}',
    "a negative pid": b'{"pid": -1, "command": "goldsmith run", "since": 1}',
    "no time": b'{"pid": 1, "command": "goldsmith run", "since": NaN}',
    "a time to come": b'{"pid": 1, "command": "goldsmith run", "since": 1e300}',
    "a process that is gone": b'{"pid": 4194304, "command": "goldsmith run", "since": 1}',
}


@pytest.mark.parametrize("note", NOTES)
def test_a_note_that_is_garbage_or_stale_is_not_believed(note: str, bank: LiveProject) -> None:
    bank.put("test.duckdb.owner", NOTES[note])
    assert owner_of(bank.database) is None
    with hold(bank.database, "goldsmith load"):
        bank.put("test.duckdb.owner", NOTES[note])
        if note in ("binary", "deep"):
            ran = bank.goldsmith("run")
            assert (ran.code, ran.out) == (3, "")
            assert ran.err.split(": ", 2)[2] == "in use by another process; wait for it, or end it\n"
    with hold(bank.database, "goldsmith run"):
        assert owner_of(bank.database) is not None


def test_a_note_that_is_a_pipe_or_a_folder_keeps_nobody_waiting(bank: LiveProject) -> None:
    note = bank.folder / "test.duckdb.owner"
    os.mkfifo(note)
    assert owner_of(bank.database) is None
    note.unlink()
    note.mkdir()
    assert owner_of(bank.database) is None
    with hold(bank.database, "goldsmith run"):
        assert bank.goldsmith("run").code == 3


def test_escape_sequences_in_a_note_reach_no_terminal(bank: LiveProject) -> None:
    with running(bank, HOLDS_THE_LOCK) as other:
        note = {"pid": other.pid, "command": "\x1b[2J\u202e" + "x" * 5000, "since": time.time()}
        bank.put("test.duckdb.owner", json.dumps(note)[:4000])
        assert bank.goldsmith("run").code == 3
        bank.put("test.duckdb.owner", json.dumps({**note, "command": "\x1b[2J\u202e"}))
        ran = bank.goldsmith("run")
        assert (ran.code, len(ran.err.splitlines())) == (3, 1)
        assert "\x1b" not in ran.err and "\u202e" not in ran.err


def test_a_lock_of_a_killed_process_is_no_lock(bank: LiveProject) -> None:
    with running(bank, HOLDS_THE_LOCK) as other:
        with pytest.raises(LockedError, match=rf"in use by process {other.pid} \(goldsmith run\) since"):
            hold(bank.database, "goldsmith run").__enter__()
        other.kill()
    assert (bank.folder / "test.duckdb.owner").exists()
    assert owner_of(bank.database) is None
    bank.put(f"{BANK}/1.csv", rows(1))
    assert bank.goldsmith("run").code == 0
    assert not (bank.folder / "test.duckdb.owner").exists()


# ---- several commands at once ---------------------------------------------------------------------------------------


def test_twenty_loads_at_once_all_get_in(bank: LiveProject) -> None:
    for number in range(20):
        bank.put(f"inbox/{number}.csv", rows(number))
    loads = [bank.start("load", f"inbox/{n}.csv", "--contract", "bank_transactions", "--json") for n in range(20)]
    said = [load.communicate(timeout=280) for load in loads]
    assert [load.returncode for load in loads] == [0] * 20, said
    assert [json.loads(out)["files"][0]["state"] for out, _ in said] == ["loaded"] * 20
    found = bank.query("select source_file, rows_read, rows_loaded, rows_rejected from raw._files order by all")
    assert found == sorted((f"{n}.csv", 10, 10, 0) for n in range(20))
    assert bank.goldsmith("run").code == 0
    assert bank.query("select count(*), count(distinct description) from gold.bank_transactions") == [(200, 200)]
    assert bank.unbalanced() == []


def test_one_file_loaded_by_five_at_once_is_there_once(bank: LiveProject) -> None:
    path = str(bank.put("inbox/one.csv", rows(1)))
    loads = [bank.start("load", path, "--json") for _ in range(5)]
    said = [load.communicate(timeout=120) for load in loads]
    assert [load.returncode for load in loads] == [0] * 5, said
    assert sorted(json.loads(out)["files"][0]["state"] for out, _ in said) == ["known"] * 4 + ["loaded"]
    assert bank.query("select rows_read from raw._files") == [(10,)]


def test_of_two_runs_the_second_says_who_has_the_database(bank: LiveProject) -> None:
    bank.put(f"{BANK}/1.csv", rows(1))
    first = bank.start("run")
    until(lambda: (bank.folder / "test.duckdb.owner").exists(), first)
    second = bank.goldsmith("run")
    assert (second.code, second.out) == (3, "")
    assert re.search(rf"test.duckdb: in use by process {first.pid} \(goldsmith run\) since [\d:]+, \d+ s; ", second.err)
    first.communicate(timeout=120)
    assert first.returncode == 0
    assert bank.query("select count(*) from gold.bank_transactions") == [(10,)]


def test_a_database_that_another_program_has_open_is_exit_code_3(bank: LiveProject) -> None:
    bank.put(f"{BANK}/1.csv", rows(1))
    assert bank.goldsmith("load").code == 0
    with running(bank, HAS_IT_OPEN) as other:
        for arguments in (("run",), ("status",), ("generate",)):
            ran = bank.goldsmith(*arguments)
            assert (ran.code, ran.out) == (3, "")
            assert f"test.duckdb: in use by process {other.pid} (python" in ran.err
            assert len(ran.err.splitlines()) == 1
    assert bank.goldsmith("run").code == 0


def test_looking_in_while_a_run_is_going_does_it_no_harm(bank: LiveProject) -> None:
    for number in range(5):
        bank.put(f"{BANK}/{number}.csv", rows(number))
    first = bank.start("run", "--json")
    looks = []
    while first.poll() is None:
        # From a shell: commands that have nothing to import would hardly leave the database alone in between.
        looks.append(bank.goldsmith(("status", "layouts")[len(looks) % 2], "--json", prefix=["env"]))
    out, err = first.communicate()
    assert (first.returncode, err) == (0, ""), out + err
    assert {look.code for look in looks} <= {0, 3} and looks
    assert all("in use by process" in look.err for look in looks if look.code == 3)
    assert bank.query("select count(*) from gold.bank_transactions") == [(50,)]
    assert bank.unbalanced() == []


def test_dbt_run_beside_goldsmith_run_costs_at_most_another_run(bank: LiveProject) -> None:
    bank.put(f"{BANK}/1.csv", rows(1))
    assert bank.goldsmith("run").code == 0
    bank.put(f"{BANK}/2.csv", rows(2))
    beside = bank.start("run")
    dbt = bank.dbt("run")
    out, err = beside.communicate(timeout=120)
    assert beside.returncode in (0, 3), out + err
    assert beside.returncode == 0 or "in use by process" in err
    assert dbt.code == 0 or "Could not set lock" in dbt.out
    assert "Traceback" not in out + err
    assert bank.goldsmith("run").code == 0
    assert bank.query("select count(*) from gold.bank_transactions") == [(20,)]
    assert bank.unbalanced() == []


def test_a_load_that_waits_for_its_turn_is_interrupted_in_one_line(bank: LiveProject) -> None:
    path = str(bank.put("inbox/one.csv", rows(1)))
    with running(bank, HOLDS_THE_LOCK):
        waits = bank.start("load", path)
        until(Idle(waits.pid).for_a_while, waits)
        waits.send_signal(signal.SIGINT)
        out, err = waits.communicate(timeout=60)
    assert (waits.returncode, out) == (130, "")
    assert err.strip().splitlines() == [INTERRUPTED]


def until(happens: object, process: subprocess.Popen[str]) -> None:
    """Come back when something is so, or the process is over."""
    assert callable(happens)
    deadline = time.monotonic() + 60
    while not happens() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


class Idle:
    """Tells when a process has done nothing for twenty looks, as one that polls a lock twenty times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before = ""
        self._same = 0

    def for_a_while(self) -> bool:
        try:
            # User time in hundredths of a second, after the name in parentheses and the state.
            now = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()[11]
        except OSError:
            return True
        self._same = self._same + 1 if now == self._before else 0
        self._before = now
        return int(now) > 10 and self._same >= 20
