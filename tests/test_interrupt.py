"""Ctrl-C at any moment: one line, exit code 130, and the next run completes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from aftermath import landed
from projects import LiveProject, command

from generator.errors import INTERRUPTED

pytestmark = pytest.mark.slow

# Imported modules after which it comes: the first of them when hardly anything is, the last in the middle of dbt.
MOMENTS = (1, 5, 100, 500, 900, 1600, 2000)


def interrupted(project: LiveProject, imports: int, *arguments: str) -> tuple[int, list[str], str]:
    """Start `goldsmith`, interrupt it after so many imports; exit code, what it said on standard error, and output."""
    process = subprocess.Popen(
        [command("goldsmith"), *arguments],
        cwd=project.folder,
        env=project.environment(PYTHONPROFILEIMPORTTIME="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr and process.stdout
    said, left = [], None
    for line in process.stderr:
        if not line.startswith("import time:"):
            said.append(line)
        # From here on it is ours; before, Python itself is starting.
        if line.rstrip().endswith("| generator.__main__"):
            left = imports
        if left is not None:
            left -= 1
            if left == 0:
                process.send_signal(signal.SIGINT)
    out = process.stdout.read()
    return process.wait(), [line.strip() for line in said if line.strip()], out


@pytest.mark.parametrize("imports", MOMENTS)
def test_ctrl_c_while_modules_are_imported_is_one_line(imports: int, tmp_path: Path) -> None:
    project = landed(tmp_path)
    code, said, out = interrupted(project, imports, "run", "--provider", "offline")
    if code == 1:
        assert imports > 1000, "it was over before so many modules were imported"
        return
    assert (code, said, out) == (130, [INTERRUPTED], "")


@pytest.mark.parametrize("number", range(int(os.environ.get("KILLS", "4"))))
def test_ctrl_c_at_any_moment_of_a_run_is_one_line_and_nothing_is_lost(number: int, tmp_path: Path) -> None:
    project = landed(tmp_path)
    process = project.start("run", "--provider", "offline")
    # A run takes some seconds; on a slow machine all moments are early ones.
    moment = 0.5 + random.Random(number).random() * 6
    try:
        out, err = process.communicate(timeout=moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err.strip()) in ((130, INTERRUPTED), (1, "")), f"after {moment:.2f} s: {out}{err}"
    assert "Traceback" not in out + err
    assert project.goldsmith("run", "--provider", "offline").code == 1
    assert project.unbalanced() == []
    assert project.query("select count(*) from raw._files") == [(6,)]


def test_a_check_that_is_terminated_leaves_nothing_in_the_folder_for_temporary_files(tmp_path: Path) -> None:
    project = landed(tmp_path / "project")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = project.start("check", "landing", "--provider", "offline", TMPDIR=str(temporary))
    deadline = time.monotonic() + 60
    while not list(temporary.glob("*/project/dbt_project.yml")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip(), out) == (130, INTERRUPTED, "")
    assert list(temporary.iterdir()) == []
