"""Calls that wait for the network, a few at a time, so that a command does not wait for them one after the other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K")
R = TypeVar("R")


class Workers(Generic[K, R]):
    """Runs at most `at_once` calls beside each other; with 1, in the thread of whoever starts them.

    The threads are daemons: Ctrl-C ends the command without waiting for an endpoint that does not answer. So a call
    touches nothing that would be left half done.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._running = 0
        self._done: queue.SimpleQueue[tuple[K, Future[R]]] = queue.SimpleQueue()

    @property
    def busy(self) -> bool:
        """Whether a result is to be waited for."""
        return self._running > 0

    @property
    def full(self) -> bool:
        """Whether no call can be started before one is done."""
        return self._running >= self._at_once

    def start(self, key: K, call: Callable[[], R]) -> None:
        """Begin a call; `key` comes back with its result."""
        self._running += 1
        if self._at_once == 1:
            self._run(key, call)
        else:
            threading.Thread(target=self._run, args=(key, call), daemon=True).start()

    def wait(self) -> tuple[K, R]:
        """The key and result of the next call that is done; what it raised is raised here."""
        key, done = self._done.get()
        self._running -= 1
        return key, done.result()

    def _run(self, key: K, call: Callable[[], R]) -> None:
        done: Future[R] = Future()
        try:
            done.set_result(call())
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            done.set_exception(error)
        self._done.put((key, done))
