"""The log of all calls of an LLM, `logs/llm.jsonl`: what was asked, what it took, what was found wrong.

One JSON object a line, in the order of events: `asked` before a call, with what it may take at most; `answered` after it,
with what it took; `judged` with the rules that the answer broke. A call that has only its first line, because its process
was killed, counts at its most. No text of a prompt, an answer or a cell is in it, and no key. Processes take turns.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from generator.budget import Limits, over_limit
from generator.disk import disk_full, is_full
from generator.errors import LockedError, UsageError
from generator.llm.entry import Broken, Entry, last_of_each, spending, spent
from generator.llm.prompt import Prompt
from generator.matcher.request import ProviderError
from generator.outcome import LLMSpending
from generator.violation import Violation

# Seconds for which another process may have the log: it takes milliseconds.
PATIENCE = 10.0


class Calls:
    """The log of one project, and the run that writes it. `clock` gives seconds since the epoch."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.run = uuid4().hex[:12]
        self._path = _log(folder)
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Entry] = {}
        self._offset = 0

    def ask(
        self, prompt: Prompt, *, provider: str, host: str, llm: str, tokens: int, usd: float | None, limits: Limits
    ) -> Entry:
        """Reserve what a call may take at most, before it is made. The entry is for `answered`.

        ProviderError, and nothing reserved, if it would break a limit, or if nobody knows what the last answer for this
        layout took.
        """
        asked = Entry(
            event="asked",
            time=self._now(),
            run=self.run,
            layout=prompt.layout,
            attempt=prompt.attempt,
            call=uuid4().hex[:16],
            prompt_version=prompt.version,
            prompt_sha256=prompt.sha256,
            provider=provider,
            host=host,
            llm=llm,
            tokens=tokens,
            usd=usd,
        )
        with self._turn():
            self._catch_up()
            if any(e.counted is False for e in self._mine(prompt.layout)):
                raise ProviderError(
                    f"not asked again for this file: {host} does not say how many tokens it uses; use an endpoint that "
                    "does, or go on with --provider offline",
                    tries=0,
                    kind="uncounted",
                )
            if broken := self._over(limits, asked):
                raise ProviderError(f"{broken}, or go on with --provider offline", tries=0, kind="limit")
            self._append(asked)
        return asked

    def again(self, asked: Entry, lost: int, limits: Limits) -> bool:
        """Reserve the same once more, for a try after `lost` ones that may be charged; False if that breaks a limit."""
        usd = None if asked.usd is None else asked.usd * (lost + 1)
        with self._turn():
            self._catch_up()
            if self._over(limits, asked):
                return False
            self._append(asked.model_copy(update={"tokens": (asked.tokens or 0) * (lost + 1), "usd": usd}))
        return True

    def answered(self, entry: Entry) -> None:
        """Enter what a call took in place of what was reserved for it."""
        with self._turn():
            self._append(entry.model_copy(update={"event": "answered"}))

    def judged(self, layout: str, attempt: int, violations: Sequence[Violation]) -> None:
        """Enter which rules an answer broke: their names and gold columns, not what was said of them."""
        broken = tuple(Broken(rule=v.rule, column=v.column) for v in violations)
        with self._turn():
            self._append(
                Entry(
                    event="judged",
                    time=self._now(),
                    run=self.run,
                    layout=layout,
                    attempt=attempt,
                    violations=broken,
                )
            )

    def spending(self, limits: Limits) -> LLMSpending | None:
        """What this run took and what this day did; None if this run asked nothing."""
        mine = self._mine()
        if not mine:
            return None
        with self._turn():
            self._catch_up()
            return spending(mine, self._of(self._now()), limits)

    def _mine(self, layout: str | None = None) -> list[Entry]:
        """The calls of this run, of one layout or of all."""
        return [e for e in list(self._known.values()) if e.run == self.run and layout in (None, e.layout)]

    def _of(self, time: str) -> list[Entry]:
        """The calls of the day of that time."""
        return [e for e in self._known.values() if e.time[:10] == time[:10]]

    def _over(self, limits: Limits, more: Entry) -> str | None:
        used = {
            "file": spent(self._mine(more.layout)),
            "run": spent(self._mine()),
            "day": spent(self._of(more.time)),
        }
        return over_limit(limits, used, spent([more]))

    def _now(self) -> str:
        return _utc(self._clock())

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Nobody else reads or writes the log meanwhile."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock, FileLock(f"{self._path}.lock", timeout=PATIENCE):
                yield
        except Timeout:
            raise LockedError(
                f"{self._path}: another process has had it for {PATIENCE:g} s; end that process"
            ) from None
        except OSError as error:
            if is_full(error):
                raise disk_full(error, self._path.parent) from None
            raise UsageError(
                f"{self._path}: {error.strerror}; make it writable: no LLM is asked without an entry in this log"
            ) from None

    def _catch_up(self) -> None:
        """Read what was written since, of this run and of today."""
        if not self._path.exists():
            return
        if self._path.stat().st_size < self._offset:
            self._offset = 0
        with self._path.open("rb") as log:
            log.seek(self._offset)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        wanted = (self._now()[:10].encode(), self.run.encode())
        self._known |= last_of_each(line for line in whole.splitlines() if any(w in line for w in wanted))

    def _append(self, entry: Entry) -> None:
        line = json.dumps(entry.model_dump(exclude_defaults=True)).encode("ascii")
        with self._path.open("a+b") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - 1))
            # A line that a killed process did not finish stays by itself.
            started = log.read(1) not in (b"", b"\n")
            log.write((b"\n" if started else b"") + line + b"\n")
            log.flush()
            os.fsync(log.fileno())
        if entry.call:
            self._known[entry.call] = entry


def read_calls(folder: Path) -> list[Entry]:
    """Each call in a project's log once, as it was entered last, in the order in which they began."""
    try:
        return list(last_of_each(_log(folder).read_bytes().splitlines()).values())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{_log(folder)}: {error.strerror}; make it readable") from None


def read_spending(folder: Path, limits: Limits, now: float) -> LLMSpending | None:
    """What every run in a project's log took, the newest first; None if no LLM was ever asked."""
    calls = read_calls(folder)
    return spending(calls, [e for e in calls if e.time[:10] == _utc(now)[:10]], limits) if calls else None


def _log(folder: Path) -> Path:
    return folder / "logs" / "llm.jsonl"


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
