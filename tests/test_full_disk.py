"""A disk without room, a database that is lost or damaged: what is said, and that the next run completes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aftermath import differences, facts, landed
from projects import LiveProject, command

pytestmark = pytest.mark.slow

RUN = ("run", "--provider", "offline")
# A limit to the size of any file, in bytes: it is met in the database, in the archive, in what dbt writes.
LIMITS = (1, 60_000, 1_200_000)
# What is left free on a disk, in bytes.
FREE = (0, 700_000)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is there after a run that has room."""
    project = large(landed(tmp_path_factory.mktemp("undisturbed")))
    assert project.goldsmith(*RUN).code == 1
    return facts(project)


def large(project: LiveProject) -> LiveProject:
    """One more file, of half a megabyte."""
    lines = "".join(f"2024-03-{n % 28 + 1:02},Shop {n} in a street,-{n}.50\n" for n in range(14_000))
    project.put("landing/bank_transactions/shop/large.csv", "Booking date,Description,Amount\n" + lines)
    return project


def completes(project: LiveProject, undisturbed: dict[str, Any]) -> None:
    ran = project.goldsmith(*RUN)
    assert ran.code == 1, ran
    assert project.unbalanced() == []
    assert differences(facts(project), undisturbed) == [], ran


@pytest.mark.parametrize("limit", LIMITS)
def test_a_file_that_may_not_grow_stops_the_run_and_the_next_completes(
    limit: int, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    project = large(landed(tmp_path))
    ran = project.goldsmith(*RUN, prefix=["prlimit", f"--fsize={limit}"])
    assert ran.code in (1, 2), ran
    assert "File too large: " in ran.err and " free for " in ran.err, ran
    assert "the same command goes on from there" in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    completes(project, undisturbed)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("nobody but root may mount a disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("free", FREE)
def test_a_full_disk_stops_the_run_and_the_next_one_completes(
    free: int, undisturbed: dict[str, Any], disk: Path
) -> None:
    project = large(landed(disk))
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - free)
    ran = project.goldsmith(*RUN, TMPDIR=str(disk))
    assert ran.code == 1, ran
    assert "No space left on device: " in ran.err and f" free for {disk}" in ran.err, ran
    assert len(ran.err.strip().splitlines()) == 1
    filler.unlink()
    completes(project, undisturbed)


def test_output_that_cannot_be_written_is_one_line(skeleton: LiveProject) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [command("goldsmith"), "layouts"],
            cwd=skeleton.folder,
            env=skeleton.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert process.returncode == 1
    assert len(process.stderr.splitlines()) == 1
    assert process.stderr.startswith("goldsmith: No space left on device: ")


# ---- the database is lost or damaged --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    """A project after a run, with one of its files no longer in landing/."""
    project = large(landed(tmp_path_factory.mktemp("lost")))
    assert project.goldsmith(*RUN).code == 1
    (project.folder / "landing/bank_transactions/laden/februar.csv").unlink()
    return project


@pytest.fixture
def project(ran: LiveProject, tmp_path: Path) -> LiveProject:
    shutil.copytree(ran.folder, tmp_path / "project")
    return LiveProject(tmp_path / "project")


def test_a_lost_database_is_made_anew_from_archive_and_landing(
    project: LiveProject, undisturbed: dict[str, Any]
) -> None:
    project.database.unlink()
    completes(project, undisturbed)


def test_a_database_that_lost_its_last_transactions_gets_them_from_the_archive(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    project = large(landed(tmp_path))
    assert project.goldsmith("load", "landing/orders").code == 0
    before = project.database.read_bytes()
    assert project.goldsmith(*RUN).code == 1
    (project.folder / "landing/bank_transactions/laden/februar.csv").unlink()
    # As it is without its write-ahead log, or restored from a backup.
    project.database.write_bytes(before)
    completes(project, undisturbed)


DAMAGES = {
    "garbage": lambda whole: b"not a database, and nothing like one\n" * 9999,
    "cut off": lambda whole: whole[: len(whole) // 2],
    "a byte off": lambda whole: whole[:5000] + bytes([whole[5000] ^ 255]) + whole[5001:],
    "small garbage": lambda whole: b"date,amount\n2024-01-01,5\n",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_says_how_to_make_it_anew(
    damage: str, project: LiveProject, undisturbed: dict[str, Any]
) -> None:
    spoiled = DAMAGES[damage](project.database.read_bytes())
    project.database.write_bytes(spoiled)
    for name in ("run", "status"):
        ran = project.goldsmith(name)
        if damage == "small garbage" and name == "status":
            continue
        assert (ran.code, ran.out) == (2, ""), ran
        assert "cannot be opened as a DuckDB database" in ran.err and "goldsmith rebuild" in ran.err
    assert project.database.read_bytes() == spoiled
    assert project.goldsmith("rebuild").code == 0
    assert (project.folder / "test.duckdb.damaged").read_bytes() == spoiled
    (project.folder / "test.duckdb.damaged").unlink()
    completes(project, undisturbed)


@pytest.mark.parametrize("size", [0, 4096, 8192, 12287])
def test_a_database_that_was_just_being_made_is_no_obstacle(size: int, skeleton: LiveProject) -> None:
    assert skeleton.goldsmith("run").code == 0
    skeleton.database.write_bytes(skeleton.database.read_bytes()[:size])
    assert skeleton.goldsmith("status").code == 0
    assert skeleton.goldsmith("run").code == 0
