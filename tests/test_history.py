"""What git is asked: earlier texts, what a pull request touches, who signs; and how it says that it cannot tell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from generator.errors import UsageError
from generator.project.history import changed_since, commit, head, text_at, who
from generator.project.history import repository as top


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on `main` and the project in a folder of it."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "config", "user.name", "Ada L.")
    git(tmp_path, "config", "user.email", "ada@example.com")
    project = tmp_path / "a project"
    project.mkdir()
    (project / "kept.sql").write_text("select 1\n")
    (project / "gone.sql").write_text("select 2\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return project


def test_an_earlier_text_is_read_from_a_commit(repository: Path) -> None:
    (repository / "kept.sql").write_text("select 3\n")
    assert text_at(repository, "HEAD", repository / "kept.sql") == "select 1\n"
    assert text_at(repository, "main", repository / "never.sql") is None


@pytest.mark.parametrize("ref", ["nowhere", "--output=x", "", "HEAD:kept.sql"])
def test_a_commit_that_is_not_there_is_said(repository: Path, ref: str) -> None:
    with pytest.raises(UsageError, match="no such commit"):
        text_at(repository, ref, repository / "kept.sql")


def test_what_a_pull_request_touches_is_what_the_work_tree_has_other_than_the_fork(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "-b", "feature")
    (repository / "kept.sql").write_text("select 3\n")
    git(repository, "commit", "--quiet", "-am", "second")
    (repository / "gone.sql").unlink()
    (repository / "größe\n.csv").write_text("a\n1\n")
    git(repository, "checkout", "--quiet", "main", "--", "kept.sql")
    git(repository, "checkout", "--quiet", "feature", "--", "kept.sql")
    assert [p.name for p in changed_since(repository, "main")] == ["gone.sql", "größe\n.csv", "kept.sql"]


def test_a_commit_holds_exactly_the_files_that_are_named(repository: Path) -> None:
    for name in ("kept.sql", "gone.sql", "new.sql"):
        (repository / name).write_text("select 9\n")
    git(repository, "add", "gone.sql")
    commit(repository, [repository / "kept.sql", repository / "new.sql"], "mine")
    assert [p.name for p in changed_since(repository, "HEAD~1")] == ["gone.sql", "kept.sql", "new.sql"]
    assert text_at(repository, "HEAD", repository / "gone.sql") == "select 2\n"
    assert text_at(repository, "HEAD", repository / "new.sql") == "select 9\n"


def test_who_is_as_git_signs(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert who(repository) == "Ada L. <ada@example.com>"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git(repository, "config", "--unset", "user.name")
    with pytest.raises(UsageError, match=r"git config user\.name"):
        who(repository)


def test_a_folder_outside_git_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in no git repository"):
        text_at(tmp_path, "HEAD", tmp_path / "x.sql")


def test_without_git_nobody_is_told_to_make_a_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="git is not installed"):
        text_at(repository, "HEAD", repository / "kept.sql")
    with pytest.raises(UsageError, match="git is not installed"):
        who(repository)
    assert (head(repository), top(repository)) == (None, None)
