"""A run that is killed at any instant: the next one completes, with nothing lost and nothing twice.

By hand, many more moments: KILLS=200 pytest tests/test_crash.py
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from aftermath import differences, facts, landed
from projects import LiveProject, command

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "4"))
RUN = ("goldsmith", "run", "--provider", "offline", "--quiet")
# What ends a job of its own when it is killed, and the commands before it.
JOBS: dict[str, tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]] = {
    "run": ((), RUN),
    "load": ((), ("goldsmith", "load", "--quiet")),
    "generate": ((("goldsmith", "load"),), ("goldsmith", "generate", "--provider", "offline", "--quiet")),
    "dbt": (
        (("goldsmith", "load"), ("goldsmith", "generate", "--provider", "offline")),
        ("dbt", "--no-use-colors", "--quiet", "run"),
    ),
}
# A run is what people kill; the others are parts of it.
TURNS = ("run", "run", "load", "run", "generate", "run", "dbt", "run twice")


def environment(project: LiveProject) -> dict[str, str]:
    project.folder.with_name("tmp").mkdir(exist_ok=True)
    return project.environment(TMPDIR=str(project.folder.with_name("tmp")))


def killed(project: LiveProject, words: tuple[str, ...], after: float) -> bool:
    """Start a command and kill it, with all that it has started, after so many seconds; False if it was faster."""
    process = subprocess.Popen(
        [command(words[0]), *words[1:]],
        cwd=project.folder,
        env=environment(project),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is there after a run that nobody disturbs, and how long each job takes in seconds."""
    lasted = {}
    for name, (before, job) in JOBS.items():
        project = landed(tmp_path_factory.mktemp("undisturbed"))
        for words in before:
            assert not killed(project, words, 120)
        start = time.monotonic()
        assert not killed(project, job, 120)
        lasted[name] = time.monotonic() - start
    assert not killed(project, RUN, 120)
    assert project.unbalanced() == []
    states = {n: f["state"] for n, f in project.status().items()}
    assert set(states.values()) == {"gold", "failed", "blocked"}
    return {"facts": facts(project), "lasted": lasted, "states": states}


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_command_loses_nothing_and_does_nothing_twice(
    number: int, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    chance = random.Random(number)
    turn = TURNS[number % len(TURNS)]
    name, times = turn.split()[0], 2 if turn.endswith("twice") else 1
    project = landed(tmp_path)
    before, job = JOBS[name]
    for words in before:
        assert not killed(project, words, 120)
    moments = [chance.uniform(0, undisturbed["lasted"][name]) for _ in range(times)]
    died = [killed(project, job, moment) for moment in moments]

    ran = project.goldsmith("run", "--provider", "offline", "--json", TMPDIR=environment(project)["TMPDIR"])
    story = f"{turn} killed after {moments} of {undisturbed['lasted'][name]:.2f} s ({died}): {ran.code} {ran.err}"
    assert ran.code == 1, story
    assert project.unbalanced() == [], story
    assert differences(facts(project), undisturbed["facts"]) == [], story
    assert list(project.folder.with_name("tmp").iterdir()) == [], story

    assert {n: f["state"] for n, f in project.status().items()} == undisturbed["states"], story

    again = project.goldsmith("run", "--provider", "offline", "--json")
    assert again.code == 1, again
    assert {f["state"] for f in again.json["files"]} == {"known", "failed", "blocked", "refused"}, story
    assert differences(facts(project), undisturbed["facts"]) == [], story
