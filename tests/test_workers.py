"""Calls beside each other: at most so many, results as they come, errors where they are waited for."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from generator.workers import Workers


def test_one_at_once_runs_where_it_is_started() -> None:
    workers: Workers[str, int] = Workers(1)
    workers.start("a", threading.get_ident)
    assert workers.full
    assert workers.wait() == ("a", threading.get_ident())
    assert not workers.busy


def test_more_at_once_run_beside_each_other_and_come_back_as_they_are_done() -> None:
    workers: Workers[int, int] = Workers(3)
    together = threading.Barrier(3)
    last = threading.Event()

    def call(number: int) -> int:
        together.wait(20)
        if number == 0:
            assert last.wait(20)
        return number * number

    for number in range(3):
        assert not workers.full
        workers.start(number, partial(call, number))
    assert workers.full
    found = dict(workers.wait() for _ in range(2))
    last.set()
    assert found == {1: 1, 2: 4}
    assert workers.wait() == (0, 0)
    assert not workers.busy


@pytest.mark.parametrize("at_once", [1, 2])
def test_what_a_call_raises_is_raised_where_its_result_is_taken(at_once: int) -> None:
    workers: Workers[str, int] = Workers(at_once)

    def fails() -> int:
        raise ValueError("so it goes")

    workers.start("a", fails)
    with pytest.raises(ValueError, match="so it goes"):
        workers.wait()
    assert not workers.busy
