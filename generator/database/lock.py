"""One writer at a time: a lock beside the database, and beside that a note of who has it, for the others to read."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from generator.disk import disk_full, is_full
from generator.errors import LockedError, UsageError

# How long a command that waits its turn waits for one and the same owner, in seconds.
PATIENCE = 60.0
# How DuckDB says that another process has a database open.
_HOLDER = re.compile(r"Could not set lock on file .*?(?:\(PID (\d+)\)|$)", re.DOTALL)
_POLL = 0.05
_LONGEST_NOTE = 4096


@dataclass(frozen=True)
class Owner:
    """A process that has a database; `since` is in seconds since the epoch."""

    pid: int
    command: str
    since: float

    def __str__(self) -> str:
        age = time.time() - self.since
        day = "%Y-%m-%d " if age > 43200 else ""
        start = time.strftime(f"{day}%H:%M:%S", time.localtime(self.since))
        return f"process {self.pid} ({self.command}) since {start}, {_age(age)}"


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


@contextmanager
def hold(database: Path, command: str, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Have the database, and its `scratch` folder, for oneself while the context lasts.

    Raises LockedError, which names the owner, if another process has it: at once, or with `waiting`, which is told of
    each owner that is waited for, after `PATIENCE`. The operating system drops the lock when its owner ends, however
    that ends; the note that is left is not believed.
    """
    lock = FileLock(_beside(database, ".lock"))
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, database, waiting)
        shutil.rmtree(_beside(database, ".scratch"), ignore_errors=True)
    except (OSError, NotImplementedError) as error:
        if is_full(error):
            raise disk_full(error, database) from None
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{lock.lock_file}: {reason}; GOLDSMITH_DB must name a place to write and lock") from None
    note = _beside(database, ".owner")
    try:
        # Without a note, on a full disk for one, the lock holds all the same.
        with suppress(OSError):
            note.unlink(missing_ok=True)
            note.write_text(json.dumps(asdict(Owner(os.getpid(), command, time.time()))), encoding="utf-8")
        yield
    finally:
        shutil.rmtree(_beside(database, ".scratch"), ignore_errors=True)
        with suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def scratch(database: Path) -> Path:
    """The folder for what is temporary while the database is held; what a killed process left there, the next clears."""
    folder = _beside(database, ".scratch")
    folder.mkdir(exist_ok=True)
    return folder


def _acquire(lock: FileLock, database: Path, waiting: Callable[[str], None] | None) -> None:
    owner, first_seen = owner_of(database), time.monotonic()
    while True:
        try:
            lock.acquire(timeout=1.0 if waiting else 0, poll_interval=_POLL)
            return
        except Timeout:
            now = owner_of(database)
            if now != owner:
                owner, first_seen = now, time.monotonic()
            if not waiting or time.monotonic() - first_seen > PATIENCE:
                raise locked(database, str(now or "another process")) from None
            waiting(f"waiting for {now or 'another process'}")


def locked(database: Path, owner: str) -> LockedError:
    """The error that says who has a database."""
    return LockedError(f"{database}: in use by {owner}; wait for it, or end it")


def held_elsewhere(database: Path, reason: str) -> LockedError | None:
    """The error that says who has a database open, if that is what DuckDB's `reason` says."""
    holder = _HOLDER.search(reason)
    return locked(database, _process(database, int(holder[1] or 0))) if holder else None


def _process(database: Path, pid: int) -> str:
    """What to call the process of that number, which has a database open: by its note, or by its program."""
    owner = owner_of(database)
    if owner and owner.pid == pid:
        return str(owner)
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()[:_LONGEST_NOTE].decode(errors="replace").split("\0")
    except OSError:
        return f"process {pid}"
    script = [w for w in words[1:2] if Path(words[0]).name.startswith("python") and not w.startswith("-")]
    return f"process {pid} ({Path((script or words)[0]).name})"


def owner_of(database: Path) -> Owner | None:
    """Who has the database by the note beside it; None if it does not say, or names a process that is gone."""
    note = _beside(database, ".owner")
    if not note.is_file():
        return None
    try:
        with note.open("rb") as file:
            said = json.loads(file.read(_LONGEST_NOTE))
        owner = Owner(int(said["pid"]), str(said["command"])[:80], float(said["since"]))
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return owner if 0 <= owner.since <= time.time() and is_alive(owner.pid) else None


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs here."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return pid > 0


def _beside(database: Path, ending: str) -> Path:
    return database.with_name(database.name + ending)
