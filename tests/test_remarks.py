"""What is doubtful about how a file was read is said wherever a person or a program looks."""

from __future__ import annotations

from io import StringIO

import pytest
from projects import SKELETON, LiveProject
from rich.console import Console

from generator.outcome import FileOutcome, RunOutcome
from generator.report.terminal import show_run

DOUBTFUL = "id;name;city\n" + "".join(
    [f"{i};Ann;Rome\n" + f'{i};"Bob\x1b[31m;Oslo\n' * (i % 7 == 3) for i in range(1, 41)]
    + ["\nsku;name;colour\n1;Hat;red\n"]
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> LiveProject:
    project = LiveProject.copy(tmp_path_factory.mktemp("remarks") / "project", *SKELETON)
    project.put("people.csv", DOUBTFUL)
    return project


def test_remarks_are_shown_when_a_file_is_loaded_and_ever_after(project: LiveProject) -> None:
    loaded = project.goldsmith("load", project.folder / "people.csv")
    assert loaded.code == 0, loaded
    for said in (loaded.out, project.goldsmith("status").out):
        assert "remark: lines 5, 13, 21, 29, 37 and 1 more: a quote that opens a cell" in said
        assert "remark: a second table begins on line 49; all from there on is rejected" in said
    remarks = project.status()["people.csv"]["remarks"]
    assert any(r.startswith("lines 5, 13, 21, 29, 37 and 1 more: ") for r in remarks)


def test_of_many_remarks_the_terminal_shows_some_and_says_where_the_others_are() -> None:
    file = FileOutcome("wild.csv", "loaded", remarks=tuple(f"line {i}: \x1b[31m doubtful" for i in range(1, 10)))
    with StringIO() as out:
        show_run(Console(file=out, width=140), RunOutcome(files=(file,)), False, "")
        said = out.getvalue()
    assert said.count("doubtful") == 3
    assert "6 more: goldsmith status --json has them" in said
    assert "\x1b" not in said
