"""The project's git repository: earlier versions of a file, what a pull request touches, who works here."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from generator.errors import UsageError


class _NoGit(UsageError):
    """There is no git to ask."""


def text_at(project: Path, ref: str, path: Path) -> str | None:
    """A file's text as a commit has it; None where that commit has no such file. UsageError for no such commit."""
    commit = _commit(project, ref)
    root = _root(project)
    listed = _git(project, "ls-tree", "-z", "--full-tree", "--name-only", commit, "--", _inside(root, path))
    if not listed:
        return None
    return _git(project, "show", f"{commit}:{_inside(root, path)}")


def head(project: Path) -> str | None:
    """The commit that is checked out; None outside git, where git is not installed, and before the first commit."""
    try:
        found = _try(project, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except _NoGit:
        return None
    return found.strip() if found else None


def files_at(project: Path, commit: str, folder: Path) -> list[Path]:
    """The files that a commit has in a folder and below it, in order of path."""
    root = _root(project)
    names = _git(project, "ls-tree", "-r", "-z", "--full-tree", "--name-only", commit, "--", _inside(root, folder))
    return sorted(root / name for name in names.split("\0") if name)


def files_with(project: Path, ref: str, text: str, folder: Path) -> list[Path]:
    """The files in a folder and below it in which a commit has this text, in order of path."""
    root = _root(project)
    commit = _commit(project, ref)
    # Without a match git grep ends as if it had failed.
    options = ("-l", "-z", "--full-name", "-F", "-e", text, commit, "--", f":(top){_inside(root, folder)}")
    names = (_try(project, "grep", *options) or "").split("\0")
    return sorted(root / name.removeprefix(f"{commit}:") for name in names if name)


def changed_since(project: Path, ref: str) -> list[Path]:
    """Files that the work tree has other than the commit it forked from `ref` at, as a pull request lists them.

    New files that git does not know and does not ignore are among them, deleted ones, too. In order of path.
    """
    root = _root(project)
    names = _git(project, "diff", "--name-only", "--no-renames", "-z", fork(project, ref), "--").split("\0")
    names += _git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    return sorted({root / name for name in names if name})


def fork(project: Path, ref: str) -> str:
    """The commit at which HEAD forked from `ref`. UsageError where the history that is here does not reach it."""
    found = _try(project, "merge-base", _commit(project, ref), "HEAD")
    if not found:
        raise UsageError(
            f"{ref}: has no commit in common with HEAD that is fetched; fetch more of the history (in GitHub Actions: "
            "actions/checkout with fetch-depth: 0)"
        )
    return found.strip()


def files(project: Path) -> list[Path]:
    """The files of the project's folder that git knows or does not ignore, in order of path."""
    names = _git(project, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    return sorted({path for name in names if name and (path := project / name).is_file()})


def tracked(project: Path) -> frozenset[Path]:
    """The files of the whole repository that git knows, as they are to be committed."""
    root = _root(project)
    return frozenset(root / name for name in _git(root, "ls-files", "--cached", "-z").split("\0") if name)


def staged_text(project: Path, path: Path) -> str | None:
    """A file's text as it is to be committed; None where git does not know the file."""
    return _try(project, "show", f":{_inside(_root(project), path)}")


def repository(folder: Path) -> Path | None:
    """The top folder of the work tree that a folder is in; None outside git, and where git is not installed."""
    try:
        return _root(folder)
    except UsageError:
        return None


def who(project: Path) -> str:
    """`Name <mail>` as git would sign. UsageError says what to set."""
    name, mail = (_config(project, key) for key in ("user.name", "user.email"))
    if not name:
        raise UsageError("git does not know who you are; git config user.name 'Your Name' (and user.email)")
    return f"{name} <{mail}>" if mail else name


def ensure_commits(project: Path) -> None:
    """UsageError where `commit` cannot work: no git, no repository, nobody to sign."""
    _root(project)
    who(project)


def commit(project: Path, paths: Sequence[Path], message: str) -> None:
    """Commit these files as they are now, and nothing else that may be staged; no commit where they are committed so."""
    names = [str(p) for p in paths]
    _git(project, "add", "--", *names)
    if not _git(project, "status", "--porcelain", "--", *names):
        return
    _git(project, "commit", "--quiet", "--message", message, "--only", "--", *names)


def commit_layouts(project: Path, paths: Sequence[Path], said: str, names: Sequence[str]) -> None:
    """Commit the files of these layouts. `said` is the title, with {} for what was done to whom."""
    one = len(names) == 1
    title = said.format(names[0] if one else f"{len(names)} layouts")
    commit(project, paths, title if one else "\n".join([f"{title}\n", *names]))


def _commit(project: Path, ref: str) -> str:
    # What begins with a dash would be an option.
    found = None if ref.startswith("-") else _try(project, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if not found:
        _root(project)
        raise UsageError(f"{ref}: git knows no such commit here; name a branch, a tag or a commit that is fetched")
    return found.strip()


def _root(project: Path) -> Path:
    found = _try(project, "rev-parse", "--show-toplevel")
    if not found:
        raise UsageError(
            f"{project}: is in no git repository, which has the earlier versions of a file; git init makes one"
        )
    return Path(found.rstrip("\n"))


def _inside(root: Path, path: Path) -> str:
    return path.resolve().relative_to(root.resolve()).as_posix()


def _config(project: Path, key: str) -> str:
    return (_try(project, "config", "--get", key) or "").strip()


def _git(project: Path, *arguments: str) -> str:
    try:
        ran = subprocess.run(
            ["git", *arguments],
            cwd=project,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise _NoGit("git is not installed; it knows earlier versions of a file, and who you are") from None
    if ran.returncode:
        problem = " ".join((ran.stderr or ran.stdout).split())
        raise UsageError(f"git {arguments[0]}: {problem or 'it failed'}")
    return ran.stdout


def _try(project: Path, *arguments: str) -> str | None:
    """The output of a question that git may have no answer to. Raises UsageError where there is no git to ask."""
    try:
        return _git(project, *arguments)
    except _NoGit:
        raise
    except UsageError:
        return None
